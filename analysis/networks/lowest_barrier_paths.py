"""Lowest-barrier (minimax) path between two minima."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from thalweg.potentials.lazy import public

if TYPE_CHECKING:
    from thalweg.analysis.networks.connectivity import Connectivity
    from thalweg.landscapes.lowest_paths import LowestPaths

__all__ = ["Path", "lowest_paths_from"]


@public("thalweg.analysis")
@dataclass(frozen=True, eq=False)
class Path:
    """A path of minima and the transition states between them.

    Attributes
    ----------
    minima : (k,) int64 ndarray
        From the start to the end, both included.
    transition_states : (k - 1,) int64 ndarray
        The one between each minimum and the next.
    energy : float
        The highest energy on the path.

    Examples
    --------
    >>> from thalweg.analysis import KineticTransitionNetwork
    >>> network = KineticTransitionNetwork([0.0, 1.0, 0.5], [2.0, 3.0], [[0, 1], [1, 2]])
    >>> path = network.lowest_barrier_path(0, 2)
    >>> path.minima.tolist(), path.transition_states.tolist(), path.energy, len(path)
    ([0, 1, 2], [0, 1], 3.0, 2)
    """

    minima: NDArray[np.int64]
    transition_states: NDArray[np.int64]
    energy: float

    def __len__(self) -> int:
        return len(self.transition_states)


def lowest_paths_from(network: Connectivity, start: int) -> LowestPaths:
    """Return the lowest-barrier paths from one minimum to all others; energies count as where minima are joined.

    Parameters
    ----------
    network : KineticTransitionNetwork
    start : int
        A minimum.
    """
    from thalweg.landscapes.lowest_paths import LowestPaths  # only here: it brings the optimizers with it

    return LowestPaths(network.n_minima, network.ts_minima, network.joining_energies, start, network.spanning_forest)
