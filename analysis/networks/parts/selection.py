"""Which minima and transition states belong to a part of a network, and the network of that part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thalweg.analysis.arguments import minimum_indices
from thalweg.analysis.networks.connectivity import Connectivity
from thalweg.potentials.conversion.numeric_options import checked_number, whole_number

if TYPE_CHECKING:
    from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork

__all__ = ["Kept", "Part", "cut", "kept_by", "part_of"]

_COLUMNS = ("log_eigenvalue_product", "modes", "symmetry_order")


@dataclass(frozen=True, eq=False)
class Part:
    """What belongs to a part of a network; parameters of ``KineticTransitionNetwork.part``."""

    minima: ArrayLike | None = None
    below: float | None = None
    max_ts_energy: float | None = None
    max_barrier: float | None = None
    min_connections: int = 0
    connected_to: ArrayLike | None = None

    @property
    def unlimited(self) -> bool:
        """Whether nothing is limited: the part is the whole."""
        limits = (self.minima, self.below, self.max_ts_energy, self.max_barrier, self.connected_to)
        return not self.min_connections and all(limit is None for limit in limits)


class Kept(NamedTuple):
    """Which minima, (n,), and which transition states, (m,), are left; bool arrays."""

    minima: NDArray[np.bool_]
    transition_states: NDArray[np.bool_]


def part_of(network: KineticTransitionNetwork, part: Part) -> KineticTransitionNetwork:
    """Return the network of what belongs to a part.

    Parameters
    ----------
    network : KineticTransitionNetwork
        The whole. Where it is itself a part, numbers in the property ``row`` stay those of its own whole.
    part : Part
        What belongs to it.

    Raises
    ------
    ValueError, TypeError, IndexError
        If an argument makes no sense or nothing is left; it is named.
    """
    return cut(network, *kept_by(network, part), rows=True)


def kept_by(network: KineticTransitionNetwork, part: Part) -> Kept:
    """Return what belongs to a part; parameters and errors as for :func:`part_of`."""
    kept = _with_enough_connections(network, _within_limits(network, part), part.min_connections)
    if part.connected_to is not None:
        kept = _connected(network, kept, part.connected_to)
    if not kept.minima.any():
        raise ValueError(f"nothing is left of the network's {network.n_minima} minima within these limits")
    return kept


def _limit(name: str, value: float | None) -> float:
    if value is None:
        return np.inf
    limit = checked_number(name, value)
    if np.isnan(limit):
        raise ValueError(f"{name} is {limit}; a number is needed")
    return limit


def _within_limits(network: KineticTransitionNetwork, part: Part) -> Kept:
    below = _limit("below", part.below)
    kept = network.energies <= below
    if part.minima is not None:
        chosen = np.zeros(network.n_minima, dtype=bool)
        chosen[minimum_indices("minima", part.minima, network.n_minima)] = True
        kept &= chosen
    ends = network.energies[network.ts_minima]
    lower_barrier = network.ts_energies - ends.max(axis=1, initial=-np.inf)
    crossed = network.ts_energies <= min(below, _limit("max_ts_energy", part.max_ts_energy))
    crossed &= lower_barrier <= _limit("max_barrier", part.max_barrier)
    return Kept(kept, crossed & kept[network.ts_minima].all(axis=1))


def _with_enough_connections(network: KineticTransitionNetwork, kept: Kept, fewest: int) -> Kept:
    """Leave out minima with too few neighbours until none is left out, as PATHSAMPLE's NCONNMIN does."""
    fewest = whole_number("min_connections", fewest, 0)
    minima, crossed = kept.minima.copy(), kept.transition_states
    while True:
        pairs = np.unique(np.sort(network.ts_minima[crossed & network.joining], axis=1), axis=0)
        few = minima & (np.bincount(pairs.ravel(), minlength=network.n_minima) < fewest)
        if not few.any():
            return Kept(minima, crossed)
        minima &= ~few
        crossed = crossed & minima[network.ts_minima].all(axis=1)


def _connected(network: KineticTransitionNetwork, kept: Kept, anchors: ArrayLike) -> Kept:
    named = minimum_indices("connected_to", anchors, network.n_minima)
    left_out = named[~kept.minima[named]]
    if len(left_out):
        raise ValueError(f"connected_to names minimum {left_out[0]}, which is left out by the other limits")
    crossed = kept.transition_states
    left = Connectivity(network.energies, network.ts_energies[crossed], network.ts_minima[crossed])
    label = left.component_labels
    minima = kept.minima & np.isin(label, label[named])
    return Kept(minima, kept.transition_states & minima[network.ts_minima].all(axis=1))


def cut(
    network: KineticTransitionNetwork,
    minima: NDArray[np.bool_],
    transition_states: NDArray[np.bool_],
    *,
    rows: bool = False,
) -> KineticTransitionNetwork:
    """Return the network of some minima and transition states, numbered anew.

    Parameters
    ----------
    network : KineticTransitionNetwork
        The whole.
    minima : (n,) bool array
        Which minima are kept.
    transition_states : (m,) bool array
        Which transition states are kept; both minima of each must be.
    rows : bool
        Whether the property ``row`` holds the numbers in the whole, unless it has one of that name.
    """
    from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork

    number, given = np.cumsum(minima) - 1, network.arguments()
    for ts, kept in (("", minima), ("ts_", transition_states)):
        for name in (f"{ts}energies", *(ts + column for column in _COLUMNS)):
            given[name] = None if given[name] is None else given[name][kept]
        numbers = {"row": np.flatnonzero(kept)} if rows else {}
        given[f"{ts}properties"] = numbers | {name: values[kept] for name, values in given[f"{ts}properties"].items()}
    given["ts_minima"] = number[network.ts_minima[transition_states]]
    given["groups"] = {name: number[members[minima[members]]] for name, members in network.groups.items()}
    given["motion"] = None if network.motion is None else network.motion.part(minima, transition_states)
    return KineticTransitionNetwork(**given)
