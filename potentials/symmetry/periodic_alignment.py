"""Compiled alignment of atoms without rotations: in periodic cells, or with fixed atoms.

Positions are (n, 3); permutations and kinds are those of :mod:`thalweg.potentials.symmetry.assignment`; ``cell`` holds
Minkowski-reduced vectors as rows, ``inverse`` is its inverse and ``periodic`` 1 in the periodic directions, else 0.
"""

from __future__ import annotations

import numba
import numpy as np

from thalweg.potentials.compiled.signatures import integers, jit, matrix, vector
from thalweg.potentials.symmetry.assignment import assign
from thalweg.potentials.symmetry.periodic_images import nearest_image

__all__ = ["align_periodic", "count_translations"]


@jit(numba.boolean(matrix, matrix, vector, integers, matrix, matrix, integers, numba.float64, integers))
def _covers(a, b, shift, kinds, cell, inverse, periodic, tolerance, permutation):
    """Return whether the shifted b has an atom of the right kind near each atom of a; write the permutation."""
    n = a.shape[0]
    used, d = np.zeros(n, np.bool_), np.empty(3)
    for i in range(n):
        found, nearest = -1, tolerance * tolerance
        for j in range(n):
            if kinds[j] != kinds[i] or used[j]:
                continue
            for k in range(3):
                d[k] = a[i, k] - b[j, k] - shift[k]
            square = nearest_image(d, cell, inverse, periodic)
            if square < nearest:
                found, nearest = j, square
        if found < 0:
            return False
        used[found], permutation[i] = True, found
    return True


@jit(numba.boolean(matrix, matrix, vector, integers, integers, matrix, matrix, integers, matrix, integers))
def _match(a, b, shift, members, starts, cell, inverse, periodic, cost, permutation):
    """Write the permutation that lays the shifted b nearest to a; False if positions are not finite."""
    column_of, d = np.empty(a.shape[0], np.int64), np.empty(3)
    for kind in range(starts.size - 1):
        first, n = starts[kind], starts[kind + 1] - starts[kind]
        for i in range(n):
            for j in range(n):
                for k in range(3):
                    d[k] = a[members[first + i], k] - b[members[first + j], k] - shift[k]
                cost[i, j] = nearest_image(d, cell, inverse, periodic)
        if not assign(cost, n, column_of):
            return False
        for i in range(n):
            permutation[members[first + i]] = members[first + column_of[i]]
    return True


@jit(numba.void(matrix, vector))
def _project(shifts, v):
    """Keep of a translation, in place, what is among the allowed ones."""
    x, y, z = v[0], v[1], v[2]
    for k in range(3):
        v[k] = shifts[k, 0] * x + shifts[k, 1] * y + shifts[k, 2] * z


@jit(numba.float64(matrix, matrix, vector, integers, matrix, matrix, integers, matrix, matrix))
def _place(a, b, shift, permutation, cell, inverse, periodic, shifts, out):
    """Write the permuted b, shifted and in the images nearest to a, and improve the shift; largest squared distance."""
    n = a.shape[0]
    d, mean, largest = np.empty(3), np.zeros(3), 0.0
    for i in range(n):
        for k in range(3):
            d[k] = a[i, k] - b[permutation[i], k] - shift[k]
        nearest_image(d, cell, inverse, periodic)
        for k in range(3):
            out[i, k] = a[i, k] - d[k]
            mean[k] += d[k] / n
    _project(shifts, mean)
    for k in range(3):
        shift[k] += mean[k]
    for i in range(n):
        square = 0.0
        for k in range(3):
            out[i, k] += mean[k]
            square += (a[i, k] - out[i, k]) ** 2
        largest = max(largest, square)
    return largest


@jit(numba.float64(matrix, matrix))
def _square(a, out):
    total = 0.0
    for i in range(a.shape[0]):
        for k in range(3):
            total += (a[i, k] - out[i, k]) ** 2
    return total


@jit(numba.float64(matrix, matrix, vector, integers, integers, matrix, matrix, integers, matrix, matrix, matrix))
def _settle(a, b, shift, members, starts, cell, inverse, periodic, shifts, cost, out):
    """Assign and shift in turn until the distance stops falling; its square is returned."""
    permutation, lowest, movable = np.empty(a.shape[0], np.int64), np.inf, shifts.any()
    for _ in range(100):
        if not _match(a, b, shift, members, starts, cell, inverse, periodic, cost, permutation):
            return np.nan
        _place(a, b, shift, permutation, cell, inverse, periodic, shifts, out)
        square = _square(a, out)
        if not movable or not square < lowest - 1e-12 * lowest:
            return square
        lowest = square
    return lowest


@jit(numba.types.UniTuple(numba.int64, 2)(integers))
def _rarest(kinds):
    """Return the first atom of the kind with the fewest atoms, and their number."""
    rarest, few = 0, kinds.size + 1
    for i in range(kinds.size):
        alike = 0
        for j in range(kinds.size):
            alike += kinds[j] == kinds[i]
        if alike < few:
            rarest, few = i, alike
    return rarest, few


@jit(numba.float64(matrix, integers, matrix, matrix, integers))
def _spacing(a, kinds, cell, inverse, periodic):
    """Mean distance to the nearest neighbour; with one atom the shortest periodic vector counts."""
    n, total, d = a.shape[0], 0.0, np.empty(3)
    own = np.inf
    for k in range(3):
        if periodic[k]:
            own = min(own, np.sqrt(cell[k, 0] ** 2 + cell[k, 1] ** 2 + cell[k, 2] ** 2))
    for i in range(n):
        nearest = own * own
        for j in range(n):
            if i != j:
                for k in range(3):
                    d[k] = a[i, k] - a[j, k]
                nearest = min(nearest, nearest_image(d, cell, inverse, periodic))
        total += np.sqrt(nearest) / n
    return total if total < np.inf else 1.0


@jit(numba.float64(matrix, matrix, integers, integers, integers, matrix, matrix, integers, matrix, matrix))
def align_periodic(a, b, kinds, members, starts, cell, inverse, periodic, shifts, out):
    """Write the copy of b nearest to a over permutations, images and translations; their distance.

    ``shifts`` (3, 3) projects on the translations that are allowed. Of these are tried those that bring an atom of the
    rarest kind of b on one of a; first as b lies.
    """
    n = a.shape[0]
    cost, shift = np.empty((n, n)), np.zeros(3)
    permutation, trial = np.empty(n, np.int64), np.empty_like(a)
    lowest = _settle(a, b, shift, members, starts, cell, inverse, periodic, shifts, cost, out)
    spacing = _spacing(a, kinds, cell, inverse, periodic)
    if not shifts.any() or not lowest > n * (1e-6 * spacing) ** 2:
        return np.sqrt(lowest)
    p = _rarest(kinds)[0]
    for exact in (True, False):
        for q in range(n):
            if kinds[q] != kinds[p]:
                continue
            for k in range(3):
                shift[k] = a[p, k] - b[q, k]
            _project(shifts, shift)
            if exact and not _covers(a, b, shift, kinds, cell, inverse, periodic, 0.1 * spacing, permutation):
                continue
            square = _settle(a, b, shift, members, starts, cell, inverse, periodic, shifts, cost, trial)
            if square < lowest:
                lowest = square
                for i in range(n):
                    for k in range(3):
                        out[i, k] = trial[i, k]
        if lowest < n * (0.05 * spacing) ** 2:
            break
    return np.sqrt(lowest)


@jit(numba.int64(matrix, integers, matrix, matrix, integers, numba.float64))
def count_translations(a, kinds, cell, inverse, periodic, tolerance):
    """Count the translations that lay a on itself within ``tolerance`` (mean spacings)."""
    shift, count = np.empty(3), 0
    permutation, out = np.empty(a.shape[0], np.int64), np.empty_like(a)
    spacing = _spacing(a, kinds, cell, inverse, periodic)
    p = _rarest(kinds)[0]
    for q in range(a.shape[0]):
        if kinds[q] != kinds[p]:
            continue
        for k in range(3):
            shift[k] = a[p, k] - a[q, k]
        if _covers(a, a, shift, kinds, cell, inverse, periodic, 0.1 * spacing, permutation):
            largest = _place(a, a, shift, permutation, cell, inverse, periodic, np.eye(3), out)
            count += largest <= (tolerance * spacing) ** 2
    return max(count, 1)
