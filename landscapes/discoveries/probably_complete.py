"""Rule by which a default exploration ends: probably no transition state remains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thalweg.landscapes.discoveries.found_points import Discoveries

if TYPE_CHECKING:
    from thalweg.landscapes.landscape import Landscape

__all__ = ["EVERY", "ProbablyComplete"]

EVERY = 1000
"""Searches for transition states from one forecast to the next."""

_SURE = 0.9


class ProbablyComplete:
    """Say whether probably no transition state remains, by forecasts after every thousandth search for them.

    A forecast looks back to the moment after a round number of searches. So where an exploration ends depends on
    what it found alone: not on its workers, nor on where it was interrupted.

    Parameters
    ----------
    landscape : Landscape
        The landscape, which may grow.
    least : int
        Number of searches for transition states before which it never is.
    below : float or str, optional
        Energy below which points count, as for :class:`Discoveries`.
    """

    def __init__(self, landscape: Landscape, least: int, below: float | str | None = None) -> None:
        self._landscape, self._least = landscape, least
        self._found = Discoveries(landscape._store, below)
        self._judged, self._earliest, self._complete = 0, 0, False

    def __call__(self) -> bool:
        """Return whether a forecast so far has said so with a probability of 90 %."""
        rows = len(self._landscape.searches)
        if self._complete or rows < self._earliest:
            return self._complete
        done = self._found.update().saddle_searches
        looked = done // EVERY * EVERY
        if looked > self._judged and looked >= self._least:
            self._judged = looked
            self._complete = self._found.probability_of_all(looked) >= _SURE
        self._earliest = rows + looked + EVERY - done
        return self._complete
