"""Walkers on threads: compiled kernels release the GIL, so Python's own threads balance them dynamically."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

__all__ = ["default_threads", "map_threads"]


def default_threads() -> int:
    """Return the number of processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_threads(work: Callable[[int, int], None], count: int, threads: int | None = None, pieces: int = 8) -> None:
    """Call ``work(start, stop)`` over ranges that together cover ``range(count)``.

    Parameters
    ----------
    work : callable
        Does the range ``start`` to ``stop`` (excluded); must release the GIL to gain anything.
    count : int
        How many walkers there are.
    threads : int, optional
        How many threads; all processors of this process by default. With one, ``work`` runs in this thread.
    pieces : int
        Ranges a thread gets on average: more balance better, fewer cost less.
    """
    threads = min(threads or default_threads(), max(count, 1))
    size = max(1, -(-count // (threads * pieces)))
    ranges = [(start, min(start + size, count)) for start in range(0, count, size)]
    if threads == 1:
        for start, stop in ranges:
            work(start, stop)
        return
    with ThreadPoolExecutor(threads) as pool:
        futures = [pool.submit(work, start, stop) for start, stop in ranges]
        try:
            for future in futures:
                future.result()
        except BaseException:
            for future in futures:
                future.cancel()
            raise
