"""Extended-range numbers: arrays of a mantissa and an exponent of 2**256."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Factor", "SparseExtended", "coalesced", "from_float", "from_log", "full", "is_positive", "product", "quotient",
    "summed_entries", "to_float", "to_log", "total",
]  # fmt: skip

_LOG_RADIX = 256 * np.log(2.0)
_LARGE, _SMALL = 2.0**128, 2.0**-128


def _fitted(m: NDArray[np.float64], e: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the pairs with each double back in 2**-128 ... 2**128."""
    up, down = np.abs(m) >= _LARGE, (np.abs(m) < _SMALL) & (m != 0)
    m = np.where(up, np.ldexp(m, -256), np.where(down, np.ldexp(m, 256), m))
    return np.stack([m, np.where(m == 0, 0.0, e + up - down)], axis=-1)


def full(count: int, value: float) -> NDArray[np.float64]:
    """Return extended numbers that all have one value, (count, 2).

    Parameters
    ----------
    count : int
        Number of extended numbers.
    value : float
        Zero, infinity, NaN, or between 2**-128 and 2**128.
    """
    return np.tile([value, 0.0], (count, 1))


def is_positive(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say which of some (..., 2) extended numbers are above zero, (...)."""
    return values[..., 0] > 0


def from_log(values: ArrayLike) -> NDArray[np.float64]:
    """Return exp(values), (..., 2); minus infinity gives zero."""
    values = np.asarray(values, dtype=np.float64)
    finite = np.where(values == -np.inf, 0.0, values)
    e = np.round(finite / _LOG_RADIX)
    return _fitted(np.where(values == -np.inf, 0.0, np.exp(finite - e * _LOG_RADIX)), e)


def from_float(values: ArrayLike) -> NDArray[np.float64]:
    """Return doubles as extended numbers, (..., 2); subnormal numbers too."""
    m, e = np.frexp(np.asarray(values, dtype=np.float64))
    whole = np.round(e / 256).astype(np.int64)
    return _fitted(np.ldexp(m, e - 256 * whole), whole.astype(np.float64))


def to_log(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the natural logarithms of (..., 2) extended numbers, minus infinity for zero."""
    with np.errstate(divide="ignore"):
        return np.log(values[..., 0]) + values[..., 1] * _LOG_RADIX


def to_float(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (..., 2) extended numbers as doubles, zero or infinity where they are out of range."""
    with np.errstate(over="ignore", under="ignore"):
        return np.ldexp(values[..., 0], (256 * np.clip(values[..., 1], -8, 8)).astype(np.int64))


def product(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the products of extended numbers."""
    return _fitted(a[..., 0] * b[..., 0], a[..., 1] + b[..., 1])


def quotient(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the quotients of extended numbers; no divisor may be zero."""
    return _fitted(a[..., 0] / b[..., 0], a[..., 1] - b[..., 1])


def coalesced(values: NDArray[np.float64], label: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """Return the sums of the (k, 2) extended numbers that share a label from 0 to count - 1, (count, 2)."""
    e = np.full(count, -np.inf)
    np.maximum.at(e, label, np.where(values[:, 0] == 0, -np.inf, values[:, 1]))
    e = np.where(np.isfinite(e), e, 0.0)
    shift = np.clip(values[:, 1] - e[label], -8, 0).astype(np.int64)
    with np.errstate(under="ignore"):
        sums = np.bincount(label, weights=np.ldexp(values[:, 0], 256 * shift), minlength=count)
    return _fitted(np.asarray(sums, dtype=np.float64), e)


def total(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum of (k, 2) extended numbers, (2,)."""
    return coalesced(values, np.zeros(len(values), dtype=np.int64), 1)[0]


class Factor(NamedTuple):
    """Probabilities and rates of the states of a chain as graph transformation eliminated them; n states in all.

    Attributes
    ----------
    order : (interior,) int64 ndarray
        States in the order in which they were eliminated.
    start, length : (n,) int64 ndarrays
        The row of state x is ``cols[start[x] : start[x] + length[x]]``.
    cols : (capacity,) int64 ndarray
        The states that a state went to when it was eliminated.
    up : (capacity, 2) ndarray
        Probabilities of going from a row's state to each state of the row, extended numbers.
    low : (capacity, 2) ndarray
        Rates from each interior state of the row to the row's state, extended numbers.
    total : (n, 2) ndarray
        Rate out of each state when it was eliminated, extended numbers.
    """

    order: NDArray[np.int64]
    start: NDArray[np.int64]
    length: NDArray[np.int64]
    cols: NDArray[np.int64]
    up: NDArray[np.float64]
    low: NDArray[np.float64]
    total: NDArray[np.float64]


class SparseExtended(NamedTuple):
    """A sparse matrix of extended numbers in compressed rows (CSR).

    Attributes
    ----------
    indptr : (n + 1,) int64 ndarray
        Where the entries of each row begin.
    indices : (nnz,) int64 ndarray
        Column of each entry, rising within a row.
    values : (nnz, 2) ndarray
        Extended numbers.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int64]
    values: NDArray[np.float64]

    @property
    def rows(self) -> NDArray[np.int64]:
        """Row of each entry, (nnz,)."""
        return np.repeat(np.arange(len(self.indptr) - 1), np.diff(self.indptr))


def summed_entries(
    rows: NDArray[np.int64], columns: NDArray[np.int64], values: NDArray[np.float64], n: int
) -> SparseExtended:
    """Build an (n, n) sparse matrix; entries of one place are added.

    Parameters
    ----------
    rows, columns : (k,) int64 arrays
        Place of each entry.
    values : (k, 2) array
        Extended numbers.
    n : int
        Number of rows and of columns.
    """
    places, label = np.unique(rows * n + columns, return_inverse=True)
    indptr = np.searchsorted(places // n, np.arange(n + 1)).astype(np.int64)
    return SparseExtended(indptr, (places % n).astype(np.int64), coalesced(values, label.ravel(), len(places)))
