"""Layout of a network and its data in the arrays that the compiled functions take.

Inputs are packed in blocks of :data:`BLOCK` data points with the data index innermost, so that every loop over data is
a vector loop. `integers` is [layers of weights L, data N, frozen weights F, width of every layer (L + 1), indices of
the frozen weights (F)]; `floats` is [l2, largest weight taken as it is, then block by block one row of BLOCK numbers
for each input and one for the labels, -1 where the last block is filled up]; what follows in both is that of
:mod:`~thalweg.potentials.neural_network.sparse_inputs`.

A tanh network with cross-entropy ends there. The settings of any other stand behind: [code of the loss, rows of targets
and weights in each block, weights that the L2 term counts, code of the activation of each hidden layer (L - 1)]. The
rows after the inputs are then the labels or one row for each output's targets, and the weights of the data, whose mean
is 1, which are zero where the last block is filled up; cross-entropy without weights has no such row.
"""

from __future__ import annotations

import numpy as np
from numba import int64, types

from thalweg.potentials.compiled.linking import linked
from thalweg.potentials.compiled.signatures import floats, integers, matrix
from thalweg.potentials.neural_network.activations.kinds import TANH
from thalweg.potentials.neural_network.losses.kinds import CROSS_ENTROPY
from thalweg.potentials.neural_network.rows import BLOCK
from thalweg.potentials.neural_network.sparse_inputs import n_nonzero
from thalweg.potentials.neural_network.vector_math import exact

__all__ = [
    "FLOATS",
    "HEADER",
    "activation_of",
    "data_block",
    "layer_table",
    "loss_of",
    "n_targets",
    "n_units",
    "penalised",
    "places",
]

HEADER, FLOATS = 3, 2  # where the widths begin in `integers`, and the data in `floats`
places = types.Array(int64, 2, "C")


@exact
def n_units(shape, stop):
    """Return the number of units in the layers after the input and before layer `stop`."""
    total = 0
    for layer in range(1, stop):
        total += shape[HEADER + layer]
    return total


@linked(places(integers))
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
def _settings(shape):
    """Return where the settings stand in `integers`, or -1 for a tanh network with cross-entropy, which has none."""
    nonzero, place = n_nonzero(shape), HEADER + shape[0] + 2 + shape[2]
    if nonzero > 0:
        blocks = (shape[1] + BLOCK - 1) // BLOCK
        place += shape[1] + 1 + 2 * nonzero + blocks * shape[HEADER] + 1
    return place if place < shape.size else -1


@exact
def loss_of(shape):
    """Return the code of the loss."""
    place = _settings(shape)
    return shape[place] if place >= 0 else CROSS_ENTROPY


@exact
def n_targets(shape):
    """Return how many rows of targets and weights follow the inputs in each block."""
    place = _settings(shape)
    return shape[place + 1] if place >= 0 else 1


@exact
def penalised(shape, n):
    """Return how many of n weights the L2 term counts: all, or those that are no biases."""
    place = _settings(shape)
    return shape[place + 2] if place >= 0 else n


@exact
def activation_of(shape, layer):
    """Return the code of the activation of the units that a layer of weights leads to."""
    place = _settings(shape)
    return shape[place + 3 + layer] if place >= 0 else TANH


@linked(matrix(integers, floats, int64))
def data_block(shape, data, block):
    """Return one block of the data: a row for each input, then the labels, or targets and weights."""
    rows = shape[HEADER] + n_targets(shape)
    start = FLOATS + block * rows * BLOCK
    return data[start : start + rows * BLOCK].reshape(rows, BLOCK)
