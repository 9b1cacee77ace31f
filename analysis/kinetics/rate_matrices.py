"""Rate matrices of one's own: checked on the way in, in the conventions of others on the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import coo_array, csr_array, diags_array, issparse

from thalweg.analysis.arguments import aligned
from thalweg.analysis.kinetics.extended_range import from_float
from thalweg.analysis.kinetics.rates import summed_entries

if TYPE_CHECKING:
    from thalweg.analysis.kinetics.kinetics import Kinetics

__all__ = ["branching_probabilities", "checked_rates", "checked_weights", "rate_matrix"]


def checked_rates(rates: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the off-diagonal rates in CSR form as extended numbers, or raise ValueError."""
    matrix = coo_array(rates if issparse(rates) else np.asarray(rates, dtype=np.float64))
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"rates has shape {matrix.shape}; a square matrix, one row a state, is needed")
    matrix.sum_duplicates()
    rows, columns, values = matrix.coords[0], matrix.coords[1], matrix.data.astype(np.float64)
    off = rows != columns
    rows, columns, values = rows[off].astype(np.int64), columns[off].astype(np.int64), values[off]
    wrong = ~np.isfinite(values) | (values < 0)
    if wrong.any():
        k = int(np.flatnonzero(wrong)[0])
        raise ValueError(f"rates[{rows[k]}, {columns[k]}] is {values[k]}; rates are finite and not negative")
    if not (values > 0).any():
        raise ValueError("rates has no positive entry off its diagonal, so no transitions")
    real = values > 0
    return summed_entries(rows[real], columns[real], from_float(values[real]), matrix.shape[0])


def checked_weights(weights: Any, n: int) -> np.ndarray:
    """Return weights as extended numbers, (n, 2), ones by default, or raise ValueError."""
    if weights is None:
        return np.tile([1.0, 0.0], (n, 1))
    values = aligned("weights", weights, n)
    if (values < 0).any() or not values.any():
        raise ValueError("weights must not be negative, and not all of them zero")
    return from_float(values)


def rate_matrix(kinetics: Kinetics, convention: str = "row") -> csr_array:
    """Return the generator of the chain, its diagonal filled so that probability is conserved.

    Parameters
    ----------
    kinetics : Kinetics
    convention : {"row", "column"}
        Whether ``K[i, j]`` is the rate from i to j, rows adding up to zero (deeptime, MSM packages), or the rate from
        j to i, columns adding up to zero (PyGT).

    Returns
    -------
    (n, n) scipy.sparse.csr_array
    """
    if convention not in ("row", "column"):
        raise ValueError(f"convention is {convention!r}; it must be 'row' or 'column'")
    matrix = kinetics.rates - diags_array(kinetics.rates.sum(axis=1), format="csr")
    return csr_array(matrix if convention == "row" else matrix.T)


def branching_probabilities(kinetics: Kinetics) -> tuple[csr_array, np.ndarray]:
    """Return branching probabilities and mean waiting times, as PyGT takes them.

    Returns
    -------
    probabilities : (n, n) scipy.sparse.csr_array
        ``B[i, j]`` of going to i next from j; a state that nothing leads out of has a column of zeros.
    waiting : (n,) ndarray
        Mean times, infinite where nothing leads out.
    """
    out = kinetics.rates.sum(axis=1)
    with np.errstate(divide="ignore"):
        waiting = np.where(out > 0, 1.0 / out, np.inf)
    scale = np.where(out > 0, waiting, 0.0)
    return csr_array((diags_array(scale) @ kinetics.rates).T), waiting
