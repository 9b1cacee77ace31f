"""Symmetry orders beyond 64 bits: kept as logarithms, never cut, and right in rates and weights."""

from __future__ import annotations

import math

import numpy as np
import pytest

from thalweg.analysis import Ensemble, KineticTransitionNetwork, Thermodynamics
from thalweg.landscapes import Landscape, Minimum, TransitionState, merge, verify
from thalweg.potentials import NetworkLoss, Weights

IDLE = 30
"""Hidden units whose weights are zero: each may change its sign, and all may be exchanged."""


def network_loss():
    rng = np.random.default_rng(0)
    return NetworkLoss(rng.normal(size=(12, 2)), np.arange(12) % 2, hidden=(IDLE + 1,), n_classes=2, l2=0.1)


def point(k, idle=IDLE):
    """Return weights of a network of which ``idle`` hidden units have none."""
    loss = network_loss()
    x = np.zeros(Weights.random(loss, seed=0).x.size)
    working = IDLE + 1 - idle
    x[: 2 * working] = k + 1.0 + np.arange(2 * working)
    return x


@pytest.fixture
def store(tmp_path):
    """A store with orders that fit and orders that do not, of points whose other numbers are made up."""
    loss = network_loss()
    with Landscape(Weights(loss, point(0)), tmp_path / "a.zarr", seed=0) as landscape:
        minima = []
        for k, idle in enumerate((IDLE, IDLE, 2)):
            minima.append(Minimum(float(k), point(k, idle), 0.0, 1.0, 1.5 * k, 5))
            landscape.add_minimum(minima[-1], verified=False)
        state = TransitionState(9.0, point(7), 0.0, -1.0, 2.0, 4, 0, (minima[0], minima[2]), (1.0, 1.0))
        landscape.add_transition_state(state, verified=False)
    return tmp_path / "a.zarr"


def right(idle):
    """Return the logarithm of the order: signs and permutations of idle units."""
    return idle * math.log(2) + math.lgamma(idle + 1)


def test_orders_in_a_store(store):
    landscape = Landscape.open(store)
    assert landscape.minima.symmetry_order[:].tolist() == [0, 0, 8]
    assert landscape.transition_states.symmetry_order[:].tolist() == [0]
    network = KineticTransitionNetwork.read(store)
    expected = [right(IDLE), right(IDLE), math.log(8)]
    np.testing.assert_allclose(network.properties["log_symmetry_order"], expected, rtol=1e-12)
    np.testing.assert_allclose(network.ts_properties["log_symmetry_order"], [right(IDLE)], rtol=1e-12)
    same = KineticTransitionNetwork.read(landscape)
    np.testing.assert_array_equal(same.properties["log_symmetry_order"], network.properties["log_symmetry_order"])
    merge(store, store, store.with_name("b.zarr"))
    assert Landscape.open(store.with_name("b.zarr")).minima.symmetry_order[:].tolist() == [0, 0, 8]
    assert not any("order" in problem.message for problem in verify(landscape))


def test_rates_and_weights_are_those_of_the_logarithms(store):
    """Shifting all logarithms so that the orders fit changes no population and no rate by more than the shift."""
    network = KineticTransitionNetwork.read(store)
    logs, ts_logs = network.properties["log_symmetry_order"], network.ts_properties["log_symmetry_order"]
    plain = KineticTransitionNetwork(
        network.energies, network.ts_energies, network.ts_minima,
        log_eigenvalue_product=network.log_eigenvalue_product + 2 * logs, modes=network.modes,
        ts_log_eigenvalue_product=network.ts_log_eigenvalue_product + 2 * ts_logs, ts_modes=network.ts_modes,
    )  # fmt: skip
    ours, theirs = (n.kinetics(temperature=2.0).rate_constant(0, 2) for n in (network, plain))
    np.testing.assert_allclose(ours, theirs, rtol=1e-10)
    found, expected = (Thermodynamics(n, [0.5, 3.0]).occupation for n in (network, plain))
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    ensemble = Ensemble(Landscape.open(store), "harmonic", 0.5)
    np.testing.assert_allclose(ensemble.weights, expected[0], rtol=1e-10)


def test_pathsample_refuses_what_it_cannot_hold(store, tmp_path):
    with pytest.raises(ValueError, match=r"symmetry_order\[0\] is 0, that is beyond 64 bits, log_symmetry_order 95"):
        KineticTransitionNetwork.read(store).to_pathsample(tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("order", ["9223372036854775808", "18446744073709551616", "1e20", "1D30"])
@pytest.mark.parametrize("name", ["min", "ts"])
def test_pathsample_files_with_orders_beyond_64_bits(tmp_path, order, name):
    orders = {"min": "1", "ts": "1", name: order}
    (tmp_path / "min.data").write_text(f"0.0 1.0 {orders['min']} 1 1 1\n1.0 1.0 1 1 1 1\n")
    (tmp_path / "ts.data").write_text(f"2.0 1.0 {orders['ts']} 1 2 1 1 1\n")
    with pytest.raises(ValueError, match=rf"{name}\.data, line 1: the order is"):
        KineticTransitionNetwork.from_pathsample(tmp_path)


@pytest.mark.parametrize("order", [1, 48, 2**31, 2**53, 2**62])
def test_orders_that_fit_go_to_pathsample_and_back(tmp_path, order):
    network = KineticTransitionNetwork(
        [0.0, 1.0], [2.0], [[0, 1]], log_eigenvalue_product=[1.0, 2], ts_log_eigenvalue_product=[3.0],
        symmetry_order=[order, 1], ts_symmetry_order=[order],
    )  # fmt: skip
    network.to_pathsample(tmp_path / "out")
    back = KineticTransitionNetwork.from_pathsample(tmp_path / "out")
    assert back.symmetry_order.tolist() == [order, 1]
    assert back.ts_symmetry_order.tolist() == [order]


@pytest.mark.parametrize("orders", [[1e20, 1], [2**63, 1], [10**30, 1], [1.5, 1], [float("nan"), 1], [float("inf"), 1]])
def test_networks_refuse_orders_that_would_wrap(orders):
    for name, energies in (("symmetry_order", [0.0, 1.0]), ("ts_symmetry_order", [0.0, 1.0])):
        ends = [[0, 1]] * (2 if name.startswith("ts") else 0)
        with pytest.raises(ValueError, match=rf"{name}\[0\] is .*whole numbers below 2\^63"):
            KineticTransitionNetwork(energies, [2.0] * len(ends), ends, **{name: orders})
    kept = KineticTransitionNetwork([0.0, 1.0], [], [], symmetry_order=[3, 2**63 - 1])
    assert kept.symmetry_order.tolist() == [3, 2**63 - 1]


def test_an_order_of_zero_without_a_logarithm_is_named():
    network = KineticTransitionNetwork(
        [0.0, 1.0], [2.0], [[0, 1]], log_eigenvalue_product=[1.0, 2], ts_log_eigenvalue_product=[3.0],
        symmetry_order=[0, 1],
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"symmetry_order\[0\] is 0; orders are 1 or more; the logarithm"):
        network.kinetics(temperature=1.0)
