"""Gaussian process on energies and gradients, with Matern's covariance of order 5/2 between descriptors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular

from thalweg.optimizers.surrogate.descriptors import Descriptor
from thalweg.optimizers.surrogate.matern import predicted_energy, predicted_hessian
from thalweg.potentials.compiled.signatures import Compiled

__all__ = ["GaussianProcess", "covariance"]

# Lengths that are tried beside the last one, each again while it is better, once the data have grown by so much
_RATIOS, _GROWN = (0.5, 2.0, 0.8, 1.25), 1.2
# Longest and shortest length, in first guesses: of data on a straight slope the likelihood grows without end
_SHORTEST, _LONGEST = 0.2, 10.0
# Noise, relative to the amplitude, that is assumed at least, and at most where the Cholesky factorisation fails
_STABLE, _NOISIEST = 1e-5, 1e-2


class _Fit(NamedTuple):
    """Weights of the data for one length.

    Attributes
    ----------
    length, likelihood : float
        The length, and the logarithm of the marginal likelihood.
    factor, weights : ndarrays
        Cholesky factor of the covariance over the squared amplitude, and its solution for the data.
    amplitude : float
        The most likely one.
    """

    length: float
    likelihood: float
    factor: np.ndarray
    weights: np.ndarray
    amplitude: float


class GaussianProcess:
    """Energies that a Gaussian process predicts from energies and gradients known at some points.

    Parameters
    ----------
    descriptor : Descriptor
        Map of coordinates to what the covariance depends on.
    free : (n_free,) ndarray of int
        Coordinates whose gradients are learned.
    length : float
        First guess of the length over which energies are correlated, in the unit of the descriptor.
    noise : float
        Standard deviation of the noise of the gradients.

    Attributes
    ----------
    x : list of (n,) ndarrays
        The points.
    entries : list of (m,) ndarrays
        Their descriptors.
    mean : float
        Energy far from all data: the highest that is known, so that nothing unknown looks like a way through.
    wall, steep : float
        Entries of the descriptor from which a parabola is added to the mean, and its factor, 0 for none. The process
        learns what the data differ from it.
    """

    def __init__(self, descriptor: Descriptor, free: np.ndarray, length: float, noise: float) -> None:
        self.descriptor, self.free, self.noise = descriptor, free, noise
        self.x: list[np.ndarray] = []
        self.entries: list[np.ndarray] = []
        self.mean = 0.0
        self.wall, self.steep = np.inf, 0.0
        self._guess, self._chosen = length, 0
        self._energies: list[float] = []
        self._gradients: list[np.ndarray] = []
        self._slopes: list[np.ndarray] = []
        self._fit = _Fit(length, -np.inf, np.zeros((0, 0)), np.zeros(0), 1.0)
        self._floor = self._relative = _STABLE

    def __len__(self) -> int:
        return len(self.x)

    @property
    def span(self) -> float:
        """Difference of the highest and the lowest energy known."""
        return float(np.ptp(self._energies))

    def add(self, x: np.ndarray, energy: float, gradient: np.ndarray) -> None:
        """Take in the energy and the gradient (n,) at x (n,), for :meth:`fit` to make use of."""
        entries, slopes = self.descriptor(x)
        self.x.append(x.copy())
        self.entries.append(entries)
        self._energies.append(energy)
        self._gradients.append(gradient[self.free])
        self._slopes.append(slopes[:, self.free])

    def fit(self) -> None:
        """Choose amplitude and length by the marginal likelihood, and compute the weights of all data.

        Between choices the Cholesky factor grows by the rows of the new data.

        Raises
        ------
        numpy.linalg.LinAlgError
            If the covariance is not positive definite for any length, as of data that contradict each other.
        """
        self.mean = max(self._energies)
        if len(self._fit.factor) == len(self) * (1 + self.free.size):
            return
        if self._chosen and len(self) < _GROWN * self._chosen:
            self._fit = self._solved(self._fit.length, self._fit.factor)
        else:
            self._choose()
        while not np.isfinite(self._fit.likelihood) and self._floor < _NOISIEST:
            self._floor *= 10.0
            self._choose()
        if not np.isfinite(self._fit.likelihood):
            raise np.linalg.LinAlgError("the covariance of the surrogate's data is not positive definite")

    def _choose(self) -> None:
        """Climb to the length of the highest marginal likelihood, as far as a coarse grid shows it."""
        none = np.zeros((0, 0))
        self._relative = max(self._floor, self.noise / self._fit.amplitude)
        best = self._solved(self._fit.length, none)
        for ratio in _RATIOS:
            while _SHORTEST * self._guess < ratio * best.length < _LONGEST * self._guess:
                other = self._solved(ratio * best.length, none)
                if not other.likelihood > best.likelihood:
                    break
                best = other
        self._fit, self._chosen = best, len(self)

    def _solved(self, length: float, factor: np.ndarray) -> _Fit:
        """Return the weights for a length, with a Cholesky factor (k, k) of the first rows that is known for it."""
        size = 1 + self.free.size
        old = len(factor) // size
        entries, slopes = np.array(self.entries), np.array(self._slopes)
        matrix = covariance(entries[old:], slopes[old:], entries, slopes, length)
        below, corner = matrix[:, : old * size], matrix[:, old * size :]
        # energies are smoother than gradients, and known better
        corner[np.diag_indices(len(corner))] += np.tile(
            [self._floor**2, *[self._relative**2] * self.free.size], len(self) - old
        )
        whole = np.zeros((len(self) * size, len(self) * size))
        whole[: old * size, : old * size] = factor
        targets = self._targets()
        try:
            if old:
                below = solve_triangular(factor, below.T, lower=True, check_finite=False).T
                corner -= below @ below.T
                whole[old * size :, : old * size] = below
            whole[old * size :, old * size :] = cholesky(corner, lower=True, check_finite=False)
        except np.linalg.LinAlgError:
            return _Fit(length, -np.inf, factor, np.zeros(targets.size), 1.0)
        weights = cho_solve((whole, True), targets, check_finite=False)
        square = max(float(targets @ weights) / targets.size, 1e-300)
        likelihood = -0.5 * targets.size * np.log(square) - float(np.log(np.diag(whole)).sum())
        return _Fit(length, likelihood, whole, weights, float(np.sqrt(square)))

    def _targets(self) -> np.ndarray:
        """Return what energies differ from the mean and the wall, each followed by its gradient."""
        energies, gradients = np.array(self._energies) - self.mean, np.array(self._gradients)
        if self.steep > 0.0:
            inside = np.maximum(np.array(self.entries) - self.wall, 0.0)
            energies -= self.steep * np.sum(inside**2, axis=1)
            gradients -= 2.0 * self.steep * np.einsum("ia,iak->ik", inside, np.array(self._slopes))
        return np.column_stack([energies, gradients]).ravel()

    @property
    def compiled(self) -> Compiled:
        """Predicted energy, gradient and Hessian, as the functions of a potential."""
        kind, pairs, over = self.descriptor
        data, m = len(self), self.descriptor.entries
        weights = self._fit.weights.reshape(data, -1)
        tilts = np.einsum("iak,ik->ia", np.array(self._slopes), weights[:, 1:])
        table = np.column_stack([weights[:, 0], np.array(self.entries), tilts])
        shape = [kind, m, data, self.x[0].size]
        numbers = [self.mean, self._fit.length, float(over.size), self.wall, self.steep]
        floats = np.concatenate([numbers, over.ravel(), table.ravel()])
        return Compiled(predicted_energy, predicted_hessian, np.array([*shape, *pairs.ravel()], dtype=np.int64), floats)

    def deviation(self, X: np.ndarray) -> np.ndarray:
        """Return the standard deviations (k,) of the energies predicted at X (k, n)."""
        here = np.array([self.descriptor(x)[0] for x in X])
        across = covariance(here, None, np.array(self.entries), np.array(self._slopes), self._fit.length)
        half = solve_triangular(self._fit.factor, across.T, lower=True, check_finite=False)
        left: np.ndarray = np.maximum(1.0 - np.sum(half**2, axis=0), 0.0)
        return self._fit.amplitude * np.sqrt(left)


def covariance(
    a: np.ndarray, slopes_a: np.ndarray | None, b: np.ndarray, slopes_b: np.ndarray, length: float
) -> np.ndarray:
    """Return the covariance of energies and gradients at two sets of points, of unit amplitude.

    Parameters
    ----------
    a, b : (p, m) and (q, m) ndarrays
        Descriptors.
    slopes_a, slopes_b : (p, m, k) and (q, m, k) ndarrays
        Their derivatives; of energies alone at a where None.
    length : float

    Returns
    -------
    (p (1 + k), q (1 + k)) ndarray
        Energy, then gradient, of each point; (p, q (1 + k)) where ``slopes_a`` is None.
    """
    u = (a[:, None] - b[None]) / length
    r = np.sqrt(5.0 * np.sum(u**2, axis=2))
    decay = np.exp(-r)
    # the covariance as a function of the squared distance, and its derivatives
    value, first, second = (1.0 + r + r * r / 3.0) * decay, -5.0 / 6.0 * (1.0 + r) * decay, 25.0 / 12.0 * decay
    p, q, k = len(a), len(b), slopes_b.shape[2]
    over_b = np.matmul(u.transpose(1, 0, 2), slopes_b).transpose(1, 0, 2)
    out = np.empty((p, 1 if slopes_a is None else 1 + k, q, 1 + k))
    out[:, 0, :, 0] = value
    out[:, 0, :, 1:] = -2.0 / length * first[:, :, None] * over_b
    if slopes_a is not None:
        over_a = np.matmul(u, slopes_a).transpose(0, 2, 1)
        out[:, 1:, :, 0] = 2.0 / length * first[:, None, :] * over_a
        flat_a, flat_b = (slopes.transpose(1, 0, 2).reshape(slopes.shape[1], -1) for slopes in (slopes_a, slopes_b))
        both = (flat_a.T @ flat_b).reshape(p, k, q, k)
        both *= 2.0 * first[:, None, :, None]
        both += (4.0 * second)[:, None, :, None] * over_a[:, :, :, None] * over_b[:, None, :, :]
        out[:, 1:, :, 1:] = -both / length**2
    return out.reshape(out.shape[0] * out.shape[1], -1)
