"""The scikit-learn estimator that explores."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from thalweg.analysis import LandscapeClassifier, class_probabilities, score_table
from thalweg.landscapes import Landscape
from thalweg.potentials import NetworkLoss

from ..trained_networks import blobs
from .checks import passes_sklearns_checks

QUICK = {"hidden": (3,), "l2": 1e-3, "steps": 2, "starts": 2}
SMALL = {"hidden": (3,), "l2": 1e-3, "steps": 12, "starts": 4}


@pytest.fixture(scope="module")
def data():
    return blobs(0, 60)


def test_sklearns_own_checks_pass():
    passes_sklearns_checks(LandscapeClassifier(**QUICK))


@pytest.mark.slow
@pytest.mark.parametrize(
    "how",
    [
        {},
        {**QUICK, "pick": "validation"},
        {**QUICK, "pick": "ensemble", "weighting": "boltzmann"},
        {**QUICK, "pick": "ensemble", "weighting": "harmonic", "searches": 1},
    ],
    ids=["defaults", "validation", "boltzmann", "harmonic"],
)
def test_sklearns_own_checks_pass_however_it_picks(how):
    passes_sklearns_checks(LandscapeClassifier(**how))


def test_the_lowest_minimum_is_picked(data):
    model = LandscapeClassifier(**SMALL).fit(data.inputs, data.labels)
    assert len(model.energies_) > 1
    assert model.energies_[model.best_index_] == model.energies_.min()
    np.testing.assert_array_equal(model.weights_, np.arange(len(model.energies_)) == model.best_index_)


def test_a_kept_landscape_has_what_the_classifier_has(data, tmp_path):
    path = tmp_path / "kept.zarr"
    model = LandscapeClassifier(**SMALL, path=path).fit(data.inputs, data.labels)
    with Landscape.open(path) as landscape:
        np.testing.assert_array_equal(landscape.minima.coordinates[:], model.minima_)
        wanted = class_probabilities(landscape, data, rows=landscape.minima.lowest())[0]
        assert sum(landscape.searches.count("basin-hopping").values()) == 12
    np.testing.assert_allclose(model.predict_proba(data.inputs), wanted, atol=1e-14)
    again = LandscapeClassifier(**SMALL, path=path).fit(data.inputs, data.labels)  # nothing remains to be done
    np.testing.assert_array_equal(again.minima_, model.minima_)
    more = LandscapeClassifier(**{**SMALL, "steps": 20}, searches=4, path=path).fit(data.inputs, data.labels)
    np.testing.assert_array_equal(more.minima_[: len(model.minima_)], model.minima_)
    with Landscape.open(path) as landscape:
        assert sum(landscape.searches.count().values()) == 24
    with pytest.raises(ValueError, match="holds another landscape"):
        LandscapeClassifier(**SMALL, path=path).fit(data.inputs[:50], data.labels[:50])


def test_memory_or_disk_and_any_number_of_jobs_are_the_same(data, tmp_path):
    one = LandscapeClassifier(**SMALL, searches=4).fit(data.inputs, data.labels)
    other = LandscapeClassifier(**SMALL, searches=4, n_jobs=2, path=tmp_path / "a.zarr").fit(data.inputs, data.labels)
    np.testing.assert_array_equal(one.minima_, other.minima_)


@pytest.mark.parametrize(
    "how", [{}, {"weighting": "boltzmann", "temperature": 0.01}, {"weighting": "harmonic"}], ids=["equal", "T", "1/N"]
)
def test_an_ensemble_votes(data, how, tmp_path):
    path = tmp_path / "kept.zarr"
    model = LandscapeClassifier(**SMALL, pick="ensemble", path=path, **how).fit(data.inputs, data.labels)
    with Landscape.open(path) as landscape:
        wanted = np.tensordot(model.weights_, class_probabilities(landscape, data), axes=1)
    np.testing.assert_allclose(model.predict_proba(data.inputs), wanted, atol=1e-12)
    assert model.weights_.sum() == pytest.approx(1)
    if how.get("temperature"):
        factors = np.exp(-(model.energies_ - model.energies_.min()) / 0.01)
        np.testing.assert_allclose(model.weights_, factors / factors.sum(), rtol=1e-12)


def test_validation_picks_what_does_best_on_data_set_apart(data, tmp_path):
    path = tmp_path / "kept.zarr"
    model = LandscapeClassifier(**SMALL, pick="validation", path=path, random_state=3).fit(data.inputs, data.labels)
    with Landscape.open(path) as landscape:
        loss = landscape.system.potential
        assert len(loss.labels) == 48
        seen = {row.tobytes() for row in loss.inputs}
        apart = np.array([row.tobytes() not in seen for row in data.inputs])
        scores = score_table(landscape, (data.inputs[apart], data.labels[apart]))["log_loss"]
    assert apart.sum() == 12
    assert model.best_index_ == scores.argmin()


def test_names_of_classes_and_pickles(data):
    names = np.array(["ash", "beech", "oak"])
    model = LandscapeClassifier(**SMALL).fit(data.inputs, names[data.labels])
    plain = LandscapeClassifier(**SMALL).fit(data.inputs, data.labels)
    np.testing.assert_array_equal(model.predict(data.inputs), names[plain.predict(data.inputs)])
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(data.inputs), model.predict_proba(data.inputs))
    assert len(pickle.dumps(model)) < 20_000


def test_it_works_in_a_pipeline():
    X, y = load_iris(return_X_y=True)
    model = make_pipeline(StandardScaler(), LandscapeClassifier(**SMALL))
    assert cross_val_score(model, X, y, cv=3).min() > 0.9


def test_random_states(data):
    def energies(state):
        return LandscapeClassifier(**QUICK, random_state=state).fit(data.inputs, data.labels).energies_

    np.testing.assert_array_equal(energies(np.random.RandomState(5)), energies(np.random.RandomState(5)))
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    energies(None)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"pick": "best"}, "pick is 'best'; there are lowest, validation, ensemble"),
        ({"steps": 0}, "steps must be a whole number, at least 1; it is 0"),
        ({"searches": -1}, "searches must be"),
        ({"starts": 1.5}, "starts must be"),
        ({"n_jobs": 0}, "n_jobs must be"),
        ({"random_state": -1}, "random_state must be"),
        ({"random_state": "x"}, "random_state must be"),
        ({"validation_fraction": 1.0}, "validation_fraction must lie between 0 and 1"),
        ({"l2": -1.0}, "l2 must be"),
        ({"hidden": (0,)}, "hidden must hold widths of at least 1"),
        ({"pick": "ensemble", "weighting": "hot"}, "weighting is 'hot'"),
        ({"pick": "ensemble", "weighting": "boltzmann", "temperature": -1.0}, "temperature"),
    ],
)
def test_bad_parameters_are_named(data, parameters, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        LandscapeClassifier(**{**QUICK, "path": tmp_path / "a.zarr", **parameters}).fit(data.inputs, data.labels)
    assert list(tmp_path.iterdir()) == []


def test_bad_data_are_named(data):
    model = LandscapeClassifier(**QUICK)
    with pytest.raises(ValueError, match="y holds one class only, 1"):
        model.fit(data.inputs, np.ones(60, dtype=int))
    with pytest.raises(ValueError, match="NaN"):
        model.fit(np.full_like(data.inputs, np.nan), data.labels)
    model.fit(data.inputs, data.labels)
    with pytest.raises(ValueError, match="expecting 2 features"):
        model.predict(np.zeros((3, 4)))


@pytest.mark.parametrize("loc", [30, 100, 300])
def test_a_fit_whose_few_minimisations_fail_takes_more(loc):
    rng = np.random.RandomState(42)
    X, y = rng.normal(loc=loc, size=(100, 2)), rng.randint(0, 2, 100)
    model = LandscapeClassifier(steps=5, starts=3, hidden=(4, 3)).fit(X, y)
    assert len(model.minima_) > 0
    assert np.isfinite(model.energies_).all()


@pytest.mark.parametrize(("points", "classes", "fraction"), [(10, 3, 0.2), (6, 2, 0.2), (12, 4, 0.9), (9, 3, 0.34)])
def test_few_points_are_split_without_the_same_share_of_each_class(points, classes, fraction):
    X, y = np.random.default_rng(0).normal(size=(points, 2)), np.arange(points) % classes
    model = LandscapeClassifier(hidden=(3,), l2=1e-2, steps=10, pick="validation", validation_fraction=fraction)
    assert model.fit(X, y).predict_proba(X).shape == (points, classes)


@pytest.mark.parametrize("pick", ["lowest", "ensemble"])
def test_a_weight_is_a_repetition_and_zero_leaves_out(data, pick):
    times = np.random.default_rng(1).integers(0, 3, 60)
    how = {**SMALL, "pick": pick, "weighting": "boltzmann"}
    weighted = LandscapeClassifier(**how).fit(data.inputs, data.labels, sample_weight=times)
    repeated = LandscapeClassifier(**how).fit(data.inputs.repeat(times, axis=0), data.labels.repeat(times))
    np.testing.assert_allclose(weighted.energies_.min(), repeated.energies_.min(), rtol=1e-9)
    np.testing.assert_allclose(weighted.predict_proba(data.inputs), repeated.predict_proba(data.inputs), atol=1e-5)


def test_weights_of_softmax_regression_are_those_of_scikit_learn(data):
    weights = np.random.default_rng(0).uniform(0.5, 2, 60)
    model = LandscapeClassifier(hidden=(), l2=0.05, steps=2).fit(data.inputs, data.labels, weights)
    # the L2 term counts biases: a column of ones stands for them
    ones = np.column_stack([data.inputs, np.ones(60)])
    other = LogisticRegression(C=1 / (2 * 0.05 * weights.sum()), fit_intercept=False, tol=1e-10, max_iter=1000)
    wanted = other.fit(ones, data.labels, weights).predict_proba(ones)
    np.testing.assert_allclose(model.predict_proba(data.inputs), wanted, atol=1e-6)


@pytest.mark.parametrize("activation", ["logistic", ("gelu", "tanh")])
def test_activations_other_than_tanh(data, activation):
    model = LandscapeClassifier(**{**SMALL, "hidden": (3, 2)}, activation=activation).fit(data.inputs, data.labels)
    names = (activation,) * 2 if isinstance(activation, str) else activation
    loss = NetworkLoss(data.inputs, data.labels, (3, 2), 1e-3, activation=names)
    assert loss.energy(model.minima_[model.best_index_]) == pytest.approx(model.energies_.min(), rel=1e-13)
    wanted = loss.probabilities(model.minima_[model.best_index_], data.inputs)
    np.testing.assert_allclose(model.predict_proba(data.inputs), wanted, atol=1e-14)
