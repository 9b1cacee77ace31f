"""Exchanges of hidden units of any PyTorch module, from the names of the layers before and behind them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from thalweg.potentials.symmetry.block_symmetry import BlockSymmetry

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from thalweg.analysis.models.torch_loss import TorchLoss
    from thalweg.potentials.protocols import Vector

__all__ = ["hidden_unit_symmetry"]

_SAME = 1e-10  # change of the loss, relative, that is rounding


def hidden_unit_symmetry(loss: TorchLoss, pairs: Sequence[tuple[str, str]]) -> BlockSymmetry:
    """Return the exchanges of hidden units, with changes of their sign where these leave the loss unchanged.

    A unit is a row of the weights and an entry of the bias of the layer before it, and a column of the weights of the
    layer behind it, or several where its outputs are flattened. Each declared exchange, and whether units may change
    sign, is tried at random parameters.

    Parameters
    ----------
    loss : TorchLoss
    pairs : sequence of (str, str)
        Names of the layers before and behind the units, as ``module.named_modules()`` has them.

    Raises
    ------
    ValueError
        If there are no such layers, their shapes do not fit, two pairs share weights, or an exchange changes the loss.
    """
    groups = [_units(loss, before, behind) for before, behind in pairs]
    try:
        BlockSymmetry(groups)
    except ValueError as error:
        raise ValueError(
            "the pairs of hidden_units share weights (a layer stands behind one hidden layer and before another): "
            "declare one of them, or give a symmetry= of your own"
        ) from error
    x, signs = loss.random_coordinates(sum(loss.sizes), np.random.default_rng(0)), []
    for (before, behind), table in zip(pairs, groups, strict=True):
        exchanged, turned = x.copy(), x.copy()
        exchanged[table] = x[np.roll(table, 1, axis=0)]
        if not _same(loss, x, exchanged):
            raise ValueError(
                f"exchanging the {len(table)} units between {before} and {behind} changes the loss: something else "
                "tells them apart"
            )
        turned[table[0]] *= -1.0
        signs.append(_same(loss, x, turned))
    return BlockSymmetry(groups, signs)


def _units(loss: TorchLoss, before: str, behind: str) -> NDArray[np.int64]:
    """Return the coordinates of each unit between two layers, (units, size)."""
    incoming, outgoing = _indices(loss, f"{before}.weight"), _indices(loss, f"{behind}.weight")
    width = len(incoming)
    if outgoing.ndim < 2 or outgoing.shape[1] % width:
        raise ValueError(
            f"{before} has {width} units, and {behind} weights of the shape {outgoing.shape}, whose columns are no "
            "multiple of that"
        )
    parts = [incoming.reshape(width, -1)]
    if f"{before}.bias" in loss.names:
        parts.append(_indices(loss, f"{before}.bias")[:, None])
    parts.append(outgoing.reshape(len(outgoing), width, -1).swapaxes(0, 1).reshape(width, -1))
    return np.concatenate(parts, axis=1)


def _indices(loss: TorchLoss, name: str) -> NDArray[np.int64]:
    """Return the coordinates of a parameter in its own shape."""
    if name not in loss.names:
        layers = [one.removesuffix(".weight") for one in loss.names if one.endswith(".weight")]
        raise ValueError(
            f"hidden_units name a layer {name.removesuffix('.weight')!r} without weights; those with weights are "
            f"{', '.join(layers)}"
        )
    place = loss.names.index(name)
    start, size = sum(loss.sizes[:place]), loss.sizes[place]
    shape = dict(loss.module.named_parameters())[name].shape
    return np.arange(start, start + size).reshape(tuple(shape))


def _same(loss: TorchLoss, a: Vector, b: Vector) -> bool:
    """Return whether two points have the same loss but for rounding."""
    here, there = loss.energy(a), loss.energy(b)
    return abs(here - there) <= _SAME * max(1.0, abs(here))
