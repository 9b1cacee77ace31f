"""The tree of superbasins: sets of minima that are joined at each level of a ladder of energies."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thalweg.analysis.arguments import frozen_array
from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork
from thalweg.analysis.networks.union_find import merge_levels
from thalweg.potentials.lazy import public

__all__ = ["SuperbasinTree", "ladder", "superbasin_tree", "superbasins_at"]

MOST_LEVELS = 1_000_000
"""More would need gigabytes, and a picture has some thousand rows of points."""


def ladder(
    network: KineticTransitionNetwork,
    minima: NDArray[np.int64],
    levels: int | ArrayLike,
    emin: float | None = None,
    emax: float | None = None,
) -> NDArray[np.float64]:
    """Return the rising energies at which superbasins are told apart.

    Parameters
    ----------
    network : KineticTransitionNetwork
    minima : (k,) int64 array
        Those that will be shown.
    levels : int or array_like
        How many, evenly spaced and the highest at emax; or the energies themselves.
    emin, emax : float or None
        The ends of the ladder: by default the lowest minimum, and the energy that joins all that is joined.

    Raises
    ------
    ValueError
        If the levels do not rise, or emax is not above emin.
    """
    if np.ndim(levels):
        energies = np.asarray(levels, dtype=np.float64)
        if len(energies) > MOST_LEVELS:
            raise ValueError(f"levels holds {len(energies)} energies; at most {MOST_LEVELS} can be told apart")
        if energies.ndim != 1 or not np.isfinite(energies).all() or (np.diff(energies) <= 0).any():
            raise ValueError("levels must be how many there are, or finite energies that rise")
        if emin is not None or emax is not None:
            raise ValueError("levels holds the energies themselves, which leaves no meaning to emin and emax")
        return frozen_array(energies, np.float64)
    number = isinstance(levels, (int, np.integer)) and not isinstance(levels, (bool, np.bool_))
    count = int(levels) if number else 0  # type: ignore[arg-type]
    if not 1 <= count <= MOST_LEVELS:
        raise ValueError(
            f"levels is {levels!r}; how many there are, from 1 to {MOST_LEVELS}, or an array of energies is needed"
        )
    low = float(network.energies[minima].min() if emin is None else emin)
    high = _joining_height(network, minima) if emax is None else float(emax)
    _check_ends(low, high, emin is not None, emax is not None)
    if high <= low:  # one energy only, or nothing above emin: any ladder will do
        high = low + max(abs(low), 1.0) * 1e-3
    rungs = np.linspace(low, high, count + 1)[1:]
    if not (np.diff(rungs) > 0).all():
        raise ValueError(f"levels is {count}: so many cannot be told apart between {low} and {high}")
    return frozen_array(rungs, np.float64)


def _check_ends(low: float, high: float, low_given: bool, high_given: bool) -> None:
    """Raise an error that names the end of the ladder that was given, and what it may be."""
    for name, value in (("emin", low), ("emax", high)):
        if not np.isfinite(value):
            raise ValueError(f"{name} is {value}; a finite energy is needed")
    if high > low or not (low_given or high_given):
        return
    if low_given and high_given:
        raise ValueError(f"emax is {high:.10g}; it must be above emin, which is {low:.10g}")
    if high_given:
        raise ValueError(f"emax is {high:.10g}; it must be above the lowest minimum, whose energy is {low:.10g}")
    raise ValueError(f"emin is {low:.10g}; it must be below {high:.10g}, where the minima shown are joined")


def _joining_height(network: KineticTransitionNetwork, minima: NDArray[np.int64]) -> float:
    """Return the highest energy that joins two of the minima, or of a minimum itself."""
    forest = network.spanning_forest
    leaf = np.full(network.n_minima, -1, dtype=np.int64)
    leaf[minima] = np.arange(len(minima))
    edges = np.ascontiguousarray(network.ts_minima[forest])
    _, level = merge_levels(edges, np.arange(len(forest)), leaf)
    top = network.joining_energies[forest[level.max()]] if level.max(initial=-1) >= 0 else -np.inf
    return float(max(top, network.energies[minima].max()))


@public("thalweg.analysis")
@dataclass(frozen=True, eq=False)
class SuperbasinTree:
    """A tree (or several) whose leaves are minima and whose other nodes are superbasins.

    A node stands where branches meet: a superbasin that is the same at several levels appears once, at the lowest.
    Nodes are numbered leaves first, then superbasins by rising level, so a parent follows its children.

    Attributes
    ----------
    levels : (n_levels,) float64 ndarray
        Energies, rising.
    leaves : (n_leaves,) int64 ndarray
        The minima of the network that are shown; leaf k is node k.
    leaf_energy : (n_leaves,) float64 ndarray
        Energies of those minima.
    parent : (n_nodes,) int64 ndarray
        Parent of each node; -1 at the roots, which no transition state up to the highest level joins.
    level : (n_nodes,) int64 ndarray
        Index of the level at which the branches of a node meet; -1 for leaves.

    Examples
    --------
    >>> from thalweg.analysis import DisconnectivityGraph, KineticTransitionNetwork
    >>> network = KineticTransitionNetwork([0.0, 1.0, 0.5], [2.0, 3.0], [[0, 1], [1, 2]])
    >>> tree = DisconnectivityGraph(network, levels=[2.5, 3.5]).tree
    >>> tree
    <SuperbasinTree: 3 leaves, 2 superbasins, 2 levels>
    >>> [tree.descendants(node).tolist() for node in range(tree.n_leaves, tree.n_nodes)]
    [[0, 1], [0, 1, 2]]
    """

    levels: NDArray[np.float64]
    leaves: NDArray[np.int64]
    leaf_energy: NDArray[np.float64]
    parent: NDArray[np.int64]
    level: NDArray[np.int64]

    def __repr__(self) -> str:
        inner = self.n_nodes - self.n_leaves
        return f"<SuperbasinTree: {self.n_leaves} leaves, {inner} superbasins, {len(self.levels)} levels>"

    @property
    def n_leaves(self) -> int:
        """Number of minima shown."""
        return len(self.leaves)

    @property
    def n_nodes(self) -> int:
        """Number of leaves and superbasins."""
        return len(self.parent)

    @cached_property
    def roots(self) -> NDArray[np.int64]:
        """Nodes without a parent."""
        return np.flatnonzero(self.parent < 0)

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """All nodes, sorted by parent (roots first), those of one parent from the deepest up."""
        return np.lexsort((np.arange(self.n_nodes), self.leaf_energy[self.lowest], self.parent))

    @cached_property
    def first_child(self) -> NDArray[np.int64]:
        """Start of the children of each node in :attr:`order`, (n_nodes + 1,)."""
        return np.searchsorted(self.parent[self.order], np.arange(self.n_nodes + 1))

    @cached_property
    def lowest(self) -> NDArray[np.int64]:
        """The leaf of lowest energy at or under each node, (n_nodes,); the first of equals."""
        by_energy = np.argsort(self.leaf_energy, kind="stable")
        rank = np.full(self.n_nodes, self.n_leaves, dtype=np.int64)
        rank[by_energy] = np.arange(self.n_leaves)
        for nodes in self.by_level:
            inside = nodes[self.parent[nodes] >= 0]
            np.minimum.at(rank, self.parent[inside], rank[inside])
        return by_energy[rank]

    @cached_property
    def size(self) -> NDArray[np.int64]:
        """Number of leaves at or under each node, (n_nodes,)."""
        size = np.zeros(self.n_nodes, dtype=np.int64)
        size[: self.n_leaves] = 1
        for nodes in self.by_level:
            inside = nodes[self.parent[nodes] >= 0]
            np.add.at(size, self.parent[inside], size[inside])
        return size

    @cached_property
    def by_level(self) -> list[NDArray[np.int64]]:
        """Nodes of each level, the leaves first: children always come before their parents."""
        return np.split(np.arange(self.n_nodes), np.flatnonzero(np.diff(self.level)) + 1)

    @cached_property
    def first_leaf(self) -> NDArray[np.int64]:
        """Start of the leaves of each node in :attr:`leaf_order`, (n_nodes,)."""
        sizes = self.size[self.order]
        before = np.cumsum(sizes) - sizes  # in order of parents: roots first, then the children of each node
        start = np.empty(self.n_nodes, dtype=np.int64)
        start[self.order] = before
        inside = self.parent >= 0
        start[inside] -= before[self.first_child[self.parent[inside]]]
        for nodes in self.by_level[::-1]:  # parents come before their children
            within = nodes[self.parent[nodes] >= 0]
            start[within] += start[self.parent[within]]
        return start

    @cached_property
    def leaf_order(self) -> NDArray[np.int64]:
        """All leaves, (n_leaves,), those of any one node side by side."""
        order = np.empty(self.n_leaves, dtype=np.int64)
        order[self.first_leaf[: self.n_leaves]] = np.arange(self.n_leaves)
        return order

    def descendants(self, node: int) -> NDArray[np.int64]:
        """Return the leaves at or under a node; ``tree.leaves[...]`` of them are minima of the network."""
        return self.leaf_order[self.first_leaf[node] : self.first_leaf[node] + self.size[node]]

    def children(self, node: int) -> NDArray[np.int64]:
        """Return the branches that meet at a node, from the deepest up; none for a leaf."""
        return self.order[self.first_child[node] : self.first_child[node + 1]]

    def superbasins(self, level: int) -> list[NDArray[np.int64]]:
        """Return the sets of shown minima joined at or below a level, the deepest first.

        Parameters
        ----------
        level : int
            Index of the level.

        Returns
        -------
        list of int64 ndarray
            Minima of the network, rising; minima above the level belong to none.
        """
        if not 0 <= level < len(self.levels):
            raise IndexError(f"level is {level}; levels run from 0 to {len(self.levels) - 1}")
        top = np.arange(self.n_nodes)
        for nodes in self.by_level[::-1]:
            inside = nodes[self.parent[nodes] >= 0]
            below = inside[self.level[self.parent[inside]] <= level]
            top[below] = top[self.parent[below]]
        shown = np.flatnonzero(self.leaf_energy <= self.levels[level])
        return _grouped(self.leaves[shown], top[shown], self.leaf_energy[shown])


def _grouped(
    minima: NDArray[np.int64], label: NDArray[np.int64], energy: NDArray[np.float64]
) -> list[NDArray[np.int64]]:
    """Return the minima of each label, the set with the lowest energy first."""
    order = np.lexsort((minima, label))
    label = label[order]
    starts = np.flatnonzero(np.diff(label, prepend=-1))
    if not len(starts):
        return []
    depth = np.minimum.reduceat(energy[order], starts)
    sets = np.split(minima[order], starts[1:])
    return [sets[k] for k in np.argsort(depth, kind="stable")]


def superbasin_tree(
    network: KineticTransitionNetwork, minima: NDArray[np.int64], levels: NDArray[np.float64]
) -> SuperbasinTree:
    """Build the tree of chosen minima on a ladder of levels; connections through all minima count.

    Parameters
    ----------
    network : KineticTransitionNetwork
    minima : (k,) int64 array
        Minima to show, rising; those above the highest level are left out.
    levels : (n_levels,) float64 array
        Rising energies, see :func:`ladder`.
    """
    shown = minima[network.energies[minima] <= levels[-1]]
    leaf = np.full(network.n_minima, -1, dtype=np.int64)
    leaf[shown] = np.arange(len(shown))
    forest = network.spanning_forest
    edge_level = np.searchsorted(levels, network.joining_energies[forest])
    within = edge_level < len(levels)
    edges = np.ascontiguousarray(network.ts_minima[forest[within]])
    parent, level = merge_levels(edges, edge_level[within], leaf)
    energy = network.energies[shown]
    return SuperbasinTree(levels, *(frozen_array(a, a.dtype) for a in (shown, energy, parent, level)))


def superbasins_at(
    network: KineticTransitionNetwork, minima: NDArray[np.int64], energy: float
) -> list[NDArray[np.int64]]:
    """Return the sets of the given minima joined at or below an energy, the deepest first."""
    levels = np.array([float(energy)])
    if not np.isfinite(levels).all():
        raise ValueError(f"energy is {energy}; a finite number is needed")
    tree = superbasin_tree(network, minima, levels)
    return tree.superbasins(0)
