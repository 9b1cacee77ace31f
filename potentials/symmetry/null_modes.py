"""Null modes: directions along which the energy cannot change, found from the motions that a system allows."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from thalweg.potentials.compiled.callbacks import call_address
from thalweg.potentials.compiled.signatures import integers, jit, matrix, vector
from thalweg.potentials.symmetry.periodic_images import make_whole

__all__ = ["lift_null_modes", "orthonormal_null_modes"]


@jit(numba.void(vector, matrix, matrix, matrix))
def _rigid_motions(x, rigid, lattice, raw):
    """Write the rigid motions at x, sums of translations and of rotations about the centroid, to ``raw`` (k, n)."""
    atoms = x.size // 3
    whole, centre = np.empty(x.size), np.zeros(3)
    make_whole(x, lattice, whole)
    for k in range(x.size):
        centre[k % 3] += whole[k] / atoms
    square = 0.0
    for k in range(x.size):
        square += (whole[k] - centre[k % 3]) ** 2
    scale = 1.0 / np.sqrt(square / atoms) if square > 0.0 else 1.0
    for row in range(rigid.shape[0]):
        for c in range(3):
            p, q = (c + 1) % 3, (c + 2) % 3
            along, about = rigid[row, c], rigid[row, 3 + c]
            for a in range(atoms):
                if along != 0.0:
                    raw[row, 3 * a + c] += along
                if about != 0.0:
                    raw[row, 3 * a + q] += about * ((whole[3 * a + p] - centre[p]) * scale)
                    raw[row, 3 * a + p] -= about * ((whole[3 * a + q] - centre[q]) * scale)


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


@jit(numba.types.Tuple((matrix, integers))(matrix, matrix, integers))
def _with_parts_along(raw, constant, frozen):
    """Append to motions of atoms their parts along directions in which nothing moves, as more frozen coordinates."""
    n, k = raw.shape[1], constant.shape[0]
    longer, held = np.zeros((raw.shape[0], n + k)), np.empty(frozen.size + k, dtype=np.int64)
    for i in range(raw.shape[0]):
        for c in range(n):
            longer[i, c] = raw[i, c]
        for j in range(k):
            for c in range(n):
                longer[i, n + j] += constant[j, c] * raw[i, c]
    for i in range(frozen.size):
        held[i] = frozen[i]
    for j in range(k):
        held[frozen.size + j] = n + j
    return longer, held


@jit(numba.int64(vector, integers, matrix, matrix, matrix, integers, matrix))
def orthonormal_null_modes(x, frozen, rigid, lattice, constant, varying, out):
    """Write orthonormal null modes at x to the first rows of ``out`` and return how many there are.

    Parameters
    ----------
    x : ndarray, shape (n,)
        Coordinates, atom by atom if there are rigid motions.
    frozen : ndarray of int
        Indices of coordinates that may not move.
    rigid : ndarray, shape (k, 6)
        Rigid motions that leave the energy unchanged: their parts along the translations in x, y, z and the rotations
        about x, y, z through the centroid.
    lattice : ndarray, shape (7, 3) or (0, 3)
        Lattice across whose cells a molecule is put together before it is turned, see
        :mod:`~thalweg.potentials.symmetry.periodic_images`; empty where atoms are turned as they lie.
    constant : ndarray, shape (k, n)
        Further null modes, the same at all points, orthonormal and zero at frozen entries. For atoms they are the
        directions in which constraints let nothing move: no motion of the whole may have a part along them.
        Where ``varying`` holds an address, only the number of rows counts.
    varying : ndarray of int, shape (0,) or (1,)
        Address of a C function that writes null modes that differ from point to point, at most k of them, see
        :class:`~thalweg.potentials.symmetry.varying_null_modes.VaryingNullModes`.
    out : ndarray, shape (6 + k, n)
        Workspace and result.
    """
    count = 0
    if rigid.shape[0] > 0:
        raw, used = np.zeros((rigid.shape[0], x.size)), np.zeros(rigid.shape[0], dtype=np.bool_)
        _rigid_motions(x, rigid, lattice, raw)
        # what moves a fixed coordinate is no null mode: take it out of the motions that remain
        if constant.shape[0] > 0:
            raw, frozen = _with_parts_along(raw, constant, frozen)
        _eliminate(raw, frozen, False, 1e-10, used)
        kept = used.copy()
        # a line of atoms has no rotation about itself: its square, of the order of the atoms' number, is nearly zero
        _eliminate(raw, frozen, True, 1e-9 * x.size, used)
        for i in range(rigid.shape[0]):
            if used[i] and not kept[i]:
                for k in range(x.size):
                    out[count, k] = raw[i, k]
                count += 1
    if varying.size > 0:
        found = np.zeros(constant.shape)
        number = int(call_address(varying[0], x, found, x.size))
        for i in range(number):
            for k in range(x.size):
                out[count + i, k] = found[i, k]
        return count + number
    for i in range(constant.shape[0]):
        for k in range(x.size):
            out[count, k] = constant[i, k]
        count += 1
    return count


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
