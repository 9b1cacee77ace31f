"""Proof of stationary points of large systems: the lowest eigenvalues, with bounds of their errors.

A Ritz pair (value, v) with residual r = |H v - value v| proves that an eigenvalue of the Hessian lies within r of the
value. That no lower eigenvalue was missed is not proved: the search starts from random vectors, which have parts along
all eigenvectors, and a lower one would be missed only by an iteration that stops before it shows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from thalweg.optimizers.kernels.status import Status
from thalweg.optimizers.krylov.curvature import Curvature
from thalweg.optimizers.krylov.davidson import lowest_pairs
from thalweg.optimizers.krylov.hessian_model import HessianModel, Preconditioner
from thalweg.potentials.system import System

__all__ = ["NUMBERS", "SMALLEST_EIGENVALUE", "TOLERANCE", "Proof", "prove"]

# Smaller ones cannot be told from zero by differences of gradients
SMALLEST_EIGENVALUE = 1e-8
# Residual relative to the eigenvalue
TOLERANCE = 0.02
# Products after which the Krylov space gives a model of the Hessian; the most for each eigenvalue with that, and the
# largest subspace then
_FIRST, _MOST, _ROOM = 150, 1000, 60
# Products that are made even where the first vectors seem to be eigenvectors
_LEAST = 30
# Numbers in the vectors of a Krylov space, at most: 400 MB with their images
NUMBERS = 25_000_000
# Displacements along the lowest mode by which products are compared with gradients: the shorter one where they do not
# agree at the longer, which is not small for the weights of raw pixels. How far they may differ, part of the curvature
# and part of the largest one
_DISPLACEMENTS, _WRONG, _NOISE = (1e-3, 1e-4), 0.2, 1e-4


class Proof(NamedTuple):
    """Lowest eigenvalues of a Hessian, null modes left out.

    Attributes
    ----------
    values : ndarray, shape (k,)
        Ascending.
    bounds : ndarray, shape (k,)
        An eigenvalue lies within this of each value.
    vectors : ndarray, shape (k, m)
        Over free coordinates.
    agree : bool
        Whether products of the Hessian agree with the gradients.
    """

    values: np.ndarray
    bounds: np.ndarray
    vectors: np.ndarray
    agree: bool

    def status(self, index: int) -> Status:
        """Return whether the values are those of a stationary point with ``index`` negative eigenvalues.

        Parameters
        ----------
        index : int
            0 for a minimum, 1 for a transition state, of which both lowest eigenvalues are looked at.
        """
        if not np.isfinite(self.values).all():
            return Status.NOT_FINITE
        if not self.agree:
            return Status.WRONG_PRODUCTS
        sizes = np.abs(self.values)
        if (sizes <= np.maximum(self.bounds, SMALLEST_EIGENVALUE)).any():
            return Status.ZERO_MODE
        return Status.CONVERGED if (self.values < 0).sum() == index else Status.WRONG_INDEX


def prove(
    system: System,
    curvature: Curvature,
    x: np.ndarray,
    count: int,
    *,
    starts: np.ndarray | None = None,
    model: Preconditioner | None = None,
) -> Proof:
    """Find the lowest eigenvalues of the Hessian at a stationary point.

    Parameters
    ----------
    system : System
    curvature : Curvature
        The Hessian at x.
    x : ndarray, shape (n,)
    count : int
        Number of eigenvalues, or as many as there are.
    starts : ndarray, shape (k, m), optional
        Vectors to start from, beside random ones.
    model : Preconditioner, optional
        Model of the Hessian.
    """
    rng = np.random.default_rng(0)
    random = rng.standard_normal((count, curvature.size))
    starts = random if starts is None else np.vstack([starts, random])
    first = max(20, min(_FIRST, NUMBERS // curvature.size))
    pairs = lowest_pairs(
        curvature, starts, count=count, tolerance=TOLERANCE, most=first, least=_LEAST,
        room=first if model is None else _ROOM, model=model,
    )  # fmt: skip
    largest = float(np.abs(pairs.lowest).max())
    if (pairs.residuals > TOLERANCE * np.abs(pairs.values)).any() and np.isfinite(pairs.values).all():
        model = HessianModel.of(pairs.space, rng) if model is None else model
        pairs = lowest_pairs(
            curvature, pairs.next_starts(count + 3), count=count, tolerance=TOLERANCE, most=_MOST * count, room=_ROOM,
            model=model,
        )  # fmt: skip
    agree = _agrees(system, x, pairs.vectors[0], float(pairs.values[0]), largest)
    return Proof(pairs.values, pairs.residuals, pairs.vectors, agree)


def _agrees(system: System, x: np.ndarray, mode: np.ndarray, value: float, largest: float) -> bool:
    """Return whether the curvature along a mode is that of two gradients beside x, or of two that are closer."""
    for displacement in _DISPLACEMENTS:
        step = np.zeros(system.n)
        step[system.free] = displacement * mode
        ahead, behind = (system.energy_gradient(x + sign * step)[1][system.free] @ mode for sign in (1, -1))
        slope = (ahead - behind) / (2 * displacement)
        if abs(slope - value) <= _WRONG * abs(value) + _NOISE * largest:
            return True
    return False
