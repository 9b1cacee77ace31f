"""Memory plan of a block: groups of arrays in shared memory while they fit, else in a workspace on the device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["SHARED_BYTES", "Plan", "make_plan"]

# Shared memory of a launch without special attributes
SHARED_BYTES = 48 * 1024
_FEWEST = 32


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


def make_plan(rows: int, fixed: Sequence[int], threads: int, smallest: int = _FEWEST) -> Plan:
    """Plan the memory of a block.

    Parameters
    ----------
    rows : int
        Rows of scratch; each has one number more than there are threads.
    fixed : sequence of int
        Sizes of the further groups in float64, in the order in which they are given shared memory.
    threads : int
        Threads of a block; halved, down to `smallest`, until the scratch fits.
    smallest : int
        Fewest threads of a block.

    Returns
    -------
    Plan
    """
    while threads > smallest and 8 * (rows * (threads + 1) + 3 * threads + 24) > SHARED_BYTES:
        threads //= 2
    table, near, far = [], 0, 0
    for size in (3 * threads + 24, rows * (threads + 1), *fixed):
        if 8 * (near + size) <= SHARED_BYTES:
            table.append((0, near, near + size, 0))
            near += size
        else:
            table.append((1, far, far + size, 0))
            far += size
    places = np.array(table, dtype=np.int64)
    places[:, 3] = far
    return Plan(threads, places, 8 * near, far)
