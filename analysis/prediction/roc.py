"""Area under the receiver operating characteristic (ROC AUC) of every minimum of a network's loss."""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np
from numpy.typing import ArrayLike

from thalweg.analysis.prediction.data_arguments import LabelledPoints, data_of, mislabelled_of, training_data
from thalweg.analysis.prediction.minima_arguments import NetworkMinima, chosen_minima
from thalweg.analysis.prediction.minima_protocols import MinimaLike, TestData
from thalweg.analysis.prediction.probability_blocks import score_each
from thalweg.potentials.compiled.signatures import jit, vector
from thalweg.potentials.protocols import ClassifyingPotential

__all__ = ["AREAS", "auc", "auc_table", "class_areas", "roc_auc"]

AREAS = ("train_auc", "incorrect_auc", "correct_auc", "test_auc")
"""Columns of :func:`auc_table`: training data, their mislabelled and correct parts, and testing data."""


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


def roc_auc(scores: ArrayLike, positive: ArrayLike) -> float:
    """Return the area under the ROC curve: the probability that a positive scores higher than a negative.

    Ties count a half, by the Mann-Whitney statistic (Hanley and McNeil, Radiology 143 (1982) 29).

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
    >>> from thalweg.analysis import roc_auc
    >>> roc_auc([0.1, 0.4, 0.35, 0.8], [False, False, True, True])
    0.75
    """
    values, chosen = np.asarray(scores, dtype=np.float64), np.asarray(positive)
    if values.ndim != 1 or chosen.shape != values.shape:
        raise ValueError(f"scores {values.shape} and positive {chosen.shape} must be of one length")
    if chosen.dtype != np.bool_ and not np.isin(chosen, (0, 1)).all():
        raise ValueError("positive must be boolean")
    if np.isnan(values).any():
        raise ValueError(f"scores[{int(np.flatnonzero(np.isnan(values))[0])}] is NaN")
    return float(_area(values, chosen.astype(bool)))


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
    minima: NetworkMinima,
    data: LabelledPoints,
    parts: Sequence[slice | np.ndarray],
    classes: range,
    threads: int | None,
) -> np.ndarray:
    """Return the AUC of each minimum (row) on each part of the data (column)."""

    def areas(probabilities: np.ndarray, labels: np.ndarray) -> list[float]:
        return [mean_area(probabilities[part], labels[part], classes) for part in parts]

    return score_each(minima, data, areas, threads).reshape(-1, len(parts))


def auc(
    minima: MinimaLike,
    dataset: TestData,
    reference: int | str = 0,
    *,
    loss: ClassifyingPotential | None = None,
    threads: int | None = None,
) -> np.ndarray:
    """Return the one-vs-rest ROC AUC of each minimum: how well its probability of one class tells that class apart.

    Parameters
    ----------
    minima : Landscape, landscape.minima or (k, n_weights) array_like
        A landscape's minima, read in blocks; or rows of weights, with ``loss``.
    dataset : data set or (inputs, labels)
        Data with ``inputs`` (N, n_in) and ``labels`` (N,).
    reference : int or "macro"
        Class to tell from the rest; or the plain mean over all classes.
    loss : NetworkLoss, optional
        The network, where ``minima`` is an array.
    threads : int, optional
        Threads over minima; all processors by default.

    Returns
    -------
    (k,) ndarray
        Between 0 and 1; NaN where the data lack a class that is needed, hold nothing else, or are none.

    Raises
    ------
    ValueError, TypeError
        If shapes, labels or the reference do not fit the network, or no network is known.

    Examples
    --------
    >>> from thalweg.analysis import auc
    >>> from thalweg.potentials import NetworkLoss
    >>> loss = NetworkLoss([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 1, 1], hidden=(2,))
    >>> minimum = [1, 0, 0, 0, -1, 0, 1, 0, 0, 0, 0, 0]  # input 0 favours class 1
    >>> auc([minimum, [0] * 12], loss, reference=1, loss=loss)
    array([1. , 0.5])
    """
    chosen = chosen_minima(minima, None, loss, "AUC")
    classes = reference_classes(reference, chosen.loss.n_classes)
    return _columns(chosen, data_of("dataset", dataset, chosen.loss), [slice(None)], classes, threads)[:, 0]


def auc_table(
    minima: MinimaLike,
    train: TestData | None = None,
    test: TestData | None = None,
    reference: int | str = 0,
    *,
    loss: ClassifyingPotential | None = None,
    threads: int | None = None,
) -> dict[str, np.ndarray]:
    """Return the AUC of each minimum on the training data, on their two parts, and on the testing data.

    Parameters
    ----------
    minima, reference, loss, threads
        As for :func:`auc`.
    train : data set or (inputs, labels), optional
        Training data, with ``mislabelled`` (N,) of bool or None; by default those that the loss was made from.
    test : data set or (inputs, labels), optional
        Testing data.

    Returns
    -------
    dict of str to (k,) ndarray
        ``train_auc``, ``incorrect_auc`` (mislabelled part, labels as trained on), ``correct_auc`` (the rest) and,
        with ``test``, ``test_auc``. NaN where a part lacks a class or is empty.

    Examples
    --------
    >>> from thalweg.analysis import auc_table
    >>> from thalweg.potentials import NetworkLoss
    >>> loss = NetworkLoss(
    ...     [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 1], hidden=(2,), mislabelled=[False, True, False, False]
    ... )
    >>> minimum = [1, 0, 0, 0, -1, 0, 1, 0, 0, 0, 0, 0]  # input 0 favours class 1
    >>> {name: values.round(2).tolist() for name, values in auc_table([minimum], loss=loss).items()}
    {'train_auc': [0.83], 'incorrect_auc': [nan], 'correct_auc': [1.0]}
    """
    chosen = chosen_minima(minima, None, loss, "AUC")
    classes = reference_classes(reference, chosen.loss.n_classes)
    trained = training_data(chosen.loss) if train is None else train
    data = data_of("train", trained, chosen.loss)
    wrong = mislabelled_of("train", trained, data.labels)
    tested = None if test is None else data_of("test", test, chosen.loss)
    columns = _columns(chosen, data, [slice(None), wrong, ~wrong], classes, threads)
    table = dict(zip(AREAS[:3], columns.T.copy(), strict=True))
    if tested is not None:
        table["test_auc"] = _columns(chosen, tested, [slice(None)], classes, threads)[:, 0]
    return table


def class_areas(
    minima: MinimaLike, test: TestData, *, loss: ClassifyingPotential | None = None, threads: int | None = None
) -> np.ndarray:
    """Return the AUC of every class, as :func:`auc_table` gives that of one, from one prediction of each minimum.

    Parameters
    ----------
    minima, test, loss, threads
        As for :func:`auc_table`.

    Returns
    -------
    (k, n_classes, 4) ndarray
        Columns as in :data:`AREAS`.
    """
    chosen = chosen_minima(minima, None, loss, "AUC")
    data = data_of("train", training_data(chosen.loss), chosen.loss)
    wrong = mislabelled_of("train", training_data(chosen.loss), data.labels)
    tested, count = data_of("test", test, chosen.loss), chosen.loss.n_classes

    def areas_on(parts: Sequence[slice | np.ndarray], points: LabelledPoints) -> np.ndarray:
        def areas(probabilities: np.ndarray, labels: np.ndarray) -> list[float]:
            return [_area(probabilities[part, c], labels[part] == c) for c in range(count) for part in parts]

        return score_each(chosen, points, areas, threads).reshape(-1, count, len(parts))

    return np.concatenate([areas_on([slice(None), wrong, ~wrong], data), areas_on([slice(None)], tested)], axis=2)
