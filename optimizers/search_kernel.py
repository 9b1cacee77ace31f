"""Whole searches, compiled: a minimum that is proved one, a transition state with both of its minima."""

from __future__ import annotations

import numba
import numpy as np

from thalweg.optimizers.eigenvector_following_kernel import FOLLOW
from thalweg.optimizers.lbfgs_kernel import WALK, assign
from thalweg.potentials.compiled import FUNCTION, HESSIAN, floats, integers, jit, matrix, vector

__all__ = ["SYSTEM", "minimum_rows", "proved_minimum", "transition_state_rows"]

_CUBE = numba.types.Array(numba.float64, 3, "C")
CONVERGED, STEPS, NOT_FINITE, WRONG_INDEX = 0, 1, 3, 4
SIDE_FAILED, SIDE_RETURNED = 6, 7

# lbfgs_walk and follow_modes come as pointers too: called directly they would be compiled again into every caller
SYSTEM = (WALK, FOLLOW, FUNCTION, HESSIAN, integers, floats, integers, integers, numba.int64, matrix)


@jit(
    numba.types.Tuple(
        (numba.float64, numba.float64, numba.int64, numba.int64, numba.float64, numba.float64, numba.int64, numba.float64)
    )(*SYSTEM, vector, vector, vector)
)
def proved_minimum(walk, follow, function, hessian, integers, floats, free, frozen, rigid, constant, rules, settings, x):
    """Minimise by LBFGS to a loose gradient, finish to second order, and see that no eigenvalue is negative.

    Parameters
    ----------
    settings : (switch, goal, most LBFGS steps, most second-order steps, longest second-order step)
    x : (n,) start, overwritten.

    Returns
    -------
    energy, rms, steps, status, lowest eigenvalue, log eigenvalue product, positive eigenvalues, path length
    """
    switch, goal, limit, second_limit, max_step = settings[0], settings[1], int(settings[2]), int(settings[3]), settings[4]
    gradient, mode, start = np.empty(x.size), np.zeros(x.size), np.empty(x.size)
    no_trace = np.empty((0, x.size + 1))
    all_steps, travelled = 0, 0.0
    energy, rms, status, lowest, product, positive = np.nan, np.nan, STEPS, np.nan, np.nan, 0
    for _attempt in range(3):
        energy, rms, steps, _, status, length = walk(
            function, integers, floats, frozen, rules, switch, limit, x, gradient, no_trace
        )
        all_steps += steps
        travelled += length
        if status == NOT_FINITE:
            break
        assign(start, x)
        energy, rms, steps, status, lowest, product, positive = follow(
            function, hessian, integers, floats, free, frozen, rigid, constant, 0, goal, second_limit, max_step, x, mode
        )
        all_steps += steps
        square = 0.0
        for k in range(x.size):
            square += (x[k] - start[k]) ** 2
        travelled += np.sqrt(square)
        if status != WRONG_INDEX:
            break
        # LBFGS stopped on a saddle: leave it downhill
        for k in range(x.size):
            x[k] += 0.05 * mode[k]
    return energy, rms, all_steps, status, lowest, product, positive, travelled


@jit(numba.void(*SYSTEM, vector, vector, matrix, matrix))
def minimum_rows(walk, follow, function, hessian, integers, floats, free, frozen, rigid, constant, rules, settings, X, numbers):
    """Find a proved minimum from every row of X, in place.

    ``numbers`` (rows, 8) takes what :func:`proved_minimum` returns.
    """
    for row in range(X.shape[0]):
        result = proved_minimum(
            walk, follow, function, hessian, integers, floats, free, frozen, rigid, constant, rules, settings, X[row]
        )
        numbers[row, 0], numbers[row, 1], numbers[row, 2], numbers[row, 3] = result[0], result[1], result[2], result[3]
        numbers[row, 4], numbers[row, 5], numbers[row, 6], numbers[row, 7] = result[4], result[5], result[6], result[7]


@jit(numba.void(*SYSTEM, vector, vector, vector, matrix, vector, vector, matrix))
def _both_sides(
    walk, follow, function, hessian, integers, floats, free, frozen, rigid, constant, rules, settings, mode, ends, x, ts, numbers
):
    """Minimise from both sides of a transition state; rows 0 and 1 of ``ends`` and ``numbers`` take the results.

    ``ts`` holds the numbers of the transition state (energy first, lowest eigenvalue fifth), and its status,
    fourth, is set if a side fails.
    """
    # far enough that the fall in energy is well above what LBFGS may rise, close enough to stay on the path
    push = min(max(settings[5], np.sqrt(1e-8 / abs(ts[4]))), 10.0 * settings[5])
    for side in range(2):
        sign = 1.0 if side == 0 else -1.0
        for k in range(x.size):
            ends[side, k] = x[k] + sign * push * mode[k]
        result = proved_minimum(
            walk, follow, function, hessian, integers, floats, free, frozen, rigid, constant, rules, settings, ends[side]
        )
        numbers[side, 0], numbers[side, 1], numbers[side, 2], numbers[side, 3] = result[0], result[1], result[2], result[3]
        numbers[side, 4], numbers[side, 5], numbers[side, 6] = result[4], result[5], result[6]
        numbers[side, 7] = result[7] + push
        if result[3] != CONVERGED:
            ts[3] = SIDE_FAILED
            return
        if not result[0] < ts[0]:
            ts[3] = SIDE_RETURNED
            return


@jit(numba.void(*SYSTEM, vector, vector, vector, matrix, matrix, matrix, _CUBE, _CUBE))
def transition_state_rows(
    walk, follow, function, hessian, integers, floats, free, frozen, rigid, constant, rules, settings, ts_settings, directions, X, numbers, ends, end_numbers
):
    """Find a transition state and both of its minima from every row of X, in place.

    Parameters
    ----------
    settings : as :func:`proved_minimum` takes them and, sixth, the displacement along the downhill mode.
    ts_settings : (goal, most steps, longest step)
    directions : (rows, n) of the modes to go up, zero for the lowest.
    X : (rows, n); numbers : (rows, 7) energy, rms, steps, status, lowest eigenvalue, log product, positive eigenvalues.
    ends : (rows, 2, n) the minima; end_numbers : (rows, 2, 8) what :func:`proved_minimum` returns, the path length last.
    """
    mode = np.empty(X.shape[1])
    for row in range(X.shape[0]):
        assign(mode, directions[row])
        result = follow(
            function, hessian, integers, floats, free, frozen, rigid, constant,
            1, ts_settings[0], int(ts_settings[1]), ts_settings[2], X[row], mode,
        )  # fmt: skip
        numbers[row, 0], numbers[row, 1], numbers[row, 2], numbers[row, 3] = result[0], result[1], result[2], result[3]
        numbers[row, 4], numbers[row, 5], numbers[row, 6] = result[4], result[5], result[6]
        for side in range(2):
            for k in range(X.shape[1]):
                ends[row, side, k] = np.nan
            for k in range(8):
                end_numbers[row, side, k] = np.nan
        if result[3] == CONVERGED:
            _both_sides(
                walk, follow, function, hessian, integers, floats, free, frozen, rigid, constant, rules, settings,
                mode, ends[row], X[row], numbers[row], end_numbers[row],
            )  # fmt: skip
