"""Basin-hopping moves of networks: hidden units drawn again, and two networks combined unit by unit."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from thalweg.optimizers.basin_hopping.moves import Move, Pool
from thalweg.potentials.conversion.numeric_options import whole_number
from thalweg.potentials.lazy import public
from thalweg.potentials.protocols import ClassifyingPotential
from thalweg.potentials.system import System

__all__ = ["HiddenUnits", "SpliceNetworks", "entries_of_units", "is_deep_network"]


def is_deep_network(system: System) -> bool:
    """Return whether the coordinates are the weights of a network with two or more hidden layers."""
    return isinstance(system.potential, ClassifyingPotential) and len(system.potential.layers) > 3


def entries_of_units(layers: tuple[int, ...]) -> list[np.ndarray]:
    """Return the positions of each hidden unit's weights in the vector: incoming, outgoing, and bias.

    Parameters
    ----------
    layers : tuple of int
        Widths from the inputs to the outputs.

    Returns
    -------
    list of ndarray of int, shape (k,)
        One array a hidden unit, layer by layer from the inputs.
    """
    sizes = [below * above for below, above in pairwise(layers)]
    starts = np.cumsum([0, *sizes, *layers[1:]])
    matrices = [
        start + np.arange(size).reshape(above, -1)
        for start, size, above in zip(starts, sizes, layers[1:], strict=False)
    ]
    return [
        np.concatenate([matrices[layer][unit], matrices[layer + 1][:, unit], [starts[len(sizes) + layer] + unit]])
        for layer, width in enumerate(layers[1:-1])
        for unit in range(width)
    ]


class _UnitMove(Move):
    """Base class of moves of hidden units."""

    adapts = False

    def check(self, system: System) -> None:
        if not isinstance(system.potential, ClassifyingPotential) or len(system.potential.layers) < 3:
            raise ValueError(f"{type(self).__name__} moves hidden units: the system must be Weights of a NetworkLoss")

    def units(self, system: System) -> list[np.ndarray]:
        """Return the entries of every hidden unit."""
        return entries_of_units(system.potential.layers)


@public("thalweg.optimizers")
class HiddenUnits(_UnitMove):
    """Draw the incoming weights, bias and outgoing weights of some hidden units again, uniformly in (-step, step).

    Parameters
    ----------
    count : int
        Number of units that are drawn again.
    step : float or None
        Half the width of the interval from which weights are drawn; the chain's step where None.
    weight : float
        How often the move is made, relative to the other moves of the chain.

    Examples
    --------
    >>> import numpy as np
    >>> from thalweg.optimizers import HiddenUnits, basin_hopping_steps
    >>> from thalweg.potentials import NetworkLoss, Weights
    >>> loss = NetworkLoss([[0.0], [1.0], [2.0]], [0, 1, 0], hidden=(2,), l2=1e-3)
    >>> weights = Weights.random(loss, seed=0)
    >>> rng = np.random.default_rng(0)
    >>> result = basin_hopping_steps(weights, weights.x, None, rng, 5, 0.5, 0.01, moves=HiddenUnits(count=1))
    >>> len(result)
    6
    """

    def __init__(self, count: int = 1, step: float | None = 1.0, weight: float = 1.0):
        self.count = whole_number("count", count, 1)
        super().__init__(weight, step)

    def check(self, system: System) -> None:
        super().check(system)
        if self.count > len(self.units(system)):
            raise ValueError(f"count must be at most the {len(self.units(system))} hidden units; it is {self.count}")

    def numbers(self, system: System) -> int:
        return system.n + len(self.units(system))

    def displace(self, system: System, x: np.ndarray, step: float, draws: np.ndarray, pool: Pool) -> np.ndarray:
        units, out = self.units(system), np.array(x)
        for unit in np.argsort(draws[system.n :], kind="stable")[: self.count]:
            out[units[unit]] = step * (2.0 * draws[units[unit]] - 1.0)
        return out


@public("thalweg.optimizers")
class SpliceNetworks(_UnitMove):
    """Take each hidden unit from this network or from one of the lowest minima found, each with probability 1/2.

    The other network is first replaced by its symmetry copy nearest to this one, so that their units correspond; at
    least one unit comes from either. Until another minimum is found the partner is the network itself: nothing moves.

    Parameters
    ----------
    weight : float
        How often the move is made, relative to the other moves of the chain.
    step : float, optional
        Without effect: an exchange of units has no size.

    Examples
    --------
    >>> import numpy as np
    >>> from thalweg.optimizers import AllCoordinates, SpliceNetworks, basin_hopping_steps
    >>> from thalweg.potentials import NetworkLoss, Weights
    >>> loss = NetworkLoss([[0.0], [1.0], [2.0]], [0, 1, 0], hidden=(2,), l2=1e-3)
    >>> weights = Weights.random(loss, seed=0)
    >>> rng, moves = np.random.default_rng(0), [AllCoordinates(), SpliceNetworks()]
    >>> result = basin_hopping_steps(weights, weights.x, None, rng, 5, 0.5, 0.01, moves=moves)
    >>> len(result)
    6
    """

    def numbers(self, system: System) -> int:
        return len(self.units(system)) + 3

    def displace(self, system: System, x: np.ndarray, step: float, draws: np.ndarray, pool: Pool) -> np.ndarray:
        units, out = self.units(system), np.array(x)
        other = system.align(x, pool.partner(draws[0], x))
        taken = draws[3:] < 0.5
        if taken.all() or not taken.any():
            taken[int(draws[1] * len(units))] ^= True
        for unit in np.flatnonzero(taken):
            out[units[unit]] = other[units[unit]]
        return out
