"""Basin-hopping of deep networks: the loss reached by different moves and temperatures in equal numbers of steps.

    python -m tests.benchmarks.networks.bench_deep_hopping --hidden 4,4,4 --seed 0 --steps 250 [--landscape]

Two chains each on D1's loss, from random weights; a line for each setting: the lowest loss of each chain, that of its
first half, and CPU a step. ``--landscape`` compares the default of `Landscape.find_minima` with all weights moved, the
default of networks with one hidden layer.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from thalweg.analysis.systems.named import build, default_options
from thalweg.landscapes import Landscape
from thalweg.optimizers import AllCoordinates, HiddenUnits, Move, SpliceNetworks, basin_hopping_steps
from thalweg.potentials import Weights
from thalweg.potentials.system import as_system

_SETTINGS: dict[str, tuple[float, list[Move]]] = {
    "all weights, step 1": (2.0, [AllCoordinates(step=1.0)]),
    "all weights, step 1, cold": (1e-3, [AllCoordinates(step=1.0)]),
    "all weights, step 0.6, colder": (3e-4, [AllCoordinates(step=0.6)]),
    "a unit drawn again": (2e-3, [HiddenUnits(step=2.0)]),
    "a unit drawn again, or splices": (1e-3, [HiddenUnits(step=2.0), SpliceNetworks()]),
    "the same, warmer": (2e-3, [HiddenUnits(step=2.0), SpliceNetworks()]),
    "the same, colder": (3e-4, [HiddenUnits(step=2.0), SpliceNetworks()]),
    "two units drawn again": (1e-3, [HiddenUnits(2, step=2.0)]),
}
_CHAINS = 2


def explore(weights: Weights, seed: int, steps: int) -> None:
    """Print the lowest loss that the chains of a landscape reach, and in half of the steps, by each default."""
    of_landscapes: dict[str, dict[str, Any]] = {"default": {}, "all weights": {"moves": [AllCoordinates()]}}
    for name, how in of_landscapes.items():
        began = time.process_time()
        with (
            tempfile.TemporaryDirectory() as place,
            Landscape(weights, Path(place) / "deep.zarr", seed=seed) as landscape,
        ):
            landscape.find_minima(steps, workers=1, progress=False, **how)
            energies, searches = landscape.minima.energy[:], landscape.searches
            half = energies[searches.minima[: searches.minima_end[steps // 2 - 1]]].min()
        spent = time.process_time() - began
        print(f"{name}: {energies.min():.5f} (half {half:.5f}), {len(energies)} minima, {spent:.0f} s", flush=True)


def main() -> None:
    """Run the chains of each setting that is asked for, or of all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hidden", default="4,4,4")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=250)
    parser.add_argument("--landscape", action="store_true", help="compare the defaults of landscapes")
    parser.add_argument("--only", type=int, nargs="*", help="numbers of the settings to run, from 0")
    given = parser.parse_args()
    options = default_options("D1") | {"hidden": [int(width) for width in given.hidden.split(",")], "seed": given.seed}
    weights = build("D1", options).subject
    if given.landscape:
        return explore(weights, given.seed, given.steps)
    system = as_system(weights)
    for number, (name, (temperature, moves)) in enumerate(_SETTINGS.items()):
        if given.only and number not in given.only:
            continue
        reached = []
        for chain in range(_CHAINS):
            rng = np.random.default_rng(chain)
            x, began = system.random(rng), time.process_time()
            with threadpool_limits(1):
                result = basin_hopping_steps(system, x, None, rng, given.steps, 1.0, temperature, moves=moves)
            spent = 1e3 * (time.process_time() - began) / given.steps
            half = np.nanmin(result.energy[: given.steps // 2])
            reached.append(f"{np.nanmin(result.energy):.5f} (half {half:.5f}, {spent:.0f} ms a step)")
        print(f"{number} {name}, temperature {temperature:g}: {', '.join(reached)}", flush=True)


if __name__ == "__main__":
    main()
