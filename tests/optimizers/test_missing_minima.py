"""Losses without an L2 term that have no minimum: searches say so, where logistic regression has one they find it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris, load_wine
from sklearn.linear_model import LogisticRegression
from zarr.storage import MemoryStore

from thalweg.landscapes import Landscape
from thalweg.optimizers import find_transition_states, minimise
from thalweg.optimizers.kernels.status import Status
from thalweg.potentials import NetworkLoss, Weights, as_system

NONE = Status.NO_MINIMUM.reason


def data(load):
    inputs, labels = load(return_X_y=True)
    return (inputs - inputs.mean(0)) / inputs.std(0), labels


def ends(loss, count=4, **how):
    system, rng = as_system(Weights.random(loss, seed=0)), np.random.default_rng(0)
    return minimise(system, [system.random(rng) for _ in range(count)], threads=1, **how)


@pytest.mark.parametrize("load", [load_iris, load_wine])
@pytest.mark.parametrize("hidden", [(), (3,)])
@pytest.mark.parametrize("second_order", [False, True])
def test_no_minimum_where_classes_can_be_separated(load, hidden, second_order):
    loss = NetworkLoss(*data(load), hidden=hidden, l2=0.0)
    result = ends(loss, second_order=second_order)
    assert result.reason == [NONE] * 4
    assert not result.converged.any()
    assert "l2=0" in NONE
    with_term = NetworkLoss(*data(load), hidden=hidden, l2=1e-3)
    assert ends(with_term, second_order=second_order).converged.all()


def test_the_loss_falls_along_the_direction_of_a_separated_end():
    loss = NetworkLoss(*data(load_wine), hidden=(3,), l2=0.0)
    for x in ends(loss, second_order=True).x:
        last = loss.n_weights - sum(loss.layers[1:]) - 9
        direction = np.zeros_like(x)
        direction[last : last + 9], direction[-3:] = x[last : last + 9], x[-3:]
        energies = [loss.energy(x + t * direction) for t in np.linspace(0.0, 0.5, 5)]
        # below 1e-300 nothing can fall any more
        assert (np.diff(energies) < 0).all() or max(energies) < 1e-30


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=3, max_size=9), st.booleans())
def test_one_input_has_a_minimum_where_its_classes_overlap(points, softmax):
    """Albert and Anderson: there is a maximum of the likelihood if and only if the classes overlap."""
    x, label = np.array([float(p[0]) for p in points]), np.array([int(p[1]) for p in points])
    if len(set(label)) < 2 or len(set(x)) < 2:
        return
    low, high = x[label == 0], x[label == 1]
    overlap = low.max() > high.min() and high.max() > low.min()
    kind = {"loss": "cross_entropy", "n_classes": 2} if softmax else {"loss": "logistic"}
    loss = NetworkLoss(x[:, None], label, hidden=(), l2=0.0, **kind)
    result = ends(loss, 1, second_order=True)
    assert result.reason == (["converged"] if overlap else [NONE])


def test_regression_that_has_a_minimum_finds_scikit_learns():
    rng = np.random.default_rng(1)
    inputs, labels = rng.normal(size=(80, 2)), rng.integers(0, 3, 80)
    result = ends(NetworkLoss(inputs, labels, hidden=(), l2=0.0), second_order=True)
    assert result.converged.all()
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000).fit(inputs, labels)
    right = -np.log(model.predict_proba(inputs)[np.arange(80), labels]).mean()
    np.testing.assert_allclose(result.energy, right, atol=1e-9)


def test_weights_of_zero_do_not_count():
    inputs, labels = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 1, 0, 1])
    with_all = NetworkLoss(inputs, labels, hidden=(), l2=0.0)
    assert ends(with_all, 1, second_order=True).converged.all()
    without = NetworkLoss(inputs, labels, hidden=(), l2=0.0, sample_weight=[1, 0, 1, 1])
    assert ends(without, 1, second_order=True).reason == [NONE]


def test_squared_errors_are_never_said_to_have_none():
    inputs, labels = data(load_iris)
    result = ends(NetworkLoss(inputs, np.eye(3)[labels], hidden=(), l2=0.0, loss="squared_error"), second_order=True)
    assert result.converged.all()


def test_a_landscape_says_so_and_what_helps():
    weights = Weights.random(NetworkLoss(*data(load_iris), hidden=(3,), l2=0.0), seed=0)
    with Landscape(weights, MemoryStore(), seed=0) as landscape:
        with pytest.warns(RuntimeWarning, match=r"l2=0.*such as l2=1e-4"):
            landscape.find_minima(8, workers=1, progress=False)
        assert landscape.searches.count() == {NONE: 8}
    found = find_transition_states(weights, np.random.default_rng(0).normal(size=(2, len(weights.x))), threads=1)
    assert not found.converged.any()


def standard_iris():
    return data(load_iris)


@pytest.mark.parametrize("hidden", [(6,), (5, 4)])
def test_idle_units_with_free_biases_are_named(hidden):
    """Of gelu units a strong L2 term leaves some without weights; their biases, which it does not count, stay free."""
    loss = NetworkLoss(*standard_iris(), hidden=hidden, l2=0.02, activation="gelu", l2_biases=False)
    result, idle = ends(loss, 8, second_order=True), Status.IDLE_UNIT.reason
    assert "l2_biases=False" in idle
    assert set(result.reason) <= {"converged", idle}
    assert result.reason.count(idle) >= 2
    rng = np.random.default_rng(1)
    for x, reason in zip(result.x, result.reason, strict=True):
        # biases of hidden units, whose other weights vanish: any other bias leaves loss and gradient as they are
        free = np.abs(loss.hessian(x)).max(axis=1) < 1e-5
        assert free.any() == (reason == idle)
        moved = x + free * rng.normal(size=x.size)
        assert loss.energy(moved) == pytest.approx(loss.energy(x), abs=1e-9)
        np.testing.assert_allclose(loss.energy_gradient(moved)[1], 0.0, atol=1e-5)
    counted = NetworkLoss(*standard_iris(), hidden=hidden, l2=0.02, activation="gelu")
    assert ends(counted, 8, second_order=True).converged.all()


def test_other_zero_eigenvalues_keep_their_reason():
    """Of two inputs that are the same, the difference of their weights is flat without an L2 term."""
    rng = np.random.default_rng(0)
    inputs = np.repeat(rng.normal(size=(20, 1)), 2, axis=1)
    loss = NetworkLoss(inputs, rng.normal(size=20), hidden=(1,), l2=0.0, loss="squared_error")
    assert Status.ZERO_MODE.reason in ends(loss, 8, second_order=True).reason
    assert Status.IDLE_UNIT.reason not in ends(loss, 8, second_order=True).reason
