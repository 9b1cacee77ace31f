"""Energy surface of a system as quasi-Newton searches see it: forces, counted, and differences of forces."""

from __future__ import annotations

import numpy as np

from thalweg.potentials.system import System

__all__ = ["Surface"]


class Surface:
    """Energies and gradients of a system whose Hessian would be made of differences.

    Parameters
    ----------
    system : System
        Atoms with a calculator.

    Attributes
    ----------
    calls : int
        Calls of the calculator so far.
    """

    def __init__(self, system: System) -> None:
        self.system, self.calls = system, 0

    def __call__(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the energy and the gradient (n,) at x (n,), zero at fixed entries; NaN where the calculator fails."""
        self.calls += 1
        gradient = np.full(x.size, np.nan)
        function, _, integers, floats = self.system.compiled
        energy = float(function(np.ascontiguousarray(x), gradient, integers, floats))
        gradient[self.system.frozen] = 0.0
        return energy, gradient

    def rms(self, gradient: np.ndarray) -> float:
        """Return the rms of a gradient over the free coordinates."""
        return float(np.sqrt(gradient @ gradient / self.system.n_free))

    @property
    def difference(self) -> float:
        """Step of central differences."""
        return self.system.noise.difference_step

    @property
    def forward(self) -> float:
        """Step of forward differences, two fifths as long as that of central ones."""
        return 0.4 * self.system.noise.difference_step

    def basis(self, x: np.ndarray) -> np.ndarray:
        """Return orthonormal directions (n, k) that span all free motions but the null modes at x."""
        free = self.system.free
        null = self.system.null_modes(x)[:, free]
        basis = np.zeros((x.size, free.size - len(null)))
        basis[free] = np.linalg.qr(null.T, mode="complete")[0][:, len(null) :] if len(null) else np.eye(free.size)
        return basis

    def product(self, x: np.ndarray, gradient: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Return the Hessian at x times the unit vector v, by one forward difference."""
        return (self(x + self.forward * v)[1] - gradient) / self.forward

    def differences(self, x: np.ndarray, basis: np.ndarray) -> np.ndarray:
        """Return the matrix (k, k) of central differences of the gradient along the directions ``basis`` (n, k).

        Column j holds the difference along direction j. Without noise the matrix is symmetrical.
        """
        step, k = self.difference, basis.shape[1]
        matrix = np.empty((k, k))
        for column in range(k):
            v = basis[:, column]
            forward, backward = self(x + step * v)[1], self(x - step * v)[1]
            matrix[:, column] = basis.T @ (forward - backward) / (2.0 * step)
        return matrix
