"""Losses of a network: what they are made of, predictions, errors, storage."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from thalweg.potentials import NetworkLoss

INPUTS = np.array([[0.0, 1.0], [1.0, 0.5], [2.0, 0.1]])


def fitted(model, inputs, targets, passes=30):
    import warnings

    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.set_params(max_iter=passes, solver="lbfgs", random_state=0).fit(inputs, targets)


@pytest.mark.parametrize("activation", ["tanh", "logistic"])
@pytest.mark.parametrize("kind", ["two classes", "three classes", "one target", "two targets"])
def test_the_energy_is_the_loss_of_scikit_learn(activation, kind):
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    from thalweg.analysis import from_sklearn

    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(60, 3))
    targets = {"two classes": rng.integers(0, 2, 60), "three classes": rng.integers(0, 3, 60)}
    targets |= {"one target": inputs[:, 0] ** 2, "two targets": np.sin(inputs[:, :2])}
    model = (MLPClassifier if "classes" in kind else MLPRegressor)(
        hidden_layer_sizes=(4, 3), activation=activation, alpha=0.1
    )
    fitted(model, inputs, targets[kind])
    weights = from_sklearn(model, inputs, targets[kind], same_loss=True)
    factor = {"one target": 2, "two targets": 4}.get(kind, 1)
    assert weights.get_potential_energy() == pytest.approx(factor * model.loss_, rel=1e-9)
    assert weights.calc.activation == (activation,) * 2
    assert not weights.calc.l2_biases


@pytest.mark.parametrize("name", ["logistic", "softplus", "gelu", "silu"])
@pytest.mark.parametrize("loss", ["cross_entropy", "logistic", "squared_error"])
def test_predictions_are_those_of_numpy_and_torch(name, loss):
    torch = pytest.importorskip("torch")
    from thalweg.analysis import to_numpy, to_torch
    from thalweg.potentials import Weights

    rng = np.random.default_rng(0)
    inputs = 5 * rng.normal(size=(30, 3))
    targets = {"cross_entropy": rng.integers(0, 3, 30), "logistic": rng.integers(0, 2, (30, 2))}
    targets["squared_error"] = rng.normal(size=30)
    one = NetworkLoss(inputs, targets[loss], (4, 3), activation=name, loss=loss)
    weights = Weights.random(one, seed=0)
    ours = one.outputs(weights.x, inputs) if loss == "squared_error" else one.probabilities(weights.x, inputs)
    function = pickle.loads(pickle.dumps(to_numpy(weights)))
    np.testing.assert_allclose(function(inputs), ours, rtol=1e-12, atol=1e-15)
    with torch.no_grad():
        theirs = to_torch(weights, probabilities=True)(torch.tensor(inputs)).numpy()
    np.testing.assert_allclose(theirs, ours, rtol=1e-12, atol=1e-15)


def test_binary_labels_have_two_probabilities_and_scores():
    from sklearn.metrics import log_loss, roc_auc_score

    from thalweg.analysis import score_table

    rng = np.random.default_rng(0)
    inputs, labels = rng.normal(size=(50, 2)), rng.integers(0, 2, 50)
    loss = NetworkLoss(inputs, labels, (3,), loss="logistic", activation="gelu", l2=0.3)
    x = loss.random_coordinates(loss.n_weights, rng)
    p = loss.probabilities(x, inputs)
    assert (loss.layers, loss.n_classes, p.shape) == ((2, 3, 1), 2, (50, 2))
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-14)
    assert loss.energy(x) - 0.3 * x @ x == pytest.approx(log_loss(labels, p), rel=1e-12)
    assert loss.cross_entropy(x, inputs, labels) == pytest.approx(log_loss(labels, p), rel=1e-12)
    table = score_table([x], loss, reference=1, loss=loss)
    assert table["auc"][0] == pytest.approx(roc_auc_score(labels, p[:, 1]))


def test_a_network_without_classes_has_no_class_scores():
    from thalweg.analysis import score_table

    loss = NetworkLoss(INPUTS, [0.5, 1.0, 2.0], (3,), loss="squared_error")
    assert not hasattr(loss, "labels")
    with pytest.raises(TypeError, match="no probabilities: its predictions are outputs"):
        loss.probabilities(np.zeros(loss.n_weights), INPUTS)
    with pytest.raises(TypeError, match="minima of a network with squared error have no"):
        score_table(np.zeros((1, loss.n_weights)), (INPUTS, [0, 1, 0]), loss=loss)
    assert loss.mean_loss(np.zeros(loss.n_weights), INPUTS, [1.0, 1.0, 3.0]) == pytest.approx(11 / 3)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"activation": "relu"}, ValueError, r'relu.* has kinks.*not differentiable.*"softplus" and "gelu"'),
        ({"activation": ("tanh", "leaky_relu"), "hidden": (2, 2)}, ValueError, "leaky_relu.* has kinks"),
        ({"activation": "relu", "hidden": ()}, ValueError, "kinks"),
        ({"activation": "swish"}, ValueError, "activation must be one of tanh, logistic, softplus, gelu, silu"),
        ({"activation": ("tanh", "gelu")}, ValueError, "one for each of the 1 hidden layers"),
        ({"activation": 3}, TypeError, "activation"),
        ({"activation": (3,)}, TypeError, "activation must be a name"),
        ({"loss": "hinge"}, ValueError, "loss must be one of cross_entropy, logistic, squared_error"),
        ({"loss": "logistic"}, ValueError, 'must be 0 or 1; one is 2: for more classes take "cross_entropy"'),
        ({"loss": "squared_error", "targets": [1.0, np.nan, 2.0]}, ValueError, "targets must be finite; 1 are not"),
        ({"loss": "squared_error", "targets": [1.0, 2.0]}, ValueError, r"shape \(3,\) or \(3, outputs\)"),
        ({"loss": "squared_error", "targets": ["a", "b", "c"]}, TypeError, "targets must be numbers"),
        ({"loss": "squared_error", "targets": [1e60, 0, 0]}, ValueError, "targets must be below 1e"),
        ({"loss": "squared_error", "n_classes": 3}, ValueError, "n_classes is for cross_entropy"),
        ({"l2_biases": 0.5}, TypeError, "l2_biases must be True or False"),
        ({"sample_weight": [1.0, 2.0]}, ValueError, "sample_weight must hold 3 numbers, one for each datum"),
        ({"sample_weight": [1.0, -2.0, 0.0]}, ValueError, "at least 0; it holds -2"),
        ({"sample_weight": [1.0, np.inf, 0.0]}, ValueError, "finite and at least 0; it holds inf"),
        ({"sample_weight": [0.0, 0.0, 0.0]}, ValueError, "leave no datum"),
        ({"class_weight": [1.0, 2.0]}, ValueError, "class_weight must hold 3 numbers, one for each class"),
        ({"class_weight": {3: 1.0}}, ValueError, "names the class 3; the classes are 0 to 2"),
        ({"class_weight": "even"}, ValueError, 'class_weight must be "balanced"'),
        ({"class_weight": "balanced", "loss": "squared_error"}, ValueError, "one class for each datum"),
        ({"labels": [0, 1, 2]}, TypeError, "labels is another name of targets"),
        ({"targets": None}, TypeError, "targets are missing"),
    ],
)
def test_bad_settings(settings, error, message):
    arguments = {"inputs": INPUTS, "targets": [0, 1, 2], "hidden": (4,)} | settings
    with pytest.raises(error, match=message):
        NetworkLoss(**arguments)


@pytest.mark.parametrize(
    "settings",
    [
        {"activation": "gelu"},
        {"activation": ("gelu", "tanh"), "loss": "squared_error", "l2_biases": False},
        {"loss": "logistic", "targets": [0, 1, 1], "class_weight": "balanced"},
        {"loss": "logistic", "targets": [[0, 1], [1, 1], [0, 0]], "sample_weight": [1, 2, 3]},
        {"class_weight": {0: 2}, "sample_weight": [1, 2, 3]},
    ],
)
def test_a_loss_is_rebuilt_from_its_description_pickle_and_store(settings, tmp_path):
    from thalweg.landscapes import Landscape
    from thalweg.potentials import Weights

    loss = NetworkLoss(**{"inputs": INPUTS, "targets": [0, 1, 2], "hidden": (2, 2)} | settings)
    description = loss.describe()
    assert description.pop("name") == "NetworkLoss"
    x = loss.random_coordinates(loss.n_weights, np.random.default_rng(0))
    for other in (NetworkLoss(**description), pickle.loads(pickle.dumps(loss))):
        assert other.energy(x) == loss.energy(x)
        assert repr(other) == repr(loss)
    path = tmp_path / "store.zarr"
    Landscape(Weights(loss), path).close()
    with Landscape.open(path) as landscape:
        assert landscape.system.potential.energy(x) == loss.energy(x)
    other = NetworkLoss(loss.inputs, [0, 1, 1], (2, 2), n_classes=loss.layers[-1] if loss.layers[-1] > 1 else None)
    with pytest.raises(ValueError, match="calculator"):
        Landscape(Weights(other), path)


def test_a_tanh_network_with_cross_entropy_is_described_as_before():
    loss = NetworkLoss(INPUTS, [0, 1, 2], activation="tanh", loss="cross_entropy", l2_biases=True)
    names = ["name", "inputs", "labels", "hidden", "l2", "n_classes", "neighbours", "mislabelled"]
    assert list(loss.describe()) == names
    assert repr(loss) == "NetworkLoss([2, 10, 3], 3 data, l2=0.0001, neighbours=None)"
    assert loss.compiled.integers.size == 3 + 3 + 1
    state = {name: value for name, value in vars(loss).items() if name not in _NEW}
    former = NetworkLoss.__new__(NetworkLoss)
    former.__setstate__(state)  # as pickled before there were other activations
    x = loss.random_coordinates(loss.n_weights, np.random.default_rng(0))
    assert former.energy(x) == loss.energy(x)
    assert repr(former) == repr(loss)
    assert former.symmetry.size == loss.symmetry.size


_NEW = {"activation", "loss", "l2_biases", "sample_weight", "class_weight", "targets"}


def test_read_only_weights_are_taken():
    loss = NetworkLoss([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1], hidden=(3,))
    x = np.linspace(-1, 1, 17)
    fixed = x.copy()
    fixed.setflags(write=False)
    assert loss.energy(fixed) == loss.energy(x)
    np.testing.assert_array_equal(loss.hessian(fixed), loss.hessian(x))
    np.testing.assert_array_equal(loss.hessian_vector(fixed, fixed), loss.hessian_vector(x, x))
    np.testing.assert_array_equal(loss.outputs(fixed, [[0, 1]]), loss.outputs(x, [[0, 1]]))
    np.testing.assert_array_equal(loss.energies_gradients(fixed[None])[1], loss.energies_gradients(x[None])[1])
