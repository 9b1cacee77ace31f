"""Export of structures, read back by ASE, and of PATHSAMPLE's files with masses."""

import numpy as np
import pytest
from ase import Atoms, units
from ase.calculators.emt import EMT
from ase.db import connect
from ase.io import read
from click.testing import CliRunner

from thalweg.analysis import KineticTransitionNetwork, read_points
from thalweg.analysis.cli.main import program
from thalweg.landscapes import Landscape

BIPYRAMID = [[0, 0, 0], [2.5, 0, 0], [1.25, 2.1, 0], [1.25, 0.7, 2.0], [1.25, 0.7, -2.0]]
VIBRATIONS = 9


def thalweg(*words, status=0):
    done = CliRunner().invoke(program, [str(word) for word in words])
    assert done.exit_code == status, done.output
    return done.output


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("alloy") / "alloy.zarr"
    atoms = Atoms("Cu3Au2", BIPYRAMID, calculator=EMT())
    atoms.info["label"] = "12"
    with Landscape(atoms, path, seed=1) as landscape:
        landscape.find_minima(steps=6, workers=1)
        landscape.connect(searches=8, workers=1)
        assert len(landscape.minima) > 1
        assert len(landscape.transition_states) > 0
    return path


def frames_of(path, form):
    if form == "db":
        with connect(path) as database:
            rows = list(database.select())
        return [row.toatoms() for row in rows], [{**row.key_value_pairs, **row.data} for row in rows]
    frames = read(path, index=":")
    return frames, [frame.info for frame in frames]


@pytest.mark.parametrize("form", ["extxyz", "traj", "db"])
def test_ase_reads_every_point_back(store, tmp_path, form):
    file = tmp_path / f"points.{form}"
    assert str(file) in thalweg("export", store, "--format", form, "--output", file)
    frames, known = frames_of(file, form)
    landscape = Landscape.open(store)
    minima, states = landscape.minima, landscape.transition_states
    assert len(frames) == len(minima) + len(states)
    for frame, info in zip(frames, known, strict=True):
        points = minima if info["kind"] == "minimum" else states
        row = int(info["row"])
        assert frame.get_potential_energy() == pytest.approx(points.energy[row], abs=1e-9)
        np.testing.assert_allclose(frame.positions.ravel(), points.coordinates[row], atol=1e-7)
        again = frame.copy()
        again.calc = EMT()
        assert again.get_potential_energy() == pytest.approx(points.energy[row], abs=1e-6)
        if info["kind"] == "transition state":
            assert [info["minimum_a"], info["minimum_b"]] == states.minima[row].tolist()
        # that over a transition state is imaginary, a negative number
        assert len(info["frequencies"]) == VIBRATIONS
        assert (np.asarray(info["frequencies"]) < 0).sum() == (info["kind"] == "transition state")
    assert "exists" in thalweg("export", store, "--format", form, "--output", file, status=1)
    thalweg("export", store, "--format", form, "--output", file, "--overwrite")
    if form == "db":
        with connect(file) as database:
            assert database.get(kind="minimum", row=0).energy == pytest.approx(minima.energy[0])


TEXTS = {
    "comment": 'two\n3\nLattice="9 0 0"\nAu 0 0 0',
    "title": "\x1b]0;gone\x07",
    "kind": "maximum",
    "row": 99,
    "energy": -1e6,
    "stress": [0.0] * 6,
    "deep": {"a\tb": ["\x1b[31m", 1]},
}


@pytest.mark.parametrize("form", ["extxyz", "traj", "db"])
def test_info_of_the_explored_atoms_is_neither_a_result_nor_a_line(tmp_path, form):
    """Whatever somebody has put into the atoms, a file has the points alone, and steers no terminal."""
    atoms = Atoms("Cu3", BIPYRAMID[:3], calculator=EMT(), info=dict(TEXTS))
    atoms.set_array("forces", np.full((3, 3), 7.0))
    path, file = tmp_path / "a.zarr", tmp_path / f"points.{form}"
    with Landscape(atoms, path, seed=1) as landscape:
        landscape.find_minima(steps=2, workers=1)
        energy = landscape.minima.energy[0]
    thalweg("export", path, "--format", form, "--output", file)
    frames, known = frames_of(file, form)
    assert len(frames) == 1
    assert len(frames[0]) == 3
    assert frames[0].get_potential_energy() == pytest.approx(energy)
    assert set(frames[0].calc.results) <= {"energy", "free_energy"}
    assert (known[0]["kind"], int(known[0]["row"])) == ("minimum", 0)
    assert known[0]["stored_kind"] == "maximum"
    assert "\n" not in known[0]["comment"]
    assert b"\x1b" not in file.read_bytes() or form == "db"
    thalweg("show", path, "minimum", 0, "--output", tmp_path / "one.xyz")
    shown = read(tmp_path / "one.xyz")
    assert len(shown) == 3
    assert b"\x1b" not in (tmp_path / "one.xyz").read_bytes()
    assert shown.get_potential_energy() == pytest.approx(energy)


def test_a_calculator_that_needs_trust_is_not_run(tmp_path):
    class Mine(EMT):
        pass

    path = tmp_path / "m.zarr"
    with Landscape(Atoms("Cu2", [[0, 0, 0], [2.3, 0, 0]], calculator=Mine()), path) as landscape:
        landscape.find_minima(steps=2, workers=1)
    thalweg("export", path, "--format", "extxyz", "--output", tmp_path / "m.xyz")
    assert len(read(tmp_path / "m.xyz", index=":")) == 1


def test_reduced_units_and_points(tmp_path):
    for system in ("LJ5", "MuellerBrown"):
        thalweg(
            "explore", system, "--steps", 5, "--searches", 5, "--workers", 1, "--output", tmp_path / f"{system}.zarr"
        )
    thalweg("export", tmp_path / "LJ5.zarr", "--format", "extxyz", "--output", tmp_path / "a.xyz")
    frames = read(tmp_path / "a.xyz", index=":")
    assert frames[0].get_potential_energy() == pytest.approx(-9.103852, abs=1e-6)
    assert "frequencies" not in frames[0].info
    said = thalweg(
        "export", tmp_path / "LJ5.zarr", "--format", "db", "--frequencies", "--output", tmp_path / "a.db", status=1
    )
    assert "eV" in said
    assert not (tmp_path / "a.db").exists()
    said = thalweg("export", tmp_path / "MuellerBrown.zarr", "--format", "traj", "--output", tmp_path / "a", status=1)
    assert "has no atoms" in said
    assert "for --format pathsample" in thalweg(
        "export", tmp_path / "LJ5.zarr", "--format", "db", "--A", "0", "--output", tmp_path / "x", status=2
    )


def test_pathsample_with_masses_and_sets(store, tmp_path):
    folder = tmp_path / "ps"
    landscape = Landscape.open(store)
    count = len(landscape.minima)
    thalweg("export", store, "--format", "pathsample", "--output", folder, "--A", "0", "--B", f"1-{count - 1}")
    network = KineticTransitionNetwork.from_pathsample(folder)
    assert network.groups["A"].tolist() == [0]
    assert network.groups["B"].tolist() == list(range(1, count))
    for ts, points, name in (("", landscape.minima, "min"), ("ts_", landscape.transition_states, "ts")):
        x = read_points(folder / f"points.{name}", len(points))
        moments = getattr(network, f"{ts}properties")["moments_of_inertia"]
        products = getattr(network, f"{ts}log_eigenvalue_product")
        for row in range(len(points)):
            atoms = landscape.geometry.subject(x[row])
            np.testing.assert_allclose(np.sort(moments[row]), np.sort(atoms.get_moments_of_inertia()), rtol=1e-8)
            kind = "minimum" if name == "min" else "transition state"
            found = landscape.vibrations(kind, row).get_energies()
            real = np.sort(found.real[np.abs(found.imag) < 1e-6])[-(VIBRATIONS - (name == "ts")) :]
            # squares of angular frequencies, in eV / (angstrom^2 u)
            unit = units._hbar * units.m / np.sqrt(units._e * units._amu)
            assert products[row] == pytest.approx(2 * np.log(real / unit).sum(), abs=2e-3)


@pytest.mark.parametrize("rows", ["x", "0,,1", "3-1", "0-99999999999", "-1", "99"])
def test_rows_of_sets_that_are_none(store, tmp_path, rows):
    words = ("export", store, "--format", "pathsample", "--output", tmp_path / "ps", f"--A={rows}")
    said = thalweg(*words, status=1)
    assert "Error" in said
    assert not (tmp_path / "ps").exists()
