"""When a default exploration ends: forecasts after round numbers of searches, whoever asks and whenever."""

from __future__ import annotations

import numpy as np
import pytest

from thalweg.landscapes import Landscape, Search, forecast
from thalweg.landscapes.discoveries import probably_complete
from thalweg.landscapes.discoveries.found_points import Discoveries
from thalweg.landscapes.discoveries.probably_complete import ProbablyComplete

HOPS = 7


@pytest.fixture
def often(monkeypatch):
    """Forecasts after every 20th search."""
    monkeypatch.setattr(probably_complete, "EVERY", 20)


def hopped(made_up, path):
    landscape = Landscape(made_up.MadeUp(), path)
    for number in range(HOPS):
        landscape.add(Search(number, "basin-hopping", minima=(made_up.minimum(number % 2),)))
    return landscape


def search(made_up, number, states):
    """Search that finds one of so many transition states, each as likely as the others."""
    found = 10 + int(np.random.default_rng([3, number]).integers(states))
    return Search(number, "single-ended", transition_states=(made_up.transition_state(found, 0, 1),))


@pytest.mark.parametrize("tasks", [1, 3, 16])
def test_it_ends_after_the_same_round_number_however_it_is_asked(made_up, tmp_path, often, tasks):
    """Tasks of any size, and a rule made anew in between, as after an interruption, stop after the same forecast."""
    with hopped(made_up, tmp_path / "a.zarr") as landscape:
        rule, done = ProbablyComplete(landscape, 40), 0
        while not rule():
            for _ in range(tasks):
                landscape.add(search(made_up, done, 12))
                done += 1
            if done // tasks % 4 == 3:
                rule = ProbablyComplete(landscape, 40)
        found = landscape.discoveries()
        ended = done // 20 * 20
        sure = [found.probability_of_all(looked) >= 0.9 for looked in range(40, ended + 1, 20)]
        assert done - ended < tasks
        assert sure == [False] * (len(sure) - 1) + [True]
        assert rule()
        assert ProbablyComplete(landscape, 40)()


def test_it_never_ends_before_the_least_number_nor_where_nothing_was_found(made_up, tmp_path, often):
    with hopped(made_up, tmp_path / "a.zarr") as landscape:
        early = ProbablyComplete(landscape, 20)
        for number in range(60):
            landscape.add(Search(number, "single-ended", "too many steps"))
            assert not early()
    with hopped(made_up, tmp_path / "b.zarr") as landscape:
        early, late = ProbablyComplete(landscape, 20), ProbablyComplete(landscape, 400)
        for number in range(400):
            assert not late()
            landscape.add(search(made_up, number, 3))
        assert early()
        assert late()


def test_the_probability_looks_back_at_searches_for_transition_states(made_up, tmp_path):
    with hopped(made_up, tmp_path / "a.zarr") as landscape:
        times = {}
        for number in range(60):
            one = search(made_up, number, 12)
            times.setdefault(one.transition_states[0].energy, number + 1)
            landscape.add(one)
        found = landscape.discoveries()
        assert found.saddle_searches == 60
        for looked in (10, 60):
            first = [time for time in times.values() if time <= looked]
            assert found.probability_of_all(looked) == forecast(first, looked).none
        for wrong, words in ((61, "searches is 61; 60 for transition states were read"), (0, "searches must be")):
            with pytest.raises(ValueError, match=words):
                found.probability_of_all(wrong)
        assert isinstance(found, Discoveries)


POOLS = {
    "lognormal": lambda rng: rng.lognormal(-7.0, 1.5, 100),
    "narrow": lambda rng: rng.lognormal(-7.0, 0.5, 100),
    "decades": lambda rng: 10.0 ** rng.uniform(-4.5, -2, 60),
    "few": lambda rng: rng.lognormal(-5.0, 1.0, 12),
}


def test_where_it_is_said_with_nine_tenths_that_nothing_remains_nothing_does_as_often():
    """Pools of known numbers of points: how often the forecast that it holds them all is right."""
    right = []
    for name, draw in POOLS.items():
        for seed in range(8):
            rates = draw(np.random.default_rng([len(name), seed]))
            first = np.ceil(np.random.default_rng(seed).exponential(1.0 / rates))
            for searches in (4000, 16_000, 64_000):
                if forecast(first[first <= searches], searches).none >= 0.9:
                    right.append(not (first > searches).any())
    assert len(right) > 20
    assert np.mean(right) >= 0.9
