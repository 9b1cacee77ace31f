"""What the analysis of networks takes: minima in whatever form, and data, checked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from thalweg.potentials.neural_network.weights import Weights
from thalweg.potentials.threads import map_threads

__all__ = [
    "chosen_of", "data_of", "identity_of", "inputs_of", "loss_of", "minimum_weights", "mislabelled_of",
    "probability_blocks", "rows_of", "score_each", "weights_of",
]  # fmt: skip

# Probabilities are computed so many bytes at a time.
_BLOCK = 1 << 26


def loss_of(minima: Any, loss: Any = None, what: str = "AUC") -> Any:
    """Return the loss whose minima these are: the one given, or that of their landscape.

    Raises
    ------
    TypeError
        If there is none, or it is no network's.
    """
    for owner in (minima, getattr(minima, "landscape", None)):
        system = getattr(owner, "system", None)
        loss = getattr(system, "potential", None) if loss is None else loss
    if loss is None:
        raise TypeError("loss is needed: these minima are an array, without a landscape to tell the network")
    if not hasattr(loss, "probabilities"):
        raise TypeError(f"minima of {type(loss).__name__} have no {what}; a NetworkLoss is needed")
    return loss


def weights_of(minima: Any, loss: Any) -> Any:
    """Return what gives rows of coordinates by slices: an array, or a view of the store."""
    weights = getattr(minima, "coordinates", None)
    weights = np.asarray(minima, dtype=np.float64) if weights is None else weights
    shape = tuple(weights.shape)
    if len(shape) != 2 or shape[1] != loss.n_weights:
        raise ValueError(f"minima have shape {shape}; (k, {loss.n_weights}) is needed, one row of weights each")
    return weights


def rows_of(weights: Any, rows: Any) -> Any:
    """Return the chosen minima's rows of weights; all where ``rows`` is None.

    Raises
    ------
    IndexError, TypeError
        If a row is no number of a minimum.
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


def chosen_of(minima: Any, rows: Any, loss: Any, what: str) -> tuple[Any, Any]:
    """Return the chosen minima's rows of weights, and their loss: of a Landscape, its minima, or an array."""
    minima = getattr(minima, "minima", minima)
    loss = loss_of(minima, loss, what)
    return rows_of(weights_of(minima, loss), rows), loss


def minimum_weights(subject: Any, minimum: int | None = None) -> Weights:
    """Return the network of one minimum.

    Parameters
    ----------
    subject : Landscape or Weights
        Weights are returned as they are, and a Point on a NetworkLoss as Weights.
    minimum : int, optional
        Which of a landscape's minima; the lowest by default.

    Returns
    -------
    Weights

    Raises
    ------
    TypeError, ValueError, IndexError
        If this is no network's landscape, it has no minima, or not this one.
    """
    if not hasattr(subject, "minima"):
        if not hasattr(getattr(subject, "calc", None), "probabilities"):
            raise TypeError(f"a Landscape of a network or its Weights are needed, not {type(subject).__name__}")
        if minimum is not None:
            raise TypeError(f"minimum is {minimum!r}, but Weights are one minimum already")
        return subject if isinstance(subject, Weights) else subject.calc.point(subject.x, subject.frozen)
    loss_of(subject, what="network")
    row = subject.minima.lowest() if minimum is None else minimum
    return subject.system.subject(rows_of(subject.minima.coordinates, row)[0])


def inputs_of(name: str, data: Any, loss: Any) -> np.ndarray:
    """Return the checked inputs of a data set, of a pair (inputs, labels), or that are inputs themselves."""
    inputs = data[0] if isinstance(data, tuple) and len(data) == 2 else getattr(data, "inputs", data)
    inputs = np.ascontiguousarray(inputs, dtype=np.float64)
    if inputs.ndim != 2 or inputs.shape[1] != loss.layers[0]:
        raise ValueError(f"{name}.inputs has shape {inputs.shape}; (N, {loss.layers[0]}) is needed")
    if not np.isfinite(inputs).all():
        raise ValueError(f"{name}.inputs has entries that are not finite numbers")
    return inputs


def data_of(name: str, dataset: Any, loss: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the checked inputs and labels of a data set, or of a pair (inputs, labels).

    Raises
    ------
    TypeError, ValueError
        If it is neither, or does not fit the network: the argument is named.
    """
    pair = isinstance(dataset, tuple) and len(dataset) == 2
    if not pair and not (hasattr(dataset, "inputs") and hasattr(dataset, "labels")):
        wanted = "data with .inputs and .labels, or a pair of them, are needed"
        raise TypeError(f"{name} is {'None' if dataset is None else 'of type ' + type(dataset).__name__}; {wanted}")
    inputs = inputs_of(name, dataset, loss)
    labels = np.asarray(dataset[1] if pair else dataset.labels)
    if labels.shape != inputs.shape[:1]:
        raise ValueError(f"{name}.labels has shape {labels.shape}; one for each of {len(inputs)} inputs is needed")
    classes = getattr(dataset, "n_classes", loss.n_classes)
    if classes != loss.n_classes:
        raise ValueError(f"{name} has {classes} classes, and the network {loss.n_classes}")
    if len(labels) and not (labels.min() >= 0 and labels.max() < loss.n_classes):
        raise ValueError(f"{name}.labels must lie between 0 and {loss.n_classes - 1}")
    if labels.dtype.kind not in "biu" and (labels != np.floor(labels)).any():
        raise ValueError(f"{name}.labels must be whole numbers")
    return inputs, labels.astype(np.int64)


def mislabelled_of(name: str, dataset: Any, labels: np.ndarray) -> np.ndarray:
    """Return which points are mislabelled, (N,) bool; none where the data do not say."""
    wrong = getattr(dataset, "mislabelled", None)
    wrong = np.zeros(len(labels), dtype=bool) if wrong is None else np.asarray(wrong, dtype=bool)
    if wrong.shape != labels.shape:
        raise ValueError(f"{name}.mislabelled has shape {wrong.shape}; {labels.shape} is needed")
    return wrong


def identity_of(dataset: Any, data: tuple[np.ndarray, np.ndarray]) -> dict[str, Any]:
    """Return what says which data these are, JSON-able: their own identity, or a digest."""
    if getattr(dataset, "identity", None):
        return dict(dataset.identity)
    digest = hashlib.sha256(data[0].astype("<f8").tobytes() + data[1].astype("<i8").tobytes())
    return {"sha256": digest.hexdigest()}


def probability_blocks(
    weights: Any, loss: Any, inputs: np.ndarray, threads: int | None = None
) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield minima block by block, and the probabilities of their classes, (minima of the block, N, n_classes).

    Parameters
    ----------
    weights : (k, n_weights)
        An array or a stored one.
    loss : NetworkLoss
    inputs : (N, n_in) ndarray
    threads : int, optional
        Over minima; all processors by default.
    """
    size = max(1, _BLOCK // (8 * max(1, len(inputs)) * loss.n_classes))
    for first in range(0, len(weights), size):
        rows = np.ascontiguousarray(weights[first : first + size], dtype=np.float64)
        result = np.empty((len(rows), len(inputs), loss.n_classes))

        def work(start, stop, rows=rows, result=result):
            for k in range(start, stop):
                result[k] = loss.probabilities(rows[k], inputs)

        if len(inputs):
            map_threads(work, len(rows), threads)
        yield slice(first, first + len(rows)), result


def score_each(
    weights: Any, loss: Any, data: tuple[np.ndarray, np.ndarray], score: Callable[..., Any], threads: int | None = None
) -> np.ndarray:
    """Return score(probabilities, labels) of each minimum, one row each.

    Parameters
    ----------
    weights : (k, n_weights)
        An array or a stored one, read in blocks.
    loss : NetworkLoss
    data : (N, n_in) ndarray and (N,) ndarray of int
    score : callable
        From (N, n_classes) probabilities and the labels to numbers, the same shape for every minimum.
    threads : int, optional
        Over minima; all processors by default.
    """
    inputs, labels = data
    found: list[Any] = [None] * len(weights)
    size = max(1, _BLOCK // (8 * weights.shape[1]))
    for first in range(0, len(weights), size):
        rows = np.ascontiguousarray(weights[first : first + size], dtype=np.float64)

        def work(start, stop, rows=rows, first=first):
            for k in range(start, stop):
                known = loss.probabilities(rows[k], inputs) if len(inputs) else np.empty((0, loss.n_classes))
                found[first + k] = score(known, labels)

        map_threads(work, len(rows), threads)
    return np.array(found)
