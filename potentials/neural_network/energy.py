"""Compiled loss of a network and its gradient, both with the L2 term.

Inputs are packed in blocks of :data:`BLOCK` data points with the data index innermost, so that every loop over data is
a vector loop. `integers` is [layers of weights L, data N, frozen weights F, width of every layer (L + 1), indices of
the frozen weights (F)]; `floats` is [l2, largest weight taken as it is, then block by block one row of BLOCK numbers
for each input and one for the labels, -1 where the last block is filled up]; what follows in both is that of
:mod:`~thalweg.potentials.neural_network.sparse_inputs`.
"""

from __future__ import annotations

import numpy as np
from numba import boolean, float64, int64, types

from thalweg.potentials.compiled.linking import linked
from thalweg.potentials.compiled.signatures import FUNCTION_SIGNATURE, floats, integers, jit, matrix, vector
from thalweg.potentials.compiled.simd import LANES, larger, load, splat, store, total, where_equal
from thalweg.potentials.neural_network.rows import BLOCK, STEP, combine, four_fold, multiply_rows, product_row
from thalweg.potentials.neural_network.sparse_inputs import (
    add_sparse_products,
    n_nonzero,
    sparse_combine,
    turned_weights,
)
from thalweg.potentials.neural_network.vector_math import exact, exponential, sum_rows, tanh

__all__ = [
    "BLOCK",
    "FLOATS",
    "HEADER",
    "add_gradient",
    "add_sums",
    "bounded",
    "data_block",
    "finish_loss",
    "forward_block",
    "hidden_deltas",
    "l2_term",
    "layer_table",
    "n_sums",
    "n_units",
    "network_function",
    "network_probabilities",
    "output_block",
    "padded",
    "zero_frozen",
]

HEADER, FLOATS = 3, 2  # where the widths begin in `integers`, and the data in `floats`
LOGARITHMS = 8  # blocks whose products share one logarithm
places = types.Array(int64, 2, "C")


@exact
def n_units(shape, stop):
    """Return the number of units in the layers after the input and before layer `stop`."""
    total = 0
    for layer in range(1, stop):
        total += shape[HEADER + layer]
    return total


@linked(places(integers))
def layer_table(shape):
    """Return for each layer of weights: its first weight, its first bias, and the first of the units it leads to."""
    layers = shape[0]
    table = np.zeros((layers, 3), dtype=np.int64)
    for layer in range(1, layers):
        table[layer, 0] = table[layer - 1, 0] + shape[HEADER + layer - 1] * shape[HEADER + layer]
        table[layer, 2] = table[layer - 1, 2] + shape[HEADER + layer]
    weights = table[layers - 1, 0] + shape[HEADER + layers - 1] * shape[HEADER + layers]
    for layer in range(layers):
        table[layer, 1] = weights + table[layer, 2]
    return table


@linked(types.void(vector, integers, places, *[matrix] * 4, int64, boolean))
def forward_block(w, shape, table, data, act, slope, y, m, ready):
    """Fill the hidden units' values and slopes, and the last rows of y with the outputs before the softmax, for m data.

    With `ready` the first layer's sums are there already.
    """
    layers = shape[0]
    for layer in range(layers):
        inner, outer = shape[HEADER + layer], shape[HEADER + layer + 1]
        offset, bias, row = table[layer, 0], table[layer, 1], table[layer, 2]
        if layer == 0 and layers == 1 and not ready:
            combine(w, offset, inner, 1, outer, bias, data, 0, inner, y, row, m)
        elif layer == 0 and not ready:
            combine(w, offset, inner, 1, outer, bias, data, 0, inner, act, row, m)
        elif 0 < layer < layers - 1:
            combine(w, offset, inner, 1, outer, bias, act, row - inner, inner, act, row, m)
        elif layer > 0:
            combine(w, offset, inner, 1, outer, bias, act, row - inner, inner, y, row, m)
        if layer < layers - 1:
            for j in range(row, row + outer):
                tanh(act, slope, j * BLOCK, m)


@exact
def padded(m):
    """Return how many data the row kernels work on for m data of a block."""
    return (m + STEP - 1) // STEP * STEP


@exact
def _largest(y, a, classes, d):
    """Return the largest outputs of the data d to d + LANES - 1 of the first `classes` rows from entry a on."""
    top = load(y, a + d)
    for _ in range(1, classes):
        a += BLOCK
        top = larger(top, load(y, a + d))
    return top


@linked(float64(matrix, int64, vector, matrix, int64))
def output_block(y, first, labels, work, m):
    """Turn outputs, the rows of y from `first` on, into dE/dy = p - [label]; return sum (largest - label's output).

    The other part of the loss, sum of ln(1 + T) with T the summed exp(y - largest output) but for the largest, goes
    into work[2], the running product of (1 + T) less 1: no digit of a small T is lost and one logarithm serves many.
    What fills the block up after m data, labelled -1, becomes zero. Two values of lanes at a time, see tanh.
    """
    classes, begin, product = y.shape[0] - first, first * BLOCK, 2 * BLOCK
    missed, zero, one = splat(0.0), splat(0.0), splat(1.0)
    for d in range(0, m, STEP):
        e = d + LANES
        top, peak = _largest(y, begin, classes, d), _largest(y, begin, classes, e)
        label, mark = load(labels, d), load(labels, e)
        rest, more, best, most = splat(-1.0), splat(-1.0), zero, zero
        for a in range(classes):
            k = begin + a * BLOCK
            u, v = load(y, k + d) - top, load(y, k + e) - peak
            missed = missed - where_equal(label, float(a), u, zero) - where_equal(mark, float(a), v, zero)
            u, v = exponential(u, v)
            store(y, k + d, u)
            store(y, k + e, v)
            # the largest counts apart, as 1: a small T keeps its digits
            rest, more = rest + where_equal(u, 1.0, one, zero), more + where_equal(v, 1.0, one, zero)
            best, most = best + where_equal(u, 1.0, zero, u), most + where_equal(v, 1.0, zero, v)
        rest, more = rest + best, more + most
        p, q = 1.0 / (1.0 + rest), 1.0 / (1.0 + more)
        p, q = where_equal(label, -1.0, zero, p), where_equal(mark, -1.0, zero, q)
        for a in range(classes):
            k = begin + a * BLOCK
            u, v = load(y, k + d), load(y, k + e)
            u = where_equal(label, float(a), (u - 1.0) - rest, u)
            v = where_equal(mark, float(a), (v - 1.0) - more, v)
            store(y, k + d, u * p)
            store(y, k + e, v * q)
        u, v = load(work, product + d), load(work, product + e)
        store(work, product + d, u + where_equal(label, -1.0, zero, rest * (1.0 + u)))
        store(work, product + e, v + where_equal(mark, -1.0, zero, more * (1.0 + v)))
    return total(missed)


@linked(float64(vector, float64), fastmath={"contract", "reassoc", "nsz"})
def l2_term(x, l2):
    """Return l2 times the sum of squares, infinite only where it cannot be represented.

    Its gradient is added in :func:`network_function`.
    """
    total = 0.0
    for i in range(x.size):
        total += x[i] * x[i]
    if l2 == 0.0:
        return 0.0
    if total < np.inf:
        return l2 * total
    total = 0.0
    for i in range(x.size):
        total += (l2 * x[i]) * x[i]
    return total


@linked(float64(matrix, int64, int64))
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


@linked(vector(vector, float64))
def bounded(x, limit):
    """Return x, or a copy with what is beyond +-limit cut, so that no product of weights overflows."""
    largest = 0.0
    for i in range(x.size):
        largest = max(largest, abs(x[i]))
    if largest <= limit or limit <= 0.0:
        return x
    cut = np.empty_like(x)
    for i in range(x.size):
        cut[i] = min(max(x[i], -limit), limit)
    return cut


@linked(matrix(integers, floats, int64))
def data_block(shape, data, block):
    """Return one block of the data: a row for each input, then the labels."""
    rows = shape[HEADER] + 1
    start = FLOATS + block * rows * BLOCK
    return data[start : start + rows * BLOCK].reshape(rows, BLOCK)


@linked(types.void(vector, integers, places, matrix, matrix, int64))
def hidden_deltas(w, shape, table, slope, delta, m):
    """Fill dE/dz of the hidden units from that of the outputs, the last rows of delta."""
    for layer in range(shape[0] - 1, 0, -1):
        inner, outer, first = shape[HEADER + layer], shape[HEADER + layer + 1], table[layer, 2]
        below = first - inner
        combine(w, table[layer, 0], 1, inner, inner, -1, delta, first, outer, delta, below, m)
        for row in range(below, first):
            product_row(delta, row, slope, row, delta, row, m)


@exact
def n_sums(shape):
    """Return how many sums :func:`add_gradient` keeps."""
    total = 0
    for layer in range(shape[0]):
        total += shape[HEADER + layer] * four_fold(shape[HEADER + layer + 1])
    return total


@linked(types.void(integers, places, *[matrix] * 3, int64, int64, floats, vector, vector))
def add_gradient(shape, table, source, act, delta, m, begin, floats, sums, gradient):
    """Add one block's part of N times the gradient: for the weights to sums, for the biases in place.

    The block begins with datum `begin`; `floats` are those of the network.
    """
    place, sparse = 0, n_nonzero(shape) > 0
    for layer in range(shape[0]):
        inner, outer, first = shape[HEADER + layer], shape[HEADER + layer + 1], table[layer, 2]
        sum_rows(delta, first, outer, m, gradient, table[layer, 1])
        if layer == 0 and sparse:
            add_sparse_products(delta, shape, floats, begin, min(m, shape[1] - begin), sums)
        elif layer == 0:
            multiply_rows(delta, first, outer, source, 0, inner, m, sums, place)
        else:
            multiply_rows(delta, first, outer, act, first - inner, inner, m, sums, place)
        place += inner * four_fold(outer)


@linked(types.void(integers, places, vector, vector))
def add_sums(shape, table, sums, gradient):
    """Add the sums of :func:`add_gradient` to the gradient."""
    place = 0
    for layer in range(shape[0]):
        inner, outer, offset = shape[HEADER + layer], shape[HEADER + layer + 1], table[layer, 0]
        for k in range(inner):
            for j in range(outer):
                gradient[offset + j * inner + k] += sums[place + j]
            place += four_fold(outer)


@linked(types.void(vector, integers))
def zero_frozen(out, shape):
    """Set the entries of frozen weights to zero."""
    first = HEADER + shape[0] + 1
    for i in range(first, first + shape[2]):
        out[shape[i]] = 0.0


@linked(types.void(matrix, int64, matrix, int64, int64))
def _write_probabilities(y, first, out, start, m):
    """Write the softmax of the outputs of m data to the rows of out from `start` on."""
    classes, begin = out.shape[1], first * BLOCK
    for d in range(0, m, STEP):
        e, zero = d + LANES, splat(0.0)
        top, peak = _largest(y, begin, classes, d), _largest(y, begin, classes, e)
        p, q = zero, zero
        for k in range(begin, begin + classes * BLOCK, BLOCK):
            u, v = exponential(load(y, k + d) - top, load(y, k + e) - peak)
            p, q = p + u, q + v
            store(y, k + d, u)
            store(y, k + e, v)
        for k in range(begin, begin + classes * BLOCK, BLOCK):
            store(y, k + d, load(y, k + d) / p)
            store(y, k + e, load(y, k + e) / q)
    for d in range(m):
        for a in range(classes):
            out[start + d, a] = y[first + a, d]


@jit(FUNCTION_SIGNATURE)
def network_function(x, gradient, integers, floats):
    """Return the loss with its L2 term; write its gradient, zero at frozen weights."""
    w, n, l2, table = bounded(x, floats[1]), integers[1], floats[0], layer_table(integers)
    hidden, units = n_units(integers, integers[0]), n_units(integers, integers[0] + 1)
    rows, sums = np.empty((3 + 2 * hidden + units, BLOCK)), np.zeros(n_sums(integers))
    work, act, slope = rows[:3], rows[3 : 3 + hidden], rows[3 + hidden : 3 + 2 * hidden]
    delta = rows[3 + 2 * hidden :]
    for d in range(BLOCK):
        work[2, d] = 0.0
    for i in range(x.size):
        gradient[i] = 0.0
    sparse = n_nonzero(integers) > 0
    turned = turned_weights(w, integers) if sparse else sums
    total, blocks = 0.0, (n + BLOCK - 1) // BLOCK
    for block in range(blocks):
        data, m = data_block(integers, floats, block), min(BLOCK, n - block * BLOCK)
        filled = padded(m)
        if sparse and hidden == 0:
            sparse_combine(turned, w, table[0, 1], integers, floats, block * BLOCK, m, delta, 0)
        elif sparse:
            sparse_combine(turned, w, table[0, 1], integers, floats, block * BLOCK, m, act, 0)
        forward_block(w, integers, table, data, act, slope, delta, filled, sparse)
        total += output_block(delta, hidden, data[integers[HEADER]], work, filled)
        if block % LOGARITHMS == LOGARITHMS - 1 or block == blocks - 1:
            total += finish_loss(work, 2, block % LOGARITHMS + 1)
        hidden_deltas(w, integers, table, slope, delta, filled)
        add_gradient(integers, table, data, act, delta, filled, block * BLOCK, floats, sums, gradient)
    add_sums(integers, table, sums, gradient)
    # the gradient of the mean cross-entropy and that of the L2 term
    for i in range(x.size):
        gradient[i] = gradient[i] / n + 2.0 * l2 * x[i]
    zero_frozen(gradient, integers)
    return total / n + l2_term(x, l2)


@jit(types.void(vector, integers, floats, matrix, matrix))
def network_probabilities(x, integers, floats, inputs, out):
    """Write the probabilities of every class (N, classes) at inputs (N, n_in); the packed data are not used."""
    w, width, table = bounded(x, floats[1]), inputs.shape[1], layer_table(integers)
    hidden, units = n_units(integers, integers[0]), n_units(integers, integers[0] + 1)
    data, y = np.zeros((width, BLOCK)), np.empty((units, BLOCK))
    act, slope = np.empty((hidden, BLOCK)), np.empty((hidden, BLOCK))
    for start in range(0, inputs.shape[0], BLOCK):
        m = min(BLOCK, inputs.shape[0] - start)
        for d in range(m):
            for k in range(width):
                data[k, d] = inputs[start + d, k]
        forward_block(w, integers, table, data, act, slope, y, padded(m), False)
        _write_probabilities(y, hidden, out, start, m)
