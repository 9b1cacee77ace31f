"""ROC AUC against scikit-learn, on scores with and without ties and on the minima of a small network."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from thalweg.analysis import auc, auc_table, roc_auc
from thalweg.analysis.prediction.roc import class_areas
from thalweg.potentials.neural_network.loss import NetworkLoss
from thalweg.potentials.neural_network.weights import Weights
from thalweg.potentials.system import as_system


class PlainLoss:
    """Softmax of a linear map in numpy, with the attributes that the AUC needs."""

    layers, n_weights, n_classes = (2, 3), 6, 3

    def __init__(self, inputs=None, labels=None, mislabelled=None):
        self.inputs, self.labels, self.mislabelled = inputs, labels, mislabelled

    def probabilities(self, x, inputs):
        y = inputs @ x.reshape(3, 2).T
        p = np.exp(y - y.max(axis=1, keepdims=True))
        return p / p.sum(axis=1, keepdims=True)


@pytest.fixture
def data():
    rng = np.random.default_rng(3)
    inputs = rng.normal(size=(200, 2)).round(1)  # rounded, so that scores tie
    labels = (inputs @ [1.0, 0.5] + rng.normal(size=200) > 0).astype(int) + (rng.random(200) < 0.2)
    return SimpleNamespace(inputs=inputs, labels=labels, mislabelled=rng.random(200) < 0.3)


@pytest.fixture
def weights():
    return np.random.default_rng(4).normal(size=(7, 6))


def expected(weights, inputs, labels, c):
    return [roc_auc_score(labels == c, PlainLoss().probabilities(w, inputs)[:, c]) for w in weights]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(-3, 3) | st.floats(-1e300, 1e300), st.booleans()), min_size=2))
def test_roc_auc_equals_sklearn(pairs):
    scores, positive = np.array([p[0] for p in pairs], dtype=float), np.array([p[1] for p in pairs])
    found = roc_auc(scores, positive)
    if positive.all() or not positive.any():
        assert np.isnan(found)
    else:
        assert found == pytest.approx(roc_auc_score(positive, scores), abs=1e-12)


def test_auc_of_each_class_equals_sklearn(weights, data):
    columns = [auc(weights, data, reference=c, loss=PlainLoss(), threads=1) for c in range(3)]
    for c, column in enumerate(columns):
        np.testing.assert_allclose(column, expected(weights, data.inputs, data.labels, c), atol=1e-12)
    macro = auc(weights, data, reference="macro", loss=PlainLoss(), threads=2)
    probabilities = [PlainLoss().probabilities(w, data.inputs) for w in weights]
    by_sklearn = [roc_auc_score(data.labels, p, multi_class="ovr", average="macro") for p in probabilities]
    np.testing.assert_allclose(macro, by_sklearn, atol=1e-12)


def test_a_landscape_tells_its_own_network(weights, data):
    landscape = SimpleNamespace(system=SimpleNamespace(potential=PlainLoss()))
    landscape.minima = SimpleNamespace(coordinates=weights, landscape=landscape)
    wanted = auc(weights, data, loss=PlainLoss())
    np.testing.assert_array_equal(auc(landscape.minima, data), wanted)
    np.testing.assert_array_equal(auc(landscape, data), wanted)


def test_minima_of_a_real_network():
    rng = np.random.default_rng(5)
    data = SimpleNamespace(inputs=rng.random((300, 2)), labels=rng.integers(4, size=300))
    loss = NetworkLoss(data.inputs, data.labels, hidden=(5,), l2=1e-4, n_classes=4)
    rows = rng.uniform(-1, 1, (4, loss.n_weights))
    minima = SimpleNamespace(coordinates=rows, system=as_system(Weights(loss, rows[0])))
    wanted = [roc_auc_score(data.labels == 1, loss.probabilities(row, data.inputs)[:, 1]) for row in rows]
    np.testing.assert_allclose(auc(minima, data, reference=1), wanted, atol=1e-12)


def test_table_of_the_parts(weights, data):
    test = SimpleNamespace(inputs=data.inputs[:50], labels=data.labels[:50])
    table = auc_table(weights, data, test, loss=PlainLoss())
    assert list(table) == ["train_auc", "incorrect_auc", "correct_auc", "test_auc"]
    parts = [slice(None), data.mislabelled, ~data.mislabelled, slice(50)]
    for column, part in zip(table.values(), parts, strict=True):
        np.testing.assert_allclose(column, expected(weights, data.inputs[part], data.labels[part], 0), atol=1e-12)


def test_table_of_the_losss_own_data_without_mislabelling(weights, data):
    table = auc_table(weights, loss=PlainLoss(data.inputs, data.labels))
    assert np.isnan(table["incorrect_auc"]).all()
    np.testing.assert_array_equal(table["correct_auc"], table["train_auc"])


def test_nan_where_there_is_nothing_to_tell(weights, data):
    nothing = SimpleNamespace(inputs=np.empty((0, 2)), labels=np.empty(0, dtype=int))
    assert np.isnan(auc(weights, nothing, loss=PlainLoss())).all()
    one_class = SimpleNamespace(inputs=data.inputs, labels=np.zeros(200, dtype=int))
    assert np.isnan(auc(weights, one_class, loss=PlainLoss())).all()
    assert np.isnan(auc(weights, one_class, reference="macro", loss=PlainLoss())).all()
    broken = weights.copy()
    broken[2] = np.nan
    assert np.isnan(auc(broken, data, loss=PlainLoss())).tolist() == [False, False, True] + [False] * 4


@pytest.mark.parametrize(
    ("scores", "positive", "message"),
    [
        ([0.1, 0.2], [True], "one length"),
        ([0.1, np.nan], [True, False], r"scores\[1\] is NaN"),
        ([0.1, 0.2], [1, 2], "boolean"),
    ],
)
def test_bad_scores(scores, positive, message):
    with pytest.raises(ValueError, match=message):
        roc_auc(scores, positive)


def test_bad_input_is_named(weights, data):
    loss = PlainLoss()
    with pytest.raises(TypeError, match="loss is needed"):
        auc(weights, data)
    with pytest.raises(ValueError, match="reference is 3; classes run from 0 to 2"):
        auc(weights, data, reference=3, loss=loss)
    with pytest.raises(TypeError, match="macro"):
        auc(weights, data, reference="mean", loss=loss)
    with pytest.raises(ValueError, match=r"minima have shape \(7, 5\)"):
        auc(weights[:, :5], data, loss=loss)
    for change, message in (
        ({"inputs": data.inputs[:, :1]}, "dataset.inputs has shape"),
        ({"labels": data.labels[1:]}, "dataset.labels has shape"),
        ({"labels": data.labels + 1}, "dataset.labels must lie between 0 and 2"),
        ({"inputs": np.full((200, 2), np.inf)}, "finite"),
    ):
        with pytest.raises(ValueError, match=message):
            auc(weights, SimpleNamespace(**(vars(data) | change)), loss=loss)
    with pytest.raises(TypeError, match="minima of LJAT have no AUC"):
        auc(weights, data, loss=type("LJAT", (), {})())


def test_areas_of_all_classes_equal_sklearn(data, weights):
    loss = PlainLoss(data.inputs, data.labels, data.mislabelled)
    areas = class_areas(weights, (data.inputs[50:], data.labels[50:]), loss=loss)
    assert areas.shape == (7, 3, 4)
    parts = (slice(None), data.mislabelled, ~data.mislabelled, slice(50, None))
    for c in range(3):
        for column, part in enumerate(parts):
            right = expected(weights, data.inputs[part], data.labels[part], c)
            np.testing.assert_allclose(areas[:, c, column], right, atol=1e-12)
