"""Proof of a stationary point by one Hessian of differences."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from thalweg.optimizers.kernels.status import Status
from thalweg.optimizers.quasi_newton.knowledge import Proved
from thalweg.optimizers.quasi_newton.surface import Surface
from thalweg.potentials.vibrations.normal_modes import has_frequencies, wavenumbers

__all__ = ["Proof", "prove"]

_ZERO = 1e-9
# Newton's last steps: longest, the energy that makes one worth a call, and how many
_LONGEST, _WORTH, _STEPS = 0.1, 1e-8, 3


@dataclass(frozen=True)
class Proof:
    """What a Hessian says of a point.

    Attributes
    ----------
    status : Status
        CONVERGED where the number of negative eigenvalues is the one asked for.
    point : Proved
        The point, after one step of Newton's where that lowers the gradient.
    vectors : (n, k) ndarray
        Eigenvectors, null modes left out; values : (k,) their eigenvalues, ascending.
    """

    status: Status
    point: Proved
    vectors: np.ndarray
    values: np.ndarray

    def stiffness(self, free: np.ndarray) -> np.ndarray:
        """Return the Hessian over free coordinates with its eigenvalues made positive, and null modes stiff."""
        values = np.maximum(np.abs(self.values), 0.05)
        over = self.vectors[free]
        shift = float(values.max())
        stiff: np.ndarray = (over * (values - shift)) @ over.T
        stiff[np.diag_indices(free.size)] += shift
        return 0.5 * (stiff + stiff.T)

    def hessian(self, free: np.ndarray) -> np.ndarray:
        """Return the Hessian over free coordinates, null modes with eigenvalue zero."""
        over = self.vectors[free]
        full: np.ndarray = (over * self.values) @ over.T
        return full


def prove(surface: Surface, x: np.ndarray, energy: float, gradient: np.ndarray, negative: int) -> Proof:
    """Count the negative eigenvalues at a point whose gradient vanishes.

    Parameters
    ----------
    surface : Surface
    x, gradient : (n,) ndarrays
    energy : float
    negative : int
        How many there should be.
    """
    basis = surface.basis(x)
    hessian = surface.hessian(x, basis)
    rms = surface.rms(gradient)
    if not np.isfinite(hessian).all():
        nothing = Proved(energy, rms, x, np.nan, np.nan, 0)
        return Proof(Status.NOT_FINITE, nothing, basis, np.full(basis.shape[1], np.nan))
    values, vectors = np.linalg.eigh(hessian)
    vectors = basis @ vectors
    zero = max(_ZERO * float(np.abs(values).max(initial=0.0)), surface.system.noise.gradient / surface.difference)
    low, high = int((values < -zero).sum()), int((values > zero).sum())
    status = Status.CONVERGED if low == negative else Status.WRONG_INDEX
    if low + high < len(values):
        status = Status.ZERO_MODE
    product, lowest = float(np.log(values[values > zero]).sum()), float(values[0]) if len(values) else np.inf
    point = Proved(energy, rms, x, lowest, product, high)
    if status == Status.CONVERGED:
        if has_frequencies(surface.system):
            frequencies = wavenumbers(surface.system, x, (vectors * values) @ vectors.T)
            point = replace(point, frequencies=frequencies)
        point = _refined(surface, point, gradient, values, vectors)
    return Proof(status, point, vectors, values)


def _refined(surface: Surface, point: Proved, gradient: np.ndarray, values: np.ndarray, vectors: np.ndarray) -> Proved:
    """Return the point after a few of Newton's steps, while they are short and lower the gradient.

    Points converged loosely in soft directions differ by more than two different minima may.
    """
    for _ in range(_STEPS):
        slopes = vectors.T @ gradient
        step = -vectors @ (slopes / values)
        if not (np.abs(slopes**2 / values).sum() > _WORTH and np.linalg.norm(step) < _LONGEST):
            break
        x = point.x + step
        energy, gradient = surface(x)
        rms = surface.rms(gradient)
        if not (np.isfinite(energy) and rms < point.rms):
            break
        point = replace(point, energy=energy, rms=rms, x=x)
    return point
