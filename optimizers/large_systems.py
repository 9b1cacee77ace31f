"""Systems of many coordinates: minima and transition states without a matrix of coordinates by coordinates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.sparse.linalg import ArpackNoConvergence

from thalweg.optimizers.eigenvalues import lowest_eigenvalues
from thalweg.optimizers.eigenvector_following_hybrid import HybridResult, hybrid_eigenvector_following
from thalweg.optimizers.kernels.lbfgs_simd import quick_walk
from thalweg.optimizers.results import REASONS, MinimiseResult, TransitionStateResult
from thalweg.optimizers.rules import Rules
from thalweg.potentials.system import System

__all__ = ["LARGEST_MATRIX", "minimise_large", "transition_states_large"]

# With more free coordinates no Hessian is made: eigenvalues come from products of it with vectors
LARGEST_MATRIX = 500

_CONVERGED, _WRONG_INDEX, _ZERO_MODE, _SIDE_FAILED, _SIDE_RETURNED = 0, 4, 5, 6, 7
# An eigenvalue smaller than this nobody can tell from zero by differences of gradients
_ZERO = 1e-8
_LEAVE, _PUSH = 0.05, 0.01
# A search that fell back into a minimum starts again so many longest steps along the softest mode
_AWAY = 6.0


def _quench(system: System, x: np.ndarray, rms: float, rules: Rules, steps: int) -> tuple[Any, ...]:
    """Minimise one walker (n,) by LBFGS, in place; return energy, rms, steps, evaluations and status."""
    function, _, integers, floats = system.compiled
    no_trace = np.empty((0, x.size + 1))
    return quick_walk(
        function, integers, floats, system.frozen, rules.packed(), rms, steps, x, np.empty_like(x), no_trace
    )[:5]


def _minimum(system: System, x: np.ndarray, rms: float, rules: Rules, steps: int) -> tuple:
    """Minimise from x, in place, and see that the lowest eigenvalue is positive; a saddle is left downhill twice."""
    taken, calls, lowest = 0, 0, np.nan
    for _attempt in range(3):
        energy, norm, more, evaluations, status = _quench(system, x, rms, rules, steps)
        taken, calls, lowest = taken + more, calls + evaluations, np.nan
        if status != _CONVERGED:
            break
        try:
            values, vectors = lowest_eigenvalues(system, x, 1)
        except ArpackNoConvergence:
            status = _ZERO_MODE
            break
        lowest = float(values[0])
        status = _CONVERGED if lowest > _ZERO else (_WRONG_INDEX if lowest < -_ZERO else _ZERO_MODE)
        if status != _WRONG_INDEX:
            break
        x += _LEAVE * vectors[0]
    return energy, norm, taken, calls, status, lowest


def minimise_large(system: System, X: np.ndarray, rms: float, rules: Rules, steps: int) -> MinimiseResult:
    """Minimise every row of X in place, one after another, and prove each by its lowest eigenvalue.

    The product of the eigenvalues, which needs all of them, is NaN. Arguments are those of :func:`minimise`.
    """
    rows = np.array([_minimum(system, x, rms, rules, steps) for x in X]).reshape(-1, 6)
    status = rows[:, 4].astype(np.int64)
    modes = np.array([system.n_free - len(system.null_modes(x)) if np.isfinite(x).all() else 0 for x in X], dtype=int)
    good = status == _CONVERGED
    return MinimiseResult(
        X, rows[:, 0], rows[:, 1], rows[:, 2].astype(np.int64), rows[:, 3].astype(np.int64), good,
        [REASONS[code] for code in status], rows[:, 5], np.full(len(X), np.nan), np.where(good, modes, 0),
    )  # fmt: skip


def _sides(system, x, energy, starts, rms, rules, steps):
    """Minimise from both sides (2, n); return the minima (2, n), their numbers (2, 5) and a status."""
    ends, numbers = np.full((2, x.size), np.nan), np.full((2, 5), np.nan)
    for side in range(2):
        ends[side] = starts[side]
        end_energy, norm, _, _, status, lowest = _minimum(system, ends[side], rms, rules, steps)
        # without the points on the way the distance is what is known of the path
        numbers[side] = end_energy, norm, lowest, np.linalg.norm(ends[side] - x), status
        if status != _CONVERGED:
            return ends, numbers, _SIDE_FAILED
        if not end_energy < energy:
            return ends, numbers, _SIDE_RETURNED
    return ends, numbers, _CONVERGED


def _saddle(system: System, x: np.ndarray, direction: np.ndarray, **settings: Any) -> HybridResult:
    """Search from x (n,), and if that ends in a minimum once more, from far enough along its softest mode."""
    guess = direction if direction.any() else None
    found = hybrid_eigenvector_following(system, x, mode=guess, **settings)
    if not found.eigenvalues[0] > _ZERO:
        return found
    start = found.x + _AWAY * settings["max_step"] * found.mode
    again = hybrid_eigenvector_following(system, start, mode=found.mode, **settings)
    return replace(again, steps=found.steps + again.steps, evaluations=found.evaluations + again.evaluations)


def transition_states_large(
    system: System, X: np.ndarray, directions: np.ndarray, rms: float, rules: Rules, steps: int, max_step: float,
    minimise_steps: int, down: Callable[[np.ndarray], np.ndarray] | None = None,
) -> TransitionStateResult:  # fmt: skip
    """Find a transition state from every row of X by hybrid eigenvector-following, and both of its minima.

    The lowest two eigenvalues prove it; products of all eigenvalues are NaN, path lengths are distances.
    A row of ``directions`` that is not zero is the first guess of the mode. ``down``, where given, takes points (k, n)
    beside transition states down, all at once; they are finished and proved here. Other arguments are those of
    :func:`find_transition_states`.
    """
    count, n = X.shape
    found = []
    ends, numbers, status = np.full((count, 2, n), np.nan), np.full((count, 2, 5), np.nan), np.zeros(count, dtype=int)
    for row in range(count):
        one = _saddle(system, X[row], directions[row], rms=rms, rules=rules, steps=steps, max_step=max_step)
        found.append(one)
        status[row] = REASONS.index(one.reason)
    rows = [row for row, one in enumerate(found) if one.converged]
    starts = np.array([found[row].x + sign * _PUSH * found[row].mode for row in rows for sign in (1.0, -1.0)])
    if down is not None and rows:
        starts = down(starts)
    for k, row in enumerate(rows):
        one, pair = found[row], starts[2 * k : 2 * k + 2]
        ends[row], numbers[row], status[row] = _sides(system, one.x, one.energy, pair, rms, rules, minimise_steps)
    nulls = [len(system.null_modes(one.x)) if np.isfinite(one.x).all() else 0 for one in found]
    modes = np.array([system.n_free - k for k in nulls], dtype=np.int64)
    unknown = np.full((count, 2), np.nan)
    end_modes = np.where(np.isfinite(numbers[:, :, 0]), modes[:, None], 0)
    return TransitionStateResult(
        np.array([one.x for one in found]).reshape(count, n), np.array([one.energy for one in found]),
        np.array([one.rms for one in found]), np.array([one.steps for one in found], dtype=np.int64),
        status == _CONVERGED, [REASONS[code] for code in status],
        np.array([one.eigenvalues[0] for one in found]), np.full(count, np.nan), modes - 1, ends,
        numbers[:, :, 0], numbers[:, :, 1], numbers[:, :, 2], unknown, end_modes, numbers[:, :, 3],
    )  # fmt: skip
