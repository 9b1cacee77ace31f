"""The commands that look into stores, check, merge, write and read them."""

from __future__ import annotations

import csv
import re
import shutil

import ase.io
import networkx as nx
import numpy as np
import pytest
from ase import Atoms

from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork
from thalweg.analysis.systems.inspection import growth
from thalweg.landscapes import Landscape, fill_path_lengths
from thalweg.landscapes.notebook import table_html
from thalweg.landscapes.storage.store import Store
from thalweg.potentials import LJAT

from ...helpers import thalweg


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """LJ7 with its four minima."""
    path = tmp_path_factory.mktemp("stores") / "lj7.zarr"
    assert thalweg("explore", "LJ7", "--output", path, "--steps", 40, "--searches", 40, "--workers", 1).exit_code == 0
    return path


def output_of(*arguments, status=0):
    done = thalweg(*arguments)
    assert done.exit_code == status, done.output
    return done.output


def test_explore_stops_at_a_number_of_minima_and_works_in_processes(tmp_path):
    path = tmp_path / "lj7.zarr"
    said = output_of("explore", "LJ7", "--output", path, "--minima", 2, "--searches", 0, "--processes", 1)
    assert "steps until there are 2 minima, 0 searches" in said
    assert 2 <= len(Landscape.open(path).minima) <= 4
    steps = len(Landscape.open(path).searches)
    output_of("explore", "LJ7", "--output", path, "--resume", "--minima", 2)
    assert len(Landscape.open(path).searches) == steps


def test_explore_in_one_place_only(tmp_path):
    said = output_of("explore", "LJ7", "--output", tmp_path / "a", "--workers", 1, "--processes", 2, status=2)
    assert "--workers, --processes and --scheduler" in said


def test_explore_with_more_tasks_ahead(tmp_path):
    again = ("explore", "LJ3", "--output", tmp_path / "a.zarr", "--steps", 5, "--searches", 0, "--workers", 1)
    output_of(*again, "--ahead", 40)
    assert Landscape.open(tmp_path / "a.zarr").tasks_ahead == 40
    output_of(*again, "--resume")
    said = output_of(*again, "--resume", "--ahead", 50, status=1)
    assert "tasks_ahead: stored 40, given 50" in said


def test_info_says_how_it_has_grown_and_what_it_takes(store):
    said = output_of("info", store)
    landscape = Landscape.open(store)
    lines = [line.split() for line in said.splitlines()]
    last = [str(len(points)) for points in (landscape.searches, landscape.minima, landscape.transition_states)]
    assert last in lines
    assert re.search(r"probably missing +(at least )?\d+ minima", said)
    sizes = [line for line in lines if line and line[0] == "minima/coordinates"]
    assert sizes[0][1:6] == ["4", "x", "21", "float64", "6241"]


def test_growth_counts_what_was_known_after_each_search(store):
    landscape = Landscape.open(store)
    searches = landscape.searches
    for step in growth(Store.open(store)):
        found = searches.minima[: searches.minima_end[step.searches - 1]]
        assert step.minima == len(set(found.tolist()))
        found = searches.transition_states[: searches.transition_states_end[step.searches - 1]]
        assert step.transition_states == len(set(found.tolist()))
    assert growth(Store.open(store))[-1].searches == len(searches)


def test_show_a_minimum(store, tmp_path):
    landscape = Landscape.open(store)
    lowest = landscape.minima.lowest()
    said = output_of("show", store, "minimum", lowest, "--output", tmp_path / "m.xyz")
    assert "-16.505384168" in said
    assert f"found {landscape.minima.times_found()[lowest]} times" in said
    ends = landscape.transition_states.minima[:]
    assert f"{(ends == lowest).any(axis=1).sum()} transition states" in said
    atoms = ase.io.read(tmp_path / "m.xyz")
    atoms.calc = LJAT(Z=0.0)
    assert atoms.get_potential_energy() == pytest.approx(-16.505384168, abs=1e-6)
    spectrum = said.partition("spectrum\n")[2].partition("\n\n")[0].split()
    assert len(spectrum) == 15
    logarithm = np.log(np.array(spectrum, dtype=float)).sum()
    assert logarithm == pytest.approx(landscape.minima.log_eigenvalue_product[lowest], abs=1e-3)


def test_show_a_transition_state(store, tmp_path):
    said = output_of("show", store, "state", 0, "--output", tmp_path / "t.npz")
    landscape = Landscape.open(store)
    with np.load(tmp_path / "t.npz") as written:
        np.testing.assert_array_equal(written["coordinates"], landscape.transition_states.coordinates[0])
        np.testing.assert_array_equal(written["minima"], landscape.transition_states.minima[0])
    assert said.startswith("transition state 0 of")


def test_lengths_of_paths_that_nobody_followed_are_not_known(store, tmp_path):
    copy = tmp_path / "a copy.zarr"
    shutil.copytree(store, copy)
    said = output_of("show", copy, "state", 0)
    assert "nan" not in said.partition("spectrum")[0]
    assert said.count("not known") == 2
    assert f"thalweg verify '{copy}' --lengths" in said
    output_of("verify", copy, "--lengths")
    said = output_of("show", copy, "state", 0)
    assert "--lengths" not in said
    assert f"{Landscape.open(copy).transition_states.path_length[0, 0]:.6g}" in said


def test_show_what_is_not_there(store, tmp_path):
    assert "has 4 minima, numbered from 0" in output_of("show", store, "minimum", 1000, status=1)
    assert "must end in .xyz or .npz" in output_of(
        "show", store, "minimum", 0, "--output", tmp_path / "a.pdb", status=1
    )
    assert "no landscape" in output_of("show", tmp_path / "none.zarr", "minimum", 0, status=1)


def test_verify_finds_nothing_wrong_and_then_something(store, tmp_path):
    assert "4 of 4 minima" in output_of("verify", store, "--workers", 2)
    assert "2 of 4 minima, 2 of" in output_of("verify", store, "--sample", 2)
    with Landscape.open(store) as landscape, Landscape(landscape.system, tmp_path / "bad.zarr") as bad:
        right = landscape.minima[0]
        bad.add_minimum(type(right)(right.energy + 1e-3, right.coordinates, 1e-10, 3.0, 1.0, 15))
    said = output_of("verify", tmp_path / "bad.zarr", status=1)
    assert "minima 0: energy is" in said
    assert "1 of 1 minima, 0 of 0 transition states: 3 problems" in said


def test_merge(store, tmp_path):
    said = output_of("merge", store, store, "--output", tmp_path / "c.zarr")
    assert said.splitlines()[2].split(": ")[1] == said.splitlines()[0].split(": ")[1]
    assert "exists" in output_of("merge", store, store, "--output", tmp_path / "c.zarr", status=1)


def test_pathsample_and_back(store, tmp_path):
    output_of("export", store, "--format", "pathsample", "--output", tmp_path / "there")
    assert "not overwritten" in output_of(
        "export", store, "--format", "pathsample", "--output", tmp_path / "there", status=1
    )
    output_of("import", tmp_path / "there", "--system", "LJ7", "--output", tmp_path / "back.zarr")
    before, after = Landscape.open(store), Landscape.open(tmp_path / "back.zarr")
    for group in ("minima", "transition_states"):
        for name in ("energy", "coordinates", "log_eigenvalue_product", "modes", "symmetry_order"):
            there, back = (getattr(getattr(one, group), name)[:] for one in (before, after))
            np.testing.assert_allclose(back, there, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(after.transition_states.minima[:], before.transition_states.minima[:])
    assert after.minima.verified[:].all()
    assert not after.transition_states.verified[:].any()
    output_of("verify", tmp_path / "back.zarr")
    said = output_of("verify", tmp_path / "back.zarr", "--mark")
    count = len(before.transition_states)
    assert f"0 of 0 minima, {count} of {count} transition states marked: nothing wrong" in said
    after.refresh()
    assert after.transition_states.verified[:].all()
    # both follow steepest descent
    with Landscape.open(store, "r+") as filled:
        fill_path_lengths(filled)
        known = filled.transition_states.path_length[:]
    np.testing.assert_allclose(np.sort(after.transition_states.path_length[:]), np.sort(known), rtol=1e-3)
    output_of("import", tmp_path / "there", "--system", store, "--output", tmp_path / "again.zarr")


def test_import_says_what_is_wrong(store, tmp_path):
    output_of("export", store, "--format", "pathsample", "--output", tmp_path / "there")
    wrong = output_of("import", tmp_path / "there", "--system", "LJ8", "--output", tmp_path / "a.zarr", status=1)
    assert "points of 21 coordinates, LJ8 has 24" in wrong
    assert "no system 'X'" in output_of(
        "import", tmp_path / "there", "--system", "X", "--output", tmp_path / "a", status=1
    )
    points = np.fromfile(tmp_path / "there" / "points.min").reshape(-1, 21)
    points[1, 0] += 1e-3  # no longer a minimum: it enters, and is marked
    points.tofile(tmp_path / "there" / "points.min")
    said = output_of("import", tmp_path / "there", "--system", "LJ7", "--output", tmp_path / "a.zarr")
    assert "minimum 1: not verified, minimum: gradient_rms" in said
    assert Landscape.open(tmp_path / "a.zarr").minima.verified[:].tolist() == [True, False, True, True]


def test_graphml(store, tmp_path):
    output_of("export", store, "--format", "graphml", "--output", tmp_path / "g.graphml")
    graph = nx.read_graphml(tmp_path / "g.graphml", node_type=int, force_multigraph=True)
    landscape = Landscape.open(store)
    assert graph.number_of_nodes() == 4
    assert graph.number_of_edges() == len(landscape.transition_states)
    assert [graph.nodes[k]["energy"] for k in range(4)] == landscape.minima.energy[:].tolist()


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_tables(store, tmp_path, form):
    pandas = pytest.importorskip("pandas")
    if form == "parquet":
        pytest.importorskip("pyarrow")
    output_of("export", store, "--format", form, "--output", tmp_path / "tables")
    landscape = Landscape.open(store)
    read = {"csv": pandas.read_csv, "parquet": pandas.read_parquet}[form]
    table = read(tmp_path / "tables" / f"transition_states.{form}")
    np.testing.assert_allclose(table["energy"], landscape.transition_states.energy[:], rtol=1e-12)
    np.testing.assert_array_equal(table[["minimum_a", "minimum_b"]], landscape.transition_states.minima[:])
    if form == "csv":
        with open(tmp_path / "tables" / "minima.csv", newline="") as file:
            assert len(list(csv.reader(file))) == 5


def test_weights_are_shown_and_written(tmp_path):
    from thalweg.landscapes import Minimum
    from thalweg.potentials import NetworkLoss, Weights

    rng = np.random.default_rng(0)
    weights = Weights.random(NetworkLoss(rng.normal(size=(9, 2)), rng.integers(0, 2, 9), hidden=(2,), n_classes=2))
    x = weights.get_x()
    with Landscape(weights, tmp_path / "w.zarr") as landscape:
        landscape.add_minimum(Minimum(1.0, x, 1e-9, 0.1, 1.0, len(x)))
    said = output_of("show", tmp_path / "w.zarr", "minimum", 0)
    assert f"{len(x)} coordinates: sum of squares {x @ x:.6g}" in said
    assert "only atoms" in output_of(
        "show", tmp_path / "w.zarr", "minimum", 0, "--output", tmp_path / "a.xyz", status=1
    )


def test_notebooks_show_what_is_in_a_landscape(store):
    shown = Landscape.open(store)._repr_html_()
    assert "<b>Landscape lj7.zarr</b>" in shown
    assert "-16.505384" in shown
    shown = KineticTransitionNetwork.read(store)._repr_html_()
    assert "Kinetic transition network" in shown
    assert "-16.505384" in shown
    assert "&lt;" in table_html("<b>", {})


def test_atoms_of_other_species_may_be_imported_by_their_store(tmp_path):
    with Landscape(Atoms("Ar3", positions=np.eye(3), calculator=LJAT(Z=2.0)), tmp_path / "a.zarr"):
        pass
    assert "min.data and ts.data" in output_of(
        "import", tmp_path, "--system", tmp_path / "a.zarr", "--output", tmp_path / "b.zarr", status=1
    )


def test_a_transition_state_that_leads_elsewhere_is_not_marked(store, tmp_path):
    there = tmp_path / "there"
    output_of("export", store, "--format", "pathsample", "--output", there)
    lines = [line.split() for line in (there / "ts.data").read_text().splitlines()]
    row = next(k for k, line in enumerate(lines) if {"1", "2"} != set(line[3:5]))
    lines[row][3:5] = ["1", "2"]
    (there / "ts.data").write_text("\n".join(" ".join(line) for line in lines) + "\n")
    output_of("import", there, "--system", "LJ7", "--output", tmp_path / "a.zarr")
    said = output_of("verify", tmp_path / "a.zarr", "--mark", status=1)
    assert f"transition_states {row}: the paths down from it end in minima of energies" in said
    assert "which are not minima 0 and 1" in said
    marked = Landscape.open(tmp_path / "a.zarr").transition_states.verified[:]
    assert np.flatnonzero(~marked).tolist() == [row]
    assert "leave --sample out" in output_of("verify", store, "--mark", "--sample", 1, status=1)
