"""The page of label noise: its command, the noise that stores keep, and differences against scipy's paired tests."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.stats import ttest_rel

from thalweg.analysis.cli.main import program
from thalweg.analysis.paper.paired_differences import differences
from thalweg.landscapes import Landscape


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
