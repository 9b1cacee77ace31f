"""Compiled loss of a network and its gradient, both with the L2 term.

The arrays that the functions take are described in :mod:`~thalweg.potentials.neural_network.layout`.
"""

from __future__ import annotations

import numpy as np
from numba import boolean, float64, int64, types

from thalweg.potentials.compiled.linking import linked
from thalweg.potentials.compiled.signatures import FUNCTION_SIGNATURE, floats, integers, jit, matrix, vector
from thalweg.potentials.compiled.simd import WIDE_LANES, load_wide, lower_half, splat_wide, store, total, upper_half
from thalweg.potentials.neural_network.activations.functions import activate
from thalweg.potentials.neural_network.activations.kinds import TANH
from thalweg.potentials.neural_network.layout import (
    HEADER,
    activation_of,
    data_block,
    layer_table,
    n_units,
    penalised,
    places,
)
from thalweg.potentials.neural_network.losses.outputs import (
    LOGARITHMS,
    finish_loss,
    largest_output,
    output_loss,
    weigh_outputs,
)
from thalweg.potentials.neural_network.rows import (
    BLOCK,
    STEP,
    WIDE,
    aligned,
    aligned_rows,
    combine,
    four_fold,
    multiply_rows,
    multiply_wide,
    product_row,
)
from thalweg.potentials.neural_network.sparse_inputs import (
    add_sparse_products,
    n_nonzero,
    sparse_combine,
    turned_weights,
)
from thalweg.potentials.neural_network.vector_math import exact, exponential, sum_rows, tanh

__all__ = [
    "add_gradient",
    "add_sums",
    "bounded",
    "forward_block",
    "fresh_sums",
    "hidden_deltas",
    "l2_term",
    "layer_sums",
    "network_function",
    "network_outputs",
    "padded",
    "zero_frozen",
]


MOST_SUMS = 8192  # half a megabyte


@linked(types.void(vector, integers, places, *[matrix] * 5, int64, boolean, boolean), counted=False)
def forward_block(w, shape, table, data, act, slope, bend, y, m, ready, second):
    """Fill the hidden units' values and slopes, and the last rows of y with the outputs, for m data.

    With `ready` the first layer's sums are there already. With `second` the second derivatives go to bend, but for
    those of tanh, which are -2 value slope.
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
            kind = activation_of(shape, layer)
            for j in range(row, row + outer):
                if kind == TANH:
                    tanh(act, slope, j * BLOCK, m)
                else:
                    activate(kind, act, slope, bend, j * BLOCK, m, second)


@exact
def padded(m):
    """Return how many data the row kernels work on for m data of a block."""
    return (m + STEP - 1) // STEP * STEP


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


@linked(types.void(vector, integers, places, matrix, matrix, matrix, int64, boolean), counted=False)
def hidden_deltas(w, shape, table, slope, bend, delta, m, second):
    """Fill dE/dz of the hidden units from that of the outputs, the last rows of delta.

    With `second`, rows of bend become the activations' second derivatives times dE/da, but for those of tanh.
    """
    for layer in range(shape[0] - 1, 0, -1):
        inner, outer, first = shape[HEADER + layer], shape[HEADER + layer + 1], table[layer, 2]
        below = first - inner
        combine(w, table[layer, 0], 1, inner, inner, -1, delta, first, outer, delta, below, m)
        bent = second and activation_of(shape, layer - 1) != TANH
        for row in range(below, first):
            if bent:
                product_row(bend, row, delta, row, bend, row, m)
            product_row(delta, row, slope, row, delta, row, m)


@exact
def _wide_first(shape):
    """Return whether the first layer's gradient is kept in WIDE_LANES sums for each weight.

    For many inputs that is faster, unless the data are few or the sums beyond the second cache.
    """
    inner, outer = shape[HEADER], shape[HEADER + 1]
    return inner >= WIDE and n_nonzero(shape) == 0 and shape[1] >= 2 * BLOCK and inner * outer <= MOST_SUMS


@exact
def layer_sums(shape, layer):
    """Return how many sums :func:`add_gradient` keeps for a layer of weights."""
    inner, outer = shape[HEADER + layer], shape[HEADER + layer + 1]
    return inner * outer * WIDE_LANES if layer == 0 and _wide_first(shape) else inner * four_fold(outer)


@jit()
def fresh_sums(shape):
    """Return the sums of :func:`add_gradient`, all zero."""
    size = 0
    for layer in range(shape[0]):
        size += layer_sums(shape, layer)
    sums = aligned(size)
    for i in range(size):
        sums[i] = 0.0
    return sums


@linked(types.void(integers, places, *[matrix] * 3, int64, int64, floats, vector, vector), counted=False)
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
        elif layer == 0 and _wide_first(shape):
            multiply_wide(delta, first, outer, source, 0, inner, m, sums)
        elif layer == 0:
            multiply_rows(delta, first, outer, source, 0, inner, m, sums, place)
        else:
            multiply_rows(delta, first, outer, act, first - inner, inner, m, sums, place)
        place += layer_sums(shape, layer)


@linked(types.void(integers, places, vector, vector), counted=False)
def add_sums(shape, table, sums, gradient):
    """Add the sums of :func:`add_gradient` to the gradient."""
    place = 0
    for layer in range(shape[0]):
        inner, outer, offset = shape[HEADER + layer], shape[HEADER + layer + 1], table[layer, 0]
        wide = layer == 0 and _wide_first(shape)
        for k in range(inner):
            for j in range(outer):
                part = sums[place + j]
                if wide:
                    eight = load_wide(sums, place + j * WIDE_LANES)
                    part = total(lower_half(eight) + upper_half(eight))
                gradient[offset + j * inner + k] += part
            place += outer * WIDE_LANES if wide else four_fold(outer)


@linked(types.void(vector, integers), counted=False)
def zero_frozen(out, shape):
    """Set the entries of frozen weights to zero."""
    first = HEADER + shape[0] + 1
    for i in range(first, first + shape[2]):
        out[shape[i]] = 0.0


@linked(types.void(matrix, int64, matrix, int64, int64), counted=False)
def _write_probabilities(y, first, out, start, m):
    """Write the softmax of the outputs of m data to the rows of out from `start` on."""
    classes, begin = out.shape[1], first * BLOCK
    for d in range(0, m, WIDE_LANES):
        top, p = largest_output(y, begin, classes, d), splat_wide(0.0)
        for k in range(begin, begin + classes * BLOCK, BLOCK):
            u = exponential(load_wide(y, k + d) - top)
            p = p + u
            store(y, k + d, u)
        for k in range(begin, begin + classes * BLOCK, BLOCK):
            store(y, k + d, load_wide(y, k + d) / p)
    for d in range(m):
        for a in range(classes):
            out[start + d, a] = y[first + a, d]


@jit(FUNCTION_SIGNATURE)
def network_function(x, gradient, integers, floats):
    """Return the loss with its L2 term; write its gradient, zero at frozen weights."""
    w, n, l2, table = bounded(x, floats[1]), integers[1], floats[0], layer_table(integers)
    hidden, units = n_units(integers, integers[0]), n_units(integers, integers[0] + 1)
    rows, sums = aligned_rows(3 + 2 * hidden + units), fresh_sums(integers)
    work, act, slope = rows[:3], rows[3 : 3 + hidden], rows[3 + hidden : 3 + 2 * hidden]
    delta = rows[3 + 2 * hidden :]
    for d in range(BLOCK):
        work[2, d] = 0.0
    for i in range(x.size):
        gradient[i] = 0.0
    sparse = n_nonzero(integers) > 0
    turned = turned_weights(w, integers) if sparse else sums
    energy, blocks = 0.0, (n + BLOCK - 1) // BLOCK
    for block in range(blocks):
        data, m = data_block(integers, floats, block), min(BLOCK, n - block * BLOCK)
        filled = padded(m)
        if sparse and hidden == 0:
            sparse_combine(turned, w, table[0, 1], integers, floats, block * BLOCK, m, delta, 0)
        elif sparse:
            sparse_combine(turned, w, table[0, 1], integers, floats, block * BLOCK, m, act, 0)
        forward_block(w, integers, table, data, act, slope, slope, delta, filled, sparse, False)
        energy += output_loss(integers, delta, hidden, data, work, filled)
        weigh_outputs(integers, delta, hidden, data, filled)
        if block % LOGARITHMS == LOGARITHMS - 1 or block == blocks - 1:
            energy += finish_loss(work, 2, block % LOGARITHMS + 1)
        hidden_deltas(w, integers, table, slope, slope, delta, filled, False)
        add_gradient(integers, table, data, act, delta, filled, block * BLOCK, floats, sums, gradient)
    add_sums(integers, table, sums, gradient)
    # the gradient of the mean over the data and that of the L2 term
    counted = penalised(integers, x.size)
    for i in range(counted):
        gradient[i] = gradient[i] / n + 2.0 * l2 * x[i]
    for i in range(counted, x.size):
        gradient[i] /= n
    zero_frozen(gradient, integers)
    return energy / n + l2_term(x[:counted], l2)


@jit(types.void(vector, integers, floats, matrix, matrix, boolean))
def network_outputs(x, integers, floats, inputs, out, softmax):
    """Write the outputs (N, outputs), or their softmax, at inputs (N, n_in); the packed data are not used."""
    w, width, table = bounded(x, floats[1]), inputs.shape[1], layer_table(integers)
    hidden, units = n_units(integers, integers[0]), n_units(integers, integers[0] + 1)
    data, y = np.zeros((width, BLOCK)), aligned_rows(units)
    act, slope = aligned_rows(hidden), aligned_rows(hidden)
    for start in range(0, inputs.shape[0], BLOCK):
        m = min(BLOCK, inputs.shape[0] - start)
        for d in range(m):
            for k in range(width):
                data[k, d] = inputs[start + d, k]
        forward_block(w, integers, table, data, act, slope, slope, y, padded(m), False, False)
        if softmax:
            _write_probabilities(y, hidden, out, start, m)
        else:
            for d in range(m):
                for a in range(out.shape[1]):
                    out[start + d, a] = y[hidden + a, d]
