"""``thalweg paper`` from end to end, on a definition of its own that is very small."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from thalweg.analysis.main import main
from thalweg.analysis.paper_growth import state_of
from thalweg.landscapes import Landscape

DEFINITION = """
[rule]
share = 0.02
first = 256
factor = 1.25
[scales.tiny]
draws = 2
steps = 6
searches = 8
seconds = 200
sample = 2
testing = 300
data = 60
pictures = 100
[choices]
pixels = "0 to 1"
[landscapes.D1]
system = "D1"
errors = [0, 50]
draws = true
hidden = [4]
[landscapes.MNIST]
system = "MNIST"
sampled = true
errors = [10]
hidden = [2]
[tables.table1]
title = "a table"
landscapes = "D1"
columns = ["errors", "minima", "train_gmin", "test_gmin_loss"]
rows = [[0, 122, 0.749, 0.891], [50, 394]]
[tables.table3]
title = "another"
landscapes = "MNIST"
columns = ["errors", "train_mean"]
rows = [[10, 0.9783]]
[figures.figure1]
title = "graphs"
colour = "train_auc"
shape = [1, 2]
panels = [["D1", 0, "0 %"], ["D1", 50, "50 %"]]
[figures.figure5]
title = "boxes"
boxes = ["train_auc", "test_auc"]
landscapes = "MNIST"
"""


def _paper(folder: Path, *more: str):
    (folder / "mine.toml").write_text(DEFINITION)
    words = ["--scale", "tiny", "--definition", str(folder / "mine.toml"), "--workers", "1", *more]
    return CliRunner().invoke(main, ["paper", "--output", str(folder / "out"), *words], catch_exceptions=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Make everything once; MNIST is looked for where there is none."""
    folder = tmp_path_factory.mktemp("paper")
    result = _paper(folder, "--mnist", str(folder / "nowhere"))
    assert result.exit_code == 0, result.output
    return folder


def _lines(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_every_file_is_there(made):
    out = made / "out"
    for name in ("table1", "table3"):
        assert (out / "tables" / f"{name}.csv").is_file()
        assert (out / "tables" / f"{name}.md").is_file()
    for name in ("figure1", "figure5"):
        assert (out / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert (out / "figures" / f"{name}.pdf").read_bytes().startswith(b"%PDF")
    page = (out / "paper.md").read_text()
    for part in (
        "## table1",
        "## figure5",
        "## Claims",
        "## Ceiling",
        "## Label distributions",
        "none of these numbers",
    ):
        assert part in page
    assert "no data: path must be a folder" in page  # MNIST
    assert "thalweg paper --output" in page


def test_each_number_can_be_found_in_its_store(made):
    out = made / "out"
    measured, table = _lines(out / "measures.csv"), _lines(out / "tables" / "table1.csv")
    assert [row["name"] for row in measured] == ["D1-e0-d0", "D1-e50-d0", "D1-e0-d1", "D1-e50-d1"]
    mine = [measured[int(line) - 2] for line in table[1]["measures_csv_lines"].split()]
    assert [row["name"] for row in mine] == ["D1-e50-d0", "D1-e50-d1"]
    assert float(table[1]["minima_measured"]) == np.mean([float(row["minima"]) for row in mine])
    with Landscape.open(out / mine[0]["store"]) as landscape:
        lowest = landscape.minima.lowest()
        assert len(landscape.minima) == int(mine[0]["minima"])
        assert landscape.properties["train_auc"][lowest] == float(mine[0]["train_gmin"])
        x = landscape.minima.coordinates[lowest]
        without = landscape.properties["test_loss"][lowest] - landscape.system.potential.l2 * x @ x
        assert without == pytest.approx(float(mine[0]["test_gmin_log_loss"]))
        assert landscape.system.potential.mislabelled.sum() == 30


def test_mislabelled_sets_are_of_the_same_points(made):
    inputs = []
    for name in ("D1-e0-d0", "D1-e50-d0", "D1-e0-d1"):
        with Landscape.open(made / "out" / "landscapes" / f"{name}.zarr") as landscape:
            inputs.append(landscape.system.potential.inputs)
    assert np.array_equal(inputs[0], inputs[1])
    assert not np.array_equal(inputs[0], inputs[2])


def test_other_commands_read_its_stores(made):
    store = str(made / "out" / "landscapes" / "D1-e50-d0.zarr")
    for words in (["info", store], ["verify", store], ["predict", store, "--on", "train"]):
        result = CliRunner().invoke(main, words, catch_exceptions=False)
        assert result.exit_code == 0, result.output


def test_a_second_run_searches_nothing(made):
    before = {path.name: state_of(path) for path in (made / "out" / "landscapes").iterdir()}
    words = ("--mnist", str(made / "nowhere"))
    listed = _paper(made, *words, "--list")
    assert "4 of 5 landscapes done" in listed.output
    measured = (made / "out" / "measures.csv").read_bytes()
    result = _paper(made, *words)
    assert result.exit_code == 0, result.output
    assert (made / "out" / "measures.csv").read_bytes() == measured
    assert {path.name: state_of(path) for path in (made / "out" / "landscapes").iterdir()} == before


def test_cut_by_time_and_gone_on_with_it_is_the_same(made, tmp_path):
    words = ("--only", "D1-e0-d0")
    for _ in range(3):
        assert _paper(tmp_path, *words, "--time", "0.05").exit_code == 0
    assert _paper(tmp_path, *words).exit_code == 0
    one, other = (
        next(row for row in _lines(folder / "out" / "measures.csv") if row["name"] == "D1-e0-d0")
        for folder in (made, tmp_path)
    )
    differ = {key for key in one if one[key] != other[key]}
    assert differ <= {"seconds"}


def test_mnist_is_sampled(shared, tmp_path):
    result = _paper(tmp_path, "--mnist", str(shared / "data" / "mnist"), "--only", "table3,figure5")
    assert result.exit_code == 0, result.output
    row = _lines(tmp_path / "out" / "measures.csv")[0]
    assert row["stopped"] == "sampled"
    assert int(row["steps"]) == 10
    assert 0.5 < float(row["train_mean"]) <= 1
    assert row["train_mean_0"] != row["train_mean"]
    assert row["transition_states"] == "0"


def test_what_makes_no_sense_is_named(tmp_path):
    result = _paper(tmp_path, "--only", "table9")
    assert result.exit_code == 2
    assert "table9" in result.output
    assert not os.path.exists(tmp_path / "out")
