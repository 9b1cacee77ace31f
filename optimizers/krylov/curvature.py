"""Products of a system's Hessian with vectors over free coordinates, null modes taken out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from thalweg.potentials.calculator import FlatCalculator
from thalweg.potentials.function import Function
from thalweg.potentials.system import System

__all__ = ["Curvature", "hessian_products"]

_Product = Callable[[np.ndarray], np.ndarray]

# Free coordinates up to which a Hessian is kept for the products at one point, where the potential has a Hessian but
# no products: 128 MB
_KEPT = 4000
# Displacement for differences of gradients, and of gradients that are differences of energies themselves
_DISPLACEMENT, _LONG_DISPLACEMENT = 1e-4, 1e-2


def hessian_products(system: System, x: np.ndarray) -> _Product:
    """Return the Hessian at x over free coordinates as a function of a vector.

    The potential's own products if it has any; else those of its Hessian, made once, or differences of two gradients
    where it has no Hessian or one that would be too large.

    Parameters
    ----------
    system : System
    x : ndarray, shape (n,)

    Returns
    -------
    callable
        Takes a vector (n_free,) and returns one.
    """
    free, potential = system.free, system.potential
    flat = isinstance(potential, FlatCalculator) and system.constraints is None
    own = flat and type(potential).hessian_vector is not FlatCalculator.hessian_vector
    if flat and not own and system.n_free <= _KEPT and _has_hessian(potential):
        hessian = system.hessian(x)[np.ix_(free, free)]
        return lambda v: hessian @ v

    def product(v: np.ndarray) -> np.ndarray:
        whole = np.zeros(system.n)
        whole[free] = v
        if own or not flat:
            return system.hessian_vector(x, whole)[free]
        length = np.linalg.norm(v)
        displacement = _LONG_DISPLACEMENT if _has_no_gradient(potential) else _DISPLACEMENT
        h = displacement / length if length > 0 else 1.0
        ahead, behind = (system.energy_gradient(x + sign * h * whole)[1] for sign in (1, -1))
        return (ahead - behind)[free] / (2 * h)

    return product


def _has_hessian(potential: FlatCalculator) -> bool:
    """Return whether a Hessian costs less than as many differences of gradients as it has rows."""
    if isinstance(potential, Function):
        return potential.has_hessian
    return potential.compiled is not None or type(potential).hessian is not FlatCalculator.hessian


def _has_no_gradient(potential: FlatCalculator) -> bool:
    return isinstance(potential, Function) and not potential.has_gradient


class Curvature:
    """The Hessian at one point, as a function of vectors over free coordinates.

    Parameters
    ----------
    system : System
    x : ndarray, shape (n,)
        The point.

    Attributes
    ----------
    size : int
        Length of the vectors.
    null : ndarray, shape (k, size)
        Null modes there, orthonormal: products have no part along them.
    products : int
        Number of products so far.
    """

    def __init__(self, system: System, x: np.ndarray) -> None:
        self._product = hessian_products(system, x)
        self.size, self.null = system.n_free, system.null_modes(x)[:, system.free]
        self.products = 0

    @property
    def modes(self) -> int:
        """Number of directions that are no null modes."""
        return self.size - len(self.null)

    def across(self, v: np.ndarray) -> np.ndarray:
        """Return a vector (size,) without its part along null modes."""
        return v - self.null.T @ (self.null @ v) if len(self.null) else v

    def __call__(self, v: np.ndarray) -> np.ndarray:
        """Return the Hessian times a vector (size,)."""
        self.products += 1
        return self.across(self._product(self.across(v)))
