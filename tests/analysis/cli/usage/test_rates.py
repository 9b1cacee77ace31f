"""``thalweg rates``, and parts of networks and rates on the command line."""

from __future__ import annotations

import csv
import re
import zipfile
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.emt import EMT
from hypothesis import given
from hypothesis import strategies as st

from thalweg.analysis import KineticTransitionNetwork
from thalweg.analysis.cli.rate_tables import power_text
from thalweg.landscapes import Landscape
from thalweg.landscapes.storage import store as storage
from thalweg.optimizers import large_systems

from ....helpers import finished, thalweg

SHAPE = [[0, 0, 0], [2.4, 0, 0], [1.2, 2, 0], [1.2, 0.7, 2], [1.2, 0.7, -2]]
OLD = Path(__file__).parents[3] / "landscapes" / "maintenance" / "before_the_move"


@pytest.fixture(scope="module")
def lj7(tmp_path_factory):
    """Return the path of LJ7 with its four minima."""
    path = tmp_path_factory.mktemp("rates") / "lj7.zarr"
    finished("explore", "LJ7", "--output", path, "--steps", 40, "--searches", 40, "--workers", 1)
    return path


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Return the path of a landscape of bipyramids, gold at a tip or in the middle, energies in eV."""
    path = tmp_path_factory.mktemp("rates") / "cluster.zarr"
    with Landscape(Atoms("AuCu4", SHAPE, calculator=EMT()), path, seed=0) as landscape:
        landscape.find_minima(steps=10, workers=1)
        landscape.connect(searches=12, workers=1)
    return path


def failed(*words):
    done = thalweg(*words)
    assert done.exit_code in (1, 2), done.output
    assert "Traceback" not in done.output
    return done.output


def table(text, head):
    """Return the rows below a line that starts with a head, as lists of words."""
    lines = text.splitlines()
    first = next(k for k, line in enumerate(lines) if line.strip().startswith(head))
    rows = []
    for line in lines[first + 1 :]:
        if not line.strip():
            break
        rows.append(line.split())
    return rows


def test_rates_are_those_of_a_dense_elimination(lj7):
    """PATHSAMPLE's formula, and mean first passage times by numpy's solver."""
    landscape = Landscape.open(lj7)
    minima, states = landscape.minima, landscape.transition_states
    e, et = minima.energy[:], states.energy[:]
    p, pt = minima.log_eigenvalue_product[:], states.log_eigenvalue_product[:]
    o, ot = minima.symmetry_order[:], states.symmetry_order[:]
    target = int(np.argmin(e))
    source = sorted({0, 1, 2, 3} - {target})[:2]
    said = finished(
        "rates", lj7, "--from", ",".join(map(str, source)), "--to", "lowest", "--temperature", "0.1,0.2", "--committors"
    )
    rows = table(said, "k_B T")
    assert [row[0] for row in rows] == ["0.1", "0.2"]
    for t, row in zip((0.1, 0.2), rows, strict=True):
        k = np.zeros((len(e), len(e)))
        for s, (a, b) in enumerate(states.minima[:].tolist()):
            for i, j in ((a, b), (b, a)):
                if a != b:
                    k[i, j] += o[i] / ot[s] * np.exp((p[i] - pt[s]) / 2 - (et[s] - e[i]) / t) / (2 * np.pi)
        generator = k - np.diag(k.sum(axis=1))
        inside = [i for i in range(len(e)) if i != target]
        times = np.linalg.solve(generator[np.ix_(inside, inside)], -np.ones(len(inside)))
        weight = np.exp(-(e - e.min()) / t - p / 2 + p.mean() / 2) / o
        here = [inside.index(i) for i in source]
        rate = weight[source] @ (1 / times[here]) / weight[source].sum()
        assert float(row[1]) == pytest.approx(rate, rel=5e-5)
        assert float(row[3]) == pytest.approx(weight[source].sum() / weight.sum(), rel=5e-5)
        assert float(row[4]) == pytest.approx(weight[target] / weight.sum(), rel=5e-5)
    assert "masses one, time in reduced units" in said
    assert "1/s" not in said
    committors = {int(row): float(value) for row, _, value in table(said, "minimum      energy  committor")}
    assert committors[target] == 1.0
    assert all(committors[row] == 0.0 for row in source)


def test_rates_of_atoms_are_in_seconds(cluster):
    network = KineticTransitionNetwork.read(cluster)
    options = ("--quantum", "--tunnelling", "wigner", "--no-rotational")
    said = finished("rates", cluster, "--from", 1, "--to", 0, "--kelvin", "300,5", *options)
    assert "quantised vibrations, tunnelling by Wigner's correction" in said
    assert "rigid rotors" not in said
    for kelvin, row in zip((300, 5), table(said, "K  rate constant in 1/s  back in 1/s"), strict=True):
        kinetics = network.kinetics(kelvin=kelvin, quantum=True, tunnelling="wigner", rotational=False)
        for text, ends in ((row[1], (1, 0)), (row[2], (0, 1))):
            value = Decimal(kinetics.log_rate_constant(*ends)).exp()
            assert abs(Decimal(text) / value - 1) < Decimal("5e-5")
    path = network.kinetics(kelvin=300, quantum=True, tunnelling="wigner", rotational=False).fastest_path(1, 0)
    steps = table(said.split("fastest path at 300 K")[1], "minimum")
    assert [int(row[0]) for row in steps] == path.minima.tolist()
    assert [int(row[2]) for row in steps[:-1]] == path.transition_states.tolist()
    barrier = re.search(r"fastest path at 300 K, 100 % of the rate, barrier (\S+) eV", said)
    assert float(barrier[1]) == pytest.approx(path.energy - network.energies[1], rel=1e-5)


def test_every_transition_state_has_its_rates(cluster):
    """Degenerate rearrangements are marked, and have one rate."""
    network = KineticTransitionNetwork.read(cluster)
    rates = network.transition_state_rates(kelvin=500)
    rows = table(finished("rates", cluster, "--kelvin", 500), "state")
    assert [int(row[0].rstrip("*")) for row in rows[: network.n_transition_states]] == np.argsort(
        network.ts_energies, kind="stable"
    ).tolist()
    for row in rows[: network.n_transition_states]:
        state, degenerate = int(row[0].rstrip("*")), row[0].endswith("*")
        assert degenerate == network.degenerate[state]
        assert len(row) == (5 if degenerate else 8)
        assert float(row[4]) == pytest.approx(rates[state, 0], rel=5e-5)
        assert degenerate or float(row[7]) == pytest.approx(rates[state, 1], rel=5e-5)
    few = finished("rates", cluster, "--kelvin", 500, "--states", 1)
    left = network.n_transition_states - 1
    assert (f"... and {left} of higher energy" in few) == bool(left)


@given(st.floats(-1e6, 1e6), st.integers(3, 9))
def test_numbers_beyond_doubles_are_written_out(logarithm, digits):
    written, right = Decimal(power_text(logarithm, digits)), Decimal(logarithm).exp()
    assert abs(written / right - 1) <= Decimal(6) * Decimal(10) ** -digits + Decimal("1e-9")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--kelvin", "300"], "kelvin needs energies in eV"),
        ([], "give the temperatures by --kelvin, or as k_B T by --temperature"),
        (["--temperature", "0"], "--temperature is 0.0; it must be positive and finite"),
        (["--temperature", "hot"], "'hot' is not a list of numbers"),
        (["--temperature", "1", "--from", "0"], "give both, or none"),
        (["--temperature", "1", "--committors"], "--committors needs --from and --to"),
        (["--temperature", "1", "--from", "0", "--to", "0"], "--from and --to overlap: minimum 0"),
        (["--temperature", "1", "--from", "A", "--to", "B"], "--from A: there are no groups here"),
        (["--temperature", "1", "--from", "0", "--to", "99"], "--to is 99; indices of the 4 minima run from 0 to 3"),
        (["--temperature", "1", "--from", "3-1", "--to", "0"], "3-1 is no range of rows"),
        (["--temperature", "1", "--from", "0-", "--to", "0"], "'0-' is no set of minima"),
        (["--temperature", "1", "--below", "nan"], "'nan' is no energy"),
        (["--temperature", "1", "--max-barrier", "nan"], "--max-barrier is nan; a number is needed"),
        (["--temperature", "1", "--below", "-100"], "nothing is left of the network's 4 minima"),
        (["--temperature", "1", "--quantum"], "--quantum needs vibrational frequencies"),
    ],
)
def test_what_makes_no_sense_is_named(lj7, words, message):
    assert message in failed("rates", lj7, *words)


def test_groups_of_pathsample_are_ends(lj7, tmp_path):
    folder = tmp_path / "pathsample"
    finished("export", lj7, "--format", "pathsample", "--output", folder, "--A", "0", "--B", "1-2")
    by_group = finished("rates", folder, "--from", "A", "--to", "B", "--temperature", 0.2)
    by_row = finished("rates", lj7, "--from", "0", "--to", "1-2", "--temperature", 0.2)
    assert table(by_group, "k_B T") == table(by_row, "k_B T")
    assert "--from C: there are the groups A, B here" in failed(
        "rates", folder, "--from", "C", "--to", "B", "--temperature", 1
    )


def test_a_store_without_frequencies_says_how_to_get_them(tmp_path):
    """One that was made before they were kept: reduced time is no answer."""
    path = tmp_path / "slab.zarr"
    with zipfile.ZipFile(OLD / "slab_emt.zip") as archive:
        archive.extractall(path)
    for words in (
        ("rates", path, "--kelvin", 300),
        ("export", path, "--format", "csv", "--kelvin", 300, "--output", tmp_path / "t"),
    ):
        assert f"thalweg verify {path} --frequencies computes them" in failed(*words)
    assert "frequencies of" not in finished("verify", path)
    told = finished("info", path)
    assert "frequencies" in told
    assert re.search(r"stored of 0 of \d+ points, and rates in 1/s need all", told)
    assert re.search(r"temperature 0.1 \(1160 K\)", told)
    landscape = Landscape.open(path)
    points = len(landscape.minima) + len(landscape.transition_states)
    known = f"vibrational frequencies of {points} points known"
    assert f"{known}, {points} of them computed now" in finished("verify", path, "--frequencies")
    assert f"{known}, 0 of them computed now" in finished("verify", path, "--frequencies")
    assert "rates in 1/s need all" not in finished("info", path)
    rows = table(finished("rates", path, "--kelvin", 300), "state")
    assert float(rows[0][4]) == pytest.approx(
        KineticTransitionNetwork.read(path).transition_state_rates(kelvin=300)[int(rows[0][0].rstrip("*")), 0], rel=5e-5
    )


def test_frequencies_are_those_of_atoms_in_electronvolts(lj7):
    assert "vibrations need energies in eV" in failed("verify", lj7, "--frequencies")


def test_many_coordinates_are_not_computed_unasked(tmp_path, monkeypatch):
    path = tmp_path / "old.zarr"
    with monkeypatch.context() as patch:
        patch.setattr(storage, "frequency_arrays", lambda n: {})
        with Landscape(Atoms("Cu3Ni", SHAPE[:4], calculator=EMT()), path, seed=0) as landscape:
            landscape.find_minima(steps=2, workers=1)
    monkeypatch.setattr(large_systems, "LARGEST_MATRIX", 11)
    said = finished("show", path, "minimum", 0)
    assert "no frequencies: not stored with 12 free coordinates; thalweg verify" in said
    monkeypatch.setattr("os.sysconf", lambda name: 16)
    assert "need dense matrices of 0 GiB; the machine has 0 GiB" in failed("verify", path, "--frequencies")
    monkeypatch.undo()
    finished("verify", path, "--frequencies")
    assert "zero-point energy" in finished("show", path, "minimum", 0)


def test_parts_are_cut_for_rates_plots_and_exports(lj7, tmp_path):
    network = KineticTransitionNetwork.read(lj7)
    limit = float(np.sort(network.ts_energies)[network.n_transition_states // 2])
    part = network.part(max_ts_energy=limit, min_connections=1)
    assert part.n_minima > 1
    assert part.n_transition_states < network.n_transition_states
    words = ("--max-ts-energy", repr(limit), "--min-connections", 1)
    rows = table(finished("rates", lj7, "--temperature", 0.1, *words), "state")
    kept = sorted(int(row[0].rstrip("*")) for row in rows if row[0] != "*")
    assert kept == part.ts_properties["row"].tolist()
    finished("export", lj7, "--format", "csv", "--output", tmp_path, *words)
    with (tmp_path / "transition_states.csv").open() as file:
        assert [int(row["row"]) for row in csv.DictReader(file)] == kept
    folder = tmp_path / "pathsample"
    finished("export", lj7, "--format", "pathsample", "--output", folder, *words, "--connected-to", "lowest")
    assert KineticTransitionNetwork.from_pathsample(folder).n_transition_states <= part.n_transition_states
    assert (
        np.fromfile(folder / "points.ts").size
        == 21 * KineticTransitionNetwork.from_pathsample(folder).n_transition_states
    )
    said = finished("plot", lj7, "--output", tmp_path / "a.svg", "--labels", "lowest", *words)
    assert f'id="minimum-{network.global_minimum}"' in (tmp_path / "a.svg").read_text()
    assert ("left out by: --max-ts-energy, --min-connections" in said) == (part.n_minima < network.n_minima)
    above = f"+{limit - network.energies.min():.6f}"
    again = finished("rates", lj7, "--temperature", 0.1, "--max-ts-energy", above, "--min-connections", 1)
    assert abs(len(table(again, "state")) - len(rows)) <= 1  # the height is rounded
    everything = failed("plot", lj7, "--output", tmp_path / "b.svg", "--below", "-100")
    assert "nothing is left of the network's 4 minima" in everything


def test_exports_have_rates_in_seconds(cluster, lj7, tmp_path):
    finished("export", cluster, "--format", "csv", "--output", tmp_path, "--kelvin", 400)
    with (tmp_path / "transition_states.csv").open() as file:
        rows = list(csv.DictReader(file))
    found = [[float(row[f"rate_{side}_in_1_per_s"]) for side in "ab"] for row in rows]
    np.testing.assert_allclose(found, KineticTransitionNetwork.read(cluster).transition_state_rates(kelvin=400))
    assert "--kelvin is for atoms in eV" in failed(
        "export", lj7, "--format", "csv", "--output", tmp_path / "b", "--kelvin", 400
    )
    assert "--kelvin is for --format graphml, parquet or csv" in failed(
        "export", lj7, "--format", "traj", "--output", tmp_path / "b", "--kelvin", 400
    )
