"""Checks of a network's training data, and their packing for compiled functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thalweg.potentials.neural_network.energy import BLOCK
from thalweg.potentials.neural_network.sparse_inputs import pack_sparse

__all__ = ["checked_data", "checked_inputs", "checked_labels", "pack_network"]

LARGEST_INPUT = 1e50
LARGEST_PRODUCT = 1e290


def checked_inputs(inputs: ArrayLike, width: int | None = None) -> NDArray[np.float64]:
    """Return inputs as a float64 copy of shape (N, width), or raise ValueError."""
    inputs = np.array(inputs, dtype=np.float64, order="C")
    wanted = "n_in" if width is None else str(width)
    if inputs.ndim != 2 or inputs.shape[1] != (width or inputs.shape[1]):
        raise ValueError(f"inputs must have the shape (N, {wanted}); it is {inputs.shape}")
    if inputs.size == 0:
        raise ValueError(f"inputs must hold at least one point and one column; its shape is {inputs.shape}")
    if not np.isfinite(inputs).all():
        row, column = np.argwhere(~np.isfinite(inputs))[0]
        raise ValueError(f"inputs must be finite; inputs[{row}, {column}] is {inputs[row, column]}")
    if np.abs(inputs).max() > LARGEST_INPUT:
        raise ValueError(f"inputs must be below {LARGEST_INPUT:g} in magnitude: scale them")
    return inputs


def checked_labels(labels: ArrayLike, n: int, n_classes: int | None = None) -> tuple[NDArray[np.int64], int]:
    """Return labels as int64 of shape (n,) and the number of classes, or raise ValueError or TypeError."""
    given = np.array(labels)
    if given.shape != (n,):
        raise ValueError(f"labels must have one entry for each of the {n} rows of inputs; its shape is {given.shape}")
    if given.dtype.kind not in "iuf":
        raise TypeError(f"labels must be integers, not {given.dtype}")
    if not np.isfinite(given).all() or np.any(given != np.trunc(given)):
        raise ValueError("labels must be integers; some are fractions, NaN or infinite")
    if n_classes is None:
        n_classes = int(given.max()) + 1
        if n_classes == 1:
            raise ValueError("labels hold the class 0 only: give n_classes")
    n_classes = _integer(n_classes, "n_classes")
    if n_classes < 2:
        raise ValueError(f"n_classes must be at least 2; it is {n_classes}")
    if given.min() < 0 or given.max() >= n_classes:
        wrong = given[(given < 0) | (given >= n_classes)][0]
        raise ValueError(f"labels must lie in 0 ... {n_classes - 1} (n_classes - 1); one is {wrong}")
    return given.astype(np.int64), n_classes


def _integer(value: object, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be an integer, not {value!r}")
    return int(value)


def _checked_hidden(hidden: int | Sequence[int]) -> tuple[int, ...]:
    given = tuple(hidden) if isinstance(hidden, Iterable) else (hidden,)
    widths = tuple(_integer(width, "hidden") for width in given)
    if any(width < 1 for width in widths):
        raise ValueError(f"hidden must hold widths of at least 1; it is {widths}")
    return widths


def _checked_mislabelled(mislabelled: ArrayLike | None, n: int) -> NDArray[np.bool_] | None:
    if mislabelled is None:
        return None
    mislabelled = np.array(mislabelled)
    if mislabelled.dtype != np.bool_ or mislabelled.shape != (n,):
        raise ValueError(
            f"mislabelled must be booleans of shape ({n},); it is {mislabelled.dtype} of shape {mislabelled.shape}"
        )
    return mislabelled


def checked_data(
    inputs: ArrayLike,
    labels: ArrayLike,
    hidden: int | Sequence[int],
    l2: float,
    n_classes: int | None,
    mislabelled: ArrayLike | None,
) -> tuple[NDArray[np.float64], NDArray[np.int64], tuple[int, ...], float, int, NDArray[np.bool_] | None]:
    """Check the arguments of a NetworkLoss and return them in their final form, the arrays read-only."""
    inputs = checked_inputs(inputs)
    labels, n_classes = checked_labels(labels, len(inputs), n_classes)
    hidden = _checked_hidden(hidden)
    if not isinstance(l2, Real) or not np.isfinite(float(l2)) or l2 < 0:
        raise ValueError(f"l2 must be a finite number of at least 0; it is {l2!r}")
    mislabelled = _checked_mislabelled(mislabelled, len(inputs))
    for array in (inputs, labels, mislabelled):
        if array is not None:
            array.setflags(write=False)
    return inputs, labels, hidden, float(l2), n_classes, mislabelled


def pack_network(
    layers: Sequence[int], inputs: np.ndarray, labels: np.ndarray, l2: float, frozen: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the integers and floats of the kernels, see :mod:`~thalweg.potentials.neural_network.energy`.

    The largest weight is chosen so that no product of weights along two paths through the network overflows.
    """
    n, width = inputs.shape
    indices = np.flatnonzero(frozen)
    integers = np.array([len(layers) - 1, n, indices.size, *layers, *indices], dtype=np.int64)
    blocks = -(-n // BLOCK)
    columns = np.zeros((width + 1, blocks * BLOCK))
    columns[:width, :n] = inputs.T
    columns[width, :n], columns[width, n:] = labels, -1.0
    data = columns.reshape(width + 1, blocks, BLOCK).swapaxes(0, 1)
    depth = len(layers) - 1
    largest = (LARGEST_PRODUCT / max(1.0, np.abs(inputs).max()) ** 2) ** (0.5 / depth) / max(layers)
    places, values = pack_sparse(inputs)
    return np.concatenate([integers, places]), np.concatenate([[l2, largest], data.ravel(), values])
