"""Ceiling of prediction from two distances: scores of the marginal probability of each outcome, estimated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from thalweg.datasets import Dataset

__all__ = ["Ceiling", "ceiling", "neighbour_probabilities"]

_NEIGHBOURS = (100, 200, 400, 800, 1600)
_BLOCK = 5_000
_HELD = 5_000
_SWAPPED = np.array([0, 1, 3, 2])  # classes after atoms 2 and 3 change places


class Ceiling(NamedTuple):
    """Scores of the marginal probabilities of the outcomes on data that they were not estimated from.

    Attributes
    ----------
    name : str
        Name of the data.
    neighbours : int
        Number of nearest data over which each probability is a mean, chosen by the lowest log loss.
    auc, log_loss : float
        AUC of class 0 against the rest, and log loss over all classes.
    error : float
        Standard error of the AUC from the number of testing data (Hanley and McNeil, Radiology 143 (1982) 29).
    testing_points : int
        Number of testing data.
    """

    name: str
    neighbours: int
    auc: float
    log_loss: float
    error: float
    testing_points: int


def ceiling(name: str, testing: int = 0, workers: int | None = None) -> Ceiling:
    """Estimate the ceiling of D1, D2 or D3 from its 200,000 labels.

    Probabilities are means over the nearest of the 100,000 training data in the plane of r12 and r13; each datum
    counts twice, since exchanging atoms 2 and 3 exchanges both distances and the classes 2 and 3. Held-out training
    data decide the number of neighbours, and the scores are those on the testing data of the networks. The result is
    an estimate from finite data, somewhat below the true ceiling.

    Parameters
    ----------
    name : str
        Name of the data.
    testing : int
        Number of testing data; 0 for all.
    workers : int, optional
        Threads; all processors by default.
    """
    from thalweg.analysis.prediction.roc import roc_auc
    from thalweg.datasets import ljat3_outcomes

    train, test = ljat3_outcomes(name, size=200_000, seed=0).halves()
    test = test[:testing] if testing else test
    held = neighbour_probabilities(*_mirrored(train[:-_HELD]), 4, train.inputs[-_HELD:], _NEIGHBOURS, workers)
    best = int(np.argmin([_log_loss(p, train.labels[-_HELD:]) for p in held]))
    p = neighbour_probabilities(*_mirrored(train), 4, test.inputs, _NEIGHBOURS[best : best + 1], workers)[0]
    area = roc_auc(p[:, 0], test.labels == 0)
    error = _error(area, test.labels == 0)
    return Ceiling(name, _NEIGHBOURS[best], area, _log_loss(p, test.labels), error, len(test))


def _mirrored(data: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs and labels, and the same with atoms 2 and 3 exchanged."""
    inputs = np.concatenate([data.inputs, data.inputs[:, ::-1]])
    return inputs, np.concatenate([data.labels, _SWAPPED[data.labels]])


def neighbour_probabilities(
    inputs: np.ndarray,
    labels: np.ndarray,
    n_classes: int,
    queries: np.ndarray,
    counts: Sequence[int],
    workers: int | None = None,
) -> list[np.ndarray]:
    """Return the share of each class among the nearest data, (queries, n_classes) for each number of neighbours.

    One further datum, shared equally by the classes, keeps all shares above zero.

    Parameters
    ----------
    inputs : (N, d) ndarray
    labels : (N,) ndarray of int
    n_classes : int
    queries : (queries, d) ndarray
    counts : sequence of int
        Numbers of neighbours.
    workers : int, optional
        Threads; all processors by default.
    """
    from scipy.spatial import cKDTree

    tree = cKDTree(inputs)
    result = [np.empty((len(queries), n_classes)) for _ in counts]
    for first in range(0, len(queries), _BLOCK):
        block = slice(first, first + _BLOCK)
        near = labels[tree.query(queries[block], k=max(counts), workers=workers or -1)[1]]
        for k, p in zip(counts, result, strict=True):
            shares = np.stack([(near[:, :k] == c).sum(axis=1) for c in range(n_classes)], axis=1)
            p[block] = (shares + 1.0 / n_classes) / (k + 1)
    return result


def _log_loss(p: np.ndarray, labels: np.ndarray) -> float:
    return float(-np.log(p[np.arange(len(labels)), labels]).mean())


def _error(area: float, positive: np.ndarray) -> float:
    ones, zeros = int(positive.sum()), int((~positive).sum())
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (ones - 1) * (q1 - area**2) + (zeros - 1) * (q2 - area**2)
    return float(np.sqrt(max(variance, 0.0) / (ones * zeros)))
