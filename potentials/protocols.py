"""Protocols of systems, potentials and symmetries.

A protocol marked ``runtime_checkable`` may stand in ``isinstance``, which reads its properties: all of them are cheap.
Importing this module loads numpy alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from ase import Atoms
    from ase.utils.abc import Optimizable

    from thalweg.potentials.compiled.signatures import Compiled
    from thalweg.potentials.point import Point

__all__ = [
    "AseOptimizable",
    "ClassifyingPotential",
    "ExchangeSymmetry",
    "ExploredSystem",
    "GradientPotential",
    "Integers",
    "LabelledData",
    "Mask",
    "Matrix",
    "Potential",
    "SearchedSystem",
    "Subject",
    "Symmetry",
    "Vector",
]

Vector: TypeAlias = NDArray[np.float64]
"""Array of shape (n,)."""

Matrix: TypeAlias = NDArray[np.float64]
"""Array of two dimensions, such as a Hessian (n, n) or a batch of points (walkers, n)."""

Integers: TypeAlias = NDArray[np.int64]
"""Array of int64, such as indices of coordinates."""

Mask: TypeAlias = NDArray[np.bool_]
"""Array of bool."""

Subject: TypeAlias = "Atoms | Point"
"""Object with coordinates and a calculator, as users hold it."""


class AseOptimizable(Protocol):
    """Object that ASE's optimizers move: Atoms, a Point, a cell filter, a band of images."""

    def __ase_optimizable__(self) -> Optimizable:
        """Return the adapter with coordinates, energy and gradient."""
        ...


@runtime_checkable
class GradientPotential(Protocol):
    """Potential of a flat vector with a gradient: the least that a Point needs."""

    def energy_gradient(self, x: Vector, /) -> tuple[float, Vector]:
        """Return the energy and the gradient (n,) at x (n,)."""
        ...


class Potential(GradientPotential, Protocol):
    """Potential of a flat vector: the contract that :class:`~thalweg.potentials.FlatCalculator` fulfils."""

    @property
    def units(self) -> str:
        """Unit of energy."""
        ...

    @property
    def compiled(self) -> Compiled | None:
        """Functions for compiled optimizers, or None."""
        ...

    def energy(self, x: Vector, /) -> float:
        """Return the energy at x (n,)."""
        ...

    def hessian(self, x: Vector, /) -> Matrix:
        """Return the second derivatives (n, n) at x (n,)."""
        ...

    def hessian_vector(self, x: Vector, v: Vector, /) -> Vector:
        """Return the product (n,) of the Hessian at x with v, both (n,)."""
        ...

    def energies_gradients(self, X: Matrix, threads: int | None = None, /) -> tuple[Vector, Matrix]:
        """Return energies (walkers,) and gradients (walkers, n) of a batch X (walkers, n)."""
        ...


@runtime_checkable
class LabelledData(Protocol):
    """Data with labels, such as a :class:`~thalweg.datasets.Dataset` or a loss with its training data."""

    @property
    def inputs(self) -> Any:
        """Inputs, array_like of shape (N, n_in)."""
        ...

    @property
    def labels(self) -> Any:
        """Classes counted from 0, array_like of int, shape (N,)."""
        ...


@runtime_checkable
class ClassifyingPotential(Protocol):
    """Potential whose coordinates are the weights of a classifier, such as :class:`~thalweg.potentials.NetworkLoss`."""

    @property
    def layers(self) -> tuple[int, ...]:
        """Widths from the inputs to the outputs."""
        ...

    @property
    def n_weights(self) -> int:
        """Length of the weight vector."""
        ...

    @property
    def n_classes(self) -> int:
        """Number of outputs."""
        ...

    def probabilities(self, x: Vector, inputs: ArrayLike, /) -> Matrix:
        """Return the probability of every class (N, n_classes) at inputs (N, n_in) for the weights x (n_weights,)."""
        ...


class Symmetry(Protocol):
    """Symmetry operations of a potential: maps of coordinates that leave the energy unchanged."""

    def align(self, a: Vector, b: Vector, /) -> Vector:
        """Return the symmetry copy of b (n,) that is nearest to a (n,)."""
        ...

    def distance(self, a: Vector, b: Vector, /) -> float:
        """Return the Euclidean distance from a to the nearest symmetry copy of b."""
        ...

    def order(self, x: Vector, /) -> int:
        """Return the number of symmetry operations that leave x (n,) unchanged."""
        ...

    def random_copy(self, x: Vector, rng: np.random.Generator, /) -> Vector:
        """Return x (n,) after a random symmetry operation."""
        ...


@runtime_checkable
class ExchangeSymmetry(Symmetry, Protocol):
    """Symmetry that can make a point symmetric, as that of a network makes two hidden units equal."""

    @property
    def exchanges(self) -> bool:
        """Whether there are two units that can be exchanged."""
        ...

    def made_symmetric(self, x: Vector, rng: np.random.Generator, /) -> Vector:
        """Return a symmetric point (n,) near x (n,)."""
        ...

    def align_all(self, a: Vector, points: Matrix, /) -> Matrix:
        """Return for each row of points (m, n) a copy near to a (n,), both without what lies along null modes."""
        ...


@runtime_checkable
class ExploredSystem(Protocol):
    """System whose points a Landscape can store: the least that it needs to tell one point from another."""

    @property
    def n(self) -> int:
        """Length of whole coordinate vectors."""
        ...

    def describe(self) -> Mapping[str, Any]:
        """Return scalars, arrays and mappings of them that identify the system."""
        ...

    def distance(self, a: Vector, b: Vector, /) -> float:
        """Return the Euclidean distance from a to the nearest symmetry copy of b."""
        ...

    def order(self, x: Vector, /) -> int:
        """Return the number of symmetry operations that leave x (n,) unchanged."""
        ...


@runtime_checkable
class SearchedSystem(ExploredSystem, Protocol):
    """System in which searches can run: the part of :class:`~thalweg.potentials.System` that a Landscape uses."""

    @property
    def units(self) -> str:
        """Unit of energy."""
        ...

    @property
    def atoms(self) -> Atoms | None:
        """Atoms without a calculator, or None."""
        ...

    @property
    def bounds(self) -> Matrix | None:
        """Lowest and highest value of each coordinate, shape (n, 2), or None."""
        ...

    @property
    def n_free(self) -> int:
        """Number of free coordinates."""
        ...

    @property
    def free(self) -> Integers:
        """Indices of the free coordinates, shape (n_free,)."""
        ...

    @property
    def threadsafe(self) -> bool:
        """Whether several threads may evaluate it at once."""
        ...

    @property
    def device(self) -> str:
        """Device that batches are evaluated on: "cpu", "cuda" or "auto"."""
        ...

    def on_gpu(self, X: Matrix, /) -> bool:
        """Return whether a batch X (walkers, n) is evaluated on a GPU."""
        ...

    @property
    def width(self) -> float | None:
        """Mean width of the bounds, or None."""
        ...

    @property
    def constant_null_modes(self) -> Matrix:
        """Null modes that are the same at all points, shape (k, n)."""
        ...

    @property
    def has_symmetry(self) -> bool:
        """Whether there are symmetry operations besides the identity."""
        ...

    @property
    def may_start_symmetric(self) -> bool:
        """Whether :meth:`random_symmetric` can be called."""
        ...

    @property
    def may_be_made_symmetric(self) -> bool:
        """Whether :meth:`made_symmetric` can be called."""
        ...

    def subject(self, x: ArrayLike | None = None) -> Subject:
        """Return Atoms, Weights or a Point at x (n,), with the calculator."""
        ...

    def inside(self, x: Vector, /) -> bool:
        """Return whether x (n,) lies within the bounds."""
        ...

    def random(self, rng: np.random.Generator, /) -> Vector:
        """Return a random starting point (n,)."""
        ...

    def random_symmetric(self, rng: np.random.Generator, /) -> Vector:
        """Return a random starting point (n,) with a point group."""
        ...

    def made_symmetric(self, x: Vector, rng: np.random.Generator, /) -> Vector:
        """Return a symmetric point (n,) near x (n,)."""
        ...

    def align_all(self, a: Vector, points: Matrix, /) -> Matrix:
        """Return for each row of points (m, n) a symmetry copy near to a (n,); as :meth:`made_symmetric`."""
        ...

    def energy_gradient(self, x: Vector, /) -> tuple[float, Vector]:
        """Return the energy and the gradient (n,) at x (n,)."""
        ...

    def hessian(self, x: Vector, /) -> Matrix:
        """Return the second derivatives (n, n) at x (n,)."""
        ...

    def null_modes(self, x: Vector, /) -> Matrix:
        """Return orthonormal directions (k, n) at x (n,) along which the energy cannot change."""
        ...

    def stop(self) -> None:
        """End searches in other threads."""
        ...

    def go_on(self) -> None:
        """Take back :meth:`stop`."""
        ...
