"""Whole searches, compiled: a minimum that is proved one, a transition state with both of its minima."""

from __future__ import annotations

import numba
import numpy as np

from thalweg.optimizers.eigenvector_following_kernel import FOLLOW
from thalweg.optimizers.lbfgs_kernel import WALK, assign
from thalweg.potentials.compiled import FUNCTION, HESSIAN, floats, integers, jit, matrix, vector

__all__ = ["SYSTEM", "minimum_rows", "proved_minimum", "transition_state_rows"]

CONVERGED, STEPS, NOT_FINITE, WRONG_INDEX, SIDE_FAILED, SIDE_RETURNED = 0, 1, 3, 4, 6, 7

# lbfgs_walk and follow_modes come as pointers too: called directly they would be compiled again into every caller
SYSTEM = (WALK, FOLLOW, FUNCTION, HESSIAN, integers, floats, integers, integers, numba.int64, matrix)

_CUBE = numba.types.Array(numba.float64, 3, "C")
_REAL, _WHOLE = numba.float64, numba.int64


@jit(numba.types.Tuple((_REAL, _REAL, _WHOLE, _WHOLE, _REAL, _REAL, _WHOLE, _REAL))(*SYSTEM, vector, vector, vector))
def proved_minimum(
    walk, follow, function, hessian, integers, floats, free, frozen, rigid, constant, rules, settings, x,
):  # fmt: skip
    """Minimise by LBFGS to a loose gradient, finish to second order, and see that no eigenvalue is negative.

    Parameters
    ----------
    walk, follow : lbfgs_walk and follow_modes.
    function, hessian, integers, floats, free, frozen, rigid, constant : as a System has them.
    rules : packed Rules of LBFGS.
    settings : (switch, goal, most LBFGS steps, most second-order steps, longest second-order step)
    x : (n,) start, overwritten.

    Returns
    -------
    energy, rms, steps, status, lowest eigenvalue, log eigenvalue product, positive eigenvalues, path length
    """
    switch, goal, limit = settings[0], settings[1], int(settings[2])
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
            function, hessian, integers, floats, free, frozen, rigid, constant,
            0, goal, int(settings[3]), settings[4], x, mode,
        )  # fmt: skip
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
            mode[k] = 0.0
    return energy, rms, all_steps, status, lowest, product, positive, travelled


@jit(numba.void(*SYSTEM, vector, vector, vector, vector))
def _minimum_into(
    walk, follow, function, hessian, integers, floats, free, frozen, rigid, constant, rules, settings, x, numbers,
):  # fmt: skip
    """Find a proved minimum from x, in place; ``numbers`` (8,) takes what :func:`proved_minimum` returns."""
    energy, rms, steps, status, lowest, product, positive, length = proved_minimum(
        walk, follow, function, hessian, integers, floats, free, frozen, rigid, constant, rules, settings, x
    )
    numbers[0], numbers[1], numbers[2], numbers[3] = energy, rms, steps, status
    numbers[4], numbers[5], numbers[6], numbers[7] = lowest, product, positive, length


@jit(numba.void(*SYSTEM, vector, vector, matrix, matrix))
def minimum_rows(
    walk, follow, function, hessian, integers, floats, free, frozen, rigid, constant, rules, settings, X, numbers,
):  # fmt: skip
    """Find a proved minimum from every row of X, in place.

    ``numbers`` (rows, 8) takes what :func:`proved_minimum` returns.
    """
    for row in range(X.shape[0]):
        _minimum_into(
            walk, follow, function, hessian, integers, floats, free, frozen, rigid, constant,
            rules, settings, X[row], numbers[row],
        )  # fmt: skip


@jit(numba.void(*SYSTEM, vector, vector, vector, matrix, vector, vector, matrix))
def _both_sides(
    walk, follow, function, hessian, integers, floats, free, frozen, rigid, constant,
    rules, settings, mode, ends, x, ts, numbers,
):  # fmt: skip
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
        _minimum_into(
            walk, follow, function, hessian, integers, floats, free, frozen, rigid, constant,
            rules, settings, ends[side], numbers[side],
        )  # fmt: skip
        numbers[side, 7] += push
        if numbers[side, 3] != CONVERGED:
            ts[3] = SIDE_FAILED
            return
        if not numbers[side, 0] < ts[0]:
            ts[3] = SIDE_RETURNED
            return


@jit(numba.void(*SYSTEM, vector, vector, vector, matrix, matrix, matrix, _CUBE, _CUBE))
def transition_state_rows(
    walk, follow, function, hessian, integers, floats, free, frozen, rigid, constant,
    rules, settings, ts_settings, directions, X, numbers, ends, end_numbers,
):  # fmt: skip
    """Find a transition state and both of its minima from every row of X, in place.

    Parameters
    ----------
    walk, follow, ..., rules, settings
        As :func:`proved_minimum` takes them; settings have, sixth, the displacement along the downhill mode.
    ts_settings : (goal, most steps, longest step)
    directions : (rows, n) of the modes to go up, zero for the lowest.
    X : (rows, n) starts, overwritten.
    numbers : (rows, 7) energy, rms, steps, status, lowest eigenvalue, log product, positive eigenvalues.
    ends : (rows, 2, n) the minima.
    end_numbers : (rows, 2, 8) what :func:`proved_minimum` returns, the path length last.
    """
    mode = np.empty(X.shape[1])
    for row in range(X.shape[0]):
        assign(mode, directions[row])
        energy, rms, steps, status, lowest, product, positive = follow(
            function, hessian, integers, floats, free, frozen, rigid, constant,
            1, ts_settings[0], int(ts_settings[1]), ts_settings[2], X[row], mode,
        )  # fmt: skip
        numbers[row, 0], numbers[row, 1], numbers[row, 2], numbers[row, 3] = energy, rms, steps, status
        numbers[row, 4], numbers[row, 5], numbers[row, 6] = lowest, product, positive
        for side in range(2):
            for k in range(X.shape[1]):
                ends[row, side, k] = np.nan
            for k in range(8):
                end_numbers[row, side, k] = np.nan
        if status == CONVERGED:
            _both_sides(
                walk, follow, function, hessian, integers, floats, free, frozen, rigid, constant,
                rules, settings, mode, ends[row], X[row], numbers[row], end_numbers[row],
            )  # fmt: skip
