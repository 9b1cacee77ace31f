"""Null modes by what the system is, against the null space of a Hessian by differences."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.calculator import CalculationFailed
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from ase.constraints import FixAtoms, FixCartesian
from scipy.spatial.transform import Rotation

from thalweg.optimizers import minimise
from thalweg.potentials import LJAT, as_system
from thalweg.potentials.symmetry.null_modes import lift_null_modes


def lennard_jones(positions, constraint=None):
    atoms = Atoms(f"Ar{len(positions)}", positions=positions, calculator=LJAT(Z=0.0))
    if constraint is not None:
        atoms.set_constraint(constraint)
    return atoms


def by_emt(atoms, constraint=None):
    atoms.calc = EMT()
    if constraint is not None:
        atoms.set_constraint(constraint)
    return atoms


TETRAHEDRON = 1.1 * np.array([[0, 0, 0], [1, 0, 0], [0.5, 0.87, 0], [0.5, 0.29, 0.82]])
LINE = [[-2.5, 0, 0], [0, 0, 0], [2.5, 0, 0]]

SYSTEMS = {
    "cluster": (lambda: lennard_jones(TETRAHEDRON), 6),
    "linear cluster": (lambda: by_emt(Atoms("Cu3", positions=LINE)), 5),
    "two atoms": (lambda: lennard_jones(TETRAHEDRON[:2]), 5),
    "one atom fixed": (lambda: lennard_jones(TETRAHEDRON, FixAtoms([1])), 3),
    "two atoms fixed": (lambda: lennard_jones(TETRAHEDRON, FixAtoms([0, 1])), 1),
    "three atoms fixed": (lambda: lennard_jones(TETRAHEDRON, FixAtoms([0, 1, 2])), 0),
    "one atom in a plane": (lambda: lennard_jones(TETRAHEDRON, FixCartesian(0, mask=(0, 0, 1))), 5),
    "periodic cell": (lambda: by_emt(bulk("Cu", cubic=True)), 3),
    "periodic cell, one atom fixed": (lambda: by_emt(bulk("Cu", cubic=True), FixAtoms([0])), 0),
    "molecule": (lambda: by_emt(molecule("H2O")), 6),
}


def stationary(name):
    atoms = SYSTEMS[name][0]()
    system = as_system(atoms)
    # the line of three stays one by symmetry
    x = minimise(system, system.x, rms=1e-7).x[0]
    return system, x


def null_space(system, x):
    """Vectors of curvature zero, by plain differences of the gradient over the free coordinates."""
    rows, free, h = [], system.free, 1e-4
    for k in free:
        step = np.zeros(system.n)
        step[k] = h
        rows.append((system.energy_gradient(x + step)[1] - system.energy_gradient(x - step)[1])[free] / (2 * h))
    values, vectors = np.linalg.eigh(0.5 * (np.array(rows) + np.array(rows).T))
    whole = np.zeros((len(free), system.n))
    whole[:, free] = vectors.T
    return whole[np.abs(values) < 1e-4 * np.abs(values).max()]


@pytest.mark.parametrize("name", SYSTEMS)
def test_null_modes_span_the_null_space(name):
    system, x = stationary(name)
    modes = system.null_modes(x)
    found = null_space(system, x)
    assert len(modes) == len(found) == SYSTEMS[name][1]
    np.testing.assert_allclose(modes @ modes.T, np.eye(len(modes)), atol=1e-10)
    np.testing.assert_allclose(modes[:, system.frozen], 0.0, atol=1e-12)
    if len(modes):
        overlaps = np.linalg.svd(modes @ found.T)[1]
        np.testing.assert_allclose(overlaps, 1.0, atol=1e-5)


@pytest.mark.parametrize(("name", "order"), [("cluster", 24), ("linear cluster", 2), ("two atoms", 2), ("molecule", 4)])
def test_orders_of_point_groups(name, order):
    system, x = stationary(name)
    assert system.order(x) == order


def test_lifted_null_modes_come_last():
    system = as_system(lennard_jones(TETRAHEDRON))
    x = minimise(system).x[0]
    hessian, null = system.hessian(x), system.null_modes(x)
    before = np.linalg.eigvalsh(hessian)
    lift_null_modes(hessian, null)
    after = np.linalg.eigvalsh(hessian)
    np.testing.assert_allclose(after[:6], before[6:], atol=1e-6)
    assert (after[6:] > 2 * before.max()).all()


WIRE = np.array([[0, 0, 0], [1.1, 0, 0], [0.5, 0.95, 0.3], [0.5, 0.3, 1.2]])


def wire(direction):
    """Lennard-Jones wire along any direction: a turned copy of one along z."""
    to = Rotation.align_vectors([direction], [[0, 0, 1]])[0]
    cell = np.zeros((3, 3))
    cell[0] = to.apply([0, 0, 2.4])
    atoms = Atoms("Ar4", to.apply(WIRE), cell=cell, pbc=(1, 0, 0))
    atoms.calc = LennardJones(rc=5, smooth=True)
    return atoms


def copper_in_a_box(size=16.0, shift=0.0, pbc=True):
    positions = np.array([[6, 6, 6], [8.3, 6, 6], [7.2, 8, 6.0]]) + shift
    atoms = Atoms("Cu3", positions, cell=[size] * 3, pbc=pbc, calculator=EMT())
    atoms.wrap()
    return atoms


class Field(LennardJones):
    """Lennard-Jones atoms with charges in a uniform field."""

    field = np.array([0.05, -0.02, 0.03])

    def calculate(self, atoms=None, properties=("energy",), system_changes=("positions",)):
        super().calculate(atoms, properties, system_changes)
        charges = atoms.get_initial_charges()
        self.results["energy"] -= float(charges @ (atoms.positions @ self.field))
        self.results["free_energy"] = self.results["energy"]
        self.results["forces"] = self.results["forces"] + np.outer(charges, self.field)


def in_a_field(charges):
    atoms = Atoms("Ar4", TETRAHEDRON, calculator=Field(rc=20))
    atoms.set_initial_charges(charges)
    return atoms


MOTIONS = {
    "cluster": (lambda: by_emt(Atoms("Cu3", positions=LINE)), 3, 3),
    "box": (copper_in_a_box, 3, 3),
    "box, across its boundary": (lambda: copper_in_a_box(shift=9.0), 3, 3),
    "box as small as the molecule": (lambda: copper_in_a_box(size=5.0), 3, 0),
    "box with a periodic direction": (lambda: copper_in_a_box(pbc=(0, 1, 0)), 3, 3),
    "crystal": (lambda: by_emt(bulk("Cu", cubic=True)), 3, 0),
    "wire": (lambda: wire([1, 2, 3]), 3, 1),
    "wire in a box": (
        lambda: Atoms("Cu2", [[0, 0, 0], [0.1, 0, 2.4]], cell=[14, 14, 4.6], pbc=True, calculator=EMT()), 3, 1,
    ),
    "neutral in a field": (lambda: in_a_field([0.5, -0.3, 0.0, -0.2]), 3, 1),
    "charged in a field": (lambda: in_a_field([0.5, 0.3, 0.0, 0.2]), 2, 1),
    "no charges in a field": (lambda: in_a_field([0, 0, 0, 0]), 3, 3),
}  # fmt: skip


@pytest.mark.parametrize("name", MOTIONS)
def test_rigid_motions_are_those_that_keep_the_energy(name):
    make, translations, rotations = MOTIONS[name]
    system = as_system(make())
    turns = system.rigid[:, 3:].any(axis=1)
    assert ((~turns).sum(), turns.sum()) == (translations, rotations)
    assert system.isotropic == (rotations == 3)
    energy, whole = system.energy(system.x), system.x.reshape(-1, 3)
    if len(system.lattice):
        whole = whole + np.round((whole[0] - whole) / system.atoms.cell.lengths()) * system.atoms.cell.lengths()
    centre = whole.mean(axis=0)
    for motion in system.rigid:
        moved = Rotation.from_rotvec(0.9 * motion[3:]).apply(whole - centre) + centre + 0.4 * motion[:3]
        assert system.energy(moved.ravel()) == pytest.approx(energy, abs=1e-6)


def test_axis_of_a_field_is_found():
    axis = as_system(in_a_field([0.5, -0.3, 0.0, -0.2])).rigid[-1, 3:]
    np.testing.assert_allclose(np.abs(axis), np.abs(Field.field) / np.linalg.norm(Field.field), atol=1e-6)


@pytest.mark.parametrize("direction", [[0, 0, 1], [1, 0, 0], [1, 2, 3], [-0.3, 0.8, 0.1]])
def test_wires_turn_about_their_axis(direction):
    system = as_system(wire(direction))
    found = minimise(system, rms=1e-8, second_order=True)
    assert found.converged[0]
    assert found.lowest_eigenvalue[0] > 1.0
    modes, x = system.null_modes(found.x[0]), found.x[0]
    assert len(modes) == 4
    overlaps = np.linalg.svd(modes @ null_space(system, x).T)[1]
    np.testing.assert_allclose(overlaps, 1.0, atol=1e-4)


@pytest.mark.parametrize("shift", [0.0, 9.0])
def test_molecules_in_a_box_have_three_rotations(shift):
    found = minimise(copper_in_a_box(shift=shift), second_order=True, rms=1e-7)
    free = minimise(copper_in_a_box(pbc=False), second_order=True, rms=1e-7)
    assert found.converged[0]
    assert found.modes[0] == 3
    np.testing.assert_allclose(found.log_eigenvalue_product, free.log_eigenvalue_product, atol=1e-4)


def test_a_failing_calculator_does_not_hinder():
    class Fails(LennardJones):
        def calculate(self, *args, **kwargs):
            raise CalculationFailed("no convergence")

    atoms = Atoms("Ar4", TETRAHEDRON, calculator=Fails())
    assert len(as_system(atoms).rigid) == 6
