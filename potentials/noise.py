"""Noise of a calculator's gradients, and the step of differences that suits it."""

from __future__ import annotations

from collections.abc import Callable
from math import factorial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thalweg.potentials.ase_calculators import FAILURES

__all__ = ["NO_NOISE", "Noise", "measured_noise"]

_SPACING = 1e-4  # angstrom, between the points at which noise is measured
_POINTS = 5
_STEPS = (1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3)  # angstrom; few, so that a second measurement gives the same
# Fourth derivatives of the energy, in second derivatives per angstrom**2: bonds have about 7 a**2, a = 1.9 / angstrom
_ANHARMONIC = 25.0
_LOWEST_RMS, _ABOVE_NOISE = 1e-6, 10.0
_RMS = (1.0, 2.0, 5.0)


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
        wanted = max(_LOWEST_RMS, _ABOVE_NOISE * self.gradient)
        decade = 10.0 ** np.floor(np.log10(wanted))
        return float(next((k * decade for k in _RMS if k * decade >= wanted * (1 - 1e-9)), 10 * decade))


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
    try:
        table = np.array([energy_gradient(x + place * direction)[1][free] for place in places])
    except FAILURES:
        return NO_NOISE
    if not np.isfinite(table).all():
        return NO_NOISE
    curvature = float(np.abs(table[-1] - table[0]).max() / (places[-1] - places[0]))
    order = _POINTS - 1
    differences = np.diff(table, n=order, axis=0)
    # the noise of a k-th difference is that of one value times sqrt((2k)!) / k!
    return Noise(float(np.sqrt(np.mean(differences**2) / factorial(2 * order))) * factorial(order), curvature)
