"""Run a sequence of tasks on workers, add their results in order, and commit them."""

from __future__ import annotations

import time
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from thalweg.landscapes.errors import CalculationsFailedError, StoreError, UnknownArrivalError
from thalweg.landscapes.exploration.failed_geometry import write_failed_geometry
from thalweg.landscapes.exploration.signals import deferred_signals
from thalweg.landscapes.exploration.task import Task
from thalweg.landscapes.exploration.workers import Job, Workers, open_workers
from thalweg.landscapes.records import (
    BASIN_HOPPING,
    CONVERGED,
    DOUBLE_ENDED,
    FROM_STATE,
    SADDLE_SEARCHES,
    SINGLE_ENDED,
    FailedCall,
    Progress,
    TaskResult,
)
from thalweg.landscapes.run_options import RunOptions
from thalweg.landscapes.storage.root import ROOT
from thalweg.landscapes.storage.schema import SEQUENCE, SEQUENCES
from thalweg.landscapes.strategies.base import Choice, Strategy
from thalweg.landscapes.strategies.basin_hopping import BasinHoppingChains
from thalweg.optimizers.quasi_newton.knowledge import Proved
from thalweg.optimizers.quasi_newton.searches import needs_differences

if TYPE_CHECKING:
    from thalweg.landscapes.landscape import Landscape

__all__ = ["pending_choices", "run_sequence"]

_SEQUENCES = {"find_minima": 0, "connect": 1}  # others by their names
_MOST_KNOWN = 1000  # minima that a task takes along
_MOST_COMBINED = 20  # of the lowest minima, for moves that combine two
_SECONDS_BETWEEN_COMMITS = 2.0
_SECONDS_BETWEEN_LOOKS = 0.2
# Part of the time that a run may take, for which other processes are waited for when it is over
_LATE = 0.1
# How long the first search of other processes is waited for although the time is up: in seconds, and in times of it
_PATIENCE, _LONGER = 600.0, 20.0


def _minima_found(landscape: Landscape, task: int | None) -> int:
    """Return how many minima searches had found once a task of basin-hopping had been added; by now where None."""
    searches = landscape.searches
    end = len(searches)
    if task is not None:
        rows = np.flatnonzero((searches.task[:] == task) & (searches.kind[:] == BASIN_HOPPING))
        end = int(rows[-1]) + 1 if rows.size else 0
    found = searches.minima[: int(searches.minima_end[end - 1])] if end else ()
    return int(np.max(found, initial=-1)) + 1


class Pending(NamedTuple):
    """Task that was chosen and is not done.

    Attributes
    ----------
    number : int
        Its number in the sequence.
    choice : Choice
        Searches of the task.
    known : int
        Number of transition states that the landscape had then: it looks for no minima of these.
    minima : int
        Number of minima that it had then: with a calculator without a Hessian, searches end early in their basins.
    """

    number: int
    choice: Choice
    known: int
    minima: int = 0


class _Run:
    """One call of find_minima or connect: what is in flight, and what has come of it."""

    def __init__(self, landscape: Landscape, strategy: Strategy, settings: dict[str, Any], goal: int):
        self.landscape, self.strategy, self.settings, self.goal = landscape, strategy, settings, goal
        self.chosen: deque[Pending] = deque(pending_choices(landscape, strategy.name))
        self.number = landscape.tasks_done.get(strategy.name, 0) + len(self.chosen)
        self.ahead = landscape.tasks_ahead
        self._in_flight = sum(pending.choice.size for pending in self.chosen)
        self.done = self.failed = self.raised = self.raised_in_a_row = 0
        self._last_call: FailedCall | None = None
        self._combines = "moves" in settings  # two minima, in tasks of basin-hopping
        self._minima_after: dict[int, int] = {}  # minima that were known once a task of this call had been added
        self._minima = _minima_found(landscape, None) if self._combines else 0
        self.calls = int(landscape.state.get(strategy.name, {}).get("calls", 0))
        self.began = time.monotonic()

    @property
    def promised(self) -> int:
        """Searches done or in flight."""
        return self.done + self._in_flight

    def next(self) -> Task | None:
        """Choose the next task; None where there is nothing to do."""
        if self.promised >= self.goal:
            return None
        choice = self.strategy.choose(self.number, min(self.strategy.batch, self.goal - self.promised))
        if choice is None:
            return None
        states, minima = len(self.landscape.transition_states), len(self.landscape.minima)
        self.chosen.append(Pending(self.number, choice, states, minima))
        self._in_flight += choice.size
        self.number += 1
        return self.task(self.chosen[-1])

    def task(self, pending: Pending) -> Task:
        number, choice, known, minima = pending
        rows = [row for start in choice.starts for row in start if row >= 0]
        points = self.landscape.transition_states if choice.kind == FROM_STATE else self.landscape.minima
        coordinates = points.coordinates
        X = np.array([coordinates[row] for row in rows]).reshape(len(rows), self.landscape.system.n)
        name = self.strategy.name
        entropy = (self.landscape.seed, _SEQUENCES.get(name, len(_SEQUENCES) + zlib.crc32(name.encode())), number)
        settings = {**self.settings, "steps": choice.size}
        if choice.part is not None:
            settings["displacement"] *= choice.part
            settings["part"] = choice.part
        # bands and chains do not ask for them, and a task may go to another machine
        asks = choice.kind not in (BASIN_HOPPING, DOUBLE_ENDED)
        energies = self.landscape.transition_states.energy[: known if asks else 0]
        proved = self._proved(minima)
        lowest = self._lowest(number) if choice.kind == BASIN_HOPPING and self._combines else ()
        return Task(name, number, choice.kind, entropy, choice.starts, X, settings, energies, proved, lowest)

    def _lowest(self, number: int) -> tuple[tuple[float, np.ndarray], ...]:
        """Return the lowest minima of the landscape, which the moves of a task may combine.

        They are those known before the tasks that may be in flight, so that the number of calls does not matter.
        """
        task = number - self.ahead
        if task < 0:
            return ()
        count = self._minima_after[task] if task in self._minima_after else _minima_found(self.landscape, task)
        energies, coordinates = self.landscape.minima.energy[:count], self.landscape.minima.coordinates
        rows = np.argsort(energies, kind="stable")[:_MOST_COMBINED].tolist()
        return tuple((float(energies[row]), coordinates[row]) for row in rows)

    def _proved(self, count: int) -> tuple[Proved, ...]:
        """Return the first minima of the landscape, the lowest of them, if searches can make use of them."""
        if not needs_differences(self.landscape.system):
            return ()
        minima = self.landscape.minima
        rows = np.sort(np.argsort(minima.energy[:count], kind="stable")[:_MOST_KNOWN])
        names = ("energy", "gradient_rms", "coordinates", "lowest_eigenvalue", "log_eigenvalue_product", "modes")
        columns = [getattr(minima, name)[:count][rows] for name in names]
        return tuple(
            Proved(float(energy), float(rms), x, float(lowest), float(product), int(modes))
            for energy, rms, x, lowest, product, modes in zip(*columns, strict=True)
        )

    def add(self, result: TaskResult) -> None:
        """Add what the oldest task brought.

        Raises
        ------
        UnknownArrivalError
            If a search ended at the energy of a known transition state, but elsewhere. Nothing was added.
        """
        self.calls += result.calls
        added = self.landscape.add_task(self.strategy.name, result.searches)
        number, choice, *_ = self.chosen.popleft()
        if self._combines:
            self._minima = max([self._minima, *(row + 1 for rows in added for row in rows.minima)])
            self._minima_after[number] = self._minima
            self._minima_after.pop(number - self.ahead, None)
        self.strategy.added(choice, result, added)
        self._in_flight -= choice.size
        self.done += choice.size
        self.failed += sum(search.status != CONVERGED for search in result.searches)
        calls = {call.search: call for call in result.failed_calls}
        for number in range(len(result.searches)):
            self.raised_in_a_row = self.raised_in_a_row + 1 if number in calls else 0
            self._last_call = calls.get(number, self._last_call)
        self.raised += len(calls)

    def check_failures(self, number: int, most: int) -> None:
        """Raise CalculationsFailedError where task ``number`` was one too many that the potential ended.

        So it is after ``most`` searches in a row, and where a landscape without a point has nothing but such failures.
        """
        hopeless = self.done == self.raised >= self.goal and not len(self.landscape.minima)
        if (self.raised_in_a_row < most and not hopeless) or self._last_call is None:
            return
        call, landscape = self._last_call, self.landscape
        path = write_failed_geometry(landscape.system, landscape.path, call)
        where = "" if path is None else f"; its geometry is in {path}"
        raise CalculationsFailedError(
            f"{self.raised_in_a_row} searches in a row failed, the last one by {call.kind}: {call.message}; it was in "
            f"task {number} of {self.strategy.name}{where}. They are stored as failed, and a later run goes on after "
            "them.",
            call.traceback,
        )

    def save(self) -> None:
        pending = [
            [number, kind, size, [list(start) for start in starts], known, minima, *([] if part is None else [part])]
            for number, (kind, size, starts, part), known, minima in self.chosen
        ]
        state = {"pending": pending, "settings": self.settings, **self.strategy.state()}
        state |= {"calls": self.calls} if self.calls else {}
        self.landscape.state[self.strategy.name] = state
        self.landscape.commit()

    def progress(self) -> Progress:
        return Progress(
            self.strategy.name, self.done, self.goal, self.failed, time.monotonic() - self.began,
            len(self.landscape.minima), len(self.landscape.transition_states),
        )  # fmt: skip


def pending_choices(landscape: Landscape, name: str) -> list[Pending]:
    """Return the tasks that an earlier call chose and did not finish: they are done first, as they were chosen.

    Raises
    ------
    StoreError
        The store holds tasks that nothing could have chosen.
    """
    where = f"{landscape.path / ROOT}: attribute/state/{name}"
    try:
        SEQUENCE.check(landscape.state.get(name, {}), where)
    except ValueError as error:
        raise StoreError(str(error)) from error
    pending = [
        # older stores do not say how many were known: none, then
        Pending(number, Choice(kind, size, tuple((int(a), int(b)) for a, b in starts), *more[2:]), *(more[:2] or [0]))
        for number, kind, size, starts, *more in landscape.state.get(name, {}).get("pending", [])
    ]
    for task in pending:
        _check_choice(landscape, name, task.choice, where)
    return pending


def _check_choice(landscape: Landscape, name: str, choice: Choice, where: str) -> None:
    """Raise StoreError unless a task's kind is one of its sequence, and its starts are rows, as many as it takes."""
    points = landscape.transition_states if choice.kind == FROM_STATE else landscape.minima
    starts = choice.starts
    kinds = {BASIN_HOPPING, *SADDLE_SEARCHES}
    if name in SEQUENCES:
        kinds = {BASIN_HOPPING} if name == BasinHoppingChains.name else set(SADDLE_SEARCHES)
    if choice.kind not in kinds or len(starts) != (1 if choice.kind == BASIN_HOPPING else choice.size):
        what = f"{choice.size} searches of kind {choice.kind!r} from {len(starts)} starts"
        raise StoreError(f"{where}/pending has {what}, which nothing would choose")
    ends = 2 if choice.kind == DOUBLE_ENDED else 1
    least = -1 if choice.kind in (BASIN_HOPPING, SINGLE_ENDED) else 0
    for start in starts:
        if not all(least <= row < len(points) for row in start[:ends]) or any(row != -1 for row in start[ends:]):
            raise StoreError(f"{where}/pending starts from {start}: there are {len(points)} rows")


def run_sequence(
    landscape: Landscape,
    strategy: Strategy,
    settings: dict[str, Any],
    goal: int,
    options: RunOptions,
    report: Callable[[Progress], None] | None = None,
) -> Progress:
    """Do ``goal`` searches of a strategy and commit them in the order of tasks.

    Exactly when the result of task k has been added, task k + L is chosen, where L is the landscape's `tasks_ahead`;
    so a choice depends on results of tasks up to k alone, whoever works and however fast. Interrupted (Ctrl-C,
    SIGTERM, time), it commits what has been added together with the tasks chosen but not done, and a later call
    begins with these.

    Parameters
    ----------
    landscape : Landscape
        Open for writing.
    strategy : Strategy
        Strategy that chooses the searches.
    settings : dict
        Settings of the tasks.
    goal : int
        Number of searches in this call.
    options : RunOptions
        Where tasks run, and when to stop early.
    report : callable, optional
        Called with the progress after every task.

    Returns
    -------
    Progress
        The last one.

    Raises
    ------
    KeyboardInterrupt
        After Ctrl-C or SIGTERM, once all is committed.
    CalculationsFailedError
        If the potential's exceptions end too many searches in a row.
    RuntimeError
        If a task loses its worker again and again.
    """
    run = _Run(landscape, strategy, settings, goal)
    grace = None if options.seconds is None else _LATE * options.seconds
    with (
        deferred_signals() as stopped,
        open_workers(landscape.system, options.workers, options.executor, grace) as pool,
    ):

        def time_is_up() -> bool:
            elapsed = time.monotonic() - run.began
            if options.seconds is None or elapsed <= options.seconds:
                return False
            if run.done > 0 or options.seconds == 0 or not options.advance or landscape.system.threadsafe:
                return True
            # a run whose first search takes longer advances all the same, unless other processes do not answer
            return options.executor is not None and elapsed > max(_PATIENCE, _LONGER * options.seconds)

        def stop() -> bool:
            if options.minima is not None and len(landscape.minima) >= options.minima:
                return True
            if options.enough is not None and options.enough():
                return True
            return stopped() or time_is_up()

        jobs: deque[Job] = deque()
        try:
            with pool.interrupted_by(lambda: stopped() or time_is_up()):
                _loop(run, pool, jobs, options.failures, report, stop)
        finally:
            pool.cancel(list(jobs))
            run.save()
    return run.progress()


def _loop(
    run: _Run,
    pool: Workers,
    jobs: deque[Job],
    failures: int,
    report: Callable[[Progress], None] | None,
    stop: Callable[[], bool],
) -> None:
    """Keep tasks in flight, and add their results in order; what is given out and not added stays in ``jobs``."""
    if stop():
        return
    jobs.extend(pool.submit(run.task(pending)) for pending in run.chosen)
    committed = time.monotonic()
    while run.done < run.goal:
        while len(jobs) < run.ahead and (task := run.next()) is not None:
            jobs.append(pool.submit(task))
        if not jobs:
            return
        while jobs[0].result is None:
            pool.tend(_SECONDS_BETWEEN_LOOKS)
            if jobs[0].result is None and stop():
                return
        try:
            run.add(jobs[0].result)
        except UnknownArrivalError:
            # two transition states have one energy, such as mirror images that no symmetry tells of
            jobs[0] = pool.submit(replace(jobs[0].task, known=np.empty(0)))
            continue
        run.check_failures(jobs.popleft().task.number, failures)
        if report is not None:
            report(run.progress())
        if stop():
            return
        if time.monotonic() - committed > _SECONDS_BETWEEN_COMMITS:
            run.save()
            committed = time.monotonic()
