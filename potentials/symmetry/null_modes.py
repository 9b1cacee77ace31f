"""Null modes: directions along which the energy cannot change, found from the motions that a system allows."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from thalweg.potentials.compiled.signatures import integers, jit, matrix, vector

__all__ = ["lift_null_modes", "orthonormal_null_modes", "rigid_bits"]


@jit(numba.void(vector, numba.int64, matrix))
def _rigid_motions(x, rigid, raw):
    """Write translations and rotations about the centroid to the rows of ``raw`` (6, n), those that exist."""
    atoms = x.size // 3
    centre = np.zeros(3)
    for k in range(x.size):
        centre[k % 3] += x[k] / atoms
    square = 0.0
    for k in range(x.size):
        square += (x[k] - centre[k % 3]) ** 2
    scale = 1.0 / np.sqrt(square / atoms) if square > 0.0 else 1.0
    for c in range(3):
        p, q = (c + 1) % 3, (c + 2) % 3
        for a in range(atoms):
            if rigid >> c & 1:
                raw[c, 3 * a + c] = 1.0
            if rigid >> (3 + c) & 1:
                raw[3 + c, 3 * a + q] = (x[3 * a + p] - centre[p]) * scale
                raw[3 + c, 3 * a + p] = -(x[3 * a + q] - centre[q]) * scale


@jit(numba.float64(matrix, numba.int64, numba.int64, integers, numba.boolean))
def _overlap(rows, i, j, some, all_entries):
    """Return the scalar product of two rows, over all entries or over some."""
    total = 0.0
    if all_entries:
        for k in range(rows.shape[1]):
            total += rows[i, k] * rows[j, k]
    else:
        for k in some:
            total += rows[i, k] * rows[j, k]
    return total


@jit(numba.int64(matrix, integers, numba.boolean, numba.float64, numba.boolean[::1]))
def _eliminate(rows, some, all_entries, smallest, used):
    """Gram-Schmidt with pivoting over rows not used: normalise the longest and take it out of the others.

    Lengths are over ``some`` entries, or all; stops at squares below ``smallest``. Marks and counts the pivots.
    """
    count = 0
    while True:
        best, length = -1, smallest
        for i in range(rows.shape[0]):
            if not used[i]:
                square = _overlap(rows, i, i, some, all_entries)
                if square > length:
                    best, length = i, square
        if best < 0:
            return count
        used[best] = True
        count += 1
        for k in range(rows.shape[1]):
            rows[best, k] /= np.sqrt(length)
        for i in range(rows.shape[0]):
            if not used[i]:
                part = _overlap(rows, i, best, some, all_entries)
                for k in range(rows.shape[1]):
                    rows[i, k] -= part * rows[best, k]


@jit(numba.int64(vector, integers, numba.int64, matrix, matrix))
def orthonormal_null_modes(x, frozen, rigid, constant, out):
    """Write orthonormal null modes at x to the first rows of ``out`` and return how many there are.

    Parameters
    ----------
    x : ndarray, shape (n,)
        Coordinates, atom by atom if ``rigid`` is not 0.
    frozen : ndarray of int
        Indices of coordinates that may not move.
    rigid : int
        Bits 0-2 for translations along x, y, z; bits 3-5 for rotations about x, y, z through the centroid.
    constant : ndarray, shape (k, n)
        Further null modes, the same at all points, orthonormal and zero at frozen entries.
    out : ndarray, shape (6 + k, n)
        Workspace and result.
    """
    count = 0
    if rigid != 0:
        raw, used = np.zeros((6, x.size)), np.zeros(6, dtype=np.bool_)
        _rigid_motions(x, rigid, raw)
        # what moves a fixed coordinate is no null mode: take it out of the motions that remain
        _eliminate(raw, frozen, False, 1e-10, used)
        kept = used.copy()
        # a line of atoms has no rotation about itself: its square, of the order of the atoms' number, is nearly zero
        _eliminate(raw, frozen, True, 1e-9 * x.size, used)
        for i in range(6):
            if used[i] and not kept[i]:
                for k in range(x.size):
                    out[count, k] = raw[i, k]
                count += 1
    for i in range(constant.shape[0]):
        for k in range(x.size):
            out[count, k] = constant[i, k]
        count += 1
    return count


def rigid_bits(pbc: np.ndarray, cell: np.ndarray, atoms: int) -> int:
    """Return the rigid motions that leave the energy of free atoms unchanged, as bits.

    Parameters
    ----------
    pbc : ndarray of bool, shape (3,)
        Periodic directions.
    cell : ndarray, shape (3, 3)
        Cell vectors as rows.
    atoms : int
        Number of atoms.

    Returns
    -------
    int
        Bits for :func:`orthonormal_null_modes`: all six motions without periodicity; the translations and the rotation
        about the axis if the one periodic direction lies along a Cartesian axis; otherwise the three translations.
    """
    translations, rotations = 0b111, 0b111000
    if not pbc.any():
        return translations | rotations
    if pbc.sum() == 1:
        axis = cell[int(np.flatnonzero(pbc)[0])]
        along = np.flatnonzero(np.abs(axis) > 1e-12)
        if along.size == 1:
            return translations | 1 << (3 + int(along[0]))
    return translations


def lift_null_modes(hessian: NDArray[np.float64], null: NDArray[np.float64]) -> None:
    """Raise the eigenvalues of the null modes of a Hessian above all others, in place.

    In ascending order the eigenvalues of the null modes are then the last: the others are those of the Hessian.

    Parameters
    ----------
    hessian : ndarray, shape (m, m)
        Symmetric second derivatives.
    null : ndarray, shape (k, m)
        Orthonormal null modes as rows.
    """
    # no eigenvalue exceeds the largest sum of a row
    hessian += (4.0 * np.abs(hessian).sum(axis=1).max() + 1.0) * null.T @ null
