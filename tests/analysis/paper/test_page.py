"""docs/paper_command.md says what the data of docs/paper.md say: `thalweg paper` writes that page, a hand the other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from thalweg.analysis.paper.archive import kept
from thalweg.analysis.paper.measures import MEANINGS, from_csv
from thalweg.analysis.paper.plan import read_plan
from thalweg.analysis.paper.stopping_rule import FINISHED

ROOT = Path(__file__).resolve().parents[3]
SUMMARY = (ROOT / "docs" / "paper_command.md").read_text()
COLUMNS = ("gmin_loss", "train_gmin", "test_mean")  # of the summary's table, each as published and ours
ROWS = re.findall(r"^\| (\d+) % \|(.*)\|$", SUMMARY, flags=re.MULTILINE)


def _lines(name: str) -> list[dict[str, Any]]:
    return from_csv((ROOT / "docs" / "paper" / name).read_text())


def test_all_rows():
    assert [float(row) for row, _ in ROWS] == [line["row"] for line in _lines("tables/table1.csv")]


@pytest.mark.parametrize(("row", "cells"), ROWS, ids=[row for row, _ in ROWS])
def test_table(row, cells):
    line = next(line for line in _lines("tables/table1.csv") if line["row"] == float(row))
    expected = []
    for column in COLUMNS:
        published, mean, spread = (line[f"{column}_{kind}"] for kind in ("published", "measured", "spread"))
        expected += [f"{published:.3f}", f"{mean:.3f} ± {spread:.3f}"]
        assert line[f"{column}_draws"] == 3
    assert [cell.strip() for cell in cells.split("|")] == expected


def test_sentences():
    lines = _lines("measures.csv")
    ended = sum(line["stopped"] in FINISHED for line in lines)
    assert f"Of the {len(lines)} landscapes that are explored so far {ended} have ended" in SUMMARY
    known = [line for line in lines if re.fullmatch(r"D[123]-e\d+-d\d", line["name"])]
    minima, states = (
        np.median([line[f"{count}_next"] / line[count] for line in known]) for count in ("minima", "transition_states")
    )
    assert f"minima by {100 * minima:.0f} % (the median of {len(known)} landscapes" in SUMMARY
    assert f"transition states by {100 * states:.0f} %" in SUMMARY
    deep = sorted(int(line["low_connected"]) for line in lines if re.fullmatch(r"D1-(55|444)-.*", line["name"]))
    said = f"in each of these {len(deep)} landscapes at least {deep[0]} of the 100 lowest minima"
    assert f"{said} are connected to the lowest" in SUMMARY
    draws = [line for line in lines if re.fullmatch(r"D1-e0-d\d", line["name"])]
    ranks = ", ".join(f"{line['rank_train_test']:.2f}" for line in draws)
    assert f"(rank correlations {ranks})" in SUMMARY


def test_a_landscape_kept_before_there_was_a_measure_has_it_as_unknown():
    plan = read_plan("full")
    found = kept(next(job for job in plan.jobs if job.name == "D2-e0-d0"), plan, ROOT / "docs" / "paper")
    assert found is not None
    assert found.row.keys() >= MEANINGS.keys()
    assert found.row["minima"] > 0
