"""Spearman's rank correlation of two quantities, some of whose values are unknown."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["rank_correlation"]


def rank_correlation(a: ArrayLike, b: ArrayLike, fewest: int = 2) -> tuple[float, float, int]:
    """Return the rank correlation of two quantities, its p-value, and the number of pairs with both values.

    Parameters
    ----------
    a, b : (n,) array_like of float
        Pairs of which one is NaN or infinite are left out.
    fewest : int
        Number of pairs below which there is no correlation.

    Returns
    -------
    rho, pvalue : float
        NaN for fewer pairs, or where a quantity is the same in all.
    pairs : int

    Examples
    --------
    >>> from thalweg.analysis.statistics.rank_correlation import rank_correlation
    >>> rho, pvalue, pairs = rank_correlation([1.0, 2.0, 3.0, 4.0, 5.0], [1.0, 4.0, 9.0, 7.0, float("nan")])
    >>> round(rho, 3), pairs
    (0.8, 4)
    """
    from scipy.stats import spearmanr

    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    known = np.isfinite(x) & np.isfinite(y)
    x, y = x[known], y[known]
    if len(x) < max(fewest, 2) or np.ptp(x) == 0 or np.ptp(y) == 0:
        return math.nan, math.nan, len(x)
    rho, pvalue = spearmanr(x, y)
    return float(rho), float(pvalue), len(x)
