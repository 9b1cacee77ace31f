"""Low-lying region of a landscape too large to exhaust: how low is Gmin, and how many of the lowest minima join it.

    python -m tests.benchmarks.networks.bench_large_landscape --hidden 4,4,4 --seed 0 --cpu 300

One worker explores D1 by the defaults (basin-hopping, then searches for transition states) for so many seconds of CPU;
a line every 500 searches. ``--store`` keeps the landscape, and another call goes on with it (CPU is that of the call).
``--neighbours`` is that of ``thalweg explore``; ``--data 100`` takes so many points instead of 1,000.
``--without-growth`` searches from all minima in turn, as before growth.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from thalweg.analysis.systems.named import build, default_options, default_work
from thalweg.landscapes import Landscape
from thalweg.landscapes.lowest_paths import pieces_below
from thalweg.landscapes.records import BASIN_HOPPING, SADDLE_SEARCHES
from thalweg.landscapes.strategies import growth

_LOWEST, _AT_ONCE = 100, 500


def line(landscape: Landscape) -> str:
    """Return the state of a landscape in one line."""
    energies, states = landscape.minima.energy[:], landscape.transition_states
    pieces = pieces_below(len(energies), states.minima[:], states.energy[:], np.inf)
    lowest = np.argsort(energies, kind="stable")[:_LOWEST]
    joined = int(np.count_nonzero(pieces[lowest] == pieces[lowest[0]]))
    sizes = np.bincount(pieces)
    return (
        f"{len(energies)} minima, {len(states)} transition states, {len(sizes)} pieces, Gmin {energies.min():.6f} in "
        f"one of {sizes[pieces[lowest[0]]]}, which has {joined} of the {len(lowest)} lowest, "
        f"up to {energies[lowest[-1]]:.6f}"
    )


def explore(options: dict[str, Any], cpu: float, folder: Path) -> None:
    """Explore the landscape of D1 with these options and print its growth."""
    with Landscape(build("D1", options).subject, folder / "large.zarr", seed=options["seed"]) as landscape:
        began = time.process_time()
        steps = default_work("D1", options).steps - landscape.searches.done(BASIN_HOPPING)
        landscape.find_minima(max(steps, 0), workers=1, progress=False)
        searches = landscape.searches.done(*SADDLE_SEARCHES)
        while (spent := time.process_time() - began) < cpu:
            print(f"{spent:6.0f} s of CPU, {searches} searches: {line(landscape)}", flush=True)
            searches += landscape.connect(_AT_ONCE, workers=1, progress=False).done
        print(f"{spent:6.0f} s of CPU, {searches} searches: {line(landscape)}", flush=True)


def arguments(description: str | None, cpu: float) -> argparse.ArgumentParser:
    """Return a parser of what says which landscape of D1, and for how many seconds of CPU."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hidden", default="4,4,4")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--neighbours", type=int)
    parser.add_argument("--data", type=int, default=1000)
    parser.add_argument("--cpu", type=float, default=cpu)
    return parser


def chosen_options(given: argparse.Namespace) -> dict[str, Any]:
    """Return the options of D1 with those that were given."""
    hidden = [int(width) for width in given.hidden.split(",")]
    chosen = {"hidden": hidden, "seed": given.seed, "neighbours": given.neighbours, "data": given.data}
    return default_options("D1") | chosen


if __name__ == "__main__":
    parser = arguments(__doc__, cpu=300.0)
    parser.add_argument("--store", type=Path, help="folder of the landscape; a temporary one where missing")
    parser.add_argument("--without-growth", action="store_true")
    given = parser.parse_args()
    if given.without_growth:
        growth._LARGE = 10**9
    with tempfile.TemporaryDirectory() as place:
        folder = given.store or Path(place)
        folder.mkdir(parents=True, exist_ok=True)
        explore(chosen_options(given), given.cpu, folder)
