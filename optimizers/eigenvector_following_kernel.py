"""Eigenvector-following with full diagonalisation: minima and transition states to second order.

Uphill along the lowest ``index`` modes, downhill along all others, null modes left alone; index 0 is the
second-order finish of a minimisation, index 1 finds transition states.
"""

from __future__ import annotations

import numba
import numpy as np

from thalweg.optimizers.lbfgs_kernel import assign, dot
from thalweg.optimizers.relaxation_kernel import relax_modes
from thalweg.potentials.compiled import FUNCTION, HESSIAN, floats, integers, jit, matrix, vector
from thalweg.potentials.null_modes import orthonormal_null_modes

__all__ = ["FOLLOW", "FOLLOW_SIGNATURE", "WRONG_INDEX", "ZERO_MODE", "follow_modes"]

CONVERGED, STEPS, ENERGY, NOT_FINITE, WRONG_INDEX, ZERO_MODE, BOWL = 0, 1, 2, 3, 4, 5, 8
_ZERO = 1e-9
_RELAX_STEPS = 15
_RELAXED = 0.1
# Steps up with no negative curvature in sight after which the way leads up a bowl without end, such as a regulariser's
_UPHILL = 25


@jit(numba.int64(vector, matrix, integers, integers, numba.int64, matrix, matrix, vector))
def _free_modes(x, full, free, frozen, rigid, constant, vectors, values):
    """Diagonalise the Hessian over free coordinates with the null modes moved above all others.

    Writes ascending eigenvalues and, as rows, their vectors; returns how many are no null modes, or -1 if the
    Hessian is not finite.
    """
    m = free.size
    null = np.empty((6 + constant.shape[0], x.size))
    count = orthonormal_null_modes(x, frozen, rigid, constant, null)
    reduced = np.empty((m, m))
    largest = 0.0
    for i in range(m):
        total = 0.0
        for j in range(m):
            reduced[i, j] = full[free[i], free[j]]
            total += abs(reduced[i, j])
        largest = max(largest, total)
        if not np.isfinite(total):
            return -1
    shift = 4.0 * largest + 1.0
    for k in range(count):
        for i in range(m):
            for j in range(m):
                reduced[i, j] += shift * null[k, free[i]] * null[k, free[j]]
    w, v = np.linalg.eigh(reduced)
    for i in range(m):
        values[i] = w[i]
        for j in range(m):
            vectors[i, j] = v[j, i]
    return m - count


@jit(numba.types.Tuple((numba.int64, numba.float64, numba.int64))(vector, numba.int64, numba.int64))
def _classify(values, modes, index):
    """Return a status by the signs of the eigenvalues, the sum of logarithms of positive ones, and their number."""
    zero = _ZERO * max(abs(values[0]), abs(values[modes - 1]))
    negative, positive, total = 0, 0, 0.0
    for i in range(modes):
        if values[i] < -zero:
            negative += 1
        elif values[i] > zero:
            positive += 1
            total += np.log(values[i])
    if negative + positive < modes:
        return ZERO_MODE, total, positive
    return (CONVERGED if negative == index else WRONG_INDEX), total, positive


@jit(numba.int64(matrix, vector, numba.int64, vector, numba.boolean))
def _followed(vectors, values, modes, previous, chosen):
    """Return the mode to go up: the lowest if negative and none was chosen, else the one most like the last."""
    if values[0] < 0.0 and not chosen:
        return 0
    best, best_overlap = 0, 0.0
    for i in range(modes):
        overlap = abs(dot(vectors[i], previous))
        if overlap > best_overlap:
            best, best_overlap = i, overlap
    return best


@jit(
    numba.types.UniTuple(numba.float64, 2)(
        FUNCTION, integers, floats, integers, vector, numba.float64, numba.float64, vector, vector
    )
)
def _uphill(function, integers, floats, free, mode, curvature, trust, x, gradient):
    """Step up along a mode, in place: Newton's step, no longer than trust; return the energy and the next trust."""
    slope = 0.0
    for j in range(free.size):
        slope += mode[j] * gradient[free[j]]
    size = slope / max(abs(curvature), 1e-300)
    if abs(size) > trust:
        size = np.sign(size) * trust
    for j in range(free.size):
        x[free[j]] += size * mode[j]
    energy = function(x, gradient, integers, floats)
    after = 0.0
    for j in range(free.size):
        after += mode[j] * gradient[free[j]]
    # past the maximum, and further from it than before
    if curvature < 0.0 and abs(after) > abs(slope):
        return energy, 0.7 * trust
    return energy, 1.3 * trust


FOLLOW_SIGNATURE = numba.types.Tuple(
    (numba.float64, numba.float64, numba.int64, numba.int64, numba.float64, numba.float64, numba.int64)
)(
    FUNCTION, HESSIAN, integers, floats, integers, integers, numba.int64, matrix,
    numba.int64, numba.float64, numba.int64, numba.float64, vector, vector,
)  # fmt: skip
FOLLOW = numba.types.FunctionType(FOLLOW_SIGNATURE)


@jit(FOLLOW_SIGNATURE)
def follow_modes(
    function, hessian, integers, floats, free, frozen, rigid, constant, index, goal, limit, max_step, x, mode
):
    """Walk to a stationary point with ``index`` negative eigenvalues from x, in place.

    Parameters
    ----------
    function, hessian, integers, floats : the potential.
    free, frozen, rigid, constant : free and frozen coordinates and null modes, as a System has them.
    index : 0 for a minimum, 1 for a transition state.
    goal : rms gradient; limit : most diagonalisations; max_step : longest step uphill at first.
    x : (n,) start, overwritten.
    mode : (n,) direction of the mode to go up, zero for the lowest; overwritten with the lowest one at the end.

    Returns
    -------
    energy, rms, diagonalisations, status, lowest eigenvalue, log eigenvalue product, number of positive eigenvalues
    """
    n, m = x.size, free.size
    full, vectors, values = np.empty((n, n)), np.empty((m, m)), np.empty(m)
    gradient, previous = np.empty(n), np.zeros(m)
    chosen, uphill = False, 0
    for j in range(m):
        previous[j] = mode[free[j]]
        chosen = chosen or previous[j] != 0.0
    trust = max_step
    energy = function(x, gradient, integers, floats)
    for iteration in range(limit + 1):
        for k in frozen:
            gradient[k] = 0.0
        rms = np.sqrt(dot(gradient, gradient) / m)
        if not (np.isfinite(energy) and np.isfinite(rms)):
            return energy, rms, iteration, NOT_FINITE, np.nan, np.nan, 0
        hessian(x, full, integers, floats)
        modes = _free_modes(x, full, free, frozen, rigid, constant, vectors, values)
        if modes < 1:
            return energy, rms, iteration, NOT_FINITE, np.nan, np.nan, 0
        if rms < goal:
            status, product, positive = _classify(values, modes, index)
            for k in range(n):
                mode[k] = 0.0
            for j in range(m):
                mode[free[j]] = vectors[0, j]
            return energy, rms, iteration, status, values[0], product, positive
        followed = -1
        across_goal = 0.3 * goal
        if index == 1:
            uphill = uphill + 1 if values[0] > 0.0 else 0
            if uphill > _UPHILL:
                return energy, rms, iteration, BOWL, values[0], np.nan, 0
            followed = _followed(vectors, values, modes, previous, chosen)
            assign(previous, vectors[followed])
            energy, trust = _uphill(
                function, integers, floats, free, vectors[followed], values[followed], trust, x, gradient
            )
            trust = min(max(trust, 0.1 * max_step), 4.0 * max_step)
            across_goal = max(across_goal, _RELAXED * rms)
        energy, _ = relax_modes(
            function, integers, floats, free, vectors, values, modes, followed, across_goal, _RELAX_STEPS,
            4.0 * max_step, x, gradient, energy,
        )  # fmt: skip
    return energy, rms, limit, STEPS, np.nan, np.nan, 0
