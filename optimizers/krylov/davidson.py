"""Davidson's method for the lowest eigenpairs of a Hessian, each with a bound of its error."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from thalweg.optimizers.krylov.curvature import Curvature
from thalweg.optimizers.krylov.hessian_model import Preconditioner
from thalweg.optimizers.krylov.subspace import Subspace

__all__ = ["RitzPairs", "lowest_pairs"]

# Ritz vectors that are kept where the subspace is full
_KEPT = 20


class RitzPairs(NamedTuple):
    """Approximate eigenpairs of a symmetric matrix.

    Attributes
    ----------
    values : ndarray, shape (k,)
        Ritz values: those asked for.
    vectors : ndarray, shape (k, m)
        Unit vectors.
    residuals : ndarray, shape (k,)
        Norms of H v - value v: an eigenvalue of H lies no further than that from the value.
    lowest : ndarray, shape (j,)
        All Ritz values of the subspace, ascending.
    space : Subspace
    """

    values: np.ndarray
    vectors: np.ndarray
    residuals: np.ndarray
    lowest: np.ndarray
    space: Subspace

    def next_starts(self, count: int) -> np.ndarray:
        """Return the vectors and further low Ritz vectors, (at most len + count, m), for a search close by."""
        _, rotation = self.space.ritz()
        return np.vstack([self.vectors, rotation[:, :count].T @ self.space.vectors])


def lowest_pairs(
    curvature: Curvature,
    starts: np.ndarray,
    *,
    count: int = 1,
    tolerance: float,
    most: int,
    least: int = 0,
    room: int = 60,
    model: Preconditioner | None = None,
    like: np.ndarray | None = None,
    unless_negative: bool = False,
) -> RitzPairs:
    """Find the lowest eigenpairs, or the one most like a vector, with few products.

    The subspace grows by the residual of the first pair that has not converged, preconditioned by a model of the
    Hessian; without a model it is Lanczos' Krylov space with full orthogonalisation.

    Parameters
    ----------
    curvature : Curvature
        The Hessian.
    starts : ndarray, shape (k, m)
        First vectors of the subspace.
    count : int
        Number of pairs.
    tolerance : float
        Residual relative to the value at which a pair has converged.
    most : int
        Most products.
    least : int
        Least products: from random starts the first few residuals are those of a mixture of many eigenvectors, which
        may be small beside the value while the lowest one has not shown.
    room : int
        Largest subspace; a full one is restarted with its lowest Ritz vectors.
    model : Preconditioner, optional
        Model of the Hessian.
    like : ndarray, shape (m,), optional
        The pair most like this vector is the one asked for.
    unless_negative : bool
        Whether the lowest pair is asked for all the same as soon as it is negative.

    References
    ----------
    E. R. Davidson, J. Comput. Phys. 17 (1975) 87.
    """
    space = Subspace(curvature, curvature.size, max(2, min(room, curvature.modes)))
    grown = False
    for start in starts[: space.room]:
        grown = space.add(curvature.across(start)) or grown
    if not grown:  # starts were zero, or null modes
        space.add(curvature.across(np.random.default_rng(0).standard_normal(curvature.size)))
    while True:
        values, rotation = space.ritz()
        wanted = np.arange(min(count, space.size))
        if like is not None and not (unless_negative and values[0] < 0):
            wanted = np.array([int(np.argmax(np.abs(rotation.T @ (space.vectors @ like))))])
        vectors = rotation[:, wanted].T @ space.vectors
        remainders = rotation[:, wanted].T @ space.images - values[wanted, None] * vectors
        residuals = np.linalg.norm(remainders, axis=1)
        unfinished = np.flatnonzero(~(residuals <= tolerance * np.abs(values[wanted])))
        if space.products >= (most if unfinished.size else min(least, most)) or space.size == curvature.modes:
            return RitzPairs(values[wanted], vectors, residuals, values, space)
        first = unfinished[0] if unfinished.size else 0
        if space.size == space.room:
            kept = np.unique(np.concatenate([np.arange(min(_KEPT, space.size // 2)), wanted]))
            space.shrink(values[kept], rotation[:, kept])
        r, value = remainders[first], float(values[wanted[first]])
        if not np.isfinite(r).all():
            return RitzPairs(values[wanted], vectors, residuals, values, space)
        t = r if model is None else model.solve(r, value, 0.1 * abs(value) + 1e-12)
        if not space.add(curvature.across(t)) and (model is None or not space.add(r)):
            return RitzPairs(values[wanted], vectors, residuals, values, space)
