"""Functions of a symmetric matrix that exponential integrators need: phi_0 to phi_3."""

from __future__ import annotations

import numpy as np

__all__ = ["phi"]

_TERMS = 18
# Below this size the series is exact to rounding, above it the recursion loses few digits
_SERIES = 1.0


def phi(order: int, z: np.ndarray) -> np.ndarray:
    """Return phi_order(z), entry by entry: phi_0 = exp, phi_k(z) = (phi_(k-1)(z) - 1 / (k-1)!) / z.

    Parameters
    ----------
    order : int
        0, 1, 2 or 3.
    z : ndarray
        Arguments.

    References
    ----------
    M. Hochbruck and A. Ostermann, Acta Numerica 19 (2010) 209.
    """
    z = np.asarray(z, dtype=np.float64)
    if order == 0:
        return np.exp(z)
    small = np.abs(z) < _SERIES
    safe = np.where(small, 1.0, z)
    result, factorial = np.exp(safe), 1.0
    for k in range(1, order + 1):
        result = (result - 1.0 / factorial) / safe
        factorial *= k
    near = np.where(small, z, 0.0)
    # Horner's scheme: the sum of z^j / (j + order)!
    series = np.ones_like(near)
    for j in range(_TERMS, 0, -1):
        series = 1.0 + near / (j + order) * series
    return np.where(small, series / factorial, result)
