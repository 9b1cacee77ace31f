"""Searches from elsewhere: do they find transition states that a store of a Lennard-Jones cluster lacks?

    python -m tests.benchmarks.discoveries.bench_elsewhere lj10.zarr [lj10.zarr ...] --searches 40000

Transition states count as known if one of the same energy is in any of the stores. Searches start at random points, and
near minima and transition states of the last store; a line for each kind of start says what they found.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from pathlib import Path

import numpy as np

from thalweg.landscapes import Landscape
from thalweg.optimizers import find_transition_states

_SAME = 1e-7
_TOGETHER = 2000
_WAYS = (("random points", 0.0), ("minima", 0.5), ("transition states", 0.4), ("transition states", 0.15))
"""Where searches start, and the largest displacement of a coordinate from there."""


def look(paths: list[Path], searches: int) -> None:
    """Search from each kind of start, and print how often each unknown transition state was found."""
    known = np.zeros(0)
    for path in paths:
        with Landscape.open(path) as landscape:
            points = {"minima": landscape.minima.coordinates[:]}
            points["transition states"] = landscape.transition_states.coordinates[:]
            known, system = np.append(known, landscape.transition_states.energy[:]), landscape.system
    rng = np.random.default_rng(0)
    for name, size in _WAYS:
        began, arrived, new = time.process_time(), 0, Counter[float]()
        for _ in range(0, searches, _TOGETHER):
            if name in points:
                rows = points[name][rng.integers(len(points[name]), size=_TOGETHER)]
                starts = rows + size * rng.uniform(-1.0, 1.0, rows.shape)
            else:
                starts = np.array([system.random(rng) for _ in range(_TOGETHER)])
            found = find_transition_states(system, starts, threads=1)
            arrived += int(found.converged.sum())
            energies = found.energy[found.converged]
            unknown = energies[np.abs(energies[:, None] - known).min(axis=1) > _SAME]
            new.update(np.round(unknown, 6).tolist())
        spent = time.process_time() - began
        print(f"{name} (up to {size:g} away): {arrived} arrived, {dict(new)} are not known, {spent:.0f} s", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stores", type=Path, nargs="+")
    parser.add_argument("--searches", type=int, default=40_000)
    given = parser.parse_args()
    look(given.stores, given.searches)
