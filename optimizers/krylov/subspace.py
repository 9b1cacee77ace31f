"""Subspaces of growing dimension on which a Hessian is known, and their Ritz pairs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["Subspace"]

# A vector this much shorter without its part in the space brings nothing but rounding
_NOTHING = 1e-8


class Subspace:
    """Orthonormal vectors, their images under a symmetric operator, and the operator's matrix between them.

    Parameters
    ----------
    product : callable
        Takes a vector (m,) and returns the operator's product with it.
    m : int
        Length of the vectors.
    room : int
        Most vectors.

    Attributes
    ----------
    size : int
        Number of vectors.
    products : int
        Number of products so far.
    """

    def __init__(self, product: Callable[[np.ndarray], np.ndarray], m: int, room: int) -> None:
        self.product, self.room, self.size, self.products = product, room, 0, 0
        self._vectors, self._images = np.empty((room, m)), np.empty((room, m))
        self._matrix = np.zeros((room, room))

    @property
    def vectors(self) -> np.ndarray:
        """Orthonormal vectors as rows, shape (size, m)."""
        return self._vectors[: self.size]

    @property
    def images(self) -> np.ndarray:
        """Products of the operator with them, shape (size, m)."""
        return self._images[: self.size]

    def add(self, v: np.ndarray) -> bool:
        """Add a vector (m,), made orthonormal; return whether it was not in the space already."""
        k, length = self.size, np.linalg.norm(v)
        if not 0 < length < np.inf:
            return False
        v = v / length
        for _ in range(2):
            v = v - self.vectors.T @ (self.vectors @ v)
        length = np.linalg.norm(v)
        if length < _NOTHING:
            return False
        self._vectors[k] = v / length
        self._images[k] = self.product(self._vectors[k])
        self.size, self.products = k + 1, self.products + 1
        self._matrix[k, : k + 1] = self._matrix[: k + 1, k] = self.vectors @ self._images[k]
        return True

    def ritz(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the Ritz values (size,), ascending, and the rotation (size, size) whose columns give their vectors."""
        return np.linalg.eigh(self._matrix[: self.size, : self.size])

    def shrink(self, values: np.ndarray, rotation: np.ndarray) -> None:
        """Keep the span of the first Ritz vectors only: ``values`` (k,), and the columns of ``rotation`` (size, k)."""
        k = len(values)
        self._vectors[:k], self._images[:k] = rotation.T @ self.vectors, rotation.T @ self.images
        self._matrix[:k, :k], self.size = np.diag(values), k
