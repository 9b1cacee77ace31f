"""What the searches of a store found, how often, and what they probably leave to be found."""

from __future__ import annotations

import math

import numpy as np

from thalweg.landscapes.discoveries.arrivals import Estimate, estimate
from thalweg.landscapes.discoveries.growth_curve import Forecast, forecast
from thalweg.landscapes.energy_limit import EnergyLimit
from thalweg.landscapes.records import BASIN_HOPPING, FROM_STATE
from thalweg.landscapes.storage.store import Store
from thalweg.potentials.conversion.numeric_options import whole_number
from thalweg.potentials.lazy import public

__all__ = ["Discoveries"]

_FEWEST = 1000  # searches without anything new before a landscape counts as complete
_QUIET = 1 / 2  # and the share of all searches that they must be
_LEAST = 5  # times that each point was found by then
_GROUPS = "minima", "transition_states"


@public("thalweg.landscapes")
class Discoveries:
    """Numbers of times that the searches of a store found each point, and when they last found a new one.

    A search that comes back to the point it set out from has not found it: it was sent there. Every search is read
    once. :meth:`forecast` says how many points probably remain; :attr:`minima` and :attr:`transition_states` have the
    counts, with Chao's lower bound.

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
        self._hops = np.zeros(0, dtype=bool)  # which searches were basin-hopping
        self._below = None if below is None else EnergyLimit.read(below)
        self.limit = math.inf
        none = np.zeros(0, dtype=np.int64)
        self._counts = dict.fromkeys(_GROUPS, none)
        self._first = dict.fromkeys(_GROUPS, none)  # number of searches up to the first that found each point
        self._low = {group: np.zeros(0, dtype=bool) for group in _GROUPS}  # whether it counts

    def __repr__(self) -> str:
        known = {"minima": self.minima, "transition states": self.transition_states}
        parts = []
        for name, one in known.items():
            forecast = self.forecast(name.replace(" ", "_"))
            parts.append(f"{one.found} {name} (about {forecast.remaining:.0f} remaining)" if one.found else f"0 {name}")
        return f"<Discoveries: {', '.join(parts)}, nothing new in the last {self.quiet} of {self._read} searches>"

    def update(self) -> Discoveries:
        """Read the searches that have come since the last call; return itself."""
        columns, rows = self._store.columns, self._store.rows("searches")
        if rows > self._read:
            start = columns["searches/start"].read(self._read, rows)
            kinds = self._kinds(rows)
            self._hops = np.append(self._hops, kinds == BASIN_HOPPING)
            from_states = kinds == FROM_STATE
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

    def _kinds(self, rows: int) -> np.ndarray:
        """Return the kinds of the searches since the last look, by their names."""
        kind = self._store.columns["searches/kind"]
        words = np.array([*kind.attributes.get("meanings", []), ""])
        return words[np.minimum(kind.read(self._read, rows), len(words) - 1)]

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

    def forecast(self, group: str, searches: int | None = None) -> Forecast:
        """Say how many points probably remain, and how many as many searches again will find.

        Parameters
        ----------
        group : {"minima", "transition_states"}
        searches : int, optional
            Look back to the moment after so many searches; all that were read by default.

        Raises
        ------
        ValueError
            If there is no such group, or there were not so many searches.
        """
        done = self._read if searches is None else whole_number("searches", searches, 0)
        if done > self._read:
            raise ValueError(f"searches is {done}; {self._read} were read")
        if group not in _GROUPS:
            raise ValueError(f"group is {group!r}; there are {' and '.join(_GROUPS)}")
        first = self._first[group][self._low[group]]
        first = first[(first > 0) & (first <= done)]
        if not len(first):
            return forecast([], max(done, 1))
        # what one kind of search cannot reach another finds at once: those of the last kind say what it will find
        same = self._hops[:done] == self._hops[done - 1]
        clock = np.cumsum(same)
        own = first[same[first - 1]]
        if not len(own):
            return forecast(first, done)
        return forecast(clock[own - 1], int(clock[-1]))

    @property
    def saddle_searches(self) -> int:
        """Number of searches for transition states that were read."""
        return int(np.count_nonzero(~self._hops))

    def probability_of_all(self, searches: int) -> float:
        """Return the probability that no transition state remained after so many searches for transition states.

        Parameters
        ----------
        searches : int
            Number of searches for transition states: basin-hopping steps do not count.

        Raises
        ------
        ValueError
            If there were not so many, or none.
        """
        whole_number("searches", searches, 1)
        if searches > self.saddle_searches:
            raise ValueError(f"searches is {searches}; {self.saddle_searches} for transition states were read")
        rows = int(np.flatnonzero(~self._hops)[searches - 1]) + 1
        return self.forecast("transition_states", rows).none

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
