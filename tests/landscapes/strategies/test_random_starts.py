"""Random starts of networks: taken once searches from known points find nothing new, and in several sizes."""

from __future__ import annotations

import numpy as np
import pytest
from zarr.storage import MemoryStore

from thalweg.landscapes import SINGLE_ENDED, AddedSearch, Landscape, Search
from thalweg.landscapes.strategies.connect import Connect
from thalweg.landscapes.strategies.random_starts import RandomStarts
from thalweg.potentials import NetworkLoss, Weights

INPUTS, LABELS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([0, 1, 1, 0])
NOTHING, NEW = AddedSearch(0, (0,), (False,), (), ()), AddedSearch(0, (1,), (True,), (), ())


def exclusive_or(hidden: int, l2: float) -> Landscape:
    """Return a landscape of a network that learns the exclusive or."""
    loss = NetworkLoss(INPUTS, LABELS, (hidden,), l2)
    return Landscape(Weights.random(loss, seed=0), MemoryStore(), seed=0)


@pytest.fixture(scope="module")
def three_units():
    with exclusive_or(3, 1e-2) as landscape:
        landscape.find_minima(30, workers=1, progress=False)
        landscape.connect(300, workers=1, progress=False)
        yield landscape


def last_new(searches) -> int:
    """Return how many searches there were up to the last that found a new point."""
    known, last = {"minima": set(), "transition_states": set()}, 0
    for group, seen in known.items():
        ends = [0, *getattr(searches, f"{group}_end")[:]]
        rows = getattr(searches, group)[:]
        for number in range(len(searches)):
            found = set(rows[ends[number] : ends[number + 1]].tolist())
            last = max(last, number + 1) if found - seen else last
            seen |= found
    return last


def test_a_strategy_made_anew_knows_since_when_nothing_new_was_found(three_units):
    starts, searches = RandomStarts(three_units), three_units.searches
    hops = int((searches.kind[:] == "basin-hopping").sum())
    assert starts._done == len(searches) - hops == 300
    assert starts._quiet == len(searches) - last_new(searches)


def test_random_starts_take_turns_with_others_while_nothing_new_is_found(three_units):
    strategy = Connect(three_units, batch=4)
    quiet = RandomStarts(three_units)
    quiet.learn([NOTHING] * 100)
    strategy._random_starts = quiet
    choices = [strategy.choose(number, 4) for number in range(8)]
    anywhere = [choice for choice in choices if choice.starts == ((-1, -1),) * 4]
    assert anywhere == choices[1::2]
    assert all(choice.kind == SINGLE_ENDED for choice in anywhere)
    assert [choice.part for choice in anywhere] == [0.1, 0.3, 1.0, 3.0]
    quiet.learn([NEW])
    assert all(strategy.choose(number, 4).part is None for number in range(8))


def test_they_have_the_sizes_that_are_asked_for(three_units):
    from thalweg.landscapes.exploration.tasks import _anywhere

    for part in (0.1, 3.0):
        x = np.array([_anywhere(three_units.system, part, np.random.default_rng(k)) for k in range(30)])
        assert 0.98 * part < np.abs(x).max() < part


def test_growth_does_not_count_them(three_units):
    strategy = Connect(three_units, batch=4)
    choice = strategy.choose(1, 4)._replace(starts=((-1, -1),) * 4, part=0.1)
    choice = choice._replace(kind=SINGLE_ENDED)
    assert strategy._growth.kind_of(choice, -1) == SINGLE_ENDED
    search, found = Search(0, SINGLE_ENDED, start=(-1, -1)), AddedSearch(0, (0, 1), (False, False), (0,), (True,))
    strategy._growth.learn(SINGLE_ENDED, choice.part, search, found, 0)
    tried = strategy._growth._displacements.counts
    assert not any(count[0] for count in tried), "they leave no minimum by a part of a step"


def test_the_minimum_of_zero_weights_and_the_ways_out_of_it_are_found():
    """Its loss is ln 2 and its basin tiny; scipy's solver found the two transition states (bench_xor)."""
    with exclusive_or(4, 1e-3) as landscape:
        landscape.find_minima(30, workers=1, progress=False)
        landscape.connect(1000, workers=1, progress=False)
        assert np.abs(landscape.minima.energy[:] - np.log(2.0)).min() < 1e-9
        for energy in (0.6931533199, 0.6931617476):
            assert np.abs(landscape.transition_states.energy[:] - energy).min() < 1e-9
