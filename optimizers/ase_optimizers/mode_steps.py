"""Single steps along Hessian modes with a trust radius, for the ASE-style optimizers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from thalweg.optimizers.kernels.status import Status
from thalweg.potentials.symmetry.null_modes import lift_null_modes

if TYPE_CHECKING:
    from ase.utils.abc import Optimizable

    from thalweg.potentials.protocols import Integers, Matrix, Vector

__all__ = ["DifferenceHessian", "ModeSteps"]

# Eigenvalues below this part of the largest are taken for zero
_ZERO = 1e-9
# The same where a Hessian is made of differences, whose step, in the unit of coordinates, follows
_ZERO_OF_DIFFERENCES, _STEP = 1e-5, 1e-3


class SecondDerivatives(Protocol):
    """Hessian, null modes and free coordinates of what is moved."""

    @property
    def free(self) -> Integers:
        """Indices of the free coordinates."""
        ...

    @property
    def n_free(self) -> int:
        """Number of free coordinates."""
        ...

    def hessian(self, x: Vector) -> Matrix:
        """Return the Hessian (n, n) at x (n,)."""
        ...

    def null_modes(self, x: Vector) -> Matrix:
        """Return orthonormal directions (k, n) at x (n,) along which the energy cannot change."""
        ...


class DifferenceHessian:
    """Hessian of an ASE Optimizable from central differences of its gradient; modes without curvature are null modes.

    Parameters
    ----------
    optimizable : ase.utils.abc.Optimizable
        A cell filter, say, of whose null modes nothing is known: turning the cell is one.
    """

    def __init__(self, optimizable: Optimizable):
        self.optimizable = optimizable
        self.n_free = optimizable.ndofs()
        self.free = np.arange(self.n_free)

    def hessian(self, x: Vector) -> Matrix:
        """Return the Hessian (n, n) at x (n,), and go back to where the optimizable was."""
        here, rows = self.optimizable.get_x(), np.empty((x.size, x.size))
        for k in range(x.size):
            gradients = []
            for sign in (1.0, -1.0):
                moved = x.copy()
                moved[k] += sign * _STEP
                self.optimizable.set_x(moved)
                gradients.append(np.array(self.optimizable.get_gradient()))
            rows[k] = (gradients[0] - gradients[1]) / (2.0 * _STEP)
        self.optimizable.set_x(here)
        self._hessian = 0.5 * (rows + rows.T)
        return self._hessian.copy()

    def null_modes(self, x: Vector) -> Matrix:
        """Return the modes (k, n) of the last Hessian that have no curvature."""
        values, vectors = np.linalg.eigh(self._hessian)
        return vectors.T[np.abs(values) <= _ZERO_OF_DIFFERENCES * np.abs(values).max()]


class ModeSteps:
    """Steps of eigenvector-following for one that moves an ASE Optimizable.

    Along a mode of curvature b and slope g a step is 2 g / (|b| (1 + sqrt(1 + 4 g^2 / b^2))), uphill for the lowest
    ``index`` modes: Newton's close to a stationary point, bounded far from one (D. J. Wales, J. Chem. Phys. 101
    (1994) 3750).

    Parameters
    ----------
    system : System or DifferenceHessian
        Gives Hessian and null modes.
    optimizable : ase.utils.abc.Optimizable
        What is moved.
    index : int
        How many of the lowest modes are followed uphill.
    max_step : float
        Longest step at first; between 1/100 of it and 4 times it later.
    """

    def __init__(self, system: SecondDerivatives, optimizable: Optimizable, index: int, max_step: float):
        self.system, self.optimizable, self.index, self.max_step = system, optimizable, index, max_step
        self.trust, self.length = max_step, np.inf
        self._x: np.ndarray | None = None
        self._finite = False
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
            self._x, self._values, self._finite = x, np.empty(0), bool(np.isfinite(hessian).all())
            if self._finite:
                null = self.system.null_modes(x)[:, free]
                lift_null_modes(hessian, null)
                values, vectors = np.linalg.eigh(hessian)
                self._values, self._vectors = values[: free.size - len(null)], vectors.T[: free.size - len(null)]
        return self._values.size > 0

    def classify(self) -> Status:
        """Return a status by the signs of the eigenvalues here: CONVERGED where ``index`` of them are negative."""
        if not self._diagonalise():
            # a single free atom has null modes only, and no energy to gain or lose
            flat = self._finite and self.index == 0
            return Status.CONVERGED if flat else Status.WRONG_INDEX if self._finite else Status.NOT_FINITE
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
        x, gradient, energy = parts.get_x(), parts.get_gradient(), parts.get_value()
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
