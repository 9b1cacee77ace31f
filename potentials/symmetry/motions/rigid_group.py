"""Group of finite rigid motions that leave an energy and all fixed coordinates unchanged."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

__all__ = ["RigidGroup", "rigid_group"]

_SAME = 1e-6  # of the size of what is fixed: points are on one line, or at one place


@dataclass(frozen=True)
class RigidGroup:
    """Rotations about the centroid, a point or an axis, translations, and operations such as a mirror.

    Attributes
    ----------
    turns : int
        Dimension of the rotations: 0 for none, 1 about ``axis``, 3 for all.
    axis : ndarray, shape (3,)
        Unit vector; without meaning unless ``turns`` is 1.
    pivot : ndarray, shape (3,), or None
        Point that rotations leave in place; None for the centroid.
    pivot_atom : int
        Atom about which rotations are instead, -1 for none.
    shifts : ndarray, shape (3, 3)
        Projector on the translations.
    operations : tuple of ndarray, shape (3, 3)
        Orthogonal matrices about the pivot, the identity first, that with the rotations give all operations.
    """

    turns: int
    axis: NDArray[np.float64]
    pivot: NDArray[np.float64] | None
    pivot_atom: int
    shifts: NDArray[np.float64]
    operations: tuple[NDArray[np.float64], ...]

    def centre(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the point of a structure (atoms, 3) about which it is turned."""
        if self.pivot_atom >= 0:
            return x[self.pivot_atom]
        return x.mean(axis=0) if self.pivot is None else self.pivot

    @property
    def improper(self) -> bool:
        """Whether there is a mirror or an inversion among the operations."""
        return any(np.linalg.det(one) < 0 for one in self.operations)


def rigid_group(
    rigid: NDArray[np.float64],
    fixed: NDArray[np.bool_],
    positions: NDArray[np.float64],
    inversion: bool,
    endless: bool,
) -> RigidGroup:
    """Return the finite motions of a structure.

    Parameters
    ----------
    rigid : ndarray, shape (k, 6)
        Infinitesimal rigid motions that leave the energy unchanged, as a System has them.
    fixed : ndarray of bool, shape (atoms, 3)
        Fixed coordinates.
    positions : ndarray, shape (atoms, 3)
        Positions, of which those of fixed coordinates count.
    inversion : bool
        Whether improper operations are allowed.
    endless : bool
        Whether there are periodic images, which operations must keep.
    """
    about = rigid[:, 3:].any(axis=1)
    axes, moves = rigid[about, 3:], rigid[~about, :3]
    turns, axis = (3 if len(axes) == 3 else len(axes)), (axes[0] if len(axes) == 1 else np.array([0.0, 0.0, 1.0]))
    shifts = moves.T @ moves
    whole, some = fixed.all(axis=1), fixed.any(axis=1) & ~fixed.all(axis=1)
    pivot, pivot_atom = None, -1
    if some.sum() == 1 and not whole.any() and turns == 3:
        pivot_atom = int(np.flatnonzero(some)[0])
    elif whole.any() or some.any():
        turns, axis, pivot = _about_fixed(turns, axis, fixed, positions)
    if whole.any():
        shifts = np.zeros((3, 3))
    elif some.any():
        held = np.flatnonzero(fixed[some].any(axis=0))
        shifts = _without(shifts, held)
    group = RigidGroup(turns, axis, pivot, pivot_atom, shifts, (np.eye(3),))
    found = (one for one in _operations(group, endless and not fixed.any()) if inversion or np.linalg.det(one) > 0)
    return replace(group, operations=(np.eye(3), *found))


def _without(shifts: NDArray[np.float64], held: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the projector on those translations that have no part along some Cartesian directions."""
    values, vectors = np.linalg.eigh(shifts)
    basis = vectors[:, values > 0.5]
    if not basis.size:
        return shifts
    _, sizes, rows = np.linalg.svd(basis[held])
    sizes = np.append(sizes, np.zeros(basis.shape[1] - len(sizes)))
    left = basis @ rows[sizes < 1e-9].T
    projector: NDArray[np.float64] = left @ left.T
    return projector


def _about_fixed(
    turns: int, axis: NDArray[np.float64], fixed: NDArray[np.bool_], positions: NDArray[np.float64]
) -> tuple[int, NDArray[np.float64], NDArray[np.float64] | None]:
    """Return the rotations that leave fixed coordinates alone: their dimension, axis and pivot."""
    whole = fixed.all(axis=1)
    points, partial = positions[whole], fixed.any(axis=1) & ~whole
    spread = 1.0 + np.ptp(positions, axis=0).max()
    if turns == 3 and len(points):
        rest = points - points[0]
        far = int(np.argmax(np.linalg.norm(rest, axis=1)))
        length = float(np.linalg.norm(rest[far]))
        if length > _SAME * spread:
            turns, axis = 1, rest[far] / length
        elif partial.any():
            turns, axis = 1, _free_axis(fixed[partial])
    elif turns == 3:
        turns, axis = 1, _free_axis(fixed[partial])
    if turns == 0 or not axis.any():
        return 0, np.array([0.0, 0.0, 1.0]), None
    if turns == 3:
        return 3, axis, points[0]
    held = _held_places(fixed, positions, axis)
    if held is None:
        return 0, axis, None
    across = held - held[:1]
    across = across - np.outer(across @ axis, axis)
    if len(held) and np.linalg.norm(across, axis=1).max() > _SAME * spread:
        return 0, axis, None
    return 1, axis, held[0] if len(held) else None


def _free_axis(masks: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the Cartesian axis about which atoms with these fixed coordinates may turn together; zeros for none."""
    if (masks == masks[0]).all() and masks[0].sum() in (1, 2):
        # across a plane: about its normal; along a line: about the line
        axis = masks[0] if masks[0].sum() == 1 else ~masks[0]
        return axis.astype(np.float64)
    return np.zeros(3)


def _held_places(
    fixed: NDArray[np.bool_], positions: NDArray[np.float64], axis: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Return the places that must lie on the axis of rotation; None if a fixed coordinate rules rotations out."""
    places = []
    for mask, place in zip(fixed, positions, strict=True):
        if not mask.any():
            continue
        across = np.eye(3)[mask] - np.outer(np.eye(3)[mask] @ axis, axis)
        if mask.all():
            places.append(place)
        elif np.abs(across).max() < 1e-9:
            # only its height is fixed, which no rotation changes
            continue
        elif mask.sum() == 2 and abs(axis[~mask][0]) > 1.0 - 1e-9:
            places.append(place)
        else:
            return None
    return np.array(places).reshape(-1, 3)


def _operations(group: RigidGroup, wire: bool) -> list[NDArray[np.float64]]:
    """Return further operations that leave fixed points on the axis, and the images of a free wire, in place."""
    if group.turns == 3:
        return [-np.eye(3)]
    if group.turns == 1:
        least = np.eye(3)[int(np.argmin(np.abs(group.axis)))]
        beside = _mirror(np.cross(group.axis, least))
        if not wire:
            return [beside]
        # a wire may be turned end for end
        return [_mirror(group.axis) @ beside, beside, _mirror(group.axis)]
    return []


def _mirror(normal: NDArray[np.float64]) -> NDArray[np.float64]:
    normal = normal / np.linalg.norm(normal)
    mirror: NDArray[np.float64] = np.eye(3) - 2.0 * np.outer(normal, normal)
    return mirror
