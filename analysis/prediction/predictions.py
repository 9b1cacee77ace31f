"""What the minima of a network predict, and in how much they agree."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg.analysis.prediction.arguments import chosen_of, inputs_of, probability_blocks

__all__ = ["agreement", "class_probabilities", "predicted_classes"]

# Data points whose one-hot predictions of all minima are multiplied at once.
_POINTS = 4096


def _resolved(minima: Any, data: Any, rows: Any, loss: Any) -> tuple[Any, Any, np.ndarray]:
    """Return rows of weights, the loss and checked inputs."""
    weights, loss = chosen_of(minima, rows, loss, "predictions")
    return weights, loss, inputs_of("data", data, loss)


def class_probabilities(
    minima: Any, data: Any, *, rows: Any = None, loss: Any = None, threads: int | None = None
) -> np.ndarray:
    """Return the probability that each minimum gives to each class.

    Parameters
    ----------
    minima : Landscape, landscape.minima or (k, n_weights) array_like
        A landscape's minima; or rows of weights, with ``loss``.
    data : data set or (N, n_in) array_like
        Only its inputs are used.
    rows : int or array_like of int, optional
        Which minima, counted from 0; all by default.
    loss : NetworkLoss, optional
        The network, where ``minima`` is an array.
    threads : int, optional
        Over minima; all processors by default.

    Returns
    -------
    (k, N, n_classes) ndarray

    Raises
    ------
    ValueError, TypeError, IndexError
        If shapes do not fit, inputs are not finite, there is no such minimum, or no network is known.
    """
    weights, loss, inputs = _resolved(minima, data, rows, loss)
    result = np.empty((len(weights), len(inputs), loss.n_classes))
    for part, probabilities in probability_blocks(weights, loss, inputs, threads):
        result[part] = probabilities
    return result


def predicted_classes(
    minima: Any, data: Any, *, rows: Any = None, loss: Any = None, threads: int | None = None
) -> np.ndarray:
    """Return the most probable class by each minimum, the first of those that tie.

    Parameters and errors as for :func:`class_probabilities`; weights that give NaN are a ValueError.

    Returns
    -------
    (k, N) int16 ndarray
    """
    weights, loss, inputs = _resolved(minima, data, rows, loss)
    result = np.empty((len(weights), len(inputs)), dtype=np.int16)
    for part, probabilities in probability_blocks(weights, loss, inputs, threads):
        bad = np.flatnonzero(np.isnan(probabilities).any(axis=(1, 2)))
        if len(bad):
            raise ValueError(f"minima[{part.start + bad[0]}] has weights that give NaN: it predicts nothing")
        result[part] = probabilities.argmax(axis=2)
    return result


def agreement(minima: Any, data: Any, *, rows: Any = None, loss: Any = None, threads: int | None = None) -> np.ndarray:
    """Return for each pair of minima the share of the data for which both predict the same class.

    Parameters and errors as for :func:`predicted_classes`; data without a point are a ValueError.

    Returns
    -------
    (k, k) ndarray
        Symmetric, ones on the diagonal.
    """
    classes = predicted_classes(minima, data, rows=rows, loss=loss, threads=threads)
    if not classes.shape[1]:
        raise ValueError("data hold no points: there is nothing to agree on")
    equal = np.zeros((len(classes), len(classes)))
    for first in range(0, classes.shape[1], _POINTS):
        part = classes[:, first : first + _POINTS]
        for c in np.unique(part):
            one_hot = (part == c).astype(np.float32)  # sums of 4096 ones are exact
            equal += one_hot @ one_hot.T
    return equal / classes.shape[1]
