"""Recognition of duplicates: by energy first, then by the distance after alignment."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable

import numpy as np

from thalweg.landscapes.storage.column import Column
from thalweg.landscapes.tolerances import Tolerances

__all__ = ["EnergyIndex", "KnownPoints"]


class EnergyIndex:
    """Row numbers by energy: sorted arrays, and a short sorted list of what came since they were sorted.

    Parameters
    ----------
    energies : (m,) array
        Energies of rows 0 to m-1.
    recent : int
        How long the list may get before it is merged: merging costs time proportional to all rows, keeping the list
        sorted time proportional to its length.
    """

    def __init__(self, energies: np.ndarray, recent: int = 4096) -> None:
        self._limit = recent
        self._rebuild(np.asarray(energies, dtype=np.float64), np.arange(len(energies)))

    def _rebuild(self, energies: np.ndarray, rows: np.ndarray) -> None:
        order = np.argsort(energies, kind="stable")
        self._energies, self._rows = energies[order], rows[order]
        self._recent: list[tuple[float, int]] = []

    def add(self, energy: float, row: int) -> None:
        """Take in a row."""
        insort(self._recent, (energy, row))
        if len(self._recent) >= self._limit:
            energies, rows = zip(*self._recent, strict=True)
            self._rebuild(np.append(self._energies, energies), np.append(self._rows, rows))

    def near(self, energy: float, tolerance: float) -> list[int]:
        """Return the rows whose energies differ by at most ``tolerance``, nearest first, then earliest."""
        low = self._energies.searchsorted(energy - tolerance, side="left")
        high = self._energies.searchsorted(energy + tolerance, side="right")
        found = []
        if low < high:
            found = list(zip(self._energies[low:high].tolist(), self._rows[low:high].tolist(), strict=True))
        place = bisect_left(self._recent, (energy - tolerance, -1))
        while place < len(self._recent) and self._recent[place][0] <= energy + tolerance:
            found.append(self._recent[place])
            place += 1
        return [row for _, row in sorted((abs(other - energy), row) for other, row in found)]

    def truncate(self, rows: int) -> None:
        """Forget rows from ``rows`` on."""
        energies = np.append(self._energies, [energy for energy, _ in self._recent])
        numbers = np.append(self._rows, [row for _, row in self._recent]).astype(np.int64)
        keep = numbers < rows
        self._rebuild(energies[keep], numbers[keep])


class KnownPoints:
    """The stationary points of one kind that a landscape has.

    Parameters
    ----------
    energy, coordinates : Column
        Theirs.
    distance : callable
        ``distance(a, b)``: from a to b's nearest symmetry copy.
    tolerances : Tolerances
        The landscape's.
    """

    def __init__(
        self,
        energy: Column,
        coordinates: Column,
        distance: Callable[[np.ndarray, np.ndarray], float],
        tolerances: Tolerances,
    ) -> None:
        self._coordinates, self._distance, self._tolerances = coordinates, distance, tolerances
        self._index = EnergyIndex(energy.read(0, energy.rows))

    def find(self, energy: float, x: np.ndarray) -> int:
        """Return the row of the point at ``x``, or -1 if it is new."""
        for row in self._index.near(energy, self._tolerances.energy):
            if self._distance(self._coordinates.read(row, row + 1)[0], x) <= self._tolerances.distance:
                return row
        return -1

    def add(self, energy: float, row: int) -> None:
        """Take in a point that was stored at ``row``."""
        self._index.add(energy, row)

    def truncate(self, rows: int) -> None:
        """Forget points from ``rows`` on."""
        self._index.truncate(rows)
