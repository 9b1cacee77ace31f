"""Directions of slices: random ones, filter-normalised for networks, and planes through points."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thalweg.potentials.protocols import ClassifyingPotential
from thalweg.potentials.system import System

__all__ = ["direction_of", "filters", "random_direction"]


def filters(layers: tuple[int, ...]) -> list[NDArray[np.int64]]:
    """Return the indices of the weights and of the bias of each unit, from the first hidden layer on.

    Parameters
    ----------
    layers : tuple of int
        Widths from the inputs to the outputs, of weights in the order of NetworkLoss.
    """
    pairs = list(pairwise(layers))
    weights, biases = 0, sum(below * above for below, above in pairs)
    found = []
    for below, above in pairs:
        for unit in range(above):
            row = weights + unit * below + np.arange(below)
            found.append(np.append(row, biases + unit))
        weights += below * above
        biases += above
    return found


def random_direction(system: System, x: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw a random direction (n,) in which a step of 1 is a step of the size of x.

    For a network the weights and the bias into each unit have the same norm in the direction as in x ("filter
    normalisation"), so that slices of networks with other scales of weights can be compared. For other systems the
    direction has unit length; null modes are left out.

    References
    ----------
    H. Li, Z. Xu, G. Taylor, C. Studer and T. Goldstein, NeurIPS 31 (2018) 6389.
    """
    direction = np.zeros(system.n)
    direction[system.free] = rng.standard_normal(system.n_free)
    if isinstance(system.potential, ClassifyingPotential):
        for unit in filters(tuple(system.potential.layers)):
            norm = np.linalg.norm(direction[unit])
            direction[unit] *= np.linalg.norm(x[unit]) / norm if norm > 0 else 0.0
        return direction
    null = system.null_modes(x)
    direction -= null.T @ (null @ direction)
    norm = np.linalg.norm(direction)
    return direction / norm if norm > 0 else direction


def direction_of(
    system: System, x: NDArray[np.float64], given: ArrayLike | None, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return a checked direction (n,), or a random one where none is given.

    Raises
    ------
    ValueError
        If it has another shape, is not finite, is zero, or moves fixed coordinates.
    """
    if given is None:
        return random_direction(system, x, rng)
    direction = np.array(given, dtype=np.float64).ravel()
    if direction.size != system.n:
        raise ValueError(f"a direction must have {system.n} coordinates; it has {direction.size}")
    if not np.isfinite(direction).all() or not direction.any():
        raise ValueError("a direction must be finite, and not zero")
    if direction[system.frozen].any():
        raise ValueError("the direction moves coordinates that are fixed: set them to zero")
    return direction
