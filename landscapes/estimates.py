"""Chao's estimate of the number of undiscovered stationary points.

The more points have been found only once, the more there are that have not been found at all. Chao's estimate makes
a number of it, f1 (f1 - 1) / (2 (f2 + 1)) from the f1 points found once and the f2 found twice, with an interval; it
is exact where every point is as likely as another, and a lower bound where some are rarer, as they always are here:
a search finds wide basins more often than narrow ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from thalweg.landscapes.energy_limit import EnergyLimit
from thalweg.landscapes.records import FROM_STATE
from thalweg.landscapes.storage.store import Store
from thalweg.potentials.lazy import public

__all__ = ["Discoveries", "Estimate", "estimate"]

_Z = 1.959963984540054  # of an interval that holds 95 in 100
_FEWEST = 1000  # searches without anything new before a landscape counts as complete
_QUIET = 1 / 2  # and the share of all searches that they must be
_LEAST = 5  # times that each point was found by then
_GROUPS = "minima", "transition_states"


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


@public("thalweg.landscapes")
class Discoveries:
    """Numbers of times that the searches of a store found each point, and when they last found a new one.

    A search that comes back to the point it set out from has not found it: it was sent there. Every search is read
    once.

    Parameters
    ----------
    store : Store
        Open store, which may grow.
    below : float or str, optional
        Energy below which points count, or ``"+0.01"`` for 0.01 above the lowest minimum; all do where missing.

    Attributes
    ----------
    limit : float
        The energy below which points count; infinity where all do.

    Raises
    ------
    ValueError
        If ``below`` says neither, or lies below all minima.

    Examples
    --------
    >>> import tempfile
    >>> from thalweg.landscapes import Landscape
    >>> from thalweg.potentials import MuellerBrown, Point
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Landscape(Point([0.0, 0.5], MuellerBrown()), f"{folder}/mb.zarr", seed=0) as landscape:
    ...         progress = landscape.find_minima(steps=20, workers=1)
    ...         discoveries = landscape.discoveries()
    ...     discoveries.minima.found, discoveries.minima.remaining, discoveries.complete
    (3, 0.0, False)
    """

    def __init__(self, store: Store, below: float | str | EnergyLimit | None = None) -> None:
        self._store, self._read = store, 0
        self._below = None if below is None else EnergyLimit.read(below)
        self.limit = math.inf
        none = np.zeros(0, dtype=np.int64)
        self._counts = dict.fromkeys(_GROUPS, none)
        self._first = dict.fromkeys(_GROUPS, none)  # number of searches up to the first that found each point
        self._low = {group: np.zeros(0, dtype=bool) for group in _GROUPS}  # whether it counts

    def __repr__(self) -> str:
        points = (("minima", self.minima), ("transition states", self.transition_states))
        parts = [f"{one.found} {name} (at least {one.remaining:.0f} remaining)" for name, one in points]
        return f"<Discoveries: {', '.join(parts)}, nothing new in the last {self.quiet} of {self._read} searches>"

    def update(self) -> Discoveries:
        """Read the searches that have come since the last call; return itself."""
        columns, rows = self._store.columns, self._store.rows("searches")
        if rows > self._read:
            start = columns["searches/start"].read(self._read, rows)
            from_states = self._from_states(rows)
            self._take_in("minima", rows, np.where(from_states[:, None], -1, start))
            self._take_in("transition_states", rows, np.where(from_states[:, None], start, -1))
            self._read = rows
        self._choose()
        return self

    def _choose(self) -> None:
        """Find the points below the limit, which falls with the lowest minimum."""
        if self._below is None:
            self._low = {group: np.ones(len(counts), dtype=bool) for group, counts in self._counts.items()}
            return
        energies = {
            group: self._store.columns[f"{group}/energy"].read(0, len(self._counts[group])) for group in _GROUPS
        }
        if len(energies["minima"]):
            self.limit = self._below.checked(float(energies["minima"].min()))
        self._low = {group: values <= self.limit for group, values in energies.items()}

    def _from_states(self, rows: int) -> np.ndarray:
        """Say which of the searches since the last look set out from a transition state."""
        kind = self._store.columns["searches/kind"]
        words = kind.attributes.get("meanings", [])
        return kind.read(self._read, rows) == (words.index(FROM_STATE) if FROM_STATE in words else -1)

    def _take_in(self, group: str, rows: int, start: np.ndarray) -> None:
        columns = self._store.columns
        ends = columns[f"searches/{group}_end"].read(max(self._read - 1, 0), rows)
        ends = ends if self._read else np.append(0, ends)
        points = columns[f"searches/{group}"].read(int(ends[0]), int(ends[-1]))
        search = np.repeat(np.arange(rows - self._read), np.diff(ends))
        elsewhere = (points[:, None] != start[search]).all(axis=1)
        points, search = points[elsewhere], search[elsewhere]
        missing = max(self._store.rows(group) - len(self._counts[group]), 0)
        before, since = (
            np.append(one[group], np.zeros(missing, dtype=np.int64)) for one in (self._counts, self._first)
        )
        rows_found, first = np.unique(points, return_index=True)
        new = before[rows_found] == 0
        since[rows_found[new]] = self._read + search[first[new]] + 1
        self._first[group] = since
        self._counts[group] = before + np.bincount(points, minlength=len(before))

    def _counted(self, group: str) -> np.ndarray:
        return self._counts[group][self._low[group]]

    @property
    def minima(self) -> Estimate:
        """Estimate for the minima."""
        return estimate(self._counted("minima"))

    @property
    def transition_states(self) -> Estimate:
        """Estimate for the transition states."""
        return estimate(self._counted("transition_states"))

    @property
    def quiet(self) -> int:
        """Number of searches since one last found a new point."""
        return self._read - max(int(self._first[group][self._low[group]].max(initial=0)) for group in _GROUPS)

    @property
    def complete(self) -> bool:
        """Whether exploration may end because nothing is likely to remain.

        Less than one minimum and one transition state, with 95 % confidence; every one that is known was
        found five times, so that another as rare as the rarest would be missed with a probability below 1 % (e^-5);
        and the last half of all searches, 1,000 at least, found nothing for the first time.
        """
        if self.quiet < max(_FEWEST, _QUIET * self._read):
            return False
        for group in _GROUPS:
            counts = self._counted(group)
            if (counts[counts > 0] < _LEAST).any():
                return False
        return max(self.minima.high, self.transition_states.high) < 1.0
