"""UNTRAP: search from minima with the largest barrier-to-height ratio."""

from __future__ import annotations

import numpy as np

from thalweg.landscapes.lowest_paths import LowestPaths
from thalweg.landscapes.records import DOUBLE_ENDED
from thalweg.landscapes.strategies.base import Choice
from thalweg.landscapes.strategies.double_ended import Attacks

__all__ = ["Untrap"]

_COMPARED = 512  # minima at most among which the nearest is looked for


class Untrap(Attacks):
    """Double-ended searches from minima whose barrier is large compared with their height: trapped ones.

    Each minimum has a barrier, from it up to the top of the lowest path to the lowest minimum, and a height above
    that minimum. A large ratio of the two is more often a transition state that was not found than a real trap
    (PATHSAMPLE's UNTRAP chooses by it). The minima with the largest, each divided by one more than the tries, are
    attacked towards their nearest lower ones on the other side of their barrier.
    """

    name = "untrap"

    def choose(self, number: int, size: int) -> Choice | None:
        self.grow()
        energies, (edges, tops) = self.landscape.minima.energy[:], self.edges()
        if len(energies) < 2:
            return None
        bottom = int(np.argmin(energies))
        barrier = LowestPaths(len(energies), edges, tops, bottom).barrier
        height = energies - energies[bottom]
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = (barrier - energies) / height
        ratio[~np.isfinite(ratio)] = -np.inf  # the bottom itself, and what is not joined to it
        starts: list[tuple[int, int]] = []
        while len(starts) < self.attacks(size):
            pair = self._worst(ratio, energies, barrier)
            if pair is None:
                break
            starts.append(pair)
            self.count(Choice(DOUBLE_ENDED, 1, (pair,)))
        return Choice(DOUBLE_ENDED, len(starts), tuple(starts)) if starts else None

    def _worst(self, ratio: np.ndarray, energies: np.ndarray, barrier: np.ndarray) -> tuple[int, int] | None:
        """Return the most trapped minimum, and the nearest lower one outside that it was not sent to before."""
        tries = np.array([self.first[row] for row in range(len(ratio))])
        for row in np.argsort(-ratio / (1 + tries), kind="stable").tolist():
            if not ratio[row] > 0.0:
                return None
            outside = np.flatnonzero((energies < energies[row]) & (barrier < barrier[row]))
            near = self.graph.nearest(row, outside)[:_COMPARED]
            untried = [other for other in near if not self.pairs[min(row, other), max(row, other)]]
            if untried:
                return row, untried[0]
        return None
