"""Growth of large landscapes: which kinds of search, from which low-lying minima, and how far from them."""

from __future__ import annotations

import heapq
from bisect import insort
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from thalweg.landscapes.records import DOUBLE_ENDED, AddedSearch, Search
from thalweg.landscapes.strategies.components import Components
from thalweg.landscapes.strategies.displacements import PARTS, Displacements
from thalweg.landscapes.strategies.yields import Yields, spread

if TYPE_CHECKING:
    from thalweg.landscapes.strategies.base import Choice

__all__ = ["INSIDE", "OUTSIDE", "Growth"]

INSIDE, OUTSIDE = "inside", "outside"
"""Searches that leave low minima of the component of the lowest, and of those of other low minima."""

_FLAT = 10  # the lowest minima that are tried equally often; of the others the n-th lowest 10 / n times as often
_MOST = 1000  # of the lowest minima of a component are chosen from
_LARGE, _LOWEST = 500, 100  # minima of a large landscape; of its lowest so many shall be connected
_ALL_MISSING = 30  # of the lowest: where so many are not connected, searches that connect have their largest share
_LEAST_SHARE, _LARGEST_SHARE = 0.125, 0.75
_TURNS = 0.41421356237309515  # its multiples spread turns of components, whatever numbers of tasks are theirs
_BAND = 2  # times the steps of a search on a band: those of the band are not among them


class Growth:
    """Choice of searches that find the lowest minima of a large landscape, and connect them.

    Searches from all points in turn leave a large landscape in pieces: each finds other pieces. A part of the tasks,
    the larger the more of the lowest minima are not connected to the lowest of all, connect these: they leave low
    minima of its component, or are double-ended, where connections to other low minima are missing. The other tasks
    look for low minima: they start from all points in turn, or from low minima of other components. Kinds of search
    are chosen in proportion to what they have brought a step of the optimizers: of the first part low minima that
    became connected, of the second new low minima.

    Searches that leave a low minimum by little mostly end at a transition state of that minimum. Their displacement is
    a part of the usual one, the one with the most new connections a step so far.

    Parameters
    ----------
    pieces : Components
        Graph of the minima, kept up to date by its owner.
    tries : Counter
        Number of single-ended searches from each minimum.
    kinds : sequence of str
        Kinds of search from all points.
    counts : sequence of (int, int, int)
        Searches, what they brought, and steps: of each displacement, of `INSIDE` and DOUBLE_ENDED, of `OUTSIDE`, and of
        each of the other kinds, as `counts` says.
    """

    def __init__(
        self, pieces: Components, tries: Counter[int], kinds: Sequence[str], counts: Sequence[Sequence[int]] = ()
    ) -> None:
        self._pieces, self._tries = pieces, tries
        self._lowest = heapq.nsmallest(_LOWEST, ((energy, row) for row, energy in enumerate(pieces.energies)))
        self._connecting, self._finding = (INSIDE, DOUBLE_ENDED), (OUTSIDE, *kinds)
        first, second = len(PARTS), len(PARTS) + len(self._connecting)
        self._displacements = Displacements(counts[:first])  # an earlier version counted nothing else
        self._connected = Yields(len(self._connecting), counts[first:second])
        self._found = Yields(len(self._finding), counts[second:])

    @property
    def counts(self) -> list[list[int]]:
        """Searches, what they brought, and steps, as the constructor takes them; empty before the first."""
        counts = [*self._displacements.counts, *self._connected.counts, *self._found.counts]
        return counts if any(of[0] for of in counts) else []

    @property
    def wanted(self) -> bool:
        """Whether the landscape is large, and its lowest minima are not all connected to the lowest of all."""
        return len(self._pieces) >= _LARGE and self.connected < len(self._lowest)

    @property
    def connected(self) -> int:
        """Number of the lowest minima that are connected to the lowest of all."""
        root = self._pieces.root(self._lowest[0][1])
        return sum(self._pieces.root(row) == root for _, row in self._lowest)

    @property
    def share(self) -> float:
        """Share of the tasks that connect low minima."""
        missing = len(self._lowest) - self.connected
        return min(max(missing / _ALL_MISSING, _LEAST_SHARE), _LARGEST_SHARE)

    def take(self, energy: float, row: int) -> None:
        """Take in a minimum that the graph has, too."""
        if len(self._lowest) < _LOWEST or (energy, row) < self._lowest[-1]:
            insort(self._lowest, (energy, row))
            del self._lowest[_LOWEST:]

    def kind(self, number: int) -> str:
        """Return the kind of search of a task."""
        place, share = spread(number), self.share
        if place < share:
            return self._connecting[self._connected.pick(place / share)]
        return self._finding[self._found.pick((place - share) / (1.0 - share))]

    def starts(self, kind: str, size: int, highest: float) -> tuple[tuple[int, int], ...]:
        """Return starts at low minima of the component of the lowest, or of those of other low minima.

        Where there are no others, they are in the component of the lowest. ``highest`` is the limit of their energies.
        """
        root = self._pieces.root(self._lowest[0][1])
        roots = {self._pieces.root(row) for energy, row in self._lowest if energy <= highest} - {root}
        if kind == INSIDE or not roots:
            roots = {root}
        rows = self._lowest_of((row for each in roots for row in self._pieces.members(each)), _MOST, highest)
        tries = np.array([self._tries[row] for row in rows], dtype=np.float64)
        rank = np.arange(len(rows)) + float(_FLAT)
        starts = []
        for _ in range(size):
            place = int(np.argmin((tries + 1.0) * rank))
            tries[place] += 1.0
            starts.append((rows[place], -1))
        return tuple(starts)

    def _lowest_of(self, rows: Iterable[int], most: int, highest: float) -> list[int]:
        """Return the lowest of minima, rising, at most ``most``, none above ``highest``."""
        low = heapq.nsmallest(most, ((self._pieces.energies[row], row) for row in rows))
        return [row for energy, row in low if energy <= highest]

    def apart(self, number: int, highest: float) -> tuple[int, int] | None:
        """Return the lowest minimum of a component of low minima, and the lowest of all, which lie apart.

        Components take turns in proportion to the number of low minima that they have.

        Parameters
        ----------
        number : int
            Number of the task.
        highest : float
            Limit of the energies.

        Returns
        -------
        (int, int) or None
            None where there is no other component.
        """
        lowest = self._lowest[0][1]
        roots = {row: self._pieces.root(row) for energy, row in self._lowest if energy <= highest}
        others = [row for row, root in roots.items() if root != roots[lowest]]
        if not others:
            return None
        root = roots[others[int(spread(number, _TURNS) * len(others))]]
        return next(row for row in others if roots[row] == root), lowest

    def part(self, turn: int) -> float:
        """Return the part of the usual displacement for the searches of a turn."""
        return self._displacements.part(turn)

    def kind_of(self, choice: Choice, start: int) -> str:
        """Return the kind of a search that was chosen, before what it found is joined."""
        if choice.part is None or start < 0:
            return choice.kind
        inside = self._pieces.root(start) == self._pieces.root(self._lowest[0][1])
        return INSIDE if inside else OUTSIDE

    def learn(self, kind: str, part: float | None, search: Search, rows: AddedSearch, gained: int) -> None:
        """Take note of a search that has been added.

        Parameters
        ----------
        kind : str
            Kind of the search as `kind_of` said.
        part : float or None
            Part of the usual displacement, as its task has it.
        search : Search
        rows : AddedSearch
            Rows of its points.
        gained : int
            Number of the lowest minima that became connected to the lowest of all.
        """
        if kind in (INSIDE, OUTSIDE):
            self._displacements.learn(part, search, rows)
        if kind in self._connecting:
            steps = search.steps * (_BAND if kind == DOUBLE_ENDED else 1)
            self._connected.learn(self._connecting.index(kind), max(gained, 0), steps)
        else:
            new_rows = [row for row, new in zip(rows.minima, rows.new_minima, strict=True) if new]
            low = sum((self._pieces.energies[row], row) <= self._lowest[-1] for row in new_rows)
            self._found.learn(self._finding.index(kind), low, search.steps)
