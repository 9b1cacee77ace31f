"""Structures of atoms beside a curve: balls and bonds, all seen from one side and in one scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from thalweg.optimizers.pictures.labels import spread

if TYPE_CHECKING:
    from ase import Atoms
    from matplotlib.axes import Axes

__all__ = ["StructureAt", "add_structures", "view_of"]

_RADIUS, _SMALL = 0.55, 0.4  # of balls, in covalent radii; in molecules, whose bonds are drawn
_TILT = np.radians([-70.0, 20.0])  # of crystals, about the axes x and y
_LABEL = 0.08  # height of a label above its point, as a part of that of the axes
_OF_NEAREST, _NEIGHBOURS = 0.27, 1.25  # clusters: radius of balls and reach of lines, of the least distance
_HIDDEN = 0.35  # distance of two atoms in a picture below which one hides the other, of the nearest in space
_DIRECTIONS = 500
_MARGIN = 0.9  # around the balls, angstrom


class StructureAt(NamedTuple):
    """A structure, and the point of a curve that it belongs to.

    Attributes
    ----------
    x, y : float
        The point, in data coordinates.
    atoms : Atoms
    labelled : bool
        Whether a label stands above the point.
    """

    x: float
    y: float
    atoms: Atoms
    labelled: bool = False


def view_of(structures: Sequence[Atoms]) -> NDArray[np.float64]:
    """Return the rotation (3, 3) from which structures, and how they differ, are seen best.

    Slabs and layers are seen from above, wires from the side, crystals from a tilted direction. Molecules are seen
    along the direction in which they, and the moves of their atoms from one to the next, extend least; so are clusters,
    unless atoms would hide others there: then along the direction in which the nearest two are farthest apart.

    Examples
    --------
    >>> from ase import Atoms
    >>> from thalweg.optimizers.pictures.structures import view_of
    >>> flat, bent = (Atoms("H3", [[0, 0, 0], [0, 0, 1], [0, y, 2]]) for y in (0.0, 0.5))
    >>> abs(view_of([flat, bent])[2]).round(6).tolist()
    [1.0, 0.0, 0.0]
    """
    pbc, cell = structures[0].pbc, structures[0].cell.array
    if pbc.all():
        (cx, cy), (sx, sy) = np.cos(_TILT), np.sin(_TILT)
        return np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]]) @ np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    if pbc.any():
        # the first row lies along a periodic vector, the last across all of them
        along = np.linalg.qr(np.vstack([cell[pbc], np.eye(3)]).T)[0].T
        along[0] *= np.sign(along[0] @ cell[pbc][0])
        return _proper(along)
    shape, motion = np.zeros((3, 3)), np.zeros((3, 3))
    for before, after in zip([structures[0], *structures[:-1]], structures, strict=True):
        places = after.positions - after.positions.mean(axis=0)
        step = places - before.positions + before.positions.mean(axis=0)
        shape, motion = shape + places.T @ places, motion + step.T @ step
    total = sum(one / max(float(np.trace(one)), 1e-12) for one in (shape, motion))
    view = _proper(np.linalg.eigh(total)[1].T[::-1])
    return view if _is_molecular(structures[0]) else _unhidden(structures, view)


def _is_molecular(atoms: Atoms) -> bool:
    from thalweg.potentials.symmetry.bonds.graph import is_molecular

    return is_molecular(atoms.numbers, atoms.positions, atoms.pbc, atoms.cell.array)


def _unhidden(structures: Sequence[Atoms], view: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a view (3, 3) of clusters in which atoms are seen apart: the one given, if they are there."""
    places = [atoms.positions for atoms in structures]
    pairs = np.triu_indices(len(places[0]), 1)
    between = np.array([place[pairs[0]] - place[pairs[1]] for place in places])
    if not between.size:
        return view

    def apart(direction: NDArray[np.float64]) -> float:
        """Return the least distance of two atoms as seen along a direction, of that in space."""
        seen = np.maximum((between**2).sum(axis=2) - (between @ direction) ** 2, 0.0)
        return float(np.sqrt(seen.min() / max((between**2).sum(axis=2).min(), 1e-12)))

    if apart(view[2]) >= _HIDDEN:
        return view
    # a spiral of directions over half a sphere
    k = np.arange(_DIRECTIONS)
    height, turn = (k + 0.5) / _DIRECTIONS, np.pi * (3.0 - np.sqrt(5.0)) * k
    radius = np.sqrt(1.0 - height**2)
    sphere = np.stack([radius * np.cos(turn), radius * np.sin(turn), height], axis=1)
    best = max(sphere, key=apart)
    across = view[0] - (view[0] @ best) * best
    if np.linalg.norm(across) < 1e-6:
        across = view[1] - (view[1] @ best) * best
    across /= np.linalg.norm(across)
    return np.array([across, np.cross(best, across), best])


def _proper(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return rows (3, 3) of which the last is turned where they would show a mirror image."""
    rows = rows.copy()
    rows[2] = np.cross(rows[0], rows[1])
    return rows


def add_structures(strip: Axes, curve: Axes, shown: Sequence[StructureAt]) -> None:
    """Draw structures side by side in axes above a curve, with lines to their points.

    Parameters
    ----------
    strip : matplotlib Axes
        Axes above the curve, of the same width.
    curve : matplotlib Axes
        Axes of the curve, whose limits are final.
    shown : sequence of StructureAt
        From left to right.
    """
    view = view_of([one.atoms for one in shown])
    places = [one.atoms.positions @ view.T for one in shown]
    places = [place - 0.5 * (place.min(axis=0) + place.max(axis=0)) for place in places]
    span = max(float(np.ptp(place[:, :2], axis=0).max()) for place in places) + 2.0 * _MARGIN
    left, right = curve.get_xlim()
    strip.set_xlim(left, right)
    strip.set_ylim(0.0, 1.0)
    strip.set_axis_off()
    width = 1.0 / len(shown)
    wanted = np.array([(one.x - left) / (right - left) for one in shown])
    middles = spread(wanted, np.full(len(shown) - 1, width), width / 2, 1.0 - width / 2)
    for one, place, middle in zip(shown, places, middles, strict=True):
        inset = strip.inset_axes((middle - 0.48 * width, 0.12, 0.96 * width, 0.88))
        inset.set_axis_off()
        inset.set_aspect("equal")
        inset.set_xlim(-0.5 * span, 0.5 * span)
        inset.set_ylim(-0.5 * span, 0.5 * span)
        _draw(inset, one.atoms, place)
        _dotted(strip, [one.x, left + middle * (right - left)], [0.0, 0.12])
        bottom, top = curve.get_ylim()
        _dotted(curve, [one.x, one.x], [one.y + _LABEL * (top - bottom) * one.labelled, top])


def _neighbours(places: NDArray[np.float64]) -> tuple[NDArray[np.int64], float]:
    """Return the pairs of nearest neighbours (m, 2), and the least distance of any two."""
    i, j = np.triu_indices(len(places), 1)
    distances = np.linalg.norm(places[i] - places[j], axis=1)
    near = distances < _NEIGHBOURS * distances.min()
    return np.stack([i[near], j[near]], axis=1), float(distances.min())


def _between_balls(ends: NDArray[np.float64], radii: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the ends (2, 2) of the part of a line that lies outside of the balls at its ends, as far as it does."""
    along = ends[1] - ends[0]
    length = float(np.linalg.norm(along))
    parts = np.minimum(radii, 0.5 * length) / max(length, 1e-12)
    return ends + np.array([parts[0] * along, -parts[1] * along])


def _dotted(ax: Axes, x: list[float], y: list[float]) -> None:
    ax.plot(x, y, color="0.7", linewidth=0.6, linestyle=(0, (2, 2)), zorder=0)


def _draw(ax: Axes, atoms: Atoms, places: NDArray[np.float64]) -> None:
    """Draw atoms at places (k, 3), the nearest last; fixed ones are paler."""
    from ase.data import covalent_radii
    from ase.data.colors import jmol_colors
    from matplotlib.patches import Circle

    from thalweg.potentials.symmetry.bonds.graph import bonded_pairs

    numbers = atoms.numbers
    about = numbers, atoms.positions, atoms.pbc, atoms.cell.array
    molecular = _is_molecular(atoms)
    held = {int(k) for constraint in atoms.constraints for k in np.ravel(getattr(constraint, "index", []))}
    pairs = bonded_pairs(*about) if molecular else np.zeros((0, 2), dtype=np.int64)
    radii = (_SMALL if molecular else _RADIUS) * covalent_radii[numbers]
    if not molecular and not atoms.pbc.any() and len(atoms) > 1:
        # a cluster: with lines between nearest neighbours, balls may be so small that few are hidden
        pairs, nearest = _neighbours(places)
        radii = np.full(len(atoms), _OF_NEAREST * nearest)
    for i, j in pairs.tolist():
        if np.linalg.norm(places[i] - places[j]) < 3.0 or not molecular:  # none through the walls of a cell
            height = 0.5 * float(places[i, 2] + places[j, 2])
            ax.plot(
                *_between_balls(places[[i, j], :2], radii[[i, j]]).T,
                color="0.45",
                linewidth=1.6,
                zorder=2.0 + 1e-3 * height,
            )
    for k in np.argsort(places[:, 2], kind="stable"):
        ball = Circle(
            (float(places[k, 0]), float(places[k, 1])), float(radii[k]),
            facecolor=jmol_colors[numbers[k]], edgecolor="black", linewidth=0.5,
            alpha=0.35 if int(k) in held else 1.0, zorder=2.0 + 1e-3 * float(places[k, 2]),
        )  # fmt: skip
        ax.add_patch(ball)
