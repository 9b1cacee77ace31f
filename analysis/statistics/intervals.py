"""Confidence intervals of a proportion and of a mean, and the prediction interval of one more draw."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thalweg.potentials.conversion.numeric_options import checked_number, whole_number

__all__ = ["Interval", "mean_interval", "pooled_prediction_interval", "prediction_interval", "wilson_interval"]


class Interval(NamedTuple):
    """Estimate with the ends of its interval; NaN where the data do not give one.

    Attributes
    ----------
    estimate : float
        Proportion or mean.
    low, high : float
        Ends of the interval.
    """

    estimate: float
    low: float
    high: float


def wilson_interval(successes: int, trials: int, confidence: float = 0.95) -> Interval:
    """Return a proportion and its confidence interval by Wilson's score, which suits few trials and rare events.

    Parameters
    ----------
    successes, trials : int
        Numbers of successes and of trials, 0 <= successes <= trials.
    confidence : float
        Probability that the interval covers the true proportion, between 0 and 1.

    Returns
    -------
    Interval
        Without trials the estimate is NaN, and the interval 0 to 1.

    Raises
    ------
    ValueError
        If a number is out of its range.

    References
    ----------
    E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209.

    Examples
    --------
    >>> from thalweg.analysis.statistics.intervals import wilson_interval
    >>> print("{:.3f}, {:.3f} to {:.3f}".format(*wilson_interval(9, 10)))
    0.900, 0.596 to 0.982
    """
    from scipy.special import ndtri

    trials = whole_number("trials", trials)
    successes = whole_number("successes", successes, 0, trials)
    if not trials:
        return Interval(math.nan, 0.0, 1.0)
    z, share = float(ndtri(_upper(confidence))), successes / trials
    shrunk = 1.0 + z * z / trials
    centre = (share + z * z / (2 * trials)) / shrunk
    half = z / shrunk * math.sqrt(share * (1.0 - share) / trials + z * z / (4 * trials * trials))
    # the ends are exact where nothing or everything succeeded; rounding would leave them beside 0 and 1
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    return Interval(share, low, 1.0 if successes == trials else min(1.0, centre + half))


def mean_interval(values: ArrayLike, confidence: float = 0.95) -> Interval:
    """Return the mean of a few independent values and its confidence interval by Student's t.

    Parameters
    ----------
    values : (n,) array_like of float
        Values drawn from a normal distribution, of unknown spread.
    confidence : float
        Probability that the interval covers the true mean, between 0 and 1.

    Returns
    -------
    Interval
        NaN ends for fewer than two values, and a NaN mean for none.

    Raises
    ------
    ValueError
        If a value is not finite, or the confidence is out of its range.

    Examples
    --------
    >>> from thalweg.analysis.statistics.intervals import mean_interval
    >>> print("{:.2f}, {:.2f} to {:.2f}".format(*mean_interval([1.0, 2.0, 3.0])))
    2.00, -0.48 to 4.48
    """
    return _student(values, confidence, 0.0)


def prediction_interval(values: ArrayLike, confidence: float = 0.95) -> Interval:
    """Return the mean of a few independent values, and the interval in which one more such value lies.

    A published single number that lies inside agrees with the values as well as one more of them would.

    Parameters
    ----------
    values : (n,) array_like of float
        Values drawn from a normal distribution, of unknown spread.
    confidence : float
        Probability that the interval covers the next value, between 0 and 1.

    Returns
    -------
    Interval
        NaN ends for fewer than two values, and a NaN mean for none.

    Raises
    ------
    ValueError
        If a value is not finite, or the confidence is out of its range.

    References
    ----------
    G. J. Hahn and W. Q. Meeker, Statistical intervals, Wiley 1991, section 4.7.

    Examples
    --------
    Three draws leave the fourth much room:

    >>> from thalweg.analysis.statistics.intervals import prediction_interval
    >>> print("{:.2f}, {:.2f} to {:.2f}".format(*prediction_interval([1.0, 2.0, 3.0])))
    2.00, -2.97 to 6.97
    """
    return _student(values, confidence, 1.0)


def pooled_prediction_interval(values: ArrayLike, groups: Sequence[ArrayLike], confidence: float = 0.95) -> Interval:
    """Return the mean of a few values, and the interval of one more, with the spread pooled over several groups.

    Parameters
    ----------
    values : (n,) array_like of float
        Values drawn from a normal distribution.
    groups : sequence of array_like of float
        Groups of values whose distributions have different means and one spread; ``values`` is one of them.
    confidence : float
        Probability that the interval covers the next value, between 0 and 1.

    Returns
    -------
    Interval
        NaN ends where no group has two values, and a NaN mean for no values.

    Raises
    ------
    ValueError
        If a value is not finite, or the confidence is out of its range.

    Examples
    --------
    Two groups of one spread tell more than one of them:

    >>> from thalweg.analysis.statistics.intervals import pooled_prediction_interval
    >>> print("{:.2f}, {:.2f} to {:.2f}".format(*pooled_prediction_interval([1, 2, 3], [[1, 2, 3], [11, 12, 13]])))
    2.00, -1.21 to 5.21
    """
    from scipy.special import stdtrit

    upper, known = _upper(confidence), _finite(values)
    arrays = [_finite(group) for group in groups]
    freedom = sum(max(len(group) - 1, 0) for group in arrays)
    mean = float(known.mean()) if len(known) else math.nan
    if not freedom or not len(known):
        return Interval(mean, math.nan, math.nan)
    scatter = sum(float(((group - group.mean()) ** 2).sum()) for group in arrays if len(group))
    half = float(stdtrit(freedom, upper)) * math.sqrt(scatter / freedom * (1.0 + 1.0 / len(known)))
    return Interval(mean, mean - half, mean + half)


def _finite(values: ArrayLike) -> NDArray[np.float64]:
    """Return values as a vector; ValueError where one is not finite."""
    known = np.asarray(values, dtype=np.float64)
    if known.ndim != 1 or not np.isfinite(known).all():
        raise ValueError(f"values must be finite numbers in one row; they are {values!r}")
    return known


def _student(values: ArrayLike, confidence: float, more: float) -> Interval:
    """Return the mean, and mean -/+ t s sqrt(more + 1/n)."""
    from scipy.special import stdtrit

    upper, known = _upper(confidence), _finite(values)
    n = len(known)
    mean = float(known.mean()) if n else math.nan
    if n < 2:
        return Interval(mean, math.nan, math.nan)
    half = float(stdtrit(n - 1, upper) * known.std(ddof=1) * math.sqrt(more + 1.0 / n))
    return Interval(mean, mean - half, mean + half)


def _upper(confidence: float) -> float:
    """Return the probability below the upper end of a two-sided interval."""
    number = checked_number("confidence", confidence)
    if not 0.0 < number < 1.0:
        raise ValueError(f"confidence must lie between 0 and 1, such as 0.95; it is {confidence}")
    return 0.5 + number / 2
