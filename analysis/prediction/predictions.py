"""Predictions of the minima of a network's loss, and their agreement."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from thalweg.analysis.prediction.data_arguments import inputs_of
from thalweg.analysis.prediction.minima_arguments import chosen_minima
from thalweg.analysis.prediction.minima_protocols import InputData, MinimaLike
from thalweg.analysis.prediction.probability_blocks import probability_blocks
from thalweg.potentials.protocols import ClassifyingPotential

__all__ = ["agreement", "class_probabilities", "predicted_classes"]

# Data points whose one-hot predictions of all minima are multiplied at once.
_POINTS = 4096


def class_probabilities(
    minima: MinimaLike,
    data: InputData,
    *,
    rows: ArrayLike | None = None,
    loss: ClassifyingPotential | None = None,
    threads: int | None = None,
) -> np.ndarray:
    """Return the probability of each class as each minimum predicts it.

    Parameters
    ----------
    minima : Landscape, landscape.minima or (k, n_weights) array_like
        A landscape's minima; or rows of weights, with ``loss``.
    data : data set or (N, n_in) array_like
        Data of which only the inputs are used.
    rows : int or array_like of int, optional
        Numbers of the minima, counted from 0; all by default.
    loss : NetworkLoss, optional
        The network, where ``minima`` is an array.
    threads : int, optional
        Threads over minima; all processors by default.

    Returns
    -------
    (k, N, n_classes) ndarray

    Raises
    ------
    ValueError, TypeError, IndexError
        If shapes do not fit, inputs are not finite, there is no such minimum, or no network is known.

    Examples
    --------
    >>> from thalweg.analysis import class_probabilities
    >>> from thalweg.potentials import NetworkLoss
    >>> loss = NetworkLoss([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], hidden=(2,))
    >>> class_probabilities([[0.0] * 12], [[0.5, 0.5]], loss=loss)  # one minimum of [2, 2, 2], all weights zero
    array([[[0.5, 0.5]]])
    """
    chosen = chosen_minima(minima, rows, loss, "predictions")
    inputs = inputs_of("data", data, chosen.loss)
    result = np.empty((len(chosen.weights), len(inputs), chosen.loss.n_classes))
    for part, probabilities in probability_blocks(chosen, inputs, threads):
        result[part] = probabilities
    return result


def predicted_classes(
    minima: MinimaLike,
    data: InputData,
    *,
    rows: ArrayLike | None = None,
    loss: ClassifyingPotential | None = None,
    threads: int | None = None,
) -> np.ndarray:
    """Return the most probable class as each minimum predicts it, the first of those that tie.

    Parameters
    ----------
    minima, data, rows, loss, threads
        As for :func:`class_probabilities`.

    Returns
    -------
    (k, N) int16 ndarray

    Raises
    ------
    ValueError, TypeError, IndexError
        As for :func:`class_probabilities`, and if the weights of a minimum give NaN.

    Examples
    --------
    >>> from thalweg.analysis import predicted_classes
    >>> from thalweg.potentials import NetworkLoss
    >>> loss = NetworkLoss([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], hidden=(2,))
    >>> predicted_classes([[0.0] * 11 + [1.0]], [[0, 0], [0, 1]], loss=loss)  # the last bias favours class 1
    array([[1, 1]], dtype=int16)
    """
    chosen = chosen_minima(minima, rows, loss, "predictions")
    inputs = inputs_of("data", data, chosen.loss)
    result = np.empty((len(chosen.weights), len(inputs)), dtype=np.int16)
    for part, probabilities in probability_blocks(chosen, inputs, threads):
        bad = np.flatnonzero(np.isnan(probabilities).any(axis=(1, 2)))
        if len(bad):
            raise ValueError(f"minima[{part.start + bad[0]}] has weights that give NaN: it predicts nothing")
        result[part] = probabilities.argmax(axis=2)
    return result


def agreement(
    minima: MinimaLike,
    data: InputData,
    *,
    rows: ArrayLike | None = None,
    loss: ClassifyingPotential | None = None,
    threads: int | None = None,
) -> np.ndarray:
    """Return the share of the data for which two minima predict the same class, for each pair of minima.

    Parameters
    ----------
    minima, data, rows, loss, threads
        As for :func:`class_probabilities`.

    Returns
    -------
    (k, k) ndarray
        Symmetric, with ones on the diagonal.

    Raises
    ------
    ValueError, TypeError, IndexError
        As for :func:`predicted_classes`, and if the data hold no points.

    Examples
    --------
    >>> from thalweg.analysis import agreement
    >>> from thalweg.potentials import NetworkLoss
    >>> loss = NetworkLoss([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], hidden=(2,))
    >>> always_0, always_1 = [0.0] * 10 + [1.0, 0.0], [0.0] * 10 + [0.0, 1.0]
    >>> agreement([always_0, always_1, always_1], loss.inputs, loss=loss)
    array([[1., 0., 0.],
           [0., 1., 1.],
           [0., 1., 1.]])
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
