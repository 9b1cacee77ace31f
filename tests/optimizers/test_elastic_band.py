"""Elastic bands find the saddles that are known, pathways join the minima that are known."""

from __future__ import annotations

import io
import pickle

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import add_adsorbate, fcc100
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms
from scipy.optimize import minimize_scalar

from thalweg.optimizers import DNEB, LBFGS, connect_pair, dneb, minimise, pathway
from thalweg.optimizers.interpolation import interpolate
from thalweg.potentials import LJAT, Point, as_system
from thalweg.potentials.neural_network.weights import Weights

from .surfaces import (
    LINEAR,
    LJAT3_SADDLE,
    MUELLER_BROWN_MINIMA,
    MUELLER_BROWN_SADDLE_ENERGIES,
    MUELLER_BROWN_SADDLES,
    TRIANGLE,
    cluster,
    mueller_brown,
    mueller_brown_potential,
    small_loss,
)


def ljat3_minima():
    line = Atoms("Ar3", positions=[[-1.1, 0, 0], [0, 0, 0], [1.1, 0, 0]], calculator=LJAT(Z=2.0))
    triangle = Atoms("Ar3", positions=[[0, 0, 0], [1.17, 0, 0], [0.585, 1.01, 0]], calculator=LJAT(Z=2.0))
    for atoms in (line, triangle):
        assert LBFGS(atoms).run(rms=1e-10)
    return line, triangle


def lj7_minima():
    system = as_system(cluster(7, 0))
    starts = np.random.default_rng(0).uniform(0, 2.2, (60, 21))
    ends = minimise(system, starts, second_order=True)
    energies, rows = np.unique(np.round(ends.energy[ends.converged], 6), return_index=True)
    return system, energies, ends.x[ends.converged][rows]


def test_mueller_brown_both_saddles():
    system = as_system(Point(MUELLER_BROWN_MINIMA[0], mueller_brown_potential()))
    band = dneb(system, MUELLER_BROWN_MINIMA[0], MUELLER_BROWN_MINIMA[2], images=25, steps=500)
    assert len(band.candidates) == 2
    for candidate, energy, saddle, known in zip(
        band.candidates, band.candidate_energy, MUELLER_BROWN_SADDLES, MUELLER_BROWN_SADDLE_ENERGIES, strict=True
    ):
        assert np.abs(candidate - saddle).max() < 0.05
        assert energy == pytest.approx(known, abs=1.0)
    found = connect_pair(system, MUELLER_BROWN_MINIMA[0], MUELLER_BROWN_MINIMA[2], images=25, steps=500)
    assert found.converged.all()
    assert np.allclose(found.energy, MUELLER_BROWN_SADDLE_ENERGIES, atol=1e-6)
    assert np.allclose(found.x, MUELLER_BROWN_SADDLES, atol=1e-5)


def test_ljat3_saddle():
    line, triangle = ljat3_minima()
    assert line.get_potential_energy() == pytest.approx(LINEAR, abs=1e-8)
    assert triangle.get_potential_energy() == pytest.approx(TRIANGLE, abs=1e-8)
    found = connect_pair(line, line.positions.ravel(), triangle.positions.ravel())
    assert found.converged.all()
    assert np.allclose(found.energy, LJAT3_SADDLE, atol=1e-8)
    assert np.allclose(np.sort(found.minima_energy[0]), [LINEAR, TRIANGLE], atol=1e-8)


def test_lj7_every_pair_gives_transition_states():
    system, energies, minima = lj7_minima()
    assert len(energies) == 4
    for i in range(4):
        for j in range(i):
            found = connect_pair(system, minima[i], minima[j])
            assert found.converged.any(), found.reason
            for row in np.flatnonzero(found.converged):
                assert np.abs(found.minima_energy[row][:, None] - energies).min(axis=1).max() < 1e-5
                assert found.lowest_eigenvalue[row] < 0


def test_springs_keep_the_images_even():
    system, _, minima = lj7_minima()
    band = dneb(system, minima[0], minima[1], images=12, steps=400)
    lengths = np.diff(band.length)
    assert lengths.std() / lengths.mean() < 0.25
    assert band.length[-1] == band.path_length
    assert np.array_equal(band.x[0], minima[0])
    aligned = system.align(minima[0], minima[1])
    assert np.allclose(band.x[-1], aligned)
    assert np.allclose(band.energy, [system.energy(x) for x in band.x])


def test_the_class_is_run_as_ase_runs(tmp_path):
    line, triangle = ljat3_minima()
    log, seen = io.StringIO(), []
    search = DNEB(line, triangle, images=9, logfile=log, trajectory=str(tmp_path / "band.traj"))
    search.attach(lambda: seen.append(search.nsteps))
    search.run(fmax=1e-3, steps=100)
    images = search.images()
    assert len(images) == 11
    assert all(isinstance(image, Atoms) for image in images)
    assert len(ase.io.read(tmp_path / "band.traj", ":")) == 11 * len(seen)
    assert len(log.getvalue().splitlines()) == len(seen) + 1
    found = search.find_transition_states()
    assert found.energy[0] == pytest.approx(LJAT3_SADDLE, abs=1e-8)
    # the class takes the steps of the function
    steps = search.nsteps
    function = dneb(line, line.positions, triangle.positions, images=9, steps=steps, rms=1e-12)
    assert np.allclose(search.band().energy, function.energy, atol=1e-10)


def test_a_pickled_band_goes_on():
    """Its flat arrays are views again, so that a step of the optimizer moves the images."""
    bands = [DNEB(*ljat3_minima(), images=5, logfile=None)]
    bands[0].run(steps=2)
    bands.append(pickle.loads(pickle.dumps(bands[0])))
    for band in bands:
        band.run(steps=5)
    np.testing.assert_array_equal(bands[0].band().x, bands[1].band().x)


def test_interpolated_atoms_do_not_collide():
    system, _, minima = lj7_minima()
    a = minima[0]
    b = system.align(a, minima[0].reshape(7, 3)[[1, 0, 2, 3, 4, 5, 6]].ravel())
    swapped = a.reshape(7, 3)[[1, 0, 2, 3, 4, 5, 6]].ravel()
    assert np.allclose(a, b)
    for method in ("linear", "idpp"):
        band = interpolate(system, a, swapped, 9, method)
        closest = min(
            np.linalg.norm(x.reshape(7, 1, 3) - x.reshape(1, 7, 3), axis=-1)[np.triu_indices(7, 1)].min() for x in band
        )
        assert closest > 0.6
        assert np.array_equal(band[[0, -1]], [a, swapped])


def test_a_hop_on_a_surface_by_emt():
    slab = fcc100("Al", (2, 2, 2), vacuum=6.0)
    add_adsorbate(slab, "Au", 1.7, "hollow")
    slab.set_constraint(FixAtoms(mask=[atom.tag > 0 for atom in slab]))
    slab.calc = EMT()
    assert LBFGS(slab).run(fmax=1e-6)
    end = slab.copy()
    end.positions[-1, 0] += slab.cell[0, 0] / 2
    found = connect_pair(slab, slab.positions, end.positions, rms=1e-6, images=5)
    assert found.converged.all()
    # the height over the bridge, where symmetry puts the saddle
    top = slab.copy()
    top.calc = EMT()
    top.positions[-1, 0] += slab.cell[0, 0] / 4
    lowest = top.positions[-1, 2]

    def energy(height):
        top.positions[-1, 2] = lowest + height
        return top.get_potential_energy()

    bridge = minimize_scalar(energy, bounds=(-0.2, 0.8), options={"xatol": 1e-6}).fun
    assert found.energy[0] == pytest.approx(bridge, abs=1e-6)
    assert np.allclose(found.minima_energy, slab.get_potential_energy(), atol=1e-6)


def test_networks_take_bands_too():
    weights = Weights.random(small_loss(1e-3), seed=0)
    system = as_system(weights)
    starts = np.array([system.random(np.random.default_rng(seed)) for seed in range(12)])
    ends = minimise(system, starts, second_order=True)
    _, rows = np.unique(np.round(ends.energy[ends.converged], 6), return_index=True)
    minima = ends.x[ends.converged][rows]
    assert len(minima) > 1
    band = dneb(system, minima[0], minima[1])
    assert np.isfinite(band.energy).all()
    assert band.path_length >= system.distance(minima[0], minima[1]) - 1e-9


def test_pathway_of_ljat3_goes_from_minimum_to_minimum():
    line, triangle = ljat3_minima()
    saddle = connect_pair(line, line.positions, triangle.positions).x[0]
    path = pathway(line, saddle, points=60)
    assert sorted([path.energy[0], path.energy[-1]]) == pytest.approx([LINEAR, TRIANGLE], abs=1e-8)
    assert path.energy[path.transition_state] == pytest.approx(LJAT3_SADDLE, abs=1e-8)
    assert path.energy.argmax() == path.transition_state
    top = path.transition_state
    assert np.all(np.diff(path.energy[: top + 1]) > -1e-9)
    assert np.all(np.diff(path.energy[top:]) < 1e-9)
    assert 20 <= len(path.points) <= 62
    assert np.all(np.diff(path.length) >= 0)
    system = as_system(line)
    assert np.allclose(path.energy, [system.energy(x) for x in path.points], atol=1e-12)


def test_pathway_of_mueller_brown_stays_in_the_valley():
    system = as_system(Point(MUELLER_BROWN_MINIMA[0], mueller_brown_potential()))
    saddle = connect_pair(system, MUELLER_BROWN_MINIMA[0], MUELLER_BROWN_MINIMA[1], images=15, steps=300).x[0]
    path = pathway(system, saddle, points=200, max_step=0.02)
    ends = path.points[[0, -1]]
    ends = ends[np.argsort(ends[:, 0])]
    assert np.allclose(ends, MUELLER_BROWN_MINIMA[:2], atol=1e-5)
    assert np.abs(np.diff(path.energy)).max() < 30
    assert np.allclose(path.energy, [mueller_brown(x) for x in path.points])


def test_bad_arguments_are_named(tmp_path):
    line, triangle = ljat3_minima()
    a, b = line.positions.ravel(), triangle.positions.ravel()
    with pytest.raises(ValueError, match="a and b are the same point"):
        dneb(line, a, a)
    with pytest.raises(ValueError, match="b must be 9 finite coordinates"):
        dneb(line, a, b[:6])
    with pytest.raises(ValueError, match="images must be"):
        dneb(line, a, b, images=0)
    with pytest.raises(ValueError, match="k must be positive"):
        dneb(line, a, b, k=-1.0)
    with pytest.raises(ValueError, match='interpolation must be "linear" or "idpp"'):
        dneb(line, a, b, interpolation="cubic")
    with pytest.raises(ValueError, match="needs Atoms"):
        dneb(Point([0.0, 0.0], mueller_brown_potential()), [0.0, 0.0], [1.0, 1.0], interpolation="idpp")
    with pytest.raises(RuntimeError, match="no transition state"):
        pathway(line, a)
    with pytest.raises(ValueError, match="points must be at least 5"):
        pathway(line, a, points=2)
