"""LBFGS, SecondOrder and EigenvectorFollowing behave as ASE's optimizers and agree with them."""

from __future__ import annotations

import io

import ase.io
import ase.optimize
import numpy as np
import pytest
import scipy.optimize
from ase import Atoms
from ase.build import add_adsorbate, fcc100
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms

from thalweg.optimizers import LBFGS, ORIGINAL_RULES, EigenvectorFollowing, SecondOrder, minimise
from thalweg.potentials import LJAT, Function, Point, as_system
from thalweg.potentials.neural_network.weights import Weights

from .surfaces import LINEAR, TRIANGLE, cluster, copper, difference_hessian, small_loss

SYSTEMS = {
    "LJAT3": lambda: cluster(3, 4, Z=2.0),
    "LJ7": lambda: cluster(7, 1),
    "weights": lambda: Weights.random(small_loss(), seed=3),
    "copper": lambda: copper(4, 0),
}


def coordinates(subject):
    return subject.x if isinstance(subject, Point) else subject.positions.ravel()


@pytest.mark.parametrize("name", SYSTEMS)
def test_takes_the_steps_of_minimise(name):
    subject = SYSTEMS[name]()
    rms = 1e-6 if name == "copper" else 1e-9
    batch = minimise(subject, rms=rms, rules=ORIGINAL_RULES)
    optimizer = LBFGS(subject, rules=ORIGINAL_RULES)
    assert optimizer.run(rms=rms)
    assert optimizer.nsteps == batch.steps[0]
    assert np.abs(coordinates(subject) - batch.x[0]).max() < 1e-12
    assert subject.get_potential_energy() == pytest.approx(batch.energy[0], abs=1e-12)


@pytest.mark.parametrize("theirs", [ase.optimize.LBFGS, ase.optimize.FIRE])
@pytest.mark.parametrize("name", ["weights", "LJAT3"])
def test_ase_optimizers_reach_our_energy(theirs, name):
    start = SYSTEMS[name]()
    LBFGS(start).run(rms=1e-3)
    other = Weights(start.calc, start.x) if name == "weights" else start.copy()
    other.calc = start.calc
    assert theirs(other, logfile=None).run(fmax=1e-6, steps=20_000)
    assert LBFGS(start).run(fmax=1e-8)
    assert other.get_potential_energy() == pytest.approx(start.get_potential_energy(), abs=1e-8)


def test_ljat3_from_the_same_start_by_everyone():
    ends = []
    for method in (LBFGS, SecondOrder, ase.optimize.LBFGS, ase.optimize.FIRE):
        atoms = Atoms("Ar3", positions=[[0, 0, 0], [1.1, 0, 0], [0.4, 1.0, 0]], calculator=LJAT(Z=2.0))
        assert method(atoms, logfile=None).run(fmax=1e-7, steps=5000)
        ends.append(atoms.get_potential_energy())
    assert all(min(abs(end - LINEAR), abs(end - TRIANGLE)) < 1e-8 for end in ends)


@pytest.mark.parametrize("n", [4, 5, 8, 13])
def test_copper_clusters_agree_with_ase(n):
    ours, theirs = copper(n, n), copper(n, n)
    assert LBFGS(ours).run(fmax=1e-2, steps=500)
    theirs.positions = ours.positions
    assert ase.optimize.BFGS(theirs, logfile=None).run(fmax=1e-6, steps=500)
    assert LBFGS(ours).run(fmax=1e-6, steps=500)
    assert ours.get_potential_energy() == pytest.approx(theirs.get_potential_energy(), abs=1e-8)


def test_scipy_agrees_on_rosenbrock():
    point = Point(np.linspace(-1, 1, 10), Function(scipy.optimize.rosen, scipy.optimize.rosen_der))
    theirs = scipy.optimize.minimize(
        scipy.optimize.rosen, point.x, jac=scipy.optimize.rosen_der, method="L-BFGS-B",
        options={"ftol": 1e-16, "gtol": 1e-9, "maxiter": 5000, "maxfun": 10_000},
    )  # fmt: skip
    optimizer = LBFGS(point, memory=10)
    assert optimizer.run(rms=1e-8, steps=5000)
    assert point.get_potential_energy() == pytest.approx(theirs.fun, abs=1e-10)
    assert np.allclose(point.x, theirs.x, atol=1e-5)


def test_log_trajectory_attach_and_irun(tmp_path):
    atoms = cluster(5, 2)
    log, seen = io.StringIO(), []
    optimizer = LBFGS(atoms, logfile=log, trajectory=str(tmp_path / "min.traj"))
    optimizer.attach(lambda: seen.append(atoms.get_potential_energy()))
    flags = list(optimizer.irun(fmax=1e-4))
    assert flags[-1]
    assert not any(flags[:-1])
    assert len(flags) == len(seen) == optimizer.get_number_of_steps() + 1
    # the energy may rise by no more than the rules allow
    assert np.diff(seen).max() <= ORIGINAL_RULES.max_rise
    images = ase.io.read(tmp_path / "min.traj", ":")
    assert [image.get_potential_energy() for image in images] == pytest.approx(seen)
    lines = log.getvalue().splitlines()
    assert len(lines) == len(seen) + 1
    assert lines[1].startswith("LBFGS:")


def test_steps_end_a_run_and_it_goes_on():
    atoms, other = cluster(7, 1), cluster(7, 1)
    optimizer = LBFGS(atoms)
    assert not optimizer.run(fmax=1e-6, steps=5)
    assert optimizer.nsteps == 5
    assert optimizer.reason == "too many steps"
    assert optimizer.run(fmax=1e-6)
    assert LBFGS(other).run(fmax=1e-6)
    assert np.array_equal(atoms.positions, other.positions)


def test_both_criteria_hold_together():
    atoms = cluster(5, 2)
    optimizer = LBFGS(atoms)
    optimizer.run(fmax=1e-1, rms=1e-7)
    forces = atoms.get_forces()
    assert np.sqrt(np.mean(forces**2)) < 1e-7
    optimizer = LBFGS(cluster(5, 2))
    optimizer.run()
    assert 1e-6 < np.linalg.norm(optimizer.atoms.get_forces(), axis=1).max() < 0.05


def test_fixed_atoms_stay():
    slab = fcc100("Al", (2, 2, 2), vacuum=6.0)
    add_adsorbate(slab, "Au", 1.9, "bridge")
    slab.set_constraint(FixAtoms(mask=[atom.tag > 1 for atom in slab]))
    slab.calc = EMT()
    slab.rattle(0.05, seed=1)
    before, other = slab.positions.copy(), slab.copy()
    other.calc = EMT()
    for method in (LBFGS, SecondOrder):
        assert method(slab).run(rms=1e-5, steps=500)
    assert np.array_equal(slab.positions[:4], before[:4])
    assert not np.allclose(slab.positions[4:], before[4:])
    assert ase.optimize.BFGS(other, logfile=None).run(fmax=1e-5, steps=500)
    assert slab.get_potential_energy() == pytest.approx(other.get_potential_energy(), abs=1e-8)


def test_frozen_weights_stay():
    loss = small_loss()
    frozen = np.zeros(loss.n_weights, dtype=bool)
    frozen[[0, 3, 7]] = True
    point = Point(np.random.default_rng(0).normal(size=loss.n_weights), loss, frozen=frozen)
    before = point.x
    assert SecondOrder(point).run(rms=1e-9)
    assert np.array_equal(point.x[frozen], before[frozen])
    assert np.abs(loss.energy_gradient(point.x)[1][~frozen]).max() < 1e-7


def test_second_order_leaves_a_saddle():
    def energy(x):
        return (x[0] ** 2 - 1) ** 2 + x[1] ** 2

    def gradient(x):
        return np.array([4 * x[0] * (x[0] ** 2 - 1), 2 * x[1]])

    point = Point([0.0, 0.3], Function(energy, gradient))
    optimizer = SecondOrder(point)
    assert optimizer.run(rms=1e-9, steps=500)
    assert abs(point.x[0]) == pytest.approx(1.0, abs=1e-8)
    assert optimizer.lowest_eigenvalue == pytest.approx(2.0, abs=1e-5)


def test_eigenvector_following_finds_one_negative_eigenvalue():
    atoms = cluster(7, 3)
    assert SecondOrder(atoms).run(rms=1e-8)
    atoms.rattle(0.1, seed=2)
    optimizer = EigenvectorFollowing(atoms)
    assert optimizer.run(rms=1e-9, steps=300)
    system = as_system(atoms)
    values = np.linalg.eigvalsh(difference_hessian(lambda x: system.energy_gradient(x)[1], atoms.positions.ravel()))
    assert np.sum(values < -1e-4) == 1
    assert values[0] == pytest.approx(optimizer.lowest_eigenvalue, rel=1e-5)
    assert np.sum(np.abs(values) < 1e-4) == 6


def test_a_search_that_fails_says_why():
    atoms = cluster(3, 0)
    atoms.positions[1] = atoms.positions[0]
    optimizer = LBFGS(atoms)
    assert not optimizer.run(fmax=1e-3)
    assert optimizer.reason == "energy or gradient not finite"
    bottomless = Point([0.1], Function(lambda x: np.nan if x[0] < 0 else x[0], lambda x: np.ones(1)))
    optimizer = LBFGS(bottomless)
    assert not optimizer.run(fmax=1e-3, steps=1000)
    assert optimizer.reason == "energy could not be lowered"
    assert 0 <= bottomless.x[0] <= 0.1


def test_bad_arguments_are_named(tmp_path):
    weights = Weights.random(small_loss(), seed=0)
    with pytest.raises(TypeError, match="trajectory can only hold Atoms"):
        LBFGS(weights, trajectory=str(tmp_path / "a.traj"))
    assert not (tmp_path / "a.traj").exists()
    with pytest.raises(ValueError, match="fmax must be positive, or 0"):
        LBFGS(weights).run(fmax=-1.0)
    with pytest.raises(ValueError, match="memory must be a whole number"):
        LBFGS(weights, memory=0)
    with pytest.raises(ValueError, match="switch must be positive"):
        SecondOrder(weights, switch=0.0)
    with pytest.raises(ValueError, match="max_step must be positive"):
        EigenvectorFollowing(weights, max_step=0.0)
    with pytest.raises(ValueError, match="no calculator"):
        LBFGS(Point([1.0]))
    assert LJAT(Z=0.0).describe()["name"] == "LJAT"
