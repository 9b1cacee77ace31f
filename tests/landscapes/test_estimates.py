"""What remains, against urns whose numbers are known and formulae written out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from thalweg.landscapes import FROM_STATE, Landscape, Search, estimate, forecast
from thalweg.landscapes.discoveries.found_points import Discoveries
from thalweg.landscapes.discoveries.growth_curve import forecast_growth


def draws(weights, number, seed):
    rng = np.random.default_rng(seed)
    return np.bincount(rng.choice(len(weights), number, p=weights / weights.sum()), minlength=len(weights))


def test_numbers_of_a_worked_example():
    """f1 = 4, f2 = 2, 20 arrivals at 9 points: Chao 1987 and Chao and Jost 2012 by hand."""
    e = estimate([1, 1, 1, 1, 2, 2, 3, 4, 5])
    assert (e.found, e.once, e.twice, e.arrivals) == (9, 4, 2, 20)
    assert e.remaining == pytest.approx(4 * 3 / (2 * 3))
    assert e.coverage == pytest.approx(1 - 4 / 20 * (19 * 4) / (19 * 4 + 2 * 2))
    variance = 2 + 4 * 49 / 36 + 16 * 2 * 9 / (4 * 81)
    spread = math.exp(1.959964 * math.sqrt(math.log(1 + variance / 2**2)))
    assert (e.low, e.high) == (pytest.approx(2 / spread, rel=1e-5), pytest.approx(2 * spread, rel=1e-5))


@pytest.mark.parametrize("number", [200, 400, 700])
def test_an_urn_with_equal_chances_is_counted(number):
    """200 points: the estimate is right on average, and the interval holds what is missing nine times in ten."""
    estimates = [estimate(draws(np.ones(200), number, seed)) for seed in range(300)]
    missing = np.array([200 - e.found for e in estimates])
    remaining = np.array([e.remaining for e in estimates])
    assert abs((remaining - missing).mean()) < 0.05 * missing.mean() + 1.0
    held = np.mean([e.low <= k <= e.high for e, k in zip(estimates, missing, strict=True)])
    assert held > 0.88


def test_an_urn_with_unequal_chances_gives_a_lower_bound_and_the_coverage():
    weights = 1.0 / np.arange(1, 501)
    for number in (500, 2000, 8000):
        counts = [draws(weights, number, seed) for seed in range(100)]
        missing = np.mean([(count == 0).sum() for count in counts])
        remaining = np.mean([estimate(count).remaining for count in counts])
        assert 0.4 * missing < remaining < 1.1 * missing + 1.0
        known = np.mean([weights[count > 0].sum() / weights.sum() for count in counts])
        assert np.mean([estimate(count).coverage for count in counts]) == pytest.approx(known, abs=0.01)


def test_few_arrivals_give_no_nonsense():
    nothing = estimate([])
    assert (nothing.found, nothing.remaining, nothing.low, nothing.high) == (0, 0.0, 0.0, 0.0)
    assert math.isnan(nothing.coverage)
    assert estimate([0, 0]).found == 0
    once = estimate([1])
    assert (once.remaining, once.low) == (0.0, 0.0)
    assert once.high > 0.9
    assert once.coverage == 0.0
    assert estimate([50] * 20).high < 0.01
    with pytest.raises(ValueError, match="must not be negative; it has -1"):
        estimate([3, -1])


def grown(made_up, path, tasks):
    landscape = Landscape(made_up.MadeUp(), path)
    for number in range(tasks):
        landscape.add_task("all", made_up.task(number))
    return landscape


def test_counts_are_those_of_the_searches_however_often_one_looks(made_up, tmp_path):
    with Landscape(made_up.MadeUp(), tmp_path / "a.zarr") as landscape:
        watched = landscape.discoveries()
        for number in range(25):
            landscape.add_task("all", made_up.task(number))
            if number % 3 == 0:
                watched.update()
        for found in (watched.update(), landscape.discoveries()):
            assert found.minima == estimate(landscape.minima.times_found())
            assert found.transition_states == estimate(landscape.transition_states.times_found())
            assert found.quiet == watched.quiet < len(landscape.searches)
    with Landscape.open(tmp_path / "a.zarr") as landscape:
        assert landscape.discoveries().minima == watched.minima


def test_coming_back_to_the_start_is_no_discovery(made_up, tmp_path):
    with Landscape(made_up.MadeUp(), tmp_path / "a.zarr") as landscape:
        first, second = (landscape.add_minimum(made_up.minimum(k)) for k in (0, 1))
        state = made_up.transition_state(5, 0, 1)
        landscape.add(Search(0, "single-ended", start=(first, -1), transition_states=(state,)))
        found = landscape.discoveries()
        assert (found.minima.arrivals, found.minima.found) == (1, 1)
        assert found.transition_states.arrivals == 1
        landscape.add(Search(0, "double-ended", start=(second, first), transition_states=(state,)))
        assert landscape.discoveries().minima.arrivals == 1
        assert landscape.discoveries().quiet == 1
        landscape.add(Search(0, FROM_STATE, start=(0, -1), transition_states=(state,)))
        found = landscape.discoveries()
        assert found.transition_states.arrivals == 2
        assert found.minima.arrivals == 3


def test_complete_needs_silence_the_estimate_and_each_found_five_times(made_up, tmp_path):
    with Landscape(made_up.MadeUp(), tmp_path / "a.zarr") as landscape:
        assert not landscape.discoveries().complete
        one = made_up.transition_state(5, 0, 1)
        rare = made_up.transition_state(6, 0, 1)
        found = Discoveries(landscape._store)
        for number in range(1400):
            states = (one, rare) if number in (200, 300, 400, 500, 1350) else (one,)
            landscape.add(Search(number, "single-ended", transition_states=states))
            if number in (199, 600, 1199, 1249, 1349, 1399):
                assert found.update().complete == (number == 1399)
        assert found.quiet == 1199


def found_by(rates, searches, seed):
    """When each point of a pool was found first, of those found by so many searches, and how many were not."""
    first = np.ceil(np.random.default_rng(seed).exponential(1.0 / rates))
    return (
        first[first <= searches],
        int((first > searches).sum()),
        int(((first > searches) & (first <= 2 * searches)).sum()),
    )


POOLS = {
    "lognormal": lambda rng: rng.lognormal(-7.0, 1.5, 400),
    "narrow": lambda rng: rng.lognormal(-7.0, 0.5, 200),
    "gamma": lambda rng: rng.gamma(0.5, 2e-3, 300),
    "power law": lambda rng: 5e-3 / rng.permutation(np.arange(1, 301)),
    "decades": lambda rng: 10.0 ** rng.uniform(-5, -2, 200),
    "few": lambda rng: rng.lognormal(-5.0, 1.0, 12),
}


@pytest.mark.parametrize("name", POOLS)
@pytest.mark.parametrize("searches", [500, 4000])
def test_forecasts_hold_for_pools_of_known_numbers(name, searches):
    """Most intervals hold, of what remains and of what as many searches again find, whatever the rates."""
    remain, again = [], []
    for seed in range(20):
        first, rest, new = found_by(POOLS[name](np.random.default_rng(seed)), searches, 1000 + seed)
        said = forecast(first, searches)
        remain.append(said.low <= rest <= said.high)
        again.append(said.next_low <= new <= said.next_high)
    assert np.mean(again) >= 0.85
    assert np.mean(remain) >= 0.85


@pytest.mark.parametrize("name", POOLS)
def test_forecasts_from_counts_at_stages_hold_as_well(name):
    stages = [round(256 * 1.25**k) for k in range(13)]
    remain, again = [], []
    for seed in range(20):
        first, rest, new = found_by(POOLS[name](np.random.default_rng(seed)), stages[-1], 2000 + seed)
        said = forecast_growth(stages, [np.count_nonzero(first <= stage) for stage in stages])
        assert said.found == len(first)
        remain.append(said.low <= rest <= said.high)
        again.append(said.next_low <= new <= said.next_high)
    assert np.mean(again) >= 0.85
    assert np.mean(remain) >= 0.85


def test_counts_at_stages_must_make_sense():
    assert math.isnan(forecast_growth([100], [0]).remaining)
    assert forecast_growth([100], [10]).high > 100, "one stage does not say how growth ends"
    with pytest.raises(ValueError, match="searches must increase from 1 on"):
        forecast_growth([0, 100], [1, 2])
    with pytest.raises(ValueError, match="searches must increase"):
        forecast_growth([], [])
    with pytest.raises(ValueError, match="must not decrease"):
        forecast_growth([100, 200], [3, 2])


def test_forecasts_of_nothing_and_of_nonsense():
    nothing = forecast([], 100)
    assert nothing.found == 0
    assert math.isnan(nothing.remaining)
    assert forecast([1, 1, 2], 5000).high == 0.0
    for first in ([0, 1], [1, 101], [math.nan]):
        with pytest.raises(ValueError, match="first must lie between 1 and 100"):
            forecast(first, 100)
    with pytest.raises(ValueError, match="searches must be"):
        forecast([], 0)


def test_forecasts_look_at_searches_of_the_last_kind(made_up, tmp_path):
    """Basin-hopping found five minima at once, then nothing; other searches find one in every ten."""
    with Landscape(made_up.MadeUp(), tmp_path / "a.zarr") as landscape:
        for number in range(100):
            landscape.add(Search(number, "basin-hopping", minima=(made_up.minimum(number % 5),)))
        hopped = landscape.discoveries()
        assert hopped.forecast("minima").high <= 1
        for number in range(100):
            known = made_up.minimum(5 + number // 10)
            landscape.add(Search(100 + number, "single-ended", minima=(known,)))
        found = landscape.discoveries()
        known = found.forecast("minima")
        assert known == forecast(np.arange(1, 101, 10), 100)
        assert known.low >= 1
        assert found.forecast("minima", 100) == hopped.forecast("minima")
        assert hopped.update().forecast("minima") == known
        assert found.forecast("transition_states").found == 0
        with pytest.raises(ValueError, match="searches is 201; 200 were read"):
            found.forecast("minima", 201)
        with pytest.raises(ValueError, match="group is 'states'; there are minima and transition_states"):
            found.forecast("states")
