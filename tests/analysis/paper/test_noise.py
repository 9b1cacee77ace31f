"""The page of label noise: its command, the noise that stores keep, and differences against scipy's paired tests."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.stats import ttest_rel

from thalweg.analysis.cli.main import program
from thalweg.analysis.paper.comparison_text import differences_in_words
from thalweg.analysis.paper.paired_differences import Difference, differences
from thalweg.analysis.statistics.intervals import Interval
from thalweg.landscapes import Landscape

DOCS = Path(__file__).resolve().parents[3] / "docs"


def test_the_command_makes_a_page_of_one_network(tmp_path):
    words = ["paper", "--definition", "noise", "--scale", "tiny", "--only", "D2", "--workers", "1"]
    done = CliRunner().invoke(program, [*words, "--output", str(tmp_path)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    page = (tmp_path / "noise.md").read_text()
    for part in ("# Label noise beyond uniform", "## What differs from uniform noise", "| D2-overlap-e50 * | 2 |"):
        assert part in page
    for part in (": paper |", "## Claims"):
        assert part not in page
    with Landscape.open(tmp_path / "landscapes" / "D2-adversarial-e50-d1.zarr") as landscape:
        assert landscape.state["explore"]["options"]["noise"] == "adversarial"
        assert landscape.system.potential.mislabelled.sum() == 20  # half of 40


def test_differences_are_paired_and_corrected():
    rng = np.random.default_rng(0)
    base, other = rng.normal(size=(2, 4, 3)) + np.array([0.0, 3.0])[:, None, None]
    rows = [
        {"family": family, "errors": 10.0, "draw": draw, **{f"m{k}": values[k, draw] for k in range(4)}}
        for family, values in (("D1-uniform", base), ("D1-overlap", other))
        for draw in range(3)
    ]
    one = {"title": "", "baseline": "D1-uniform", "others": ["D1-overlap"], "measures": ["m0", "m1", "m2", "m3"]}
    found = differences({"D1": one}, rows)
    theirs = [ttest_rel(other[k], base[k]) for k in range(4)]
    assert [each.p for each in found] == pytest.approx([their.pvalue for their in theirs])
    for each, their in zip(found, theirs, strict=True):
        interval = their.confidence_interval(0.95)
        assert each.interval[1:] == pytest.approx((interval.low, interval.high))
        assert each.adjusted >= each.p
        assert each.verdict == ("higher" if each.adjusted <= 0.05 else "cannot be told")


def published() -> list[Difference]:
    """Return the differences that docs/noise/comparisons.csv has."""
    found = []
    with (DOCS / "noise" / "comparisons.csv").open() as file:
        for row in csv.DictReader(file):
            interval = Interval(float(row["mean"]), float(row["low"]), float(row["high"]))
            names = [row[name] for name in ("comparison", "measure", "family", "baseline")]
            values = tuple(map(float, row["values"].split()))
            ends = row["when"], float(row["p"] or "nan"), float(row["adjusted_p"] or "nan")
            found.append(Difference(*names, float(row["errors"]), values, interval, *ends))
    return found


def test_the_words_of_the_page_are_those_of_its_numbers():
    found = published()
    words = differences_in_words(found)
    assert words in (DOCS / "noise.md").read_text()
    # every decided difference is counted once
    counted = sum(int(number) for number in re.findall(r"\((\d+) of \d+\)", words))
    assert counted == sum(one.verdict != "cannot be told" for one in found) > 0


def test_words_tell_directions_apart():
    sizes = Interval(0.2, 0.1, 0.3), "", 0.01, 0.01
    up = Difference("D1", "test_mean", "D1-overlap", "D1-uniform", 10.0, (0.2, 0.2), *sizes)
    down = Difference("D2", "test_mean", "D2-overlap", "D2-uniform", 50.0, (-0.2, -0.2), *sizes)
    unknown = Difference("D1", "own_measure", "D1-overlap", "D1-uniform", 10.0, (0.2, 0.2), *sizes)
    open_ = Difference("D1", "test_sd", "D1-overlap", "D1-uniform", 10.0, (0.2, -0.2), *sizes[:2], 0.9, 0.9)
    better, worse, own, rest = differences_in_words([up, down, unknown, open_]).splitlines()
    assert "better on average, by AUC (test mean): overlap 10 % (1 of 1)." in better
    assert "worse on average, by AUC (test mean): overlap 50 % (1 of 1)." in worse
    assert own == "- own measure is higher: overlap 10 % (1 of 1)."
    assert rest == "- Nothing is decided about: test sd."
