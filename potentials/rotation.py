"""Compiled alignment of free clusters: best rotation, copies recognised by frames of two atoms, search for the rest.

Positions are (n, 3) about their centroid; permutations and kinds are those of :mod:`thalweg.potentials.assignment`.
"""

from __future__ import annotations

import numba
import numpy as np

from thalweg.potentials.assignment import assign_kinds
from thalweg.potentials.compiled import integers, jit, matrix, vector

__all__ = ["align_free", "point_group_order"]

tensor = numba.types.Array(numba.float64, 3, "C")

# In mean nearest-neighbour spacings: how far atoms may lie apart to be tried as partners of a copy, and how near
# all must lie for the copy to be certain, so that no other needs trying
_LOOSE, _CERTAIN = 0.05, 1e-6


@jit(numba.void(matrix, matrix))
def _diagonalise(m, vectors):
    """Jacobi rotations: eigenvalues of the symmetric 4 x 4 ``m`` to its diagonal, eigenvectors to columns."""
    for i in range(4):
        for j in range(4):
            vectors[i, j] = 1.0 if i == j else 0.0
    for _ in range(30):
        off, size = 0.0, 0.0
        for i in range(4):
            size += m[i, i] ** 2
            for j in range(i):
                off += m[i, j] ** 2
        if off <= 1e-32 * size or off == 0.0:
            return
        for p in range(3):
            for q in range(p + 1, 4):
                if m[p, q] == 0.0:
                    continue
                theta = (m[q, q] - m[p, p]) / (2.0 * m[p, q])
                t = (1.0 if theta >= 0.0 else -1.0) / (abs(theta) + np.sqrt(theta * theta + 1.0))
                c = 1.0 / np.sqrt(t * t + 1.0)
                s = t * c
                for k in range(4):
                    m[k, p], m[k, q] = c * m[k, p] - s * m[k, q], s * m[k, p] + c * m[k, q]
                for k in range(4):
                    m[p, k], m[q, k] = c * m[p, k] - s * m[q, k], s * m[p, k] + c * m[q, k]
                    vectors[k, p], vectors[k, q] = (
                        c * vectors[k, p] - s * vectors[k, q],
                        s * vectors[k, p] + c * vectors[k, q],
                    )


@jit(numba.void(matrix, matrix, integers, numba.int64, matrix))
def best_rotation(a, b, permutation, handedness, rotation):
    """Write the rotation that lays the permuted b nearest to a.

    Horn's quaternion method (J. Opt. Soc. Am. A 4 (1987) 629). ``handedness``: 1 proper, -1 improper, 0 the better.
    """
    s, m, vectors = np.zeros((3, 3)), np.empty((4, 4)), np.empty((4, 4))
    for i in range(a.shape[0]):
        for k in range(3):
            for h in range(3):
                s[k, h] += b[permutation[i], k] * a[i, h]
    m[0, 0] = s[0, 0] + s[1, 1] + s[2, 2]
    for k in range(3):
        p, q = (k + 1) % 3, (k + 2) % 3
        m[0, k + 1] = m[k + 1, 0] = s[p, q] - s[q, p]
        m[k + 1, k + 1] = s[k, k] - s[p, p] - s[q, q]
        m[p + 1, q + 1] = m[q + 1, p + 1] = s[p, q] + s[q, p]
    _diagonalise(m, vectors)
    low, high = 0, 0
    for k in range(1, 4):
        low = k if m[k, k] < m[low, low] else low
        high = k if m[k, k] > m[high, high] else high
    sign, pick = 1.0, high
    if handedness < 0 or (handedness == 0 and -m[low, low] > m[high, high]):
        sign, pick = -1.0, low
    w, x, y, z = vectors[0, pick], vectors[1, pick], vectors[2, pick], vectors[3, pick]
    rotation[0, 0], rotation[0, 1], rotation[0, 2] = (
        w * w + x * x - y * y - z * z,
        2 * (x * y - w * z),
        2 * (x * z + w * y),
    )
    rotation[1, 0], rotation[1, 1], rotation[1, 2] = (
        2 * (x * y + w * z),
        w * w - x * x + y * y - z * z,
        2 * (y * z - w * x),
    )
    rotation[2, 0], rotation[2, 1], rotation[2, 2] = (
        2 * (x * z - w * y),
        2 * (y * z + w * x),
        w * w - x * x - y * y + z * z,
    )
    for k in range(3):
        for h in range(3):
            rotation[k, h] *= sign


@jit(numba.void(matrix, matrix, matrix))
def _rotate(rotation, b, out):
    for i in range(b.shape[0]):
        for k in range(3):
            out[i, k] = rotation[k, 0] * b[i, 0] + rotation[k, 1] * b[i, 1] + rotation[k, 2] * b[i, 2]


@jit(numba.float64(matrix, matrix, integers, numba.boolean))
def _deviation(a, b, permutation, largest):
    """Sum (or largest) of the squared distances between the atoms of a and of the permuted b."""
    result = 0.0
    for i in range(a.shape[0]):
        j = permutation[i]
        square = (a[i, 0] - b[j, 0]) ** 2 + (a[i, 1] - b[j, 1]) ** 2 + (a[i, 2] - b[j, 2]) ** 2
        result = max(result, square) if largest else result + square
    return result


@jit(numba.float64(matrix))
def nearest_spacing(a):
    """Mean distance of an atom to its nearest neighbour."""
    total = 0.0
    for i in range(a.shape[0]):
        nearest = np.inf
        for j in range(a.shape[0]):
            if i != j:
                nearest = min(nearest, (a[i, 0] - a[j, 0]) ** 2 + (a[i, 1] - a[j, 1]) ** 2 + (a[i, 2] - a[j, 2]) ** 2)
        total += np.sqrt(nearest)
    return total / a.shape[0]


@jit(numba.float64(matrix, numba.int64, numba.int64))
def _area(a, p, q):
    """Length of the cross product of two positions."""
    x = a[p, 1] * a[q, 2] - a[p, 2] * a[q, 1]
    y = a[p, 2] * a[q, 0] - a[p, 0] * a[q, 2]
    z = a[p, 0] * a[q, 1] - a[p, 1] * a[q, 0]
    return np.sqrt(x * x + y * y + z * z)


@jit(numba.float64(matrix, numba.int64, numba.int64))
def _between(a, p, q):
    return np.sqrt((a[p, 0] - a[q, 0]) ** 2 + (a[p, 1] - a[q, 1]) ** 2 + (a[p, 2] - a[q, 2]) ** 2)


@jit(numba.types.UniTuple(numba.int64, 2)(matrix, integers, vector, numba.float64))
def choose_frame(a, kinds, radii, tolerance):
    """Choose two atoms that few others resemble and that do not lie in line with the centroid.

    Returns (-1, -1) if all atoms are at the centroid, (p, -1) if they lie on a line.
    """
    n, p, q, few = a.shape[0], -1, -1, a.shape[0] + 1
    largest, widest = radii.max(), 0.0
    if largest <= tolerance:
        return -1, -1
    for i in range(n):
        if radii[i] < 0.4 * largest:
            continue
        alike = 0
        for j in range(n):
            alike += kinds[j] == kinds[i] and abs(radii[j] - radii[i]) < tolerance
        if alike < few:
            p, few = i, alike
    for i in range(n):
        widest = max(widest, _area(a, p, i))
    if widest <= 0.02 * tolerance * radii[p]:
        return p, -1
    few = n + 1
    for i in range(n):
        if i == p or _area(a, p, i) < 0.4 * widest:
            continue
        alike = 0
        for j in range(n):
            near = abs(radii[j] - radii[i]) < tolerance and abs(_between(a, p, j) - _between(a, p, i)) < tolerance
            alike += kinds[j] == kinds[i] and near
        if alike < few:
            q, few = i, alike
    return p, q


@jit(numba.void(matrix, numba.int64, numba.int64, matrix))
def frame(a, p, q, axes):
    """Write the orthonormal frame (rows) of the atoms p and q; of p alone with q = -1, the rest arbitrary."""
    length = np.sqrt(a[p, 0] ** 2 + a[p, 1] ** 2 + a[p, 2] ** 2)
    least = 0
    for k in range(3):
        axes[0, k] = a[p, k] / length
        least = k if abs(a[p, k]) < abs(a[p, least]) else least
    along = 0.0
    for k in range(3):
        axes[1, k] = a[q, k] if q >= 0 else (1.0 if k == least else 0.0)
        along += axes[1, k] * axes[0, k]
    length = 0.0
    for k in range(3):
        axes[1, k] -= along * axes[0, k]
        length += axes[1, k] ** 2
    length = np.sqrt(length)
    for k in range(3):
        axes[1, k] /= length
    for k in range(3):
        g, h = (k + 1) % 3, (k + 2) % 3
        axes[2, k] = axes[0, g] * axes[1, h] - axes[0, h] * axes[1, g]


@jit(numba.boolean(matrix, matrix, matrix, integers, numba.float64, integers))
def _covers(a, b, rotation, kinds, tolerance, permutation):
    """Whether the rotated b has an atom of the right kind near each atom of a; writes which."""
    n = a.shape[0]
    used = np.zeros(n, np.bool_)
    for i in range(n):
        x = rotation[0, 0] * a[i, 0] + rotation[1, 0] * a[i, 1] + rotation[2, 0] * a[i, 2]
        y = rotation[0, 1] * a[i, 0] + rotation[1, 1] * a[i, 1] + rotation[2, 1] * a[i, 2]
        z = rotation[0, 2] * a[i, 0] + rotation[1, 2] * a[i, 1] + rotation[2, 2] * a[i, 2]
        found, nearest = -1, tolerance * tolerance
        for j in range(n):
            square = (b[j, 0] - x) ** 2 + (b[j, 1] - y) ** 2 + (b[j, 2] - z) ** 2
            if square < nearest and kinds[j] == kinds[i] and not used[j]:
                found, nearest = j, square
        if found < 0:
            return False
        used[found], permutation[i] = True, found
    return True


# loops, because numba takes seconds to compile the assignment of slices
@jit(numba.void(matrix, integers, matrix, integers))
def _keep(rotation, permutation, best_rotation, best_permutation):
    for k in range(3):
        for h in range(3):
            best_rotation[k, h] = rotation[k, h]
    for i in range(permutation.size):
        best_permutation[i] = permutation[i]


@jit(vector(matrix))
def _radii(a):
    radii = np.empty(a.shape[0])
    for i in range(a.shape[0]):
        radii[i] = np.sqrt(a[i, 0] ** 2 + a[i, 1] ** 2 + a[i, 2] ** 2)
    return radii


@jit(numba.int64(matrix, matrix, integers, numba.float64, numba.float64, numba.float64, matrix, integers))
def _copies(a, b, kinds, loose, strict, enough, rotation, permutation):
    """Lay b on a in every way that brings each atom within ``loose`` of its partner.

    The best rotation and permutation are written; counted are the ways in which no atom is further than ``strict``
    from its partner. Ends at once when the squared distance falls below ``enough``.
    """
    radii, others = _radii(a), _radii(b)
    p, q = choose_frame(a, kinds, radii, loose)
    if p < 0:
        return 0
    n, count, best = a.shape[0], 0, np.inf
    axes, turned, trial = np.empty((3, 3)), np.empty((3, 3)), np.empty((3, 3))
    moved, pairs = np.empty_like(b), np.empty(n, np.int64)
    frame(a, p, q, axes)
    apart = _between(a, p, q) if q >= 0 else 0.0
    widest = _area(a, p, q) if q >= 0 else 0.0
    for s in range(n):
        if kinds[s] != kinds[p] or abs(others[s] - radii[p]) > loose:
            continue
        for t in range(n if q >= 0 else 1):
            if q >= 0:
                if t == s or kinds[t] != kinds[q] or abs(others[t] - radii[q]) > loose:
                    continue
                if abs(_between(b, s, t) - apart) > 2.0 * loose or _area(b, s, t) < 0.1 * widest:
                    continue
            frame(b, s, t if q >= 0 else -1, turned)
            for hand in (1, -1):
                if q < 0 and hand < 0:
                    continue
                for k in range(3):
                    for h in range(3):
                        trial[k, h] = axes[0, k] * turned[0, h] + axes[1, k] * turned[1, h]
                        trial[k, h] += hand * axes[2, k] * turned[2, h]
                if not _covers(a, b, trial, kinds, loose, pairs):
                    continue
                best_rotation(a, b, pairs, hand, trial)
                _rotate(trial, b, moved)
                count += _deviation(a, moved, pairs, True) <= strict * strict
                square = _deviation(a, moved, pairs, False)
                if square < best:
                    best = square
                    _keep(trial, pairs, rotation, permutation)
                if best <= enough:
                    return max(count, 1)
    return count if np.isinf(best) or count > 0 else -1


@jit(numba.float64(matrix, matrix, integers, integers, matrix, matrix, integers))
def _settle(a, b, members, starts, cost, rotation, permutation):
    """Assign and rotate in turn from ``rotation`` on until nothing changes; the squared distance is returned."""
    n = a.shape[0]
    moved, column_of, before = np.empty_like(b), np.empty(n, np.int64), np.full(n, -1, np.int64)
    for _ in range(100):
        _rotate(rotation, b, moved)
        if not assign_kinds(a, moved, members, starts, cost, column_of, permutation):
            return np.nan
        same = True
        for i in range(n):
            same = same and permutation[i] == before[i]
            before[i] = permutation[i]
        if same:
            break
        best_rotation(a, b, permutation, 0, rotation)
    return _deviation(a, moved, permutation, False)


@jit(numba.void(matrix, matrix))
def _principal_axes(a, axes):
    """Write the axes (rows) in the order of rising second moments."""
    moments, vectors = np.zeros((4, 4)), np.empty((4, 4))
    for i in range(a.shape[0]):
        for k in range(3):
            for h in range(3):
                moments[k, h] += a[i, k] * a[i, h]
    _diagonalise(moments, vectors)
    for k in range(3):
        rank = 0
        for h in range(3):
            rank += moments[h, h] < moments[k, k] or (moments[h, h] == moments[k, k] and h < k)
        for h in range(3):
            axes[rank, h] = vectors[h, k]


@jit(numba.void(matrix, matrix, numba.int64, tensor, matrix))
def _start(axes, turned, index, rotations, rotation):
    """Write the start of that index: as they lie, the eight ways of principal axes, the given and their mirrors."""
    for k in range(3):
        for h in range(3):
            if index == 0:
                rotation[k, h] = 1.0 if k == h else 0.0
            elif index < 9:
                rotation[k, h] = 0.0
                for axis in range(3):
                    sign = -1.0 if (index - 1) >> axis & 1 else 1.0
                    rotation[k, h] += sign * axes[axis, k] * turned[axis, h]
            else:
                sign = -1.0 if (index - 9) & 1 else 1.0
                rotation[k, h] = sign * rotations[(index - 9) // 2, k, h]


@jit(numba.float64(matrix, matrix, integers, integers, integers, tensor, matrix))
def align_free(a, b, kinds, members, starts, rotations, out):
    """Write the copy of b nearest to a, both about their centroids, and return their distance; NaN if it fails.

    Copies are recognised first; otherwise assignment and rotation are iterated from the starts of :func:`_start`.
    """
    n = a.shape[0]
    rotation, permutation, moved = np.empty((3, 3)), np.empty(n, np.int64), np.empty_like(b)
    best, best_permutation = np.empty((3, 3)), np.empty(n, np.int64)
    cost = np.empty((n, n))
    spacing = nearest_spacing(a) if n > 1 else 0.0
    enough = n * (_CERTAIN * spacing) ** 2
    lowest = np.inf
    _start(best, best, 0, rotations, best)
    if _copies(a, b, kinds, _LOOSE * spacing, 0.0, enough, best, best_permutation) != 0:
        lowest = _settle(a, b, members, starts, cost, best, best_permutation)
    else:
        axes, turned = np.empty((3, 3)), np.empty((3, 3))
        _principal_axes(a, axes)
        _principal_axes(b, turned)
        for index in range(9 + 2 * rotations.shape[0]):
            _start(axes, turned, index, rotations, rotation)
            square = _settle(a, b, members, starts, cost, rotation, permutation)
            if square < lowest:
                lowest = square
                _keep(rotation, permutation, best, best_permutation)
    if not lowest < np.inf:
        return np.nan
    _rotate(best, b, moved)
    for i in range(n):
        for k in range(3):
            out[i, k] = moved[best_permutation[i], k]
    return np.sqrt(lowest)


@jit(numba.int64(matrix, integers, numba.float64))
def point_group_order(a, kinds, tolerance):
    """Count the rotations, proper and improper, that lay a on itself within ``tolerance`` (mean spacings).

    A linear molecule counts 2 if it has a centre of inversion, else 1, and so does what is no larger than a point.
    """
    n = a.shape[0]
    if n < 2:
        return 1
    spacing = nearest_spacing(a)
    count = _copies(a, a, kinds, _LOOSE * spacing, tolerance * spacing, -1.0, np.empty((3, 3)), np.empty(n, np.int64))
    return max(count, 1)
