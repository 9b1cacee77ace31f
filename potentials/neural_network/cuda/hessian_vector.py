"""Hessian-vector products of a network's loss on a GPU.

Pearlmutter's R operator, Neural Comput. 6 (1994) 147. The scratch has, behind the rows for the gradient, the changes
of the activations and those of dE/dz when the weights move along the vector.
"""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

from numba import cuda
from numpy import uint64 as at

from thalweg.potentials.cuda.block import device
from thalweg.potentials.cuda.block_memory import MOST_THREADS, fitting_threads
from thalweg.potentials.cuda.functions import DeviceFunction, DeviceFunctions
from thalweg.potentials.neural_network.activations.device import unit_functions
from thalweg.potentials.neural_network.cuda.gradient import (
    add_bias_or_product,
    begin_walker,
    combine,
    forward_function,
    gradient_function,
    load_inputs,
    nothing,
    penalised,
)
from thalweg.potentials.neural_network.cuda.network import (
    FLOATS,
    HEADER,
    DeviceLayer,
    DeviceNetwork,
    device_network,
    network_pack,
)
from thalweg.potentials.neural_network.losses.device import output_functions

if TYPE_CHECKING:
    from thalweg.potentials.neural_network.loss import NetworkLoss

__all__ = ["network_functions", "product_function"]


def _push_function(network: DeviceNetwork, threads: int) -> DeviceFunction:
    """Make ``push(w, floats, datum, data, scratch)``: the changes of activations and outputs along v."""
    push = nothing
    for layer in reversed(network.layers):
        push = _layer_push(network, layer, threads + 1, push)
    return push


def _layer_push(network: DeviceNetwork, layer: DeviceLayer, stride: int, then: DeviceFunction) -> DeviceFunction:
    """Make the device function that moves a layer of weights and all above along v, which w has behind the weights."""
    move, slopes, bends = unit_functions(network.codes).move, network.slopes * stride, network.bends * stride
    inner, outer, weight, n = layer.inner, layer.outer, layer.weight, network.weights
    moved, bias = n + layer.weight, n + layer.bias
    hidden = layer.code >= 0
    # the outputs' changes go where the changes of their dE/dz will be: 2 hidden rows on
    to = (network.moving + layer.unit + (0 if hidden else network.hidden)) * stride
    values, below = layer.unit * stride, (layer.unit - inner) * stride
    changes, inputs, active = below + network.moving * stride, FLOATS + n, outer if hidden else 0

    @device
    def turn(scratch, thread):
        for j in range(active):
            move(scratch, values + j * stride + thread, to + j * stride + thread, slopes, bends)

    @device
    def first_push(w, floats, datum, data, scratch):
        thread = cuda.threadIdx.x
        combine(w, moved, 1, inner, floats, inputs + datum, data, inner, scratch, to + thread, stride, outer, bias)
        turn(scratch, thread)
        then(w, floats, datum, data, scratch)

    @device
    def next_push(w, floats, datum, data, scratch):
        thread = cuda.threadIdx.x
        place = to + thread
        combine(w, moved, 1, inner, scratch, below + thread, stride, inner, scratch, place, stride, outer, bias)
        combine(w, weight, 1, inner, scratch, changes + thread, stride, inner, scratch, place, stride, outer, -2)
        turn(scratch, thread)
        then(w, floats, datum, data, scratch)

    return first_push if layer.unit == 0 else next_push


def _pull_function(network: DeviceNetwork, threads: int) -> DeviceFunction:
    """Make ``pull(w, floats, datum, data, scratch)``: dE/dz and its change of one datum, down from the outputs."""
    pull = nothing
    for layer in network.layers[1:]:
        pull = _layer_pull(network, layer, threads + 1, pull)
    return pull


def _layer_pull(network: DeviceNetwork, layer: DeviceLayer, stride: int, then: DeviceFunction) -> DeviceFunction:
    """Make the device function that takes dE/dz and its change down through a layer of weights and all below."""
    units, slopes, bends = unit_functions(network.codes), network.slopes * stride, network.bends * stride
    slope_of, bend_of = units.slope, units.bend
    inner, outer, weight, moved = layer.inner, layer.outer, layer.weight, network.weights + layer.weight
    moving, active = network.moving * stride, (layer.unit - inner) * stride
    above = (network.hidden + layer.unit) * stride
    under = above - inner * stride

    @device
    def layer_pull(w, floats, datum, data, scratch):
        thread = cuda.threadIdx.x
        delta, below, act = above + thread, under + thread, active + thread
        curve, bend = delta + moving, below + moving
        combine(w, weight, inner, 1, scratch, delta, stride, outer, scratch, below, stride, inner, -1)
        combine(w, moved, inner, 1, scratch, delta, stride, outer, scratch, bend, stride, inner, -1)
        combine(w, weight, inner, 1, scratch, curve, stride, outer, scratch, bend, stride, inner, -2)
        for k in range(inner):
            place = act + k * stride
            back, slope = scratch[at(below + k * stride)], slope_of(scratch, place, slopes)
            scratch[at(below + k * stride)] = back * slope
            turned = bend_of(scratch, place, place + moving, back, bends)
            scratch[at(bend + k * stride)] = scratch[at(bend + k * stride)] * slope + turned
        then(w, floats, datum, data, scratch)

    return layer_pull


def _add_products(network: DeviceNetwork, threads: int) -> DeviceFunction:
    """Make ``add(integers, chunk, scratch, filled, out)``: a tile's part of N times the Hessian times v."""
    stride, hidden = threads + 1, network.hidden
    moving = network.moving

    @device
    def add(integers, chunk, scratch, filled, out):
        bounds = HEADER + chunk
        for entry in range(integers[at(bounds)] + cuda.threadIdx.x, integers[at(bounds + 1)], threads):
            place = integers[1] + 3 * entry
            delta, source = integers[at(place + 1)] * stride, integers[at(place + 2)]
            total = add_bias_or_product(scratch, delta + moving * stride, source, stride, filled)
            if 0 <= source < hidden:
                total += add_bias_or_product(scratch, delta, source + moving, stride, filled)
            out[at(integers[at(place)])] += total

    return add


@cache
def product_function(network: DeviceNetwork, threads: int) -> DeviceFunction:
    """Make the device function of the Hessian times a vector, for blocks of so many threads.

    Its arguments are those of :func:`~thalweg.potentials.neural_network.cuda.gradient.gradient_function`'s, v behind
    x, but w has 2 n entries and the scratch the rows for products.
    """
    stride, n, width = threads + 1, network.weights, network.widths[0]
    forward = forward_function(network, threads, network.slopes, network.bends)
    push = _push_function(network, threads)
    pull, add, load = (make(network, threads) for make in (_pull_function, _add_products, load_inputs))
    loss, curve, weight_of, weigh = output_functions(network.loss, network.weighted)
    first, count, chunks = 2 * network.hidden * stride, network.widths[-1], network.chunks
    moving = network.moving * stride

    @device
    def loss_product(x, v, out, integers, floats, scratch, w):
        """Write the Hessian at x times v to out; frozen entries of v count as zero. A barrier stands at the end."""
        thread, data = cuda.threadIdx.x, integers[0]
        for i in range(thread, n, threads):
            w[at(n + i)] = v[at(i)] * floats[at(FLOATS + i)]
        begin_walker(x, integers, floats, w, out)
        targets, outputs = FLOATS + n + width * data, first + thread
        changes = outputs + moving
        for start in range(0, data, threads):
            datum = start + thread
            if datum < data:
                forward(w, floats, datum, data, scratch)
                loss(scratch, outputs, stride, count, floats, targets, datum, data)
                push(w, floats, datum, data, scratch)
                curve(scratch, outputs, changes, stride, count, floats, targets, datum, data)
                weight = weight_of(floats, targets, count, datum, data)
                weigh(scratch, outputs, stride, count, weight)
                weigh(scratch, changes, stride, count, weight)
                pull(w, floats, datum, data, scratch)
            for chunk in range(chunks):
                if datum < data:
                    load(floats, datum, data, chunk, scratch)
                cuda.syncthreads()
                add(integers, chunk, scratch, min(threads, data - start), out)
                cuda.syncthreads()
        counted = penalised(integers)
        for i in range(thread, n, threads):
            penalty = 2.0 * floats[0] * w[at(n + i)] if i < counted else 0.0
            out[at(i)] = (out[at(i)] / data + penalty) * floats[at(FLOATS + i)]
        cuda.syncthreads()

    return loss_product


def network_functions(loss: NetworkLoss) -> DeviceFunctions:
    """Return the GPU functions of a network, and how its data are packed for them."""
    network = device_network(loss)
    threads, product_threads = (fitting_threads(rows, MOST_THREADS) for rows in (network.rows, network.product_rows))
    return DeviceFunctions(
        gradient=gradient_function(network, threads),
        product=product_function(network, product_threads),
        pack=partial(network_pack, loss),
        threads=threads,
        product_threads=product_threads,
        rows=network.rows,
        product_rows=network.product_rows,
        constant=True,
    )
