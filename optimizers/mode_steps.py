"""Single steps along Hessian modes with a trust radius, for the ASE-style optimizers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from thalweg.optimizers.kernels.status import Status
from thalweg.potentials.symmetry.null_modes import lift_null_modes
from thalweg.potentials.system import System

if TYPE_CHECKING:
    from ase.utils.abc import Optimizable

__all__ = ["ModeSteps"]

# Eigenvalues below this part of the largest are taken for zero
_ZERO = 1e-9


class ModeSteps:
    """Steps of eigenvector-following for one that moves an ASE Optimizable.

    Along a mode of curvature b and slope g a step is 2 g / (|b| (1 + sqrt(1 + 4 g^2 / b^2))), uphill for the lowest
    ``index`` modes: Newton's close to a stationary point, bounded far from one (D. J. Wales, J. Chem. Phys. 101
    (1994) 3750).

    Parameters
    ----------
    system : System
        Gives Hessian and null modes.
    optimizable : ase.utils.abc.Optimizable
        What is moved.
    index : int
        How many of the lowest modes are followed uphill.
    max_step : float
        Longest step at first; between 1/100 of it and 4 times it later.
    """

    def __init__(self, system: System, optimizable: Optimizable, index: int, max_step: float):
        self.system, self.optimizable, self.index, self.max_step = system, optimizable, index, max_step
        self.trust, self.length = max_step, np.inf
        self._x: np.ndarray | None = None
        self._values, self._vectors = np.empty(0), np.empty((0, system.n_free))

    @property
    def lowest_eigenvalue(self) -> float:
        """Lowest eigenvalue of the last Hessian, null modes excluded; NaN before there was one."""
        return float(self._values[0]) if self._values.size else np.nan

    def _diagonalise(self) -> bool:
        """Find the Hessian's eigenvalues and vectors (rows) here, null modes left out; False if it is not finite."""
        x = self.optimizable.get_x()
        if self._x is None or not np.array_equal(x, self._x):
            free = self.system.free
            hessian = self.system.hessian(x)[np.ix_(free, free)]
            self._x, self._values = x, np.empty(0)
            if np.isfinite(hessian).all():
                null = self.system.null_modes(x)[:, free]
                lift_null_modes(hessian, null)
                values, vectors = np.linalg.eigh(hessian)
                self._values, self._vectors = values[: free.size - len(null)], vectors.T[: free.size - len(null)]
        return self._values.size > 0

    def classify(self) -> Status:
        """Return a status by the signs of the eigenvalues here: CONVERGED where ``index`` of them are negative."""
        if not self._diagonalise():
            return Status.NOT_FINITE
        zero = _ZERO * np.abs(self._values).max()
        if (np.abs(self._values) <= zero).any():
            return Status.ZERO_MODE
        return Status.CONVERGED if np.sum(self._values < 0.0) == self.index else Status.WRONG_INDEX

    def leave(self, distance: float) -> None:
        """Move along the lowest mode."""
        self._diagonalise()
        x = self.optimizable.get_x()
        x[self.system.free] += distance * self._vectors[0]
        self.optimizable.set_x(x)

    def step(self) -> Status:
        """Take one step and return CONVERGED, or stay and return the reason."""
        parts = self.optimizable
        x, energy, gradient = parts.get_x(), parts.get_value(), parts.get_gradient()
        if not (np.isfinite(energy) and np.isfinite(gradient).all() and self._diagonalise()):
            return Status.NOT_FINITE
        while self.trust >= 1e-8:
            step, predicted = self._step(gradient)
            parts.set_x(x + step)
            if self._accept(parts.get_value(), energy, predicted):
                return Status.CONVERGED
        parts.set_x(x)
        self.trust = self.max_step
        return Status.ENERGY_NOT_LOWERED

    def _step(self, gradient: np.ndarray) -> tuple[np.ndarray, float]:
        """Return a step within the trust radius and the change of energy that it should bring."""
        free, values = self.system.free, self._values
        slopes = self._vectors @ gradient[free]
        along = -2.0 * slopes / (np.abs(values) + np.sqrt(values**2 + 4.0 * slopes**2) + 1e-300)
        along[: self.index] *= -1.0
        self.length = float(np.linalg.norm(along))
        if self.length > self.trust:
            along *= self.trust / self.length
            self.length = self.trust
        step = np.zeros_like(gradient)
        step[free] = along @ self._vectors
        return step, float(slopes @ along + 0.5 * values @ along**2)

    def _accept(self, new: float, old: float, predicted: float) -> bool:
        """Judge a step by the energy it brought, and set the trust radius for the next."""
        noise = 1e-11 * max(1.0, abs(old))
        error = abs(new - old - predicted)
        rises = self.index == 0 and new - old > noise
        if not np.isfinite(new) or rises or error > 4.0 * abs(predicted) + noise:
            self.trust = 0.3 * min(self.trust, self.length)
            return False
        if error > max(0.75 * abs(predicted), noise):
            self.trust = max(0.5 * min(self.trust, self.length), 0.01 * self.max_step)
        elif error < 0.3 * abs(predicted) and self.length > 0.9 * self.trust:
            self.trust = min(1.5 * self.trust, 4.0 * self.max_step)
        return True
