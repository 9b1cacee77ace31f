"""Vector loops shared by the network kernels: exponential, tanh, and sums and products of rows of data.

Everything here is compiled only as a part of its caller. Numba's cache watches nothing but the caller's own file, so
every caller is made by a factory whose argument, :func:`source_version` of the files it uses, is part of its cache key.

The exponential has no fast-math reassociation, which would fold its range reduction away; sums over data do.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

__all__ = [
    "add_rows",
    "exact",
    "exp_below",
    "multiply",
    "multiply_rows",
    "source_version",
    "sum_rows",
    "summing",
    "tanh",
]

exact = njit(nogil=True, error_model="numpy", fastmath={"contract"})
summing = njit(nogil=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz"})


def source_version(*files: str) -> int:
    """Return a number that changes whenever this file or one of `files` does."""
    digest = hashlib.sha256()
    for name in (__file__, *files):
        digest.update(Path(name).read_bytes())
    return int.from_bytes(digest.digest()[:7])


LOG2_E = 1.4426950408889634
LOG_2_HIGH = 0.6931471805592082  # 40 bits, so that its product with an exponent is exact
LOG_2_LOW = 7.371002565167799e-13
ROUND = 6755399441055744.0  # 1.5 * 2**52: adding it rounds to an integer, left in the lowest bits
# (expm1(r) - r) / r**2 on |r| <= ln(2) / 2, relative error of expm1 below 5e-17
C0, C1, C2, C3 = 0.5, 0.16666666666666669, 0.04166666666662413, 0.008333333333330062
C4, C5, C6 = 0.0013888888917213717, 0.00019841269863053618, 2.4801521295954376e-05
C7, C8, C9 = 2.7557268459997064e-06, 2.7620088445409746e-07, 2.510038549551032e-08


@intrinsic
def _power_of_two(typingctx, shifted):
    """Return 2**n, where `shifted` is n + ROUND: the low bits of `shifted` moved into the exponent."""

    def codegen(context, builder, signature, arguments):
        integer = ir.IntType(64)
        bits = builder.shl(builder.bitcast(arguments[0], integer), integer(52))
        return builder.bitcast(builder.add(bits, integer(1023 << 52)), ir.DoubleType())

    return types.float64(types.float64), codegen


@exact
def _expm1_reduced(r):
    """Return exp(r) - 1 for |r| <= ln(2) / 2; in Estrin's order, since the latency of Horner's chain costs more."""
    r2 = r * r
    low = (C0 + C1 * r) + (C2 + C3 * r) * r2
    high = (C4 + C5 * r) + (C6 + C7 * r) * r2
    r4 = r2 * r2
    return r + r2 * (low + r4 * (high + r4 * (C8 + C9 * r)))


@exact
def tanh(z, slope, count):
    """Replace z by tanh(z) and write the derivative, accurate also near 0 and where tanh saturates."""
    for d in range(count):
        u = 2.0 * z[d]
        u = 700.0 if u > 700.0 else u
        u = -700.0 if u < -700.0 else u
        shifted = u * LOG2_E + ROUND
        n = shifted - ROUND
        p = _expm1_reduced((u - n * LOG_2_HIGH) - n * LOG_2_LOW)
        power = _power_of_two(shifted)
        z[d] = power * p + (power - 1.0)
        slope[d] = power * p + power
    for d in range(count):  # a loop of its own: the division would lengthen the chain above
        reciprocal = 1.0 / (z[d] + 2.0)
        z[d] = z[d] * reciprocal
        slope[d] = (slope[d] * reciprocal) * (4.0 * reciprocal)


@exact
def exp_below(y, top, count):
    """Replace y by exp(y - top), where y <= top; what is below exp(-700) stays there."""
    for d in range(count):
        u = y[d] - top[d]
        u = -700.0 if u < -700.0 else u
        shifted = u * LOG2_E + ROUND
        n = shifted - ROUND
        p = _expm1_reduced((u - n * LOG_2_HIGH) - n * LOG_2_LOW)
        power = _power_of_two(shifted)
        y[d] = power * p + power


@summing
def add_rows(w, first, stride, count, source, row, target, m):
    """Add sum_k w[first + k * stride] * source[row + k] to target: four rows at a time, then two, then one."""
    k = 0
    while k + 4 <= count:
        i = first + k * stride
        w0, w1, w2, w3 = w[i], w[i + stride], w[i + 2 * stride], w[i + 3 * stride]
        a0, a1, a2, a3 = source[row + k], source[row + k + 1], source[row + k + 2], source[row + k + 3]
        for d in range(m):
            target[d] += (w0 * a0[d] + w1 * a1[d]) + (w2 * a2[d] + w3 * a3[d])
        k += 4
    if k + 2 <= count:
        w0, w1 = w[first + k * stride], w[first + (k + 1) * stride]
        a0, a1 = source[row + k], source[row + k + 1]
        for d in range(m):
            target[d] += w0 * a0[d] + w1 * a1[d]
        k += 2
    if k < count:
        w0, a0 = w[first + k * stride], source[row + k]
        for d in range(m):
            target[d] += w0 * a0[d]


@summing
def _two_rows_times(x, y, rows, row, count, out, i, j):
    """Add the products of x and of y with `count` rows to out[i...] and out[j...]."""
    m, k = x.size, 0
    while k + 4 <= count:
        a0, a1, a2, a3 = rows[row + k], rows[row + k + 1], rows[row + k + 2], rows[row + k + 3]
        x0, x1, x2, x3, y0, y1, y2, y3 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for d in range(m):
            x0 += x[d] * a0[d]
            x1 += x[d] * a1[d]
            x2 += x[d] * a2[d]
            x3 += x[d] * a3[d]
            y0 += y[d] * a0[d]
            y1 += y[d] * a1[d]
            y2 += y[d] * a2[d]
            y3 += y[d] * a3[d]
        out[i + k] += x0
        out[i + k + 1] += x1
        out[i + k + 2] += x2
        out[i + k + 3] += x3
        out[j + k] += y0
        out[j + k + 1] += y1
        out[j + k + 2] += y2
        out[j + k + 3] += y3
        k += 4
    while k < count:
        # the last row twice where only one is left: cheaper than one more loop to compile
        a0, a1 = rows[row + k], rows[row + min(k + 1, count - 1)]
        x0, x1, y0, y1 = 0.0, 0.0, 0.0, 0.0
        for d in range(m):
            x0 += x[d] * a0[d]
            x1 += x[d] * a1[d]
            y0 += y[d] * a0[d]
            y1 += y[d] * a1[d]
        out[i + k] += x0
        out[j + k] += y0
        if k + 1 < count:
            out[i + k + 1] += x1
            out[j + k + 1] += y1
        k += 2


@summing
def _row_times(x, rows, row, count, out, i):
    """Add the products of x with `count` rows to out[i...]."""
    m, k = x.size, 0
    while k + 4 <= count:
        a0, a1, a2, a3 = rows[row + k], rows[row + k + 1], rows[row + k + 2], rows[row + k + 3]
        x0, x1, x2, x3 = 0.0, 0.0, 0.0, 0.0
        for d in range(m):
            x0 += x[d] * a0[d]
            x1 += x[d] * a1[d]
            x2 += x[d] * a2[d]
            x3 += x[d] * a3[d]
        out[i + k] += x0
        out[i + k + 1] += x1
        out[i + k + 2] += x2
        out[i + k + 3] += x3
        k += 4
    while k < count:
        a0, x0 = rows[row + k], 0.0
        for d in range(m):
            x0 += x[d] * a0[d]
        out[i + k] += x0
        k += 1


@exact
def multiply_rows(left, first, count, right, row, width, m, out, start, stride):
    """Add left @ right.T over m data to out, whose row i begins at start + i * stride."""
    i = 0
    while i + 2 <= count:
        x, y = left[first + i, :m], left[first + i + 1, :m]
        begin = start + i * stride
        _two_rows_times(x, y, right, row, width, out, begin, begin + stride)
        i += 2
    if i < count:
        _row_times(left[first + i, :m], right, row, width, out, start + i * stride)


@summing
def sum_rows(rows, first, count, m, out, start, stride):
    """Add the sum of each row over m data to out, whose entries are `stride` apart."""
    for i in range(count):
        row, total = rows[first + i], 0.0
        for d in range(m):
            total += row[d]
        out[start + i * stride] += total


@exact
def multiply(target, factor, m):
    """Multiply target by factor, element by element."""
    for d in range(m):
        target[d] *= factor[d]
