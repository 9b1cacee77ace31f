"""Default strategy for transition states: single-ended searches, and double-ended ones between components."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg.landscapes.energy_limit import EnergyLimit
from thalweg.landscapes.records import (
    DOUBLE_ENDED,
    FROM_STATE,
    FROM_SYMMETRIC,
    SADDLE_SEARCHES,
    SINGLE_ENDED,
    AddedSearch,
    TaskResult,
)
from thalweg.landscapes.strategies.base import Choice, Strategy
from thalweg.landscapes.strategies.components import Components
from thalweg.landscapes.strategies.distance_graph import DistanceGraph
from thalweg.landscapes.strategies.double_ended import distance_graph, take_in_minima
from thalweg.landscapes.strategies.fingerprints import fingerprint
from thalweg.landscapes.strategies.growth import INSIDE, OUTSIDE, Growth
from thalweg.landscapes.strategies.random_starts import RandomStarts

if TYPE_CHECKING:
    from thalweg.landscapes.landscape import Landscape

__all__ = ["Connect"]

_BANDS = 4  # of a path with missing connections, in a task: to find the path takes as long as one
_PASSED = 10_000  # of the lowest minima may lie on such a path


class Connect(Strategy):
    """Search from all minima and transition states, those tried least first, and between separate pieces.

    Of four tasks one or two search from the transition states with the fewest tries, since searches from minima alone
    miss points; one or two from the minima with the fewest, the lowest first; one, while the landscape is in several
    pieces, is double-ended, between a minimum outside the largest piece and the nearest of the lowest inside it. Of
    networks one is from minima made symmetric, of free clusters from random points, most of them with a point group.
    One search of every ``anywhere_every``-th task from minima starts at a random point. While the lowest minima of a
    large landscape are in several pieces, `Growth` chooses the kinds of search by what they have brought. While the
    searches of a network find nothing new, every other task starts at random points, see `RandomStarts`.

    Parameters
    ----------
    landscape, chosen, batch
        As for `Strategy`.
    below : EnergyLimit, optional
        Only minima and transition states below it are searched from.

    Raises
    ------
    ValueError
        If there are no minima, or none below the limit.
    """

    name = "connect"
    cycle = (FROM_STATE, SINGLE_ENDED, FROM_STATE, DOUBLE_ENDED)
    cycle_of_networks = (FROM_STATE, FROM_SYMMETRIC, SINGLE_ENDED, DOUBLE_ENDED)
    anywhere_every = 3
    _partners = 50
    _compared = 5

    def __init__(
        self,
        landscape: Landscape,
        chosen: Sequence[Choice] = (),
        batch: int = 16,
        *,
        below: EnergyLimit | None = None,
    ) -> None:
        super().__init__(landscape, chosen, batch)
        if not len(landscape.minima):
            raise ValueError("the landscape has no minima to connect: find some first, find_minima(steps=...)")
        self._tries: dict[str, Counter[int]] = {kind: Counter() for kind in SADDLE_SEARCHES}
        self._attacked: Counter[tuple[int, int]] = Counter()  # double-ended searches of pairs, the smaller row first
        self._pairs = self._tries[DOUBLE_ENDED]
        self._known = {(int(i), int(j)): d for i, j, d in self.remembered("distances")}
        self._graph: DistanceGraph | None = None  # is made when it is needed
        self._read(chosen)
        minima, states = landscape.minima, landscape.transition_states
        self._pieces = Components(minima.energy[:], states.minima[:], self._partners)
        energies, self._below = self._pieces.energies, below
        self._highest = math.inf if below is None else below.checked(min(energies))
        self._state_energies: list[float] = [] if below is None else states.energy[:].tolist()
        counts = landscape.state.get(self.name, {}).get("growth", [])
        self._cycle = self.cycle
        if landscape.system.may_be_made_symmetric:
            self._cycle = self.cycle_of_networks
        kinds = [kind for kind in SADDLE_SEARCHES if kind in self._cycle and kind != DOUBLE_ENDED]
        self._growth = Growth(self._pieces, self._tries[SINGLE_ENDED], kinds, counts)
        self._random_starts = RandomStarts(landscape) if landscape.system.may_be_made_symmetric else None
        self._random_symmetric = landscape.system.may_start_symmetric
        # queues, a row once in each: of all minima and all transition states by tries, and of those minima outside
        # the largest piece by pairs
        self._heaps = {
            kind: [(self._tries[kind][row], energy, row) for row, energy in enumerate(energies)]
            for kind in (SINGLE_ENDED, FROM_SYMMETRIC)
            if kind in self._cycle
        }
        self._states = len(states)  # that are known here
        self._heaps[FROM_STATE] = [(self._tries[FROM_STATE][row], 0.0, row) for row in range(self._states)]
        self._outside = [(self._pairs[row], energies[row], row) for row in self._pieces.outside()]
        for heap in (*self._heaps.values(), self._outside):
            heapq.heapify(heap)

    def _read(self, chosen: Sequence[Choice]) -> None:
        searches = self.landscape.searches
        for rows, kinds in searches.kind.chunks():
            starts = searches.start[rows]
            for kind, counter in self._tries.items():
                counter.update(starts[kinds == kind][:, 0].tolist())
            self._attacked.update((min(a, b), max(a, b)) for a, b in starts[kinds == DOUBLE_ENDED].tolist())
        for choice in chosen:
            self._counted(choice)

    def _counted(self, choice: Choice) -> Choice:
        self._tries[choice.kind].update(first for first, _ in choice.starts)
        if choice.kind == DOUBLE_ENDED:
            self._attacked.update((min(a, b), max(a, b)) for a, b in choice.starts)
        return choice

    def _grow(self) -> None:
        """Take in minima and transition states that have come since the last call."""
        for energy in self.landscape.minima.energy[len(self._pieces) :].tolist():
            row = self._pieces.add(energy)
            self._growth.take(energy, row)
            if self._below is not None:
                self._highest = min(self._highest, self._below.energy(energy))
            for kind, heap in self._heaps.items():
                if kind != FROM_STATE:
                    heapq.heappush(heap, (self._tries[kind][row], energy, row))
            heapq.heappush(self._outside, (self._pairs[row], energy, row))
        states, rows = self._heaps[FROM_STATE], len(self.landscape.transition_states)
        for row in range(self._states, rows):
            heapq.heappush(states, (0, 0.0, row))
        if self._below is not None and rows > self._states:
            self._state_energies += self.landscape.transition_states.energy[self._states : rows].tolist()
        self._states = rows

    def choose(self, number: int, size: int) -> Choice:
        grows = self._growth.wanted
        if not grows and self._random_starts is not None and self._random_starts.wanted:
            number, anywhere = divmod(number, 2)
            if anywhere:
                return self._counted(Choice(SINGLE_ENDED, size, ((-1, -1),) * size, self._random_starts.part(number)))
        kind = self._growth.kind(number) if grows else self._cycle[number % len(self._cycle)]
        if kind in (INSIDE, OUTSIDE):
            starts = self._growth.starts(kind, size, self._highest)
            return self._counted(Choice(SINGLE_ENDED, size, starts, self._growth.part(number)))
        pairs = (self._bridge(number, size) if grows else self._pair()) if kind == DOUBLE_ENDED else ()
        if pairs:
            return self._counted(Choice(DOUBLE_ENDED, len(pairs), pairs))
        if kind in (FROM_STATE, FROM_SYMMETRIC) and self._any(kind):
            return self._counted(Choice(kind, size, self._tried_least(kind, size)))
        # now and then from anywhere: some transition states are far from every minimum
        anywhere = self._anywhere(number, size)
        starts = ((-1, -1),) * anywhere + self._tried_least(SINGLE_ENDED, size - anywhere)
        return self._counted(Choice(SINGLE_ENDED, size, starts))

    def _tried_least(self, kind: str, size: int) -> tuple[tuple[int, int], ...]:
        """Return starts at the points from which a kind of search was tried least."""
        heap, starts = self._heaps[kind], []
        for _ in range(size):
            self._any(kind)
            tries, energy, row = heap[0]
            heapq.heapreplace(heap, (tries + 1, energy, row))
            starts.append((row, -1))
        return tuple(starts)

    def _any(self, kind: str) -> bool:
        """Bring the point tried least to the front of a queue, of those below the limit; is there any?"""
        heap, tried = self._heaps[kind], self._tries[kind]
        energies = self._state_energies if kind == FROM_STATE else self._pieces.energies
        while heap:
            tries, energy, row = heap[0]
            if self._below is not None and energies[row] > self._highest:
                heapq.heappop(heap)
            elif tries < tried[row]:  # growth has left it meanwhile
                heapq.heapreplace(heap, (tried[row], energy, row))
            else:
                break
        return bool(heap)

    def _anywhere(self, number: int, size: int) -> int:
        """Return how many searches of a task start at random points."""
        if self._random_symmetric and number % len(self._cycle) == 1:
            return size
        return int(number % self.anywhere_every == 1)

    def _pair(self) -> tuple[tuple[int, int], ...]:
        while self._outside and self._stale(*self._outside[0]):
            heapq.heappop(self._outside)
        if not self._outside:
            return ()
        pairs, energy, row = self._outside[0]
        heapq.heapreplace(self._outside, (pairs + 1, energy, row))
        inside, coordinates = self._pieces.inside(), self.landscape.minima.coordinates
        x, distance = coordinates[row], self.landscape.system.distance
        # the n-th attempt from one minimum goes to the n-th nearest of those that look most like it
        own, prints = fingerprint(self.landscape.system, x), self._prints(inside)
        alike = np.argsort(np.linalg.norm(prints - own, axis=1), kind="stable")
        first = pairs % len(inside) // self._compared * self._compared
        few = [inside[k] for k in alike[first : first + self._compared]]
        nearest = sorted(few, key=lambda other: distance(x, coordinates[other]))
        return ((row, nearest[pairs % len(inside) - first]),)

    def _prints(self, rows: list[int]) -> np.ndarray:
        return np.array([fingerprint(self.landscape.system, self.landscape.minima.coordinates[row]) for row in rows])

    def _bridge(self, number: int, size: int) -> tuple[tuple[int, int], ...]:
        """Return pairs between which connections are missing on the way from low minima to the lowest, if any."""
        ends = self._growth.apart(number, self._highest)
        if ends is None:
            return ()
        if self._graph is None:
            self._graph = distance_graph(self.landscape, self._known)
        graph = self._graph
        take_in_minima(graph, self.landscape)
        energies = np.array(self._pieces.energies)
        highest = min(self._highest, np.partition(energies, _PASSED)[_PASSED] if len(energies) > _PASSED else math.inf)
        pieces = np.where(energies <= highest, self._pieces.labels(), -1)
        path = graph.missing(*ends, pieces, self._attacked)
        path.sort(key=lambda pair: (self._attacked[pair], graph.known.get(pair, math.inf)))
        chosen = tuple(path[: min(size, _BANDS)])
        for row, times in Counter(row for row, _ in chosen).items():
            heapq.heappush(self._outside, (self._pairs[row] + times, self._pieces.energies[row], row))
        return chosen

    def _stale(self, pairs: int, energy: float, row: int) -> bool:
        """Say whether an entry is of a minimum that was joined since or is too high, or one of two of a minimum."""
        joined = self._pieces.root(row) == self._pieces.main
        return pairs != self._pairs[row] or joined or energy > self._highest

    def added(self, choice: Choice, result: TaskResult, added: list[AddedSearch]) -> None:
        self._grow()
        if self._random_starts is not None:
            self._random_starts.learn(added)
        growth = self._growth if self._growth.wanted else None
        for search, (start, _), rows in zip(result.searches, choice.starts, added, strict=True):
            if growth is None:
                self._join(rows)
                continue
            kind, before = growth.kind_of(choice, start), growth.connected
            self._join(rows)
            growth.learn(kind, choice.part, search, rows, growth.connected - before)

    def _join(self, rows: AddedSearch) -> None:
        """Join the minima on both sides of the transition states that a search has found."""
        for first, second in zip(rows.minima[0::2], rows.minima[1::2], strict=True):
            for row in self._pieces.join(first, second):
                heapq.heappush(self._outside, (self._pairs[row], self._pieces.energies[row], row))

    def state(self) -> dict[str, Any]:
        known = self._known if self._graph is None else self._graph.known
        distances = [[i, j, d] for (i, j), d in known.items()]
        return {name: value for name, value in (("growth", self._growth.counts), ("distances", distances)) if value}
