"""The lowest-barrier path between two minima of a landscape, with the energies along it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.interpolate import PchipInterpolator

from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork
from thalweg.landscapes import Landscape
from thalweg.optimizers.energy_profile import Curve
from thalweg.optimizers.pathways import pathway
from thalweg.potentials.lazy import public

if TYPE_CHECKING:
    from collections.abc import Callable

    from thalweg.potentials.system import System

__all__ = ["LandscapePath", "landscape_path"]

_SAME = 1e-4  # of energies, to tell which side of a transition state is which


@public("thalweg.analysis")
@dataclass(frozen=True, eq=False)
class LandscapePath(Curve):
    """Minima, the transition states between them, and points on the way.

    Attributes
    ----------
    energy, length : (k,) energies and distances along the path, rising, from the first minimum.
    kinds : (k,) str, "minimum", "transition state" or "" for points between.
    numbers : (k,) int, the row of the minimum or transition state in its landscape, -1 for points between.
    points : (k, n) coordinates as they came: each piece between two minima is continuous, the next one may begin at
        another symmetry copy of the minimum; see :meth:`continuous`.
    followed : (pieces,) bool, which transition states were followed down; of the others only the stationary points
        are here, as far apart as their stored path lengths.
    units : str, of energy.
    """

    energy: np.ndarray
    length: np.ndarray
    kinds: np.ndarray
    numbers: np.ndarray
    points: np.ndarray
    followed: np.ndarray
    units: str = "reduced"

    @property
    def highest(self) -> float:
        """The highest energy on the path."""
        return float(self.energy.max())

    @property
    def stationary(self) -> np.ndarray:
        """Rows of the minima and transition states, in order."""
        return np.flatnonzero(self.numbers >= 0)

    def columns(self) -> dict[str, np.ndarray]:
        kind, *rest = super().columns().items()
        return dict([kind, ("number", self.numbers), *rest])

    def line(self) -> tuple[np.ndarray, np.ndarray]:
        """Return lengths and energies; between stationary points alone, of a smooth curve without further extrema."""
        if self.followed.any() or len(self.energy) < 2 or not (np.diff(self.length) > 0).all():
            return self.length, self.energy
        s = np.linspace(self.length[0], self.length[-1], 50 * len(self.energy))
        return s, PchipInterpolator(self.length, self.energy)(s)

    def continuous(self, system: System) -> np.ndarray:
        """Return the coordinates (k, n) with every point laid on the one before by the system's symmetry."""
        rows = [self.points[0]]
        for point, gap in zip(self.points[1:], np.diff(self.length), strict=True):
            plain = np.linalg.norm(point - rows[-1])
            # within a piece where no copy was taken yet, points follow each other as they are
            rows.append(point if plain <= 1.01 * gap + 1e-9 else system.align(rows[-1], point))
        return np.array(rows)


def landscape_path(
    landscape: Landscape | str | os.PathLike[str],
    start: int,
    end: int,
    *,
    points: int = 60,
    follow: bool = True,
    progress: Callable[[int, int], Any] | None = None,
) -> LandscapePath:
    """Return the path between two stored minima whose highest point is lowest, recomputed from its transition states.

    Parameters
    ----------
    landscape : Landscape or path of its store
        Committed searches count.
    start, end : int
        Minima.
    points : int
        Kept of each piece between two minima, about.
    follow : bool
        Whether to follow every transition state down; without, only stationary points are in the result.
    progress : callable, optional
        Called with how many of how many transition states have been followed.

    Returns
    -------
    LandscapePath

    Raises
    ------
    ValueError, IndexError
        If there is no such minimum, or no path joins the two; or ``follow``, and the system cannot be built.
    """
    if not isinstance(landscape, Landscape):
        landscape = Landscape.open(FilePath(landscape))
    network = KineticTransitionNetwork.read(landscape.path)
    found = network.lowest_barrier_path(start, end)
    system = landscape.system if follow else None
    pieces, followed = [], []
    for place, state in enumerate(found.transition_states):
        ends = found.minima[place], found.minima[place + 1]
        piece = None if system is None else _followed(landscape, system, int(state), ends, points)
        followed.append(piece is not None)
        pieces.append(piece or _stored(landscape, int(state), ends))
        if progress is not None:
            progress(place + 1, len(found))
    if not pieces:
        pieces = [_single(landscape, start)]
    return _joined(pieces, np.array(followed, dtype=bool), landscape.units)


def _followed(landscape, system, state, ends, points):
    """Return energy, length, kinds, numbers, points of one piece; None where it leads elsewhere than it did."""
    try:
        down = pathway(system, landscape.transition_states.coordinates[state], points=points)
    except RuntimeError:
        return None
    wanted = landscape.minima.energy[:][list(ends)]
    forward = np.abs(down.energy[[0, -1]] - wanted).max() < _SAME
    backward = np.abs(down.energy[[-1, 0]] - wanted).max() < _SAME
    if forward and backward and ends[0] != ends[1]:
        # minima of one energy: the nearer copy tells
        first = landscape.minima.coordinates[int(ends[0])]
        forward = system.distance(first, down.points[0]) <= system.distance(first, down.points[-1])
    if not (forward or backward):
        return None
    turn = slice(None) if forward else slice(None, None, -1)
    numbers = np.full(len(down.energy), -1)
    numbers[down.transition_state] = state
    numbers = numbers[turn]
    numbers[[0, -1]] = ends
    length = down.length if forward else down.length[-1] - down.length[::-1]
    return down.energy[turn], length, down.kinds[turn], numbers, down.points[turn]


def _stored(landscape, state, ends):
    """Return the same of one piece, by what the store says of its three stationary points."""
    minima, states = landscape.minima, landscape.transition_states
    lengths = states.path_length[state]
    if int(states.minima[state][0]) != ends[0]:
        lengths = lengths[::-1]
    energy = np.array([minima.energy[int(ends[0])], states.energy[state], minima.energy[int(ends[1])]])
    rows = [minima.coordinates[int(ends[0])], states.coordinates[state], minima.coordinates[int(ends[1])]]
    length = np.concatenate([[0.0], np.cumsum(np.nan_to_num(lengths, nan=1.0))])
    kinds = np.array(["minimum", "transition state", "minimum"])
    return energy, length, kinds, np.array([ends[0], state, ends[1]]), np.array(rows)


def _single(landscape, minimum):
    x = landscape.minima.coordinates[minimum]
    return landscape.minima.energy[:][[minimum]], np.zeros(1), np.array(["minimum"]), np.array([minimum]), x[None]


def _joined(pieces, followed, units):
    """Put pieces one after another; the minimum at which two meet is in the result once."""
    parts = [pieces[0]]
    for energy, length, kinds, numbers, points in pieces[1:]:
        length = length + parts[-1][1][-1]
        parts.append((energy[1:], length[1:], kinds[1:], numbers[1:], points[1:]))
    energy, length, kinds, numbers, points = (np.concatenate(column) for column in zip(*parts, strict=True))
    return LandscapePath(energy, length, kinds.astype("<U16"), numbers, points, followed, units)
