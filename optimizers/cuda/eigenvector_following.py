"""Hybrid eigenvector-following on a GPU, in two alternating kernels, one block per walker.

The steps are those of :mod:`~thalweg.optimizers.kernels.hybrid`: one kernel finds the lowest Hessian mode and how far
to go uphill, the other goes there and minimises across the mode by LBFGS. In one kernel, loss and Hessian-vector
products together, a thread needs more registers than there are. Walkers stay on the device; launches have those that
are on their way. A walker's state is in memory; the first thread decides, the others read.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numba import cuda
from numba.core import types
from numpy import uint64 as at

from thalweg.optimizers.cuda.lbfgs import copy_to, remember, step_along, take_step, two_loop
from thalweg.optimizers.cuda.lowest_mode import make_lowest_mode
from thalweg.optimizers.kernels.status import Rule, Status
from thalweg.potentials.cuda.block import block_sums, carvers, device

__all__ = [
    "CLIMB", "RELAX", "SEARCHED", "SEARCH_VECTORS", "STATE", "climb_kernel", "first_states", "relax_kernel",
    "searched_states",
]  # fmt: skip

# what a kernel knows of an enumeration are its numbers
_CONVERGED, _TOO_MANY_STEPS, _NOT_FINITE = map(int, (Status.CONVERGED, Status.TOO_MANY_STEPS, Status.NOT_FINITE))
_ONLY_POSITIVE, _DIVERGED = int(Status.ONLY_POSITIVE_CURVATURE), int(Status.DIVERGED)
_INITIAL_DIAGONAL, _MAX_STEP, _MAX_RISE = map(int, (Rule.INITIAL_DIAGONAL, Rule.MAX_STEP, Rule.MAX_RISE))
_SHRINK, _TRIALS = int(Rule.SHRINK), int(Rule.TRIALS)
# Places in the goals
_RMS, _MOST_STEPS, _LONGEST, _MOST_ACROSS, _RESIDUAL, _MOST_PRODUCTS = range(6)
SEARCH_VECTORS = 5  # of n numbers: next point, its gradient, direction, and the gradients across the mode at both
# As of eigenvector_following_kernel: steps up with no negative curvature, steps with one too faint, and how faint
_UPHILL, _FADED, _FAINT = 25, 4, 1e-6

# Places in the state of a walker
_ENERGY, _NORM, _SLOPE, _VALUE, _SIZE, _TRUST, _GOAL, _ACROSS_NORM, _SCALE, _DIAGONAL = range(10)
_STORED, _TRIED, _TAKEN, _TAKEN_UP, _CALLS, _STATUS, _BOWLS, _FAINTS, _STAGE, _ACCEPT, _NEXT = range(10, 21)
STATE = 21
# Where the point to be judged came from, what becomes of it, and what comes next
_START, _UP, _ACROSS = 0.0, 1.0, 2.0
_REFUSED, _MOVED, _LEARNED = 0.0, 1.0, 2.0
_SHORTEN, _STEP, _MODE, _END = 0.0, 1.0, 2.0, 3.0

_vector, _matrix, _integers = types.float64[::1], types.float64[:, ::1], types.int64[::1]
_plan = types.int64[:, ::1]
RELAX = (
    _integers, _matrix, _matrix, _matrix, _matrix, _integers, _integers, _vector, _vector, _integers, _vector,
    _plan, _vector,
)  # fmt: skip
CLIMB = (
    _integers, _matrix, _matrix, _matrix, _matrix, types.float64[:, :, ::1], _matrix, _integers, _integers, _vector,
    _integers, _vector, _plan, _vector,
)  # fmt: skip


def first_states(count: int, max_step: float) -> np.ndarray:
    """Return the states (count, :data:`STATE`) of walkers that start, `max_step` being the longest step uphill."""
    states = np.zeros((count, STATE))
    states[:, _TRUST], states[:, _STAGE] = max_step, _START
    return states


SEARCHED = np.dtype([("energy", np.float64), ("rms", np.float64), ("steps", np.int64), ("status", np.int64)])
"""What a search uphill found."""


def searched_states(states: np.ndarray, free: int) -> np.ndarray:
    """Return what the walkers found, records of :data:`SEARCHED`, from their states (walkers, :data:`STATE`)."""
    found = np.empty(len(states), SEARCHED)
    found["energy"], found["rms"] = states[:, _ENERGY], states[:, _NORM] / math.sqrt(free)
    found["steps"], found["status"] = states[:, _TAKEN_UP], states[:, _STATUS]
    return found


@device
def _trusted(state, goals, root, slope):
    """After a step uphill: set the trust by the slope found and the goal across the mode; one thread."""
    value, size, most = state[_VALUE], state[_SIZE], goals[_LONGEST]
    found = (slope - state[_SLOPE]) / size if size != 0.0 else value
    if abs(found - value) > 1.5 * abs(value):
        state[_TRUST] = max(0.5 * state[_TRUST], 0.02 * most)
    else:
        state[_TRUST] = min(1.2 * state[_TRUST], 2.0 * most)
    state[_GOAL] = max(0.3 * goals[_RMS] * root, 0.03 * min(state[_NORM], abs(slope)))
    state[_TAKEN], state[_STORED] = 0.0, 0.0


@device
def _decide(state, rules, goals, root, energy, norm, slope, across):
    """Decide what becomes of a point and what comes next; one thread.

    `norm`, `slope` and `across` are of its gradient: the norm, the part along the mode, the norm of the rest.
    """
    fine = math.isfinite(energy) and math.isfinite(norm) and math.isfinite(across)
    stage, next_up = state[_STAGE], _MODE
    state[_CALLS] += 1.0
    if stage == _ACROSS and not (fine and energy - state[_ENERGY] <= rules[_MAX_RISE]):
        state[_ACCEPT] = _REFUSED
        state[_SCALE] *= rules[_SHRINK]
        state[_TRIED] += 1.0
        if state[_TRIED] <= rules[_TRIALS]:
            next_up = _SHORTEN
    else:
        state[_ACCEPT] = _LEARNED if stage == _ACROSS else _MOVED
        if stage == _UP:
            _trusted(state, goals, root, slope)
        elif stage == _ACROSS:
            state[_TAKEN] += 1.0
        state[_ENERGY], state[_NORM], state[_ACROSS_NORM], state[_TRIED] = energy, norm, across, 0.0
        if not fine:
            next_up, state[_STATUS] = _END, _NOT_FINITE
        elif stage != _START and across > state[_GOAL] and state[_TAKEN] < goals[_MOST_ACROSS]:
            next_up, state[_STAGE] = _STEP, _ACROSS
    if next_up == _MODE and state[_NORM] < goals[_RMS] * root:
        next_up, state[_STATUS] = _END, _CONVERGED
    elif next_up == _MODE and state[_TAKEN_UP] >= goals[_MOST_STEPS]:
        next_up, state[_STATUS] = _END, _TOO_MANY_STEPS
    state[_NEXT] = next_up


@device
def _judge(energy, gradient, mode, across, frozen, rules, goals, state, room):
    """Split the gradient of a point into what is along the mode and `across`, and decide. Barriers on both sides."""
    thread, threads, n = cuda.threadIdx.x, cuda.blockDim.x, gradient.size
    cuda.syncthreads()
    for i in range(thread, frozen.size, threads):
        gradient[frozen[i]] = 0.0
    cuda.syncthreads()
    square, slope, rest = 0.0, 0.0, 0.0
    for k in range(thread, n, threads):
        square += gradient[at(k)] * gradient[at(k)]
        slope += gradient[at(k)] * mode[at(k)]
    square, slope, _ = block_sums(square, slope, 0.0, room)
    for k in range(thread, n, threads):
        across[at(k)] = gradient[at(k)] - slope * mode[at(k)]
        rest += across[at(k)] * across[at(k)]
    rest, _, _ = block_sums(rest, 0.0, 0.0, room)
    if thread == 0:
        root = math.sqrt(float(n - frozen.size))
        _decide(state, rules, goals, root, energy, math.sqrt(square), slope, math.sqrt(rest))
    cuda.syncthreads()


@device
def _aim(state, goals, slope, value, products, highest):
    """Set the step uphill, or end where it leads nowhere; one thread."""
    state[_CALLS] += products
    state[_SLOPE], state[_VALUE] = slope, value
    state[_TAKEN_UP] += 1.0
    state[_BOWLS] = state[_BOWLS] + 1.0 if value > 0.0 else 0.0
    # near a saddle, however flat, Newton's step is short
    faint = value < 0.0 and -value < min(_FAINT * highest, abs(slope) / goals[_LONGEST])
    state[_FAINTS] = state[_FAINTS] + 1.0 if faint else 0.0
    state[_STAGE] = _UP
    if not math.isfinite(value):
        state[_NEXT], state[_STATUS] = _END, _NOT_FINITE
    elif state[_BOWLS] > _UPHILL:
        state[_NEXT], state[_STATUS] = _END, _ONLY_POSITIVE
    elif state[_FAINTS] >= _FADED:
        state[_NEXT], state[_STATUS] = _END, _DIVERGED
    size = 2.0 * slope / (abs(value) + math.sqrt(value * value + 4.0 * slope * slope) + 1e-300)
    state[_SIZE] = min(max(size, -state[_TRUST]), state[_TRUST])


@device
def _learn(state, rules, history, direction, new_across, across, room):
    """Remember a step across the mode. Barriers on both sides."""
    stored = int(state[_STORED])
    found, keep = remember(history, rules, stored, stored, state[_SCALE], direction, new_across, across, room)
    cuda.syncthreads()
    if keep and cuda.threadIdx.x == 0:
        state[_DIAGONAL] = found
        state[_STORED] += 1.0
    cuda.syncthreads()


@device
def _step_across(x, x_new, across, direction, state, rules, history, room):
    """Take a step of LBFGS across the mode. Barriers on both sides."""
    stored, norm = int(state[_STORED]), state[_ACROSS_NORM]
    two_loop(across, history, rules, stored, 0, state[_DIAGONAL] if stored > 0 else rules[_INITIAL_DIAGONAL], direction)
    scale, _ = take_step(
        x, direction, x_new, across, rules[_MAX_STEP], min(1.0 / norm, norm) if stored == 0 else 1.0, room
    )
    if cuda.threadIdx.x == 0:
        state[_SCALE] = scale
    cuda.syncthreads()


@device
def _collect(constant, motions, basis):
    """Copy null modes to the first columns of the basis; return how many. A barrier before."""
    fixed, n = constant.shape[0], constant.shape[1]
    nulls, width = fixed + motions.shape[0], basis.size // n
    cuda.syncthreads()
    for k in range(cuda.threadIdx.x, n, cuda.blockDim.x):
        for i in range(nulls):
            basis[at(k * width + i)] = constant[i, k] if i < fixed else motions[i - fixed, k]
    return nulls


def relax_kernel(far: Sequence[bool], evaluate: Callable[..., Any]) -> Callable:
    """Return the kernel that judges the last step uphill of some walkers and minimises across the mode.

    Its arguments: chosen : rows that are to go on; X, G, M (walkers, n) points, gradients and modes; S (walkers,
    :data:`STATE`), all zero at first; going (walkers,) takes whether a walker goes on; frozen, rules : as a System and
    packed Rules have them, with a memory of at least the steps across and no negative curvatures; goals : (rms
    gradient, most steps, longest step uphill, most steps across the mode after each, residual of the mode relative to
    its eigenvalue, most products for it); integers, floats : the potential's; plan, workspace :
    the memory, in the groups room, scratch, weights, vectors and history.
    """

    room_of, scratch_of, weights_of, vectors_of, history_of = carvers(far)

    def relax(chosen, X, G, M, S, going, frozen, rules, goals, integers, floats, plan, workspace):
        near = cuda.shared.array(0, types.float64)
        room, scratch = room_of(near, workspace, plan, 0), scratch_of(near, workspace, plan, 1)
        w, vectors = weights_of(near, workspace, plan, 2), vectors_of(near, workspace, plan, 3)
        history, n = history_of(near, workspace, plan, 4), X.shape[1]
        x_new, g_new, direction = vectors[:n], vectors[n : 2 * n], vectors[2 * n : 3 * n]
        across, new_across = vectors[3 * n : 4 * n], vectors[4 * n : 5 * n]
        for item in range(cuda.blockIdx.x, chosen.size, cuda.gridDim.x):
            row = chosen[item]
            x, gradient, mode, state = X[row], G[row], M[row], S[row]
            step_along(x, state[_SIZE], mode, x_new)
            while True:
                energy = evaluate(x_new, g_new, integers, floats, scratch, w, room)
                _judge(energy, g_new, mode, new_across, frozen, rules, goals, state, room)
                if state[_ACCEPT] == _LEARNED:
                    _learn(state, rules, history, direction, new_across, across, room)
                if state[_ACCEPT] != _REFUSED:
                    copy_to(x, x_new)
                    copy_to(gradient, g_new)
                    copy_to(across, new_across)
                cuda.syncthreads()
                if state[_NEXT] == _STEP:
                    _step_across(x, x_new, across, direction, state, rules, history, room)
                elif state[_NEXT] == _SHORTEN:
                    step_along(x, state[_SCALE], direction, x_new)
                else:
                    break
            if cuda.threadIdx.x == 0:
                going[row] = 1 if state[_NEXT] == _MODE else 0
            cuda.syncthreads()

    return relax


def climb_kernel(far: Sequence[bool], product: Callable[..., Any]) -> Callable:
    """Return the kernel that finds the lowest mode of some walkers, and how far to step along it.

    Its arguments are those of :func:`relax_kernel`, and, behind M, null modes that are left out: constant (k, n), the
    same everywhere, and N (walkers, 6 or 0, n). The memory is in the groups room, scratch, weights, vectors, small
    problems and basis.
    """
    lowest_mode = make_lowest_mode(product)
    room_of, scratch_of, weights_of, vectors_of, small_of, basis_of = carvers(far)

    def climb(chosen, X, G, M, constant, N, S, going, frozen, goals, integers, floats, plan, workspace):
        near = cuda.shared.array(0, types.float64)
        room, scratch = room_of(near, workspace, plan, 0), scratch_of(near, workspace, plan, 1)
        w, vectors = weights_of(near, workspace, plan, 2), vectors_of(near, workspace, plan, 3)
        small, basis = small_of(near, workspace, plan, 4), basis_of(near, workspace, plan, 5)
        for item in range(cuda.blockIdx.x, chosen.size, cuda.gridDim.x):
            row = chosen[item]
            nulls = _collect(constant, N[row], basis)
            value, products, highest = lowest_mode(
                X[row], M[row], vectors, nulls, small, basis, int(goals[_MOST_PRODUCTS]), goals[_RESIDUAL], frozen,
                integers, floats, scratch, w, room,
            )  # fmt: skip
            slope = 0.0
            for k in range(cuda.threadIdx.x, X.shape[1], cuda.blockDim.x):
                slope += G[row, k] * M[row, k]
            slope, _, _ = block_sums(slope, 0.0, 0.0, room)
            if cuda.threadIdx.x == 0:
                _aim(S[row], goals, slope, value, float(products), highest)
                going[row] = 1 if S[row, _NEXT] == _MODE else 0
            cuda.syncthreads()

    return climb
