"""A network as a function of its weights along the principal axes of its inputs.

An L2 term on all weights of the first layer does not change where inputs and these weights are rotated together. Along
the principal axes the second moments of the inputs are known, and with them roughly how the curvatures of the loss
spread: those of raw pixels over eight decades. Axes along which all inputs are zero, such as those of pixels that no
picture uses, are left out: the weights along them are zero at every stationary point, and their curvature is 2 l2.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np

from thalweg.potentials.compiled.signatures import Compiled
from thalweg.potentials.neural_network.loss import NetworkLoss
from thalweg.potentials.neural_network.principal_axes.scaled_loss import scaled_network_function

__all__ = ["RotatedNetwork", "rotated_network"]

# Inputs that are worth a rotation, at least
_WIDE = 64
# Estimated curvature of the loss along a weight whose input has the mean square 1. At minima of raw MNIST it is 0.001
# to 0.003; on the way there many hidden units are saturated, and this is what took the fewest steps of LBFGS (measured)
_CURVATURE = 3e-5
# Curvature along the longest axis in those of the L2 term, at least: with less all are alike
_SPREAD = 10.0


def _data_weights(loss: NetworkLoss) -> np.ndarray:
    """Return the weights of the training points, (n_data,)."""
    return np.ones(len(loss.inputs)) if loss.data_weights is None else loss.data_weights


class RotatedNetwork:
    """A network along the principal axes of its inputs.

    Parameters
    ----------
    loss : NetworkLoss
        With an L2 term, and no frozen weights.

    Attributes
    ----------
    small : NetworkLoss
        The network of the inputs along their axes.
    curvatures : ndarray, shape (small.n_weights,)
        Estimated curvature of the loss along each of its weights.
    scale : ndarray, shape (small.n_weights,)
        Scale of the weights of ``small`` by which the estimated curvatures become alike.
    across : ndarray, shape (loss.n_weights,), or None
        A direction, of length 1, of weights on which the network's outputs do not depend, as all inputs are zero along
        it; None if there is none.
    """

    def __init__(self, loss: NetworkLoss) -> None:
        weights = _data_weights(loss)
        moments, axes = np.linalg.eigh((loss.inputs.T * weights) @ loss.inputs / len(weights))
        kept = moments > moments[-1] * np.finfo(float).eps * max(loss.inputs.shape)
        self._axes, self._layers = np.ascontiguousarray(axes[:, kept].T), loss.layers
        settings = loss._settings()
        if loss.loss == "cross_entropy":
            settings["n_classes"] = loss.n_classes
        self.small = NetworkLoss(
            loss.inputs @ self._axes.T, loss.targets, loss.hidden, loss.l2, device="cpu", **settings
        )
        self.across = None if kept.all() else np.zeros(loss.n_weights)
        if self.across is not None:
            self.across[: loss.layers[0]] = axes[:, ~kept][:, 0]
        self.curvatures = np.full(self.small.n_weights, 2.0 * loss.l2)
        self.curvatures[: kept.sum() * loss.layers[1]] += np.tile(_CURVATURE * moments[kept], loss.layers[1])
        self.scale = np.sqrt(2.0 * loss.l2 / self.curvatures)

    @property
    def compiled(self) -> Compiled:
        """Loss by weights over ``scale``, whose curvatures are alike, without a Hessian."""
        _, hessian, integers, floats = self.small.compiled
        return Compiled(scaled_network_function, hessian, integers, np.concatenate([floats, self.scale]))

    def gather(self, x: np.ndarray) -> np.ndarray:
        """Return the weights along the axes from those of the network (n_weights,)."""
        first = self._layers[0] * self._layers[1]
        along = x[:first].reshape(self._layers[1], -1) @ self._axes.T
        return np.concatenate([along.ravel(), x[first:]])

    def spread(self, y: np.ndarray) -> np.ndarray:
        """Return the network's weights (n_weights,), or a direction, from those along the axes."""
        first = len(self._axes) * self._layers[1]
        whole = y[:first].reshape(self._layers[1], -1) @ self._axes
        return np.concatenate([whole.ravel(), y[first:]])


_KNOWN: WeakKeyDictionary[NetworkLoss, RotatedNetwork | None] = WeakKeyDictionary()


def rotated_network(loss: NetworkLoss) -> RotatedNetwork | None:
    """Return a network along the principal axes of its inputs, or None where that would gain nothing.

    It is made once for each loss.

    Parameters
    ----------
    loss : NetworkLoss
    """
    if loss not in _KNOWN:
        _KNOWN[loss] = RotatedNetwork(loss) if _gains(loss) else None
    return _KNOWN[loss]


def _gains(loss: NetworkLoss) -> bool:
    """Return whether the inputs are many, and their second moments large and uneven beside the L2 term."""
    if loss.l2 == 0 or not loss.mask.all() or loss.inputs.shape[1] < _WIDE:
        return False
    weights = _data_weights(loss)
    return bool(_CURVATURE * (weights @ (loss.inputs**2).sum(axis=1)) / len(weights) > _SPREAD * 2.0 * loss.l2)
