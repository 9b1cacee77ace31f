"""The loss of a network on a GPU: one block a walker, one thread a datum, then one thread a weight.

A block goes through the data in tiles of as many points as it has threads. Each thread takes one datum forward and
backward through the network, its activations and dE/dz in a column of the scratch whose rows are padded by one entry;
then the threads own weights and sum dE/dz times activation over the tile, so that no two threads add to one number.

The device functions are made for the activations and the loss of a network, so that a kernel has the code of no others.

`integers` is [layers of weights, data, hidden units, units, inputs a chunk, chunks, place of the table of layers, of
the chunks, of the entries, weights, width of every layer]; each row of the table holds a layer's first weight, first
bias and first unit, the chunks are where each chunk's entries begin, and an entry is (weight, row of its dE/dz, row of
its activation or -1 for a bias). Frozen weights have no entry. At the end stand the number of weights that the L2 term
counts and the code of the activation of each hidden layer. `floats` is [l2, largest weight taken as it is, 1 for each
free and 0 for each frozen weight, inputs with the data index innermost, labels or a row of targets for each output, the
weights of the data where there are any].
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import cuda
from numpy import uint64 as at  # numba sees to negative indices where these are signed: half as many registers again

from thalweg.potentials.cuda.block import block_sums, clamped, device
from thalweg.potentials.cuda.functions import DeviceFunction
from thalweg.potentials.neural_network.activations.device import UnitFunctions, unit_functions
from thalweg.potentials.neural_network.activations.kinds import ACTIVATIONS, TANH
from thalweg.potentials.neural_network.losses.device import output_functions
from thalweg.potentials.neural_network.losses.kinds import CROSS_ENTROPY, LOSSES

if TYPE_CHECKING:
    from thalweg.potentials.neural_network.loss import NetworkLoss

__all__ = [
    "FLOATS",
    "HEADER",
    "DeviceKind",
    "add_bias_or_product",
    "backward",
    "begin_walker",
    "combine",
    "device_kind",
    "forward_function",
    "gradient_function",
    "load_inputs",
    "loss_gradient",
    "network_pack",
    "network_rows",
    "penalised",
]

HEADER = 10
CHUNK = 16  # inputs whose gradients are summed at a time
FLOATS = 2


class DeviceKind(NamedTuple):
    """Functions that the kernels of a network are made of.

    Attributes
    ----------
    activations : tuple of int
        Codes of the activations, each once.
    loss : int
    weighted : bool
        Whether the data have weights.
    """

    activations: tuple[int, ...] = (TANH,)
    loss: int = CROSS_ENTROPY
    weighted: bool = False

    @property
    def keeps_slopes(self) -> bool:
        """Whether slopes of hidden units are kept beside their values."""
        return self.activations not in ((), (TANH,))


def device_kind(loss: NetworkLoss) -> DeviceKind:
    """Return the functions that the kernels of a network are made of."""
    activations = tuple(sorted({ACTIVATIONS[name] for name in loss.activation}))
    return DeviceKind(activations or (TANH,), LOSSES[loss.loss], loss.data_weights is not None)


def network_rows(loss: NetworkLoss, product: bool = False) -> int:
    """Return how many rows of a number a thread the scratch has, for the gradient or for Hessian-vector products."""
    hidden, units = sum(loss.hidden), sum(loss.layers[1:])
    rows = hidden + units + min(CHUNK, loss.layers[0])
    kept = hidden if device_kind(loss).keeps_slopes else 0
    return rows + hidden + units + 2 * kept if product else rows + kept


def network_pack(loss: NetworkLoss) -> tuple[np.ndarray, np.ndarray]:
    """Return the integers and floats that the device functions take."""
    layers, (data, width) = loss.layers, loss.inputs.shape
    hidden, units, chunk = sum(loss.hidden), sum(layers[1:]), min(CHUNK, width)
    chunks = -(-width // chunk)
    table = _layer_table(layers)
    entries = [_chunk_entries(loss, table, hidden, units, chunk, k) for k in range(chunks)]
    bounds = np.cumsum([0, *map(len, entries)])
    at_table = HEADER + len(layers)
    at_chunks = at_table + table.size
    head = [len(layers) - 1, data, hidden, units, chunk, chunks, at_table, at_chunks, at_chunks + len(bounds)]
    counted = loss.n_weights if loss.l2_biases else table[0, 1]
    integers = np.concatenate(
        [
            *([*head, loss.n_weights], layers, table.ravel(), bounds, np.concatenate(entries).ravel()),
            *([counted], [ACTIVATIONS[name] for name in loss.activation]),
        ]
    )
    limit = loss.compiled.floats[1]
    weights = np.empty(0) if loss.data_weights is None else loss.data_weights
    targets = np.asarray(loss.targets).reshape(data, -1).T.ravel()
    floats = np.concatenate([[loss.l2, limit], loss.mask, loss.inputs.T.ravel(), targets, weights])
    return integers.astype(np.int64), floats.astype(np.float64)


def _layer_table(layers: tuple[int, ...]) -> np.ndarray:
    weights = np.cumsum([0, *np.multiply(layers[:-1], layers[1:])])
    units = np.cumsum([0, *layers[1:]])[:-1]
    return np.column_stack([weights[:-1], weights[-1] + units, units])


def _chunk_entries(loss, table, hidden, units, chunk, number):
    """Return the entries (k, 3) of one chunk of the inputs; the first has those of all other weights too."""
    found = []
    for layer, (offset, bias, unit) in enumerate(table):
        inner, outer = loss.layers[layer : layer + 2]
        rows = hidden + unit + np.arange(outer)
        first = number * chunk if layer == 0 else 0
        sources = np.arange(first, min(first + chunk, inner) if layer == 0 else inner)
        if layer > 0 and number > 0:
            continue
        row, source = np.repeat(rows, len(sources)), np.tile(sources, outer)
        weight = offset + (row - rows[0]) * inner + source
        found.append(np.column_stack([weight, row, source + (hidden + units - first if layer == 0 else unit - inner)]))
        if number == 0:
            found.append(np.column_stack([bias + np.arange(outer), rows, np.full(outer, -1)]))
    entries = np.concatenate(found)
    return entries[loss.mask[entries[:, 0]]]


@device
def _start(w, bias, out, place, j):
    """Return what a sum starts from: a bias, what is there (-2) or nothing (-1)."""
    if bias >= 0:
        return w[at(bias + j)]
    return out[at(place)] if bias == -2 else 0.0


@device
def combine(w, offset, along, across, source, begin, step, count, out, place, apart, outs, bias):
    """Write weighted sums of `count` numbers of one datum to `outs` places; two at a time use each number twice.

    The weight of number k in sum j is w[at(offset + k along + j across)]; `bias` is as :func:`_start` says. Four at a
    time spill registers.
    """
    for j in range(0, outs - 1, 2):
        here, row = place + j * apart, offset + j * across
        z0, z1 = _start(w, bias, out, here, j), _start(w, bias, out, here + apart, j + 1)
        for k in range(count):
            value = source[at(begin + k * step)]
            z0 += w[at(row)] * value
            z1 += w[at(row + across)] * value
            row += along
        out[at(here)] = z0
        out[at(here + apart)] = z1
    if outs % 2 == 1:
        here, row = place + (outs - 1) * apart, offset + (outs - 1) * across
        z0 = _start(w, bias, out, here, outs - 1)
        for k in range(count):
            z0 += w[at(row)] * source[at(begin + k * step)]
            row += along
        out[at(here)] = z0


@cache
def forward_function(activations: tuple[int, ...], second: bool) -> DeviceFunction:
    """Make the device function that takes one datum through the network; with `second` it keeps second derivatives."""
    units = unit_functions(activations)
    rise = units.rise_twice if second else units.rise

    @device
    def forward(w, integers, floats, datum, scratch, stride, slopes, bends):
        """Write the activations to the scratch, and the outputs where their dE/dz will be."""
        thread, layers, data, hidden = cuda.threadIdx.x, integers[0], integers[1], integers[2]
        for layer in range(layers):
            entry = integers[6] + 3 * layer
            inner, outer, unit = integers[HEADER + layer], integers[HEADER + layer + 1], integers[entry + 2]
            source, begin, step = floats, FLOATS + integers[9] + datum, data
            if layer > 0:
                source, begin, step = scratch, (unit - inner) * stride + thread, stride
            place = (unit if layer < layers - 1 else hidden + unit) * stride + thread
            bias = integers[entry + 1]
            combine(w, integers[entry], 1, inner, source, begin, step, inner, scratch, place, stride, outer, bias)
            if layer < layers - 1:
                kind = integers[at(integers.size - layers + 1 + layer)]
                for j in range(outer):
                    rise(kind, scratch, place + j * stride, slopes, bends)

    return forward


@cache
def backward_function(units: UnitFunctions) -> DeviceFunction:
    """Make the device function that fills dE/dz of the hidden units of one datum from that of the outputs."""
    slope = units.slope

    @device
    def backward(w, integers, scratch, stride, slopes):
        """Take dE/dz of one datum down from the outputs."""
        thread, hidden, layer = cuda.threadIdx.x, integers[2], integers[0] - 1
        while layer > 0:
            entry = integers[6] + 3 * layer
            inner, outer, unit = integers[HEADER + layer], integers[HEADER + layer + 1], integers[entry + 2]
            begin, act = (hidden + unit) * stride + thread, (unit - inner) * stride + thread
            place = begin - inner * stride
            combine(w, integers[entry], inner, 1, scratch, begin, stride, outer, scratch, place, stride, inner, -1)
            for k in range(inner):
                scratch[at(place + k * stride)] *= slope(scratch, act + k * stride, slopes)
            layer -= 1

    return backward


backward = backward_function(unit_functions((TANH,)))


@device
def load_inputs(integers, floats, datum, chunk, scratch, stride):
    """Copy one chunk of the datum's inputs to the scratch."""
    data, size = integers[1], integers[4]
    place = (integers[2] + integers[3]) * stride + cuda.threadIdx.x
    first = chunk * size
    for k in range(min(size, integers[HEADER] - first)):
        scratch[at(place + k * stride)] = floats[at(FLOATS + integers[9] + (first + k) * data + datum)]


@device
def add_bias_or_product(scratch, delta, source, stride, filled):
    """Return the sum over a tile of dE/dz of a unit times the activation in row `source`, or alone where that is -1."""
    total = 0.0
    if source >= 0:
        for d in range(filled):
            total += scratch[at(delta + d)] * scratch[at(source * stride + d)]
    else:
        for d in range(filled):
            total += scratch[at(delta + d)]
    return total


@device
def _add_entries(integers, chunk, scratch, stride, filled, gradient):
    """Add a tile's sums of dE/dz times activation to the gradient, each weight by one thread."""
    bounds, entries = integers[7] + chunk, integers[8]
    for entry in range(integers[bounds] + cuda.threadIdx.x, integers[bounds + 1], cuda.blockDim.x):
        place = entries + 3 * entry
        delta, source = integers[place + 1] * stride, integers[place + 2]
        total = add_bias_or_product(scratch, delta, source, stride, filled)
        gradient[integers[place]] += total


@device
def penalised(integers):
    """Return how many of the weights the L2 term counts."""
    return integers[integers.size - integers[0]]


@device
def begin_walker(x, integers, floats, w, out):
    """Copy the weights as they are taken, and clear the output; return this thread's part of the sum of squares."""
    square, counted = 0.0, penalised(integers)
    for i in range(cuda.threadIdx.x, x.size, cuda.blockDim.x):
        w[i] = clamped(x[i], floats[1])
        out[i] = 0.0
        square += x[i] * x[i] if i < counted else 0.0
    cuda.syncthreads()
    return square


@cache
def gradient_function(kind: DeviceKind) -> DeviceFunction:
    """Make the device function of a network's loss and its gradient.

    It is called as ``gradient(x, gradient, integers, floats, scratch, w, room)`` with

    x, gradient : (n,)
    integers, floats : of :func:`network_pack`.
    scratch : :func:`network_rows` rows of a number more than there are threads; w : (n,); room : for the block's sums.
    """
    forward, down = forward_function(kind.activations, False), backward_function(unit_functions(kind.activations))
    loss, _, weight_of, weigh = output_functions(kind.loss, kind.weighted)

    @device
    def loss_gradient(x, gradient, integers, floats, scratch, w, room):
        """Return the loss to every thread and write its gradient; a thread writes entries of its own number and on."""
        thread, threads, data = cuda.threadIdx.x, cuda.blockDim.x, integers[1]
        stride, square, total = threads + 1, begin_walker(x, integers, floats, w, gradient), 0.0
        targets = FLOATS + x.size + integers[HEADER] * data
        outputs, count = 2 * integers[2] * stride + thread, integers[3] - integers[2]
        slopes = (integers[2] + integers[3] + integers[4]) * stride
        for start in range(0, data, threads):
            datum = start + thread
            if datum < data:
                forward(w, integers, floats, datum, scratch, stride, slopes, 0)
                part = loss(scratch, outputs, stride, count, floats, targets, datum, data)
                weight = weight_of(floats, targets, count, datum, data)
                total += weight * part
                weigh(scratch, outputs, stride, count, weight)
                down(w, integers, scratch, stride, slopes)
            for chunk in range(integers[5]):
                if datum < data:
                    load_inputs(integers, floats, datum, chunk, scratch, stride)
                cuda.syncthreads()
                _add_entries(integers, chunk, scratch, stride, min(threads, data - start), gradient)
                cuda.syncthreads()
        total, square, _ = block_sums(total, square, 0.0, room)
        counted = penalised(integers)
        for i in range(thread, x.size, threads):
            penalty = 2.0 * floats[0] * x[i] if i < counted else 0.0
            gradient[i] = (gradient[i] / data + penalty) * floats[FLOATS + i]
        return total / data + (floats[0] * square if floats[0] > 0.0 else 0.0)

    return loss_gradient


loss_gradient = gradient_function(DeviceKind())
