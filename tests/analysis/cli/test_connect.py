"""``thalweg connect`` and ``thalweg explore --until-converged``."""

from __future__ import annotations

import re

import pytest

from thalweg.landscapes import Landscape

from ...helpers import thalweg


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store of LJ6, explored until nothing is likely to remain."""
    path = tmp_path_factory.mktemp("lj6") / "lj6.zarr"
    result = thalweg("explore", "LJ6", "--output", path, "--steps", 60, "--until-converged")
    assert result.exit_code == 0, result.output
    assert "in total 60 steps, searches until converged" in result.stdout
    said = " ".join(result.stdout.split())
    beside = r"( \(0 to \d\))?"
    assert re.search(rf"probably missing 0 minima{beside}, 0 transition states{beside}; nothing new in the last", said)
    assert "time is up" not in result.stdout
    return path


def test_the_octahedron_and_the_other_minimum_are_joined_by_the_lowest_path(store):
    with Landscape.open(store) as landscape:
        assert landscape.discoveries().complete
        energies, ends = landscape.transition_states.energy[:], landscape.transition_states.minima[:]
        lowest = energies[(ends != ends[:, ::-1]).any(axis=1)].min()
        assert (len(landscape.minima), len(energies)) == (2, 3)
    result = thalweg("connect", store, 0, 1)
    assert result.exit_code == 0, result.output
    assert "no search was needed: the two minima are joined already" in result.stdout
    assert f"{lowest:.8f}" in result.stdout.splitlines()[-1]


def test_searches_by_name_and_for_lower_paths_are_done(store):
    before = len(Landscape.open(store).searches)
    for words in (("--searches", 3), (0, 1, "--lower", "--searches", 2), ("--strategy", "untrap", "--searches", 1)):
        result = thalweg("connect", store, *words)
        assert result.exit_code == 0, result.output
        found = re.match(r"(\d+) searches found 0 new minima and 0 new transition states", result.stdout)
        assert found is not None
        before += int(found[1])
    assert len(Landscape.open(store).searches) == before
    kinds = Landscape.open(store).searches.count("double-ended")
    assert kinds.get("converged", 0) >= 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((0,), "give both minima, FIRST and SECOND, or neither"),
        ((0, 9), "SECOND is 9; indices of the 2 minima run from 0 to 1"),
        ((1, 1), "FIRST and SECOND are both minimum 1"),
        (("--lower",), "--lower lowers the paths between two minima"),
        (("--strategy", "guess"), "Invalid value for '--strategy': 'guess' is not one of"),
        ((0, 1, "--strategy", "untrap"), "--strategy searches all minima"),
    ],
)
def test_what_makes_no_sense_is_refused(store, words, message):
    result = thalweg("connect", store, *words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("Error: ") == 1


def test_there_must_be_a_store(tmp_path):
    result = thalweg("connect", tmp_path / "none.zarr", 0, 1)
    assert result.exit_code == 1
    assert "Error: " in result.stderr
