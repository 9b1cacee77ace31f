"""Transition states beside minima of wide networks whose hidden units are copies of a few.

From such a minimum one copy of a unit leaves for another one: its way leads over a transition state, which is looked
for in the network of distinct units, where that copy is a unit of its own.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from thalweg.optimizers.kernels.status import Status
from thalweg.optimizers.krylov.ascent import Ascent, ascend
from thalweg.optimizers.krylov.merged_networks import EXACT, SWITCH, merged, merged_goal, merged_system
from thalweg.optimizers.krylov.proof import SMALLEST_EIGENVALUE
from thalweg.potentials.neural_network.one_hidden_layer.merged_units import MergedLoss
from thalweg.potentials.system import System

__all__ = ["ascend_from_copies"]

# How far one copy goes along its softest mode first, in parts of its length, one after another, and for how many units
_FAR, _UNITS = (0.1, -0.1, 0.5, -0.5, 1.0, -1.0), 5


def ascend_from_copies(system: System, x: np.ndarray, *, rms: float, steps: int, max_step: float) -> Ascent | None:
    """Search for a transition state from a minimum of a wide network; None if x is no such minimum.

    Parameters
    ----------
    system : System
    x : ndarray, shape (n,)
        Start.
    rms : float
        Rms gradient to reach.
    steps : int
        Most steps uphill of each attempt.
    max_step : float
        Longest of them at first.
    """
    loss = merged(system, x, EXACT)
    if loss is None or np.linalg.norm(system.energy_gradient(x)[1]) > SWITCH * np.sqrt(system.n):
        return None
    y = loss.gather(x)
    splits, vectors = loss.lowest_splits(y)
    found = None
    for unit in np.argsort(splits)[:_UNITS]:
        length = np.linalg.norm(loss.unit(y, unit))
        for far in _FAR:
            parted, start = loss.parted(y, int(unit), 1, far * length * vectors[unit])
            found = _searched(system, parted, start, rms, steps, max_step)
            if found.status == Status.CONVERGED:
                return found
    return found


def _searched(system: System, loss: MergedLoss, start: np.ndarray, rms: float, steps: int, max_step: float) -> Ascent:
    """Search from coordinates of distinct units, and judge what is found by the copies' eigenvalues, too."""
    small = merged_system(system, loss, start)
    goal = merged_goal(system, small, rms)
    end = ascend(small, start, np.zeros_like(start), rms=goal, steps=steps, max_step=max_step)
    status, values = end.status, end.eigenvalues
    if status == Status.CONVERGED:
        splits = loss.split_eigenvalues(end.x)
        values = np.sort(np.append(values, splits[:2]))[:2]
        if np.abs(splits).min() <= SMALLEST_EIGENVALUE:
            status = Status.ZERO_MODE
        elif splits.min() < 0:
            status = Status.WRONG_INDEX
    return replace(
        end, x=loss.spread(end.x), rms=end.rms * np.sqrt(small.n / system.n), status=status, eigenvalues=values,
        mode=loss.spread(end.mode),
    )  # fmt: skip
