"""The lowest Hessian eigenvalues of large systems, without a Hessian."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from thalweg.optimizers.krylov.curvature import hessian_products
from thalweg.potentials.calculator import FlatCalculator
from thalweg.potentials.conversion.numeric_options import positive_number, whole_number
from thalweg.potentials.symmetry.null_modes import lift_null_modes
from thalweg.potentials.system import System, as_system

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from thalweg.potentials.protocols import Subject

__all__ = ["lowest_eigenvalues"]

_Product = Callable[[np.ndarray], np.ndarray]
# Below this many free coordinates a whole Hessian is cheaper than iterations
_DENSE = 60
# Below this many a Hessian is kept where the potential has no products of its own
_KEPT = 500


def lowest_eigenvalues(
    system: Subject | System,
    x: ArrayLike | None = None,
    k: int = 2,
    *,
    guess: np.ndarray | None = None,
    tolerance: float = 1e-5,
) -> tuple[np.ndarray, np.ndarray]:
    """Find the lowest eigenvalues of the Hessian at x, null modes left out.

    Parameters
    ----------
    system : ase.Atoms, Point, Weights or System
        System whose Hessian is taken, with its calculator.
    x : array_like, shape (n,), optional
        Coordinates of the Hessian; the system's own where missing.
    k : int
        Number of eigenvalues.
    guess : ndarray, shape (n,), optional
        Vector from which the iterations start.
    tolerance : float
        Accuracy relative to the eigenvalues.

    Returns
    -------
    values : ndarray, shape (k,)
        Eigenvalues, ascending.
    vectors : ndarray, shape (k, n)
        Unit eigenvectors in the same order, zero at frozen coordinates.

    Raises
    ------
    ValueError
        If x does not fit, or fewer than k modes exist.
    ArpackNoConvergence
        If the iterations of :func:`scipy.sparse.linalg.eigsh` do not converge.

    Examples
    --------
    >>> from ase import Atoms
    >>> from thalweg.optimizers import find_transition_states, lowest_eigenvalues
    >>> from thalweg.potentials import LJAT
    >>> rhombus = [[0, 0, 0], [1.1, 0, 0], [0.55, 0.95, 0.1], [0.55, -0.95, 0]]
    >>> atoms = Atoms("Ar4", rhombus, calculator=LJAT(Z=0.0))
    >>> saddle = find_transition_states(atoms).x[0]
    >>> values, vectors = lowest_eigenvalues(atoms, saddle, 1)
    >>> bool(values[0] < 0), vectors.shape
    (True, (1, 12))
    """
    system = as_system(system)
    x = np.array(system.x if x is None else x, dtype=np.float64).ravel()
    if x.size != system.n:
        raise ValueError(f"x must have {system.n} coordinates; it has {x.size}")
    null = system.null_modes(x)[:, system.free]
    k, tolerance = whole_number("k", k), positive_number("tolerance", tolerance)
    if not 1 <= k <= system.n_free - len(null):
        raise ValueError(f"k must lie between 1 and {system.n_free - len(null)}, the number of modes; it is {k}")
    product = _product(system, x)
    solve = _dense if system.n_free <= max(_DENSE, 3 * (k + len(null))) else _iterate
    values, rows = solve(product, null, system.n_free, k, None if guess is None else guess[system.free], tolerance)
    vectors = np.zeros((k, system.n))
    vectors[:, system.free] = rows
    return values, vectors


def _product(system: System, x: np.ndarray) -> _Product:
    """Return the Hessian at x over free coordinates as a function of a vector."""
    free = system.free
    potential = system.potential
    borrowed = isinstance(potential, FlatCalculator) and type(potential).hessian_vector is FlatCalculator.hessian_vector
    if borrowed and system.n_free <= _KEPT:
        hessian = system.hessian(x)[np.ix_(free, free)]
        return lambda v: hessian @ v

    return hessian_products(system, x)


def _dense(
    product: _Product, null: np.ndarray, m: int, k: int, guess: np.ndarray | None, tolerance: float
) -> tuple[np.ndarray, np.ndarray]:
    hessian = np.array([product(row) for row in np.eye(m)])
    hessian = 0.5 * (hessian + hessian.T)
    lift_null_modes(hessian, null)
    values, vectors = np.linalg.eigh(hessian)
    return values[:k], vectors[:, :k].T


def _iterate(
    product: _Product, null: np.ndarray, m: int, k: int, guess: np.ndarray | None, tolerance: float
) -> tuple[np.ndarray, np.ndarray]:
    start = np.random.default_rng(0).normal(size=m)
    start -= null.T @ (null @ start)

    def across(v: np.ndarray) -> np.ndarray:
        product_v = product(v - null.T @ (null @ v))
        return product_v - null.T @ (null @ product_v)

    plain = LinearOperator((m, m), matvec=lambda v: across(np.ravel(v)), dtype=np.float64)
    # a few products tell how far up the null modes must go
    highest = abs(eigsh(plain, k=1, which="LM", v0=start, tol=1e-1, return_eigenvectors=False)[0])
    shift = 2.0 * highest + 1e-300
    shifted = LinearOperator(
        (m, m), matvec=lambda v: across(np.ravel(v)) + shift * (null.T @ (null @ np.ravel(v))), dtype=np.float64
    )
    start = start if guess is None else guess + 0.1 * np.linalg.norm(guess) / np.sqrt(m) * start
    try:
        values, vectors = eigsh(
            shifted, k=k, which="SA", v0=start, tol=tolerance, ncv=min(m, max(40, 4 * k)), maxiter=20 * m
        )
    except ArpackNoConvergence as error:
        raise ArpackNoConvergence(
            f"the lowest eigenvalues did not converge: {error}", error.eigenvalues, error.eigenvectors
        ) from error
    order = np.argsort(values)
    return values[order], vectors[:, order].T
