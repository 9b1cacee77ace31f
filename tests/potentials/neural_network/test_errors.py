"""What makes no network is refused with a message that names the argument."""

from __future__ import annotations

import numpy as np
import pytest

from thalweg.potentials.neural_network.loss import NetworkLoss

INPUTS, LABELS = np.array([[0.0, 1.0], [1.0, 0.5], [2.0, 0.1]]), np.array([0, 1, 2])


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"inputs": [1.0, 2.0, 3.0]}, ValueError, r"inputs must have the shape \(N, n_in\)"),
        ({"inputs": np.zeros((0, 2)), "labels": []}, ValueError, "inputs must hold at least one point"),
        ({"inputs": np.zeros((3, 0))}, ValueError, "inputs must hold at least one point"),
        ({"inputs": [[0.0, 1.0], [np.nan, 0.5], [2.0, 0.1]]}, ValueError, r"inputs\[1, 0\] is nan"),
        ({"inputs": [[0.0, 1.0], [1.0, 0.5], [2.0, np.inf]]}, ValueError, r"inputs\[2, 1\] is inf"),
        ({"inputs": 1e60 * INPUTS}, ValueError, "inputs must be below"),
        ({"labels": [0, 1]}, ValueError, "labels must have one entry for each of the 3 rows"),
        ({"labels": [[0], [1], [2]]}, ValueError, "labels must have one entry"),
        ({"labels": [0, 1, -1]}, ValueError, r"labels must lie in 0 ... 1 .* one is -1"),
        ({"labels": [0, 1, 3], "n_classes": 3}, ValueError, r"labels must lie in 0 ... 2 .* one is 3"),
        ({"labels": [0.0, 0.5, 1.0]}, ValueError, "labels must be integers"),
        ({"labels": [0.0, np.nan, 1.0]}, ValueError, "labels must be integers"),
        ({"labels": ["a", "b", "c"]}, TypeError, "labels must be integers, not <U1: np.unique.* numbers the classes"),
        ({"labels": [True, False, True]}, TypeError, "labels must be integers, not bool: np.unique"),
        ({"inputs": INPUTS + 1j}, TypeError, "inputs must be real numbers"),
        ({"labels": [0, 0, 0]}, ValueError, "give n_classes"),
        ({"n_classes": 1, "labels": [0, 0, 0]}, ValueError, "n_classes must be at least 2"),
        ({"n_classes": 2.5}, TypeError, "n_classes must be an integer"),
        ({"l2": -1e-4}, ValueError, "l2 must be a finite number of at least 0"),
        ({"l2": np.nan}, ValueError, "l2 must be a finite number"),
        ({"l2": [0.1]}, ValueError, "l2 must be a finite number"),
        ({"l2": "much"}, ValueError, "l2 must be a finite number"),
        ({"hidden": (10, 0)}, ValueError, "hidden must hold widths of at least 1"),
        ({"hidden": (2.5,)}, TypeError, "hidden must be an integer"),
        ({"hidden": -3}, ValueError, "hidden must hold widths"),
        ({"neighbours": 0}, ValueError, "would disconnect every unit"),
        ({"neighbours": -1}, ValueError, "would disconnect every unit"),
        ({"neighbours": 1.5}, TypeError, "neighbours must be an integer"),
        ({"neighbours": 1, "hidden": ()}, ValueError, "neighbours needs a hidden layer"),
        ({"mislabelled": [0, 1, 0]}, ValueError, "mislabelled must be booleans"),
        ({"mislabelled": [True]}, ValueError, "mislabelled must be booleans"),
        ({"momentum": 0.9}, TypeError, "momentum"),
    ],
)
def test_bad_arguments(changed, error, message):
    arguments = {"inputs": INPUTS, "labels": LABELS, "hidden": (4,)} | changed
    with pytest.raises(error, match=message):
        NetworkLoss(**arguments)


def test_a_loss_cannot_be_changed():
    loss = NetworkLoss(INPUTS, LABELS)
    with pytest.raises(TypeError, match="cannot be changed"):
        loss.set(l2=0.1)
    with pytest.raises(ValueError, match="read-only"):
        loss.inputs[0, 0] = 5.0


def test_the_data_are_copied():
    inputs, labels = INPUTS.copy(), LABELS.copy()
    loss = NetworkLoss(inputs, labels)
    energy = loss.energy(np.ones(loss.n_weights))
    inputs[:], labels[:] = 9.0, 0
    assert np.array_equal(loss.inputs, INPUTS)
    assert np.array_equal(loss.labels, LABELS)
    assert loss.energy(np.ones(loss.n_weights)) == energy


def test_wrong_coordinates():
    loss = NetworkLoss(INPUTS, LABELS)
    for call in (loss.energy, loss.hessian, lambda x: loss.hessian_vector(np.zeros(loss.n_weights), x)):
        with pytest.raises(ValueError, match=f"{loss.n_weights} weights"):
            call(np.zeros(7))
    with pytest.raises(ValueError, match=r"inputs must have the shape \(N, 2\)"):
        loss.probabilities(np.zeros(loss.n_weights), np.zeros((4, 3)))
    with pytest.raises(ValueError, match=r"labels must lie in 0 \.\.\. 2"):
        loss.cross_entropy(np.zeros(loss.n_weights), INPUTS, [0, 1, 3])
