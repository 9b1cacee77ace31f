"""Checks of the data that predictions are made for: inputs, labels, and which labels are wrong."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple, TypeGuard

import numpy as np
from numpy.typing import ArrayLike

from thalweg.analysis.prediction.minima_protocols import (
    HasIdentity,
    HasInputs,
    InputData,
    StatesClasses,
    StatesMislabelled,
    TestData,
)
from thalweg.potentials.protocols import ClassifyingPotential, LabelledData

__all__ = ["LabelledPoints", "data_of", "identity_of", "inputs_of", "mislabelled_of", "training_data"]


class LabelledPoints(NamedTuple):
    """Checked data.

    Attributes
    ----------
    inputs : (N, n_in) ndarray of float64
    labels : (N,) ndarray of int64
    """

    inputs: np.ndarray
    labels: np.ndarray


def inputs_of(name: str, data: InputData, loss: ClassifyingPotential) -> np.ndarray:
    """Return the checked inputs, (N, n_in), of a data set, of a pair (inputs, labels), or given as they are."""
    given = data.inputs if isinstance(data, HasInputs) else data[0] if _is_pair(data) else data
    inputs = np.ascontiguousarray(given, dtype=np.float64)
    if inputs.ndim != 2 or inputs.shape[1] != loss.layers[0]:
        raise ValueError(f"{name}.inputs has shape {inputs.shape}; (N, {loss.layers[0]}) is needed")
    if not np.isfinite(inputs).all():
        raise ValueError(f"{name}.inputs has entries that are not finite numbers")
    return inputs


def _is_pair(data: object) -> TypeGuard[tuple[ArrayLike, ArrayLike]]:
    return isinstance(data, tuple) and len(data) == 2


def data_of(name: str, dataset: TestData, loss: ClassifyingPotential) -> LabelledPoints:
    """Return the checked inputs and labels of a data set, or of a pair (inputs, labels).

    Raises
    ------
    TypeError, ValueError
        If it is neither, or does not fit the network: the argument is named.
    """
    if not isinstance(dataset, LabelledData) and not _is_pair(dataset):
        wanted = "data with .inputs and .labels, or a pair of them, are needed"
        raise TypeError(f"{name} is {'None' if dataset is None else 'of type ' + type(dataset).__name__}; {wanted}")
    inputs = inputs_of(name, dataset, loss)
    labels = np.asarray(dataset.labels if isinstance(dataset, LabelledData) else dataset[1])
    if labels.shape != inputs.shape[:1]:
        raise ValueError(f"{name}.labels has shape {labels.shape}; one for each of {len(inputs)} inputs is needed")
    classes = dataset.n_classes if isinstance(dataset, StatesClasses) else loss.n_classes
    if classes != loss.n_classes:
        raise ValueError(f"{name} has {classes} classes, and the network {loss.n_classes}")
    if len(labels) and not (labels.min() >= 0 and labels.max() < loss.n_classes):
        raise ValueError(f"{name}.labels must lie between 0 and {loss.n_classes - 1}")
    if labels.dtype.kind not in "biu" and (labels != np.floor(labels)).any():
        raise ValueError(f"{name}.labels must be whole numbers")
    return LabelledPoints(inputs, labels.astype(np.int64))


def training_data(loss: ClassifyingPotential) -> LabelledData:
    """Return the data that a loss was made from, which is the loss itself; TypeError where it has none."""
    if not isinstance(loss, LabelledData):
        raise TypeError(f"train is needed: {type(loss).__name__} holds no training data")
    return loss


def mislabelled_of(name: str, dataset: object, labels: np.ndarray) -> np.ndarray:
    """Return which points are mislabelled, (N,) bool; none where the data do not say."""
    stated = dataset.mislabelled if isinstance(dataset, StatesMislabelled) else None
    wrong = np.zeros(len(labels), dtype=bool) if stated is None else np.asarray(stated, dtype=bool)
    if wrong.shape != labels.shape:
        raise ValueError(f"{name}.mislabelled has shape {wrong.shape}; {labels.shape} is needed")
    return wrong


def identity_of(dataset: object, data: LabelledPoints) -> dict[str, Any]:
    """Return a JSON-able description that tells these data from others: their own identity, or a digest."""
    if isinstance(dataset, HasIdentity) and dataset.identity:
        return dict(dataset.identity)
    digest = hashlib.sha256(data.inputs.astype("<f8").tobytes() + data.labels.astype("<i8").tobytes())
    return {"sha256": digest.hexdigest()}
