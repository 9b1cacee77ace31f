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
from thalweg.potentials.cuda.functions import DeviceFunction, DeviceFunctions
from thalweg.potentials.neural_network.activations.device import UnitFunctions, unit_functions
from thalweg.potentials.neural_network.cuda import (
    FLOATS,
    HEADER,
    DeviceKind,
    add_bias_or_product,
    begin_walker,
    combine,
    device_kind,
    forward_function,
    gradient_function,
    load_inputs,
    network_pack,
    network_rows,
    penalised,
)
from thalweg.potentials.neural_network.losses.device import output_functions

if TYPE_CHECKING:
    from thalweg.potentials.neural_network.loss import NetworkLoss

__all__ = ["loss_product", "network_functions", "product_function"]

THREADS = 128  # of a block, one a datum


@cache
def _push_function(units: UnitFunctions) -> DeviceFunction:
    """Make the device function that moves the weights along v."""
    move = units.move

    @device
    def push(w, integers, floats, datum, scratch, stride, slopes, bends):
        """Write the change of every activation, and of the outputs, when the weights move along v."""
        thread, layers, data, n = cuda.threadIdx.x, integers[0], integers[1], integers[9]
        moving = integers[2] + integers[3] + integers[4]
        for layer in range(layers):
            entry = integers[6] + 3 * layer
            inner, outer, unit = integers[HEADER + layer], integers[HEADER + layer + 1], integers[entry + 2]
            offset, bias = n + integers[entry], n + integers[entry + 1]
            source, begin, step = floats, FLOATS + n + datum, data
            if layer > 0:
                source, begin, step = scratch, (unit - inner) * stride + thread, stride
            # the outputs' changes go where the changes of their dE/dz will be: 2 hidden rows on
            place = (moving + unit + (0 if layer < layers - 1 else integers[2])) * stride + thread
            combine(w, offset, 1, inner, source, begin, step, inner, scratch, place, stride, outer, bias)
            if layer > 0:
                below = (moving + unit - inner) * stride + thread
                combine(w, offset - n, 1, inner, scratch, below, stride, inner, scratch, place, stride, outer, -2)
            if layer < layers - 1:
                for j in range(outer):
                    move(scratch, (unit + j) * stride + thread, place + j * stride, slopes, bends)

    return push


@cache
def _pull_function(units: UnitFunctions) -> DeviceFunction:
    """Make the device function that takes dE/dz and its change down."""
    slope_of, bend_of = units.slope, units.bend

    @device
    def pull(w, integers, scratch, stride, slopes, bends):
        """Take dE/dz and its change of one datum down from the outputs together."""
        thread, hidden, layer, n = cuda.threadIdx.x, integers[2], integers[0] - 1, integers[9]
        moving = hidden + integers[3] + integers[4]
        while layer > 0:
            entry = integers[6] + 3 * layer
            inner, outer, unit = integers[HEADER + layer], integers[HEADER + layer + 1], integers[entry + 2]
            offset, act = integers[entry], (unit - inner) * stride + thread
            delta, curve = (hidden + unit) * stride + thread, (moving + hidden + unit) * stride + thread
            below, bend = delta - inner * stride, curve - inner * stride
            combine(w, offset, inner, 1, scratch, delta, stride, outer, scratch, below, stride, inner, -1)
            combine(w, n + offset, inner, 1, scratch, delta, stride, outer, scratch, bend, stride, inner, -1)
            combine(w, offset, inner, 1, scratch, curve, stride, outer, scratch, bend, stride, inner, -2)
            for k in range(inner):
                place = act + k * stride
                back, slope = scratch[at(below + k * stride)], slope_of(scratch, place, slopes)
                scratch[at(below + k * stride)] = back * slope
                turned = bend_of(scratch, place, place + moving * stride, back, bends)
                scratch[at(bend + k * stride)] = scratch[at(bend + k * stride)] * slope + turned
            layer -= 1

    return pull


@device
def _add_products(integers, chunk, scratch, stride, filled, out):
    """Add a tile's part of N times the Hessian times v, each weight by one thread."""
    bounds, hidden = integers[7] + chunk, integers[2]
    moving = hidden + integers[3] + integers[4]
    for entry in range(integers[bounds] + cuda.threadIdx.x, integers[bounds + 1], cuda.blockDim.x):
        place = integers[8] + 3 * entry
        delta, source = integers[place + 1] * stride, integers[place + 2]
        total = add_bias_or_product(scratch, delta + moving * stride, source, stride, filled)
        if 0 <= source < hidden:
            total += add_bias_or_product(scratch, delta, source + moving, stride, filled)
        out[integers[place]] += total


@cache
def product_function(kind: DeviceKind) -> DeviceFunction:
    """Make the device function of the Hessian times a vector.

    Its arguments are those of :func:`~thalweg.potentials.neural_network.cuda.gradient_function`'s, v behind x, but w
    has 2 n entries and the scratch the rows for products.
    """
    units = unit_functions(kind.activations)
    forward, push, pull = forward_function(kind.activations, True), _push_function(units), _pull_function(units)
    loss, curve, weight_of, weigh = output_functions(kind.loss, kind.weighted)

    @device
    def loss_product(x, v, out, integers, floats, scratch, w):
        """Write the Hessian at x times v to out; frozen entries of v count as zero. A barrier stands at the end."""
        thread, threads, data, n = cuda.threadIdx.x, cuda.blockDim.x, integers[1], x.size
        stride, hidden = threads + 1, integers[2]
        for i in range(thread, n, threads):
            w[n + i] = v[i] * floats[FLOATS + i]
        begin_walker(x, integers, floats, w, out)
        targets, count = FLOATS + n + integers[HEADER] * data, integers[3] - hidden
        outputs = 2 * hidden * stride + thread
        changes = outputs + (hidden + integers[3] + integers[4]) * stride
        slopes = (2 * (hidden + integers[3]) + integers[4]) * stride
        bends = slopes + hidden * stride
        for start in range(0, data, threads):
            datum = start + thread
            if datum < data:
                forward(w, integers, floats, datum, scratch, stride, slopes, bends)
                loss(scratch, outputs, stride, count, floats, targets, datum, data)
                push(w, integers, floats, datum, scratch, stride, slopes, bends)
                curve(scratch, outputs, changes, stride, count, floats, targets, datum, data)
                weight = weight_of(floats, targets, count, datum, data)
                weigh(scratch, outputs, stride, count, weight)
                weigh(scratch, changes, stride, count, weight)
                pull(w, integers, scratch, stride, slopes, bends)
            for chunk in range(integers[5]):
                if datum < data:
                    load_inputs(integers, floats, datum, chunk, scratch, stride)
                cuda.syncthreads()
                _add_products(integers, chunk, scratch, stride, min(threads, data - start), out)
                cuda.syncthreads()
        counted = penalised(integers)
        for i in range(thread, n, threads):
            penalty = 2.0 * floats[0] * w[n + i] if i < counted else 0.0
            out[i] = (out[i] / data + penalty) * floats[FLOATS + i]
        cuda.syncthreads()

    return loss_product


loss_product = product_function(DeviceKind())


def network_functions(loss: NetworkLoss) -> DeviceFunctions:
    """Return the GPU functions of a network, and how its data are packed for them."""
    kind = device_kind(loss)
    return DeviceFunctions(
        gradient=gradient_function(kind),
        product=product_function(kind),
        pack=partial(network_pack, loss),
        threads=THREADS,
        rows=network_rows(loss),
        product_rows=network_rows(loss, product=True),
        constant=True,
    )
