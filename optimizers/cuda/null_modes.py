"""Rigid motions of walkers as null modes, on a GPU, one block per walker."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numba import cuda
from numba.core import types

from thalweg.potentials.cuda.block import device

__all__ = ["RIGID_MOTIONS", "rigid_bits", "rigid_kernel"]

_matrix, _integers = types.float64[:, ::1], types.int64[::1]
RIGID_MOTIONS = (_integers, _matrix, _integers, types.int64, types.float64[:, :, ::1])


@device
def _row_product(rows, i, j, some, every):
    """Return the scalar product of two rows over all entries, or over some."""
    total = 0.0
    for k in range(rows.shape[1] if every else some.size):
        place = k if every else some[k]
        total += rows[i, place] * rows[j, place]
    return total


@device
def _eliminate(rows, some, every, smallest, marks):
    """Gram-Schmidt with pivoting over the six rows with mark 0, whose pivots get mark 2 (all entries) or 1 (some).

    As the function of that name in :mod:`~thalweg.potentials.symmetry.null_modes`: one thread a row. Barriers on both
    sides.
    """
    thread, threads, n = cuda.threadIdx.x, cuda.blockDim.x, rows.shape[1]
    cuda.syncthreads()
    while True:
        for i in range(thread, 6, threads):
            marks[6 + i] = _row_product(rows, i, i, some, every) if marks[i] == 0.0 else -1.0
        cuda.syncthreads()
        best, length = -1, smallest
        for i in range(6):
            if marks[6 + i] > length:
                best, length = i, marks[6 + i]
        if best < 0:
            break
        for i in range(thread, 6, threads):
            if marks[i] == 0.0 and i != best:
                part = _row_product(rows, i, best, some, every) / length
                for k in range(n):
                    rows[i, k] -= part * rows[best, k]
        cuda.syncthreads()
        if thread == 0:
            marks[best] = 2.0 if every else 1.0
        for k in range(thread, n, threads):
            rows[best, k] /= math.sqrt(length)
        cuda.syncthreads()
    cuda.syncthreads()


@device
def _rigid_motion(x, i, row):
    """Write a translation (i below 3) or a rotation about the centroid; one thread."""
    n, atoms = x.size, x.size // 3
    c = i % 3
    p, q = (c + 1) % 3, (c + 2) % 3
    along, centre, height, square = 0.0, 0.0, 0.0, 0.0
    for a in range(0, n, 3):
        along, centre, height = along + x[a + c] / atoms, centre + x[a + p] / atoms, height + x[a + q] / atoms
    for a in range(0, n, 3):
        square += (x[a + c] - along) ** 2 + (x[a + p] - centre) ** 2 + (x[a + q] - height) ** 2
    scale = 1.0 / math.sqrt(square / atoms) if square > 0.0 else 1.0
    for a in range(0, n, 3):
        if i < 3:
            row[a + c] = 1.0
        else:
            row[a + q], row[a + p] = (x[a + p] - centre) * scale, (height - x[a + q]) * scale


def rigid_bits(rigid: np.ndarray) -> int:
    """Return rigid motions (k, 6) as bits: 0 to 2 for translations along x, y, z, 3 to 5 for rotations about them.

    Raises
    ------
    ValueError
        For a motion about or along another axis, which the device functions do not know.
    """
    if not np.array_equal(rigid, np.eye(6)[rigid.any(axis=0)]):
        raise ValueError("a GPU knows translations along and rotations about x, y and z alone: use device='cpu'")
    return int(sum(1 << k for k in np.flatnonzero(rigid.any(axis=0))))


def rigid_kernel() -> Callable:
    """Return the kernel that writes rigid motions at some rows of X which move no frozen coordinate.

    Its arguments: chosen : rows of X (walkers, n); frozen : as a System has it; rigid : bits by :func:`rigid_bits`;
    N (walkers, 6, n) takes orthonormal motions, as
    :func:`~thalweg.potentials.symmetry.null_modes.orthonormal_null_modes` finds them, and zeros where there are fewer
    than six.
    """

    def rigid_motions(chosen, X, frozen, rigid, N):
        marks = cuda.shared.array(12, types.float64)
        for item in range(cuda.blockIdx.x, chosen.size, cuda.gridDim.x):
            x, rows = X[chosen[item]], N[chosen[item]]
            for i in range(cuda.threadIdx.x, 6, cuda.blockDim.x):
                for k in range(x.size):
                    rows[i, k] = 0.0
                marks[i] = 0.0
                if rigid >> i & 1:
                    _rigid_motion(x, i, rows[i])
            if frozen.size > 0:
                _eliminate(rows, frozen, False, 1e-10, marks)
            _eliminate(rows, frozen, True, 1e-9 * x.size, marks)
            for i in range(cuda.threadIdx.x, 6, cuda.blockDim.x):
                for k in range(x.size):
                    rows[i, k] = rows[i, k] if marks[i] == 2.0 else 0.0
                for k in frozen:
                    rows[i, k] = 0.0
            cuda.syncthreads()

    return rigid_motions
