"""Arrays of extended numbers: rows (m, e) that stand for ``m * 2**(256 e)``, as graph transformation uses them."""

from __future__ import annotations

import numpy as np

__all__ = ["coalesced", "from_float", "from_log", "product", "quotient", "to_float", "to_log", "total"]

_LOG_RADIX = 256 * np.log(2.0)
_LARGE, _SMALL = 2.0**128, 2.0**-128


def _fitted(m: np.ndarray, e: np.ndarray) -> np.ndarray:
    """Return the pairs with each double back in 2**-128 ... 2**128."""
    up, down = np.abs(m) >= _LARGE, (np.abs(m) < _SMALL) & (m != 0)
    m = np.where(up, np.ldexp(m, -256), np.where(down, np.ldexp(m, 256), m))
    return np.stack([m, np.where(m == 0, 0.0, e + up - down)], axis=-1)


def from_log(values: np.ndarray) -> np.ndarray:
    """Return exp(values), (..., 2); minus infinity gives zero."""
    values = np.asarray(values, dtype=np.float64)
    finite = np.where(values == -np.inf, 0.0, values)
    e = np.round(finite / _LOG_RADIX)
    return _fitted(np.where(values == -np.inf, 0.0, np.exp(finite - e * _LOG_RADIX)), e)


def from_float(values: np.ndarray) -> np.ndarray:
    """Return doubles as extended numbers, (..., 2); subnormal numbers too."""
    m, e = np.frexp(np.asarray(values, dtype=np.float64))
    whole = np.round(e / 256).astype(np.int64)
    return _fitted(np.ldexp(m, e - 256 * whole), whole.astype(np.float64))


def to_log(values: np.ndarray) -> np.ndarray:
    """Return the natural logarithms of (..., 2) extended numbers, minus infinity for zero."""
    with np.errstate(divide="ignore"):
        return np.log(values[..., 0]) + values[..., 1] * _LOG_RADIX


def to_float(values: np.ndarray) -> np.ndarray:
    """Return (..., 2) extended numbers as doubles, zero or infinity where they are out of range."""
    with np.errstate(over="ignore", under="ignore"):
        return np.ldexp(values[..., 0], (256 * np.clip(values[..., 1], -8, 8)).astype(np.int64))


def product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the products of extended numbers."""
    return _fitted(a[..., 0] * b[..., 0], a[..., 1] + b[..., 1])


def quotient(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the quotients of extended numbers; no divisor may be zero."""
    return _fitted(a[..., 0] / b[..., 0], a[..., 1] - b[..., 1])


def coalesced(values: np.ndarray, label: np.ndarray, count: int) -> np.ndarray:
    """Return the sums of the (k, 2) extended numbers that share a label from 0 to count - 1, (count, 2)."""
    e = np.full(count, -np.inf)
    np.maximum.at(e, label, np.where(values[:, 0] == 0, -np.inf, values[:, 1]))
    e = np.where(np.isfinite(e), e, 0.0)
    shift = np.clip(values[:, 1] - e[label], -8, 0).astype(np.int64)
    with np.errstate(under="ignore"):
        m = np.bincount(label, weights=np.ldexp(values[:, 0], 256 * shift), minlength=count)
    return _fitted(m, e)


def total(values: np.ndarray) -> np.ndarray:
    """Return the sum of (k, 2) extended numbers, (2,)."""
    return coalesced(values, np.zeros(len(values), dtype=np.int64), 1)[0]
