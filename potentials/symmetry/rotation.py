"""Compiled rotations of clusters.

Positions are (n, 3) about their centroid; permutations and kinds are those of
:mod:`thalweg.potentials.symmetry.assignment`.
"""

from __future__ import annotations

import numba
import numpy as np

from thalweg.potentials.compiled.signatures import integers, jit, matrix, vector

__all__ = [
    "area",
    "best_rotation",
    "between",
    "deviation",
    "frame",
    "keep",
    "nearest_spacing",
    "principal_axes",
    "radii_of",
    "rotate",
]


@jit(numba.void(matrix, matrix))
def diagonalise(m, vectors):
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
    diagonalise(m, vectors)
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


@jit(numba.void(matrix, matrix))
def principal_axes(a, axes):
    """Write the axes (rows) in the order of rising second moments."""
    moments, vectors = np.zeros((4, 4)), np.empty((4, 4))
    for i in range(a.shape[0]):
        for k in range(3):
            for h in range(3):
                moments[k, h] += a[i, k] * a[i, h]
    diagonalise(moments, vectors)
    for k in range(3):
        rank = 0
        for h in range(3):
            rank += moments[h, h] < moments[k, k] or (moments[h, h] == moments[k, k] and h < k)
        for h in range(3):
            axes[rank, h] = vectors[h, k]


@jit(numba.void(matrix, matrix, matrix))
def rotate(rotation, b, out):
    """Write the rotated positions b (n, 3) to out."""
    for i in range(b.shape[0]):
        for k in range(3):
            out[i, k] = rotation[k, 0] * b[i, 0] + rotation[k, 1] * b[i, 1] + rotation[k, 2] * b[i, 2]


@jit(numba.float64(matrix, matrix, integers, numba.boolean))
def deviation(a, b, permutation, largest):
    """Return the sum (or the largest) of the squared distances between the atoms of a and of the permuted b."""
    result = 0.0
    for i in range(a.shape[0]):
        j = permutation[i]
        square = (a[i, 0] - b[j, 0]) ** 2 + (a[i, 1] - b[j, 1]) ** 2 + (a[i, 2] - b[j, 2]) ** 2
        result = max(result, square) if largest else result + square
    return result


@jit(numba.float64(matrix))
def nearest_spacing(a):
    """Return the mean distance of an atom to its nearest neighbour."""
    total = 0.0
    for i in range(a.shape[0]):
        nearest = np.inf
        for j in range(a.shape[0]):
            if i != j:
                nearest = min(nearest, (a[i, 0] - a[j, 0]) ** 2 + (a[i, 1] - a[j, 1]) ** 2 + (a[i, 2] - a[j, 2]) ** 2)
        total += np.sqrt(nearest)
    return total / a.shape[0]


@jit(vector(matrix))
def radii_of(a):
    """Return the distances of positions a (n, 3) from the centroid."""
    radii = np.empty(a.shape[0])
    for i in range(a.shape[0]):
        radii[i] = np.sqrt(a[i, 0] ** 2 + a[i, 1] ** 2 + a[i, 2] ** 2)
    return radii


@jit(numba.float64(matrix, numba.int64, numba.int64))
def area(a, p, q):
    """Return the length of the cross product of the positions of atoms p and q."""
    x = a[p, 1] * a[q, 2] - a[p, 2] * a[q, 1]
    y = a[p, 2] * a[q, 0] - a[p, 0] * a[q, 2]
    z = a[p, 0] * a[q, 1] - a[p, 1] * a[q, 0]
    return np.sqrt(x * x + y * y + z * z)


@jit(numba.float64(matrix, numba.int64, numba.int64))
def between(a, p, q):
    """Return the distance between atoms p and q."""
    return np.sqrt((a[p, 0] - a[q, 0]) ** 2 + (a[p, 1] - a[q, 1]) ** 2 + (a[p, 2] - a[q, 2]) ** 2)


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


# loops, because numba takes seconds to compile the assignment of slices
@jit(numba.void(matrix, integers, matrix, integers))
def keep(rotation, permutation, best_rotation, best_permutation):
    """Copy a rotation and a permutation to the best ones."""
    for k in range(3):
        for h in range(3):
            best_rotation[k, h] = rotation[k, h]
    for i in range(permutation.size):
        best_permutation[i] = permutation[i]
