"""LBFGS on a GPU: a whole minimisation in one kernel, one block a walker, never back to the host.

The steps are those of :mod:`~thalweg.optimizers.kernels.lbfgs`. Its two loops, a dot product after another, become
two triangular recursions over the products s_i . y_j that are kept beside the pairs: no reduction between them, and
one barrier a pair. Every thread computes the same sums in the same order, so all take the same decisions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numba import cuda
from numba.core import types
from numpy import uint64 as at

from thalweg.optimizers.kernels.arguments import RUN
from thalweg.optimizers.kernels.status import Rule, Status
from thalweg.potentials.cuda.block import block_sums, carvers, device

__all__ = ["LBFGS", "RUN_NUMBERS", "VECTORS", "history_size", "lbfgs_kernel", "make_walk"]

# what a kernel knows of an enumeration are its numbers
_CONVERGED, _TOO_MANY_STEPS = int(Status.CONVERGED), int(Status.TOO_MANY_STEPS)
_ENERGY_NOT_LOWERED, _NOT_FINITE = int(Status.ENERGY_NOT_LOWERED), int(Status.NOT_FINITE)
_MEMORY, _INITIAL_DIAGONAL, _MAX_STEP, _MAX_RISE = map(
    int, (Rule.MEMORY, Rule.INITIAL_DIAGONAL, Rule.MAX_STEP, Rule.MAX_RISE)
)
_SHRINK, _TRIALS, _RESETS, _SIGNED = map(int, (Rule.SHRINK, Rule.TRIALS, Rule.RESETS, Rule.SIGNED_CURVATURE))
RUN_NUMBERS = np.dtype([(name, np.float64) for name in RUN.names or ()])
"""What a minimisation found, all of it float64: a row of numbers seen as a record."""
_ENERGY, _RMS, _STEPS, _EVALUATIONS, _STATUS, _PATH_LENGTH = range(len(RUN_NUMBERS.names or ()))
# Places in the goals, and behind the history
_GOAL, _MOST_STEPS = range(2)
_TRAVELLED, _LENGTH, _CALLS, _RESETS_LEFT = range(4)
VECTORS = 3  # of n numbers that a walk needs: next point, its gradient, direction

_vector, _matrix, _integers = types.float64[::1], types.float64[:, ::1], types.int64[::1]
LBFGS = (
    _matrix, _matrix, _matrix, _integers, _vector, _vector, _integers, _vector, types.int64[:, ::1], _vector,
)  # fmt: skip


def history_size(n: int, memory: int) -> int:
    """Return how many float64 the history takes: steps, gradient changes, their products four coefficients, and four
    numbers that need no register: path length so far, length of the direction, evaluations, resets left."""
    width = memory | 1
    return 2 * n * width + memory * memory + 4 * memory + 4


@device
def _ring(row, memory):
    """Return the row of a ring; remainders of 64 bits would cost a hundred instructions each."""
    return row if row < memory else row - memory


@device
def _solve_back(history, memory, count, oldest, products, rho, alpha, b):
    """First loop: alpha_i = rho_i (b_i - sum over later j of alpha_j s_i . y_j), where b_i = -s_i . g."""
    thread, threads = cuda.threadIdx.x, cuda.blockDim.x
    for k in range(count):
        i = count - 1 - k
        row = _ring(oldest + i, memory)
        value = history[at(rho + row)] * history[at(b + row)]
        for j in range(thread, i, threads):
            other = _ring(oldest + j, memory)
            history[at(b + other)] -= value * history[at(products + other * memory + row)]
        if thread == 0:
            history[at(alpha + row)] = value
        cuda.syncthreads()


@device
def _solve_forth(history, memory, count, oldest, products, rho, alpha, b, total):
    """Second loop: c_i = alpha_i - rho_i (b_i + sum over earlier j of c_j y_i . s_j), where b_i = y_i . direction."""
    thread, threads = cuda.threadIdx.x, cuda.blockDim.x
    for i in range(count):
        row = _ring(oldest + i, memory)
        value = history[at(alpha + row)] - history[at(rho + row)] * history[at(b + row)]
        for j in range(i + 1 + thread, count, threads):
            other = _ring(oldest + j, memory)
            history[at(b + other)] += value * history[at(products + row * memory + other)]
        if thread == 0:
            history[at(total + row)] = value
        cuda.syncthreads()


@device
def two_loop(gradient, history, rules, count, oldest, diagonal, direction):
    """Write minus the inverse Hessian's estimate times the gradient to direction; barriers on both sides."""
    cuda.syncthreads()
    # read again behind a barrier: kept, this and all that follows from it would take registers from the loss
    memory = int(rules[_MEMORY])
    thread, threads, n = cuda.threadIdx.x, cuda.blockDim.x, gradient.size
    width = memory | 1
    y = n * width
    products = 2 * y
    rho = products + memory * memory
    alpha, b, total = rho + memory, rho + 2 * memory, rho + 3 * memory
    for i in range(thread, count, threads):
        part = 0.0
        for k in range(n):
            part -= history[at(k * width + i)] * gradient[at(k)]
        history[at(b + i)] = part
    cuda.syncthreads()
    _solve_back(history, memory, count, oldest, products, rho, alpha, b)
    for k in range(thread, n, threads):
        part = -gradient[at(k)]
        for i in range(count):
            part -= history[at(alpha + i)] * history[at(y + k * width + i)]
        direction[at(k)] = part * diagonal
    cuda.syncthreads()
    for i in range(thread, count, threads):
        part = 0.0
        for k in range(n):
            part += history[at(y + k * width + i)] * direction[at(k)]
        history[at(b + i)] = part
    cuda.syncthreads()
    _solve_forth(history, memory, count, oldest, products, rho, alpha, b, total)
    for k in range(thread, n, threads):
        for i in range(count):
            direction[at(k)] += history[at(total + i)] * history[at(k * width + i)]


@device
def remember(history, rules, row, count, scale, direction, g_new, gradient, room):
    """Store a step and its gradient change; return s.y / y.y and whether the pair counts."""
    thread, threads, n = cuda.threadIdx.x, cuda.blockDim.x, gradient.size
    cuda.syncthreads()
    memory = int(rules[_MEMORY])
    width, ys, yy = memory | 1, 0.0, 0.0
    y = n * width
    products = 2 * y
    for k in range(thread, n, threads):
        step, change = scale * direction[at(k)], g_new[at(k)] - gradient[at(k)]
        history[at(k * width + row)], history[at(y + k * width + row)] = step, change
        ys += step * change
        yy += change * change
    ys, yy, _ = block_sums(ys, yy, 0.0, room)
    ys, yy = 1.0 if ys == 0.0 else ys, 1.0 if yy == 0.0 else yy
    keep = rules[_SIGNED] != 0.0 or ys / yy > 0.0
    if keep:
        if thread == 0:
            history[at(products + memory * memory + row)] = 1.0 / ys
        for i in range(thread, count, threads):
            part = 0.0
            for k in range(n):
                part += history[at(k * width + i)] * history[at(y + k * width + row)]
            history[at(products + i * memory + row)] = part
    return ys / yy, keep


@device
def squared_norm(gradient, frozen, room):
    """Zero frozen entries; return the squared norm to every thread."""
    thread, threads, square = cuda.threadIdx.x, cuda.blockDim.x, 0.0
    cuda.syncthreads()
    for i in range(thread, frozen.size, threads):
        gradient[frozen[i]] = 0.0
    cuda.syncthreads()
    for k in range(thread, gradient.size, threads):
        square += gradient[k] * gradient[k]
    square, _, _ = block_sums(square, 0.0, 0.0, room)
    return square


@device
def take_step(x, direction, x_new, g, max_step, scale, room):
    """Turn the direction downhill, cut the step, write the next point; return the scale and the direction's length."""
    uphill, length = 0.0, 0.0
    for k in range(cuda.threadIdx.x, x.size, cuda.blockDim.x):
        uphill += direction[k] * g[k]
        length += direction[k] * direction[k]
    uphill, length, _ = block_sums(uphill, length, 0.0, room)
    length = math.sqrt(length)
    if scale * length > max_step:
        scale = max_step / length
    for k in range(cuda.threadIdx.x, x.size, cuda.blockDim.x):
        if uphill > 0.0:
            direction[k] = -direction[k]
        x_new[k] = x[k] + scale * direction[k]
    cuda.syncthreads()
    return scale, length


@device
def step_along(x, scale, direction, x_new):
    """Write the point a step from x. A barrier behind."""
    for k in range(cuda.threadIdx.x, x.size, cuda.blockDim.x):
        x_new[k] = x[k] + scale * direction[k]
    cuda.syncthreads()


@device
def copy_to(target, source):
    """Copy a vector; every thread its own entries."""
    for k in range(cuda.threadIdx.x, source.size, cuda.blockDim.x):
        target[k] = source[k]


@device
def _no_reset_left(history, far):
    """Count a reset of the memory; return whether it was one too many. Barriers on both sides."""
    cuda.syncthreads()
    if cuda.threadIdx.x == 0:
        history[far + _RESETS_LEFT] -= 1.0
    cuda.syncthreads()
    return history[far + _RESETS_LEFT] < 0.0


def make_walk(evaluate: Callable[..., Any]) -> Any:
    """Return the device function that minimises one walker with the potential's `evaluate`.

    Its arguments: x, gradient (n,) start, overwritten; vectors, history: the block's memory; the others as
    :func:`lbfgs_kernel` takes them. It returns energy, gradient norm, steps, evaluations, status, path length;
    evaluations and length to the first thread only.
    """

    @device
    def walk(x, gradient, vectors, history, frozen, rules, goals, integers, floats, scratch, w, room):
        n, far, energy, norm, scale = x.size, history.size - 4, 0.0, 0.0, 0.0
        x_new, g_new, direction = vectors[:n], vectors[n : 2 * n], vectors[2 * n : 3 * n]
        stored, newest, steps, tried, diagonal = 0, 0, 0, 0, rules[_INITIAL_DIAGONAL]
        if cuda.threadIdx.x == 0:
            history[far + _TRAVELLED], history[far + _CALLS], history[far + _RESETS_LEFT] = 0.0, 0.0, rules[_RESETS]
        copy_to(x_new, x)
        cuda.syncthreads()
        while True:
            e_new = evaluate(x_new, g_new, integers, floats, scratch, w, room)
            square = squared_norm(g_new, frozen, room)
            if cuda.threadIdx.x == 0:
                history[far + _CALLS] += 1.0
            fine = math.isfinite(e_new) and math.isfinite(square)
            if scale == 0.0 and not fine:  # the first evaluation
                copy_to(gradient, g_new)
                return e_new, math.sqrt(square), 0, 1.0, _NOT_FINITE, 0.0
            if scale == 0.0 or (fine and e_new - energy <= rules[_MAX_RISE]):
                if scale > 0.0:
                    found, keep = remember(history, rules, newest, stored, scale, direction, g_new, gradient, room)
                    if keep:
                        diagonal, stored = found, min(stored + 1, int(rules[_MEMORY]))
                        newest = _ring(newest + 1, int(rules[_MEMORY]))
                    steps, tried = steps + 1, 0
                    if cuda.threadIdx.x == 0:
                        history[far + _TRAVELLED] += scale * history[far + _LENGTH]
                energy, norm = e_new, math.sqrt(square)
                copy_to(x, x_new)
                copy_to(gradient, g_new)
                if norm < goals[_GOAL] * math.sqrt(float(n - frozen.size)):
                    return energy, norm, steps, history[far + _CALLS], _CONVERGED, history[far + _TRAVELLED]
                if steps >= goals[_MOST_STEPS]:
                    return energy, norm, steps, history[far + _CALLS], _TOO_MANY_STEPS, history[far + _TRAVELLED]
            else:
                scale *= rules[_SHRINK]
                tried += 1
                if tried <= rules[_TRIALS]:
                    step_along(x, scale, direction, x_new)
                    continue
                if _no_reset_left(history, far) or stored == 0:
                    return energy, norm, steps, history[far + _CALLS], _ENERGY_NOT_LOWERED, history[far + _TRAVELLED]
                stored, newest, diagonal, tried = 0, 0, rules[_INITIAL_DIAGONAL], 0
            oldest = 0 if stored < int(rules[_MEMORY]) else newest
            two_loop(gradient, history, rules, stored, oldest, diagonal, direction)
            scale = min(1.0 / norm, norm) if stored == 0 else 1.0
            scale, length = take_step(x, direction, x_new, gradient, rules[_MAX_STEP], scale, room)
            if cuda.threadIdx.x == 0:
                history[far + _LENGTH] = length

    return walk


def lbfgs_kernel(far: Sequence[bool], evaluate: Callable[..., Any]) -> Callable:
    """Return the kernel that minimises every row of X in place.

    Its arguments: X, G (walkers, n); numbers (walkers, 6) takes the fields of :data:`RUN_NUMBERS`; frozen, rules: as a
    System and packed Rules have them; goals: (rms gradient, most steps); integers, floats: the potential's; plan,
    workspace: the memory, in the groups room, scratch, weights, vectors and history.
    """
    walk = make_walk(evaluate)
    room_of, scratch_of, weights_of, vectors_of, history_of = carvers(far)

    def lbfgs(X, G, numbers, frozen, rules, goals, integers, floats, plan, workspace):
        near = cuda.shared.array(0, types.float64)
        room, scratch = room_of(near, workspace, plan, 0), scratch_of(near, workspace, plan, 1)
        w, vectors = weights_of(near, workspace, plan, 2), vectors_of(near, workspace, plan, 3)
        history = history_of(near, workspace, plan, 4)
        for row in range(cuda.blockIdx.x, X.shape[0], cuda.gridDim.x):
            energy, norm, steps, evaluations, status, travelled = walk(
                X[row], G[row], vectors, history, frozen, rules, goals, integers, floats,
                scratch, w, room,
            )  # fmt: skip
            if cuda.threadIdx.x == 0:
                root = math.sqrt(float(X.shape[1] - frozen.size))
                numbers[row, _ENERGY], numbers[row, _RMS], numbers[row, _STEPS] = energy, norm / root, float(steps)
                numbers[row, _EVALUATIONS], numbers[row, _STATUS] = evaluations, float(status)
                numbers[row, _PATH_LENGTH] = travelled
            cuda.syncthreads()

    return lbfgs
