"""Alignment of many networks to one, faster than one by one and not always to the nearest copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from thalweg.potentials.neural_network.symmetry import NetworkSymmetry
    from thalweg.potentials.protocols import Integers, Mask, Matrix, Vector

__all__ = ["align_all"]

_ROUNDS = 4  # of matching all layers; more change few networks


def align_all(symmetry: NetworkSymmetry, a: Vector, points: Matrix) -> Matrix:
    """Return for each row of points (m, n) a symmetry copy near to a (n,), shape (m, n).

    The units of each hidden layer are matched from the inputs up, then with all their connections, a few times. With
    one hidden layer the copy is the nearest; with more of them it is for most points.
    """
    copies = np.array(points, dtype=np.float64)
    target = symmetry.split(a)
    deep = len(symmetry.groups) > 1
    for layer in range(len(symmetry.groups)) if deep else ():
        _match(symmetry, target, copies, layer, above=False)
    moving = np.arange(len(copies))
    for _ in range(_ROUNDS if deep else 1):
        some = copies[moving]
        moved = np.zeros(len(some), dtype=bool)
        for layer in range(len(symmetry.groups)):
            moved |= _match(symmetry, target, some, layer)
        copies[moving] = some
        moving = moving[moved]
        if not len(moving):
            break
    return np.where(symmetry.mask, copies, points)


def _match(symmetry: NetworkSymmetry, target: list[Vector], copies: Matrix, layer: int, above: bool = True) -> Mask:
    """Assign the units of one layer of each copy to the nearest ones of the target, in place; return which moved."""
    from scipy.optimize import linear_sum_assignment  # takes a third of a second, which many scripts do not need

    parts, odd = symmetry.split(copies), symmetry.is_odd(layer)
    ours, theirs = (symmetry.units(of, layer, above=above) for of in (target, parts))
    overlap = ours @ np.swapaxes(theirs, -1, -2)
    score = np.abs(overlap) if odd else overlap
    order = np.tile(np.arange(score.shape[1]), (len(copies), 1))
    for group in symmetry.groups[layer]:
        for row, block in enumerate(score[:, group[:, None], group]):
            order[row, group] = group[linear_sum_assignment(block, maximize=True)[1]]
    chosen = np.take_along_axis(overlap, order[:, :, None], axis=2)[:, :, 0]
    signs = np.where(odd & (chosen < 0.0), -1.0, 1.0)
    moved = (signs < 0.0).any(axis=1) | (order != np.arange(order.shape[1])).any(axis=1)
    _apply(parts, layer, order, signs)
    return moved


def _apply(parts: list[Matrix], layer: int, order: Integers, signs: Matrix) -> None:
    """Replace unit i of a hidden layer by unit order[:, i] times signs[:, i] in each copy, in place."""
    bias = len(parts) // 2 + layer
    parts[layer][:] = np.take_along_axis(parts[layer], order[:, :, None], axis=1) * signs[:, :, None]
    parts[bias][:] = np.take_along_axis(parts[bias], order, axis=1) * signs
    parts[layer + 1][:] = np.take_along_axis(parts[layer + 1], order[:, None, :], axis=2) * signs[:, None, :]
