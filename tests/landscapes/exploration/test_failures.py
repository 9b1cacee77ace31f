"""Exceptions of calculators and functions are failed searches; where there is nothing else the run ends and says so."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import ase.io
import numpy as np
import pytest
from click.testing import CliRunner

from tests.helpers import files_of
from tests.landscapes.exploration import potentials_that_fail as fail
from thalweg.landscapes import CalculationsFailedError, Landscape, Processes, Tolerances
from thalweg.landscapes.exploration.system_transfer import Parcel
from thalweg.potentials import Point, as_system

LOOSE = Tolerances(gradient_rms=1e-4, energy=1e-5)


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    """Let processes import the calculators of these tests: pytest alone does not put the root on the path."""
    monkeypatch.setattr(sys, "path", [*sys.path, str(Path(__file__).parents[3])])


def explored(atoms, path, steps=8, searches=3, **how):
    with Landscape(atoms, path, seed=1, tolerances=LOOSE, tasks_ahead=4) as landscape:
        landscape.find_minima(steps=steps, step=0.8, progress=False, **how)
        landscape.connect(searches=searches, progress=False, **how)
        return landscape.searches.count(), len(landscape.minima)


@pytest.mark.parametrize("kind", [fail.NearAtomsFail, fail.NearAtomsFailAsAseSays])
def test_a_failure_is_a_failed_search_that_names_the_exception(tmp_path, kind):
    count, minima = explored(fail.argon(kind(rc=20)), tmp_path / "a.zarr", steps=30)
    assert sum(count.values()) == 33
    assert minima > 0
    assert count[f"calculator raised {kind.error.__name__}"] > 0
    assert count["converged"] > 0


def test_failures_are_the_same_on_any_workers(tmp_path):
    atoms = fail.argon(fail.NearAtomsFail(rc=20))
    once = explored(atoms, tmp_path / "a.zarr")
    assert explored(atoms, tmp_path / "b.zarr", executor=Processes(2)) == once
    one, two = Landscape.open(tmp_path / "a.zarr"), Landscape.open(tmp_path / "b.zarr")
    for points in ("minima", "transition_states"):
        for name in ("energy", "coordinates"):
            assert np.array_equal(*(getattr(getattr(store, points), name)[:] for store in (one, two)))
    assert [row[:] for row in one.searches.status] == [row[:] for row in two.searches.status]
    with Landscape(atoms, tmp_path / "c.zarr", seed=1, tolerances=LOOSE, tasks_ahead=4) as landscape:
        for _ in range(4):  # in pieces
            landscape.find_minima(steps=2, step=0.8, progress=False)
        for _ in range(3):
            landscape.connect(searches=1, progress=False)
    assert sum(landscape.searches.count().values()) == sum(once[0].values())


def test_nothing_but_failures_ends_the_run(tmp_path):
    path = tmp_path / "b.zarr"
    with (
        pytest.raises(CalculationsFailedError, match=r"^5 searches in a row failed.* TypeError: unsupported") as caught,
        Landscape(fail.argon(fail.Broken()), path) as landscape,
    ):
        landscape.find_minima(steps=30, failures=5, progress=False)
    assert "task 4 of find_minima" in str(caught.value)
    assert "b.failed.xyz" in str(caught.value)
    assert "potentials_that_fail.py" in caught.value.traceback
    geometry = ase.io.read(tmp_path / "b.failed.xyz")
    assert len(geometry) == 4
    assert geometry.info["error"] == "TypeError: unsupported operand type(s)"
    assert Landscape.open(path).searches.count() == {"calculator raised TypeError": 5}


def test_a_later_run_goes_on_after_them(tmp_path):
    path = tmp_path / "b.zarr"
    atoms = fail.argon(fail.Broken())
    for already in (5, 10):
        with pytest.raises(CalculationsFailedError), Landscape(atoms, path) as landscape:
            landscape.find_minima(steps=30, failures=5, progress=False)
        assert len(Landscape.open(path).searches) == already
    # whoever mended the calculator goes on
    fail.Broken.calculate, broken = fail.LennardJones.calculate, fail.Broken.calculate
    try:
        with Landscape(atoms, path) as landscape:
            landscape.find_minima(steps=6, progress=False)
            assert landscape.searches.count()["converged"] > 0
            assert len(landscape.searches) == 16
    finally:
        fail.Broken.calculate = broken


def test_few_searches_that_all_fail_are_an_error_too(tmp_path):
    with (
        pytest.raises(CalculationsFailedError, match="3 searches in a row"),
        Landscape(fail.argon(fail.Broken()), tmp_path / "a.zarr") as landscape,
    ):
        landscape.find_minima(steps=3, progress=False)


def test_a_function_that_fails(tmp_path):
    point = Point([-1.0, 0.2], fail.broken_beyond)
    with Landscape(point, tmp_path / "a.zarr", bounds=[(-2, 2), (-1, 1)]) as landscape:
        landscape.find_minima(steps=20, progress=False)
        landscape.connect(searches=10, progress=False)
        count = landscape.searches.count()
    assert count["function raised KeyError"] > 0
    assert sum(count.values()) == 30
    assert len(landscape.minima) == 2
    with (
        pytest.raises(CalculationsFailedError, match="ZeroDivisionError"),
        Landscape(Point([-1.0, 0.2], fail.always_broken), tmp_path / "b.zarr") as landscape,
    ):
        landscape.find_minima(steps=20, failures=2, progress=False)
    assert np.loadtxt(tmp_path / "b.failed.txt").shape == (2,)


@pytest.mark.parametrize("content", ["my failed exams", "", "link", "dangling"])
@pytest.mark.parametrize("ending", ["txt", "xyz"])
def test_a_file_of_somebody_else_where_the_geometry_goes_stays(tmp_path, content, ending):
    subject = Point([-1.0, 0.2], fail.always_broken) if ending == "txt" else fail.argon(fail.Broken())
    mine, thesis = tmp_path / f"b.failed.{ending}", tmp_path / "thesis.tex"
    if content in ("link", "dangling"):
        mine.symlink_to(thesis)
        if content == "link":
            thesis.write_text("# thalweg: a river's line of lowest points")
    else:
        mine.write_text(content)
    before = files_of(tmp_path)
    for _ in range(2):  # the second time the other file is Thalweg's own
        with (
            pytest.raises(CalculationsFailedError, match=rf"b\.failed-2\.{ending}"),
            Landscape(subject, tmp_path / "b.zarr") as landscape,
        ):
            landscape.find_minima(steps=20, failures=2, progress=False)
    shutil.rmtree(tmp_path / "b.zarr")
    (tmp_path / f"b.failed-2.{ending}").unlink()
    assert files_of(tmp_path) == before
    assert mine.is_symlink() == (content in ("link", "dangling"))


def test_errors_of_ours_are_no_failed_searches(tmp_path, monkeypatch):
    from thalweg.landscapes.exploration import tasks

    def wrong(*arguments, **options):
        raise IndexError("a mistake of ours")

    with Landscape(fail.argon(fail.NearAtomsFail(rc=20)), tmp_path / "a.zarr") as landscape:
        monkeypatch.setattr(tasks, "basin_hopping_steps", wrong)
        with pytest.raises(IndexError, match="a mistake of ours"):
            landscape.find_minima(steps=3, progress=False)


@pytest.mark.parametrize("failures", [0, 1.5, "ten"])
def test_numbers_of_failures_that_make_no_sense(tmp_path, failures):
    with (
        Landscape(fail.argon(fail.Broken()), tmp_path / "a.zarr") as landscape,
        pytest.raises((TypeError, ValueError), match="failures must be a"),
    ):
        landscape.find_minima(steps=3, failures=failures)


def test_one_worker_computes_in_the_thread_of_the_caller(tmp_path):
    count, minima = explored(fail.argon(fail.InItsThread(rc=20)), tmp_path / "a.zarr", workers=1)
    assert minima == 1
    assert not any("raised" in reason for reason in count)


def test_a_time_limit_always_advances(tmp_path):
    with Landscape(fail.argon(fail.WithHandle(rc=20)), tmp_path / "a.zarr") as landscape:
        for done in (1, 2, 3):
            assert landscape.find_minima(steps=10, seconds=1e-6, progress=False).done == 1
            assert len(landscape.searches) == done
        assert landscape.find_minima(steps=10, seconds=0, progress=False).done == 0


def test_calculators_that_cannot_be_pickled_are_made_again(tmp_path):
    atoms = fail.argon(fail.WithHandle(rc=20))
    assert explored(atoms, tmp_path / "a.zarr", executor=Processes(2))[1] == 1
    Parcel(as_system(fail.argon(fail.WithHandleAndScale(rc=20))))
    again = fail.argon(fail.WithHandleAndScale(rc=20))
    again.calc.scale = 2.0  # what parameters do not say
    with pytest.raises(ValueError, match="cannot be sent to other processes"):
        Parcel(as_system(again))


@pytest.mark.parametrize("kind", [fail.WithFiles, fail.InCurrentFolder])
def test_processes_do_not_read_each_others_files(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MIXUPS_FILE", str(tmp_path / "log"))
    explored(fail.argon(kind()), tmp_path / "a.zarr", steps=8, searches=0, executor=Processes(2))
    lines = (tmp_path / "log").read_text().split()
    assert lines.count("wrong") == 0
    assert lines.count("right") > 100


def test_the_command_says_what_failed_and_goes_on(tmp_path, monkeypatch):
    from thalweg.analysis.cli.main import program

    monkeypatch.chdir(tmp_path)
    ase.io.write("a.xyz", fail.argon(None))
    calculator = "tests.landscapes.exploration.potentials_that_fail:BrokenLater"
    words = f"explore a.xyz --calculator {calculator} --output a.zarr --steps 40 --searches 0 --max-failures 3"
    fail.BrokenLater.calls = 0
    result = CliRunner().invoke(program, words.split())
    assert result.exit_code == 1
    assert "3 searches in a row failed, the last one by MemoryError: out of memory" in result.output
    assert "Traceback" not in result.output
    assert (tmp_path / "a.failed.xyz").exists()
    done = len(Landscape.open("a.zarr").searches)
    fail.BrokenLater.calls = -(10**9)
    result = CliRunner().invoke(program, [*words.split(), "--resume"])
    assert result.exit_code == 0, result.output
    assert len(Landscape.open("a.zarr").searches) == 40 > done
    info = CliRunner().invoke(program, ["info", "a.zarr"]).output
    assert "calculator raised MemoryError: 3" in " ".join(info.split())
