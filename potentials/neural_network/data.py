"""Checks of a network's training data, and their packing for compiled functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thalweg.potentials.neural_network.activations.kinds import ACTIVATIONS
from thalweg.potentials.neural_network.layout import FLOATS
from thalweg.potentials.neural_network.losses.kinds import LOSSES
from thalweg.potentials.neural_network.rows import ALIGNMENT, BLOCK
from thalweg.potentials.neural_network.sparse_inputs import pack_sparse

__all__ = ["NetworkKind", "checked_arguments", "checked_inputs", "pack_network"]

LARGEST_INPUT = 1e50
LARGEST_PRODUCT = 1e290


def checked_inputs(inputs: ArrayLike, width: int | None = None) -> NDArray[np.float64]:
    """Return inputs as a float64 copy of shape (N, width), or raise ValueError or TypeError."""
    if np.iscomplexobj(inputs):
        raise TypeError("inputs must be real numbers; give real and imaginary parts as columns of their own")
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


def checked_arguments(
    inputs: ArrayLike, hidden: int | Sequence[int], l2: float, l2_biases: bool, mislabelled: ArrayLike | None
) -> tuple[NDArray[np.float64], tuple[int, ...], float, NDArray[np.bool_] | None]:
    """Check the arguments of a NetworkLoss but for the targets; return them in their final form, arrays read-only."""
    inputs = checked_inputs(inputs)
    hidden = _checked_hidden(hidden)
    if not isinstance(l2, Real) or not np.isfinite(float(l2)) or l2 < 0:
        raise ValueError(f"l2 must be a finite number of at least 0; it is {l2!r}")
    if not isinstance(l2_biases, bool | np.bool_):
        raise TypeError(f"l2_biases must be True or False, not {l2_biases!r}")
    mislabelled = _checked_mislabelled(mislabelled, len(inputs))
    for array in (inputs, mislabelled):
        if array is not None:
            array.setflags(write=False)
    return inputs, hidden, float(l2), mislabelled


@dataclass(frozen=True)
class NetworkKind:
    """Functions that a network is made of.

    Attributes
    ----------
    activation : tuple of str
        Activation of each hidden layer.
    loss : str
    l2_biases : bool
        Whether the L2 term counts biases.
    """

    activation: tuple[str, ...]
    loss: str = "cross_entropy"
    l2_biases: bool = True

    @property
    def plain(self) -> bool:
        """Whether this is a tanh network with cross-entropy and an L2 term over all weights."""
        return set(self.activation) <= {"tanh"} and self.loss == "cross_entropy" and self.l2_biases

    @property
    def saturates(self) -> bool:
        """Whether hidden units and dE/dy are bounded, however large the weights are."""
        return set(self.activation) <= {"tanh", "logistic"} and self.loss != "squared_error"


def pack_network(
    layers: Sequence[int],
    inputs: np.ndarray,
    targets: np.ndarray,
    l2: float,
    frozen: np.ndarray,
    kind: NetworkKind,
    weights: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the integers and floats of the kernels, see :mod:`~thalweg.potentials.neural_network.layout`.

    The largest weight is chosen so that no product of weights along two paths through the network overflows, or along
    four where units grow with their inputs.

    Parameters
    ----------
    layers : sequence of int
    inputs : (N, n_in) ndarray
    targets : (rows, N) ndarray
        Labels, or a row for each output.
    l2 : float
    frozen : (n_weights,) ndarray of bool
    kind : NetworkKind
    weights : (N,) ndarray, optional
        Weights of the data, of the mean 1.
    """
    n, width = inputs.shape
    indices, depth = np.flatnonzero(frozen), len(layers) - 1
    integers = np.array([depth, n, indices.size, *layers, *indices], dtype=np.int64)
    if weights is None and kind.loss != "cross_entropy":
        weights = np.ones(n)
    rows = targets if weights is None else np.concatenate([targets, weights[None]])
    blocks, height = -(-n // BLOCK), width + len(rows)
    columns = np.zeros((height, blocks * BLOCK))
    columns[:width, :n], columns[width:, :n] = inputs.T, rows
    if kind.loss == "cross_entropy":
        columns[width, n:] = -1.0
    data = columns.reshape(height, blocks, BLOCK).swapaxes(0, 1)
    paths = 2 if kind.saturates else 4
    largest = (LARGEST_PRODUCT / max(1.0, np.abs(inputs).max()) ** paths) ** (1 / paths / depth) / max(layers)
    places, values = pack_sparse(inputs)
    settings = _settings(layers, kind, rows) if not kind.plain or weights is not None else np.zeros(0, dtype=np.int64)
    packed = aligned([[l2, largest], data.ravel(), values])
    return np.concatenate([integers, places, settings]), packed


def aligned(parts: Sequence[ArrayLike]) -> NDArray[np.float64]:
    """Return the floats of the kernels joined, so that the rows of data begin at a multiple of the longest register."""
    size = sum(np.size(part) for part in parts)
    spare = np.empty(size + ALIGNMENT // 8)
    begin = -(spare.ctypes.data // 8 + FLOATS) % (ALIGNMENT // 8)
    return np.concatenate(parts, out=spare[begin : begin + size])


def _settings(layers: Sequence[int], kind: NetworkKind, rows: np.ndarray) -> np.ndarray:
    matrices = sum(below * above for below, above in pairwise(layers))
    counted = matrices + (sum(layers[1:]) if kind.l2_biases else 0)
    codes = [ACTIVATIONS[name] for name in kind.activation]
    return np.array([LOSSES[kind.loss], len(rows), counted, *codes], dtype=np.int64)
