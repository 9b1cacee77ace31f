"""Compiled basin-hopping moves: each writes a displaced copy of a point, from uniform random numbers alone."""

from __future__ import annotations

import numba
import numpy as np

from thalweg.potentials.compiled.signatures import integers, jit, matrix, vector

__all__ = ["MOVE", "given_move", "move_all", "move_surface_atom", "pull_inside", "reach", "sphere_point"]

_MOVE_SIGNATURE = numba.void(vector, integers, numba.float64, vector, vector)
MOVE = numba.types.FunctionType(_MOVE_SIGNATURE)
"""A move: point (n,), indices of free coordinates, size of the step, uniform numbers in [0, 1), displaced point."""


@jit(_MOVE_SIGNATURE)
def move_all(x, free, step, draws, out):
    """Displace every free coordinate uniformly in (-step, step)."""
    for k in range(x.size):
        out[k] = x[k]
    for i in range(free.size):
        out[free[i]] += step * (2.0 * draws[i] - 1.0)


@jit(_MOVE_SIGNATURE)
def given_move(x, free, step, draws, out):
    """Take the free coordinates from ``draws``: how moves written in Python enter the compiled chain."""
    for k in range(x.size):
        out[k] = x[k]
    for i in range(free.size):
        out[free[i]] = draws[i]


@jit(numba.void(numba.float64, numba.float64, vector))
def sphere_point(height, angle, out):
    """Write the point of the unit sphere that two uniform numbers in [0, 1) stand for."""
    z, phi = 2.0 * height - 1.0, 2.0 * np.pi * angle
    across = np.sqrt(max(0.0, 1.0 - z * z))
    out[0], out[1], out[2] = across * np.cos(phi), across * np.sin(phi), z


@jit(numba.void(matrix, vector))
def _binding(atoms, out):
    """Write the sum of r^-6 over all other atoms: it ranks as the pair energies of a cluster do, in any unit."""
    for i in range(atoms.shape[0]):
        out[i] = 0.0
    for i in range(atoms.shape[0]):
        for j in range(i):
            square = 0.0
            for k in range(3):
                square += (atoms[i, k] - atoms[j, k]) ** 2
            term = 1.0 / square**3
            out[i] += term
            out[j] += term


@jit(numba.float64(vector, numba.int64, vector))
def reach(x, left_out, centre):
    """Write the centre of the atoms; return how far from it the farthest is, one left out (-1 for none)."""
    count = x.size // 3
    for k in range(3):
        centre[k] = 0.0
    for i in range(count):
        if i != left_out:
            for k in range(3):
                centre[k] += x[3 * i + k] / (count - (left_out >= 0))
    farthest = 0.0
    for i in range(count):
        if i != left_out:
            square = 0.0
            for k in range(3):
                square += (x[3 * i + k] - centre[k]) ** 2
            farthest = max(farthest, square)
    return np.sqrt(farthest)


@jit(_MOVE_SIGNATURE)
def move_surface_atom(x, free, step, draws, out):
    """Put one of the most weakly bound atoms at a random place on the sphere through the outermost of the others.

    ``step`` is among how many it is chosen.
    """
    for k in range(x.size):
        out[k] = x[k]
    binding, place, centre = np.empty(x.size // 3), np.empty(3), np.empty(3)
    _binding(x.reshape(x.size // 3, 3), binding)
    chosen = 0
    for _ in range(1 + int(draws[2] * step)):
        chosen = int(np.argmin(binding))
        binding[chosen] = np.inf
    radius = reach(x, chosen, centre)
    sphere_point(draws[0], draws[1], place)
    for k in range(3):
        out[3 * chosen + k] = centre[k] + radius * place[k]


@jit(numba.void(vector, numba.float64))
def pull_inside(x, radius):
    """Move atoms that are further than radius from the centre of all straight back to that distance, in place."""
    centre = np.empty(3)
    if reach(x, -1, centre) <= radius:
        return
    for i in range(x.size // 3):
        square = 0.0
        for k in range(3):
            square += (x[3 * i + k] - centre[k]) ** 2
        if square > radius * radius:
            factor = radius / np.sqrt(square)
            for k in range(3):
                x[3 * i + k] = centre[k] + factor * (x[3 * i + k] - centre[k])
