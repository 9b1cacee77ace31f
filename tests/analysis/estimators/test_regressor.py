"""The scikit-learn regressor that explores."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from thalweg.analysis import LandscapeRegressor
from thalweg.landscapes import Landscape

from .checks import passes_sklearns_checks

QUICK = {"hidden": (3,), "l2": 1e-3, "steps": 2, "starts": 2}
SMALL = {"hidden": (3,), "l2": 1e-3, "steps": 12, "starts": 4}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(60, 2))
    return X, np.column_stack([np.sin(2 * X[:, 0]), X[:, 0] * X[:, 1]]) + 0.1 * rng.normal(size=(60, 2))


def test_sklearns_own_checks_pass():
    passes_sklearns_checks(LandscapeRegressor(**QUICK))


@pytest.mark.slow
@pytest.mark.parametrize(
    "how",
    [
        {},
        {**QUICK, "pick": "validation"},
        {**QUICK, "pick": "ensemble", "weighting": "boltzmann"},
        {**QUICK, "pick": "ensemble", "weighting": "harmonic", "searches": 1},
        {**QUICK, "activation": "softplus"},
    ],
    ids=["defaults", "validation", "boltzmann", "harmonic", "softplus"],
)
def test_sklearns_own_checks_pass_however_it_picks(how):
    passes_sklearns_checks(LandscapeRegressor(**how))


def test_without_hidden_layers_it_is_ridge_regression(data):
    X, y = data
    l2, weights = 0.1, np.random.default_rng(0).uniform(0.5, 2, 60)
    model = LandscapeRegressor(hidden=(), l2=l2, steps=2).fit(X, y, weights)
    # the L2 term counts biases: a column of ones stands for them
    ones = np.column_stack([X, np.ones(60)])
    ridge = Ridge(alpha=l2 * weights.sum(), fit_intercept=False).fit(ones, y, weights)
    np.testing.assert_allclose(model.predict(X), ridge.predict(ones), atol=1e-8)


def test_it_reaches_a_loss_as_low_as_scikit_learns_restarts(data):
    X, y = data
    model = LandscapeRegressor(**SMALL).fit(X, y)
    losses = []
    for seed in range(5):
        other = MLPRegressor(hidden_layer_sizes=(3,), activation="tanh", solver="lbfgs", alpha=0.0, max_iter=5000)
        other.set_params(random_state=seed).fit(X, y)
        weights = np.concatenate([part.ravel() for part in (*other.coefs_, *other.intercepts_)])
        losses.append(((other.predict(X) - y) ** 2).sum(axis=1).mean() + 1e-3 * weights @ weights)
    assert model.energies_.min() <= min(losses)
    squared = ((model.predict(X) - y) ** 2).sum(axis=1).mean()
    w = model.minima_[model.best_index_]
    assert squared + 1e-3 * w @ w == pytest.approx(model.energies_.min(), rel=1e-12)


@pytest.mark.parametrize("columns", [0, slice(0, 1), slice(0, 2)], ids=["vector", "one column", "two columns"])
def test_predictions_have_the_shape_of_the_targets(data, columns):
    X, y = data[0], data[1][:, columns]
    assert LandscapeRegressor(**QUICK).fit(X, y).predict(X[:7]).shape == y[:7].shape


@pytest.mark.parametrize("pick", ["lowest", "ensemble"])
def test_a_weight_is_a_repetition_and_zero_leaves_out(data, pick):
    X, y = data
    times = np.random.default_rng(1).integers(0, 3, 60)
    how = {**SMALL, "pick": pick, "weighting": "boltzmann"}
    weighted = LandscapeRegressor(**how).fit(X, y, sample_weight=times)
    repeated = LandscapeRegressor(**how).fit(X.repeat(times, axis=0), y.repeat(times, axis=0))
    np.testing.assert_allclose(weighted.energies_.min(), repeated.energies_.min(), rtol=1e-9)
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), atol=1e-5)


def test_an_ensemble_is_the_weighted_mean_of_outputs(data, tmp_path):
    X, y = data
    path = tmp_path / "kept.zarr"
    model = LandscapeRegressor(**SMALL, pick="ensemble", weighting="boltzmann", path=path, n_jobs=2).fit(X, y)
    energies = model.energies_
    T = 2 * energies.min() / (60 * 2)
    factors = np.exp(-(energies - energies.min()) / T)
    np.testing.assert_allclose(model.weights_, factors / factors.sum(), rtol=1e-10)
    with Landscape.open(path) as landscape:
        loss = landscape.system.potential
        outputs = [loss.outputs(x, X) for x in landscape.minima.coordinates[:]]
    np.testing.assert_allclose(model.predict(X), np.tensordot(model.weights_, outputs, axes=1), atol=1e-12)
    harmonic = LandscapeRegressor(**SMALL, pick="ensemble", weighting="harmonic").fit(X, y)
    assert harmonic.weights_.sum() == pytest.approx(1)
    assert np.isfinite(harmonic.predict(X)).all()


def test_validation_picks_what_does_best_on_weighted_data_set_apart(data, tmp_path):
    X, y = data
    weights = np.random.default_rng(2).uniform(0.1, 3, 60)
    path = tmp_path / "kept.zarr"
    model = LandscapeRegressor(**SMALL, pick="validation", path=path, random_state=3).fit(X, y, weights)
    with Landscape.open(path) as landscape:
        loss = landscape.system.potential
        seen = {row.tobytes() for row in loss.inputs}
        apart = np.array([row.tobytes() not in seen for row in X])
        errors = [
            (weights[apart] * ((loss.outputs(x, X[apart]) - y[apart]) ** 2).sum(axis=1)).sum()
            for x in landscape.minima.coordinates[:]
        ]
    assert apart.sum() == 12
    assert model.best_index_ == np.argmin(errors)


def test_pickles_and_searches_over_parameters(data):
    X, y = data
    search = GridSearchCV(LandscapeRegressor(**QUICK), {"activation": ["tanh", "gelu"], "hidden": [(2,), (3, 2)]}, cv=2)
    best = search.fit(X, y).best_estimator_
    again = pickle.loads(pickle.dumps(best))
    np.testing.assert_array_equal(again.predict(X), best.predict(X))


@pytest.mark.slow
def test_it_predicts_as_well_as_ridge_regression_on_the_diabetes_data():
    X, y = load_diabetes(return_X_y=True)
    model = TransformedTargetRegressor(LandscapeRegressor(hidden=(4,), l2=3e-3, steps=10), transformer=StandardScaler())
    score = cross_val_score(make_pipeline(StandardScaler(), model), X, y, cv=3).mean()
    assert score > cross_val_score(Ridge(), X, y, cv=3).mean() - 0.05


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.zeros(60), "at least one non-zero"),
        (-np.ones(60), "[Nn]egative"),
        (np.ones(59), "sample_weight"),
    ],
)
def test_bad_weights_are_named(data, weights, message):
    with pytest.raises(ValueError, match=message):
        LandscapeRegressor(**QUICK).fit(*data, sample_weight=weights)


def test_a_fit_without_any_minimum_names_the_options_to_raise():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(8, 2)), rng.normal(size=8)
    # 25 weights meet 8 targets exactly: without L2 term there is a valley, and no minimum
    with pytest.raises(ValueError, match=r"no minimum was found in 200 steps.*raise l2 from 0.0.*than 2"):
        LandscapeRegressor(**{**QUICK, "hidden": (6,), "l2": 0.0}).fit(X, y)
