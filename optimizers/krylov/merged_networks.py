"""Minima of wide networks whose hidden units become copies of a few: copies move together.

With an L2 term the units of a wide network all feel the same potential and end in its few minima, as copies of each
other. On the way there thousands of curvatures are a millionth of the largest, and LBFGS needs thousands of steps. As
soon as groups of nearly equal units can be told, one unit stands for each group: a network of some thirty units is
minimised and proved instead of a thousand.
"""

from __future__ import annotations

import numpy as np

from thalweg.optimizers.kernels.status import Status
from thalweg.optimizers.krylov.curvature import Curvature
from thalweg.optimizers.krylov.proof import SMALLEST_EIGENVALUE, Proof, prove
from thalweg.optimizers.krylov.walk import LargeMinimum, walk
from thalweg.optimizers.rules import Rules, default_rules
from thalweg.potentials.neural_network.loss import NetworkLoss
from thalweg.potentials.neural_network.one_hidden_layer.merged_units import MergedLoss, alike
from thalweg.potentials.neural_network.one_hidden_layer.unit_blocks import has_unit_blocks
from thalweg.potentials.point import Point
from thalweg.potentials.system import System, as_system

__all__ = [
    "ALIKE",
    "EXACT",
    "SWITCH",
    "lowest_by_copies",
    "may_merge",
    "merged",
    "merged_goal",
    "merged_minimum",
    "merged_system",
]

# Rms gradients at which groups of nearly equal units are looked for, first and again
SWITCH, _AGAIN = 3e-7, 1e-7
# Distances of copies in parts of their length: on the way to a minimum, near it, and at it
ALIKE, _NEAR, EXACT = 0.3, 1e-2, 1e-6
# Weights above which copies are looked for, and units for each distinct one, at least: with fewer copies the whole
# network is as fast
_WIDE, _COPIES = 10_000, 4
# How far copies go apart at a saddle, in parts of their length, and most times that saddles are left
_APART, _ROUNDS = 0.1, 30
# Part of the goal that is left to rounding
_MARGIN = 0.9
_STAGES = (_AGAIN, ALIKE), (0.0, _NEAR)


def may_merge(system: System) -> bool:
    """Return whether units of a system may become copies of each other, and the network is so wide that it pays."""
    loss = system.potential
    if system.n_free <= _WIDE or not isinstance(loss, NetworkLoss) or not has_unit_blocks(loss):
        return False
    return loss.l2 > 0 and not system.frozen.size and loss.null_modes is None


def merged(system: System, x: np.ndarray, tolerance: float) -> MergedLoss | None:
    """Return the loss of distinct units if those of x (n,) are few, else None.

    Parameters
    ----------
    system : System
        A network that :func:`may_merge`.
    x : ndarray, shape (n,)
    tolerance : float
        Largest distance of copies in parts of their length.
    """
    if not may_merge(system) or not np.isfinite(x).all():
        return None
    assert isinstance(system.potential, NetworkLoss)
    owners, signs = alike(system.potential, x, tolerance)
    few = _COPIES * (owners.max() + 1) <= len(owners)
    return MergedLoss(system.potential, owners, signs) if few else None


def merged_system(system: System, loss: MergedLoss, y: np.ndarray) -> System:
    """Return the system of distinct units at y, which stops where the whole one is stopped."""
    small = as_system(Point(y, loss))
    small.interrupted = lambda: system.stopped or (system.interrupted is not None and system.interrupted())
    return small


def merged_goal(system: System, small: System, rms: float) -> float:
    """Return the rms gradient of distinct units at which that of the whole network is below ``rms``."""
    return float(_MARGIN * rms * np.sqrt(system.n / small.n))


def merged_minimum(
    system: System, x: np.ndarray, loss: MergedLoss, *, rms: float, rules: Rules, steps: int
) -> LargeMinimum:
    """Minimise distinct units from x, in place; where copies come apart downhill, take them apart and go on.

    Parameters
    ----------
    system : System
        The whole network.
    x : ndarray, shape (n,)
        Start, overwritten.
    loss : MergedLoss
        Its distinct units.
    rms : float
        Rms gradient of the whole network to reach.
    rules : Rules
        Step rules of LBFGS; its memory is that of the network of distinct units.
    steps : int
        Most LBFGS steps of each attempt.
    """
    y, taken, calls, lowest = loss.gather(x), 0, 0, np.nan
    for goal, tolerance in _STAGES:
        small = merged_system(system, loss, y)
        status, more, evaluations = _walk(small, y, max(rms, goal) * np.sqrt(system.n / small.n), rules, steps)
        taken, calls = taken + more, calls + evaluations
        if status != Status.CONVERGED:
            break
        loss, y = _regrouped(loss, y, tolerance)
    for _ in range(_ROUNDS if status == Status.CONVERGED else 0):
        small = merged_system(system, loss, y)
        status, more, evaluations = _walk(small, y, merged_goal(system, small, rms), rules, steps)
        taken, calls = taken + more, calls + evaluations
        if status != Status.CONVERGED:
            break
        splits, vectors = loss.lowest_splits(y)
        if splits.min() < -SMALLEST_EIGENVALUE:
            loss, y = _taken_apart(loss, y, splits, vectors)
            status = Status.WRONG_INDEX
            continue
        proof = prove(small, Curvature(small, y), y, 1)
        status, lowest = _judged(proof, float(splits.min()))
        if status != Status.WRONG_INDEX:
            break
        y = _downhill(small, y, proof.vectors[0])
    x[:] = loss.spread(y)
    energy, gradient = system.energy_gradient(x)
    norm = float(np.linalg.norm(gradient) / np.sqrt(system.n))
    if status == Status.CONVERGED and not norm < rms:
        status = Status.ENERGY_NOT_LOWERED
    return LargeMinimum(energy, norm, taken, calls, status, lowest)


def _regrouped(loss: MergedLoss, y: np.ndarray, tolerance: float) -> tuple[MergedLoss, np.ndarray]:
    """Return the loss of distinct units after those that have become alike are merged, and its coordinates."""
    x = loss.spread(y)
    other = MergedLoss(loss.whole, *alike(loss.whole, x, tolerance))
    return (other, other.gather(x)) if len(other.counts) < len(loss.counts) else (loss, y)


def lowest_by_copies(system: System, x: np.ndarray, count: int) -> np.ndarray | None:
    """Return the lowest eigenvalues (count,) of the Hessian at x (n,) if hidden units are copies of a few, else None.

    Parameters
    ----------
    system : System
    x : ndarray, shape (n,)
    count : int
        Number of eigenvalues.
    """
    loss = merged(system, x, EXACT)
    if loss is None:
        return None
    y = loss.gather(x)
    small = merged_system(system, loss, y)
    values = prove(small, Curvature(small, y), y, count).values
    return np.sort(np.append(values, loss.split_eigenvalues(y)[:count]))[:count]


def _walk(small: System, y: np.ndarray, goal: float, rules: Rules, steps: int) -> tuple[Status, int, int]:
    """Minimise distinct units from y, in place, by LBFGS; return its status, steps and evaluations."""
    _, _, taken, calls, status = walk(small, y, goal, rules.replace(memory=default_rules(small).memory), steps)
    small.reraise()
    return status, taken, calls


def _taken_apart(
    loss: MergedLoss, y: np.ndarray, splits: np.ndarray, vectors: np.ndarray
) -> tuple[MergedLoss, np.ndarray]:
    """Return distinct units where those with negative eigenvalues are in two halves, a little apart."""
    for unit in np.flatnonzero(splits < -SMALLEST_EIGENVALUE).tolist():
        length = np.linalg.norm(loss.unit(y, unit))
        loss, y = loss.parted(y, unit, int(loss.counts[unit]) // 2, _APART * length * vectors[unit])
    return loss, y


def _judged(proof: Proof, split: float) -> tuple[Status, float]:
    """Return the status of a minimum by the proof of its distinct units and the lowest eigenvalue of its copies."""
    lowest, status = min(float(proof.values[0]), split), proof.status(0)
    if status == Status.CONVERGED and abs(split) <= SMALLEST_EIGENVALUE:
        status = Status.ZERO_MODE
    return status, lowest


def _downhill(small: System, y: np.ndarray, mode: np.ndarray) -> np.ndarray:
    """Return the lower of two points a little away from a saddle along its mode."""
    return min((y + _APART * mode, y - _APART * mode), key=small.energy)
