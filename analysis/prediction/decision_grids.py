"""What a network predicts over a plane of its inputs, as plain arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from thalweg.analysis.prediction.arguments import minimum_weights
from thalweg.analysis.prediction.ensembles import Ensemble

__all__ = ["DecisionGrid", "decision_grid", "predictor_of"]

_MARGIN = 0.03


class DecisionGrid(NamedTuple):
    """Predictions over a plane of inputs.

    Attributes
    ----------
    x, y : (columns,), (rows,) ndarray
        Values of the two inputs.
    probabilities : (rows, columns, n_classes) ndarray
    """

    x: np.ndarray
    y: np.ndarray
    probabilities: np.ndarray

    @property
    def classes(self) -> np.ndarray:
        """The most probable class, (rows, columns)."""
        return self.probabilities.argmax(axis=2)

    @property
    def edges(self) -> tuple[float, float, float, float]:
        """Left, right, bottom and top of the picture whose pixels are centred at the points."""
        dx, dy = (0.5 * (values[1] - values[0]) for values in (self.x, self.y))
        return self.x[0] - dx, self.x[-1] + dx, self.y[0] - dy, self.y[-1] + dy


def predictor_of(subject: Any, minimum: int | None) -> tuple[Callable[[np.ndarray], np.ndarray], Any]:
    """Return what gives probabilities at inputs, and the loss."""
    if isinstance(subject, Ensemble):
        if minimum is not None:
            raise TypeError(f"minimum is {minimum!r}, but an Ensemble is all of its minima together")
        return subject.probabilities, subject.loss
    weights = minimum_weights(subject, minimum)
    return lambda inputs: weights.calc.probabilities(weights.x, inputs), weights.calc


def _checked_plane(loss: Any, plane: Any) -> tuple[int, int]:
    width = loss.layers[0]
    if width < 2:
        raise ValueError("a decision map needs a network of two inputs at least; this one has 1")
    chosen = tuple(plane)
    whole = all(isinstance(k, int | np.integer) and not isinstance(k, bool) for k in chosen)
    if not whole or len(chosen) != 2 or len({*chosen}) != 2 or not all(0 <= k < width for k in chosen):
        raise ValueError(f"plane must name two different inputs between 0 and {width - 1}; it is {plane!r}")
    return int(chosen[0]), int(chosen[1])


def _checked_extent(extent: Any, inputs: np.ndarray) -> tuple[float, float, float, float]:
    if extent is None:
        low, high = inputs.min(axis=0), inputs.max(axis=0)
        pad = np.where(high > low, _MARGIN * (high - low), 0.5)
        (a, c), (b, d) = low - pad, high + pad
        return float(a), float(b), float(c), float(d)
    values = np.asarray(extent, dtype=np.float64)
    if values.shape != (4,) or not np.isfinite(values).all() or values[0] >= values[1] or values[2] >= values[3]:
        raise ValueError(f"extent must be (left, right, bottom, top), rising and finite; it is {extent!r}")
    return tuple(values.tolist())


def decision_grid(
    subject: Any,
    minimum: int | None = None,
    *,
    plane: Sequence[int] = (0, 1),
    extent: Sequence[float] | None = None,
    resolution: int = 200,
    others: Any = None,
) -> DecisionGrid:
    """Return what a network predicts over a plane of its inputs, as plain arrays.

    Parameters
    ----------
    subject : Landscape, Weights or Ensemble
    minimum : int, optional
        Which of a landscape's minima; the lowest by default.
    plane : pair of int
        The two inputs that vary.
    extent : (left, right, bottom, top), optional
        By default the span of the training inputs and a little more.
    resolution : int
        Points a side.
    others : (n_in,) array_like, optional
        What the other inputs are; the mean of the training inputs by default.

    Returns
    -------
    DecisionGrid

    Raises
    ------
    ValueError, TypeError, IndexError
        If this is no network of two inputs or more, it has no such minimum, or an argument makes no sense.
    """
    predict, loss = predictor_of(subject, minimum)
    first, second = _checked_plane(loss, plane)
    if isinstance(resolution, bool) or not isinstance(resolution, int | np.integer) or resolution < 2:
        raise ValueError(f"resolution must be a whole number, at least 2; it is {resolution!r}")
    left, right, bottom, top = _checked_extent(extent, loss.inputs[:, [first, second]])
    middle = loss.inputs.mean(axis=0) if others is None else np.asarray(others, dtype=np.float64)
    if middle.shape != (loss.layers[0],) or not np.isfinite(middle).all():
        raise ValueError(f"others must hold {loss.layers[0]} finite numbers, one an input; its shape is {middle.shape}")
    x, y = np.linspace(left, right, resolution), np.linspace(bottom, top, resolution)
    inputs = np.tile(middle, (resolution * resolution, 1))
    inputs[:, first], inputs[:, second] = (values.ravel() for values in np.meshgrid(x, y))
    return DecisionGrid(x, y, predict(inputs).reshape(resolution, resolution, -1))
