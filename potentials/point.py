"""Points: flat vectors with a calculator, for potentials without atoms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from ase import Atoms
from ase.utils.abc import Optimizable
from numpy.typing import ArrayLike

from thalweg.potentials.conversion import real_results
from thalweg.potentials.function import Function
from thalweg.potentials.lazy import public
from thalweg.potentials.protocols import GradientPotential, Subject, Vector

__all__ = ["Point", "flat_coordinates"]


@public("thalweg.potentials")
class Point:
    """Flat vector of coordinates with a calculator: the counterpart of ASE's Atoms for a potential without atoms.

    Parameters
    ----------
    x : array_like, shape (n,)
        Coordinates.
    calc : FlatCalculator or callable, optional
        Potential; a plain callable ``energy(x)`` is wrapped in a :class:`~thalweg.potentials.Function`.
    frozen : array_like of bool, shape (n,), optional
        True where a coordinate is fixed; no coordinate by default.

    Raises
    ------
    ValueError
        If x is not a flat vector of finite numbers, or frozen does not match it.
    TypeError
        If calc is neither a flat calculator nor callable.

    Examples
    --------
    >>> from thalweg.optimizers import LBFGS
    >>> from thalweg.potentials import MuellerBrown, Point
    >>> point = Point([-0.5, 1.5], calc=MuellerBrown())
    >>> converged = LBFGS(point, logfile=None).run(rms=1e-8)
    >>> point.x.round(4), round(point.get_potential_energy(), 4)
    (array([-0.5582,  1.4417]), -146.6995)
    """

    def __init__(
        self,
        x: ArrayLike,
        calc: GradientPotential | Callable[[Vector], Any] | None = None,
        frozen: ArrayLike | None = None,
    ):
        self._x = np.empty(0)
        self._cache: tuple[Vector, float, Vector] | None = None
        self._calc: GradientPotential | None = None
        self.set_x(x)
        self.frozen = np.zeros(self._x.size, dtype=bool) if frozen is None else np.array(frozen, dtype=bool)
        if self.frozen.shape != self._x.shape:
            raise ValueError(f"frozen must have one entry a coordinate, {self._x.shape}; it has {self.frozen.shape}")
        self.calc = calc

    def __len__(self) -> int:
        return self._x.size

    def __repr__(self) -> str:
        return f"{type(self).__name__}(n={len(self)}, calc={self.calc!r})"

    @property
    def calc(self) -> Any:
        """Potential, or None."""
        return self._calc

    @calc.setter
    def calc(self, calc: GradientPotential | Callable[[Vector], Any] | None) -> None:
        if calc is not None and not isinstance(calc, GradientPotential):
            if not callable(calc):
                raise TypeError(f"calc must be a flat calculator or a callable energy(x), not {type(calc).__name__}")
            calc = Function(calc)
        self._calc, self._cache = calc, None

    @property
    def x(self) -> Vector:
        """Copy of the coordinates, shape (n,); assigning to it moves the point."""
        return self._x.copy()

    @x.setter
    def x(self, x: ArrayLike) -> None:
        self.set_x(x)

    def get_x(self) -> Vector:
        """Return a copy of the coordinates, shape (n,)."""
        return self._x.copy()

    def set_x(self, x: ArrayLike) -> None:
        """Move the point to x (n,)."""
        x = np.array(x, dtype=np.float64)
        if x.ndim != 1 or (self._x.size and x.shape != self._x.shape):
            wanted = f"{self._x.shape}" if self._x.size else "a flat vector"
            raise ValueError(f"x must be {wanted}; its shape is {x.shape}")
        if not np.isfinite(x).all():
            raise ValueError("x must be finite; it has NaN or infinite entries")
        self._x = x

    def copy(self) -> Point:
        """Return an independent Point with the same coordinates, without a calculator, as ASE does."""
        return Point(self._x, frozen=self.frozen)

    def _evaluate(self) -> tuple[float, Vector]:
        if self._calc is None:
            raise RuntimeError("the point has no calculator: set point.calc")
        if self._cache is None or not np.array_equal(self._cache[0], self._x):
            energy, gradient = real_results.energy_gradient(self._calc, self._x)
            self._cache = (self._x.copy(), energy, np.where(self.frozen, 0.0, gradient))
        return self._cache[1:]

    def get_potential_energy(self, force_consistent: bool = False) -> float:
        """Return the energy, in the unit of the potential."""
        return self._evaluate()[0]

    def get_gradient(self) -> Vector:
        """Return the gradient (n,), zero at frozen coordinates."""
        return self._evaluate()[1].copy()

    def get_forces(self) -> Vector:
        """Return minus the gradient (n,), zero at frozen coordinates."""
        return -self._evaluate()[1]

    def __ase_optimizable__(self) -> Optimizable:
        """Return the adapter that ASE's optimizers ask for."""
        return OptimizablePoint(self)


class OptimizablePoint(Optimizable):
    """Adapter of a Point to ASE's optimizers."""

    def __init__(self, point: Point):
        self.point = point

    def ndofs(self) -> int:
        """Return the number of coordinates."""
        return len(self.point)

    def get_x(self) -> Vector:
        """Return a copy of the coordinates (n,)."""
        return self.point.get_x()

    def set_x(self, x: Vector) -> None:
        """Move the free coordinates to those of x (n,)."""
        self.point.set_x(np.where(self.point.frozen, self.point.get_x(), x))

    def get_gradient(self) -> Vector:
        """Return the gradient (n,)."""
        return self.point.get_gradient()

    def get_value(self) -> float:
        """Return the energy."""
        return self.point.get_potential_energy()

    def iterimages(self) -> Iterator[Point]:
        """Yield the one point."""
        yield self.point

    def gradient_norm(self, gradient: Vector) -> float:
        """Return the largest component of the gradient (n,), which ASE compares with fmax."""
        return float(np.abs(gradient).max())


def flat_coordinates(place: Subject | ArrayLike, like: Atoms | None, name: str) -> Vector:
    """Return a flat copy of the coordinates of Atoms, of a Point, or of an array such as positions (atoms, 3).

    Parameters
    ----------
    place : ase.Atoms, Point or array_like
        The point.
    like : ase.Atoms or None
        The system's atoms; None for a system that is a Point.
    name : str
        Name of the argument, for errors.

    Raises
    ------
    ValueError
        If the atoms are others than the system's, or the coordinates are no numbers.
    """
    if isinstance(place, Atoms):
        if like is None or not np.array_equal(place.numbers, like.numbers):
            mine = "a Point" if like is None else like.get_chemical_formula("reduce")
            theirs = place.get_chemical_formula("reduce")
            raise ValueError(f"{name} must have the system's atoms in their order, {mine}; it has {theirs}")
        place = place.positions
    elif isinstance(place, Point):
        place = place.x
    try:
        return np.array(place, dtype=np.float64).ravel()
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be Atoms, a Point, or their positions as numbers ({error})") from error
