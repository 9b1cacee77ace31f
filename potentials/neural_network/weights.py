"""A network's weight vector, as a point on its loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg.potentials.lazy import public
from thalweg.potentials.neural_network.loss import NetworkLoss
from thalweg.potentials.point import Point

__all__ = ["Weights"]


@public("thalweg.potentials")
class Weights(Point):
    """The weights of a network, with the loss as their calculator.

    Parameters
    ----------
    loss : NetworkLoss
        Knows the shape and which weights are frozen.
    x : array_like, shape (n_weights,), optional
        The weights, zero by default: matrices layer by layer from the input, row by receiving unit, then the biases.

    Raises
    ------
    TypeError
        If loss is no NetworkLoss.
    ValueError
        If x has the wrong length, is not finite, or is not zero at a frozen weight.
    """

    def __init__(self, loss: NetworkLoss, x: Any = None):
        if not isinstance(loss, NetworkLoss):
            raise TypeError(f"loss must be a NetworkLoss, not {type(loss).__name__}")
        x = np.zeros(loss.n_weights) if x is None else np.array(x, dtype=np.float64)
        loss.check_coordinates(x)
        if np.any(x[~loss.mask] != 0):
            raise ValueError("x must be zero where the loss has frozen weights (loss.mask is False)")
        super().__init__(x, calc=loss, frozen=~loss.mask)

    @classmethod
    def random(cls, loss: NetworkLoss, seed: int | np.random.Generator = 0) -> Weights:
        """Return weights drawn uniformly from (-1, 1), zero where frozen."""
        return cls(loss, loss.random_coordinates(loss.n_weights, np.random.default_rng(seed)))
