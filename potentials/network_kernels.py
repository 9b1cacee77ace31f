"""The loss of a network and its gradient, compiled once for every shape.

Inputs are packed in blocks of :data:`BLOCK` data points with the data index innermost, so that every loop over data is
a vector loop. `integers` is [layers of weights L, data N, frozen weights F, width of every layer (L + 1), indices of
the frozen weights (F)]; `floats` is [l2, largest weight taken as it is, then block by block one row of BLOCK numbers
for each input and one for the labels, -1 where the last block is filled up]; what follows in both is that of
:mod:`~thalweg.potentials.sparse_inputs`.
"""

from __future__ import annotations

import numpy as np
from numba import types

from thalweg.potentials import row_kernels, sparse_inputs
from thalweg.potentials.compiled import FUNCTION_SIGNATURE, floats, integers, jit, matrix, vector
from thalweg.potentials.row_kernels import STEP, combine, four_fold, multiply_rows, product_row
from thalweg.potentials.sparse_inputs import add_sparse_products, n_nonzero, sparse_combine, turned_weights
from thalweg.potentials.vector_math import (
    exact,
    exp_below,
    source_version,
    sum_rows,
    summing,
    tanh,
)

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

BLOCK = 128
HEADER, FLOATS = 3, 2  # where the widths begin in `integers`, and the data in `floats`
LOGARITHMS = 8  # blocks whose products share one logarithm


@exact
def n_units(shape, stop):
    """Return the number of units in the layers after the input and before layer `stop`."""
    total = 0
    for layer in range(1, stop):
        total += shape[HEADER + layer]
    return total


@exact
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


@exact
def forward_block(w, shape, data, act, slope, y, m, ready):
    """Fill the hidden units' values and slopes and the outputs before the softmax for one block of m data.

    With `ready` the first layer's sums are there already.
    """
    layers, table, one = shape[0], layer_table(shape), np.int64(1)
    for layer in range(layers):
        inner, outer = shape[HEADER + layer], shape[HEADER + layer + 1]
        offset, bias, row = table[layer, 0], table[layer, 1], table[layer, 2]
        last = layer == layers - 1
        source, source_row = (data, 0) if layer == 0 else (act, row - inner)
        target, first = (y, 0) if last else (act, row)
        if layer > 0 or not ready:
            combine(w, offset, inner, one, outer, bias, source, source_row, inner, target, first, m)
        if not last:
            for j in range(row, row + outer):
                tanh(act, slope, j * BLOCK, m)


@summing
def _label_deficit(y, classes, labels, top, m):
    total = 0.0
    for a in range(classes):
        out = y[a]
        for d in range(m):
            total += (top[d] - out[d]) if labels[d] == a else 0.0
    return total


@exact
def _largest_rows(y, classes, top, m):
    for d in range(m):
        top[d] = y[0, d]
    for a in range(1, classes):
        for d in range(m):
            top[d] = y[a, d] if y[a, d] > top[d] else top[d]


@exact
def padded(m):
    """Return how many data the row kernels work on for m data of a block."""
    return (m + STEP - 1) // STEP * STEP


@exact
def output_block(y, classes, labels, work, m):
    """Turn outputs into dE/dy = p - [label] in place; return the sum of (largest output - that of the label).

    The other part of the loss, sum of ln(1 + T) with T the summed exp(y - largest output) but for the largest, goes
    into work[2], the running product of (1 + T) less 1: no digit of a small T is lost and one logarithm serves many.
    What fills the block up after m data becomes zero.
    """
    top, rest, product, count, filled = work[0], work[1], work[2], work[3], padded(m)
    _largest_rows(y, classes, top, filled)
    missed = _label_deficit(y, classes, labels, top, m)
    for d in range(filled):
        rest[d] = -1.0
        count[d] = 0.0
    for a in range(classes):
        out = y[a]
        exp_below(y, a * BLOCK, work, np.int64(0), filled)
        for d in range(filled):
            largest = out[d] >= 1.0
            rest[d] += 1.0 if largest else 0.0
            count[d] += 0.0 if largest else out[d]
    for d in range(filled):
        rest[d] += count[d]
        count[d] = 1.0 / (1.0 + rest[d])
    for d in range(m):
        product[d] += rest[d] * (1.0 + product[d])
    for a in range(classes):
        out = y[a]
        for d in range(filled):
            wrong = rest[d] + (1.0 - out[d])
            out[d] = (-wrong if labels[d] == a else out[d]) * count[d]
        for d in range(m, filled):
            out[d] = 0.0
    return missed


@summing
def l2_term(x, l2):
    """Return l2 times the sum of squares, infinite only where it cannot be represented."""
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


@exact
def finish_loss(product):
    """Return the sum of ln(1 + product) and set it to zero; neighbours are multiplied first, four and four."""
    total, quarter = 0.0, BLOCK // 4
    for d in range(quarter):
        joined = product[d]
        for k in range(1, 4):
            joined += product[d + k * quarter] * (1.0 + joined)
        total += np.log1p(joined)
    product[:] = 0.0
    return total


@exact
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


@exact
def data_block(shape, data, block):
    """Return one block of the data: a row for each input, then the labels."""
    rows = shape[HEADER] + 1
    start = FLOATS + block * rows * BLOCK
    return data[start : start + rows * BLOCK].reshape(rows, BLOCK)


@exact
def hidden_deltas(w, shape, slope, delta, m):
    """Fill dE/dz of the hidden units from that of the outputs, the last rows of delta."""
    table, one = layer_table(shape), np.int64(1)
    for layer in range(shape[0] - 1, 0, -1):
        inner, outer, first = shape[HEADER + layer], shape[HEADER + layer + 1], table[layer, 2]
        below, none = first - inner, np.int64(-1)
        combine(w, table[layer, 0], one, inner, inner, none, delta, first, outer, delta, below, m)
        for row in range(below, first):
            product_row(delta, row, slope, row, delta, row, m)


@exact
def n_sums(shape):
    """Return how many sums :func:`add_gradient` keeps."""
    total = 0
    for layer in range(shape[0]):
        total += shape[HEADER + layer] * four_fold(shape[HEADER + layer + 1])
    return total


@exact
def add_gradient(shape, source, act, delta, m, begin, floats, sums, gradient):
    """Add one block's part of N times the gradient: for the weights to sums, for the biases in place.

    The block begins with datum `begin`; `floats` are those of the network.
    """
    table, place = layer_table(shape), np.int64(0)
    for layer in range(shape[0]):
        inner, outer, first = shape[HEADER + layer], shape[HEADER + layer + 1], table[layer, 2]
        sum_rows(delta, first, outer, m, gradient, table[layer, 1], np.int64(1))
        if layer == 0 and n_nonzero(shape) > 0:
            add_sparse_products(delta, shape, floats, begin, min(m, shape[1] - begin), sums)
        elif layer == 0:
            multiply_rows(delta, first, outer, source, np.int64(0), inner, m, sums, place)
        else:
            multiply_rows(delta, first, outer, act, first - inner, inner, m, sums, place)
        place += inner * four_fold(outer)


@exact
def add_sums(shape, sums, gradient):
    """Add the sums of :func:`add_gradient` to the gradient."""
    table, place = layer_table(shape), 0
    for layer in range(shape[0]):
        inner, outer, offset = shape[HEADER + layer], shape[HEADER + layer + 1], table[layer, 0]
        for k in range(inner):
            for j in range(outer):
                gradient[offset + j * inner + k] += sums[place + j]
            place += four_fold(outer)


@exact
def zero_frozen(out, shape):
    first = HEADER + shape[0] + 1
    for i in range(first, first + shape[2]):
        out[shape[i]] = 0.0


@exact
def _write_probabilities(y, work, out, m):
    """Write the softmax of the outputs of m data to the rows of out."""
    top, total = work[0], work[1]
    classes = out.shape[1]
    _largest_rows(y, classes, top, m)
    total[:m] = 0.0
    for a in range(classes):
        exp_below(y, a * BLOCK, work, np.int64(0), m)
        for d in range(m):
            total[d] += y[a, d]
    for d in range(out.shape[0]):
        for a in range(classes):
            out[d, a] = y[a, d] / total[d]


def _compile(version: int):
    """Compile both for one version of the sources, see :mod:`~thalweg.potentials.vector_math`."""

    @jit(FUNCTION_SIGNATURE)
    def network_function(x, gradient, integers, floats):
        """Return the loss with its L2 term; write its gradient, zero at frozen weights."""
        _ = version
        w, n, l2 = bounded(x, floats[1]), integers[1], floats[0]
        hidden, units = n_units(integers, integers[0]), n_units(integers, integers[0] + 1)
        scratch = np.zeros((2 * hidden + units + 4, BLOCK))
        act, slope = scratch[:hidden], scratch[hidden : 2 * hidden]
        delta, work = scratch[2 * hidden : 2 * hidden + units], scratch[2 * hidden + units :]
        for d in range(BLOCK):
            work[2, d] = 0.0
        sums = np.zeros(n_sums(integers))
        for i in range(x.size):
            gradient[i] = 0.0
        sparse, first_bias = n_nonzero(integers) > 0, layer_table(integers)[0, 1]
        turned = turned_weights(w, integers) if sparse else sums
        total, blocks = 0.0, (n + BLOCK - 1) // BLOCK
        for block in range(blocks):
            data, m = data_block(integers, floats, block), min(BLOCK, n - block * BLOCK)
            filled = padded(m)
            if sparse:
                target = delta if integers[0] == 1 else act
                sparse_combine(turned, w, first_bias, integers, floats, block * BLOCK, m, target, np.int64(0))
            forward_block(w, integers, data, act, slope, delta[hidden:], filled, sparse)
            total += output_block(delta[hidden:], units - hidden, data[integers[HEADER]], work, m)
            if block % LOGARITHMS == LOGARITHMS - 1 or block == blocks - 1:
                total += finish_loss(work[2])
            hidden_deltas(w, integers, slope, delta, filled)
            add_gradient(integers, data, act, delta, filled, block * BLOCK, floats, sums, gradient)
        add_sums(integers, sums, gradient)
        for i in range(x.size):
            gradient[i] = gradient[i] / n + 2.0 * l2 * x[i]
        zero_frozen(gradient, integers)
        return total / n + l2_term(x, l2)

    @jit(types.void(vector, integers, floats, matrix, matrix))
    def network_probabilities(x, integers, floats, inputs, out):
        """Write the probabilities of every class (N, classes) at inputs (N, n_in); the packed data are not used."""
        _ = version
        w, width = bounded(x, floats[1]), inputs.shape[1]
        hidden, units = n_units(integers, integers[0]), n_units(integers, integers[0] + 1)
        data, y = np.zeros((width, BLOCK)), np.empty((units - hidden, BLOCK))
        act, slope, work = np.empty((hidden, BLOCK)), np.empty((hidden, BLOCK)), np.empty((2, BLOCK))
        for start in range(0, inputs.shape[0], BLOCK):
            m = min(BLOCK, inputs.shape[0] - start)
            for d in range(m):
                for k in range(width):
                    data[k, d] = inputs[start + d, k]
            forward_block(w, integers, data, act, slope, y, padded(m), False)
            _write_probabilities(y, work, out[start : start + m], padded(m))

    return network_function, network_probabilities


network_function, network_probabilities = _compile(
    source_version(row_kernels.__file__, sparse_inputs.__file__, __file__)
)
