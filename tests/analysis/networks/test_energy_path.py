"""Paths through a landscape and structures from files, as users ask for them."""

from __future__ import annotations

import csv

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import add_adsorbate, fcc100
from ase.constraints import FixAtoms

from thalweg.analysis import KineticTransitionNetwork, landscape_path
from thalweg.landscapes import Landscape

from ...helpers import thalweg


@pytest.fixture(scope="module")
def lj7(tmp_path_factory):
    store = tmp_path_factory.mktemp("path") / "lj7.zarr"
    assert thalweg("explore", "LJ7", "--output", store, "--steps", 60, "--searches", 200).exit_code == 0
    return store


def test_a_path_goes_over_its_stationary_points(lj7):
    network = KineticTransitionNetwork.read(lj7)
    expected = network.lowest_barrier_path(0, 3)
    path = landscape_path(lj7, 0, 3)
    assert path.followed.all()
    assert path.highest == pytest.approx(expected.energy, abs=1e-7)
    stationary = path.numbers[path.stationary]
    np.testing.assert_array_equal(stationary[0::2], expected.minima)
    np.testing.assert_array_equal(stationary[1::2], expected.transition_states)
    np.testing.assert_allclose(path.energy[path.stationary][0::2], network.energies[expected.minima], atol=1e-7)
    system = Landscape.open(lj7).system
    points = path.continuous(system)
    np.testing.assert_allclose([system.energy(x) for x in points], path.energy, atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(np.diff(points, axis=0), axis=1), np.diff(path.length), atol=2e-2)


def test_files_hold_what_the_path_holds(lj7, tmp_path):
    files = [tmp_path / f"p.{ending}" for ending in ("csv", "png", "xyz")]
    result = thalweg("path", lj7, 0, 3, *(word for file in files for word in ("--output", file)))
    assert result.exit_code == 0, result.output
    path = landscape_path(lj7, 0, 3)
    with open(files[0]) as file:
        rows = list(csv.DictReader(file))
    np.testing.assert_allclose([float(row["energy"]) for row in rows], path.energy, atol=1e-9)
    assert files[1].stat().st_size > 1000
    assert len(ase.io.read(files[2], ":")) == len(rows)
    assert "transition states, the highest at" in result.stdout
    assert "must end in" in thalweg("path", lj7, 0, 3, "--output", tmp_path / "p.gif").output
    assert thalweg("path", lj7, 0, 99).exit_code == 1


def test_stationary_points_alone(lj7):
    path = landscape_path(lj7, 0, 3, follow=False)
    assert not path.followed.any()
    assert len(path.energy) == len(path.stationary)
    s, energy = path.line()
    assert energy.max() == pytest.approx(path.energy.max(), abs=1e-9)
    assert len(s) > len(path.energy)


def slab_file(folder):
    slab = fcc100("Al", (1, 1, 2), vacuum=6.0)
    add_adsorbate(slab, "Au", 1.9, "hollow")
    slab.set_constraint(FixAtoms(mask=[atom.tag > 0 for atom in slab]))
    slab.info.clear()
    ase.io.write(folder / "slab.xyz", slab, format="extxyz")
    return folder / "slab.xyz"


def test_a_structure_with_fixed_atoms_is_explored_in_ev(tmp_path):
    store = tmp_path / "slab.zarr"
    words = ("explore", slab_file(tmp_path), "--calculator", "emt", "--output", store)
    result = thalweg(*words, "--steps", 4, "--searches", 4)
    assert result.exit_code == 0, result.output
    assert "2 atoms fixed, periodic, emt, energies in eV" in result.stdout
    assert " eV" in next(line for line in result.stdout.splitlines() if line.startswith("lowest energy"))
    landscape = Landscape.open(store)
    assert landscape.units == "eV"
    assert landscape.system.n_free == 3
    assert type(landscape.system.potential).__name__ == "EMT"
    energy, gradient = landscape.system.energy_gradient(landscape.minima.coordinates[0])
    assert energy == pytest.approx(landscape.minima.energy[0], abs=1e-9)
    assert np.linalg.norm(gradient) < 1e-5
    assert "energies in eV," in thalweg("info", store).stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "needs a --calculator"),
        (("--calculator", "nothing"), "there is no calculator 'nothing'"),
        (("--calculator", "emt", "--parameters", '{"x": 1}'), "has no parameter x"),
        (("--calculator", "emt", "--parameters", "x"), "is not JSON"),
        (("--calculator", "emt"), "cannot compute"),
    ],
)
def test_what_is_wrong_with_a_structure_is_said(words, said, tmp_path):
    ase.io.write(tmp_path / "x.xyz", Atoms("Xe2", positions=[[0, 0, 0], [0, 0, 3]]))
    result = thalweg("explore", tmp_path / "x.xyz", "--output", tmp_path / "x.zarr", *words)
    assert result.exit_code == 2
    assert said in result.output
    assert not (tmp_path / "x.zarr").exists()
