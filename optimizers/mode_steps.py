"""Single steps along Hessian modes, with a trust radius: what the ASE-style classes take one at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg.optimizers.eigenvector_following_kernel import _classify, _free_modes, _mode_step
from thalweg.potentials.system import System

__all__ = ["ModeSteps"]

_CONVERGED, _ENERGY, _NOT_FINITE = 0, 2, 3


class ModeSteps:
    """Steps of eigenvector-following, as :func:`follow_modes` takes them, for one that moves an ASE Optimizable.

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

    def __init__(self, system: System, optimizable: Any, index: int, max_step: float):
        self.system, self.optimizable, self.index, self.max_step = system, optimizable, index, max_step
        self.trust, self.length = max_step, np.inf
        self._x: np.ndarray | None = None
        self._values, self._vectors = np.empty(system.n_free), np.empty((system.n_free, system.n_free))
        self._modes = 0

    @property
    def lowest_eigenvalue(self) -> float:
        """Lowest eigenvalue of the last Hessian, null modes excluded; NaN before there was one."""
        return float(self._values[0]) if self._modes > 0 else np.nan

    def _diagonalise(self) -> int:
        x = self.optimizable.get_x()
        if self._x is None or not np.array_equal(x, self._x):
            system = self.system
            hessian = np.ascontiguousarray(system.hessian(x))
            self._modes = _free_modes(
                x, hessian, system.free, system.frozen, system.rigid, system.constant_null_modes,
                self._vectors, self._values,
            )  # fmt: skip
            self._x = x.copy()
        return self._modes

    def classify(self) -> int:
        """Return a status by the signs of the eigenvalues here: 0 where ``index`` of them are negative."""
        modes = self._diagonalise()
        return _NOT_FINITE if modes < 1 else _classify(self._values, modes, self.index)[0]

    def leave(self, distance: float) -> None:
        """Move along the lowest mode."""
        self._diagonalise()
        x = self.optimizable.get_x()
        x[self.system.free] += distance * self._vectors[0, : self.system.n_free]
        self.optimizable.set_x(x)

    def step(self) -> int:
        """Take one step and return 0, or stay and return why."""
        parts = self.optimizable
        x, energy, gradient = parts.get_x(), parts.get_value(), np.ascontiguousarray(parts.get_gradient())
        if not (np.isfinite(energy) and np.isfinite(gradient).all()) or self._diagonalise() < 1:
            return _NOT_FINITE
        step = np.empty_like(x)
        while self.trust >= 1e-8:
            self.length, predicted = _mode_step(
                gradient, self._vectors, self._values, self.system.free, self._modes, self.index, self.trust, step
            )
            parts.set_x(x + step)
            if self._accept(parts.get_value(), energy, predicted):
                return _CONVERGED
        parts.set_x(x)
        self.trust = self.max_step
        return _ENERGY

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
