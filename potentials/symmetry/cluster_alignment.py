"""Compiled alignment of free clusters: copies recognised, the nearest orientation of other structures searched.

Positions are (n, 3) about their centroid; permutations and kinds are those of
:mod:`thalweg.potentials.symmetry.assignment`.
"""

from __future__ import annotations

import numba
import numpy as np

from thalweg.potentials.compiled.signatures import integers, jit, matrix
from thalweg.potentials.symmetry.assignment import assign_kinds
from thalweg.potentials.symmetry.copy_recognition import LOOSE, copies, likely_rotations
from thalweg.potentials.symmetry.rotation import best_rotation, deviation, keep, nearest_spacing, principal_axes, rotate

__all__ = ["align_free"]

tensor = numba.types.Array(numba.float64, 3, "C")

# In mean nearest-neighbour spacings: how near all atoms of a copy must lie for it to be certain
_CERTAIN = 1e-7

# How many frames are laid on pairs, and how many of the orientations found are followed
_FRAMES, _LIKELY = 4, 24


@jit(numba.float64(matrix, matrix, integers, integers, numba.boolean, matrix, matrix, integers))
def _settle(a, b, members, starts, improper, cost, rotation, permutation):
    """Assign and rotate in turn from ``rotation`` on until nothing changes; the squared distance is returned."""
    n = a.shape[0]
    moved, column_of, before = np.empty_like(b), np.empty(n, np.int64), np.full(n, -1, np.int64)
    for _ in range(100):
        rotate(rotation, b, moved)
        if not assign_kinds(a, moved, members, starts, cost, column_of, permutation):
            return np.nan
        same = True
        for i in range(n):
            same = same and permutation[i] == before[i]
            before[i] = permutation[i]
        if same:
            break
        best_rotation(a, b, permutation, 0 if improper else 1, rotation)
    return deviation(a, moved, permutation, False)


@jit(numba.void(matrix, matrix, numba.int64, tensor, tensor, matrix))
def _start(axes, turned, index, likely, rotations, rotation):
    """Write the start of that index: likely, as they lie, one of the principal axes, given or its mirror."""
    index -= likely.shape[0]
    for k in range(3):
        for h in range(3):
            if index < 0:
                rotation[k, h] = likely[index + likely.shape[0], k, h]
            elif index == 0:
                rotation[k, h] = 1.0 if k == h else 0.0
            elif index < 9:
                rotation[k, h] = 0.0
                for axis in range(3):
                    sign = -1.0 if (index - 1) >> axis & 1 else 1.0
                    rotation[k, h] += sign * axes[axis, k] * turned[axis, h]
            else:
                sign = -1.0 if (index - 9) & 1 else 1.0
                rotation[k, h] = sign * rotations[(index - 9) // 2, k, h]


@jit(numba.float64(matrix))
def _determinant(m):
    total = 0.0
    for k in range(3):
        p, q = (k + 1) % 3, (k + 2) % 3
        total += m[0, k] * (m[1, p] * m[2, q] - m[1, q] * m[2, p])
    return total


@jit(numba.float64(matrix, matrix, integers, integers, integers, tensor, numba.boolean, matrix, integers))
def align_free(a, b, kinds, members, starts, rotations, improper, out, best_permutation):
    """Write the copy of b nearest to a, both about their centroids, and return their distance; NaN if it fails.

    Copies are recognised first; otherwise assignment and rotation are iterated from likely orientations and from
    the starts of :func:`_start`. ``improper``: whether b may be mirrored as well. Which atom of b lies on each of a is
    written to ``best_permutation``.
    """
    n = a.shape[0]
    rotation, permutation, moved = np.empty((3, 3)), np.empty(n, np.int64), np.empty_like(b)
    best = np.empty((3, 3))
    cost = np.empty((n, n))
    spacing = nearest_spacing(a) if n > 1 else 0.0
    enough = n * (_CERTAIN * spacing) ** 2
    lowest = np.inf
    if copies(a, b, kinds, LOOSE * spacing, 0.0, enough, improper, best, best_permutation) != 0:
        lowest = _settle(a, b, members, starts, improper, cost, best, best_permutation)
    else:
        axes, turned = np.empty((3, 3)), np.empty((3, 3))
        principal_axes(a, axes)
        principal_axes(b, turned)
        likely, misfits = np.empty((_LIKELY, 3, 3)), np.empty(_LIKELY)
        likely_rotations(a, b, kinds, _FRAMES, spacing, improper, likely, misfits)
        for index in range(_LIKELY + 9 + 2 * rotations.shape[0]):
            if index < _LIKELY and misfits[index] == np.inf:
                continue
            _start(axes, turned, index, likely, rotations, rotation)
            if not improper and _determinant(rotation) < 0.0:
                continue
            square = _settle(a, b, members, starts, improper, cost, rotation, permutation)
            if square < lowest:
                lowest = square
                keep(rotation, permutation, best, best_permutation)
    if not lowest < np.inf:
        return np.nan
    rotate(best, b, moved)
    for i in range(n):
        for k in range(3):
            out[i, k] = moved[best_permutation[i], k]
    return np.sqrt(lowest)
