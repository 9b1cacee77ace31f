"""Workers: tasks are submitted to any executor, and submitted again where a worker was lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import (
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from contextlib import contextmanager
from queue import Empty, SimpleQueue

from threadpoolctl import threadpool_limits

from thalweg.landscapes.exploration.executors import CallerThread, Processes, end_executor
from thalweg.landscapes.exploration.system_transfer import Parcel, run_sent
from thalweg.landscapes.exploration.task import Task
from thalweg.landscapes.exploration.tasks import run_task
from thalweg.landscapes.records import TaskResult
from thalweg.potentials.compiled.callbacks import SearchStopped
from thalweg.potentials.system import System
from thalweg.potentials.threads import default_threads

__all__ = ["Job", "Workers", "open_workers"]

_TRIES = 8
"""How often a task may lose its worker before the exploration gives up."""

_LOST = ("KilledWorker", "CommClosedError")  # errors of distributed, which need not be installed


class Job:
    """A task on its way: its future, how often it lost its worker, and in the end its result."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.future: Future | None = None
        self.result: TaskResult | None = None
        self.losses = 0
        self.pool = 0

    @property
    def done(self) -> bool:
        """Whether the result is there."""
        return self.result is not None


class Workers:
    """Workers of an executor, which run tasks.

    Threads of this process share the system. To other processes it goes once each: a worker that does not have it
    says so, and gets it with the same task again. A task whose worker died is run again; a pool that is broken
    for good is replaced.

    Parameters
    ----------
    system : System
        What is explored.
    executor : Executor
        Where tasks run.
    replace : callable, optional
        Makes the executor that takes the place of a broken one.
    """

    def __init__(self, system: System, executor: Executor, replace: Callable[[], Executor] | None = None) -> None:
        self.system, self.executor, self._replace = system, executor, replace
        self._parcel = None if isinstance(executor, ThreadPoolExecutor | CallerThread) else Parcel(system)
        self._pool = 0  # counts executors: a broken one is replaced once, not once for each of its tasks
        self._finished: SimpleQueue[tuple[Job, Future]] = SimpleQueue()
        self._out: set[Job] = set()
        self._sent = False

    def submit(self, task: Task) -> Job:
        """Hand a task out."""
        job = Job(task)
        self._out.add(job)
        self._send(job, whole=not self._sent)
        self._sent = True
        return job

    def _send(self, job: Job, whole: bool) -> None:
        try:
            job.pool, job.future = self._pool, self._future(job.task, whole)
        except (BrokenExecutor, RuntimeError) as error:  # RuntimeError: it was shut down
            self._lost(job, error)
            return
        job.future.add_done_callback(lambda future: self._finished.put((job, future)))

    def _future(self, task: Task, whole: bool) -> Future:
        if self._parcel is None:
            return self.executor.submit(run_task, self.system, task)
        return self.executor.submit(run_sent, self._parcel.key, self._parcel.data if whole else None, task)

    def tend(self, timeout: float) -> None:
        """Wait until some task has finished, and look at it: it is done, or it goes out again.

        Raises
        ------
        Exception
            What a task raised.
        """
        if isinstance(self.executor, CallerThread):
            try:
                self.executor.run_one()
            except SearchStopped:
                return
        try:
            job, future = self._finished.get(timeout=timeout)
        except Empty:
            self._look_for_stranded()
            return
        if future is not job.future:
            return  # it has been given up, and the task handed out again
        try:
            result = future.result()
        except (BrokenExecutor, CancelledError) as error:
            self._lost(job, error)
        except Exception as error:
            if type(error).__name__ not in _LOST:
                raise
            self._lost(job, error)
        else:
            if isinstance(result, str):
                self._send(job, whole=True)
            else:
                job.result = result
                self._out.discard(job)

    def _look_for_stranded(self) -> None:
        """Take tasks as lost whose pool broke in the moment they were handed out: nobody may ever say so of them."""
        broken = getattr(self.executor, "_broken", False)  # concurrent.futures has no public word for it
        for job in [job for job in self._out if job.future is not None and not job.future.done()]:
            if broken or job.pool != self._pool:
                self._lost(job, BrokenExecutor("its pool broke when the task was handed out"))

    def _lost(self, job: Job, error: BaseException) -> None:
        job.losses += 1
        if job.losses > _TRIES:
            raise RuntimeError(
                f"task {job.task.number} of {job.task.sequence} lost its worker {job.losses} times, the last time to "
                f"{error!r}: what was added before is kept"
            ) from error
        if isinstance(error, BrokenExecutor | RuntimeError) and job.pool == self._pool:
            self._renew(error)
        self._send(job, whole=True)

    def _renew(self, error: BaseException) -> None:
        if self._replace is None:
            raise RuntimeError(f"the executor takes no more tasks, and there is no other: {error!r}") from error
        end_executor(self.executor, 0.0)
        self.executor, self._pool = self._replace(), self._pool + 1

    @contextmanager
    def interrupted_by(self, stop: Callable[[], bool]) -> Iterator[None]:
        """Let a search in the caller's own thread end as soon as ``stop`` says so, inside the block."""
        if not isinstance(self.executor, CallerThread):
            yield
            return
        self.system.interrupted = stop
        try:
            yield
        finally:
            self.system.interrupted = None

    def cancel(self, jobs: list[Job]) -> None:
        """Take back tasks that have not begun."""
        for job in jobs:
            self._out.discard(job)
            if job.future is not None:
                job.future.cancel()


@contextmanager
def open_workers(
    system: System,
    workers: int | None = None,
    executor: Executor | Callable[[], Executor] | None = None,
    grace: float | None = None,
) -> Iterator[Workers]:
    """Yield what runs tasks; executors that were made here are shut down on leaving.

    Parameters
    ----------
    system : System
        What is explored.
    workers : int, optional
        Threads of this process where no executor is given; all processors where missing. A potential written in Python
        is computed in the thread of the caller.
    executor : Executor or callable, optional
        An executor, which stays the caller's, or what makes one, such as `Processes`.
    grace : float, optional
        Most seconds that other processes have to end by themselves when a run is over; 5 where missing, and at most.
    """
    if executor is None:
        if system.threadsafe:
            system.make_stoppable(system.compiled, system.x)
        own: Executor = CallerThread()
        if system.threadsafe:
            own = ThreadPoolExecutor(workers or default_threads(), thread_name_prefix="thalweg")
        made = Workers(system, own)
    elif isinstance(executor, Executor):
        made = Workers(system, executor, _replacement(executor))
    else:
        made = Workers(system, executor(), executor)
    try:
        # One thread a task: BLAS's own threads would only take processors from other tasks.
        with threadpool_limits(1):
            yield made
    finally:
        if made.executor is not executor:
            _shut_down(made, grace)


def _shut_down(made: Workers, grace: float | None) -> None:
    """End the threads or processes; what they still do is lost, so processes are waited for a few seconds only."""
    made.system.stop()
    try:
        end_executor(made.executor, *(() if grace is None else (grace,)))
    finally:
        made.system.go_on()


def _replacement(executor: Executor) -> Callable[[], Executor] | None:
    if not isinstance(executor, ProcessPoolExecutor):
        return None
    return Processes(getattr(executor, "_max_workers", None))
