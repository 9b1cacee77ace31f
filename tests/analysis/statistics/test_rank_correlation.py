"""Rank correlation against scipy, and what has none."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import rankdata

from thalweg.analysis.statistics.rank_correlation import rank_correlation


def test_it_is_the_correlation_of_ranks_of_pairs_that_are_known():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 6, 30).astype(float), rng.normal(size=30)  # with ties
    a[3], b[5], b[6] = np.nan, np.inf, np.nan
    known = np.isfinite(a) & np.isfinite(b)
    rho, pvalue, pairs = rank_correlation(a, b)
    assert rho == pytest.approx(np.corrcoef(rankdata(a[known]), rankdata(b[known]))[0, 1])
    assert pairs == 27
    assert 0.0 < pvalue <= 1.0


@pytest.mark.parametrize(
    ("a", "b", "fewest"), [([1, 2, 3], [1, 2, 4], 4), ([1, 1, 1], [1, 2, 3], 2), ([1, np.nan], [2, 3], 2)]
)
def test_few_or_constant_values_have_none(a, b, fewest):
    rho, pvalue, pairs = rank_correlation(a, b, fewest)
    assert np.isnan(rho)
    assert np.isnan(pvalue)
    assert pairs == np.isfinite(a).sum()
