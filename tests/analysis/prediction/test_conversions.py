"""Networks as scikit-learn's, PyTorch's and numpy's, and back."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor

from thalweg.analysis import from_sklearn, layer_matrices, to_numpy, to_sklearn, to_torch
from thalweg.landscapes import Landscape
from thalweg.optimizers import LBFGS
from thalweg.potentials import LJAT, NetworkLoss, Point, Weights

from ..trained_networks import blobs, explored, plain_probabilities


def trained(classes, hidden=(4, 3), alpha=0.1, **settings):
    """An MLPClassifier that has learned a little, and its data."""
    data = blobs(2, 80, classes)
    model = MLPClassifier(hidden, activation="tanh", alpha=alpha, max_iter=20, random_state=0, **settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(data.inputs, data.labels)
    return model, data


def network(seed, hidden, classes):
    """Random weights on random data."""
    rng = np.random.default_rng(seed)
    inputs, labels = rng.normal(size=(30, 3)), rng.integers(classes, size=30)
    loss = NetworkLoss(inputs, labels, hidden=hidden, l2=1e-3, n_classes=classes)
    return Weights(loss, rng.normal(scale=2.0, size=loss.n_weights))


NETWORKS = {
    "seed": st.integers(0, 2**32 - 1),
    "hidden": st.lists(st.integers(1, 5), max_size=3),
    "classes": st.integers(2, 5),
}


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_from_sklearn_and_back_predicts_the_same(classes, solver):
    model, data = trained(classes, solver=solver)
    weights = from_sklearn(model, data.inputs, data.labels)
    wanted = model.predict_proba(data.inputs)
    np.testing.assert_allclose(weights.calc.probabilities(weights.x, data.inputs), wanted, atol=1e-12, rtol=0)
    back = to_sklearn(weights)
    np.testing.assert_allclose(back.predict_proba(data.inputs), wanted, atol=1e-12, rtol=0)
    np.testing.assert_array_equal(back.predict(data.inputs), model.predict(data.inputs))
    for a, b in zip([*back.coefs_, *back.intercepts_], [*model.coefs_, *model.intercepts_], strict=True):
        np.testing.assert_array_equal(a, b)
    assert back.alpha == pytest.approx(model.alpha)


def test_alpha_is_our_l2_but_for_the_biases():
    model, data = trained(3, solver="lbfgs", alpha=0.7)
    weights = from_sklearn(model, data.inputs, data.labels)
    biases = np.concatenate(model.intercepts_)
    ours = weights.get_potential_energy() - weights.calc.l2 * biases @ biases
    assert ours == pytest.approx(model.loss_, abs=1e-12)


def test_of_two_classes_the_last_layer_counts_half():
    """z becomes -z/2 and z/2: the squares of its weights add up to a half."""
    model, data = trained(2, solver="lbfgs", alpha=0.7)
    weights = from_sklearn(model, data.inputs, data.labels)
    biases = np.concatenate([*model.intercepts_[:-1], model.intercepts_[-1] * 0.5**0.5])
    missing = 0.5 * weights.calc.l2 * (model.coefs_[-1] ** 2).sum()
    ours = weights.get_potential_energy() - weights.calc.l2 * biases @ biases + missing
    assert ours == pytest.approx(model.loss_, abs=1e-12)


def test_names_of_classes():
    data = blobs(2, 80, 3)
    names = np.array(["ash", "beech", "oak"])
    model = MLPClassifier((3,), activation="tanh", solver="lbfgs", max_iter=5, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(data.inputs, names[data.labels])
    weights = from_sklearn(model, data.inputs, names[data.labels])
    np.testing.assert_array_equal(weights.calc.labels, data.labels)
    back = to_sklearn(weights, classes=names)
    np.testing.assert_array_equal(back.predict(data.inputs), model.predict(data.inputs))
    with pytest.raises(ValueError, match="labels hold 'elm', which is no class of the model"):
        from_sklearn(model, data.inputs, ["elm"] * 80)


def test_fitting_goes_on_on_either_side():
    """scikit-learn's own fit starts from our weights, our minimiser from its."""
    model, data = trained(3, hidden=(3,), solver="lbfgs")
    weights = from_sklearn(model, data.inputs, data.labels)
    before = weights.get_potential_energy()
    LBFGS(weights, logfile=None).run(rms=1e-6, steps=500)
    assert weights.get_potential_energy() < before
    again = to_sklearn(weights).set_params(warm_start=True, max_iter=200)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        again.fit(data.inputs, data.labels)
    assert again.loss_ < weights.get_potential_energy()  # its loss leaves the biases out


@settings(max_examples=40, deadline=None)
@given(**NETWORKS)
def test_numpy_and_sklearn_predict_the_same_whatever_the_shape(seed, hidden, classes):
    weights = network(seed, hidden, classes)
    inputs = np.random.default_rng(seed + 1).normal(size=(7, 3))
    wanted = plain_probabilities(weights.calc.layers, weights.x, inputs)
    function = pickle.loads(pickle.dumps(to_numpy(weights)))
    np.testing.assert_allclose(function(inputs), wanted, atol=1e-12, rtol=0)
    np.testing.assert_allclose(to_sklearn(weights).predict_proba(inputs), wanted, atol=1e-12, rtol=0)
    np.testing.assert_allclose(weights.calc.probabilities(weights.x, inputs), wanted, atol=1e-12, rtol=0)
    matrices, biases = layer_matrices(weights)
    np.testing.assert_array_equal(np.concatenate([a.ravel() for a in (*matrices, *biases)]), weights.x)


@pytest.mark.parametrize(("hidden", "classes"), [((), 2), ((4,), 3), ((5, 2), 4)])
def test_torch_predicts_the_same(hidden, classes):
    torch = pytest.importorskip("torch")
    weights = network(3, hidden, classes)
    inputs = np.random.default_rng(4).normal(size=(50, 3))
    wanted = weights.calc.probabilities(weights.x, inputs)
    with torch.no_grad():
        probabilities = to_torch(weights, probabilities=True)(torch.from_numpy(inputs)).numpy()
        logits = to_torch(weights)(torch.from_numpy(weights.calc.inputs.copy()))
    np.testing.assert_allclose(probabilities, wanted, atol=1e-12, rtol=0)
    loss = torch.nn.CrossEntropyLoss()(logits, torch.from_numpy(weights.calc.labels.copy())).item()
    assert loss + 1e-3 * weights.x @ weights.x == pytest.approx(weights.get_potential_energy(), abs=1e-12)


def test_torch_is_only_needed_there(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(ImportError, match="to_torch needs PyTorch: pip install torch"):
        to_torch(network(0, (2,), 2))


def test_minima_of_a_landscape(tmp_path):
    explored(tmp_path / "a.zarr")
    landscape = Landscape.open(tmp_path / "a.zarr")
    loss, inputs = landscape.system.potential, blobs(1, 20).inputs
    for minimum, row in ((None, landscape.minima.lowest()), (1, 1)):
        wanted = loss.probabilities(landscape.minima.coordinates[row], inputs)
        np.testing.assert_allclose(to_sklearn(landscape, minimum).predict_proba(inputs), wanted, atol=1e-12)
        np.testing.assert_allclose(to_numpy(landscape, minimum)(inputs), wanted, atol=1e-12)
    with pytest.raises(IndexError, match="no minimum 99"):
        to_numpy(landscape, 99)
    with Landscape(Weights.random(loss), tmp_path / "b.zarr") as empty, pytest.raises(ValueError, match="no minima"):
        to_sklearn(empty)


def test_what_is_no_such_network_is_named():
    model, data = trained(3)
    with pytest.raises(TypeError, match="model must be an MLPClassifier or MLPRegressor, not Ridge"):
        from_sklearn(Ridge(), data.inputs, data.labels)
    for relu in (MLPClassifier(), MLPRegressor()):
        with pytest.raises(ValueError, match=r'relu.* has kinks.*"softplus" and "gelu"'):
            from_sklearn(relu, data.inputs, data.labels)
    with pytest.raises(ValueError, match='activation="tanh" or "logistic"'):
        from_sklearn(MLPClassifier(activation="identity"), data.inputs, data.labels)
    poisson = MLPRegressor((2,), activation="tanh")
    poisson.loss = "poisson"  # of scikit-learn 1.7 and newer
    with pytest.raises(ValueError, match=r"must have loss=.squared_error., .*; it has 'poisson'"):
        from_sklearn(poisson, data.inputs, data.labels)
    with pytest.raises(NotFittedError):
        from_sklearn(MLPClassifier(activation="tanh"), data.inputs, data.labels)
    with pytest.raises(ValueError, match="inputs have 1 columns; the model was fitted to 2"):
        from_sklearn(model, data.inputs[:, :1], data.labels)
    with pytest.raises(ValueError, match="inputs must be finite"):
        from_sklearn(model, np.full_like(data.inputs, np.nan), data.labels)
    with pytest.raises(ValueError, match="classes must be 3 different names, rising"):
        to_sklearn(network(0, (2,), 3), classes=["b", "a", "c"])
    with pytest.raises(TypeError, match="a Landscape of a network or its Weights"):
        to_numpy(Point([0.0], calc=LJAT()))
    with pytest.raises(TypeError, match="Weights are one minimum already"):
        to_numpy(network(0, (2,), 3), 1)


def test_several_labels_at_once_are_refused():
    rng = np.random.default_rng(0)
    model = MLPClassifier((2,), activation="tanh", solver="lbfgs", max_iter=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(rng.normal(size=(20, 2)), rng.integers(2, size=(20, 3)))
    with pytest.raises(ValueError, match="several labels at once"):
        from_sklearn(model, np.zeros((2, 2)), [0, 1])


def test_a_minimum_of_a_landscape_is_weights(trained_landscape):
    from thalweg.analysis.prediction.minima_arguments import minimum_weights

    weights = minimum_weights(trained_landscape)
    assert type(weights) is Weights
    point = Point(weights.x, weights.calc)
    assert type(minimum_weights(point)) is Weights
