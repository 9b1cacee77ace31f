"""Lowest mode of a Hessian by Davidson's method on differences of forces."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

__all__ = ["Products", "lowest_mode"]


class Products(NamedTuple):
    """What Davidson's method has found.

    Attributes
    ----------
    value : float
        Lowest eigenvalue.
    mode : (k,) ndarray
        Its unit vector over the basis.
    directions, products : (k, used) ndarrays
        Orthonormal directions, and the Hessian's products with them.
    """

    value: float
    mode: np.ndarray
    directions: np.ndarray
    products: np.ndarray


def lowest_mode(
    product: Callable[[np.ndarray], np.ndarray],
    hessian: np.ndarray,
    guess: np.ndarray,
    *,
    most: int,
    tolerance: float = 0.1,
) -> Products:
    """Find the lowest mode of a Hessian over k orthonormal directions.

    Parameters
    ----------
    product : callable
        Returns the Hessian's product (k,) with a unit vector (k,), for one call of the calculator.
    hessian : (k, k) ndarray
        Approximate Hessian, which preconditions.
    guess : (k,) ndarray
        First direction.
    most : int
        Most products, each of one call.
    tolerance : float
        Residual, relative to the eigenvalue, at which fewer will do.

    References
    ----------
    E. R. Davidson, J. Comput. Phys. 17 (1975) 87; J. Olsen, P. Joergensen, J. Simons, Chem. Phys. Lett. 169 (1990) 463.
    """
    values, vectors = np.linalg.eigh(hessian)
    directions = (guess / np.linalg.norm(guess))[:, None]
    products = np.empty((len(guess), 0))
    most = min(most, len(guess))
    while True:
        v = directions[:, -1]
        products = np.column_stack([products, product(v)])
        small = directions.T @ products
        if not np.isfinite(small).all():
            return Products(np.nan, v, directions, products)
        ritz, parts = np.linalg.eigh(0.5 * (small + small.T))
        value, mode = float(ritz[0]), directions @ parts[:, 0]
        residual = products @ parts[:, 0] - value * mode
        if directions.shape[1] == most or np.linalg.norm(residual) < tolerance * abs(value):
            return Products(value, mode, directions, products)
        # Olsen's correction, with the approximate Hessian in place of the true one
        gap = values - value
        gap = np.where(np.abs(gap) < 0.05, np.copysign(0.05, gap), gap)
        one = vectors @ ((vectors.T @ residual) / gap)
        two = vectors @ ((vectors.T @ mode) / gap)
        new = -one + two * (mode @ one) / (mode @ two) if abs(mode @ two) > 1e-12 else -residual
        for _ in range(2):
            new -= directions @ (directions.T @ new)
        size = np.linalg.norm(new)
        if not size > 1e-10:
            return Products(value, mode, directions, products)
        directions = np.column_stack([directions, new / size])
