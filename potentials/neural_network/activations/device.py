"""Activations of hidden units on a GPU.

A tanh network keeps the values alone, from which its slopes follow. For other activations the scratch has a row for
each hidden unit's slope, and for Hessian-vector products one for its second derivative, `slopes` and `bends` entries
behind its value.
"""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

from numpy import uint64 as at

from thalweg.potentials.cuda.block import device
from thalweg.potentials.cuda.functions import DeviceFunction
from thalweg.potentials.neural_network.activations.kinds import GELU, LOGISTIC, SILU, SOFTPLUS, TANH

__all__ = ["UnitFunctions", "unit_functions"]

_PER_ROOT_2_PI = 0.3989422804014327
_FARTHEST = 37.4  # exp(-_FARTHEST**2 / 2) is far above the smallest number, and squares of larger inputs may overflow


class UnitFunctions(NamedTuple):
    """Device functions of the hidden units of a network.

    Attributes
    ----------
    rise : device function
        ``rise(kind, scratch, place, slopes, bends)`` replaces a unit's input by its value, and keeps its slope.
    rise_twice : device function
        The same, and keeps the second derivative.
    slope : device function
        ``slope(scratch, place, slopes)`` returns the slope of a unit.
    move : device function
        ``move(scratch, place, moving, slopes, bends)`` replaces the change of a unit's input by that of its value.
    bend : device function
        ``bend(scratch, place, moving, back, bends)`` returns dE/da, which is `back`, times the second derivative times
        the change of the unit's input.
    """

    rise: DeviceFunction
    rise_twice: DeviceFunction
    slope: DeviceFunction
    move: DeviceFunction
    bend: DeviceFunction


@device
def _tanh(z):
    value = math.tanh(z)
    slope = (1.0 - value) * (1.0 + value)
    return value, slope, -2.0 * value * slope


@device
def _parts(z):
    """Return logistic(-|z|), logistic(|z|) and exp(-|z|)."""
    e = math.exp(-abs(z))
    large = 1.0 / (1.0 + e)
    return e * large, large, e


@device
def _logistic(z):
    small, large, _ = _parts(z)
    slope = small * large
    return (small if z < 0.0 else large), slope, slope * (large - small if z < 0.0 else small - large)


@device
def _softplus(z):
    small, large, e = _parts(z)
    return max(z, 0.0) + math.log1p(e), (small if z < 0.0 else large), small * large


@device
def _silu(z):
    small, large, _ = _parts(z)
    share, rest = (small, large) if z < 0.0 else (large, small)
    return z * share, share * (1.0 + z * rest), small * large * (2.0 + z * (rest - share))


@device
def _gelu(z):
    a = min(abs(z), _FARTHEST)
    tail, density = 0.5 * math.erfc(a * math.sqrt(0.5)), _PER_ROOT_2_PI * math.exp(-0.5 * a * a)
    low = tail - a * density
    return max(z, 0.0) - a * tail, (low if z < 0.0 else 1.0 - low), density * (2.0 - a * a)


_FUNCTIONS = {TANH: _tanh, LOGISTIC: _logistic, SOFTPLUS: _softplus, GELU: _gelu, SILU: _silu}


@cache
def _any_of(kinds: tuple[int, ...]) -> DeviceFunction:
    """Return the device function ``f(kind, z)`` of value, slope and second derivative, for some kinds alone."""
    first, code = _FUNCTIONS[kinds[0]], kinds[0]
    if len(kinds) == 1:

        @device
        def only(kind, z):
            return first(z)

        return only
    others = _any_of(kinds[1:])

    @device
    def several(kind, z):
        if kind == code:
            return first(z)
        return others(kind, z)

    return several


@device
def _rise_tanh(kind, scratch, place, slopes, bends):
    scratch[at(place)] = math.tanh(scratch[at(place)])


@device
def _slope_tanh(scratch, place, slopes):
    value = scratch[at(place)]
    return (1.0 - value) * (1.0 + value)


@device
def _move_tanh(scratch, place, moving, slopes, bends):
    value = scratch[at(place)]
    scratch[at(moving)] *= (1.0 - value) * (1.0 + value)


@device
def _bend_tanh(scratch, place, moving, back, bends):
    return -2.0 * scratch[at(place)] * back * scratch[at(moving)]


@device
def _slope_kept(scratch, place, slopes):
    return scratch[at(place + slopes)]


@device
def _move_kept(scratch, place, moving, slopes, bends):
    scratch[at(place + bends)] *= scratch[at(moving)]
    scratch[at(moving)] *= scratch[at(place + slopes)]


@device
def _bend_kept(scratch, place, moving, back, bends):
    return scratch[at(place + bends)] * back


@cache
def unit_functions(kinds: tuple[int, ...]) -> UnitFunctions:
    """Return the device functions of a network whose hidden layers have activations of these codes alone."""
    if kinds in ((), (TANH,)):
        return UnitFunctions(_rise_tanh, _rise_tanh, _slope_tanh, _move_tanh, _bend_tanh)
    activation = _any_of(kinds)

    @device
    def rise(kind, scratch, place, slopes, bends):
        value, slope, _ = activation(kind, scratch[at(place)])
        scratch[at(place)] = value
        scratch[at(place + slopes)] = slope

    @device
    def rise_twice(kind, scratch, place, slopes, bends):
        value, slope, bend = activation(kind, scratch[at(place)])
        scratch[at(place)] = value
        scratch[at(place + slopes)] = slope
        scratch[at(place + bends)] = bend

    return UnitFunctions(rise, rise_twice, _slope_kept, _move_kept, _bend_kept)
