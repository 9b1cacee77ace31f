"""Reading PATHSAMPLE's files: small ones written here, real ones from the reference data."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from click.testing import CliRunner

from thalweg.analysis import KineticTransitionNetwork
from thalweg.analysis.cli.main import program

MINIMA = " -1.5 10.0 2 1. 2. 3.\n -0.5D0 11.5 1 1. 2. 4.\n"
SADDLES = " 0.25 9.0 1 2 1 5. 6. 7.\n 0.5 9.5 1 2 2 5. 6. 8.\n"


def write(folder, minima=MINIMA, saddles=SADDLES, **sets):
    (folder / "min.data").write_text(minima)
    (folder / "ts.data").write_text(saddles)
    for name, text in sets.items():
        (folder / f"min.{name}").write_text(text)
    return folder


def test_every_column(tmp_path):
    network = KineticTransitionNetwork.from_pathsample(write(tmp_path, A="1\n2\n", B=" 1\n 1\n"))
    assert network.energies.tolist() == [-1.5, -0.5]
    assert network.log_eigenvalue_product.tolist() == [10.0, 11.5]
    assert network.symmetry_order.tolist() == [2, 1]
    assert network.ts_minima.tolist() == [[1, 0], [1, 1]]
    assert network.ts_log_eigenvalue_product.tolist() == [9.0, 9.5]
    assert network.properties["moments_of_inertia"].tolist() == [[1, 2, 3], [1, 2, 4]]
    assert network.ts_properties["moments_of_inertia"].shape == (2, 3)
    assert {name: members.tolist() for name, members in network.groups.items()} == {"A": [1], "B": [0]}


def test_without_transition_states_or_sets(tmp_path):
    network = KineticTransitionNetwork.from_pathsample(write(tmp_path, saddles=""))
    assert (network.n_minima, network.n_transition_states, dict(network.groups)) == (2, 0, {})


WRONG = [
    ({"minima": "1.0 2.0\n"}, "min.data has 2 numbers a line"),
    ({"minima": "1.0 x 1\n"}, "min.data"),
    ({"saddles": " 0.25 9.0 1 2 3\n"}, "ts.data, line 1: the pair of minima"),
    ({"A": "2\n1\n"}, "announces 2 minima and lists 1"),
    ({"A": "1\n3\n"}, "minimum is 3"),
    ({"A": "one"}, "min.A must hold"),
]


@pytest.mark.parametrize(("change", "message"), WRONG)
def test_bad_files_are_named(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        KineticTransitionNetwork.from_pathsample(write(tmp_path, **change))


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"min\.data is missing"):
        KineticTransitionNetwork.from_pathsample(tmp_path)


SIZES = {"lj38_12": (12, None), "lj38_64": (64, 70), "ninecomm_994": (994, 4320), "collagen_2203": (2203, 3609)}


@pytest.mark.parametrize("name", SIZES)
def test_real_databases(shared, name):
    network = KineticTransitionNetwork.from_pathsample(shared / "data" / "networks" / name)
    n, m = SIZES[name]
    assert network.n_minima == n
    assert m is None or network.n_transition_states == m


def test_lj38_fastest_path_is_among_the_lowest_barriers(shared):
    """The README's fastest path at low temperature; its barrier is the lowest there is between A and B."""
    network = KineticTransitionNetwork.from_pathsample(shared / "data" / "networks" / "lj38_12")
    fastest = np.array([2, 1, 4, 3, 12, 6, 10, 9, 8]) - 1
    (start,), (end,) = network.groups["A"], network.groups["B"]
    steps = itertools.pairwise(fastest)
    barrier = max(network.ts_energies[network.transition_states_between(a, b)[0]] for a, b in steps)
    assert network.lowest_barrier_path(start, end).energy == barrier


def import_points(folder, *x):
    """Import minima of MuellerBrown at these places, joined by no transition state."""
    write(folder, minima=" 0.0 1.0 1 1. 1. 1.\n" * len(x), saddles="")
    np.array(x, dtype=float).tofile(folder / "points.min")
    words = ["import", str(folder), "--system", "MuellerBrown", "--output", str(folder / "a.zarr")]
    return CliRunner().invoke(program, words)


@pytest.mark.parametrize("x", [(np.nan, 0.0), (np.inf, 1.0), (1e300, 1e300)], ids=str)
def test_an_import_that_leaves_every_point_out_fails(tmp_path, x):
    done = import_points(tmp_path, x, x)
    assert done.exit_code == 1
    assert "none of the 2 minima" in done.output
    assert "minimum 0" in done.output
    assert not (tmp_path / "a.zarr").exists()


def test_an_import_that_keeps_one_point_says_what_it_leaves_out(tmp_path):
    done = import_points(tmp_path, (-0.5582236346, 1.4417258418), (np.nan, 0.0))
    assert done.exit_code == 0, done.output
    assert "minimum 1: left out" in done.output
    assert "1 minima, 0 transition states of the 2 and 0" in done.output
