"""Where one writer saturates: tasks that sleep for a second or five on 1 to 1,000 simulated workers.

``python -m pytest tests/benchmarks/bench_scaling.py -m benchmark -s`` prints the table of docs/scaling.md. Everything
but the tasks is real: choices, queue, pickled system, duplicates, commits to the disk.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from concurrent.futures import Executor, Future

import numpy as np
import pytest

from thalweg.landscapes import Landscape, Minimum, Search, TransitionState
from thalweg.landscapes.exploration.sequence import run_sequence
from thalweg.landscapes.records import TaskResult
from thalweg.landscapes.run_options import RunOptions
from thalweg.landscapes.strategies.basin_hopping import BasinHoppingChains
from thalweg.landscapes.strategies.connect import Connect

N = 74  # coordinates of the networks of the paper


class System:
    """Stands in for one whose tasks others do."""

    n, units, threadsafe = N, "reduced", True
    atoms, constant_null_modes, has_symmetry = None, np.zeros((0, N)), True
    may_be_made_symmetric = may_start_symmetric = False

    def describe(self):
        return {"kind": "made up", "calculator": {"name": "made up"}}

    def distance(self, a, b):
        return float(np.linalg.norm(a - b))

    def order(self, x):
        return 1

    def stop(self):
        """Nothing runs in this process."""

    go_on = stop


def minimum(k):
    return Minimum(
        -(k * 0.6180339887498949 % 1.0), np.sin((k + 1) * 1e4 * np.sqrt(np.arange(2, N + 2))), 0.0, 1.0, 1.0, N
    )


def result(task):
    """Five steps, of which two find something new; or four searches, each a transition state with two minima."""
    k, rng = task.number, np.random.default_rng(task.number)
    if task.sequence == "find_minima":
        rows = [2 * k, 2 * k + 1, *rng.integers(0, 2 * k + 2, 3).tolist()]
        return TaskResult(tuple(Search(k, task.kind, minima=(minimum(row),)) for row in rows), 0)
    found = []
    for start in task.starts:
        ends = tuple(minimum(row) for row in rng.integers(0, 1000, 2).tolist())
        x = rng.normal(size=N)
        state = TransitionState(1 + rng.random(), x, 0.0, -1.0, 1.0, N - 1, 0, ends, (1.0, 1.0))
        found.append(Search(k, task.kind, start=start, transition_states=(state,)))
    return TaskResult(tuple(found))


class Sleepers(Executor):
    """Workers who sleep: each takes the next task when its last one is over."""

    def __init__(self, workers, seconds):
        self._seconds, self._free = seconds, [0.0] * workers
        self._due, self._count = [], itertools.count()
        self._changed, self._closed = threading.Condition(), False
        self._thread = threading.Thread(target=self._deliver)
        self._thread.start()

    def submit(self, fn, /, *args, **kwargs):
        future, task = Future(), args[-1]
        with self._changed:
            end = max(time.monotonic(), heapq.heappop(self._free)) + self._seconds * np.random.default_rng(
                task.number
            ).uniform(0.5, 1.5)
            heapq.heappush(self._free, end)
            heapq.heappush(self._due, (end, next(self._count), future, task))
            self._changed.notify()
        return future

    def _deliver(self):
        while True:
            with self._changed:
                while not self._closed and not (self._due and self._due[0][0] <= time.monotonic()):
                    self._changed.wait(self._due[0][0] - time.monotonic() if self._due else None)
                if self._closed:
                    return
                _, _, future, task = heapq.heappop(self._due)
            if future.set_running_or_notify_cancel():
                future.set_result(result(task))

    def shutdown(self, wait=True, *, cancel_futures=False):
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()


def rate(path, workers, length, connect):
    """Return tasks a second once all workers are busy, and the writer's processor time for a task."""
    seconds = 10.0 + 4 * length + 0.03 * workers  # the queue must be full first
    with Landscape(System(), path, tasks_ahead=4 * workers) as landscape:
        if connect:
            for k in range(1000):
                landscape.add_minimum(minimum(k))
        executor = Sleepers(workers, length)
        strategy = Connect(landscape, [], 4) if connect else BasinHoppingChains(landscape, [], 5)
        marks = []
        began = time.process_time()
        options = RunOptions(executor=executor, seconds=seconds)
        run_sequence(landscape, strategy, {}, 10**9, options, lambda progress: marks.append(time.monotonic()))
        spent = time.process_time() - began
        executor.shutdown()
    late = [mark for mark in marks if mark > marks[-1] - seconds / 3]
    return (len(late) - 1) / (late[-1] - late[0]), spent / len(marks)


@pytest.mark.benchmark
@pytest.mark.parametrize("connect", [False, True])
def test_where_one_writer_saturates(tmp_path, connect):
    print(f"\n{'transition states' if connect else 'basin-hopping'}")
    print("workers  seconds a task  tasks/s  of ideal  writer ms a task")
    for workers, length in ((1, 1), (10, 1), (30, 1), (100, 1), (300, 1), (1000, 1), (300, 5), (1000, 5)):
        tasks, writer = rate(tmp_path / f"{workers} {length}.zarr", workers, length, connect)
        print(f"{workers:7d}{length:16d}{tasks:9.1f}{tasks * length / workers:10.2f}{1e3 * writer:18.2f}")
