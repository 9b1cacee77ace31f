"""Compiled losses of a block's outputs, with their first and second derivatives by the outputs.

Outputs are the last rows of a matrix y, which become the derivatives in place; targets and the weights of the data
follow the inputs in a block of data, see :mod:`~thalweg.potentials.neural_network.layout`. Second derivatives come from
rows p: the probabilities of cross-entropy, whose matrix is diag(p) - p p, or the diagonal of the other losses.
"""

from __future__ import annotations

import numpy as np
from numba import float64, int64, types

from thalweg.potentials.compiled.linking import linked
from thalweg.potentials.compiled.signatures import integers, matrix, vector
from thalweg.potentials.compiled.simd import (
    LANES,
    WIDE_LANES,
    at_least,
    fused,
    larger,
    load,
    load_wide,
    lower_half,
    magnitude,
    splat,
    splat_wide,
    store,
    total,
    upper_half,
    where_below,
    where_equal,
)
from thalweg.potentials.neural_network.activations.functions import softplus_parts
from thalweg.potentials.neural_network.layout import HEADER, loss_of, n_targets
from thalweg.potentials.neural_network.losses.kinds import CROSS_ENTROPY, LOGISTIC
from thalweg.potentials.neural_network.rows import BLOCK
from thalweg.potentials.neural_network.vector_math import exact, exponential, log_one_plus

__all__ = [
    "LOGARITHMS",
    "curvature_rows",
    "curve_output",
    "curve_outputs",
    "finish_loss",
    "largest_output",
    "output_loss",
    "weigh_outputs",
]

LOGARITHMS = 8  # blocks whose products share one logarithm


@exact
def largest_output(y, a, classes, d):
    """Return the largest outputs of the data d to d + WIDE_LANES - 1 of the first `classes` rows from entry a on."""
    top = load_wide(y, a + d)
    for _ in range(1, classes):
        a += BLOCK
        top = larger(top, load_wide(y, a + d))
    return top


@exact
def _softmax(y, begin, classes, labels, d, missed, weight):
    """Turn the outputs of WIDE_LANES data from d on into dE/dy = p - [label].

    Return `missed`, four lanes, plus the weighted sum of (largest - label's output), and T of the data, the sum of
    exp(y - largest output) but for the largest.
    """
    zero, one = splat_wide(0.0), splat_wide(1.0)
    top, label = largest_output(y, begin, classes, d), load_wide(labels, d)
    rest, best = splat_wide(-1.0), zero
    for a in range(classes):
        k = begin + a * BLOCK
        u = load_wide(y, k + d) - top
        lost = where_equal(label, float(a), weight * u, zero)
        missed = missed - lower_half(lost) - upper_half(lost)
        u = exponential(u)
        store(y, k + d, u)
        # the largest counts apart, as 1: a small T keeps its digits
        rest = rest + where_equal(u, 1.0, one, zero)
        best = best + where_equal(u, 1.0, zero, u)
    rest = rest + best
    p = where_equal(label, -1.0, zero, 1.0 / (1.0 + rest))
    for a in range(classes):
        k = begin + a * BLOCK
        u = load_wide(y, k + d)
        u = where_equal(label, float(a), (u - 1.0) - rest, u)
        store(y, k + d, u * p)
    return missed, rest


@linked(float64(matrix, int64, vector, matrix, int64), counted=False)
def _cross_entropy(y, first, labels, work, m):
    """Turn outputs, the rows of y from `first` on, into dE/dy; return sum (largest - label's output).

    The other part of the loss, sum of ln(1 + T), goes into work[2], the running product of (1 + T) less 1: no digit of
    a small T is lost and one logarithm serves many. What fills the block up after m data, labelled -1, becomes zero.
    """
    classes, begin, product = y.shape[0] - first, first * BLOCK, 2 * BLOCK
    missed, zero, one = splat(0.0), splat_wide(0.0), splat_wide(1.0)
    for d in range(0, m, WIDE_LANES):
        missed, rest = _softmax(y, begin, classes, labels, d, missed, one)
        u = load_wide(work, product + d)
        store(work, product + d, u + where_equal(load_wide(labels, d), -1.0, zero, rest * (1.0 + u)))
    return total(missed)


@exact
def _add_weighted(loss, weight, parts):
    """Return four lanes of a loss plus eight weights times eight parts, first half first."""
    return fused(upper_half(weight), upper_half(parts), fused(lower_half(weight), lower_half(parts), loss))


@linked(float64(matrix, int64, vector, vector, int64), counted=False)
def _weighted_cross_entropy(y, first, labels, weights, m):
    """Turn outputs, the rows of y from `first` on, into dE/dy without the weights; return the weighted loss."""
    classes, begin, loss = y.shape[0] - first, first * BLOCK, splat(0.0)
    for d in range(0, m, WIDE_LANES):
        weight = load_wide(weights, d)
        loss, rest = _softmax(y, begin, classes, labels, d, loss, weight)
        loss = _add_weighted(loss, weight, log_one_plus(rest))
    return total(loss)


@linked(float64(matrix, int64, matrix, int64, int64), counted=False)
def _logistic(y, first, data, target, m):
    """Turn outputs, the rows of y from `first` on, into dE/dy without the weights; return the weighted loss.

    With the sign of an output turned where its target is 1, a datum's loss is ln(1 + exp(output)).
    """
    count, loss = y.shape[0] - first, splat(0.0)
    weights = (target + count) * BLOCK
    for a in range(count):
        k, t = (first + a) * BLOCK, (target + a) * BLOCK
        for d in range(0, m, WIDE_LANES):
            sign = 1.0 - 2.0 * load_wide(data, t + d)
            u = sign * load_wide(y, k + d)
            small, large, more = softplus_parts(u)
            store(y, k + d, sign * where_below(u, 0.0, small, large))
            loss = _add_weighted(loss, load_wide(data, weights + d), at_least(u, 0.0) + more)
    return total(loss)


@linked(float64(matrix, int64, matrix, int64, int64), counted=False)
def _squared_error(y, first, data, target, m):
    """Turn outputs, the rows of y from `first` on, into dE/dy without the weights; return the weighted loss."""
    count, loss = y.shape[0] - first, splat(0.0)
    weights = (target + count) * BLOCK
    for a in range(count):
        k, t = (first + a) * BLOCK, (target + a) * BLOCK
        for d in range(0, m, WIDE_LANES):
            u = load_wide(y, k + d) - load_wide(data, t + d)
            store(y, k + d, 2.0 * u)
            loss = _add_weighted(loss, load_wide(data, weights + d), u * u)
    return total(loss)


@linked(float64(integers, matrix, int64, matrix, matrix, int64), counted=False)
def output_loss(shape, y, first, data, work, m):
    """Turn outputs, the rows of y from `first` on, into dE/dy without the weights of the data.

    Return the sum of the block's weighted losses. That of cross-entropy without weights lacks what :func:`finish_loss`
    returns for work[2] after some blocks.
    """
    kind, target = loss_of(shape), shape[HEADER]
    if kind == CROSS_ENTROPY and n_targets(shape) == 1:
        return _cross_entropy(y, first, data[target], work, m)
    if kind == CROSS_ENTROPY:
        return _weighted_cross_entropy(y, first, data[target], data[target + 1], m)
    if kind == LOGISTIC:
        return _logistic(y, first, data, target, m)
    return _squared_error(y, first, data, target, m)


@exact
def _weigh_rows(rows, first, count, weights, w, m):
    """Multiply rows by row w of weights."""
    for k in range(first * BLOCK, (first + count) * BLOCK, BLOCK):
        for d in range(0, m, LANES):
            store(rows, k + d, load(rows, k + d) * load(weights, w * BLOCK + d))


@exact
def _weighted(shape):
    """Return whether there is a row of weights, the last of the rows of a block."""
    return loss_of(shape) != CROSS_ENTROPY or n_targets(shape) > 1


@linked(types.void(integers, matrix, int64, matrix, int64), counted=False)
def weigh_outputs(shape, y, first, data, m):
    """Multiply the rows of y from `first` on by the weights of the data, if there are any."""
    if _weighted(shape):
        _weigh_rows(y, first, y.shape[0] - first, data, data.shape[0] - 1, m)


@linked(float64(matrix, int64, int64), counted=False)
def finish_loss(work, row, blocks):
    """Return the sum of ln(1 + product), a row of work that this number of blocks went into, and set it to zero.

    Neighbours are multiplied first, so that each logarithm serves LOGARITHMS * 4 data.
    """
    total, step = 0.0, max(1, 4 * LOGARITHMS // blocks)
    for begin in range(0, BLOCK, step):
        joined = 0.0
        for d in range(begin, min(begin + step, BLOCK)):
            joined += work[row, d] * (1.0 + joined)
            work[row, d] = 0.0
        total += np.log1p(joined)
    return total


@linked(types.void(integers, matrix, int64, matrix, matrix, int64, int64), counted=False)
def curvature_rows(shape, y, first, data, p, row, m):
    """Write the rows p from `row` on, given dE/dy without weights in the rows of y from `first` on."""
    kind, target = loss_of(shape), shape[HEADER]
    for a in range(y.shape[0] - first):
        k, t = (first + a) * BLOCK, (row + a) * BLOCK
        for d in range(0, m, LANES):
            value = load(y, k + d)
            if kind == CROSS_ENTROPY:
                value = where_equal(load(data, target * BLOCK + d), float(a), value + 1.0, value)
            elif kind == LOGISTIC:
                value = magnitude(value)
                value = value * (1.0 - value)
            else:
                value = splat(2.0)
            store(p, t + d, value)
    if kind != CROSS_ENTROPY:
        _weigh_rows(p, row, y.shape[0] - first, data, data.shape[0] - 1, m)


@linked(types.void(integers, matrix, int64, matrix, int64, matrix, matrix, int64, int64), counted=False)
def curve_outputs(shape, p, begin, rz, first, data, curve, row, m):
    """Write the second derivatives times the outputs' changes, rows of rz from `first` on, to the rows of curve.

    p are its rows from `begin` on. Row `row` of curve may be row `begin` of p.
    """
    classes, begin, first, k = rz.shape[0] - first, begin * BLOCK, first * BLOCK, row * BLOCK
    if loss_of(shape) != CROSS_ENTROPY:
        for d in range(0, classes * BLOCK, BLOCK):
            for e in range(d, d + m, LANES):
                store(curve, k + e, load(p, begin + e) * load(rz, first + e))
        return
    for d in range(0, m, LANES):
        mean = splat(0.0)
        for a in range(d, classes * BLOCK, BLOCK):
            mean = mean + load(p, begin + a) * load(rz, first + a)
        for a in range(d, classes * BLOCK, BLOCK):
            store(curve, k + a, load(p, begin + a) * (load(rz, first + a) - mean))
    if _weighted(shape):
        _weigh_rows(curve, row, classes, data, data.shape[0] - 1, m)


@linked(types.void(integers, matrix, int64, matrix, matrix, int64, int64), counted=False)
def curve_output(shape, p, own, data, curve, row, m):
    """Write the row `own` of the second derivatives, from the diagonal on, to the rows of curve."""
    kind, classes = loss_of(shape), p.shape[0]
    for d in range(0, m, LANES):
        mine, target = load(p, own * BLOCK + d), row * BLOCK + d
        store(curve, target, mine * (1.0 - mine) if kind == CROSS_ENTROPY else mine)
        for a in range(own + 1, classes):
            target += BLOCK
            other = load(p, a * BLOCK + d)
            store(curve, target, splat(0.0) - mine * other if kind == CROSS_ENTROPY else splat(0.0))
    if kind == CROSS_ENTROPY and n_targets(shape) > 1:
        _weigh_rows(curve, row, classes - own, data, data.shape[0] - 1, m)
