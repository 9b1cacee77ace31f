"""Constraints of ASE: projections of the coordinates, springs, and what is refused."""

from __future__ import annotations

import ase.optimize
import numpy as np
import pytest
from ase import Atoms
from ase.build import add_adsorbate, fcc111, molecule
from ase.calculators.emt import EMT
from ase.constraints import (
    FixAtoms,
    FixBondLength,
    FixCartesian,
    FixCom,
    FixedLine,
    FixedPlane,
    FixInternals,
    FixScaled,
    FixSubsetCom,
    Hookean,
)

from tests.helpers import random_cluster
from thalweg.landscapes import Landscape, StoreError
from thalweg.landscapes.storage.description import description_differences
from thalweg.optimizers import find_transition_states, minimise
from thalweg.potentials import System, as_system

CONSTRAINTS = {
    "line": [FixAtoms([0, 1]), FixedLine([8], [0, 1, 1])],
    "plane": [FixAtoms([0, 1]), FixedPlane([7, 8], [1, 2, 1])],
    "line and plane": [FixAtoms([0, 1]), FixedPlane([8], [1, 0, 1]), FixedLine([8], [0, 1, 0])],
    "scaled": [FixScaled([0, 1, 2, 3]), FixScaled([8], [True, False, False])],
    "centre of mass": [FixCom()],
    "centre of some": [FixSubsetCom([7, 8]), FixAtoms([0])],
    "spring of two": [FixAtoms([0, 1, 2]), Hookean(8, 7, k=2.0, rt=2.0)],
    "spring to a plane": [FixAtoms([0, 1, 2]), Hookean(8, (0, 0, 1, -9.0), k=2.0)],
    "spring to a point": [FixAtoms([0, 1, 2]), Hookean(8, (0.0, 0.0, 12.0), k=1.0, rt=0.1)],
}


def slab(name):
    atoms = fcc111("Al", (2, 2, 2), vacuum=6.0)  # its cell is oblique
    add_adsorbate(atoms, "Cu", 2.2, "ontop")
    atoms.rattle(0.05, seed=1)
    atoms.calc = EMT()
    atoms.set_constraint(CONSTRAINTS[name])
    return atoms


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_energy_and_forces_are_those_of_ase_and_belong_together(name):
    atoms = slab(name)
    system = as_system(atoms)
    rng = np.random.default_rng(0)
    x = system.x + 0.03 * np.where(np.isin(np.arange(system.n), system.free), rng.normal(size=system.n), 0.0)
    energy, gradient = system.energy_gradient(x)
    theirs = atoms.copy()
    theirs.calc = EMT()
    theirs.set_positions(system.constrain(x).reshape(-1, 3), apply_constraint=False)
    assert energy == pytest.approx(theirs.get_potential_energy(), abs=1e-10)
    if name != "scaled":  # ASE projects these forces along other directions than those in which it moves the atoms
        assert np.abs(gradient + theirs.get_forces().ravel()).max() < 1e-10
    for v in rng.normal(size=(5, system.n)):
        v[system.frozen] = 0.0
        slope = (system.energy(x + 1e-4 * v) - system.energy(x - 1e-4 * v)) / 2e-4
        assert slope == pytest.approx(gradient @ v, abs=1e-5)
    null = system.null_modes(x)
    assert np.abs(null @ null.T - np.eye(len(null))).max(initial=0) < 1e-12
    assert np.abs(null @ system.hessian(x)).max(initial=0) < 1e-6


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_minima_are_those_that_ase_reaches(name):
    atoms = slab(name)
    found = minimise(atoms, rms=1e-5, second_order=True)
    assert found.converged[0]
    constraints = as_system(atoms).constraints
    if constraints is not None:
        assert np.abs(constraints.normals @ (found.x[0] - atoms.positions.ravel())).max(initial=0) < 1e-10
    theirs = atoms.copy()
    theirs.calc = EMT()
    if name == "scaled":  # ASE stops where its forces vanish, which are not those along the cell vectors
        theirs.set_positions(found.x[0].reshape(-1, 3), apply_constraint=False)
        forces = theirs.get_forces(apply_constraint=False)
        assert np.abs(forces[4:8]).max() < 1e-4
        assert np.abs(atoms.cell[1:] @ forces[8]).max() < 1e-3
        return
    # from close by: from the rattled start the two may go to different minima
    theirs.set_positions(found.x[0].reshape(-1, 3), apply_constraint=False)
    theirs.rattle(0.02, seed=2)
    assert ase.optimize.BFGS(theirs, logfile=None).run(fmax=1e-4, steps=500)
    assert found.energy[0] == pytest.approx(theirs.get_potential_energy(), abs=1e-5)


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_a_store_has_them(name):
    system = as_system(slab(name))
    again = System.from_description(system.describe())
    assert description_differences(system.describe(), again.describe()) == []
    x = system.x + 0.02
    assert again.energy(x) == pytest.approx(system.energy(x), abs=1e-9)


def test_allowed_motions_of_an_atom():
    atoms = Atoms("Cu4", np.random.default_rng(1).normal(size=(4, 3)) * 2, cell=[5, 6, 7], pbc=True, calculator=EMT())
    atoms.set_constraint(
        [FixScaled([0]), FixScaled([1], [False, False, True]), FixCartesian([2], [True, False, False])]
    )
    system = as_system(atoms)
    # along Cartesian cell vectors these are fixed coordinates
    assert system.frozen.tolist() == [0, 1, 2, 5, 6]
    assert system.constraints is None
    atoms.set_constraint([FixedLine([0], [1, 0, 0]), FixedPlane([0], [1, 0, 0]), FixedLine([1], [1, 1, 0])])
    system = as_system(atoms)
    assert system.frozen.tolist() == [0, 1, 2, 5]
    assert len(system.constraints.normals) == 1


@pytest.mark.parametrize(
    "constraints", [[FixCom()], [FixSubsetCom([0, 1])], [FixedLine([0], [1, 1, 1])], [FixedPlane([2], [1, 0, 1])]]
)
def test_what_only_says_where_a_cluster_is_leaves_its_symmetry(constraints, tmp_path):
    free = random_cluster(5)
    held = random_cluster(5, constraint=constraints)
    system = as_system(held)
    assert len(system.null_modes(system.x)) == 6
    assert not system.anchored
    with Landscape(held, tmp_path / "a.zarr") as landscape:
        landscape.find_minima(steps=8, progress=False)
        landscape.connect(searches=4, progress=False)
        assert landscape.minima.energy[:] == pytest.approx([-9.103852], abs=1e-6)
        x = landscape.minima.coordinates[:]
    assert np.abs((x - system.x) @ system.constraints.normals.T).max() < 1e-9
    assert minimise(free).energy[0] == pytest.approx(minimise(held, rms=1e-8).energy[0], abs=1e-5)


def test_springs_tell_atoms_from_others(tmp_path):
    atoms = random_cluster(5, constraint=[Hookean(0, 1, k=1.0, rt=1.05)])
    with Landscape(atoms, tmp_path / "a.zarr") as landscape:
        landscape.find_minima(steps=10, progress=False)
        energies = np.sort(landscape.minima.energy[:])
    # both tethered atoms in the ring or at the apices are too far apart to be without the spring's energy; a pair of
    # neighbours is in the ring, or one in the ring and one at an apex
    assert len(energies) == 2
    assert energies[0] > -9.103852


def test_a_saddle_on_a_line():
    atoms = slab("line")
    system = as_system(atoms)
    found = find_transition_states(atoms, system.x, rms=1e-5)
    rows = system.constraints.normals
    assert np.abs(rows @ (found.x[0] - system.x)).max() < 1e-9


def test_other_planes_are_other_systems(tmp_path):
    atoms = slab("plane")
    with Landscape(atoms, tmp_path / "a.zarr"):
        pass
    atoms.positions[8] += [1, -1, 1]  # within the plane
    with Landscape(atoms, tmp_path / "a.zarr"):
        pass
    atoms.positions[8] += [0.1, 0.2, 0.1]
    with pytest.raises(StoreError, match="system/held"):
        Landscape(atoms, tmp_path / "a.zarr")


@pytest.mark.parametrize(
    ("constraint", "name"),
    [(FixBondLength(0, 1), "FixBondLengths"), (FixInternals(bonds=[[1.0, [0, 1]]]), "FixInternals")],
)
def test_other_constraints_are_refused_by_name(constraint, name):
    with pytest.raises(TypeError, match=f"constraint {name} is not supported: use FixAtoms"):
        as_system(random_cluster(3, constraint=constraint))


def test_a_spring_to_a_place_needs_something_fixed():
    atoms = molecule("H2O", calculator=EMT())
    atoms.set_constraint(Hookean(0, (0.0, 0.0, 1.0), k=1.0, rt=0.1))
    with pytest.raises(TypeError, match="ties an atom to a place"):
        as_system(atoms)
    with pytest.raises(ValueError, match="every coordinate is fixed"):
        as_system(Atoms("Cu2", [[0, 0, 0], [2, 0, 0]], calculator=EMT(), constraint=[FixAtoms([0]), FixScaled([1])]))
