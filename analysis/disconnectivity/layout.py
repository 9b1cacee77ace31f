"""Layout of a disconnectivity graph: horizontal positions of branches, and their line segments.

Every node owns an interval as wide as its number of leaves, and its branches share it without overlap. The deepest
branch goes straight down from the node; the others are placed from the deepest up, each outside those before it,
on the side that is narrower so far. So a branch that is shorter is also further out, and no two lines cross.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from thalweg.analysis.disconnectivity.superbasin_tree import SuperbasinTree
from thalweg.potentials.compiled.signatures import integers, jit, vector

__all__ = ["Lines", "branch_lines", "leaf_positions"]


@jit(vector(integers, integers, integers, integers, numba.int64))
def _positions(parent, order, first_child, size, n_leaves):
    """Return the horizontal position of the stem of each node; the last entry is that of the common root."""
    n = len(parent)
    before = np.zeros(n + 1)  # how far a node's stem is from the left end of its interval
    left = np.zeros(n, dtype=np.bool_)
    for node in range(n + 1):
        start = first_child[node] if node < n else 0
        stop = first_child[node + 1] if node < n else first_child[0]
        if start == stop:
            before[node] = 0.5
            continue
        deepest = order[start]
        before[node] = before[deepest]
        after = size[deepest] - before[deepest]
        for k in range(start + 1, stop):
            child = order[k]
            left[child] = before[node] < after
            if left[child]:
                before[node] += size[child]
            else:
                after += size[child]
    x = np.zeros(n + 1)
    x[n] = before[n]
    for node in range(n, n_leaves - 1, -1):
        start = first_child[node] if node < n else 0
        stop = first_child[node + 1] if node < n else first_child[0]
        if start == stop:
            continue
        deepest = order[start]
        x[deepest] = x[node]
        low, high = x[node] - before[deepest], x[node] + size[deepest] - before[deepest]
        for k in range(start + 1, stop):
            child = order[k]
            if left[child]:
                low -= size[child]
                x[child] = low + before[child]
            else:
                x[child] = high + before[child]
                high += size[child]
    return x


def leaf_positions(tree: SuperbasinTree) -> NDArray[np.float64]:
    """Return the horizontal position of each node's stem, (n_nodes,): leaves stand one apart, from 0.5 on.

    A superbasin stands above its deepest minimum.
    """
    return _positions(tree.parent.copy(), tree.order, tree.first_child, tree.size, tree.n_leaves)[:-1]


@dataclass(frozen=True, eq=False)
class Lines:
    """Lines of a graph: a broken line of three points for each branch, and the tops of the roots.

    Attributes
    ----------
    x : (n_nodes,) ndarray
        Position of each node's stem.
    leaves : (n_leaves, 3, 2) ndarray
        From where the leaf parts from the rest, slanting, then straight down to the energy of its minimum.
    branches : (n_branches, 3, 2) ndarray
        The same for superbasins, ending at their own level.
    top : float
        Height of the highest point.
    """

    x: NDArray[np.float64]
    leaves: NDArray[np.float64]
    branches: NDArray[np.float64]
    top: float


def branch_lines(tree: SuperbasinTree) -> Lines:
    """Lay out a tree and return its lines.

    A branch leaves its parent at the parent's level, slants over one level and then runs straight down. Roots run
    up to the height above the highest level.
    """
    x = leaf_positions(tree)
    levels = tree.levels
    spacing = levels[1] - levels[0] if len(levels) > 1 else levels[0] - tree.leaf_energy.min(initial=levels[0])
    spacing = spacing or max(abs(levels[0]), 1.0) * 1e-3
    top = levels[-1] + max(spacing, 0.02 * (levels[-1] - tree.leaf_energy.min(initial=levels[0])))
    height = np.append(tree.leaf_energy, levels[tree.level[tree.n_leaves :]])
    below = np.append(levels[0] - spacing, levels[:-1])  # the level under each
    inside = tree.parent >= 0
    parent = tree.parent[inside]
    fork_x, fork_y = x.copy(), np.full(tree.n_nodes, top)
    fork_x[inside], fork_y[inside] = x[parent], levels[tree.level[parent]]
    bend_y = np.maximum(height, levels[-1])
    bend_y[inside] = np.maximum(height[inside], below[tree.level[parent]])
    lines = np.stack([np.stack([fork_x, x, x], axis=1), np.stack([fork_y, bend_y, height], axis=1)], axis=2)
    return Lines(x, lines[: tree.n_leaves], lines[tree.n_leaves :], float(top))
