"""A model of a Hessian: some eigenpairs and one curvature for everything across them, cheap to invert."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from thalweg.optimizers.krylov.subspace import Subspace

__all__ = ["DiagonalModel", "HessianModel", "Preconditioner"]

# Part of the largest curvature below which the model's curvatures are not believed
_FLOOR = 1e-5


class Preconditioner(Protocol):
    """A model of a Hessian, as preconditioned iterations take it."""

    def solve(self, r: np.ndarray, shift: float = 0.0, floor: float | None = None) -> np.ndarray:
        """Return the inverse of the model minus a shift times r (m,), with all curvatures taken as positive."""


class DiagonalModel:
    """Model of a Hessian by one curvature for each coordinate.

    Parameters
    ----------
    curvatures : ndarray, shape (m,)
    """

    def __init__(self, curvatures: np.ndarray) -> None:
        self.curvatures = curvatures

    def solve(self, r: np.ndarray, shift: float = 0.0, floor: float | None = None) -> np.ndarray:
        """Return r (m,) over the curvatures minus a shift, which count as positive and as no less than ``floor``."""
        return r / np.maximum(np.abs(self.curvatures - shift), 0.0 if floor is None else floor)


class HessianModel:
    """Model V diag(values) V^T + rest (1 - V V^T) of a Hessian, whose inverse preconditions iterations.

    The largest curvatures of a loss are few; with these known the rest is well conditioned.

    Parameters
    ----------
    vectors : ndarray, shape (k, m)
        Orthonormal rows.
    values : ndarray, shape (k,)
        Curvature along each.
    rest : float
        Curvature across all of them.
    """

    def __init__(self, vectors: np.ndarray, values: np.ndarray, rest: float) -> None:
        self.vectors, self.values, self.rest = vectors, values, rest
        self._floor = max(_FLOOR * float(np.abs(values).max()), np.finfo(float).tiny)

    @classmethod
    def of(cls, space: Subspace, rng: np.random.Generator) -> HessianModel:
        """Return the model that the Ritz pairs of a subspace give, with one more product for the rest.

        Parameters
        ----------
        space : Subspace
        rng : numpy.random.Generator
            Of the vector whose curvature stands for the rest.
        """
        values, rotation = space.ritz()
        vectors = rotation.T @ space.vectors
        across = rng.standard_normal(vectors.shape[1])
        for _ in range(2):
            across -= vectors.T @ (vectors @ across)
        square = float(across @ across)
        rest = float(across @ space.product(across)) / square if square > 0 else float(np.abs(values).mean())
        return cls(vectors, values, rest)

    def solve(self, r: np.ndarray, shift: float = 0.0, floor: float | None = None) -> np.ndarray:
        """Return the inverse of the model minus a shift times r (m,), with all curvatures taken as positive.

        Parameters
        ----------
        r : ndarray, shape (m,)
        shift : float
        floor : float, optional
            Least curvature along the model's vectors; a small part of the largest where missing.
        """
        floor = self._floor if floor is None else floor
        along = 1.0 / np.maximum(np.abs(self.values - shift), floor)
        rest = 1.0 / max(abs(self.rest - shift), self._floor)
        return rest * r + self.vectors.T @ ((along - rest) * (self.vectors @ r))
