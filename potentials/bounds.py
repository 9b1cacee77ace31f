"""Where searches start, and beyond which they have failed."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["checked_bounds"]


def checked_bounds(bounds: Any, n: int) -> np.ndarray | None:
    """Return bounds as one (lowest, highest) pair a coordinate.

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
        If the shape fits nothing, or the lowest is not below the highest, or a bound is not finite.
    """
    if bounds is None:
        return None
    if hasattr(bounds, "lb") and hasattr(bounds, "ub"):
        bounds = np.stack(np.broadcast_arrays(bounds.lb, bounds.ub, np.empty(n))[:2], axis=1)
    bounds = np.array(bounds, dtype=np.float64)
    if bounds.shape == (2,):
        bounds = np.tile(bounds, (n, 1))
    elif bounds.shape == (2, n) and n != 2:
        bounds = bounds.T
    if bounds.shape != (n, 2) or not (np.isfinite(bounds).all() and (bounds[:, 0] < bounds[:, 1]).all()):
        raise ValueError(
            f"bounds must be a finite (lowest, highest) pair for each of the {n} coordinates, lowest below highest, "
            f"or one pair for all; they are {bounds.tolist()}"
        )
    return np.ascontiguousarray(bounds)
