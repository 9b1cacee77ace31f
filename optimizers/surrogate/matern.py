"""Prediction of a Gaussian process on energies and gradients, compiled as a potential.

The covariance is Matern's of order 5/2 in a descriptor of the coordinates: a linear map of these, or the inverse
distances of atoms, which no rigid motion changes.
"""

from __future__ import annotations

import numba
import numpy as np

from thalweg.potentials.compiled.signatures import FUNCTION_SIGNATURE, HESSIAN_SIGNATURE, floats, integers, jit, vector

__all__ = ["INVERSE_DISTANCES", "LINEAR", "predicted_energy", "predicted_hessian"]

LINEAR, INVERSE_DISTANCES = 0, 1

_STEP = 1e-4  # of the differences of predicted gradients, which have no noise
_ROOT = np.sqrt(5.0)
_MAP = 5  # place of the map among the floats


@jit(numba.void(vector, integers, floats, vector))
def _describe(x, integers, floats, out):
    """Write the descriptor of x: of ``integers`` (kind, entries m, data N, n) and the pairs, of ``floats`` the map."""
    kind, entries, n = integers[0], integers[1], integers[3]
    for a in range(entries):
        if kind == INVERSE_DISTANCES:
            i, j = 3 * integers[4 + 2 * a], 3 * integers[5 + 2 * a]
            square = 0.0
            for c in range(3):
                square += (x[i + c] - x[j + c]) ** 2
            out[a] = floats[_MAP + a] / np.sqrt(square)
        else:
            out[a] = 0.0
            for k in range(n):
                out[a] += floats[_MAP + a * n + k] * x[k]


@jit(numba.void(vector, vector, vector, integers, floats, vector))
def _pull_back(slopes, descriptor, x, integers, floats, gradient):
    """Write the gradient over x of a function whose slopes over the descriptor are given."""
    kind, entries, n = integers[0], integers[1], integers[3]
    for k in range(n):
        gradient[k] = 0.0
    for a in range(entries):
        if kind == INVERSE_DISTANCES:
            i, j = 3 * integers[4 + 2 * a], 3 * integers[5 + 2 * a]
            # d (w / r) = -(w / r)**3 / w**2 r . dr
            factor = -slopes[a] * descriptor[a] ** 3 / floats[_MAP + a] ** 2
            for c in range(3):
                part = factor * (x[i + c] - x[j + c])
                gradient[i + c] += part
                gradient[j + c] -= part
        else:
            for k in range(n):
                gradient[k] += slopes[a] * floats[_MAP + a * n + k]


@jit(FUNCTION_SIGNATURE)
def predicted_energy(x, gradient, integers, floats):
    """Return the mean of the process at x, and write its gradient.

    ``integers`` are the kind of descriptor, its entries m, the data N, n, and of inverse distances the pairs (m, 2);
    ``floats`` the prior mean, the length, the number of entries of the map, where the wall begins and how steep it is,
    the map (m,) or (m, n), then for each datum its weight, its descriptor (m,), and the weights of its slopes over the
    descriptor (m,). The wall is a parabola in each entry beyond its beginning: inverse distances of atoms that collide.
    """
    entries, data = integers[1], integers[2]
    mean, length, place = floats[0], floats[1], _MAP + int(floats[2])
    wall, steep = floats[3], floats[4]
    here, slopes = np.empty(entries), np.zeros(entries)
    _describe(x, integers, floats, here)
    energy = mean
    for a in range(entries):
        inside = here[a] - wall
        if steep > 0.0 and inside > 0.0:
            energy += steep * inside * inside
            slopes[a] = 2.0 * steep * inside
    for _datum in range(data):
        weight, there, tilt = floats[place], place + 1, place + 1 + entries
        square, overlap = 0.0, 0.0
        for a in range(entries):
            u = (here[a] - floats[there + a]) / length
            square += u * u
            overlap += u * floats[tilt + a]
        r = _ROOT * np.sqrt(square)
        decay = np.exp(-r)
        value, first, second = (1.0 + r + r * r / 3.0) * decay, -5.0 / 6.0 * (1.0 + r) * decay, 25.0 / 12.0 * decay
        energy += value * weight - 2.0 * first / length * overlap
        along = (2.0 * first * weight - 4.0 * second * overlap / length) / length
        across = -2.0 * first / length**2
        for a in range(entries):
            slopes[a] += along * (here[a] - floats[there + a]) / length + across * floats[tilt + a]
        place += 1 + 2 * entries
    _pull_back(slopes, here, x, integers, floats, gradient)
    return energy


@jit(HESSIAN_SIGNATURE)
def predicted_hessian(x, hessian, integers, floats):
    """Return the mean of the process at x, and write central differences of its gradient."""
    n = x.size
    moved, forward, backward = x.copy(), np.empty(n), np.empty(n)
    for k in range(n):
        moved[k] = x[k] + _STEP
        predicted_energy(moved, forward, integers, floats)
        moved[k] = x[k] - _STEP
        predicted_energy(moved, backward, integers, floats)
        moved[k] = x[k]
        for c in range(n):
            hessian[k, c] = (forward[c] - backward[c]) / (2.0 * _STEP)
    for k in range(n):
        for c in range(k):
            hessian[k, c] = 0.5 * (hessian[k, c] + hessian[c, k])
            hessian[c, k] = hessian[k, c]
    return predicted_energy(x, forward, integers, floats)
