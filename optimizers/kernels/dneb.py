"""The doubly-nudged elastic band, compiled: one long vector of images moved by LBFGS steps."""

from __future__ import annotations

import numba
import numpy as np

from thalweg.optimizers.kernels.lbfgs import add_multiple, dot, remember, two_loop
from thalweg.potentials.compiled.signatures import FUNCTION, floats, integers, jit, matrix, vector

__all__ = ["MEMORY", "band_gradient", "dneb_walk", "evaluate_images", "fresh_state"]

CONVERGED, STEPS, NOT_FINITE = 0, 1, 3

MEMORY = 4
# Of the state: the spring constant, pairs stored, inverse curvature, steps so far, whether an image climbs; then 1/s.y
_SPRING, _STORED, _DIAGONAL, _STEPS, _CLIMBS, _PAIRS = 0, 1, 2, 3, 4, 5


def fresh_state(spring: float) -> np.ndarray:
    """Return the state of a band that has not moved, for :func:`dneb_walk`."""
    state = np.zeros(_PAIRS + MEMORY)
    state[_SPRING], state[_DIAGONAL] = spring, 0.1
    return state


@jit(numba.boolean(FUNCTION, integers, floats, integers, matrix, vector, matrix))
def evaluate_images(function, integers, floats, frozen, X, energies, gradients):
    """Fill energies (images,) and gradients (images, n) between the end points; return whether all are finite."""
    finite = True
    for i in range(1, X.shape[0] - 1):
        energies[i] = function(X[i], gradients[i], integers, floats)
        for k in frozen:
            gradients[i, k] = 0.0
        finite = finite and np.isfinite(energies[i]) and np.isfinite(dot(gradients[i], gradients[i]))
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


@jit(numba.void(matrix, vector, matrix, vector, vector, matrix))
def band_gradient(X, energies, gradients, settings, state, out):
    """Write the gradient that moves every image between the end points to ``out`` (images, n).

    The true gradient across the tangent, the springs' along it, and of the springs' across it what is orthogonal to
    the true gradient. Once an image climbs it has no springs and the true gradient with its part along the tangent
    turned round; the springs' part across is left out then, since a band with it does not converge.
    """
    n, climbs = X.shape[1], state[_CLIMBS] > 0.0
    climber = _climber(energies) if climbs else -1
    tangent, spring, across = np.empty(n), np.empty(n), np.empty(n)
    lengths, stiffness = np.empty(X.shape[0] - 1), np.empty(X.shape[0] - 1)
    _springs(X, energies, settings[3], lengths, stiffness)
    for i in range(1, X.shape[0] - 1):
        _tangent(X, energies, i, tangent)
        before, after = state[_SPRING] * stiffness[i - 1], state[_SPRING] * stiffness[i]
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
        FUNCTION, integers, floats, integers, vector, numba.int64, matrix, vector, vector, matrix, matrix, vector,
        matrix, matrix, vector,
    )
)  # fmt: skip
def dneb_walk(
    function, integers, floats, frozen, settings, limit, X, inner, energies, gradients, band, flat, s, y, state
):
    """Move the band by LBFGS steps, in place; several calls go on where the last one stopped.

    Parameters
    ----------
    function, integers, floats, frozen : the potential and its fixed coordinates.
    settings : (rms to reach, longest step of an image, unevenness the springs aim at, how much stiffer the springs
        are at the top, rms below which the highest image climbs or 0 for never, steps after which it climbs anyway)
    limit : most steps.
    X : (images + 2, n) with end points; inner : the same memory, end points left out, flat.
    energies (images + 2,), gradients (images + 2, n) : of X, as :func:`evaluate_images` left them.
    band : (images, n) gradient of the band, overwritten; flat : the same memory.
    s, y : (memory, images * n) memory.
    state : as :func:`fresh_state` gave it.

    Returns
    -------
    rms of the band's gradient, steps taken, status
    """
    goal, max_step, aim, top, climb = settings[0], settings[1], settings[2], settings[3], settings[4]
    n, memory = X.shape[1], s.shape[0]
    root = np.sqrt(band.shape[0] * (n - frozen.size))
    rho, alpha = state[_PAIRS:], np.empty(memory)
    direction, old, start = np.empty(flat.size), np.empty(flat.size), np.empty(flat.size)
    band_gradient(X, energies, gradients, settings, state, band)
    for taken in range(limit):
        norm = np.sqrt(dot(flat, flat))
        if state[_CLIMBS] == 0.0 and climb > 0.0 and (norm / root < climb or state[_STEPS] >= settings[5]):
            # another function from here on: what was remembered of the old one would mislead
            state[_CLIMBS], state[_STORED] = 1.0, 0.0
            band_gradient(X, energies, gradients, settings, state, band)
            norm = np.sqrt(dot(flat, flat))
        if norm / root < goal:
            return norm / root, taken, CONVERGED
        stored = int(state[_STORED])
        two_loop(flat, s, y, rho, alpha, stored, state[_DIAGONAL], direction)
        if dot(direction, flat) > 0.0:
            for c in range(direction.size):
                direction[c] = -direction[c]
        scale = min(1.0 / norm, norm) if stored == 0 else 1.0
        longest = _longest(direction, n)
        if scale * longest > max_step:
            scale = max_step / longest
        _copy(inner, start)
        _copy(flat, old)
        for _trial in range(8):
            add_multiple(scale, direction, inner)
            finite = evaluate_images(function, integers, floats, frozen, X, energies, gradients)
            if finite:
                break
            _copy(start, inner)
            scale *= 0.1
        if not finite:
            return norm / root, taken, NOT_FINITE
        band_gradient(X, energies, gradients, settings, state, band)
        diagonal = remember(s, y, rho, stored % memory, scale, direction, flat, old)
        if diagonal > 0.0:
            state[_DIAGONAL] = diagonal
            state[_STORED] += 1.0
        state[_STEPS] += 1.0
        if int(state[_STEPS]) % 5 == 0 and state[_CLIMBS] == 0.0:
            # stiffer springs where the images bunch up, softer ones where they hold the band off the valley
            state[_SPRING] *= 1.05 if _unevenness(X, energies, top) > aim else 1.0 / 1.05
            band_gradient(X, energies, gradients, settings, state, band)
    norm = np.sqrt(dot(flat, flat))
    return norm / root, limit, CONVERGED if norm / root < goal else STEPS
