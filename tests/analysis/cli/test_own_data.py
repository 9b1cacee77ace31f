"""``thalweg explore`` and ``thalweg predict`` on tables of one's own, as users type them."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler

from thalweg.analysis.paper.plan import read_plan
from thalweg.analysis.systems.network_systems import TABLE_ENDINGS
from thalweg.datasets.table_files import TABLES
from thalweg.landscapes import Landscape

from ...helpers import finished, thalweg

SEARCH = ["--steps", "6", "--searches", "2", "--workers", "1"]


def write(path, rows=slice(None)):
    """Write wine with its cultivars by name in the first column."""
    wine = load_wine()
    names = [name.replace("[", "").replace("]", "") for name in wine.feature_names]
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["cultivar", *names])
        labels = wine.target_names[wine.target[rows]]
        table.writerows([label, *row] for label, row in zip(labels, wine.data[rows].tolist(), strict=True))
    return wine


@pytest.fixture(scope="module")
def explored(tmp_path_factory):
    """Return a folder with a table and its landscape."""
    folder = tmp_path_factory.mktemp("own")
    write(folder / "mine.csv")
    finished(
        "explore", folder / "mine.csv", "--target", "cultivar", "--hidden", 3, "--output", folder / "x.zarr", *SEARCH
    )
    return folder


def test_three_quarters_of_the_table_train_a_scaled_network(explored):
    wine = load_wine()
    with Landscape.open(explored / "x.zarr") as landscape:
        loss, plan = landscape.system.potential, landscape.state["explore"]
        assert loss.layers == (13, 3, 3)
        assert len(loss.labels) == 134
        assert len(landscape.minima)
        assert plan["data"]["training"]["classes"] == list(wine.target_names)
        scaling = plan["data"]["training"]["scaling"]
        raw = loss.inputs * scaling["width"] + scaling["shift"]
    # every training point is a line of the table, scaled as scikit-learn scales the training points alone
    rows = np.array([np.abs(wine.data - one).max(axis=1).argmin() for one in raw])
    assert len(set(rows.tolist())) == 134
    np.testing.assert_allclose(loss.inputs, StandardScaler().fit_transform(wine.data[rows]), atol=1e-9)
    np.testing.assert_array_equal(loss.labels, wine.target[rows])


def test_resuming_needs_no_options_and_others_are_refused(explored):
    name = explored / "mine.csv"
    finished("explore", name, "--output", explored / "x.zarr", "--resume")
    for option, value in (("--scale", "none"), ("--target", "ash"), ("--hidden", "4")):
        result = thalweg("explore", name, "--output", explored / "x.zarr", "--resume", option, value)
        assert result.exit_code == 1
        assert f"was made with {option}" in result.stderr


def test_prediction_takes_tables_and_arrays_in_the_users_units(explored):
    wine = write(explored / "more.csv", slice(None, None, 2))
    np.savez(explored / "more.npz", inputs=wine.data[::2], labels=wine.target[::2])
    np.savez(explored / "names.npz", inputs=wine.data[::2], labels=wine.target_names[wine.target[::2]])
    said = [finished("predict", explored / "x.zarr", "--data", explored / f"{name}") for name in
            ("more.csv", "more.npz", "names.npz")]  # fmt: skip
    tables = [text.split("\n\n", 1)[1] for text in said]
    assert tables[0] == tables[1] == tables[2]
    lowest = next(line for line in tables[0].splitlines() if "the lowest" in line)
    assert float(lowest.split()[-3]) > 0.9  # wine is easy, but for those who forget the scaling
    table = (explored / "more.csv").read_text().replace("class_0", "class_9")
    (explored / "more.csv").write_text(table)
    refused = thalweg("predict", explored / "x.zarr", "--data", explored / "more.csv")
    assert refused.exit_code != 0
    assert "there is no class 'class_9'; the network knows class_0, class_1, class_2" in refused.stderr


def test_a_table_that_has_changed_is_not_taken_for_the_old_one(explored, tmp_path):
    store = tmp_path / "y.zarr"
    write(tmp_path / "mine.csv")
    finished("explore", tmp_path / "mine.csv", "--target", "cultivar", "--hidden", 2, "--output", store, *SEARCH)
    write(tmp_path / "mine.csv", slice(None, 170))
    refused = thalweg("predict", store)
    assert refused.exit_code != 0
    assert "has changed since the landscape was explored" in refused.stderr


def test_classes_have_their_names(explored):
    said = finished("predict", explored / "x.zarr", "--reference", "class_1")
    assert "AUC of class class_1" in said
    assert said.splitlines()[-4].split() == ["class_0", "class_1", "class_2"]
    assert said == finished("predict", explored / "x.zarr", "--reference", "1")
    for wrong, right in (("class_7", "class_0, class_1, class_2"), ("3", "from 0 to 2")):
        refused = thalweg("predict", explored / "x.zarr", "--reference", wrong)
        assert refused.exit_code == 1
        assert right in refused.stderr


def test_a_table_beside_the_store_is_found_from_another_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "mine.csv")
    finished("explore", "mine.csv", "--target", "cultivar", "--hidden", 2, "--output", "y.zarr", *SEARCH)
    here = finished("predict", "y.zarr")
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    assert finished("predict", "../y.zarr") == here
    (tmp_path / "mine.csv").unlink()
    refused = thalweg("predict", "../y.zarr")
    assert refused.exit_code == 1
    assert "beside the store" in refused.stderr


def test_every_file_that_can_be_read_is_known_by_its_name():
    assert set(TABLE_ENDINGS) == set(TABLES)


def test_what_is_missing_is_said(explored, tmp_path):
    out = tmp_path / "z.zarr"
    for words, said in (
        (("explore", explored / "mine.csv"), "--target"),
        (("explore", explored / "none.csv", "--target", "a"), "there is no file"),
        (("explore", "D1", "--target", "a"), "--target does not apply to D1"),
        (("explore", "digits", "--scale", "none"), "--scale does not apply to digits"),
    ):
        result = thalweg(*words, "--output", out)
        assert result.exit_code != 0
        assert said in result.stderr
        assert not out.exists()


def test_definitions_of_experiments_take_tables(tmp_path):
    write(tmp_path / "mine.csv")
    definition = tmp_path / "mine.toml"
    definition.write_text(
        """
        [rule]
        remaining = 0.05
        new = 0.05
        first = 256
        factor = 1.25
        [scales.small]
        draws = 2
        steps = 5
        searches = 5
        seconds = 60
        sample = 1
        testing = 0
        data = 100
        pictures = 10
        [choices]
        [landscapes.mine]
        system = "mine.csv"
        target = "cultivar"
        scale = "minmax"
        hidden = [2]
        draws = true
        errors = [0, 10]
        [landscapes.iris]
        system = "iris"
        [tables]
        [figures]
        """
    )
    jobs = read_plan("small", definition).jobs
    assert [job.name for job in jobs] == ["mine-e0-d0", "mine-e10-d0", "iris-e0-d0", "mine-e0-d1", "mine-e10-d1"]
    options = jobs[1].options
    assert (options["target"], options["scale"], options["errors"], options["hidden"]) == (
        "cultivar",
        "minmax",
        10.0,
        [2],
    )
    assert jobs[1].system == str(tmp_path / "mine.csv")
