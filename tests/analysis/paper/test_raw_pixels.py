"""MNIST with raw pixels in ``thalweg paper``: what is sampled, and the AUC of each class."""

from __future__ import annotations

import csv
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.metrics import roc_auc_score

from thalweg.analysis.cli.main import program
from thalweg.datasets import mnist
from thalweg.landscapes import Landscape
from thalweg.potentials import Weights

DEFINITION = """
[rule]
remaining = 0.02
new = 0.05
first = 256
factor = 1.25
[scales.tiny]
draws = 1
steps = 6
searches = 8
seconds = 200
sample = 2
testing = 300
data = 60
pictures = 100
[choices]
pixels = "0 to 255"
[landscapes.MNIST-raw]
system = "MNIST"
pixels = "0 to 255"
sampled = { chains = 9, quenches = 3, step = 0.03, temperature = 0.001, memory = 7 }
errors = [50]
hidden = [2]
[tables.table3]
title = "a table"
landscapes = "MNIST-raw"
columns = ["errors", "train_mean"]
rows = [[50, 0.9390]]
[figures.figure5]
title = "boxes"
boxes = ["train_auc", "test_auc"]
landscapes = "MNIST-raw"
"""


@pytest.fixture(scope="module")
def digits(shared) -> Path:
    return shared / "data" / "mnist"


def _paper(folder: Path, digits: Path, *more: str):
    (folder / "mine.toml").write_text(DEFINITION)
    words = ["--scale", "tiny", "--definition", str(folder / "mine.toml"), "--workers", "1", "--mnist", str(digits)]
    words += ["--page", str(folder / "docs" / "mine.md"), *more]
    result = CliRunner().invoke(program, ["paper", "--output", str(folder / "out"), *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory, digits):
    return _paper(tmp_path_factory.mktemp("raw"), digits)


def _lines(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_the_store_has_pixels_rules_and_chains_of_the_definition(made, tmp_path):
    """The same points as a landscape finds that is given the settings by hand; two chains, which the scale allows."""
    with Landscape.open(made / "out" / "landscapes" / "MNIST-raw-e50-d0.zarr") as landscape:
        assert landscape.rules["memory"] == 7
        assert landscape.searches.done("basin-hopping") == 6
        assert landscape.state["explore"]["data"]["training"]["pixels"] == "0 to 255"
        assert landscape.system.potential.inputs.max() == 255.0
        loss, energies, rules = landscape.system.potential, landscape.minima.energy[:], landscape.rules
    with Landscape(Weights.random(loss, seed=0), tmp_path / "a.zarr", seed=0, rules=rules, tasks_ahead=2) as landscape:
        landscape.find_minima(6, step=0.03, temperature=0.001, workers=1, progress=False)
        assert landscape.minima.energy[:].tolist() == energies.tolist()


def test_the_auc_of_each_class_is_sklearns(made, digits):
    with Landscape.open(made / "out" / "landscapes" / "MNIST-raw-e50-d0.zarr") as landscape:
        weights, energies = landscape.minima.coordinates[:], landscape.minima.energy[:]
        test = mnist(digits, pixels="0 to 255").draw(60, 0)[1][:300]
        chances = [landscape.system.potential.probabilities(x, test.inputs) for x in weights]
    expected = np.array([[roc_auc_score(test.labels == k, of[:, k]) for k in range(10)] for of in chances])
    lines = _lines(made / "out" / "classes.csv")
    assert [(line["name"], line["class"]) for line in lines] == [("MNIST-raw-e50-d0", str(k)) for k in range(10)]
    for column, values in (
        ("test_mean", expected.mean(axis=0)),
        ("test_sd", expected.std(axis=0)),
        ("test_gmin", expected[np.argmin(energies)]),
    ):
        np.testing.assert_allclose([float(line[column]) for line in lines], values, atol=1e-12)
    row = _lines(made / "out" / "measures.csv")[0]
    assert float(row["test_mean"]) == pytest.approx(expected.mean())


def test_claims_and_page_have_the_classes(made):
    claims = {line["claim"]: line for line in _lines(made / "out" / "claims.csv")}
    assert claims["10d"]["of"] == "MNIST-raw-e50-d0"
    assert re.fullmatch(r"in \d+ of 10 classes", claims["10d"]["numbers"])
    page = (made / "docs" / "mine.md").read_text()
    assert "distance of ours from the 1 published mean of the rows that are explored: " in page


def test_the_classes_outlive_the_store(made, digits, tmp_path):
    shutil.copytree(made / "docs", tmp_path / "docs")
    _paper(tmp_path, digits, "--time", "0")
    assert not list((tmp_path / "out" / "landscapes").iterdir())
    for name in ("classes.csv", "claims.csv", "measures.csv"):
        assert (tmp_path / "out" / name).read_bytes() == (made / "out" / name).read_bytes()
