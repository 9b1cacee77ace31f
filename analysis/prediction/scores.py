"""How well each minimum of a network predicts, and whether it has learned the wrong labels."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg.analysis.prediction.arguments import (
    chosen_of,
    data_of,
    identity_of,
    loss_of,
    mislabelled_of,
    score_each,
)
from thalweg.analysis.prediction.roc import mean_area, reference_classes

__all__ = ["confusion", "keep_scores", "mislabelled_table", "score_probabilities", "score_table"]

SCORES = ("accuracy", "log_loss", "auc")

_TINY = np.finfo(np.float64).tiny
_SECONDS_BETWEEN_SAVES = 10.0
_BLOCK = 256


def score_probabilities(probabilities: np.ndarray, labels: np.ndarray, classes: range) -> tuple[float, float, float]:
    """Return accuracy, log loss and AUC of one set of predictions.

    Parameters
    ----------
    probabilities : (N, n_classes) ndarray
    labels : (N,) ndarray of int
    classes : range
        The classes over whose one-vs-rest AUC to average.

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


def _resolved(minima: Any, dataset: Any, rows: Any, loss: Any) -> tuple[Any, Any, tuple[np.ndarray, np.ndarray]]:
    weights, loss = chosen_of(minima, rows, loss, "scores")
    return weights, loss, data_of("dataset", dataset, loss)


def score_table(
    minima: Any,
    dataset: Any,
    reference: int | str = 0,
    *,
    rows: Any = None,
    loss: Any = None,
    threads: int | None = None,
) -> dict[str, np.ndarray]:
    """Return how well each minimum predicts.

    Parameters
    ----------
    minima : Landscape, landscape.minima or (k, n_weights) array_like
        A landscape's minima; or rows of weights, with ``loss``.
    dataset : data set or (inputs, labels)
        ``landscape.system.potential`` for the training data.
    reference : int or "macro"
        The class that AUC tells from the rest; or the plain mean over all classes.
    rows : int or array_like of int, optional
        Which minima, counted from 0; all by default.
    loss : NetworkLoss, optional
        The network, where ``minima`` is an array.
    threads : int, optional
        Over minima; all processors by default.

    Returns
    -------
    dict of str to (k,) ndarray
        ``accuracy``, ``log_loss`` (mean of -ln p, without the L2 term) and ``auc``; NaN where undefined.

    Raises
    ------
    ValueError, TypeError, IndexError
        If shapes, labels or the reference do not fit the network, or no network is known.
    """
    weights, loss, data = _resolved(minima, dataset, rows, loss)
    classes = reference_classes(reference, loss.n_classes)
    table = score_each(weights, loss, data, lambda p, labels: score_probabilities(p, labels, classes), threads)
    return dict(zip(SCORES, table.reshape(-1, len(SCORES)).T.copy(), strict=True))


def confusion(
    minima: Any, dataset: Any, *, rows: Any = None, loss: Any = None, threads: int | None = None
) -> np.ndarray:
    """Return how many points of each class (first index) each minimum takes for each class (second index).

    Parameters and errors as for :func:`score_table`.

    Returns
    -------
    (k, n_classes, n_classes) int64 ndarray
    """
    weights, loss, data = _resolved(minima, dataset, rows, loss)
    table = score_each(weights, loss, data, counts, threads).reshape(-1, loss.n_classes, loss.n_classes)
    if np.isnan(table).any():
        bad = int(np.argwhere(np.isnan(table))[0, 0])
        raise ValueError(f"minima[{bad}] has weights that give NaN: it predicts nothing")
    return table.astype(np.int64)


def mislabelled_table(
    minima: Any,
    train: Any = None,
    true_labels: Any = None,
    *,
    rows: Any = None,
    loss: Any = None,
    threads: int | None = None,
) -> dict[str, np.ndarray]:
    """Return what each minimum does with the mislabelled training points: has it learned them?

    Parameters
    ----------
    minima, rows, loss, threads
        As for :func:`score_table`.
    train : data set, optional
        With ``mislabelled``; by default the data that the loss was made from.
    true_labels : (N,) array_like of int, optional
        Labels of all training points as they were before.

    Returns
    -------
    dict of str to (k,) ndarray
        ``learned``, the share of mislabelled points predicted as their wrong label; ``wrong_probability``, the mean
        probability of that label; and, with the true labels, ``recovered``, the share predicted as what it was before,
        and ``learned_by_chance``, the share that a network blind to wrong labels would have "learned", these being
        drawn with equal probability from the other classes: (1 - recovered) / (n_classes - 1).

    Raises
    ------
    ValueError
        If no point is mislabelled, or the true labels do not fit; and as for :func:`score_table`.
    """
    known = loss_of(getattr(minima, "minima", minima), loss, "scores")
    train = known if train is None else train
    weights, loss, (inputs, labels) = _resolved(minima, train, rows, known)
    wrong = mislabelled_of("train", train, labels)
    if not wrong.any():
        raise ValueError("train has no mislabelled points (train.mislabelled): there is nothing to learn wrongly")
    before = None if true_labels is None else _true_labels(true_labels, labels, wrong, loss)[wrong]

    def score(p, labels):
        taken, own = p.argmax(axis=1), p[np.arange(len(labels)), labels].mean()
        return np.mean(taken == labels), own, np.nan if before is None else np.mean(taken == before)

    table = score_each(weights, loss, (inputs[wrong], labels[wrong]), score, threads).reshape(-1, 3)
    result = {"learned": table[:, 0].copy(), "wrong_probability": table[:, 1].copy()}
    if before is not None:
        result |= {"recovered": table[:, 2].copy(), "learned_by_chance": (1 - table[:, 2]) / (loss.n_classes - 1)}
    return result


def _true_labels(given: Any, labels: np.ndarray, wrong: np.ndarray, loss: Any) -> np.ndarray:
    """Return the labels as they were, checked against those that are there now."""
    before = np.asarray(given)
    if before.shape != labels.shape:
        raise ValueError(f"true_labels has shape {before.shape}; {labels.shape} is needed")
    if len(before) and not (before.min() >= 0 and before.max() < loss.n_classes):
        raise ValueError(f"true_labels must lie between 0 and {loss.n_classes - 1}")
    if ((before != labels) != wrong).any():
        raise ValueError("true_labels must differ from the training labels exactly where these are mislabelled")
    return before


def keep_scores(
    landscape: Any,
    dataset: Any,
    prefix: str,
    reference: int | str = 0,
    *,
    with_confusion: bool = False,
    threads: int | None = None,
) -> int:
    """Store the scores of the minima that have none yet, as properties of the landscape.

    The properties are ``<prefix>_accuracy``, ``<prefix>_log_loss``, ``<prefix>_auc`` and, where wanted,
    ``<prefix>_confusion_<class>_<predicted class>``, counts of points. What has been computed is committed every ten
    seconds: a later call goes on from there.

    Parameters
    ----------
    landscape : Landscape
        Of a network, open for writing.
    dataset : data set or (inputs, labels)
    prefix : str
        What these data are called: "test", say.
    reference, threads
        As for :func:`score_table`.
    with_confusion : bool
        Whether to keep the confusion matrix, n_classes squared properties.

    Returns
    -------
    int
        Of how many minima scores were computed.

    Raises
    ------
    ValueError, TypeError
        As for :func:`score_table`; or a property of such a name was computed from other data.
    """
    loss = loss_of(landscape, what="scores")
    data = data_of("dataset", dataset, loss)
    classes = reference_classes(reference, loss.n_classes)
    if not len(data[1]):
        raise ValueError("dataset holds no points: there is nothing to score")
    names = [f"{prefix}_{score}" for score in SCORES]
    pairs = np.ndindex(loss.n_classes, loss.n_classes) if with_confusion else ()
    names += [f"{prefix}_confusion_{a}_{b}" for a, b in pairs]
    source = {"reference": reference, "testing_points": len(data[1]), "testing": identity_of(dataset, data)}

    def score(p, labels):
        values = score_probabilities(p, labels, classes)
        return [*values, *counts(p, labels).ravel()] if with_confusion else values

    return _fill(landscape, names, source, lambda x: score_each(x, loss, data, score, threads))


def _fill(landscape: Any, names: list[str], source: dict[str, Any], scores: Callable[[np.ndarray], np.ndarray]) -> int:
    """Compute several properties at once where one of them is missing, and return of how many minima."""
    table = np.column_stack([_known(landscape, name, source) for name in names])
    always = [k for k, name in enumerate(names) if not name.endswith("_auc")]  # data may lack the class of an AUC
    unknown = np.flatnonzero(np.isnan(table[:, always]).any(axis=1))
    saved = time.monotonic()
    for first in range(0, len(unknown), _BLOCK):
        rows = unknown[first : first + _BLOCK]
        table[rows] = scores(landscape.minima.coordinates[rows])
        last = first + _BLOCK >= len(unknown)
        if last or time.monotonic() - saved > _SECONDS_BETWEEN_SAVES:
            for name, values in zip(names, table.T, strict=True):
                landscape.properties.set(name, values, **source)
            saved = time.monotonic()
    return len(unknown)


def _known(landscape: Any, name: str, source: dict[str, Any]) -> np.ndarray:
    """Return what is there of a property, NaN for the rest."""
    if name not in landscape.properties:
        return np.full(len(landscape.minima), np.nan)
    before = dict(landscape.properties.attributes(name))
    if before != source:
        raise ValueError(
            f"property {name!r} was computed from other data, {before}: delete it, or choose another prefix"
        )
    return landscape.properties[name]
