"""What has been found: the class that users hold, and the one writer of its store."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from thalweg.landscapes.checks import check_minimum, check_transition_state
from thalweg.landscapes.database import KnownPoints
from thalweg.landscapes.description import description_differences
from thalweg.landscapes.errors import RejectedError, StoreError
from thalweg.landscapes.records import AddedSearch, Minimum, Search, TransitionState
from thalweg.landscapes.store import Store
from thalweg.landscapes.subject import default_rules_of, rebuilt, system_of
from thalweg.landscapes.tolerances import Tolerances
from thalweg.landscapes.views import Minima, Properties, Searches, TransitionStates

__all__ = ["Landscape"]


class Landscape:
    """The minima and transition states of a potential, in a zarr store.

    Makes the store, or opens the one that is there for writing and goes on with it. What is added is in memory until
    `commit`; leaving a ``with`` block commits and closes.

    Parameters
    ----------
    subject : ase.Atoms, Point or System
        What is explored, with its calculator.
    path : path
        The store's folder.
    seed : int, optional
        From which all searches draw; 0 for a new store, an existing store's own otherwise.
    tolerances : Tolerances, optional
        What counts as the same point, and as a stationary one; an existing store's own where not given.
    rules : Rules or mapping, optional
        Rules of the minimiser; those that suit the system, or an existing store's own, where not given.

    Raises
    ------
    StoreError
        There is something else at ``path``, or a store of something else: the message names what differs.
        LockedError where another process is writing to it.

    Attributes
    ----------
    minima, transition_states, searches : Minima, TransitionStates, Searches
        Arrays by name, read when indexed.
    properties : Properties
        Quantities computed later, by name.
    """

    def __init__(
        self,
        subject: Any,
        path: str | os.PathLike,
        seed: int | None = None,
        *,
        tolerances: Tolerances | None = None,
        rules: Any = None,
    ) -> None:
        system = system_of(subject)
        given = _given(seed, tolerances, rules)
        if _is_store(path):
            _check_same(path, system.describe(), given)
            store = Store.open(path, "r+")
        else:
            fresh = {"seed": 0, "tolerances": Tolerances().to_dict(), "rules": default_rules_of(system)} | given
            fresh |= {"units": str(getattr(system, "units", "reduced")), "tasks": {}, "state": {}}
            store = Store.create(path, system.describe(), int(system.n), fresh)
        self._start(store)
        self.system = rebuilt(system, store.description())

    def _start(self, store: Store) -> None:
        self._store = store
        self.minima = Minima(self, store)
        self.transition_states = TransitionStates(self, store)
        self.searches = Searches(self, store)
        self.properties = Properties(store)
        self._n = store.columns["minima/coordinates"].spec.row[0]
        self._state: dict[str, Any] = store.attributes["state"]

    @classmethod
    def open(cls, path: str | os.PathLike, mode: str = "r") -> Landscape:
        """Open a landscape: ``"r"`` to read, while another process writes too; ``"r+"`` to write.

        The system is built from the store when it is first needed.

        Raises
        ------
        FileNotFoundError, StoreError
            There is no landscape, or it is damaged; LockedError where another process writes to it.
        """
        landscape = cls.__new__(cls)
        landscape._start(Store.open(path, mode))
        return landscape

    @cached_property
    def system(self) -> Any:
        """What is explored, as every algorithm sees it."""
        return system_of(self._store.description())

    @property
    def path(self) -> Path:
        """The store's folder."""
        return self._store.path

    @property
    def seed(self) -> int:
        """The one seed."""
        return int(self._store.attributes["seed"])

    @property
    def units(self) -> str:
        """Unit of energy, ``"eV"`` or ``"reduced"``."""
        return str(self._store.attributes["units"])

    @property
    def tolerances(self) -> Tolerances:
        """What counts as the same point, and as a stationary one."""
        return Tolerances(**self._store.attributes["tolerances"])

    @property
    def rules(self) -> dict[str, Any] | None:
        """Rules of the minimiser, as their ``to_dict()`` gave them."""
        return self._store.attributes["rules"]

    @property
    def tasks_done(self) -> dict[str, int]:
        """How many tasks of each kind are wholly in the landscape, uncommitted ones included: a copy."""
        return dict(self._store.attributes["tasks"])

    @property
    def state(self) -> dict[str, Any]:
        """What the exploration needs to go on: change it freely, as JSON has it; committed with the rest."""
        return self._state

    def add_minimum(self, minimum: Minimum, *, verified: bool = True) -> int:
        """Add a minimum, in memory, and return its row, which may be that of one already known.

        Parameters
        ----------
        minimum : Minimum
            What was found.
        verified : bool
            Whether its gradient and eigenvalues were checked. Without, it is imported as it came, and marked.

        Raises
        ------
        ValueError
            Its coordinates have the wrong shape; RejectedError where it is no minimum. Nothing was added.
        """
        self._check_writable()
        check_minimum(minimum, self._n, self._checked_tolerances(verified))
        with self._all_or_nothing():
            return self._put_minimum(minimum, verified)[0]

    def add_transition_state(self, state: TransitionState, *, verified: bool = True) -> int:
        """Add a transition state and its two minima, in memory, and return its row, old or new.

        Parameters and errors as for `add_minimum`.
        """
        self._check_writable()
        check_transition_state(state, self._n, self._checked_tolerances(verified))
        with self._all_or_nothing():
            return self._put_transition_state(state, verified)[0]

    def add(self, search: Search) -> AddedSearch:
        """Add what a search brought, in memory.

        A search with a point that may not enter is recorded as a failure, with the reason, and without its points.

        Raises
        ------
        ValueError
            Coordinates of the wrong shape, or a ``start`` that is no row. Nothing was added.
        """
        self._check_writable()
        search = self._checked(search)
        with self._all_or_nothing():
            return self._put_search(search)

    def add_task(
        self, kind: str, searches: Sequence[Search], state: Mapping[str, Any] | None = None
    ) -> list[AddedSearch]:
        """Add all searches of one task, in memory: they and its count are committed together.

        Parameters
        ----------
        kind : str
            Kind of task, whose count goes up by one.
        searches : sequence of Search
            In the task's order.
        state : mapping, optional
            Entries to be set in `state`.

        Raises
        ------
        ValueError
            As for `add`, or a state that JSON cannot hold. Nothing was added.
        """
        self._check_writable()
        searches = [self._checked(search) for search in searches]
        entries = json.loads(json.dumps(dict(state or {}), allow_nan=False))
        with self._all_or_nothing():
            added = [self._put_search(search) for search in searches]
            self._state.update(entries)
            tasks = self._store.attributes["tasks"]
            tasks[kind] = tasks.get(kind, 0) + 1
        return added

    def commit(self) -> None:
        """Write what was added: all of it or, if it fails, nothing.

        Raises
        ------
        OSError
            The disk is full, say. What was added is still in memory, and the commit may be tried again.
        """
        self._check_writable()
        self._store.attributes["state"] = json.loads(json.dumps(self._state, allow_nan=False))
        self._store.commit()

    def refresh(self) -> None:
        """See what another process has committed since; nothing to do for the writer."""
        self._store.refresh()

    def close(self) -> None:
        """Commit and let others write; reading goes on working."""
        try:
            if self._store.writable:
                self.commit()
        finally:
            self._store.close()

    def __enter__(self) -> Landscape:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if error is None:
            self.close()
            return
        with suppress(
            OSError
        ):  # the first error is the one to see; what is in memory are whole searches, worth keeping
            self.close()

    def __repr__(self) -> str:
        minima, states = len(self.minima), len(self.transition_states)
        return (
            f"<Landscape {self.path.name}: {minima} minima, {states} transition states, {len(self.searches)} searches>"
        )

    @cached_property
    def _known_minima(self) -> KnownPoints:
        return self._known("minima")

    @cached_property
    def _known_transition_states(self) -> KnownPoints:
        return self._known("transition_states")

    def _known(self, group: str) -> KnownPoints:
        energy, coordinates = (self._store.columns[f"{group}/{name}"] for name in ("energy", "coordinates"))
        return KnownPoints(energy, coordinates, self.system.distance, self.tolerances)

    def _check_writable(self) -> None:
        if not self._store.writable:
            raise StoreError(f"{self.path} is open for reading: open it with mode='r+' to add to it")

    def _checked_tolerances(self, verified: bool) -> Tolerances:
        largest = float(np.finfo(np.float64).max)
        return self.tolerances if verified else replace(self.tolerances, gradient_rms=largest)

    def _checked(self, search: Search) -> Search:
        """Return the search, or the failure that it is when a point of it may not enter."""
        if len(search.start) != 2 or not all(-1 <= row < len(self.minima) for row in search.start):
            raise ValueError(f"start must be two rows of minima, or -1; it is {search.start}")
        try:
            for minimum in search.minima:
                check_minimum(minimum, self._n, self.tolerances)
            for state in search.transition_states:
                check_transition_state(state, self._n, self.tolerances)
        except RejectedError as error:
            return replace(search, status=error.reason, minima=(), transition_states=())
        return search

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        """Take back what was added to any array if an error, or Ctrl-C, comes between."""
        columns = self._store.columns
        rows = {path: column.rows for path, column in columns.items()}
        known = (self._known_minima, self._known_transition_states)
        try:
            yield
        except BaseException:
            for path, length in rows.items():
                columns[path].truncate(length)
            for points, group in zip(known, ("minima", "transition_states"), strict=True):
                points.truncate(rows[f"{group}/energy"])
            raise

    def _put_minimum(self, minimum: Minimum, verified: bool) -> tuple[int, bool]:
        row = self._known_minima.find(minimum.energy, minimum.coordinates)
        if row >= 0:
            return row, False
        return self._put_point("minima", minimum, verified, self._known_minima, {}), True

    def _put_transition_state(self, state: TransitionState, verified: bool) -> tuple[int, bool, list[tuple[int, bool]]]:
        ends = [self._put_minimum(minimum, verified) for minimum in state.minima]
        row = self._known_transition_states.find(state.energy, state.coordinates)
        if row >= 0:
            return row, False, ends
        more = {"minima": [end[0] for end in ends], "path_length": state.path_lengths}
        row = self._put_point("transition_states", state, verified, self._known_transition_states, more)
        return row, True, ends

    def _put_point(
        self, group: str, point: Minimum | TransitionState, verified: bool, known: KnownPoints, more: dict[str, Any]
    ) -> int:
        row = self._store.rows(group)
        names = ("energy", "coordinates", "gradient_rms", "lowest_eigenvalue", "log_eigenvalue_product", "modes")
        values = {name: getattr(point, name) for name in names}
        order = point.symmetry_order or int(self.system.order(point.coordinates))
        self._extend(group, values | {"symmetry_order": order, "verified": verified} | more)
        known.add(float(point.energy), row)
        return row

    def _put_search(self, search: Search) -> AddedSearch:
        minima = [self._put_minimum(minimum, True) for minimum in search.minima]
        states = []
        for state in search.transition_states:
            row, new, ends = self._put_transition_state(state, True)
            states.append((row, new))
            minima += ends
        index = self._put_search_row(search, [row for row, _ in minima], [row for row, _ in states])
        return AddedSearch(index, *(tuple(column) for found in (minima, states) for column in _columns(found)))

    def _put_search_row(self, search: Search, minima: list[int], states: list[int]) -> int:
        columns, index = self._store.columns, len(self.searches)
        columns["searches/minima"].extend(np.array(minima, dtype=np.int64))
        columns["searches/transition_states"].extend(np.array(states, dtype=np.int64))
        values = {name: getattr(search, name) for name in ("task", "start", "energy", "steps")}
        values |= {name: self._code(name, getattr(search, name)) for name in ("kind", "status")}
        values |= {f"{name}_end": columns[f"searches/{name}"].rows for name in ("minima", "transition_states")}
        self._extend("searches", values)
        return index

    def _extend(self, group: str, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            self._store.columns[f"{group}/{name}"].extend(np.asarray(value)[None])

    def _code(self, name: str, word: str) -> int:
        """Return the number that stands for a word in ``searches/kind`` or ``searches/status``."""
        words = self._store.columns[f"searches/{name}"].attributes.setdefault("meanings", [])
        if word not in words:
            words.append(str(word))
        return words.index(word)


def _columns(found: list[tuple[int, bool]]) -> tuple[list[int], list[bool]]:
    return [row for row, _ in found], [new for _, new in found]


def _is_store(path: str | os.PathLike) -> bool:
    """Say whether something is at ``path`` that must be opened rather than made."""
    place = Path(path).expanduser()
    return place.exists() and not (place.is_dir() and not any(place.iterdir()))


def _given(seed: int | None, tolerances: Tolerances | None, rules: Any) -> dict[str, Any]:
    """Return the attributes that the caller insists on."""
    given: dict[str, Any] = {}
    if seed is not None:
        if int(seed) != seed or seed < 0:
            raise ValueError(f"seed must be a whole number, not negative; it is {seed!r}")
        given["seed"] = int(seed)
    if tolerances is not None:
        given["tolerances"] = tolerances.to_dict()
    if rules is not None:
        given["rules"] = json.loads(json.dumps(rules.to_dict() if hasattr(rules, "to_dict") else dict(rules)))
    return given


def _check_same(path: str | os.PathLike, description: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Raise StoreError naming everything in which a store is not what the caller wants to go on with."""
    store = Store.open(path)
    lines = description_differences(store.description(), description)
    for name, value in given.items():
        if store.attributes[name] != value:
            lines.append(f"{name}: stored {store.attributes[name]}, given {value}")
    if lines:
        what = "\n  ".join(lines)
        raise StoreError(f"{store.path} holds another landscape; choose another path, or give what it has:\n  {what}")
