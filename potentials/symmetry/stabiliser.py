"""Number of exchanges and sign changes that leave a table of blocks, or of a network's units, unchanged."""

from __future__ import annotations

from math import factorial

import numpy as np
from numpy.typing import NDArray

__all__ = ["stabiliser_order"]


def stabiliser_order(rows: NDArray[np.float64], limit: float, signs: bool) -> int:
    """Return the number of exchanges of the rows, and changes of their signs, that leave them unchanged.

    Parameters
    ----------
    rows : ndarray, shape (units, size)
    limit : float
        Largest Euclidean distance between equal rows.
    signs : bool
        Whether a row may change its sign.
    """
    left, order, ways = list(range(len(rows))), 1, (1.0, -1.0) if signs else (1.0,)
    while left:
        first = rows[left[0]]
        same = [k for k in left if min(np.linalg.norm(rows[k] - way * first) for way in ways) <= limit]
        zero = signs and np.linalg.norm(first) <= limit
        order *= factorial(len(same)) * (2 ** len(same) if zero else 1)
        left = [k for k in left if k not in same]
    return order
