"""Several molecules turn as wholes: beside rotations by scipy, and ASE's TIP4P."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.calculators.emt import EMT
from ase.calculators.tip4p import TIP4P
from ase.constraints import FixAtoms
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist
from scipy.spatial.transform import Rotation

from thalweg.optimizers import connect_pair, dneb
from thalweg.optimizers.band_images import BandRules, Images
from thalweg.optimizers.basin_hopping.molecular_moves import random_start, scattered, shuffled, turns_as_wholes
from thalweg.optimizers.interpolation import interpolate
from thalweg.optimizers.kernels.status import Status
from thalweg.optimizers.quasi_newton.context import Context
from thalweg.optimizers.quasi_newton.descent import descend
from thalweg.optimizers.quasi_newton.knowledge import KnownPoints
from thalweg.optimizers.quasi_newton.minimum import find_minimum
from thalweg.optimizers.quasi_newton.molecules.band import relax_as_wholes
from thalweg.optimizers.quasi_newton.molecules.stiffness import initial_hessian
from thalweg.optimizers.quasi_newton.molecules.turning import TurningMolecules, pushed
from thalweg.optimizers.quasi_newton.saddle import find_saddle
from thalweg.optimizers.quasi_newton.surface import Surface
from thalweg.potentials import as_system

PAGE = Path(__file__).parents[3] / "docs" / "molecules"


def ring(count, calculator, name="H2O"):
    """Molecules of one kind around a ring, as docs/molecules.md makes them."""
    cluster = molecule(name)[:0]
    for k in range(count):
        one = molecule(name)
        one.rotate(90 * k + 20, (1, 1, 1))
        angle = 2 * np.pi * k / count
        one.translate(1.4 / np.sin(np.pi / count) * np.array([np.cos(angle), np.sin(angle), 0]))
        cluster += one
    cluster.calc = calculator
    return cluster


@pytest.fixture
def stiff(monkeypatch):
    """Three molecules of the page's TIP4P, whose springs are two hundred times stiffer than bonds."""
    monkeypatch.syspath_prepend(str(PAGE))
    sys.modules.pop("tip4p_water", None)
    from tip4p_water import StiffTIP4P

    return as_system(ring(3, StiffTIP4P()))


numbers = st.floats(-1.0, 1.0, allow_subnormal=False)


@settings(max_examples=30, deadline=None)
@given(st.lists(numbers, min_size=18, max_size=18))
def test_rotations_and_shifts_of_a_molecule_keep_its_shape(drawn):
    """A step that turns and shifts every molecule is carried out along circles."""
    system = as_system(ring(3, EMT()))
    positions, parts = system.x.reshape(3, 3, 3), np.array(drawn).reshape(3, 2, 3)
    step = np.empty((3, 3, 3))
    for own, atoms, (turn, shift) in zip(step, positions, parts, strict=True):
        own[:] = np.cross(turn, atoms - atoms.mean(axis=0)) + shift
    moved, frames = TurningMolecules(system, system.x).moved(system.x, step.ravel())
    for before, after, (turn, shift), shape in zip(
        positions, moved.reshape(3, 3, 3), parts, frames.out_of_frames(system.x).reshape(3, 3, 3), strict=True
    ):
        expected = Rotation.from_rotvec(turn).apply(before - before.mean(axis=0)) + before.mean(axis=0) + shift
        np.testing.assert_allclose(after, expected, atol=1e-10)
        np.testing.assert_allclose(shape, Rotation.from_rotvec(turn).apply(before), atol=1e-10)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_short_steps_are_the_steps_asked_for(seed):
    rng = np.random.default_rng(seed)
    system = as_system(ring(2, EMT(), "NH3"))
    step, frames = rng.standard_normal(system.n), TurningMolecules(system, system.x)
    moved, turned = frames.moved(system.x, 1e-5 * step)
    np.testing.assert_allclose((moved - system.x) / 1e-5, step, atol=1e-4)
    np.testing.assert_allclose(turned.out_of_frames(turned.into_frames(step)), step, atol=1e-12)
    np.testing.assert_allclose(turned.matrix(system.free) @ turned.into_frames(step), step, atol=1e-12)
    assert not turned.deformed(moved, 1e-4)


def test_molecules_of_several_sizes_turn_beside_a_fixed_atom():
    """A bent, a round and a straight molecule, and an atom on its own that may not move."""
    atoms = molecule("H2O")
    for k, name in enumerate(("CH4", "CO2", "OH", "Ar"), 1):
        one = Atoms("Ar") if name == "Ar" else molecule(name)
        one.translate([4.0 * k, 0.5 * k, 0.0])
        atoms += one
    atoms.set_constraint(FixAtoms([len(atoms) - 1]))
    atoms.calc = EMT()
    system = as_system(atoms)
    frames = TurningMolecules(system, system.x)
    assert [len(one) for one in frames.molecules] == [3, 5, 3, 2]
    step = np.zeros((len(atoms), 3))
    turns = np.random.default_rng(0).standard_normal((4, 3))
    for own, turn in zip(frames.molecules, turns, strict=True):
        step[own] = np.cross(turn, atoms.positions[own] - atoms.positions[own].mean(axis=0))
    moved = frames.moved(system.x, step.ravel())[0].reshape(-1, 3)
    for own in frames.molecules:
        np.testing.assert_allclose(pdist(moved[own]), pdist(atoms.positions[own]), atol=1e-10)
        assert np.linalg.norm(moved[own] - atoms.positions[own]) > 0.1
    np.testing.assert_array_equal(moved[-1], atoms.positions[-1])


def test_a_push_along_a_turning_mode_strains_no_spring(stiff):
    """The Hessian that comes along is near the one there, which is stiff along bonds that have turned by 20 degrees."""
    x = descend(Surface(stiff), stiff.x, goal=1e-6, steps=300, longest=0.25).x
    turn = np.zeros((9, 3))
    turn[:3] = np.cross([0.2, 0.3, 0.1], x.reshape(9, 3)[:3] - x.reshape(9, 3)[:3].mean(axis=0))
    moved, hessian = pushed(stiff, x, turn.ravel(), stiff.hessian(x))
    lowest, straight = stiff.energy(x), stiff.energy(x + turn.ravel())
    assert stiff.energy(moved) - lowest < 0.2
    assert straight - lowest > 10 * (stiff.energy(moved) - lowest)
    true = stiff.hessian(moved)
    assert np.linalg.norm(hessian - true) < 0.01 * np.linalg.norm(true)
    assert np.linalg.norm(stiff.hessian(x) - true) > 0.1 * np.linalg.norm(true)


@pytest.mark.parametrize("name", ["trans-butane", "H2O"])
def test_a_molecule_alone_moves_straight(name):
    system = as_system(molecule(name, calculator=EMT()))
    step = np.random.default_rng(0).standard_normal(system.n)
    moved, frames = TurningMolecules(system, system.x).moved(system.x, step)
    np.testing.assert_array_equal(moved, system.x + step)
    assert frames.matrix(system.free) is None
    assert not turns_as_wholes(system, system.x)


def test_the_first_hessian_knows_stiff_springs(stiff):
    """Against a Hessian of differences: within molecules to a tenth, positive definite, four calls."""
    surface, frames = Surface(stiff), TurningMolecules(stiff, stiff.x)
    gradient = surface(stiff.x)[1]
    guess, calls = initial_hessian(surface, stiff.x, gradient, frames), surface.calls
    assert calls == 1 + 1 + 3
    values = np.linalg.eigvalsh(guess)
    true = np.linalg.eigvalsh(stiff.hessian(stiff.x))
    assert values[0] > 0
    np.testing.assert_allclose(values[-9:], true[-9:], rtol=0.1)


def test_minima_of_stiff_molecules_take_few_calls(stiff):
    """A tenth of what straight steps took; the lowest has the energy that ASE's rigid TIP4P has there."""
    rng, calls, energies = np.random.default_rng(1), [], []
    for _ in range(4):
        surface = Surface(stiff)
        way = descend(surface, shuffled(stiff, stiff.x, 0.3, rng), goal=1e-6, steps=300, longest=0.25)
        assert way.rms < 1e-6
        calls.append(surface.calls)
        energies.append(way.energy)
        water = stiff.subject(way.x)
        water.calc = TIP4P(rc=50.0, width=0.1)
        assert water.get_potential_energy() == pytest.approx(way.energy, abs=3e-4)
    assert np.mean(calls) < 70
    assert min(energies) == pytest.approx(-0.725762, abs=1e-6)


def test_a_transition_state_between_stiff_molecules(stiff):
    """The hydrogen that turns through the ring's plane: its energy is stationary for ASE's TIP4P, too."""
    context = Context(stiff, 1e-6, KnownPoints(stiff))
    start = find_minimum(context, stiff.x).x
    rng = np.random.default_rng(1)
    for _ in range(6):
        found = find_saddle(
            context, shuffled(stiff, start, 0.1, rng), None, steps=120, longest=0.3, energies=np.zeros(0), within=0.0
        )
        if len(found.sides) == 2:
            break
    assert found.status == 0
    assert all(side.point.energy < found.point.energy for side in found.sides)
    assert found.point.lowest_eigenvalue < 0


def test_a_band_between_turned_molecules_keeps_their_bonds():
    system = as_system(ring(3, EMT()))
    end = shuffled(system, system.x, 0.1, np.random.default_rng(0))
    band = interpolate(system, system.x, end, 7)
    np.testing.assert_allclose(band[[0, -1]], [system.x, end])
    for image in band.reshape(9, 3, 3, 3):
        for own, first in zip(image, system.x.reshape(3, 3, 3), strict=True):
            np.testing.assert_allclose(pdist(own), pdist(first), atol=1e-8)


def turned_ring(system):
    """Two minima of three waters: the ring, and what it becomes when a molecule is turned by 86 degrees."""
    first = descend(Surface(system), system.x, goal=1e-6, steps=300, longest=0.25).x
    turn = system.x.reshape(3, 3, 3).copy()
    turn[0] = Rotation.from_rotvec([0.0, 1.5, 0.0]).apply(turn[0] - turn[0].mean(axis=0)) + turn[0].mean(axis=0)
    return first, descend(Surface(system), turn.ravel(), goal=1e-6, steps=300, longest=0.25).x


def test_a_band_of_water_comes_down_in_a_few_steps(stiff):
    """By a tenth of an angstrom a step, and molecules keep the lengths that they have in the minima."""
    first, last = turned_ring(stiff)
    images = Images(stiff, interpolate(stiff, first, last, 6), BandRules())
    before = images.energy.copy()
    rms, steps, status = relax_as_wholes(images)
    assert (steps, status) == (8, Status.TOO_MANY_STEPS)
    assert rms == pytest.approx(images.rms())
    assert images.energy.max() < before.max() - 0.01
    assert images.energy[1:-1].mean() < before[1:-1].mean() - 0.03
    for image in images.x.reshape(-1, 3, 3):
        np.testing.assert_allclose(pdist(image), [0.9572, 0.9572, 1.5139], atol=2e-3)
    energies, gradients = stiff.energies_gradients(images.x)
    np.testing.assert_allclose(images.energy, energies, atol=1e-12)
    np.testing.assert_allclose(images.gradient[1:-1], gradients[1:-1], atol=1e-9)


def test_a_band_on_which_the_calculator_fails_stays_as_it_was(stiff, monkeypatch):
    first, last = turned_ring(stiff)
    images = Images(stiff, interpolate(stiff, first, last, 4), BandRules())
    x, energy = images.x.copy(), images.energy.copy()

    def fail():
        images.energy[2:-1] = np.nan
        return False

    monkeypatch.setattr(images, "evaluate", fail)
    assert relax_as_wholes(images)[1:] == (0, Status.NOT_FINITE)
    np.testing.assert_array_equal(images.x, x)
    np.testing.assert_array_equal(images.energy, energy)


def test_minima_of_water_are_connected_in_few_calls(stiff):
    """A band alone took 1,200; the energy is stationary for ASE's rigid TIP4P, too."""
    first, last = turned_ring(stiff)
    before = stiff.calls
    found = connect_pair(stiff, first, last, rms=1e-6, align=False, search={"known_points": KnownPoints(stiff)})
    assert stiff.calls - before < 600 * len(found.x)
    row = np.flatnonzero(found.converged)[0]
    water = stiff.subject(found.x[row])
    water.calc = TIP4P(rc=50.0, width=0.1)
    forces = water.get_forces().reshape(3, 3, 3)
    arms = found.x[row].reshape(3, 3, 3)
    np.testing.assert_allclose(forces.sum(axis=1), 0.0, atol=2e-3)
    np.testing.assert_allclose(np.cross(arms, forces).sum(axis=(0, 1)), 0.0, atol=2e-3)


@pytest.mark.slow
def test_a_band_of_water_finds_a_barrier(stiff):
    first, last = turned_ring(stiff)
    band = dneb(stiff, first, last, align=False, steps=100)
    # a straight band has molecules of half their size on the way, 100 eV and more
    assert 0 < band.barrier < 1.0


def test_shuffled_molecules_stay_whole():
    system = as_system(ring(3, EMT()))
    for seed in range(10):
        moved = shuffled(system, system.x, 0.2, np.random.default_rng(seed)).reshape(3, 3, 3)
        for own, first in zip(moved, system.x.reshape(3, 3, 3), strict=True):
            np.testing.assert_allclose(pdist(own), pdist(first), atol=1e-8)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_random_starts_tear_no_molecule(seed):
    """As wholes, in any orientation; seeds draw different ones."""
    system, rng = as_system(ring(4, EMT())), np.random.default_rng(seed)
    x = random_start(system, rng).reshape(4, 3, 3)
    for own, first in zip(x, system.x.reshape(4, 3, 3), strict=True):
        np.testing.assert_allclose(pdist(own), pdist(first), rtol=1e-9)
    assert np.linalg.norm(random_start(system, rng) - x.ravel()) > 0.5


def test_random_starts_of_other_systems_are_those_of_the_system():
    system = as_system(molecule("trans-butane", calculator=EMT()))
    drawn = random_start(system, np.random.default_rng(0))
    np.testing.assert_array_equal(drawn, system.random(np.random.default_rng(0)))


def test_a_random_step_strains_stiff_molecules_by_an_ev_each(stiff):
    """Straight, the same step takes hundreds; soft ones follow the step."""
    x = descend(Surface(stiff), stiff.x, goal=1e-6, steps=300, longest=0.25).x
    step = 0.2 * np.random.default_rng(3).standard_normal(stiff.n)
    strains = []
    for moved in (scattered(stiff, x, step), x + step):
        lengths = np.array([pdist(one) for one in moved.reshape(-1, 3, 3)])
        strains.append(5e3 * ((lengths - [0.9572, 0.9572, 1.51390]) ** 2).sum(axis=1))
    assert np.all(strains[0] < 4.0)
    assert np.all(strains[1] > 50.0)
    soft = as_system(ring(3, EMT()))
    small = 1e-3 * np.random.default_rng(3).standard_normal(soft.n)
    np.testing.assert_allclose(scattered(soft, soft.x, small), soft.x + small, atol=1e-5)
