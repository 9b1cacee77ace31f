"""Exact second derivatives of a network's loss: the whole matrix, and its product with a vector.

A weight from k to unit u acts on the loss only through u's pre-activation z_u. With delta_u = dE/dz_u and the matrix
M(u, v) of second derivatives with respect to pushes on z_u and z_v,

    d2E / dw(u,k) dw(v,m) = sum over data of (M(u, v) a_k + delta_u da_k/dz_v) a_m,        u not below v,

so one push on each unit, forward and back through the network (Pearlmutter's R operator, Neural Comput. 6 (1994) 147),
gives M, and products of rows of data the rest.
"""

from __future__ import annotations

import numpy as np
from numba import types

from thalweg.potentials import network_kernels
from thalweg.potentials.compiled import HESSIAN_SIGNATURE, floats, integers, jit, vector
from thalweg.potentials.network_kernels import (
    BLOCK,
    HEADER,
    bounded,
    data_block,
    finish_loss,
    forward_block,
    hidden_deltas,
    l2_term,
    layer_table,
    n_units,
    output_block,
    zero_frozen,
)
from thalweg.potentials.vector_math import add_rows, exact, multiply_rows, source_version, sum_rows

__all__ = ["network_hessian", "network_hessian_vector"]


@exact
def _push(w, shape, table, layer, unit, slope, rz, ra, m):
    """Write dz/dz_unit for the units of its layer and all above to rz, and slope times it to ra."""
    layers, one = shape[0], np.int64(1)
    for above in range(layer, layers):
        inner, outer = shape[HEADER + above], shape[HEADER + above + 1]
        offset, first = table[above, 0], table[above, 2]
        for j in range(first, first + outer):
            rz[j, :m] = 1.0 if j == unit else 0.0
            if above == layer + 1:
                k = unit - (first - inner)
                add_rows(w, offset + (j - first) * inner + k, one, one, ra, unit, rz[j], m)
            elif above > layer:
                add_rows(w, offset + (j - first) * inner, one, inner, ra, first - inner, rz[j], m)
            if above < layers - 1:
                for d in range(m):
                    ra[j, d] = slope[j, d] * rz[j, d]


@exact
def _curve_outputs(p, rz, first, curve, m):
    """Multiply rz by the second derivatives of the cross-entropy in the outputs, diag(p) - p p."""
    classes = p.shape[0]
    mean = np.zeros(m)
    for a in range(classes):
        for d in range(m):
            mean[d] += p[a, d] * rz[first + a, d]
    for a in range(classes):
        for d in range(m):
            curve[first + a, d] = p[a, d] * (rz[first + a, d] - mean[d])


@exact
def _curve(w, shape, table, layer, unit, act, slope, delta, p, rz, curve, m):
    """Write M(u, unit) to curve[u] for the units of `layer` from `unit` on and all above."""
    layers = shape[0]
    _curve_outputs(p, rz, table[layers - 1, 2], curve, m)
    for above in range(layers - 1, layer, -1):
        inner, outer = shape[HEADER + above], shape[HEADER + above + 1]
        offset, first = table[above, 0], table[above, 2]
        for u in range(max(unit, first - inner), first):
            target = curve[u]
            target[:m] = 0.0
            add_rows(w, offset + u - (first - inner), inner, outer, curve, first, target, m)
            for d in range(m):
                target[d] = target[d] * slope[u, d] - 2.0 * act[u, d] * delta[u, d] * rz[u, d]


@exact
def _left_rows(left, curve, delta, ra, source, row, inner, upper, m):
    """Write M a_k + delta da_k/dz for every weight into a unit, and M for its bias, to the rows of left."""
    for k in range(inner):
        for d in range(m):
            left[k, d] = curve[d] * source[row + k, d]
        if upper:
            for d in range(m):
                left[k, d] += delta[d] * ra[row + k, d]
    for d in range(m):
        left[inner, d] = curve[d]


@exact
def _add_products(left, inner, right, row, width, m, out, n, starts):
    """Add left times the rows of right, and their sums for the bias, to rows and columns of the matrix out."""
    weights, bias, column, bias_column = starts
    zero, one = np.int64(0), np.int64(1)  # as variables: a literal would compile one more version
    multiply_rows(left, zero, inner, right, row, width, m, out, weights * n + column, n)
    multiply_rows(left, inner, one, right, row, width, m, out, bias * n + column, n)
    sum_rows(left, zero, inner, m, out, weights * n + bias_column, n)
    sum_rows(left, inner, one, m, out, bias * n + bias_column, n)


@exact
def _hessian_block(w, shape, table, data, act, slope, delta, p, work, m, out):
    """Add one block's part of N times the Hessian, for the pairs of units (u, v) with u not before v."""
    layers, n = shape[0], w.size
    units = delta.shape[0]
    rz, ra, curve, left = work[:units], work[units : 2 * units], work[2 * units : 3 * units], work[3 * units :]
    for layer in range(layers):
        width, first = shape[HEADER + layer], table[layer, 2]
        right, row = (data, 0) if layer == 0 else (act, first - width)
        for v in range(first, first + shape[HEADER + layer + 1]):
            _push(w, shape, table, layer, v, slope, rz, ra, m)
            _curve(w, shape, table, layer, v, act, slope, delta, p, rz, curve, m)
            column, bias_column = table[layer, 0] + (v - first) * width, table[layer, 1] + v - first
            for above in range(layer, layers):
                inner, base = shape[HEADER + above], table[above, 2]
                source, source_row = (data, 0) if above == 0 else (act, base - inner)
                for u in range(max(v, base), base + shape[HEADER + above + 1]):
                    _left_rows(left, curve[u], delta[u], ra, source, source_row, inner, above > layer, m)
                    starts = (table[above, 0] + (u - base) * inner, table[above, 1] + u - base, column, bias_column)
                    _add_products(left, inner, right, row, width, m, out, n, starts)


@exact
def _owners(shape, table, n):
    """Return the unit that each weight and bias leads into."""
    owner = np.empty(n, dtype=np.int64)
    for layer in range(shape[0]):
        inner, outer = shape[HEADER + layer], shape[HEADER + layer + 1]
        for j in range(outer):
            start = table[layer, 0] + j * inner
            owner[start : start + inner] = table[layer, 2] + j
            owner[table[layer, 1] + j] = table[layer, 2] + j
    return owner


@exact
def _finish_hessian(hessian, shape, owner, data, l2):
    """Divide by the number of data, mirror, add the L2 term, and empty the rows and columns of frozen weights."""
    n = owner.size
    for i in range(n):
        for j in range(i):
            if owner[i] >= owner[j]:
                hessian[i, j] /= data
                hessian[j, i] = hessian[i, j]
            else:
                hessian[j, i] /= data
                hessian[i, j] = hessian[j, i]
        hessian[i, i] = hessian[i, i] / data + 2.0 * l2
    first = HEADER + shape[0] + 1
    for i in range(first, first + shape[2]):
        for j in range(n):
            hessian[shape[i], j] = 0.0
            hessian[j, shape[i]] = 0.0


@exact
def _probabilities(y, labels, p, m):
    """Write the probabilities to p, given dE/dy = p - [label]."""
    for a in range(p.shape[0]):
        for d in range(m):
            p[a, d] = y[a, d] + (1.0 if labels[d] == a else 0.0)


@exact
def _widest(shape):
    widest = 0
    for layer in range(shape[0]):
        widest = max(widest, shape[HEADER + layer])
    return widest


@exact
def _push_weights(w, v, shape, table, data, act, slope, rz, ra, m):
    """Write the change of every z and activation when the weights move along v."""
    layers, one = shape[0], np.int64(1)
    for layer in range(layers):
        inner, outer, first = shape[HEADER + layer], shape[HEADER + layer + 1], table[layer, 2]
        source, row = (data, 0) if layer == 0 else (act, first - inner)
        for j in range(outer):
            target, start = rz[first + j], table[layer, 0] + j * inner
            target[:m] = v[table[layer, 1] + j]
            add_rows(v, start, one, inner, source, row, target, m)
            if layer > 0:
                add_rows(w, start, one, inner, ra, first - inner, target, m)
            if layer < layers - 1:
                for d in range(m):
                    ra[first + j, d] = slope[first + j, d] * target[d]


@exact
def _pull_weights(w, v, shape, table, data, act, slope, delta, rz, ra, curve, m, out):
    """Add one block's part of N times the Hessian times v, from the change of the outputs' deltas down."""
    zero, one = np.int64(0), np.int64(1)
    for layer in range(shape[0] - 1, -1, -1):
        inner, outer = shape[HEADER + layer], shape[HEADER + layer + 1]
        offset, bias, first = table[layer, 0], table[layer, 1], table[layer, 2]
        sum_rows(curve, first, outer, m, out, bias, one)
        if layer == 0:
            multiply_rows(curve, first, outer, data, zero, inner, m, out, offset, inner)
            break
        below = first - inner
        multiply_rows(curve, first, outer, act, below, inner, m, out, offset, inner)
        multiply_rows(delta, first, outer, ra, below, inner, m, out, offset, inner)
        for k in range(inner):
            target = curve[below + k]
            target[:m] = 0.0
            add_rows(v, offset + k, inner, outer, delta, first, target, m)
            add_rows(w, offset + k, inner, outer, curve, first, target, m)
            u = below + k
            for d in range(m):
                target[d] = target[d] * slope[u, d] - 2.0 * act[u, d] * delta[u, d] * rz[u, d]


def _compile(version: int):
    """Compile both for one version of the sources, see :mod:`~thalweg.potentials.vector_math`."""

    @jit(HESSIAN_SIGNATURE)
    def network_hessian(x, hessian, integers, floats):
        """Return the loss with its L2 term; write its second derivatives, zero at frozen weights."""
        _ = version
        w, table, n = bounded(x, floats[1]), layer_table(integers), integers[1]
        hidden, units = n_units(integers, integers[0]), n_units(integers, integers[0] + 1)
        act, slope = np.empty((hidden, BLOCK)), np.empty((hidden, BLOCK))
        delta, p = np.empty((units, BLOCK)), np.empty((units - hidden, BLOCK))
        work, logs = np.empty((3 * units + _widest(integers) + 1, BLOCK)), np.zeros((4, BLOCK))
        out = hessian.reshape(hessian.size)
        out[:] = 0.0
        total = 0.0
        for start in range(0, n, BLOCK):
            data, m = data_block(integers, floats, start // BLOCK), min(BLOCK, n - start)
            forward_block(w, integers, data, act, slope, delta[hidden:], m)
            total += output_block(delta[hidden:], units - hidden, data[integers[HEADER]], logs, m)
            total += finish_loss(logs[2])
            hidden_deltas(w, integers, slope, delta, m)
            _probabilities(delta[hidden:], data[integers[HEADER]], p, m)
            _hessian_block(w, integers, table, data, act, slope, delta, p, work, m, out)
        _finish_hessian(hessian, integers, _owners(integers, table, x.size), n, floats[0])
        return total / n + l2_term(x, floats[0])

    @jit(types.void(vector, vector, vector, integers, floats))
    def network_hessian_vector(x, v, out, integers, floats):
        """Write the Hessian at x times v to out, without the Hessian; frozen entries of v count as zero."""
        _ = version
        w, table, n = bounded(x, floats[1]), layer_table(integers), integers[1]
        hidden, units = n_units(integers, integers[0]), n_units(integers, integers[0] + 1)
        act, slope = np.empty((hidden, BLOCK)), np.empty((hidden, BLOCK))
        delta, p = np.empty((units, BLOCK)), np.empty((units - hidden, BLOCK))
        rz, ra, curve = np.empty((units, BLOCK)), np.empty((units, BLOCK)), np.empty((units, BLOCK))
        logs = np.zeros((4, BLOCK))
        free = v.copy()
        zero_frozen(free, integers)
        out[:] = 0.0
        for start in range(0, n, BLOCK):
            data, m = data_block(integers, floats, start // BLOCK), min(BLOCK, n - start)
            forward_block(w, integers, data, act, slope, delta[hidden:], m)
            output_block(delta[hidden:], units - hidden, data[integers[HEADER]], logs, m)
            logs[:] = 0.0
            hidden_deltas(w, integers, slope, delta, m)
            _probabilities(delta[hidden:], data[integers[HEADER]], p, m)
            _push_weights(w, free, integers, table, data, act, slope, rz, ra, m)
            _curve_outputs(p, rz, hidden, curve, m)
            _pull_weights(w, free, integers, table, data, act, slope, delta, rz, ra, curve, m, out)
        for i in range(x.size):
            out[i] = out[i] / n + 2.0 * floats[0] * free[i]
        zero_frozen(out, integers)

    return network_hessian, network_hessian_vector


network_hessian, network_hessian_vector = _compile(source_version(network_kernels.__file__, __file__))
