"""What minima predict, how well, and what they did with wrong labels: against plain numpy and scikit-learn."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, log_loss, roc_auc_score

from thalweg.analysis import (
    agreement,
    class_probabilities,
    confusion,
    keep_scores,
    mislabelled_table,
    predicted_classes,
    score_table,
)
from thalweg.analysis.prediction.minima_scores import measure
from thalweg.landscapes import Landscape
from thalweg.potentials import LJAT, NetworkLoss

from ..trained_networks import LAYERS, blobs, explored, plain_probabilities


@pytest.fixture
def unseen():
    return blobs(1, 5000)  # more than are compared at once


def plain(landscape, data):
    return np.array([plain_probabilities(LAYERS, x, data.inputs) for x in landscape.minima.coordinates[:]])


def test_probabilities_are_those_of_plain_numpy(trained_landscape, unseen):
    wanted = plain(trained_landscape, unseen)
    assert len(wanted) > 1
    np.testing.assert_allclose(class_probabilities(trained_landscape, unseen), wanted, atol=1e-12)
    np.testing.assert_allclose(
        class_probabilities(trained_landscape.minima, unseen.inputs, rows=[1, 0], threads=2), wanted[[1, 0]], atol=1e-12
    )
    np.testing.assert_array_equal(predicted_classes(trained_landscape, unseen), wanted.argmax(axis=2))


def test_rows_of_weights_with_a_loss_are_minima_too(trained_landscape, unseen):
    loss, rows = trained_landscape.system.potential, trained_landscape.minima.coordinates[:]
    np.testing.assert_array_equal(
        class_probabilities(rows, unseen, loss=loss), class_probabilities(trained_landscape, unseen)
    )


def test_agreement_is_the_share_of_equal_predictions(trained_landscape, unseen):
    classes = plain(trained_landscape, unseen).argmax(axis=2)
    wanted = (classes[:, None] == classes[None]).mean(axis=2)
    np.testing.assert_allclose(agreement(trained_landscape, unseen), wanted, atol=1e-14)
    assert wanted.min() < 1
    np.testing.assert_array_equal(agreement(trained_landscape, unseen, rows=0), [[1.0]])


def test_scores_are_those_of_sklearn(trained_landscape, unseen):
    probabilities, labels = plain(trained_landscape, unseen), unseen.labels
    table = score_table(trained_landscape, unseen, reference=1)
    macro = score_table(trained_landscape, (unseen.inputs, labels), "macro", threads=2)
    matrices = confusion(trained_landscape, unseen)
    for k, p in enumerate(probabilities):
        assert table["accuracy"][k] == accuracy_score(labels, p.argmax(axis=1))
        assert table["log_loss"][k] == pytest.approx(log_loss(labels, p), abs=1e-12)
        assert table["auc"][k] == pytest.approx(roc_auc_score(labels == 1, p[:, 1]), abs=1e-12)
        assert macro["auc"][k] == pytest.approx(roc_auc_score(labels, p, multi_class="ovr"), abs=1e-12)
        np.testing.assert_array_equal(matrices[k], confusion_matrix(labels, p.argmax(axis=1)))


def test_a_probability_of_zero_is_no_infinite_loss():
    loss = NetworkLoss([[1.0]], [0], hidden=(), l2=0.0, n_classes=2)
    table = score_table([[2000.0, 0.0, 0.0, 0.0]], ([[1.0]], [1]), loss=loss)
    assert table["accuracy"][0] == 0
    assert 600 < table["log_loss"][0] < 709  # ln of the smallest ordinary number is -708.4


def test_scores_are_kept_and_not_computed_twice(unseen, tmp_path):
    path = tmp_path / "b.zarr"
    explored(path)
    with Landscape.open(path, "r+") as landscape:
        assert keep_scores(landscape, unseen, "test", reference=1) == len(landscape.minima)
        wanted = score_table(landscape, unseen, reference=1)
        for name, values in wanted.items():
            np.testing.assert_array_equal(landscape.properties[f"test_{name}"], values)
        assert keep_scores(landscape, unseen, "test", reference=1) == 0
        assert keep_scores(landscape, unseen, "test", reference=1, with_confusion=True) == len(landscape.minima)
        counted = [[landscape.properties[f"test_confusion_{a}_{b}"] for b in range(3)] for a in range(3)]
        np.testing.assert_array_equal(np.moveaxis(counted, 2, 0), confusion(landscape, unseen))
        with pytest.raises(ValueError, match=r"'test_accuracy' was computed from \{.*\}, not \{"):
            keep_scores(landscape, blobs(2, 10), "test", reference=1)
        with pytest.raises(ValueError, match="no points"):
            keep_scores(landscape, (np.empty((0, 2)), np.empty(0, dtype=int)), "none")
    with Landscape.open(path) as landscape:
        assert landscape.properties.attributes("test_log_loss")["testing_points"] == 5000


def test_auc_that_explore_kept_stays(tmp_path):
    path, data = tmp_path / "b.zarr", blobs(1, 50)
    data.identity = {"name": "blobs"}
    explored(path)
    with Landscape.open(path, "r+") as landscape:
        measure(landscape, _Sized(data), 1)
        before = landscape.properties["test_auc"]
        assert keep_scores(landscape, data, "test", reference=1) == len(landscape.minima)
        np.testing.assert_array_equal(landscape.properties["test_auc"], before)


class _Sized(SimpleNamespace):
    def __init__(self, data):
        super().__init__(**vars(data))

    def __len__(self):
        return len(self.labels)


def test_what_became_of_wrong_labels(trained_landscape, trained):
    data = trained[1]
    wrong, truth = data.mislabelled, data.truth
    predicted = plain(trained_landscape, data).argmax(axis=2)
    table = mislabelled_table(trained_landscape, true_labels=truth)
    own = np.take_along_axis(plain(trained_landscape, data), data.labels[None, :, None], axis=2)[:, :, 0]
    recovered = (predicted == truth)[:, wrong].mean(axis=1)
    np.testing.assert_allclose(table["learned"], (predicted == data.labels)[:, wrong].mean(axis=1), atol=1e-14)
    np.testing.assert_allclose(table["wrong_probability"], own[:, wrong].mean(axis=1), atol=1e-12)
    np.testing.assert_allclose(table["recovered"], recovered, atol=1e-14)
    np.testing.assert_allclose(table["learned_by_chance"], (1 - recovered) / 2, atol=1e-14)
    assert list(mislabelled_table(trained_landscape)) == ["learned", "wrong_probability"]


def test_chance_is_what_a_network_gets_that_never_saw_the_wrong_labels():
    """Predictions that know nothing of them learn as many as "learned_by_chance" says, but for counting noise."""
    data = blobs(5, 40_000)
    loss = NetworkLoss(data.inputs, data.labels, hidden=(3,), mislabelled=data.mislabelled)
    rows = np.random.default_rng(0).uniform(-2, 2, (4, loss.n_weights))
    table = mislabelled_table(rows, loss, data.truth, loss=loss)
    noise = np.sqrt(0.25 / data.mislabelled.sum())
    np.testing.assert_allclose(table["learned"], table["learned_by_chance"], atol=4 * noise)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inputs": np.zeros((5000, 3))}, r"data(set)?.inputs has shape \(5000, 3\); \(N, 2\) is needed"),
        ({"inputs": np.full((5000, 2), np.nan)}, "not finite"),
        ({"labels": np.full(5000, 3)}, "labels must lie between 0 and 2"),
        ({"labels": np.full(5000, 0.5)}, "labels must be whole numbers"),
        ({"labels": np.full(5000, np.nan)}, "labels must lie between"),
        ({"labels": np.zeros(4999, dtype=int)}, r"labels has shape \(4999,\)"),
        ({"n_classes": 10}, "dataset has 10 classes, and the network 3"),
    ],
)
def test_unseen_that_do_not_fit_are_named(trained_landscape, unseen, change, message):
    with pytest.raises(ValueError, match=message):
        score_table(trained_landscape, SimpleNamespace(**(vars(unseen) | change)))


def test_other_bad_input_is_named(trained_landscape, unseen):
    with pytest.raises(TypeError, match=r"dataset is None; data with \.inputs and \.labels"):
        score_table(trained_landscape, None)
    with pytest.raises(TypeError, match="minima of LJAT have no predictions"):
        class_probabilities([[0.0]], unseen, loss=LJAT())
    with pytest.raises(IndexError, match="there is no minimum 99"):
        class_probabilities(trained_landscape, unseen, rows=[0, 99])
    with pytest.raises(TypeError, match="rows must be numbers of minima"):
        agreement(trained_landscape, unseen, rows=[0.5])
    with pytest.raises(ValueError, match="no points"):
        agreement(trained_landscape, np.empty((0, 2)))
    bad = trained_landscape.minima.coordinates[:2]
    bad[1] = np.nan
    loss = trained_landscape.system.potential
    for function in (predicted_classes, confusion):
        with pytest.raises(ValueError, match=r"minima\[1\] has weights that give NaN"):
            function(bad, unseen, loss=loss)
    assert np.isnan(score_table(bad, unseen, loss=loss)["accuracy"]).tolist() == [False, True]


def test_bad_wrong_labels_are_named(trained_landscape, unseen, trained):
    clean = SimpleNamespace(inputs=unseen.inputs, labels=unseen.labels)
    with pytest.raises(ValueError, match="no mislabelled points"):
        mislabelled_table(trained_landscape, clean)
    with pytest.raises(ValueError, match=r"true_labels has shape \(3,\)"):
        mislabelled_table(trained_landscape, true_labels=[0, 1, 2])
    with pytest.raises(ValueError, match="true_labels must differ"):
        mislabelled_table(trained_landscape, true_labels=trained[1].labels)
    with pytest.raises(ValueError, match="true_labels must lie"):
        mislabelled_table(trained_landscape, true_labels=np.where(trained[1].mislabelled, 7, trained[1].labels))
