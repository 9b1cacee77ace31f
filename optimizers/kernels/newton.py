"""Newton-like minimisation with Cholesky factors; a final factorisation proves the minimum.

LBFGS whose initial inverse Hessian is that of a point close by, shifted until it is positive definite and its Newton
step no longer than what is trusted. At the end a factor that exists proves that no eigenvalue is negative, so that
nothing is diagonalised.
"""

from __future__ import annotations

import numba
import numpy as np

from thalweg.optimizers.kernels.arguments import FOLLOW_SIGNATURE, PROBLEM
from thalweg.optimizers.kernels.cholesky import factor, log_determinant, lowest_of_factor, solve, solve_lower
from thalweg.optimizers.kernels.eigenvector_following import diagonalise
from thalweg.optimizers.kernels.lbfgs import norm_of
from thalweg.optimizers.kernels.status import Status
from thalweg.potentials.compiled.signatures import FUNCTION, floats, integers, jit, matrix, vector
from thalweg.potentials.symmetry.null_modes import orthonormal_null_modes

__all__ = ["newton_minimum"]

_FAST = {"reassoc", "contract", "nsz", "arcp"}
# Eigenvalues below this part of the largest are taken for zero
_ZERO = 1e-9
# Entries of a Hessian above which atoms overlap: LAPACK's iterations need not converge
_HUGE = 1e100
# Residual of the lowest mode, relative; its eigenvalue is right to about the square of that
_ACCURACY = 1e-5
# Steps with one Hessian: about what the Hessian of a network costs in gradients
_CYCLE = 25
_TRIALS = 6


@jit(numba.float64(matrix, integers, matrix, numba.int64, matrix), fastmath=_FAST)
def _reduce(full, free, null, count, reduced):
    """Write the Hessian over free coordinates with the null modes moved up; return how far, NaN if not finite, or huge.

    That far is the largest sum of a row, which no eigenvalue exceeds.
    """
    m = free.size
    largest = 0.0
    for i in range(m):
        total = 0.0
        for j in range(m):
            reduced[i, j] = full[free[i], free[j]]
            total += abs(reduced[i, j])
        if not total < _HUGE:
            return np.nan
        largest = max(largest, total)
    mode = np.empty(m)
    for k in range(count):
        for i in range(m):
            mode[i] = null[k, free[i]]
        for i in range(m):
            part = max(largest, 1e-300) * mode[i]
            for j in range(m):
                reduced[i, j] += part * mode[j]
    return max(largest, 1e-300)


@jit(numba.boolean(matrix, numba.float64, matrix), fastmath=_FAST)
def _shifted_factor(reduced, shift, u):
    m = reduced.shape[0]
    for i in range(m):
        for j in range(i, m):
            u[i, j] = reduced[i, j]
        u[i, i] += shift
    return factor(u)


@jit(numba.float64(matrix, numba.float64, numba.float64, numba.float64, vector, matrix, vector), fastmath=_FAST)
def _trusted_factor(reduced, largest, guess, longest, slopes, u, step):
    """Factor the Hessian, shifted until it is positive definite and Newton's step not much longer than ``longest``.

    Returns the shift (J. J. More, D. C. Sorensen, SIAM J. Sci. Stat. Comput. 4 (1983) 553); ``step`` is workspace.
    """
    shift, lowest = 0.0, 0.0
    for _ in range(60):
        if not _shifted_factor(reduced, shift, u):
            lowest = shift
            shift = max(4.0 * shift, guess, 1e-6 * largest)
            continue
        for k in range(slopes.size):
            step[k] = slopes[k]
        solve(u, step)
        length = norm_of(step)
        if length <= 1.3 * longest:
            break
        solve_lower(u, step)
        shift = max(shift + (length / norm_of(step)) ** 2 * (length - longest) / longest, lowest)
    return shift


@jit(
    numba.float64(vector, matrix, integers, matrix, matrix, vector, vector, numba.int64, vector, vector),
    fastmath=_FAST,
)
def _direction(gradient, u, free, s, y, rho, alpha, stored, packed, direction):
    """Write the next step of LBFGS with the factor as initial Hessian; return its slope."""
    n = gradient.size
    for k in range(n):
        direction[k] = -gradient[k]
    for row in range(stored - 1, -1, -1):
        total = 0.0
        for k in range(n):
            total += s[row, k] * direction[k]
        alpha[row] = total * rho[row]
        for k in range(n):
            direction[k] -= alpha[row] * y[row, k]
    for j in range(free.size):
        packed[j] = direction[free[j]]
    solve(u, packed)
    for j in range(free.size):
        direction[free[j]] = packed[j]
    for row in range(stored):
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


@jit(numba.float64(vector, vector, vector, vector, matrix, matrix, numba.int64), fastmath=_FAST)
def _remember(x_new, x, g_new, gradient, s, y, row):
    """Store a step and its gradient change in a row, and move on; return s.y."""
    ys = 0.0
    for k in range(x.size):
        a, b = x_new[k] - x[k], g_new[k] - gradient[k]
        s[row, k] = a
        y[row, k] = b
        ys += a * b
        x[k] = x_new[k]
        gradient[k] = g_new[k]
    return ys


@jit(
    numba.types.UniTuple(numba.float64, 3)(
        FUNCTION,
        integers,
        floats,
        integers,
        numba.float64,
        numba.float64,
        numba.float64,
        vector,
        vector,
        vector,
        vector,
    ),
    fastmath=_FAST,
)
def _accepted(function, integers, floats, frozen, energy, norm, part, x, direction, x_new, g_new):
    """Shorten the step until the energy falls, or the gradient where the energy no longer tells.

    Returns the energy, the norm of the gradient, -1 if no step was accepted, and the part of the step taken.
    """
    noise = 1e-13 * max(1.0, abs(energy))
    for _ in range(_TRIALS):
        for k in range(x.size):
            x_new[k] = x[k] + part * direction[k]
        e_new = function(x_new, g_new, integers, floats)
        for k in frozen:
            g_new[k] = 0.0
        norm_new = norm_of(g_new)
        rise = e_new - energy
        if np.isfinite(norm_new) and (rise <= noise or (rise <= 1e3 * noise and norm_new < norm)):
            return e_new, norm_new, part
        part *= 0.25
    return energy, -1.0, part


@jit(
    numba.types.Tuple((numba.float64, numba.float64, numba.int64, numba.float64))(
        FUNCTION, integers, floats, integers, integers, matrix, numba.float64, numba.float64,
        vector, vector, numba.float64, numba.float64,
    ),
    fastmath=_FAST,
)  # fmt: skip
def _cycle(function, integers, floats, free, frozen, u, goal, trust, x, gradient, energy, norm):
    """Take steps with one factor, in place; return energy, norm of the gradient, steps and how far to trust next."""
    n = x.size
    s, y, rho, alpha = np.empty((_CYCLE, n)), np.empty((_CYCLE, n)), np.empty(_CYCLE), np.empty(_CYCLE)
    direction, packed, x_new, g_new = np.empty(n), np.empty(free.size), np.empty(n), np.empty(n)
    stored, longest = 0, 2.0 * trust
    for step in range(_CYCLE):
        if norm < goal:
            return energy, norm, step, trust
        slope = _direction(gradient, u, free, s, y, rho, alpha, stored, packed, direction)
        length = norm_of(direction)
        part = min(1.0, longest / length)
        e_new, norm_new, taken = energy, -1.0, part
        if slope < 0.0:
            e_new, norm_new, taken = _accepted(
                function, integers, floats, frozen, energy, norm, part, x, direction, x_new, g_new
            )
        if norm_new < 0.0:
            return energy, norm, step, (trust if step > 0 else 0.1 * min(trust, length))
        if step == 0:
            trust = taken * length if taken < part else max(trust, 2.0 * length)
        energy, norm = e_new, norm_new
        ys = _remember(x_new, x, g_new, gradient, s, y, stored)
        if ys > 0.0:
            rho[stored] = 1.0 / ys
            stored += 1
    return energy, norm, _CYCLE, trust


@jit(numba.types.Tuple((numba.int64, numba.float64, numba.float64))(matrix, numba.float64, matrix, vector))
def _proof(reduced, largest, u, lowest_mode):
    """Return a status by the signs of the eigenvalues, the lowest, and the sum of logarithms of all if positive.

    A factor proves them positive; only where there is none, or one is nearly zero, are they computed.
    """
    if _shifted_factor(reduced, 0.0, u):
        lowest = lowest_of_factor(u, _ACCURACY, lowest_mode)
        if lowest > _ZERO * largest:
            return Status.CONVERGED, lowest, log_determinant(u)
    values, vectors = np.empty(lowest_mode.size), np.empty_like(reduced)
    if not diagonalise(reduced, values, vectors):
        return Status.NOT_FINITE, np.nan, np.nan
    for j in range(lowest_mode.size):
        lowest_mode[j] = vectors[0, j]
    status = Status.WRONG_INDEX if values[0] < -_ZERO * largest else Status.ZERO_MODE
    return status, values[0], np.nan


@jit(numba.types.Tuple((numba.float64, numba.int64))(PROBLEM, vector, matrix, matrix))
def _hessian_over_free(problem, x, full, reduced):
    """Write the Hessian at x over free coordinates with the null modes moved up; return how far, and their number."""
    null = np.empty((6 + problem.constant.shape[0], x.size))
    problem.hessian(x, full, problem.integers, problem.floats)
    count = orthonormal_null_modes(
        x, problem.frozen, problem.rigid, problem.lattice, problem.constant, problem.varying, null
    )
    return _reduce(full, problem.free, null, count, reduced), count


@jit(FOLLOW_SIGNATURE)
def newton_minimum(problem, index, goal, limit, max_step, x, mode):
    """Minimise from x, in place: arguments and results as those of :func:`follow_modes`.

    ``index`` is 0 for a proved minimum; below 0 the search ends with the gradient, and what of the Hessian it would
    report is NaN. The first step may have 4 ``max_step``. Steps are those with gradients and Hessians together.
    """
    function = problem.function  # on its own: numba warns of tuples of functions
    integers, floats, free, frozen = problem.integers, problem.floats, problem.free, problem.frozen
    n, m = x.size, free.size
    gradient, slopes, work = np.empty(n), np.empty(m), np.empty(m)
    root, trust, shift, steps = np.sqrt(float(m)), 4.0 * max_step, 0.0, 0
    energy = function(x, gradient, integers, floats)
    for k in frozen:
        gradient[k] = 0.0
    norm = norm_of(gradient)
    if index < 0 and norm < goal * root and np.isfinite(energy):
        return energy, norm / root, steps, Status.CONVERGED, np.nan, np.nan, 0
    full, reduced, u = np.empty((n, n)), np.empty((m, m)), np.empty((m, m))
    for _iteration in range(limit):
        largest, count = np.nan, 0
        if np.isfinite(energy) and np.isfinite(norm):
            largest, count = _hessian_over_free(problem, x, full, reduced)
            steps += 1
        if not np.isfinite(largest):
            return energy, norm / root, steps, Status.NOT_FINITE, np.nan, np.nan, 0
        if norm < goal * root:
            status, lowest, product = _proof(reduced, largest, u, work)
            for j in range(m):
                mode[free[j]] = work[j]
            positive = m - count if status == Status.CONVERGED else 0
            return energy, norm / root, steps, status, lowest, product - count * np.log(largest), positive
        for j in range(m):
            slopes[j] = gradient[free[j]]
        shift = _trusted_factor(reduced, largest, 0.25 * shift, trust, slopes, u, work)
        energy, norm, taken, trust = _cycle(
            function, integers, floats, free, frozen, u, goal * root, trust, x, gradient, energy, norm
        )
        steps += taken
        if index < 0 and norm < goal * root:
            return energy, norm / root, steps, Status.CONVERGED, np.nan, np.nan, 0
        if trust < 1e-12:
            return energy, norm / root, steps, Status.ENERGY_NOT_LOWERED, np.nan, np.nan, 0
    return energy, norm / root, steps, Status.TOO_MANY_STEPS, np.nan, np.nan, 0
