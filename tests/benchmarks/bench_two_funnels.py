"""Clusters with two funnels: the bottoms of both found and joined, and the path between them lowered.

    python -m tests.benchmarks.bench_two_funnels LJ38 --cpu 300 --seed 0 --output lj38.zarr

LJ38 has an fcc minimum and an icosahedral one. The highest transition state on the lowest path between them that
Doye, Miller and Wales give (J. Chem. Phys. 110 (1999) 6896) has -169.709. LJ75 has a decahedral minimum and an
icosahedral one. A line for each thousand searches has the CPU seconds so far and the highest transition state of the
lowest path. Going on with the same output goes on lowering.

``python -m pytest tests/benchmarks/bench_two_funnels.py -m benchmark -s`` lowers LJ38's path for a minute.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from ase import Atoms
from ase.cluster import Decahedron

from thalweg.landscapes import Landscape
from thalweg.optimizers import AllCoordinates, SurfaceAtom, basin_hopping_steps, minimise
from thalweg.potentials import LJAT, as_system

_STEPS = 200  # of basin-hopping between looks
_RESTART = 4000  # steps after which a chain begins again at random
_SEARCHES = 1000  # between two lines


PUBLISHED = -169.709  # energy of the highest transition state of LJ38's lowest path
MARKS = (2, 2, 1)  # the decahedron of 75 atoms, as ASE counts its faces


class Funnels(NamedTuple):
    """Number of atoms of a cluster, and the energies at the bottoms of its two funnels."""

    atoms: int
    bottoms: tuple[float, float]


CLUSTERS = {"LJ38": Funnels(38, (-173.928427, -173.252378)), "LJ75": Funnels(75, (-397.492331, -396.282249))}


def decahedron():
    """Return the Marks decahedron of 75 atoms, which basin-hopping hardly ever finds."""
    return Decahedron("Ar", *MARKS, latticeconstant=1.1 * 2**0.5).positions


def bottoms(system, funnels, seed):
    """Return coordinates of both bottoms by basin-hopping from random starts, LJ75's decahedron built."""
    rng, found, steps, x, energy = np.random.default_rng(seed), {}, 0, None, None
    if funnels.atoms == 75:
        found[funnels.bottoms[0]] = minimise(system, decahedron().ravel()).x[0]
    while len(found) < 2:
        if steps % _RESTART == 0:
            x, energy = system.random(rng), None
        moves = [AllCoordinates(weight=3), SurfaceAtom(3)]
        result = basin_hopping_steps(system, x, energy, rng, _STEPS, 0.4, 0.8, moves=moves, rms=1e-9)
        steps, x, energy = steps + _STEPS, result.final_x, result.final_energy
        for known in funnels.bottoms:
            here = np.flatnonzero(result.converged & (np.abs(result.energy - known) < 1e-5))
            if here.size:
                found.setdefault(known, result.x[here[0]])
    return [found[known] for known in funnels.bottoms]


def lower(landscape, goal, began, cpu, workers):
    """Join rows 0 and 1 and lower the path until CPU seconds have passed, or it is as low as a goal."""
    path = landscape.lowest_path(0, 1)
    while time.process_time() - began < cpu and (path is None or path.energy > goal):
        landscape.connect(_SEARCHES, pairs=[(0, 1)], lower=True, workers=workers)
        path = landscape.lowest_path(0, 1)
        said = "not joined" if path is None else f"highest {path.energy:.6f}, {len(path.transition_states)} steps"
        counts = f"{len(landscape.minima):6d} minima {len(landscape.transition_states):7d} transition states"
        spent = f"{time.process_time() - began:6.0f} s of CPU"
        print(f"{spent} {counts} {len(landscape.searches):7d} searches  {said}", flush=True)
    return path


def table(landscape, path):
    """Print the energies along a path."""
    minima, states = landscape.minima.energy[:], landscape.transition_states.energy[:]
    for row, state in zip(path.minima, (*path.transition_states, None), strict=True):
        print(f"minimum {row:6d} {minima[row]:14.6f}")
        if state is not None:
            print(f"    top {state:6d} {states[state]:14.6f}")


def run(name, path, seed, cpu, workers, goal):
    funnels = CLUSTERS[name]
    positions = LJAT(Z=0.0).random_coordinates(3 * funnels.atoms, np.random.default_rng(0)).reshape(-1, 3)
    system = as_system(Atoms(f"Ar{funnels.atoms}", positions, calculator=LJAT(Z=0.0)))
    with Landscape(system, path, seed=seed) as landscape:
        began = time.process_time()
        if not len(landscape.minima):
            rows = [landscape.add(x).row for x in bottoms(system, funnels, seed)]
            found = ", ".join(f"row {row} {landscape.minima.energy[row]:.6f}" for row in rows)
            print(f"{time.process_time() - began:6.0f} s of CPU: {found}", flush=True)
        best = lower(landscape, goal, began, cpu, workers)
        if best is not None:
            table(landscape, best)
    return best


@pytest.mark.benchmark
def test_lj38_has_the_published_path_within_a_minute(tmp_path):
    best = run("LJ38", tmp_path / "lj38.zarr", 0, 60.0, 1, PUBLISHED)
    assert best is not None
    assert best.energy < PUBLISHED


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("cluster", choices=sorted(CLUSTERS))
    parser.add_argument("--cpu", type=float, default=300.0, help="seconds, of all workers together")
    parser.add_argument("--until", type=float, default=-np.inf, help="end where the path is below this energy")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True)
    given = parser.parse_args()
    run(given.cluster, given.output, given.seed, given.cpu, given.workers, given.until)
