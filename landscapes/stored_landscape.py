"""Opening a landscape's store, reading its points, and adding to them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

from ase import Atoms

from thalweg.landscapes.errors import StoreError
from thalweg.landscapes.recording.writer import Writer
from thalweg.landscapes.records import AddedSearch, Minimum, Search, TransitionState
from thalweg.landscapes.reference import check_reference, reference_of
from thalweg.landscapes.storage.compatibility import TASKS_AHEAD, check_same, explicit_settings, is_store
from thalweg.landscapes.storage.schema import STEEPEST_DESCENT
from thalweg.landscapes.storage.store import Store
from thalweg.landscapes.system_loading import (
    CalculatorLike,
    SystemLike,
    default_rules_of,
    default_tolerances,
    geometry_of,
    noise_attributes,
    rebuilt,
    stored_symmetry,
    stored_system,
    system_of,
    units_of,
    with_noise,
)
from thalweg.landscapes.tolerances import Tolerances
from thalweg.landscapes.views import Minima, Properties, Searches, TransitionStates
from thalweg.potentials.conversion.printable import printable

if TYPE_CHECKING:
    from thalweg.landscapes.storage.local_files import StoreLocation
    from thalweg.optimizers import Rules
    from thalweg.potentials.bounds import BoundsLike
    from thalweg.potentials.system import System

__all__ = ["StoredLandscape"]


class StoredLandscape:
    """The stored points of a landscape and the one writer of their store: `Landscape` without its searches.

    Parameters and errors are those of `Landscape`.

    Attributes
    ----------
    minima, transition_states, searches : Minima, TransitionStates, Searches
        Arrays by name, read when indexed.
    properties : Properties
        Quantities computed later, by name.
    """

    _trust = False

    def __init__(
        self,
        subject: SystemLike,
        path: StoreLocation,
        seed: int | None = None,
        *,
        tolerances: Tolerances | None = None,
        rules: Rules | Mapping[str, Any] | None = None,
        tasks_ahead: int | None = None,
        bounds: BoundsLike | None = None,
        permutations: str | None = None,
        inversion: bool | None = None,
        substrate: bool | None = None,
    ) -> None:
        symmetry: dict[str, Any] = {"permutations": permutations, "inversion": inversion, "substrate": substrate}
        exists = is_store(path)
        if exists and isinstance(subject, Atoms):
            symmetry = stored_symmetry(Store.open(path).description(), symmetry)
        system = system_of(subject, bounds, **symmetry)
        given = explicit_settings(seed, tolerances, rules, tasks_ahead)
        if exists:
            self._check_same(path, system, given)
            store = Store.open(path, "r+")
        else:
            fresh = {"seed": 0} | given | {"tolerances": default_tolerances(system, tolerances).to_dict()}
            fresh.setdefault("rules", default_rules_of(system))
            fresh.setdefault("tasks_ahead", TASKS_AHEAD)
            fresh |= {"units": units_of(system), "tasks": {}, "state": {}, "path_lengths": STEEPEST_DESCENT}
            fresh |= noise_attributes(system)
            reference = reference_of(system)
            description = {**system.describe(), **({"reference": reference} if reference else {})}
            store = Store.create(path, description, int(system.n), fresh)
        self._start(store)
        self.system = with_noise(rebuilt(system, store.description()), store.attributes)

    @staticmethod
    def _check_same(path: StoreLocation, system: System, given: Mapping[str, Any]) -> None:
        """Raise StoreError where a store is of another system, potential or settings; nothing is written."""
        perhaps = check_same(path, system.describe(), given)
        reader = Store.open(path)
        check_reference(reader.path, reader.description(), system, perhaps)

    def _start(self, store: Store) -> None:
        self._store = store
        self.minima = Minima(self, store)
        self.transition_states = TransitionStates(self, store)
        self.searches = Searches(self, store)
        self.properties = Properties(store)
        self._state: dict[str, Any] = store.attributes["state"]

    @classmethod
    def open(
        cls,
        path: StoreLocation,
        mode: str = "r",
        *,
        trust: bool = False,
        calculator: CalculatorLike | None = None,
    ) -> Self:
        """Open a landscape: ``"r"`` to read, while another process writes too; ``"r+"`` to write.

        The system is built from the store when it is first needed.

        Parameters
        ----------
        path : path, URL or zarr store
            The store.
        mode : {"r", "r+"}
            For reading, or for writing too.
        trust : bool
            Whether to import and call whatever calculator the store names. Without, only Thalweg's own potentials and
            calculators that compute in memory and touch no file are built (docs/security.md).
        calculator : ASE calculator, FlatCalculator or callable, optional
            Calculator of the store's system, in place of the one that the store names.

        Raises
        ------
        FileNotFoundError, StoreError
            There is no landscape, or it is damaged, or of another calculator than the given one; LockedError where
            another process writes to it.
        """
        landscape = cls.__new__(cls)
        if calculator is not None:
            reader = Store.open(path)
            system = stored_system(reader.path, reader.description(), calculator=calculator)
            cls._check_same(path, system, {})
            landscape.system = with_noise(system, reader.attributes)
        landscape._trust = trust
        landscape._start(Store.open(path, mode))
        return landscape

    @cached_property
    def system(self) -> System:
        """System that is explored: built from the store when it is first needed.

        Its potential is compared with the reference of the store, one energy and gradient.

        Raises
        ------
        UntrustedError
            The store's calculator is run only with trust: nothing was imported.
        StoreError
            The system cannot be built, or the potential is not the one that the store was made with.
        """
        description = self._store.description()
        system = stored_system(self.path, description, trust=self._trust)
        check_reference(self.path, description, system)
        return with_noise(system, self._store.attributes)

    @cached_property
    def geometry(self) -> System:
        """System for distances, symmetry and structures, which is there without trust and computes no energy.

        The system itself if it has been built.
        """
        if "system" in self.__dict__:
            return self.system
        return geometry_of(self.path, self._store.description())

    @property
    def path(self) -> Path:
        """Folder of the store, or what stands for it in messages where it is none."""
        return cast(Path, self._store.path)  # an Address has a name and is joined by / as a Path is

    def last_commit(self) -> Store:
        """Return the store as of the last commit, open for reading: what others see of a landscape that grows."""
        return self._store.last_commit()

    @property
    def seed(self) -> int:
        """Seed from which all searches draw their random numbers."""
        return int(self._store.attributes["seed"])

    @property
    def units(self) -> str:
        """Unit of energy, ``"eV"`` or ``"reduced"``."""
        return str(self._store.attributes["units"])

    @property
    def tolerances(self) -> Tolerances:
        """Tolerances by which points are the same, and stationary."""
        return Tolerances(**self._store.attributes["tolerances"])

    @property
    def rules(self) -> dict[str, Any] | None:
        """Rules of the minimiser as a dictionary, from which `Rules.from_dict` makes them."""
        return self._store.attributes["rules"]

    @property
    def tasks_ahead(self) -> int:
        """Number of tasks in flight at once: task k is chosen from the results of tasks up to k minus this number."""
        return int(self._store.attributes.get("tasks_ahead", TASKS_AHEAD))

    @property
    def tasks_done(self) -> dict[str, int]:
        """Number of tasks of each kind whose results are in the landscape, uncommitted ones included: a copy."""
        return dict(self._store.attributes["tasks"])

    @property
    def state(self) -> dict[str, Any]:
        """State from which an exploration resumes, as JSON has it: change it freely, it is committed with the rest."""
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
        with self._store.writing(), self._writer.all_or_nothing():
            return self._writer.put_minimum(minimum, verified)[0]

    def add_transition_state(self, state: TransitionState, *, verified: bool = True) -> int:
        """Add a transition state and its two minima, in memory, and return its row, old or new.

        Parameters and errors as for `add_minimum`.
        """
        with self._store.writing(), self._writer.all_or_nothing():
            return self._writer.put_transition_state(state, verified)[0]

    def add(self, search: Search) -> AddedSearch:
        """Add the points of a search, in memory.

        A search with a point that may not enter is recorded as a failure, with the reason, and without its points.

        Raises
        ------
        ValueError
            Coordinates of the wrong shape, or a ``start`` that is no row. Nothing was added.
        """
        with self._store.writing(), self._writer.all_or_nothing():
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
        entries = json.loads(json.dumps(dict(state or {}), allow_nan=False))
        with self._store.writing(), self._writer.all_or_nothing():
            added = [self._writer.put_search(search) for search in searches]
            self._state.update(entries)
            tasks = self._store.attributes["tasks"]
            tasks[kind] = tasks.get(kind, 0) + 1
        return added

    def commit(self) -> None:
        """Write everything that was added, or nothing if that fails.

        Raises
        ------
        OSError
            The disk is full, say. What was added is still in memory, and the commit may be tried again.
        StoreError
            Another writer has come (`LockedError`), the store was moved or replaced, or this process was forked from
            the one that opened it. Nothing was written, and what was added is still in memory: it can be committed
            once the store is as it was, or be read from `minima` and `transition_states` and added to another store.
        """
        with self._store.writing():
            self._store.attributes["state"] = json.loads(json.dumps(self._state, allow_nan=False))
            self._store.commit()

    def refresh(self) -> None:
        """Read the last commit of another process; a writer has nothing to read."""
        if not self._store.writable:
            self._store.refresh()
            self._state = self._store.attributes["state"]

    def close(self) -> None:
        """Commit, and let other processes write; the landscape can still be read."""
        if not self._store.writable:
            return
        try:
            with self._store.writing():  # nothing is added between the commit and the end
                self.commit()
                self._store.close()
        finally:
            self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
            return
        # the first error is the one to see; what is in memory are whole searches, worth keeping
        with suppress(OSError, StoreError):
            self.close()

    def __repr__(self) -> str:
        minima, states, searches = map(len, (self.minima, self.transition_states, self.searches))
        found = f"{minima} minima, {states} transition states, {searches} searches"
        return f"<{type(self).__name__} {printable(self.path.name)}: {found}>"

    @cached_property
    def _writer(self) -> Writer:
        return Writer(self._store, self.system, self.tolerances)

    def _check_writable(self) -> None:
        if not self._store.writable:
            raise StoreError(f"{self.path} is open for reading: open it with mode='r+' to add to it")
