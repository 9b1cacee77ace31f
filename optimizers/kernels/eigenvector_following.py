"""Eigenvector-following with full diagonalisation: minima and transition states to second order.

Uphill along the lowest ``index`` modes, downhill along all others, null modes left alone; index 0 is the
second-order finish of a minimisation, index 1 finds transition states.
"""

from __future__ import annotations

import numba
import numpy as np

from thalweg.optimizers.kernels.arguments import FOLLOW_SIGNATURE, PROBLEM
from thalweg.optimizers.kernels.lbfgs import assign, dot
from thalweg.optimizers.kernels.lbfgs_in_modes import converge_modes, relax_modes
from thalweg.optimizers.kernels.status import Status
from thalweg.potentials.compiled.signatures import FUNCTION, floats, integers, jit, matrix, vector
from thalweg.potentials.symmetry.null_modes import orthonormal_null_modes

__all__ = ["diagonalise", "follow_modes", "follow_modes_nearby"]

_ZERO = 1e-9
# Entries of a Hessian above which atoms overlap: LAPACK's iterations need not converge
_HUGE = 1e100
# Steps across the mode after each along it, at most, in every attempt from a start: of 15, 10, 7 and 5, ten take a
# fifth less time than fifteen for D1's and D3's losses and end at more different saddles; with seven more of D2's
# searches fail
_RELAX_STEPS = (10, 8, 3)
_RELAXED = 0.1
# Steps up with no negative curvature in sight after which the way leads up a bowl without end, such as a regulariser's
_UPHILL = 25
# As few that a search which wants a saddle close by is given: more than half of all steps of long searches are taken in
# bowls (docs/exploring.md)
_UPHILL_NEARBY = 7
# Longest step, in units of the longest at first
_LONGEST, _LONGEST_NEARBY = 4.0, 2.0
# So many times in a row a negative curvature this small beside the highest: an atom leaves for good
_FADED, _FAINT = 4, 1e-6


@jit(numba.boolean(matrix, vector, matrix))
def diagonalise(symmetric, values, vectors):
    """Write ascending eigenvalues and, as rows, their vectors; return False where LAPACK's iterations fail."""
    try:
        w, v = np.linalg.eigh(symmetric)
    except Exception:
        return False
    m = values.size
    for i in range(m):
        values[i] = w[i]
        for j in range(m):
            vectors[i, j] = v[j, i]
    return True


@jit(numba.int64(PROBLEM, vector, matrix, matrix, vector))
def _free_modes(problem, x, full, vectors, values):
    """Diagonalise the Hessian over free coordinates with the null modes moved above all others.

    Writes ascending eigenvalues and, as rows, their vectors; returns how many are no null modes, or -1 if the
    Hessian is not finite, or huge, or cannot be diagonalised.
    """
    free, constant = problem.free, problem.constant
    m = free.size
    null = np.empty((6 + constant.shape[0], x.size))
    count = orthonormal_null_modes(x, problem.frozen, problem.rigid, problem.lattice, constant, problem.varying, null)
    reduced = np.empty((m, m))
    largest = 0.0
    for i in range(m):
        total = 0.0
        for j in range(m):
            reduced[i, j] = full[free[i], free[j]]
            total += abs(reduced[i, j])
        largest = max(largest, total)
        if not total < _HUGE:
            return -1
    shift = 4.0 * largest + 1.0
    for k in range(count):
        for i in range(m):
            for j in range(m):
                reduced[i, j] += shift * null[k, free[i]] * null[k, free[j]]
    return m - count if diagonalise(reduced, values, vectors) else -1


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
        return Status.ZERO_MODE, total, positive
    return (Status.CONVERGED if negative == index else Status.WRONG_INDEX), total, positive


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
        FUNCTION, integers, floats, integers, vector, numba.float64, numba.float64, numba.boolean, vector, vector
    )
)
def _uphill(function, integers, floats, free, mode, curvature, trust, leap, x, gradient):
    """Step up along a mode, in place: Newton's step, no longer than trust; return the energy and the next trust.

    With ``leap`` the step in a bowl is as long as trust: Newton's would only double the way from its bottom.
    """
    slope = 0.0
    for j in range(free.size):
        slope += mode[j] * gradient[free[j]]
    size = slope / max(abs(curvature), 1e-300)
    if abs(size) > trust or (leap and curvature > 0.0):
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


@jit(numba.int64(vector, vector, vector, integers, numba.int64, numba.int64, numba.float64, numba.int64, integers))
def _astray(gradient, mode, values, free, modes, followed, max_step, patience, counts):
    """Return the reason why the way up leads nowhere, else CONVERGED; ``counts`` (2,) are kept between steps.

    ``patience`` is the most steps in a row with no negative curvature.
    """
    counts[0] = counts[0] + 1 if values[0] > 0.0 else 0
    slope = 0.0
    for j in range(free.size):
        slope += mode[j] * gradient[free[j]]
    # near a saddle, however flat, Newton's step is short
    faint = values[followed] < 0.0 and -values[followed] < min(_FAINT * values[modes - 1], abs(slope) / max_step)
    counts[1] = counts[1] + 1 if faint else 0
    if counts[0] > patience:
        return Status.ONLY_POSITIVE_CURVATURE
    return Status.DIVERGED if counts[1] >= _FADED else Status.CONVERGED


@jit(numba.boolean(integers, vector, vector))
def _over_free(free, mode, packed):
    """Write the free coordinates of a mode; return whether it is not zero."""
    chosen = False
    for j in range(free.size):
        packed[j] = mode[free[j]]
        chosen = chosen or packed[j] != 0.0
    return chosen


@jit(
    FOLLOW_SIGNATURE.return_type(
        PROBLEM, numba.int64, numba.int64, numba.boolean, numba.float64, numba.int64, numba.float64, vector, vector
    )
)
def _follow(problem, index, relax, nearby, goal, limit, max_step, x, mode):
    """Walk as :func:`follow_modes` or :func:`follow_modes_nearby` do, once.

    ``relax`` is the most steps across the mode after each along it.
    """
    function = problem.function  # on its own: numba warns of tuples of functions
    integers, floats = problem.integers, problem.floats
    free, frozen = problem.free, problem.frozen
    n, m = x.size, free.size
    full, vectors, values = np.empty((n, n)), np.empty((m, m)), np.empty(m)
    gradient, previous, counts = np.empty(n), np.empty(m), np.zeros(2, dtype=np.int64)
    chosen = _over_free(free, mode, previous)
    patience, longest = (_UPHILL_NEARBY, _LONGEST_NEARBY) if nearby else (_UPHILL, _LONGEST)
    trust, rms = max_step, np.nan
    energy = function(x, gradient, integers, floats)
    for iteration in range(limit + 1):
        for k in frozen:
            gradient[k] = 0.0
        rms = np.sqrt(dot(gradient, gradient) / m)
        modes = 0
        if np.isfinite(energy) and np.isfinite(rms):
            problem.hessian(x, full, integers, floats)
            modes = _free_modes(problem, x, full, vectors, values)
        if modes < 1:
            return energy, rms, iteration, Status.NOT_FINITE, np.nan, np.nan, 0
        if rms < goal:
            status, product, positive = _classify(values, modes, index)
            for j in range(m):
                mode[free[j]] = vectors[0, j]
            return energy, rms, iteration, status, values[0], product, positive
        if index == 1 and modes > 1 and iteration < limit and values[0] < 0.0 < values[1]:
            energy, moved = converge_modes(
                function, integers, floats, free, frozen, vectors, values, modes, 0.3 * goal, trust, x, gradient, energy
            )
            if moved:
                continue
        followed, across_goal = -1, 0.3 * goal
        if index == 1:
            followed = _followed(vectors, values, modes, previous, chosen)
            astray = _astray(gradient, vectors[followed], values, free, modes, followed, max_step, patience, counts)
            if astray != Status.CONVERGED:
                return energy, rms, iteration, astray, values[0], np.nan, 0
            assign(previous, vectors[followed])
            energy, trust = _uphill(
                function, integers, floats, free, vectors[followed], values[followed], trust, nearby, x, gradient
            )
            trust = min(max(trust, 0.1 * max_step), longest * max_step)
            across_goal = max(across_goal, _RELAXED * rms)
        energy, _ = relax_modes(
            function, integers, floats, free, vectors, values, modes, followed, across_goal, relax,
            4.0 * max_step, x, gradient, energy,
        )  # fmt: skip
    return energy, rms, limit, Status.TOO_MANY_STEPS, np.nan, np.nan, 0


@jit(FOLLOW_SIGNATURE)
def follow_modes(problem, index, goal, limit, max_step, x, mode):
    """Walk to a stationary point with ``index`` negative eigenvalues from x, in place.

    A walk that goes up a bowl, or on along an atom that leaves, starts again from x and relaxes less on its way.

    Parameters
    ----------
    problem : Problem
    index : 0 for a minimum, 1 for a transition state.
    goal : rms gradient; limit : most diagonalisations; max_step : longest step uphill at first.
    x : (n,) start, overwritten.
    mode : (n,) direction of the mode to go up, zero for the lowest; overwritten with the lowest one at the end.

    Returns
    -------
    energy, rms, diagonalisations, status, lowest eigenvalue, log eigenvalue product, number of positive eigenvalues
    """
    start, taken = np.empty(x.size), 0
    energy, rms, steps, status, lowest, product, positive = np.nan, np.nan, 0, Status.TOO_MANY_STEPS, np.nan, np.nan, 0
    assign(start, x)
    for relax in _RELAX_STEPS:
        assign(x, start)
        energy, rms, steps, status, lowest, product, positive = _follow(
            problem, index, relax, False, goal, limit - taken, max_step, x, mode
        )
        taken += steps
        if status != Status.ONLY_POSITIVE_CURVATURE and status != Status.DIVERGED:
            break
    return energy, rms, taken, status, lowest, product, positive


@jit(FOLLOW_SIGNATURE)
def follow_modes_nearby(problem, index, goal, limit, max_step, x, mode):
    """Walk as :func:`follow_modes` does, but give up soon, for a saddle close to the start or none.

    The walk ends after seven steps in a row with no negative curvature instead of 25, does not start again, goes up a
    bowl by the longest step at once, and no step is longer than 2 ``max_step`` instead of 4.
    """
    return _follow(problem, index, _RELAX_STEPS[0], True, goal, limit, max_step, x, mode)
