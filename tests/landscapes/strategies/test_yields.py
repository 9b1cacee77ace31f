"""Choice among kinds of search by what they have brought: numbers spread evenly, shares in proportion."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats.qmc import discrepancy

from thalweg.landscapes.strategies.yields import Yields, spread


@given(st.integers(0, 10**9))
def test_numbers_are_spread_evenly_from_any_on(first):
    places = np.array([[spread(number)] for number in range(first, first + 200)])
    assert places.min() >= 0
    assert places.max() < 1
    # of 200 points on a regular grid it is 2e-6, of random ones 8e-4 on average
    assert discrepancy(places) < 5e-5


def test_shares_are_in_proportion_to_what_is_brought_a_step_and_nothing_is_forgotten():
    yields = Yields(3)
    for brought in (1, 1, 1):
        yields.learn(0, brought, 200)
    yields.learn(1, 0, 600)
    assert yields.counts == [[3, 3, 600], [1, 0, 600], [0, 0, 0]]
    gains = np.array([4 / 800, 1 / 800, 1 / 200])
    np.testing.assert_allclose(yields.gains(), gains)
    chosen = Counter(yields.pick(place) for place in np.linspace(0, 1, 100_000, endpoint=False))
    np.testing.assert_allclose(
        [chosen[kind] / 1e5 for kind in range(3)], 0.25 / 3 + 0.75 * gains / gains.sum(), atol=1e-4
    )
    assert yields.best() == 0
    assert yields.pick(np.nextafter(1.0, 0)) == 2


def test_what_was_long_ago_counts_less():
    yields = Yields(2)
    for _ in range(4000):
        yields.learn(0, 1, 100)
    for _ in range(4000):
        yields.learn(0, 0, 100)
    searches, brought, steps = yields.counts[0]
    assert 200 <= searches < 400
    assert brought < 5
    assert steps == pytest.approx(100 * searches, abs=200)
    assert Yields(2, yields.counts).counts == yields.counts
    assert Yields(3, yields.counts).counts == [[0, 0, 0]] * 3
