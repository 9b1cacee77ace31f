"""The path between two minima whose highest point is lowest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order

from thalweg.potentials.lazy import public

__all__ = ["Path", "tree_path"]


@public("thalweg.analysis")
@dataclass(frozen=True, eq=False)
class Path:
    """A path of minima and the transition states between them.

    Attributes
    ----------
    minima : (k,) int64 ndarray
        From the start to the end, both included.
    transition_states : (k - 1,) int64 ndarray
        The one between each minimum and the next.
    energy : float
        The highest energy on the path.
    """

    minima: np.ndarray
    transition_states: np.ndarray
    energy: float

    def __len__(self) -> int:
        return len(self.transition_states)


def tree_path(edges: np.ndarray, n: int, start: int, end: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the nodes and the edges between two nodes of a forest, or None if they are in different trees.

    Parameters
    ----------
    edges : (m, 2) int64 array
        Without cycles.
    n : int
        Number of nodes.
    start, end : int
    """
    graph = coo_array((np.ones(len(edges)), edges.T), shape=(n, n)).tocsr()
    before = breadth_first_order(graph, start, directed=False)[1]
    nodes = [end]
    while nodes[-1] != start:
        nodes.append(before[nodes[-1]])
        if nodes[-1] < 0:
            return None
    path = np.array(nodes[::-1], dtype=np.int64)
    keys = edges.min(axis=1) * n + edges.max(axis=1)
    order = np.argsort(keys)
    steps = np.minimum(path[:-1], path[1:]) * n + np.maximum(path[:-1], path[1:])
    return path, order[np.searchsorted(keys[order], steps)]
