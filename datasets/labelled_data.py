"""Labelled data: inputs, labels, which labels were changed, and where the data come from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thalweg.potentials.lazy import public

__all__ = ["Dataset"]

_DRAW = 0x7EA1  # tells the random numbers of a draw from those of an exploration of the same seed


@public("thalweg.datasets")
@dataclass(frozen=True, eq=False)
class Dataset:
    """Immutable labelled data for a network.

    Indexing with a slice, a mask or an array of indices returns a Dataset.

    Parameters
    ----------
    inputs : array_like of float, shape (n, d)
        Finite numbers, one row for each data point.
    labels : array_like of int, shape (n,)
        Classes from 0 to n_classes - 1.
    n_classes : int
        Number of classes, whether or not all of them occur.
    mislabelled : array_like of bool, shape (n,), optional
        True where a label was changed; no label by default.
    identity : mapping, optional
        Origin of the data as JSON-able values: name, seed, rules, chosen rows.
    failures : mapping of str to int, optional
        Number of points that were left out when the data were made, by reason.

    Raises
    ------
    TypeError
        If labels are not integers.
    ValueError
        If shapes disagree, inputs are not finite, or a label is out of range.

    Examples
    --------
    >>> from thalweg.datasets import Dataset
    >>> data = Dataset([[0.0], [0.5], [1.0], [1.5]], [0, 0, 1, 1], n_classes=2)
    >>> train, test = data.halves()
    >>> train, test.labels
    (Dataset(unnamed: 2 points, 1 inputs, 2 classes, 0 mislabelled), array([1, 1]))
    """

    inputs: NDArray[np.float64]
    labels: NDArray[np.int64]
    n_classes: int
    mislabelled: NDArray[np.bool_] = None  # type: ignore[assignment]
    identity: Mapping[str, Any] = field(default_factory=dict)
    failures: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        inputs = _read_only(self.inputs, np.float64)
        if inputs.ndim != 2 or inputs.shape[1] == 0:
            raise ValueError(f"inputs must have shape (n, d) with d at least 1; the shape is {inputs.shape}")
        if not np.isfinite(inputs).all():
            raise ValueError("inputs must be finite; they have NaN or infinite entries")
        labels = _checked_labels(self.labels, self.n_classes, len(inputs))
        changed = np.zeros(len(inputs), dtype=bool) if self.mislabelled is None else self.mislabelled
        changed = _read_only(changed, bool)
        if changed.shape != labels.shape:
            raise ValueError(f"mislabelled must have shape {labels.shape}, as labels; it has {changed.shape}")
        values = {"inputs": inputs, "labels": labels, "mislabelled": changed, "n_classes": int(self.n_classes)}
        values |= {"identity": dict(self.identity), "failures": dict(self.failures)}
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        changed = int(self.mislabelled.sum())
        return f"Dataset({self.name}: {len(self)} points, {self.inputs.shape[1]} inputs, " + (
            f"{self.n_classes} classes, {changed} mislabelled)"
        )

    def __getitem__(self, rows: slice | ArrayLike) -> Dataset:
        if isinstance(rows, slice):
            said = ":".join("" if part is None else str(part) for part in (rows.start, rows.stop, rows.step))
        else:
            rows = _checked_rows(rows, len(self))
            said = "sha256 " + hashlib.sha256(rows.astype("<i8").tobytes()).hexdigest()
        identity = {**self.identity, "rows": [*self.identity.get("rows", []), said]}
        parts = {name: getattr(self, name)[rows] for name in ("inputs", "labels", "mislabelled")}
        return replace(self, **parts, identity=identity)

    @property
    def name(self) -> str:
        """Name of the data."""
        return str(self.identity.get("name", "unnamed"))

    @property
    def failed(self) -> int:
        """Number of points that were left out when the data were made."""
        return sum(self.failures.values())

    @property
    def class_fractions(self) -> NDArray[np.float64]:
        """Share of each class, shape (n_classes,)."""
        return np.bincount(self.labels, minlength=self.n_classes) / max(len(self), 1)

    def halves(self) -> tuple[Dataset, Dataset]:
        """Split the data into the first half, for training, and the rest, for testing."""
        return self[: len(self) // 2], self[len(self) // 2 :]

    def draw(self, size: int, seed: int = 0) -> tuple[Dataset, Dataset]:
        """Draw points at random, and return them and the rest.

        Parameters
        ----------
        size : int
            Number of points; more points of one seed contain fewer.
        seed : int
            Seed of the draw, that of ``thalweg explore --seed``.

        Raises
        ------
        ValueError
            If there are not so many points.

        Examples
        --------
        >>> from thalweg.datasets import Dataset
        >>> data = Dataset([[0.0], [1.0], [2.0], [3.0]], [0, 1, 0, 1], n_classes=2, identity={"name": "four"})
        >>> drawn, rest = data.draw(3)
        >>> len(drawn), len(rest)
        (3, 1)
        """
        if not 1 <= size <= len(self):
            raise ValueError(f"size must lie between 1 and the {len(self)} points that there are to draw; it is {size}")
        order = np.random.default_rng([_DRAW, seed]).permutation(len(self))
        return self[order[:size]], self[order[size:]]

    def correct(self) -> Dataset:
        """Return the points whose labels were not changed."""
        return self[~self.mislabelled]

    def incorrect(self) -> Dataset:
        """Return the points whose labels were changed."""
        return self[self.mislabelled]


def _read_only(values: ArrayLike, kind: type) -> NDArray[Any]:
    """Return a C-ordered array that nobody can write to; a copy unless the array, or what it views, already is one."""
    array: NDArray[Any] = np.asarray(values, dtype=kind, order="C")
    owner = array if array.base is None else array.base
    shared = isinstance(owner, np.ndarray) and not owner.flags.writeable and not array.flags.writeable
    array = array if shared else array.copy()
    array.flags.writeable = False
    return array


def _checked_labels(labels: ArrayLike, n_classes: int, count: int) -> NDArray[np.int64]:
    """Return labels as int64, or raise an error that says what is wrong with them."""
    labels = np.asarray(labels)
    if labels.size and not np.issubdtype(labels.dtype, np.integer):
        raise TypeError(f"labels must be integers, not {labels.dtype}")
    if labels.shape != (count,):
        raise ValueError(f"labels must have shape ({count},), one for each row of inputs; it is {labels.shape}")
    if isinstance(n_classes, bool) or not isinstance(n_classes, int | np.integer) or n_classes < 1:
        raise ValueError(f"n_classes must be a positive integer, not {n_classes!r}")
    if labels.size and (labels.min() < 0 or labels.max() >= n_classes):
        raise ValueError(f"labels must lie in 0 to {n_classes - 1}; they span {labels.min()} to {labels.max()}")
    return _read_only(labels, np.int64)


def _checked_rows(rows: ArrayLike, count: int) -> NDArray[np.int64]:
    """Return the indices that a mask or an array of indices stands for."""
    rows = np.asarray(rows)
    if rows.ndim != 1:
        raise TypeError("index a Dataset with a slice, a mask or an array of indices; data[i : i + 1] is one point")
    if rows.dtype == bool:
        if rows.size != count:
            raise IndexError(f"the mask must have {count} entries, one for each point; it has {rows.size}")
        return np.flatnonzero(rows)
    if rows.size and not np.issubdtype(rows.dtype, np.integer):
        raise TypeError(f"indices must be integers, not {rows.dtype}")
    return rows.astype(np.int64)
