"""Loss and gradient of a network against arithmetic of 50 digits.

The bound is eight units in the last place of the magnitudes that are summed. A sum inside the network is known no
better than the magnitudes of its own terms, so those travel with the numbers, through the slope of what follows.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from thalweg.potentials.neural_network.loss import NetworkLoss

mpmath = pytest.importorskip("mpmath")
mp = mpmath.mp

UNITS = 8 * np.finfo(float).eps
SMALLEST = 1e-290  # slopes end at exp(-700)


def exact_numbers(array):
    return np.vectorize(mpmath.mpf, otypes=[object])(array)


def magnitude(array):
    return np.vectorize(abs, otypes=[object])(array)


def unpacked(x, layers):
    shapes = list(itertools.pairwise(layers))
    cuts = np.cumsum([a * b for a, b in shapes] + [b for _, b in shapes])[:-1]
    parts = np.split(x, cuts)
    return [part.reshape(b, a) for part, (a, b) in zip(parts, shapes, strict=False)], parts[len(shapes) :]


def forward(matrices, biases, point):
    """Return values, their slopes, and the magnitudes behind both, layer by layer; the last are the outputs."""
    values, slopes, behind = [point], [None], [magnitude(point)]
    for layer, (w, b) in enumerate(zip(matrices, biases, strict=True)):
        z, size = w @ values[-1] + b, magnitude(w) @ behind[-1] + magnitude(b)
        if layer == len(matrices) - 1:
            return values, slopes, behind, z, size
        t = np.vectorize(mpmath.tanh, otypes=[object])(z)
        s = np.vectorize(lambda v: mpmath.sech(v) ** 2, otypes=[object])(z)
        values.append(t)
        slopes.append(s)
        behind.append(magnitude(t) + s * size)


def backward(matrices, values, slopes, behind, p, size, label):
    """Return one datum's gradient and the magnitudes behind it, weights first, then biases."""
    delta = p - np.eye(len(p), dtype=int)[label]
    sizes = magnitude(delta) + p * (size + (p @ size))
    found = []
    for layer in reversed(range(len(matrices))):
        below, under = values[layer], behind[layer]
        bound = np.outer(sizes, magnitude(below)) + np.outer(magnitude(delta), under)
        found.insert(0, (np.outer(delta, below), bound, delta, sizes))
        if layer:
            pulled, w = matrices[layer].T @ delta, matrices[layer]
            # what is behind the sum z, divided through the slope; its effect on the slope is 2 |t| of it
            bend = 2 * magnitude(below) * (under - magnitude(below))
            sizes = slopes[layer] * (magnitude(w).T @ sizes) + bend * magnitude(pulled)
            delta = slopes[layer] * pulled
    flat = [np.concatenate([f[k].ravel() for f in found] + [f[k + 2] for f in found]) for k in (0, 1)]
    return flat


def reference(loss, x):
    w = exact_numbers(x)
    matrices, biases = unpacked(w, loss.layers)
    n, energy, bound = len(loss.labels), loss.l2 * (w @ w), loss.l2 * (w @ w)
    gradient = 2 * mpmath.mpf(loss.l2) * w
    gradient_bound = magnitude(gradient)
    for point, label in zip(exact_numbers(loss.inputs), loss.labels, strict=True):
        values, slopes, behind, y, size = forward(matrices, biases, point)
        weights = np.vectorize(mpmath.exp, otypes=[object])(y - max(y))
        p = weights / sum(weights)
        energy += (max(y) - y[label] + mpmath.log(sum(weights))) / n
        bound += ((p @ size) + size[label] + mpmath.log(sum(weights))) / n
        part, part_bound = backward(matrices, values, slopes, behind, p, size, label)
        gradient, gradient_bound = gradient + part / n, gradient_bound + part_bound / n
    return energy, bound, gradient, gradient_bound


@pytest.mark.parametrize("layers", [(2, 10, 4), (2, 4, 4, 3), (3, 5), (20, 4, 3), (70, 3, 3)])
@pytest.mark.parametrize("size", [1e-3, 1e-1, 1.0, 10.0, 1e3])
def test_loss_and_gradient_to_eight_units_in_the_last_place(layers, size):
    rng = np.random.default_rng(int(1000 * size) % 997)
    inputs = rng.normal(size=(5, layers[0])) * (rng.random((5, layers[0])) < (0.2 if layers[0] == 70 else 1.0))
    loss = NetworkLoss(inputs, rng.integers(0, layers[-1], 5), layers[1:-1], n_classes=layers[-1], l2=1e-4)
    x = size * rng.uniform(-1, 1, loss.n_weights)
    energy, gradient = loss.energy_gradient(x)
    with mp.workdps(50):
        exact, bound, exact_gradient, gradient_bound = reference(loss, x)
        assert abs(energy - exact) <= UNITS * bound + SMALLEST
        error = magnitude(exact_numbers(gradient) - exact_gradient)
        assert np.all(error <= UNITS * gradient_bound + SMALLEST)
