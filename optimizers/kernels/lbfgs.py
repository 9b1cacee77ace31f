"""LBFGS, compiled once for every potential.

Nocedal's two-loop recursion with the original programs' step control: no line search, a step is accepted unless
the energy rises. One walker at a time; batches run this on threads.
"""

from __future__ import annotations

import numba
import numpy as np

from thalweg.optimizers.kernels.arguments import WALK, WALK_SIGNATURE, runs
from thalweg.optimizers.kernels.status import Rule, Status
from thalweg.potentials.compiled.signatures import FUNCTION, floats, integers, jit, matrix, vector

__all__ = [
    "add_multiple",
    "assign",
    "dot",
    "lbfgs_rows",
    "lbfgs_walk",
    "norm_of",
    "remember",
    "two_loop",
]

_FAST = {"reassoc", "contract", "nsz", "arcp"}


@jit(numba.float64(vector, vector), fastmath=_FAST)
def dot(a, b):
    total = 0.0
    for k in range(a.size):
        total += a[k] * b[k]
    return total


@jit(numba.float64(vector), fastmath=_FAST)
def norm_of(a):
    return np.sqrt(dot(a, a))


@jit(numba.void(numba.float64, vector, vector), fastmath=_FAST)
def add_multiple(factor, a, out):
    for k in range(a.size):
        out[k] += factor * a[k]


@jit(numba.void(vector, vector))
def assign(target, source):
    """Copy a vector; ``target[:] = source`` would take seconds to compile in every function that has it."""
    for k in range(source.size):
        target[k] = source[k]


@jit(numba.void(vector, matrix, matrix, vector, vector, numba.int64, numba.float64, vector), fastmath=_FAST)
def two_loop(gradient, s, y, rho, alpha, stored, diagonal, direction):
    """Write minus the inverse Hessian's estimate times the gradient to ``direction``."""
    memory = s.shape[0]
    first = max(0, stored - memory)
    for k in range(gradient.size):
        direction[k] = -gradient[k]
    for i in range(stored - 1, first - 1, -1):
        row = i % memory
        alpha[row] = rho[row] * dot(s[row], direction)
        add_multiple(-alpha[row], y[row], direction)
    for k in range(gradient.size):
        direction[k] *= diagonal
    for i in range(first, stored):
        row = i % memory
        beta = rho[row] * dot(y[row], direction)
        add_multiple(alpha[row] - beta, s[row], direction)


@jit(
    numba.types.Tuple((numba.float64, numba.float64, numba.float64, numba.int64))(
        FUNCTION, integers, floats, integers, vector, numba.float64, vector, vector, numba.float64, vector, vector
    ),
    fastmath=_FAST,
)
def shortened_step(function, integers, floats, frozen, rules, energy, x, direction, scale, x_new, g_new):
    """Shorten the step until the energy does not rise; return energy, gradient norm, scale and evaluations.

    The norm is -1 if no step was accepted.
    """
    max_rise, shrink, trials = rules[Rule.MAX_RISE], rules[Rule.SHRINK], int(rules[Rule.TRIALS])
    for trial in range(trials + 1):
        for k in range(x.size):
            x_new[k] = x[k] + scale * direction[k]
        e_new = function(x_new, g_new, integers, floats)
        if e_new - energy <= max_rise and np.isfinite(e_new):
            for k in frozen:
                g_new[k] = 0.0
            norm = norm_of(g_new)
            if np.isfinite(norm):
                return e_new, norm, scale, trial + 1
        scale *= shrink
    return energy, -1.0, scale, trials + 1


@jit(numba.float64(matrix, matrix, vector, numba.int64, numba.float64, vector, vector, vector), fastmath=_FAST)
def remember(s, y, rho, row, scale, direction, g_new, gradient):
    """Store a step and its gradient change in a row; return the signed diagonal s.y / y.y."""
    ys, yy = 0.0, 0.0
    for k in range(direction.size):
        s[row, k] = scale * direction[k]
        y[row, k] = g_new[k] - gradient[k]
        ys += s[row, k] * y[row, k]
        yy += y[row, k] * y[row, k]
    ys = 1.0 if ys == 0.0 else ys
    yy = 1.0 if yy == 0.0 else yy
    rho[row] = 1.0 / ys
    return ys / yy


@jit(numba.types.UniTuple(numba.int64, 2)(matrix, numba.int64, numba.int64, vector, numba.float64))
def _record(trace, traced, stride, x, energy):
    """Append a point to the trace; drop every second one and double the stride when it is full."""
    if traced == trace.shape[0]:
        traced = (traced + 1) // 2
        for row in range(traced):
            assign(trace[row], trace[2 * row])
        for row in range(traced, trace.shape[0]):
            for k in range(trace.shape[1]):
                trace[row, k] = np.nan
        stride *= 2
    for k in range(x.size):
        trace[traced, k] = x[k]
    trace[traced, x.size] = energy
    return traced + 1, stride


@jit(WALK_SIGNATURE, fastmath=_FAST)
def lbfgs_walk(function, integers, floats, frozen, rules, goal, limit, x, gradient, trace):
    """Minimise from x, in place.

    Parameters
    ----------
    function, integers, floats : the potential; frozen : indices of coordinates that may not move.
    rules : packed Rules; goal : rms gradient to reach; limit : most accepted steps.
    x, gradient : (n,) start, overwritten by the end and its gradient.
    trace : (points, n + 1) filled with points along the way and, last, their energies; NaN behind the last
        one; no points where its length is 0.

    Returns
    -------
    energy, rms, steps, evaluations, status, path length
    """
    n, memory, resets = x.size, int(rules[Rule.MEMORY]), int(rules[Rule.RESETS])
    diagonal_0, max_step = rules[Rule.INITIAL_DIAGONAL], rules[Rule.MAX_STEP]
    root, signed = np.sqrt(n - frozen.size), rules[Rule.SIGNED_CURVATURE] != 0.0
    s, y, rho, alpha = np.empty((memory, n)), np.empty((memory, n)), np.empty(memory), np.empty(memory)
    direction, x_new, g_new = np.empty(n), np.empty(n), np.empty(n)
    stored, steps, failures, evaluations, diagonal = 0, 0, 0, 1, diagonal_0
    travelled, traced, stride = 0.0, 0, 1
    for row in range(trace.shape[0]):
        for k in range(trace.shape[1]):
            trace[row, k] = np.nan
    energy = function(x, gradient, integers, floats)
    for k in frozen:
        gradient[k] = 0.0
    norm = norm_of(gradient)
    if not (np.isfinite(energy) and np.isfinite(norm)):
        return energy, norm / root, steps, evaluations, Status.NOT_FINITE, travelled
    while norm / root >= goal:
        if steps >= limit:
            return energy, norm / root, steps, evaluations, Status.TOO_MANY_STEPS, travelled
        two_loop(gradient, s, y, rho, alpha, stored, diagonal, direction)
        scale = min(1.0 / norm, norm) if stored == 0 else 1.0
        if dot(direction, gradient) > 0.0:
            for k in range(n):
                direction[k] = -direction[k]
        length = norm_of(direction)
        if scale * length > max_step:
            scale = max_step / length
        e_new, norm_new, scale, tried = shortened_step(
            function, integers, floats, frozen, rules, energy, x, direction, scale, x_new, g_new
        )
        evaluations += tried
        if norm_new < 0.0:
            failures += 1
            # without a memory the next step would be the one just refused
            if failures > resets or stored == 0:
                return energy, norm / root, steps, evaluations, Status.ENERGY_NOT_LOWERED, travelled
            stored, diagonal = 0, diagonal_0
            continue
        new_diagonal = remember(s, y, rho, stored % memory, scale, direction, g_new, gradient)
        if signed or new_diagonal > 0.0:
            diagonal = new_diagonal
            stored += 1
        assign(x, x_new)
        assign(gradient, g_new)
        steps += 1
        energy, norm = e_new, norm_new
        travelled += scale * length
        if trace.shape[0] > 0 and steps % stride == 0:
            traced, stride = _record(trace, traced, stride, x, energy)
    return energy, norm / root, steps, evaluations, Status.CONVERGED, travelled


@jit(
    numba.void(
        WALK, FUNCTION, integers, floats, integers, vector, numba.float64, numba.int64, matrix, matrix, runs,
    )
)  # fmt: skip
def lbfgs_rows(walk, function, integers, floats, frozen, rules, goal, limit, X, gradients, found):
    """Minimise every row of X in place by ``walk``; one record of RUN a row."""
    no_trace = np.empty((0, X.shape[1] + 1))
    for row in range(X.shape[0]):
        energy, rms, steps, evaluations, status, length = walk(
            function, integers, floats, frozen, rules, goal, limit, X[row], gradients[row], no_trace
        )
        found[row].energy, found[row].rms, found[row].path_length = energy, rms, length
        found[row].steps, found[row].evaluations, found[row].status = steps, evaluations, status
