"""Merge tree of energies on a grid: which basins of a slice there are, and at which heights they merge."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thalweg.potentials.lazy import public

if TYPE_CHECKING:
    from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork

__all__ = ["SaddleMinimumDistance", "merge_tree", "saddle_minimum_distance"]

_MOST_DIMENSIONS = 4


def merge_tree(energy: ArrayLike) -> KineticTransitionNetwork:
    """Return the merge tree of energies on a grid as a network: its basins, and the passes where they merge.

    The sublevel sets of the grid are followed as the level rises. A component begins at a grid point that is lower
    than its neighbours, diagonal ones included, and two components merge at a pass. A disconnectivity graph of the
    result draws the tree.

    Parameters
    ----------
    energy : (k, ...) array_like
        Energies on a grid of one to four dimensions: of a :class:`LossSlice`, a :class:`LossSurface`, or of a grid of
        your own, such as one in the space of the lowest Hessian eigenvectors.

    Returns
    -------
    KineticTransitionNetwork
        One minimum for each basin, in the order of their energies, and one fewer transition states.

    Raises
    ------
    ValueError
        If the energies are not finite, or the grid is empty or has more dimensions.

    References
    ----------
    H. Carr, J. Snoeyink and U. Axen, Comput. Geom. 24 (2003) 75; for networks J. Chen et al., arXiv 2602.07135
    (Landscaper).

    Examples
    --------
    >>> from thalweg.analysis import merge_tree
    >>> network = merge_tree([3.0, 0.0, 2.0, 1.0, 4.0])  # two basins and the pass between them
    >>> network.energies, network.ts_energies
    (array([0., 1.]), array([2.]))
    """
    from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork

    heights = np.asarray(energy, dtype=np.float64)
    if not heights.size or not 1 <= heights.ndim <= _MOST_DIMENSIONS:
        raise ValueError(f"energies of a grid of 1 to {_MOST_DIMENSIONS} dimensions are needed, not {heights.shape}")
    if not np.isfinite(heights).all():
        raise ValueError("the energies must be finite")
    basins, passes = _merges(heights.ravel(), _neighbours(heights.shape))
    order = sorted(basins, key=lambda point: (heights.flat[point], point))
    number = {point: k for k, point in enumerate(order)}
    edges = np.array([[number[a], number[b]] for _, a, b in passes], dtype=np.int64).reshape(-1, 2)
    return KineticTransitionNetwork(heights.ravel()[order], np.array([height for height, _, _ in passes]), edges)


def _neighbours(shape: tuple[int, ...]) -> list[NDArray[np.int64]]:
    """Return pairs of neighbouring grid points, (k, 2) for each of the directions."""
    numbers = np.arange(np.prod(shape, dtype=np.int64)).reshape(shape)
    pairs = []
    for step in product((-1, 0, 1), repeat=len(shape)):
        if step <= (0,) * len(shape):  # the opposite of another step
            continue
        here = tuple(slice(max(0, -one), size - max(0, one)) for one, size in zip(step, shape, strict=True))
        there = tuple(slice(max(0, one), size - max(0, -one)) for one, size in zip(step, shape, strict=True))
        pairs.append(np.stack([numbers[here].ravel(), numbers[there].ravel()], axis=1))
    return pairs


def _root(parent: list[int], one: int) -> int:
    """Return the lowest member of a set, to which its members' parents lead."""
    while parent[one] != one:
        parent[one] = parent[parent[one]]
        one = parent[one]
    return one


def _merges(
    heights: NDArray[np.float64], neighbours: list[NDArray[np.int64]]
) -> tuple[list[int], list[tuple[float, int, int]]]:
    """Return the lowest points of the basins, and height and both lowest points of each merging."""
    edges = np.concatenate(neighbours)
    rank = np.empty(len(heights), dtype=np.int64)
    rank[np.lexsort((np.arange(len(heights)), heights))] = np.arange(len(heights))
    # an edge is there once its higher end is, and equal heights are told apart by their ranks
    higher = rank[edges].max(axis=1)
    parent = list(range(len(heights)))
    alone = np.ones(len(heights), dtype=bool)  # no neighbour of the point is lower

    passes = []
    for a, b in edges[np.argsort(higher, kind="stable")].tolist():
        top = a if rank[a] > rank[b] else b
        low, high = sorted((_root(parent, a), _root(parent, b)), key=rank.__getitem__)
        if low == high:
            continue
        parent[high] = low
        if high == top:  # a slope, not a basin of its own
            alone[top] = False
        else:
            passes.append((float(heights[top]), low, high))
    return np.flatnonzero(alone).tolist(), passes


@public("thalweg.analysis")
class SaddleMinimumDistance(NamedTuple):
    """Saddle-minimum average distance (SMAD): how high, on average, the lowest pass out of a basin is above its floor.

    Attributes
    ----------
    mean : float
        Mean over all basins but the deepest of each piece; 0 where there is one basin.
    normalised : float
        The same divided by the range of the energies, from the lowest minimum to the highest pass.
    basins : int
        Number of basins in the mean.

    Examples
    --------
    >>> from thalweg.analysis import KineticTransitionNetwork, saddle_minimum_distance
    >>> network = KineticTransitionNetwork([0.0, 1.0, 0.5], [2.0, 3.0], [[0, 1], [1, 2]])
    >>> saddle_minimum_distance(network)
    SaddleMinimumDistance(mean=1.75, normalised=0.5833333333333334, basins=2)
    """

    mean: float
    normalised: float
    basins: int


def saddle_minimum_distance(network: KineticTransitionNetwork) -> SaddleMinimumDistance:
    """Return the saddle-minimum average distance of a network or of a merge tree.

    Basins merge at the transition states of rising energy. Where two merge, the one whose lowest minimum is higher
    ends: the height of the pass above that minimum is its persistence, and the distance is their mean. The measure
    was defined for the grid of a slice (:func:`merge_tree`); here it is taken of the true graph in the same way, so
    that the two can be compared.

    Parameters
    ----------
    network : KineticTransitionNetwork
        Of a landscape, or from :func:`merge_tree`.

    References
    ----------
    J. Chen et al., arXiv 2602.07135 (2026).

    Examples
    --------
    >>> from thalweg.analysis import merge_tree, saddle_minimum_distance
    >>> saddle_minimum_distance(merge_tree([3.0, 0.0, 2.0, 1.0, 4.0])).mean
    1.0
    """
    energies = network.energies
    parent = list(range(len(energies)))

    heights = []
    forest = network.spanning_forest
    for height, (a, b) in zip(network.joining_energies[forest], network.ts_minima[forest].tolist(), strict=True):
        low, high = sorted((_root(parent, a), _root(parent, b)), key=lambda one: (energies[one], one))
        if low != high:
            parent[high] = low
            heights.append(float(height - energies[high]))
    if not heights:
        return SaddleMinimumDistance(0.0, 0.0, 0)
    spread = float(network.joining_energies[forest].max() - energies.min())
    mean = float(np.mean(heights))
    return SaddleMinimumDistance(mean, mean / spread if spread > 0 else 0.0, len(heights))
