"""``thalweg paper`` from end to end, on a definition of its own that is very small."""

from __future__ import annotations

import csv
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from thalweg.analysis.cli import paper_turns
from thalweg.analysis.cli.main import program
from thalweg.analysis.paper.archive import best_state, find, keep, kept
from thalweg.analysis.paper.growth import Turn, grow, searches_of, state_of
from thalweg.analysis.paper.measures import to_csv
from thalweg.analysis.paper.plan import read_plan
from thalweg.landscapes import Landscape

DEFINITION = """
[rule]
remaining = 0.02
new = 0.05
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
note = "Of that table."
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
note = "Of these boxes."
boxes = ["train_auc", "test_auc"]
landscapes = "MNIST"
"""


def _paper(folder: Path, *more: str):
    (folder / "mine.toml").write_text(DEFINITION)
    words = ["--scale", "tiny", "--definition", str(folder / "mine.toml"), "--workers", "1", *more]
    return CliRunner().invoke(program, ["paper", "--output", str(folder / "out"), *words], catch_exceptions=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Make everything once; MNIST is left out."""
    folder = tmp_path_factory.mktemp("paper")
    result = _paper(folder, "--mnist", "none")
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
        "## What the columns mean",
        "| train mean | AUC on the training data",
        "[landscapes.csv](landscapes.csv)",
        "none of these numbers",
        "\n\nOf that table.\n\n## figure1",
        "\n\nOf these boxes.\n\n## Claims",
    ):
        assert part in page
    assert "no data: left out by --mnist none" in page  # MNIST
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


def test_landscapes_are_listed_with_their_labels_and_what_verification_found(made):
    listed, measured = (_lines(made / "out" / f"{name}.csv") for name in ("landscapes", "measures"))
    assert [row["name"] for row in listed] == [row["name"] for row in measured]
    for k, (row, source) in enumerate(zip(listed, measured, strict=True)):
        assert int(row["measures_csv_line"]) == k + 2
        assert (row["minima"], row["ended_by"]) == (source["minima"], source["stopped"])
        with Landscape.open(made / "out" / source["store"]) as landscape:
            loss = landscape.system.potential
            assert row["labels"] == " ".join(map(str, np.bincount(loss.labels, minlength=4)))
            wrong = 0 if loss.mislabelled is None else loss.mislabelled.sum()
            assert int(row["mislabelled"]) == wrong
            assert row["errors_found"] == str(landscape.state["paper"]["problems"])


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
        result = CliRunner().invoke(program, words, catch_exceptions=False)
        assert result.exit_code == 0, result.output


def test_a_second_run_searches_nothing(made):
    before = {path.name: state_of(path) for path in (made / "out" / "landscapes").iterdir()}
    words = ("--mnist", "none")
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


@pytest.fixture(scope="module")
def cut(made, tmp_path_factory):
    """One landscape of five explored before the time was up, and a page to be kept."""
    folder = tmp_path_factory.mktemp("cut")
    (folder / "out" / "landscapes").mkdir(parents=True)
    shutil.copytree(made / "out" / "landscapes" / "D1-e0-d0.zarr", folder / "out" / "landscapes" / "D1-e0-d0.zarr")
    shutil.copyfile(made / "out" / "ceiling.csv", folder / "out" / "ceiling.csv")  # it takes seconds
    (folder / "out" / "peers.md").write_text("GMIN did well.\n")
    (folder / "out" / "peers.csv").write_text("program,minima\n")
    result = _paper(folder, "--time", "0", "--page", str(folder / "docs" / "mine.md"))
    assert result.exit_code == 0, result.output
    return folder


def test_a_page_of_what_there_is_says_what_is_not_there(cut):
    page = (cut / "out" / "paper.md").read_text()
    minima = _lines(cut / "out" / "measures.csv")[0]["minima"]
    assert f"| 0 % * | 1 | 122 | {minima} * |" in page  # eight searches do not end its growth
    assert "| 50 % |  | 394 |  |" in page
    assert "| 10 % |  | 0.9783 |  |" in page
    assert "Of 5 landscapes 1 are explored. Of these 0 have ended" in page
    assert "Stores: D1-e0-d0, D1-e50-d0 (not explored yet)." in page
    assert "\n- the time was up: D1-e50-d0, MNIST-e10-d0, D1-e0-d1, D1-e50-d1\n" in page
    claim = "| 3a | at 0 % training AUC beats testing AUC | AUC of Gmin | every case"
    assert f"{claim} | 1 of 1 (9 to 100 %), 1 to come | D1-e0-d0*: " in page
    assert page.count("![figure") == 2
    assert "## Beside the original programs\n\nGMIN did well.\n" in page
    claims = _lines(cut / "out" / "claims.csv")
    assert {row["ours"] for row in claims} == {"cannot be told"}
    assert {row["numbers"] for row in claims if row["of"] == "D1-e0-d1"} == {"not explored yet"}


def test_a_page_to_be_kept_has_its_files_and_no_stores(cut):
    page, out = (cut / "docs" / "mine.md").read_text(), cut / "out"
    for link in re.findall(r"\]\(([^)]*)\)", page):
        assert (cut / "docs" / link).is_file(), link
    assert page.replace("(mine/", "(") == (out / "paper.md").read_text()
    kept = {str(path.relative_to(cut / "docs" / "mine")) for path in (cut / "docs" / "mine").rglob("*.*")}
    tables = {"tables/table1.csv", "tables/table3.csv"}
    data = {f"{name}.csv" for name in ("measures", "growth", "failures", "landscapes", "ceiling", "claims", "peers")}
    data |= {"peers.md"}
    pictures = {f"figures/{name}.png" for name in ("figure1", "figure5", "growth")}
    assert kept == tables | data | pictures | {"networks/D1-e0-d0.npz"}
    assert (cut / "docs" / "mine" / "measures.csv").read_bytes() == (out / "measures.csv").read_bytes()
    sizes = [(folder / "figures" / "figure1.png").stat().st_size for folder in (cut / "docs" / "mine", out)]
    assert sizes[0] < 0.7 * sizes[1]


def test_the_benchmark_beside_the_original_programs_outlives_its_folder_of_results(cut, tmp_path):
    """Another session's folder knows it from the page's, and its own stays as it is."""
    shutil.copytree(cut / "docs", tmp_path / "docs")
    (tmp_path / "out").mkdir()
    shutil.copyfile(cut / "out" / "ceiling.csv", tmp_path / "out" / "ceiling.csv")
    page = ("--time", "0", "--page", str(tmp_path / "docs" / "mine.md"))
    assert _paper(tmp_path, *page).exit_code == 0
    assert "## Beside the original programs\n\nGMIN did well.\n" in (tmp_path / "docs" / "mine.md").read_text()
    (tmp_path / "out" / "peers.md").write_text("PATHSAMPLE, too.\n")
    assert _paper(tmp_path, *page).exit_code == 0
    assert "programs\n\nPATHSAMPLE, too.\n" in (tmp_path / "docs" / "mine.md").read_text()


def test_what_a_page_keeps_is_not_explored_again(made, tmp_path):
    """Another folder, as in another session: tables and figures from the files beside the page, no search."""
    page = tmp_path / "docs" / "mine.md"
    for folder in (made, tmp_path):
        result = _paper(folder, "--mnist", "none", "--page", str(page))
        assert result.exit_code == 0, result.output
    assert not list((tmp_path / "out" / "landscapes").iterdir())
    for name in ("measures.csv", "growth.csv", "failures.csv", "claims.csv", "ceiling.csv", "tables/table1.csv"):
        assert (tmp_path / "out" / name).read_bytes() == (made / "out" / name).read_bytes(), name
    text = page.read_text()
    assert re.search(r"- explored earlier \(\d{4}-\d\d-\d\d, .*\), store not at hand: all 4 landscapes", text)
    pictures = [(folder / "out" / "figures" / "figure1.png").read_bytes() for folder in (made, tmp_path)]
    assert pictures[0] == pictures[1]


def test_what_was_kept_of_other_data_does_not_count(made, tmp_path):
    plan, other = (read_plan("tiny", made / "mine.toml", seed=seed) for seed in (0, 7))
    job = next(job for job in plan.jobs if job.name == "D1-e0-d0")
    found = find(job, plan, made / "out", None)
    keep(found, job, plan, tmp_path, "somewhere")
    back = kept(job, plan, tmp_path)
    assert to_csv([back.row]) == to_csv([found.row])
    np.testing.assert_array_equal(back.network.ts_minima, found.network.ts_minima)
    np.testing.assert_array_equal(back.network.properties["test_auc"], found.network.properties["test_auc"])
    assert kept(next(job for job in other.jobs if job.name == "D1-e0-d0"), other, tmp_path) is None
    assert kept(job, replace(plan, scale="full"), tmp_path) is None


def test_what_ended_by_another_rule_goes_on(made, tmp_path):
    plan = read_plan("tiny", made / "mine.toml")
    job = next(job for job in plan.jobs if job.name == "D1-e0-d0")
    found = find(job, plan, made / "out", None)
    stages = [(256 << k, 1.0, 2, 9) for k in range(9)]
    found = found._replace(state=found.state | {"why": "stopped growing", "done": True, "stages": stages})
    keep(found, job, plan, tmp_path, "somewhere")
    assert best_state(job, plan, tmp_path / "none", tmp_path)["done"]
    stricter = replace(plan, rule=replace(plan.rule, new=0.0))
    assert not best_state(job, stricter, tmp_path / "none", tmp_path)
    assert kept(job, stricter, tmp_path).row["stopped"] == ""


def test_a_page_that_is_none_is_named_before_anything_is_done(tmp_path):
    result = _paper(tmp_path, "--page", "docs/paper")
    assert result.exit_code == 2
    assert "docs/paper.md" in result.output
    assert not (tmp_path / "out").exists()


def test_landscapes_take_turns_that_grow(monkeypatch, tmp_path):
    """Two of three need more than a turn: they wait until the others had theirs."""
    needed, states, turns = {"D1-h5-e0-d0": 7000, "D1-h5-n2-e0-d0": 500, "D1-h5-n3-e0-d0": 30_000}, {}, []

    def grow(job, plan, path, turn):
        had = searches_of(states.get(path, {}))
        searches = min(needed[job.name], turn.searches)
        done = searches == needed[job.name]
        stages = [(searches, 1.0, 1, 1)]
        states[path] = {"seconds": 1.0, "stages": stages, "done": done, "scale": "full", "problems": 0, "why": "enough"}
        turns.append((job.name, searches - had))
        return done

    monkeypatch.setattr(paper_turns, "grow", grow)
    monkeypatch.setattr(paper_turns, "state_of", lambda path: states.get(path, {}))
    monkeypatch.setattr(paper_turns, "best_state", lambda job, plan, output, page: states.get(job.store(output), {}))
    monkeypatch.setattr(paper_turns, "write_page", lambda *_: None)
    result = CliRunner().invoke(
        program, ["paper", "--output", str(tmp_path), "--scale", "full", "--only", "figure7"], catch_exceptions=False
    )
    assert result.exit_code == 0
    a, b, c = needed
    first, second, third = [(a, 400), (b, 400), (c, 400)], [(a, 1200), (b, 100), (c, 1200)], [(a, 4800), (c, 4800)]
    assert turns == [*first, *second, *third, (a, 600), (c, 19_200), (c, 4400)]


def test_points_are_verified_when_a_turn_is_over(made, tmp_path):
    plan = read_plan("tiny", made / "mine.toml")
    plan = replace(plan, limits=replace(plan.limits, searches=10**6))
    job = next(job for job in plan.jobs if job.name == "D1-e0-d0")
    path = tmp_path / "a.zarr"
    shutil.copytree(made / "out" / "landscapes" / "D1-e0-d0.zarr", path)
    with Landscape.open(path, "r+") as landscape:
        # not what these weights have
        added = landscape.add_minimum(replace(landscape.minima[0], energy=landscape.minima[0].energy + 0.1))
        landscape.state["paper"] |= {"done": False}
        landscape.commit()
    had = searches_of(state_of(path))
    assert not grow(job, plan, path, Turn(had + 3, None, 1, print))
    state = state_of(path)
    assert (searches_of(state), state["done"], state["problems"]) == (had + 3, False, 1)
    assert state["told"][0].startswith(f"minima {added}: energy is ")


@pytest.mark.parametrize("made_before", [False, True])
def test_a_folder_without_mnist_is_refused(tmp_path, made_before):
    if made_before:
        (tmp_path / "nofolder").mkdir()
    result = _paper(tmp_path, "--mnist", str(tmp_path / "nofolder"))
    assert result.exit_code == 2
    assert "--mnist must" in result.output
    assert "--mnist none" in " ".join(result.output.split())
    assert not (tmp_path / "out").exists()


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


@pytest.mark.parametrize(
    ("name", "where"),
    [
        *(("paper.md", "output"), ("claims.csv", "output"), ("figures/figure2.png", "output")),
        *(("mine.md", "page"), ("mine/measures.csv", "page"), ("tables/table1.csv", "output")),
    ],
)
def test_a_page_of_somebody_else_is_named_and_left(tmp_path, name, where):
    """A draft called paper.md, or a folder with one's own measures.csv, is no result of a former run."""
    mine = tmp_path / where / name
    mine.parent.mkdir(parents=True)
    mine.write_text("# My paper\n\nUse `thalweg paper --output results`.\n")
    words = ["--output", str(tmp_path / "output"), "--time", "0", "--scale", "tiny", "--mnist", "none"]
    words += ["--page", str(tmp_path / "page" / "mine.md")]
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    done = CliRunner().invoke(program, ["paper", *words])
    assert done.exit_code == 1
    assert f"{mine} exists, and" in done.output.replace("\n", " ")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
