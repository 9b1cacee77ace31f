"""Forecast of what remains to be found, from the times at which each known point was found first.

Each point has a rate at which searches find it. Rates span many decades, so their logarithms are taken as normally
distributed. The times of first discovery then say how wide that distribution is, how much of it has been seen, and
what later searches will find. How often a point is found again is not used: searches start at what was found before,
and come back to it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import roots_hermitenorm

from thalweg.potentials.conversion.numeric_options import whole_number
from thalweg.potentials.lazy import public

__all__ = ["UNKNOWN", "Forecast", "forecast", "forecast_growth"]

_BEGINNING = 1 / 16  # of the searches: they find what the start of a search is near to, which later ones do not
_ENOUGH = 10  # points found after that, or the beginning counts, too
_BINS = 40  # of times, on a logarithmic scale
_NODES = 48  # of the quadrature over rates
_SPREADS = np.concatenate([[0.1], np.arange(0.4, 4.01, 0.3)])  # standard deviations of ln rate
_MIDDLES = np.arange(-9.0, 9.01, 0.4)  # medians of ln (rate * number of searches)
_WIDTH = 1.5  # of the prior of the spread: chosen so that intervals hold for pools of many kinds, LJ8 to LJ11 and D1
_MOST = 300.0  # times as many points as were found: farther no times can see
_DRAWS = 4000
_LEVELS = 0.025, 0.5, 0.975


@public("thalweg.landscapes")
@dataclass(frozen=True)
class Forecast:
    """Forecast of what remains to be found; NaN where nothing has been found.

    Attributes
    ----------
    found : int
        Number of points that the forecast rests on.
    remaining, low, high : float
        Number of points that remain, and its 95 % interval.
    next, next_low, next_high : float
        Number of new points that as many searches again will find, and its 95 % interval.
    none : float
        Probability that nothing remains.

    Examples
    --------
    >>> from thalweg.landscapes import forecast
    >>> known = forecast([1, 2, 2, 3, 4, 6, 7, 9, 12, 14, 19, 25], 1000)
    >>> known.high, known.none > 0.99
    (0.0, True)
    """

    found: int
    remaining: float
    low: float
    high: float
    next: float
    next_low: float
    next_high: float
    none: float


UNKNOWN = Forecast(0, *[math.nan] * 7)
"""Forecast where nothing has been found."""


def forecast(first: ArrayLike, searches: int) -> Forecast:
    """Forecast how many points remain.

    The likelihood of the times is that of a pool of points whose rates are lognormal. What was found in the first
    sixteenth of the searches is left out, with its part of the pool. The prior is flat in the median of the logarithms
    and half-normal, of scale 1.5, in their standard deviation.

    Parameters
    ----------
    first : (n,) array_like of int
        For each known point the number of searches after which it was known, from 1 on.
    searches : int
        Number of searches so far, all of one kind or of a fixed mixture.

    Raises
    ------
    ValueError
        If a time lies outside of 1 to ``searches``.

    References
    ----------
    I. J. Good and G. H. Toulmin, Biometrika 43 (1956) 45; M. G. Bulmer, Biometrics 30 (1974) 101 (lognormal rates).

    Examples
    --------
    >>> import numpy as np
    >>> from thalweg.landscapes import forecast
    >>> rates = np.random.default_rng(0).lognormal(-7, 1.5, 300)  # of 300 points
    >>> first = np.ceil(np.random.default_rng(1).exponential(1 / rates))
    >>> known = forecast(first[first <= 2000], 2000)
    >>> known.found, bool(known.low < 300 - known.found < known.high)
    (208, True)
    """
    whole_number("searches", searches, 1)
    times = np.sort(np.asarray(first, dtype=np.float64))
    if times.size and not (times[0] >= 1 and times[-1] <= searches):
        raise ValueError(f"first must lie between 1 and {searches}; it lies between {times[0]:g} and {times[-1]:g}")
    if not times.size:
        return UNKNOWN
    start = _BEGINNING if np.count_nonzero(times > _BEGINNING * searches) >= _ENOUGH else 0.0
    edges = np.concatenate([[start], np.exp(np.linspace(math.log(max(start, 1 / 200)), 0.0, _BINS + 1))[1:]])
    return _forecast(len(times), edges, np.histogram(times[times > start * searches] / searches, edges)[0])


def forecast_growth(searches: ArrayLike, found: ArrayLike) -> Forecast:
    """Forecast how many points remain, from numbers of points that were known at some stages of the searches.

    Parameters
    ----------
    searches : (m,) array_like of int
        Numbers of searches, increasing from 1 on; the last is that of all searches so far.
    found : (m,) array_like of int
        Number of points that searches had found by each stage. Points that were known before the first search do not
        count.

    Raises
    ------
    ValueError
        If there is no stage, or the numbers do not increase.

    Examples
    --------
    >>> from thalweg.landscapes.discoveries.growth_curve import forecast_growth
    >>> known = forecast_growth([100, 200, 400, 800, 1600], [40, 50, 56, 58, 59])
    >>> known.found, known.remaining, known.low, known.high
    (59, 0.0, 0.0, 5.0)
    """
    ends, counts = np.asarray(searches, dtype=np.float64), np.asarray(found, dtype=np.float64)
    if not ends.size or ends.shape != counts.shape or (np.diff(ends, prepend=0.0) <= 0).any():
        raise ValueError(f"searches must increase from 1 on, with a number of points each; they are {ends.tolist()}")
    new = np.diff(counts, prepend=0.0)
    if (new < 0).any():
        raise ValueError(f"found must not decrease; the numbers are {counts.tolist()}")
    if not counts[-1]:
        return UNKNOWN
    edges = np.append(0.0, ends / ends[-1])
    first = int(np.searchsorted(edges, _BEGINNING))
    first = first if new[first:].sum() >= _ENOUGH else 0
    return _forecast(int(counts[-1]), edges[first:], new[first:])


def _forecast(found: int, edges: NDArray[np.float64], counts: NDArray[Any]) -> Forecast:
    """Return the forecast from the numbers of points found first between edges, parts of all searches up to 1."""
    again = _drawn(edges, counts)
    low, middle, high = np.quantile(again[:, 0], _LEVELS).tolist()
    next_low, next_middle, next_high = np.quantile(again[:, 1], _LEVELS).tolist()
    none = float(np.mean(again[:, 0] == 0.0))
    return Forecast(found, middle, low, high, next_middle, next_low, next_high, none)


def _drawn(edges: NDArray[np.float64], counts: NDArray[Any]) -> NDArray[np.float64]:
    """Return numbers that remain, and those found in as many searches again, (draws, 2), from their posterior."""
    spread, unseen = _unseen(np.append(edges, 2.0))
    parts = np.maximum(unseen[:-2] - unseen[1:-1], 1e-300)
    pool = np.maximum(unseen[0] - unseen[-2], 1e-300)
    remaining, found_again = (np.maximum(rest, 1e-300) / pool for rest in (unseen[-2], unseen[-2] - unseen[-1]))
    weight = counts @ np.log(parts) - counts.sum() * np.log(pool) - 0.5 * (spread / _WIDTH) ** 2
    weight[remaining > _MOST] = -np.inf
    chance = np.exp(weight - weight.max())
    rng = np.random.default_rng(0)  # the same numbers give the same forecast
    chosen = rng.choice(len(chance), _DRAWS, p=chance / chance.sum())
    number = rng.gamma(counts.sum() + 0.5, 1.0, _DRAWS)
    expected = np.minimum(number[:, None] * np.stack([remaining, found_again], axis=1)[chosen], 1e9)
    return rng.poisson(expected).astype(np.float64)


def _unseen(times: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the spread (k,) of each lognormal of the grid, and its share not found by each time, (times, k)."""
    nodes, weights = roots_hermitenorm(_NODES)
    middle, spread = (grid.ravel() for grid in np.meshgrid(_MIDDLES, _SPREADS, indexing="ij"))
    rates = np.exp(middle[:, None] + spread[:, None] * nodes)
    share = weights / weights.sum()
    return spread, np.array([np.exp(-rates * time) @ share for time in times])
