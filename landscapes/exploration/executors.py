"""Executors for searches: processes of this machine, or a dask cluster."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import wait
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any

from thalweg.potentials.conversion.numeric_options import positive_number, whole_number
from thalweg.potentials.lazy import public

__all__ = ["CallerThread", "Processes", "dask_executor", "end_executor", "in_pool"]

MOST_PROCESSES = 4096
"""All of a pool are started at once."""

_GRACE = 5.0
"""Seconds that processes have to end by themselves, before they are killed."""

_in_pool = False  # set in processes of our own pools

_KILLED = 1.0
"""Longest time to wait for processes that were killed, in seconds: one that waits for a disk may not end at once."""


@public("thalweg.landscapes")
class Processes:
    """Factory of process pools: ``landscape.connect(1000, executor=Processes(8))``.

    The processes are spawned, since a fork after threads have run may hang; a script that uses them needs the usual
    ``if __name__ == "__main__":``.

    Parameters
    ----------
    workers : int, optional
        Processes; all processors where missing.

    Raises
    ------
    ValueError
        If ``workers`` is less than one.

    Examples
    --------
    >>> from thalweg.landscapes import Processes
    >>> Processes(8)
    Processes(8)
    """

    def __init__(self, workers: int | None = None) -> None:
        self.workers = default_threads() if workers is None else whole_number("workers", workers, 1, MOST_PROCESSES)

    def __call__(self) -> ProcessPoolExecutor:
        """Return a new pool."""
        return _ProcessPool(self.workers)

    def __repr__(self) -> str:
        return f"Processes({self.workers})"


class _Spawning(SpawnContext):
    """Spawning of processes that remembers those it made."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[SpawnProcess] = []

    def Process(self, *args: Any, **kwargs: Any) -> SpawnProcess:  # type: ignore[override]
        """Return a new process."""
        self.made.append(SpawnProcess(*args, **kwargs))
        return self.made[-1]


class _ProcessPool(ProcessPoolExecutor):
    """Pool of spawned processes that can be ended although some of them do not answer."""

    def __init__(self, workers: int) -> None:
        self._spawning = _Spawning()
        super().__init__(workers, mp_context=self._spawning, initializer=_prepare)

    def end(self, seconds: float) -> None:
        """Shut the pool down, and kill the processes that have not ended after some seconds.

        A process that is stopped (SIGSTOP), or whose task hangs in foreign code, would be waited for without an end.
        """
        self.shutdown(wait=False, cancel_futures=True)
        try:
            self._wait(seconds)
        finally:  # also when a second Ctrl-C ends the waiting
            for process in self._started():
                process.kill()
        self._wait(_KILLED)

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        running = [process.sentinel for process in self._started()]
        while running and (left := until - time.monotonic()) > 0:
            ended = wait(running, left)
            running = [sentinel for sentinel in running if sentinel not in ended]

    def _started(self) -> list[SpawnProcess]:
        return [process for process in self._spawning.made if process.pid is not None]


def end_executor(executor: Executor, seconds: float | None = None) -> None:
    """Shut an executor down, and drop the tasks that it has not begun.

    Parameters
    ----------
    executor : Executor
        Any. Only a pool that `Processes` made can be ended while its processes do not answer; threads and others are
        waited for.
    seconds : float, optional
        Time that tasks have to end, 5 s where missing, and at most; with 0 nothing is waited for.
    """
    seconds = _GRACE if seconds is None else min(seconds, _GRACE)
    if isinstance(executor, _ProcessPool):
        executor.end(seconds)
    else:
        executor.shutdown(wait=seconds > 0, cancel_futures=True)


class CallerThread(Executor):
    """Executor that runs what was submitted in the thread that asks for it, one task whenever it is asked.

    A potential written in Python may be one that objects to other threads, such as a calculator with a database or
    with alarms.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[Future, Callable[[], Any]]] = deque()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
        """Put a call in the queue."""
        future: Future = Future()
        self._waiting.append((future, partial(fn, *args, **kwargs)))
        return future

    def run_one(self) -> None:
        """Run the first call in the queue that was not cancelled, if there is one."""
        while self._waiting:
            future, call = self._waiting.popleft()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(call())
            except Exception as error:
                future.set_exception(error)
            return

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Empty the queue."""
        self._waiting.clear()


def default_threads() -> int:
    """Return the number of processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_pool() -> bool:
    """Return whether this is a process of a pool of our own, which computes nothing else."""
    return _in_pool


def _prepare() -> None:
    """Make a process of our own pool leave Ctrl-C to its parent, and end when the parent is gone, however that died."""
    global _in_pool
    _in_pool = True
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)


@contextmanager
def dask_executor(address: str, timeout: float = 20.0) -> Iterator[Executor]:
    """Yield the executor of a dask cluster.

    Parameters
    ----------
    address : str
        Address of the scheduler, such as ``"tcp://10.0.0.1:8786"``, or a file that it wrote.
    timeout : float
        Longest time to wait for it, in seconds.

    Yields
    ------
    concurrent.futures.Executor
        Executor for `Landscape.find_minima` and `Landscape.connect`.

    Raises
    ------
    ImportError
        If `distributed` is not installed.
    ConnectionError
        If nothing answers there.

    Examples
    --------
    >>> from thalweg.landscapes import dask_executor
    >>> try:
    ...     with dask_executor("tcp://127.0.0.1:1", timeout=0.1) as executor:
    ...         pass  # landscape.connect(searches=1000, executor=executor)
    ... except (ConnectionError, ImportError):
    ...     print("nothing listens there, or distributed is not installed")
    nothing listens there, or distributed is not installed
    """
    try:
        import dask
        from distributed import Client
    except ImportError as error:
        raise ImportError("a scheduler needs dask.distributed: pip install 'thalweg[distributed]'") from error
    timeout = positive_number("timeout", timeout)
    where = {"scheduler_file": address} if address.endswith(".json") else {"address": address}
    # A system with much data is sent once to each worker: dask need not warn of it.
    with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TB"}):
        try:
            client = Client(**where, set_as_default=False, timeout=timeout)
        except (OSError, ValueError) as error:
            raise ConnectionError(f"no dask scheduler answers at {address}: {error}") from error
        with client, client.get_executor(pure=False) as executor:
            yield executor
