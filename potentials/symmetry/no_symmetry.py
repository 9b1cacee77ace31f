"""A surface without symmetry: every point is its own only copy."""

from __future__ import annotations

import numpy as np

__all__ = ["NoSymmetry"]


class NoSymmetry:
    """The symmetry object of a potential that has none."""

    def align(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return b, its own nearest copy."""
        return np.array(b, dtype=np.float64)

    def distance(self, a: np.ndarray, b: np.ndarray) -> float:
        """Euclidean distance of a and b."""
        return float(np.linalg.norm(np.asarray(a) - b))

    def order(self, x: np.ndarray) -> int:
        """Return 1."""
        return 1

    def random_copy(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return a copy of x."""
        return np.array(x, dtype=np.float64)
