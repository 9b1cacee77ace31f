"""Noise of a calculator's gradients, and the step of differences that suits it."""

from __future__ import annotations

from collections.abc import Callable
from math import factorial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thalweg.potentials.ase_calculators import FAILURES

__all__ = ["NO_NOISE", "Noise", "measured_noise"]

# Points at which noise is measured, angstrom between neighbours, and their order. An SCF that begins with the density
# of a point very near ends with nearly the same error, which is then not seen
_POINTS, _SPACING = 5, 3e-4
_ORDER = (0, 3, 1, 4, 2)
_STEPS = (1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3)  # angstrom; few, so that a second measurement gives the same
# Fourth derivatives of the energy, in second derivatives per angstrom**2: bonds have about 7 a**2, a = 1.9 / angstrom
_ANHARMONIC = 25.0
_LOWEST_RMS, _ABOVE_NOISE = 1e-6, 10.0
# Slopes left along soft modes, in standard deviations of the noise, the softest modes that are common, eV/angstrom**2,
# and the limits of what may count as one point, angstrom
_UNFOLLOWED, _SOFT, _NEAREST, _FARTHEST = 4.0, 0.01, 0.01, 0.1


def _rounded_up(wanted: float) -> float:
    """Return the next of 1, 2, 5, 10, ...: coarse enough that a second measurement gives the same."""
    decade = 10.0 ** np.floor(np.log10(wanted))
    return float(next((k * decade for k in (1.0, 2.0, 5.0) if k * decade >= wanted * (1 - 1e-9)), 10 * decade))


class Noise(NamedTuple):
    """Noise of a calculator.

    Attributes
    ----------
    gradient : float
        Standard deviation of the noise of a gradient component, eV/angstrom.
    curvature : float
        Largest second derivative that was met while measuring, eV/angstrom**2.
    """

    gradient: float
    curvature: float

    @property
    def difference_step(self) -> float:
        """Step of central differences of the gradient, angstrom, at which noise and truncation weigh alike.

        The error is the noise over sqrt(2) h, and h**2 / 6 times the fourth derivative of the energy.
        """
        if not self.gradient > 0 or not self.curvature > 0:
            return _STEPS[0]
        best = (3 * self.gradient / (np.sqrt(2) * _ANHARMONIC * self.curvature)) ** (1 / 3)
        return min(_STEPS, key=lambda step: abs(np.log(step / best)))

    @property
    def gradient_rms(self) -> float:
        """Rms gradient to which searches converge: ten times the noise, 1e-6 eV/angstrom at least."""
        return _rounded_up(max(_LOWEST_RMS, _ABOVE_NOISE * self.gradient))

    @property
    def distance(self) -> float:
        """Distance of two points, angstrom, up to which noise may separate the ends of searches for one point.

        Slopes of a few times the noise are not followed: along a mode of 0.01 eV/angstrom**2 they leave the noise over
        that. 0.01 angstrom at least, and 0.1 at most, where different points begin.
        """
        return min(_FARTHEST, _rounded_up(max(_NEAREST, _UNFOLLOWED * self.gradient / _SOFT)))


NO_NOISE = Noise(0.0, 0.0)
"""A potential without noise."""


def measured_noise(
    energy_gradient: Callable[[NDArray[np.float64]], tuple[float, NDArray[np.float64]]],
    x: NDArray[np.float64],
    free: NDArray[np.int64],
) -> Noise:
    """Measure the noise of a gradient by a table of differences at five points close together.

    Parameters
    ----------
    energy_gradient : callable
        Function of x (n,) that returns the energy and the gradient (n,).
    x : ndarray, shape (n,)
        Positions of atoms, in angstrom.
    free : ndarray of int
        Indices of the coordinates that may move.

    Returns
    -------
    Noise
        Without noise where the calculator fails.

    References
    ----------
    J. J. More and S. M. Wild, SIAM J. Sci. Comput. 33 (2011) 1292.
    """
    direction = np.zeros(x.size)
    direction[free] = np.random.default_rng(0).standard_normal(free.size)
    direction /= max(float(np.abs(direction).max()), 1e-300)
    places = _SPACING * (np.arange(_POINTS) - _POINTS // 2)
    table = np.empty((_POINTS, free.size))
    try:
        for k in _ORDER:
            table[k] = energy_gradient(x + places[k] * direction)[1][free]
    except FAILURES:
        return NO_NOISE
    if not np.isfinite(table).all():
        return NO_NOISE
    curvature = float(np.abs(table[-1] - table[0]).max() / (places[-1] - places[0]))
    order = _POINTS - 1
    differences = np.diff(table, n=order, axis=0)
    # the noise of a k-th difference is that of one value times sqrt((2k)!) / k!
    return Noise(float(np.sqrt(np.mean(differences**2) / factorial(2 * order))) * factorial(order), curvature)
