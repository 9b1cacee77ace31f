"""Missing-connection algorithm: shortest paths on a distance-weighted graph of minima.

Carr, Trygubenko and Wales (J. Chem. Phys. 122 (2005) 234903) weigh the edge between two minima by 0 where a
transition state joins them, else by a growing function of their distance, and attack the missing edges of the
lightest path. Their graph is complete; here each minimum has edges to its nearest only, by vectors that bring similar
minima together, and distances are aligned only along paths that look light, so thousands of minima take milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import KDTree
from scipy.spatial.distance import cdist

__all__ = ["DistanceGraph"]

_ROUNDS = 3  # of aligning the distances on the lightest path and looking again
_ACROSS = 512  # minima of either end's piece compared with each other
_ACROSS_KEPT = 8
_BLOCK = 256  # minima that are taken in together
_ROUNDING = 1e-4  # times the largest squared length: rounding to single precision changes a squared distance by less
_REMEMBERED = 2000  # aligned distances, which every commit saves


class DistanceGraph:
    """Minima, each with edges to the nearest of those that were there before it.

    Parameters
    ----------
    distance : callable
        ``distance(i, j)``, aligned, of two rows.
    known : mapping of (int, int) to float
        Aligned distances that are known already, oldest first.
    power : float
        Of the weight that an edge has in the paper. The larger it is, the rather many short edges than a long one, and
        new ones than such as were tried.
    neighbours : int
        Edges a minimum.
    """

    def __init__(
        self,
        distance: Callable[[int, int], float],
        known: Mapping[tuple[int, int], float],
        power: float = 1.0,
        neighbours: int = 12,
    ) -> None:
        self._distance, self.known, self._power, self._neighbours = distance, dict(known), power, neighbours
        self._prints = np.zeros((0, 0), dtype=np.float32)
        self._rows = 0
        self._edges = np.zeros((0, 2), dtype=np.int64)
        self._edge_count = 0
        self._apart = np.zeros(0)

    def __len__(self) -> int:
        return self._rows

    @property
    def edges(self) -> np.ndarray:
        """Return the pairs of minima that have an edge, (e, 2)."""
        return self._edges[: self._edge_count]

    @property
    def lengths(self) -> np.ndarray:
        """Return how far the fingerprints of each pair are apart, (e,)."""
        return self._apart[: self._edge_count]

    def extend(self, fingerprints: np.ndarray) -> None:
        """Take in minima, (m, k), each with edges to the nearest of those before it."""
        if not len(fingerprints):
            return
        first, self._rows = self._rows, self._rows + len(fingerprints)
        if self._rows > len(self._prints):
            grown = np.zeros((2 * self._rows + 64, fingerprints.shape[1]), dtype=np.float32)
            if first:
                grown[:first] = self._prints[:first]
            self._prints = grown
        self._prints[first : self._rows] = fingerprints
        for start in range(first, self._rows, _BLOCK):
            self._link(start, min(start + _BLOCK, self._rows))

    def _link(self, start: int, end: int) -> None:
        """Put edges between each row of a block and the nearest before it.

        A matrix product says roughly how far all are apart; only those that may be among the nearest are measured.
        """
        prints = self._prints[:end]
        squares = np.einsum("ij,ij->i", prints, prints)
        rough = squares - 2.0 * (prints[start:] @ prints.T)
        margin = _ROUNDING * float(squares.max())
        for row in range(start, end):
            rows = _low(rough[row - start, :row], self._neighbours, margin)
            apart = np.linalg.norm(prints[rows] - prints[row], axis=1)
            nearest = _smallest(apart, self._neighbours)
            self._put(np.column_stack([rows[nearest], np.full(len(nearest), row)]), apart[nearest])

    def _put(self, edges: np.ndarray, apart: np.ndarray) -> None:
        end = self._edge_count + len(edges)
        if end > len(self._edges):
            self._edges = np.concatenate([self._edges, np.zeros((end + 1024, 2), dtype=np.int64)])
            self._apart = np.concatenate([self._apart, np.zeros(end + 1024)])
        self._edges[self._edge_count : end], self._apart[self._edge_count : end] = edges, apart
        self._edge_count = end

    def nearest(self, row: int, others: np.ndarray) -> list[int]:
        """Return other rows, those that look most like ``row`` first."""
        apart = np.linalg.norm(self._prints[others] - self._prints[row], axis=1)
        return others[np.argsort(apart, kind="stable")].tolist()

    def apart(self, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Return how far the fingerprint of each row is from the nearest of ``others``, (len(rows),)."""
        return KDTree(self._prints[others]).query(self._prints[rows])[0]

    def missing(
        self, a: int, b: int, pieces: np.ndarray, tries: Mapping[tuple[int, int], int]
    ) -> list[tuple[int, int]]:
        """Return the edges that are missing on the lightest path between two minima of different pieces.

        Parameters
        ----------
        a, b : int
            The minima.
        pieces : (m,) int array
            Piece of each minimum, within which moving weighs nothing; -1 for those that no path may pass.
        tries : mapping of (int, int) to int
            How often a pair, smaller row first, has been attacked: its weight is the squared distance times
            one more than that, to the power.

        Returns
        -------
        list of (int, int)
            Smaller row first, in the order from a to b.
        """
        edges, apart = self._between(a, b, pieces)
        attacked = _looked_up(edges, tries, np.zeros(len(edges)))
        path: list[tuple[int, int]] = []
        for _ in range(_ROUNDS):
            weights = (self._lengths(edges, apart) ** 2 * (1 + attacked)) ** self._power
            path = _lightest(pieces[edges], weights, edges, pieces[a], pieces[b])
            unknown = [pair for pair in path if pair not in self.known]
            if not unknown:
                break
            for pair in unknown:
                self._align(pair)
        return path

    def _between(self, a: int, b: int, pieces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the edges between different pieces, with those between the ends' pieces that look shortest."""
        edges, apart = self.edges, self.lengths
        first, second = pieces[edges[:, 0]], pieces[edges[:, 1]]
        useful = (first != second) & (first >= 0) & (second >= 0)
        across = self._across(a, b, pieces)
        lengths = np.linalg.norm(self._prints[across[:, 0]] - self._prints[across[:, 1]], axis=1)
        return np.concatenate([edges[useful], across]), np.concatenate([apart[useful], lengths])

    def _across(self, a: int, b: int, pieces: np.ndarray) -> np.ndarray:
        sides = []
        for here, there in ((a, b), (b, a)):
            rows = np.flatnonzero(pieces == pieces[here])
            towards = np.linalg.norm(self._prints[rows] - self._prints[there], axis=1)
            sides.append(rows[np.argsort(towards, kind="stable")[:_ACROSS]])
        apart = cdist(self._prints[sides[0]], self._prints[sides[1]])
        nearest = np.argsort(apart, axis=None, kind="stable")[:_ACROSS_KEPT]
        i, j = np.unravel_index(nearest, apart.shape)
        pairs = np.concatenate([[[a, b]], np.column_stack([sides[0][i], sides[1][j]])])
        return np.unique(np.sort(pairs, axis=1), axis=0)

    def _lengths(self, edges: np.ndarray, apart: np.ndarray) -> np.ndarray:
        """Return aligned distances where known, else what the fingerprints' suggest by those that are."""
        ratio = 1.0
        if self.known:
            pairs = np.array(list(self.known))
            prints = np.linalg.norm(self._prints[pairs[:, 0]] - self._prints[pairs[:, 1]], axis=1)
            ratio = float(np.median(np.array(list(self.known.values())) / np.maximum(prints, 1e-6)))
        return np.maximum(_looked_up(edges, self.known, ratio * apart), 1e-6)

    def _align(self, pair: tuple[int, int]) -> None:
        self.known[pair] = float(self._distance(*pair))
        if len(self.known) > _REMEMBERED:
            del self.known[next(iter(self.known))]


def _low(values: np.ndarray, count: int, margin: float = 0.0) -> np.ndarray:
    """Return the places, rising, of all values that are at most a margin above the smallest so many."""
    if len(values) <= count:
        return np.arange(len(values))
    return np.flatnonzero(values <= np.partition(values, count - 1)[count - 1] + margin)


def _smallest(values: np.ndarray, count: int) -> np.ndarray:
    """Return the places of the smallest values, rising, of equal ones the first: sorting them all takes too long."""
    candidates = _low(values, count)
    return candidates[np.argsort(values[candidates], kind="stable")[:count]]


def _keys(pairs: np.ndarray) -> np.ndarray:
    """Return one integer a pair, smaller number first or not."""
    pairs = pairs.astype(np.int64)
    return pairs.min(axis=1) << 32 | pairs.max(axis=1)


def _looked_up(edges: np.ndarray, table: Mapping[tuple[int, int], float], otherwise: np.ndarray) -> np.ndarray:
    """Return what a table has for each edge, and something else where it has nothing."""
    if not table:
        return otherwise
    keys, values = _keys(np.array(list(table), dtype=np.int64)), np.fromiter(table.values(), dtype=np.float64)
    order, wanted = np.argsort(keys), _keys(edges)
    place = order[np.minimum(np.searchsorted(keys[order], wanted), len(order) - 1)]
    return np.where(keys[place] == wanted, values[place], otherwise)


def _lightest(ends: np.ndarray, weights: np.ndarray, edges: np.ndarray, start: int, stop: int) -> list[tuple[int, int]]:
    """Return the edges of the lightest path between two pieces; of several between two pieces the lightest counts."""
    keys, size = _keys(ends), int(ends.max()) + 1
    order = np.lexsort((weights, keys))
    keys, first = np.unique(keys[order], return_index=True)
    best = order[first]
    graph = csr_array((weights[best], (ends[best, 0], ends[best, 1])), shape=(size, size))
    _, before = dijkstra(graph, directed=False, indices=start, return_predecessors=True)
    path, node = [], int(stop)
    while node != start:
        previous = int(before[node])
        place = np.searchsorted(keys, _keys(np.array([[previous, node]])))[0]
        i, j = edges[best[place]].tolist()
        path.append((i, j))
        node = previous
    return path[::-1]
