"""Hessian of a molecule by differences along curves on which bonds keep their lengths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thalweg.optimizers.quasi_newton.internal_coordinates.curved_steps import CurvedSteps
from thalweg.optimizers.quasi_newton.surface import Surface

__all__ = ["CurvedDifferences", "curved_column", "curved_differences"]

# Longest step along a soft direction, in steps of the differences
_SOFTEST = 25.0
# Standard deviation of normal numbers whose absolute values have a median of one
_FROM_MEDIAN = 1.0 / 0.6745


@dataclass(frozen=True)
class CurvedDifferences:
    """A Hessian over some directions, and how well its entries are known.

    Attributes
    ----------
    matrix : (k, k) ndarray
        The Hessian over the columns of ``directions``.
    errors : (k, k) ndarray
        Standard deviation of each entry.
    directions : (n, k) ndarray
        Orthonormal directions.
    noise : float
        Standard deviation of half the difference of two slopes, in eV/angstrom.
    """

    matrix: np.ndarray
    errors: np.ndarray
    directions: np.ndarray
    noise: float


def curved_differences(surface: Surface, frames: CurvedSteps, x: np.ndarray, basis: np.ndarray) -> CurvedDifferences:
    """Compute the Hessian at x (n,) over the directions ``basis`` (n, k) by central differences.

    Steps lead along the model's modes, farther along soft ones, so that each brings about the same energy: where bonds
    and angles keep their values, a long step is as good as a short one, and noise is divided by it. Of the two
    differences that make up an entry the one by the longer step counts more.
    """
    values, vectors = np.linalg.eigh(basis.T @ frames.model @ basis)
    directions = basis @ vectors
    steps = surface.difference * np.minimum(np.sqrt(values[-1] / values), _SOFTEST)
    raw = np.column_stack(
        [directions.T @ curved_column(surface, frames, x, v, h) for v, h in zip(directions.T, steps, strict=True)]
    )
    # of entry (i, j) the noise is that of column j
    weights = np.broadcast_to(steps**2, raw.shape)
    matrix = (raw * weights + (raw * weights).T) / (weights + weights.T)
    apart = np.abs(raw - raw.T) / np.sqrt(1.0 / weights + 1.0 / weights.T)
    # by the median: the length of the step falsifies the entries of a few stiff modes more
    between = apart[np.triu_indices(len(raw), 1)]
    noise = _FROM_MEDIAN * float(np.median(between)) if len(between) >= 3 else surface.system.noise.gradient
    errors = noise / np.sqrt(weights + weights.T)
    errors[np.diag_indices(len(raw))] = noise / steps
    return CurvedDifferences(matrix, errors, directions, noise)


def curved_column(surface: Surface, frames: CurvedSteps, x: np.ndarray, v: np.ndarray, step: float) -> np.ndarray:
    """Return the Hessian's product (n,) with the unit vector v (n,) by one central difference along a curve."""
    slopes = []
    for sign in (step, -step):
        moved, there = frames.moved(x, sign * v)
        slopes.append(there.taken_back(surface(moved)[1]))
    column: np.ndarray = (slopes[0] - slopes[1]) / (2.0 * step)
    return column
