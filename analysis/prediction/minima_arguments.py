"""Checks of the minima whose predictions are asked for: rows of weights, and the network that they belong to."""

from __future__ import annotations

from typing import NamedTuple, cast

import numpy as np
from numpy.typing import ArrayLike

from thalweg.analysis.prediction.minima_protocols import (
    HasMinima,
    HasSystem,
    LandscapeMinima,
    MinimaLike,
    PartOfLandscape,
    StoredRows,
)
from thalweg.potentials.neural_network.loss import NetworkLoss
from thalweg.potentials.neural_network.weights import Weights
from thalweg.potentials.point import Point
from thalweg.potentials.protocols import ClassifyingPotential

__all__ = [
    "NetworkMinima",
    "chosen_minima",
    "loss_of",
    "minima_of",
    "minimum_weights",
    "network_of",
    "rows_of",
    "weights_of",
]


class NetworkMinima(NamedTuple):
    """Minima of a network.

    Attributes
    ----------
    weights : (k, n_weights) ndarray or StoredArray
    loss : NetworkLoss
    """

    weights: StoredRows
    loss: ClassifyingPotential


def minima_of(minima: MinimaLike) -> MinimaLike:
    """Return the minima of a landscape; minima, or rows of weights, are returned as they are."""
    return minima.minima if isinstance(minima, HasMinima) else minima


def loss_of(minima: MinimaLike, loss: ClassifyingPotential | None = None, what: str = "AUC") -> ClassifyingPotential:
    """Return the loss of a network's minima: the given one, or that of their landscape.

    Parameters
    ----------
    minima : Landscape, landscape.minima or (k, n_weights) array_like
    loss : NetworkLoss, optional
        The network, where ``minima`` is an array.
    what : str
        Quantity that is computed from the minima, for the error message.

    Raises
    ------
    TypeError
        If there is no loss, or the potential is not a network's.
    """
    potential = _potential_of(minima) if loss is None else loss
    if potential is None:
        raise TypeError("loss is needed: the minima are an array, and no landscape says which network they belong to")
    if not isinstance(potential, ClassifyingPotential):
        raise TypeError(f"minima of {type(potential).__name__} have no {what}; a NetworkLoss is needed")
    if what != "network" and isinstance(potential, NetworkLoss) and not potential.classifies:
        kind = "squared error" if potential.loss == "squared_error" else "several labels a point"
        raise TypeError(f"minima of a network with {kind} have no {what}: that needs one class a point")
    return potential


def _potential_of(minima: object) -> object:
    """Return the potential of the landscape that the minima belong to; None without a landscape."""
    owner = minima.landscape if isinstance(minima, PartOfLandscape) else minima
    return owner.system.potential if isinstance(owner, HasSystem) else None


def weights_of(minima: MinimaLike, loss: ClassifyingPotential) -> StoredRows:
    """Return the weights of minima, (k, n_weights): an array, or one of a store that is read when indexed."""
    if isinstance(minima, PartOfLandscape | HasSystem):
        weights = cast("LandscapeMinima", minima).coordinates
    else:
        weights = np.asarray(minima, dtype=np.float64)
    shape = tuple(weights.shape)
    if len(shape) != 2 or shape[1] != loss.n_weights:
        raise ValueError(f"minima have shape {shape}; (k, {loss.n_weights}) is needed, one row of weights each")
    return weights


def rows_of(weights: StoredRows, rows: ArrayLike | None) -> StoredRows:
    """Return the weights of the chosen minima, (k, n_weights); of all where ``rows`` is None.

    Raises
    ------
    IndexError, TypeError
        If a row is not the number of a minimum.
    """
    if rows is None:
        return weights
    chosen = np.atleast_1d(np.asarray(rows))
    if chosen.ndim != 1 or (chosen.size and chosen.dtype.kind not in "iu"):
        raise TypeError(f"rows must be numbers of minima, counted from 0; they are {rows!r}")
    outside = chosen[(chosen < 0) | (chosen >= len(weights))]
    if len(outside):
        raise IndexError(f"there is no minimum {outside[0]}: there are {len(weights)}, numbered from 0")
    return np.asarray(weights[chosen.astype(np.int64)])


def chosen_minima(
    minima: MinimaLike, rows: ArrayLike | None, loss: ClassifyingPotential | None, what: str
) -> NetworkMinima:
    """Return the chosen minima of a landscape or an array, with their loss; ``what`` is named by an error."""
    minima = minima_of(minima)
    loss = loss_of(minima, loss, what)
    return NetworkMinima(rows_of(weights_of(minima, loss), rows), loss)


def minimum_weights(subject: HasMinima | Point, minimum: int | None = None) -> Weights:
    """Return the network of one minimum.

    Parameters
    ----------
    subject : Landscape or Weights
        Weights are returned as they are, and a Point on a NetworkLoss as Weights.
    minimum : int, optional
        Row of a landscape's minimum; the lowest by default.

    Returns
    -------
    Weights

    Raises
    ------
    TypeError, ValueError, IndexError
        If this is not the landscape of a network, it has no minima, or there is no such minimum.
    """
    if not isinstance(subject, HasMinima):
        if not isinstance(subject, Point) or not isinstance(subject.calc, NetworkLoss):
            raise TypeError(f"a Landscape of a network or its Weights are needed, not {type(subject).__name__}")
        if minimum is not None:
            raise TypeError(f"minimum is {minimum!r}, but Weights are one minimum already")
        return subject if isinstance(subject, Weights) else _checked(subject.calc.point(subject.x, subject.frozen))
    loss_of(subject, what="network")
    row = subject.minima.lowest() if minimum is None else minimum
    return _checked(subject.system.subject(rows_of(subject.minima.coordinates, row)[0]))


def _checked(weights: object) -> Weights:
    """Return Weights, or raise ValueError for a Point that is not zero where the network has no weight."""
    if not isinstance(weights, Weights):
        raise ValueError("the coordinates are not zero where the network has no weights")
    return weights


def network_of(weights: Weights) -> NetworkLoss:
    """Return the loss that is the calculator of Weights; TypeError where another calculator was set."""
    if not isinstance(weights.calc, NetworkLoss):
        raise TypeError(f"the calculator of Weights must be a NetworkLoss, not {type(weights.calc).__name__}")
    return weights.calc
