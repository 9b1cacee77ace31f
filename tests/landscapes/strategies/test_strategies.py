"""Strategies: chosen pairs, lower paths, the trapped, until converged, and one of a user's own from the docs."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from thalweg.landscapes import FROM_STATE, FROM_SYMMETRIC, SINGLE_ENDED, Choice, Landscape, Strategy
from thalweg.landscapes.strategies.connect_pairs import ConnectPairs
from thalweg.landscapes.strategies.untrap import Untrap
from thalweg.potentials import NetworkLoss, Weights

from ...helpers import random_cluster, stored_arrays

DOCS = Path(__file__).resolve().parents[3] / "docs" / "exploring.md"


def ends(landscape):
    """Return the lowest minimum and the highest."""
    energies = landscape.minima.energy[:]
    return int(np.argmin(energies)), int(np.argmax(energies))


def joined(path, **how):
    """Find minima of LJ8, join the lowest to the highest, lower the path, and look for the trapped."""
    with Landscape(random_cluster(8), path, seed=3) as landscape:
        landscape.find_minima(48, **how)
        pair = ends(landscape)
        landscape.connect(pairs=[pair], **how)
        first = landscape.lowest_path(*pair)
        landscape.connect(23, pairs=[pair], lower=True, **how)
        landscape.connect(10, strategy="untrap", **how)
    return pair, first


@pytest.fixture(scope="module")
def one_worker(tmp_path_factory):
    path = tmp_path_factory.mktemp("pairs") / "a.zarr"
    return path, *joined(path, workers=1)


def test_a_pair_is_joined_and_its_path_lowered(one_worker):
    path, pair, first = one_worker
    with Landscape.open(path) as landscape:
        assert landscape.searches.count("single-ended")
        states = landscape.transition_states
        for between in (first, landscape.lowest_path(*pair)):
            assert (between.minima[0], between.minima[-1]) == pair
            rows = list(between.transition_states)
            assert between.energy == states.energy[rows].max() <= first.energy
            for k, ends_of in enumerate(states.minima[rows].tolist()):
                assert set(ends_of) == set(between.minima[k : k + 2])
        assert landscape.lowest_path(*reversed(pair)).energy == landscape.lowest_path(*pair).energy


def test_two_workers_join_it_in_the_same_way(one_worker, tmp_path):
    assert joined(tmp_path / "a.zarr", workers=2) == one_worker[1:]
    assert stored_arrays(tmp_path / "a.zarr") == stored_arrays(one_worker[0])


def test_cut_short_by_time_it_goes_on_in_the_same_way(tmp_path):
    """Attacks on one pair, and after that lowering: the same searches in one go and in many."""
    for name, seconds in (("whole", None), ("parts", 0.02)):
        with Landscape(random_cluster(8), tmp_path / f"{name}.zarr", seed=3) as landscape:
            landscape.find_minima(48, workers=1)
            pair, kinds = ends(landscape), ("single-ended", "double-ended")
        calls = 0
        while True:
            with Landscape(random_cluster(8), tmp_path / f"{name}.zarr", seed=3) as landscape:
                done = sum(sum(landscape.searches.count(kind).values()) for kind in kinds)
                if done == 30:
                    break
                landscape.connect(30 - done, pairs=[pair], lower=True, seconds=seconds, workers=1 + calls % 2)
                calls, seconds = calls + 1, seconds and 1.5 * seconds
        assert calls > (2 if seconds else 0)
    assert stored_arrays(tmp_path / "parts.zarr") == stored_arrays(tmp_path / "whole.zarr")


def test_searches_set_out_from_every_kind_of_start(tmp_path):
    """From minima, transition states and anywhere, those tried least first; a store opened again goes on so."""
    with Landscape(random_cluster(8), tmp_path / "a.zarr", seed=3) as landscape:
        landscape.find_minima(48, workers=1)
        landscape.connect(160, workers=1)
        landscape.connect(160, workers=2)
        kind, start = landscape.searches.kind[:], landscape.searches.start[:, 0]
        states = len(landscape.transition_states)
        tried = np.bincount(start[kind == FROM_STATE], minlength=states)
        assert (start[kind == FROM_STATE] >= 0).all()
        assert (start[kind == SINGLE_ENDED] < 0).any()
        # those found first have been tried as often as those that came later, but for what was in flight
        settled = int(landscape.searches.transition_states[: states // 2].max())
        assert tried[:settled].max() - tried[:settled].min() <= 1


def test_a_network_is_searched_from_its_minima_made_symmetric(tmp_path):
    """Those tried least first; many end at symmetric points, which searches from minima as they are hardly see."""
    rng = np.random.default_rng(0)
    loss = NetworkLoss(rng.normal(size=(40, 2)), rng.integers(0, 3, 40), (4,), l2=1e-3, n_classes=3)
    with Landscape(Weights.random(loss, seed=0), tmp_path / "a.zarr", seed=0) as landscape:
        landscape.find_minima(40, workers=1)
        landscape.connect(100, workers=1)
        landscape.connect(140, workers=2)
        kind, start = landscape.searches.kind[:], landscape.searches.start[:, 0]
        tried = np.bincount(start[kind == FROM_SYMMETRIC], minlength=2)
        assert (start[kind == FROM_SYMMETRIC] >= 0).all()
        assert tried[:2].max() - tried[:2].min() <= 1
        found = landscape.searches.transition_states_end[:]
        rows = np.split(landscape.searches.transition_states[:], found[:-1])
        orders = landscape.transition_states.symmetry_order[:]
        symmetric = np.array([bool((orders[row] > 1).any()) for row in rows])
        assert symmetric[kind == FROM_SYMMETRIC].mean() > 0.3
        assert symmetric[kind == SINGLE_ENDED].mean() < 0.1


def test_a_joined_pair_needs_no_search(one_worker, tmp_path):
    path, pair, _ = one_worker
    with Landscape.open(path) as landscape:
        assert ConnectPairs(landscape, pairs=[pair]).choose(0, 16) is None
        assert ConnectPairs(landscape, pairs=[pair], lower=True).choose(1, 16).kind == "double-ended"


def test_searches_for_a_lower_path_leave_minima_by_the_displacement_that_brought_most(one_worker, tmp_path):
    """Each single-ended search counts for the size of its displacement; every third task tries the sizes in turn."""
    path, pair, _ = one_worker
    shutil.copytree(path, tmp_path / "a.zarr")
    with Landscape.open(tmp_path / "a.zarr", mode="r+") as landscape:
        before = sum(of[0] for of in landscape.state["connect_pairs"]["growth"])
        landscape.connect(100, pairs=[pair], lower=True, workers=1)
        counts = landscape.state["connect_pairs"]["growth"]
        kind = landscape.searches.kind[-100:]
        assert sum(of[0] for of in counts) - before == (kind == SINGLE_ENDED).sum() > 0
        gains = [(brought + 1) / (steps + 200) for _, brought, steps in counts]
        best = (1.0, 0.5, 0.2, 0.1)[int(np.argmax(gains))]
        again = ConnectPairs(landscape, pairs=[pair], lower=True)
        assert {again.choose(number, 16).part for number in (2, 4, 8, 10)} == {best}
        assert [again.choose(number, 16).part for number in (0, 6, 12, 18)] == [1.0, 0.5, 0.2, 0.1]


def made(made_up, path, energies, barriers):
    """Return a landscape of made-up minima in a chain, with these energies and transition states in between."""
    landscape = Landscape(made_up.Searched(), path)
    for k, energy in enumerate(energies):
        landscape.add_minimum(made_up.minimum(k, energy=energy))
    for k, energy in enumerate(barriers):
        sides = tuple(made_up.minimum(j, energy=energies[j]) for j in (k, k + 1))
        landscape.add_transition_state(made_up.transition_state(k, k, k + 1, energy=energy, minima=sides))
    return landscape


def test_the_most_trapped_minimum_is_freed_first(made_up, tmp_path):
    """Barriers to the bottom over heights: 1: (0.5 - 0.2) / 0.2 = 1.5, 2: (9 - 1) / 1 = 8, 3: (9 - 4) / 4 = 1.25."""
    with made(made_up, tmp_path / "a.zarr", [0.0, 0.2, 1.0, 4.0], [0.5, 9.0, 5.0]) as landscape:
        strategy = Untrap(landscape, batch=4)
        choices = [strategy.choose(number, 4) for number in range(3)]
        assert all(choice.kind == "double-ended" for choice in choices)
        first = [start[0] for choice in choices for start in choice.starts]
        assert first == [2, 2, 1]
        towards = [start[1] for choice in choices for start in choice.starts]
        assert sorted(towards[:2]) == [0, 1]
        assert towards[2] == 0
        again = Untrap(landscape, choices, batch=4)
        assert again.choose(3, 4) == strategy.choose(3, 4)
        while strategy.choose(4, 4) is not None:
            pass
        assert strategy.choose(5, 4) is None  # every pair was tried


def namespace():
    """Return what the worked example of the docs defines."""
    blocks = re.findall(r"```python\n(.*?)```", DOCS.read_text(), flags=re.DOTALL)
    names: dict = {}
    exec(next(block for block in blocks if "class FewestNeighbours" in block), names)
    return names


def test_the_strategy_of_the_docs_works_on_any_number_of_workers(tmp_path):
    FewestNeighbours = namespace()["FewestNeighbours"]
    for workers in (1, 2):
        with Landscape(random_cluster(6), tmp_path / f"{workers}.zarr") as landscape:
            landscape.find_minima(1000, minima=2, workers=workers)
            before = len(landscape.searches)
            progress = landscape.connect(searches=40, strategy=FewestNeighbours, workers=workers)
            assert (progress.sequence, progress.done) == ("fewest_neighbours", 40)
            assert landscape.tasks_done["fewest_neighbours"] == 3
            assert len(landscape.transition_states) >= 1
            starts = landscape.searches.start[before:]
            assert set(starts[:, 0].tolist()) == {0, 1}
            assert set(starts[:, 1].tolist()) == {-1}
    assert stored_arrays(tmp_path / "1.zarr") == stored_arrays(tmp_path / "2.zarr")


class Remembers(Strategy):
    """Counts the tasks it has seen, in its state; ends after three."""

    name = "remembers"

    def __init__(self, landscape, chosen=(), batch=2):
        super().__init__(landscape, chosen, 2)
        self.seen = landscape.state.get(self.name, {}).get("seen", 0)

    def choose(self, number, size):
        return Choice(SINGLE_ENDED, size, ((0, -1),) * size) if number < 3 else None

    def added(self, choice, result, added):
        self.seen += len(added)

    def state(self):
        return {"seen": self.seen}


def test_a_strategy_that_has_nothing_to_do_ends_the_call_and_its_state_is_kept(tmp_path):
    with Landscape(random_cluster(6), tmp_path / "a.zarr") as landscape:
        landscape.find_minima(8)
        assert landscape.connect(searches=100, strategy=Remembers).done == 6
    with Landscape.open(tmp_path / "a.zarr", "r+") as landscape:
        assert landscape.state["remembers"]["seen"] == 6
        assert landscape.connect(searches=100, strategy=Remembers).done == 0


def test_until_converged_lj6_is_complete(tmp_path):
    with Landscape(random_cluster(6), tmp_path / "a.zarr") as landscape:
        landscape.find_minima(1000, minima=2)
        progress = landscape.connect(until_converged=True)
        assert (progress.minima, progress.transition_states) == (2, 3)
        found = landscape.discoveries()
        assert found.complete
        assert found.quiet >= 500
        assert landscape.connect(until_converged=True).done == 0


class Nameless(Strategy):
    pass


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, TypeError, "searches is missing: how many, or until_converged=True, or pairs"),
        ({"pairs": [(0, 1)], "lower": True}, TypeError, "searches is missing: a path can be lowered for ever"),
        ({"searches": 5, "lower": True}, ValueError, "lower=True lowers the paths between pairs"),
        ({"searches": 5, "pairs": []}, ValueError, "pairs is empty: name at least one pair"),
        ({"searches": 5, "pairs": [(0, 0)]}, ValueError, "pairs must be of two different minima, rows 0 to 1"),
        ({"searches": 5, "pairs": [(0, 99)]}, ValueError, "pairs must be of two different minima, rows 0 to 1"),
        ({"searches": 5, "pairs": [3]}, TypeError, "pairs must hold pairs of rows of minima, such as"),
        ({"searches": 5, "pairs": [(0, 1)], "strategy": "untrap"}, ValueError, "pairs and strategy each say how"),
        (
            {"searches": 5, "strategy": "guess"},
            ValueError,
            r"one of \['connect', 'untrap'\], or a class; it is 'guess'",
        ),
        ({"searches": 5, "strategy": 7}, TypeError, "strategy must be a name or a class derived from Strategy"),
        ({"searches": 5, "strategy": Nameless}, TypeError, "must have a name: name = "),
    ],
)
def test_bad_arguments_are_named(tmp_path, arguments, error, message):
    with Landscape(random_cluster(6), tmp_path / "a.zarr") as landscape:
        landscape.find_minima(1000, minima=2)
        before = len(landscape.searches)
        with pytest.raises(error, match=message):
            landscape.connect(**arguments)
        assert len(landscape.searches) == before


def test_one_that_does_not_choose_is_told_so(tmp_path):
    landscape = Landscape(random_cluster(6), tmp_path / "a.zarr")
    with landscape, pytest.raises(NotImplementedError, match=r"Strategy must say what to do: define choose"):
        Strategy(landscape).choose(0, 1)
