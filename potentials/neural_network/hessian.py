"""The exact matrix of second derivatives of a network's loss.

A weight from k to unit u acts on the loss only through u's pre-activation z_u. With delta_u = dE/dz_u and the matrix
M(u, v) of second derivatives with respect to pushes on z_u and z_v,

    d2E / dw(u,k) dw(v,m) = sum over data of (M(u, v) a_k + delta_u da_k/dz_v) a_m,        u not below v.

One push on each unit, forward and back through the network (Pearlmutter's R operator, Neural Comput. 6 (1994) 147),
gives the rows of M. Then, layer by layer, the rows of M times the rows a_k a_m are products of matrices; their sums
are kept in the order of these products, a pair of layers (A above or at B) after the other, as

    [k of A][m of B][units v of B, u of A]        and for the second term        [v of B][k of A][m of B][u of A],

with the bias as the last k and m. Within a layer only u >= v and m >= k are kept.
"""

from __future__ import annotations

import numpy as np
from numba import float64, int64, types

from thalweg.potentials.compiled.linking import linked
from thalweg.potentials.compiled.signatures import HESSIAN_SIGNATURE, integers, jit, matrix, vector
from thalweg.potentials.compiled.simd import LANES, load, store
from thalweg.potentials.neural_network.activations.kinds import TANH
from thalweg.potentials.neural_network.energy import bounded, forward_block, hidden_deltas, l2_term, padded
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
    curve_output,
    curve_outputs,
    finish_loss,
    output_loss,
    weigh_outputs,
)
from thalweg.potentials.neural_network.rows import BLOCK, combine, copy_row, four_fold, multiply_rows, product_row
from thalweg.potentials.neural_network.vector_math import exact

__all__ = ["network_hessian"]

pair_places = types.Array(int64, 3, "C")


@exact
def _n_pairs(shape, below, above):
    """Return how many pairs of units (v of layer `below`, u of layer `above`) are kept."""
    inner, outer = shape[HEADER + below + 1], shape[HEADER + above + 1]
    return inner * (inner + 1) // 2 if above == below else inner * outer


@exact
def _n_moved(shape, below, above):
    """Return how many units just below layer `above` move with one of layer `below`."""
    return 1 if above == below + 1 else shape[HEADER + above]


@linked(types.void(integers, pair_places, integers), counted=False)
def _pair_table(shape, table, totals):
    """Write the first row of M and the first sum of both kinds of every pair of layers, and their totals."""
    layers, rows, sums = shape[0], 0, 0
    for below in range(layers):
        for above in range(below, layers):
            pairs, k, m = _n_pairs(shape, below, above), shape[HEADER + above] + 1, shape[HEADER + below] + 1
            table[below, above, 0], table[below, above, 1] = rows, sums
            rows += pairs
            sums += four_fold(pairs) * (k * (k + 1) // 2 if above == below else k * m)
            table[below, above, 2] = sums
            if above > below:
                sums += (
                    shape[HEADER + below + 1] * _n_moved(shape, below, above) * m * four_fold(shape[HEADER + above + 1])
                )
    totals[0], totals[1] = rows, sums


@exact
def _first_pair(shape, below, above, v):
    """Return the place of the first pair of unit v, counted within its layer, among those of its layers."""
    outer = shape[HEADER + above + 1]
    return v * outer - v * (v - 1) // 2 if above == below else v * outer


@linked(types.void(vector, integers, places, int64, int64, matrix, matrix, matrix, int64), counted=False)
def _push(w, shape, table, layer, unit, slope, rz, ra, m):
    """Write dz/dz_unit for the units of all layers above its own to rz, and slope times it to ra."""
    layers = shape[0]
    if layer == layers - 1:
        return
    copy_row(slope, unit, ra, unit, m)
    for above in range(layer + 1, layers):
        inner, outer = shape[HEADER + above], shape[HEADER + above + 1]
        offset, first = table[above, 0], table[above, 2]
        if above == layer + 1:
            start = offset + unit - (first - inner)
            combine(w, start, inner, 1, outer, -1, ra, unit, 1, rz, first, m)
        else:
            combine(w, offset, inner, 1, outer, -1, ra, first - inner, inner, rz, first, m)
        if above < layers - 1:
            for j in range(first, first + outer):
                product_row(slope, j, rz, j, ra, j, m)


@exact
def _bend(kind, act, bend, delta, rz, u, curve, row, m):
    """Add dE/da f''(z) dz of unit u to a row of curve: -2 a delta dz for tanh."""
    u, row = u * BLOCK, row * BLOCK
    if kind == TANH:
        for d in range(0, m, LANES):
            bent = 2.0 * load(act, u + d) * load(delta, u + d) * load(rz, u + d)
            store(curve, row + d, load(curve, row + d) - bent)
        return
    for d in range(0, m, LANES):
        store(curve, row + d, load(curve, row + d) + load(bend, u + d) * load(rz, u + d))


@linked(types.void(vector, integers, places, pair_places, int64, int64, *[matrix] * 8, int64), counted=False)
def _curve(w, shape, table, pairs, layer, unit, data, act, slope, bend, delta, p, rz, curve, m):
    """Write M(u, unit) for all units u from `unit` on to their rows of curve."""
    last = shape[0] - 1
    v = unit - table[layer, 2]
    upper = pairs[layer, last, 0] + _first_pair(shape, layer, last, v)
    if layer == last:
        curve_output(shape, p, v, data, curve, upper, m)
    else:
        curve_outputs(shape, p, 0, rz, table[last, 2], data, curve, upper, m)
        for d in range(m):
            rz[unit, d] = 1.0
    for above in range(last, layer, -1):
        inner, outer, first = shape[HEADER + above], shape[HEADER + above + 1], table[above, 2]
        row = pairs[layer, above - 1, 0] + _first_pair(shape, layer, above - 1, v)
        skip, kind = v if above - 1 == layer else 0, activation_of(shape, above - 1)
        combine(w, table[above, 0] + skip, 1, inner, inner - skip, -1, curve, upper, outer, curve, row, m)
        for u in range(inner - skip):
            product_row(curve, row + u, slope, first - inner + skip + u, curve, row + u, m)
            if u == 0 or above - 1 > layer:
                _bend(kind, act, bend, delta, rz, first - inner + skip + u, curve, row + u, m)
        upper = row


@linked(types.void(integers, places, pair_places, int64, int64, *[matrix] * 5, int64, vector), counted=False)
def _add_moved(shape, table, pairs, layer, unit, data, act, delta, ra, rows, m, out):
    """Add delta_u da_k/dz_unit a_m for every weight from a unit k that moves with `unit` into a unit u above."""
    inner, first = shape[HEADER + layer], table[layer, 2]
    v = unit - first
    source, begin = (data, 0) if layer == 0 else (act, first - inner)
    for above in range(layer + 1, shape[0]):
        outer, base = shape[HEADER + above + 1], table[above, 2]
        below = base - shape[HEADER + above]
        step = (inner + 1) * four_fold(outer)
        place = pairs[layer, above, 2] + v * _n_moved(shape, layer, above) * step
        for k in range(below, base):
            if above > layer + 1 or k == unit:
                for j in range(inner):
                    product_row(ra, k, source, begin + j, rows, j, m)
                copy_row(ra, k, rows, inner, m)
                multiply_rows(delta, base, outer, rows, 0, inner + 1, m, out, place)
                place += step


@linked(types.void(integers, places, pair_places, int64, int64, *[matrix] * 4, int64, vector), counted=False)
def _add_products(shape, table, pairs, below, above, data, act, curve, rows, m, out):
    """Add the products of the rows of M of one pair of layers with the rows a_k a_j."""
    outer, inner = shape[HEADER + above], shape[HEADER + below]
    upper, upper_row = (data, 0) if above == 0 else (act, table[above, 2] - outer)
    lower, lower_row = (data, 0) if below == 0 else (act, table[below, 2] - inner)
    n, first, place = _n_pairs(shape, below, above), pairs[below, above, 0], pairs[below, above, 1]
    for k in range(outer + 1):
        skip = k if above == below else 0
        for j in range(skip, inner + 1):
            if j < inner and k < outer:
                product_row(lower, lower_row + j, upper, upper_row + k, rows, j - skip, m)
            elif j < inner:
                copy_row(lower, lower_row + j, rows, j - skip, m)
            elif k < outer:
                copy_row(upper, upper_row + k, rows, j - skip, m)
            else:
                for d in range(m):
                    rows[j - skip, d] = 1.0
        width = inner + 1 - skip
        multiply_rows(curve, first, n, rows, 0, width, m, out, place)
        place += four_fold(n) * width


@linked(types.void(vector, integers, places, pair_places, *[matrix] * 8, int64, vector), counted=False)
def _add_block(w, shape, table, pairs, data, act, slope, bend, delta, p, work, curve, m, out):
    """Add one block's part of N times the Hessian to the sums."""
    units = delta.shape[0]
    rz, ra, rows = work[:units], work[units : 2 * units], work[2 * units :]
    for layer in range(shape[0]):
        first = table[layer, 2]
        for unit in range(first, first + shape[HEADER + layer + 1]):
            _push(w, shape, table, layer, unit, slope, rz, ra, m)
            _curve(w, shape, table, pairs, layer, unit, data, act, slope, bend, delta, p, rz, curve, m)
            _add_moved(shape, table, pairs, layer, unit, data, act, delta, ra, rows, m, out)
    for below in range(shape[0]):
        for above in range(below, shape[0]):
            _add_products(shape, table, pairs, below, above, data, act, curve, rows, m, out)


@exact
def _place(shape, table, layer, unit, k):
    """Return the index of the weight k into a unit counted within its layer, or of its bias."""
    inner = shape[HEADER + layer]
    return table[layer, 0] + unit * inner + k if k < inner else table[layer, 1] + unit


@linked(types.void(integers, places, int64, int64, vector, int64, float64, matrix), counted=False)
def _spread_sums(shape, table, below, above, out, place, factor, hessian):
    """Write the sums of one pair of layers times a factor to all their places in the matrix."""
    upper, lower = shape[HEADER + above + 1], shape[HEADER + below + 1]
    same, step = above == below, four_fold(_n_pairs(shape, below, above))
    for k in range(shape[HEADER + above] + 1):
        for m in range(k if same else 0, shape[HEADER + below] + 1):
            p = place
            for v in range(lower):
                j = _place(shape, table, below, v, m)
                other = _place(shape, table, below, v, k) if same else 0
                for u in range(v if same else 0, upper):
                    i, value = _place(shape, table, above, u, k), factor * out[p]
                    hessian[i, j] = value
                    hessian[j, i] = value
                    if same:
                        i = _place(shape, table, above, u, m)
                        hessian[i, other] = value
                        hessian[other, i] = value
                    p += 1
            place += step


@linked(types.void(integers, places, int64, int64, vector, int64, float64, matrix), counted=False)
def _spread_moved(shape, table, below, above, out, place, factor, hessian):
    """Add the sums of what moves, one pair of layers', times a factor to both their places in the matrix."""
    outer, moved = shape[HEADER + above + 1], _n_moved(shape, below, above)
    for v in range(shape[HEADER + below + 1]):
        for k in range(moved):
            for m in range(shape[HEADER + below] + 1):
                j = _place(shape, table, below, v, m)
                for u in range(outer):
                    i = _place(shape, table, above, u, k if above > below + 1 else v)
                    hessian[i, j] += factor * out[place + u]
                    hessian[j, i] = hessian[i, j]
                place += four_fold(outer)


@linked(types.void(integers, places, pair_places, vector, float64, matrix), counted=False)
def _finish_hessian(shape, table, pairs, out, l2, hessian):
    """Write the matrix from its sums, add the L2 term, and empty the rows and columns of frozen weights."""
    n = hessian.shape[0]
    for below in range(shape[0]):
        for above in range(below, shape[0]):
            _spread_sums(shape, table, below, above, out, pairs[below, above, 1], 1.0 / shape[1], hessian)
            if above > below:
                _spread_moved(shape, table, below, above, out, pairs[below, above, 2], 1.0 / shape[1], hessian)
    for i in range(penalised(shape, n)):
        hessian[i, i] += 2.0 * l2
    first = HEADER + shape[0] + 1
    for i in range(first, first + shape[2]):
        for j in range(n):
            hessian[shape[i], j] = 0.0
            hessian[j, shape[i]] = 0.0


@exact
def _widest(shape):
    widest = 0
    for layer in range(shape[0]):
        widest = max(widest, shape[HEADER + layer])
    return widest


@jit(HESSIAN_SIGNATURE)
def network_hessian(x, hessian, integers, floats):
    """Return the loss with its L2 term; write its second derivatives, zero at frozen weights."""
    w, table, n = bounded(x, floats[1]), layer_table(integers), integers[1]
    hidden, units = n_units(integers, integers[0]), n_units(integers, integers[0] + 1)
    pairs, totals = np.zeros((integers[0], integers[0], 3), dtype=np.int64), np.zeros(2, dtype=np.int64)
    _pair_table(integers, pairs, totals)
    act, slope, bend = np.empty((hidden, BLOCK)), np.empty((hidden, BLOCK)), np.empty((hidden, BLOCK))
    delta, p = np.empty((units, BLOCK)), np.empty((units - hidden, BLOCK))
    work, logs = np.empty((2 * units + _widest(integers) + 1, BLOCK)), np.zeros((3, BLOCK))
    curve, out = np.empty((totals[0], BLOCK)), np.zeros(totals[1])
    total = 0.0
    for start in range(0, n, BLOCK):
        data, m = data_block(integers, floats, start // BLOCK), min(BLOCK, n - start)
        filled = padded(m)
        forward_block(w, integers, table, data, act, slope, bend, delta, filled, False, True)
        total += output_loss(integers, delta, hidden, data, logs, filled) + finish_loss(logs, 2, 1)
        curvature_rows(integers, delta, hidden, data, p, 0, filled)
        weigh_outputs(integers, delta, hidden, data, filled)
        hidden_deltas(w, integers, table, slope, bend, delta, filled, True)
        _add_block(w, integers, table, pairs, data, act, slope, bend, delta, p, work, curve, filled, out)
    _finish_hessian(integers, table, pairs, out, floats[0], hessian)
    return total / n + l2_term(x[: penalised(integers, x.size)], floats[0])
