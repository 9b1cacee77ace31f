"""Weights of a network as a Point on its loss."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from thalweg.potentials.lazy import public
from thalweg.potentials.neural_network.loss import NetworkLoss
from thalweg.potentials.point import Point
from thalweg.potentials.protocols import Vector

__all__ = ["TrainedModel", "Weights", "packed_model"]


class _Module(Protocol):
    """Module of PyTorch."""

    def named_parameters(self) -> Iterable[tuple[str, Any]]: ...


class _Fitted(Protocol):
    """Fitted network of scikit-learn."""

    coefs_: Sequence[Any]
    intercepts_: Sequence[Any]


TrainedModel: TypeAlias = _Module | _Fitted
"""Module of PyTorch, or a fitted MLPClassifier or MLPRegressor of scikit-learn."""


@public("thalweg.potentials")
class Weights(Point):
    """The weights of a network, with the loss as their calculator.

    Parameters
    ----------
    loss : NetworkLoss
        Loss that defines the shape of the network and its frozen weights.
    x : array_like, shape (n_weights,), optional
        Weights, zero by default: matrices layer by layer from the input, row by receiving unit, then the biases.

    Raises
    ------
    TypeError
        If loss is no NetworkLoss.
    ValueError
        If x has the wrong length, is not finite, or is not zero at a frozen weight.

    Examples
    --------
    >>> from thalweg.potentials import NetworkLoss, Weights
    >>> loss = NetworkLoss([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1], hidden=(3,))
    >>> weights = Weights.random(loss, seed=0)
    >>> len(weights), weights.calc is loss, bool((abs(weights.x) < 1).all())
    (17, True, True)
    """

    def __init__(self, loss: NetworkLoss, x: ArrayLike | None = None):
        if not isinstance(loss, NetworkLoss):
            raise TypeError(f"loss must be a NetworkLoss, not {type(loss).__name__}")
        values = np.zeros(loss.n_weights) if x is None else np.array(x, dtype=np.float64)
        loss.check_coordinates(values)
        if np.any(values[~loss.mask] != 0):
            raise ValueError("x must be zero where the loss has frozen weights (loss.mask is False)")
        super().__init__(values, calc=loss, frozen=~loss.mask)

    @classmethod
    def random(cls, loss: NetworkLoss, seed: int | np.random.Generator = 0) -> Weights:
        """Draw weights uniformly from (-1, 1), zero where frozen."""
        return cls(loss, loss.random_coordinates(loss.n_weights, np.random.default_rng(seed)))


def packed_model(loss: NetworkLoss, model: Any) -> Vector:
    """Return the parameters of a trained model as weights (n_weights,) of a loss with layers of the same widths.

    The logistic output z of a scikit-learn classifier of two classes becomes -z/2 and z/2 where the loss has two
    outputs: the same probabilities.

    Parameters
    ----------
    loss : NetworkLoss
    model : torch.nn.Module, MLPClassifier or MLPRegressor
        A chain of linear layers, whose activations are taken to be those of the loss.

    Raises
    ------
    ValueError
        If the model's layers have other widths, or no biases.
    """
    if hasattr(model, "coefs_"):
        matrices = [np.asarray(part, dtype=np.float64).T for part in model.coefs_]
        biases = [np.asarray(part, dtype=np.float64) for part in model.intercepts_]
    else:
        parts = [part.detach().cpu().double().numpy() for _, part in model.named_parameters()]
        matrices, biases = ([part for part in parts if part.ndim == ndim] for ndim in (2, 1))
    if loss.loss == "cross_entropy" and loss.layers[-1] == 2 and len(matrices) and len(matrices[-1]) == 1:
        matrices[-1], biases[-1] = (np.concatenate([-part, part]) / 2 for part in (matrices[-1], biases[-1]))
    shapes = [part.shape for part in (*matrices, *biases)]
    widths = loss.layers
    wanted = [*zip(widths[1:], widths[:-1], strict=True), *((width,) for width in widths[1:])]
    if shapes != wanted:
        raise ValueError(f"the model must be a chain of linear layers with biases, of widths {list(widths)}: {shapes}")
    return np.concatenate([part.ravel() for part in (*matrices, *biases)])
