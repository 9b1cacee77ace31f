"""Intervals against scipy's, published ones, and how often they cover the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest, norm, t, ttest_1samp

from thalweg.analysis.statistics.intervals import (
    mean_interval,
    pooled_prediction_interval,
    prediction_interval,
    wilson_interval,
)


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.999])
@pytest.mark.parametrize(("successes", "trials"), [(0, 1), (1, 1), (0, 12), (12, 12), (1, 3), (9, 10), (263, 1000)])
def test_wilson_is_scipys(successes, trials, confidence):
    mine = wilson_interval(successes, trials, confidence)
    theirs = binomtest(successes, trials).proportion_ci(confidence, method="wilson")
    assert mine == pytest.approx((successes / trials, theirs.low, theirs.high), abs=1e-12)
    assert 0.0 <= mine.low <= mine.estimate <= mine.high <= 1.0


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    # R. G. Newcombe, Statistics in Medicine 17 (1998) 857, Table I, method 3
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_is_the_published_one(successes, trials, low, high):
    found = wilson_interval(successes, trials)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_nothing_tried_tells_nothing():
    found = wilson_interval(0, 0)
    assert math.isnan(found.estimate)
    assert (found.low, found.high) == (0.0, 1.0)


@pytest.mark.parametrize("n", [2, 3, 10])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_mean_is_scipys(n, confidence):
    values = np.random.default_rng(n).normal(3.0, 2.0, n)
    theirs = ttest_1samp(values, 0.0).confidence_interval(confidence)
    assert mean_interval(values, confidence) == pytest.approx((values.mean(), theirs.low, theirs.high))


def test_prediction_from_three_draws():
    # t with two degrees of freedom at 97.5 % is 4.3027 in every table; the spread of the next draw adds to the mean's
    found = prediction_interval([0.81, 0.85, 0.83])
    assert found == pytest.approx((0.83, 0.83 - 4.302653 * 0.02 * math.sqrt(4 / 3), 0.92936), abs=1e-5)
    assert t.ppf(0.975, 2) == pytest.approx(4.302653)


@pytest.mark.parametrize(("interval", "more"), [(mean_interval, 0), (prediction_interval, 1)])
def test_the_intervals_cover_as_often_as_they_say(interval, more):
    draws = norm.rvs(size=(4000, 3 + more), random_state=np.random.default_rng(0))
    covered = 0
    for row in draws:
        found = interval(row[:3], 0.8)
        covered += found.low <= (row[3] if more else 0.0) <= found.high
    assert 0.78 < covered / 4000 < 0.82


def test_few_values():
    for interval in (mean_interval, prediction_interval):
        assert all(map(math.isnan, interval([])))
        assert interval([2.0]).estimate == 2.0
        assert math.isnan(interval([2.0]).low)
        assert interval([2.0, 2.0]) == (2.0, 2.0, 2.0)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: wilson_interval(3, 2), "successes must be a whole number, at most 2"),
        (lambda: wilson_interval(-1, 2), "successes must be"),
        (lambda: wilson_interval(0.5, 2), "successes must be"),
        (lambda: wilson_interval(1, 2, 95), "confidence must lie between 0 and 1"),
        (lambda: mean_interval([1.0, math.nan]), "values must be finite"),
        (lambda: prediction_interval([[1.0, 2.0]]), "values must be finite numbers in one row"),
        (lambda: prediction_interval([1.0, 2.0], 0.0), "confidence must lie"),
    ],
)
def test_what_makes_no_sense_is_said(call, said):
    with pytest.raises(ValueError, match=said):
        call()


@pytest.mark.parametrize("sizes", [(3, 3, 3, 3), (2, 5), (3,)])
def test_a_pooled_interval_holds_one_more_draw(sizes):
    """In 19 of 20 cases, whatever the means; of a single group it is the prediction interval of that group."""
    rng, held, trials = np.random.default_rng(1), 0, 2000
    for _ in range(trials):
        means = rng.normal(scale=10.0, size=len(sizes))
        groups = [mean + rng.normal(size=size) for mean, size in zip(means, sizes, strict=True)]
        _, low, high = pooled_prediction_interval(groups[0], groups)
        held += low < means[0] + rng.normal() < high
        if len(sizes) == 1:
            assert (low, high) == pytest.approx(prediction_interval(groups[0])[1:])
    assert 0.93 < held / trials < 0.97


def test_a_pooled_interval_of_nothing_is_nan():
    assert np.isnan(pooled_prediction_interval([1.0], [[1.0], [2.0]])[1:]).all()
    assert pooled_prediction_interval([1.0], [[1.0], [2.0, 2.0]])[1:] == (1.0, 1.0)
    with pytest.raises(ValueError, match="finite"):
        pooled_prediction_interval([1.0], [[1.0, np.nan]])
