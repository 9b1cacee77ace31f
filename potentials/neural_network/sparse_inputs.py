"""The first layer of a network whose inputs are mostly zeros, such as pictures of digits.

Packed after the indices of the frozen weights: how many nonzero inputs there are (0: not sparse), where each datum's
begin (N + 1), the input that each belongs to; then the same nonzeros input by input within each block of data: where
those of each block and input begin (blocks * width + 1), and which datum of the block each belongs to. The values
follow the blocks in the floats, in both orders. Work is by lanes over the units, a multiplication for each nonzero
input and unit, none for the zeros: forward datum by datum, the gradient input by input, so that sums stay in registers.
"""

from __future__ import annotations

import numpy as np
from numba import int64, types

from thalweg.potentials.compiled.linking import linked
from thalweg.potentials.compiled.signatures import floats, integers, matrix, vector
from thalweg.potentials.compiled.simd import LANES, load, splat, spread, store
from thalweg.potentials.neural_network.rows import BLOCK, STEP, four_fold
from thalweg.potentials.neural_network.vector_math import exact

__all__ = ["add_sparse_products", "n_nonzero", "pack_sparse", "sparse_combine", "turned_weights"]

# At least so many inputs and at most this share of them nonzero, or this where a block of so many is beyond the second
# cache (measured): otherwise the dense products are as fast or faster.
WIDE, SPARSE, WIDEST, HALF = 64, 0.3, 512, 0.5
HEADER = 3


def pack_sparse(inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the integers and floats that describe the nonzero inputs (N, width), or that they are not sparse."""
    n, width = inputs.shape
    rows, columns = np.nonzero(inputs)
    share = SPARSE if width < WIDEST else HALF
    if width < WIDE or rows.size > share * inputs.size or rows.size == 0:
        return np.zeros(1, dtype=np.int64), np.zeros(0)
    starts, keys = np.searchsorted(rows, np.arange(n + 1)), rows // BLOCK * width + columns
    order = np.argsort(keys, kind="stable")
    others = np.searchsorted(keys[order], np.arange(-(-n // BLOCK) * width + 1))
    values = inputs[rows, columns]
    places = np.concatenate([[rows.size], starts, columns, others, rows[order] % BLOCK])
    return places.astype(np.int64), np.concatenate([values, values[order]])


@exact
def n_nonzero(integers):
    """Return how many inputs are nonzero, 0 if they are not packed as sparse."""
    return integers[HEADER + integers[0] + 1 + integers[2]]


@linked(vector(vector, integers))
def turned_weights(w, integers):
    """Return the first layer's weights input by input, each with an entry for every unit, rounded up to whole lanes."""
    inner, outer = integers[HEADER], integers[HEADER + 1]
    step = four_fold(outer)
    turned = np.zeros(inner * step)
    for j in range(outer):
        for k in range(inner):
            turned[k * step + j] = w[j * inner + k]
    return turned


@linked(types.void(vector, vector, int64, integers, floats, int64, int64, matrix, int64))
def sparse_combine(turned, w, bias, integers, floats, begin, m, target, first):
    """Set the first layer's rows of target to its biases plus its weights times m data from datum `begin` on.

    The data that fill up the last step of the loops become zero. Two sums of each unit: additions to one would wait for
    each other.
    """
    outer, starts = integers[HEADER + 1], HEADER + integers[0] + 2 + integers[2]
    step, columns, values = four_fold(outer), starts + integers[1] + 1, floats.size - 2 * n_nonzero(integers)
    line, last = np.empty(step), step - LANES
    for d in range(m):
        start, stop = integers[starts + begin + d], integers[starts + begin + d + 1]
        for j in range(0, step, 3 * LANES):
            j1, j2 = min(j + LANES, last), min(j + 2 * LANES, last)
            a, b, c = splat(0.0), splat(0.0), splat(0.0)
            p, q, r = a, b, c
            for i in range(start, stop - 1, 2):
                k, x = integers[columns + i] * step, spread(floats, values + i)
                a, b, c = a + x * load(turned, k + j), b + x * load(turned, k + j1), c + x * load(turned, k + j2)
                k, x = integers[columns + i + 1] * step, spread(floats, values + i + 1)
                p, q, r = p + x * load(turned, k + j), q + x * load(turned, k + j1), r + x * load(turned, k + j2)
            if (stop - start) % 2 == 1:
                k, x = integers[columns + stop - 1] * step, spread(floats, values + stop - 1)
                a, b, c = a + x * load(turned, k + j), b + x * load(turned, k + j1), c + x * load(turned, k + j2)
            store(line, j, a + p)
            store(line, j1, b + q)
            store(line, j2, c + r)
        for j in range(outer):
            target[first + j, d] = line[j] + w[bias + j]
    for j in range(first, first + outer):
        for d in range(m, (m + STEP - 1) // STEP * STEP):
            target[j, d] = 0.0


@linked(types.void(matrix, integers, floats, int64, int64, vector))
def add_sparse_products(delta, integers, floats, begin, m, sums):
    """Add the products of the first layer's rows of delta with the inputs to sums[k * four_fold(outer) + j]."""
    outer, inner, blocks = integers[HEADER + 1], integers[HEADER], (integers[1] + BLOCK - 1) // BLOCK
    step, count = four_fold(outer), n_nonzero(integers)
    starts = HEADER + integers[0] + 3 + integers[1] + integers[2] + count
    data, values = starts + blocks * inner + 1, floats.size - count
    starts, lines, last = starts + begin // BLOCK * inner, np.zeros(m * step), step - LANES
    for j in range(outer):
        for d in range(m):
            lines[d * step + j] = delta[j, d]
    for k in range(inner):
        start, stop, place = integers[starts + k], integers[starts + k + 1], k * step
        for j in range(0, step, 3 * LANES):
            j1, j2 = min(j + LANES, last), min(j + 2 * LANES, last)
            a, b, c = load(sums, place + j), load(sums, place + j1), load(sums, place + j2)
            for i in range(start, stop):
                line, x = integers[data + i] * step, spread(floats, values + i)
                a, b, c = a + x * load(lines, line + j), b + x * load(lines, line + j1), c + x * load(lines, line + j2)
            store(sums, place + j, a)
            store(sums, place + j1, b)
            store(sums, place + j2, c)
