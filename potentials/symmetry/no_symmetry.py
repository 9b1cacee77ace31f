"""Symmetry object of potentials without symmetry: every point has no copy but itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["NoSymmetry"]


class NoSymmetry:
    """Symmetry of a potential without symmetry operations besides the identity."""

    def align(self, a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a copy of b (n,)."""
        return np.array(b, dtype=np.float64)

    def distance(self, a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
        """Return the Euclidean distance of a (n,) and b (n,)."""
        return float(np.linalg.norm(np.asarray(a) - b))

    def order(self, x: NDArray[np.float64]) -> int:
        """Return 1, the identity."""
        return 1

    def random_copy(self, x: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
        """Return a copy of x (n,)."""
        return np.array(x, dtype=np.float64)
