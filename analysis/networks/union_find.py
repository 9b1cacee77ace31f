"""Disjoint sets (union-find), compiled: superbasins that merge as the energy rises.

Elsewhere the disjoint sets are scipy's. Those here are compiled because a superbasin carries something along when it
merges (its node in a tree, its lowest minimum, its chosen members), which scipy's do not, and because landscapes are
large: for 200,000 minima and 600,000 transition states, a network's spanning forest takes 0.3 s by
:func:`spanning_edges` and 0.8 s by ``scipy.sparse.csgraph.minimum_spanning_tree``, and groups of states 0.2 s by
:func:`joined_groups` and 1.8 s by ``scipy.cluster.hierarchy.DisjointSet``. They inline each other and are therefore in
one file, as numba's cache needs.
"""

from __future__ import annotations

import numba
import numpy as np

from thalweg.potentials.compiled.signatures import integers, jit, matrix, vector

__all__ = ["barriers_between", "first_lower", "joined_groups", "merge_levels", "spanning_edges"]

pairs = numba.types.Array(numba.int64, 2, "C")
mask = numba.types.Array(numba.boolean, 1, "C")


@jit(numba.int64(integers, numba.int64))
def _root(parent, i):
    while parent[i] != i:
        parent[i] = parent[parent[i]]  # halving the path keeps it short
        i = parent[i]
    return i


@jit(mask(pairs, numba.int64))
def spanning_edges(edges, n):
    """Mark the edges that join two parts not joined by those before them (Kruskal).

    Parameters
    ----------
    edges : (m, 2) int64 array
        Pairs of minima, in order of rising energy.
    n : int
        Number of minima.

    Returns
    -------
    (m,) bool array
        At most n - 1 true.
    """
    parent = np.arange(n)
    kept = np.zeros(len(edges), dtype=np.bool_)
    for k in range(len(edges)):
        a, b = _root(parent, edges[k, 0]), _root(parent, edges[k, 1])
        if a != b:
            parent[max(a, b)] = min(a, b)
            kept[k] = True
    return kept


@jit(numba.types.UniTuple(integers, 2)(integers, integers, integers, numba.int64, numba.int64))
def _compact(parent, level, same, n_leaves, count):
    """Drop the superbasins that became part of another of the same level."""
    number = np.full(count, -1, dtype=np.int64)
    kept = 0
    for k in range(count):
        if same[k] == k:
            number[k] = kept
            kept += 1
    new_parent = np.full(kept, -1, dtype=np.int64)
    new_level = np.full(kept, -1, dtype=np.int64)
    for k in range(count):
        if same[k] == k:
            new_level[number[k]] = level[k]
            if parent[k] >= 0:
                new_parent[number[k]] = number[_root(same, parent[k])]
    return new_parent, new_level


@jit(numba.types.UniTuple(integers, 2)(pairs, integers, integers))
def merge_levels(edges, edge_level, leaf):
    """Build the tree of superbasins from spanning edges.

    Parameters
    ----------
    edges : (m, 2) int64 array
        Spanning edges in order of rising energy.
    edge_level : (m,) int64 array
        Index of the lowest level at or above each.
    leaf : (n,) int64 array
        Leaf number of every minimum, 0 to n_leaves - 1 in order of minima; -1 for one that is not shown.

    Returns
    -------
    parent : (n_nodes,) int64 array
        Leaves first, then superbasins in order of rising level; -1 at the roots.
    level : (n_nodes,) int64 array
        Index of the level where the node's branches meet; -1 for leaves.
    """
    n_leaves = 0
    for i in leaf:
        n_leaves += i >= 0
    joined = np.arange(len(leaf))
    node = leaf.copy()
    parent = np.full(2 * n_leaves, -1, dtype=np.int64)
    level = np.full(2 * n_leaves, -1, dtype=np.int64)
    same = np.arange(2 * n_leaves)
    count = n_leaves
    for k in range(len(edges)):
        i, j = _root(joined, edges[k, 0]), _root(joined, edges[k, 1])
        a, b = node[i], node[j]
        joined[max(i, j)] = min(i, j)
        if a < 0 or b < 0:
            node[min(i, j)] = max(a, b)
            continue
        if level[a] < level[b]:
            a, b = b, a
        if level[a] < edge_level[k]:
            parent[a] = parent[b] = count
            level[count] = edge_level[k]
            a = count
            count += 1
        elif level[b] == edge_level[k]:
            same[b] = a  # two superbasins of this level are one
        else:
            parent[b] = a
        node[min(i, j)] = a
    return _compact(parent, level, same, n_leaves, count)


@jit(matrix(pairs, vector, integers, vector))
def barriers_between(edges, edge_energy, chosen, energies):
    """Return the lowest energy at which each two of the chosen minima are joined.

    Parameters
    ----------
    edges, edge_energy : (m, 2) int64 array, (m,) array
        Spanning edges in order of rising energy.
    chosen : (k,) int64 array
        Distinct minima.
    energies : (n,) array
        Energies of all minima, for the diagonal.

    Returns
    -------
    (k, k) array
        Infinite where no path joins the two.
    """
    k = len(chosen)
    result = np.full((k, k), np.inf)
    joined = np.arange(len(energies))
    first = np.full(len(energies), -1, dtype=np.int64)  # of the chosen ones in each part, a linked list
    following = np.full(k, -1, dtype=np.int64)
    for c in range(k):
        first[chosen[c]] = c
        result[c, c] = energies[chosen[c]]
    for e in range(len(edges)):
        i, j = _root(joined, edges[e, 0]), _root(joined, edges[e, 1])
        i, j = min(i, j), max(i, j)
        joined[j] = i
        a, last = first[i], -1
        while a >= 0:
            b = first[j]
            while b >= 0:
                result[a, b] = result[b, a] = edge_energy[e]
                b = following[b]
            a, last = following[a], a
        if last >= 0:
            following[last] = first[j]
        else:
            first[i] = first[j]
    return result


@jit(vector(pairs, vector, vector))
def first_lower(edges, edge_energy, energies):
    """Return the energy of the edge that first joins each minimum to a lower one.

    Of equal energies, the minimum with the smaller number counts as lower.

    Parameters
    ----------
    edges, edge_energy : (m, 2) int64 array, (m,) array
        Spanning edges in order of rising energy.
    energies : (n,) array
        Energies of all minima.

    Returns
    -------
    (n,) array
        Infinite for the lowest minimum of each component.
    """
    result = np.full(len(energies), np.inf)
    joined = np.arange(len(energies))  # the root of each part is its lowest minimum
    for k in range(len(edges)):
        i, j = _root(joined, edges[k, 0]), _root(joined, edges[k, 1])
        if energies[j] < energies[i] or (energies[j] == energies[i] and j < i):
            i, j = j, i
        joined[j] = i
        result[j] = edge_energy[k]
    return result


@jit(integers(pairs, integers))
def joined_groups(edges, tags):
    """Join states to groups, edge by edge, and never two states that have different tags.

    Parameters
    ----------
    edges : (m, 2) int64 array
        Pairs of states, in the order in which they are joined.
    tags : (n,) int64 array
        Tag of each state; -1 for one that may join any other.

    Returns
    -------
    (n,) int64 array
        Group of each state; groups are numbered by their first members.
    """
    n = len(tags)
    parent, tag = np.arange(n), tags.copy()
    for k in range(len(edges)):
        a, b = _root(parent, edges[k, 0]), _root(parent, edges[k, 1])
        a, b = min(a, b), max(a, b)
        if a != b and (tag[a] < 0 or tag[b] < 0 or tag[a] == tag[b]):
            parent[b] = a
            tag[a] = max(tag[a], tag[b])
    group = np.empty(n, dtype=np.int64)
    count = 0
    for i in range(n):  # a root is the first member of its group
        if parent[i] == i:
            group[i] = count
            count += 1
        else:
            group[i] = group[_root(parent, i)]
    return group
