"""Run tasks on whatever is given, add their results in order, and commit them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits

from thalweg.landscapes.records import CONVERGED
from thalweg.landscapes.signals import deferred_signals
from thalweg.landscapes.strategies import Choice, Strategy
from thalweg.landscapes.tasks import Task, TaskResult, run_task
from thalweg.potentials.threads import default_threads

if TYPE_CHECKING:
    from thalweg.landscapes.landscape import Landscape

__all__ = ["LAG", "Progress", "run_sequence"]

LAG = 16
"""Task k knows what tasks up to k - LAG found; as many are in flight at once."""

_SEQUENCES = {"find_minima": 0, "connect": 1}
_SECONDS_BETWEEN_COMMITS = 2.0
_SECONDS_BETWEEN_LOOKS = 0.2


@dataclass(frozen=True)
class Progress:
    """How far a sequence has come.

    Attributes
    ----------
    sequence : str
        "find_minima" or "connect".
    done, goal : int
        Searches done in this call, and asked for.
    failed : int
        How many of them failed.
    seconds : float
        Since the call began.
    minima, transition_states : int
        In the landscape.
    """

    sequence: str
    done: int
    goal: int
    failed: int
    seconds: float
    minima: int
    transition_states: int


@contextmanager
def _pool(landscape: Landscape, workers: int | None, executor: Executor | None) -> Iterator[Executor]:
    if executor is not None:
        yield executor
        return
    workers = (workers or default_threads()) if landscape.system.threadsafe else 1
    pool = ThreadPoolExecutor(workers, thread_name_prefix="thalweg")
    try:
        # one thread a task: BLAS's own threads would only take processors from other tasks
        with threadpool_limits(1):
            yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class _Run:
    """One call of find_minima or connect: what is in flight, and what has come of it."""

    def __init__(self, landscape: Landscape, strategy: Strategy, settings: dict[str, Any], goal: int):
        self.landscape, self.strategy, self.settings, self.goal = landscape, strategy, settings, goal
        self.chosen: deque[tuple[int, Choice]] = deque(pending_choices(landscape, strategy.name))
        self.number = landscape.tasks_done.get(strategy.name, 0) + len(self.chosen)
        self.done = self.failed = 0
        self.began = time.monotonic()

    @property
    def promised(self) -> int:
        return self.done + sum(choice.size for _, choice in self.chosen)

    def choose(self) -> Choice:
        choice = self.strategy.choose(self.number, min(self.strategy.batch, self.goal - self.promised))
        self.chosen.append((self.number, choice))
        self.number += 1
        return choice

    def task(self, number: int, choice: Choice) -> Task:
        rows = [row for start in choice.starts for row in start if row >= 0]
        coordinates = self.landscape.minima.coordinates
        X = np.array([coordinates[row] for row in rows]).reshape(len(rows), self.landscape.system.n)
        name = self.strategy.name
        entropy = (self.landscape.seed, _SEQUENCES[name], number)
        settings = {**self.settings, "steps": choice.size}
        return Task(name, number, choice.kind, entropy, choice.starts, X, settings)

    def add(self, result: TaskResult) -> None:
        _, choice = self.chosen.popleft()
        added = self.landscape.add_task(self.strategy.name, result.searches)
        self.strategy.added(choice, result, added)
        self.done += choice.size
        self.failed += sum(search.status != CONVERGED for search in result.searches)

    def save(self) -> None:
        pending = [[number, kind, size, [list(start) for start in starts]] for number, (kind, size, starts) in self.chosen]
        state = {"pending": pending, "settings": self.settings, **self.strategy.state()}
        self.landscape.state[self.strategy.name] = state
        self.landscape.commit()

    def progress(self) -> Progress:
        return Progress(
            self.strategy.name, self.done, self.goal, self.failed, time.monotonic() - self.began,
            len(self.landscape.minima), len(self.landscape.transition_states),
        )  # fmt: skip


def pending_choices(landscape: Landscape, name: str) -> list[tuple[int, Choice]]:
    """Return the tasks that an earlier call chose and did not finish: they are done first, as they were chosen."""
    pending = landscape.state.get(name, {}).get("pending", [])
    return [
        (number, Choice(kind, size, tuple((int(a), int(b)) for a, b in starts))) for number, kind, size, starts in pending
    ]


def run_sequence(
    landscape: Landscape,
    strategy: Strategy,
    settings: dict[str, Any],
    goal: int,
    *,
    workers: int | None = None,
    executor: Executor | None = None,
    seconds: float | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Progress:
    """Do ``goal`` searches of a strategy and commit them in the order of tasks.

    Exactly when the result of task k has been added, task k + LAG is chosen; so a choice depends on results of
    tasks up to k alone, whoever works and however fast. Interrupted (Ctrl-C, SIGTERM, time), it commits what has
    been added together with the tasks chosen but not done, and a later call begins with these.

    Parameters
    ----------
    landscape : Landscape
        Open for writing.
    strategy : Strategy
        What to try.
    settings : dict
        For the tasks.
    goal : int
        Searches to be done in this call.
    workers : int, optional
        Threads; all processors where missing.
    executor : concurrent.futures.Executor, optional
        Where tasks run instead.
    seconds : float, optional
        No further tasks are awaited after this time.
    progress : callable, optional
        Called after every task.

    Returns
    -------
    Progress
        The last one.

    Raises
    ------
    KeyboardInterrupt
        After Ctrl-C or SIGTERM, once all is committed.
    """
    run = _Run(landscape, strategy, settings, goal)
    with deferred_signals() as stopped, _pool(landscape, workers, executor) as pool:
        try:
            _loop(run, pool, seconds, progress, stopped)
        finally:
            run.save()
    return run.progress()


def _loop(
    run: _Run,
    pool: Executor,
    seconds: float | None,
    progress: Callable[[Progress], None] | None,
    stopped: Callable[[], bool],
) -> None:
    def submit(number: int, choice: Choice) -> Future:
        return pool.submit(run_task, run.landscape.system, run.task(number, choice))

    futures = deque(submit(number, choice) for number, choice in run.chosen)
    committed = time.monotonic()
    while run.done < run.goal:
        while len(futures) < LAG and run.promised < run.goal:
            choice = run.choose()
            futures.append(submit(run.number - 1, choice))
        while not wait([futures[0]], timeout=_SECONDS_BETWEEN_LOOKS).done:
            if stopped() or _late(run, seconds):
                return
        run.add(futures.popleft().result())
        if progress is not None:
            progress(run.progress())
        if stopped() or _late(run, seconds):
            return
        if time.monotonic() - committed > _SECONDS_BETWEEN_COMMITS:
            run.save()
            committed = time.monotonic()


def _late(run: _Run, seconds: float | None) -> bool:
    return seconds is not None and time.monotonic() - run.began > seconds
