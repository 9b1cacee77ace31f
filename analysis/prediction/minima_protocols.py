"""Protocols of the minima and data that the prediction functions accept.

The members of those that stand in ``isinstance`` are properties or attributes that cost nothing to read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from thalweg.potentials.protocols import LabelledData

__all__ = [
    "HasEnergies",
    "HasIdentity",
    "HasInputs",
    "HasMinima",
    "HasSystem",
    "InputData",
    "LandscapeMinima",
    "MinimaLike",
    "PartOfLandscape",
    "StatesClasses",
    "StatesMislabelled",
    "StoredRows",
    "TestData",
]


class StoredRows(Protocol):
    """Array that is read when indexed, such as one of a landscape; a numpy array is one, too."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape, as of a numpy array."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, key: Any, /) -> Any: ...


class SystemWithPotential(Protocol):
    """System of a landscape: its potential, which is a loss where the landscape is a network's."""

    @property
    def potential(self) -> object:
        """Potential that is explored."""
        ...


@runtime_checkable
class HasSystem(Protocol):
    """Object that knows the system to which its points belong, such as a Landscape."""

    @property
    def system(self) -> SystemWithPotential:
        """System that is explored."""
        ...


@runtime_checkable
class PartOfLandscape(Protocol):
    """Rows of a landscape that know it, as ``landscape.minima`` does."""

    @property
    def landscape(self) -> HasSystem:
        """Landscape that the rows belong to."""
        ...


class LandscapeMinima(PartOfLandscape, Protocol):
    """Minima of a landscape, as ``landscape.minima``: arrays that are read when indexed."""

    @property
    def energy(self) -> StoredRows:
        """Energies, shape (k,)."""
        ...

    @property
    def coordinates(self) -> StoredRows:
        """Coordinates, shape (k, n)."""
        ...

    @property
    def log_eigenvalue_product(self) -> StoredRows:
        """Sums of ln of the positive Hessian eigenvalues, shape (k,); NaN where unknown."""
        ...

    def __len__(self) -> int: ...

    def lowest(self) -> int:
        """Return the row of the lowest minimum."""
        ...


@runtime_checkable
class HasMinima(Protocol):
    """Landscape: an object with minima of one system."""

    @property
    def minima(self) -> LandscapeMinima:
        """Minima that have been found."""
        ...

    @property
    def system(self) -> Any:
        """System that is explored."""
        ...


@runtime_checkable
class HasEnergies(Protocol):
    """Loss that computes its values for many rows of weights at once."""

    def energies_gradients(self, X: np.ndarray, /) -> tuple[np.ndarray, np.ndarray]:
        """Return losses (k,) and gradients (k, n_weights) of rows of weights X (k, n_weights)."""
        ...


@runtime_checkable
class HasInputs(Protocol):
    """Data of which only the inputs are used."""

    @property
    def inputs(self) -> Any:
        """Inputs, array_like of shape (N, n_in)."""
        ...


@runtime_checkable
class StatesClasses(Protocol):
    """Data that say how many classes there are, whether or not all of them occur."""

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        ...


@runtime_checkable
class StatesMislabelled(Protocol):
    """Data that say which labels are wrong."""

    @property
    def mislabelled(self) -> ArrayLike | None:
        """Whether each label was changed, array_like of bool, shape (N,); None where none was."""
        ...


@runtime_checkable
class HasIdentity(Protocol):
    """Data that say where they come from."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """Name, seed, rules and rows, as JSON-able values."""
        ...


MinimaLike: TypeAlias = HasMinima | LandscapeMinima | ArrayLike
"""Minima of a network: a Landscape, its ``minima``, or rows of weights of shape (k, n_weights)."""

TestData: TypeAlias = LabelledData | tuple[ArrayLike, ArrayLike]
"""Labelled data: an object with ``inputs`` and ``labels``, or a pair of them."""

InputData: TypeAlias = HasInputs | tuple[ArrayLike, ArrayLike] | ArrayLike
"""Inputs of shape (N, n_in), or data of which only the inputs are used."""
