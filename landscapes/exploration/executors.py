"""Executors for searches: processes of this machine, or a dask cluster."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

from thalweg.potentials.lazy import public

__all__ = ["Processes", "dask_executor"]


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
        if workers is not None and (int(workers) != workers or workers < 1):
            raise ValueError(f"workers must be a whole number, at least 1; it is {workers}")
        self.workers = int(workers or default_threads())

    def __call__(self) -> ProcessPoolExecutor:
        """Return a new pool."""
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self.workers, mp_context=context, initializer=_prepare)

    def __repr__(self) -> str:
        return f"Processes({self.workers})"


def default_threads() -> int:
    """Return the number of processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _prepare() -> None:
    """Make a process of our own pool leave Ctrl-C to its parent, and end when the parent is gone, however that died."""
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
    where = {"scheduler_file": address} if address.endswith(".json") else {"address": address}
    # A system with much data is sent once to each worker: dask need not warn of it.
    with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TB"}):
        try:
            client = Client(**where, set_as_default=False, timeout=timeout)
        except (OSError, ValueError) as error:
            raise ConnectionError(f"no dask scheduler answers at {address}: {error}") from error
        with client, client.get_executor(pure=False) as executor:
            yield executor
