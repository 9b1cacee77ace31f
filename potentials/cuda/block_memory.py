"""Memory plan of a block: groups of arrays in shared memory while they fit, else in a workspace on the device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import config
from numpy.typing import NDArray

__all__ = ["MOST_THREADS", "SIMULATED_THREADS", "Plan", "fitting_threads", "make_plan"]

# Shared memory of a launch without special attributes
_SHARED_BYTES = 48 * 1024
# What a block may take for each of its warps once the scratch has its place, so that 14 warps fit on a multiprocessor
_WARP_BYTES = 16 * 1024
# Of a multiprocessor of an H100 or H200, and what each block takes besides
_MULTIPROCESSOR_BYTES, _RESERVED_BYTES = 228 * 1024, 1024
_RESIDENT = 512  # threads of all blocks there, with 128 registers each
MOST_THREADS, _FEWEST = 128, 32
SIMULATED_THREADS = 4  # of a block in the simulator


@dataclass(frozen=True)
class Plan:
    """Memory plan of a block.

    Attributes
    ----------
    threads : int
        Threads of a block.
    table : ndarray of int64, shape (groups, 4)
        For each group of arrays: 0 for shared memory or 1 for the workspace, its first entry there, the entry after its
        last, and the size of a block's part of the workspace; all sizes in float64.
    shared : int
        Shared memory of a block, in bytes.
    workspace : int
        Workspace of a block, in float64.
    """

    threads: int
    table: NDArray[np.int64]
    shared: int
    workspace: int

    @property
    def bounds(self) -> tuple[int, int]:
        """Launch bounds for the compiler: so many threads of a block, and so many such blocks on a multiprocessor.

        They leave a thread 128 registers: on an H200 that was faster than more registers and fewer blocks, although
        some numbers spill (docs/gpu.md). Where shared memory has no room for as many threads, registers that were given
        up would be given up for nothing.
        """
        resident = self.threads * (_MULTIPROCESSOR_BYTES // (self.shared + _RESERVED_BYTES))
        return MOST_THREADS, max(1, -(-min(_RESIDENT, resident) // MOST_THREADS))

    @property
    def far(self) -> tuple[bool, ...]:
        """Say of each group whether it is in the workspace."""
        return tuple(bool(place) for place in self.table[:, 0])


def _own_size(rows: int, threads: int) -> tuple[int, int]:
    """Return the sizes in float64 of the room for sums and of the scratch."""
    return 3 * threads + 24, rows * (threads + 1)


def fitting_threads(rows: int, threads: int) -> int:
    """Return how many threads a block may have, a multiple of 32, so that the scratch of so many rows is shared."""
    if config.ENABLE_CUDASIM:
        return SIMULATED_THREADS
    while threads > _FEWEST and 8 * sum(_own_size(rows, threads)) > _SHARED_BYTES:
        threads -= 32
    return threads


def make_plan(rows: int, fixed: Sequence[int], threads: int) -> Plan:
    """Plan the memory of a block.

    Parameters
    ----------
    rows : int
        Rows of scratch; each has one number more than there are threads.
    fixed : sequence of int
        Sizes of the further groups in float64, in the order in which they are given shared memory.
    threads : int
        Threads of a block.

    Returns
    -------
    Plan
    """
    table, near, far = [], 0, 0
    for number, size in enumerate((*_own_size(rows, threads), *fixed)):
        most = _SHARED_BYTES if number < 2 else min(_SHARED_BYTES, _WARP_BYTES * max(1, threads // 32))
        if 8 * (near + size) <= most:
            table.append((0, near, near + size, 0))
            near += size
        else:
            table.append((1, far, far + size, 0))
            far += size
    places = np.array(table, dtype=np.int64)
    places[:, 3] = far
    return Plan(threads, places, 8 * near, far)
