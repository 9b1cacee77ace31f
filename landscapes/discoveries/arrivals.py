"""Chao's lower bound of the number of undiscovered stationary points, from how often each known one was found.

The more points have been found only once, the more there are that have not been found at all. Chao's estimate makes
a number of it, f1 (f1 - 1) / (2 (f2 + 1)) from the f1 points found once and the f2 found twice, with an interval. It
is exact where every find is independent and every point as likely as another. Where some are rarer it is a lower
bound. Searches of a landscape start at what was found before and come back to it, so that few points stay found once:
there the bound lies far below what remains, and :mod:`thalweg.landscapes.discoveries.growth_curve` says more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from thalweg.potentials.lazy import public

__all__ = ["Estimate", "estimate"]

_Z = 1.959963984540054  # of an interval that holds 95 in 100


@public("thalweg.landscapes")
@dataclass(frozen=True)
class Estimate:
    """Estimate of how many points of one kind remain to be found.

    Attributes
    ----------
    found : int
        Number of different points that are known.
    once, twice : int
        Numbers of points that were found once, and twice.
    arrivals : int
        Number of times that any was found.
    remaining : float
        Lower bound of the number that remains, by Chao's estimate.
    low, high : float
        95 % interval of the number that remains.
    coverage : float
        Probability that the next arrival is at a known point (Good and Turing, as improved by Chao and Jost); NaN
        where nothing was found.

    Examples
    --------
    >>> from thalweg.landscapes import estimate
    >>> estimate([1, 1, 1, 1, 2, 9]).remaining
    3.0
    """

    found: int
    once: int
    twice: int
    arrivals: int
    remaining: float
    low: float
    high: float
    coverage: float


def estimate(times_found: ArrayLike) -> Estimate:
    """Estimate how many points remain.

    Parameters
    ----------
    times_found : (m,) array_like of int
        How often each point was found; those never found, if any, are left out.

    Returns
    -------
    Estimate
        Numbers of points found, and an estimate of the others.

    Raises
    ------
    ValueError
        If a number is negative.

    References
    ----------
    A. Chao, Biometrics 43 (1987) 783; A. Chao and L. Jost, Ecology 93 (2012) 2533; I. J. Good, Biometrika 40 (1953)
    237.

    Examples
    --------
    >>> from thalweg.landscapes import estimate
    >>> found = estimate([1, 1, 2, 5, 8])
    >>> found.found, found.once, found.twice, found.remaining
    (5, 2, 1, 0.5)
    """
    counts = np.asarray(times_found, dtype=np.int64)
    if counts.size and counts.min() < 0:
        raise ValueError(f"times_found must not be negative; it has {counts.min()}")
    found, arrivals = int(np.count_nonzero(counts)), int(counts.sum())
    once, twice = (int(np.count_nonzero(counts == times)) for times in (1, 2))
    remaining = once * max(once - 1, 0) / (2 * (twice + 1))
    low, high = _interval(remaining, _variance(found, once, twice, arrivals))
    coverage = _coverage(once, twice, arrivals) if found < arrivals else (0.0 if arrivals else math.nan)
    return Estimate(found, once, twice, arrivals, remaining, low, high, coverage)


def _variance(found: int, f1: int, f2: int, arrivals: int) -> float:
    """Variance of the bias-corrected estimate (Chao 1987)."""
    if not arrivals:
        return 0.0
    if not f1:
        return found * math.exp(-arrivals / found) * (1.0 - math.exp(-arrivals / found))
    k = f2 + 1
    more = f1 * (2 * f1 - 1) ** 2 / (4 * k**2) + f1**2 * f2 * (f1 - 1) ** 2 / (4 * k**4)
    return f1 * (f1 - 1) / (2 * k) + more


def _interval(remaining: float, variance: float) -> tuple[float, float]:
    """The logarithm of what remains is taken as normal, which keeps the interval above nothing."""
    if remaining <= 0.0:
        return 0.0, _Z * math.sqrt(variance)
    ratio = math.exp(_Z * math.sqrt(math.log1p(variance / remaining**2)))
    return remaining / ratio, remaining * ratio


def _coverage(f1: int, f2: int, arrivals: int) -> float:
    if f2:
        once, twice = (arrivals - 1) * f1, 2 * f2
    else:
        once, twice = (arrivals - 1) * max(f1 - 1, 0), 2
    return 1.0 - f1 / arrivals * once / (once + twice)
