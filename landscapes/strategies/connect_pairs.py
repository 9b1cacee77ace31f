"""Connect chosen pairs of minima, and lower the path between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg.landscapes.lowest_paths import LowestPath, LowestPaths, checked_pairs, pieces_below
from thalweg.landscapes.records import DOUBLE_ENDED, SINGLE_ENDED, AddedSearch, TaskResult
from thalweg.landscapes.strategies.base import Choice
from thalweg.landscapes.strategies.displacements import Displacements
from thalweg.landscapes.strategies.double_ended import Attacks

if TYPE_CHECKING:
    from thalweg.landscapes.landscape import Landscape

__all__ = ["ConnectPairs"]


class ConnectPairs(Attacks):
    """Double-ended searches where connections are missing between two minima, until they are joined.

    The missing-connection search of Carr, Trygubenko and Wales (see ``distance_graph``). With ``lower``,
    two minima that are joined are attacked again as if the highest transition state on the lowest path between them,
    and all above it, were not there. Every other task searches single-ended, those minima tried least first: in turn
    from those of the lowest path, nearest its top first, and from those that can be reached below it from either end,
    the lowest first or those that look most like one on the other side. They leave their minima by a part of the usual
    displacement, mostly the one that has brought most new connections a step: from far away searches end at higher
    transition states, which a lower path does not pass.

    Parameters
    ----------
    landscape, chosen, batch
        As for `Strategy`.
    pairs : sequence of (int, int)
        Rows of minima to be joined.
    lower : bool
        Whether to go on lowering the path once they are.

    Raises
    ------
    ValueError
        If there are no pairs, or one is not of two different minima of the landscape.
    """

    name = "connect_pairs"

    def __init__(
        self,
        landscape: Landscape,
        chosen: Sequence[Choice] = (),
        batch: int = 16,
        *,
        pairs: Sequence[tuple[int, int]],
        lower: bool = False,
    ) -> None:
        super().__init__(landscape, chosen, batch)
        self._ends, self._lower = checked_pairs(pairs, len(landscape.minima)), lower
        self._displacements = Displacements(landscape.state.get(self.name, {}).get("growth", []))

    def choose(self, number: int, size: int) -> Choice | None:
        edges, energies = self.edges()
        minima = len(self.landscape.minima)
        pieces = pieces_below(minima, edges, energies, np.inf)
        open_pairs = [(a, b) for a, b in self._ends if pieces[a] != pieces[b]]
        if open_pairs:
            a, b = open_pairs[number % len(open_pairs)]
            return self._attack(a, b, pieces, size)
        if not self._lower:
            return None
        a, b = self._ends[number // 4 % len(self._ends)]
        path = LowestPaths(minima, edges, energies, a).to(b)
        assert path is not None
        pieces = pieces_below(minima, edges, energies, path.energy)
        # what lies above the top cannot be on a lower path
        pieces = np.where(self.landscape.minima.energy[:] < path.energy, pieces, -1)
        if number % 2:
            return self._attack(a, b, pieces, size)
        return self._flood(
            *self._around(number // 2, path, pieces, energies), size, self._displacements.part(number // 2)
        )

    def _around(
        self, number: int, path: LowestPath, pieces: np.ndarray, energies: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return minima from which a lower path may lead, and a number each: the smaller, the sooner."""
        if number % 3 == 0:
            top = int(np.argmax(energies[list(path.transition_states)]))
            return np.array(path.minima), np.abs(np.arange(len(path.minima)) - top - 0.5)
        ends = path.minima[0], path.minima[-1]
        # from either end in turn: the one with fewer minima would be forgotten else
        here, there = ends if number // 3 % 2 else ends[::-1]
        rows = np.flatnonzero(pieces == pieces[here])
        if number % 3 == 1:
            return rows, self.landscape.minima.energy[:][rows]
        self.grow()
        return rows, self.graph.apart(rows, np.flatnonzero(pieces == pieces[there]))

    def _attack(self, a: int, b: int, pieces: np.ndarray, size: int) -> Choice:
        self.grow()
        path = self.graph.missing(a, b, pieces, self.pairs)
        path.sort(key=lambda pair: (self.pairs[pair], self.graph.known.get(pair, np.inf)))
        starts = tuple(path[: self.attacks(size)])
        return self.count(Choice(DOUBLE_ENDED, len(starts), starts))

    def _flood(self, rows: np.ndarray, later: np.ndarray, size: int, part: float) -> Choice:
        tries = np.array([self.tries[row] for row in rows.tolist()])
        order = np.lexsort((later, tries))
        starts = tuple((int(rows[order[k % len(rows)]]), -1) for k in range(size))
        return self.count(Choice(SINGLE_ENDED, size, starts, part))

    def added(self, choice: Choice, result: TaskResult, added: list[AddedSearch]) -> None:
        """Learn from which displacement searches find new connections of the minimum that they leave."""
        for search, rows in zip(result.searches, added, strict=True):
            self._displacements.learn(choice.part, search, rows)

    def state(self) -> dict[str, Any]:
        return {**super().state(), "growth": self._displacements.counts}
