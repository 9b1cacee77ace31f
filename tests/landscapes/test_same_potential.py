"""A store goes on with its own potential alone: what its description does not tell apart, its reference does."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import zarr
from ase import Atoms
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from ase.calculators.morse import MorsePotential

from thalweg.landscapes import Landscape, StoreError, UntrustedError, merge, verify
from thalweg.landscapes.reference import reference_of
from thalweg.potentials import LJAT, Function, MuellerBrown, Point, as_system

from ..helpers import random_cluster, small_network
from . import calculators_elsewhere as elsewhere

FOUR = np.array([[0, 0, 0], [1.1, 0, 0], [0.5, 0.95, 0], [0.5, 0.3, 0.9]])
VERSION_1 = Path(__file__).parent / "storage" / "version1.zip"


def argon(calculator, **more):
    return Atoms("Ar4", FOUR, calculator=calculator, **more)


def copper(calculator, **more):
    return Atoms("Cu4", 2.3 * FOUR, calculator=calculator, **more)


def point(function, x=(0.0, 0.0)):
    return Point(np.array(x), Function(function, name="f"))


ANOTHER = {
    "charges": (
        lambda: argon(elsewhere.ByArrays(), charges=[1, -1, 1, -1]),
        lambda: argon(elsewhere.ByArrays(), charges=[1, -1, 1, -2]),
        "system/initial_charges",
    ),
    "charges that there were none of": (
        lambda: argon(elsewhere.ByArrays()),
        lambda: argon(elsewhere.ByArrays(), charges=[0, 0, 0, 1]),
        "system/initial_charges: stored 'nothing'",
    ),
    "magnetic moments": (
        lambda: argon(elsewhere.ByArrays(), magmoms=[1, 1, 1, 1]),
        lambda: argon(elsewhere.ByArrays(), magmoms=[1, 1, 1, -1]),
        "system/initial_magmoms",
    ),
    "tags of two layers": (
        lambda: copper(EMT(), tags=[1, 1, 2, 2]),
        lambda: copper(EMT(), tags=[2, 1, 2, 1]),
        "system/tags",
    ),
    "a heavier isotope": (
        lambda: Atoms("CH2", FOUR[:3], calculator=LennardJones()),
        lambda: Atoms("CH2", FOUR[:3], calculator=LennardJones(), masses=[12.011, 1.008, 2.014]),
        "system/masses",
    ),
    "info": (
        lambda: argon(elsewhere.ByArrays(), info={"charge": 1}),
        lambda: argon(elsewhere.ByArrays(), info={"charge": 0}),
        "system/info/charge: stored 1, given 0",
    ),
    "an array of the atoms": (
        lambda: with_depth(argon(elsewhere.ByArrays()), 1.0),
        lambda: with_depth(argon(elsewhere.ByArrays()), 1.1),
        "another potential",
    ),
    "the cutoff of EMT": (
        lambda: copper(EMT(asap_cutoff=True)),
        lambda: copper(EMT()),
        "asap_cutoff: stored True, given False",
    ),
    "the cutoff of a Morse potential": (
        lambda: argon(MorsePotential(rcut2=2.0)),
        lambda: argon(MorsePotential(rcut2=2.6)),
        "system/calculator/parameters/rcut2",
    ),
    "an argument beside the parameters": (
        lambda: argon(elsewhere.Widened(rcut=2.5)),
        lambda: argon(elsewhere.Widened(rcut=3.0)),
        "system/calculator/arguments/rcut: stored 2.5, given 3.0",
    ),
    "an argument that nothing holds": (
        lambda: argon(elsewhere.Scaled(5.0)),
        lambda: argon(elsewhere.Scaled(5.001)),
        "another potential",
    ),
    "the same name from another module": (
        lambda: copper(EMT()),
        lambda: copper(elsewhere.EMT()),
        "system/calculator/class: stored 'ase.calculators.emt:EMT', given 'tests",
    ),
    "functions of one name": (
        lambda: point(lambda x: float(x @ x)),
        lambda: point(lambda x: 1.0001 * float(x @ x)),
        "another potential",
    ),
    "functions that agree at zero": (
        lambda: point(lambda x: float(x[0] * x[1])),
        lambda: point(lambda x: float(x[0] ** 3 * x[1])),
        "another potential",
    ),
}


def with_depth(atoms, depth):
    atoms.set_array("depth", np.full(len(atoms), depth))
    return atoms


@pytest.mark.parametrize("name", ANOTHER)
def test_another_potential_is_refused_and_the_same_goes_on(name, tmp_path):
    first, second, said = ANOTHER[name]
    Landscape(first(), tmp_path / "a.zarr").close()
    before = (tmp_path / "a.zarr" / "zarr.json").read_bytes()
    with pytest.raises(StoreError) as caught:
        Landscape(second(), tmp_path / "a.zarr")
    assert said in str(caught.value)
    assert (tmp_path / "a.zarr" / "zarr.json").read_bytes() == before
    Landscape(first(), tmp_path / "a.zarr").close()


def test_both_numbers_are_named(tmp_path):
    Landscape(argon(elsewhere.Scaled(1.0)), tmp_path / "a.zarr").close()
    x = Landscape.open(tmp_path / "a.zarr")._store.description()["reference"]["x"]
    energies = [argon(LennardJones(rc=20)), argon(LennardJones(rc=20))]
    for atoms in energies:
        atoms.positions = x.reshape(-1, 3)
    stored = energies[0].get_potential_energy()
    with pytest.raises(StoreError, match="another potential") as caught:
        Landscape(argon(elsewhere.Scaled(2.0)), tmp_path / "a.zarr")
    assert f"{2 * stored:.12g}" in str(caught.value)
    assert f"{stored:.12g}" in str(caught.value)


MADE_AGAIN = {
    "charges and info": lambda: argon(elsewhere.ByArrays(), charges=[1, -1, 1, -1], info={"charge": 0.5}),
    "moments and tags": lambda: argon(elsewhere.ByArrays(), magmoms=[1, -1, 1, -1], tags=[1, 1, 2, 2]),
    "an array of the atoms": lambda: with_depth(argon(elsewhere.ByArrays()), 0.7),
    "an argument": lambda: argon(elsewhere.Widened(rcut=2.5)),
}


@pytest.mark.parametrize("name", MADE_AGAIN)
def test_a_system_built_from_its_store_computes_the_same(name, tmp_path):
    with Landscape(MADE_AGAIN[name](), tmp_path / "a.zarr") as landscape:
        landscape.find_minima(steps=2, progress=False)
        system = landscape.system
    read = Landscape.open(tmp_path / "a.zarr", trust=True)
    assert read.system is not system
    assert read.system.energy(FOUR.ravel() * 1.02) == system.energy(FOUR.ravel() * 1.02)
    energies = read.minima.energy[:]
    assert [read.system.energy(x) for x in read.minima.coordinates[:]] == pytest.approx(energies, abs=1e-9)


def test_a_built_potential_that_is_not_the_stored_one_is_refused(tmp_path):
    Landscape(argon(elsewhere.Scaled(5.0)), tmp_path / "a.zarr").close()
    read = Landscape.open(tmp_path / "a.zarr", trust=True)  # the class is there; its argument nobody knows
    with pytest.raises(StoreError, match="another potential"):
        verify(read)
    given = Landscape.open(tmp_path / "a.zarr", calculator=elsewhere.Scaled(5.0))
    assert verify(given) == []
    with pytest.raises(StoreError, match="another potential"):
        Landscape.open(tmp_path / "a.zarr", calculator=elsewhere.Scaled(4.0))
    with pytest.raises(StoreError, match="system/calculator/class"):
        Landscape.open(tmp_path / "a.zarr", calculator=LennardJones())


def test_noise_and_where_a_calculator_works_are_no_difference(tmp_path):
    for _ in range(4):
        Landscape(argon(elsewhere.Noisy(3.0)), tmp_path / "noisy.zarr").close()
    Landscape(argon(LennardJones(label="here/a")), tmp_path / "place.zarr").close()
    Landscape(argon(LennardJones(label="there/b")), tmp_path / "place.zarr").close()
    Landscape(argon(LennardJones(), info={"step": 3}), tmp_path / "info.zarr").close()
    Landscape(argon(LennardJones(), info={"step": 4}), tmp_path / "info.zarr").close()


def test_a_table_of_masses_of_another_year_is_no_difference(tmp_path):
    Landscape(argon(LennardJones()), tmp_path / "a.zarr").close()
    Landscape(argon(LennardJones(), masses=[39.944] * 4), tmp_path / "a.zarr").close()


def test_masses_are_in_the_store(tmp_path):
    Landscape(Atoms("HOH", FOUR[:3], calculator=LennardJones(), masses=[1.008, 15.999, 2.014]), tmp_path / "a").close()
    np.testing.assert_array_equal(zarr.open_group(tmp_path / "a", mode="r")["system/masses"][:], [1.008, 15.999, 2.014])
    assert Landscape.open(tmp_path / "a").geometry.atoms.get_masses().tolist() == [1.008, 15.999, 2.014]


@pytest.mark.parametrize(
    "make",
    [lambda: random_cluster(5, Z=1.0), small_network, lambda: Point([0.0, 0.5], MuellerBrown()), lambda: copper(EMT())],
)
def test_the_reference_is_what_the_potential_says_there(make, tmp_path):
    Landscape(make(), tmp_path / "a.zarr").close()
    group = zarr.open_group(tmp_path / "a.zarr", mode="r")
    assert group.attrs["format_version"] == 2
    held = group["system/reference"]
    x = held["x"][:]
    moved = as_system(make()).subject(x)
    assert moved.get_potential_energy() == held.attrs["energy"]
    np.testing.assert_array_equal(-moved.get_forces().ravel(), held["gradient"][:])
    assert 0 < np.abs(x - group["system/x"][:]).max() < 0.3
    assert np.abs(held["gradient"][:]).max() > 0


def test_a_potential_that_computes_nothing_there_has_no_reference():
    def fails(x):
        raise TypeError("wrongly written")

    assert reference_of(as_system(point(fails))) == {}
    assert reference_of(as_system(point(lambda x: np.nan))) == {}


def test_it_is_near_where_the_own_geometry_can_be_computed_alone():
    def inside(x):
        return float(x @ x) if np.abs(x).max() < 1e-2 else np.nan

    assert reference_of(as_system(point(inside)))["x"].tolist() == [0.0, 0.0]


def test_a_calculator_that_fails_at_the_reference_is_refused_by_reason(tmp_path):
    Landscape(argon(elsewhere.Scaled()), tmp_path / "a.zarr").close()
    broken = elsewhere.Scaled()
    broken.factor = lambda: 1 / 0
    with pytest.raises(StoreError, match=r"reference geometry.*ZeroDivisionError"):
        Landscape(argon(broken), tmp_path / "a.zarr")


def test_stores_of_two_potentials_are_not_merged(tmp_path):
    for name, scale in (("a", 1.0), ("b", 1.0), ("c", 1.01)):
        with Landscape(argon(elsewhere.Scaled(scale)), tmp_path / name, seed=len(name)) as landscape:
            landscape.find_minima(steps=2, progress=False)
    with pytest.raises(UntrustedError):
        merge(tmp_path / "a", tmp_path / "b", tmp_path / "ab")
    merge(tmp_path / "a", tmp_path / "b", tmp_path / "ab", trust=True)
    with pytest.raises(StoreError, match="another potential"):
        merge(tmp_path / "a", tmp_path / "c", tmp_path / "ac", argon(elsewhere.Scaled(1.0)))
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix != ".lock") == ["a", "ab", "b", "c"]


def test_a_store_of_version_1_is_not_compared_with_what_it_does_not_have(tmp_path):
    with zipfile.ZipFile(VERSION_1) as packed:
        packed.extractall(tmp_path / "a.zarr")
    atoms = Landscape.open(tmp_path / "a.zarr").geometry.atoms
    atoms.set_tags(range(len(atoms)))
    atoms.calc = LJAT(Z=0.0)
    atoms.info["made"] = "today"
    with Landscape(atoms, tmp_path / "a.zarr") as landscape:
        assert "reference" not in landscape._store.description()
    assert zarr.open_group(tmp_path / "a.zarr", mode="r").attrs["format_version"] == 1


def test_a_damaged_reference_is_named(tmp_path):
    Landscape(argon(LennardJones()), tmp_path / "a.zarr").close()
    root = (tmp_path / "a.zarr" / "zarr.json").read_text()
    (tmp_path / "a.zarr" / "zarr.json").write_text(root.replace('"energy": -', '"energie": -'))
    with pytest.raises(StoreError, match="system/reference"):
        Landscape.open(tmp_path / "a.zarr").system  # noqa: B018
    shutil.rmtree(tmp_path / "a.zarr")
