"""Recognition of symmetry copies of a cluster, compiled, by matching a reference frame of two atoms.

Positions are (n, 3) about their centroid; permutations and kinds are those of
:mod:`thalweg.potentials.symmetry.assignment`.
"""

from __future__ import annotations

import numba
import numpy as np

from thalweg.potentials.compiled.signatures import integers, jit, matrix, vector
from thalweg.potentials.symmetry.rotation import (
    area,
    best_rotation,
    between,
    deviation,
    frame,
    keep,
    nearest_spacing,
    radii_of,
    rotate,
)

__all__ = ["LOOSE", "copies", "likely_rotations", "point_group_order"]

# In mean nearest-neighbour spacings: how far atoms may lie apart to be tried as partners of a copy
LOOSE = 0.05

# The same for the frames of likely orientations of another structure
_SIMILAR = 0.6

tensor = numba.types.Array(numba.float64, 3, "C")


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
        widest = max(widest, area(a, p, i))
    if widest <= 0.02 * tolerance * radii[p]:
        return p, -1
    few = n + 1
    for i in range(n):
        if i == p or area(a, p, i) < 0.4 * widest:
            continue
        alike = 0
        for j in range(n):
            near = abs(radii[j] - radii[i]) < tolerance and abs(between(a, p, j) - between(a, p, i)) < tolerance
            alike += kinds[j] == kinds[i] and near
        if alike < few:
            q, few = i, alike
    return p, q


@jit(numba.boolean(matrix, matrix, matrix, integers, numba.float64, integers))
def _covers(a, b, rotation, kinds, tolerance, permutation):
    """Return whether the rotated b has an atom of the right kind near each atom of a; write the permutation."""
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


@jit(
    numba.int64(
        matrix, matrix, integers, numba.float64, numba.float64, numba.float64, numba.boolean, matrix, integers
    )
)  # fmt: skip
def copies(a, b, kinds, loose, strict, enough, improper, rotation, permutation):
    """Lay b on a in every way that brings each atom within ``loose`` of its partner.

    The best rotation and permutation are written; counted are the ways in which no atom is further than ``strict``
    from its partner (-1 if there are only others). Ends at once when the squared distance falls below ``enough``.
    ``improper``: whether b may be mirrored as well.
    """
    radii, others = radii_of(a), radii_of(b)
    p, q = choose_frame(a, kinds, radii, loose)
    if p < 0:
        return 0
    n, count, best = a.shape[0], 0, np.inf
    axes, turned, trial = np.empty((3, 3)), np.empty((3, 3)), np.empty((3, 3))
    moved, pairs = np.empty_like(b), np.empty(n, np.int64)
    frame(a, p, q, axes)
    apart = between(a, p, q) if q >= 0 else 0.0
    widest = area(a, p, q) if q >= 0 else 0.0
    for s in range(n):
        if kinds[s] != kinds[p] or abs(others[s] - radii[p]) > loose:
            continue
        for t in range(n if q >= 0 else 1):
            if q >= 0:
                if t == s or kinds[t] != kinds[q] or abs(others[t] - radii[q]) > loose:
                    continue
                if abs(between(b, s, t) - apart) > 2.0 * loose or area(b, s, t) < 0.1 * widest:
                    continue
            frame(b, s, t if q >= 0 else -1, turned)
            for hand in (1, -1):
                if hand < 0 and (q < 0 or not improper):
                    continue
                for k in range(3):
                    for h in range(3):
                        trial[k, h] = axes[0, k] * turned[0, h] + axes[1, k] * turned[1, h]
                        trial[k, h] += hand * axes[2, k] * turned[2, h]
                if not _covers(a, b, trial, kinds, loose, pairs):
                    continue
                best_rotation(a, b, pairs, hand, trial)
                rotate(trial, b, moved)
                # atoms nearer than loose let two pairs stand for one way: count it once
                if pairs[p] == s and (q < 0 or pairs[q] == t):
                    count += deviation(a, moved, pairs, True) <= strict * strict
                square = deviation(a, moved, pairs, False)
                if square < best:
                    best = square
                    keep(trial, pairs, rotation, permutation)
                if best <= enough:
                    return max(count, 1)
    return count if np.isinf(best) or count > 0 else -1


@jit(numba.float64(matrix, matrix, matrix, integers, numba.float64))
def _misfit(a, b, rotation, kinds, limit):
    """Return the sum of squared distances from atoms of a to the nearest of the rotated b, infinite above ``limit``."""
    total, n = 0.0, a.shape[0]
    for i in range(n):
        x = rotation[0, 0] * a[i, 0] + rotation[1, 0] * a[i, 1] + rotation[2, 0] * a[i, 2]
        y = rotation[0, 1] * a[i, 0] + rotation[1, 1] * a[i, 1] + rotation[2, 1] * a[i, 2]
        z = rotation[0, 2] * a[i, 0] + rotation[1, 2] * a[i, 1] + rotation[2, 2] * a[i, 2]
        nearest = np.inf
        for j in range(n):
            square = (b[j, 0] - x) ** 2 + (b[j, 1] - y) ** 2 + (b[j, 2] - z) ** 2
            if square < nearest and kinds[j] == kinds[i]:
                nearest = square
        total += nearest
        if total > limit:
            return np.inf
    return total


@jit(numba.void(matrix, numba.float64, tensor, vector))
def _insert(rotation, misfit, rotations, misfits):
    """Keep the rotation among the best, which are sorted."""
    place = misfits.size - 1
    while place > 0 and misfits[place - 1] > misfit:
        place -= 1
    for later in range(misfits.size - 1, place, -1):
        misfits[later] = misfits[later - 1]
        for k in range(3):
            for h in range(3):
                rotations[later, k, h] = rotations[later - 1, k, h]
    misfits[place] = misfit
    for k in range(3):
        for h in range(3):
            rotations[place, k, h] = rotation[k, h]


@jit(numba.void(matrix, matrix, integers, numba.int64, numba.float64, numba.boolean, tensor, vector))
def likely_rotations(a, b, kinds, frames, spacing, improper, rotations, misfits):
    """Write the rotations of b, best first, that lay frames of outer atoms on similar pairs and fit best.

    The first ``frames`` atoms of a by falling radius each make a frame with the atom furthest out of line;
    ``misfits`` is infinite where there are fewer rotations than asked for.
    """
    misfits[:] = np.inf
    inner, others = radii_of(a), radii_of(b)
    order = np.argsort(-inner)
    n, loose = a.shape[0], _SIMILAR * spacing
    axes, turned, trial = np.empty((3, 3)), np.empty((3, 3)), np.empty((3, 3))
    for rank in range(min(frames, n)):
        p = order[rank]
        q = p
        for i in range(n):
            q = i if area(a, p, i) > area(a, p, q) else q
        if area(a, p, q) <= 0.01 * spacing * spacing:
            continue
        frame(a, p, q, axes)
        apart = between(a, p, q)
        for s in range(n):
            if kinds[s] != kinds[p] or abs(others[s] - inner[p]) > loose:
                continue
            for t in range(n):
                if t == s or kinds[t] != kinds[q] or abs(others[t] - inner[q]) > loose:
                    continue
                if abs(between(b, s, t) - apart) > loose or area(b, s, t) <= 0.01 * spacing * spacing:
                    continue
                frame(b, s, t, turned)
                for hand in (1, -1):
                    if hand < 0 and not improper:
                        continue
                    for k in range(3):
                        for h in range(3):
                            trial[k, h] = axes[0, k] * turned[0, h] + axes[1, k] * turned[1, h]
                            trial[k, h] += hand * axes[2, k] * turned[2, h]
                    misfit = _misfit(a, b, trial, kinds, misfits[-1])
                    if misfit < misfits[-1]:
                        _insert(trial, misfit, rotations, misfits)


@jit(numba.int64(matrix, integers, numba.float64, numba.boolean))
def point_group_order(a, kinds, tolerance, improper):
    """Count the rotations, proper and if asked improper, that lay a on itself within ``tolerance`` (mean spacings).

    A linear molecule counts 2 if it has a centre of inversion, else 1, and so does what is no larger than a point.
    """
    n = a.shape[0]
    if n < 2:
        return 1
    spacing = nearest_spacing(a)
    rotation, pairs = np.empty((3, 3)), np.empty(n, np.int64)
    count = copies(a, a, kinds, LOOSE * spacing, tolerance * spacing, -1.0, improper, rotation, pairs)
    return max(count, 1)
