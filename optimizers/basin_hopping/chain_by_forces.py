"""One step of a basin-hopping chain for calculators without a Hessian, each of whose calls counts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from thalweg.optimizers.basin_hopping.quenches import Quenches
from thalweg.optimizers.kernels.basin_hopping import metropolis
from thalweg.optimizers.kernels.moves import pull_inside, reach
from thalweg.optimizers.kernels.status import Status
from thalweg.optimizers.quasi_newton.context import Context
from thalweg.optimizers.quasi_newton.minimum import Minimum, find_minimum
from thalweg.optimizers.quasi_newton.searches import recorded

__all__ = ["Step", "step_by_forces", "written"]


def written(end: Minimum, which: int, *, accepted: bool, proved: bool) -> Quenches:
    """Return a quench by a move as the chain collects it."""
    part = Quenches.room(1, end.x.size)
    recorded(end, part.found, part.x[0])
    part.outcomes["accepted"], part.outcomes["move"] = accepted, which
    part.outcomes["proved"] = proved and end.status == Status.CONVERGED
    return part


class Step(NamedTuple):
    """A step of a chain.

    Attributes
    ----------
    end : Minimum
        Where the quench ended.
    accepted : bool
        Whether the chain moves there.
    """

    end: Minimum
    accepted: bool


def step_by_forces(
    context: Context, trial: np.ndarray, energy: float, *, temperature: float, chance: float, container: float
) -> Step:
    """Quench a displaced point, and accept or refuse the minimum.

    Parameters
    ----------
    context : Context
        Its knowledge grows by the minimum.
    trial : (n,) ndarray
        Displaced point; atoms outside the container are pulled back first, in place.
    energy : float
        Energy of the chain.
    temperature : float
        k_B T in the unit of energy.
    chance : float
        Uniform random number.
    container : float
        Radius within which atoms stay.
    """
    if np.isfinite(container):
        pull_inside(trial, container)
    end = find_minimum(context, trial)
    inside = not np.isfinite(container) or reach(end.x, -1, np.empty(3)) <= container
    accepted = inside and end.status == Status.CONVERGED and metropolis(end.energy - energy, temperature, chance)
    return Step(end, bool(accepted))
