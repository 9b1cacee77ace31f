"""Connected components of a growing graph of minima, kept up to date as transition states are added."""

from __future__ import annotations

import heapq
from bisect import insort
from collections.abc import Iterable, Iterator

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

__all__ = ["Components"]


class Components:
    """The connected pieces of a growing graph, its largest piece, and the lowest nodes of that.

    Of pieces of one size, that with the earliest node is the largest. The smaller of two pieces that are joined takes
    the label of the larger, so that every node knows its piece and none is looked for.

    Parameters
    ----------
    energies : (n,) array
        Of the nodes.
    edges : (m, 2) array
        Pairs of nodes.
    lowest : int
        How many of the lowest nodes of the largest piece are kept in view.
    """

    def __init__(self, energies: np.ndarray, edges: np.ndarray, lowest: int) -> None:
        self.energies: list[float] = np.asarray(energies, dtype=np.float64).tolist()
        self._lowest = lowest
        n = len(self.energies)
        graph = coo_array((np.ones(len(edges), dtype=bool), (edges[:, 0], edges[:, 1])), shape=(n, n))
        labels = connected_components(graph, directed=False)[1] if n else np.zeros(0, dtype=np.int64)
        order = np.argsort(labels, kind="stable")
        pieces = np.split(order, np.flatnonzero(np.diff(labels[order])) + 1) if n else []
        first = np.array([piece[0] for piece in pieces], dtype=np.int64)
        self._roots: list[int] = first[labels].tolist() if n else []
        # Of pieces of one node, which are most of them at first, nothing is kept.
        self._members = {int(piece[0]): piece.tolist() for piece in pieces if len(piece) > 1}
        self._first = {root: root for root in self._members}
        self.main = -1
        self._inside: list[tuple[float, int]] = []
        for piece in pieces:
            if self._rank(int(piece[0])) > self._rank(self.main):
                self.main = int(piece[0])
        self._refresh()

    def __len__(self) -> int:
        return len(self.energies)

    def add(self, energy: float) -> int:
        """Take in a node, alone as yet, and return its number."""
        node = len(self.energies)
        self.energies.append(energy)
        self._roots.append(node)
        if self.main < 0:
            self.main = node
            self._refresh()
        return node

    def root(self, node: int) -> int:
        """Return the node that stands for the piece of ``node``."""
        return self._roots[node]

    def labels(self) -> np.ndarray:
        """Return the earliest node of the piece of every node, (n,)."""
        _, first, piece = np.unique(np.array(self._roots, dtype=np.int64), return_index=True, return_inverse=True)
        return first[piece]

    def join(self, a: int, b: int) -> list[int]:
        """Join two nodes; return the nodes that were in the largest piece and no longer are."""
        a, b = self.root(a), self.root(b)
        if a == b:
            return []
        if len(self.members(a)) < len(self.members(b)):
            a, b = b, a
        came = self.members(b)
        first = min(self._first.get(a, a), self._first.get(b, b))
        for node in came:
            self._roots[node] = a
        self._members[a] = self.members(a)  # a list of its own where it was a single node
        self._members[a].extend(came)
        self._first[a] = first
        self._members.pop(b, None)
        self._first.pop(b, None)
        return self._grown(a, b, came)

    def _grown(self, a: int, b: int, came: list[int]) -> list[int]:
        """Look after the largest piece when the nodes ``came`` of piece b have gone into piece a."""
        old = self.main
        if old == a:
            self._insert(came)
        elif old == b or self._rank(a) > self._rank(old):
            self.main = a
            self._refresh()
        return [] if old in (a, b) or self.main == old else self.members(old)

    def _insert(self, nodes: list[int]) -> None:
        for entry in self._ranked(nodes):
            if len(self._inside) < self._lowest or entry < self._inside[-1]:
                insort(self._inside, entry)
                del self._inside[self._lowest :]

    def members(self, root: int) -> list[int]:
        """Return the nodes of the piece that ``root`` stands for."""
        return self._members.get(root) or [root]

    def inside(self) -> list[int]:
        """Return the lowest nodes of the largest piece, rising."""
        return [node for _, node in self._inside]

    def outside(self) -> Iterator[int]:
        """Yield the nodes that are not in the largest piece, each looked at: for starting from."""
        return (node for node in range(len(self)) if self.root(node) != self.main)

    def _rank(self, root: int) -> tuple[int, int]:
        return (0, 0) if root < 0 else (len(self.members(root)), -self._first.get(root, root))

    def _ranked(self, nodes: Iterable[int]) -> Iterator[tuple[float, int]]:
        return ((self.energies[node], node) for node in nodes)

    def _refresh(self) -> None:
        self._inside = heapq.nsmallest(self._lowest, self._ranked(self.members(self.main))) if self.main >= 0 else []
