"""Doubly-nudged elastic band, compiled: tangents, projected gradient, springs and LBFGS steps."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from thalweg.optimizers.kernels.arguments import Arguments
from thalweg.optimizers.kernels.lbfgs import add_multiple, dot, remember, two_loop
from thalweg.optimizers.kernels.status import Status
from thalweg.potentials.compiled.signatures import FUNCTION, floats, integers, jit, matrix, vector

__all__ = ["MEMORY", "BandSettings", "band_gradient", "dneb_walk", "evaluate_images", "fresh_state"]

MEMORY = 4


class BandSettings(NamedTuple):
    """Settings of an elastic band.

    Attributes
    ----------
    rms : float
        Rms of the band's gradient to reach.
    max_step : float
        Longest step of an image.
    evenness : float
        Unevenness of the images that the springs aim at.
    top_springs : float
        How many times stiffer the springs are at the top.
    climb_below : float
        Rms below which the highest image climbs, 0 for never.
    climb_after : int
        Steps after which it climbs anyway.
    trials : int
        How often a step is shortened on which an energy is not finite, before the walk ends.
    """

    rms: float
    max_step: float
    evenness: float
    top_springs: float
    climb_below: float
    climb_after: int
    trials: int


_REAL = numba.float64
_SETTINGS = Arguments(BandSettings, _REAL, _REAL, _REAL, _REAL, _REAL, numba.int64, numba.int64)

_STATE = np.dtype(
    [
        ("spring", np.float64), ("diagonal", np.float64), ("stored", np.int64), ("steps", np.int64),
        ("climbs", np.bool_),
    ],
    align=True,
)  # fmt: skip
_state = numba.from_dtype(_STATE)


def fresh_state(spring: float) -> np.void:
    """Return the state of a band that has not moved, for :func:`dneb_walk`.

    Parameters
    ----------
    spring : float
        Spring constant.

    Returns
    -------
    record
        Spring constant, inverse curvature, pairs stored, steps so far, and whether an image climbs.
    """
    state = np.zeros(1, _STATE)[0]
    state["spring"], state["diagonal"] = spring, 0.1
    return state


@jit(numba.boolean(FUNCTION, integers, floats, integers, matrix, numba.boolean, vector, matrix))
def evaluate_images(function, integers, floats, frozen, X, at_once, energies, gradients):
    """Fill energies (images,) and gradients (images, n) between the end points; return whether all are finite.

    ``at_once``: whether to return at the first that is not, as suits a potential whose calls are dear.
    """
    finite = True
    for i in range(1, X.shape[0] - 1):
        energies[i] = function(X[i], gradients[i], integers, floats)
        for k in frozen:
            gradients[i, k] = 0.0
        finite = finite and np.isfinite(energies[i]) and np.isfinite(dot(gradients[i], gradients[i]))
        if at_once and not finite:
            for j in range(i + 1, X.shape[0] - 1):
                energies[j] = np.nan
            return False
    return finite


@jit(numba.void(matrix, vector, numba.int64, vector))
def _tangent(X, energies, i, out):
    """Write the unit tangent of Henkelman and Jonsson at image i."""
    low, here, high = energies[i - 1], energies[i], energies[i + 1]
    forward, backward = 0.0, 0.0
    if high > here and here > low:
        forward = 1.0
    elif high < here and here < low:
        backward = 1.0
    else:
        large, small = max(abs(high - here), abs(low - here)), min(abs(high - here), abs(low - here))
        forward, backward = (large, small) if high > low else (small, large)
        if large == 0.0:
            forward, backward = 1.0, 1.0
    square = 0.0
    for k in range(X.shape[1]):
        out[k] = forward * (X[i + 1, k] - X[i, k]) + backward * (X[i, k] - X[i - 1, k])
        square += out[k] ** 2
    norm = np.sqrt(square) if square > 0.0 else 1.0
    for k in range(X.shape[1]):
        out[k] /= norm


@jit(numba.void(matrix, vector, numba.float64, vector, vector))
def _springs(X, energies, top, lengths, stiffness):
    """Write the lengths between images and the relative stiffness of the springs there, 1 to ``top`` by the energy."""
    last = X.shape[0] - 1
    low, high = max(energies[0], energies[last]), energies[0]
    for i in range(last + 1):
        high = max(high, energies[i])
    for i in range(last):
        square = 0.0
        for c in range(X.shape[1]):
            square += (X[i + 1, c] - X[i, c]) ** 2
        lengths[i] = np.sqrt(square)
        part = (max(energies[i], energies[i + 1]) - low) / (high - low) if high > low else 0.0
        stiffness[i] = 1.0 + (top - 1.0) * min(max(part, 0.0), 1.0)


@jit(numba.int64(vector))
def _climber(energies):
    """Return the highest image between the end points."""
    highest = 1
    for i in range(2, energies.size - 1):
        highest = i if energies[i] > energies[highest] else highest
    return highest


@jit(numba.void(matrix, vector, matrix, numba.float64, _state, matrix))
def band_gradient(X, energies, gradients, top_springs, state, out):
    """Write the gradient that moves every image between the end points to ``out`` (images, n).

    The true gradient across the tangent, the springs' along it, and of the springs' across it what is orthogonal to
    the true gradient. Once an image climbs it has no springs and the true gradient with its part along the tangent
    turned round; the springs' part across is left out then, since a band with it does not converge.
    """
    n, climbs, stiff = X.shape[1], state.climbs, state.spring
    climber = _climber(energies) if climbs else -1
    tangent, spring, across = np.empty(n), np.empty(n), np.empty(n)
    lengths, stiffness = np.empty(X.shape[0] - 1), np.empty(X.shape[0] - 1)
    _springs(X, energies, top_springs, lengths, stiffness)
    for i in range(1, X.shape[0] - 1):
        _tangent(X, energies, i, tangent)
        before, after = stiff * stiffness[i - 1], stiff * stiffness[i]
        along, pull = 0.0, 0.0
        for c in range(n):
            spring[c] = before * (X[i, c] - X[i - 1, c]) - after * (X[i + 1, c] - X[i, c])
            along += gradients[i, c] * tangent[c]
            pull += spring[c] * tangent[c]
        square, overlap = 0.0, 0.0
        for c in range(n):
            across[c] = gradients[i, c] - along * tangent[c]
            spring[c] -= pull * tangent[c]
            square += across[c] ** 2
            overlap += spring[c] * across[c]
        overlap = overlap / square if square > 0.0 else 0.0
        parallel = -along if i == climber else before * lengths[i - 1] - after * lengths[i]
        for c in range(n):
            out[i - 1, c] = across[c] + parallel * tangent[c]
            if not climbs:
                out[i - 1, c] += spring[c] - overlap * across[c]


@jit(numba.float64(matrix, vector, numba.float64))
def _unevenness(X, energies, top):
    """Return the mean deviation of the springs' tensions, relative to their mean: of the distances if all are alike."""
    count = X.shape[0] - 1
    lengths, stiffness, mean, total = np.empty(count), np.empty(count), 0.0, 0.0
    _springs(X, energies, top, lengths, stiffness)
    for i in range(count):
        mean += stiffness[i] * lengths[i] / count
    for i in range(count):
        total += abs(stiffness[i] * lengths[i] - mean) / count
    return total / mean if mean > 0.0 else 0.0


@jit(numba.float64(vector, numba.int64))
def _longest(direction, n):
    """Return the length of the longest step of an image."""
    largest = 0.0
    for i in range(direction.size // n):
        square = 0.0
        for c in range(n):
            square += direction[i * n + c] ** 2
        largest = max(largest, square)
    return np.sqrt(largest)


@jit(numba.void(vector, vector))
def _copy(a, out):
    # written out: slices compile numba's error messages into every caller
    for c in range(a.size):
        out[c] = a[c]


@jit(
    numba.types.Tuple((numba.float64, numba.int64, numba.int64))(
        FUNCTION, integers, floats, integers, _SETTINGS, numba.int64, matrix, vector, vector, matrix, matrix, vector,
        matrix, matrix, vector, _state,
    )
)  # fmt: skip
def dneb_walk(
    function, integers, floats, frozen, settings, limit, X, inner, energies, gradients, band, flat, s, y, rho, state
):
    """Move the band by LBFGS steps, in place; several calls go on where the last one stopped.

    Parameters
    ----------
    function, integers, floats, frozen : the potential and its fixed coordinates.
    settings : BandSettings
    limit : most steps.
    X : (images + 2, n) with end points; inner : the same memory, end points left out, flat.
    energies (images + 2,), gradients (images + 2, n) : of X, as :func:`evaluate_images` left them.
    band : (images, n) gradient of the band, overwritten; flat : the same memory.
    s, y : (memory, images * n) memory; rho : (memory,) 1 / s.y.
    state : as :func:`fresh_state` gave it.

    Returns
    -------
    rms of the band's gradient, steps taken, status
    """
    goal, max_step, top, climb = settings.rms, settings.max_step, settings.top_springs, settings.climb_below
    n, memory = X.shape[1], s.shape[0]
    root = np.sqrt(band.shape[0] * (n - frozen.size))
    alpha, direction, old, start = np.empty(memory), np.empty(flat.size), np.empty(flat.size), np.empty(flat.size)
    band_gradient(X, energies, gradients, top, state, band)
    for taken in range(limit):
        norm = np.sqrt(dot(flat, flat))
        if not state.climbs and climb > 0.0 and (norm / root < climb or state.steps >= settings.climb_after):
            # another function from here on: what was remembered of the old one would mislead
            state.climbs, state.stored = True, 0
            band_gradient(X, energies, gradients, top, state, band)
            norm = np.sqrt(dot(flat, flat))
        if norm / root < goal:
            return norm / root, taken, Status.CONVERGED
        stored = state.stored
        two_loop(flat, s, y, rho, alpha, stored, state.diagonal, direction)
        if dot(direction, flat) > 0.0:
            for c in range(direction.size):
                direction[c] = -direction[c]
        scale = min(1.0 / norm, norm) if stored == 0 else 1.0
        longest = _longest(direction, n)
        if scale * longest > max_step:
            scale = max_step / longest
        _copy(inner, start)
        _copy(flat, old)
        finite, at_once = False, settings.trials < 2
        for _trial in range(settings.trials):
            add_multiple(scale, direction, inner)
            finite = evaluate_images(function, integers, floats, frozen, X, at_once, energies, gradients)
            if finite:
                break
            _copy(start, inner)
            scale *= 0.1
        if not finite:
            return norm / root, taken, Status.NOT_FINITE
        band_gradient(X, energies, gradients, top, state, band)
        diagonal = remember(s, y, rho, stored % memory, scale, direction, flat, old)
        if diagonal > 0.0:
            state.diagonal = diagonal
            state.stored += 1
        state.steps += 1
        if state.steps % 5 == 0 and not state.climbs:
            # stiffer springs where the images bunch up, softer ones where they hold the band off the valley
            state.spring *= 1.05 if _unevenness(X, energies, top) > settings.evenness else 1.0 / 1.05
            band_gradient(X, energies, gradients, top, state, band)
    norm = np.sqrt(dot(flat, flat))
    return norm / root, limit, Status.CONVERGED if norm / root < goal else Status.TOO_MANY_STEPS
