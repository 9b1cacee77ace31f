"""Lanczos quadrature: the spectrum of a symmetric matrix from its products with random vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh_tridiagonal

__all__ = ["Quadrature", "lanczos_quadrature"]

Product = Callable[[NDArray[np.float64]], NDArray[np.float64]]


class Quadrature(NamedTuple):
    """Gauss quadrature of the spectral density seen by one vector.

    Attributes
    ----------
    nodes : (k,) ndarray
        Estimates of eigenvalues, ascending.
    weights : (k,) ndarray
        Share of the spectral density at each, which sum to 1.
    """

    nodes: NDArray[np.float64]
    weights: NDArray[np.float64]

    @property
    def mean(self) -> float:
        """Mean eigenvalue seen by the vector, v.Hv for a unit vector v."""
        return float(self.nodes @ self.weights)


def lanczos_quadrature(product: Product, start: NDArray[np.float64], steps: int) -> Quadrature:
    """Return the quadrature of ``steps`` Lanczos steps, with full reorthogonalisation, from a start vector.

    Parameters
    ----------
    product : callable
        Product of the matrix with a vector (n,).
    start : (n,) ndarray
        Start vector, not zero.
    steps : int
        Number of products; fewer where the vectors span an invariant space before.

    References
    ----------
    G. H. Golub and G. Meurant, Matrices, Moments and Quadrature with Applications (2010), chapter 6; for networks
    B. Ghorbani, S. Krishnan and Y. Xiao, ICML (2019) 2232.
    """
    steps = min(steps, start.size)
    basis = np.zeros((steps, start.size))
    diagonal, beside = np.zeros(steps), np.zeros(steps)
    vector = start / np.linalg.norm(start)
    for k in range(steps):
        basis[k] = vector
        moved = product(vector)
        diagonal[k] = moved @ vector
        for _ in range(2):  # twice is enough for full orthogonality
            moved = moved - basis[: k + 1].T @ (basis[: k + 1] @ moved)
        beside[k] = np.linalg.norm(moved)
        scale = np.abs(diagonal[: k + 1]).max() + beside[: k + 1].max()
        if beside[k] <= 1e-13 * scale:
            steps = k + 1
            break
        vector = moved / beside[k]
    nodes, vectors = eigh_tridiagonal(diagonal[:steps], beside[: steps - 1])
    return Quadrature(nodes, vectors[0] ** 2)
