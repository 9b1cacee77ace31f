"""Compiled energy and gradient of Lennard-Jones clusters with the Axilrod-Teller three-body term.

The three-body term is a function of the squared distances a = r_ij^2, b = r_jk^2, c = r_ik^2 of a triple alone,

    Z [ t^(3/2) + (3/8) p q r t^(5/2) ],   t = 1/(abc),  p = a+b-c,  q = b+c-a,  r = c+a-b,

so its derivatives are polynomials times powers of t, and the chain rule does the rest.
"""

from __future__ import annotations

import numba
import numpy as np
from numba.extending import register_jitable

from thalweg.potentials.compiled.linking import linked
from thalweg.potentials.compiled.signatures import FUNCTION_SIGNATURE, jit, vector
from thalweg.potentials.compiled.simd import LANES, load, splat, spread, square_root, stack, store, total, totals, turn

__all__ = ["FAST", "ljat_function", "triple"]

# NaN and infinity keep their meaning: overlapping atoms must show in the energy
FAST = {"contract", "reassoc", "nsz", "arcp"}

# Below this many atoms plain loops win over lanes, and up to so many whole rows over turned blocks (measured)
_FEW, _SOME = 8, 24
_ROOM = 10 * _SOME + 8

# Padding atoms sit here: far enough to add nothing (1e-120), near enough that nothing underflows, which is slow
_FAR = 1e20


@register_jitable(inline="always")
def triple(a, b, c, strength):
    """Energy of a triple and twice its derivatives with respect to a, b, c; floats or lanes."""
    t = 1.0 / (a * b * c)
    s = strength * t * square_root(t)
    u = 0.375 * s * t
    p, q, r = a + b - c, b + c - a, c + a - b
    pq, qr, pr = p * q, q * r, p * r
    product = u * pq * r
    common = t * (-3.0 * s - 5.0 * product)
    u = 2.0 * u
    fa = common * (b * c) + u * (qr + pq - pr)
    fb = common * (a * c) + u * (qr + pr - pq)
    fc = common * (a * b) + u * (pr + pq - qr)
    return s + product, fa, fb, fc


@register_jitable(inline="always")
def _pair(w):
    """A quarter of a pair's energy, and minus a 24th of its derivative over the distance, from 1 / r^2."""
    w6 = w * w * w
    e = w6 * (w6 - 1.0)
    return e, w * (w6 * w6 + e)


@jit(numba.float64(vector, vector), fastmath=FAST)
def _few_pairs(x, gradient):
    """Lennard-Jones energy; adds to the gradient."""
    energy = 0.0
    for i in range(0, x.size, 3):
        for j in range(0, i, 3):
            dx, dy, dz = x[i] - x[j], x[i + 1] - x[j + 1], x[i + 2] - x[j + 2]
            w = 1.0 / (dx * dx + dy * dy + dz * dz)
            w6 = w * w * w
            energy += w6 * (w6 - 1.0)
            f = 24.0 * w * w6 * (1.0 - 2.0 * w6)
            gradient[i] += f * dx
            gradient[i + 1] += f * dy
            gradient[i + 2] += f * dz
            gradient[j] -= f * dx
            gradient[j + 1] -= f * dy
            gradient[j + 2] -= f * dz
    return 4.0 * energy


@jit(numba.float64(vector, vector, numba.float64), fastmath=FAST)
def _few_triples(x, gradient, strength):
    """Three-body energy; adds to the gradient."""
    energy = 0.0
    for i in range(0, x.size, 3):
        for j in range(i + 3, x.size, 3):
            ax, ay, az = x[i] - x[j], x[i + 1] - x[j + 1], x[i + 2] - x[j + 2]
            a = ax * ax + ay * ay + az * az
            for k in range(j + 3, x.size, 3):
                bx, by, bz = x[j] - x[k], x[j + 1] - x[k + 1], x[j + 2] - x[k + 2]
                cx, cy, cz = x[i] - x[k], x[i + 1] - x[k + 1], x[i + 2] - x[k + 2]
                e, fa, fb, fc = triple(a, bx * bx + by * by + bz * bz, cx * cx + cy * cy + cz * cz, strength)
                energy += e
                gradient[i] += fa * ax + fc * cx
                gradient[i + 1] += fa * ay + fc * cy
                gradient[i + 2] += fa * az + fc * cz
                gradient[j] += fb * bx - fa * ax
                gradient[j + 1] += fb * by - fa * ay
                gradient[j + 2] += fb * bz - fa * az
                gradient[k] -= fb * bx + fc * cx
                gradient[k + 1] -= fb * by + fc * cy
                gradient[k + 2] -= fb * bz + fc * cz
    return energy


@linked(numba.float64(vector, vector), fastmath=FAST)
def _some_pairs(x, gradient):
    """Lennard-Jones energy and gradient by lanes: each atom with its own block of four, and with the blocks after it.

    The scratch: x, y, z, and the gradient's x, y, z from the blocks before, each m = n rounded up to whole lanes;
    2 LANES entries, zero but for the last of the first half, which keep an atom from itself; four entries of gradient
    an atom.
    """
    n = x.size // 3
    m = (n + LANES - 1) // LANES * LANES
    s = stack(_ROOM)
    for i in range(n):
        s[i], s[m + i], s[2 * m + i] = x[3 * i], x[3 * i + 1], x[3 * i + 2]
    for i in range(n, m):
        s[i], s[m + i], s[2 * m + i] = _FAR, 0.0, 0.0
    mask, own = 6 * m + LANES - 1, 6 * m + 2 * LANES
    for k in range(3 * m, own, LANES):
        store(s, k, splat(0.0))
    s[mask] = _FAR * _FAR
    energy, twice = splat(0.0), splat(0.0)
    for i in range(n):
        a, xi, yi, zi = i - i % LANES, spread(s, i), spread(s, m + i), spread(s, 2 * m + i)
        dx, dy, dz = xi - load(s, a), yi - load(s, m + a), zi - load(s, 2 * m + a)
        w = 1.0 / (dx * dx + dy * dy + dz * dz + load(s, mask - i % LANES))
        e, f = _pair(w)
        twice = twice + e
        gx, gy, gz = f * dx, f * dy, f * dz
        for k in range(a + LANES, m, LANES):
            dx, dy, dz = xi - load(s, k), yi - load(s, m + k), zi - load(s, 2 * m + k)
            e, f = _pair(1.0 / (dx * dx + dy * dy + dz * dz))
            energy = energy + e
            dx, dy, dz = f * dx, f * dy, f * dz
            gx, gy, gz = gx + dx, gy + dy, gz + dz
            store(s, 3 * m + k, load(s, 3 * m + k) - dx)
            store(s, 4 * m + k, load(s, 4 * m + k) - dy)
            store(s, 5 * m + k, load(s, 5 * m + k) - dz)
        store(s, own + LANES * i, totals(gx, gy, gz, gz))
    for i in range(n):
        k = own + LANES * i
        gradient[3 * i] = -24.0 * (s[3 * m + i] + s[k])
        gradient[3 * i + 1] = -24.0 * (s[4 * m + i] + s[k + 1])
        gradient[3 * i + 2] = -24.0 * (s[5 * m + i] + s[k + 2])
    return 4.0 * total(energy) + 2.0 * total(twice)


# Pairs by blocks of four atoms. Each block's x, y and z lie in the scratch twice, 24 entries: read from entry t on,
# a coordinate comes turned by t lanes, so that four turns pair each atom of one block with each of another. A block's
# gradient has 12 entries for each turn, lane by lane as read; they are turned back at the end. Padding atoms are far
# from each other, too. Reciprocals have a pass of their own: divisions take long, and follow each other fast.
_COORDINATES, _GRADIENT, _BLOCK = 6 * LANES, 12 * LANES, LANES * LANES


@register_jitable(inline="always")
def _inverse_squares(s, i, j):
    """Inverse squared distances between the atoms at entry i of the scratch and those at entry j."""
    dx, dy, dz = load(s, i) - load(s, j), load(s, i + 8) - load(s, j + 8), load(s, i + 16) - load(s, j + 16)
    return 1.0 / (dx * dx + dy * dy + dz * dz)


@linked(numba.void(vector, numba.int64, numba.int64, numba.int64), fastmath=FAST)
def _invert_row(s, a, blocks, place):
    """Write the inverse squared distances of block a from itself, two turns, and from those after it, four each."""
    i = _COORDINATES * a
    store(s, place, _inverse_squares(s, i, i + 1))
    store(s, place + LANES, _inverse_squares(s, i, i + 2))
    place += 2 * LANES
    for b in range(a + 1, blocks):
        j = _COORDINATES * b
        for t in range(LANES):
            store(s, place, _inverse_squares(s, i, j + t))
            place += LANES


@linked(numba.float64(vector, numba.int64), fastmath=FAST)
def _pairs(s, blocks):
    """A quarter of the Lennard-Jones energy; adds a 24th of the gradient to the scratch."""
    energy, half, place = splat(0.0), splat(0.0), (_COORDINATES + _GRADIENT) * blocks
    for a in range(blocks):
        _invert_row(s, a, blocks, place)
        i, own = _COORDINATES * a, _COORDINATES * blocks + _GRADIENT * a
        x, y, z = load(s, i), load(s, i + 8), load(s, i + 16)
        gx, gy, gz = splat(0.0), splat(0.0), splat(0.0)
        # within the block, one turn has four pairs and two turns have two pairs twice
        for t in range(1, 3):
            w = load(s, place + LANES * (t - 1))
            dx, dy, dz = x - load(s, i + t), y - load(s, i + 8 + t), z - load(s, i + 16 + t)
            w6 = w * w * w
            f, e = w * w6 * (1.0 - w6 - w6), w6 * (w6 - 1.0)
            gx, gy, gz = gx + f * dx, gy + f * dy, gz + f * dz
            if t == 1:
                energy, q = energy + e, own + 3 * LANES
                store(s, q, load(s, q) - f * dx)
                store(s, q + LANES, load(s, q + LANES) - f * dy)
                store(s, q + 2 * LANES, load(s, q + 2 * LANES) - f * dz)
            else:
                half = half + e
        k = place + 2 * LANES
        for b in range(a + 1, blocks):
            j, q = _COORDINATES * b, _COORDINATES * blocks + _GRADIENT * b
            for _ in range(LANES):
                dx, dy, dz = x - load(s, j), y - load(s, j + 8), z - load(s, j + 16)
                w = load(s, k)
                w6 = w * w * w
                energy = energy + w6 * (w6 - 1.0)
                f = w * w6 * (1.0 - w6 - w6)
                dx, dy, dz = f * dx, f * dy, f * dz
                gx, gy, gz = gx + dx, gy + dy, gz + dz
                store(s, q, load(s, q) - dx)
                store(s, q + LANES, load(s, q + LANES) - dy)
                store(s, q + 2 * LANES, load(s, q + 2 * LANES) - dz)
                j, k, q = j + 1, k + LANES, q + 3 * LANES
        store(s, own, load(s, own) + gx)
        store(s, own + LANES, load(s, own + LANES) + gy)
        store(s, own + 2 * LANES, load(s, own + 2 * LANES) + gz)
    return total(energy) + 0.5 * total(half)


@linked(numba.float64(vector, vector), fastmath=FAST)
def _many_pairs(x, gradient):
    """Lennard-Jones energy and gradient by lanes."""
    n = x.size // 3
    blocks = (n + LANES - 1) // LANES
    s = np.empty((_COORDINATES + _GRADIENT + _BLOCK) * blocks)
    for i in range(LANES * blocks):
        k = _COORDINATES * (i // LANES) + i % LANES
        for c in range(3):
            value = x[3 * i + c] if i < n else (_FAR * (1.0 + i) if c == 0 else 0.0)
            s[k + 8 * c], s[k + 8 * c + LANES] = value, value
    first = _COORDINATES * blocks
    for k in range(first, first + _GRADIENT * blocks, LANES):
        store(s, k, splat(0.0))
    energy = _pairs(s, blocks)
    for k in range(first, first + _GRADIENT * blocks, _GRADIENT):
        for c in range(k, k + 3 * LANES, LANES):
            one, two, three = load(s, c + 3 * LANES), load(s, c + 6 * LANES), load(s, c + 9 * LANES)
            store(s, c, 24.0 * ((load(s, c) + turn(one, 3)) + (turn(two, 2) + turn(three, 1))))
    for i in range(n):
        k = first + _GRADIENT * (i // LANES) + i % LANES
        gradient[3 * i], gradient[3 * i + 1], gradient[3 * i + 2] = s[k], s[k + LANES], s[k + 2 * LANES]
    return 4.0 * energy


# The scratch of the triples: x, y, z, then the gradient's x, y, z, each m = n rounded up to whole lanes, then a mask of
# 2 LANES - 1 entries, which read from entry LANES - 1 - (i % LANES) on is _FAR squared up to lane i and zero after it:
# only k > j count.


@linked(numba.float64(vector, numba.int64, numba.int64, numba.float64), fastmath=FAST)
def _triples(s, n, m, strength):
    """Three-body energy; adds the gradient to the scratch."""
    energy = splat(0.0)
    for i in range(n):
        xi, yi, zi = s[i], s[m + i], s[2 * m + i]
        ix, iy, iz = splat(0.0), splat(0.0), splat(0.0)
        for j in range(i + 1, n):
            xj, yj, zj = s[j], s[m + j], s[2 * m + j]
            ax, ay, az = splat(xi - xj), splat(yi - yj), splat(zi - zj)
            a = ax * ax + ay * ay + az * az
            jx, jy, jz = splat(0.0), splat(0.0), splat(0.0)
            mask = load(s, 6 * m + LANES - 1 - j % LANES)
            for k in range(j - j % LANES, m, LANES):
                x, y, z = load(s, k), load(s, m + k), load(s, 2 * m + k)
                bx, by, bz = xj - x, yj - y, zj - z
                cx, cy, cz = xi - x, yi - y, zi - z
                b, c = bx * bx + by * by + bz * bz + mask, cx * cx + cy * cy + cz * cz + mask
                mask = splat(0.0)
                e, fa, fb, fc = triple(a, b, c, strength)
                energy = energy + e
                ix, iy, iz = ix + fa * ax + fc * cx, iy + fa * ay + fc * cy, iz + fa * az + fc * cz
                jx, jy, jz = jx + fb * bx - fa * ax, jy + fb * by - fa * ay, jz + fb * bz - fa * az
                store(s, 3 * m + k, load(s, 3 * m + k) - fb * bx - fc * cx)
                store(s, 4 * m + k, load(s, 4 * m + k) - fb * by - fc * cy)
                store(s, 5 * m + k, load(s, 5 * m + k) - fb * bz - fc * cz)
            s[3 * m + j] += total(jx)
            s[4 * m + j] += total(jy)
            s[5 * m + j] += total(jz)
        s[3 * m + i] += total(ix)
        s[4 * m + i] += total(iy)
        s[5 * m + i] += total(iz)
    return total(energy)


@linked(numba.float64(vector, vector, numba.float64), fastmath=FAST)
def _many_triples(x, gradient, strength):
    """Three-body energy by lanes; adds to the gradient."""
    n = x.size // 3
    m = (n + LANES - 1) // LANES * LANES
    s = np.empty(6 * m + 2 * LANES)
    for i in range(n):
        s[i], s[m + i], s[2 * m + i] = x[3 * i], x[3 * i + 1], x[3 * i + 2]
    for i in range(n, m):
        s[i], s[m + i], s[2 * m + i] = _FAR, 0.0, 0.0
    for k in range(3 * m, 6 * m + 2 * LANES):
        s[k] = 0.0
    for lane in range(LANES):
        s[6 * m + lane] = _FAR * _FAR
    energy = _triples(s, n, m, strength)
    for i in range(n):
        gradient[3 * i] += s[3 * m + i]
        gradient[3 * i + 1] += s[4 * m + i]
        gradient[3 * i + 2] += s[5 * m + i]
    return energy


@jit(FUNCTION_SIGNATURE, fastmath=FAST)
def ljat_function(x, gradient_out, integers, floats):
    """Energy, gradient written to ``gradient_out``; ``floats[0]`` is Z."""
    if x.size >= 3 * _FEW:
        energy = _some_pairs(x, gradient_out) if x.size <= 3 * _SOME else _many_pairs(x, gradient_out)
        return energy if floats[0] == 0.0 else energy + _many_triples(x, gradient_out, floats[0])
    for k in range(x.size):
        gradient_out[k] = 0.0
    energy = _few_pairs(x, gradient_out)
    if floats[0] != 0.0:
        energy += _few_triples(x, gradient_out, floats[0])
    return energy
