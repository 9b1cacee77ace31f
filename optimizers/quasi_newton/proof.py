"""Proof of a stationary point by one Hessian of differences."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from thalweg.optimizers.kernels.status import Status
from thalweg.optimizers.quasi_newton.knowledge import Proved
from thalweg.optimizers.quasi_newton.spectrum import Spectrum, spectrum_at
from thalweg.optimizers.quasi_newton.surface import Surface
from thalweg.optimizers.quasi_newton.updates import updated
from thalweg.potentials.vibrations.normal_modes import has_frequencies, wavenumbers

__all__ = ["Proof", "prove"]

_ZERO = 1e-9
# Newton's last steps: longest, the energy that makes one worth a call, and how many
_LONGEST, _WORTH, _STEPS = 0.1, 1e-8, 4
# Slopes that are no noise, and the rms gradient that a point may have after them, in standard deviations of the noise
_CLEAR, _MOST_NOISE = 2.0, 5.0


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

    Atoms that are nearly in a line have a rotation about it, which the line has not. Where the point that is told
    better lies on the line, what looked like that rotation bends the molecule, and the Hessian is made again there.

    Parameters
    ----------
    surface : Surface
    x, gradient : (n,) ndarrays
    energy : float
    negative : int
        How many there should be.
    """
    proof = _proved(surface, x, energy, gradient, negative)
    better, null_modes = proof.point.x, surface.system.null_modes
    if better is x or len(null_modes(better)) == len(null_modes(x)):
        return proof
    return _proved(surface, better, *surface(better), negative)


def _proved(surface: Surface, x: np.ndarray, energy: float, gradient: np.ndarray, negative: int) -> Proof:
    """Return the proof by the Hessian at x."""
    spectrum, rms = spectrum_at(surface, x, gradient), surface.rms(gradient)
    values, vectors = spectrum.values, spectrum.vectors
    if not np.isfinite(values).all():
        return Proof(Status.NOT_FINITE, Proved(energy, rms, x, np.nan, np.nan, 0), vectors, values)
    zero = np.maximum(_ZERO * float(np.abs(values).max(initial=0.0)), spectrum.errors)
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
        point = _refined(surface, point, gradient, spectrum)
    return Proof(status, point, vectors, values)


def _refined(surface: Surface, point: Proved, gradient: np.ndarray, spectrum: Spectrum) -> Proved:
    """Return the point after a few of Newton's steps, those kept that bring it nearer to the stationary one.

    Points converged loosely in soft directions differ by more than two different minima may. Slopes that noise explains
    are not followed. The Hessian learns from each step: a soft mode turns on a short way.
    """
    noise, vectors = surface.system.noise.gradient, spectrum.vectors
    hessian, slopes = np.diag(spectrum.values), vectors.T @ gradient
    for _ in range(_STEPS):
        newton, worth = _newton(hessian, slopes, noise)
        if not worth > _WORTH:
            break
        step = vectors @ newton
        step = spectrum.bent(step * min(1.0, _LONGEST / float(np.linalg.norm(step))))
        energy, gradient = surface(point.x + step)
        if not (np.isfinite(energy) and np.isfinite(gradient).all()):
            break
        rms, new = surface.rms(gradient), vectors.T @ gradient
        hessian = updated(hessian, (vectors.T @ step)[:, None], (new - slopes)[:, None])
        if _newton(hessian, new, noise)[1] < worth and rms < max(point.rms, _MOST_NOISE * noise):
            point, slopes = replace(point, energy=energy, rms=rms, x=point.x + step), new
    return point


def _newton(hessian: np.ndarray, slopes: np.ndarray, noise: float) -> tuple[np.ndarray, float]:
    """Return Newton's step, along modes whose slopes are no noise, and the energy that it is worth, twice."""
    values, vectors = np.linalg.eigh(hessian)
    slopes = vectors.T @ slopes
    slopes = np.where(np.abs(slopes) > _CLEAR * noise, slopes, 0.0)
    sizes = np.copysign(np.maximum(np.abs(values), _ZERO), values)
    return -vectors @ (slopes / sizes), float((slopes**2 / np.abs(sizes)).sum())
