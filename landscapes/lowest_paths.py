"""Lowest paths: between two minima, the path whose highest transition state is as low as it can be."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components, minimum_spanning_tree

from thalweg.potentials.lazy import public

__all__ = ["LowestPath", "LowestPaths", "checked_pairs", "pieces_below"]


def checked_pairs(pairs: Any, minima: int) -> list[tuple[int, int]]:
    """Return pairs of rows of minima as pairs of int.

    Raises
    ------
    TypeError, ValueError
        If they are no pairs of two different rows, or there are none.
    """
    checked = []
    for pair in pairs:
        rows = tuple(pair) if isinstance(pair, Sequence | np.ndarray) else ()
        if len(rows) != 2 or not all(isinstance(row, numbers.Integral) for row in rows):
            raise TypeError(f"pairs must hold pairs of rows of minima, such as (0, 5); {pair!r} is none")
        if rows[0] == rows[1] or not all(0 <= row < minima for row in rows):
            raise ValueError(f"pairs must be of two different minima, rows 0 to {minima - 1}; one is {pair}")
        checked.append((int(rows[0]), int(rows[1])))
    if not checked:
        raise ValueError("pairs is empty: name at least one pair of rows of minima, such as [(0, 5)]")
    return checked


@public("thalweg.landscapes")
class LowestPath(NamedTuple):
    """A path of minima and the transition states between them.

    Attributes
    ----------
    minima : tuple of int
        Rows, from the start to the end.
    transition_states : tuple of int
        Rows, one fewer.
    energy : float
        Of the highest transition state; minus infinity where there is none.
    """

    minima: tuple[int, ...]
    transition_states: tuple[int, ...]
    energy: float


def pieces_below(minima: int, edges: np.ndarray, energies: np.ndarray, threshold: float) -> np.ndarray:
    """Return to which piece each minimum belongs, (minima,), where only transition states below ``threshold`` join.

    Parameters
    ----------
    minima : int
        How many.
    edges : (t, 2) int array
        Minima of each transition state.
    energies : (t,) array
        Of the transition states.
    threshold : float
        In the unit of energy.
    """
    low = edges[energies < threshold]
    graph = csr_array((np.ones(len(low), dtype=bool), (low[:, 0], low[:, 1])), shape=(minima, minima))
    return connected_components(graph, directed=False)[1]


class LowestPaths:
    """All lowest paths from one minimum: those of the minimum spanning tree of the transition states' energies.

    Parameters
    ----------
    minima : int
        How many.
    edges : (t, 2) int array
        Minima of each transition state.
    energies : (t,) array
        Of the transition states.
    start : int
        Row of the minimum.

    Attributes
    ----------
    barrier : (minima,) array
        Highest energy on the lowest path to each; infinity where there is none, minus infinity for ``start``.
    """

    def __init__(self, minima: int, edges: np.ndarray, energies: np.ndarray, start: int) -> None:
        self._edges, self._energies, self._start = np.sort(edges, axis=1), energies, start
        order = np.argsort(energies, kind="stable")
        order = order[self._edges[order, 0] != self._edges[order, 1]]
        pairs = self._edges[order]
        # of several between one pair the lowest; ranks stand for energies, so that no weight is zero
        _, first = np.unique(pairs[:, 0] * minima + pairs[:, 1], return_index=True)
        graph = csr_array((first + 1.0, (pairs[first, 0], pairs[first, 1])), shape=(minima, minima))
        tree = minimum_spanning_tree(graph).tocoo()
        self._state = {
            (int(a), int(b)): int(order[int(rank) - 1])
            for a, b, rank in zip(tree.coords[0], tree.coords[1], tree.data, strict=True)
        }
        nodes, self._before = breadth_first_order(tree.tocsr(), start, directed=False)
        self.barrier = np.full(minima, np.inf)
        self.barrier[start] = -np.inf
        for node in nodes[1:].tolist():
            before = int(self._before[node])
            self.barrier[node] = max(self.barrier[before], energies[self._between(before, node)])

    def _between(self, a: int, b: int) -> int:
        return self._state[min(a, b), max(a, b)]

    def to(self, end: int) -> LowestPath | None:
        """Return the lowest path to a minimum, or None where there is none."""
        if not self.barrier[end] < np.inf:
            return None
        minima = [int(end)]
        while minima[-1] != self._start:
            minima.append(int(self._before[minima[-1]]))
        minima.reverse()
        states = tuple(self._between(a, b) for a, b in pairwise(minima))
        return LowestPath(tuple(minima), states, float(self.barrier[end]))
