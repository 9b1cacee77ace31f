"""Atoms come back from their description with everything that a calculator may read."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import add_adsorbate, fcc100, molecule
from ase.spacegroup import crystal

from thalweg.potentials.stored_systems.atoms import atoms_from, describe_atoms


def charged():
    return Atoms(
        "NaCl", [[0, 0, 0], [0, 0, 2.4]], charges=[1, -1], info={"charge": 0, "dft": {"xc": "PBE", "kpts": (2, 2, 1)}}
    )


def magnetic():
    atoms = Atoms("Fe2", [[0, 0, 0], [0, 0, 2.2]], pbc=(True, False, True), cell=np.diag([4.0, 5.0, 6.0]))
    atoms.set_initial_magnetic_moments([[0, 0, 2.5], [0.1, 0, -2.5]])
    return atoms


def two_layers():
    slab = fcc100("Al", (2, 2, 2), vacuum=6.0)
    add_adsorbate(slab, "Au", 1.9, "hollow")
    return slab


def deuterated():
    water = molecule("H2O")
    water.set_masses([15.999, 2.014, 1.008])
    water.set_array("residue", np.array(["a", "b", "b"]))
    water.set_array("bfactor", np.array([0.1, 0.2, np.nan]))
    return water


MADE = [charged, magnetic, two_layers, deuterated]


@pytest.mark.parametrize("make", MADE)
def test_they_come_back(make):
    atoms = make()
    again = atoms_from(describe_atoms(atoms), atoms.positions.ravel())
    assert again == atoms  # ASE's comparison: positions, numbers, cell, pbc
    for name in atoms.arrays:
        np.testing.assert_array_equal(again.arrays[name], atoms.arrays[name])
    np.testing.assert_array_equal(again.get_masses(), atoms.get_masses())
    assert again.info.keys() == atoms.info.keys()


def test_info_is_as_json_has_it():
    again = atoms_from(describe_atoms(charged()), np.zeros(6))
    assert again.info == {"charge": 0, "dft": {"xc": "PBE", "kpts": [2, 2, 1]}}


def test_what_is_zero_or_the_same_for_all_calculators_is_not_described():
    atoms = Atoms("Ar2", [[0, 0, 0], [0, 0, 1]], charges=[0, 0], magmoms=[0, 0], tags=[0, 0], momenta=[[1, 0, 0]] * 2)
    assert describe_atoms(atoms).keys() == {"numbers", "cell", "pbc", "masses"}
    assert atoms_from(describe_atoms(atoms), np.zeros(6)).arrays.keys() == {"numbers", "positions"}


def test_what_cannot_be_held_is_named():
    silicon = crystal("Si", [(0, 0, 0)], spacegroup=227, cellpar=[5.43] * 3 + [90] * 3)
    silicon.info["history"] = "cut from a crystal"
    silicon.set_array("complex", np.ones(len(silicon)) * 1j)
    description = describe_atoms(silicon)
    assert description["left_out"] == ["arrays: complex", "info: spacegroup"]
    assert description["info"] == {"history": "cut from a crystal", "unit_cell": "conventional"}
