"""The part of a loss's Hessian that couples no two hidden units, for networks with one hidden layer.

The outputs are a sum over hidden units, so that second derivatives of the outputs vanish between the weights of two
different units. With J the derivatives of the outputs by the weights and B the second derivatives of the loss by the
outputs, the Hessian is H = D + J^T B J, where D has one small block for each unit: second derivatives of its own
contribution to the outputs, weighed with the loss's slope there, and the L2 term. Units that are copies of each other
may move apart without a change of the outputs, so that eigenvalues of D are eigenvalues of H; in wide networks these
are thousands, and the lowest of all.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import erf, expit, softmax

from thalweg.potentials.neural_network.loss import NetworkLoss

__all__ = ["has_unit_blocks", "unit_blocks", "unit_places"]

# Data whose products of inputs are made at once, and the largest block that costs little beside products of the
# whole Hessian
_TOGETHER, _LARGEST_BLOCK = 1000, 150

_Slopes = tuple[np.ndarray, np.ndarray]


def has_unit_blocks(loss: object) -> bool:
    """Return whether a potential is a loss of a network with one hidden layer, all connections and small blocks."""
    if not isinstance(loss, NetworkLoss) or len(loss.hidden) != 1 or not loss.mask.all():
        return False
    return loss.layers[0] + 1 + loss.layers[-1] <= _LARGEST_BLOCK


def unit_places(loss: NetworkLoss) -> np.ndarray:
    """Return the coordinates (units, m) of each hidden unit: weights of its inputs, its bias, weights into outputs."""
    d, h, k = loss.layers
    places = np.empty((h, d + 1 + k), dtype=np.intp)
    places[:, :d] = np.arange(d * h).reshape(h, d)
    places[:, d] = np.arange((d + k) * h, (d + k + 1) * h)
    places[:, d + 1 :] = np.arange(d * h, (d + k) * h).reshape(k, h).T
    return places


def unit_blocks(loss: NetworkLoss, x: np.ndarray, units: np.ndarray | None = None) -> np.ndarray:
    """Return the part of the Hessian at x that couples no two hidden units, (units, m, m) between their coordinates.

    Parameters
    ----------
    loss : NetworkLoss
        Of a network with one hidden layer and all connections, any activation and loss.
    x : ndarray, shape (n_weights,)
    units : ndarray of int, optional
        Units that are asked for; all where missing.

    References
    ----------
    N. N. Schraudolph, Neural Comput. 14 (2002) 1723, on the two parts of the Hessian.
    """
    d, _, k = loss.layers
    weights = x[unit_places(loss) if units is None else unit_places(loss)[units]]
    inputs = np.hstack([loss.inputs, np.ones((len(loss.inputs), 1))])
    slopes = _output_slopes(loss, loss.outputs(x, loss.inputs))
    slope, bend = _DERIVATIVES[loss.activation[0]](inputs @ weights[:, : d + 1].T)
    bend *= slopes @ weights[:, d + 1 :].T
    blocks = np.zeros((len(weights), d + 1 + k, d + 1 + k))
    _add_curvatures(blocks, inputs, slopes, slope, bend)
    diagonal = np.full(d + 1 + k, 2.0 * loss.l2)
    diagonal[d] *= loss.l2_biases
    blocks[:, np.arange(d + 1 + k), np.arange(d + 1 + k)] += diagonal
    return blocks


def _add_curvatures(
    blocks: np.ndarray, inputs: np.ndarray, slopes: np.ndarray, slope: np.ndarray, bend: np.ndarray
) -> None:
    """Add sums over the data of products of inputs, which are the same for all units, weighed by each unit."""
    d = inputs.shape[1]
    row, column = np.tril_indices(d)
    for begin in range(0, len(inputs), _TOGETHER):
        part = slice(begin, begin + _TOGETHER)
        x, y = inputs[part], slopes[part]
        blocks[:, row, column] += bend[part].T @ (x[:, row] * x[:, column])
        across = slope[part].T @ (x[:, :, None] * y[:, None]).reshape(len(x), -1)
        blocks[:, :d, d:] += across.reshape(len(blocks), d, -1)
    blocks[:, column, row] = blocks[:, row, column]
    blocks[:, d:, :d] = blocks[:, :d, d:].transpose(0, 2, 1)


def _output_slopes(loss: NetworkLoss, outputs: np.ndarray) -> np.ndarray:
    """Return the derivatives (N, outputs) of the mean loss by the outputs."""
    n, k = outputs.shape
    weights = np.full((n, 1), 1.0 / n) if loss.data_weights is None else loss.data_weights[:, None] / n
    if loss.loss == "squared_error":
        return 2.0 * weights * (outputs - loss.targets.reshape(n, k))
    if loss.loss == "logistic":
        return weights * (expit(outputs) - loss.targets.reshape(n, k))
    slopes = softmax(outputs, axis=1)
    slopes[np.arange(n), loss.labels] -= 1.0
    return weights * slopes


def _tanh(z: np.ndarray) -> _Slopes:
    a = np.tanh(z)
    slope = 1.0 - a * a
    return slope, -2.0 * a * slope


def _logistic(z: np.ndarray) -> _Slopes:
    a = expit(z)
    slope = a * (1.0 - a)
    return slope, slope * (1.0 - 2.0 * a)


def _softplus(z: np.ndarray) -> _Slopes:
    a = expit(z)
    return a, a * (1.0 - a)


def _silu(z: np.ndarray) -> _Slopes:
    a = expit(z)
    slope = a * (1.0 - a)
    return a + z * slope, slope * (2.0 + z * (1.0 - 2.0 * a))


def _gelu(z: np.ndarray) -> _Slopes:
    density = np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi)
    return 0.5 * (1.0 + erf(z / np.sqrt(2.0))) + z * density, density * (2.0 - z * z)


_DERIVATIVES: dict[str, Callable[[np.ndarray], _Slopes]] = {
    "tanh": _tanh, "logistic": _logistic, "softplus": _softplus, "silu": _silu, "gelu": _gelu,
}  # fmt: skip
"""First and second derivatives of each activation."""
