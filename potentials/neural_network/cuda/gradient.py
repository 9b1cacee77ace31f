"""The loss of a network on a GPU: one block a walker, one thread a datum, then one thread a weight.

A block goes through the data in tiles of as many points as it has threads. Each thread takes one datum forward and
backward through the network, its activations and dE/dz in a column of the scratch whose rows are padded by one entry;
then the threads own weights and sum dE/dz times activation over the tile, so that no two threads add to one number.

The device functions are made for one network: the widths of its layers, its activations, its loss and the number of
threads are constants when a kernel is compiled, so that the compiler can unroll loops and add places up. One function
for each layer calls that of the next.
"""

from __future__ import annotations

from functools import cache

from numba import cuda
from numpy import uint64 as at  # numba sees to negative indices where these are signed: half as many registers again

from thalweg.potentials.cuda.block import block_sums, clamped, device
from thalweg.potentials.cuda.functions import DeviceFunction
from thalweg.potentials.neural_network.activations.device import unit_functions
from thalweg.potentials.neural_network.cuda.network import FLOATS, HEADER, DeviceLayer, DeviceNetwork
from thalweg.potentials.neural_network.losses.device import output_functions

__all__ = [
    "add_bias_or_product",
    "add_entries",
    "begin_walker",
    "combine",
    "forward_function",
    "gradient_function",
    "load_inputs",
    "nothing",
    "penalised",
]


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


@device
def nothing(w, floats, datum, data, scratch):
    """Do what comes after the last layer."""


def forward_function(network: DeviceNetwork, threads: int, slopes: int, bends: int | None = None) -> DeviceFunction:
    """Make ``forward(w, floats, datum, data, scratch)``, which takes one datum through the network.

    It writes the activations to the scratch, and the outputs where their dE/dz will be. `slopes` and `bends` tell how
    many rows behind an activation its slope and its second derivative are kept, where they are; without `bends` there
    is no second derivative.
    """
    forward = nothing
    for layer in reversed(network.layers):
        forward = _layer_up(network, layer, threads + 1, slopes, bends, forward)
    return forward


def _layer_up(
    network: DeviceNetwork, layer: DeviceLayer, stride: int, slopes: int, bends: int | None, then: DeviceFunction
) -> DeviceFunction:
    """Make the device function of a layer of weights and of all above."""
    units = unit_functions(network.codes)
    rise = units.rise if bends is None else units.rise_twice
    inner, outer, weight, bias, code = layer.inner, layer.outer, layer.weight, layer.bias, layer.code
    to_slope, to_bend = slopes * stride, (bends or 0) * stride
    to = (layer.unit if code >= 0 else network.hidden + layer.unit) * stride
    below, inputs = (layer.unit - inner) * stride, FLOATS + network.weights
    active = outer if code >= 0 else 0

    @device
    def activate(scratch, place):
        for j in range(active):
            rise(code, scratch, place + j * stride, to_slope, to_bend)

    @device
    def first_up(w, floats, datum, data, scratch):
        place = to + cuda.threadIdx.x
        combine(w, weight, 1, inner, floats, inputs + datum, data, inner, scratch, place, stride, outer, bias)
        activate(scratch, place)
        then(w, floats, datum, data, scratch)

    @device
    def next_up(w, floats, datum, data, scratch):
        place, begin = to + cuda.threadIdx.x, below + cuda.threadIdx.x
        combine(w, weight, 1, inner, scratch, begin, stride, inner, scratch, place, stride, outer, bias)
        activate(scratch, place)
        then(w, floats, datum, data, scratch)

    return first_up if layer.unit == 0 else next_up


def _backward_function(network: DeviceNetwork, threads: int) -> DeviceFunction:
    """Make ``backward(w, floats, datum, data, scratch)``: dE/dz of a datum's hidden units from that of its outputs."""
    backward = nothing
    for layer in network.layers[1:]:
        backward = _layer_down(network, layer, threads + 1, backward)
    return backward


def _layer_down(network: DeviceNetwork, layer: DeviceLayer, stride: int, then: DeviceFunction) -> DeviceFunction:
    """Make the device function that takes dE/dz down through a layer of weights and through all below."""
    slope, slopes = unit_functions(network.codes).slope, network.moving * stride
    inner, outer, weight = layer.inner, layer.outer, layer.weight
    above, active = (network.hidden + layer.unit) * stride, (layer.unit - inner) * stride
    to = above - inner * stride

    @device
    def layer_down(w, floats, datum, data, scratch):
        thread = cuda.threadIdx.x
        begin, place, act = above + thread, to + thread, active + thread
        combine(w, weight, inner, 1, scratch, begin, stride, outer, scratch, place, stride, inner, -1)
        for k in range(inner):
            scratch[at(place + k * stride)] *= slope(scratch, act + k * stride, slopes)
        then(w, floats, datum, data, scratch)

    return layer_down


@cache
def load_inputs(network: DeviceNetwork, threads: int) -> DeviceFunction:
    """Make ``load(floats, datum, data, chunk, scratch)``, which copies one chunk of the datum's inputs."""
    size, width, stride = network.chunk, network.widths[0], threads + 1
    rows, inputs = (network.hidden + network.units) * stride, FLOATS + network.weights

    @device
    def load(floats, datum, data, chunk, scratch):
        place, first = rows + cuda.threadIdx.x, chunk * size
        for k in range(min(size, width - first)):
            scratch[at(place + k * stride)] = floats[at(inputs + (first + k) * data + datum)]

    return load


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


@cache
def add_entries(threads: int) -> DeviceFunction:
    """Make ``add(integers, chunk, scratch, filled, gradient)``: a tile's sums of dE/dz times activation."""
    stride = threads + 1

    @device
    def add(integers, chunk, scratch, filled, gradient):
        bounds = HEADER + chunk
        for entry in range(integers[at(bounds)] + cuda.threadIdx.x, integers[at(bounds + 1)], threads):
            place = integers[1] + 3 * entry
            delta, source = integers[at(place + 1)] * stride, integers[at(place + 2)]
            gradient[at(integers[at(place)])] += add_bias_or_product(scratch, delta, source, stride, filled)

    return add


@device
def penalised(integers):
    """Return how many of the weights the L2 term counts."""
    return integers[integers.size - 1]


@device
def begin_walker(x, integers, floats, w, out):
    """Copy the weights as they are taken, and clear the output; return this thread's part of the sum of squares."""
    square, counted = 0.0, penalised(integers)
    for i in range(cuda.threadIdx.x, x.size, cuda.blockDim.x):
        w[at(i)] = clamped(x[at(i)], floats[1])
        out[at(i)] = 0.0
        square += x[at(i)] * x[at(i)] if i < counted else 0.0
    cuda.syncthreads()
    return square


@cache
def gradient_function(network: DeviceNetwork, threads: int) -> DeviceFunction:
    """Make the device function of a network's loss and its gradient, for blocks of so many threads.

    It is called as ``gradient(x, gradient, integers, floats, scratch, w, room)`` with

    x, gradient : (n,)
    integers, floats : of :func:`~thalweg.potentials.neural_network.cuda.network.network_pack`.
    scratch : the network's rows of a number more than there are threads; w : (n,); room : for the block's sums.
    """
    forward, backward = forward_function(network, threads, network.moving), _backward_function(network, threads)
    load, add = load_inputs(network, threads), add_entries(threads)
    loss, _, weight_of, weigh = output_functions(network.loss, network.weighted)
    stride, n, width, chunks = threads + 1, network.weights, network.widths[0], network.chunks
    first, count = 2 * network.hidden * stride, network.widths[-1]

    @device
    def loss_gradient(x, gradient, integers, floats, scratch, w, room):
        """Return the loss to every thread and write its gradient; a thread writes entries of its own number and on."""
        thread, data = cuda.threadIdx.x, integers[0]
        square, total = begin_walker(x, integers, floats, w, gradient), 0.0
        targets, outputs = FLOATS + n + width * data, first + thread
        for start in range(0, data, threads):
            datum = start + thread
            if datum < data:
                forward(w, floats, datum, data, scratch)
                part = loss(scratch, outputs, stride, count, floats, targets, datum, data)
                weight = weight_of(floats, targets, count, datum, data)
                total += weight * part
                weigh(scratch, outputs, stride, count, weight)
                backward(w, floats, datum, data, scratch)
            for chunk in range(chunks):
                if datum < data:
                    load(floats, datum, data, chunk, scratch)
                cuda.syncthreads()
                add(integers, chunk, scratch, min(threads, data - start), gradient)
                cuda.syncthreads()
        total, square, _ = block_sums(total, square, 0.0, room)
        counted = penalised(integers)
        for i in range(thread, n, threads):
            penalty = 2.0 * floats[0] * x[at(i)] if i < counted else 0.0
            gradient[at(i)] = (gradient[at(i)] / data + penalty) * floats[at(FLOATS + i)]
        return total / data + (floats[0] * square if floats[0] > 0.0 else 0.0)

    return loss_gradient
