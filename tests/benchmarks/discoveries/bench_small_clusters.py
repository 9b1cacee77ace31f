"""What the default exploration of a small cluster finds: points, searches and time, beside the published numbers.

    OMP_NUM_THREADS=1 python -m tests.benchmarks.discoveries.bench_small_clusters LJ9 [LJ8 ...] --seeds 5 --workers 1

Each line also says after how many searches the last transition state was found. `--stores FOLDER` reads stores that
are there (`LJ9-0.zarr` of seed 0) and explores the others there.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.benchmarks.discoveries.bench_forecast import KNOWN
from thalweg.landscapes import Landscape
from thalweg.landscapes.records import BASIN_HOPPING


def explored(name: str, seed: int, store: Path, workers: int) -> str:
    """Explore a cluster by the default command where there is no store yet; return the time that it took."""
    if store.exists():
        return "read"
    words = ["explore", name, "--seed", seed, "--workers", workers, "--output", store]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = [sys.executable, "-m", "thalweg.analysis", *map(str, words)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return f"{cpu:.0f} s of CPU, {time.monotonic() - began:.0f} s"


def line(name: str, seed: int, store: Path, took: str) -> str:
    """Return what a store holds, and when the last of it came."""
    with Landscape.open(store) as landscape:
        found = landscape.discoveries()
        hops = landscape.searches.done(BASIN_HOPPING)
        last = int(np.max(found._first["transition_states"])) - hops
        said = found.forecast("transition_states")
        counts = f"{len(landscape.minima)}/{len(landscape.transition_states)}"
    published = "/".join(map(str, KNOWN[name.lower()])) if name.lower() in KNOWN else "unknown"
    return (
        f"{name} seed {seed}: {counts} of {published} after {found.saddle_searches} searches, the last one after "
        f"{last}; nothing remains with a probability of {said.none:.2f}; {took}"
    )


def main() -> None:
    """Print a line for each cluster and seed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="+")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--stores", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in given.names:
            for seed in range(given.seeds):
                store = (given.stores or Path(folder)) / f"{name}-{seed}.zarr"
                took = explored(name, seed, store, given.workers)
                print(line(name, seed, store, took), flush=True)


if __name__ == "__main__":
    main()
