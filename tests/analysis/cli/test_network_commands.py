"""``thalweg predict`` and ``thalweg map``, as users type them."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from thalweg.analysis import class_probabilities, score_table
from thalweg.analysis.systems.named import build
from thalweg.landscapes import Landscape

from ...helpers import finished, thalweg
from ..trained_networks import explored


def refused(*words):
    """Run ``thalweg`` and return the error, which came without a traceback."""
    result = thalweg(*words)
    assert result.exit_code in (1, 2), result.output
    assert isinstance(result.exception, SystemExit), result.exception
    return result.stderr


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """A store that ``thalweg explore`` made, which knows its testing data."""
    store = tmp_path_factory.mktemp("digits") / "digits.zarr"
    options = "--data 200 --errors 40 --hidden 2 --l2 0.01 --steps 6 --searches 0"
    finished("explore", "digits", "--output", store, *options.split())
    return store


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A store that a script made, and its data."""
    store = tmp_path_factory.mktemp("plain") / "plain.zarr"
    return store, explored(store)


@pytest.mark.parametrize("command", ["predict", "map"])
def test_they_are_listed(command):
    assert f"  {command} " in finished("--help")
    assert "Usage: " in finished(command, "--help")


def test_scores_on_the_testing_data(digits):
    said = finished("predict", digits, "--temperature", 0.5)
    with Landscape.open(digits) as landscape:
        plan = landscape.state["explore"]
        test = build("digits", plan["options"]).test
        table = score_table(landscape, test, "macro")
        lowest = landscape.minima.lowest()
    line = next(line for line in said.splitlines() if line.startswith(f"minimum {lowest}, the lowest"))
    assert line.split()[-3:] == [f"{table[name][lowest]:.4f}" for name in ("accuracy", "log_loss", "auc")]
    for words in ("on the testing data, 1597 points; mean AUC of all classes", "T = 0.5", "ensemble, equal weights"):
        assert words in said
    assert "of 80 mislabelled training points a minimum predicts the wrong label" in said
    assert "and the true one for" in said


def test_scores_and_probabilities_go_to_files(digits, tmp_path):
    finished("predict", digits, "--on", "train", "--reference", 3, "--output", tmp_path / "a.csv")
    finished("predict", digits, "--on", "train", "--minimum", 1, "--output", tmp_path / "a.npz")
    with Landscape.open(digits) as landscape:
        loss = landscape.system.potential
        table = score_table(landscape, loss, 3)
        energies = landscape.minima.energy[:]
        probabilities = class_probabilities(landscape, loss, rows=1)[0]
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert [float(row["auc"]) for row in rows] == table["auc"].tolist()
    assert [float(row["loss"]) for row in rows] == energies.tolist()
    with np.load(tmp_path / "a.npz") as arrays:
        np.testing.assert_array_equal(arrays["probabilities"], probabilities)
        np.testing.assert_array_equal(arrays["predicted"], probabilities.argmax(axis=1))


def test_scores_are_kept(digits):
    with Landscape.open(digits) as landscape:
        before = landscape.properties["test_auc"]
        n = len(landscape.minima)
    assert f"computed for {n} minima" in finished("predict", digits, "--keep", "test")
    assert "computed for 0 minima" in finished("predict", digits, "--keep", "test")
    with Landscape.open(digits) as landscape:
        assert np.isfinite(landscape.properties["test_accuracy"]).all()
        np.testing.assert_array_equal(landscape.properties["test_auc"], before)  # explore's


def test_data_of_ones_own(plain, tmp_path):
    store, data = plain
    np.savez(tmp_path / "mine.npz", inputs=data.inputs[:9], labels=data.labels[:9])
    said = finished("predict", store, "--data", tmp_path / "mine.npz", "--lowest", 2)
    assert "mine.npz, 9 points; AUC of class 0" in said
    assert "2 of " in said
    assert "on the training data, 60 points" in finished("predict", store)  # no other are known


@pytest.mark.parametrize("ending", ["png", "pdf", "svg"])
def test_maps_go_to_files(plain, tmp_path, ending):
    picture = tmp_path / f"map.{ending}"
    said = finished("map", plain[0], 0, 1, "--ensemble", "--resolution", 10, "--output", picture)
    assert said.strip() == str(picture)
    assert picture.read_bytes().startswith({"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}[ending])


def test_a_map_beside_the_store_of_what_is_wanted(digits):
    words = "--probability-of 3 --plane 20 30 --on none --resolution 10"
    assert finished("map", digits, *words.split()).strip() == str(digits.with_name("digits-map.png"))
    finished("map", digits, "--on", "test", "--resolution", 10, "--points", 20)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["predict", "--on", "test"], "does not say which its testing data are: give --data FILE.npz"),
        (["predict", "--minimum", 99], " is 99; indices of the"),
        (["predict", "--reference", 7], "classes run from 0 to 2"),
        (["predict", "--reference", "all"], '"macro"'),
        (["predict", "--temperature", -1], "temperature is -1.0; it must be positive"),
        (["predict", "--output", "a.txt"], "must end in .csv or .npz"),
        (["predict", "--data", "none.npz"], "none.npz"),
        (["predict", "--data", "text.npz"], "text.npz"),
        (["predict", "--data", "other.npz"], "has no array labels; it has inputs"),
        (["predict", "--data", "other.npz", "--on", "train"], "give one of them"),
        (["predict", "--data", "wide.npz"], "(N, 2) is needed"),
        (["map", 99], " is 99; indices of the"),
        (["map", "--output", "a.doc"], "must end in .png, .pdf or .svg"),
        (["map", "--plane", 0, 5], "plane must name two different inputs between 0 and 1"),
        (["map", "--probability-of", 3], "classes run from 0 to 2"),
        (["map", "--on", "test"], "give --data FILE.npz"),
    ],
)
def test_bad_options_are_named_and_nothing_is_written(plain, tmp_path, monkeypatch, words, named):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.npz").write_text("no arrays")
    np.savez(tmp_path / "other.npz", inputs=np.zeros((3, 2)))
    np.savez(tmp_path / "wide.npz", inputs=np.zeros((3, 4)), labels=np.zeros(3, dtype=int))
    before = sorted(tmp_path.iterdir())
    assert named in refused(words[0], plain[0], *words[1:])
    assert sorted(tmp_path.iterdir()) == before
    assert not plain[0].with_name("plain-map.png").exists()


@pytest.mark.parametrize("command", ["predict", "map"])
def test_other_stores_are_refused(tmp_path, command):
    finished("explore", "LJAT3", "--output", tmp_path / "a.zarr", "--steps", 2, "--searches", 0)
    assert "minima of LJAT have no" in refused(command, tmp_path / "a.zarr")
    assert "nothing.zarr" in refused(command, tmp_path / "nothing.zarr")
