"""Area under the receiver operating characteristic (ROC AUC) of every minimum of a network's loss."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from thalweg.analysis.prediction.arguments import data_of, loss_of, mislabelled_of, score_each, weights_of
from thalweg.potentials.compiled.signatures import jit, vector

__all__ = ["auc", "auc_table", "roc_auc"]


@jit(numba.int64(vector, vector))
def _twice_concordant(positive, negative):
    """Return twice the pairs in which the positive is higher, and once those that tie; both arrays rising."""
    below, not_above, twice = 0, 0, 0
    for p in positive:
        while below < len(negative) and negative[below] < p:
            below += 1
        while not_above < len(negative) and negative[not_above] <= p:
            not_above += 1
        twice += below + not_above
    return twice


def _area(scores: np.ndarray, positive: np.ndarray) -> float:
    """Return the area, NaN where one of the two sides is empty or a score is NaN."""
    # Two sorts of values and a merge are several times faster than ranking by argsort; ties count a half.
    high, low = np.sort(scores[positive]), np.sort(scores[~positive])
    if not len(high) or not len(low) or np.isnan(high[-1]) or np.isnan(low[-1]):
        return np.nan
    return _twice_concordant(high, low) / (2 * len(high) * len(low))


def roc_auc(scores: Any, positive: Any) -> float:
    """Return the probability that a positive scores higher than a negative, ties counting a half.

    The area under the ROC curve, by the Mann-Whitney statistic (Hanley and McNeil, Radiology 143 (1982) 29).

    Parameters
    ----------
    scores : (N,) array_like of float
    positive : (N,) array_like of bool

    Returns
    -------
    float
        NaN if nothing, or everything, is positive.

    Raises
    ------
    ValueError
        If the shapes differ or a score is NaN.

    Examples
    --------
    >>> roc_auc([0.1, 0.4, 0.35, 0.8], [False, False, True, True])
    0.75
    """
    scores, positive = np.asarray(scores, dtype=np.float64), np.asarray(positive)
    if scores.ndim != 1 or positive.shape != scores.shape:
        raise ValueError(f"scores {scores.shape} and positive {positive.shape} must be of one length")
    if positive.dtype != np.bool_ and not np.isin(positive, (0, 1)).all():
        raise ValueError("positive must be boolean")
    if np.isnan(scores).any():
        raise ValueError(f"scores[{int(np.flatnonzero(np.isnan(scores))[0])}] is NaN")
    return float(_area(scores, positive.astype(bool)))


def mean_area(probabilities: np.ndarray, labels: np.ndarray, classes: range) -> float:
    """Return the one-vs-rest area, averaged over classes; NaN where undefined."""
    return float(np.mean([_area(probabilities[:, c], labels == c) for c in classes]))


def reference_classes(reference: int | str, n_classes: int) -> range:
    """Return the classes over which to average."""
    if reference == "macro":
        return range(n_classes)
    if isinstance(reference, (bool, str)) or not isinstance(reference, (int, np.integer)):
        raise TypeError(f'reference is {reference!r}; the number of a class or "macro" is needed')
    if not 0 <= reference < n_classes:
        raise ValueError(f"reference is {reference}; classes run from 0 to {n_classes - 1}")
    return range(int(reference), int(reference) + 1)


def _columns(
    weights: Any, loss: Any, data: tuple[np.ndarray, np.ndarray], parts: list, classes: range, threads: int | None
) -> np.ndarray:
    """Return the AUC of each minimum (row) on each part of the data (column)."""

    def areas(probabilities, labels):
        return [mean_area(probabilities[part], labels[part], classes) for part in parts]

    return score_each(weights, loss, data, areas, threads).reshape(-1, len(parts))


def auc(
    minima: Any, dataset: Any, reference: int | str = 0, *, loss: Any = None, threads: int | None = None
) -> np.ndarray:
    """Return the one-vs-rest ROC AUC of each minimum: how well its probability of one class tells that class apart.

    Parameters
    ----------
    minima : landscape.minima, Landscape or (k, n_weights) array_like
        A landscape's minima, read in blocks; or rows of weights, with ``loss``.
    dataset : object with ``inputs`` (N, n_in) and ``labels`` (N,)
    reference : int or "macro"
        The class to tell from the rest; or the plain mean over all classes.
    loss : NetworkLoss, optional
        The network, where ``minima`` is an array.
    threads : int, optional
        Over minima; all processors by default.

    Returns
    -------
    (k,) ndarray
        Between 0 and 1; NaN where the data lack a class that is needed, hold nothing else, or are none.

    Raises
    ------
    ValueError, TypeError
        If shapes, labels or the reference do not fit the network, or no network is known.
    """
    minima = getattr(minima, "minima", minima)
    loss = loss_of(minima, loss)
    weights, classes = weights_of(minima, loss), reference_classes(reference, loss.n_classes)
    return _columns(weights, loss, data_of("dataset", dataset, loss), [slice(None)], classes, threads)[:, 0]


def auc_table(
    minima: Any,
    train: Any = None,
    test: Any = None,
    reference: int | str = 0,
    *,
    loss: Any = None,
    threads: int | None = None,
) -> dict[str, np.ndarray]:
    """Return the AUC of every minimum on the training data, their two parts, and the testing data.

    Parameters
    ----------
    minima : Landscape, landscape.minima or (k, n_weights) array_like
    train : data set, optional
        With ``mislabelled`` (N,) of bool or None; by default the data that the loss was made from.
    test : data set, optional
    reference, loss, threads
        As for :func:`auc`.

    Returns
    -------
    dict of str to (k,) ndarray
        ``train_auc``, ``incorrect_auc`` (mislabelled part, labels as trained on), ``correct_auc`` (the rest) and,
        with ``test``, ``test_auc``. NaN where a part lacks a class or is empty.
    """
    minima = getattr(minima, "minima", minima)
    loss = loss_of(minima, loss)
    train = loss if train is None else train
    weights, classes = weights_of(minima, loss), reference_classes(reference, loss.n_classes)
    data = data_of("train", train, loss)
    wrong = mislabelled_of("train", train, data[1])
    tested = None if test is None else data_of("test", test, loss)
    columns = _columns(weights, loss, data, [slice(None), wrong, ~wrong], classes, threads)
    table = dict(zip(("train_auc", "incorrect_auc", "correct_auc"), columns.T.copy(), strict=True))
    if tested is not None:
        table["test_auc"] = _columns(weights, loss, tested, [slice(None)], classes, threads)[:, 0]
    return table
