"""Networks whose hidden units are copies of a few: copies move together, so that there are few weights.

Copies have equal gradients, so that a stationary point of the network of distinct units is one of the whole network.
The whole Hessian has two kinds of eigenvalues there: those of the network of distinct units, and for each distinct
unit with copies the eigenvalues of its block of
:func:`~thalweg.potentials.neural_network.one_hidden_layer.unit_blocks.unit_blocks`, whose vectors take copies apart.
Both are computed fast, so that the lowest eigenvalues of the whole are known although it is large.
"""

from __future__ import annotations

import numpy as np

from thalweg.potentials.calculator import FlatCalculator
from thalweg.potentials.neural_network.activations.kinds import ODD
from thalweg.potentials.neural_network.loss import NetworkLoss
from thalweg.potentials.neural_network.one_hidden_layer.unit_blocks import unit_blocks, unit_places

__all__ = ["MergedLoss", "alike"]


def alike(loss: NetworkLoss, x: np.ndarray, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """Group hidden units that nearly are copies of each other.

    Parameters
    ----------
    loss : NetworkLoss
        Of a network with one hidden layer.
    x : ndarray, shape (n_weights,)
    tolerance : float
        Largest distance of the weights of two copies, in parts of their length.

    Returns
    -------
    owners : ndarray of int, shape (units,)
        Number of each unit's group, from 0.
    signs : ndarray, shape (units,)
        -1 where all weights of a unit have the other sign than those of the group's first unit; else 1.
    """
    weights = x[unit_places(loss)]
    owners, signs = np.full(len(weights), -1), np.ones(len(weights))
    lengths = np.linalg.norm(weights, axis=1)
    left, groups = np.arange(len(weights)), 0
    while left.size:
        first = weights[left[0]]
        distances = np.linalg.norm(weights[left] - first, axis=1)
        turned = np.linalg.norm(weights[left] + first, axis=1) if loss.activation[0] in ODD else distances
        near = np.minimum(distances, turned) <= tolerance * lengths[left[0]]
        owners[left[near]] = groups
        signs[left[near & (turned < distances)]] = -1.0
        left, groups = left[~near], groups + 1
    return owners, signs


class MergedLoss(FlatCalculator):
    """Loss of a network as a function of its distinct hidden units.

    Coordinates are those of a network of the distinct units, each scaled by the square root of its number of copies:
    distances, gradients and eigenvalues are then those of the whole network.

    Parameters
    ----------
    loss : NetworkLoss
        Of a network with one hidden layer.
    owners : ndarray of int, shape (units,)
        Which distinct unit each hidden unit is a copy of, from 0.
    signs : ndarray, shape (units,)
        -1 for copies with the other sign.

    Attributes
    ----------
    counts : ndarray of int, shape (distinct units,)
        Numbers of copies.
    """

    def __init__(self, loss: NetworkLoss, owners: np.ndarray, signs: np.ndarray) -> None:
        self.whole, self.owners, self.signs = loss, owners, signs
        self.counts = np.bincount(owners)
        settings = loss._settings()
        if loss.loss == "cross_entropy":
            settings["n_classes"] = loss.n_classes
        # its L2 term is that of the scaled coordinates, and added here
        self.small = NetworkLoss(loss.inputs, loss.targets, (len(self.counts),), l2=0.0, **settings)
        self._places, self._whole_places = unit_places(self.small), unit_places(loss)
        d, k = loss.layers[0], loss.layers[-1]
        self._scale, self._l2 = np.ones(self.small.n_weights), np.full(self.small.n_weights, loss.l2)
        root = np.sqrt(self.counts)[:, None]
        self._scale[self._places[:, : d + 1]], self._scale[self._places[:, d + 1 :]] = 1.0 / root, root
        if not loss.l2_biases:
            self._l2[-len(self.counts) - k :] = 0.0
        super().__init__()

    def energy_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the loss of the whole network and its gradient by the coordinates x."""
        energy, gradient = self.small.energy_gradient(self._scale * x)
        return energy + float(self._l2 @ (x * x)), self._scale * gradient + 2.0 * self._l2 * x

    def hessian_vector(self, x: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Return the product of the Hessian at x with v."""
        return self._scale * self.small.hessian_vector(self._scale * x, self._scale * v) + 2.0 * self._l2 * v

    def spread(self, y: np.ndarray) -> np.ndarray:
        """Return the whole network's weights (n_weights,), or a direction in their space, from coordinates y."""
        x = np.empty(self.whole.n_weights)
        x[self._whole_places] = (y[self._places] / np.sqrt(self.counts)[:, None])[self.owners] * self.signs[:, None]
        k = self.whole.layers[-1]
        x[-k:] = y[-k:]
        return x

    def gather(self, x: np.ndarray) -> np.ndarray:
        """Return the coordinates of the nearest network whose copies are equal to weights x (n_weights,)."""
        y, sums = np.empty(self.small.n_weights), np.zeros(self._places.shape)
        np.add.at(sums, self.owners, self.signs[:, None] * x[self._whole_places])
        y[self._places] = sums / np.sqrt(self.counts)[:, None]
        k = self.whole.layers[-1]
        y[-k:] = x[-k:]
        return y

    def unit(self, y: np.ndarray, unit: int) -> np.ndarray:
        """Return the weights (m,) of a distinct unit, those of each of its copies."""
        return np.asarray(y[self._places[unit]] / np.sqrt(self.counts[unit]))

    def lowest_splits(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the lowest eigenvalue (distinct units,) along which copies come apart, and its vector for one copy.

        It is infinite for a unit without copies.
        """
        values, vectors = self._splits(y)
        return np.where(self.counts > 1, values[:, 0], np.inf), vectors[:, :, 0]

    def split_eigenvalues(self, y: np.ndarray) -> np.ndarray:
        """Return all eigenvalues along which copies come apart, ascending: each once less than there are copies."""
        return np.sort(np.repeat(self._splits(y)[0], self.counts - 1, axis=0), axis=None)

    def _splits(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the eigenvalues (distinct units, m) and vectors of each distinct unit's block."""
        first = np.array([int(np.flatnonzero(self.owners == k)[0]) for k in range(len(self.counts))])
        values, vectors = np.linalg.eigh(unit_blocks(self.whole, self.spread(y), first))
        return values, vectors * self.signs[first, None, None]

    def parted(self, y: np.ndarray, unit: int, taken: int, step: np.ndarray) -> tuple[MergedLoss, np.ndarray]:
        """Return the loss where some copies of a unit are a unit of their own, and coordinates where these are apart.

        Parameters
        ----------
        y : ndarray
            Coordinates of this loss.
        unit : int
            Distinct unit with copies.
        taken : int
            How many of its copies become a unit of their own.
        step : ndarray, shape (m,)
            How far they go; the others go as far in the opposite direction in total.
        """
        copies = np.flatnonzero(self.owners == unit)
        owners = self.owners.copy()
        owners[copies[-taken:]] = len(self.counts)
        other, x = MergedLoss(self.whole, owners, self.signs), self.spread(y)
        left = len(copies) - taken
        for moved, way in ((copies[-taken:], 1.0), (copies[:left], -taken / left)):
            x[self._whole_places[moved]] += way * self.signs[moved, None] * step
        return other, other.gather(x)
