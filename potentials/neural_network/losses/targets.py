"""Checks of what a network is to learn: classes, binary labels or numbers, and the weights of the data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "ClassWeight",
    "Targets",
    "checked_labels",
    "checked_sample_weight",
    "checked_targets",
    "class_weights",
    "data_weights",
    "one_of",
]

ClassWeight: TypeAlias = "str | Mapping[int, float] | ArrayLike | None"
"""Weights of the classes: "balanced", by class, an array with one for each class, or None for equal ones."""

LARGEST_TARGET = 1e50


class Targets(NamedTuple):
    """Targets of a network in their final form.

    Attributes
    ----------
    given : (N,) or (N, outputs) ndarray
        Labels of int64, or float64 targets of the squared error.
    outputs : int
        Number of outputs of the network.
    n_classes : int
        Number of classes or binary labels that have probabilities; of outputs for the squared error.
    """

    given: NDArray[np.int64] | NDArray[np.float64]
    outputs: int
    n_classes: int

    @property
    def rows(self) -> NDArray[np.float64]:
        """Targets as rows (outputs, N), or the row (1, N) of the labels of cross-entropy."""
        return self.given.astype(np.float64).reshape(len(self.given), -1).T


def checked_labels(labels: ArrayLike, n: int, n_classes: int | None = None) -> tuple[NDArray[np.int64], int]:
    """Return labels as int64 of shape (n,) and the number of classes, or raise ValueError or TypeError."""
    given = np.array(labels)
    if given.shape != (n,):
        raise ValueError(f"labels must have one entry for each of the {n} rows of inputs; its shape is {given.shape}")
    if given.dtype.kind not in "iuf":
        names = given.dtype.kind in "bOSU"
        told = ": np.unique(labels, return_inverse=True)[1] numbers the classes" if names else ""
        raise TypeError(f"labels must be integers, not {given.dtype}{told}")
    if not np.isfinite(given).all() or np.any(given != np.trunc(given)):
        raise ValueError("labels must be integers; some are fractions, NaN or infinite")
    if n_classes is None:
        n_classes = int(given.max()) + 1
        if n_classes == 1:
            raise ValueError("labels hold the class 0 only: give n_classes")
    if isinstance(n_classes, bool) or not isinstance(n_classes, int | np.integer):
        raise TypeError(f"n_classes must be an integer, not {n_classes!r}")
    n_classes = int(n_classes)
    if n_classes < 2:
        raise ValueError(f"n_classes must be at least 2; it is {n_classes}")
    if given.min() < 0 or given.max() >= n_classes:
        wrong = given[(given < 0) | (given >= n_classes)][0]
        raise ValueError(f"labels must lie in 0 ... {n_classes - 1} (n_classes - 1); one is {wrong}")
    return given.astype(np.int64), n_classes


def checked_targets(targets: ArrayLike, n: int, loss: str, n_classes: int | None = None) -> Targets:
    """Return the targets of n data in their final form.

    Parameters
    ----------
    targets : array_like
        Labels (n,) for "cross_entropy"; 0 and 1, (n,) or (n, outputs), for "logistic"; numbers of the same shapes for
        "squared_error".
    n : int
        Number of data.
    loss : str
    n_classes : int, optional
        Number of classes of the cross-entropy; for other losses it may only say what the targets say.

    Raises
    ------
    ValueError, TypeError
        For targets that the loss cannot have; the message says what would be right.
    """
    if loss == "cross_entropy":
        labels, classes = checked_labels(targets, n, n_classes)
        return Targets(labels, classes, classes)
    given = np.array(targets)
    if given.dtype.kind not in "biuf":
        raise TypeError(f"targets must be numbers, not {given.dtype}")
    if given.ndim not in (1, 2) or given.shape[0] != n or given.size == 0:
        raise ValueError(
            f"targets must have the shape ({n},) or ({n}, outputs), a row for each row of inputs; it is {given.shape}"
        )
    if not np.isfinite(given).all():
        raise ValueError(f"targets must be finite; {np.count_nonzero(~np.isfinite(given))} are not")
    found = _binary(given) if loss == "logistic" else _numbers(given)
    if n_classes is not None and n_classes != found.n_classes:
        raise ValueError(
            f"n_classes is for cross_entropy; the targets of {loss} say {found.n_classes}, not {n_classes}"
        )
    return found


def _binary(given: np.ndarray) -> Targets:
    if np.any((given != 0) & (given != 1)):
        wrong = given[(given != 0) & (given != 1)][0]
        raise ValueError(
            f'targets of loss="logistic" must be 0 or 1; one is {wrong}: for more classes take "cross_entropy"'
        )
    outputs = 1 if given.ndim == 1 else given.shape[1]
    return Targets(given.astype(np.int64), outputs, 2 if given.ndim == 1 else outputs)


def _numbers(given: np.ndarray) -> Targets:
    given = given.astype(np.float64)
    if np.abs(given).max() > LARGEST_TARGET:
        raise ValueError(f"targets must be below {LARGEST_TARGET:g} in magnitude: scale them")
    outputs = 1 if given.ndim == 1 else given.shape[1]
    return Targets(given, outputs, outputs)


def class_weights(given: ClassWeight, targets: Targets, loss: str) -> NDArray[np.float64] | None:
    """Return the weight of each class (n_classes,), or None for equal ones.

    "balanced" is N / (classes that occur * data of the class), as in scikit-learn; a class that a mapping lacks has
    the weight 1.
    """
    if given is None:
        return None
    if loss == "squared_error" or targets.given.ndim != 1:
        raise ValueError("class_weight needs one class for each datum; take sample_weight")
    labels = targets.given.astype(np.int64)
    counts = np.bincount(labels, minlength=targets.n_classes)
    if isinstance(given, str):
        if given != "balanced":
            raise ValueError(f'class_weight must be "balanced", a mapping or an array; it is {given!r}')
        return np.where(counts > 0, len(labels) / (np.count_nonzero(counts) * np.maximum(counts, 1)), 1.0)
    if isinstance(given, Mapping):
        unknown = [key for key in given if key not in range(targets.n_classes)]
        if unknown:
            raise ValueError(
                f"class_weight names the class {unknown[0]!r}; the classes are 0 to {targets.n_classes - 1}"
            )
        given = [given.get(k, 1.0) for k in range(targets.n_classes)]
    return _weights(given, targets.n_classes, "class_weight", "one for each class")


def data_weights(
    sample_weight: NDArray[np.float64] | None,
    class_weight: NDArray[np.float64] | None,
    targets: NDArray[np.int64] | NDArray[np.float64],
) -> NDArray[np.float64] | None:
    """Return the weights (N,) of the data with the mean 1, or None where all are equal."""
    weights = np.ones(len(targets)) if sample_weight is None else sample_weight
    if class_weight is not None:
        weights = weights * class_weight[targets.astype(np.int64)]
    if weights.max() == 0:
        raise ValueError("sample_weight and class_weight leave no datum: all of their products are zero")
    if np.all(weights == weights[0]):
        return None
    weights = weights / weights.max()
    return weights / weights.mean()


def checked_sample_weight(given: ArrayLike | None, n: int) -> NDArray[np.float64] | None:
    """Return the weights (n,) of the data as given, or None."""
    return None if given is None else _weights(given, n, "sample_weight", "one for each datum")


def _weights(given: object, n: int, name: str, wanted: str) -> NDArray[np.float64]:
    weights = np.array(given)
    if weights.dtype.kind not in "biuf" or weights.shape != (n,):
        raise ValueError(f"{name} must hold {n} numbers, {wanted}; it is {weights.dtype} of shape {weights.shape}")
    weights = weights.astype(np.float64)
    if not np.isfinite(weights).all() or np.any(weights < 0):
        wrong = weights[~((weights >= 0) & (weights < np.inf))][0]
        raise ValueError(f"{name} must be finite and at least 0; it holds {wrong}")
    weights.setflags(write=False)
    return weights


def one_of(targets: ArrayLike | None, labels: ArrayLike | None) -> ArrayLike:
    """Return the targets, given under one of their two names, or raise TypeError."""
    if targets is not None and labels is not None:
        raise TypeError("labels is another name of targets: give one of them")
    given = labels if targets is None else targets
    if given is None:
        raise TypeError("targets are missing: the classes or numbers that the network is to learn")
    return given
