"""LBFGS with little overhead a step: fused loops, a memory of few pairs, nothing allocated on the way.

For minimisations that second order finishes. The plain walk of ``lbfgs_kernel`` keeps the original programs' order of
arithmetic instead.
"""

from __future__ import annotations

import numba
import numpy as np

from thalweg.optimizers.lbfgs_kernel import WALK_SIGNATURE, norm_of, shortened_step
from thalweg.potentials.compiled import jit, matrix, vector

__all__ = ["quick_walk"]

CONVERGED, STEPS, ENERGY, NOT_FINITE = 0, 1, 2, 3
_FAST = {"reassoc", "contract", "nsz", "arcp"}


@jit(
    numba.float64(vector, matrix, matrix, vector, vector, numba.int64, numba.int64, numba.float64, vector),
    fastmath=_FAST,
)
def _direction(gradient, s, y, rho, alpha, row, stored, diagonal, direction):
    """Write minus the inverse Hessian's estimate times the gradient, from the pair in ``row`` back; return its slope.

    Two indices keep the inner loops vector loops: flat storage would have to be checked for negative indices.
    """
    n, memory = gradient.size, s.shape[0]
    for k in range(n):
        direction[k] = -gradient[k]
    for _ in range(stored):
        total = 0.0
        for k in range(n):
            total += s[row, k] * direction[k]
        total *= rho[row]
        alpha[row] = total
        for k in range(n):
            direction[k] -= total * y[row, k]
        row = row - 1 if row > 0 else memory - 1
    for k in range(n):
        direction[k] *= diagonal
    for _ in range(stored):
        row = row + 1 if row < memory - 1 else 0
        total = 0.0
        for k in range(n):
            total += y[row, k] * direction[k]
        total = alpha[row] - rho[row] * total
        for k in range(n):
            direction[k] += total * s[row, k]
    slope = 0.0
    for k in range(n):
        slope += direction[k] * gradient[k]
    return slope


@jit(
    numba.types.UniTuple(numba.float64, 2)(vector, vector, vector, vector, matrix, matrix, numba.int64), fastmath=_FAST
)
def _remember(x_new, x, g_new, gradient, s, y, row):
    """Store a step and its gradient change in a row, and move on; return s.y and y.y."""
    ys, yy = 0.0, 0.0
    for k in range(x.size):
        a, b = x_new[k] - x[k], g_new[k] - gradient[k]
        s[row, k] = a
        y[row, k] = b
        ys += a * b
        yy += b * b
        x[k] = x_new[k]
        gradient[k] = g_new[k]
    return ys, yy


@jit(WALK_SIGNATURE, fastmath=_FAST)
def quick_walk(function, integers, floats, frozen, rules, goal, limit, x, gradient, trace):
    """Minimise from x, in place: arguments and results as those of :func:`lbfgs_walk`.

    Pairs of negative curvature are left out whatever the rules say, and ``trace`` is left as it is.
    """
    memory, diagonal_0, max_step, resets = int(rules[0]), rules[1], rules[2], int(rules[6])
    n = x.size
    root = np.sqrt(n - frozen.size)
    s, y, rho, alpha = np.empty((memory, n)), np.empty((memory, n)), np.empty(memory), np.empty(memory)
    direction, x_new, g_new = np.empty(n), np.empty(n), np.empty(n)
    stored, newest, steps, failures, evaluations, diagonal, travelled = 0, -1, 0, 0, 1, diagonal_0, 0.0
    careful = True
    energy = function(x, gradient, integers, floats)
    for k in frozen:
        gradient[k] = 0.0
    norm = norm_of(gradient)
    if not (np.isfinite(energy) and np.isfinite(norm)):
        return energy, norm / root, steps, evaluations, NOT_FINITE, travelled
    while norm >= goal * root:
        if steps >= limit:
            return energy, norm / root, steps, evaluations, STEPS, travelled
        slope = _direction(gradient, s, y, rho, alpha, max(newest, 0), stored, diagonal, direction)
        length = norm_of(direction)
        # uphill only where rounding has spoilt the memory
        scale = (min(1.0 / norm, norm) if careful else 1.0) * (-1.0 if slope > 0.0 else 1.0)
        if abs(scale) * length > max_step:
            scale *= max_step / (abs(scale) * length)
        e_new, norm_new, scale, tried = shortened_step(
            function, integers, floats, frozen, rules, energy, x, direction, scale, x_new, g_new
        )
        evaluations += tried
        if norm_new < 0.0:
            failures += 1
            if failures > resets or careful:
                return energy, norm / root, steps, evaluations, ENERGY, travelled
            stored, newest, diagonal, careful = 0, -1, diagonal_0, True
            continue
        row = newest + 1 if newest < memory - 1 else 0
        ys, yy = _remember(x_new, x, g_new, gradient, s, y, row)
        if ys > 0.0:
            rho[row], diagonal, newest = 1.0 / ys, ys / yy, row
            stored = min(stored + 1, memory)
        else:
            # uphill curvature: as long a step as took it there; the pair may have been written over the oldest
            diagonal = -ys / yy if yy > 0.0 else diagonal
            stored = min(stored, memory - 1)
        careful = False
        steps += 1
        energy, norm = e_new, norm_new
        travelled += abs(scale) * length
    return energy, norm / root, steps, evaluations, CONVERGED, travelled
