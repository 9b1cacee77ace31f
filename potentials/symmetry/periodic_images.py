"""Periodic images, compiled: the shortest vector of a class, and molecules put together across cell boundaries.

A lattice is an array (7, 3): Minkowski-reduced cell vectors as rows, their inverse, and 1 in the periodic directions.
"""

from __future__ import annotations

import numba
import numpy as np
from ase.geometry import minkowski_reduce
from numpy.typing import ArrayLike, NDArray

from thalweg.potentials.compiled.signatures import integers, jit, matrix, vector

__all__ = ["bring_near", "lattice_of", "make_whole", "nearest_image", "nearest_squares", "reduced_cell"]


@jit(numba.float64(vector, matrix, matrix, integers))
def nearest_image(d, cell, inverse, periodic):
    """Make d the shortest vector of the same class; its squared length is returned."""
    base, whole = np.empty(3), np.empty(3)
    for k in range(3):
        fraction = d[0] * inverse[0, k] + d[1] * inverse[1, k] + d[2] * inverse[2, k]
        whole[k] = -np.rint(fraction) if periodic[k] else 0.0
    for k in range(3):
        base[k] = d[k] + whole[0] * cell[0, k] + whole[1] * cell[1, k] + whole[2] * cell[2, k]
        d[k] = base[k]
    shortest = base[0] ** 2 + base[1] ** 2 + base[2] ** 2
    # in a reduced cell the shortest is at most one cell further
    for f in range(-periodic[0], periodic[0] + 1):
        for g in range(-periodic[1], periodic[1] + 1):
            for h in range(-periodic[2], periodic[2] + 1):
                x = base[0] + f * cell[0, 0] + g * cell[1, 0] + h * cell[2, 0]
                y = base[1] + f * cell[0, 1] + g * cell[1, 1] + h * cell[2, 1]
                z = base[2] + f * cell[0, 2] + g * cell[1, 2] + h * cell[2, 2]
                square = x * x + y * y + z * z
                if square < shortest - 1e-12 * shortest:
                    shortest = square
                    d[0], d[1], d[2] = x, y, z
    return shortest


@jit(numba.void(vector, matrix, vector))
def make_whole(x, lattice, out):
    """Write coordinates (n,) with each atom in the image nearest to an atom that is in its place already.

    The first atom stays; next always comes the atom that is nearest to any of those placed (Prim's spanning tree), so
    that a molecule which the cell's boundary cuts is in one piece. An empty lattice leaves all as it is.
    """
    for k in range(x.size):
        out[k] = x[k]
    if lattice.shape[0] == 0:
        return
    n, cell, inverse = x.size // 3, np.empty((3, 3)), np.empty((3, 3))
    periodic, d = np.empty(3, np.int64), np.empty(3)
    for k in range(3):
        periodic[k] = int(lattice[6, k])
        for h in range(3):
            cell[k, h], inverse[k, h] = lattice[k, h], lattice[3 + k, h]
    nearest, places, placed = np.full(n, np.inf), np.empty((n, 3)), np.zeros(n, np.bool_)
    last = 0
    for _ in range(n - 1):
        placed[last] = True
        best = -1
        for i in range(n):
            if placed[i]:
                continue
            for k in range(3):
                d[k] = x[3 * i + k] - out[3 * last + k]
            square = nearest_image(d, cell, inverse, periodic)
            if square < nearest[i]:
                nearest[i] = square
                for k in range(3):
                    places[i, k] = out[3 * last + k] + d[k]
            if best < 0 or nearest[i] < nearest[best]:
                best = i
        if best < 0:
            return
        for k in range(3):
            out[3 * best + k] = places[best, k]
        last = best


@jit(numba.void(matrix, matrix, matrix, matrix))
def nearest_squares(a, b, lattice, squares):
    """Write the squared distance of each atom of a from the nearest image of each of b."""
    cell, inverse, periodic, d = np.eye(3), np.eye(3), np.zeros(3, np.int64), np.empty(3)
    if lattice.shape[0] > 0:
        for k in range(3):
            periodic[k] = int(lattice[6, k])
            for h in range(3):
                cell[k, h], inverse[k, h] = lattice[k, h], lattice[3 + k, h]
    for i in range(a.shape[0]):
        for j in range(b.shape[0]):
            for k in range(3):
                d[k] = a[i, k] - b[j, k]
            squares[i, j] = nearest_image(d, cell, inverse, periodic)


@jit(numba.void(matrix, matrix, matrix))
def bring_near(a, b, lattice):
    """Move each atom of b, in place, to its image nearest to the atom of a with the same number."""
    if lattice.shape[0] == 0:
        return
    cell, inverse, periodic, d = np.eye(3), np.eye(3), np.zeros(3, np.int64), np.empty(3)
    for k in range(3):
        periodic[k] = int(lattice[6, k])
        for h in range(3):
            cell[k, h], inverse[k, h] = lattice[k, h], lattice[3 + k, h]
    for i in range(a.shape[0]):
        for k in range(3):
            d[k] = a[i, k] - b[i, k]
        nearest_image(d, cell, inverse, periodic)
        for k in range(3):
            b[i, k] = a[i, k] - d[k]


def reduced_cell(cell: ArrayLike | None, pbc: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the shortest cell vectors of the same lattice, with unit vectors in directions that are not periodic.

    Raises
    ------
    ValueError
        If the shape is wrong, or the periodic directions span no volume.
    """
    if not pbc.any():
        return np.eye(3)
    cell = np.array(cell, dtype=np.float64)
    if cell.shape != (3, 3):
        raise ValueError(f"cell must have the shape (3, 3); it has {cell.shape}")
    if np.linalg.matrix_rank(cell[pbc]) < pbc.sum():
        raise ValueError("cell must have independent vectors in the periodic directions")
    reduced = np.array(minkowski_reduce(cell, pbc)[0])
    _, _, axes = np.linalg.svd(reduced[pbc])
    reduced[~pbc] = axes[pbc.sum() :]
    return np.ascontiguousarray(reduced)


def lattice_of(cell: ArrayLike | None, pbc: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the lattice (7, 3) of a cell; (0, 3) without periodic directions."""
    if not pbc.any():
        return np.zeros((0, 3))
    reduced = reduced_cell(cell, pbc)
    return np.ascontiguousarray(np.vstack([reduced, np.linalg.inv(reduced), pbc.astype(np.float64)]))
