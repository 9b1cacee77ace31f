"""Base class of double-ended strategies: counts of attempts between pairs, and distances of minima."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg.landscapes.records import DOUBLE_ENDED, SINGLE_ENDED
from thalweg.landscapes.strategies.base import Choice, Strategy
from thalweg.landscapes.strategies.distance_graph import DistanceGraph
from thalweg.landscapes.strategies.fingerprints import likeness

if TYPE_CHECKING:
    from thalweg.landscapes.landscape import Landscape

__all__ = ["Attacks", "distance_graph", "take_in_minima"]

_NETWORKS, _OTHERS = 3.0, 1.0
"""Powers of the weight of a missing connection: in networks a band hardly ever joins minima that are far apart."""
_ROWS, _NUMBERS = 256, 2**22  # coordinates that are compared at once: so many points, or numbers


def distance_graph(landscape: Landscape, known: Mapping[tuple[int, int], float]) -> DistanceGraph:
    """Return a graph of aligned distances without minima yet; ``known`` are distances of pairs of rows."""
    coordinates, system = landscape.minima.coordinates, landscape.system
    power = _NETWORKS if system.may_be_made_symmetric else _OTHERS
    return DistanceGraph(lambda i, j: system.distance(coordinates[i], coordinates[j]), known, power)


def take_in_minima(graph: DistanceGraph, landscape: Landscape) -> None:
    """Add the minima of a landscape that a graph does not have yet."""
    minima, system = landscape.minima, landscape.system
    rows = max(min(_ROWS, _NUMBERS // system.n), 1)
    for start in range(len(graph), len(minima), rows):
        graph.extend(likeness(system, minima.coordinates[0], minima.coordinates[start : start + rows]))


class Attacks(Strategy):
    """Base class of double-ended strategies: counts attempts by pairs and minima, and keeps a graph of distances.

    Parameters
    ----------
    landscape, chosen, batch
        As for `Strategy`.

    Attributes
    ----------
    pairs : Counter of (int, int)
        Double-ended searches between each pair, smaller row first.
    first : Counter of int
        Double-ended searches that set out from each minimum.
    tries : Counter of int
        Single-ended searches from each minimum.
    graph : DistanceGraph

    Raises
    ------
    ValueError
        If there are no minima.
    """

    def __init__(self, landscape: Landscape, chosen: Sequence[Choice] = (), batch: int = 16) -> None:
        super().__init__(landscape, chosen, batch)
        if not len(landscape.minima):
            raise ValueError("the landscape has no minima to connect: find some first, find_minima(steps=...)")
        self.pairs: Counter[tuple[int, int]] = Counter()
        self.first: Counter[int] = Counter()
        self.tries: Counter[int] = Counter()
        for rows, kinds in landscape.searches.kind.chunks():
            starts = landscape.searches.start[rows]
            self._count_pairs(starts[kinds == DOUBLE_ENDED].tolist())
            self.tries.update(starts[kinds == SINGLE_ENDED][:, 0].tolist())
        for choice in chosen:
            self.count(choice)
        known = {(int(i), int(j)): d for i, j, d in self.remembered("distances")}
        self.graph = distance_graph(landscape, known)

    def _count_pairs(self, starts: Sequence[Sequence[int]]) -> None:
        self.pairs.update((min(a, b), max(a, b)) for a, b in starts)
        self.first.update(a for a, _ in starts)

    def count(self, choice: Choice) -> Choice:
        """Take note of a choice, and return it."""
        if choice.kind == DOUBLE_ENDED:
            self._count_pairs(choice.starts)
        else:
            self.tries.update(row for row, _ in choice.starts)
        return choice

    def attacks(self, size: int) -> int:
        """Return the number of double-ended searches of a task: each takes as long as several single-ended ones."""
        return max(1, min(size, self.batch // 4))

    def grow(self) -> None:
        """Take in minima that have come since the last call."""
        take_in_minima(self.graph, self.landscape)

    def edges(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the minima, (t, 2), and the energies, (t,), of the transition states."""
        states = self.landscape.transition_states
        return states.minima[:], states.energy[:]

    def state(self) -> dict[str, Any]:
        return {"distances": [[i, j, d] for (i, j), d in self.graph.known.items()]}
