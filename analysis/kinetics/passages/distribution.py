"""The distribution of first passage times, a sum of exponentials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import eig
from scipy.linalg.lapack import dgejsv
from scipy.optimize import brentq

from thalweg.analysis.arguments import frozen_array
from thalweg.analysis.kinetics import extended_range as extended
from thalweg.analysis.kinetics.boundary_chain import checked_sets, lumped
from thalweg.analysis.kinetics.relaxation_times import balanced, symmetric_root
from thalweg.potentials.conversion.numeric_options import checked_number
from thalweg.potentials.lazy import public

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from thalweg.analysis.kinetics.boundary_chain import Ends
    from thalweg.analysis.kinetics.rate_constants import Kinetics

__all__ = ["FirstPassageDistribution", "first_passage_distribution"]

_LARGEST = 3000
_AGREEMENT = 1e-6


@public("thalweg.analysis")
@dataclass(frozen=True, eq=False)
class FirstPassageDistribution:
    """How the times of first passage from a source to a target are distributed.

    The probability of not having arrived at time t is a sum of exponentials, ``sum_m a_m exp(-r_m t)``, over the
    modes m in which states outside the target relax.

    Attributes
    ----------
    rates : (modes,) ndarray
        r_m, the slowest first; complex without detailed balance.
    amplitudes : (modes,) ndarray
        a_m, which add up to 1. Single ones may be negative.

    Examples
    --------
    >>> from thalweg.analysis import Kinetics
    >>> chain = Kinetics.from_rates([[0, 2, 0], [1, 0, 1], [0, 2, 0]])
    >>> times = chain.first_passage_distribution(source=0, target=2)
    >>> round(times.mean, 6), round(times.std, 6), round(float(times.survival(2.0)), 6)
    (2.0, 1.732051, 0.373833)
    """

    rates: NDArray[np.float64] | NDArray[np.complex128]
    amplitudes: NDArray[np.float64] | NDArray[np.complex128]

    @property
    def mean(self) -> float:
        """Mean first passage time."""
        return float((self.amplitudes / self.rates).sum().real)

    @property
    def std(self) -> float:
        """Standard deviation of the times."""
        return float(np.sqrt((2 * self.amplitudes / self.rates**2).sum().real - self.mean**2))

    def survival(self, times: ArrayLike) -> NDArray[np.float64]:
        """Return the probability of not having arrived by each of some times; the shape is theirs."""
        decay = np.exp(-np.multiply.outer(self._checked(times), self.rates))
        return np.clip((decay @ self.amplitudes).real, 0.0, 1.0)

    def density(self, times: ArrayLike) -> NDArray[np.float64]:
        """Return the probability density of the time of arrival; the shape is that of ``times``."""
        decay = np.exp(-np.multiply.outer(self._checked(times), self.rates))
        return np.maximum((decay @ (self.amplitudes * self.rates)).real, 0.0)

    def quantile(self, share: float) -> float:
        """Return the time by which a share of all walks has arrived; 0.5 gives the median.

        Parameters
        ----------
        share : float
            Above 0 and below 1.
        """
        wanted = checked_number("share", share)
        if not 0 < wanted < 1:
            raise ValueError(f"share is {share!r}; a number above 0 and below 1 is needed")
        left, end = 1.0 - wanted, self.mean
        while self.survival(end) > left:
            end *= 2.0
        start = min(end, 1.0 / float(np.abs(self.rates).max()))
        while start > np.finfo(float).tiny and self.survival(start) < left:
            start /= 2.0
        if self.survival(start) <= left:
            return start
        return float(np.exp(brentq(lambda u: self.survival(np.exp(u)) - left, np.log(start), np.log(end), xtol=1e-12)))

    def plot(self, ax: Axes | None = None, *, points: int = 400, label: str | None = None) -> Axes:
        """Draw the density of the logarithm of the time, in which several time scales are several peaks.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            New ones by default.
        points : int
            Number of times, evenly spaced in their logarithm.
        label : str, optional
            For a legend.
        """
        if ax is None:
            from matplotlib import pyplot  # only here: whoever passes axes needs no pyplot

            ax = pyplot.subplots(layout="constrained")[1]
        first, last = self.quantile(1e-4), self.quantile(1 - 1e-6)
        times = np.geomspace(first, last, points)
        ax.semilogx(times, times * self.density(times), label=label)
        ax.set_xlabel("first passage time")
        ax.set_ylabel("probability density of ln t")
        ax.set_ylim(bottom=0)
        return ax

    @staticmethod
    def _checked(times: ArrayLike) -> NDArray[np.float64]:
        given = np.asarray(times, dtype=np.float64)
        if not (given >= 0).all():
            raise ValueError("times must be numbers that are not negative")
        return given


def first_passage_distribution(kinetics: Kinetics, source: ArrayLike, target: ArrayLike) -> FirstPassageDistribution:
    """Return the distribution of the times of first passage from the source, in equilibrium within, to the target.

    Parameters
    ----------
    kinetics : Kinetics
        At most 3,000 states outside the target: the matrices are dense. Regroup larger ones first.
    source, target : array_like of int
        States, none in both.

    Raises
    ------
    ValueError
        If the sets overlap, are empty or not connected, there are too many states, or the target may never be reached.
    ArithmeticError
        If the mean of the distribution is not the mean first passage time that graph transformation gives to six
        digits: rates differ too much for double precision. Regroup states that exchange fast.

    Notes
    -----
    The eigenvalues r_m of minus the rate matrix without the target, and amplitudes from its eigenvectors
    (N. G. van Kampen, Stochastic Processes in Physics and Chemistry, chapter XII). With detailed balance the symmetric
    form of the matrix is made as G G^T without subtraction, as for relaxation times.
    """
    ends = checked_sets(kinetics, source, target)
    interior = _interior(kinetics, ends)
    modes = _balanced_modes if balanced(kinetics) else _general_modes
    found = modes(kinetics, ends, interior)
    expected = kinetics.mean_first_passage_time(*ends)
    total = found.amplitudes.sum()
    if not (abs(total - 1) < _AGREEMENT and abs(found.mean - expected) < _AGREEMENT * expected):
        raise ArithmeticError(
            f"the distribution has the mean {found.mean:.8g}, and the mean first passage time is {expected:.8g}: rates "
            "differ too much for double precision; regroup states that exchange fast"
        )
    return found


def _interior(kinetics: Kinetics, ends: Ends) -> NDArray[np.int64]:
    """Return the states outside the target that surely get there, or raise if the source is not among them."""
    _, interior = kinetics.prepared("graph transformation", ends.target)
    if not np.isin(ends.source, interior).all():
        raise ValueError("the target may never be reached from the source: first passage times are infinite")
    if len(interior) > _LARGEST:
        raise ValueError(f"there are {len(interior)} states outside the target; at most {_LARGEST}: regroup first")
    return interior


def _dense(kinetics: Kinetics, ends: Ends, interior: NDArray[np.int64]) -> tuple[NDArray[np.float64], float]:
    """Return rates between interior states and, last, the target, in units of the fastest, and its logarithm."""
    chain = lumped(kinetics, interior, (ends.target,))
    k = len(interior)
    logarithms = extended.to_log(chain.rates)
    fastest = float(logarithms.max())
    rates = np.zeros((k + 1, k + 1))
    rows = np.repeat(np.arange(chain.n), np.diff(chain.indptr))
    kept = chain.indices <= k
    rates[rows[kept], chain.indices[kept]] = np.exp(logarithms[kept] - fastest)
    return rates, fastest


def _balanced_modes(kinetics: Kinetics, ends: Ends, interior: NDArray[np.int64]) -> FirstPassageDistribution:
    rates, fastest = _dense(kinetics, ends, interior)
    k = len(interior)
    root = symmetric_root(rates)[:k]  # nothing leaves the target, whose row is empty
    values = dgejsv(np.asfortranarray(root), joba=0, jobu=0, jobv=3, jobr=0, jobt=0, jobp=0)
    sigma = values[3][0] / values[3][1] * values[0]
    if values[5] or not (sigma > 0).all():
        raise ArithmeticError("rates differ by more than the square of what a double spans: regroup first")
    vectors = values[1]
    own = extended.total(kinetics.extended_weights[ends.source])
    with np.errstate(over="ignore"):
        weights = extended.to_float(extended.quotient(kinetics.extended_weights[interior], own))
        mine = np.isin(interior, ends.source)
        amplitudes = (np.sqrt(weights[mine]) @ vectors[mine]) * (np.sqrt(weights) @ vectors)
        decay = np.exp(2 * np.log(sigma) + fastest)
    order = np.argsort(decay)
    return FirstPassageDistribution(frozen_array(decay[order], None), frozen_array(amplitudes[order], None))


def _general_modes(kinetics: Kinetics, ends: Ends, interior: NDArray[np.int64]) -> FirstPassageDistribution:
    rates, fastest = _dense(kinetics, ends, interior)
    k = len(interior)
    matrix = np.diag(rates.sum(axis=1))[:k, :k] - rates[:k, :k]
    values, vectors = eig(matrix)
    start = np.zeros(k)
    start[np.searchsorted(interior, ends.source)] = extended.to_float(kinetics.source_weights(ends.source))
    amplitudes = (start @ vectors) * np.linalg.solve(vectors, np.ones(k))
    order = np.argsort(values.real)
    decay = values[order] * np.exp(fastest)
    return FirstPassageDistribution(frozen_array(decay, None), frozen_array(amplitudes[order], None))
