"""Block-wide CUDA operations: sums and shared memory; one block works on one walker.

Like every GPU module but :mod:`~thalweg.potentials.cuda.availability`, this one imports numba.cuda: load it only once
a GPU is asked for. Device functions are inlined by LLVM: numba's own inlining takes ten times as long to compile.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from numba import config, cuda

from thalweg.potentials.cuda.functions import DeviceFunction

__all__ = ["block_sums", "carvers", "clamped", "device", "room_size"]

# the simulator knows no inlining
device = cuda.jit(device=True) if config.ENABLE_CUDASIM else cuda.jit(device=True, forceinline=True)

PARTS = 8  # partial sums of each of the three


def room_size(threads: int) -> int:
    """Return how many float64 :func:`block_sums` needs."""
    return 3 * threads + 3 * PARTS


@device
def block_sums(a, b, c, room):
    """Return the sums of a, b and c over the block's threads, the same to all of them; a barrier on both sides."""
    thread, threads = cuda.threadIdx.x, cuda.blockDim.x
    cuda.syncthreads()
    room[thread] = a
    room[threads + thread] = b
    room[2 * threads + thread] = c
    cuda.syncthreads()
    for q in range(thread, 3 * PARTS, threads):
        part = 0.0
        for i in range(q % PARTS, threads, PARTS):
            part += room[q // PARTS * threads + i]
        room[3 * threads + q] = part
    cuda.syncthreads()
    a, b, c = 0.0, 0.0, 0.0
    for q in range(PARTS):
        a += room[3 * threads + q]
        b += room[3 * threads + PARTS + q]
        c += room[3 * threads + 2 * PARTS + q]
    return a, b, c


# a device function may not return a part of an array, so numba itself inlines these
@cuda.jit(device=True, inline="always")
def _carve_near(near, far, plan, group):
    return near[plan[group, 1] : plan[group, 2]]


@cuda.jit(device=True, inline="always")
def _carve_far(near, far, plan, group):
    base = cuda.blockIdx.x * plan[0, 3]
    return far[base + plan[group, 1] : base + plan[group, 2]]


def carvers(far: Sequence[bool]) -> list[DeviceFunction]:
    """Return for each group of a plan ``carve(near, workspace, plan, group)``, which finds the block's part of memory.

    `far` says which groups are in the workspace. A function that chose while it runs would hide from the compiler
    that memory is shared, and access to it would take longer.
    """
    return [_carve_far if away else _carve_near for away in far]


@device
def clamped(value, limit):
    """Return value cut to +-limit."""
    return math.copysign(limit, value) if abs(value) > limit else value
