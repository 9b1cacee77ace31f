"""Vector functions shared by the network kernels: exponential, logarithm, tanh, and sums of rows of data.

Everything here is compiled only as a part of its caller.

There is no fast-math reassociation, which would fold the exponential's range reduction away.
"""

from __future__ import annotations

from thalweg.potentials.compiled.signatures import jit
from thalweg.potentials.compiled.simd import (
    LANES,
    WIDE_LANES,
    at_least,
    at_most,
    exponent_shifted,
    load,
    load_wide,
    power_of_two,
    splat,
    store,
    total,
)

__all__ = [
    "exact",
    "exponential",
    "grown",
    "log_one_plus",
    "sum_rows",
    "tanh",
]

# A part of compiled callers only, nothing for Python or C to call. Inlined by force, and without counting references to
# arrays, which would take longer than many of these loops: such functions neither make nor return arrays.
exact = jit(no_cpython_wrapper=True, no_cfunc_wrapper=True, fastmath={"contract"}, forceinline=True, _nrt=False)


LOG2_E = 1.4426950408889634
LOG_2_HIGH = 0.6931471805592082  # 40 bits, so that its product with an exponent is exact
LOG_2_LOW = 7.371002565167799e-13
ROUND = 6755399441055744.0  # 1.5 * 2**52: adding it rounds to an integer, left in the lowest bits
# (expm1(r) - r) / r**2 on |r| <= ln(2) / 2, relative error of expm1 below 5e-17
C0, C1, C2, C3 = 0.5, 0.16666666666666669, 0.04166666666662413, 0.008333333333330062
C4, C5, C6 = 0.0013888888917213717, 0.00019841269863053618, 2.4801521295954376e-05
C7, C8, C9 = 2.7557268459997064e-06, 2.7620088445409746e-07, 2.510038549551032e-08


# r coth r = 1 + r**2 (T0 + T1 r**2 + ...) on |r| <= ln(2) / 4, relative error below 4e-18
T0, T1, T2 = 0.3333333333333332, -0.02222222222205029, 0.0021164020706737627
T3, T4 = -0.00021163595318832105, 2.121579360295946e-05
LARGEST_TANH = 350.0


@exact
def tanh(z, slope, first, m):
    """Replace the entries of z from `first` on by their tanh and write the derivative to the same place of slope.

    Both are accurate also near 0 and where tanh saturates. With z = n ln(2) / 2 + r and c = r coth r,
    exp(2z) = 2**n (c + r) / (c - r), so that one division serves all.
    """
    for d in range(first, first + m, WIDE_LANES):
        u = at_least(at_most(load_wide(z, d), LARGEST_TANH), -LARGEST_TANH)
        s = u * (2.0 * LOG2_E) + ROUND
        n = s - ROUND
        u = u - n * (0.5 * LOG_2_HIGH)
        u = u - n * (0.5 * LOG_2_LOW)
        x = u * u
        a = T3 + T4 * x
        a = T2 + a * x
        a = T1 + a * x
        a = T0 + a * x
        a = 1.0 + a * x
        p = power_of_two(s)
        g = (p - 1.0) * a + (p + 1.0) * u
        u = 1.0 / ((p + 1.0) * a + (p - 1.0) * u)
        store(z, d, g * u)
        store(slope, d, (4.0 * p * u) * ((a * a - x) * u))


@exact
def exponential(u):
    """Return the exponential of lanes u, at most 0; what is below exp(-700) stays there."""
    u = at_least(u, -700.0)
    s = u * LOG2_E + ROUND
    n = s - ROUND
    u = u - n * LOG_2_HIGH
    u = u - n * LOG_2_LOW
    x = u * u
    a = C8 + C9 * u
    g = C4 + C5 * u
    a = (C6 + C7 * u) + x * a
    a = g + x * a
    g = (C0 + C1 * u) + x * (C2 + C3 * u)
    a = g + (x * x) * a
    a = u + x * a
    p = power_of_two(s)
    return p * a + p


@exact
def grown(u, low):
    """Return p and a with exp(u - low) = p + p a of lanes u from -700 to 0: p - 1 + p a has all digits near 0.

    ``low`` is what u lacks, far smaller than 1.
    """
    s = u * LOG2_E + ROUND
    n = s - ROUND
    u = ((u - n * LOG_2_HIGH) - n * LOG_2_LOW) - low
    x = u * u
    a = (C6 + C7 * u) + x * (C8 + C9 * u)
    a = (C4 + C5 * u) + x * a
    a = ((C0 + C1 * u) + x * (C2 + C3 * u)) + (x * x) * a
    return power_of_two(s), u + x * a


# (ln((1 + s) / (1 - s)) / s - 2) / s**2 for |s| <= 0.1717, relative error below 6e-17
L0, L1, L2, L3 = 0.6666666666666666, 0.40000000000000885, 0.28571428570799784, 0.22222222392581045
L4, L5, L6, L7 = 0.18181795547521137, 0.15386244737621665, 0.13268638369266825, 0.13088034850927555
ROOT_2 = 1.4142135623730951


@exact
def log_one_plus(t):
    """Return ln(1 + t) of lanes t, 0 or larger; a small t keeps its digits.

    With 1 + t = 2**k (1 + f), f is from 2**-0.5 - 1 to 2**0.5 - 1, computed from t without rounding 1 + t.
    """
    k = exponent_shifted((t + 1.0) * ROOT_2) - ROUND
    p = power_of_two(ROUND - k)
    f = (p - 1.0) + t * p
    s = f / (f + 2.0)
    z = s * s
    x = z * z
    a = ((L4 + L5 * z) + x * (L6 + L7 * z)) * (x * x)
    a = z * (((L0 + L1 * z) + x * (L2 + L3 * z)) + a)
    half = 0.5 * (f * f)
    return k * LOG_2_HIGH - ((half - (s * (half + a) + k * LOG_2_LOW)) - f)


@exact
def sum_rows(rows, first, count, m, out, start):
    """Add the sum of each row over m data to out."""
    width = rows.shape[1]
    for i in range(0, count, 4):
        p, last = (first + i) * width, (first + count - 1) * width
        q, r, s = min(p + width, last), min(p + 2 * width, last), min(p + 3 * width, last)
        a, b, c, e = splat(0.0), splat(0.0), splat(0.0), splat(0.0)
        for d in range(0, m, LANES):
            a, b, c, e = a + load(rows, p + d), b + load(rows, q + d), c + load(rows, r + d), e + load(rows, s + d)
        out[start + i] += total(a)
        if i + 1 < count:
            out[start + i + 1] += total(b)
        if i + 2 < count:
            out[start + i + 2] += total(c)
        if i + 3 < count:
            out[start + i + 3] += total(e)
