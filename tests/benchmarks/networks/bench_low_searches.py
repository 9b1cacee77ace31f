"""Searches that leave low minima of a large landscape: new connections for a second of CPU.

    python -m tests.benchmarks.networks.bench_low_searches STORE --cpu 60

The store is one that ``bench_large_landscape`` has grown (``--store``); it is copied, not changed. From the copy go
searches that growth would send from low minima of the component of the lowest, and no others: first as growth does
them, giving up soon (``nearby``), then as it did before. A new connection is a new transition state that joins the
minimum that was left to another one.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path
from unittest import mock

import numpy as np

from thalweg.landscapes import SINGLE_ENDED, AddedSearch, Choice, Landscape
from thalweg.landscapes.exploration import tasks
from thalweg.landscapes.records import TaskResult
from thalweg.landscapes.strategies.connect import Connect
from thalweg.landscapes.strategies.displacements import is_new_connection
from thalweg.landscapes.strategies.growth import INSIDE

_AT_ONCE = 200


class FromLowMinima(Connect):
    """Only those searches of growth that leave low minima of the component of the lowest."""

    found: list[tuple[int, int, int]]

    def choose(self, number: int, size: int) -> Choice:
        starts = self._growth.starts(INSIDE, size, np.inf)
        return self._counted(Choice(SINGLE_ENDED, size, starts, self._growth.part(number)))

    def added(self, choice: Choice, result: TaskResult, added: list[AddedSearch]) -> None:
        super().added(choice, result, added)
        for search, rows in zip(result.searches, added, strict=True):
            self.found.append((int(is_new_connection(search, rows)), sum(rows.new_minima), search.steps))


def line(found: list[tuple[int, int, int]], spent: float, states: int) -> str:
    """Return in one line what searches have brought, in so many seconds of CPU."""
    new, minima, steps = np.sum(found, axis=0)
    return (
        f"{len(found)} searches in {spent:.1f} s of CPU, {1e3 * spent / len(found):.1f} ms and "
        f"{steps / len(found):.1f} steps each: {new} new connections, {new / spent:.2f} a second; "
        f"{states} new transition states, {minima} new minima"
    )


def measure(store: Path, cpu: float) -> str:
    """Search from a copy of a store for so many seconds of CPU."""
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copytree(store, Path(folder) / "copy.zarr")
        FromLowMinima.found = []
        with Landscape.open(copy, mode="r+") as landscape:
            landscape.connect(4, workers=1, progress=False, strategy=FromLowMinima)  # compiles
            FromLowMinima.found, states = [], len(landscape.transition_states)
            began = time.process_time()
            while (spent := time.process_time() - began) < cpu:
                landscape.connect(_AT_ONCE, workers=1, progress=False, strategy=FromLowMinima)
            return line(FromLowMinima.found, spent, len(landscape.transition_states) - states)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path)
    parser.add_argument("--cpu", type=float, default=60.0)
    given = parser.parse_args()
    print("as growth does:", measure(given.store, given.cpu), flush=True)
    with mock.patch.object(tasks, "_stays_nearby", return_value=False):
        print("as before:     ", measure(given.store, given.cpu), flush=True)
