"""Basin-hopping keeps every minimum, is a function of its seed, and says what failed."""

from __future__ import annotations

import io

import numpy as np
import pytest
from ase.build import add_adsorbate, fcc100
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms

from thalweg.optimizers import BasinHopping, basin_hopping_steps, minimise
from thalweg.potentials import Point, as_system
from thalweg.potentials.neural_network.weights import Weights

from ..surfaces import MUELLER_BROWN_MINIMA, cluster, difference_hessian, mueller_brown_potential, small_loss

LJ7 = (-16.505384, -15.935043, -15.593211, -15.533060)


def test_lj7_all_four_minima():
    atoms = cluster(7, 0)
    search = BasinHopping(atoms, temperature=2.0, step=0.5, seed=1)
    search.run(steps=200)
    assert np.allclose(np.sort(search.energies), LJ7, atol=1e-6)
    energy, best = search.get_minimum()
    assert energy == pytest.approx(best.get_potential_energy(), abs=1e-10)
    assert energy == min(search.energies)
    assert search.nsteps == 200


def test_a_chain_depends_on_its_seed_alone():
    system = as_system(cluster(6, 3))
    runs = [
        basin_hopping_steps(system, system.x, None, np.random.default_rng(seed), 30, 0.4, 0.5) for seed in (7, 7, 8)
    ]
    assert np.array_equal(runs[0].x, runs[1].x)
    assert np.array_equal(runs[0].accepted, runs[1].accepted)
    assert not np.array_equal(runs[0].x, runs[2].x)
    # cut in two, with the generator carried on, it is the same chain
    rng = np.random.default_rng(7)
    first = basin_hopping_steps(system, system.x, None, rng, 12, 0.4, 0.5)
    second = basin_hopping_steps(system, first.final_x, first.final_energy, rng, 18, 0.4, 0.5)
    assert np.array_equal(np.concatenate([first.x, second.x]), runs[0].x)
    assert second.final_energy == runs[0].final_energy


def test_every_quench_follows_the_rule():
    """Redo the chain in plain Python: displacements, quenches and decisions are as documented."""
    system = as_system(cluster(5, 1))
    result = basin_hopping_steps(system, system.x, None, np.random.default_rng(3), 20, 0.6, 0.8)
    rng = np.random.default_rng(3)
    start = minimise(system, system.x, second_order=True)
    x, energy = start.x[0], start.energy[0]
    assert np.array_equal(result.x[0], x)
    for row in range(1, 21):
        draws = rng.random(system.n_free + 1)
        end = minimise(system, x + 0.6 * (2 * draws[:-1] - 1), second_order=True)
        assert end.reason[0] == result.reason[row]
        assert np.allclose(end.x[0], result.x[row], atol=1e-9)
        accept = end.converged[0] and (end.energy[0] <= energy or draws[-1] < np.exp((energy - end.energy[0]) / 0.8))
        assert accept == result.accepted[row]
        if accept:
            x, energy = result.x[row], result.energy[row]
    assert np.array_equal(result.final_x, x)


def test_minima_of_a_loss_are_minima():
    weights = Weights.random(small_loss(), seed=2)
    search = BasinHopping(weights, temperature=0.1, step=1.0, seed=0)
    search.run(steps=15)
    loss = weights.calc
    for x, energy in zip(search.coordinates, search.energies, strict=True):
        gradient = loss.energy_gradient(x)[1]
        assert np.sqrt(np.mean(gradient**2)) < 1e-8
        assert np.linalg.eigvalsh(difference_hessian(lambda x: loss.energy_gradient(x)[1], x))[0] > 0
        assert loss.energy(x) == pytest.approx(energy, abs=1e-12)


def test_zero_temperature_only_goes_down():
    system = as_system(cluster(7, 5))
    result = basin_hopping_steps(system, system.x, None, np.random.default_rng(0), 40, 0.5, 0.0)
    assert np.all(np.diff(result.energy[result.accepted]) <= 0)
    assert result.final_energy == result.energy[result.accepted][-1]


def test_python_callables_and_three_minima():
    point = Point(MUELLER_BROWN_MINIMA[0], mueller_brown_potential())
    search = BasinHopping(point, temperature=60.0, step=0.8, seed=2)
    search.run(steps=60)
    found = np.array(search.coordinates)
    assert len(found) == 3
    for minimum in MUELLER_BROWN_MINIMA:
        assert np.abs(found - minimum).max(axis=1).min() < 1e-5


def test_fixed_atoms_stay_and_failures_are_counted():
    slab = fcc100("Al", (2, 2, 2), vacuum=6.0)
    add_adsorbate(slab, "Au", 1.9, "hollow")
    slab.set_constraint(FixAtoms(mask=[atom.tag > 1 for atom in slab]))
    slab.calc = EMT()
    before = slab.positions.copy()
    search = BasinHopping(slab, temperature=0.05, step=0.3, seed=0, rms=1e-5)
    search.run(steps=2)
    assert np.array_equal(slab.positions[:4], before[:4])
    atoms = cluster(3, 0)
    atoms.positions[1] = atoms.positions[0]
    search = BasinHopping(atoms, temperature=1.0, step=0.2, seed=0)
    search.run(steps=3)
    assert search.failures["energy or gradient not finite"] >= 1
    assert search.energies


def test_log_attach_and_irun(tmp_path):
    atoms = cluster(5, 2)
    log, seen = io.StringIO(), []
    search = BasinHopping(atoms, 1.0, 0.4, logfile=log, trajectory=str(tmp_path / "bh.traj"))
    search.attach(lambda: seen.append(search.nsteps))
    for _ in search.irun(steps=4):
        pass
    assert seen == [0, 1, 2, 3, 4]
    assert len(log.getvalue().splitlines()) == 6
    assert (tmp_path / "bh.traj").exists()


def test_bad_arguments_are_named(tmp_path):
    system = as_system(cluster(3, 1))
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="step and rms must be positive"):
        basin_hopping_steps(system, system.x, None, rng, 3, -0.1, 1.0)
    with pytest.raises(ValueError, match="temperature must not be negative"):
        basin_hopping_steps(system, system.x, None, rng, 3, 0.1, -1.0)
    with pytest.raises(ValueError, match="steps must be a whole number"):
        basin_hopping_steps(system, system.x, None, rng, 1.5, 0.1, 1.0)
    with pytest.raises(ValueError, match="x must have 9 coordinates"):
        basin_hopping_steps(system, system.x[:6], None, rng, 3, 0.1, 1.0)
    with pytest.raises(TypeError, match="trajectory can only hold Atoms"):
        BasinHopping(Point([0.0, 1.0], mueller_brown_potential()), 1.0, 0.1, trajectory=str(tmp_path / "x.traj"))
    with pytest.raises(RuntimeError, match="no minimum has been found"):
        BasinHopping(cluster(3, 1), 1.0, 0.1).get_minimum()
