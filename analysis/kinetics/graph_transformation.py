"""Graph transformation: subtraction-free elimination of the states of a Markov chain.

Eliminating state x gives every two of its neighbours the rate ``k_ij + k_ix k_xj / K_x``, where ``K_x`` is the sum
of x's own rates to what is left, never one minus something (Trygubenko, Wales, J. Chem. Phys. 124 (2006) 234110;
Grassmann, Taksar, Heyman, Oper. Res. 33 (1985) 1107). Only positive numbers are added, multiplied and divided, so
every rate keeps its relative accuracy, however metastable the chain.

Numbers are *extended*: a row (m, e) of a float64 array stands for ``m * 2**(256 e)``, with m zero or between 2**-128
and 2**128, so that nothing over- or underflows at low temperature.
"""

from __future__ import annotations

import numba
import numpy as np

from thalweg.analysis.kinetics.extended_range import Factor
from thalweg.potentials.compiled.signatures import integers, jit, matrix

__all__ = ["backward", "differences", "edge_differences", "eliminate", "forward", "occupations"]

_f = numba.float64
_number = numba.types.UniTuple(_f, 2)
_mask = numba.types.Array(numba.boolean, 1, "C")
_pairs = numba.types.Array(numba.int64, 2, "C")
_factor = numba.types.NamedTuple((integers, integers, integers, integers, matrix, matrix, matrix), Factor)
_pool = numba.types.Tuple((integers, matrix, matrix))
_pool_end = numba.types.Tuple((integers, matrix, matrix, numba.int64))
_UP, _DOWN = 2.0**256, 2.0**-256
_LARGE, _SMALL = 2.0**128, 2.0**-128
_DENSE = 32  # states left, from which a half-filled rest is worth a dense block


@jit(_number(_f, _f))
def _fitted(m, e):
    """Bring the double back to its range; zero has the exponent zero."""
    if m == 0.0:
        return 0.0, 0.0
    if abs(m) >= _LARGE:
        return m * _DOWN, e + 1.0
    if abs(m) < _SMALL:
        return m * _UP, e - 1.0
    return m, e


@jit(_number(_f, _f, _f, _f))
def _sum(a, ae, b, be):
    if a == 0.0:
        return b, be
    if b == 0.0:
        return a, ae
    if ae == be:
        return _fitted(a + b, ae)
    if ae < be:
        a, ae, b, be = b, be, a, ae
    return _fitted(a + b * _DOWN, ae) if ae == be + 1.0 else (a, ae)


@jit(numba.void(matrix, numba.int64, _f, _f, matrix, numba.int64))
def _add_product(out, i, a, ae, b, j):
    """out[i] += a b[j]."""
    m, e = _fitted(a * b[j, 0], ae + b[j, 1])
    out[i, 0], out[i, 1] = _sum(out[i, 0], out[i, 1], m, e)


@jit(_number(matrix, numba.int64, matrix, numba.int64))
def _quotient(a, i, b, j):
    return _fitted(a[i, 0] / b[j, 0], a[i, 1] - b[j, 1])


@jit(numba.void(integers, integers, integers, integers, numba.int64))
def _unlink(head, following, before, degree, i):
    """Take state i out of the list of states of its degree."""
    if before[i] >= 0:
        following[before[i]] = following[i]
    else:
        head[degree[i]] = following[i]
    if following[i] >= 0:
        before[following[i]] = before[i]


@jit(numba.void(integers, integers, integers, integers, numba.int64))
def _link(head, following, before, degree, i):
    """Put state i into the list of states of its degree."""
    before[i] = -1
    following[i] = head[degree[i]]
    if following[i] >= 0:
        before[following[i]] = i
    head[degree[i]] = i


@jit(_pool(integers, matrix, matrix, numba.int64))
def _grown(cols, up, low, needed):
    """Return the pool of rows with room for this number of entries."""
    if needed <= len(cols):
        return cols, up, low
    size = 2 * needed
    new_cols, new_up, new_low = np.zeros(size, dtype=np.int64), np.zeros((size, 2)), np.zeros((size, 2))
    n = len(cols)
    new_cols[:n], new_up[:n], new_low[:n] = cols, up, low
    return new_cols, new_up, new_low


@jit(numba.void(integers, integers, matrix, matrix, numba.int64))
def _normalise(start, length, up, total, x):
    """Turn row x into probabilities; ``total[x]`` becomes the sum of its rates."""
    m, e = 0.0, 0.0
    for p in range(start[x], start[x] + length[x]):
        m, e = _sum(m, e, up[p, 0], up[p, 1])
    total[x, 0], total[x, 1] = m, e
    for p in range(start[x], start[x] + length[x]):
        up[p, 0], up[p, 1] = _quotient(up, p, total, x)


@jit(numba.void(integers, integers, integers, matrix, matrix, integers, numba.int64, numba.int64, numba.int64))
def _take_out(start, length, cols, up, low, place, x, i, slot):
    """Mark the places of row i, and move its rate to x from there to ``low[slot]``."""
    last = start[i] + length[i] - 1
    for p in range(start[i], last + 1):
        place[cols[p]] = p
    p = place[x]
    low[slot] = up[p]
    cols[p], up[p, 0], up[p, 1] = cols[last], up[last, 0], up[last, 1]
    place[cols[p]] = p
    place[x] = -1
    length[i] -= 1


@jit(numba.void(integers, integers, integers, matrix, matrix, integers, numba.int64, numba.int64, numba.int64))
def _spread(start, length, cols, up, low, place, x, i, slot):
    """Add ``low[slot]`` times x's probabilities to row i, whose places are marked, and take the marks away."""
    a, ae = low[slot, 0], low[slot, 1]
    for p in range(start[x], start[x] + length[x]):
        j = cols[p]
        if j == i:
            continue
        if place[j] < 0:
            place[j] = start[i] + length[i]
            cols[place[j]], up[place[j], 0], up[place[j], 1] = j, 0.0, 0.0
            length[i] += 1
        _add_product(up, place[j], a, ae, up, p)
    for p in range(start[i], start[i] + length[i]):
        place[cols[p]] = -1


@jit(_pool_end(integers, integers, integers, integers, matrix, matrix, numba.int64, numba.int64, numba.int64))
def _with_room(start, length, room, cols, up, low, i, x, end):
    """Move row i to the end of the pool if x's row might not fit into it; return the pool and its end."""
    if room[i] >= length[i] + length[x]:
        return cols, up, low, end
    room[i] = 2 * (length[i] + length[x])
    cols, up, low = _grown(cols, up, low, end + room[i])
    for k in range(length[i]):
        cols[end + k], up[end + k] = cols[start[i] + k], up[start[i] + k]
    start[i] = end
    return cols, up, low, end + room[i]


@jit(numba.boolean(matrix, matrix, numba.int64))
def _pivot(m, e, k):
    """Turn row k from its diagonal on into probabilities, the diagonal into their sum; say whether exponents are 0."""
    t, te = 0.0, 0.0
    for j in range(k + 1, m.shape[1]):
        m[k, j], e[k, j] = _fitted(m[k, j], e[k, j])
        t, te = _sum(t, te, m[k, j], e[k, j])
    m[k, k], e[k, k] = t, te
    plain = True
    for j in range(k + 1, m.shape[1]):
        m[k, j], e[k, j] = _fitted(m[k, j] / t, e[k, j] - te)
        plain &= e[k, j] == 0.0
    return plain


@jit(numba.void(matrix, matrix))
def _eliminate_dense(m, e):
    """Eliminate the states of a dense block in order, in place: probabilities right of the diagonal, rates left of it.

    Where all exponents are zero the inner loop is one of plain doubles. Sums it leaves may be out of an extended
    number's range by the square of it; they are brought back before they are multiplied again.
    """
    n, flat = len(m), np.zeros(len(m), dtype=np.int64)
    for i in range(n):
        flat[i] = not e[i].any()
    for k in range(n):
        plain = _pivot(m, e, k)
        row = m[k]
        for i in range(k + 1, n):
            a, ae = _fitted(m[i, k], e[i, k])
            m[i, k], e[i, k] = a, ae
            if a == 0.0:
                continue
            if plain and flat[i] and ae == 0.0:
                other = m[i]
                for j in range(k + 1, m.shape[1]):
                    other[j] += a * row[j]
                continue
            flat[i] = 1
            for j in range(k + 1, m.shape[1]):
                b, be = _fitted(a * row[j], ae + e[k, j])
                c, ce = _fitted(m[i, j], e[i, j])
                m[i, j], e[i, j] = _sum(c, ce, b, be)
                if j != i and e[i, j] != 0.0:
                    flat[i] = 0


@jit(numba.types.UniTuple(matrix, 3)(integers, integers, integers, matrix, integers, integers, numba.int64))
def _dense_block(start, length, cols, up, members, column, width):
    """Return mantissas and exponents of the members' rows, each row scaled by a power of 2; and those powers."""
    m, e = np.zeros((len(members), width)), np.zeros((len(members), width))
    scales = np.zeros((len(members), 2))
    for k in range(len(members)):
        i = members[k]
        top = -1
        for p in range(start[i], start[i] + length[i]):
            if up[p, 0] > 0.0 and (top < 0 or (up[p, 1], up[p, 0]) > (up[top, 1], up[top, 0])):
                top = p
        if top >= 0:
            scales[k, 0], scales[k, 1] = 2.0 ** np.floor(np.log2(up[top, 0])), up[top, 1]
            for p in range(start[i], start[i] + length[i]):
                j = column[cols[p]]
                m[k, j], e[k, j] = _fitted(up[p, 0] / scales[k, 0], up[p, 1] - scales[k, 1])
    return m, e, scales


@jit(_pool(integers, integers, integers, matrix, matrix, matrix, integers, integers, numba.int64))
def _finish(start, length, cols, up, low, total, members, ends, end):
    """Eliminate the remaining members as a dense block and write their rows to the pool; return the pool."""
    n, width = len(members), len(members) + len(ends)
    column, states = np.full(len(start), -1, dtype=np.int64), np.concatenate((members, ends))
    column[states] = np.arange(width)
    m, e, scales = _dense_block(start, length, cols, up, members, column, width)
    _eliminate_dense(m, e)
    cols, up, low = _grown(cols, up, low, end + n * width)
    for k in range(n):
        x = members[k]
        start[x], length[x] = end, width - k - 1
        total[x, 0], total[x, 1] = _fitted(m[k, k] * scales[k, 0], e[k, k] + scales[k, 1])
        for j in range(k + 1, width):
            cols[end], up[end, 0], up[end, 1] = states[j], m[k, j], e[k, j]
            low[end] = 0.0
            if j < n:
                low[end, 0], low[end, 1] = _fitted(m[j, k] * scales[j, 0], e[j, k] + scales[j, 1])
            end += 1
    return cols, up, low


@jit(_factor(integers, integers, matrix, _mask))
def eliminate(indptr, indices, rates, interior):
    """Eliminate the interior states, that with the fewest neighbours first, the rest as one dense block.

    Rows ``indptr, indices`` are in CSR form, without the diagonal; if i and j are ``interior``, (n,) bool, and j is in
    row i, then i is in row j, with a rate of zero if need be; rows of other states are empty. ``rates``, (nnz, 2),
    lead from the row's state to the column's, and each interior state has a way out.

    Returns
    -------
    Factor
    """
    n = len(interior)
    start, length, end = indptr[:-1].copy(), np.diff(indptr), len(indices)
    room, degree, left = length.copy(), length.copy(), interior.copy()
    cols, up, low = indices.copy(), rates.copy(), np.zeros_like(rates)
    total, order = np.zeros((n, 2)), np.empty(interior.sum(), dtype=np.int64)
    place, head = np.full(n, -1, dtype=np.int64), np.full(n, -1, dtype=np.int64)
    following, before = head.copy(), head.copy()
    for i in np.flatnonzero(interior)[::-1]:
        _link(head, following, before, degree, i)
    least = 0
    for k in range(len(order)):
        while head[least] < 0:
            least += 1
        if 2 * least >= len(order) - k >= _DENSE:
            order[k:] = np.flatnonzero(left)
            cols, up, low = _finish(start, length, cols, up, low, total, order[k:], np.flatnonzero(~interior), end)
            break
        x = head[least]
        order[k], left[x] = x, False
        _unlink(head, following, before, degree, x)
        _normalise(start, length, up, total, x)
        for p in range(start[x], start[x] + length[x]):
            i = cols[p]
            if not interior[i]:
                continue
            cols, up, low, end = _with_room(start, length, room, cols, up, low, i, x, end)
            _unlink(head, following, before, degree, i)
            _take_out(start, length, cols, up, low, place, x, i, p)
            _spread(start, length, cols, up, low, place, x, i, p)
            degree[i] = length[i]
            _link(head, following, before, degree, i)
            least = min(least, degree[i])
    return Factor(order, start, length, cols, up, low, total)


@jit(numba.void(_factor, matrix, matrix))
def forward(factor, reward, values):
    """Carry rewards (per unit of time in a state) over to the states that are left, in place.

    The array reward, (n, 2), is spent, and values, (n, 2), of interior states are set to the reward of one visit.
    """
    start, length, cols, low, total = factor.start, factor.length, factor.cols, factor.low, factor.total
    for x in factor.order:
        values[x, 0], values[x, 1] = _quotient(reward, x, total, x)
        for p in range(start[x], start[x] + length[x]):
            _add_product(reward, cols[p], values[x, 0], values[x, 1], low, p)


@jit(numba.void(_factor, matrix))
def backward(factor, values):
    """Complete the values of interior states by those of the states they go to, in place.

    With :func:`forward` this solves ``K_i v_i = reward_i + sum_j k_ij v_j`` for given values of the boundary.
    """
    order, start, length, cols, up = factor.order, factor.start, factor.length, factor.cols, factor.up
    for k in range(len(order) - 1, -1, -1):
        x = order[k]
        for p in range(start[x], start[x] + length[x]):
            _add_product(values, x, up[p, 0], up[p, 1], values, cols[p])


@jit(numba.void(_factor, matrix))
def occupations(factor, inflow):
    """Solve ``n_i K_i = inflow_i + sum_j n_j k_ji`` over interior states; inflow becomes n, in place."""
    order, start, length, cols = factor.order, factor.start, factor.length, factor.cols
    up, low, total = factor.up, factor.low, factor.total
    for x in order:
        for p in range(start[x], start[x] + length[x]):
            _add_product(inflow, cols[p], inflow[x, 0], inflow[x, 1], up, p)
    for k in range(len(order) - 1, -1, -1):
        x = order[k]
        for p in range(start[x], start[x] + length[x]):
            if low[p, 0] > 0.0:
                _add_product(inflow, x, low[p, 0], low[p, 1], inflow, cols[p])
        inflow[x, 0], inflow[x, 1] = _quotient(inflow, x, total, x)


@jit(numba.void(integers, integers, integers, matrix, matrix, integers, numba.int64, numba.int64))
def _pair_differences(start, length, cols, up, out, place, x, p):
    """Add what the differences between neighbours ``cols[p]`` = q and j of x give to those between x and them."""
    q = cols[p]
    for s in range(start[q], start[q] + length[q]):
        slot = place[cols[s]]
        if slot >= 0:
            _add_product(out, slot, up[p, 0], up[p, 1], out, s)
            _add_product(out, p, -up[slot, 0], up[slot, 1], out, s)


@jit(matrix(_factor, matrix))
def differences(factor, visit):
    """Return the values of interior states less those of each of their neighbours when eliminated.

    They come from differences between the neighbours, never from the values: two states that exchange fast have
    values that agree to all digits, and a difference that is right all the same.

    Parameters
    ----------
    factor : Factor
        From :func:`eliminate`, with one boundary state.
    visit : (n, 2) array
        Values of interior states as :func:`forward` leaves them.

    Returns
    -------
    (capacity, 2) array
        Extended numbers beside ``cols``.
    """
    order, start, length, cols, up = factor.order, factor.start, factor.length, factor.cols, factor.up
    out, place = np.zeros_like(up), np.full(len(start), -1, dtype=np.int64)
    for k in range(len(order) - 1, -1, -1):
        x = order[k]
        for p in range(start[x], start[x] + length[x]):
            place[cols[p]] = p
            out[p] = visit[x]
        for p in range(start[x], start[x] + length[x]):
            _pair_differences(start, length, cols, up, out, place, x, p)
        for p in range(start[x], start[x] + length[x]):
            place[cols[p]] = -1
    return out


@jit(matrix(_factor, matrix, _pairs))
def edge_differences(factor, found, pairs):
    """Return from :func:`differences` the value of each pair's first state less that of its second, (m, 2)."""
    start, length, cols = factor.start, factor.length, factor.cols
    out = np.zeros((len(pairs), 2))
    for k in range(len(pairs)):
        for side in range(2):
            a, b = pairs[k, side], pairs[k, 1 - side]
            for p in range(start[a], start[a] + length[a]):
                if cols[p] == b:
                    out[k, 0] = found[p, 0] if side == 0 else -found[p, 0]
                    out[k, 1] = found[p, 1]
    return out
