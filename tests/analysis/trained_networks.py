"""A small explored network for the tests of predictions, and a plain numpy one to hold it against."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace

import numpy as np

from thalweg.landscapes import Landscape
from thalweg.potentials.neural_network.loss import NetworkLoss
from thalweg.potentials.neural_network.weights import Weights

LAYERS = (2, 4, 3)


def blobs(seed, n, classes=3):
    """Three clouds in the plane, a fifth of their labels moved to the next class."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(classes, size=n)
    angle = 2 * np.pi * truth / classes
    inputs = np.column_stack([np.cos(angle), np.sin(angle)]) + 0.6 * rng.normal(size=(n, 2))
    wrong = rng.random(n) < 0.2
    labels = (truth + wrong * rng.integers(1, classes, size=n)) % classes
    return SimpleNamespace(inputs=inputs, labels=labels, mislabelled=wrong, truth=truth)


def explored(path, seed=0):
    """A landscape of [2,4,3] on 60 points; return the data."""
    data = blobs(seed, 60)
    loss = NetworkLoss(data.inputs, data.labels, hidden=LAYERS[1:-1], l2=1e-4, mislabelled=data.mislabelled)
    with Landscape(Weights.random(loss, 0), path, seed=0) as landscape:
        landscape.find_minima(steps=80, workers=1, progress=False)
        assert len(landscape.minima) > 3
    return data


def plain_probabilities(layers, x, inputs):
    """A tanh network in numpy, written from the order of the weights in the design."""
    shapes = [(b, a) for a, b in pairwise(layers)]
    ends = np.cumsum([a * b for a, b in shapes] + [a for a, _ in shapes])
    parts = np.split(x, ends[:-1])
    h = np.asarray(inputs)
    for k, shape in enumerate(shapes):
        y = h @ parts[k].reshape(shape).T + parts[len(shapes) + k]
        h = np.tanh(y)
    e = np.exp(y)
    return e / e.sum(axis=1, keepdims=True)
