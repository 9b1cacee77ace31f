"""Hessians along a path: exact ones at every step, or one that learns from the gradients met on the way."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from thalweg.optimizers.descent_paths.coordinates import PathCoordinates
from thalweg.optimizers.quasi_newton.lowest_mode import lowest_mode
from thalweg.optimizers.quasi_newton.model_hessian import model_hessian
from thalweg.optimizers.quasi_newton.surface import Surface
from thalweg.optimizers.quasi_newton.updates import updated

__all__ = ["ExactHessians", "HessianSource", "LearningHessian", "lowest_direction"]

# Residual of the downhill mode, relative to its eigenvalue, at which differences of gradients end
_RESIDUAL = 0.05


class HessianSource(Protocol):
    """Where an integrator takes its Hessians from.

    Attributes
    ----------
    exact : bool
        Whether they are those of the energy, and no estimates.
    shortest : float
        Shortest step from which anything is learned: of shorter ones the gradients differ by their noise.
    """

    exact: bool
    shortest: float

    def at(self, x: np.ndarray) -> np.ndarray:
        """Return the Hessian (k, k) at x (n,), in the coordinates of the path."""

    def learn(self, step: np.ndarray, change: np.ndarray) -> None:
        """Take in a step (k,) and the change of the gradient (k,) along it."""


class ExactHessians:
    """Hessians of a system that computes them."""

    exact, shortest = True, 0.0

    def __init__(self, coordinates: PathCoordinates) -> None:
        self.coordinates = coordinates

    def at(self, x: np.ndarray) -> np.ndarray:
        """As `HessianSource`."""
        matrix = self.coordinates.matrix
        hessian: np.ndarray = matrix.T @ self.coordinates.system.hessian(x) @ matrix
        return 0.5 * (hessian + hessian.T)

    def learn(self, step: np.ndarray, change: np.ndarray) -> None:
        """Do nothing: each Hessian is computed."""


class LearningHessian:
    """One Hessian, updated by the TS-BFGS formula from the gradients on the way.

    Parameters
    ----------
    hessian : (k, k) ndarray
        Where it begins.
    shortest : float
        As `HessianSource`.
    """

    exact = False

    def __init__(self, hessian: np.ndarray, shortest: float = 0.0) -> None:
        self.hessian, self.shortest = hessian, shortest

    def at(self, x: np.ndarray) -> np.ndarray:
        """As `HessianSource`."""
        return self.hessian

    def learn(self, step: np.ndarray, change: np.ndarray) -> None:
        """As `HessianSource`."""
        if np.isfinite(change).all() and np.linalg.norm(step) > self.shortest:
            self.hessian = updated(self.hessian, step[:, None], change[:, None])


def lowest_direction(
    surface: Surface, coordinates: PathCoordinates, x: np.ndarray, *, exact: bool
) -> tuple[float, np.ndarray, np.ndarray]:
    """Return the lowest eigenvalue of the Hessian at x (n,), its unit vector (k,), and the Hessian (k, k).

    Null modes are left out. An exact Hessian is computed where the system has one; else a model of the structure's is
    corrected by Davidson's differences of gradients.
    """
    null = coordinates.null_modes(x)
    basis = _complement(null)
    if exact:
        hessian = ExactHessians(coordinates).at(x)
        values, vectors = np.linalg.eigh(basis.T @ hessian @ basis)
        return float(values[0]), basis @ vectors[:, 0], hessian
    free, matrix = coordinates.system.free, coordinates.matrix
    model = matrix[free].T @ model_hessian(coordinates.system, x) @ matrix[free]
    small = basis.T @ model @ basis
    guess = np.linalg.eigh(small)[1][:, 0] + 0.1 / np.sqrt(len(small))
    gradient = surface(x)[1]
    down = matrix @ basis

    def product(v: np.ndarray) -> np.ndarray:
        change: np.ndarray = down.T @ surface.product(x, gradient, down @ v)
        return change

    found = lowest_mode(product, small, guess, most=len(small), tolerance=_RESIDUAL)
    small = updated(small, found.directions, found.products)
    outside = null @ (null.T @ model @ null) @ null.T
    return found.value, basis @ found.mode, basis @ small @ basis.T + outside


def _complement(null: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis of what is orthogonal to orthonormal columns."""
    return np.linalg.qr(null, mode="complete")[0][:, null.shape[1] :] if null.shape[1] else np.eye(null.shape[0])
