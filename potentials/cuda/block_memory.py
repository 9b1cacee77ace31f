"""Where each block of a launch keeps what: in shared memory while it fits, else in a workspace on the device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["SHARED_BYTES", "Plan", "make_plan"]

# What a launch gives unasked
SHARED_BYTES = 48 * 1024
_FEWEST = 32


@dataclass(frozen=True)
class Plan:
    """The memory of a block.

    Attributes
    ----------
    threads : int, of a block.
    table : (groups, 4) int64, for each group of arrays: 0 for shared memory or 1 for the workspace, where it begins
        and ends there, and what a block has of the workspace, all in float64.
    shared : int, bytes of shared memory of a block.
    workspace : int, float64 of the workspace of a block.
    """

    threads: int
    table: np.ndarray
    shared: int
    workspace: int


def make_plan(rows: int, fixed: Sequence[int], threads: int, smallest: int = _FEWEST) -> Plan:
    """Plan the memory of a block.

    Parameters
    ----------
    rows : int
        Rows of scratch, of a number more than there are threads.
    fixed : sequence of int
        Sizes of the further groups, in the order in which shared memory is given to them.
    threads : int
        Of a block; halved, down to `smallest`, until the scratch fits.
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
