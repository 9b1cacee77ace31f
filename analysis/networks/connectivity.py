"""Connectivity of minima: neighbours, connected components, spanning forest, lowest-barrier paths."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from thalweg.analysis.arguments import aligned, checked_pairs, frozen_array, minimum_index, minimum_indices
from thalweg.analysis.networks.lowest_barrier_paths import Path, lowest_paths_from
from thalweg.analysis.networks.union_find import barriers_between, spanning_edges

__all__ = ["Connectivity"]


class Connectivity:
    """Energies of minima and transition states, and the graph that they make; immutable.

    Parameters
    ----------
    energies : (n,) array_like
        Energies of the minima, in the landscape's unit.
    ts_energies : (m,) array_like
        Energies of the transition states, in the same unit.
    ts_minima : (m, 2) array_like of int
        The two minima each transition state joins, counted from 0.

    Raises
    ------
    ValueError, TypeError
        If lengths differ, an energy is not finite or an index is out of range; the argument is named.
    """

    def __init__(self, energies: ArrayLike, ts_energies: ArrayLike, ts_minima: ArrayLike):
        self.energies = aligned("energies", energies, -1)
        self.ts_energies = aligned("ts_energies", ts_energies, -1)
        self.ts_minima = checked_pairs("ts_minima", ts_minima, len(self.ts_energies), len(self.energies))

    @property
    def n_minima(self) -> int:
        """Number of minima."""
        return len(self.energies)

    @property
    def n_transition_states(self) -> int:
        """Number of transition states, those that join a minimum with itself included."""
        return len(self.ts_energies)

    @property
    def global_minimum(self) -> int:
        """Index of the minimum of lowest energy, the first of equals.

        Raises
        ------
        ValueError
            If there are no minima.
        """
        if not self.n_minima:
            raise ValueError("the network has no minima, so no global minimum")
        return int(np.argmin(self.energies))

    @property
    def degenerate(self) -> NDArray[np.bool_]:
        """Which transition states join a minimum with a copy of itself: degenerate rearrangements, (m,)."""
        return ~self.joining

    @cached_property
    def joining(self) -> NDArray[np.bool_]:
        """Which transition states join two different minima, (m,)."""
        first, second = self.ts_minima.T
        return frozen_array(first != second, np.bool_)

    @cached_property
    def adjacency(self) -> csr_array:
        """Number of transition states between each two minima: a symmetric (n, n) matrix with an empty diagonal."""
        a, b = self.ts_minima[self.joining].T
        ones = np.ones(2 * len(a), dtype=np.int64)
        shape = (self.n_minima, self.n_minima)
        return coo_array((ones, (np.concatenate([a, b]), np.concatenate([b, a]))), shape=shape).tocsr()

    @cached_property
    def degree(self) -> NDArray[np.int64]:
        """Number of neighbours of each minimum, (n,); parallel transition states count once."""
        return frozen_array(np.diff(self.adjacency.indptr), np.int64)

    def neighbours(self, minimum: int) -> NDArray[np.int64]:
        """Return the other minima that one transition state joins with a minimum, rising."""
        i = minimum_index("minimum", minimum, self.n_minima)
        start, stop = self.adjacency.indptr[i : i + 2]
        return np.sort(self.adjacency.indices[start:stop]).astype(np.int64)

    def transition_states_between(self, a: int, b: int) -> NDArray[np.int64]:
        """Return the transition states that join two minima (or one with itself), by rising energy."""
        a, b = (minimum_index(name, value, self.n_minima) for name, value in (("a", a), ("b", b)))
        low, high = self.ts_minima.min(axis=1), self.ts_minima.max(axis=1)
        found = np.flatnonzero((low == min(a, b)) & (high == max(a, b)))
        return found[np.argsort(self.ts_energies[found], kind="stable")]

    @cached_property
    def component_labels(self) -> NDArray[np.int64]:
        """Number of the component of each minimum, (n,); component 0 is the largest."""
        if not self.n_minima:
            return frozen_array([], np.int64)
        count, labels = connected_components(self.adjacency, directed=False)
        order = np.argsort(-np.bincount(labels, minlength=count), kind="stable")
        rank = np.empty(count, dtype=np.int64)
        rank[order] = np.arange(count)
        return frozen_array(rank[labels], np.int64)

    @property
    def n_components(self) -> int:
        """Number of connected components."""
        return int(self.component_labels.max(initial=-1)) + 1

    @cached_property
    def components(self) -> list[NDArray[np.int64]]:
        """Minima of each connected component, rising; the largest component comes first."""
        order = np.argsort(self.component_labels, kind="stable")
        return np.split(order, np.cumsum(np.bincount(self.component_labels))[:-1]) if self.n_minima else []

    @cached_property
    def spanning_forest(self) -> NDArray[np.int64]:
        """Transition states of the minimum spanning forest, by rising energy.

        They join at every energy the same minima as all transition states do.
        """
        order = np.argsort(self.joining_energies, kind="stable")
        order = order[self.joining[order]]
        kept = spanning_edges(np.ascontiguousarray(self.ts_minima[order]), self.n_minima)
        return frozen_array(order[kept], np.int64)

    @cached_property
    def joining_energies(self) -> NDArray[np.float64]:
        """Lowest energy at which each transition state joins its minima, (m,): its own, or that of a higher minimum."""
        return frozen_array(np.maximum(self.ts_energies, self.energies[self.ts_minima].max(axis=1)), np.float64)

    def lowest_barrier_path(self, a: int, b: int) -> Path:
        """Return a path from one minimum to another whose highest energy is the lowest possible.

        Every part of the path is a lowest-barrier path between its own ends.

        Parameters
        ----------
        a, b : int
            Minima.

        Returns
        -------
        Path
            ``minima``, ``transition_states`` and ``energy``, the highest on the path.

        Raises
        ------
        ValueError
            If the two minima are in different components.
        """
        a, b = (minimum_index(name, value, self.n_minima) for name, value in (("a", a), ("b", b)))
        found = lowest_paths_from(self, a).to(b)
        if found is None:
            raise ValueError(f"no path joins minima {a} and {b}: they are in different components")
        highest = max(found.energy, float(self.energies[a]))  # a path of one minimum has no transition state
        return Path(frozen_array(found.minima, np.int64), frozen_array(found.transition_states, np.int64), highest)

    def barrier_matrix(self, minima: ArrayLike | None = None) -> NDArray[np.float64]:
        """Return the lowest energies at which minima are joined.

        Parameters
        ----------
        minima : array_like of int, optional
            Distinct minima; all by default.

        Returns
        -------
        (k, k) ndarray
            The highest energy on the lowest-barrier path; the minimum's own on the diagonal, infinity between
            components.
        """
        chosen = np.arange(self.n_minima) if minima is None else minimum_indices("minima", minima, self.n_minima)
        forest = self.spanning_forest
        edges = np.ascontiguousarray(self.ts_minima[forest])
        return barriers_between(edges, self.joining_energies[forest].copy(), chosen, self.energies.copy())
