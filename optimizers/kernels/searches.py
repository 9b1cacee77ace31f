"""Whole searches, compiled: a minimum that is proved one, a transition state with both of its minima."""

from __future__ import annotations

import numba
import numpy as np

from thalweg.optimizers.kernels.eigenvector_following import FOLLOW
from thalweg.optimizers.kernels.lbfgs import WALK, assign
from thalweg.potentials.compiled.signatures import FUNCTION, HESSIAN, floats, integers, jit, matrix, vector

__all__ = ["SYSTEM", "minimum_rows", "quench_rows", "transition_state_rows"]

CONVERGED, NOT_FINITE, WRONG_INDEX, SIDE_FAILED, SIDE_RETURNED, KNOWN = 0, 3, 4, 6, 7, 10

# The walk and what finishes it come as pointers: called directly they would be compiled again into every caller
SYSTEM = (WALK, FOLLOW, FUNCTION, HESSIAN, integers, floats, integers, integers, numba.int64, matrix)

_CUBE = numba.types.Array(numba.float64, 3, "C")
_REAL, _WHOLE = numba.float64, numba.int64
# Steps from a transition state before a small gradient means a minimum
_AWAY = 10


@jit(
    numba.types.Tuple((_REAL, _REAL, _WHOLE, _WHOLE, _REAL, _REAL, _WHOLE, _REAL))(
        *SYSTEM, _WHOLE, vector, vector, vector, vector
    )
)
def _finished(
    walk, follow, function, hessian, integers, floats, free, frozen, rigid, constant, index, rules, settings, x, mode,
):  # fmt: skip
    """Minimise by LBFGS to a loose gradient, then to second order; return what a row of numbers holds."""
    gradient, start, no_trace = np.empty(x.size), np.empty(x.size), np.empty((0, x.size + 1))
    energy, rms, steps, _, status, length = walk(
        function, integers, floats, frozen, rules, settings[0], int(settings[2]), x, gradient, no_trace
    )
    if status == NOT_FINITE:
        return energy, rms, steps, status, np.nan, np.nan, 0, length
    assign(start, x)
    energy, rms, more, status, lowest, product, positive = follow(
        function, hessian, integers, floats, free, frozen, rigid, constant,
        index, settings[1], int(settings[3]), settings[4], x, mode,
    )  # fmt: skip
    square = 0.0
    for k in range(x.size):
        square += (x[k] - start[k]) ** 2
    return energy, rms, steps + more, status, lowest, product, positive, length + np.sqrt(square)


@jit(numba.void(*SYSTEM, _WHOLE, vector, vector, vector, vector))
def _minimum_into(
    walk, follow, function, hessian, integers, floats, free, frozen, rigid, constant,
    index, rules, settings, x, numbers,
):  # fmt: skip
    """Minimise from x, in place; ``numbers`` (8,) takes what :func:`minimum_rows` says."""
    mode, all_steps, travelled = np.zeros(x.size), 0, 0.0
    for _attempt in range(3):
        energy, rms, steps, status, lowest, product, positive, length = _finished(
            walk, follow, function, hessian, integers, floats, free, frozen, rigid, constant,
            index, rules, settings, x, mode,
        )  # fmt: skip
        all_steps += steps
        travelled += length
        numbers[0], numbers[1], numbers[2], numbers[3] = energy, rms, all_steps, status
        numbers[4], numbers[5], numbers[6], numbers[7] = lowest, product, positive, travelled
        if status != WRONG_INDEX:
            return
        # it stopped on a saddle: leave it downhill
        for k in range(x.size):
            x[k] += 0.05 * mode[k]
            mode[k] = 0.0


@jit(numba.void(*SYSTEM, vector, vector, matrix, matrix))
def minimum_rows(
    walk, follow, function, hessian, integers, floats, free, frozen, rigid, constant, rules, settings, X, numbers,
):  # fmt: skip
    """Find a proved minimum from every row of X, in place; a row that is one already is only proved.

    LBFGS to a loose gradient, then second order, and no eigenvalue of the Hessian may be negative.

    Parameters
    ----------
    walk, follow : of the types WALK and FOLLOW, such as quick_walk and newton_minimum.
    function, hessian, integers, floats, free, frozen, rigid, constant : as a System has them.
    rules : packed Rules of LBFGS.
    settings : (rms gradient at which second order takes over, rms gradient to reach, most LBFGS steps, most
        Hessians, longest second-order step at first, displacement from a transition state)
    X : (rows, n) starts, overwritten.
    numbers : (rows, 8 or more) energy, rms, steps, status, lowest eigenvalue, log eigenvalue product, positive
        eigenvalues, path length.
    """
    for row in range(X.shape[0]):
        _minimum_into(
            walk, follow, function, hessian, integers, floats, free, frozen, rigid, constant,
            0, rules, settings, X[row], numbers[row],
        )  # fmt: skip


@jit(numba.void(*SYSTEM, vector, vector, matrix, matrix))
def quench_rows(
    walk, follow, function, hessian, integers, floats, free, frozen, rigid, constant, rules, settings, X, numbers,
):  # fmt: skip
    """As :func:`minimum_rows`, but converged where the gradient is: eigenvalues and product are NaN, not proved."""
    for row in range(X.shape[0]):
        _minimum_into(
            walk, follow, function, hessian, integers, floats, free, frozen, rigid, constant,
            -1, rules, settings, X[row], numbers[row],
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
    gradient, no_trace = np.empty(x.size), np.empty((0, x.size + 1))
    for side in range(2):
        sign = 1.0 if side == 0 else -1.0
        for k in range(x.size):
            ends[side, k] = x[k] + sign * push * mode[k]
        # near the transition state the gradient is as small as near a minimum
        _, _, steps, _, _, length = walk(
            function, integers, floats, frozen, rules, 0.0, _AWAY, ends[side], gradient, no_trace
        )
        _minimum_into(
            walk, follow, function, hessian, integers, floats, free, frozen, rigid, constant,
            0, rules, settings, ends[side], numbers[side],
        )  # fmt: skip
        numbers[side, 2] += steps
        numbers[side, 7] += push + length
        if numbers[side, 3] != CONVERGED:
            ts[3] = SIDE_FAILED
            return
        if not numbers[side, 0] < ts[0]:
            ts[3] = SIDE_RETURNED
            return


@jit(numba.boolean(vector, numba.float64, numba.float64))
def _is_known(known, energy, tolerance):
    """Return whether one of the ascending energies differs by at most ``tolerance``."""
    place = np.searchsorted(known, energy - tolerance)
    return place < known.size and known[place] <= energy + tolerance


@jit(numba.void(FOLLOW, *SYSTEM, vector, vector, vector, vector, matrix, matrix, matrix, _CUBE, _CUBE))
def transition_state_rows(
    search, walk, follow, function, hessian, integers, floats, free, frozen, rigid, constant,
    rules, settings, ts_settings, known, directions, X, numbers, ends, end_numbers,
):  # fmt: skip
    """Find a transition state and both of its minima from every row of X, in place.

    The minima are left out, and the status is KNOWN, where the transition state has one of the energies ``known``.

    Parameters
    ----------
    search : of the type FOLLOW, such as follow_modes: goes to a transition state.
    walk, follow, ..., rules, settings
        As :func:`minimum_rows` takes them; settings have, sixth, the displacement along the downhill mode.
    ts_settings : (goal, most steps, longest step, how far energies may be from known ones)
    known : (k,) ascending energies.
    directions : (rows, n) of the modes to go up, zero for the lowest.
    X : (rows, n) starts, overwritten.
    numbers : (rows, 7) energy, rms, steps, status, lowest eigenvalue, log product, positive eigenvalues.
    ends : (rows, 2, n) the minima.
    end_numbers : (rows, 2, 8) what :func:`minimum_rows` writes, the path length last.
    """
    mode = np.empty(X.shape[1])
    for row in range(X.shape[0]):
        assign(mode, directions[row])
        energy, rms, steps, status, lowest, product, positive = search(
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
        if status == CONVERGED and _is_known(known, energy, ts_settings[3]):
            numbers[row, 3] = KNOWN
        elif status == CONVERGED:
            _both_sides(
                walk, follow, function, hessian, integers, floats, free, frozen, rigid, constant,
                rules, settings, mode, ends[row], X[row], numbers[row], end_numbers[row],
            )  # fmt: skip
