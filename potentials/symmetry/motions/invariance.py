"""Rigid motions that leave an energy unchanged: those that a cell allows, tested by turned and shifted copies.

A set of rigid motions is an array (k, 6): parts along the translations in x, y, z and the rotations about x, y, z.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from thalweg.potentials.symmetry.periodic_images import lattice_of, make_whole

__all__ = ["allowed_motions", "measured_motions"]

Evaluate = Callable[[NDArray[np.float64]], tuple[float, NDArray[np.float64]]]

# Energies of a copy that may differ from that of the original, by rounding or noise, in its unit: more is a field, and
# a molecule in a periodic box feels its images
_NOISE, _IMAGES = 1e-4, 1e-5
_RELATIVE = 1e-9
# Any angles and lengths serve that no symmetry of a molecule or cell has
_ANGLES = (0.61, 1.37)
_ODD = np.array([0.48, 0.29, -0.83])
_SHIFT = np.array([0.31, -0.47, 0.58])
# A direction without torque or force: of the largest of all directions, no more than this part
_VANISHES = 0.02
# Empty space that parts a molecule from its images, in distances of neighbours
_GAP = 1.5


def allowed_motions(pbc: NDArray[np.bool_], cell: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rigid motions that a cell allows whatever is in it, shape (k, 6).

    All six without periodicity; translations and the rotation about the axis with one periodic direction, whatever
    way it points; translations otherwise.

    Parameters
    ----------
    pbc : ndarray of bool, shape (3,)
        Periodic directions.
    cell : ndarray, shape (3, 3)
        Cell vectors as rows.
    """
    if not pbc.any():
        return np.eye(6)
    if pbc.sum() > 1:
        return np.eye(3, 6)
    return _motions(np.eye(3), _unit(cell[int(np.flatnonzero(pbc)[0])])[None])


def measured_motions(
    evaluate: Evaluate, x: NDArray[np.float64], pbc: NDArray[np.bool_], cell: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the rigid motions that leave the energy unchanged, by copies of one structure, shape (k, 6).

    What the cell allows is tested by a copy that is shifted and turned at once. Where that has another energy, as in
    a field, copies shifted and turned alone tell which motions remain: a uniform field leaves the rotation about its
    direction. A molecule in a periodic box, with empty space round it, may turn as well if a copy has the same energy.

    Parameters
    ----------
    evaluate : callable
        ``evaluate(x)`` returns the energy and the gradient (n,).
    x : ndarray, shape (n,)
        Positions, atom by atom.
    pbc, cell
        As :func:`allowed_motions` takes them.
    """
    allowed, lattice, whole = allowed_motions(pbc, cell), lattice_of(cell, pbc), np.empty(x.size)
    make_whole(x, lattice, whole)
    empty = _empty_directions(x.reshape(-1, 3), lattice, pbc, cell, _spacing(whole.reshape(-1, 3)))
    candidates = [] if pbc.sum() > 1 else [(allowed, _NOISE)]
    if pbc.any() and empty[pbc].all():
        candidates.insert(0, (np.eye(6), _IMAGES))
    elif pbc.sum() > 1 and (pbc & ~empty).sum() == 1:
        candidates.insert(0, (_about(cell[int(np.flatnonzero(pbc & ~empty)[0])]), _IMAGES))
    if not candidates:
        return allowed
    copies = _Copies(evaluate, whole.reshape(-1, 3))
    for motions, tolerance in candidates:
        if copies.same(motions, tolerance):
            return motions
    return allowed if pbc.sum() > 1 else copies.remaining(allowed, _NOISE)


class _Copies:
    """Energies of shifted and turned copies of a structure (atoms, 3)."""

    def __init__(self, evaluate: Evaluate, positions: NDArray[np.float64]):
        self.evaluate, self.positions = evaluate, positions
        self.centre = positions.mean(axis=0)
        self.spacing = _spacing(positions)
        self.energy = evaluate(positions.ravel())[0]

    def at(
        self, rotation: Rotation, shift: NDArray[np.float64]
    ) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
        """Return the energy of a copy, the sum of its gradient, and the torque about its centre."""
        moved = rotation.apply(self.positions - self.centre)
        energy, gradient = self.evaluate((moved + self.centre + shift).ravel())
        slopes = np.reshape(gradient, (-1, 3))
        return energy, slopes.sum(axis=0), np.cross(moved, slopes).sum(axis=0)

    def equal(self, energy: float, tolerance: float) -> bool:
        """Return whether an energy is that of the structure; True where neither is a number."""
        limit = tolerance + _RELATIVE * abs(self.energy)
        return not np.isfinite(self.energy) or bool(abs(energy - self.energy) <= limit)

    def same(self, motions: NDArray[np.float64], tolerance: float) -> bool:
        """Return whether the energy of a copy, moved along all motions at once, is that of the structure."""
        return self.equal(self.at(_turn(motions, _ANGLES[0]), self.spacing * _shift(motions))[0], tolerance)

    def remaining(self, allowed: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
        """Return those of the motions, not all, that leave the energy unchanged."""
        shifts, turns = _parts(allowed)
        still = Rotation.identity()
        shifted = self.at(still, self.spacing * _shift(allowed))
        turned = [self.at(_turn(allowed, angle), np.zeros(3)) for angle in _ANGLES]
        here = self.at(still, np.zeros(3))
        if not self.equal(shifted[0], tolerance):
            forces = np.array([here[1], shifted[1], turned[0][1], turned[1][1]])
            shifts = _without(shifts, forces)
            moved = self.at(still, self.spacing * _shift(_motions(shifts, turns[:0])))
            shifts = shifts if self.equal(moved[0], tolerance) else shifts[:0]
        if not all(self.equal(one[0], tolerance) for one in turned):
            turns = _without(turns, np.array([one[2] for one in (here, *turned)]))
            rotated = self.at(_turn(_motions(shifts[:0], turns), _ANGLES[0]), np.zeros(3))
            turns = turns if len(turns) == 1 and self.equal(rotated[0], tolerance) else turns[:0]
        return _motions(shifts, turns)


def _unit(v: NDArray[np.float64]) -> NDArray[np.float64]:
    unit = v / np.linalg.norm(v)
    # exact where it lies along an axis, up to rounding
    unit[np.abs(unit) < 1e-12] = 0.0
    return unit / np.linalg.norm(unit)


def _motions(shifts: NDArray[np.float64], turns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return translations along some directions (k, 3) and rotations about others as motions."""
    motions = np.zeros((len(shifts) + len(turns), 6))
    motions[: len(shifts), :3], motions[len(shifts) :, 3:] = shifts, turns
    return motions


def _parts(motions: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the directions of translations and the axes of rotations."""
    turns = motions[:, 3:].any(axis=1)
    return motions[~turns, :3], motions[turns, 3:]


def _about(axis: NDArray[np.float64]) -> NDArray[np.float64]:
    return _motions(np.eye(3), _unit(axis)[None])


def _shift(motions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return an odd translation among the motions, for a spacing of one."""
    shifts = _parts(motions)[0]
    moved: NDArray[np.float64] = shifts.T @ (shifts @ _SHIFT)
    return moved


def _turn(motions: NDArray[np.float64], angle: float) -> Rotation:
    """Return an odd rotation among the motions."""
    turns = _parts(motions)[1]
    axis = _ODD if len(turns) > 1 else turns.sum(axis=0)
    if len(turns) > 1 and angle != _ANGLES[0]:
        axis = np.roll(_ODD, 1)
    return Rotation.from_rotvec(angle * axis)


def _without(directions: NDArray[np.float64], pulls: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the combinations of directions (k, 3) along which none of the forces or torques (m, 3) has a part."""
    if not len(directions):
        return directions
    parts = pulls @ directions.T
    if not np.isfinite(parts).all():
        return directions[:0]
    _, sizes, vectors = np.linalg.svd(parts)
    sizes = np.append(sizes, np.zeros(len(directions) - len(sizes)))
    free: NDArray[np.float64] = vectors[sizes <= _VANISHES * max(sizes[0], 1e-300)] @ directions
    return np.array([_unit(one) for one in free]).reshape(-1, 3)


def _spacing(positions: NDArray[np.float64]) -> float:
    """Return the mean distance to the nearest neighbour; 1 for a single atom."""
    if len(positions) < 2:
        return 1.0
    apart = np.linalg.norm(positions[:, None] - positions[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    return float(apart.min(axis=1).mean())


def _empty_directions(
    positions: NDArray[np.float64],
    lattice: NDArray[np.float64],
    pbc: NDArray[np.bool_],
    cell: NDArray[np.float64],
    spacing: float,
) -> NDArray[np.bool_]:
    """Return the periodic directions (3,) of the cell in which a layer of empty space parts images."""
    empty = np.zeros(3, dtype=bool)
    if not len(lattice):
        return empty
    full = np.array(cell, dtype=np.float64)
    full[~pbc] = lattice[:3][~pbc]
    inverse = np.linalg.inv(full)
    for k in np.flatnonzero(pbc):
        height = 1.0 / np.linalg.norm(inverse[:, k])
        places = np.sort((positions @ inverse[:, k]) % 1.0)
        gap = np.diff(np.append(places, places[0] + 1.0)).max()
        empty[k] = gap * height > _GAP * spacing
    return empty
