"""Which minima and transition states belong to a part of a network, and the network of that part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thalweg.analysis.arguments import minimum_indices
from thalweg.analysis.networks.connectivity import Connectivity
from thalweg.potentials.conversion.numeric_options import checked_number, whole_number

if TYPE_CHECKING:
    from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork

__all__ = ["Part", "part_of"]

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


class _Kept(NamedTuple):
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
    kept = _with_enough_connections(network, _within_limits(network, part), part.min_connections)
    if part.connected_to is not None:
        kept = _connected(network, kept, part.connected_to)
    if not kept.minima.any():
        raise ValueError(f"nothing is left of the network's {network.n_minima} minima within these limits")
    return _cut(network, kept)


def _limit(name: str, value: float | None) -> float:
    if value is None:
        return np.inf
    limit = checked_number(name, value)
    if np.isnan(limit):
        raise ValueError(f"{name} is {limit}; a number is needed")
    return limit


def _within_limits(network: KineticTransitionNetwork, part: Part) -> _Kept:
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
    return _Kept(kept, crossed & kept[network.ts_minima].all(axis=1))


def _with_enough_connections(network: KineticTransitionNetwork, kept: _Kept, fewest: int) -> _Kept:
    """Leave out minima with too few neighbours until none is left out, as PATHSAMPLE's NCONNMIN does."""
    fewest = whole_number("min_connections", fewest, 0)
    minima, crossed = kept.minima.copy(), kept.transition_states
    while True:
        pairs = np.unique(np.sort(network.ts_minima[crossed & network.joining], axis=1), axis=0)
        few = minima & (np.bincount(pairs.ravel(), minlength=network.n_minima) < fewest)
        if not few.any():
            return _Kept(minima, crossed)
        minima &= ~few
        crossed = crossed & minima[network.ts_minima].all(axis=1)


def _connected(network: KineticTransitionNetwork, kept: _Kept, anchors: ArrayLike) -> _Kept:
    named = minimum_indices("connected_to", anchors, network.n_minima)
    left_out = named[~kept.minima[named]]
    if len(left_out):
        raise ValueError(f"connected_to names minimum {left_out[0]}, which is left out by the other limits")
    crossed = kept.transition_states
    left = Connectivity(network.energies, network.ts_energies[crossed], network.ts_minima[crossed])
    label = left.component_labels
    minima = kept.minima & np.isin(label, label[named])
    return _Kept(minima, kept.transition_states & minima[network.ts_minima].all(axis=1))


def _cut(network: KineticTransitionNetwork, kept: _Kept) -> KineticTransitionNetwork:
    from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork

    number = np.cumsum(kept.minima) - 1
    columns: dict[str, Any] = {name: _rows(getattr(network, name), kept.minima) for name in _COLUMNS}
    columns |= {f"ts_{name}": _rows(getattr(network, f"ts_{name}"), kept.transition_states) for name in _COLUMNS}
    groups = {name: number[members[kept.minima[members]]] for name, members in network.groups.items()}
    return KineticTransitionNetwork(
        network.energies[kept.minima],
        network.ts_energies[kept.transition_states],
        number[network.ts_minima[kept.transition_states]],
        properties=_properties(network.properties, kept.minima),
        ts_properties=_properties(network.ts_properties, kept.transition_states),
        groups=groups,
        units=network.units,
        motion=None if network.motion is None else network.motion.part(kept.minima, kept.transition_states),
        **columns,
    )


def _rows(values: NDArray[Any] | None, kept: NDArray[np.bool_]) -> NDArray[Any] | None:
    return None if values is None else values[kept]


def _properties(properties: Mapping[str, NDArray[Any]], kept: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    cut = {name: values[kept] for name, values in properties.items()}
    return {"row": np.flatnonzero(kept)} | cut
