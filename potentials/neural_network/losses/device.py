"""Losses of a datum's outputs on a GPU, with their first and second derivatives by the outputs.

`floats` has the labels or a row of targets for each output from `first` on, the data index innermost, and behind them
the weights of the data where there are any.
"""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

from numpy import uint64 as at

from thalweg.potentials.cuda.block import device
from thalweg.potentials.cuda.functions import DeviceFunction
from thalweg.potentials.neural_network.losses.kinds import CROSS_ENTROPY, LOGISTIC

__all__ = ["OutputFunctions", "output_functions"]


class OutputFunctions(NamedTuple):
    """Device functions of the outputs of a network.

    Attributes
    ----------
    loss : device function
        ``loss(scratch, place, stride, count, floats, first, datum, data)`` turns the outputs into dE/dy in place,
        without the weight of the datum, and returns its loss.
    curve : device function
        ``curve(scratch, delta, change, stride, count, floats, first, datum, data)`` turns the outputs' changes into
        those of dE/dy in place.
    weight : device function
        ``weight(floats, first, count, datum, data)`` returns the weight of a datum.
    weigh : device function
        ``weigh(scratch, place, stride, count, weight)`` multiplies the outputs' numbers by the weight.
    """

    loss: DeviceFunction
    curve: DeviceFunction
    weight: DeviceFunction
    weigh: DeviceFunction


@device
def _cross_entropy(scratch, place, stride, count, floats, first, datum, data):
    """Return the datum's loss, safe for any finite outputs."""
    label = int(floats[at(first + datum)])
    top = scratch[at(place)]
    for a in range(1, count):
        top = max(top, scratch[at(place + a * stride)])
    missed = top - scratch[at(place + label * stride)]
    rest, largest = 0.0, -1.0
    for a in range(count):
        out = math.exp(scratch[at(place + a * stride)] - top)
        scratch[at(place + a * stride)] = out
        if out >= 1.0:
            largest += 1.0
        else:
            rest += out
    rest += largest
    scale = 1.0 / (1.0 + rest)
    for a in range(count):
        out = scratch[at(place + a * stride)]
        scratch[at(place + a * stride)] = (-(rest + (1.0 - out)) if a == label else out) * scale
    return missed + math.log1p(rest)


@device
def _curve_cross_entropy(scratch, delta, change, stride, count, floats, first, datum, data):
    """Multiply the changes by diag(p) - p p."""
    label, mean = int(floats[at(first + datum)]), 0.0
    for a in range(count):
        p = scratch[at(delta + a * stride)] + (1.0 if a == label else 0.0)
        mean += p * scratch[at(change + a * stride)]
    for a in range(count):
        p = scratch[at(delta + a * stride)] + (1.0 if a == label else 0.0)
        scratch[at(change + a * stride)] = p * (scratch[at(change + a * stride)] - mean)


@device
def _logistic(scratch, place, stride, count, floats, first, datum, data):
    total = 0.0
    for a in range(count):
        sign = 1.0 - 2.0 * floats[at(first + a * data + datum)]
        y = sign * scratch[at(place + a * stride)]
        e = math.exp(-abs(y))
        total += max(y, 0.0) + math.log1p(e)
        scratch[at(place + a * stride)] = sign * (e if y < 0.0 else 1.0) / (1.0 + e)
    return total


@device
def _curve_logistic(scratch, delta, change, stride, count, floats, first, datum, data):
    for a in range(count):
        share = abs(scratch[at(delta + a * stride)])
        scratch[at(change + a * stride)] *= share * (1.0 - share)


@device
def _squared_error(scratch, place, stride, count, floats, first, datum, data):
    total = 0.0
    for a in range(count):
        off = scratch[at(place + a * stride)] - floats[at(first + a * data + datum)]
        total += off * off
        scratch[at(place + a * stride)] = 2.0 * off
    return total


@device
def _curve_squared_error(scratch, delta, change, stride, count, floats, first, datum, data):
    for a in range(count):
        scratch[at(change + a * stride)] *= 2.0


@device
def _one(floats, first, count, datum, data):
    return 1.0


@device
def _leave(scratch, place, stride, count, weight):
    pass


@device
def _weight_after_labels(floats, first, count, datum, data):
    return floats[at(first + data + datum)]


@device
def _weight_after_targets(floats, first, count, datum, data):
    return floats[at(first + count * data + datum)]


@device
def _weigh(scratch, place, stride, count, weight):
    for a in range(count):
        scratch[at(place + a * stride)] *= weight


@cache
def output_functions(loss: int, weighted: bool) -> OutputFunctions:
    """Return the device functions of the outputs for the code of a loss, with or without weights of the data."""
    if loss == CROSS_ENTROPY:
        functions, weight = (_cross_entropy, _curve_cross_entropy), _weight_after_labels
    elif loss == LOGISTIC:
        functions, weight = (_logistic, _curve_logistic), _weight_after_targets
    else:
        functions, weight = (_squared_error, _curve_squared_error), _weight_after_targets
    return OutputFunctions(*functions, weight if weighted else _one, _weigh if weighted else _leave)
