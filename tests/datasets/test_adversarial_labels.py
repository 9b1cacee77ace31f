"""Adversarial labels, against all other choices of labels where these can be tried, and noise of an exact size."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import spearmanr

from thalweg.datasets import Dataset, adversarial_noise, asymmetric_noise, mislabel, overlap_noise
from thalweg.datasets.adversarial_labels import _effects, _trained, _without_l2
from thalweg.potentials import NetworkLoss

L2 = 0.05


def gaussians(n: int, seed: int, classes: int = 3) -> Dataset:
    """Return two inputs drawn around a centre of each class."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, n)
    centres = np.array([[0.0, 0.0], [1.5, 0.0], [0.0, 1.5]])
    return Dataset(rng.normal(size=(n, 2)) + centres[labels], labels, classes)


def loss_after(train: Dataset, labels: np.ndarray, test: Dataset) -> float:
    """Return the testing loss of softmax regression trained on these labels, in numpy and by scipy's BFGS."""
    x, t = (np.column_stack([data.inputs, np.ones(len(data))]) for data in (train, test))
    wanted = np.eye(train.n_classes)[labels]

    def probabilities(w, inputs):
        logits = inputs @ w.reshape(3, -1)
        logits = np.exp(logits - logits.max(axis=1, keepdims=True))
        return logits / logits.sum(axis=1, keepdims=True)

    def function(w):
        p = probabilities(w, x)
        gradient = x.T @ (p - wanted) / len(x)
        return -np.log(p[wanted == 1]).mean() + L2 * w @ w, gradient.ravel() + 2 * L2 * w

    found = minimize(function, np.zeros(3 * train.n_classes), jac=True, method="BFGS", options={"gtol": 1e-9})
    return float(-np.log(probabilities(found.x, t)[np.arange(len(test)), test.labels]).mean())


def regression(train: Dataset) -> NetworkLoss:
    return NetworkLoss(train.inputs, train.labels, hidden=(), l2=L2, n_classes=train.n_classes)


def every_change(train: Dataset, test: Dataset, number: int) -> dict[tuple, float]:
    """Return the testing loss after every change of so many labels, each network trained anew."""
    single = [(i, j) for i in range(len(train)) for j in range(train.n_classes) if j != train.labels[i]]
    losses = {}
    for changes in combinations(single, number):
        if len({i for i, _ in changes}) == number:
            labels = train.labels.copy()
            for i, j in changes:
                labels[i] = j
            losses[changes] = loss_after(train, labels, test)
    return losses


def rank_of_choice(train: Dataset, test: Dataset) -> int:
    """Return how many single changes raise the testing loss more than the one that is chosen."""
    losses = every_change(train, test, 1)
    wrong = mislabel(train, transition=adversarial_noise(regression(train), 1 / len(train), test, networks=1))
    (i,) = np.flatnonzero(wrong.mislabelled)
    return sum(loss > losses[((i, wrong.labels[i]),)] for loss in losses.values())


@pytest.mark.parametrize(("points", "seeds"), [(14, 6), (80, 4)])
def test_the_best_single_change_is_found_or_one_very_close_to_it(points, seeds):
    """The first order cannot tell changes of nearly equal effect apart; all others it orders as training anew does."""
    ranks = [rank_of_choice(gaussians(points, seed), gaussians(400, 100 + seed)) for seed in range(seeds)]
    assert max(ranks) <= 2  # of 28 and of 160 changes
    assert 2 * ranks.count(0) >= seeds


def test_two_changes_are_among_the_best_hundredth_of_all_pairs():
    train, test = gaussians(12, 0), gaussians(300, 100)
    losses = np.array(list(every_change(train, test, 2).values()))
    matrices = adversarial_noise(regression(train), 2 / 12, test, networks=1, step=1 / 12)
    reached = loss_after(train, mislabel(train, transition=matrices).labels, test)
    assert np.mean(losses > reached + 1e-9) < 0.01
    assert reached > np.median(losses)


def test_effects_are_the_derivatives_of_the_testing_loss():
    """Of many points one label counts little: the estimate must come close to training anew without and with it."""
    train, test = gaussians(400, 2), gaussians(500, 3)
    loss = regression(train)
    (x,) = _trained(loss, np.zeros((1, loss.n_weights)))
    effects = _effects(loss, x, _without_l2(loss, test))
    assert np.isneginf(effects[np.arange(400), train.labels]).all()
    before, changes, after = loss_after(train, train.labels, test), [], []
    for i in range(0, 400, 40):
        for j in {0, 1, 2} - {int(train.labels[i])}:
            labels = train.labels.copy()
            labels[i] = j
            changes.append(effects[i, j])
            after.append(loss_after(train, labels, test) - before)
    np.testing.assert_allclose(changes, after, atol=0.06 * np.ptp(after))
    assert spearmanr(changes, after).statistic > 0.99


@pytest.mark.parametrize(("settings_", "classes"), [({"activation": "gelu"}, 3), ({"loss": "logistic"}, 2)])
def test_hidden_layers_and_other_losses(settings_, classes):
    train, test = gaussians(300, 5, classes), gaussians(500, 6, classes)
    shape = {} if settings_.get("loss") == "logistic" else {"n_classes": classes}
    loss = NetworkLoss(train.inputs, train.labels, hidden=(3,), l2=1e-2, **shape, **settings_)
    matrices = adversarial_noise(loss, 0.3, test, networks=3, step=0.1)
    attacked, uniform = mislabel(train, transition=matrices), mislabel(train, 0.3)
    assert attacked.mislabelled.sum() == uniform.mislabelled.sum() == 90
    start = np.random.default_rng(0).uniform(-1, 1, (5, loss.n_weights))
    worse, usual = (
        np.min(loss.mean_loss(_trained(loss.with_data(data.inputs, data.labels), start), test.inputs, test.labels))
        for data in (attacked, uniform)
    )
    assert worse > usual + 0.1


@pytest.mark.parametrize("weights", [1000, 5])
def test_products_solve_as_the_factorised_hessian_does(monkeypatch, weights):
    monkeypatch.setattr("thalweg.datasets.adversarial_labels._LARGEST_DENSE", weights)
    train, test = gaussians(60, 7), gaussians(200, 8)
    loss = NetworkLoss(train.inputs, train.labels, hidden=(4,), l2=1e-2, n_classes=3, neighbours=2)
    changed = adversarial_noise(loss, 0.1, test, networks=2)
    assert changed.shape == (60, 3, 3)
    monkeypatch.undo()
    np.testing.assert_array_equal(changed, adversarial_noise(loss, 0.1, test, networks=2))


@settings(max_examples=8, deadline=None)
@given(st.floats(0, 1), st.floats(0, 1))
def test_fewer_changes_are_contained_in_more(a, b):
    train, test = gaussians(40, 9), gaussians(100, 10)
    loss = regression(train)
    few, many = sorted((a, b))
    less, more = (adversarial_noise(loss, share, test, networks=1, step=0.2) for share in (few, many))
    less, more = (mislabel(train, transition=matrices) for matrices in (less, more))
    assert less.mislabelled.sum() == round(few * 40)
    assert not (less.mislabelled & ~more.mislabelled).any()
    np.testing.assert_array_equal(less.labels[less.mislabelled], more.labels[less.mislabelled])


@pytest.mark.parametrize(
    ("change", "options", "said"),
    [
        ({}, {"fraction": 1.5}, "fraction must lie between 0 and 1"),
        ({}, {"fraction": float("nan")}, "fraction must lie between 0 and 1"),
        ({}, {"step": 0.0}, "step must be above 0"),
        ({}, {"networks": 0}, "networks must be a whole number"),
        ({"sample_weight": np.ones(20)}, {}, "loss has weights of its data"),
        ({"loss": "squared_error", "n_classes": None}, {}, "one class for each point"),
        ({}, {"test": gaussians(20, 1)[:0]}, "test has no points"),
        ({}, {"test": mislabel(gaussians(20, 1), 0.5)}, "test is mislabelled"),
    ],
)
def test_what_makes_no_sense_is_said(change, options, said):
    data = gaussians(20, 0)
    loss = NetworkLoss(data.inputs, data.labels, **{"hidden": (), "n_classes": 3, "l2": L2} | change)
    with pytest.raises(ValueError, match=said):
        adversarial_noise(**{"loss": loss, "fraction": 0.1, "test": data} | options)


def test_asymmetric_noise_moves_to_the_next_class():
    data = gaussians(300, 11)
    wrong = mislabel(data, transition=asymmetric_noise(3, 0.4), count=120)
    assert wrong.mislabelled.sum() == 120
    np.testing.assert_array_equal(wrong.labels[wrong.mislabelled], (data.labels[wrong.mislabelled] + 1) % 3)
    with pytest.raises(ValueError, match="n_classes must be a whole number, at least 2"):
        asymmetric_noise(1, 0.1)


def test_exact_numbers_keep_the_probabilities():
    """Over many seeds every point changes as often as its transition says, and each draw has the exact number."""
    data = gaussians(60, 12)
    matrices = overlap_noise(data, 0.2, neighbours=10)
    probabilities = 1 - matrices[np.arange(60), data.labels, data.labels]
    often = np.zeros(60)
    for seed in range(2000):
        wrong = mislabel(data, transition=matrices, count=12, seed=seed).mislabelled
        assert wrong.sum() == 12
        often += wrong / 2000
    assert (often[probabilities == 0] == 0).all()
    # sequential Poisson sampling has the probabilities up to a small bias (Ohlsson 1998)
    np.testing.assert_allclose(often, probabilities, atol=0.05)


def test_exact_numbers_are_nested_and_checked():
    data = gaussians(50, 13)
    few, many = (mislabel(data, transition=asymmetric_noise(3, 0.5), count=k, seed=3) for k in (5, 30))
    assert not (few.mislabelled & ~many.mislabelled).any()
    assert few.identity["mislabelling"]["exact"] is True
    never = np.tile(np.eye(3), (50, 1, 1))
    with pytest.raises(ValueError, match="count is 1, and the transition changes no more than 0 labels"):
        mislabel(data, transition=never, count=1)
    with pytest.raises(TypeError, match="beside transition"):
        mislabel(data, 0.1, count=5)
    with pytest.raises(ValueError, match="count must be a whole number"):
        mislabel(data, transition=never, count=-1)
