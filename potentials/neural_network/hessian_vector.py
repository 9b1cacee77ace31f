"""The Hessian of a network's loss times a vector, without the Hessian.

Pearlmutter's R operator, Neural Comput. 6 (1994) 147: the weights move along the vector, and everything that the
gradient is made of moves with them.
"""

from __future__ import annotations

import numpy as np
from numba import boolean, int64, types

from thalweg.potentials.compiled.linking import linked
from thalweg.potentials.compiled.signatures import floats, integers, jit, matrix, vector
from thalweg.potentials.neural_network.activations.kinds import TANH
from thalweg.potentials.neural_network.energy import (
    add_gradient,
    add_sums,
    bounded,
    forward_block,
    fresh_sums,
    hidden_deltas,
    layer_sums,
    padded,
    zero_frozen,
)
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
    curvature_rows,
    curve_outputs,
    output_loss,
    weigh_outputs,
)
from thalweg.potentials.neural_network.rows import BLOCK, combine, four_fold, multiply_rows
from thalweg.potentials.neural_network.sparse_inputs import n_nonzero, sparse_combine, turned_weights

__all__ = ["network_hessian_vector"]


@linked(types.void(vector, vector, integers, places, *[matrix] * 5, int64, boolean), counted=False)
def _push_weights(w, v, shape, table, data, act, slope, rz, ra, m, ready):
    """Write the change of every z and activation when the weights move along v.

    With `ready` the first layer's part of rz is there already.
    """
    layers = shape[0]
    for layer in range(layers):
        inner, outer, first = shape[HEADER + layer], shape[HEADER + layer + 1], table[layer, 2]
        source, row = (data, 0) if layer == 0 else (act, first - inner)
        if layer > 0 or not ready:
            combine(v, table[layer, 0], inner, 1, outer, table[layer, 1], source, row, inner, rz, first, m)
        if layer > 0:
            combine(w, table[layer, 0], inner, 1, outer, -2, ra, first - inner, inner, rz, first, m)
        if layer < layers - 1:
            for j in range(first, first + outer):
                for d in range(m):
                    ra[j, d] = slope[j, d] * rz[j, d]


@linked(
    types.void(vector, vector, integers, places, *[matrix] * 8, int64, int64, floats, vector, vector), counted=False
)
def _pull_weights(w, v, shape, table, data, act, slope, bend, delta, rz, ra, curve, m, begin, floats, sums, out):
    """Add 1 block's part of N times the Hessian times v, from the change of the outputs' deltas down."""
    for layer in range(shape[0] - 1, 0, -1):
        inner, outer = shape[HEADER + layer], shape[HEADER + layer + 1]
        offset, first = table[layer, 0], table[layer, 2]
        below = first - inner
        combine(v, offset, 1, inner, inner, -1, delta, first, outer, curve, below, m)
        combine(w, offset, 1, inner, inner, -2, curve, first, outer, curve, below, m)
        kind = activation_of(shape, layer - 1)
        for u in range(below, first):
            if kind == TANH:
                for d in range(m):
                    curve[u, d] = curve[u, d] * slope[u, d] - 2.0 * act[u, d] * delta[u, d] * rz[u, d]
            else:
                for d in range(m):
                    curve[u, d] = curve[u, d] * slope[u, d] + bend[u, d] * rz[u, d]
    add_gradient(shape, table, data, act, curve, m, begin, floats, sums, out)
    place = layer_sums(shape, 0)
    for layer in range(1, shape[0]):
        inner, outer, first = shape[HEADER + layer], shape[HEADER + layer + 1], table[layer, 2]
        multiply_rows(delta, first, outer, ra, first - inner, inner, m, sums, place)
        place += inner * four_fold(outer)


@jit(types.void(vector, vector, vector, integers, floats))
def network_hessian_vector(x, v, out, integers, floats):
    """Write the Hessian at x times v to out, without the Hessian; frozen entries of v count as zero."""
    w, table, n = bounded(x, floats[1]), layer_table(integers), integers[1]
    hidden, units = n_units(integers, integers[0]), n_units(integers, integers[0] + 1)
    act, slope, delta = np.zeros((hidden, BLOCK)), np.empty((hidden, BLOCK)), np.zeros((units, BLOCK))
    bend = np.empty((hidden, BLOCK))
    rz, ra, curve = np.zeros((units, BLOCK)), np.zeros((units, BLOCK)), np.empty((units, BLOCK))
    free, sums, logs = v.copy(), fresh_sums(integers), np.zeros((3, BLOCK))
    zero_frozen(free, integers)
    for i in range(x.size):
        out[i] = 0.0
    sparse = n_nonzero(integers) > 0
    turned = turned_weights(w, integers) if sparse else sums
    along = turned_weights(free, integers) if sparse else sums
    for start in range(0, n, BLOCK):
        data, m = data_block(integers, floats, start // BLOCK), min(BLOCK, n - start)
        filled = padded(m)
        if sparse:
            target = delta if integers[0] == 1 else act
            sparse_combine(turned, w, table[0, 1], integers, floats, start, m, target, 0)
            sparse_combine(along, free, table[0, 1], integers, floats, start, m, rz, 0)
        forward_block(w, integers, table, data, act, slope, bend, delta, filled, sparse, True)
        output_loss(integers, delta, hidden, data, logs, filled)
        for d in range(filled):
            logs[2, d] = 0.0
        curvature_rows(integers, delta, hidden, data, curve, hidden, filled)
        weigh_outputs(integers, delta, hidden, data, filled)
        hidden_deltas(w, integers, table, slope, bend, delta, filled, True)
        _push_weights(w, free, integers, table, data, act, slope, rz, ra, filled, sparse)
        curve_outputs(integers, curve, hidden, rz, hidden, data, curve, hidden, filled)
        moving = (filled, start, floats, sums, out)
        _pull_weights(w, free, integers, table, data, act, slope, bend, delta, rz, ra, curve, *moving)
    add_sums(integers, table, sums, out)
    counted = penalised(integers, x.size)
    for i in range(counted):
        out[i] = out[i] / n + 2.0 * floats[0] * free[i]
    for i in range(counted, x.size):
        out[i] /= n
    zero_frozen(out, integers)
