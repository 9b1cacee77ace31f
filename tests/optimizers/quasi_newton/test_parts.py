"""Parts of searches without a Hessian: the model, its updates, the lowest mode, what is known, and fragments."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from thalweg.optimizers import minimise
from thalweg.optimizers.quasi_newton.fragments import Fragments
from thalweg.optimizers.quasi_newton.knowledge import Knowledge, Proved
from thalweg.optimizers.quasi_newton.lowest_mode import lowest_mode
from thalweg.optimizers.quasi_newton.model_hessian import model_hessian
from thalweg.optimizers.quasi_newton.surface import Surface
from thalweg.optimizers.quasi_newton.updates import updated
from thalweg.potentials import as_system


def system_of(name):
    atoms = molecule(name)
    atoms.calc = EMT()
    return as_system(atoms)


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(["CH4", "HCN", "C2H6", "H2O"]), st.integers(0, 2**32 - 1))
def test_the_model_turns_with_the_molecule(name, seed):
    system = system_of(name)
    turn = Rotation.random(rng=np.random.default_rng(seed)).as_matrix()
    here = model_hessian(system, system.x)
    there = model_hessian(system, (system.x.reshape(-1, 3) @ turn.T).ravel())
    blocks = np.kron(np.eye(len(system.x) // 3), turn)
    np.testing.assert_allclose(there, blocks @ here @ blocks.T, atol=1e-8)
    assert np.linalg.eigvalsh(here)[0] > 0


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_an_updated_hessian_explains_what_was_seen(count, seed):
    rng = np.random.default_rng(seed)
    true, guess = (one + one.T for one in rng.normal(size=(2, 6, 6)))
    steps = np.linalg.qr(rng.normal(size=(6, count)))[0]
    found = updated(guess, steps, true @ steps)
    np.testing.assert_allclose(found @ steps, true @ steps, atol=1e-6)
    np.testing.assert_allclose(found, found.T)


def test_the_lowest_mode_is_that_of_the_hessian():
    atoms = Atoms("Cu5", 2.5 * np.random.default_rng(3).normal(size=(5, 3)), calculator=EMT())
    atoms.positions[:] = minimise(atoms, rms=1e-2).x.reshape(-1, 3) + 0.1
    system = as_system(atoms)
    surface, x = Surface(system), system.x
    gradient, basis = surface(x)[1], surface.basis(x)
    values, vectors = np.linalg.eigh(basis.T @ system.hessian(x) @ basis)
    guess = np.random.default_rng(0).normal(size=len(values))
    model = basis.T @ model_hessian(system, x) @ basis

    def product(v):
        return basis.T @ surface.product(x, gradient, basis @ v)

    found = lowest_mode(product, model, guess, most=len(values), tolerance=1e-3)
    assert found.value == pytest.approx(values[0], abs=1e-2)
    assert abs(found.mode @ vectors[:, 0]) > 0.99


@pytest.fixture(scope="module")
def seven():
    """Return the system of seven argon atoms, and its four minima as the compiled potential has them."""
    from thalweg.potentials import LJAT

    start = LJAT(Z=0.0).random_coordinates(21, np.random.default_rng(0))
    exact = as_system(Atoms("Ar7", start.reshape(-1, 3), calculator=LJAT(Z=0.0)))
    rng = np.random.default_rng(1)
    found = minimise(exact, [exact.random(rng) for _ in range(60)], second_order=True)
    good = {round(float(e), 5): x for e, x, fine in zip(found.energy, found.x, found.converged, strict=True) if fine}
    minima = {energy: x for energy, x in good.items() if energy < -15.5}
    assert len(minima) == 4
    return as_system(Atoms("Ar7", start.reshape(-1, 3), calculator=LennardJones(rc=40.0))), minima


def test_a_basin_is_recognised_and_no_other(seven):
    system, minima = seven
    rng = np.random.default_rng(2)
    for energy, x in minima.items():
        known = Knowledge(system, 1e-4, 1e-2)
        known.add(Proved(system.energy(x), 0.0, x, 1.0, 0.0, 15))
        for other, y in minima.items():
            turned = (y.reshape(-1, 3) @ Rotation.random(rng=rng).as_matrix().T).ravel()
            step = rng.normal(size=21)
            moved = turned + 0.03 * step / np.linalg.norm(step)
            seen = known.basin(moved, *system.energy_gradient(moved))
            assert (seen is not None) == (energy == other)
            assert seen is None or np.linalg.norm(seen.x - moved) < 0.1


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.0, 1.0))
def test_no_copy_within_reach_is_told_apart_by_distances(seed, part):
    """Turned, mirrored, with its atoms in another order, and displaced by less than the reach in any direction."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(9, 3))
    system = as_system(Atoms("Ar9", 3.0 * x, calculator=LennardJones()))
    known = Knowledge(system, 1e-4, 1e-2)
    known.add(Proved(0.0, 0.0, x.ravel(), 1.0, 0.0, 21))
    copy = rng.permutation(x @ Rotation.random(rng=rng).as_matrix() * rng.choice([-1.0, 1.0]))
    # the worst is a displacement that pulls all atoms apart
    for step in (rng.normal(size=(9, 3)), copy - copy.mean(axis=0)):
        moved = copy + part * 0.1 * step / np.linalg.norm(step)
        assert not known._differ(moved.ravel(), 0, 0.1 + 1e-12)


def test_other_minima_are_told_apart_by_distances(seven):
    system, minima = seven
    known = Knowledge(system, 1e-4, 1e-2)
    for x in minima.values():
        known.add(Proved(system.energy(x), 0.0, x, 1.0, 0.0, 15))
    differ = [[known._differ(x, place, 0.1) for place in range(4)] for x in minima.values()]
    np.testing.assert_array_equal(differ, ~np.eye(4, dtype=bool))


@pytest.mark.parametrize(
    ("name", "atom", "way", "parts"), [("CH4", 1, 3.0, True), ("CH4", 1, 0.1, False), ("HCN", 2, 4.0, True)]
)
def test_fragments_are_told_by_bonds(name, atom, way, parts):
    system = system_of(name)
    x = system.x.reshape(-1, 3).copy()
    x[atom] += way * (x[atom] - x[0] + 1e-3) / np.linalg.norm(x[atom] - x[0] + 1e-3)
    assert Fragments(system, asked=True).fallen(x.ravel()) == parts
    assert Fragments(system, asked=True).parting(x.ravel(), np.zeros(x.size)) == parts
    assert not Fragments(system, asked=False).fallen(x.ravel())


def test_two_molecules_are_no_fragments_and_metals_are_none():
    pair = molecule("H2O")
    other = pair.copy()
    other.positions += [0, 0, 3.0]
    pair += other
    pair.calc = EMT()
    system = as_system(pair)
    assert not Fragments(system, asked=True).fallen(system.x)
    copper = as_system(Atoms("Cu3", [[0, 0, 0], [2.4, 0, 0], [1.2, 9, 0]], calculator=EMT()))
    assert not Fragments(copper, asked=True).fallen(copper.x)
