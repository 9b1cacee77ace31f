"""``thalweg plot`` and ``thalweg compare`` on stores."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

from thalweg.analysis import Comparison, KineticTransitionNetwork
from thalweg.analysis.cli.main import program
from thalweg.analysis.comparison.shapes import distance_measures
from thalweg.landscapes import Landscape, fill_path_lengths

from ...helpers import thalweg


@pytest.fixture(scope="module")
def lj7(tmp_path_factory):
    path = tmp_path_factory.mktemp("graphs") / "lj7.zarr"
    words = ["explore", "LJ7", "--output", str(path), "--steps", "20", "--searches", "30", "--workers", "1"]
    done = CliRunner().invoke(program, words)
    assert done.exit_code == 0, done.output
    return path


def test_distances_are_those_of_the_system(lj7):
    network = KineticTransitionNetwork.read(lj7)
    with Landscape.open(lj7) as landscape:
        x, system = landscape.minima.coordinates[:], landscape.system
        joined = {tuple(sorted(pair)) for pair in network.ts_minima.tolist() if pair[0] != pair[1]}
        expected = np.median([system.distance(x[a], x[b]) for a, b in sorted(joined)])
        every = [system.distance(x[a], x[b]) for a in range(len(x)) for b in range(a)]
    found = distance_measures(lj7, network)
    assert found["distance of joined minima"] == pytest.approx(expected, rel=1e-6)
    assert min(every) - 1e-6 <= found["distance of random minima"] <= max(every) + 1e-6
    table = Comparison({"lj7": lj7}).table
    # nobody has followed the paths yet: the comparison follows a sample, here all, and what it finds is what is stored
    assert np.isnan(network.ts_properties["path_length"]).all()
    with Landscape.open(lj7, "r+") as landscape:
        fill_path_lengths(landscape)
        lengths = landscape.transition_states.path_length[:][network.ts_minima[:, 0] != network.ts_minima[:, 1]]
    assert len(lengths) <= 20
    assert table["path length"]["lj7"] == pytest.approx(np.nanmedian(lengths.sum(axis=1)))
    assert Comparison({"lj7": lj7}).table["path length"]["lj7"] == pytest.approx(table["path length"]["lj7"])
    assert table["vibrational modes"]["lj7"] == 15


def test_compare_prints_and_draws(lj7, tmp_path):
    done = thalweg("compare", lj7, "--output", tmp_path / "c.png", "--sample", 5)
    assert done.exit_code == 0, done.output
    assert "lj7: distances are medians over at most 5 pairs" in done.output
    assert (tmp_path / "c.png").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("--groups", "basins", "--descendants", "same", "--draw", "0,1"),
        ("--colour", "energy", "--descendants", "mean", "--widths", "size", "--labels", "1"),
        ("--monotonic", "--connected-to", "2", "--emin", "-17", "--linewidth", "2", "--dpi", "50"),
    ],
)
def test_options_of_plot(lj7, tmp_path, words):
    picture = tmp_path / "x.png"
    done = thalweg("plot", lj7, "--output", picture, *words)
    assert done.exit_code == 0, done.output
    assert picture.stat().st_size > 3000


def test_several_stores_and_folders(lj7, shared, tmp_path):
    folder = shared / "data" / "networks" / "lj38_12"
    for extra in ((), ("--own-scales",)):
        done = thalweg("plot", lj7, folder, "--output", tmp_path / "x.pdf", *extra)
        assert done.exit_code == 0, done.output
    assert "several graphs need --output" in thalweg("plot", lj7, folder).output
    assert "one store" in thalweg("plot", lj7, folder, "--output", tmp_path / "x.pdf", "--labels", "1").output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--draw", "99"), "--draw is 99"),
        (("--labels", "a"), "'--labels': 'a' is not a list of minima"),
        (("--connected-to", "99"), "--connected-to is 99"),
        (("--groups", "shape"), "no property 'shape'"),
        (("--colour", "energy", "--groups", "basins"), "--colour and --groups"),
        (("--emax", "-100"), "--emax is -100"),
    ],
)
def test_bad_options_are_named(lj7, tmp_path, words, message):
    done = thalweg("plot", lj7, "--output", tmp_path / "x.png", *words)
    assert done.exit_code in (1, 2)
    assert message in done.output
    assert not (tmp_path / "x.png").exists()


@pytest.mark.parametrize(("ends", "message"), [((0, 77), "END is 77"), ((77, 0), "START is 77")])
def test_a_path_names_the_end_that_is_not_there(lj7, ends, message):
    done = thalweg("path", lj7, *ends)
    assert done.exit_code == 1
    assert f"{message}; indices of the {len(Landscape.open(lj7).minima)} minima run from 0" in done.stderr
