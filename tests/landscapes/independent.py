"""Stationary points checked with plain numpy: nothing here is Thalweg's, nor written like it.

The network's gradient is back-propagation over one matrix of activations a layer; a cluster's is the complex step, so
only its energy is written down. Hessians are central differences of these gradients.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, pairwise

import numpy as np
from scipy.optimize import linear_sum_assignment

Energies = Callable[[np.ndarray], tuple[float, np.ndarray]]


def split(x, layers):
    """Return the weight matrices and bias vectors of a whole vector: matrices first, then biases."""
    shapes = [(high, low) for low, high in pairwise(layers)]
    sizes = [a * b for a, b in shapes] + list(layers[1:])
    parts = np.split(x, np.cumsum(sizes)[:-1])
    half = len(shapes)
    return [part.reshape(shape) for part, shape in zip(parts[:half], shapes, strict=True)], parts[half:]


def network(layers, inputs, labels, l2) -> Energies:
    """Return the function giving loss and gradient of a tanh network with softmax outputs."""
    wanted = np.eye(layers[-1])[labels]

    def loss_and_gradient(x):
        matrices, biases = split(x, layers)
        activations = [inputs]
        for matrix, bias in zip(matrices[:-1], biases[:-1], strict=True):
            activations.append(np.tanh(activations[-1] @ matrix.T + bias))
        y = activations[-1] @ matrices[-1].T + biases[-1]
        y = y - y.max(axis=1, keepdims=True)
        p = np.exp(y) / np.exp(y).sum(axis=1, keepdims=True)
        loss = -(wanted * (y - np.log(np.exp(y).sum(axis=1, keepdims=True)))).sum(axis=1).mean()
        delta = (p - wanted) / len(inputs)
        by_matrix, by_bias = [], []
        for level in reversed(range(len(matrices))):
            by_matrix.insert(0, (delta.T @ activations[level]).ravel())
            by_bias.insert(0, delta.sum(axis=0))
            delta = (delta @ matrices[level]) * (1.0 - activations[level] ** 2)
        return loss + l2 * (x @ x), np.concatenate(by_matrix + by_bias) + 2 * l2 * x

    return loss_and_gradient


def cluster_energies(X, Z):
    """Return Lennard-Jones plus Axilrod-Teller energies of rows of coordinates, which may be complex."""
    R = X.reshape(len(X), -1, 3)
    n = R.shape[1]
    square = {(i, j): ((R[:, i] - R[:, j]) ** 2).sum(axis=1) for i, j in combinations(range(n), 2)}
    energy = sum(4 * (s**-6 - s**-3) for s in square.values())
    for i, j, k in combinations(range(n), 3) if Z else ():
        a, b, c = square[i, j], square[i, k], square[j, k]
        # cosines by the law of cosines; their product's denominator is 8 a b c
        cosines = (a + b - c) * (a + c - b) * (b + c - a) / (8 * a * b * c)
        energy = energy + Z * (1 + 3 * cosines) / (a * b * c) ** 1.5
    return energy


def cluster(Z) -> Energies:
    """Return the function giving energy and gradient, the latter by the complex step (exact to rounding)."""

    def energy_and_gradient(x):
        steps = x + 1e-30j * np.eye(len(x))
        return float(cluster_energies(x[None], Z)[0]), cluster_energies(steps, Z).imag / 1e-30

    return energy_and_gradient


def rigid_motions(x):
    """Return the translations and rotations of a cluster, as rows; they are five where it is linear."""
    R = x.reshape(-1, 3) - x.reshape(-1, 3).mean(axis=0)
    moves = [np.tile(axis, (len(R), 1)) for axis in np.eye(3)] + [np.cross(axis, R) for axis in np.eye(3)]
    _, sizes, rows = np.linalg.svd(np.array(moves).reshape(6, -1), full_matrices=False)
    return rows[sizes > 1e-4]


def spectrum(function, x, null, step=1e-5):
    """Return Hessian eigenvalues at x by central differences of the gradient, null modes (rows) taken out."""
    moves = step * np.eye(len(x))
    hessian = np.array([(function(x + move)[1] - function(x - move)[1]) / (2 * step) for move in moves])
    if len(null):
        basis = np.linalg.svd(null)[2][len(null) :]
        hessian = basis @ hessian @ basis.T
    return np.linalg.eigvalsh((hessian + hessian.T) / 2)


def wrong_points(function, energies, X, negative, null_modes=lambda x: np.zeros((0, len(x)))):
    """Return what is wrong with stationary points that should have so many negative eigenvalues; empty if nothing."""
    wrong = []
    for row, (stored, x) in enumerate(zip(energies, X, strict=True)):
        energy, gradient = function(x)
        rms = np.sqrt(np.mean(gradient**2))
        below = int((spectrum(function, x, null_modes(x)) < 0).sum())
        if not abs(energy - stored) < 1e-11 * max(1.0, abs(energy)):
            wrong.append(f"{row}: energy {energy}, stored {stored}")
        if not rms < 1e-8:
            wrong.append(f"{row}: rms gradient {rms}")
        if below != negative:
            wrong.append(f"{row}: {below} negative eigenvalues")
    return wrong


def network_distance(layers) -> Callable[[np.ndarray, np.ndarray], float]:
    """Return the distance of two networks with one hidden layer over permutations and sign changes of its units."""

    def units(x):
        (into, out), (bias, last) = split(x, layers)
        return np.hstack([into, bias[:, None], out.T]), last

    def distance(a, b):
        (of_a, last_a), (of_b, last_b) = units(a), units(b)
        same = ((of_a[:, None] - of_b) ** 2).sum(axis=2)
        turned = ((of_a[:, None] + of_b) ** 2).sum(axis=2)
        cost = np.minimum(same, turned)
        return float(np.sqrt(cost[linear_sum_assignment(cost)].sum() + ((last_a - last_b) ** 2).sum()))

    return distance


def cluster_distance(a, b):
    """Return how far apart the sorted interatomic distances of two clusters of equal atoms are."""
    pair = np.triu_indices(len(a) // 3, 1)
    first, second = (
        np.sort(np.linalg.norm(R[pair[0]] - R[pair[1]], axis=1)) for R in (a.reshape(-1, 3), b.reshape(-1, 3))
    )
    return float(np.linalg.norm(first - second))


def equal_pairs(energies, X, distance, near=1e-3):
    """Return pairs of rows that are the same point: energies within 1e-5, and nearer than ``near``."""
    order = np.argsort(energies)
    found = []
    for place, row in enumerate(order):
        for other in order[place + 1 :]:
            if energies[other] - energies[row] > 1e-5:
                break
            if distance(X[row], X[other]) < near:
                found.append((int(row), int(other)))
    return found
