"""Bond lengths, angles and dihedral angles, steps along curves, and what is carried from point to point."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.calculators.emt import EMT
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from thalweg.optimizers import find_transition_states, minimise
from thalweg.optimizers.quasi_newton.internal_coordinates.coordinates import InternalCoordinates
from thalweg.optimizers.quasi_newton.internal_coordinates.curved_steps import (
    CurvedSteps,
    curved_steps,
    displaced,
    frames_at,
)
from thalweg.optimizers.quasi_newton.molecules.turning import TurningMolecules
from thalweg.potentials import as_system
from thalweg.potentials.symmetry.bonds.graph import bonded_pairs

NAMES = ["C2H6", "CH3CH2OH", "H2O2", "HCOOH", "trans-butane", "C6H6", "CH3CONH2"]


def system_of(name, seed=None, displacement=0.05):
    atoms = molecule(name)
    if seed is not None:
        atoms.positions += displacement * np.random.default_rng(seed).standard_normal(atoms.positions.shape)
    atoms.calc = EMT()
    return as_system(atoms)


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(NAMES), st.integers(0, 2**32 - 1))
def test_values_are_those_of_ase_and_derivatives_those_of_differences(name, seed):
    atoms = system_of(name, seed).atoms
    inner = InternalCoordinates(atoms.numbers, atoms.positions, bonded_pairs(atoms.numbers, atoms.positions))
    expected = [atoms.get_distance(*pair) for pair in inner.bonds]
    expected += [np.radians(atoms.get_angle(*three)) for three in inner.angles]
    expected += [np.radians(atoms.get_dihedral(*four)) for four in inner.dihedrals]
    values = inner.values(atoms.positions)
    np.testing.assert_allclose(inner.change(values, np.array(expected)), 0.0, atol=1e-9)
    step = np.random.default_rng(seed).standard_normal(atoms.positions.shape)
    there, back = (inner.values(atoms.positions + sign * 1e-5 * step) for sign in (1, -1))
    slope = inner.derivatives(atoms.positions) @ step.ravel()
    np.testing.assert_allclose(inner.change(there, back) / 2e-5, slope, rtol=1e-5, atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(NAMES), st.integers(0, 2**32 - 1))
def test_steps_turn_with_the_molecule(name, seed):
    system, draws = system_of(name, seed), np.random.default_rng(seed)
    step = 0.05 * draws.standard_normal(system.n)
    turn = Rotation.random(rng=draws).as_matrix()
    moved, _ = frames_at(system, system.x).moved(system.x, step)
    turned, where = ((vector.reshape(-1, 3) @ turn.T).ravel() for vector in (step, system.x))
    again, _ = frames_at(system, where).moved(where, turned)
    assert system.distance(moved, again) < 1e-6


def test_a_methyl_group_turns_without_stretching_its_bonds():
    system = system_of("C2H6")
    frames = curved_steps(system, system.x)
    # six rigid motions, which have the floor alone, and then the torsion
    step = 0.8 * np.linalg.eigh(frames.model)[1][:, 6]
    _, there = frames.moved(system.x, step)
    bonds = slice(0, len(frames.coordinates.bonds))
    change = frames.coordinates.change(there.values, frames.values)
    assert np.abs(change[bonds]).max() < 1e-3
    assert np.abs(change).max() > 0.3
    straight = frames.coordinates.values((system.x + step).reshape(-1, 3))
    assert np.abs(straight - frames.values)[bonds].max() > 0.02


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(NAMES), st.integers(0, 2**32 - 1))
def test_gradient_and_hessian_of_springs_are_carried_exactly(name, seed):
    system, draws = system_of(name, seed, 0.02), np.random.default_rng(seed)
    here = frames_at(system, system.x)
    _, there = here.moved(system.x, 0.05 * draws.standard_normal(system.n))
    assert isinstance(there, CurvedSteps)
    rows = [one.coordinates.derivatives(one.x.reshape(-1, 3)) for one in (here, there)]
    exact = len(rows[0]) == system.n - 6
    springs = draws.uniform(1.0, 30.0, len(rows[0])) if exact else here.coordinates.stiffness(here.x.reshape(-1, 3))
    before, after = ((row.T * springs) @ row for row in rows)
    if exact:
        np.testing.assert_allclose(there.carried_hessian(before), after, atol=1e-7 * np.abs(after).max())
        pull = draws.standard_normal(len(springs))
        np.testing.assert_allclose(there.carried_slopes(rows[0].T @ pull), rows[1].T @ pull, atol=1e-8)
        np.testing.assert_allclose(there.taken_back(rows[1].T @ pull), rows[0].T @ pull, atol=1e-8)
    else:
        # of coordinates that depend on each other a change here need not be one that is possible there
        error = np.linalg.norm(there.carried_hessian(before) - after, 2)
        assert error < 0.2 * np.linalg.norm(before - after, 2)


@pytest.mark.parametrize("name", ["HCN", "NH3", "H2CO", "CO2", "H2O", "CH4"])
def test_molecules_without_dihedral_angles_move_straight(name):
    system = system_of(name)
    assert isinstance(frames_at(system, system.x), TurningMolecules)


def test_what_is_no_free_molecule_moves_straight():
    pair = molecule("C2H6")
    pair += Atoms(pair.numbers, pair.positions + 6.0)
    periodic = molecule("C2H6", cell=[9, 9, 9], pbc=True)
    metal = Atoms("Cu5", 2.5 * np.random.default_rng(0).uniform(-1, 1, (5, 3)))
    for atoms in (pair, periodic, metal):
        atoms.calc = EMT()
        system = as_system(atoms)
        assert curved_steps(system, system.x) is None


def test_a_torn_molecule_keeps_its_coordinates():
    system = system_of("C2H6")
    x = system.x.copy()
    x[-3:] += 2.0 * (x[-3:] - x[:3])
    assert isinstance(frames_at(system, x), CurvedSteps)


@pytest.mark.parametrize("name", ["C2H6", "trans-butane"])
def test_random_displacements_tear_no_molecule(name):
    system, draws = system_of(name), np.random.default_rng(0)
    most, highest = 0.0, 0.0
    for _ in range(10):
        step = 0.3 * draws.standard_normal(system.n)
        most = max(most, system.energy(displaced(system, system.x, step)) - system.energy(system.x))
        highest = max(highest, system.energy(system.x + step) - system.energy(system.x))
    assert most < 0.5 * highest
    ammonia = system_of("NH3")
    step = 0.3 * draws.standard_normal(ammonia.n)
    np.testing.assert_array_equal(displaced(ammonia, ammonia.x, step), ammonia.x + step)


@pytest.mark.parametrize(("angle", "calls", "barrier"), [(120.0, 290, 0.1113), (5.0, 220, 0.2145)])
def test_barriers_of_butane_take_few_calls(angle, calls, barrier):
    tblite = pytest.importorskip("tblite.ase", reason="GFN2-xTB needs tblite")
    atoms = molecule("trans-butane")
    atoms.calc = tblite.TBLite(verbosity=0)
    system = as_system(atoms)
    lowest = minimise(system, rms=1e-3).energy[0]
    carbon = [k for k, symbol in enumerate(atoms.get_chemical_symbols()) if symbol == "C"]
    ends = [k for k in carbon if sum(atoms.get_distance(k, other) < 1.7 for other in carbon) == 2]
    inner = [k for k in carbon if k not in ends]
    a = min(ends, key=lambda k: atoms.get_distance(k, inner[0]))
    b = next(k for k in ends if k != a)
    side = [k for k in range(len(atoms)) if atoms.get_distance(k, inner[1]) < atoms.get_distance(k, inner[0])]
    atoms.set_dihedral(a, inner[0], inner[1], b, angle, indices=side)
    before = system.calls
    found = find_transition_states(system, [atoms.positions.ravel()], rms=1e-3)
    assert found.converged[0]
    assert found.energy[0] - lowest == pytest.approx(barrier, abs=2e-3)
    # three Hessians of 72 calls each, two where both minima are the same
    assert system.calls - before < calls
