"""Scaling of inputs: the same shift and factor for training and other data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thalweg.datasets.labelled_data import Dataset
from thalweg.potentials.lazy import public

__all__ = ["SCALES", "Scaling"]

SCALES: tuple[str, ...] = ("none", "standard", "minmax")
"""Kinds of scaling: none, to mean 0 and standard deviation 1, or to the range 0 to 1."""


@public("thalweg.datasets")
@dataclass(frozen=True)
class Scaling:
    """Linear scaling of each input, ``(x - shift) / width``, as scikit-learn's scalers do.

    Parameters
    ----------
    kind : {"none", "standard", "minmax"}
        "standard" gives the data that it is made from mean 0 and standard deviation 1, "minmax" the range 0 to 1. An
        input that is constant is only shifted.
    shift, width : tuple of float
        One for each input.

    Examples
    --------
    >>> from thalweg.datasets import Scaling, wine
    >>> train, test = wine().halves()
    >>> scaling = Scaling.of(train.inputs, "standard")
    >>> bool(abs(scaling.apply(train).inputs.std(axis=0) - 1).max() < 1e-12), len(scaling.apply(test))
    (True, 89)
    """

    kind: str
    shift: tuple[float, ...]
    width: tuple[float, ...]

    @classmethod
    def of(cls, inputs: ArrayLike, kind: str) -> Scaling:
        """Return the scaling that suits some data.

        Parameters
        ----------
        inputs : (n, d) array_like
            The training data's, so that nothing of the testing data is used.
        kind : {"none", "standard", "minmax"}

        Raises
        ------
        ValueError
            If there is no such kind.
        """
        inputs = np.asarray(inputs, dtype=np.float64)
        if kind not in SCALES:
            raise ValueError(f"there is no scaling {kind!r}; there are {', '.join(SCALES)}")
        if kind == "none" or not len(inputs):
            return cls(kind, (0.0,) * inputs.shape[1], (1.0,) * inputs.shape[1])
        if kind == "standard":
            shift, width = inputs.mean(axis=0), inputs.std(axis=0)
        else:
            shift, width = inputs.min(axis=0), np.ptp(inputs, axis=0)
        # a constant input's deviation is rounding error, if not zero
        constant = width <= 10 * np.finfo(np.float64).eps * np.abs(inputs).max(axis=0)
        return cls(kind, tuple(shift.tolist()), tuple(np.where(constant, 1.0, width).tolist()))

    @classmethod
    def described(cls, description: Mapping[str, Any]) -> Scaling:
        """Return the scaling of a description by :meth:`describe`."""
        return cls(description["kind"], tuple(description["shift"]), tuple(description["width"]))

    def describe(self) -> dict[str, Any]:
        """Return the scaling as JSON-able values."""
        return {"kind": self.kind, "shift": list(self.shift), "width": list(self.width)}

    def inputs(self, inputs: ArrayLike) -> NDArray[np.float64]:
        """Return scaled inputs, (n, d)."""
        inputs = np.asarray(inputs, dtype=np.float64)
        if inputs.ndim != 2 or inputs.shape[1] != len(self.shift):
            raise ValueError(f"inputs must have shape (n, {len(self.shift)}); the shape is {inputs.shape}")
        return (inputs - np.array(self.shift)) / np.array(self.width)

    def apply(self, dataset: Dataset) -> Dataset:
        """Return a dataset with scaled inputs, which its identity says; unchanged where the kind is "none"."""
        if self.kind == "none":
            return dataset
        identity = {**dataset.identity, "scaling": self.describe()}
        return replace(dataset, inputs=self.inputs(dataset.inputs), identity=identity)
