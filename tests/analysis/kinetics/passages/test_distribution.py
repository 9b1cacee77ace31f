"""Distributions of first passage times against scipy's matrix exponential, closed forms and simulated walks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.linalg import expm

from thalweg.analysis import Kinetics, KineticTransitionNetwork


def _chain(seed: int, n: int, balanced: bool) -> Kinetics:
    rng = np.random.default_rng(seed)
    flux = rng.lognormal(sigma=1.5, size=(n, n))
    if not balanced:
        return Kinetics.from_rates(flux)
    weights = rng.lognormal(size=n)
    return Kinetics.from_rates((flux + flux.T) / weights[:, None], weights)


@settings(deadline=None)  # the first call may compile
@given(st.integers(0, 2**32), st.integers(3, 8), st.booleans())
def test_against_the_matrix_exponential(seed, n, balanced):
    kinetics = _chain(seed, n, balanced)
    source, target = [0, 1], [n - 1]
    found = kinetics.first_passage_distribution(source, target)
    rates = kinetics.rates.toarray()
    inside = (rates - np.diag(rates.sum(axis=1)))[: n - 1, : n - 1]
    start = np.zeros(n - 1)
    start[source] = kinetics.populations[source] / kinetics.populations[source].sum()
    for t in found.mean * np.array([0.01, 0.5, 3.0]):
        left = start @ expm(inside * t)
        assert found.survival(t) == pytest.approx(left.sum(), abs=1e-10)
        assert found.density(t) == pytest.approx(-(left @ inside).sum(), rel=1e-7, abs=1e-12)
    assert found.mean == pytest.approx(kinetics.mean_first_passage_time(source, target), rel=1e-9)
    assert found.std == pytest.approx(kinetics.first_passage_time_std(source, target), rel=1e-7)
    assert found.survival(found.quantile(0.3)) == pytest.approx(0.7, abs=1e-9)


def test_one_step_is_exponential_and_two_alike_are_of_erlang():
    times = np.linspace(0, 5, 7)
    one = Kinetics.from_rates([[0, 2.0], [1.0, 0]]).first_passage_distribution(0, 1)
    np.testing.assert_allclose(one.survival(times), stats.expon(scale=0.5).sf(times), rtol=1e-13)
    assert one.quantile(0.5) == pytest.approx(np.log(2) / 2, rel=1e-10)
    # one way, at rates 1 and 1.01: the sum of two exponential times
    steps = Kinetics.from_rates([[0, 1.0, 0], [0, 0, 1.01], [0, 0, 0]], np.ones(3))
    both = steps.first_passage_distribution(0, 2)
    expected = (1.01 * np.exp(-times) - np.exp(-1.01 * times)) / 0.01
    np.testing.assert_allclose(both.survival(times), expected, atol=1e-10)


def test_simulated_walks_have_this_distribution():
    kinetics = _chain(5, 6, balanced=True)
    found = kinetics.first_passage_distribution([0, 3], [5])
    sample = kinetics.simulate([0, 3], [5], walks=3000, seed=1)
    assert stats.kstest(sample.times, lambda t: 1 - found.survival(t)).pvalue > 1e-3


def test_a_trap_shows_as_a_slow_mode_with_its_own_amplitude(shared):
    network = KineticTransitionNetwork.from_pathsample(shared / "data" / "networks" / "lj38_12")
    kinetics = network.kinetics(temperature=0.12)
    a, b = network.groups["A"], network.groups["B"]
    found = kinetics.first_passage_distribution(source=b, target=a)
    assert found.mean == pytest.approx(kinetics.mean_first_passage_time(source=b, target=a), rel=1e-6)
    assert found.std == pytest.approx(kinetics.first_passage_time_std(source=b, target=a), rel=1e-6)
    assert found.amplitudes.sum() == pytest.approx(1.0, abs=1e-9)


def test_rates_too_far_apart_are_refused():
    """A source at 40 k_B T above a well that it falls into: amplitudes of both signs that doubles cannot hold."""
    network = KineticTransitionNetwork(
        [0, 90, 1],
        [91, 95],
        [[0, 1], [0, 2]],
        log_eigenvalue_product=np.zeros(3),
        ts_log_eigenvalue_product=np.zeros(2),
    )
    kinetics = network.kinetics(temperature=1.0)
    with pytest.raises(ArithmeticError, match="regroup"):
        kinetics.first_passage_distribution(1, 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d: d.survival([-1.0]), "times must be numbers that are not negative"),
        (lambda d: d.survival([np.nan]), "times must be numbers that are not negative"),
        (lambda d: d.quantile(1.0), "share is 1.0"),
        (lambda d: d.quantile(0), "share is 0"),
    ],
)
def test_arguments_that_make_no_sense(call, message):
    found = Kinetics.from_rates([[0, 2.0], [1.0, 0]]).first_passage_distribution(0, 1)
    with pytest.raises(ValueError, match=message):
        call(found)


def test_a_target_that_may_be_missed():
    lost = Kinetics.from_rates([[0, 1.0, 1.0], [0, 0, 0], [0, 0, 0]], np.ones(3))
    with pytest.raises(ValueError, match="never be reached"):
        lost.first_passage_distribution(0, 1)


def test_too_many_states():
    n = 3002
    chain = np.diag(np.ones(n - 1), 1)
    with pytest.raises(ValueError, match="regroup first"):
        Kinetics.from_rates(chain + chain.T, np.ones(n)).first_passage_distribution(0, n - 1)
