"""Networks along the principal axes of their inputs, against whole Hessians and the network itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from threadpoolctl import threadpool_limits

from thalweg.optimizers import large_systems, minimise
from thalweg.optimizers.krylov.rotated_networks import rotated, rotated_descent, rotated_proof
from thalweg.optimizers.rules import default_rules
from thalweg.potentials import NetworkLoss, Weights, as_system
from thalweg.potentials.neural_network.principal_axes.rotated_network import rotated_network


@pytest.fixture(autouse=True)
def one_thread():
    """Keep BLAS from starting threads for small matrices."""
    with threadpool_limits(1):
        yield


def digits(factor=16.0, n=120, **options):
    """A loss of 8 x 8 pixels from 0 to 16 times a factor, of which some are zero in all pictures."""
    inputs, labels = load_digits(return_X_y=True)
    return NetworkLoss(factor * inputs[:n], labels[:n], **{"hidden": (7,), "l2": 0.1, "n_classes": 10, **options})


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"hidden": ()},
        {"hidden": (6, 5), "activation": ["softplus", "tanh"]},
        {"sample_weight": np.linspace(0.0, 2.0, 120), "l2_biases": False},
        {"loss": "squared_error", "n_classes": None},
    ],
    ids=["tanh", "no hidden layer", "two layers", "weights", "squares"],
)
def test_loss_and_gradient_are_those_of_the_network(options):
    loss = digits(**options)
    network, rng = rotated_network(loss), np.random.default_rng(0)
    assert network is not None
    assert network.small.layers[0] < loss.layers[0]
    function, _, integers, floats = network.compiled
    y, direction = 0.1 * rng.standard_normal((2, network.small.n_weights))
    gradient = np.empty_like(y)
    x = network.spread(network.scale * y)
    energy = function(y, gradient, integers, floats)
    there, slopes = loss.energy_gradient(x)
    assert energy == pytest.approx(there, rel=1e-12)
    assert gradient @ direction == pytest.approx(slopes @ network.spread(network.scale * direction), rel=1e-9)
    np.testing.assert_allclose(network.gather(x), network.scale * y, atol=1e-13)
    # across the axes there is only the L2 term
    assert network.across is not None
    assert loss.energy(x + network.across) == pytest.approx(there + loss.l2, rel=1e-12)


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32 - 1))
def test_rotated_inputs_have_the_same_axes(seed):
    loss = digits(n=60, hidden=(3,))
    turn = np.linalg.qr(np.random.default_rng(seed).standard_normal((64, 64)))[0]
    turned = NetworkLoss(loss.inputs @ turn, loss.labels, (3,), 0.1, n_classes=10)
    here, there = rotated_network(loss), rotated_network(turned)
    assert here is not None
    assert there is not None
    np.testing.assert_allclose(there.curvatures, here.curvatures, rtol=1e-6)


@pytest.mark.parametrize("start", ["random", "zero"])
def test_a_minimum_is_one_of_the_network(start):
    loss = digits()
    system = as_system(Weights.random(loss, seed=0))
    assert system.n_free > large_systems.LARGEST_MATRIX
    # at zero weights all hidden units are alike: a saddle, which is left downhill
    x = system.random(np.random.default_rng(0)) if start == "random" else np.zeros(system.n)
    result = minimise(system, x, rms=1e-9, second_order=True)
    assert result.converged[0], result.reason
    energy, gradient = loss.energy_gradient(result.x[0])
    assert energy == pytest.approx(result.energy[0], abs=1e-14)
    assert np.sqrt(np.mean(gradient**2)) < 1e-9
    values = np.linalg.eigvalsh(loss.hessian(result.x[0]))
    assert values[0] > 0
    assert result.lowest_eigenvalue[0] == pytest.approx(values[0], rel=0.02)
    idle = result.x[0][:448].reshape(7, 64)[:, loss.inputs.max(axis=0) == 0]
    np.testing.assert_allclose(idle, 0.0, atol=1e-9)


def test_steps_are_fewer(monkeypatch):
    system = as_system(Weights.random(digits(), seed=0))
    starts = np.array([system.random(np.random.default_rng(seed)) for seed in range(3)])
    # with a memory of as many steps as there are weights, LBFGS learns the axes itself
    rules = default_rules(system).replace(memory=20)
    there = minimise(system, starts, second_order=True, rules=rules)
    monkeypatch.setattr(large_systems, "rotated", lambda system: None)
    here = minimise(system, starts, second_order=True, rules=rules)
    assert there.converged.all()
    assert here.converged.all()
    assert there.steps.sum() < 0.7 * here.steps.sum()


def test_the_lowest_eigenvalue_may_be_that_of_the_l2_term():
    # without hidden layers the loss is convex: its Hessian is 2 l2 where no input reaches, and more elsewhere
    loss = digits(hidden=(), l2=1.0)
    system = as_system(Weights.random(loss, seed=0))
    network = rotated(system)
    assert network is not None
    x = np.zeros(system.n)
    rotated_descent(network, x, 1e-9, default_rules(system), 1000)
    proof, hessian = rotated_proof(network, x), loss.hessian(x)
    assert proof.values[0] == pytest.approx(np.linalg.eigvalsh(hessian)[0], rel=0.02)
    np.testing.assert_allclose(hessian @ proof.vectors[0], proof.values[0] * proof.vectors[0], atol=0.02)


@pytest.mark.parametrize(
    "loss",
    [
        digits(factor=1 / 16),
        digits(l2=0.0),
        digits(neighbours=2),
        NetworkLoss(1e3 * np.eye(20), np.arange(20) % 2, l2=0.1),
    ],
    ids=["even moments", "no L2 term", "frozen weights", "few inputs"],
)
def test_who_is_not_rotated(loss):
    assert rotated(as_system(Weights.random(loss, seed=0))) is None


def test_networks_with_fixed_weights_are_not_rotated():
    weights = Weights.random(digits(), seed=0)
    weights.frozen[3] = True
    assert rotated(as_system(weights)) is None
