"""The parts of ``thalweg paper`` that need no search: definition, rule, tables."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from thalweg.analysis.paper.growth import by_plan
from thalweg.analysis.paper.measures import MEANINGS, correlation, from_csv, to_csv
from thalweg.analysis.paper.page_command import Source
from thalweg.analysis.paper.plan import Sample, read_plan
from thalweg.analysis.paper.stopping_rule import Stage, StoppingRule, forecast_stages, grown, next_stage
from thalweg.analysis.paper.tables import agreement, cells, table_csv, table_markdown
from thalweg.landscapes.discoveries.growth_curve import forecast_growth


def test_the_definition_has_every_table_and_figure():
    plan = read_plan("full")
    assert {"table1", "table2", "table3", "table4", "D3"} <= set(plan.tables)
    assert {f"figure{k}" for k in range(1, 9)} == set(plan.figures)
    jobs = {job.name: job for job in plan.jobs}
    assert len(jobs) == len(plan.jobs)
    assert all(f"{data}-e{errors}-d{draw}" in jobs for data in ("D1", "D2", "D3") for errors in (0, 10, 50, 100)
               for draw in range(3))  # fmt: skip
    assert jobs["D1-e10-d2"].options["seed"] == 2
    assert jobs["D1-h5-n2-e0-d0"].options["l2"] == 1e-5
    assert jobs["D1-444-100-e0-d0"].options["hidden"] == [4, 4, 4]
    assert jobs["D1-444-100-e0-d0"].seconds == 7200
    assert (jobs["D1-444-100-e0-d0"].steps, jobs["D1-e10-d2"].steps) == (24_000, 400), "deep networks hop longer"
    assert jobs["D1-55-1000-e0-d1"].steps == 1000, "2.5 times as long"
    assert [job.draw for job in plan.jobs] == sorted(job.draw for job in plan.jobs)
    assert list(dict.fromkeys(job.family for job in plan.jobs))[:5] == ["D2", "MNIST-raw", "MNIST", "D1", "D3"]
    assert [job.name for job in plan.shown("figure7")] == ["D1-h5-n2-e0-d0", "D1-h5-n3-e0-d0", "D1-h5-e0-d0"]
    assert [job.errors for job in plan.shown("figure5")] == [0, 10, 25, 40, 50, 60, 75, 100]
    table = plan.tables["table1"]
    assert all(len(row) == len(table["columns"]) for row in table["rows"])
    assert table["rows"][1][:5] == [10, 266, 960, 0.727, 1.0]


def test_what_ended_at_a_limit_goes_on_once_the_limit_is_higher():
    plan = read_plan("full")
    job = next(job for job in plan.jobs if job.name == "D1-444-100-e0-d0")
    most = plan.limits.searches
    ended = {"done": True, "scale": "full", "seconds": 7200.0, "stages": [Stage(most, 7200.0, 9, 9)]}
    longer = replace(job, seconds=7201.0)
    more = replace(plan, limits=replace(plan.limits, searches=most + 1))
    for why, goes_on in (("longest time", (plan, longer)), ("most searches", (more, job))):
        state = ended | {"why": why}
        assert by_plan(state, *goes_on) == ended | {"done": False, "why": ""}
        for other in ((plan, job), (more, job), (plan, longer), (replace(plan, scale="small"), longer)):
            assert by_plan(state, *other)["done"] is (other != goes_on)


def test_how_minima_of_mnist_are_sampled():
    """Raw pixels have 110 quenches in ten chains, three draws; pixels from 0 to 1 are described as ever."""
    jobs = {job.name: job for job in read_plan("full").jobs}
    raw = [job for job in jobs.values() if job.family == "MNIST-raw"]
    assert {(job.errors, job.draw) for job in raw} == {
        (errors, draw) for errors in (0, 10, 25, 40, 50, 60, 75, 100) for draw in range(3)
    }
    assert {job.options["pixels"] for job in raw} == {"0 to 255"}
    assert {job.sample for job in raw} == {Sample(10, 11, step=0.03, temperature=0.001, memory=40)}
    assert "pixels" not in jobs["MNIST-e0-d0"].options
    assert jobs["MNIST-e0-d0"].sample == Sample(100, 5)
    assert jobs["D1-e0-d0"].sample is None
    small = {job.name: job for job in read_plan("small").jobs}
    assert small["MNIST-raw-e0-d0"].sample == Sample(2, 11, step=0.03, temperature=0.001, memory=40)


def test_every_column_of_the_definitions_has_a_meaning():
    for definition in (None, Path("noise")):
        plan = read_plan("small", definition)
        columns = {column for table in plan.tables.values() for column in table["columns"][1:]}
        columns |= {measure for one in plan.comparisons.values() for measure in one["measures"]}
        spreads = {column for column in columns if column.endswith("_sd")}
        assert columns - spreads <= MEANINGS.keys()
        assert {f"{column.removesuffix('_sd')}_mean" for column in spreads} <= MEANINGS.keys()


def test_only_what_is_asked_for():
    plan = read_plan("full").only(["figure6", "table2"])
    assert {job.family for job in plan.jobs} == {"D1", "D2", "D1-n1", "D1-n2", "D1-n3"}
    assert {job.name for job in plan.jobs if job.family == "D1"} == {"D1-e0-d0"}
    assert len([job for job in plan.jobs if job.family == "D2"]) == 12
    assert [job.name for job in read_plan("small").only(["D3-e50-d0"]).jobs] == ["D3-e50-d0"]
    with pytest.raises(ValueError, match="no table9"):
        plan.only(["table9"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = ", "Invalid"),
        ("[rule]\nshare = 0.1\n", r"no \[scales\]"),
        ("rule={}\nchoices={}\ntables={}\nfigures={}\n[scales.small]\n[landscapes.a]\nsystem='D7'\n", "D7"),
        (
            "rule={}\nchoices={}\nfigures={}\n[scales.small]\n[landscapes.a]\nsystem='D1'\n"
            "[tables.t]\ncolumns=['errors']\nlandscapes='b'\nrows=[[0]]\n",
            "no landscapes 'b'",
        ),
        (
            "rule={}\nchoices={}\ntables={}\n[scales.small]\n[landscapes.a]\nsystem='D1'\n"
            "[figures.f]\npanels=[['a',50,'x']]\n",
            "landscapes.a has no 50",
        ),
        *(
            (
                "rule={}\nchoices={}\ntables={}\nfigures={}\n[scales.small]\n[landscapes.a]\nsystem='D1'\n" + line,
                f"landscapes.a: {line.partition('=')[0]} is .*a .*number, [01] or more",
            )
            for line in (
                "hopping=0.5", "hopping=0", "hopping=inf", "hopping=true", "seconds='long'", "seconds=nan", "guess=-1",
            )
        ),
    ],
)  # fmt: skip
def test_a_wrong_definition_is_named(tmp_path, text, message):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_plan("small", path)


def _stages(*counts, before=(0, 0)):
    """Return the growth of a landscape after 256 searches and twice, four times ... as many."""
    return [Stage(0, 1.0, *before), *(Stage(256 << k, 2.0, *count) for k, count in enumerate(counts))]


@pytest.mark.parametrize(
    ("sampled", "message"),
    [
        ("{chain=3}", r"landscapes.a.sampled\] has no chains"),
        ("3", r"landscapes.a.sampled\] is 3; it is true, false or a table"),
        ("{chains=3, quenches=0}", "has 3 chains of 0 quenches"),
    ],
)
def test_a_wrong_sample_is_named(tmp_path, sampled, message):
    path = tmp_path / "mine.toml"
    limits = "draws=1\nsteps=1\nsearches=1\nseconds=1\nsample=1\ntesting=1\ndata=1\npictures=1\n"
    rule = "remaining=0.1\nnew=0.1\nfirst=1\nfactor=2\n"
    path.write_text(
        f"choices={{}}\ntables={{}}\nfigures={{}}\n[scales.small]\n{limits}[rule]\n{rule}"
        f"[landscapes.a]\nsystem='MNIST'\nsampled={sampled}\n"
    )
    with pytest.raises(ValueError, match=message):
        read_plan("small", path)


def test_the_rule():
    rule = StoppingRule(remaining=0.05, new=0.05, first=256, factor=1.25)
    few = _stages((40, 90), (40, 99), (40, 100), (40, 100), (40, 100))
    assert grown(few, rule)
    assert not grown(few[:2], rule)  # one stage cannot say how growth ends
    assert not grown(few, replace(rule, new=0.0))
    assert not grown([*few[:-1], few[-1]._replace(minima=43)], rule)
    assert not grown([*few[:-1], few[-1]._replace(transition_states=120)], rule)
    assert grown(_stages(*[(5, 90)] * 5, before=(5, 0)), rule)  # what basin-hopping found, and nothing else
    assert not grown(_stages(*[(5, 0)] * 5, before=(5, 0)), rule)
    assert not grown([Stage(0, 1.0, 5, 0)], rule)


def test_what_basin_hopping_found_says_nothing_of_later_searches():
    stages = _stages((52, 9), (55, 9), (57, 9), (58, 9), before=(50, 0))
    known = forecast_stages(stages, "minima")
    assert known.found == 8
    assert known == forecast_growth([256, 512, 1024, 2048], [2, 5, 7, 8])
    assert math.isnan(forecast_stages(stages[:1], "minima").high)


def test_stages_are_those_of_the_rule():
    rule = StoppingRule(remaining=0.05, new=0.05, first=256, factor=1.25)
    stages = [256]
    while stages[-1] < 700:
        stages.append(next_stage(stages[-1], rule))
    assert stages == [256, 320, 400, 500, 625, 782]
    assert next_stage(0, rule) == 256
    assert next_stage(399, rule) == 400


def test_turns_are_four_times_as_long_each():
    plan = read_plan("full")
    assert plan.turns == [400, 1600, 6400, 25_600, 102_400, 409_600, 1_638_400, 2_000_000]
    assert read_plan("small").turns == [96]


def test_a_source_says_its_command_and_that_of_a_part():
    source = Source(Path("/tmp/my results"), "", {"scale": "full", "seed": 0, "mnist": None})
    assert source.command() == "thalweg paper --output '/tmp/my results' --scale=full --seed=0"
    assert source.command("again", "D1-e0-d0") == "thalweg paper --output again --only=D1-e0-d0 --scale=full --seed=0"
    assert "--only=figure1,table2 --scale" in source._replace(only="figure1,table2").command()


def _rows():
    """Three draws of one family at two errors."""
    return [
        {
            "family": "A",
            "errors": e,
            "draw": float(d),
            "minima": 100.0 + d,
            "auc": 0.7 + 0.01 * d,
            "stopped": why,
            "minima_remaining_high": 4.0,
        }
        for d in range(3)
        for e, why in ((0.0, "stopped growing"), (10.0, "longest time"))
    ]


TABLE = {
    "landscapes": "A",
    "columns": ["errors", "minima", "auc"],
    "rows": [[0, 122, 0.715], [10, 266, 0.9], [50]],
}


def test_cells_say_mean_spread_and_where_they_are_from():
    found = {(cell.row, cell.column): cell for cell in cells(TABLE, from_csv(to_csv(_rows())))}
    one = found[0, "minima"]
    assert (one.published, one.mean, one.spread) == (122, 101, 1)
    assert one.lines == (2, 4, 6)  # the header is line 1
    assert not one.unfinished
    assert found[10, "minima"].unfinished
    assert found[50, "auc"].values == ()
    assert math.isnan(found[50, "auc"].published)
    text = table_markdown(TABLE, list(found.values()))
    assert "| 0 % | 3 | 122 | 101 ± 1 | 0.715 | 0.71 ± 0.01 |" in text
    assert "| 10 % * | 3 | 266 | 101 ± 1 * | 0.9 | 0.71 ± 0.01 |" in text
    assert "| 50 % |  |  |  |  |  |" in text
    assert "0: 2, 4, 6" in text
    bare = {**TABLE, "rows": [[0, 122], [10]]}
    assert "| errors | draws | minima: paper | ours | auc |" in table_markdown(bare, cells(bare, _rows()))
    rare = cells(TABLE, [row | {"minima_remaining_high": 6.0} for row in _rows()])
    assert "| 0 % | 3 | 122 | 101 ± 1 * | 0.715" in table_markdown(TABLE, rare)  # grown, but many are rare
    read = list(csv.DictReader(io.StringIO(table_csv(list(found.values())))))
    assert read[0]["minima_measured"] == "101.0"
    assert read[0]["measures_csv_lines"] == "2 4 6"
    assert read[2]["auc_measured"] == ""


def test_published_numbers_are_judged_by_the_draws():
    """By hand: t = 4.303 for three draws, so 0.71 -/+ 4.97 * 0.01; pooled over two rows t = 2.776, 3.21 * 0.01."""
    text = agreement(cells(TABLE, _rows()))
    assert (
        ". 1 of 3 lie within the interval that follows from the draws of their own row" in text
    )  # minima at 10 may still grow
    assert "row, and 1 of 3 within the one whose spread is pooled" in text
    assert text.endswith("Outside of at least one of the two: minima at 0, auc at 10.")
    near = {**TABLE, "rows": [[0, 101, 0.75], [10, 266, 0.71]]}
    text = agreement(cells(near, _rows()))
    assert ". 3 of 3 lie within the interval" in text
    assert "row, and 2 of 3 within the one whose spread is pooled" in text
    assert text.endswith("Outside of at least one of the two: auc at 0.")
    nothing = "Nothing can be compared: {}."
    assert agreement(cells(TABLE, _rows()[:2])) == nothing.format("there are fewer than two draws")
    growing = {**TABLE, "columns": ["errors", "minima"], "rows": [[10, 266]]}
    assert agreement(cells(growing, _rows())) == nothing.format("our counts are lower bounds")
    own = {**TABLE, "rows": [[0], [10]]}
    assert agreement(cells(own, _rows())) == nothing.format("no numbers of this table are published")


def test_csv_gives_back_numbers():
    rows = [{"name": "a", "x": 0.1 + 0.2, "y": math.nan, "labels": "1 2"}]
    back = from_csv(to_csv(rows))[0]
    assert back["x"] == 0.1 + 0.2
    assert math.isnan(back["y"])
    assert (back["name"], back["labels"]) == ("a", "1 2")


def test_correlation_has_an_honest_interval():
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(300):
        a = rng.normal(size=(60, 2)) @ np.linalg.cholesky([[1, 0.6], [0.6, 1]]).T
        rho, low, high = correlation(*a.T)
        assert rho == pytest.approx(spearmanr(*a.T).statistic)
        held += low < 6 / np.pi * np.arcsin(0.3) < high  # what 0.6 is in ranks
    assert 0.91 < held / 300 < 0.985
    assert all(math.isnan(x) for x in correlation([1, 2, 3], [1, 2, 3]))
    assert all(math.isnan(x) for x in correlation(np.ones(9), np.arange(9)))


def test_rows_with_columns_in_another_order_are_written_by_name():
    """An older file's row has what was added later at its end."""
    rows = [{"name": "a", "minima": 3.0, "next": 0.5}, {"name": "b", "next": 0.25, "minima": 4.0}, {"name": "c"}]
    again = from_csv(to_csv(rows))
    assert [list(row) for row in again] == [["name", "minima", "next"]] * 3
    assert [row["minima"] for row in again[:2]] == [3.0, 4.0]
    assert [row["next"] for row in again[:2]] == [0.5, 0.25]
    assert math.isnan(again[2]["minima"])
