"""Growth of the piece of the lowest minimum: when, from which minima, how far, and the same on any workers."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.landscapes import SINGLE_ENDED, AddedSearch, Choice, Landscape, Search, StoreError
from thalweg.landscapes.records import TaskResult
from thalweg.landscapes.strategies import growth
from thalweg.landscapes.strategies.components import Components
from thalweg.landscapes.strategies.growth import Growth

from ...helpers import small_network, stored_arrays

NO_EDGES = np.zeros((0, 2), dtype=int)


@pytest.fixture
def small_is_large(monkeypatch):
    """Landscapes of a dozen minima grow."""
    monkeypatch.setattr(growth, "_LARGE", 12)


def test_only_a_large_landscape_in_pieces_grows():
    energies = np.arange(600.0)
    chain = np.stack([np.arange(599), np.arange(1, 600)], axis=1)
    for edges, minima, expected in (
        (NO_EDGES, 600, True), (chain, 600, False), (NO_EDGES, 499, False), (chain[:80], 600, False),
        (chain[:78], 600, True), (chain[200:], 600, True),
    ):  # fmt: skip
        assert Growth(Components(energies[:minima], edges, 50), Counter()).wanted is expected


@given(
    energies=st.lists(st.integers(0, 9), min_size=1, max_size=30),
    pairs=st.lists(st.tuples(st.integers(0, 29), st.integers(0, 29)), max_size=40),
    tried=st.lists(st.integers(0, 29), max_size=40),
    later=st.integers(0, 10),
    highest=st.integers(0, 12),
    size=st.integers(1, 6),
)
@settings(deadline=None)
def test_starts_are_those_that_a_scan_chooses(energies, pairs, tried, later, highest, size):
    """The n-th lowest of the piece of the lowest, such that (tries + 1) (n + 10) is least; n counts from 0."""
    first = max(1, len(energies) - later)
    pairs = [pair for pair in pairs if max(pair) < len(energies)]
    tries = Counter(tried)
    pieces = Components(np.array(energies[:first], float), NO_EDGES, 3)
    grown = Growth(pieces, tries)
    for energy in energies[first:]:
        grown.take(float(energy), pieces.add(float(energy)))
    for a, b in pairs:
        pieces.join(a, b)
    bottom = min(range(len(energies)), key=lambda row: (energies[row], row))
    inside = sorted(
        (r for r in range(len(energies)) if pieces.root(r) == pieces.root(bottom)), key=lambda r: (energies[r], r)
    )
    limit = max(highest, energies[bottom])
    inside, left, expected = [row for row in inside if energies[row] <= limit], tries.copy(), []
    for _ in range(size):
        row = min(inside, key=lambda row: ((left[row] + 1) * (inside.index(row) + 10), inside.index(row)))
        left[row] += 1
        expected.append((row, -1))
    assert grown.starts(size, limit) == tuple(expected)
    assert tries == Counter(tried)


def task(part, outcomes, steps=100):
    """Return the choice, result and rows of searches from minimum 7: which found a state, a new one, of minimum 7."""
    searches, added = [], []
    for found, new, own in outcomes:
        searches.append(Search(0, SINGLE_ENDED, "converged" if found else "too many steps", (7, -1), steps=steps))
        ends = (7, 3) if own else (2, 3)
        added.append(AddedSearch(0, ends, (False, False), (5,), (new,)) if found else AddedSearch(0, (), (), (), ()))
    starts = ((7, -1),) * len(outcomes)
    return Choice(SINGLE_ENDED, len(outcomes), starts, part), TaskResult(tuple(searches), -1), added


def test_the_displacement_is_the_one_that_brought_most_a_step():
    grown = Growth(Components(np.arange(3.0), NO_EDGES, 2), Counter())
    assert grown.counts == []
    assert {grown.part(turn) for turn in range(0, 12, 3)} == {1.0, 0.5, 0.2, 0.1}, "each has its turn"
    grown.learn(*task(1.0, [(True, True, False), (True, True, False), (False, False, False)]))
    grown.learn(*task(0.5, [(True, True, True), (True, False, True)], steps=500))
    grown.learn(*task(0.2, [(True, True, True), (True, True, True)]))
    grown.learn(*task(None, [(True, True, True)] * 9))
    assert grown.counts == [[3, 0, 300], [2, 1, 1000], [2, 2, 200], [0, 0, 0]]
    assert {grown.part(turn) for turn in (1, 2, 4)} == {0.2}
    assert Growth(Components(np.arange(3.0), NO_EDGES, 2), Counter(), grown.counts).part(1) == 0.2


def grown(path, *, workers, seconds=None, searches=160):
    """Explore a network of which some dozen minima are known, as many searches as asked for."""
    with Landscape(small_network(hidden=(3, 3)), path, seed=2) as landscape:
        landscape.find_minima(60, workers=1)
    done = 0
    while done < searches:
        with Landscape(small_network(hidden=(3, 3)), path, seed=2) as landscape:
            done += landscape.connect(searches - done, workers=workers, seconds=seconds).done
            seconds = seconds and 1.5 * seconds
            stored = landscape.state["connect"].get("growth", [])
    return stored


def test_the_same_grows_on_any_workers_and_in_any_number_of_calls(tmp_path, small_is_large):
    counts = grown(tmp_path / "a.zarr", workers=1)
    assert sum(of[0] for of in counts) > 20
    assert grown(tmp_path / "b.zarr", workers=2) == counts
    assert grown(tmp_path / "c.zarr", workers=1, seconds=0.2) == counts
    stored = stored_arrays(tmp_path / "a.zarr")
    assert stored_arrays(tmp_path / "b.zarr") == stored
    assert stored_arrays(tmp_path / "c.zarr") == stored


def test_growth_that_no_strategy_has_written_is_refused(tmp_path):
    path = tmp_path / "a.zarr"
    for wrong in ([[1, 2]], [[1, 2, -3]], "much", [[1.5, 0, 0]]):
        with Landscape(small_network(), path) as landscape:
            landscape.state["connect"] = {"growth": wrong}
            with pytest.raises((StoreError, ValueError), match="growth"):
                landscape.commit()
            landscape.state.pop("connect")
