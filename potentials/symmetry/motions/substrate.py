"""Symmetry of what does not move: operations that lay fixed atoms, and a cell, on themselves."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thalweg.potentials.symmetry.periodic_images import nearest_squares

__all__ = ["Operation", "substrate_operations"]

_SAME = 1e-4  # in the unit of length: how far a fixed atom may lie from the place of an equal one
_MOST = 2000  # operations


class Operation(NamedTuple):
    """A motion x -> matrix x + shift, after which atom i is the former atom order[i].

    Attributes
    ----------
    matrix : ndarray, shape (3, 3)
        Orthogonal matrix.
    shift : ndarray, shape (3,)
        Translation that follows.
    order : ndarray of int, shape (atoms,)
        Which atom lies then where atom i was.
    """

    matrix: NDArray[np.float64]
    shift: NDArray[np.float64]
    order: NDArray[np.int64]

    def apply(self, x: NDArray[np.float64], fixed: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return positions (atoms, 3) after the operation; fixed atoms (atoms,) are where they were."""
        moved = (x @ self.matrix.T + self.shift)[self.order]
        moved[fixed] = x[fixed]
        return moved


def substrate_operations(
    positions: NDArray[np.float64],
    fixed: NDArray[np.bool_],
    kinds: NDArray[np.int64],
    lattice: NDArray[np.float64],
    inversion: bool,
    exchange: bool,
) -> list[Operation]:
    """Return the operations that lay fixed atoms on equal ones, and a lattice on itself; the identity is left out.

    Parameters
    ----------
    positions : ndarray, shape (atoms, 3)
        Positions, of which those of fixed atoms count.
    fixed : ndarray of bool, shape (atoms,)
        Fixed atoms. Where there are none, the operations of the lattice about the origin are returned: what they
        leave open is a translation.
    kinds : ndarray of int, shape (atoms,)
        Equal for equal atoms.
    lattice : ndarray, shape (7, 3) or (0, 3)
        Periodic images, see :mod:`~thalweg.potentials.symmetry.periodic_images`.
    inversion : bool
        Whether improper operations count.
    exchange : bool
        Whether fixed atoms may be exchanged.
    """
    points, own = positions[fixed], kinds[fixed]
    matrices = _lattice_matrices(lattice) if len(lattice) else _point_matrices(points, own)
    whole = np.arange(len(positions))
    found = []
    for matrix in matrices:
        if not inversion and np.linalg.det(matrix) < 0:
            continue
        if not len(points):
            found.append(Operation(matrix, np.zeros(3), whole))
            continue
        for shift in _shifts(matrix, points, own, bool(len(lattice))):
            order = _order(points @ matrix.T + shift, points, own, lattice)
            if order is None or not (exchange or np.array_equal(order, np.arange(len(order)))):
                continue
            full = whole.copy()
            full[fixed] = np.flatnonzero(fixed)[order]
            found.append(Operation(matrix, shift, full))
    still = [np.allclose(one.matrix, np.eye(3)) and np.abs(one.shift).max() < _SAME for one in found]
    return [one for one, is_still in zip(found, still, strict=True) if not is_still][:_MOST]


def _shifts(
    matrix: NDArray[np.float64], points: NDArray[np.float64], kinds: NDArray[np.int64], endless: bool
) -> list[NDArray[np.float64]]:
    """Return the translations after a matrix that may lay the points on themselves."""
    if not endless:
        centre = points.mean(axis=0)
        return [centre - matrix @ centre]
    counts = np.bincount(kinds)[kinds]
    first = int(np.argmin(counts))
    return [points[other] - matrix @ points[first] for other in np.flatnonzero(kinds == kinds[first])]


def _order(
    moved: NDArray[np.float64], points: NDArray[np.float64], kinds: NDArray[np.int64], lattice: NDArray[np.float64]
) -> NDArray[np.int64] | None:
    """Return which moved point lies where each point is; None unless there is one of its kind for each."""
    squares = np.empty((len(points), len(points)))
    nearest_squares(np.ascontiguousarray(points), np.ascontiguousarray(moved), lattice, squares)
    squares[kinds[:, None] != kinds[None]] = np.inf
    order = squares.argmin(axis=1)
    if squares.min(axis=1).max() > _SAME**2 or len(set(order.tolist())) < len(order):
        return None
    return order


def _lattice_matrices(lattice: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Return the orthogonal matrices that lay a reduced lattice on itself, directions without images on themselves."""
    cell, inverse, periodic = lattice[:3], lattice[3:6], lattice[6] > 0
    free: list[tuple[int, ...]] = [
        (-1, 0, 1) if periodic[row] and periodic[k] else (0,) for row in range(3) for k in range(3)
    ]
    for k in np.flatnonzero(~periodic):
        free[4 * k] = (-1, 1)
    whole = np.array(list(product(*free)), dtype=np.float64).reshape(-1, 3, 3)
    metric = cell @ cell.T
    same = np.abs(whole @ metric @ whole.transpose(0, 2, 1) - metric).max(axis=(1, 2)) < 1e-6 * np.abs(metric).max()
    # rows of the cell are vectors: W cell = cell M^T
    return [(inverse @ one @ cell).T for one in whole[same]]


def _point_matrices(points: NDArray[np.float64], kinds: NDArray[np.int64]) -> list[NDArray[np.float64]]:
    """Return the orthogonal matrices about the centroid that may lay points on themselves.

    Of points on a line: those that turn it end for end. Without points, or with one, there are none: all rotations
    are dealt with elsewhere.
    """
    if len(points) < 2:
        return []
    own = points - points.mean(axis=0)
    _, sizes, rows = np.linalg.svd(own)
    if len(points) == 2 or sizes[1] <= _SAME:
        return [np.eye(3) - 2.0 * np.outer(rows[0], rows[0]), 2.0 * np.outer(rows[2], rows[2]) - np.eye(3)]
    radii = np.linalg.norm(own, axis=1)
    first = int(np.argmax(radii))
    second = int(np.argmax(np.linalg.norm(np.cross(own, own[first]), axis=1)))
    frame, matrices = _frame(own[first], own[second]), []
    for p in np.flatnonzero((kinds == kinds[first]) & (np.abs(radii - radii[first]) < _SAME)):
        for q in np.flatnonzero((kinds == kinds[second]) & (np.abs(radii - radii[second]) < _SAME)):
            if abs(own[p] @ own[q] - own[first] @ own[second]) > _SAME * radii[first]:
                continue
            turned = _frame(own[p], own[q])
            for hand in (1.0, -1.0):
                matrices.append(turned.T @ np.diag([1.0, 1.0, hand]) @ frame)
    return matrices


def _frame(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return orthonormal rows: along p, in the plane of p and q, across it."""
    one = p / np.linalg.norm(p)
    two = q - (q @ one) * one
    two = two / np.linalg.norm(two)
    return np.array([one, two, np.cross(one, two)])
