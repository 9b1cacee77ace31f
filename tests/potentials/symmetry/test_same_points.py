"""Which points of a system are the same: fixed atoms, wires, boxes, fields, unlike atoms, mirror images, sites."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import add_adsorbate, fcc111, molecule
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from ase.constraints import FixAtoms, FixCartesian
from scipy.spatial.transform import Rotation

from thalweg.landscapes import Landscape, StoreError
from thalweg.potentials import LJAT, System, as_system

POSITIONS = np.array([[0, 0, 0], [1.1, 0, 0], [0.5, 0.95, 0.1], [0.5, 0.3, 0.9], [0.1, -0.8, 0.6]])


def cluster(constraint=None, positions=POSITIONS, **more):
    atoms = Atoms(f"Ar{len(positions)}", positions, calculator=LennardJones(rc=20), **more)
    atoms.set_constraint(constraint)
    return atoms


def copies(system, matrix, place, shift=(0, 0, 0), order=None):
    """Return whether the system takes this motion of its own point for a copy, and its energy for the same."""
    x = system.x.reshape(-1, 3)
    moved = (x - place) @ np.asarray(matrix).T + place + np.asarray(shift)
    moved = (moved if order is None else moved[order]).ravel()
    assert system.energy(moved) == pytest.approx(system.energy(system.x), abs=1e-8)
    return system.distance(system.x, moved) < 1e-6


MIRROR = np.diag([1.0, 1.0, -1.0])


def about(axis, angle=0.7):
    return Rotation.from_rotvec(angle * np.asarray(axis) / np.linalg.norm(axis)).as_matrix()


def test_turning_about_one_fixed_atom():
    system = System(cluster(FixAtoms([1])))
    for matrix in (about([1, 2, 3]), -about([0.3, -1, 0.2])):
        assert copies(system, matrix, POSITIONS[1], order=[3, 1, 0, 2, 4])
    assert not copies(System(cluster(FixAtoms([1])), inversion=False), -np.eye(3), POSITIONS[1])
    assert not copies(
        System(cluster(FixAtoms([1])), permutations="none"), np.eye(3), POSITIONS[1], order=[3, 1, 0, 2, 4]
    )
    # what does not leave the fixed atom in place is no motion of the others
    moved = system.x.reshape(-1, 3).copy()
    moved[[0, 2, 3, 4]] += 0.3
    assert system.distance(system.x, moved.ravel()) > 0.1


@pytest.mark.parametrize("fixed", [[0, 1], [0, 1, 5]])
def test_turning_about_a_line_of_fixed_atoms(fixed):
    positions = np.vstack([POSITIONS, [2.3, 0, 0]])
    system = System(cluster(FixAtoms(fixed), positions))
    for matrix in (about([1, 0, 0]), about([1, 0, 0], 2.0) @ MIRROR):
        assert copies(system, matrix, positions[0], order=[0, 1, 3, 2, 4, 5])
    assert copies(System(cluster(FixAtoms(fixed), positions), inversion=False), about([1, 0, 0]), positions[0])
    end_for_end = about([0, 0, 1], np.pi)
    middle = positions[fixed].mean(axis=0)
    if fixed == [0, 1]:
        assert copies(system, end_for_end, middle, order=[1, 0, 2, 3, 4, 5])
        unlike = cluster(FixAtoms(fixed), positions)
        unlike.numbers[0] = 36
        moved = ((positions - middle) @ end_for_end.T + middle)[[1, 0, 2, 3, 4, 5]]
        assert System(unlike).distance(positions.ravel(), moved.ravel()) > 0.1


def test_fixed_atoms_in_a_plane_have_a_mirror():
    positions = POSITIONS.copy()
    positions[2, 2] = 0.0
    system = System(cluster(FixAtoms([0, 1, 2]), positions))
    assert copies(system, MIRROR, positions[0])
    assert not copies(System(cluster(FixAtoms([0, 1, 2]), positions), inversion=False), MIRROR, positions[0])
    assert not copies(System(cluster(FixAtoms([0, 1, 2]), positions), substrate=False), MIRROR, positions[0])


def test_atoms_that_move_in_a_plane():
    flat = POSITIONS * [1, 1, 0] + [0, 0, 0.3]
    flat[3] += [0.4, 1.2, 0]
    atoms = cluster([FixCartesian(k, mask=(0, 0, 1)) for k in range(5)], flat)
    system = System(atoms)
    assert len(system.null_modes(system.x)) == 3
    assert copies(system, about([0, 0, 1]), flat[0], shift=[0.3, -0.2, 0], order=[4, 3, 2, 1, 0])
    assert copies(system, np.diag([1.0, -1.0, 1.0]), flat[0])
    assert not copies(System(atoms, inversion=False), np.diag([1.0, -1.0, 1.0]), flat[0])


@pytest.mark.parametrize("mask", [(0, 0, 1), (1, 1, 0)])
def test_one_atom_fixed_in_part(mask):
    system = System(cluster(FixCartesian(2, mask=mask)))
    free = [k for k in range(3) if not mask[k]]
    shift = np.zeros(3)
    shift[free] = 0.4
    assert copies(system, about([1, 2, -1]), POSITIONS[2], shift=shift)


@pytest.mark.parametrize("direction", [[0, 0, 1], [1, 0, 0], [1, 2, 3]])
@pytest.mark.parametrize("fixed", [None, [1]])
def test_wires_in_any_direction(direction, fixed):
    to = Rotation.align_vectors([direction], [[0, 0, 1]])[0]
    positions = to.apply([[0, 0, 0], [1.1, 0, 0], [0.5, 0.95, 0.3], [0.5, 0.3, 1.2]])
    cell = np.zeros((3, 3))
    cell[1] = to.apply([0, 0, 2.4])
    atoms = Atoms("Ar4", positions, cell=cell, pbc=(0, 1, 0), calculator=LennardJones(rc=5, smooth=True))
    atoms.set_constraint(FixAtoms(fixed) if fixed else None)
    system = System(atoms)
    place = positions[1] if fixed else positions.mean(axis=0)
    order = [2, 1, 0, 3]
    for matrix in (about(direction), np.eye(3)):
        shift = np.zeros(3) if fixed else 0.7 * np.array(direction) + 0.2
        assert copies(system, matrix, place, shift=shift, order=order)
    image = positions.copy()
    image[3] += 2 * cell[1]
    assert system.distance(positions.ravel(), image.ravel()) < 1e-6
    if not fixed:
        other = about(np.cross(direction, [0.3, 1.0, 0.2]), np.pi)
        assert copies(system, other, place)


@pytest.mark.parametrize("wrap", [False, True])
def test_molecules_turn_in_a_box(wrap):
    positions = np.array([[6, 6, 6], [8.3, 6, 6], [7.2, 8, 6.0], [7.3, 7, 8.1]]) + 6.0 * wrap
    atoms = Atoms("Cu4", positions, cell=[16] * 3, pbc=True, calculator=EMT())
    atoms.wrap()
    system = System(atoms)
    turned = Atoms("Cu4", (positions - positions[0]) @ about([1, 2, 3]).T + [3.0, 9.0, 15.0], cell=[16] * 3, pbc=True)
    turned.wrap()
    x = turned.positions[[3, 1, 0, 2]].ravel()
    assert system.energy(x) == pytest.approx(system.energy(system.x), abs=1e-8)
    np.testing.assert_allclose(system.align(system.x, x), system.x, atol=1e-6)
    assert system.order(system.x) == as_system(Atoms("Cu4", positions, calculator=EMT())).order(positions.ravel())


@pytest.mark.parametrize("name", ["tags", "initial_charges", "initial_magmoms", "masses"])
def test_equal_atoms_agree_in_all_that_is_theirs(name):
    atoms = Atoms("Ar5", POSITIONS, calculator=LJAT(Z=0.0))
    atoms.set_array(name, np.array([1, 2, 2, 2, 2]), dtype=int if name == "tags" else float)
    system = System(atoms)
    assert system.distance(system.x, POSITIONS[[0, 2, 1, 3, 4]].ravel()) < 1e-6
    assert system.distance(system.x, POSITIONS[[1, 0, 2, 3, 4]].ravel()) > 0.1


def test_r_and_s_are_two_where_mirror_images_are():
    atoms = Atoms("CHFClBr", molecule("CH4").positions * 1.4)
    atoms.calc = EMT()
    mirrored = (atoms.positions * [1, 1, -1]).ravel()
    for inversion in (True, False):
        system = System(atoms, inversion=inversion, rigid=np.eye(6))
        assert (system.distance(system.x, mirrored) < 1e-6) == inversion
    ammonia = molecule("NH3", calculator=EMT())
    inverted = (ammonia.positions * [1, 1, -1]).ravel()
    choices = (("bonds", True), ("bonds", False), ("none", True), ("none", False))
    systems = [System(ammonia, permutations=how, inversion=inversion, rigid=np.eye(6)) for how, inversion in choices]
    # its mirror image is ammonia turned, with two hydrogen atoms exchanged
    same = [system.distance(system.x, inverted) < 1e-6 for system in systems]
    assert same == [True, True, True, False]


def test_sites_of_a_slab_by_choice():
    slab = fcc111("Cu", (3, 3, 2), vacuum=8)
    add_adsorbate(slab, "Cu", 1.8, "fcc")
    slab.set_constraint(FixAtoms(range(18)))
    slab.set_tags([*slab.get_tags()[:18], 0])
    slab.calc = EMT()
    usual, sites = System(slab), System(slab, substrate=True)
    fcc = slab.positions.ravel()
    near, hcp = fcc.copy(), fcc.copy()
    near[-3:] += slab.cell.array[0] / 3
    hcp[-3:-1] = slab.positions[0, :2]
    assert sites.energy(near) == pytest.approx(sites.energy(fcc), abs=1e-9)
    assert sites.distance(fcc, near) < 1e-5
    assert usual.distance(fcc, near) > 1.0
    assert sites.distance(fcc, hcp) > 0.1
    off = fcc.copy()
    off[-3:-1] += [0.2, 0.1]
    turned = fcc.copy()
    turned[-3:-1] += about([0, 0, 1], 2 * np.pi / 3)[:2, :2] @ [0.2, 0.1]
    assert sites.energy(turned) == pytest.approx(sites.energy(off), abs=1e-9)
    assert sites.distance(off, turned) < 1e-5
    assert sites.order(fcc) == 6
    assert usual.order(fcc) == 1


def test_choices_are_stored_and_compared(tmp_path):
    atoms = cluster()
    path = tmp_path / "a.zarr"
    with Landscape(atoms, path, permutations="none", inversion=False) as landscape:
        landscape.find_minima(steps=1, progress=False)
    reopened = Landscape.open(path).system
    assert (reopened.permutations, reopened.inversion) == ("none", False)
    with Landscape(atoms, path) as landscape:
        assert (landscape.system.permutations, landscape.system.inversion) == ("none", False)
    with pytest.raises(StoreError, match="permutations"):
        Landscape(atoms, path, permutations="bonds")
    with pytest.raises(StoreError, match="inversion"):
        Landscape(atoms, path, inversion=True)
    with Landscape(atoms, tmp_path / "b.zarr") as landscape:
        assert not {"permutations", "inversion", "substrate", "rigid"} & landscape._store.description().keys()


def test_wrong_choices_are_refused():
    with pytest.raises(ValueError, match="permutations"):
        System(cluster(), permutations="some")
    from thalweg.potentials import Himmelblau, Point

    with pytest.raises(ValueError, match="for atoms"):
        System(Point([1.0, 2.0], Himmelblau()), inversion=False)
