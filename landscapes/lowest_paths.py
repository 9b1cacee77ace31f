"""Lowest-barrier paths between minima, from the minimum spanning tree of the transition states."""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components, minimum_spanning_tree

from thalweg.potentials.lazy import public

__all__ = ["LowestPath", "LowestPaths", "checked_pairs", "pieces_below", "spanning_forest"]


def checked_pairs(pairs: Iterable[Sequence[int]], minima: int) -> list[tuple[int, int]]:
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
    """Path of minima and the transition states between them.

    Attributes
    ----------
    minima : tuple of int
        Rows, from the start to the end.
    transition_states : tuple of int
        Rows, one fewer.
    energy : float
        Energy of the highest transition state; minus infinity where there is none.

    Examples
    --------
    >>> from thalweg.landscapes import LowestPath
    >>> path = LowestPath(minima=(0, 3, 1), transition_states=(2, 5), energy=-40.66)
    >>> len(path.minima), path.energy
    (3, -40.66)
    """

    minima: tuple[int, ...]
    transition_states: tuple[int, ...]
    energy: float


def pieces_below(minima: int, edges: np.ndarray, energies: np.ndarray, threshold: float) -> np.ndarray:
    """Return the connected piece of each minimum, (minima,), joined by transition states below ``threshold`` only.

    Parameters
    ----------
    minima : int
        How many.
    edges : (t, 2) int array
        Minima of each transition state.
    energies : (t,) array
        Energies of the transition states.
    threshold : float
        Energy below which transition states join minima.
    """
    low = edges[energies < threshold]
    graph = csr_array((np.ones(len(low), dtype=bool), (low[:, 0], low[:, 1])), shape=(minima, minima))
    return connected_components(graph, directed=False)[1]


def spanning_forest(minima: int, edges: NDArray[np.int64], energies: NDArray[np.float64]) -> NDArray[np.int64]:
    """Find a minimum spanning forest: the fewest transition states over which every lowest path leads.

    Parameters
    ----------
    minima : int
        Number of minima.
    edges : (t, 2) int array
        The two minima of each transition state.
    energies : (t,) float array
        Energies of the transition states.

    Returns
    -------
    (k,) int64 ndarray
        Rows of transition states, by rising energy, of equal ones the first.
    """
    order = np.argsort(energies, kind="stable")
    order = order[edges[order, 0] != edges[order, 1]]
    low, high = np.sort(edges[order], axis=1).T
    # of several between one pair the lowest; ranks stand for energies, so that no weight is zero
    _, first = np.unique(low * minima + high, return_index=True)
    graph = csr_array((first + 1.0, (low[first], high[first])), shape=(minima, minima))
    ranks = np.sort(minimum_spanning_tree(graph).data).astype(np.int64)
    return order[ranks - 1]


class LowestPaths:
    """All lowest paths from one minimum: those of the minimum spanning forest of the transition states' energies.

    Parameters
    ----------
    minima : int
        Number of minima.
    edges : (t, 2) int array
        The two minima of each transition state.
    energies : (t,) float array
        Energies of the transition states.
    start : int
        Row of the minimum.
    forest : (k,) int array, optional
        The result of :func:`spanning_forest`, where it is known.

    Examples
    --------
    >>> import numpy as np
    >>> from thalweg.landscapes.lowest_paths import LowestPaths
    >>> paths = LowestPaths(3, np.array([[0, 1], [1, 2], [0, 2]]), np.array([1.0, 2.0, 5.0]), start=0)
    >>> paths.to(2)
    LowestPath(minima=(0, 1, 2), transition_states=(0, 1), energy=2.0)
    >>> paths.barrier
    array([-inf,   1.,   2.])
    """

    def __init__(
        self,
        minima: int,
        edges: NDArray[np.int64],
        energies: NDArray[np.float64],
        start: int,
        forest: NDArray[np.int64] | None = None,
    ) -> None:
        if forest is None:
            forest = spanning_forest(minima, edges, energies)
        self._minima, self._energies, self._start = minima, energies, int(start)
        low, high = np.sort(edges[forest], axis=1).T
        pairs = low * minima + high
        order = np.argsort(pairs)
        self._pairs, self._states = pairs[order], forest[order]
        tree = csr_array((np.ones(len(forest)), (low, high)), shape=(minima, minima))
        self._before = breadth_first_order(tree, self._start, directed=False)[1]

    def _between(self, a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the transition states of the forest that join minima of ``a`` with those of ``b``."""
        wanted = np.minimum(a, b) * self._minima + np.maximum(a, b)
        return self._states[np.searchsorted(self._pairs, wanted)]

    @cached_property
    def barrier(self) -> NDArray[np.float64]:
        """Highest energy on the lowest path to each minimum, (minima,).

        It is infinity where there is no path, minus infinity for the start itself.
        """
        ahead = np.where(self._before < 0, np.arange(self._minima), self._before)
        joined = np.flatnonzero(self._before >= 0)
        barrier = np.full(self._minima, np.inf)
        barrier[self._start] = -np.inf
        barrier[joined] = self._energies[self._between(joined, ahead[joined])]
        while not np.array_equal(further := ahead[ahead], ahead):  # twice as many steps towards the start each time
            barrier, ahead = np.maximum(barrier, barrier[ahead]), further
        return barrier

    def to(self, end: int) -> LowestPath | None:
        """Return the lowest path to a minimum, or None where there is none."""
        if end != self._start and self._before[end] < 0:
            return None
        reverse = [int(end)]
        while reverse[-1] != self._start:
            reverse.append(int(self._before[reverse[-1]]))
        minima = np.array(reverse[::-1], dtype=np.int64)
        states = self._between(minima[:-1], minima[1:])
        highest = self._energies[states].max(initial=-np.inf)
        return LowestPath(tuple(minima.tolist()), tuple(states.tolist()), float(highest))
