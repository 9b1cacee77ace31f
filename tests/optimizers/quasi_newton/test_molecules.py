"""Several molecules turn as wholes: beside rotations by scipy, and ASE's TIP4P."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from ase.build import molecule
from ase.calculators.emt import EMT
from ase.calculators.tip4p import TIP4P
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist
from scipy.spatial.transform import Rotation

from thalweg.optimizers import dneb
from thalweg.optimizers.basin_hopping.molecular_moves import shuffled, turns_as_wholes
from thalweg.optimizers.interpolation import interpolate
from thalweg.optimizers.quasi_newton.context import Context
from thalweg.optimizers.quasi_newton.descent import descend
from thalweg.optimizers.quasi_newton.knowledge import KnownPoints
from thalweg.optimizers.quasi_newton.minimum import find_minimum
from thalweg.optimizers.quasi_newton.molecules.stiffness import initial_hessian
from thalweg.optimizers.quasi_newton.molecules.turning import TurningMolecules
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


@pytest.mark.slow
def test_a_band_of_water_finds_a_barrier(stiff):
    first = descend(Surface(stiff), stiff.x, goal=1e-6, steps=300, longest=0.25).x
    turn = stiff.x.reshape(3, 3, 3).copy()
    turn[0] = Rotation.from_rotvec([0.0, 1.5, 0.0]).apply(turn[0] - turn[0].mean(axis=0)) + turn[0].mean(axis=0)
    last = descend(Surface(stiff), turn.ravel(), goal=1e-6, steps=300, longest=0.25).x
    band = dneb(stiff, first, last, align=False, steps=100)
    # a straight band has molecules of half their size on the way, 100 eV and more
    assert 0 < band.barrier < 1.0


def test_shuffled_molecules_stay_whole():
    system = as_system(ring(3, EMT()))
    for seed in range(10):
        moved = shuffled(system, system.x, 0.2, np.random.default_rng(seed)).reshape(3, 3, 3)
        for own, first in zip(moved, system.x.reshape(3, 3, 3), strict=True):
            np.testing.assert_allclose(pdist(own), pdist(first), atol=1e-8)
