"""The first layer of a network whose inputs are mostly zeros, such as pictures of digits.

Packed after the indices of the frozen weights: how many nonzero inputs there are (0: not sparse), where each datum's
begin (N + 1), and the input that each belongs to; their values follow the blocks in the floats. Work is datum by
datum, by lanes over the units: a multiplication for each nonzero input and unit, none for the zeros.
"""

from __future__ import annotations

import numpy as np
from numba import int64, types

from thalweg.potentials import row_kernels, vector_math
from thalweg.potentials.compiled import floats, integers, matrix, vector
from thalweg.potentials.lanes import LANES, load, splat, spread, store
from thalweg.potentials.linked import linked
from thalweg.potentials.row_kernels import STEP, four_fold
from thalweg.potentials.vector_math import exact

__all__ = ["add_sparse_products", "n_nonzero", "pack_sparse", "sparse_combine", "turned_weights"]

_FILES = (row_kernels.__file__, vector_math.__file__)
SPARSE, WIDE = 0.4, 16  # at most this share of nonzero inputs, at least so many inputs (measured)
HEADER = 3


def pack_sparse(inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the integers and floats that describe the nonzero inputs (N, width), or that they are not sparse."""
    rows, columns = np.nonzero(inputs)
    if inputs.shape[1] < WIDE or rows.size > SPARSE * inputs.size or rows.size == 0:
        return np.zeros(1, dtype=np.int64), np.zeros(0)
    starts = np.searchsorted(rows, np.arange(len(inputs) + 1))
    return np.concatenate([[rows.size], starts, columns]).astype(np.int64), inputs[rows, columns]


@exact
def n_nonzero(integers):
    """Return how many inputs are nonzero, 0 if they are not packed as sparse."""
    return integers[HEADER + integers[0] + 1 + integers[2]]


@linked(vector(vector, integers), *_FILES)
def turned_weights(w, integers):
    """Return the first layer's weights input by input, each with an entry for every unit, rounded up to whole lanes."""
    inner, outer = integers[HEADER], integers[HEADER + 1]
    step = four_fold(outer)
    turned = np.zeros(inner * step)
    for j in range(outer):
        for k in range(inner):
            turned[k * step + j] = w[j * inner + k]
    return turned


@linked(types.void(vector, vector, int64, integers, floats, int64, int64, matrix, int64), *_FILES)
def sparse_combine(turned, w, bias, integers, floats, begin, m, target, first):
    """Set the first layer's rows of target to its biases plus its weights times m data from datum `begin` on.

    The data that fill up the last step of the loops become zero.
    """
    outer, columns = integers[HEADER + 1], HEADER + integers[0] + 2 + integers[2]
    step, values = four_fold(outer), floats.size - n_nonzero(integers)
    line, last = np.empty(step), step - LANES
    starts, columns = columns, columns + integers[1] + 1
    for d in range(m):
        start, stop = integers[starts + begin + d], integers[starts + begin + d + 1]
        for j in range(0, step, 3 * LANES):
            j1, j2 = min(j + LANES, last), min(j + 2 * LANES, last)
            a, b, c = splat(0.0), splat(0.0), splat(0.0)
            for i in range(start, stop):
                place, x = integers[columns + i] * step, spread(floats, values + i)
                p, q, r = load(turned, place + j), load(turned, place + j1), load(turned, place + j2)
                a, b, c = a + x * p, b + x * q, c + x * r
            store(line, j, a)
            store(line, j1, b)
            store(line, j2, c)
        for j in range(outer):
            target[first + j, d] = line[j] + w[bias + j]
    for j in range(first, first + outer):
        for d in range(m, (m + STEP - 1) // STEP * STEP):
            target[j, d] = 0.0


@linked(types.void(matrix, integers, floats, int64, int64, vector), *_FILES)
def add_sparse_products(delta, integers, floats, begin, m, sums):
    """Add the products of the first layer's rows of delta with the inputs to sums[k * four_fold(outer) + j]."""
    outer, columns = integers[HEADER + 1], HEADER + integers[0] + 2 + integers[2]
    step, values = four_fold(outer), floats.size - n_nonzero(integers)
    line, last = np.zeros(step), step - LANES
    starts, columns = columns, columns + integers[1] + 1
    for d in range(m):
        start, stop = integers[starts + begin + d], integers[starts + begin + d + 1]
        for j in range(outer):
            line[j] = delta[j, d]
        for j in range(0, step, 3 * LANES):
            j1, j2 = min(j + LANES, last), min(j + 2 * LANES, last)
            a, b, c = load(line, j), load(line, j1), load(line, j2)
            for i in range(start, stop):
                place, x = integers[columns + i] * step, spread(floats, values + i)
                p, q, r = load(sums, place + j), load(sums, place + j1), load(sums, place + j2)
                store(sums, place + j, p + x * a)
                store(sums, place + j1, q + x * b)
                store(sums, place + j2, r + x * c)
