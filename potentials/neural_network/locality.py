"""Locality: mask that keeps connections between nearby nodes only (section 5 of the paper)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

__all__ = ["neighbour_mask"]


def _positions(width: int) -> tuple[np.ndarray, int]:
    """Return the places of the nodes on the unit line, as integer numerators over one denominator."""
    if width == 1:
        return np.array([1]), 2
    return 2 * np.arange(width), 2 * (width - 1)


def _nearest(width: int, others: int, count: int) -> np.ndarray:
    """Mark the ``count`` nearest nodes of the other layer, shape (width, others); ties go to the lower index."""
    here, scale = _positions(width)
    there, other_scale = _positions(others)
    distance = np.abs(here[:, None] * other_scale - there[None, :] * scale)
    order = np.argsort(distance, axis=1, kind="stable")[:, :count]
    keep = np.zeros((width, others), dtype=bool)
    np.put_along_axis(keep, order, True, axis=1)
    return keep


def neighbour_mask(layers: Sequence[int], neighbours: int | None) -> np.ndarray:
    """Mark the weights that stay when each hidden unit keeps its nearest nodes in the layers below and above.

    The nodes of a layer lie on the unit line at 0, 1/(N-1), ..., 1; a layer's only node lies at 1/2. Distances are
    compared as integers, so ties, which go to the lower index, are exact. Between two hidden layers a connection stays
    if either of its ends keeps it. Biases stay.

    Parameters
    ----------
    layers : sequence of int
        Widths from the inputs to the outputs.
    neighbours : int or None
        Number of nodes that each hidden unit keeps on either side; None keeps all.

    Returns
    -------
    ndarray of bool, shape (n_weights,)
        True where a weight is free, in the order of a network's weight vector.

    Raises
    ------
    ValueError
        If neighbours is less than 1, which would disconnect every unit, or there is no hidden layer.
    TypeError
        If neighbours is no integer.
    """
    connections = [(above, below) for below, above in pairwise(layers)]
    if neighbours is None:
        return np.ones(sum(above * (below + 1) for above, below in connections), dtype=bool)
    if isinstance(neighbours, bool) or not isinstance(neighbours, int | np.integer):
        raise TypeError(f"neighbours must be an integer or None, not {neighbours!r}")
    if neighbours < 1:
        raise ValueError(f"neighbours={neighbours} would disconnect every unit; it must be at least 1, or None for all")
    if len(connections) < 2:
        raise ValueError("neighbours needs a hidden layer; hidden is empty")
    masks = []
    for layer, (above, below) in enumerate(connections):
        keep = np.zeros((above, below), dtype=bool)
        if layer < len(connections) - 1:
            keep |= _nearest(above, below, neighbours)
        if layer > 0:
            keep |= _nearest(below, above, neighbours).T
        masks.append(keep.ravel())
    return np.concatenate([*masks, np.ones(sum(layers[1:]), dtype=bool)])
