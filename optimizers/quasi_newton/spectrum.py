"""Eigenvalues of a Hessian of differences, each with its error, the softest from long differences along curves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from thalweg.optimizers.quasi_newton.internal_coordinates.curved_spectrum import curved_column, curved_differences
from thalweg.optimizers.quasi_newton.internal_coordinates.curved_steps import CurvedSteps, curved_steps
from thalweg.optimizers.quasi_newton.surface import Surface

__all__ = ["Spectrum", "spectrum_at"]

# Eigenvalues below so many errors of an entry are computed again by long differences, and how many of these at most
_SOFT, _MOST = 10.0, 5
# Errors of an entry by which an eigenvalue may be wrong
_SURE = 3.0
# Steps for entries between soft and stiff modes and for soft modes, in steps of the differences; the longest, angstrom
_COUPLING, _CURVE, _LONGEST = 4.0, 30.0, 0.15
# How much more noise two steps have than the longer alone, whose error with the fourth power of the step they remove
_AMPLIFIED = np.sqrt(32.0**2 + 1.0) / 15.0
# Standard deviation of normal numbers whose absolute values have a median of one
_FROM_MEDIAN = 1.0 / 0.6745


@dataclass(frozen=True)
class Spectrum:
    """Eigenvalues and eigenvectors of a Hessian, null modes left out.

    Attributes
    ----------
    values : (k,) ndarray
        Eigenvalues, ascending; NaN where the calculator failed.
    vectors : (n, k) ndarray
        Orthonormal eigenvectors.
    errors : (k,) ndarray
        By how much noise of the calculator and the length of the differences may have changed each eigenvalue.
    soft : (n, s) ndarray
        Directions that were followed along curves.
    bends : (n, s, s) ndarray
        Second derivatives of these curves.
    frames : CurvedSteps, optional
        Of a molecule, how it moves in its internal coordinates.
    """

    values: np.ndarray
    vectors: np.ndarray
    errors: np.ndarray
    soft: np.ndarray
    bends: np.ndarray
    frames: CurvedSteps | None = None

    def bent(self, step: np.ndarray) -> np.ndarray:
        """Return a step (n,) along the curve that it begins: on a straight line a long one would stretch bonds."""
        if self.frames is not None:
            return self.frames.moved(self.frames.x, step)[0] - self.frames.x
        along = self.soft.T @ step
        result: np.ndarray = step + 0.5 * self.bends @ along @ along
        return result


def _plain(values: np.ndarray, vectors: np.ndarray, errors: np.ndarray) -> Spectrum:
    n = len(vectors)
    return Spectrum(values, vectors, errors, np.zeros((n, 0)), np.zeros((n, 0, 0)))


def spectrum_at(surface: Surface, x: np.ndarray, gradient: np.ndarray) -> Spectrum:
    """Compute the eigenvalues at a point by central differences of forces.

    Noise of the forces makes every entry of the matrix wrong by a few parts in a thousand of an eV/angstrom**2, and a
    conformer's softest modes are as small. Entries that should be equal, (i, j) and (j, i), tell how wrong. Where an
    eigenvalue is not well above that, its mode is followed for 0.15 angstrom at most along a curve on which the stiff
    modes stay relaxed: at a stationary point all curves in one direction have one second derivative of the energy, and
    along this one it hardly changes, so that noise is divided by a long step.

    Parameters
    ----------
    surface : Surface
    x, gradient : (n,) ndarrays
        Point, and the gradient there.
    """
    basis, frames = surface.basis(x), curved_steps(surface.system, x)
    along = None if frames is None else _along_curves(surface, frames, x, basis)
    if along is not None:
        return along
    raw = surface.differences(x, basis)
    if not np.isfinite(raw).all():
        nothing = np.full(basis.shape[1], np.nan)
        return _plain(nothing, basis, nothing)
    values, vectors = np.linalg.eigh(0.5 * (raw + raw.T))
    error = _error_of_an_entry(surface, vectors.T @ raw @ vectors)
    vectors = basis @ vectors
    plain = _plain(values, vectors, np.full(len(values), _SURE * error))
    soft = np.flatnonzero(np.abs(values) < _SOFT * error)
    if not soft.size or surface.system.noise.gradient == 0.0:
        return plain
    soft = soft[np.argsort(np.abs(values[soft]), kind="stable")][:_MOST]
    return _refined(surface, x, gradient, plain, np.sort(soft), error)


def _along_curves(surface: Surface, frames: CurvedSteps, x: np.ndarray, basis: np.ndarray) -> Spectrum | None:
    """Return the spectrum of a molecule that is moved in internal coordinates, None where the calculator fails.

    Soft modes are followed again by longer steps.
    """
    found = curved_differences(surface, frames, x, basis)
    if not np.isfinite(found.matrix).all():
        return None
    values, mixed = np.linalg.eigh(found.matrix)
    vectors, errors = found.directions @ mixed, _of_eigenvalues(mixed, found.errors)
    soft = np.flatnonzero(np.abs(values) < _SOFT * errors)
    if soft.size and surface.system.noise.gradient > 0.0:
        matrix, wrong = np.diag(values), np.diag(errors)
        for i in soft[np.argsort(np.abs(values[soft]), kind="stable")][:_MOST]:
            whole, half = (
                vectors.T @ curved_column(surface, frames, x, vectors[:, i], h) for h in (_LONGEST, 0.5 * _LONGEST)
            )
            # of two steps, one half of the other, the error with the square of the step is removed
            matrix[i] = matrix[:, i] = (4.0 * half - whole) / 3.0
            noise = np.sqrt(65.0) / 3.0 * found.noise / _LONGEST
            wrong[i] = wrong[:, i] = noise + np.abs(half - whole) / 15.0
        if np.isfinite(matrix).all():
            values, mixed = np.linalg.eigh(matrix)
            vectors, errors = vectors @ mixed, _of_eigenvalues(mixed, wrong)
    return replace(_plain(values, vectors, _SURE * errors), frames=frames)


def _of_eigenvalues(vectors: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Return the standard deviations of eigenvalues (k,), from those of the entries of the matrix (k, k)."""
    spread: np.ndarray = np.sqrt(np.einsum("ai,ab,bi->i", vectors**2, errors**2, vectors**2))
    return spread


def _error_of_an_entry(surface: Surface, raw: np.ndarray) -> float:
    """Return the standard deviation of an entry of the unsymmetrical matrix of differences, over its eigenvectors.

    By the median: the length of the step falsifies the entries of a few stiff modes more.
    """
    between = np.abs(raw - raw.T)[np.triu_indices(len(raw), 1)] / np.sqrt(2.0)
    if len(between) >= 3:
        return _FROM_MEDIAN * float(np.median(between))
    return surface.system.noise.gradient / (np.sqrt(2.0) * surface.difference)


def _refined(
    surface: Surface, x: np.ndarray, gradient: np.ndarray, plain: Spectrum, soft: np.ndarray, error: float
) -> Spectrum:
    """Return the spectrum with the rows and columns of the soft modes computed again."""
    vectors, count = plain.vectors, len(plain.values)
    curves = _Curves(surface, x, gradient, plain, np.setdiff1d(np.arange(count), soft))
    short, long = _COUPLING * surface.difference, min(_CURVE * surface.difference, _LONGEST)
    matrix, wrong, bends = np.diag(plain.values), plain.errors.copy(), np.zeros((len(x), len(soft), len(soft)))
    for place, i in enumerate(soft):
        v = vectors[:, i]
        column = vectors.T @ (surface(x + short * v)[1] - surface(x - short * v)[1]) / (2.0 * short)
        matrix[curves.stiff, i] = matrix[i, curves.stiff] = column[curves.stiff]
        bend = bends[:, place, place] = curves.bend(v, long)
        matrix[i, i], length = curves.second_derivative(v, bend, long)
        wrong[i] = _SURE * _AMPLIFIED * error * surface.difference / long + length
    for (p, i), (q, j) in combinations(enumerate(soft), 2):
        # the curvature of the diagonal between two modes tells their coupling
        v = np.sqrt(0.5) * (vectors[:, i] + vectors[:, j])
        bend = curves.bend(v, long)
        between, _ = curves.second_derivative(v, bend, long)
        matrix[i, j] = matrix[j, i] = between - 0.5 * (matrix[i, i] + matrix[j, j])
        bends[:, p, q] = bends[:, q, p] = bend - 0.5 * (bends[:, p, p] + bends[:, q, q])
    if not (np.isfinite(matrix).all() and np.isfinite(bends).all()):
        return plain
    values, mixed = np.linalg.eigh(matrix)
    return Spectrum(values, vectors @ mixed, np.sqrt((mixed**4).T @ wrong**2), vectors[:, soft], bends)


class _Curves:
    """Curves through a point along which stiff modes stay relaxed."""

    def __init__(
        self, surface: Surface, x: np.ndarray, gradient: np.ndarray, spectrum: Spectrum, stiff: np.ndarray
    ) -> None:
        self.surface, self.x, self.gradient, self.stiff = surface, x, gradient, stiff
        self._vectors, self._values = spectrum.vectors[:, stiff], spectrum.values[stiff]

    def bend(self, v: np.ndarray, step: float) -> np.ndarray:
        """Return the second derivative (n,) of the curve along v that relaxes the stiff modes a step away."""
        sides = self.surface(self.x + step * v)[1] + self.surface(self.x - step * v)[1]
        pull = self._vectors.T @ (0.5 * sides - self.gradient)
        bend: np.ndarray = -2.0 / step**2 * (self._vectors @ (pull / self._values))
        # not more than a circle whose radius is the step
        return bend / max(1.0, float(np.linalg.norm(bend)) * step)

    def second_derivative(self, v: np.ndarray, bend: np.ndarray, step: float) -> tuple[float, float]:
        """Return the second derivative of the energy along x + t v + t**2 / 2 bend, and the error that the step makes.

        The part of the bend is left out. Of two steps, one half of the other, the fourth power of the step is removed.
        """
        whole, half = (self._difference(v, bend, t) for t in (step, 0.5 * step))
        return (16.0 * half - whole) / 15.0, abs(half - whole) / 15.0

    def _difference(self, v: np.ndarray, bend: np.ndarray, step: float) -> float:
        slopes = []
        for t in (step, -step):
            change = self.surface(self.x + t * v + 0.5 * t**2 * bend)[1] - self.gradient
            slopes.append(float(change @ (v + t * bend)))
        return (slopes[0] - slopes[1]) / (2.0 * step)
