"""Searches near low minima of a deep network: how many steps uphill, and how long at first, bring most for their time.

    python -m tests.benchmarks.networks.bench_near_searches --hidden 4,4,4 --seed 0 --searches 180

Basin-hopping and 1,000 searches make a landscape of D1's loss; then each setting searches from the same starts, near
the 200 lowest minima, by a half, a fifth and a tenth of the usual displacement in turn. Lines: CPU a search, searches
that succeeded, different transition states, and different ones that join the minimum that was left to another, with
both numbers a second of CPU. ``usual`` are the settings of all other searches, ``near`` those of growth.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from thalweg.analysis.systems.named import build, default_options
from thalweg.landscapes import Landscape
from thalweg.landscapes.exploration.settings import growth_settings, search_settings
from thalweg.optimizers import find_transition_states
from thalweg.optimizers.kernels.status import Status
from thalweg.potentials.system import System

_PARTS, _LOWEST, _AT_ONCE = (0.5, 0.2, 0.1), 200, 4


def starts(landscape: Landscape, searches: int) -> tuple[np.ndarray, np.ndarray]:
    """Return starts, and the energies of the minima that they are near, the n-th lowest about 10 / n times as often."""
    energies, rng = landscape.minima.energy[:], np.random.default_rng(77)
    lowest = np.argsort(energies, kind="stable")[:_LOWEST]
    tries, rank, X, left = np.zeros(len(lowest)), np.arange(len(lowest)) + 10.0, [], []
    for number in range(searches):
        place = int(np.argmin((tries + 1.0) * rank))
        tries[place] += 1.0
        size = 0.1 * _PARTS[number % len(_PARTS)] * rng.uniform(0.3, 1.0)
        x = landscape.minima.coordinates[int(lowest[place])]
        X.append(x + size * rng.standard_normal(x.size))
        left.append(energies[lowest[place]])
    return np.array(X), np.array(left)


def measure(system: System, X: np.ndarray, left: np.ndarray, name: str, steps: int, max_step: float) -> None:
    """Search from all starts, each batch knowing what the ones before it found, and print what came of it."""
    known: list[float] = []
    connecting, succeeded, spent = 0, 0, 0.0
    for begin in range(0, len(X), _AT_ONCE):
        batch = slice(begin, begin + _AT_ONCE)
        began = time.process_time()
        result = find_transition_states(system, X[batch], steps=steps, max_step=max_step, known=known, threads=1)
        spent += time.process_time() - began
        for row, energy in enumerate(result.energy):
            succeeded += bool(result.converged[row]) or result.reason[row] == Status.KNOWN.reason
            if not result.converged[row] or (known and np.abs(np.array(known) - energy).min() < 1e-7):
                continue
            known.append(float(energy))
            ends = result.minima_energy[row]
            connecting += bool(np.abs(ends - left[begin + row]).min() < 1e-7 < abs(ends[0] - ends[1]))
    print(
        f"{name}: {steps} steps, {max_step} at first: {1e3 * spent / len(X):.1f} ms a search, {succeeded} of {len(X)} "
        f"succeed, {len(known)} transition states ({len(known) / spent:.1f} a second), {connecting} new connections "
        f"({connecting / spent:.2f} a second)",
        flush=True,
    )


def main() -> None:
    """Make a landscape, and search it in each way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hidden", default="4,4,4")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--searches", type=int, default=180)
    parser.add_argument("--before", type=int, default=1000, help="searches that make the landscape")
    given = parser.parse_args()
    options = default_options("D1") | {"hidden": [int(width) for width in given.hidden.split(",")], "seed": given.seed}
    with (
        threadpool_limits(1),
        tempfile.TemporaryDirectory() as place,
        Landscape(build("D1", options).subject, Path(place) / "near.zarr", seed=given.seed) as landscape,
    ):
        landscape.find_minima(200, workers=1, progress=False)
        landscape.connect(given.before, workers=1, progress=False)
        near = growth_settings(landscape.system, search_settings(landscape), 1.0)
        X, left = starts(landscape, given.searches)
        find_transition_states(landscape.system, X[:1], threads=1)  # compile
        measure(landscape.system, X, left, "usual", 200, 0.3)
        measure(landscape.system, X, left, "near", near["most_steps"], near["max_step"])


if __name__ == "__main__":
    main()
