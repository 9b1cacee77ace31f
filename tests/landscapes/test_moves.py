"""Basin-hopping moves handed to a landscape: the same minima on any number of workers, and after a break."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms

from thalweg.landscapes import Landscape
from thalweg.optimizers import AllCoordinates, HiddenUnits, SpliceClusters, SurfaceAtom
from thalweg.potentials import LJAT

MOVES = [AllCoordinates(weight=2.0), SurfaceAtom(2), SpliceClusters()]


def run(path, calls, moves=MOVES):
    calculator = LJAT(Z=0.0)
    positions = calculator.random_coordinates(24, np.random.default_rng(0)).reshape(-1, 3)
    atoms = Atoms("Ar8", positions=positions, calculator=calculator)
    for steps, workers in calls:
        with Landscape(atoms, path, seed=0) as landscape:
            landscape.find_minima(steps, moves=moves, workers=workers)
            energies, coordinates = landscape.minima.energy[:], landscape.minima.coordinates[:]
    return energies, coordinates


def test_one_seed_one_landscape(tmp_path):
    first = run(tmp_path / "a.zarr", [(80, 1)])
    second = run(tmp_path / "b.zarr", [(40, 2), (40, 1)])
    other = run(tmp_path / "c.zarr", [(80, 1)], moves=None)
    assert len(first[0]) >= 4
    for a, b in zip(first, second, strict=True):
        assert np.array_equal(a, b)
    assert not (first[1].shape == other[1].shape and np.array_equal(first[1], other[1]))


def test_moves_that_do_not_suit_are_refused_before_anything_is_done(tmp_path):
    with pytest.raises(ValueError, match="HiddenUnits moves hidden units"):
        run(tmp_path / "a.zarr", [(10, 1)], moves=[HiddenUnits()])
