"""Losses without an L2 term that have no minimum where a search ended: they fall for ever as weights grow.

The outputs are linear in the weights of the last layer. Along a direction of these weights in which no datum comes
nearer to a wrong class and some get further from it, the cross-entropy falls without end (A. Albert, J. A. Anderson,
Biometrika 71 (1984) 1). Where every datum is classified right, the last layer's own weights are such a direction; a
linear program finds any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from thalweg.potentials.neural_network.loss import NetworkLoss
    from thalweg.potentials.protocols import Matrix, Vector

__all__ = ["falls_without_end"]

# Margins of a linear program; one of a thousand rows takes some milliseconds, one of ten thousand seconds
_MOST_MARGINS = 3000
# Part of the largest possible gain below which a direction is rounding
_GAIN = 1e-6
# Weights beyond which a search has run away if the loss still falls as they double
_FAR, _DOUBLINGS = 100.0, 3


def falls_without_end(loss: NetworkLoss, x: Vector) -> bool:
    """Return whether a loss without an L2 term falls without end from weights x (n_weights,).

    Parameters
    ----------
    loss : NetworkLoss
        Of classes or of binary labels, with ``l2=0``.
    x : ndarray, shape (n_weights,)
        Where a search ended.
    """
    if not np.isfinite(x).all():
        return False
    counted = np.ones(len(loss.inputs), dtype=bool) if loss.sample_weight is None else loss.sample_weight > 0
    inputs, targets = loss.inputs[counted], loss.targets[counted]
    outputs = loss.outputs(x, inputs)
    margins = _margins(loss, targets, outputs)
    if (margins > 0).all():
        return True
    if margins.size <= _MOST_MARGINS and _has_direction(loss, _last_activations(loss, x, inputs), targets):
        return True
    if np.abs(x).max() < _FAR:
        return False
    energies = [loss.energy(2.0**k * x) for k in range(_DOUBLINGS + 1)]
    return bool((np.diff(energies) < 0).all())


def _margins(loss: NetworkLoss, targets: np.ndarray, outputs: Matrix) -> Matrix:
    """Return by how much outputs (N, outputs) favour the right classes: all are positive where all data are right."""
    if loss.loss == "cross_entropy":
        right = np.take_along_axis(outputs, targets[:, None], axis=1)
        wrong = np.arange(outputs.shape[1]) != targets[:, None]
        return np.asarray((right - outputs)[wrong].reshape(len(outputs), -1))
    return np.asarray(outputs * (2.0 * targets.reshape(outputs.shape) - 1.0))


def _last_activations(loss: NetworkLoss, x: Vector, inputs: Matrix) -> Matrix:
    """Return what the output units receive, (N, units + 1), a one for the biases at the end.

    Where one weight alone leads to each output and is one, the outputs are the activations of the units below.
    """
    below, outputs = loss.layers[-2:]
    if len(loss.layers) == 2:
        return np.hstack([inputs, np.ones((len(inputs), 1))])
    last = sum(one * other for one, other in zip(loss.layers[:-2], loss.layers[1:-1], strict=True))
    columns = []
    for start in range(0, below, outputs):
        picked, probe = np.zeros((outputs, below)), np.array(x)
        units = np.arange(start, min(start + outputs, below))
        picked[units - start, units] = 1.0
        probe[last : last + picked.size], probe[x.size - outputs :] = picked.ravel(), 0.0
        columns.append(loss.outputs(probe, inputs)[:, : len(units)])
    return np.hstack([*columns, np.ones((len(inputs), 1))])


def _has_direction(loss: NetworkLoss, received: Matrix, targets: np.ndarray) -> bool:
    """Return whether the weights of the last layer have a direction in which no margin falls and some grow."""
    from scipy.sparse import kron, vstack

    outputs, free = loss.layers[-1], _free_of_last(loss)
    # the margins as a matrix times the last layer's weights and biases, output by output
    if loss.loss == "cross_entropy":
        pairs = [(label, other) for label in range(outputs) for other in range(outputs) if label != other]
        blocks = [
            kron(np.eye(outputs)[[label]] - np.eye(outputs)[[other]], received[targets == label], format="csr")
            for label, other in pairs
            if (targets == label).any()
        ]
    else:
        signs = 2.0 * targets.reshape(len(received), outputs) - 1.0
        blocks = [kron(np.eye(outputs)[[k]], signs[:, [k]] * received, format="csr") for k in range(outputs)]
    # each logistic output has weights of its own
    parts = blocks if loss.loss == "logistic" else [vstack(blocks, format="csr")]
    return any(_improves(rows, free) for rows in parts)


def _improves(rows: Any, free: np.ndarray) -> bool:
    """Return whether rows (margins, weights) times some weights within -1 and 1 are at least 0, and some positive."""
    from scipy.optimize import linprog

    bounds = np.where(free[:, None], [-1.0, 1.0], 0.0)
    total = np.asarray(rows.sum(axis=0)).ravel()
    found = linprog(-total, A_ub=-rows, b_ub=np.zeros(rows.shape[0]), bounds=bounds, method="highs")
    return bool(found.status == 0 and -found.fun > _GAIN * np.abs(rows).sum())


def _free_of_last(loss: NetworkLoss) -> np.ndarray:
    """Return which weights and biases of the output units are free, output by output."""
    below, outputs = loss.layers[-2:]
    last = loss.n_weights - sum(loss.layers[1:]) - below * outputs
    weights = loss.mask[last : last + below * outputs].reshape(outputs, below)
    return np.hstack([weights, loss.mask[-outputs:, None]]).ravel()
