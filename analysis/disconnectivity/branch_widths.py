"""Line widths of the branches of a disconnectivity graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thalweg.analysis.arguments import aligned
from thalweg.analysis.disconnectivity.superbasin_values import summed

if TYPE_CHECKING:
    from thalweg.analysis.disconnectivity.graph import DisconnectivityGraph

__all__ = ["branch_widths"]


def branch_widths(
    graph: DisconnectivityGraph, widths: str | ArrayLike | None, thin: float, widest: float
) -> NDArray[np.float64]:
    """Return the width of the line of each node, (n_nodes,), in points.

    Parameters
    ----------
    graph : DisconnectivityGraph
    widths : None, "size" or (n_minima,) array_like
        Nothing: all lines are thin. Otherwise a weight of each minimum (1 with "size"): lines widen from ``thin`` to
        ``widest`` with the square root of the weight of all shown minima at or under them.
    thin, widest : float
        In points.

    Raises
    ------
    ValueError
        If a weight is negative, not finite, or missing, or ``widest`` is less than ``thin``.
    """
    tree = graph.tree
    if thin <= 0 or not np.isfinite(thin):
        raise ValueError(f"linewidth is {thin}; a positive number of points is needed")
    if widths is None:
        return np.full(tree.n_nodes, thin)
    if isinstance(widths, str):
        if widths != "size":
            raise ValueError(f"widths is {widths!r}; 'size' or one weight a minimum is needed")
        weight = np.ones(tree.n_leaves)
    else:
        weight = aligned("widths", widths, graph.network.n_minima)[graph.minima]
    if (weight < 0).any() or not weight.any():
        raise ValueError("widths must not be negative, nor zero for all minima that are shown")
    if widest < thin:
        raise ValueError(f"widest is {widest}; it must not be less than the thinnest line, {thin:g} points")
    total = np.maximum(summed(tree, weight), 0.0)
    return thin + (widest - thin) * np.sqrt(total / total.max())
