"""Growth of the lowest region: when, which kinds, from which minima, how far, and the same on any workers."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.landscapes import (
    DOUBLE_ENDED,
    FROM_STATE,
    FROM_SYMMETRIC,
    SINGLE_ENDED,
    AddedSearch,
    Choice,
    Landscape,
    Search,
    StoreError,
)
from thalweg.landscapes.strategies import growth
from thalweg.landscapes.strategies.components import Components
from thalweg.landscapes.strategies.growth import INSIDE, OUTSIDE, Growth

from ...helpers import small_network, stored_arrays

NO_EDGES = np.zeros((0, 2), dtype=int)
KINDS = (SINGLE_ENDED, FROM_STATE, FROM_SYMMETRIC)


@pytest.fixture
def small_is_large(monkeypatch):
    """Landscapes of a dozen minima grow."""
    monkeypatch.setattr(growth, "_LARGE", 12)


def chain(minima):
    """Return edges that join each minimum to the next."""
    return np.stack([np.arange(minima - 1), np.arange(1, minima)], axis=1)


def test_only_a_large_landscape_whose_lowest_are_in_pieces_grows():
    energies = np.arange(600.0)
    for edges, minima, expected in (
        (NO_EDGES, 600, True), (chain(600), 600, False), (NO_EDGES, 499, False), (chain(600)[:99], 600, False),
        (chain(600)[:98], 600, True), (chain(600)[200:], 600, True),
    ):  # fmt: skip
        assert Growth(Components(energies[:minima], edges, 50), Counter(), KINDS).wanted is expected


@pytest.mark.parametrize(
    ("connected", "share"), [(1, 0.75), (70, 0.75), (79, 0.7), (85, 0.5), (94, 0.2), (97, 0.125), (99, 0.125)]
)
def test_searches_that_connect_have_the_larger_share_the_more_is_missing(connected, share):
    grown = Growth(Components(np.arange(600.0), chain(600)[: connected - 1], 50), Counter(), KINDS)
    assert grown.connected == connected
    assert grown.share == pytest.approx(share)
    chosen = Counter(grown.kind(number) for number in range(2000))
    assert (chosen[INSIDE] + chosen[DOUBLE_ENDED]) / 2000 == pytest.approx(share, abs=0.005)
    assert set(chosen) == {INSIDE, DOUBLE_ENDED, OUTSIDE, *KINDS}


def scan(energies, tries, rows, highest, size):
    """Choose the n-th lowest such that (tries + 1) (n + 10) is least; n counts from 0."""
    rows = sorted((row for row in rows if energies[row] <= highest), key=lambda row: (energies[row], row))
    left, starts = tries.copy(), []
    for _ in range(size):
        row = min(rows, key=lambda row: ((left[row] + 1) * (rows.index(row) + 10), rows.index(row)))
        left[row] += 1
        starts.append((row, -1))
    return tuple(starts)


@given(
    energies=st.lists(st.integers(0, 9), min_size=1, max_size=30),
    pairs=st.lists(st.tuples(st.integers(0, 29), st.integers(0, 29)), max_size=40),
    tried=st.lists(st.integers(0, 29), max_size=40),
    later=st.integers(0, 10),
    highest=st.integers(0, 12),
    size=st.integers(1, 6),
    lowest=st.integers(1, 20),
)
@settings(deadline=None)
def test_starts_are_those_that_a_scan_chooses(energies, pairs, tried, later, highest, size, lowest):
    """Inside: of the piece of the lowest. Outside: of the pieces of the other lowest minima, if there are any."""
    first = max(1, len(energies) - later)
    pairs = [pair for pair in pairs if max(pair) < len(energies)]
    tries, everything = Counter(tried), range(len(energies))
    pieces = Components(np.array(energies[:first], float), NO_EDGES, 3)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(growth, "_LOWEST", lowest)
        grown = Growth(pieces, tries, KINDS)
        for energy in energies[first:]:
            grown.take(float(energy), pieces.add(float(energy)))
    for a, b in pairs:
        pieces.join(a, b)
    low = sorted(everything, key=lambda row: (energies[row], row))[:lowest]
    limit = max(highest, energies[low[0]])
    root = {row: pieces.root(row) for row in everything}
    inside = [row for row in everything if root[row] == root[low[0]]]
    apart = [row for row in low if root[row] != root[low[0]] and energies[row] <= limit]
    outside = [row for row in everything if root[row] in {root[other] for other in apart}]
    assert grown.connected == sum(root[row] == root[low[0]] for row in low)
    assert grown.starts(INSIDE, size, limit) == scan(energies, tries, inside, limit, size)
    assert grown.starts(OUTSIDE, size, limit) == scan(energies, tries, outside or inside, limit, size)
    assert tries == Counter(tried)
    turns = Counter(grown.apart(number, limit) for number in range(1000))
    first = {root[row]: row for row in reversed(apart)}  # the lowest of each
    shares = Counter((first[root[row]], low[0]) for row in apart)
    assert set(turns) == (set(shares) or {None})
    for ends, share in shares.items():
        assert turns[ends] / 1000 == pytest.approx(share / len(apart), abs=0.01)


def learn(grown, outcomes, *, choice, gained=0, steps=100):
    """Tell of searches from minimum 7: found, new, own (its state, that is new, of minimum 7), rows of new minima."""
    for found, new, own, minima in outcomes:
        ends = (7 if own else 2, *(minima or (3,)))
        rows = AddedSearch(0, ends, (False, *[bool(minima)] * (len(ends) - 1)), (5,), (new,))
        rows = rows if found else AddedSearch(0, (), (), (), ())
        search = Search(0, choice.kind, "converged" if found else "too many steps", (7, -1), steps=steps)
        grown.learn(grown.kind_of(choice, 7), choice.part, search, rows, gained)


def single(part):
    return Choice(SINGLE_ENDED, 1, ((7, -1),), part)


def test_the_displacement_is_the_one_that_brought_most_new_connections_a_step():
    grown = Growth(Components(np.arange(9.0), NO_EDGES, 2), Counter(), KINDS)
    assert grown.counts == []
    assert {grown.part(turn) for turn in range(0, 12, 3)} == {1.0, 0.5, 0.2, 0.1}, "each has its turn"
    learn(grown, [(True, True, False, ()), (True, True, False, ()), (False, False, False, ())], choice=single(1.0))
    learn(grown, [(True, True, True, ()), (True, False, True, ())], choice=single(0.5), steps=500)
    learn(grown, [(True, True, True, ())] * 2, choice=single(0.2))
    learn(grown, [(True, True, True, ())] * 9, choice=single(None))
    assert grown.counts[:4] == [[3, 0, 300], [2, 1, 1000], [2, 2, 200], [0, 0, 0]]
    assert {grown.part(turn) for turn in (1, 2, 4)} == {0.2}
    again = Growth(Components(np.arange(9.0), NO_EDGES, 2), Counter(), KINDS, grown.counts)
    assert again.counts == grown.counts
    assert again.part(1) == 0.2
    # a store of the version that counted displacements alone
    former = Growth(Components(np.arange(9.0), NO_EDGES, 2), Counter(), KINDS, grown.counts[:4])
    assert former.counts == [*grown.counts[:4], *[[0, 0, 0]] * 6]


def test_kinds_are_chosen_by_the_low_minima_that_they_connect_or_find():
    pieces = Components(np.arange(300.0), NO_EDGES, 2)
    grown = Growth(pieces, Counter(), KINDS)
    learn(grown, [(True, True, True, (50, 250))] * 10, choice=single(0.2))  # one of the hundred lowest each
    learn(grown, [(True, True, True, (200,))] * 10, choice=single(None))
    learn(grown, [(False, False, False, ())] * 10, choice=Choice(FROM_STATE, 1, ((7, -1),)))
    learn(grown, [(True, True, True, ())] * 3, choice=Choice(DOUBLE_ENDED, 1, ((7, 0),)), gained=2)
    pieces.join(0, 7)
    learn(grown, [(True, True, True, (50,))] * 2, choice=single(0.2), gained=-1)  # another minimum is the lowest now
    inside, bands, outside, everywhere, states, symmetric = grown.counts[4:]
    assert (inside, bands) == ([2, 0, 200], [3, 6, 600])
    assert (outside, everywhere, states, symmetric) == ([10, 10, 1000], [10, 0, 1000], [10, 0, 1000], [0, 0, 0])
    chosen = Counter(grown.kind(number) for number in range(3000))
    assert chosen[DOUBLE_ENDED] > 1.4 * chosen[INSIDE] > 0
    assert chosen[OUTSIDE] > 2 * chosen[SINGLE_ENDED] > 0
    assert min(chosen.values()) >= 0.9 * 0.25 / 4 * 0.25 * 3000, "a quarter is shared equally"


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
    assert all(of[0] for of in counts[4:]), "every kind has been tried"
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
