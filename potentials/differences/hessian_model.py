"""Hessians for calculators that have none: updated from gradients on the way, and made of differences as a proof."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["HessianModel", "bofill_update", "difference_hessian"]

Vector = NDArray[np.float64]
EnergyGradient = Callable[[Vector], tuple[float, Vector]]

_TRAIL = 40  # evaluations that an update looks back to
_FAR = 1.0  # angstrom from the last point of the model: further away it says nothing
_WRONG = 0.3  # relative error of the curvature along the lowest mode at which the model is corrected
_KEPT = 64  # proved minima that are remembered
_SAME_DISTANCE = 1e-2  # angstrom


class _Known(NamedTuple):
    """A stationary point whose eigenvalues, null modes left out, were computed from differences."""

    energy: float
    x: Vector
    values: Vector


def bofill_update(hessian: NDArray[np.float64], step: Vector, change: Vector) -> NDArray[np.float64]:
    """Return a Hessian (n, n) that gives the change of the gradient (n,) for a step (n,).

    Symmetric rank one and Powell's update are mixed, so that negative eigenvalues are kept.

    References
    ----------
    J. M. Bofill, J. Comput. Chem. 15 (1994) 1.

    Examples
    --------
    >>> import numpy as np
    >>> from thalweg.potentials.differences.hessian_model import bofill_update
    >>> updated = bofill_update(np.eye(2), np.array([0.1, 0.0]), np.array([-0.2, 0.0]))
    >>> updated.round(12).tolist()
    [[-2.0, 0.0], [0.0, 1.0]]
    """
    missing = change - hessian @ step
    square, along, size = float(step @ step), float(step @ missing), float(missing @ missing)
    if square <= 0 or size <= 1e-30 * square:
        return hessian
    share = along**2 / (square * size)
    powell = np.outer(missing, step)
    powell = (powell + powell.T) / square - along / square**2 * np.outer(step, step)
    # where the share is tiny the symmetric rank one update is nearly singular, and weighs nothing
    rank_one = np.outer(missing, missing) / along if share > 1e-12 else np.zeros_like(powell)
    return hessian + share * rank_one + (1 - share) * powell


def difference_hessian(
    energy_gradient: EnergyGradient, x: Vector, null: NDArray[np.float64], free: NDArray[np.int64], step: float
) -> NDArray[np.float64]:
    """Return the Hessian (n, n) at x by central differences across the null modes, along which it is zero.

    At a stationary point that is the whole Hessian, for a molecule at six sevenths of the calls or less.

    Parameters
    ----------
    energy_gradient : callable
        Function of x (n,) that returns the energy and the gradient (n,).
    x : ndarray, shape (n,)
    null : ndarray, shape (k, n)
        Orthonormal null modes, zero at fixed coordinates.
    free : ndarray of int
        Indices of the coordinates that may move.
    step : float
        Length of a displacement to either side.
    """
    across = _complement(null[:, free])
    slopes = np.empty_like(across)
    for row, direction in enumerate(across):
        moved = np.zeros(x.size)
        moved[free] = step * direction
        slopes[row] = (energy_gradient(x + moved)[1] - energy_gradient(x - moved)[1])[free] / (2 * step)
    reduced = slopes @ across.T
    hessian = np.zeros((x.size, x.size))
    hessian[np.ix_(free, free)] = across.T @ (0.5 * (reduced + reduced.T)) @ across
    return hessian


def _complement(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return an orthonormal basis (m - k, m) across k orthonormal rows (k, m)."""
    if not len(rows):
        return np.eye(rows.shape[1])
    full: NDArray[np.float64] = np.linalg.qr(rows.T, mode="complete")[0].T
    return full[len(rows) :]


class HessianModel:
    """Hessian of a calculator that has none, as eigenvector-following asks for it.

    The first Hessian is made of differences. On the way it is updated from the gradients that the search evaluates
    anyway, and corrected along its lowest mode by one difference where it is wrong there. Where the gradient has
    converged it is made of differences again, as the proof, unless the point is a copy of a minimum that was proved
    before: its eigenvalues are known then.

    Parameters
    ----------
    energy_gradient : callable
        Function of x (n,) that returns the energy and the gradient (n,), zero at fixed coordinates.
    null_modes : callable
        Function of x (n,) that returns orthonormal null modes (k, n).
    distance : callable
        Distance of two points, (n,) each, over all symmetry operations.
    free : ndarray of int
        Indices of the coordinates that may move.
    step : callable
        Function that returns the step of differences, called when the first is made.

    Attributes
    ----------
    goal : float
        Rms gradient below which a Hessian is a proof.
    same_energy : float
        Largest difference of the energies of copies.
    """

    def __init__(
        self,
        energy_gradient: EnergyGradient,
        null_modes: Callable[[Vector], NDArray[np.float64]],
        distance: Callable[[Vector, Vector], float],
        free: NDArray[np.int64],
        step: Callable[[], float],
    ):
        self._evaluate, self._null_modes, self._distance = energy_gradient, null_modes, distance
        self._free, self._step = free, step
        self.goal, self.same_energy = np.inf, 1e-7
        self._trail: list[tuple[Vector, float, Vector]] = []
        self._hessian: NDArray[np.float64] | None = None
        self._x, self._gradient = np.zeros(0), np.zeros(0)
        self._known: list[_Known] = []

    def expect(self, rms: float) -> None:
        """Take points below this rms gradient, in eV/angstrom, for converged: there a Hessian is a proof."""
        self.goal = rms
        # the error of an energy is about the square of the gradient over a curvature of 0.01 eV/angstrom**2
        self.same_energy = max(1e-7, 100.0 * rms**2)

    def energy_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Evaluate the calculator, and remember what it said for the next update."""
        energy, gradient = self._evaluate(x)
        self._trail = [*self._trail[-_TRAIL:], (np.array(x), float(energy), np.array(gradient))]
        return energy, gradient

    def hessian(self, x: Vector) -> NDArray[np.float64]:
        """Return the Hessian (n, n) at x: a proof where the gradient has converged, the model elsewhere."""
        energy, gradient = self._at(x)
        rms = float(np.sqrt(np.mean(gradient[self._free] ** 2)))
        if rms < self.goal:
            return self._proof(x, energy, gradient)
        if self._hessian is None or np.linalg.norm(x - self._x) > _FAR:
            return self._made(x, gradient)
        self._follow_trail(x)
        self._correct(x)
        assert self._hessian is not None
        return self._hessian.copy()

    def _at(self, x: Vector) -> tuple[float, Vector]:
        for place, energy, gradient in reversed(self._trail):
            if np.array_equal(place, x):
                return energy, gradient
        return self.energy_gradient(x)

    def _made(self, x: Vector, gradient: Vector) -> NDArray[np.float64]:
        """Make the Hessian of differences."""
        null = self._null_modes(x)
        hessian = difference_hessian(self._evaluate, x, null, self._free, self._step())
        if np.isfinite(hessian).all():
            self._hessian, self._x, self._gradient = hessian.copy(), np.array(x), np.array(gradient)
        return hessian

    def _proof(self, x: Vector, energy: float, gradient: Vector) -> NDArray[np.float64]:
        null = self._null_modes(x)
        for one in self._known:
            alike = len(one.values) == self._free.size - len(null) and abs(one.energy - energy) <= self.same_energy
            if alike and self._distance(x, one.x) <= _SAME_DISTANCE:
                return self._with_eigenvalues(one.values, null)
        hessian = self._made(x, gradient)
        reduced = hessian[np.ix_(self._free, self._free)]
        if np.isfinite(reduced).all():
            across = _complement(null[:, self._free])
            values = np.linalg.eigvalsh(across @ reduced @ across.T)
            # of a transition state the mode is needed as well as the eigenvalues
            if values.size and values[0] > 0:
                self._known = [*self._known[-_KEPT:], _Known(energy, np.array(x), values)]
        return hessian

    def _with_eigenvalues(self, values: Vector, null: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a Hessian with these eigenvalues: for a proof, which vectors belong to them does not matter."""
        across = _complement(null[:, self._free])
        hessian = np.zeros((null.shape[1], null.shape[1]))
        hessian[np.ix_(self._free, self._free)] = across.T @ (values[:, None] * across)
        return hessian

    def _follow_trail(self, x: Vector) -> None:
        """Update the model from all gradients since its last point, up to x."""
        assert self._hessian is not None
        hessian, place, slope = self._hessian, self._x, self._gradient
        seen = [k for k, one in enumerate(self._trail) if np.array_equal(one[0], place)]
        for later, _, gradient in self._trail[seen[-1] + 1 if seen else 0 :]:
            if np.isfinite(gradient).all() and 0 < np.linalg.norm(later - place) <= _FAR:
                hessian = bofill_update(hessian, later - place, gradient - slope)
                place, slope = later, gradient
            if np.array_equal(later, x):
                break
        self._hessian, self._x, self._gradient = hessian, place, slope

    def _correct(self, x: Vector) -> None:
        """Correct the model along its lowest mode by a difference, where the gradients on the way left it wrong."""
        assert self._hessian is not None
        null = self._null_modes(x)
        across = _complement(null[:, self._free])
        values, vectors = np.linalg.eigh(across @ self._hessian[np.ix_(self._free, self._free)] @ across.T)
        mode = np.zeros(x.size)
        mode[self._free] = vectors[:, 0] @ across
        step = self._step()
        moved = step * mode
        product = (self._evaluate(x + moved)[1] - self._evaluate(x - moved)[1]) / (2 * step)
        if not np.isfinite(product).all():
            return
        if abs(product @ mode - values[0]) > _WRONG * max(abs(values[0]), 1e-300):
            self._hessian = bofill_update(self._hessian, mode, product)
