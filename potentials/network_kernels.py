"""The loss of a network and its gradient, compiled once for every shape.

Inputs are packed in blocks of :data:`BLOCK` data points with the data index innermost, so that every loop over data is
a vector loop. `integers` is [layers of weights L, data N, frozen weights F, width of every layer (L + 1), indices of
the frozen weights (F)]; `floats` is [l2, largest weight taken as it is, then block by block one row of BLOCK numbers
for each input and one for the labels, -1 where the last block is filled up].
"""

from __future__ import annotations

import numpy as np
from numba import types

from thalweg.potentials.compiled import FUNCTION_SIGNATURE, floats, integers, jit, matrix, vector
from thalweg.potentials.vector_math import (
    add_rows,
    exact,
    exp_below,
    multiply,
    multiply_rows,
    source_version,
    sum_rows,
    summing,
    tanh,
)

__all__ = [
    "BLOCK",
    "FLOATS",
    "HEADER",
    "bounded",
    "data_block",
    "finish_loss",
    "forward_block",
    "hidden_deltas",
    "l2_term",
    "layer_table",
    "n_units",
    "network_function",
    "network_probabilities",
    "output_block",
    "zero_frozen",
]

BLOCK = 256
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
def forward_block(w, shape, data, act, slope, y, m):
    """Fill the hidden units' values and slopes and the outputs before the softmax for one block of m data."""
    layers, table = shape[0], layer_table(shape)
    for layer in range(layers):
        inner, outer = shape[HEADER + layer], shape[HEADER + layer + 1]
        offset, bias, row = table[layer, 0], table[layer, 1], table[layer, 2]
        last = layer == layers - 1
        source, source_row = (data, 0) if layer == 0 else (act, row - inner)
        target, first = (y, 0) if last else (act, row)
        for j in range(outer):
            z = target[first + j]
            z[:m] = w[bias + j]
            add_rows(w, offset + j * inner, np.int64(1), inner, source, source_row, z, m)
            if not last:
                tanh(z, slope[first + j], m)


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
def output_block(y, classes, labels, work, m):
    """Turn outputs into dE/dy = p - [label] in place; return the sum of (largest output - that of the label).

    The other part of the loss, sum of ln(1 + T) with T the summed exp(y - largest output) but for the largest, goes
    into work[2], the running product of (1 + T) less 1: no digit of a small T is lost and one logarithm serves many.
    """
    top, rest, product = work[0], work[1], work[2]
    _largest_rows(y, classes, top, m)
    missed = _label_deficit(y, classes, labels, top, m)
    rest[:m] = -1.0
    count = work[3]
    count[:m] = 0.0
    for a in range(classes):
        out = y[a]
        exp_below(out, top, m)
        for d in range(m):
            largest = out[d] >= 1.0
            rest[d] += 1.0 if largest else 0.0
            count[d] += 0.0 if largest else out[d]
    for d in range(m):
        rest[d] += count[d]
        product[d] += rest[d] * (1.0 + product[d])
        count[d] = 1.0 / (1.0 + rest[d])
    for a in range(classes):
        out = y[a]
        for d in range(m):
            wrong = rest[d] + (1.0 - out[d])
            out[d] = (-wrong if labels[d] == a else out[d]) * count[d]
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
    table = layer_table(shape)
    for layer in range(shape[0] - 1, 0, -1):
        inner, outer, first = shape[HEADER + layer], shape[HEADER + layer + 1], table[layer, 2]
        for k in range(inner):
            row = first - inner + k
            target = delta[row]
            target[:m] = 0.0
            add_rows(w, table[layer, 0] + k, inner, outer, delta, first, target, m)
            multiply(target, slope[row], m)


@exact
def _add_gradient(shape, data, act, delta, m, gradient):
    """Add one block's part of N times the gradient."""
    table = layer_table(shape)
    for layer in range(shape[0]):
        inner, outer = shape[HEADER + layer], shape[HEADER + layer + 1]
        offset, bias, first = table[layer, 0], table[layer, 1], table[layer, 2]
        source, row = (data, 0) if layer == 0 else (act, first - inner)
        sum_rows(delta, first, outer, m, gradient, bias, np.int64(1))
        multiply_rows(delta, first, outer, source, row, inner, m, gradient, offset, inner)


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
        exp_below(y[a], top, m)
        for d in range(m):
            total[d] += y[a, d]
    for d in range(m):
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
        scratch = np.empty((2 * hidden + units + 4, BLOCK))
        act, slope = scratch[:hidden], scratch[hidden : 2 * hidden]
        delta, work = scratch[2 * hidden : 2 * hidden + units], scratch[2 * hidden + units :]
        work[2, :] = 0.0
        gradient[:] = 0.0
        total, blocks = 0.0, (n + BLOCK - 1) // BLOCK
        for block in range(blocks):
            data, m = data_block(integers, floats, block), min(BLOCK, n - block * BLOCK)
            forward_block(w, integers, data, act, slope, delta[hidden:], m)
            total += output_block(delta[hidden:], units - hidden, data[integers[HEADER]], work, m)
            if block % LOGARITHMS == LOGARITHMS - 1 or block == blocks - 1:
                total += finish_loss(work[2])
            hidden_deltas(w, integers, slope, delta, m)
            _add_gradient(integers, data, act, delta, m, gradient)
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
        data, y = np.empty((width, BLOCK)), np.empty((units - hidden, BLOCK))
        act, slope, work = np.empty((hidden, BLOCK)), np.empty((hidden, BLOCK)), np.empty((2, BLOCK))
        for start in range(0, inputs.shape[0], BLOCK):
            m = min(BLOCK, inputs.shape[0] - start)
            for d in range(m):
                for k in range(width):
                    data[k, d] = inputs[start + d, k]
            forward_block(w, integers, data, act, slope, y, m)
            _write_probabilities(y, work, out[start : start + m], m)

    return network_function, network_probabilities


network_function, network_probabilities = _compile(source_version(__file__))
