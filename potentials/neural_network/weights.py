"""Weights of a network as a Point on its loss."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

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
