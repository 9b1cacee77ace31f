"""Predictions of many minima in blocks, so that memory stays bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from thalweg.analysis.prediction.data_arguments import LabelledPoints
from thalweg.analysis.prediction.minima_arguments import NetworkMinima
from thalweg.potentials.threads import map_threads

__all__ = ["Score", "probability_blocks", "score_each"]

Score = Callable[[np.ndarray, np.ndarray], float | Sequence[float] | np.ndarray]
"""Function of probabilities (N, n_classes) and labels (N,) that gives numbers, in the same shape for every minimum."""

_BLOCK = 1 << 26  # bytes of probabilities, or of weights, at a time


def probability_blocks(
    minima: NetworkMinima, inputs: np.ndarray, threads: int | None = None
) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield blocks of minima, and the probabilities of their classes, (minima of the block, N, n_classes).

    Parameters
    ----------
    minima : NetworkMinima
    inputs : (N, n_in) ndarray
    threads : int, optional
        Threads over minima; all processors by default.
    """
    loss = minima.loss
    for part, rows in _weight_blocks(minima, 8 * max(1, len(inputs)) * loss.n_classes):
        result = np.empty((len(rows), len(inputs), loss.n_classes))

        def work(start: int, stop: int, rows: np.ndarray = rows, result: np.ndarray = result) -> None:
            for k in range(start, stop):
                result[k] = loss.probabilities(rows[k], inputs)

        if len(inputs):
            map_threads(work, len(rows), threads)
        yield part, result


def score_each(minima: NetworkMinima, data: LabelledPoints, score: Score, threads: int | None = None) -> np.ndarray:
    """Return score(probabilities, labels) of each minimum, one row each; probabilities are not kept.

    Parameters
    ----------
    minima : NetworkMinima
    data : LabelledPoints
    score : callable
        From probabilities (N, n_classes) and labels (N,) to numbers.
    threads : int, optional
        Threads over minima; all processors by default.
    """
    loss, inputs = minima.loss, data.inputs
    found: list[float | Sequence[float] | np.ndarray] = [0.0] * len(minima.weights)
    for part, rows in _weight_blocks(minima, 8 * minima.weights.shape[1]):

        def work(start: int, stop: int, rows: np.ndarray = rows, first: int = part.start) -> None:
            for k in range(start, stop):
                known = loss.probabilities(rows[k], inputs) if len(inputs) else np.empty((0, loss.n_classes))
                found[first + k] = score(known, data.labels)

        map_threads(work, len(rows), threads)
    return np.array(found)


def _weight_blocks(minima: NetworkMinima, row_bytes: int) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield blocks of rows of weights; ``row_bytes`` is the memory that a row needs."""
    size = max(1, _BLOCK // row_bytes)
    for first in range(0, len(minima.weights), size):
        rows = np.ascontiguousarray(minima.weights[first : first + size], dtype=np.float64)
        yield slice(first, first + len(rows)), rows
