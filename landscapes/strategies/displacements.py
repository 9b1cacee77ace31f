"""By how much searches leave minima, learnt from the new connections that each displacement has brought."""

from __future__ import annotations

from collections.abc import Sequence

from thalweg.landscapes.records import AddedSearch, Search
from thalweg.landscapes.strategies.yields import Yields

__all__ = ["PARTS", "Displacements", "is_new_connection"]

PARTS = (1.0, 0.5, 0.2, 0.1)
"""Displacements that are compared, as parts of the usual one."""

_COMPARED = 3  # of so many tasks one tries the displacements in turn


def is_new_connection(search: Search, rows: AddedSearch) -> bool:
    """Return whether a search found a new transition state of the minimum that it left, which joins it to another."""
    ends = set(rows.minima)
    return any(rows.new_transition_states) and search.start[0] in ends and len(ends) > 1


class Displacements:
    """Record of what displacements have brought, and the choice of the next one.

    What counts is a new connection, see `is_new_connection`.

    Parameters
    ----------
    counts : sequence of (int, int, int)
        Searches, new connections, and steps of each part, as ``counts`` says.
    """

    def __init__(self, counts: Sequence[Sequence[int]] = ()) -> None:
        self._record = Yields(len(PARTS), counts)

    @property
    def counts(self) -> list[list[int]]:
        """Searches, new connections, and steps of each part."""
        return self._record.counts

    def part(self, turn: int) -> float:
        """Return the part of the usual displacement for the searches of a turn.

        It is the one with the most new connections a step; in every third turn the parts are tried one after another.
        """
        if turn % _COMPARED == 0:
            return PARTS[turn // _COMPARED % len(PARTS)]
        return PARTS[self._record.best()]

    def learn(self, part: float | None, search: Search, rows: AddedSearch) -> None:
        """Take note of a search that left a minimum, and of the rows of its points; of another part nothing is kept."""
        if part in PARTS:
            self._record.learn(PARTS.index(part), int(is_new_connection(search, rows)), search.steps)
