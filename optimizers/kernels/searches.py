"""Complete searches, compiled: minimisation with Hessian check, and transition states with both minima."""

from __future__ import annotations

import numba
import numpy as np

from thalweg.optimizers.kernels.arguments import (
    MINIMUM_SEARCH,
    PROBLEM,
    SADDLE_SEARCH,
    stationary_pairs,
    stationary_point,
    stationary_points,
)
from thalweg.optimizers.kernels.lbfgs import assign
from thalweg.optimizers.kernels.status import Status
from thalweg.potentials.compiled.signatures import jit, matrix, vector

__all__ = [
    "SEARCH_SIGNATURE", "find_minimum", "minimum_rows", "quench", "quench_rows", "saddle_rows", "transition_state_rows",
]  # fmt: skip

_CUBE = numba.types.Array(numba.float64, 3, "C")
# Steps from a transition state before a small gradient means a minimum
_AWAY = 10


@jit(numba.void(stationary_point))
def _nothing_found(found):
    found.energy, found.rms, found.steps, found.status = np.nan, np.nan, 0, Status.CONVERGED
    found.lowest_eigenvalue, found.log_eigenvalue_product, found.modes = np.nan, np.nan, 0
    found.path_length = np.nan


@jit(numba.void(MINIMUM_SEARCH, numba.int64, vector, vector, stationary_point))
def _finished(search, index, x, mode, found):
    """Minimise by LBFGS to a loose gradient, then to second order."""
    problem = search.problem
    gradient, start, no_trace = np.empty(x.size), np.empty(x.size), np.empty((0, x.size + 1))
    energy, rms, steps, _, status, length = search.walk(
        problem.function, problem.integers, problem.floats, problem.frozen, search.rules, search.switch, search.steps,
        x, gradient, no_trace,
    )  # fmt: skip
    lowest, product, positive, more, square = np.nan, np.nan, 0, 0, 0.0
    if status != Status.NOT_FINITE:
        assign(start, x)
        energy, rms, more, status, lowest, product, positive = search.finish(
            problem, index, search.rms, search.hessians, search.max_step, x, mode
        )
        for k in range(x.size):
            square += (x[k] - start[k]) ** 2
    found.energy, found.rms, found.steps, found.status = energy, rms, steps + more, status
    found.lowest_eigenvalue, found.log_eigenvalue_product, found.modes = lowest, product, positive
    found.path_length = length + np.sqrt(square)


@jit(numba.void(MINIMUM_SEARCH, numba.int64, vector, stationary_point))
def _minimum_into(search, index, x, found):
    """Minimise from x, in place; a saddle is left downhill, twice at most."""
    mode, steps, travelled = np.zeros(x.size), 0, 0.0
    for _attempt in range(3):
        _finished(search, index, x, mode, found)
        steps += found.steps
        travelled += found.path_length
        found.steps, found.path_length = steps, travelled
        if found.status != Status.WRONG_INDEX:
            return
        for k in range(x.size):
            x[k] += 0.05 * mode[k]
            mode[k] = 0.0


SEARCH_SIGNATURE = numba.void(MINIMUM_SEARCH, vector, stationary_point)
"""A minimisation of one walker: (search, x, what was found)."""


@jit(SEARCH_SIGNATURE)
def find_minimum(search, x, found):
    """Find a proved minimum from x, in place; one that is there already is only proved.

    LBFGS to a loose gradient, then second order, and no eigenvalue of the Hessian may be negative.

    Parameters
    ----------
    search : MinimumSearch
    x : (n,) start, overwritten.
    found : record of STATIONARY_POINT
    """
    _minimum_into(search, 0, x, found)


@jit(SEARCH_SIGNATURE)
def quench(search, x, found):
    """As :func:`find_minimum`, but converged where the gradient is: eigenvalues and product are NaN, not proved."""
    _minimum_into(search, -1, x, found)


@jit(numba.void(MINIMUM_SEARCH, matrix, stationary_points))
def minimum_rows(search, X, found):
    """Find a proved minimum from every row of X, in place, as :func:`find_minimum` does; one record a row."""
    for row in range(X.shape[0]):
        _minimum_into(search, 0, X[row], found[row])


@jit(numba.void(MINIMUM_SEARCH, matrix, stationary_points))
def quench_rows(search, X, found):
    """Quench every row of X, in place, as :func:`quench` does; one record a row."""
    for row in range(X.shape[0]):
        _minimum_into(search, -1, X[row], found[row])


@jit(numba.void(MINIMUM_SEARCH, vector, matrix, vector, stationary_point, stationary_points))
def _both_sides(search, mode, ends, x, saddle, minima):
    """Minimise from both sides of a transition state, whose status is set if a side fails.

    ``ends`` (2, n) and ``minima`` (2,) take the results; ``saddle`` has energy and lowest eigenvalue.
    """
    problem = search.problem
    # far enough that the fall in energy is well above what LBFGS may rise, close enough to stay on the path
    push = min(max(search.push, np.sqrt(1e-8 / abs(saddle.lowest_eigenvalue))), 10.0 * search.push)
    gradient, no_trace = np.empty(x.size), np.empty((0, x.size + 1))
    for side in range(2):
        sign = 1.0 if side == 0 else -1.0
        for k in range(x.size):
            ends[side, k] = x[k] + sign * push * mode[k]
        # near the transition state the gradient is as small as near a minimum
        _, _, steps, _, _, length = search.walk(
            problem.function, problem.integers, problem.floats, problem.frozen, search.rules, 0.0, _AWAY,
            ends[side], gradient, no_trace,
        )  # fmt: skip
        _minimum_into(search, 0, ends[side], minima[side])
        minima[side].steps += steps
        minima[side].path_length += push + length
        if minima[side].status != Status.CONVERGED:
            saddle.status = Status.SIDE_FAILED
            return
        if not minima[side].energy < saddle.energy:
            saddle.status = Status.SIDE_NOT_BELOW
            return


@jit(numba.boolean(vector, numba.float64, numba.float64))
def _is_known(known, energy, tolerance):
    """Return whether one of the ascending energies differs by at most ``tolerance``."""
    place = np.searchsorted(known, energy - tolerance)
    return place < known.size and known[place] <= energy + tolerance


@jit(numba.void(SADDLE_SEARCH, PROBLEM, vector, vector, stationary_point))
def _saddle_into(uphill, problem, x, mode, found):
    """Go to a transition state from x, in place; ``mode`` as :func:`~.eigenvector_following.follow_modes` has it."""
    energy, rms, steps, status, lowest, product, positive = uphill.follow(
        problem, 1, uphill.rms, uphill.steps, uphill.max_step, x, mode
    )
    found.energy, found.rms, found.steps, found.status = energy, rms, steps, status
    found.lowest_eigenvalue, found.log_eigenvalue_product, found.modes = lowest, product, positive
    found.path_length = np.nan


@jit(numba.void(SADDLE_SEARCH, PROBLEM, matrix, matrix, stationary_points))
def saddle_rows(uphill, problem, X, modes, found):
    """Go to a transition state from every row of X, in place, and leave its sides alone; one record a row.

    The rows of ``modes`` are directions to go up, zero for the lowest mode, and are overwritten with the lowest modes
    at the ends.
    """
    for row in range(X.shape[0]):
        _saddle_into(uphill, problem, X[row], modes[row], found[row])


@jit(
    numba.void(SADDLE_SEARCH, MINIMUM_SEARCH, matrix, matrix, stationary_points, _CUBE, stationary_pairs)
)  # fmt: skip
def transition_state_rows(uphill, downhill, directions, X, found, ends, minima):
    """Find a transition state and both of its minima from every row of X, in place.

    The minima are left out, and the status is KNOWN, where the transition state has a known energy.

    Parameters
    ----------
    uphill : SaddleSearch
    downhill : MinimumSearch
    directions : (rows, n) of the modes to go up, zero for the lowest.
    X : (rows, n) starts, overwritten.
    found : (rows,) records of STATIONARY_POINT, for the transition states; path lengths are NaN.
    ends : (rows, 2, n) the minima.
    minima : (rows, 2) records of STATIONARY_POINT.
    """
    mode = np.empty(X.shape[1])
    for row in range(X.shape[0]):
        saddle = found[row]
        assign(mode, directions[row])
        _saddle_into(uphill, downhill.problem, X[row], mode, saddle)
        for side in range(2):
            for k in range(X.shape[1]):
                ends[row, side, k] = np.nan
            _nothing_found(minima[row, side])
        if saddle.status == Status.CONVERGED and _is_known(uphill.known, saddle.energy, uphill.within):
            saddle.status = Status.KNOWN
        elif saddle.status == Status.CONVERGED:
            _both_sides(downhill, mode, ends[row], X[row], saddle, minima[row])
