"""A loop of thirty lines beside ``bench_large_landscape``: does it find a lower Gmin than the defaults?

    python -m tests.benchmarks.networks.bench_loop --hidden 4,4,4 --seed 0 --cpu 1800 [--neighbours 2]

It begins with the lowest minimum of the default's basin-hopping, leaves the lowest and least tried minima of one piece
by 0.01 to 0.05 in every weight, and keeps the transition states that have one of its minima on a side. A line a minute.
"""

from __future__ import annotations

import tempfile
import time
from typing import Any

import numpy as np

from tests.benchmarks.networks.bench_large_landscape import arguments, chosen_options
from thalweg.analysis.systems.named import build, default_work
from thalweg.landscapes import Landscape
from thalweg.optimizers import find_transition_states

_TOGETHER, _SAME = 16, 1e-8


def known(energies: list[float], energy: float) -> int:
    """Return which minimum has this energy, -1 if none."""
    away = np.abs(np.array(energies) - energy)
    return int(away.argmin()) if away.min() < _SAME else -1


def loop(options: dict[str, Any], cpu: float) -> None:
    """Grow one piece of the landscape of D1 with these options and print how low it gets."""
    subject, seed = build("D1", options).subject, options["seed"]
    rng, began, said = np.random.default_rng(seed), time.process_time(), 0.0
    with tempfile.TemporaryDirectory() as place, Landscape(subject, f"{place}/hopped.zarr", seed=seed) as hopped:
        hopped.find_minima(default_work("D1", options).steps, workers=1, progress=False)
        lowest = int(np.argmin(hopped.minima.energy[:]))
        points, energies = [hopped.minima.coordinates[lowest]], [float(hopped.minima.energy[lowest])]
    tries, states = [0], 0
    while (spent := time.process_time() - began) < cpu:
        if spent - said >= 60.0 or not said:
            said = spent
            print(f"{spent:6.0f} s: {len(points)} minima, {states} states, Gmin {min(energies):.6f}", flush=True)
        chosen = [int(k) for k in np.lexsort((energies, tries))[:_TOGETHER]]
        for k in chosen:
            tries[k] += 1
        sizes = rng.uniform(0.01, 0.05, (len(chosen), 1))
        away = np.where(subject.frozen, 0.0, rng.standard_normal((len(chosen), points[0].size)))
        starts = np.array([points[k] for k in chosen]) + sizes * away
        found = find_transition_states(subject, starts, threads=1)
        for row in np.flatnonzero(found.converged):
            ends = [known(energies, energy) for energy in found.minima_energy[row]]
            states += max(ends) >= 0
            for side in np.flatnonzero(np.array(ends) < 0) if max(ends) >= 0 else ():
                points.append(found.minima[row, side])
                energies.append(float(found.minima_energy[row, side]))
                tries.append(0)
    print(f"{spent:6.0f} s: {len(points)} minima, {states} states, Gmin {min(energies):.6f}", flush=True)


if __name__ == "__main__":
    asked = arguments(__doc__, cpu=1800.0).parse_args()
    loop(chosen_options(asked), asked.cpu)
