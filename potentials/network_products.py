"""The Hessian of a network's loss times a vector, without the Hessian.

Pearlmutter's R operator, Neural Comput. 6 (1994) 147: the weights move along the vector, and everything that the
gradient is made of moves with them.
"""

from __future__ import annotations

import numpy as np
from numba import types

from thalweg.potentials import network_kernels, row_kernels, sparse_inputs
from thalweg.potentials.compiled import floats, integers, jit, vector
from thalweg.potentials.network_kernels import (
    BLOCK,
    HEADER,
    add_gradient,
    add_sums,
    bounded,
    data_block,
    forward_block,
    hidden_deltas,
    layer_table,
    n_sums,
    n_units,
    output_block,
    padded,
    zero_frozen,
)
from thalweg.potentials.row_kernels import combine, four_fold, multiply_rows
from thalweg.potentials.sparse_inputs import n_nonzero, sparse_combine, turned_weights
from thalweg.potentials.vector_math import exact, source_version

__all__ = ["network_hessian_vector"]


@exact
def _add_rows(rows, count, target, first, m):
    """Add the first `count` rows to those of target."""
    for i in range(count):
        for d in range(m):
            target[first + i, d] += rows[i, d]


@exact
def _push_weights(w, v, shape, table, data, act, slope, rz, ra, more, m, ready):
    """Write the change of every z and activation when the weights move along v.

    With `ready` the first layer's part of rz is there already.
    """
    layers, one, zero, none = shape[0], np.int64(1), np.int64(0), np.int64(-1)
    for layer in range(layers):
        inner, outer, first = shape[HEADER + layer], shape[HEADER + layer + 1], table[layer, 2]
        source, row = (data, 0) if layer == 0 else (act, first - inner)
        if layer > 0 or not ready:
            combine(v, table[layer, 0], inner, one, outer, table[layer, 1], source, row, inner, rz, first, m)
        if layer > 0:
            combine(w, table[layer, 0], inner, one, outer, none, ra, first - inner, inner, more, zero, m)
            _add_rows(more, outer, rz, first, m)
        if layer < layers - 1:
            for j in range(first, first + outer):
                for d in range(m):
                    ra[j, d] = slope[j, d] * rz[j, d]


@exact
def _curve_outputs(y, labels, rz, first, curve, m):
    """Write diag(p) - p p times the outputs' changes to curve, given dE/dy = p - [label]."""
    classes, mean = y.shape[0], np.zeros(BLOCK)
    for a in range(classes):
        for d in range(m):
            curve[first + a, d] = y[a, d] + (1.0 if labels[d] == a else 0.0)
            mean[d] += curve[first + a, d] * rz[first + a, d]
    for a in range(classes):
        for d in range(m):
            curve[first + a, d] *= rz[first + a, d] - mean[d]


@exact
def _pull_weights(w, v, shape, table, data, act, slope, delta, moving, m, begin, floats, sums, out):
    """Add one block's part of N times the Hessian times v, from the change of the outputs' deltas down."""
    zero, one, none = np.int64(0), np.int64(1), np.int64(-1)
    rz, ra, curve, more = moving
    for layer in range(shape[0] - 1, 0, -1):
        inner, outer = shape[HEADER + layer], shape[HEADER + layer + 1]
        offset, first = table[layer, 0], table[layer, 2]
        below = first - inner
        combine(v, offset, one, inner, inner, none, delta, first, outer, curve, below, m)
        combine(w, offset, one, inner, inner, none, curve, first, outer, more, zero, m)
        _add_rows(more, inner, curve, below, m)
        for u in range(below, first):
            for d in range(m):
                curve[u, d] = curve[u, d] * slope[u, d] - 2.0 * act[u, d] * delta[u, d] * rz[u, d]
    add_gradient(shape, data, act, curve, m, begin, floats, sums, out)
    place = shape[HEADER] * four_fold(shape[HEADER + 1])
    for layer in range(1, shape[0]):
        inner, outer, first = shape[HEADER + layer], shape[HEADER + layer + 1], table[layer, 2]
        multiply_rows(delta, first, outer, ra, first - inner, inner, m, sums, place)
        place += inner * four_fold(outer)


def _compile(version: int):
    """Compile for one version of the sources, see :mod:`~thalweg.potentials.vector_math`."""

    @jit(types.void(vector, vector, vector, integers, floats))
    def network_hessian_vector(x, v, out, integers, floats):
        """Write the Hessian at x times v to out, without the Hessian; frozen entries of v count as zero."""
        _ = version
        w, table, n = bounded(x, floats[1]), layer_table(integers), integers[1]
        hidden, units = n_units(integers, integers[0]), n_units(integers, integers[0] + 1)
        act, slope, delta = np.zeros((hidden, BLOCK)), np.empty((hidden, BLOCK)), np.zeros((units, BLOCK))
        rz, ra, curve = np.zeros((units, BLOCK)), np.zeros((units, BLOCK)), np.empty((units, BLOCK))
        more, logs = np.empty((units, BLOCK)), np.zeros((4, BLOCK))
        free, sums = v.copy(), np.zeros(n_sums(integers))
        zero_frozen(free, integers)
        for i in range(x.size):
            out[i] = 0.0
        sparse, zero = n_nonzero(integers) > 0, np.int64(0)
        turned = turned_weights(w, integers) if sparse else sums
        along = turned_weights(free, integers) if sparse else sums
        for start in range(0, n, BLOCK):
            data, m = data_block(integers, floats, start // BLOCK), min(BLOCK, n - start)
            filled, labels = padded(m), data[integers[HEADER]]
            if sparse:
                target = delta if integers[0] == 1 else act
                sparse_combine(turned, w, table[0, 1], integers, floats, start, m, target, zero)
                sparse_combine(along, free, table[0, 1], integers, floats, start, m, rz, zero)
            forward_block(w, integers, data, act, slope, delta[hidden:], filled, sparse)
            output_block(delta[hidden:], units - hidden, labels, logs, m)
            for d in range(m):
                logs[2, d] = 0.0
            hidden_deltas(w, integers, slope, delta, filled)
            _push_weights(w, free, integers, table, data, act, slope, rz, ra, more, filled, sparse)
            _curve_outputs(delta[hidden:], labels, rz, hidden, curve, filled)
            moving = (rz, ra, curve, more)
            _pull_weights(w, free, integers, table, data, act, slope, delta, moving, filled, start, floats, sums, out)
        add_sums(integers, sums, out)
        for i in range(x.size):
            out[i] = out[i] / n + 2.0 * floats[0] * free[i]
        zero_frozen(out, integers)

    return network_hessian_vector


network_hessian_vector = _compile(
    source_version(network_kernels.__file__, row_kernels.__file__, sparse_inputs.__file__, __file__)
)
