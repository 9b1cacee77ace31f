"""What has been found: the class that users hold, and the one writer of its store."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thalweg.landscapes.errors import StoreError
from thalweg.landscapes.estimates import Discoveries
from thalweg.landscapes.recording.writer import Writer
from thalweg.landscapes.records import AddedSearch, Minimum, Search, TransitionState
from thalweg.landscapes.storage.compatibility import TASKS_AHEAD, check_same, insisted, is_store
from thalweg.landscapes.storage.store import Store
from thalweg.landscapes.strategies.lowest_paths import LowestPath, LowestPaths, checked_pairs
from thalweg.landscapes.system_loading import default_rules_of, rebuilt, system_of
from thalweg.landscapes.tolerances import Tolerances
from thalweg.landscapes.views import Minima, Properties, Searches, TransitionStates
from thalweg.potentials.lazy import public

if TYPE_CHECKING:
    from thalweg.landscapes.exploration.sequence import Progress
    from thalweg.landscapes.strategies.base import Strategy

__all__ = ["Landscape"]


@public("thalweg.landscapes")
class Landscape:
    """The minima and transition states of a potential, in a zarr store.

    Makes the store, or opens the one that is there for writing and goes on with it. What is added is in memory until
    `commit`; leaving a ``with`` block commits and closes.

    Parameters
    ----------
    subject : ase.Atoms, Point or System
        What is explored, with its calculator.
    path : path, URL or zarr store
        The store's folder; or ``"s3://bucket/name.zarr"`` and the like, or an object such as
        `zarr.storage.FsspecStore` (docs/store.md says what holds there).
    seed : int, optional
        From which all searches draw; 0 for a new store, an existing store's own otherwise.
    tolerances : Tolerances, optional
        What counts as the same point, and as a stationary one; an existing store's own where not given.
    rules : Rules or mapping, optional
        Rules of the minimiser; those that suit the system, or an existing store's own, where not given.
    bounds : array_like, shape (n, 2), (2, n) or (2,), or scipy.optimize.Bounds, optional
        Lowest and highest value of each coordinate of a Point, one pair each or one for all: searches start anywhere
        inside, steps scale with them, and searches that end outside have failed. A surface may bring its own.
    tasks_ahead : int, optional
        Tasks in flight at once, which keep some times fewer workers busy; what is found depends on it. 16 for a new
        store, an existing store's own otherwise.

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
        tasks_ahead: int | None = None,
        bounds: Any = None,
    ) -> None:
        system = system_of(subject, bounds)
        given = insisted(seed, tolerances, rules, tasks_ahead)
        if is_store(path):
            check_same(path, system.describe(), given)
            store = Store.open(path, "r+")
        else:
            fresh = {"seed": 0, "tolerances": Tolerances().to_dict(), "rules": default_rules_of(system)} | given
            fresh.setdefault("tasks_ahead", TASKS_AHEAD)
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
    def tasks_ahead(self) -> int:
        """Task k is chosen from what tasks up to k minus this number found; as many are in flight at once."""
        return int(self._store.attributes.get("tasks_ahead", TASKS_AHEAD))

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
        with self._writer.all_or_nothing():
            return self._writer.put_minimum(minimum, verified)[0]

    def add_transition_state(self, state: TransitionState, *, verified: bool = True) -> int:
        """Add a transition state and its two minima, in memory, and return its row, old or new.

        Parameters and errors as for `add_minimum`.
        """
        self._check_writable()
        with self._writer.all_or_nothing():
            return self._writer.put_transition_state(state, verified)[0]

    def add(self, search: Search) -> AddedSearch:
        """Add what a search brought, in memory.

        A search with a point that may not enter is recorded as a failure, with the reason, and without its points.

        Raises
        ------
        ValueError
            Coordinates of the wrong shape, or a ``start`` that is no row. Nothing was added.
        """
        self._check_writable()
        with self._writer.all_or_nothing():
            return self._writer.put_search(search)

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
        entries = json.loads(json.dumps(dict(state or {}), allow_nan=False))
        with self._writer.all_or_nothing():
            added = [self._writer.put_search(search) for search in searches]
            self._state.update(entries)
            tasks = self._store.attributes["tasks"]
            tasks[kind] = tasks.get(kind, 0) + 1
        return added

    def find_minima(
        self,
        steps: int,
        *,
        step: float | None = None,
        temperature: float | None = None,
        moves: Any = None,
        minima: int | None = None,
        workers: int | None = None,
        executor: Executor | Callable[[], Executor] | None = None,
        seconds: float | None = None,
        progress: bool | None = None,
    ) -> Progress:
        """Search for minima by basin-hopping: chains of random steps, minimisation and Metropolis acceptance.

        The same seed and the same calls find the same minima in the same order, on any number of workers, in one go
        or interrupted and gone on with.

        Parameters
        ----------
        steps : int
            Steps to be done in this call, of all chains together.
        step : float, optional
            Longest random displacement of a coordinate, in its unit; what suits the system where missing.
        temperature : float, optional
            k_B T of the Metropolis criterion, in the unit of energy.
        moves : sequence of Move, optional
            Kinds of basin-hopping move, see docs/basin_hopping.md; all coordinates where missing.
        minima : int, optional
            Stop early once the landscape has so many.
        workers : int, optional
            Threads; all processors where missing. A calculator written in Python runs on one.
        executor : concurrent.futures.Executor or callable, optional
            Where the work is done instead, or what makes it: ``Processes(8)``, say. With what makes it, or with a
            process pool, a pool that broke is replaced.
        seconds : float, optional
            Stop early after this time; a later call goes on as if there had been no stop.
        progress : bool, optional
            Whether to show a line of progress; where missing, if standard error is a terminal.

        Raises
        ------
        KeyboardInterrupt
            After Ctrl-C or SIGTERM; all that was found has been committed.
        """
        self._check_writable()
        from thalweg.landscapes.exploration import start  # loads the compiler, for which a mere reader should not wait

        return start.find_minima(
            self, steps, step=step, temperature=temperature, moves=moves,
            minima=minima, workers=workers, executor=executor, seconds=seconds, progress=progress,
        )  # fmt: skip

    def connect(
        self,
        searches: int | None = None,
        *,
        strategy: str | Callable[..., Strategy] | None = None,
        pairs: Sequence[tuple[int, int]] | None = None,
        lower: bool = False,
        until_converged: bool = False,
        displacement: float | None = None,
        minima: int | None = None,
        workers: int | None = None,
        executor: Executor | Callable[[], Executor] | None = None,
        seconds: float | None = None,
        progress: bool | None = None,
    ) -> Progress:
        """Search for transition states: from each minimum in turn, and between pieces that are not joined yet.

        Parameters
        ----------
        searches : int, optional
            Searches to be done in this call; may be left out with ``pairs`` or ``until_converged``.
        strategy : str or Strategy class, optional
            Another way to choose where to search: ``"untrap"``, or a class of your own (docs/exploring.md).
        pairs : sequence of (int, int), optional
            Search where connections are missing between these pairs of minima, until they are joined.
        lower : bool
            Once they are, go on looking for lower paths between them.
        until_converged : bool
            Stop when nothing is likely to remain, by `Discoveries.complete`; the next call does the tasks in flight.
        displacement : float, optional
            Size of the random displacement of a coordinate that a search starts with.
        minima, workers, executor, seconds, progress
            As for `find_minima`, and so are what is raised and what the same seed gives.

        Raises
        ------
        ValueError
            If the landscape has no minima yet, or an argument makes no sense; TypeError where one is missing.
        """
        self._check_writable()
        from thalweg.landscapes.exploration import start  # as above

        return start.connect(
            self, searches, strategy=strategy, pairs=pairs, lower=lower, until_converged=until_converged,
            displacement=displacement, minima=minima, workers=workers, executor=executor, seconds=seconds,
            progress=progress,
        )  # fmt: skip

    def discoveries(self) -> Discoveries:
        """Return how often points were found, and how many probably remain: ``discoveries().minima.remaining``."""
        return Discoveries(self._store).update()

    def lowest_path(self, a: int, b: int) -> LowestPath | None:
        """Return the path between two minima whose highest transition state is lowest; None if they are not joined."""
        checked_pairs([(a, b)], len(self.minima))
        states = self.transition_states
        return LowestPaths(len(self.minima), states.minima[:], states.energy[:], a).to(b)

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
        if not self._store.writable:
            self._store.refresh()
            self._state = self._store.attributes["state"]

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
        # the first error is the one to see; what is in memory are whole searches, worth keeping
        with suppress(OSError):
            self.close()

    def __repr__(self) -> str:
        minima, states, searches = map(len, (self.minima, self.transition_states, self.searches))
        return f"<Landscape {self.path.name}: {minima} minima, {states} transition states, {searches} searches>"

    def _repr_html_(self) -> str:
        from thalweg.landscapes.notebook import landscape_html  # only notebooks need it

        return landscape_html(self)

    @cached_property
    def _writer(self) -> Writer:
        return Writer(self._store, self.system, self.tolerances)

    def _check_writable(self) -> None:
        if not self._store.writable:
            raise StoreError(f"{self.path} is open for reading: open it with mode='r+' to add to it")
