"""Conversions of networks to scikit-learn, PyTorch and plain numpy, and of scikit-learn's networks to Weights.

Predictions are equal, but losses differ: scikit-learn's ``alpha`` is divided by twice the number of data and covers the
weight matrices only, while ``l2`` covers biases too; and for two classes it has one logistic output where a NetworkLoss
has two outputs, of which only the difference matters. A minimum of one loss is not a minimum of the other: minimise
again before going on.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from thalweg.analysis.prediction.minima_arguments import minimum_weights, network_of
from thalweg.analysis.prediction.minima_protocols import HasMinima
from thalweg.potentials.neural_network.loss import NetworkLoss
from thalweg.potentials.neural_network.weights import Weights
from thalweg.potentials.point import Point

if TYPE_CHECKING:
    from collections.abc import Callable

    from sklearn.neural_network import MLPClassifier
    from torch.nn import Sequential

__all__ = ["from_sklearn", "layer_matrices", "network_function", "to_numpy", "to_sklearn", "to_torch"]


def layer_matrices(subject: HasMinima | Point, minimum: int | None = None) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return a network's weight matrices and biases, layer by layer from the input.

    Parameters
    ----------
    subject : Weights or Landscape
    minimum : int, optional
        Row of a landscape's minimum; the lowest by default.

    Returns
    -------
    matrices : list of (units, units below) ndarray
    biases : list of (units,) ndarray

    Examples
    --------
    >>> from thalweg.analysis import layer_matrices
    >>> from thalweg.potentials import NetworkLoss, Weights
    >>> loss = NetworkLoss([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], hidden=(2,))
    >>> matrices, biases = layer_matrices(Weights(loss, range(12)))
    >>> matrices[0]
    array([[0., 1.],
           [2., 3.]])
    >>> biases[1]
    array([10., 11.])
    """
    weights = minimum_weights(subject, minimum)
    layers, x = network_of(weights).layers, weights.x
    matrices, biases, start = [], [], 0
    for below, above in pairwise(layers):
        matrices.append(x[start : start + below * above].reshape(above, below).copy())
        start += below * above
    for above in layers[1:]:
        biases.append(x[start : start + above].copy())
        start += above
    return matrices, biases


def network_function(inputs: ArrayLike, matrices: list[np.ndarray], biases: list[np.ndarray]) -> np.ndarray:
    """Return the probability of each class, (N, n_classes), at inputs (N, n_in), by plain numpy.

    Parameters
    ----------
    inputs : (N, n_in) array_like
    matrices, biases
        Weights of the layers as :func:`layer_matrices` returns them.
    """
    h = np.asarray(inputs, dtype=np.float64)
    for matrix, bias in zip(matrices[:-1], biases[:-1], strict=True):
        h = np.tanh(h @ matrix.T + bias)
    y = h @ matrices[-1].T + biases[-1]
    p = np.exp(y - y.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def to_numpy(subject: HasMinima | Point, minimum: int | None = None) -> Callable[[ArrayLike], np.ndarray]:
    """Return a network as a function of its inputs that needs only numpy and can be pickled.

    Parameters
    ----------
    subject, minimum
        As for :func:`layer_matrices`.

    Returns
    -------
    callable
        Function of inputs (N, n_in) that returns probabilities (N, n_classes).

    Examples
    --------
    >>> from thalweg.analysis import to_numpy
    >>> from thalweg.potentials import NetworkLoss, Weights
    >>> loss = NetworkLoss([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], hidden=(2,))
    >>> predict = to_numpy(Weights(loss))  # all weights zero
    >>> predict([[0.0, 1.0]])
    array([[0.5, 0.5]])
    """
    matrices, biases = layer_matrices(subject, minimum)
    return partial(network_function, matrices=matrices, biases=biases)


def to_torch(subject: HasMinima | Point, minimum: int | None = None, *, probabilities: bool = False) -> Sequential:
    """Return a network as a ``torch.nn.Sequential`` of float64: Linear, Tanh, ..., Linear.

    Parameters
    ----------
    subject, minimum
        As for :func:`layer_matrices`.
    probabilities : bool
        Whether a Softmax comes last. Without it, the outputs are those that ``torch.nn.CrossEntropyLoss`` takes.

    Returns
    -------
    torch.nn.Sequential

    Raises
    ------
    ImportError
        If PyTorch is not installed.

    Examples
    --------
    >>> from thalweg.analysis import to_torch
    >>> from thalweg.potentials import NetworkLoss, Weights
    >>> loss = NetworkLoss([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], hidden=(2,))
    >>> to_torch(Weights(loss))  # doctest: +SKIP
    Sequential(
      (0): Linear(in_features=2, out_features=2, bias=True)
      (1): Tanh()
      (2): Linear(in_features=2, out_features=2, bias=True)
    )
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


def to_sklearn(
    subject: HasMinima | Point, minimum: int | None = None, *, classes: ArrayLike | None = None
) -> MLPClassifier:
    """Return a network as a fitted ``sklearn.neural_network.MLPClassifier`` that predicts the same.

    Parameters
    ----------
    subject, minimum
        As for :func:`layer_matrices`.
    classes : (n_classes,) array_like, optional
        Names of the classes, rising; 0, 1, ... by default.

    Returns
    -------
    MLPClassifier
        Its ``alpha`` is 2 N l2, which weighs weights (not biases) as a NetworkLoss does; its solver is "lbfgs". After
        ``set_params(warm_start=True)`` its ``fit`` continues from these weights, on its own loss.

    Raises
    ------
    ValueError
        If there are not as many classes as the network has, or they do not rise.

    Examples
    --------
    >>> from thalweg.analysis import to_sklearn
    >>> from thalweg.potentials import NetworkLoss, Weights
    >>> loss = NetworkLoss([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 1, 1], hidden=(2,))
    >>> minimum = [1, 0, 0, 0, -1, 0, 1, 0, 0, 0, 0, 0]  # input 0 favours class 1
    >>> to_sklearn(Weights(loss, minimum), classes=["low", "up"]).predict([[1.0, 0.0], [-1.0, 0.0]])
    array(['up', 'low'], dtype='<U3')
    """
    from sklearn.neural_network import MLPClassifier
    from sklearn.preprocessing import LabelBinarizer

    weights = minimum_weights(subject, minimum)
    loss, (matrices, biases) = network_of(weights), layer_matrices(weights)
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


def from_sklearn(model: MLPClassifier, inputs: ArrayLike, labels: ArrayLike, l2: float | None = None) -> Weights:
    """Return a fitted MLPClassifier as Weights that predict the same, with a NetworkLoss of these data.

    The single logistic output z of two classes becomes two, -z/2 and z/2, the pair of smallest L2 term.

    Parameters
    ----------
    model : sklearn.neural_network.MLPClassifier
        A fitted model with ``activation="tanh"`` (any activation, without hidden layers).
    inputs : (N, n_in) array_like
        Inputs of the loss, such as those that the model was fitted to.
    labels : (N,) array_like
        Labels of the loss, each one of ``model.classes_``.
    l2 : float, optional
        Strength of the L2 term; by default ``alpha / (2 N)``, which is the effect of alpha for N data seen at once
        (solver "lbfgs"); for other solvers N is the size of a batch.

    Returns
    -------
    Weights
        Class k is ``model.classes_[k]``. They are not a minimum of this loss, whose L2 term counts biases: minimise.

    Raises
    ------
    TypeError, ValueError
        If the model is not a fitted classifier of this kind, or the data do not fit it.

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


def _check_model(model: object) -> None:
    from sklearn.neural_network import MLPClassifier

    if not isinstance(model, MLPClassifier):
        raise TypeError(f"model must be an MLPClassifier, not {type(model).__name__}")
    if model.activation != "tanh" and len(getattr(model, "coefs_", [None, None])) > 1:
        raise ValueError(f'model must have activation="tanh", as a NetworkLoss has; it has {model.activation!r}')


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
