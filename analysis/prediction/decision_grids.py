"""Predictions of a network over a plane of its inputs, as plain arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from thalweg.analysis.prediction.data_arguments import training_data
from thalweg.analysis.prediction.ensembles import Ensemble
from thalweg.analysis.prediction.minima_arguments import minimum_weights, network_of
from thalweg.analysis.prediction.minima_protocols import HasMinima
from thalweg.potentials.point import Point
from thalweg.potentials.protocols import ClassifyingPotential

__all__ = ["DecisionGrid", "Edges", "Predictor", "decision_grid", "predictor_of"]

_MARGIN = 0.03


class Edges(NamedTuple):
    """Edges of a plane of inputs: ranges of the first input (left, right) and of the second (bottom, top)."""

    left: float
    right: float
    bottom: float
    top: float


class Predictor(NamedTuple):
    """Function from inputs (N, n_in) to probabilities (N, n_classes), and the network that it evaluates."""

    probabilities: Callable[[np.ndarray], np.ndarray]
    loss: ClassifyingPotential


class DecisionGrid(NamedTuple):
    """Predictions over a plane of inputs.

    Attributes
    ----------
    x, y : (columns,), (rows,) ndarray
        Values of the two inputs.
    probabilities : (rows, columns, n_classes) ndarray
        Probability of each class at each point.
    """

    x: np.ndarray
    y: np.ndarray
    probabilities: np.ndarray

    @property
    def classes(self) -> np.ndarray:
        """Most probable class, (rows, columns)."""
        return self.probabilities.argmax(axis=2)

    @property
    def edges(self) -> Edges:
        """Edges of the picture whose pixels are centred at the points."""
        dx, dy = (0.5 * (values[1] - values[0]) for values in (self.x, self.y))
        return Edges(self.x[0] - dx, self.x[-1] + dx, self.y[0] - dy, self.y[-1] + dy)


def predictor_of(subject: HasMinima | Point | Ensemble, minimum: int | None) -> Predictor:
    """Return the function that predicts for a Landscape's minimum, for Weights or for an Ensemble."""
    if isinstance(subject, Ensemble):
        if minimum is not None:
            raise TypeError(f"minimum is {minimum!r}, but an Ensemble is all of its minima together")
        return Predictor(subject.probabilities, subject.loss)
    weights = minimum_weights(subject, minimum)
    loss = network_of(weights)
    return Predictor(lambda inputs: loss.probabilities(weights.x, inputs), loss)


def _checked_plane(loss: ClassifyingPotential, plane: Sequence[int]) -> tuple[int, int]:
    width = loss.layers[0]
    if width < 2:
        raise ValueError("a decision map needs a network of two inputs at least; this one has 1")
    chosen = tuple(plane)
    whole = all(isinstance(k, int | np.integer) and not isinstance(k, bool) for k in chosen)
    if not whole or len(chosen) != 2 or len({*chosen}) != 2 or not all(0 <= k < width for k in chosen):
        raise ValueError(f"plane must name two different inputs between 0 and {width - 1}; it is {plane!r}")
    return int(chosen[0]), int(chosen[1])


def _checked_extent(extent: ArrayLike | None, inputs: np.ndarray) -> Edges:
    if extent is None:
        low, high = inputs.min(axis=0), inputs.max(axis=0)
        pad = np.where(high > low, _MARGIN * (high - low), 0.5)
        (a, c), (b, d) = low - pad, high + pad
        return Edges(float(a), float(b), float(c), float(d))
    values = np.asarray(extent, dtype=np.float64)
    if values.shape != (4,) or not np.isfinite(values).all() or values[0] >= values[1] or values[2] >= values[3]:
        raise ValueError(f"extent must be (left, right, bottom, top), rising and finite; it is {extent!r}")
    return Edges(*values.tolist())


def decision_grid(
    subject: HasMinima | Point | Ensemble,
    minimum: int | None = None,
    *,
    plane: Sequence[int] = (0, 1),
    extent: ArrayLike | None = None,
    resolution: int = 200,
    others: ArrayLike | None = None,
) -> DecisionGrid:
    """Return the predictions of a network over a plane of its inputs, as plain arrays.

    Parameters
    ----------
    subject : Landscape, Weights or Ensemble
    minimum : int, optional
        Row of a landscape's minimum; the lowest by default.
    plane : pair of int
        Numbers of the two inputs that vary, counted from 0.
    extent : (left, right, bottom, top), optional
        Ranges of the two inputs; by default the span of the training inputs and a margin.
    resolution : int
        Number of points along each side.
    others : (n_in,) array_like, optional
        Values of the inputs that do not vary; the means of the training inputs by default.

    Returns
    -------
    DecisionGrid

    Raises
    ------
    ValueError, TypeError, IndexError
        If this is not a network of two inputs or more, there is no such minimum, or an argument makes no sense.

    Examples
    --------
    >>> from thalweg.analysis import decision_grid
    >>> from thalweg.potentials import NetworkLoss, Weights
    >>> loss = NetworkLoss([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 1, 1], hidden=(2,))
    >>> minimum = [1, 0, 0, 0, -1, 0, 1, 0, 0, 0, 0, 0]  # input 0 favours class 1
    >>> grid = decision_grid(Weights(loss, minimum), extent=(-1, 1, 0, 1), resolution=2)
    >>> grid.classes
    array([[0, 1],
           [0, 1]])
    """
    predict, loss = predictor_of(subject, minimum)
    first, second = _checked_plane(loss, plane)
    if isinstance(resolution, bool) or not isinstance(resolution, int | np.integer) or resolution < 2:
        raise ValueError(f"resolution must be a whole number, at least 2; it is {resolution!r}")
    trained = np.asarray(training_data(loss).inputs)
    span = _checked_extent(extent, trained[:, [first, second]])
    middle = trained.mean(axis=0) if others is None else np.asarray(others, dtype=np.float64)
    if middle.shape != (loss.layers[0],) or not np.isfinite(middle).all():
        raise ValueError(f"others must hold {loss.layers[0]} finite numbers, one an input; its shape is {middle.shape}")
    x, y = np.linspace(span.left, span.right, resolution), np.linspace(span.bottom, span.top, resolution)
    inputs = np.tile(middle, (resolution * resolution, 1))
    inputs[:, first], inputs[:, second] = (values.ravel() for values in np.meshgrid(x, y))
    return DecisionGrid(x, y, predict(inputs).reshape(resolution, resolution, -1))
