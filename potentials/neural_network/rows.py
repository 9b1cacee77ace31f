"""Compiled SIMD matrix products over rows of training data.

A row holds one number for each of a block's data; all arrays of rows are as wide as a block. What lies between the
last datum and the next multiple of :data:`STEP` counts as data: callers fill it with zeros, or with what zero data
give. Callers reach the two products by name, see :mod:`~thalweg.potentials.compiled.linking`; the rest is a part of its
caller.
"""

from __future__ import annotations

import numpy as np
from numba import int64, types

from thalweg.potentials.compiled.linking import linked
from thalweg.potentials.compiled.signatures import jit, matrix, vector
from thalweg.potentials.compiled.simd import (
    LANES,
    WIDE_LANES,
    WIDEST,
    load,
    load_widest,
    splat,
    splat_widest,
    spread_widest,
    store,
    totals,
)
from thalweg.potentials.neural_network.vector_math import exact

__all__ = [
    "BLOCK",
    "STEP",
    "WIDE",
    "aligned",
    "aligned_rows",
    "combine",
    "copy_row",
    "four_fold",
    "multiply_rows",
    "multiply_wide",
    "product_row",
]

BLOCK = 128  # data that are worked on together, the width of all rows
STEP = 2 * LANES  # data that one step of the loops takes
ALIGNMENT = 64  # bytes
WIDE, CHUNK, DOZEN = 16, 16, 12  # rows: from how many on sums stay in registers, and how many the nearest cache holds


@exact
def _from_four(target, t, u, a, b, fresh, source, s0, s1, s2, s3, w, v, m):
    """Set two rows to a and b plus combinations w and v of four rows; add those to them if not `fresh`."""
    y, z = splat_widest(a), splat_widest(b)
    for d in range(0, m, WIDEST):
        x0, x1, x2, x3 = (
            load_widest(source, s0 + d),
            load_widest(source, s1 + d),
            load_widest(source, s2 + d),
            load_widest(source, s3 + d),
        )
        if not fresh:
            y, z = load_widest(target, t + d), load_widest(target, u + d)
        store(target, t + d, (y + w[0] * x0 + w[1] * x1) + (w[2] * x2 + w[3] * x3))
        store(target, u + d, (z + v[0] * x0 + v[1] * x1) + (v[2] * x2 + v[3] * x3))


@exact
def _from_two(target, t, u, a, b, fresh, source, s0, s1, w, v, m):
    """Set two rows to a and b plus combinations w and v of two rows; add those to them if not `fresh`."""
    y, z = splat_widest(a), splat_widest(b)
    for d in range(0, m, WIDEST):
        x0, x1 = load_widest(source, s0 + d), load_widest(source, s1 + d)
        if not fresh:
            y, z = load_widest(target, t + d), load_widest(target, u + d)
        store(target, t + d, y + w[0] * x0 + w[1] * x1)
        store(target, u + d, z + v[0] * x0 + v[1] * x1)


@exact
def _add_five(w, p, across, along, source, s, inner, target, t, last, m):
    """Add combinations of `inner` rows from s on to five rows from t on, the last as often as it takes; see combine."""
    width = source.shape[1]
    h, i, j, k = min(1, last), min(2, last), min(3, last), min(4, last)
    t1, t2, t3, t4 = t + h * width, t + i * width, t + j * width, t + k * width
    p1, p2, p3, p4 = p + h * across, p + i * across, p + j * across, p + k * across
    for d in range(0, m, 2 * WIDEST):
        ahead = min(WIDEST, m - WIDEST - d)  # 0 where one more register of data is left: then it is worked on twice
        e = d + ahead
        a, b, c = load_widest(target, t + d), load_widest(target, t1 + d), load_widest(target, t2 + d)
        f, g, y0 = load_widest(target, t3 + d), load_widest(target, t4 + d), load_widest(target, t + e)
        y1, y2, y3, y4 = (
            load_widest(target, t1 + e),
            load_widest(target, t2 + e),
            load_widest(target, t3 + e),
            load_widest(target, t4 + e),
        )
        q, r = s + d, 0
        for _ in range(inner):
            x, y, u = load_widest(source, q), load_widest(source, q + ahead), spread_widest(w, p + r)
            a, y0, u = a + u * x, y0 + u * y, spread_widest(w, p1 + r)
            b, y1, u = b + u * x, y1 + u * y, spread_widest(w, p2 + r)
            c, y2, u = c + u * x, y2 + u * y, spread_widest(w, p3 + r)
            f, y3, u = f + u * x, y3 + u * y, spread_widest(w, p4 + r)
            g, y4 = g + u * x, y4 + u * y
            q += width
            r += along
        store(target, t + d, a)
        store(target, t1 + d, b)
        store(target, t2 + d, c)
        store(target, t3 + d, f)
        store(target, t4 + d, g)
        store(target, t + e, y0)
        store(target, t1 + e, y1)
        store(target, t2 + e, y2)
        store(target, t3 + e, y3)
        store(target, t4 + e, y4)


@linked(types.void(vector, *[int64] * 5, matrix, int64, int64, matrix, int64, int64), counted=False)
def combine(w, start, across, along, count, bias, source, row, inner, target, first, m):
    """Set each of `count` rows i of target to a combination of `inner` rows k of source.

    target[first + i] = w[bias + i] + sum_k w[start + i * across + k * along] * source[row + k], over m data; no first
    term if bias is -1, and what was in the row before if it is -2. Two rows of target and four of source at a time, so
    that weights stay in registers. Of many rows of source that is for the first four only: then sums for five rows of
    target and STEP data stay there.
    """
    width, wide = source.shape[1], inner >= WIDE
    fives = min((count + 2) // 5 * 5, count) if wide else 0
    last, i = inner - 1, 0
    while i < count:
        end, stop = (fives, 4) if i < fives else (count, inner)
        j = min(i + 1, end - 1)
        a, b = (w[bias + i], w[bias + j]) if bias >= 0 else (0.0, 0.0)
        t, u, p, q = (first + i) * width, (first + j) * width, start + i * across, start + j * across
        for k in range(0, stop, 4):
            k1 = min(k + 1, last)
            s0, s1 = (row + k) * width, (row + k1) * width
            w0, w1 = w[p + k * along], w[p + k1 * along] if k < last else 0.0
            v0, v1 = w[q + k * along], w[q + k1 * along] if k < last else 0.0
            fresh = k == 0 and bias > -2
            if k + 2 > last:
                _from_two(target, t, u, a, b, fresh, source, s0, s1, (w0, w1), (v0, v1), m)
                continue
            k2, k3 = k + 2, min(k + 3, last)
            s2, s3 = (row + k2) * width, (row + k3) * width
            w2, w3 = w[p + k2 * along], w[p + k3 * along] if k2 < last else 0.0
            v2, v3 = w[q + k2 * along], w[q + k3 * along] if k2 < last else 0.0
            _from_four(target, t, u, a, b, fresh, source, s0, s1, s2, s3, (w0, w1, w2, w3), (v0, v1, v2, v3), m)
        i = j + 1
    for k in range(4, inner if wide else 0, CHUNK):
        some, s = min(CHUNK, inner - k), (row + k) * width
        for i in range(0, fives, 5):
            p, t = start + i * across + k * along, (first + i) * width
            _add_five(w, p, across, along, source, s, some, target, t, fives - 1 - i, m)


@jit()
def aligned(size):
    """Return an array of `size` numbers, not cleared, that begins at a multiple of the longest register.

    A register of AVX-512 takes twice as long to load where it lies in two lines of the cache.
    """
    flat = np.empty(size + ALIGNMENT // 8)
    begin = (ALIGNMENT - flat.ctypes.data % ALIGNMENT) % ALIGNMENT // 8
    return flat[begin : begin + size]


@jit()
def aligned_rows(count):
    """Return `count` rows that begin as :func:`aligned` says."""
    return aligned(count * BLOCK).reshape(count, BLOCK)


@exact
def product_row(left, p, right, q, target, t, m):
    """Set row t of target to row p of left times row q of right, element by element."""
    width = target.shape[1]
    p, q, t = p * width, q * width, t * width
    for d in range(0, m, WIDEST):
        store(target, t + d, load_widest(left, p + d) * load_widest(right, q + d))


@exact
def copy_row(source, s, target, t, m):
    """Set row t of target to row s of source."""
    width = target.shape[1]
    s, t = s * width, t * width
    for d in range(0, m, WIDEST):
        store(target, t + d, load_widest(source, s + d))


@exact
def four_fold(count):
    """Return count, rounded up to a multiple of four: the entries of a column of products."""
    return (count + 3) // 4 * 4


@exact
def _tile(left, l0, l1, l2, l3, right, r0, r1, r2, m, out, start, step):
    """Add the products over m data of four rows with each of three to four entries of three columns."""
    a0, a1, a2, a3 = splat(0.0), splat(0.0), splat(0.0), splat(0.0)
    b0, b1, b2, b3 = a0, a0, a0, a0
    c0, c1, c2, c3 = a0, a0, a0, a0
    for d in range(0, m, LANES):
        x, y, z = load(right, r0 + d), load(right, r1 + d), load(right, r2 + d)
        p = load(left, l0 + d)
        a0, b0, c0 = a0 + x * p, b0 + y * p, c0 + z * p
        p = load(left, l1 + d)
        a1, b1, c1 = a1 + x * p, b1 + y * p, c1 + z * p
        p = load(left, l2 + d)
        a2, b2, c2 = a2 + x * p, b2 + y * p, c2 + z * p
        p = load(left, l3 + d)
        a3, b3, c3 = a3 + x * p, b3 + y * p, c3 + z * p
    store(out, start, load(out, start) + totals(a0, a1, a2, a3))
    store(out, start + step, load(out, start + step) + totals(b0, b1, b2, b3))
    store(out, start + 2 * step, load(out, start + 2 * step) + totals(c0, c1, c2, c3))


@exact
def _two_columns(left, l0, l1, l2, l3, right, r0, r1, m, out, start, step):
    """Add the products over m data of four rows with each of two to four entries of two columns."""
    a0, a1, a2, a3 = splat(0.0), splat(0.0), splat(0.0), splat(0.0)
    b0, b1, b2, b3 = a0, a0, a0, a0
    for d in range(0, m, LANES):
        x, y = load(right, r0 + d), load(right, r1 + d)
        p, q = load(left, l0 + d), load(left, l1 + d)
        a0, b0, a1, b1 = a0 + x * p, b0 + y * p, a1 + x * q, b1 + y * q
        p, q = load(left, l2 + d), load(left, l3 + d)
        a2, b2, a3, b3 = a2 + x * p, b2 + y * p, a3 + x * q, b3 + y * q
    store(out, start, load(out, start) + totals(a0, a1, a2, a3))
    store(out, start + step, load(out, start + step) + totals(b0, b1, b2, b3))


@exact
def _one_column(left, l0, l1, l2, l3, right, r0, m, out, start):
    """Add the products over m data of four rows with one to four entries of a column."""
    a0, a1, a2, a3 = splat(0.0), splat(0.0), splat(0.0), splat(0.0)
    for d in range(0, m, LANES):
        x = load(right, r0 + d)
        a0, a1 = a0 + x * load(left, l0 + d), a1 + x * load(left, l1 + d)
        a2, a3 = a2 + x * load(left, l2 + d), a3 + x * load(left, l3 + d)
    store(out, start, load(out, start) + totals(a0, a1, a2, a3))


@exact
def _pair_tile(left, l0, l1, right, r, width, m, out, start, step):
    """Add the products over m data of two rows with each of two entries of four columns."""
    a0, a1, a2, a3 = splat(0.0), splat(0.0), splat(0.0), splat(0.0)
    b0, b1, b2, b3 = a0, a0, a0, a0
    r1, r2, r3 = r + width, r + 2 * width, r + 3 * width
    for d in range(0, m, LANES):
        p, q = load(left, l0 + d), load(left, l1 + d)
        x = load(right, r + d)
        a0, b0 = a0 + x * p, b0 + x * q
        x = load(right, r1 + d)
        a1, b1 = a1 + x * p, b1 + x * q
        x = load(right, r2 + d)
        a2, b2 = a2 + x * p, b2 + x * q
        x = load(right, r3 + d)
        a3, b3 = a3 + x * p, b3 + x * q
    store(out, start, load(out, start) + totals(a0, b0, a0, b0))
    store(out, start + step, load(out, start + step) + totals(a1, b1, a1, b1))
    store(out, start + 2 * step, load(out, start + 2 * step) + totals(a2, b2, a2, b2))
    store(out, start + 3 * step, load(out, start + 3 * step) + totals(a3, b3, a3, b3))


@linked(types.void(matrix, int64, int64, matrix, *[int64] * 3, vector, int64), counted=False)
def multiply_rows(left, first, count, right, row, inner, m, out, start):
    """Add the products over m data of `count` rows of left with `inner` rows of right to out.

    That of left[first + i] with right[row + j] goes to out[start + j * four_fold(count) + i]; the entries that round a
    column up are written, too. Columns are taken a dozen at a time, which the nearest cache holds.
    """
    width, step = left.shape[1], four_fold(count)
    for begin in range(0, inner, DOZEN):
        end = min(begin + DOZEN, inner)
        for i in range(0, count, 4):
            l0, last = (first + i) * width, (first + count - 1) * width
            l1, l2, l3 = min(l0 + width, last), min(l0 + 2 * width, last), min(l0 + 3 * width, last)
            j = begin
            while j < end:
                r0, place, wide = (row + j) * width, start + j * step + i, end - j
                if count - i <= 2 and wide >= 4:
                    _pair_tile(left, l0, l1, right, r0, width, m, out, place, step)
                    j += 4
                elif wide == 3 or wide > 4:
                    _tile(left, l0, l1, l2, l3, right, r0, r0 + width, r0 + 2 * width, m, out, place, step)
                    j += 3
                elif wide > 1:
                    _two_columns(left, l0, l1, l2, l3, right, r0, r0 + width, m, out, place, step)
                    j += 2
                else:
                    _one_column(left, l0, l1, l2, l3, right, r0, m, out, place)
                    j += 1


@exact
def _five_by_two(left, l0, last, right, r0, r1, m, out, o, p):
    """Add the products over m data of five rows of left, the last as often as it takes, with two rows of right to out.

    Those with the first row of right begin at `o`, with the second at `p`. See :func:`multiply_wide`.
    """
    width = left.shape[1]
    h, i, j, k = min(1, last), min(2, last), min(3, last), min(4, last)
    l1, l2, l3, l4 = l0 + h * width, l0 + i * width, l0 + j * width, l0 + k * width
    h, i, j, k = h * WIDE_LANES, i * WIDE_LANES, j * WIDE_LANES, k * WIDE_LANES
    for part in range(0, WIDE_LANES, WIDEST):
        s, t = o + part, p + part
        a0, a1, a2 = load_widest(out, s), load_widest(out, s + h), load_widest(out, s + i)
        a3, a4, b0 = load_widest(out, s + j), load_widest(out, s + k), load_widest(out, t)
        b1, b2 = load_widest(out, t + h), load_widest(out, t + i)
        b3, b4 = load_widest(out, t + j), load_widest(out, t + k)
        for d in range(part, m, WIDE_LANES):
            x, y, u = load_widest(right, r0 + d), load_widest(right, r1 + d), load_widest(left, l0 + d)
            a0, b0, u = a0 + u * x, b0 + u * y, load_widest(left, l1 + d)
            a1, b1, u = a1 + u * x, b1 + u * y, load_widest(left, l2 + d)
            a2, b2, u = a2 + u * x, b2 + u * y, load_widest(left, l3 + d)
            a3, b3, u = a3 + u * x, b3 + u * y, load_widest(left, l4 + d)
            a4, b4 = a4 + u * x, b4 + u * y
        store(out, s, a0)
        store(out, s + h, a1)
        store(out, s + i, a2)
        store(out, s + j, a3)
        store(out, s + k, a4)
        store(out, t, b0)
        store(out, t + h, b1)
        store(out, t + i, b2)
        store(out, t + j, b3)
        store(out, t + k, b4)


@linked(types.void(matrix, int64, int64, matrix, *[int64] * 3, vector), counted=False)
def multiply_wide(left, first, count, right, row, inner, m, out):
    """Add the products over m data of `count` rows of left with `inner` rows of right to out, in WIDE_LANES sums each.

    Those of left[first + i] with right[row + j] begin at out[(j * count + i) * WIDE_LANES]; each sum is of the data
    that are as many after a multiple of WIDE_LANES. The sums of a block thus need not be joined until the last.
    """
    width, step = left.shape[1], count * WIDE_LANES
    for begin in range(0, inner, DOZEN):
        for i in range(0, count, 5):
            place = (begin * count + i) * WIDE_LANES
            for j in range(begin, min(begin + DOZEN, inner), 2):
                more = min(1, inner - 1 - j)
                r, s = (row + j) * width, (row + j + more) * width
                _five_by_two(left, (first + i) * width, count - 1 - i, right, r, s, m, out, place, place + more * step)
                place += 2 * step
