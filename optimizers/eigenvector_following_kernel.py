"""Eigenvector-following with full diagonalisation: minima and transition states to second order.

Uphill along the lowest ``index`` modes, downhill along all others, null modes left alone; index 0 is the
second-order finish of a minimisation, index 1 finds transition states.
"""

from __future__ import annotations

import numba
import numpy as np

from thalweg.potentials.compiled import FUNCTION, HESSIAN, floats, integers, jit, matrix, vector
from thalweg.potentials.null_modes import orthonormal_null_modes

__all__ = ["WRONG_INDEX", "ZERO_MODE", "follow_modes"]

CONVERGED, STEPS, ENERGY, NOT_FINITE, WRONG_INDEX, ZERO_MODE = 0, 1, 2, 3, 4, 5
_ZERO = 1e-9


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
    values[:m] = w
    vectors[:m, :m] = v.T
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


@jit(numba.float64(vector, vector, numba.int64, numba.float64))
def _damping(slopes, values, modes, max_step):
    """Return what must be added to every |curvature| for the step not to exceed max_step (0 if Newton's does not)."""
    damping = 0.0
    for _ in range(60):
        square, slope = 0.0, 0.0
        for i in range(modes):
            curvature = abs(values[i]) + damping + 1e-300
            part = slopes[i] / curvature
            square += part * part
            slope += part * part / curvature
        length = np.sqrt(square)
        if length <= 1.001 * max_step:
            break
        # Newton's iteration on 1 / length, which is nearly linear in the damping
        damping += (length / max_step - 1.0) * square / slope
    return damping


@jit(numba.types.UniTuple(numba.float64, 2)(vector, matrix, vector, integers, numba.int64, numba.int64, numba.float64, vector))
def _mode_step(gradient, vectors, values, free, modes, index, max_step, step):
    """Write the step to ``step``; return its length and the change of energy that it should bring.

    Along a mode of curvature b and slope g it is g / (|b| + damping), uphill for the lowest ``index`` modes: Newton's
    step where that is short enough; otherwise soft modes are held back, and stiff ones still relax.
    """
    m = free.size
    slopes = np.zeros(modes)
    for i in range(modes):
        for j in range(m):
            slopes[i] += vectors[i, j] * gradient[free[j]]
    damping = _damping(slopes, values, modes, max_step)
    step[:] = 0.0
    predicted, square = 0.0, 0.0
    for i in range(modes):
        along = slopes[i] / (abs(values[i]) + damping + 1e-300)
        if i >= index:
            along = -along
        square += along * along
        predicted += slopes[i] * along + 0.5 * values[i] * along * along
        for j in range(m):
            step[free[j]] += along * vectors[i, j]
    return np.sqrt(square), predicted


@jit(
    numba.types.Tuple((numba.float64, numba.float64, numba.int64, numba.int64, numba.float64, numba.float64, numba.int64))(
        FUNCTION, HESSIAN, integers, floats, integers, integers, numba.int64, matrix,
        numba.int64, numba.float64, numba.int64, numba.float64, vector, vector,
    )
)  # fmt: skip
def follow_modes(
    function, hessian, integers, floats, free, frozen, rigid, constant, index, goal, limit, max_step, x, mode
):
    """Walk to a stationary point with ``index`` negative eigenvalues from x, in place.

    Parameters
    ----------
    function, hessian, integers, floats : the potential.
    free, frozen, rigid, constant : free and frozen coordinates and null modes, as a System has them.
    index : 0 for a minimum, 1 for a transition state.
    goal : rms gradient; limit : most steps; max_step : longest step at first, between 1/100 of it and 4 times it later.
    x : (n,) start, overwritten; mode : (n,) filled with the eigenvector of the lowest eigenvalue.

    Returns
    -------
    energy, rms, steps, status, lowest eigenvalue, log eigenvalue product, number of positive eigenvalues
    """
    n, m = x.size, free.size
    full, vectors, values = np.empty((n, n)), np.empty((m, m)), np.empty(m)
    gradient, step, x_old, g_old = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    trust, predicted, length, old = max_step, 0.0, 0.0, 0.0
    modes = 0
    for iteration in range(limit + 1):
        energy = function(x, gradient, integers, floats)
        square = 0.0
        for k in free:
            square += gradient[k] ** 2
        rms = np.sqrt(square / m)
        finite = np.isfinite(energy) and np.isfinite(rms)
        if iteration == 0 and not finite:
            return energy, rms, iteration, NOT_FINITE, np.nan, np.nan, 0
        if iteration > 0:
            noise = 1e-11 * max(1.0, abs(old))
            error = abs(energy - old - predicted)
            bad = not finite or error > max(0.75 * abs(predicted), noise)
            if not finite or (index == 0 and energy - old > noise) or error > 4.0 * abs(predicted) + noise:
                if trust < 1e-8:
                    x[:] = x_old
                    return old, np.nan, iteration, ENERGY, np.nan, np.nan, 0
                x[:] = x_old
                gradient[:] = g_old
                energy = old
                trust = 0.3 * min(trust, length)
                length, predicted = _mode_step(gradient, vectors, values, free, modes, index, trust, step)
                x += step
                continue
            if bad:
                trust = max(0.5 * min(trust, length), 0.01 * max_step)
            elif error < 0.3 * abs(predicted) and length > 0.9 * trust:
                trust = min(1.5 * trust, 4.0 * max_step)
        hessian(x, full, integers, floats)
        modes = _free_modes(x, full, free, frozen, rigid, constant, vectors, values)
        if modes < 1:
            return energy, rms, iteration, NOT_FINITE, np.nan, np.nan, 0
        if rms < goal:
            status, product, positive = _classify(values, modes, index)
            mode[:] = 0.0
            for j in range(m):
                mode[free[j]] = vectors[0, j]
            return energy, rms, iteration, status, values[0], product, positive
        x_old[:] = x
        g_old[:] = gradient
        old = energy
        length, predicted = _mode_step(gradient, vectors, values, free, modes, index, trust, step)
        x += step
    return energy, rms, limit, STEPS, np.nan, np.nan, 0
