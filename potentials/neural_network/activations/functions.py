"""Compiled activations other than tanh: value, first and second derivative of a row of data.

Values of large |z| keep their digits: each is made of exp(-|z|), or of exp(-z**2 / 2), both at most 1. Where these
fall below 1e-304 they stay there, so that no derivative becomes NaN.
"""

from __future__ import annotations

from numba import boolean, int64, types

from thalweg.potentials.compiled.linking import linked
from thalweg.potentials.compiled.signatures import matrix
from thalweg.potentials.compiled.simd import (
    WIDE_LANES,
    at_least,
    at_most,
    fused,
    load_wide,
    magnitude,
    minus,
    power_of_two,
    store,
    where_below,
)
from thalweg.potentials.neural_network.activations.kinds import GELU, LOGISTIC, SILU, SOFTPLUS
from thalweg.potentials.neural_network.vector_math import (
    LOG2_E,
    LOG_2_HIGH,
    LOG_2_LOW,
    ROUND,
    T0,
    T1,
    T2,
    T3,
    T4,
    exact,
    exponential,
    grown,
)

__all__ = ["activate", "softplus_parts"]

LARGEST = 700.0  # exp(-LARGEST) is far above the smallest number
FARTHEST = 37.4  # exp(-FARTHEST**2 / 2) too
PER_ROOT_2_PI = 0.3989422804014327
# exp(a**2 / 2) times the normal distribution function at -a is P(a) / Q(a) for a from 0 to 38, the leading coefficient
# of Q being 1; relative error below 2e-16
P0, P1, P2, P3 = 143903.73621280302, 223085.1587640311, 171065.05716465868, 83333.77409175642
P4, P5, P6 = 28143.6795061752, 6805.492293061178, 1178.1613591340354
P7, P8, P9 = 141.2863222386923, 10.73062132458373, 0.39894228040033486
Q0, Q1, Q2, Q3 = 287807.47242560604, 675807.4562601479, 737442.7135420061, 493703.6885750401
Q4, Q5, Q6 = 225247.39739453286, 73445.15676971633, 17410.991811766693
Q7, Q8, Q9 = 2980.1102506471943, 355.15229019606124, 26.897678815986556
# (ln((1 + s) / (1 - s)) / s - 2) / s**2 for |s| <= 1 / 3, relative error below 5e-15, of which a 27th enters
S0, S1, S2 = 0.6666666666666697, 0.39999999999560126, 0.2857142867666099
S3, S4, S5 = 0.22222212557929713, 0.18182261108419745, 0.15373274876358003
S6, S7, S8 = 0.135023424717571, 0.10322669270499082, 0.1687070066109721


@exact
def _parts(z):
    """Return p, c and r with exp(-|z|) = p (c + r) / (c - r), z at most LARGEST in magnitude, as :func:`tanh` has them.

    The division can then be shared with another one.
    """
    u = minus(at_most(magnitude(z), LARGEST))
    s = u * LOG2_E + ROUND
    n = s - ROUND
    r = (u * 0.5 - n * (0.5 * LOG_2_HIGH)) - n * (0.5 * LOG_2_LOW)
    x = r * r
    c = (T0 + T1 * x) + (x * x) * ((T2 + T3 * x) + (x * x) * T4)
    return power_of_two(s), 1.0 + c * x, r


@exact
def logistic_parts(z):
    """Return, of lanes z, logistic(-|z|), logistic(|z|) and (exp(-|z|) - 1) / (exp(-|z|) + 1)."""
    p, c, r = _parts(z)
    e, one = p * (c + r), c - r
    d = 1.0 / (one + e)
    return e * d, one * d, ((p - 1.0) * c + (p + 1.0) * r) * d


@exact
def _decay(z):
    """Return exp(-|z|) of lanes z, where |z| is at most LARGEST."""
    return exponential(minus(at_most(magnitude(z), LARGEST)))


@exact
def _decay_parts(e):
    """Return, of lanes e = exp(-|z|), logistic(-|z|), logistic(|z|) and ln(1 + e).

    The logarithm of 1 + e is that of (1 + s) / (1 - s), s = e / (2 + e); one division serves all.
    """
    one, two = e + 1.0, e + 2.0
    d = 1.0 / (one * two)
    large, s = two * d, (e * one) * d
    x = s * s
    y = x * x
    a = ((S0 + S1 * x) + y * (S2 + S3 * x)) + (y * y) * (((S4 + S5 * x) + y * (S6 + S7 * x)) + (y * y) * S8)
    return e * large, large, s * (2.0 + x * a)


@exact
def softplus_parts(z):
    """Return, of lanes z, logistic(-|z|), logistic(|z|) and ln(1 + exp(-|z|))."""
    return _decay_parts(_decay(z))


@exact
def _logistic(z, slope, bend, first, m, second):
    for d in range(first, first + m, WIDE_LANES):
        u = load_wide(z, d)
        small, large, turned = logistic_parts(u)
        store(z, d, where_below(u, 0.0, small, large))
        store(slope, d, small * large)
        if second:
            store(bend, d, small * large * where_below(u, 0.0, 0.0 - turned, turned))


@exact
def _softplus(z, slope, bend, first, m, second):
    for d in range(first, first + m, WIDE_LANES):
        store(slope, d, _decay(load_wide(z, d)))
    for d in range(first, first + m, WIDE_LANES):
        u = load_wide(z, d)
        small, large, more = _decay_parts(load_wide(slope, d))
        store(z, d, at_least(u, 0.0) + more)
        store(slope, d, where_below(u, 0.0, small, large))
        if second:
            store(bend, d, small * large)


@exact
def _silu(z, slope, bend, first, m, second):
    for d in range(first, first + m, WIDE_LANES):
        u = load_wide(z, d)
        small, large, turned = logistic_parts(u)
        value, rest, near = where_below(u, 0.0, small, large), where_below(u, 0.0, large, small), at_least(u, -LARGEST)
        store(z, d, near * value)
        near = at_most(near, LARGEST)
        store(slope, d, value * (1.0 + near * rest))
        if second:
            turned = where_below(u, 0.0, 0.0 - turned, turned)
            store(bend, d, small * large * (2.0 + near * turned))


@exact
def _tail(a):
    """Return exp(a**2 / 2) times the normal distribution function at -a, for lanes a."""
    b = a * a
    c = b * b
    d = c * c
    x = ((P0 + P1 * a) + b * (P2 + P3 * a)) + c * ((P4 + P5 * a) + b * (P6 + P7 * a))
    y = ((Q0 + Q1 * a) + b * (Q2 + Q3 * a)) + c * ((Q4 + Q5 * a) + b * (Q6 + Q7 * a))
    return (x + d * (P8 + P9 * a)) / (y + d * ((Q8 + Q9 * a) + b))


@exact
def _gelu(z, slope, bend, first, m, second):
    """Write z N(z), N the normal distribution function, and its derivatives N + z n and n (2 - z**2).

    The square in exp(-z**2 / 2) is the rounded one and what rounding it has lost.
    """
    for d in range(first, first + m, WIDE_LANES):
        a = at_most(magnitude(load_wide(z, d)), FARTHEST)
        square = a * a
        p, q = grown(square * -0.5, fused(a, a, minus(square)) * 0.5)
        store(slope, d, p * q + p)
    for d in range(first, first + m, WIDE_LANES):
        u, e = load_wide(z, d), load_wide(slope, d)
        a = at_most(magnitude(u), FARTHEST)
        square = a * a
        tail, density = e * _tail(a), e * PER_ROOT_2_PI
        low = tail - a * density
        store(z, d, at_least(u, 0.0) - a * tail)
        store(slope, d, where_below(u, 0.0, low, 1.0 - low))
        if second:
            store(bend, d, density * (2.0 - square))


@linked(types.void(int64, matrix, matrix, matrix, int64, int64, boolean), counted=False)
def activate(kind, z, slope, bend, first, m, second):
    """Replace the entries of z from `first` on by their activation; write its derivatives there to slope and bend.

    The second derivative is written only if `second`.
    """
    if kind == LOGISTIC:
        _logistic(z, slope, bend, first, m, second)
    elif kind == SOFTPLUS:
        _softplus(z, slope, bend, first, m, second)
    elif kind == SILU:
        _silu(z, slope, bend, first, m, second)
    elif kind == GELU:
        _gelu(z, slope, bend, first, m, second)
