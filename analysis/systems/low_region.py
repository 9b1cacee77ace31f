"""Low-lying region of a landscape: its points below an energy, how complete it is, and how well connected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from thalweg.landscapes.energy_limit import EnergyLimit
from thalweg.landscapes.lowest_paths import pieces_below

if TYPE_CHECKING:
    from thalweg.landscapes.discoveries.found_points import Discoveries
    from thalweg.landscapes.storage.store import Store

__all__ = ["LowRegion", "low_region"]


@dataclass(frozen=True)
class LowRegion:
    """Points of a landscape below an energy.

    Attributes
    ----------
    name : str
        Limit as it was given: an energy, or ``+0.01`` for a height above the lowest minimum.
    energy : float
        The limit.
    minima, transition_states : int
        Numbers of points below it.
    joined : int
        Number of these minima that are connected to the lowest by transition states below the limit, itself included.
    joined_at_all : int
        Number of them that are connected to the lowest by any transition states.
    discoveries : Discoveries
        Estimates of the points below the limit that remain to be found.
    """

    name: str
    energy: float
    minima: int
    transition_states: int
    joined: int
    joined_at_all: int
    discoveries: Discoveries


def low_region(store: Store, below: float | str | EnergyLimit) -> LowRegion:
    """Describe the points of a store below an energy.

    Raises
    ------
    ValueError
        If there are no minima below it.
    """
    from thalweg.landscapes.discoveries.found_points import Discoveries

    limit = EnergyLimit.read(below)
    minima, states = (
        store.columns[f"{group}/energy"].read(0, store.rows(group)) for group in ("minima", "transition_states")
    )
    ends = store.columns["transition_states/minima"].read(0, len(states))
    if not len(minima):
        raise ValueError("there are no minima")
    energy = limit.checked(float(minima.min()))
    low, gmin = minima <= energy, int(np.argmin(minima))
    inside = states <= energy
    within = pieces_below(len(minima), ends[inside], states[inside], np.inf)
    over_all = pieces_below(len(minima), ends, states, np.inf)
    joined, joined_at_all = (int(np.count_nonzero(low & (pieces == pieces[gmin]))) for pieces in (within, over_all))
    discoveries = Discoveries(store, limit).update()
    return LowRegion(str(limit), energy, int(low.sum()), int(inside.sum()), joined, joined_at_all, discoveries)
