"""Rate matrices: checks of given ones, and export in other programs' conventions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array, csr_array, diags_array, issparse, sparray, spmatrix

from thalweg.analysis.arguments import aligned
from thalweg.analysis.kinetics.extended_range import SparseExtended, from_float, full, summed_entries

if TYPE_CHECKING:
    from thalweg.analysis.kinetics.rate_constants import Kinetics

__all__ = ["branching_probabilities", "checked_rates", "checked_weights", "rate_matrix"]


def checked_rates(rates: ArrayLike | sparray | spmatrix) -> SparseExtended:
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


def checked_weights(weights: ArrayLike | None, n: int) -> NDArray[np.float64]:
    """Return weights as extended numbers, (n, 2), ones by default, or raise ValueError."""
    if weights is None:
        return full(n, 1.0)
    values = aligned("weights", weights, n)
    if (values < 0).any() or not values.any():
        raise ValueError("weights must not be negative, and not all of them zero")
    return from_float(values)


def rate_matrix(kinetics: Kinetics, convention: str = "row") -> csr_array:
    """Return the generator of the chain, its diagonal filled so that probability is conserved.

    Parameters
    ----------
    kinetics : Kinetics
        The chain.
    convention : {"row", "column"}
        Whether ``K[i, j]`` is the rate from i to j, rows adding up to zero (deeptime, MSM packages), or the rate from
        j to i, columns adding up to zero (PyGT).

    Returns
    -------
    (n, n) scipy.sparse.csr_array

    Examples
    --------
    >>> from thalweg.analysis import Kinetics, rate_matrix
    >>> chain = Kinetics.from_rates([[0.0, 2.0], [1.0, 0.0]])
    >>> rate_matrix(chain).toarray().tolist()
    [[-2.0, 2.0], [1.0, -1.0]]
    >>> rate_matrix(chain, convention="column").toarray().tolist()
    [[-2.0, 1.0], [2.0, -1.0]]
    """
    if convention not in ("row", "column"):
        raise ValueError(f"convention is {convention!r}; it must be 'row' or 'column'")
    matrix = kinetics.rates - diags_array(kinetics.rates.sum(axis=1), format="csr")
    return csr_array(matrix if convention == "row" else matrix.T)


def branching_probabilities(kinetics: Kinetics) -> tuple[csr_array, NDArray[np.float64]]:
    """Return branching probabilities and mean waiting times, as PyGT takes them.

    Parameters
    ----------
    kinetics : Kinetics
        The chain.

    Returns
    -------
    probabilities : (n, n) scipy.sparse.csr_array
        ``B[i, j]`` of going to i next from j; a state that nothing leads out of has a column of zeros.
    waiting : (n,) ndarray
        Mean times, infinite where nothing leads out.

    Examples
    --------
    >>> from thalweg.analysis import Kinetics, branching_probabilities
    >>> probabilities, waiting = branching_probabilities(Kinetics.from_rates([[0, 3, 1], [1, 0, 0], [1, 0, 0]]))
    >>> probabilities.toarray().tolist()
    [[0.0, 1.0, 1.0], [0.75, 0.0, 0.0], [0.25, 0.0, 0.0]]
    >>> waiting.tolist()
    [0.25, 1.0, 1.0]
    """
    out = kinetics.rates.sum(axis=1)
    with np.errstate(divide="ignore"):
        waiting = np.where(out > 0, 1.0 / out, np.inf)
    scale = np.where(out > 0, waiting, 0.0)
    return csr_array((diags_array(scale) @ kinetics.rates).T), waiting
