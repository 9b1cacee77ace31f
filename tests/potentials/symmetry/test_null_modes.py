"""Null modes by what the system is, against the null space of a Hessian by differences."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms, FixCartesian

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
