"""The lowest-barrier path between two minima of a landscape, with the energies along it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork
from thalweg.landscapes import Landscape
from thalweg.optimizers.energy_profile import PICTURES, Curve
from thalweg.optimizers.pathways import pathway
from thalweg.potentials.conversion.numeric_options import whole_number
from thalweg.potentials.lazy import public

if TYPE_CHECKING:
    from collections.abc import Callable

    from thalweg.potentials.system import System

__all__ = ["LandscapePath", "landscape_path"]

_SAME = 1e-4  # of energies, to tell which side of a transition state is which


@public("thalweg.analysis")
@dataclass(frozen=True, eq=False)
class LandscapePath(Curve):
    """A lowest-barrier path: minima, the transition states between them, and points on the way.

    Attributes
    ----------
    energy : (k,) ndarray
        Energies along the path.
    length : (k,) ndarray
        Distances along the path from the first minimum, rising.
    kinds : (k,) str ndarray
        "minimum", "transition state", or "" for points between.
    numbers : (k,) int ndarray
        Row of the minimum or transition state in its landscape; -1 for points between.
    points : (k, n) ndarray
        Coordinates. Each piece between two minima is continuous; the next one may begin at another symmetry copy of
        the minimum, see :meth:`continuous`.
    followed : (pieces,) bool ndarray
        Which transition states were followed down. Of the others only the stationary points are here, as far apart as
        their stored path lengths; where these are not known, as the points themselves.
    units : str
        Unit of energy.
    mass_weighted : bool
        Whether lengths are those of intrinsic reaction coordinates, in sqrt(u) times the unit of length.
    measured : (pieces,) bool ndarray, optional
        Which pieces are as long as steepest descent; of the others the length is the distance of their stationary
        points. All where missing.

    Examples
    --------
    >>> import numpy as np
    >>> from thalweg.analysis import LandscapePath
    >>> path = LandscapePath(
    ...     energy=np.array([0.0, 2.0, 1.0]),
    ...     length=np.array([0.0, 0.7, 1.1]),
    ...     kinds=np.array(["minimum", "transition state", "minimum"]),
    ...     numbers=np.array([0, 5, 3]),
    ...     points=np.array([[0.0], [0.7], [1.1]]),
    ...     followed=np.array([False]),
    ... )
    >>> path.highest, path.stationary.tolist()
    (2.0, [0, 1, 2])
    """

    energy: NDArray[np.float64]
    length: NDArray[np.float64]
    kinds: NDArray[np.str_]
    numbers: NDArray[np.int64]
    points: NDArray[np.float64]
    followed: NDArray[np.bool_]
    units: str = "reduced"
    mass_weighted: bool = False
    measured: NDArray[np.bool_] | None = None

    @property
    def highest(self) -> float:
        """The highest energy on the path."""
        return float(self.energy.max())

    @property
    def stationary(self) -> NDArray[np.int64]:
        """Rows of the minima and transition states, in order."""
        return np.flatnonzero(self.numbers >= 0)

    def columns(self) -> dict[str, NDArray[Any]]:
        kind, *rest = super().columns().items()
        return dict([kind, ("number", self.numbers), *rest])

    def save_with_structures(
        self,
        path: str | os.PathLike[str],
        system: System,
        *,
        metadata: dict[str, str] | None = None,
        relative: bool = False,
        named: bool | None = None,
    ) -> None:
        """Write a picture that has the structures of minima and transition states above the energies.

        Each is laid on the one before, and all are seen from one side. Of more than nine the ends, the highest and some
        between are shown.

        Parameters
        ----------
        path : path
            File that ends in .png, .pdf or .svg.
        system : System
            System of atoms, such as ``landscape.geometry``.
        metadata : dict, optional
            Metadata of a picture, as matplotlib's ``savefig`` takes them.
        relative, named : bool, optional
            As in :meth:`plot`.

        Raises
        ------
        ValueError
            For another ending, or a system that is not atoms.
        """
        from thalweg.analysis.networks.path_picture import draw_with_structures

        if system.atoms is None:
            raise ValueError("only atoms have structures: save(path) draws the energies alone")
        if FilePath(path).suffix.lower() not in PICTURES:
            raise ValueError(f"{path} must end in {', '.join(PICTURES[:-1])} or {PICTURES[-1]}")
        draw_with_structures(self, system, path, metadata, relative=relative, named=named)

    def continuous(self, system: System) -> NDArray[np.float64]:
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
    mass_weighted: bool = False,
    progress: Callable[[int, int], object] | None = None,
    network: KineticTransitionNetwork | None = None,
) -> LandscapePath:
    """Return the path between two stored minima whose highest point is lowest, recomputed from its transition states.

    Parameters
    ----------
    landscape : Landscape or path of its store
        Searches that are committed count.
    start, end : int
        Rows of minima.
    points : int
        Approximate number of points of each piece between two minima.
    follow : bool
        Whether to follow every transition state down; without, only stationary points are in the result.
    mass_weighted : bool
        Whether to follow intrinsic reaction coordinates, in mass-weighted coordinates; it needs ``follow`` and atoms.
    progress : callable, optional
        Called with the number of transition states that have been followed, and the number of all.
    network : KineticTransitionNetwork, optional
        The network of the landscape, if it has been read already.

    Returns
    -------
    LandscapePath

    Raises
    ------
    ValueError, IndexError
        If there is no such minimum, no path joins the two, or the system that ``follow`` needs cannot be built.

    Examples
    --------
    >>> from thalweg.analysis import landscape_path
    >>> from thalweg.landscapes import Landscape
    >>> from thalweg.potentials import MuellerBrown, Point
    >>> with Landscape(Point([0.0, 1.0], calc=MuellerBrown()), "wells.zarr", seed=0) as landscape:
    ...     _ = landscape.find_minima(steps=20)
    ...     _ = landscape.connect(searches=10)
    ...     path = landscape_path(landscape, 0, 1, follow=False)
    >>> len(path.points), path.kinds.tolist()
    (3, ['minimum', 'transition state', 'minimum'])
    """
    points = whole_number("points", points, 5, 1_000_000)
    if not isinstance(landscape, Landscape):
        landscape = Landscape.open(FilePath(landscape))
    if mass_weighted and not follow:
        raise ValueError("mass_weighted=True needs follow=True: a store has lengths without masses")
    network = KineticTransitionNetwork.read(landscape.path) if network is None else network
    found = network.lowest_barrier_path(start, end)
    system = landscape.system if follow else None
    pieces, followed, measured = [], [], []
    for place, state in enumerate(found.transition_states):
        ends = int(found.minima[place]), int(found.minima[place + 1])
        piece = None if system is None else _followed(landscape, system, int(state), ends, points, mass_weighted)
        followed.append(piece is not None)
        known = True
        if piece is None:
            piece, known = _stored(landscape, int(state), ends, mass_weighted)
        pieces.append(piece)
        measured.append(known)
        if progress is not None:
            progress(place + 1, len(found))
    if not pieces:
        pieces = [_single(landscape, start)]
    whole = _joined(pieces)
    return LandscapePath(
        **whole._replace(kinds=whole.kinds.astype("<U16"))._asdict(), followed=np.array(followed, dtype=bool),
        units=landscape.units, mass_weighted=mass_weighted, measured=np.array(measured, dtype=bool),
    )  # fmt: skip


class _Piece(NamedTuple):
    """A path from one minimum to the next, fields as in :class:`LandscapePath`."""

    energy: NDArray[np.float64]
    length: NDArray[np.float64]
    kinds: NDArray[np.str_]
    numbers: NDArray[np.int64]
    points: NDArray[np.float64]

    def after(self, before: _Piece) -> _Piece:
        """Return what the piece adds to one that ends where it starts."""
        length = self.length + before.length[-1]
        return _Piece(self.energy[1:], length[1:], self.kinds[1:], self.numbers[1:], self.points[1:])


def _followed(
    landscape: Landscape, system: System, state: int, ends: tuple[int, int], points: int, mass_weighted: bool
) -> _Piece | None:
    """Return the path over a transition state by following it down; None where it leads elsewhere than it did."""
    try:
        x = landscape.transition_states.coordinates[state]
        rms = max(landscape.tolerances.gradient_rms, 1e-12)
        down = pathway(system, x, points=points, rms=rms, mass_weighted=mass_weighted)
    except RuntimeError:
        return None
    wanted = landscape.minima.energy[:][list(ends)]
    forward = np.abs(down.energy[[0, -1]] - wanted).max() < _SAME
    backward = np.abs(down.energy[[-1, 0]] - wanted).max() < _SAME
    if forward and backward and ends[0] != ends[1]:
        # minima of one energy: the nearer copy tells
        first = landscape.minima.coordinates[ends[0]]
        forward = system.distance(first, down.points[0]) <= system.distance(first, down.points[-1])
    if not (forward or backward):
        return None
    turn = slice(None) if forward else slice(None, None, -1)
    numbers = np.full(len(down.energy), -1)
    numbers[down.transition_state] = state
    numbers = numbers[turn]
    numbers[[0, -1]] = ends
    length = down.length if forward else down.length[-1] - down.length[::-1]
    return _Piece(down.energy[turn], length, down.kinds[turn], numbers, down.points[turn])


def _stored(landscape: Landscape, state: int, ends: tuple[int, int], mass_weighted: bool) -> tuple[_Piece, bool]:
    """Return the path over a transition state by its three stationary points, and whether its length is known.

    Where the store has no lengths, distances of the points stand for them: nobody has followed the path.
    """
    minima, states = landscape.minima, landscape.transition_states
    lengths = states.path_length[state]
    if int(states.minima[state][0]) != ends[0]:
        lengths = lengths[::-1]
    energy = np.array([minima.energy[ends[0]], states.energy[state], minima.energy[ends[1]]])
    rows = [minima.coordinates[ends[0]], states.coordinates[state], minima.coordinates[ends[1]]]
    known = bool(np.isfinite(lengths).all()) and not mass_weighted
    if not known:
        lengths = np.array([_apart(landscape, rows[1], rows[k], mass_weighted) for k in (0, 2)])
    length = np.concatenate([[0.0], np.cumsum(lengths)])
    kinds = np.array(["minimum", "transition state", "minimum"])
    return _Piece(energy, length, kinds, np.array([ends[0], state, ends[1]]), np.array(rows)), known


def _apart(landscape: Landscape, x: NDArray[np.float64], y: NDArray[np.float64], mass_weighted: bool) -> float:
    """Return the distance of two points, aligned; that of the points as they are where there is no symmetry."""
    try:
        system = landscape.geometry
    except ValueError:
        return float(np.linalg.norm(x - y))
    step = system.align(x, y) - x
    if mass_weighted and system.atoms is not None:
        step = step * np.sqrt(np.repeat(system.atoms.get_masses(), 3))
    return float(np.linalg.norm(step))


def _single(landscape: Landscape, minimum: int) -> _Piece:
    """Return the path from a minimum to itself."""
    x = landscape.minima.coordinates[minimum]
    energy = landscape.minima.energy[:][[minimum]]
    return _Piece(energy, np.zeros(1), np.array(["minimum"]), np.array([minimum]), x[None])


def _joined(pieces: list[_Piece]) -> _Piece:
    """Put pieces one after another; the minimum at which two meet is in the result once."""
    parts = [pieces[0]]
    for piece in pieces[1:]:
        parts.append(piece.after(parts[-1]))
    return _Piece(*(np.concatenate(column) for column in zip(*parts, strict=True)))
