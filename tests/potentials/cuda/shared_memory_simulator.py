"""Numba's CUDA simulator with shared memory that is shared: to be imported once NUMBA_ENABLE_CUDASIM is set."""

from __future__ import annotations

import threading
from typing import Any

__all__ = ["share_memory"]


class _Allocations(dict):
    """The arrays of a block by the line that asks for them; who finds none holds a lock until it has put one there.

    The simulator looks and allocates in two steps: two threads that both find none would each get an array of their
    own, see different values, leave loops at different times, and wait at barriers for ever.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()

    def get(self, line: Any, default: Any = None) -> Any:
        self._lock.acquire()
        found = super().get(line)
        if found is not None:
            self._lock.release()
        return found

    def __setitem__(self, line: Any, array: Any) -> None:
        super().__setitem__(line, array)
        self._lock.release()


def share_memory() -> None:
    """Let all blocks that the simulator runs from now on allocate shared arrays one thread at a time."""
    from numba.cuda.simulator.kernelapi import FakeCUDAShared

    made = FakeCUDAShared.__init__

    def make(self: Any, dynshared_size: int) -> None:
        made(self, dynshared_size)
        self._allocations = _Allocations()

    FakeCUDAShared.__init__ = make
