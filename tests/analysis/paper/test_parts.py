"""The parts of ``thalweg paper`` that need no search: definition, rule, tables, claims, ceiling."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import spearmanr

from thalweg.analysis.paper.claims.cases import NOT_EXPLORED, Case
from thalweg.analysis.paper.claims.ceiling import Ceiling, neighbour_probabilities
from thalweg.analysis.paper.claims.decisions import CONFIRMED, NOT, UNKNOWN, decide, verdict
from thalweg.analysis.paper.claims.equal_searches import count_after, shared_searches
from thalweg.analysis.paper.measures import correlation, from_csv, to_csv
from thalweg.analysis.paper.page_command import Source
from thalweg.analysis.paper.plan import read_plan
from thalweg.analysis.paper.stopping_rule import StoppingRule, grown, next_stage
from thalweg.analysis.paper.tables import agreement, cells, equal_counts, table_csv, table_markdown


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
    assert jobs["D1-444-100-e0-d0"].seconds == 3600
    assert [job.draw for job in plan.jobs] == sorted(job.draw for job in plan.jobs)
    assert list(dict.fromkeys(job.family for job in plan.jobs))[:4] == ["D2", "MNIST", "D1", "D3"]
    assert [job.name for job in plan.shown("figure7")] == ["D1-h5-n2-e0-d0", "D1-h5-n3-e0-d0", "D1-h5-e0-d0"]
    assert [job.errors for job in plan.shown("figure5")] == [0, 10, 25, 40, 50, 60, 75, 100]
    table = plan.tables["table1"]
    assert all(len(row) == len(table["columns"]) for row in table["rows"])
    assert table["rows"][1][:5] == [10, 266, 960, 0.727, 1.0]


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
    ],
)  # fmt: skip
def test_a_wrong_definition_is_named(tmp_path, text, message):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_plan("small", path)


def test_the_rule():
    def found(minima, states):
        return SimpleNamespace(
            minima=SimpleNamespace(found=minima[0], high=minima[1]),
            transition_states=SimpleNamespace(found=states[0], coverage=states[1]),
        )

    rule = StoppingRule(remaining=0.02, new=0.05, first=256, factor=1.25)
    assert grown(found((100, 1.9), (500, 0.96)), rule)
    assert not grown(found((100, 2.1), (500, 0.96)), rule)
    assert not grown(found((100, 1.9), (500, 0.94)), rule)
    assert grown(found((2, 0.5), (2, 0.96)), rule)  # fewer than one is few enough of however few
    assert not grown(found((5, 0.0), (0, math.nan)), rule)
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
    rare = cells(TABLE, [row | {"minima_remaining_high": 6.0} for row in _rows()])
    assert "| 0 % | 3 | 122 | 101 ± 1 * | 0.715" in table_markdown(TABLE, rare)  # grown, but many are rare
    read = list(csv.DictReader(io.StringIO(table_csv(list(found.values())))))
    assert read[0]["minima_measured"] == "101.0"
    assert read[0]["measures_csv_lines"] == "2 4 6"
    assert read[2]["auc_measured"] == ""


def test_published_numbers_are_judged_by_the_draws():
    text = agreement(cells(TABLE, _rows()))
    assert text.startswith("1 of 3 published numbers")  # 0.715 lies within 0.71 +- 0.02
    assert "Outside: minima at 0, auc at 10." in text  # minima at 10 may still grow
    assert "cannot be judged" in agreement(cells(TABLE, _rows()[:2]))


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


def test_verdicts():
    yes, no, open_ = (Case("", "", holds) for holds in (True, False, None))
    assert verdict([yes, yes]) == CONFIRMED
    assert verdict([no, no, yes]) == NOT
    assert verdict([yes, no]) == verdict([yes, open_]) == verdict([]) == verdict([no, open_]) == UNKNOWN


class _Row(dict):
    """A line of measures.csv in which only some columns matter."""

    def __missing__(self, key):
        return math.nan


def _paper(**changed):
    """Return lines as the paper's Tables 1 and 2 would have them."""
    rows = []
    for name in ("table1", "table2"):
        table = read_plan("full").tables[name]
        for numbers in table["rows"]:
            row = _Row(zip(table["columns"], map(float, numbers), strict=True))
            row.update(family=table["landscapes"], system=table["landscapes"], draw=0.0, stopped="stopped growing")
            row.update(minima_remaining_high=0.0, transition_states_remaining_high=0.0)
            rows.append(_Row(row | changed, name=f"{table['landscapes']}-{row['errors']:g}"))
    return rows


def test_the_papers_own_tables_give_the_papers_word():
    ours = {claim.number: claim.ours for claim in decide(_paper(), {})}
    for number in ("1a", "1b", "1c", "3c", "3d", "4a", "4b"):
        assert ours[number] == CONFIRMED, number
    assert ours["3a"] == CONFIRMED
    assert ours["3b"] == CONFIRMED
    # exceptions within its tables: D2 from 0 to 10 %
    assert ours["5b"] == UNKNOWN
    assert ours["7a"] == ours["10a"] == UNKNOWN


def test_last_counts_of_what_still_grows_decide_nothing():
    ours = {claim.number: claim.ours for claim in decide(_paper(stopped="longest time", stages=()), {})}
    assert ours["1a"] == ours["1b"] == UNKNOWN
    assert ours["4a"] == CONFIRMED  # AUC of the minima that are known does


def _growing(name, errors, stages, why="", **numbers):
    """Return the line of a landscape of D1; each stage has searches and minima. A few of its states remain too many."""
    stages = [(searches, 10.0 * searches, minima, 3 * minima) for searches, minima in stages]
    _, _, minima, states = stages[-1]
    told = {"family": "D1", "system": "D1", "draw": 0.0, "stages": stages, "stopped": why}
    told |= {"minima_remaining_high": 0.04 * minima, "transition_states_remaining_high": 0.06 * states} | numbers
    return _Row(told, name=name, errors=errors, minima=float(minima), transition_states=float(states))


def test_counts_of_what_still_grows_are_compared_after_the_same_number_of_searches():
    rows = [
        _growing("a", 0.0, [(0, 3), (256, 10), (320, 40), (371, 41), (400, 90)]),  # the largest: it had most searches
        _growing("b", 10.0, [(256, 20), (320, 45), (333, 46)]),
        _growing("c", 50.0, [(256, 50)], "stopped growing"),
    ]
    assert shared_searches(rows, ["minima"]) == 320
    assert shared_searches(rows) == 256
    assert shared_searches(rows[:1]) == 400
    assert shared_searches([rows[0], _growing("d", 100.0, [(0, 1), (333, 9)])]) is None
    assert [count_after(row, "transition_states", 320) for row in rows] == [120, 135, 150]
    case = next(claim for claim in decide(rows, {}) if claim.number == "1a").cases[0]
    assert (case.numbers, case.holds) == ("40, 45, 50 after 320 searches: rank correlation 1.00", True)
    rows[1:] = [
        _growing("b", 10.0, [(256, 20)], "stopped growing"),
        _growing("c", 50.0, [(256, 50)], "stopped growing"),
    ]
    minima, states = (next(claim for claim in decide(rows, {}) if claim.number == n).cases[0] for n in ("1a", "1b"))
    assert minima.numbers == "90, 20, 50: rank correlation -0.50"  # all but the largest are what they will be
    assert states.numbers == "30, 60, 150 after 256 searches: rank correlation 1.00"


def test_a_table_of_what_still_grows_says_what_the_same_number_of_searches_found():
    table = {"landscapes": "D1", "columns": ["errors", "transition_states", "auc"], "rows": [[0], [10], [50]]}
    groups = {
        0: [_growing("a", 0.0, [(256, 10), (320, 40)]), _growing("b", 0.0, [(256, 20), (300, 30)])],
        10: [_growing("c", 10.0, [(256, 50)], "stopped growing", transition_states_remaining_high=0.0)],
        50: [],
    }
    text = equal_counts(table, groups)
    assert "256, the most that all of them have had" in text
    assert "| 0 % | 45 ± 21 |\n| 10 % | 150 |" in text
    assert "minima" not in text
    assert "50 %" not in text
    assert equal_counts(table, {10: groups[10], 50: groups[10]}) == ""  # last counts say all
    assert equal_counts(table, {0: groups[0], 10: [_growing("d", 10.0, [(0, 1)])]}) == ""
    assert equal_counts(TABLE | {"columns": ["errors", "auc"]}, groups) == ""


def test_the_shape_of_loose_pieces_decides_nothing():
    """Pieces that are not joined yet look like funnels."""
    shape = {"frustration": 0.1, "other_funnel": 0.5, "main_funnel": 0.4, "minima": 100.0}
    for why, joined, expected in (
        ("stopped growing", 30, NOT), ("longest time", 95, NOT), ("", 90, NOT), ("", 89, UNKNOWN),
        ("longest time", 50, UNKNOWN),
    ):  # fmt: skip
        rows = _paper(stopped=why, connected=float(joined), stages=(), **shape)
        ours = {claim.number: claim for claim in decide(rows, {})}
        assert ours["6a"].ours == expected
    rows = [
        _Row(
            name=name, family=name, system="D1", errors=0.0, draw=0.0, stopped="longest time", frustration=value,
            minima=10.0, connected=connected, stages=(),
        )
        for name, connected, value in (("D1", 10.0, 0.1), ("D1-n2", 5.0, 0.3), ("D1-n3", 9.0, 0.2))
    ]  # fmt: skip
    cases = next(claim for claim in decide(rows, {}) if claim.number == "6c").cases
    assert [case.holds for case in cases] == [None, True]


def test_what_is_not_explored_leaves_claims_open():
    rows = [row for row in _paper() if row["name"] not in ("D1-10", "D2-100")]
    unexplored = [
        {"name": f"{family}-{errors:g}", "family": family, "system": family, "errors": errors, "draw": 0}
        for family, errors in (("D1", 10.0), ("D2", 100.0))
    ]
    ours = {
        claim.number: claim
        for claim in decide(
            rows, {"D1": Ceiling("D1", 100, auc=0.9, log_loss=0.1, error=0.001, testing_points=1000)}, unexplored
        )
    }
    assert ours["3a"].ours == CONFIRMED  # of 0 %
    for number in ("1a", "3b", "3c", "4a", "11a"):
        assert ours[number].ours == UNKNOWN, number
        assert NOT_EXPLORED in [case.numbers for case in ours[number].cases]
    assert [case.holds for case in ours["4b"].cases] == [True, None, True, True]
    assert ours["7b"].cases == ()  # not wanted at all


def test_cases_say_what_still_grows():
    rows = _paper(stages=())
    rows[0]["stopped"] = "longest time"
    ours = {claim.number: claim for claim in decide(rows, {})}
    assert [case.of for case in ours["3a"].cases] == ["D1-0*", "D2-0"]
    assert [case.of for case in ours["1c"].cases] == ["D1, draw 0*", "D2, draw 0"]


@pytest.mark.parametrize(
    ("minima", "why", "holds"),
    [(2, "stopped growing", True), (1, "", None), (2, "", None), (3, "", False), (3, "stopped growing", False)],
)
def test_one_neighbour_has_two_minima(minima, why, holds):
    row = _Row(name="D1-n1-e0-d0", family="D1-n1", system="D1", errors=0.0, draw=0.0, minima=minima, stopped=why)
    case = next(claim for claim in decide([row], {}) if claim.number == "7b").cases[0]
    assert case.holds is holds


def test_the_ceiling_is_held_against_the_best_minimum():
    rows = _paper(test_best=0.75, test_gmin_log_loss=0.9)
    ours = {
        claim.number: claim
        for claim in decide(rows, {"D1": Ceiling("D1", 100, auc=0.74, log_loss=0.8, error=0.001, testing_points=1000)})
    }
    assert ours["11a"].ours == NOT
    assert ours["11b"].ours == CONFIRMED
    assert len(ours["11a"].cases) == 4


def test_shares_among_neighbours_find_known_probabilities():
    rng = np.random.default_rng(0)
    inputs = rng.random((20_000, 2))
    truth = 0.1 + 0.8 * inputs[:, 0]
    labels = (rng.random(20_000) < truth).astype(np.int64)
    queries = 0.1 + 0.8 * rng.random((200, 2))
    few, many = neighbour_probabilities(inputs, labels, 2, queries, (50, 400), workers=1)
    for p, count in ((few, 50), (many, 400)):
        assert p.sum(axis=1) == pytest.approx(1.0)
        error = np.sqrt(np.mean((p[:, 1] - 0.1 - 0.8 * queries[:, 0]) ** 2))
        assert error < 1.3 * 0.5 / np.sqrt(count)
