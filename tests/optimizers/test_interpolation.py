"""First bands in periodic cells, images that gather at the top, images added where they are wanted."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.mep.neb import IDPP

from thalweg.optimizers import dneb
from thalweg.optimizers.interpolation import interpolate
from thalweg.optimizers.kernels.idpp import pair_potential
from thalweg.potentials import Point, as_system

from .surfaces import MUELLER_BROWN_MINIMA, MUELLER_BROWN_SADDLE_ENERGIES, mueller_brown_potential


def periodic(cell, seed):
    """Seven copper atoms at random in a cell, in the last direction not periodic."""
    rng = np.random.default_rng(seed)
    atoms = Atoms("Cu7", cell=cell, pbc=(True, True, False), calculator=EMT())
    atoms.set_scaled_positions(rng.uniform(0, 1, (7, 3)))
    return atoms


def evaluate(atoms, targets):
    cell = atoms.cell.array
    floats = np.concatenate([cell.ravel(), np.linalg.inv(cell).ravel(), targets])
    x, gradient = atoms.positions.ravel().copy(), np.empty(21)
    energy = pair_potential(x, gradient, atoms.pbc.astype(np.int64), floats)
    return energy, gradient, lambda y: pair_potential(y, np.empty(21), atoms.pbc.astype(np.int64), floats)


@pytest.mark.parametrize("seed", range(5))
def test_the_pair_potential_is_ases(seed):
    atoms = periodic([6.0, 7.0, 9.0], seed)
    i, j = np.triu_indices(7, 1)
    targets = np.random.default_rng(seed + 100).uniform(1, 4, (7, 7))
    targets = np.triu(targets, 1) + np.triu(targets, 1).T
    energy, gradient, _ = evaluate(atoms, targets[i, j])
    theirs = atoms.copy()
    theirs.calc = IDPP(targets, mic=True)
    assert energy == pytest.approx(theirs.get_potential_energy(), rel=1e-12)
    assert np.allclose(-gradient.reshape(-1, 3), theirs.get_forces(), rtol=1e-10, atol=1e-12 * np.abs(gradient).max())


def test_its_gradient_in_a_skewed_cell_is_that_of_differences():
    atoms = periodic([[6.0, 0, 0], [1.0, 7.0, 0], [0.5, 0.3, 9.0]], 3)
    _, gradient, energy = evaluate(atoms, np.full(21, 2.5))
    x = atoms.positions.ravel()
    steps = 1e-5 * np.eye(21)
    differences = [(energy(x + step) - energy(x - step)) / 2e-5 for step in steps]
    assert np.allclose(gradient, differences, rtol=1e-6, atol=1e-7 * np.abs(gradient).max())


def test_a_band_through_the_side_of_the_cell():
    # the first atom hops into a vacancy beside it: by way of the cell's face, where it is written
    atoms = bulk("Cu", cubic=True) * (2, 2, 2)
    del atoms[1]
    atoms.calc = EMT()
    system = as_system(atoms)
    a = atoms.positions.flatten()
    b = a.copy()
    b[:3] += [0.0, 1.805, 1.805]
    shifted = np.ravel(atoms.positions + np.array([0.0, -0.5, -0.5]))
    for start, end in ((a, b), (shifted, shifted + (b - a))):
        for method in ("linear", "idpp"):
            band = interpolate(system, start, end, 5, method)
            nearest = []
            for x in band:
                atoms.positions = x.reshape(-1, 3)
                distances = atoms.get_all_distances(mic=True)
                nearest.append(distances[np.triu_indices(len(atoms), 1)].min())
            # four atoms stand in the way, the hopping one passes between them
            assert min(nearest) > 0.8 * 1.805 * np.sqrt(2)
            assert np.array_equal(band[[0, -1]], [start, end])
            # no atom is taken across the cell on the way
            assert np.linalg.norm(np.diff(band, axis=0), axis=1).max() < 1.5


def band(**arguments):
    system = as_system(Point(MUELLER_BROWN_MINIMA[0], mueller_brown_potential()))
    return dneb(system, MUELLER_BROWN_MINIMA[0], MUELLER_BROWN_MINIMA[1], images=9, steps=300, **arguments)


def at_the_top(found):
    """Mean distance of the images beside the highest, of the mean of all."""
    gaps = np.diff(found.length)
    return gaps[found.highest - 1 : found.highest + 1].mean() / gaps.mean()


def test_stiffer_springs_gather_images_at_the_top():
    even, gathered = band(climb=True, rms=1e-3), band(climb=True, rms=1e-3, top_springs=4.0)
    assert even.converged
    assert gathered.converged
    assert at_the_top(gathered) < 0.8 * at_the_top(even)
    for found in (even, gathered):
        assert found.energy.max() == pytest.approx(MUELLER_BROWN_SADDLE_ENERGIES[0], abs=1e-3)


def test_refinement_adds_images_where_the_band_is_rough():
    system = as_system(Point(MUELLER_BROWN_MINIMA[0], mueller_brown_potential()))
    ends = MUELLER_BROWN_MINIMA[0], MUELLER_BROWN_MINIMA[2]
    coarse = dneb(system, *ends, images=3, steps=300)
    fine = dneb(system, *ends, images=3, steps=300, refine=2)
    assert len(coarse.energy) == 5
    assert 5 < len(fine.energy) <= 17
    errors = [abs(found.candidate_energy.max() - max(MUELLER_BROWN_SADDLE_ENERGIES)) for found in (coarse, fine)]
    assert errors[1] < errors[0]
    assert fine.steps <= 300


def test_a_straight_band_needs_no_refinement():
    system = as_system(Point([0.0, 0.0], lambda x: (x[0] ** 2 - 1) ** 2 + x[1] ** 2))
    found = dneb(system, [-1.0, 0.0], [1.0, 0.0], images=7, refine=3)
    assert len(found.energy) == 9


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"refine": -1}, "refine"), ({"refine": 0.5}, "refine"), ({"top_springs": 0.0}, "top_springs")],
)
def test_bad_arguments_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        band(**wrong)
