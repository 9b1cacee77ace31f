"""Random starts of all sizes, for when searches from known points find nothing new."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from thalweg.landscapes.records import SADDLE_SEARCHES, AddedSearch

if TYPE_CHECKING:
    from thalweg.landscapes.landscape import Landscape

__all__ = ["RandomStarts"]

_PARTS = (0.1, 0.3, 1.0, 3.0)  # of the usual size: some basins lie near zero weights, others among large ones
_FEWEST, _SHARE = 100, 1 / 20  # searches without a new point, and the share of all that they must be


class RandomStarts:
    """Decision when searches start at random points, and how large these are.

    Searches from known points find the points nearby. Those that lie far from all of them are found from anywhere,
    which pays once the others find nothing new.

    Parameters
    ----------
    landscape : Landscape
        Landscape whose searches so far are read.
    """

    def __init__(self, landscape: Landscape) -> None:
        searches, newest = landscape.searches, 0
        for group, points in (("minima", landscape.minima), ("transition_states", landscape.transition_states)):
            found = np.flatnonzero(getattr(searches, group)[:] == len(points) - 1)
            if found.size:  # rows are numbered as they are found
                ends = getattr(searches, f"{group}_end")[:]
                newest = max(newest, int(np.searchsorted(ends, found[0], side="right")) + 1)
        saddles = np.isin(searches.kind[:], SADDLE_SEARCHES)
        self._done, self._quiet = int(saddles.sum()), int(saddles[newest:].sum())

    @property
    def wanted(self) -> bool:
        """Whether the last 100 searches for transition states, and a twentieth of all, found nothing new."""
        return self._quiet >= max(_FEWEST, _SHARE * self._done)

    def part(self, turn: int) -> float:
        """Return the part of the usual size that random points have in a turn."""
        return _PARTS[turn % len(_PARTS)]

    def learn(self, added: Sequence[AddedSearch]) -> None:
        """Take note of whether the searches of a task found new points."""
        for rows in added:
            self._done += 1
            self._quiet = 0 if any(rows.new_minima) or any(rows.new_transition_states) else self._quiet + 1
