"""Wide networks whose hidden units become copies of each other, against whole Hessians."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_iris
from threadpoolctl import threadpool_limits

from thalweg.optimizers import default_rules, find_transition_states, minimise
from thalweg.optimizers.krylov import merged_networks
from thalweg.optimizers.krylov.merged_networks import EXACT, lowest_by_copies, may_merge, merged, merged_minimum
from thalweg.potentials import Function, NetworkLoss, Point, Weights, as_system


@pytest.fixture(autouse=True)
def one_thread():
    """Keep BLAS from starting threads for small matrices."""
    with threadpool_limits(1):
        yield


@pytest.fixture
def wide(monkeypatch):
    """A network of 100 hidden units on iris, which counts as wide."""
    monkeypatch.setattr(merged_networks, "_WIDE", 500)
    inputs, labels = load_iris(return_X_y=True)
    inputs = (inputs - inputs.mean(axis=0)) / inputs.std(axis=0)
    return as_system(Weights.random(NetworkLoss(inputs, labels, hidden=(100,), l2=1e-3), seed=0))


def test_a_minimum_of_copies_is_a_minimum_of_the_whole(wide):
    start = wide.random(np.random.default_rng(0))
    result = minimise(wide, start, rms=1e-9, second_order=True)
    assert result.converged[0], result.reason
    x = result.x[0]
    energy, gradient = wide.energy_gradient(x)
    assert energy == pytest.approx(result.energy[0], abs=1e-15)
    assert np.sqrt(np.mean(gradient**2)) < 1e-9
    values = np.linalg.eigvalsh(wide.hessian(x))
    assert result.lowest_eigenvalue[0] == pytest.approx(values[0], rel=0.02)
    loss = merged(wide, x, EXACT)
    assert loss is not None
    assert len(loss.counts) < 25
    np.testing.assert_allclose(lowest_by_copies(wide, x, 2), values[:2], rtol=0.02)
    assert lowest_by_copies(wide, start, 2) is None


def test_a_transition_state_beside_a_minimum_of_copies(wide):
    x = minimise(wide, wide.random(np.random.default_rng(0)), rms=1e-9, second_order=True).x[0]
    result = find_transition_states(wide, x, rms=1e-9)
    assert result.converged[0], result.reason
    values = np.linalg.eigvalsh(wide.hessian(result.x[0]))
    assert (values < 0).sum() == 1
    assert result.lowest_eigenvalue[0] == pytest.approx(values[0], rel=0.02)
    assert np.sqrt(np.mean(wide.energy_gradient(result.x[0])[1] ** 2)) < 1e-9
    for end, energy in zip(result.minima[0], result.minima_energy[0], strict=True):
        assert np.linalg.eigvalsh(wide.hessian(end))[0] > 0
        assert energy < result.energy[0]
    # a side is where the search began, up to an exchange of units
    assert np.abs(result.minima_energy[0] - wide.energy(x)).min() < 1e-10


def test_copies_that_are_a_saddle_come_apart(wide):
    """All units are copies of one: a stationary point, but far from a minimum."""
    one = np.random.default_rng(1).normal(size=wide.n)
    loss = merged_networks.MergedLoss(wide.potential, np.zeros(100, dtype=int), np.ones(100))
    x = loss.spread(loss.gather(one))
    end = merged_minimum(wide, x, loss, rms=1e-9, rules=default_rules(wide), steps=10_000)
    assert end.status == 0
    values = np.linalg.eigvalsh(wide.hessian(x))
    assert end.lowest_eigenvalue == pytest.approx(values[0], rel=0.02)
    assert values[0] > 0


def test_where_copies_are_not_looked_for(wide):
    assert may_merge(wide)
    loss = wide.potential
    others = [
        NetworkLoss(loss.inputs, loss.labels, (100,), l2=0.0),
        NetworkLoss(loss.inputs, loss.labels, (30, 20), l2=1e-3),
        NetworkLoss(loss.inputs, loss.labels, (100,), l2=1e-3, l2_biases=False),
    ]
    assert not any(may_merge(as_system(Weights.random(other, seed=0))) for other in others)
    frozen = Weights.random(loss, seed=0)
    frozen.frozen[3] = True
    assert not may_merge(as_system(frozen))
    assert not may_merge(as_system(Point(np.ones(600), Function(lambda x: float(x @ x), lambda x: 2 * x))))
    # random weights have no copies, and weights that are no numbers none either
    assert merged(wide, wide.random(np.random.default_rng(0)), 0.3) is None
    assert merged(wide, np.full(wide.n, np.nan), 0.3) is None


@pytest.mark.parametrize(("n", "memory"), [(3, 4), (300, 300), (1000, 500), (1001, 100), (10_000, 100), (10_001, 30)])
def test_memory_of_lbfgs_by_the_number_of_weights(n, memory):
    bowl = Function(lambda x: float(x @ x), lambda x: 2 * x)
    assert default_rules(as_system(Point(np.ones(n), bowl))).memory == memory
