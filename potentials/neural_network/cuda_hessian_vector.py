"""Hessian-vector products of a network's loss on a GPU.

Pearlmutter's R operator, Neural Comput. 6 (1994) 147. The scratch has, behind the rows for the gradient, the changes
of the activations and those of dE/dz when the weights move along the vector.
"""

from __future__ import annotations

from numba import cuda
from numpy import uint64 as at

from thalweg.potentials.cuda.block import device
from thalweg.potentials.neural_network.cuda import (
    FLOATS,
    HEADER,
    add_bias_or_product,
    begin_walker,
    combine,
    forward,
    load_inputs,
    softmax,
)

__all__ = ["loss_product"]


@device
def _push(w, integers, floats, datum, scratch, stride):
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
                value = scratch[at((unit + j) * stride + thread)]
                scratch[at(place + j * stride)] *= (1.0 - value) * (1.0 + value)


@device
def _curve_outputs(scratch, delta, change, stride, classes, label):
    """Turn the outputs' changes into those of their dE/dz, diag(p) - p p times them, in place."""
    mean = 0.0
    for a in range(classes):
        p = scratch[at(delta + a * stride)] + (1.0 if a == label else 0.0)
        mean += p * scratch[at(change + a * stride)]
    for a in range(classes):
        p = scratch[at(delta + a * stride)] + (1.0 if a == label else 0.0)
        scratch[at(change + a * stride)] = p * (scratch[at(change + a * stride)] - mean)


@device
def _pull(w, integers, scratch, stride):
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
            value, back = scratch[at(act + k * stride)], scratch[at(below + k * stride)]
            slope = (1.0 - value) * (1.0 + value)
            scratch[at(below + k * stride)] = back * slope
            turn = 2.0 * value * back * scratch[at(act + (moving + k) * stride)]
            scratch[at(bend + k * stride)] = scratch[at(bend + k * stride)] * slope - turn
        layer -= 1


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


@device
def loss_product(x, v, out, integers, floats, scratch, w):
    """Write the Hessian at x times v to out; frozen entries of v count as zero.

    Arguments are those of :func:`~thalweg.potentials.neural_network.cuda.loss_gradient`, but w has 2 n entries and the
    scratch the rows for products. A barrier stands at the end.
    """
    thread, threads, data, n = cuda.threadIdx.x, cuda.blockDim.x, integers[1], x.size
    stride = threads + 1
    for i in range(thread, n, threads):
        w[n + i] = v[i] * floats[FLOATS + i]
    begin_walker(x, floats, w, out)
    labels, classes = FLOATS + n + integers[HEADER] * data, integers[3] - integers[2]
    outputs = 2 * integers[2] * stride + thread
    changes = outputs + (integers[2] + integers[3] + integers[4]) * stride
    for start in range(0, data, threads):
        datum = start + thread
        if datum < data:
            label = int(floats[labels + datum])
            forward(w, integers, floats, datum, scratch, stride)
            softmax(scratch, outputs, stride, classes, label)
            _push(w, integers, floats, datum, scratch, stride)
            _curve_outputs(scratch, outputs, changes, stride, classes, label)
            _pull(w, integers, scratch, stride)
        for chunk in range(integers[5]):
            if datum < data:
                load_inputs(integers, floats, datum, chunk, scratch, stride)
            cuda.syncthreads()
            _add_products(integers, chunk, scratch, stride, min(threads, data - start), out)
            cuda.syncthreads()
    for i in range(thread, n, threads):
        out[i] = (out[i] / data + 2.0 * floats[0] * w[n + i]) * floats[FLOATS + i]
    cuda.syncthreads()
