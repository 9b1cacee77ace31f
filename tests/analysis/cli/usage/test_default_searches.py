"""Default explorations of small clusters go on while transition states are probably missing, others to a number."""

from __future__ import annotations

import pytest

from thalweg.analysis.cli.exploration_plan import plan_exploration
from thalweg.analysis.cli.explore import SystemOptions, Totals
from thalweg.analysis.systems import named
from thalweg.analysis.systems.work import Work
from thalweg.landscapes import Landscape
from thalweg.landscapes.discoveries import probably_complete
from thalweg.landscapes.records import SADDLE_SEARCHES

from ....helpers import finished


@pytest.fixture
def short(monkeypatch):
    """Small clusters have 20 searches or more, up to 5,000, with a forecast after every 20th."""
    monkeypatch.setattr(named, "CLUSTERS", ((5, Work(20, 20, 5000)), *named.CLUSTERS))
    monkeypatch.setattr(probably_complete, "EVERY", 20)


def searches(store):
    with Landscape.open(store) as landscape:
        return landscape.searches.done(*SADDLE_SEARCHES)


def plan(tmp_path, name, **totals):
    return plan_exploration(name, tmp_path / "a.zarr", False, Totals(**totals), SystemOptions())


def test_a_number_that_was_asked_for_is_meant_exactly(tmp_path):
    assert str(plan(tmp_path, "LJ9")).endswith("4000 searches (up to 60000 while some are probably missing)")
    for name, totals in [("LJ9", {"searches": 4000}), ("LJ9", {"until_converged": True}), ("LJ7", {}), ("D1", {})]:
        assert plan(tmp_path, name, **totals).most_searches is None
    assert plan(tmp_path, "LJ9", steps=10, below="+1").most_searches == 60_000


def test_it_ends_after_a_forecast_and_is_resumed_to_the_same_end(tmp_path, short):
    said = finished("explore", "LJ5", "--output", tmp_path / "whole.zarr")
    assert "20 steps, 20 searches (up to 5000 while some are probably missing)" in said
    done = searches(tmp_path / "whole.zarr")
    assert done % 20 < 16  # the last task of 16 searches went past a multiple of 20
    assert 20 < done < 5000
    with Landscape.open(tmp_path / "whole.zarr") as landscape:
        found = landscape.discoveries()
        assert found.probability_of_all(done // 20 * 20) >= 0.9
        assert not any(found.probability_of_all(earlier) >= 0.9 for earlier in range(20, done // 20 * 20, 20))
    finished("explore", "LJ5", "--output", tmp_path / "whole.zarr", "--resume")
    assert searches(tmp_path / "whole.zarr") == done

    finished("explore", "LJ5", "--output", tmp_path / "parts.zarr", "--searches", "20")
    assert searches(tmp_path / "parts.zarr") == 20
    finished("explore", "LJ5", "--output", tmp_path / "parts.zarr", "--resume")
    assert searches(tmp_path / "parts.zarr") == 20


def test_interrupted_it_says_how_many_are_left_and_ends_at_the_same_number(tmp_path, short):
    store = tmp_path / "parts.zarr"
    said = finished("explore", "LJ5", "--output", store, "--time", "0")
    assert "searches to do: go on with --resume" in said or "steps to do" in said
    for _ in range(3):
        said = finished("explore", "LJ5", "--output", store, "--resume", "--time", "0.05")
    finished("explore", "LJ5", "--output", store, "--resume")
    finished("explore", "LJ5", "--output", tmp_path / "whole.zarr", "--workers", "1")
    assert searches(store) == searches(tmp_path / "whole.zarr")


def test_the_help_of_a_cluster_says_so():
    assert "4000; up to 60000 while some are probably missing" in finished("explore", "LJ9", "--help")
