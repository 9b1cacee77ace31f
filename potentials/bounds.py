"""Bounds of coordinates: searches start inside them, and a search that ends outside has failed."""

from __future__ import annotations

from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["BoundsLike", "checked_bounds"]


@runtime_checkable
class LowerUpper(Protocol):
    """Bounds with attributes, such as :class:`scipy.optimize.Bounds`."""

    @property
    def lb(self) -> ArrayLike:
        """Lowest value of each coordinate, or of all."""
        ...

    @property
    def ub(self) -> ArrayLike:
        """Highest value of each coordinate, or of all."""
        ...


BoundsLike: TypeAlias = ArrayLike | LowerUpper
"""Bounds as users give them: array_like of shape (n, 2), (2, n) or (2,), or scipy.optimize.Bounds."""


def checked_bounds(bounds: BoundsLike | None, n: int) -> NDArray[np.float64] | None:
    """Return bounds as one (lowest, highest) pair for each coordinate.

    Parameters
    ----------
    bounds : array_like of shape (n, 2), (2, n) or (2,), scipy.optimize.Bounds, or None
        Four numbers for two coordinates are read as pairs.
    n : int
        Number of coordinates.

    Returns
    -------
    ndarray, shape (n, 2), or None

    Raises
    ------
    ValueError
        If the shape does not match, a lowest value is not below the highest one, or a bound is not finite.
    """
    if bounds is None:
        return None
    if isinstance(bounds, LowerUpper):
        bounds = np.stack(np.broadcast_arrays(bounds.lb, bounds.ub, np.empty(n))[:2], axis=1)
    pairs = np.array(bounds, dtype=np.float64)
    if pairs.shape == (2,):
        pairs = np.tile(pairs, (n, 1))
    elif pairs.shape == (2, n) and n != 2:
        pairs = pairs.T
    if pairs.shape != (n, 2) or not (np.isfinite(pairs).all() and (pairs[:, 0] < pairs[:, 1]).all()):
        raise ValueError(
            f"bounds must be a finite (lowest, highest) pair for each of the {n} coordinates, lowest below highest, "
            f"or one pair for all; they are {pairs.tolist()}"
        )
    return np.ascontiguousarray(pairs)
