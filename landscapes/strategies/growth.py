"""Growth of large landscapes: which low-lying minima are left next, and how far."""

from __future__ import annotations

import heapq
from bisect import insort
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from thalweg.landscapes.records import AddedSearch, TaskResult
from thalweg.landscapes.strategies.components import Components

if TYPE_CHECKING:
    from thalweg.landscapes.strategies.base import Choice

__all__ = ["Growth"]

_PARTS = (1.0, 0.5, 0.2, 0.1)  # of the usual displacement
_COMPARED = 3  # of so many tasks one tries the displacements in turn
_DOUBT = 200  # steps of optimizers that a displacement is given before it counts as poor
_FLAT = 10  # the lowest minima that are tried equally often; of the others the n-th lowest 10 / n times as often
_MOST = 1000  # of the lowest minima of a component are chosen from
_LARGE, _LOWEST, _JOINED = 500, 100, 80  # minima of a large landscape; of its lowest so many shall be connected


class Growth:
    """Choice of searches that leave the lowest minima, by the displacement that has brought most.

    Searches from all minima in turn leave a large landscape in pieces: each finds other pieces. Those that leave a low
    minimum by little mostly end at a transition state of that minimum. The displacement is a part of the usual one, the
    one with the most new connections a step of the optimizers so far.

    Parameters
    ----------
    pieces : Components
        Graph of the minima, kept up to date by its owner.
    tries : Counter
        Number of single-ended searches from each minimum.
    counts : sequence of (int, int, int)
        For each displacement the searches, those that brought a new connection, and their steps, as `counts` says.
    """

    def __init__(self, pieces: Components, tries: Counter[int], counts: Sequence[Sequence[int]] = ()) -> None:
        self._pieces, self._tries = pieces, tries
        self._lowest = heapq.nsmallest(_LOWEST, ((energy, row) for row, energy in enumerate(pieces.energies)))
        known = len(counts) == len(_PARTS)
        self._counts = [list(map(int, of)) for of in counts] if known else [[0, 0, 0] for _ in _PARTS]

    @property
    def counts(self) -> list[list[int]]:
        """Searches, those that brought a new connection, and steps, of each displacement; empty before the first."""
        return self._counts if any(of[0] for of in self._counts) else []

    @property
    def wanted(self) -> bool:
        """Whether the landscape is large, and its lowest minima are not connected to the lowest of all."""
        if len(self._pieces) < _LARGE:
            return False
        root = self._pieces.root(self._lowest[0][1])
        return sum(self._pieces.root(row) == root for _, row in self._lowest) < _JOINED

    def take(self, energy: float, row: int) -> None:
        """Take in a minimum that the graph has, too."""
        if len(self._lowest) < _LOWEST or (energy, row) < self._lowest[-1]:
            insort(self._lowest, (energy, row))
            del self._lowest[_LOWEST:]

    def starts(self, size: int, highest: float) -> tuple[tuple[int, int], ...]:
        """Return starts at low minima of the component of the lowest; ``highest`` is the limit of their energies."""
        members = self._pieces.members(self._pieces.root(self._lowest[0][1]))
        low = heapq.nsmallest(_MOST, ((self._pieces.energies[row], row) for row in members))
        rows = [row for energy, row in low if energy <= highest]
        tries = np.array([self._tries[row] for row in rows], dtype=np.float64)
        rank = np.arange(len(rows)) + float(_FLAT)
        starts = []
        for _ in range(size):
            place = int(np.argmin((tries + 1.0) * rank))
            tries[place] += 1.0
            starts.append((rows[place], -1))
        return tuple(starts)

    def part(self, turn: int) -> float:
        """Return the part of the usual displacement for the searches of a turn."""
        if turn % _COMPARED == 0:
            return _PARTS[turn // _COMPARED % len(_PARTS)]
        gains = [(brought + 1) / (steps + _DOUBT) for _, brought, steps in self._counts]
        return _PARTS[int(np.argmax(gains))]

    def learn(self, choice: Choice, result: TaskResult, added: Sequence[AddedSearch]) -> None:
        """Take note of what the searches of a task have brought, if growth has chosen it."""
        if choice.part not in _PARTS or min(choice.starts)[0] < 0:
            return
        count = self._counts[_PARTS.index(choice.part)]
        for (start, _), search, rows in zip(choice.starts, result.searches, added, strict=True):
            count[0] += 1
            count[1] += any(rows.new_transition_states) and start in rows.minima and len(set(rows.minima)) > 1
            count[2] += search.steps
