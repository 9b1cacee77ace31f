"""Conversions of networks to PyTorch and plain numpy; those to and from scikit-learn are in ``scikit_learn``."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from thalweg.analysis.prediction.minima_arguments import minimum_weights, network_of
from thalweg.analysis.prediction.minima_protocols import HasMinima
from thalweg.potentials.point import Point

if TYPE_CHECKING:
    from torch.nn import Sequential

__all__ = ["layer_matrices", "network_function", "to_numpy", "to_torch"]


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


def _logistic(z: np.ndarray) -> np.ndarray:
    e = np.exp(-np.abs(z))
    return np.where(z < 0, e, 1.0) / (1.0 + e)


_ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "tanh": np.tanh,
    "logistic": _logistic,
    "softplus": lambda z: np.logaddexp(0.0, z),
    "gelu": lambda z: 0.5 * z * np.vectorize(math.erfc, otypes=[np.float64])(-z * 0.5**0.5),
    "silu": lambda z: z * _logistic(z),
}


def network_function(
    inputs: ArrayLike,
    matrices: list[np.ndarray],
    biases: list[np.ndarray],
    activation: Sequence[str] | None = None,
    loss: str = "cross_entropy",
) -> np.ndarray:
    """Return a network's predictions at inputs (N, n_in), by plain numpy.

    Parameters
    ----------
    inputs : (N, n_in) array_like
    matrices, biases
        Weights of the layers as :func:`layer_matrices` returns them.
    activation : sequence of str, optional
        Activation of each hidden layer, "tanh" by default.
    loss : str
        Loss of the network, which says what the predictions are.

    Returns
    -------
    (N, outputs) ndarray
        Probability of each class; of a 1 for each output of the logistic loss; outputs for the squared error.
    """
    h = np.asarray(inputs, dtype=np.float64)
    names = ("tanh",) * (len(matrices) - 1) if activation is None else activation
    for matrix, bias, name in zip(matrices[:-1], biases[:-1], names, strict=True):
        h = _ACTIVATIONS[name](h @ matrix.T + bias)
    y = h @ matrices[-1].T + biases[-1]
    if loss != "cross_entropy":
        return _logistic(y) if loss == "logistic" else y
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
        Function of inputs (N, n_in) that returns probabilities (N, n_classes), of a 1 for each output of the logistic
        loss, or outputs for the squared error.

    Examples
    --------
    >>> from thalweg.analysis import to_numpy
    >>> from thalweg.potentials import NetworkLoss, Weights
    >>> loss = NetworkLoss([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], hidden=(2,))
    >>> predict = to_numpy(Weights(loss))  # all weights zero
    >>> predict([[0.0, 1.0]])
    array([[0.5, 0.5]])
    """
    weights = minimum_weights(subject, minimum)
    loss, (matrices, biases) = network_of(weights), layer_matrices(weights)
    settings: dict[str, Any] = {} if set(loss.activation) <= {"tanh"} else {"activation": loss.activation}
    settings |= {} if loss.loss == "cross_entropy" else {"loss": loss.loss}
    return partial(network_function, matrices=matrices, biases=biases, **settings)


def to_torch(subject: HasMinima | Point, minimum: int | None = None, *, probabilities: bool = False) -> Sequential:
    """Return a network as a ``torch.nn.Sequential`` of float64: Linear, its activation, ..., Linear.

    Parameters
    ----------
    subject, minimum
        As for :func:`layer_matrices`.
    probabilities : bool
        Whether a Softmax comes last, or a Sigmoid for the logistic loss. Without it, the outputs are those that
        ``torch.nn.CrossEntropyLoss``, ``BCEWithLogitsLoss`` or ``MSELoss`` takes.

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
    weights = minimum_weights(subject, minimum)
    loss = network_of(weights)
    names = {"tanh": "Tanh", "logistic": "Sigmoid", "gelu": "GELU", "silu": "SiLU"}
    for layer, (matrix, bias) in enumerate(zip(*layer_matrices(weights), strict=True)):
        linear = torch.nn.Linear(matrix.shape[1], matrix.shape[0], dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(matrix))
            linear.bias.copy_(torch.from_numpy(bias))
        parts.append(linear)
        if layer < len(loss.activation):
            name = loss.activation[layer]
            # PyTorch's softplus is linear from 20 on by default, which is wrong by 2e-9
            softplus = name == "softplus"
            parts.append(torch.nn.Softplus(threshold=700) if softplus else getattr(torch.nn, names[name])())
    last: dict[str, list[Any]] = {
        "cross_entropy": [torch.nn.Softmax(dim=1)],
        "logistic": [torch.nn.Sigmoid()],
        "squared_error": [],
    }
    return torch.nn.Sequential(*parts, *(last[loss.loss] if probabilities else []))
