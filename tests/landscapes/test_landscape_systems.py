"""Stores of real systems: built again from what was stored, and refused for another one."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms

from thalweg.landscapes import Landscape, Minimum, StoreError
from thalweg.landscapes.storage.description import description_differences
from thalweg.potentials import LJAT, Function, Point, System, as_system

from ..helpers import small_network


def cluster(Z=2.0):
    return Atoms("Ar3", positions=[[0, 0, 0], [1.1, 0, 0], [0.4, 1.0, 0]], calculator=LJAT(Z=Z))


def copper():
    atoms = Atoms("Cu4", positions=np.eye(4, 3) * 2.5, calculator=EMT())
    atoms.set_constraint(FixAtoms([0]))
    return atoms


def box():
    return as_system(cluster(), bounds=None)


@pytest.mark.parametrize("subject", [cluster, small_network, copper, box, lambda: small_network(neighbours=1)])
def test_the_system_is_built_again_from_the_store(subject, tmp_path):
    with Landscape(subject(), tmp_path / "a.zarr", seed=1) as landscape:
        system = landscape.system
        assert landscape.rules["memory"] >= 4
    read = Landscape.open(tmp_path / "a.zarr")
    assert isinstance(read.system, System)
    assert description_differences(read.system.describe(), system.describe()) == []
    x = system.random(np.random.default_rng(0))
    assert read.system.energy(x) == system.energy(x)
    np.testing.assert_array_equal(read.system.free, system.free)
    Landscape(subject(), tmp_path / "a.zarr", seed=1).close()
    assert read.units == system.units


@pytest.mark.parametrize(
    ("first", "second", "named"),
    [
        (cluster, lambda: cluster(Z=0.0), "system/calculator/Z"),
        (small_network, lambda: small_network(seed=1), "system/calculator/inputs"),
        (small_network, lambda: small_network(l2=1e-4), "system/calculator/l2: stored 0.001, given 0.0001"),
        (small_network, cluster, "system/kind: stored 'point', given 'atoms'"),
        (small_network, lambda: small_network(hidden=(4,)), "system/calculator/hidden"),
    ],
)
def test_another_system_is_refused_by_name(first, second, named, tmp_path):
    Landscape(first(), tmp_path / "a.zarr").close()
    with pytest.raises(StoreError) as caught:
        Landscape(second(), tmp_path / "a.zarr")
    assert named in str(caught.value)


def test_where_the_user_happened_to_be_does_not_matter_and_is_not_used(tmp_path):
    atoms = cluster()
    Landscape(atoms, tmp_path / "a.zarr").close()
    stored = atoms.positions.ravel().copy()
    atoms.positions += 0.3
    with Landscape(atoms, tmp_path / "a.zarr") as landscape:
        np.testing.assert_array_equal(landscape.system.x, stored)


def test_permuted_and_sign_changed_units_are_one_minimum(tmp_path):
    weights = small_network()
    x = weights.get_x()
    moved = as_system(weights).symmetry.random_copy(x, np.random.default_rng(5))
    assert np.abs(moved - x).max() > 0.1
    with Landscape(weights, tmp_path / "a.zarr") as landscape:
        assert landscape.add_minimum(Minimum(1.0, x, 1e-9, 0.1, 1.0, 25)) == 0
        assert landscape.add_minimum(Minimum(1.0, moved, 1e-9, 0.1, 1.0, 25)) == 0
        assert landscape.minima.symmetry_order[0] == 1


def test_a_python_function_is_stored_but_must_be_given_again(tmp_path):
    def bowl(x):
        return float(x @ x)

    with Landscape(Point(np.zeros(2), Function(bowl)), tmp_path / "a.zarr") as landscape:
        landscape.add_minimum(Minimum(0.0, np.zeros(2), 0.0, 2.0, 1.4, 2))
    read = Landscape.open(tmp_path / "a.zarr")
    assert read.minima.energy[:].tolist() == [0.0]
    with pytest.raises(ValueError, match="Function"):
        read.system  # noqa: B018
    Landscape(Point(np.zeros(2), Function(bowl)), tmp_path / "a.zarr").close()
