"""Scores of the minima of a network's loss: accuracy, log loss, AUC, confusion, and wrong labels learned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from thalweg.analysis.prediction.data_arguments import (
    LabelledPoints,
    data_of,
    identity_of,
    mislabelled_of,
    training_data,
)
from thalweg.analysis.prediction.minima_arguments import NetworkMinima, chosen_minima, loss_of
from thalweg.analysis.prediction.minima_protocols import MinimaLike, TestData
from thalweg.analysis.prediction.probability_blocks import score_each
from thalweg.analysis.prediction.roc import mean_area, reference_classes
from thalweg.potentials.protocols import ClassifyingPotential

if TYPE_CHECKING:
    from thalweg.landscapes import Landscape

__all__ = ["confusion", "keep_scores", "mislabelled_table", "score_probabilities", "score_table"]

SCORES = ("accuracy", "log_loss", "auc")

_TINY = np.finfo(np.float64).tiny


def score_probabilities(probabilities: np.ndarray, labels: np.ndarray, classes: range) -> tuple[float, float, float]:
    """Return accuracy, log loss and AUC of one set of predictions.

    Parameters
    ----------
    probabilities : (N, n_classes) ndarray
    labels : (N,) ndarray of int
    classes : range
        Classes whose one-vs-rest AUC is averaged.

    Returns
    -------
    (float, float, float)
        NaN where there are no data, or NaN among the probabilities. The log loss is the mean of ``-ln p(label)``,
        without the L2 term; a probability that underflowed counts as the smallest ordinary number.
    """
    if not len(labels) or np.isnan(probabilities).any():
        return np.nan, np.nan, np.nan
    right = float(np.mean(probabilities.argmax(axis=1) == labels))
    own = np.maximum(probabilities[np.arange(len(labels)), labels], _TINY)
    return right, float(-np.log(own).mean()), mean_area(probabilities, labels, classes)


def counts(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return how often each class (row) was predicted as each class (column), (n_classes, n_classes)."""
    n = probabilities.shape[1]
    if np.isnan(probabilities).any():
        return np.full((n, n), np.nan)
    return np.bincount(labels * n + probabilities.argmax(axis=1), minlength=n * n).reshape(n, n)


def score_table(
    minima: MinimaLike,
    dataset: TestData,
    reference: int | str = 0,
    *,
    rows: ArrayLike | None = None,
    loss: ClassifyingPotential | None = None,
    threads: int | None = None,
) -> dict[str, np.ndarray]:
    """Return accuracy, log loss and AUC of each minimum.

    Parameters
    ----------
    minima : Landscape, landscape.minima or (k, n_weights) array_like
        A landscape's minima; or rows of weights, with ``loss``.
    dataset : data set or (inputs, labels)
        Data to predict; ``landscape.system.potential`` holds the training data.
    reference : int or "macro"
        Class that AUC tells from the rest; or the plain mean over all classes.
    rows : int or array_like of int, optional
        Numbers of the minima, counted from 0; all by default.
    loss : NetworkLoss, optional
        The network, where ``minima`` is an array.
    threads : int, optional
        Threads over minima; all processors by default.

    Returns
    -------
    dict of str to (k,) ndarray
        ``accuracy``, ``log_loss`` (mean of -ln p, without the L2 term) and ``auc``; NaN where undefined.

    Raises
    ------
    ValueError, TypeError, IndexError
        If shapes, labels or the reference do not fit the network, or no network is known.

    Examples
    --------
    >>> from thalweg.analysis import score_table
    >>> from thalweg.potentials import NetworkLoss
    >>> loss = NetworkLoss([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 1, 1], hidden=(2,))
    >>> table = score_table([[0.0] * 12], loss, loss=loss)  # one minimum of [2, 2, 2], all weights zero
    >>> {name: values.round(3).tolist() for name, values in table.items()}
    {'accuracy': [0.5], 'log_loss': [0.693], 'auc': [0.5]}
    """
    chosen = chosen_minima(minima, rows, loss, "scores")
    data, classes = data_of("dataset", dataset, chosen.loss), reference_classes(reference, chosen.loss.n_classes)
    table = score_each(chosen, data, lambda p, labels: score_probabilities(p, labels, classes), threads)
    return dict(zip(SCORES, table.reshape(-1, len(SCORES)).T.copy(), strict=True))


def confusion(
    minima: MinimaLike,
    dataset: TestData,
    *,
    rows: ArrayLike | None = None,
    loss: ClassifyingPotential | None = None,
    threads: int | None = None,
) -> np.ndarray:
    """Return the confusion matrix of each minimum: numbers of points by class (row) and predicted class (column).

    Parameters
    ----------
    minima, dataset, rows, loss, threads
        As for :func:`score_table`.

    Returns
    -------
    (k, n_classes, n_classes) int64 ndarray

    Raises
    ------
    ValueError, TypeError, IndexError
        As for :func:`score_table`, and if the weights of a minimum give NaN.

    Examples
    --------
    >>> from thalweg.analysis import confusion
    >>> from thalweg.potentials import NetworkLoss
    >>> loss = NetworkLoss([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1], hidden=(2,))
    >>> confusion([[0.0] * 11 + [1.0]], loss, loss=loss)  # the last bias favours class 1
    array([[[0, 3],
            [0, 1]]])
    """
    chosen = chosen_minima(minima, rows, loss, "scores")
    data, n = data_of("dataset", dataset, chosen.loss), chosen.loss.n_classes
    table = score_each(chosen, data, counts, threads).reshape(-1, n, n)
    if np.isnan(table).any():
        bad = int(np.argwhere(np.isnan(table))[0, 0])
        raise ValueError(f"minima[{bad}] has weights that give NaN: it predicts nothing")
    return table.astype(np.int64)


def mislabelled_table(
    minima: MinimaLike,
    train: TestData | None = None,
    true_labels: ArrayLike | None = None,
    *,
    rows: ArrayLike | None = None,
    loss: ClassifyingPotential | None = None,
    threads: int | None = None,
) -> dict[str, np.ndarray]:
    """Return the share of mislabelled training points whose wrong label each minimum has learned.

    Parameters
    ----------
    minima, rows, loss, threads
        As for :func:`score_table`.
    train : data set, optional
        Training data with ``mislabelled``; by default those that the loss was made from.
    true_labels : (N,) array_like of int, optional
        Labels of all training points before some were changed.

    Returns
    -------
    dict of str to (k,) ndarray
        ``learned``, the share of mislabelled points predicted as their wrong label; ``wrong_probability``, the mean
        probability of that label; and, with the true labels, ``recovered``, the share predicted as the true label,
        and ``learned_by_chance``, the share that a network blind to wrong labels would have "learned", since these are
        drawn with equal probability from the other classes: (1 - recovered) / (n_classes - 1).

    Raises
    ------
    ValueError
        If no point is mislabelled, or the true labels do not fit; and as for :func:`score_table`.

    Examples
    --------
    >>> from thalweg.analysis import mislabelled_table
    >>> from thalweg.potentials import NetworkLoss
    >>> loss = NetworkLoss(
    ...     [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 1, 0], hidden=(2,), mislabelled=[True, False, False, True]
    ... )
    >>> table = mislabelled_table([[0.0] * 11 + [1.0]], true_labels=[1, 0, 1, 1], loss=loss)  # predicts class 1
    >>> {name: values.round(3).tolist() for name, values in table.items()}
    {'learned': [0.0], 'wrong_probability': [0.269], 'recovered': [1.0], 'learned_by_chance': [0.0]}
    """
    chosen = chosen_minima(minima, rows, loss, "scores")
    train = training_data(chosen.loss) if train is None else train
    data = data_of("train", train, chosen.loss)
    wrong, n = mislabelled_of("train", train, data.labels), chosen.loss.n_classes
    if not wrong.any():
        raise ValueError("train has no mislabelled points (train.mislabelled): there is nothing to learn wrongly")
    before = None if true_labels is None else _true_labels(true_labels, data.labels, wrong, n)[wrong]

    def score(p: np.ndarray, labels: np.ndarray) -> tuple[float, float, float]:
        taken, own = p.argmax(axis=1), p[np.arange(len(labels)), labels].mean()
        return np.mean(taken == labels), own, np.nan if before is None else np.mean(taken == before)

    part = LabelledPoints(data.inputs[wrong], data.labels[wrong])
    table = score_each(chosen, part, score, threads).reshape(-1, 3)
    result = {"learned": table[:, 0].copy(), "wrong_probability": table[:, 1].copy()}
    if before is not None:
        result |= {"recovered": table[:, 2].copy(), "learned_by_chance": (1 - table[:, 2]) / (n - 1)}
    return result


def _true_labels(given: ArrayLike, labels: np.ndarray, wrong: np.ndarray, n_classes: int) -> np.ndarray:
    """Return the labels before some were changed, checked against the labels of the training data."""
    before = np.asarray(given)
    if before.shape != labels.shape:
        raise ValueError(f"true_labels has shape {before.shape}; {labels.shape} is needed")
    if len(before) and not (before.min() >= 0 and before.max() < n_classes):
        raise ValueError(f"true_labels must lie between 0 and {n_classes - 1}")
    if ((before != labels) != wrong).any():
        raise ValueError("true_labels must differ from the training labels exactly where these are mislabelled")
    return before


def keep_scores(
    landscape: Landscape,
    dataset: TestData,
    prefix: str,
    reference: int | str = 0,
    *,
    with_confusion: bool = False,
    threads: int | None = None,
) -> int:
    """Store the scores of the minima that have none yet, as properties of the landscape.

    The properties are ``<prefix>_accuracy``, ``<prefix>_log_loss``, ``<prefix>_auc`` and, where wanted,
    ``<prefix>_confusion_<class>_<predicted class>``, counts of points. Computed scores are committed every ten
    seconds: a later call continues from there.

    Parameters
    ----------
    landscape : Landscape
        Landscape of a network, open for writing.
    dataset : data set or (inputs, labels)
        Data to predict.
    prefix : str
        Name of these data in the properties, such as "test".
    reference, threads
        As for :func:`score_table`.
    with_confusion : bool
        Whether to keep the confusion matrix, n_classes squared properties.

    Returns
    -------
    int
        Number of minima whose scores were computed.

    Raises
    ------
    ValueError, TypeError
        As for :func:`score_table`, and if a property of such a name was computed from other data.

    Examples
    --------
    >>> from thalweg.analysis import keep_scores
    >>> from thalweg.landscapes import Landscape
    >>> from thalweg.potentials import NetworkLoss, Weights
    >>> loss = NetworkLoss([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], hidden=(2,), l2=1e-3)
    >>> with Landscape(Weights.random(loss), "xor.zarr") as landscape:
    ...     done = landscape.find_minima(steps=4, workers=1, progress=False)
    ...     computed = keep_scores(landscape, ([[0.1, 0.9]], [1]), "test")
    ...     computed == len(landscape.minima), "test_accuracy" in landscape.properties
    (True, True)
    """
    from thalweg.landscapes import fill_property

    loss = loss_of(landscape, what="scores")
    data = data_of("dataset", dataset, loss)
    classes = reference_classes(reference, loss.n_classes)
    if not len(data.labels):
        raise ValueError("dataset holds no points: there is nothing to score")
    names = [f"{prefix}_{score}" for score in SCORES]
    pairs = np.ndindex(loss.n_classes, loss.n_classes) if with_confusion else ()
    names += [f"{prefix}_confusion_{a}_{b}" for a, b in pairs]

    def score(p: np.ndarray, labels: np.ndarray) -> Sequence[float]:
        values = score_probabilities(p, labels, classes)
        return [*values, *counts(p, labels).ravel()] if with_confusion else values

    return fill_property(
        landscape,
        names,
        lambda x: score_each(NetworkMinima(x, loss), data, score, threads),
        workers=1,  # the scores of a block are computed on threads already
        may_be_nan=[f"{prefix}_auc"],  # the data may lack its class
        reference=reference,
        testing_points=len(data.labels),
        testing=identity_of(dataset, data),
    )
