"""A flat vector with a calculator: what Atoms are to a molecule, a Point is to any other function."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from ase.utils.abc import Optimizable

from thalweg.potentials.calculator import FlatCalculator
from thalweg.potentials.function import Function
from thalweg.potentials.lazy import public
from thalweg.potentials.protocols import GradientPotential

__all__ = ["Point"]


@public("thalweg.potentials")
class Point:
    """Coordinates of a potential that has no atoms.

    Parameters
    ----------
    x : array_like, shape (n,)
        Where to start.
    calc : FlatCalculator or callable, optional
        The potential; a plain callable ``energy(x)`` is made a :class:`~thalweg.potentials.Function`.
    frozen : array_like of bool, shape (n,), optional
        Which coordinates are no degrees of freedom.

    Raises
    ------
    ValueError
        If x is not a flat vector of finite numbers, or frozen does not match it.
    """

    def __init__(self, x: Any, calc: Any = None, frozen: Any = None):
        self._x = np.empty(0)
        self._cache: tuple[np.ndarray, float, np.ndarray] | None = None
        self._calc: FlatCalculator | None = None
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
    def calc(self) -> FlatCalculator | None:
        """The potential."""
        return self._calc

    @calc.setter
    def calc(self, calc: Any) -> None:
        if calc is not None and not isinstance(calc, GradientPotential):
            if not callable(calc):
                raise TypeError(f"calc must be a flat calculator or a callable energy(x), not {type(calc).__name__}")
            calc = Function(calc)
        self._calc, self._cache = calc, None

    @property
    def x(self) -> np.ndarray:
        """A copy of the coordinates, shape (n,); assign to move the point."""
        return self._x.copy()

    @x.setter
    def x(self, x: Any) -> None:
        self.set_x(x)

    def get_x(self) -> np.ndarray:
        """Return a copy of the coordinates, shape (n,)."""
        return self._x.copy()

    def set_x(self, x: Any) -> None:
        """Move to x, shape (n,)."""
        x = np.array(x, dtype=np.float64)
        if x.ndim != 1 or (self._x.size and x.shape != self._x.shape):
            wanted = f"{self._x.shape}" if self._x.size else "a flat vector"
            raise ValueError(f"x must be {wanted}; its shape is {x.shape}")
        if not np.isfinite(x).all():
            raise ValueError("x must be finite; it has NaN or infinite entries")
        self._x = x

    def copy(self) -> Point:
        """Return an independent point with the same coordinates, without a calculator, as ASE does."""
        return Point(self._x, frozen=self.frozen)

    def _evaluate(self) -> tuple[float, np.ndarray]:
        if self._calc is None:
            raise RuntimeError("the point has no calculator: set point.calc")
        if self._cache is None or not np.array_equal(self._cache[0], self._x):
            energy, gradient = self._calc.energy_gradient(self._x)
            self._cache = (self._x.copy(), float(energy), np.where(self.frozen, 0.0, gradient))
        return self._cache[1:]

    def get_potential_energy(self, force_consistent: bool = False) -> float:
        """Return the energy in the potential's unit."""
        return self._evaluate()[0]

    def get_gradient(self) -> np.ndarray:
        """Return the gradient, shape (n,), zero at frozen coordinates."""
        return self._evaluate()[1].copy()

    def get_forces(self) -> np.ndarray:
        """Return minus the gradient, shape (n,)."""
        return -self._evaluate()[1]

    def __ase_optimizable__(self) -> Optimizable:
        return OptimizablePoint(self)


class OptimizablePoint(Optimizable):
    """A point as ASE's optimizers see it."""

    def __init__(self, point: Point):
        self.point = point

    def ndofs(self) -> int:
        return len(self.point)

    def get_x(self) -> np.ndarray:
        return self.point.get_x()

    def set_x(self, x: np.ndarray) -> None:
        self.point.set_x(np.where(self.point.frozen, self.point.get_x(), x))

    def get_gradient(self) -> np.ndarray:
        return self.point.get_gradient()

    def get_value(self) -> float:
        return self.point.get_potential_energy()

    def iterimages(self) -> Iterator[Point]:
        yield self.point

    def gradient_norm(self, gradient: np.ndarray) -> float:
        """Largest component: there are no triples here to take lengths of."""
        return float(np.abs(gradient).max())
