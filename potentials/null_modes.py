"""Directions along which the energy cannot change, by what the system is, not by a count of six."""

from __future__ import annotations

import numba
import numpy as np

from thalweg.potentials.compiled import integers, jit, matrix, vector

__all__ = ["orthonormal_null_modes", "rigid_bits"]


@jit(numba.int64(vector, integers, numba.int64, matrix, matrix))
def orthonormal_null_modes(x, frozen, rigid, constant, out):
    """Write orthonormal null modes at x to the first rows of ``out`` and return how many there are.

    Parameters
    ----------
    x : (n,) coordinates, atom by atom where ``rigid`` is not 0.
    frozen : indices of coordinates that may not move.
    rigid : bits 0-2 translations along x, y, z; bits 3-5 rotations about x, y, z through the centroid.
    constant : (k, n) further null modes, the same everywhere, orthonormal and zero at frozen entries.
    out : (6 + k, n) workspace and result.
    """
    n = x.size
    count = 0
    if rigid != 0:
        raw = np.zeros((6, n))
        atoms = n // 3
        centre = np.zeros(3)
        for a in range(atoms):
            for c in range(3):
                centre[c] += x[3 * a + c] / atoms
        scale = 0.0
        for k in range(n):
            scale += (x[k] - centre[k % 3]) ** 2
        scale = 1.0 / np.sqrt(scale / atoms) if scale > 0.0 else 1.0
        for c in range(3):
            p, q = (c + 1) % 3, (c + 2) % 3
            for a in range(atoms):
                if rigid >> c & 1:
                    raw[c, 3 * a + c] = 1.0
                if rigid >> (3 + c) & 1:
                    raw[3 + c, 3 * a + q] = (x[3 * a + p] - centre[p]) * scale
                    raw[3 + c, 3 * a + p] = -(x[3 * a + q] - centre[q]) * scale
        # combinations that leave every fixed coordinate where it is
        held = np.zeros((6, 6))
        for i in range(6):
            for j in range(6):
                for k in frozen:
                    held[i, j] += raw[i, k] * raw[j, k]
        gram = np.dot(raw, raw.T)
        allowed = np.eye(6)
        kept = 6
        if frozen.size > 0:
            values, vectors = np.linalg.eigh(held)
            kept = 0
            for i in range(6):
                if values[i] < 1e-10 * max(values[5], 1.0):
                    allowed[:, kept] = vectors[:, i]
                    kept += 1
        if kept > 0:
            basis = np.ascontiguousarray(allowed[:, :kept])
            small = np.dot(np.dot(basis.T, gram), basis)
            values, vectors = np.linalg.eigh(small)
            modes = np.dot(np.dot(vectors.T, np.ascontiguousarray(basis.T)), raw)
            for i in range(kept):
                if values[i] > 1e-9 * values[kept - 1] and values[i] > 0.0:
                    out[count, :] = modes[i] / np.sqrt(values[i])
                    count += 1
    for i in range(constant.shape[0]):
        out[count, :] = constant[i]
        count += 1
    return count


def rigid_bits(pbc: np.ndarray, cell: np.ndarray, atoms: int) -> int:
    """Return which rigid motions leave the energy of free atoms unchanged.

    Parameters
    ----------
    pbc : (3,) bool, periodic directions; cell : (3, 3); atoms : number of atoms.

    Returns
    -------
    int
        Bits as :func:`orthonormal_null_modes` takes them. Without periodicity all six; one periodic direction
        along a Cartesian axis leaves the rotation about it; otherwise the three translations.
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
