"""Temperatures at the ends of floating-point numbers, and absorbing ends: finite results, or an error that says why."""

from __future__ import annotations

import math

import numpy as np
import pytest

from thalweg.analysis import Kinetics, KineticTransitionNetwork

BARRIER = 2.0


@pytest.fixture
def network():
    return KineticTransitionNetwork(
        [0.0, 1.0, 0.5], [BARRIER, 3.0], [[0, 1], [1, 2]],
        log_eigenvalue_product=[1.0, 2, 3], ts_log_eigenvalue_product=[1.0, 2.0], modes=[3, 3, 3], ts_modes=[2, 2],
    )  # fmt: skip


@pytest.fixture
def flat():
    """A network whose energies are all equal, so that any temperature will do."""
    return KineticTransitionNetwork(
        [0.0, 0.0], [0.0], [[0, 1]], log_eigenvalue_product=[1.0, 2], ts_log_eigenvalue_product=[1.0]
    )


@pytest.mark.parametrize("temperature", [5e-324, 1e-310, 1e-300, 1e-100, 1e-16])
def test_temperatures_below_the_precision_of_energies_are_refused(network, temperature):
    message = "their ratio must be below 1e\\+15, beyond which rounding leaves no digit"
    with pytest.raises(ValueError, match=message):
        network.kinetics(temperature=temperature)
    with pytest.raises(ValueError, match=message):
        network.thermodynamics([1.0, temperature])
    with pytest.raises(ValueError, match=message):
        network.thermodynamics([1.0]).contributions(temperature)


@pytest.mark.parametrize("temperature", [1e-14, 1e-10, 1e-3, 1.0, 1e100, 1e300])
def test_others_give_numbers(network, temperature):
    kinetics = network.kinetics(temperature=temperature)
    log_rate = kinetics.log_rate_constant(0, 1)
    assert math.isfinite(log_rate)
    # of two steps in a row the first, uphill by the barrier, decides where it is cold
    if temperature < 1e-5:
        np.testing.assert_allclose(log_rate, -BARRIER / temperature, rtol=1e-6)
    for values in (kinetics.populations, kinetics.committor(0, 2), kinetics.mean_first_passage_times(2)):
        assert not np.isnan(values).any()
    thermal = network.thermodynamics([temperature])
    for name in ("heat_capacity", "energy", "free_energy", "entropy", "log_partition_function", "occupation"):
        assert np.isfinite(getattr(thermal, name)).all(), name
    assert np.isfinite(thermal.contributions(temperature)).all()
    np.testing.assert_allclose(thermal.occupation.sum(), 1.0)


def test_relaxation_times_beyond_a_double_are_an_error(network):
    with pytest.raises(ArithmeticError, match="relaxation times differ by more than the square"):
        network.kinetics(temperature=1e-10).time_scales(2)


@pytest.mark.parametrize("temperature", [5e-324, 1e-300, 1e300])
def test_equal_energies_have_rates_at_any_temperature(flat, temperature):
    rates = [flat.kinetics(temperature=t).rate_constant(0, 1) for t in (temperature, 1.0)]
    assert rates[0] == rates[1]


@pytest.mark.parametrize("kelvin", [1e-300, 1e-322, 5e-324])
def test_kelvin(kelvin):
    network = KineticTransitionNetwork(
        [0.0, 0.1], [0.2], [[0, 1]], log_eigenvalue_product=[1.0, 2], ts_log_eigenvalue_product=[1.0], units="eV"
    )
    with pytest.raises(ValueError, match=r"temperature, k_B T, is|k_B T is too small"):
        network.kinetics(kelvin=kelvin)


def test_temperatures_too_high_for_thermal_energies_are_named(network):
    with pytest.raises(ValueError, match=r"temperatures\[1\] is 1.7e\+308; temperatures must be below 1e\+300"):
        network.thermodynamics([1.0, 1.7e308])


@pytest.mark.parametrize("up", [0.3, 0.2, 0.45])
def test_gamblers_ruin_with_both_ends_absorbing(up):
    """Feller, An Introduction to Probability Theory I, chapter XIV: ((q/p)^k - 1) / ((q/p)^n - 1), or k/n for p = q."""
    n, down = 6, 0.3
    step = np.zeros((n + 1, n + 1))
    for k in range(1, n):
        step[k, k - 1], step[k, k], step[k, k + 1] = down, 1 - up - down, up
    step[0, 0] = step[n, n] = 1.0
    ratio = down / up
    right = [k / n if up == down else (ratio**k - 1) / (ratio**n - 1) for k in range(n + 1)]
    kinetics = Kinetics.from_rates(step, weights=np.ones(n + 1))
    np.testing.assert_allclose(kinetics.committor(0, n), right, atol=1e-12)
    np.testing.assert_allclose(kinetics.committor(n, 0), 1 - np.array(right), atol=1e-12)
    with pytest.raises(ValueError, match="not connected"):
        kinetics.rate_constant(0, n)


def test_a_source_that_is_absorbing_in_part():
    """States 0 and 1 are the source; 0 leads nowhere. From 2 half of all jumps go on to 3."""
    rates = np.array([[0, 0, 0, 0, 0], [0, 0, 1, 0, 0], [1, 0, 0, 1, 0], [0, 0, 1, 0, 0], [0, 0, 0, 0, 0]], dtype=float)
    found = Kinetics.from_rates(rates, weights=np.ones(5)).committor([0, 1], 3)
    np.testing.assert_array_equal(found, [0, 0, 0.5, 1, np.nan])
