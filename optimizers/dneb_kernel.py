"""The doubly-nudged elastic band, compiled: one long vector of images moved by LBFGS steps."""

from __future__ import annotations

import numba
import numpy as np

from thalweg.optimizers.lbfgs_kernel import add_multiple, dot, remember, two_loop
from thalweg.potentials.compiled import FUNCTION, floats, integers, jit, matrix, vector

__all__ = ["band_gradient", "dneb_walk", "evaluate_images"]

CONVERGED, STEPS, NOT_FINITE = 0, 1, 3


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


@jit(numba.void(matrix, vector, matrix, numba.float64, matrix))
def band_gradient(X, energies, gradients, k, out):
    """Write the doubly nudged gradient of every image between the end points to ``out`` (images, n).

    The true gradient across the tangent, the springs' along it, and of the springs' across it what is
    orthogonal to the true gradient.
    """
    n = X.shape[1]
    tangent, spring, across = np.empty(n), np.empty(n), np.empty(n)
    for i in range(1, X.shape[0] - 1):
        _tangent(X, energies, i, tangent)
        along, pull, before, after = 0.0, 0.0, 0.0, 0.0
        for c in range(n):
            spring[c] = k * (2.0 * X[i, c] - X[i - 1, c] - X[i + 1, c])
            along += gradients[i, c] * tangent[c]
            pull += spring[c] * tangent[c]
            before += (X[i, c] - X[i - 1, c]) ** 2
            after += (X[i + 1, c] - X[i, c]) ** 2
        square, overlap = 0.0, 0.0
        for c in range(n):
            across[c] = gradients[i, c] - along * tangent[c]
            spring[c] -= pull * tangent[c]
            square += across[c] ** 2
            overlap += spring[c] * across[c]
        overlap = overlap / square if square > 0.0 else 0.0
        parallel = k * (np.sqrt(before) - np.sqrt(after))
        for c in range(n):
            out[i - 1, c] = across[c] + parallel * tangent[c] + spring[c] - overlap * across[c]


@jit(numba.float64(matrix))
def _unevenness(X):
    """Return the mean deviation of the distances between images, relative to their mean."""
    count = X.shape[0] - 1
    lengths, mean, total = np.empty(count), 0.0, 0.0
    for i in range(count):
        square = 0.0
        for c in range(X.shape[1]):
            square += (X[i + 1, c] - X[i, c]) ** 2
        lengths[i] = np.sqrt(square)
        mean += lengths[i] / count
    for i in range(count):
        total += abs(lengths[i] - mean) / count
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
    settings : (rms to reach, longest step of an image, unevenness the springs aim at)
    limit : most steps.
    X : (images + 2, n) with end points; inner : the same memory, end points left out, flat.
    energies (images + 2,), gradients (images + 2, n) : of X, as :func:`evaluate_images` left them.
    band : (images, n) doubly nudged gradient, overwritten; flat : the same memory.
    s, y : (memory, images * n) memory.
    state : (4 + memory,) spring constant, pairs stored, diagonal, steps so far, then 1 / s.y of each pair.

    Returns
    -------
    rms of the doubly nudged gradient, steps taken, status
    """
    goal, max_step, aim = settings[0], settings[1], settings[2]
    n, memory = X.shape[1], s.shape[0]
    root = np.sqrt(band.shape[0] * (n - frozen.size))
    rho, alpha = state[4:], np.empty(memory)
    direction, old, start = np.empty(flat.size), np.empty(flat.size), np.empty(flat.size)
    band_gradient(X, energies, gradients, state[0], band)
    for taken in range(limit):
        norm = np.sqrt(dot(flat, flat))
        if norm / root < goal:
            return norm / root, taken, CONVERGED
        stored = int(state[1])
        two_loop(flat, s, y, rho, alpha, stored, state[2], direction)
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
        band_gradient(X, energies, gradients, state[0], band)
        diagonal = remember(s, y, rho, stored % memory, scale, direction, flat, old)
        if diagonal > 0.0:
            state[2] = diagonal
            state[1] += 1.0
        state[3] += 1.0
        if int(state[3]) % 5 == 0:
            # stiffer springs where the images bunch up, softer ones where they hold the band off the valley
            state[0] *= 1.05 if _unevenness(X) > aim else 1.0 / 1.05
            band_gradient(X, energies, gradients, state[0], band)
    norm = np.sqrt(dot(flat, flat))
    return norm / root, limit, CONVERGED if norm / root < goal else STEPS
