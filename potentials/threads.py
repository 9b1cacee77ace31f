"""Python threads over walkers: compiled kernels release the GIL, and a pool balances the load.

Meanwhile BLAS and LAPACK use one thread each: threads of their own for small matrices, started by every one of ours,
wait for each other.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache
from threading import local

from threadpoolctl import ThreadpoolController

from thalweg.potentials.conversion.numeric_options import whole_number

__all__ = ["default_threads", "map_threads", "thread_count"]


def default_threads() -> int:
    """Return the number of processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def thread_count(name: str, threads: int | None) -> int:
    """Return an option's number of threads, all processors where it is None.

    Raises
    ------
    TypeError, ValueError
        If it is no whole number of at least 1; the option is named.
    """
    return default_threads() if threads is None else whole_number(name, threads, 1)


@cache
def _libraries() -> ThreadpoolController:
    """Return the libraries with threads of their own; to look for them takes a millisecond.

    The LAPACK that compiled code diagonalises with is scipy's, which need not be loaded yet.
    """
    import scipy.linalg  # noqa: F401

    return ThreadpoolController()


_here = local()


def _begin_thread() -> None:
    _here.works = True


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    """Return the pool of so many threads, kept: to start 16 threads took 40 ms on a machine with 16 processors."""
    return ThreadPoolExecutor(threads, "thalweg", _begin_thread)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # a child has no threads but the one that forked


def map_threads(work: Callable[[int, int], None], count: int, threads: int | None = None, pieces: int = 8) -> None:
    """Call ``work(start, stop)`` over ranges that together cover ``range(count)``.

    Parameters
    ----------
    work : callable
        Function of a range from ``start`` to ``stop`` (excluded); threads only help if it releases the GIL.
    count : int
        Number of walkers.
    threads : int, optional
        Number of threads; all processors of this process by default. With one, or in a thread that does such work
        itself, ``work`` runs in the calling thread.
    pieces : int
        Mean number of ranges for each thread: more ranges balance better, fewer cost less.

    Raises
    ------
    TypeError, ValueError
        If ``threads`` is no whole number of at least 1.
    """
    most = thread_count("threads", threads)
    threads = min(most, max(count, 1))
    size = max(1, -(-count // (threads * pieces)))
    ranges = [(start, min(start + size, count)) for start in range(0, count, size)]
    if threads == 1 or getattr(_here, "works", False):
        for start, stop in ranges:
            work(start, stop)
        return
    with _libraries().limit(limits=1, user_api="blas"):
        pool, futures = _pool(most), list[Future[None]]()
        try:
            futures.extend(pool.submit(work, start, stop) for start, stop in ranges)
            for future in futures:
                future.result()
        finally:
            for future in futures:
                future.cancel()
            wait(futures)
