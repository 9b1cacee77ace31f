"""The writer of a store: accept points, recognise duplicates, and append rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from thalweg.landscapes.errors import RejectedError, UnknownArrivalError
from thalweg.landscapes.recording.acceptance import check_minimum, check_transition_state
from thalweg.landscapes.recording.duplicates import KnownPoints
from thalweg.landscapes.records import FROM_STATE, AddedSearch, Arrival, Minimum, Search, TransitionState
from thalweg.landscapes.storage.schema import MEANING
from thalweg.landscapes.storage.store import Store
from thalweg.landscapes.tolerances import Tolerances
from thalweg.optimizers.kernels.status import current_reason
from thalweg.potentials.protocols import ExploredSystem, SearchedSystem

__all__ = ["Writer", "padded"]

_LARGEST_ORDER = 2**63 - 1
"""Largest symmetry order that a store holds: a network with k idle hidden units has one of 2^k k! and more."""


class Writer:
    """Writer of records into the arrays of a store, in memory.

    Parameters
    ----------
    store : Store
        Open for writing.
    system : System
        System, for distances and symmetry orders.
    tolerances : Tolerances
        Tolerances of the landscape.
    """

    def __init__(self, store: Store, system: ExploredSystem, tolerances: Tolerances) -> None:
        self._store, self._system, self._tolerances = store, system, tolerances
        self._bounded = system if isinstance(system, SearchedSystem) else None
        self._n = store.columns["minima/coordinates"].spec.row[0]
        self._known = {group: self._points(group) for group in ("minima", "transition_states")}

    def _points(self, group: str) -> KnownPoints:
        energy, coordinates = (self._store.columns[f"{group}/{name}"] for name in ("energy", "coordinates"))
        return KnownPoints(energy, coordinates, self._system.distance, self._tolerances)

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """Take back what was added to any array if an error, or Ctrl-C, comes between."""
        columns = self._store.columns
        rows = {path: column.rows for path, column in columns.items()}
        try:
            yield
        except BaseException:
            for path, length in rows.items():
                columns[path].truncate(length)
            for group, points in self._known.items():
                points.truncate(rows[f"{group}/energy"])
            raise

    def put_minimum(self, minimum: Minimum, verified: bool) -> tuple[int, bool]:
        """Check a minimum and return its row, and whether it is new."""
        check_minimum(minimum, self._n, self._limits(verified))
        return self._minimum(minimum, verified)

    def _minimum(self, minimum: Minimum, verified: bool) -> tuple[int, bool]:
        row = self._known["minima"].find(minimum.energy, minimum.coordinates)
        return (row, False) if row >= 0 else (self._put_point("minima", minimum, verified, {}), True)

    def put_transition_state(self, state: TransitionState, verified: bool) -> tuple[int, bool, list[tuple[int, bool]]]:
        """Check a transition state and return its row, whether it is new, and the same of its two minima."""
        check_transition_state(state, self._n, self._limits(verified))
        return self._transition_state(state, verified)

    def _transition_state(self, state: TransitionState, verified: bool) -> tuple[int, bool, list[tuple[int, bool]]]:
        ends = [self._minimum(minimum, verified) for minimum in state.minima]
        row = self._known["transition_states"].find(state.energy, state.coordinates)
        if row >= 0:
            return row, False, ends
        more = {"minima": [end[0] for end in ends], "path_length": state.path_lengths}
        return self._put_point("transition_states", state, verified, more), True, ends

    def _arrival(self, arrival: Arrival) -> tuple[int, bool, list[tuple[int, bool]]]:
        row = self._known["transition_states"].find(arrival.energy, arrival.coordinates)
        if row < 0:
            raise UnknownArrivalError(
                f"no transition state of the landscape is where a search arrived, energy {arrival.energy}"
            )
        ends = self._store.columns["transition_states/minima"].read(row, row + 1)[0]
        return row, False, [(int(end), False) for end in ends]

    def put_search(self, search: Search) -> AddedSearch:
        """Record a search with its points; a search with a point that may not enter, as a failure without any."""
        search = self._checked(search)
        minima = [self._minimum(minimum, True) for minimum in search.minima]
        states = []
        for state in search.transition_states:
            row, new, ends = self._arrival(state) if isinstance(state, Arrival) else self._transition_state(state, True)
            states.append((row, new))
            minima += ends
        index = self.put_search_rows(search, [row for row, _ in minima], [row for row, _ in states])
        return AddedSearch(index, *_columns(minima), *_columns(states))

    def _checked(self, search: Search) -> Search:
        """Return the search, or the failure that it is when a point of it may not enter."""
        group = "transition_states" if search.kind == FROM_STATE else "minima"
        if len(search.start) != 2 or not all(-1 <= row < self._store.rows(group) for row in search.start):
            raise ValueError(f"start must be two rows of {group}, or -1; it is {search.start}")
        try:
            for minimum in search.minima:
                check_minimum(minimum, self._n, self._tolerances)
                self._check_inside(minimum)
            for state in search.transition_states:
                if isinstance(state, Arrival):
                    continue
                check_transition_state(state, self._n, self._tolerances)
                for point in (state, *state.minima):
                    self._check_inside(point)
        except RejectedError as error:
            return replace(search, status=error.reason, minima=(), transition_states=())
        return search

    def _check_inside(self, point: Minimum | TransitionState) -> None:
        if self._bounded is not None and not self._bounded.inside(point.coordinates):
            where = point.coordinates.tolist()
            raise RejectedError("outside the bounds", f"a search ended outside the bounds, at {where}")

    def _limits(self, verified: bool) -> Tolerances:
        """Return the tolerances; a point that is only imported may have any gradient."""
        largest = float(np.finfo(np.float64).max)
        return self._tolerances if verified else replace(self._tolerances, gradient_rms=largest)

    def _put_point(self, group: str, point: Minimum | TransitionState, verified: bool, more: dict[str, Any]) -> int:
        row = self._store.rows(group)
        names = ("energy", "coordinates", "gradient_rms", "lowest_eigenvalue", "log_eigenvalue_product", "modes")
        values = {name: getattr(point, name) for name in names}
        order = point.symmetry_order or int(self._system.order(point.coordinates))
        if order > _LARGEST_ORDER:
            order = 0  # readers compute its logarithm from the coordinates
        if f"{group}/frequencies" in self._store.columns:
            values["frequencies"] = padded(getattr(point, "frequencies", None), self._n)  # old pickles have none
        self._extend(group, values | {"symmetry_order": order, "verified": verified} | more)
        self._known[group].add(float(point.energy), row)
        return row

    def put_search_rows(self, search: Search, minima: list[int], states: list[int]) -> int:
        """Record a search that found these rows, and return its own row."""
        columns, index = self._store.columns, self._store.rows("searches")
        columns["searches/minima"].extend(np.array(minima, dtype=np.int64))
        columns["searches/transition_states"].extend(np.array(states, dtype=np.int64))
        values = {name: getattr(search, name) for name in ("task", "start", "energy", "steps")}
        values |= {name: self._code(name, getattr(search, name)) for name in ("kind", "status")}
        values |= {f"{name}_end": columns[f"searches/{name}"].rows for name in ("minima", "transition_states")}
        self._extend("searches", values)
        return index

    def _extend(self, group: str, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            self._store.columns[f"{group}/{name}"].append(value)

    def _code(self, name: str, word: str) -> int:
        """Return the number that stands for a word in ``searches/kind`` or ``searches/status``."""
        words = self._store.columns[f"searches/{name}"].attributes.setdefault("meanings", [])
        known = [current_reason(one) for one in words]
        if word not in known:
            MEANING.check(str(word), f"{name} of a search")
            words.append(str(word))
            known.append(word)
        return known.index(word)


def _columns(found: list[tuple[int, bool]]) -> tuple[tuple[int, ...], tuple[bool, ...]]:
    return tuple(row for row, _ in found), tuple(new for _, new in found)


def padded(frequencies: np.ndarray | None, length: int) -> np.ndarray:
    """Return vibrational frequencies as a row of the store, (length,): NaN where there are none."""
    row = np.full(length, np.nan)
    if frequencies is not None:
        row[: len(frequencies)] = frequencies
    return row
