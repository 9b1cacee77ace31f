"""Conversions of networks to scikit-learn and back.

Predictions are equal, but losses may differ: scikit-learn's ``alpha`` is divided by twice the number of data and covers
the weight matrices only, while ``l2`` covers biases too; and for two classes it has one logistic output where a
NetworkLoss of the cross-entropy has two outputs, of which only the difference matters. A minimum of one loss is then no
minimum of the other. ``from_sklearn(..., same_loss=True)`` makes a loss that is scikit-learn's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import ArrayLike

from thalweg.analysis.prediction.conversions import layer_matrices
from thalweg.analysis.prediction.minima_arguments import minimum_weights, network_of
from thalweg.analysis.prediction.minima_protocols import HasMinima
from thalweg.potentials.neural_network.activations.kinds import checked_activations
from thalweg.potentials.neural_network.loss import NetworkLoss
from thalweg.potentials.neural_network.weights import Weights
from thalweg.potentials.point import Point

if TYPE_CHECKING:
    from sklearn.neural_network import MLPClassifier, MLPRegressor

__all__ = ["from_sklearn", "to_sklearn"]


def to_sklearn(
    subject: HasMinima | Point, minimum: int | None = None, *, classes: ArrayLike | None = None
) -> MLPClassifier | MLPRegressor:
    """Return a network as a fitted ``MLPClassifier`` or ``MLPRegressor`` of scikit-learn that predicts the same.

    Parameters
    ----------
    subject, minimum
        As for :func:`layer_matrices`.
    classes : (n_classes,) array_like, optional
        Names of the classes, rising; 0, 1, ... by default.

    Returns
    -------
    MLPClassifier, or MLPRegressor for the squared error
        Its ``alpha`` is 2 N l2, or N l2 / outputs for a regressor, which weighs weights (not biases) as a NetworkLoss
        does; its solver is "lbfgs". After ``set_params(warm_start=True)`` its ``fit`` continues from these weights, on
        its own loss.

    Raises
    ------
    ValueError
        If there are not as many classes as the network has, or they do not rise; or if scikit-learn lacks the
        activation, or has one for each layer.

    Examples
    --------
    >>> from thalweg.analysis import to_sklearn
    >>> from thalweg.potentials import NetworkLoss, Weights
    >>> loss = NetworkLoss([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 1, 1], hidden=(2,))
    >>> minimum = [1, 0, 0, 0, -1, 0, 1, 0, 0, 0, 0, 0]  # input 0 favours class 1
    >>> to_sklearn(Weights(loss, minimum), classes=["low", "up"]).predict([[1.0, 0.0], [-1.0, 0.0]])
    array(['up', 'low'], dtype='<U3')
    """
    weights = minimum_weights(subject, minimum)
    loss, (matrices, biases) = network_of(weights), layer_matrices(weights)
    activation = _sklearn_activation(loss.activation)
    if loss.loss == "squared_error":
        if classes is not None:
            raise ValueError("classes are names of classes; this network predicts numbers")
        model: Any = _regressor(loss, activation)
    else:
        model = _classifier(loss, activation, classes)
        if loss.loss == "cross_entropy" and loss.n_classes == 2:
            matrices[-1], biases[-1] = np.diff(matrices[-1], axis=0), np.diff(biases[-1])
    model.coefs_, model.intercepts_ = [matrix.T.copy() for matrix in matrices], biases
    model.n_features_in_, model.n_layers_ = loss.layers[0], len(loss.layers)
    model.n_outputs_ = len(biases[-1])
    model.n_iter_ = model.t_ = 0
    model.loss_ = float(weights.get_potential_energy())
    return cast("MLPClassifier | MLPRegressor", model)


def _sklearn_activation(names: Sequence[str]) -> str:
    """Return the one activation of a network that scikit-learn has, or raise ValueError."""
    unknown = set(names) - {"tanh", "logistic"}
    if unknown or len(set(names)) > 1:
        raise ValueError(
            f"scikit-learn has tanh and logistic, one for all layers; this network has {', '.join(names)}: "
            "to_torch and to_numpy have all activations"
        )
    return names[0] if names else "tanh"


def _regressor(loss: NetworkLoss, activation: str) -> MLPRegressor:
    from sklearn.neural_network import MLPRegressor

    alpha = len(loss.inputs) * loss.l2 / loss.layers[-1]
    model = MLPRegressor(hidden_layer_sizes=loss.hidden, activation=activation, solver="lbfgs", alpha=alpha)
    model.out_activation_ = "identity"
    return model


def _classifier(loss: NetworkLoss, activation: str, classes: ArrayLike | None) -> MLPClassifier:
    from sklearn.neural_network import MLPClassifier
    from sklearn.preprocessing import LabelBinarizer

    if not loss.classifies:
        raise ValueError("the network has several labels a point; to_torch and to_numpy convert it")
    names = np.arange(loss.n_classes) if classes is None else np.asarray(classes)
    if names.shape != (loss.n_classes,) or not np.array_equal(np.unique(names), names):
        raise ValueError(f"classes must be {loss.n_classes} different names, rising; they are {classes!r}")
    alpha = 2 * len(loss.labels) * loss.l2
    model = MLPClassifier(loss.hidden, activation=activation, solver="lbfgs", alpha=alpha)
    model.classes_, model._label_binarizer = names, LabelBinarizer().fit(names)
    model.out_activation_ = "logistic" if loss.n_classes == 2 else "softmax"
    return model


def from_sklearn(
    model: MLPClassifier | MLPRegressor,
    inputs: ArrayLike,
    labels: ArrayLike,
    l2: float | None = None,
    *,
    same_loss: bool = False,
) -> Weights:
    """Return a fitted MLPClassifier or MLPRegressor as Weights that predict the same, with a NetworkLoss of these data.

    The single logistic output z of two classes becomes two, -z/2 and z/2, the pair of smallest L2 term, unless
    `same_loss` is asked for.

    Parameters
    ----------
    model : sklearn.neural_network.MLPClassifier or MLPRegressor
        A fitted model with the activation "tanh" or "logistic" (any, without hidden layers).
    inputs : (N, n_in) array_like
        Inputs of the loss, such as those that the model was fitted to.
    labels : (N,) array_like
        Labels of the loss, each one of ``model.classes_``; for a regressor its targets, (N,) or (N, outputs).
    l2 : float, optional
        Strength of the L2 term; by default ``alpha / (2 N)``, which is the effect of alpha for N data seen at once
        (solver "lbfgs"); for other solvers N is the size of a batch. For a regressor ``alpha * outputs / N``.
    same_loss : bool
        Whether the loss is scikit-learn's own: an L2 term without biases, and one logistic output for two classes. The
        energy at the weights is then ``model.loss_`` of solver "lbfgs", times 2 outputs for a regressor, whose loss is
        half of the mean over data and outputs.

    Returns
    -------
    Weights
        Class k is ``model.classes_[k]``. Without `same_loss` they are not a minimum of this loss, whose L2 term counts
        biases: minimise.

    Raises
    ------
    TypeError, ValueError
        If the model is not a fitted network of this kind, or the data do not fit it; for a regressor of another loss
        than the squared error; for ``activation="relu"``, which has kinks, the message says why.

    Examples
    --------
    >>> from sklearn.neural_network import MLPClassifier
    >>> from thalweg.analysis import from_sklearn
    >>> inputs, labels = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], ["no", "no", "yes", "yes"]
    >>> model = MLPClassifier((2,), activation="tanh", solver="lbfgs", random_state=0).fit(inputs, labels)
    >>> from_sklearn(model, inputs, labels).calc
    NetworkLoss([2, 2, 2], 4 data, l2=1.25e-05, neighbours=None)
    """
    from sklearn.utils.validation import check_is_fitted

    regresses = _check_model(model)
    check_is_fitted(model)
    fitted: Any = model
    one = not regresses and fitted.out_activation_ == "logistic"
    if one and len(fitted.classes_) != 2:
        raise ValueError("model predicts several labels at once; from_sklearn converts those of one class a point")
    matrices = [np.asarray(matrix, dtype=np.float64).T for matrix in fitted.coefs_]
    biases = [np.asarray(bias, dtype=np.float64) for bias in fitted.intercepts_]
    if one and not same_loss:
        matrices[-1] = np.concatenate([-0.5 * matrices[-1], 0.5 * matrices[-1]])
        biases[-1] = np.concatenate([-0.5 * biases[-1], 0.5 * biases[-1]])
    targets = np.asarray(labels) if regresses else _codes(labels, fitted.classes_)
    if l2 is None:
        l2 = fitted.alpha * (len(biases[-1]) if regresses else 0.5) / max(1, len(targets))
    hidden = [len(bias) for bias in biases[:-1]]
    kind = "squared_error" if regresses else "logistic" if one and same_loss else "cross_entropy"
    activation = fitted.activation if hidden else "tanh"
    loss = NetworkLoss(
        inputs,
        targets,
        hidden=hidden,
        l2=l2,
        n_classes=None if regresses else len(fitted.classes_),
        activation=activation,
        loss=kind,
        l2_biases=not same_loss,
    )
    if loss.layers[0] != matrices[0].shape[1]:
        raise ValueError(f"inputs have {loss.layers[0]} columns; the model was fitted to {matrices[0].shape[1]}")
    if loss.layers[-1] != len(biases[-1]):
        raise ValueError(f"targets have {loss.layers[-1]} columns; the model has {len(biases[-1])} outputs")
    return Weights(loss, np.concatenate([array.ravel() for array in (*matrices, *biases)]))


def _check_model(model: object) -> bool:
    """Return whether the model is a regressor, or raise TypeError or ValueError for what no NetworkLoss is."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    if not isinstance(model, MLPClassifier | MLPRegressor):
        raise TypeError(f"model must be an MLPClassifier or MLPRegressor, not {type(model).__name__}")
    if len(getattr(model, "coefs_", [None, None])) > 1:
        if model.activation == "relu":
            checked_activations("relu", 1)
        if model.activation not in ("tanh", "logistic"):
            raise ValueError(
                f'model must have activation="tanh" or "logistic", as a NetworkLoss has; it has {model.activation!r}'
            )
    regresses, loss = isinstance(model, MLPRegressor), getattr(model, "loss", "squared_error")
    if regresses and loss != "squared_error":
        raise ValueError(f'model must have loss="squared_error", which a NetworkLoss has; it has {loss!r}')
    return regresses


def _codes(labels: ArrayLike, classes: np.ndarray) -> np.ndarray:
    """Return the number of each label's class."""
    given = np.asarray(labels)
    if given.ndim != 1:
        raise ValueError(f"labels must have one entry for each row of inputs; the shape is {given.shape}")
    codes = np.minimum(np.searchsorted(classes, given), len(classes) - 1)
    unknown = classes[codes] != given
    if unknown.any():
        raise ValueError(
            f"labels hold {given[unknown].tolist()[0]!r}, which is no class of the model: {classes.tolist()}"
        )
    return codes
