"""LJ38: its fcc and icosahedral minima found, joined, and the path between them lowered, with the time it took.

``python -m tests.benchmarks.bench_lj38 --minutes 60 --output lj38.zarr`` prints the highest transition state of
the lowest path as it falls (Doye, Miller and Wales, J. Chem. Phys. 110 (1999) 6896, have -169.709); going on with the
same output goes on lowering. ``python -m pytest tests/benchmarks/bench_lj38.py -m benchmark -s`` does it for a minute.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from thalweg.landscapes import Landscape, Minimum
from thalweg.optimizers import basin_hopping_steps, minimise
from thalweg.potentials import LJAT, as_system

FCC, ICOSAHEDRAL = -173.928427, -173.252378
_STEPS = 200  # of basin-hopping between looks
_RESTART = 4000  # steps after which a chain begins again at random


def cluster():
    positions = np.random.default_rng(0).uniform(-1.9, 1.9, (38, 3))
    return Atoms("Ar38", positions, calculator=LJAT(Z=0.0))


def both_minima(system, seed):
    """Return coordinates of the two minima, and the steps that basin-hopping from random starts took to each."""
    rng, found, steps, x, energy = np.random.default_rng(seed), {}, 0, None, None
    while len(found) < 2:
        if steps % _RESTART == 0:
            x, energy = system.random(rng), None
        result = basin_hopping_steps(system, x, energy, rng, _STEPS, 0.4, 0.8, rms=1e-9)
        steps, x, energy = steps + _STEPS, result.final_x, result.final_energy
        for known in (FCC, ICOSAHEDRAL):
            here = np.flatnonzero(result.converged & (np.abs(result.energy - known) < 1e-5))
            if here.size and known not in found:
                found[known] = (result.x[here[0]], steps)
    return [found[known] for known in (FCC, ICOSAHEDRAL)]


def put(landscape, x):
    """Add a minimum, and return its row."""
    result = minimise(landscape.system, x, rms=1e-9, second_order=True)
    return landscape.add_minimum(
        Minimum(
            result.energy[0], result.x[0], result.rms[0], result.lowest_eigenvalue[0],
            result.log_eigenvalue_product[0], int(result.modes[0]),
        )
    )  # fmt: skip


def lower(landscape, a, b, seconds, workers, every=60.0):
    """Join two minima and lower the path for some time; print how it goes, and return the last path."""
    began = time.monotonic()
    last = None
    while (left := seconds - (time.monotonic() - began)) > 0:
        landscape.connect(10**9, pairs=[(a, b)], lower=True, seconds=min(every, left), workers=workers)
        path = landscape.lowest_path(a, b)
        said = "not joined" if path is None else f"highest {path.energy:.6f}, {len(path.transition_states)} steps"
        counts = f"{len(landscape.minima):6d} minima {len(landscape.transition_states):7d} transition states"
        clock = f"{time.monotonic() - began:6.0f} s wall {time.process_time():6.0f} s CPU"
        print(f"{clock} {counts} {len(landscape.searches):7d} searches  {said}", flush=True)
        last = path
    return last


def table(landscape, path):
    """Print the energies along a path."""
    minima, states = landscape.minima.energy[:], landscape.transition_states.energy[:]
    for row, state in zip(path.minima, (*path.transition_states, None), strict=True):
        print(f"minimum {row:6d} {minima[row]:14.6f}")
        if state is not None:
            print(f"    top {state:6d} {states[state]:14.6f}")


def run(path, seed, seconds, workers):
    system = as_system(cluster())
    with Landscape(system, path, seed=seed) as landscape:
        began = time.monotonic()
        if not len(landscape.minima):
            for (x, steps), energy in zip(both_minima(system, seed), (FCC, ICOSAHEDRAL), strict=True):
                row = put(landscape, x)
                print(f"{energy} found within {steps} steps: row {row}, {landscape.minima.energy[row]:.8f}")
            print(f"both after {time.monotonic() - began:.1f} s", flush=True)
        best = lower(landscape, 0, 1, seconds - (time.monotonic() - began), workers)
        if best is not None:
            table(landscape, best)
    return best


@pytest.mark.benchmark
def test_fcc_and_icosahedral_minima_of_lj38_are_joined(tmp_path):
    assert run(tmp_path / "lj38.zarr", 0, 60.0, 2) is not None


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--output", type=Path, default=Path("lj38.zarr"))
    given = parser.parse_args()
    run(given.output, given.seed, 60 * given.minutes, given.workers)
