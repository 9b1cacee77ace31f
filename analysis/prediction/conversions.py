"""Networks of this package as scikit-learn's, as PyTorch's, and as plain numpy; and scikit-learn's as ours.

What cannot be equal: scikit-learn's ``alpha`` is divided by twice the number of data and covers the weight matrices
only, our ``l2`` covers biases too; and for two classes it has one logistic output where we have two, whose difference
alone counts. Predictions are equal, but a minimum of one loss is none of the other's: minimise again to go on.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg.analysis.prediction.arguments import minimum_weights
from thalweg.potentials.neural_network.loss import NetworkLoss
from thalweg.potentials.neural_network.weights import Weights

if TYPE_CHECKING:
    from collections.abc import Callable

    from sklearn.neural_network import MLPClassifier

__all__ = ["from_sklearn", "layer_matrices", "network_function", "to_numpy", "to_sklearn", "to_torch"]


def layer_matrices(subject: Any, minimum: int | None = None) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return a network's weight matrices and biases, layer by layer from the input.

    Parameters
    ----------
    subject : Weights or Landscape
    minimum : int, optional
        Which of a landscape's minima; the lowest by default.

    Returns
    -------
    matrices : list of (units, units below) ndarray
    biases : list of (units,) ndarray
    """
    weights = minimum_weights(subject, minimum)
    layers, x = weights.calc.layers, weights.x
    matrices, biases, start = [], [], 0
    for below, above in pairwise(layers):
        matrices.append(x[start : start + below * above].reshape(above, below).copy())
        start += below * above
    for above in layers[1:]:
        biases.append(x[start : start + above].copy())
        start += above
    return matrices, biases


def network_function(inputs: Any, matrices: list[np.ndarray], biases: list[np.ndarray]) -> np.ndarray:
    """Return the probability of each class, (N, n_classes), at inputs (N, n_in): plain numpy, easily copied.

    Parameters
    ----------
    inputs : (N, n_in) array_like
    matrices, biases
        As :func:`layer_matrices` gives them.
    """
    h = np.asarray(inputs, dtype=np.float64)
    for matrix, bias in zip(matrices[:-1], biases[:-1], strict=True):
        h = np.tanh(h @ matrix.T + bias)
    y = h @ matrices[-1].T + biases[-1]
    p = np.exp(y - y.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def to_numpy(subject: Any, minimum: int | None = None) -> Callable[[Any], np.ndarray]:
    """Return a network as a function of its inputs that needs numpy only, and can be pickled.

    Parameters
    ----------
    subject : Weights or Landscape
    minimum : int, optional
        Which of a landscape's minima; the lowest by default.

    Returns
    -------
    callable
        From inputs (N, n_in) to probabilities (N, n_classes).
    """
    matrices, biases = layer_matrices(subject, minimum)
    return partial(network_function, matrices=matrices, biases=biases)


def to_torch(subject: Any, minimum: int | None = None, *, probabilities: bool = False) -> Any:
    """Return a network as a ``torch.nn.Sequential`` of float64: Linear, Tanh, ..., Linear.

    Parameters
    ----------
    subject : Weights or Landscape
    minimum : int, optional
        Which of a landscape's minima; the lowest by default.
    probabilities : bool
        Whether a Softmax comes last. Without, it gives what ``torch.nn.CrossEntropyLoss`` takes.

    Raises
    ------
    ImportError
        If there is no PyTorch.
    """
    try:
        import torch
    except ImportError as error:
        raise ImportError("to_torch needs PyTorch: pip install torch") from error
    parts: list[Any] = []
    for matrix, bias in zip(*layer_matrices(subject, minimum), strict=True):
        linear = torch.nn.Linear(matrix.shape[1], matrix.shape[0], dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(matrix))
            linear.bias.copy_(torch.from_numpy(bias))
        parts += [linear, torch.nn.Tanh()]
    parts.pop()
    return torch.nn.Sequential(*parts, *([torch.nn.Softmax(dim=1)] if probabilities else []))


def to_sklearn(subject: Any, minimum: int | None = None, *, classes: Any = None) -> MLPClassifier:
    """Return a network as a fitted ``sklearn.neural_network.MLPClassifier`` that predicts the same.

    Parameters
    ----------
    subject : Weights or Landscape
    minimum : int, optional
        Which of a landscape's minima; the lowest by default.
    classes : (n_classes,) array_like, optional
        What the classes are called, rising; 0, 1, ... by default.

    Returns
    -------
    MLPClassifier
        Its ``alpha`` is 2 N l2, which weighs weights (not biases) as ours; its solver "lbfgs": with
        ``set_params(warm_start=True)`` its ``fit`` goes on from here, on its own loss.

    Raises
    ------
    ValueError
        If classes are not as many as the network's, or do not rise.
    """
    from sklearn.neural_network import MLPClassifier
    from sklearn.preprocessing import LabelBinarizer

    weights = minimum_weights(subject, minimum)
    loss, (matrices, biases) = weights.calc, layer_matrices(weights)
    names = np.arange(loss.n_classes) if classes is None else np.asarray(classes)
    if names.shape != (loss.n_classes,) or not np.array_equal(np.unique(names), names):
        raise ValueError(f"classes must be {loss.n_classes} different names, rising; they are {classes!r}")
    if loss.n_classes == 2:
        matrices[-1], biases[-1] = np.diff(matrices[-1], axis=0), np.diff(biases[-1])
    alpha = 2 * len(loss.labels) * loss.l2
    model = MLPClassifier(loss.hidden, activation="tanh", solver="lbfgs", alpha=alpha)
    model.coefs_, model.intercepts_ = [matrix.T.copy() for matrix in matrices], biases
    model.classes_, model._label_binarizer = names, LabelBinarizer().fit(names)
    model.n_features_in_, model.n_layers_ = loss.layers[0], len(loss.layers)
    model.n_outputs_ = len(biases[-1])
    model.out_activation_ = "logistic" if loss.n_classes == 2 else "softmax"
    model.n_iter_ = model.t_ = 0
    model.loss_ = float(weights.get_potential_energy())
    return model


def from_sklearn(model: Any, inputs: Any, labels: Any, l2: float | None = None) -> Weights:
    """Return a fitted MLPClassifier as Weights that predict the same, on a NetworkLoss of these data.

    The single logistic output z of two classes becomes two, -z/2 and z/2, the pair of smallest L2 term.

    Parameters
    ----------
    model : sklearn.neural_network.MLPClassifier
        Fitted, with ``activation="tanh"`` (any, without hidden layers).
    inputs : (N, n_in) array_like
        The data of the loss: those the model was fitted to, say.
    labels : (N,) array_like
        As the model knows them: each one of ``model.classes_``.
    l2 : float, optional
        ``alpha / (2 N)`` by default: what alpha means for N data seen at once (solver "lbfgs"); for others, N is the
        batch's size.

    Returns
    -------
    Weights
        Class k is ``model.classes_[k]``. No minimum of this loss, which counts biases in the L2 term: minimise.

    Raises
    ------
    TypeError, ValueError
        If the model is no classifier of this kind or not fitted, or the data do not fit it.
    """
    from sklearn.utils.validation import check_is_fitted

    _check_model(model)
    check_is_fitted(model)
    if model.out_activation_ == "logistic" and len(model.classes_) != 2:
        raise ValueError("model predicts several labels at once; a NetworkLoss has one class a point")
    matrices = [np.asarray(matrix, dtype=np.float64).T for matrix in model.coefs_]
    biases = [np.asarray(bias, dtype=np.float64) for bias in model.intercepts_]
    if model.out_activation_ == "logistic":
        matrices[-1] = np.concatenate([-0.5 * matrices[-1], 0.5 * matrices[-1]])
        biases[-1] = np.concatenate([-0.5 * biases[-1], 0.5 * biases[-1]])
    codes = _codes(labels, model.classes_)
    l2 = model.alpha / (2 * max(1, len(codes))) if l2 is None else l2
    hidden = [len(bias) for bias in biases[:-1]]
    loss = NetworkLoss(inputs, codes, hidden=hidden, l2=l2, n_classes=len(model.classes_))
    if loss.layers[0] != matrices[0].shape[1]:
        raise ValueError(f"inputs have {loss.layers[0]} columns; the model was fitted to {matrices[0].shape[1]}")
    return Weights(loss, np.concatenate([array.ravel() for array in (*matrices, *biases)]))


def _check_model(model: Any) -> None:
    from sklearn.neural_network import MLPClassifier

    if not isinstance(model, MLPClassifier):
        raise TypeError(f"model must be an MLPClassifier, not {type(model).__name__}")
    if model.activation != "tanh" and len(getattr(model, "coefs_", [None, None])) > 1:
        raise ValueError(f'model must have activation="tanh", as a NetworkLoss has; it has {model.activation!r}')


def _codes(labels: Any, classes: np.ndarray) -> np.ndarray:
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
