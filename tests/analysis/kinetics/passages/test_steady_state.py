"""Steady-state and non-steady-state rate constants against plain linear algebra."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.analysis import Kinetics


@settings(deadline=None)  # the first call may compile
@given(st.integers(0, 2**32), st.integers(4, 9))
def test_non_steady_state_rate_constant(seed, n):
    rng = np.random.default_rng(seed)
    rates, weights = rng.lognormal(sigma=1.5, size=(n, n)), rng.random(n) + 0.1
    np.fill_diagonal(rates, 0)
    kinetics = Kinetics.from_rates(rates, weights)
    source, target, inner = [0, 1], [2], np.arange(3, n)
    escape = rates.sum(axis=1)
    left = np.diag(escape[inner]) - rates[np.ix_(inner, inner)]
    times = np.linalg.solve(left, np.ones(len(inner)))
    arriving = np.linalg.solve(left, rates[np.ix_(inner, target)].sum(axis=1))
    expected = 0.0
    for b in source:
        reached = (rates[b, target].sum() + rates[b, inner] @ arriving) / escape[b]
        time = (1 + rates[b, inner] @ times) / escape[b]
        expected += weights[b] / weights[source].sum() * reached / time
    assert kinetics.non_steady_state_rate_constant(source, target) == pytest.approx(expected, rel=1e-10)


def test_one_state_makes_it_the_rate_constant():
    rates = np.random.default_rng(1).lognormal(size=(8, 8))
    kinetics = Kinetics.from_rates(rates)
    found = kinetics.non_steady_state_rate_constant(3, [5, 6])
    assert found == pytest.approx(kinetics.rate_constant(3, [5, 6]), rel=1e-12)


def test_a_direct_neighbour_alone():
    kinetics = Kinetics.from_rates([[0, 2.0], [1.0, 0]])
    assert kinetics.non_steady_state_rate_constant(0, 1) == pytest.approx(2.0, rel=1e-14)
    assert kinetics.steady_state_rate_constant(0, 1) == pytest.approx(2.0, rel=1e-14)
