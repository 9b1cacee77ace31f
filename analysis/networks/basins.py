"""Monotonic sequence basins, and the escape energy of each minimum."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from thalweg.analysis.networks.union_find import first_lower

if TYPE_CHECKING:
    from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork

__all__ = ["escape_energies", "monotonic_basins"]


def monotonic_basins(network: KineticTransitionNetwork) -> NDArray[np.int64]:
    """Return the bottom of the monotonic sequence basin of each minimum, (n,).

    From each minimum one goes over the lowest transition state that leads to a lower minimum (of several, to the
    lowest), and again from there, until there is none: the bottom. Minima of one bottom make a basin, a funnel.
    Of equal energies, the minimum with the smaller number counts as lower.

    Parameters
    ----------
    network : KineticTransitionNetwork
        Minima and transition states.

    Returns
    -------
    (n,) int64 ndarray
        ``bottom[i]`` is a minimum; ``bottom[i] == i`` for bottoms.

    Notes
    -----
    R. S. Berry, R. Breitengraser-Kunz, Phys. Rev. Lett. 74 (1995) 3951: all minima from which sequences of falling
    minima lead to one bottom. Where several bottoms can be reached, the rule above decides, as a slow, cold walk would.

    Examples
    --------
    >>> from thalweg.analysis import KineticTransitionNetwork, monotonic_basins
    >>> network = KineticTransitionNetwork([0.0, 1.0, 2.0, 0.5], [3.0, 2.5, 2.2], [[0, 1], [1, 2], [2, 3]])
    >>> monotonic_basins(network).tolist()
    [0, 0, 3, 3]
    """
    bottom = np.arange(network.n_minima)
    ends = network.ts_minima
    if not len(ends):
        return bottom
    rank = np.empty(network.n_minima, dtype=np.int64)
    rank[np.argsort(network.energies, kind="stable")] = np.arange(network.n_minima)
    first_higher = rank[ends[:, 0]] > rank[ends[:, 1]]
    upper, lower = np.where(first_higher, ends.T, ends.T[::-1])
    order = np.lexsort((rank[lower], network.joining_energies, upper))
    order = order[(upper != lower)[order]]
    start, first = np.unique(upper[order], return_index=True)
    bottom[start] = lower[order[first]]
    while not np.array_equal(following := bottom[bottom], bottom):  # twice as far each time
        bottom = following
    return bottom


def escape_energies(network: KineticTransitionNetwork) -> NDArray[np.float64]:
    """Return the lowest energy at which a path leads from each minimum to a lower one, (n,).

    Less the minimum's own energy, it is the depth of the minimum: the length of its branch in a disconnectivity graph
    with infinitely many levels, its persistence in topology. It is infinite for the lowest of each component.

    Parameters
    ----------
    network : KineticTransitionNetwork
        Minima and transition states.

    Examples
    --------
    >>> from thalweg.analysis import KineticTransitionNetwork, escape_energies
    >>> network = KineticTransitionNetwork([0.0, 1.0, 2.0, 0.5], [3.0, 2.5, 2.2], [[0, 1], [1, 2], [2, 3]])
    >>> escape_energies(network).tolist()
    [inf, 2.5, 2.2, 3.0]
    """
    forest = network.spanning_forest
    edges = np.ascontiguousarray(network.ts_minima[forest])
    return first_lower(edges, network.joining_energies[forest], network.energies.copy())
