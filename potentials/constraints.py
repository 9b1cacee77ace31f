"""Constraints of ASE as fixed coordinates, as forbidden directions, and as springs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms
from ase.constraints import (
    FixAtoms,
    FixCartesian,
    FixCom,
    FixedLine,
    FixedPlane,
    FixScaled,
    FixSubsetCom,
    Hookean,
    dict2constraint,
)

if TYPE_CHECKING:
    from thalweg.potentials.protocols import Integers, Mask, Matrix, Vector

__all__ = ["Constraints", "constraints_from", "constraints_of", "described_constraints"]

_SMALL = 1e-12  # squared length of a direction that others span already
_COORDINATES = (FixAtoms, FixCartesian)
_ATOM_BY_ATOM = (*_COORDINATES, FixScaled, FixedPlane, FixedLine)
_SUPPORTED = (*_ATOM_BY_ATOM, FixCom, Hookean)
_STORED = {kind.__name__ for kind in (FixScaled, FixedPlane, FixedLine, FixCom, FixSubsetCom, Hookean)}


@dataclass(frozen=True)
class Constraints:
    """Constraints of atoms, in the form that algorithms use.

    Attributes
    ----------
    frozen : ndarray of bool, shape (n,)
        Coordinates that do not move.
    normals : ndarray, shape (k, n)
        Orthonormal directions in which nothing moves, zero at frozen coordinates.
    held : ndarray of bool, shape (atoms,)
        Atoms with a direction in which they do not move, alone or together with others.
    classes : ndarray of int, shape (atoms,)
        Equal for atoms that springs do not tell from each other: 0 without one, a number of its own for each pair.
    springs : tuple of ase.constraints.Hookean
        Springs, whose energy is part of the potential's.
    """

    frozen: Mask
    normals: Matrix
    held: Mask
    classes: Integers
    springs: tuple[Hookean, ...]

    @property
    def restraining(self) -> bool:
        """Whether there is more than frozen coordinates: forbidden directions or springs."""
        return bool(len(self.normals) or self.springs)

    def within(self, vectors: Matrix | Vector) -> Matrix:
        """Return the part of vectors (..., n) along which atoms may move; frozen coordinates are left as they are."""
        return vectors - (vectors @ self.normals.T) @ self.normals

    def check_anchored(self, motions: Callable[[], int]) -> None:
        """Raise TypeError where an atom hangs on a spring to a place, while rigid motions are left to the whole."""
        hung = [spring for spring in self.springs if spring._type != "two atoms"]
        if hung and motions():
            raise TypeError(
                f"{hung[0]} ties an atom to a place, while the whole may still drift or turn: fix an atom, or tie two "
                "atoms to each other instead"
            )

    def add_springs(self, atoms: Atoms, energy: float, gradient: Vector) -> tuple[float, Vector]:
        """Return energy and gradient (n,) at the positions of ``atoms`` with the springs' added."""
        forces = -gradient.reshape(-1, 3)
        for spring in self.springs:
            energy += float(spring.adjust_potential_energy(atoms))
            spring.adjust_forces(atoms, forces)
        return energy, -forces.ravel()


def constraints_of(atoms: Atoms) -> Constraints:
    """Read the constraints of atoms.

    Raises
    ------
    TypeError
        For a constraint that is neither a projection of the coordinates nor a spring.
    """
    for constraint in atoms.constraints:
        if not isinstance(constraint, _SUPPORTED):
            names = ", ".join(kind.__name__ for kind in _SUPPORTED[:-1])
            raise TypeError(
                f"constraint {type(constraint).__name__} is not supported: use {names}, FixSubsetCom or Hookean"
            )
    frozen, rows = _atom_by_atom(atoms)
    normals = _orthonormal([*rows, *_centres(atoms)], frozen)
    springs = tuple(constraint for constraint in atoms.constraints if isinstance(constraint, Hookean))
    held: Mask = (normals.reshape(len(normals), len(atoms), 3) != 0.0).any(axis=2).any(axis=0)
    return Constraints(frozen, normals, held, _classes(springs, len(atoms)), springs)


def _atom_by_atom(atoms: Atoms) -> tuple[Mask, list[Vector]]:
    """Return the frozen coordinates, and further forbidden directions of single atoms."""
    forbidden: dict[int, list[Vector]] = {}
    for constraint in atoms.constraints:
        if isinstance(constraint, _ATOM_BY_ATOM):
            for atom in np.arange(len(atoms))[constraint.index]:
                forbidden.setdefault(int(atom), []).extend(_forbidden(constraint, atoms))
    frozen, rows = np.zeros((len(atoms), 3), dtype=bool), []
    for atom, directions in sorted(forbidden.items()):
        basis = _orthonormal(directions, np.zeros(3, dtype=bool))
        frozen[atom] = (basis**2).sum(axis=0) > 1.0 - 1e-10
        for direction in _orthonormal(list(basis), frozen[atom]):
            row = np.zeros((len(atoms), 3))
            row[atom] = direction
            rows.append(row.ravel())
    return frozen.ravel(), rows


def _forbidden(constraint: Any, atoms: Atoms) -> list[Vector]:
    """Return directions (3,), not orthonormal, along which a constraint of single atoms lets none move."""
    if isinstance(constraint, FixAtoms):
        return list(np.eye(3))
    if isinstance(constraint, FixCartesian):
        return list(np.eye(3)[np.asarray(constraint.mask, dtype=bool)])
    if isinstance(constraint, FixScaled):
        # an atom moves along the cell vectors that are not masked
        allowed = atoms.cell.complete().array[~np.asarray(constraint.mask, dtype=bool)]
    elif isinstance(constraint, FixedPlane):
        return [np.asarray(constraint.dir, dtype=np.float64)]
    else:
        allowed = np.reshape(constraint.dir, (1, 3))
    basis = _orthonormal(list(allowed), np.zeros(3, dtype=bool))
    return list(np.eye(3) - basis.T @ basis)


def _centres(atoms: Atoms) -> Iterator[Vector]:
    """Yield the directions (n,) in which a fixed centre of mass would move."""
    for constraint in atoms.constraints:
        if isinstance(constraint, FixCom):
            for axis in range(3):
                row = np.zeros((len(atoms), 3))
                row[constraint.index, axis] = atoms.get_masses()[constraint.index]
                yield row.ravel()


def _orthonormal(rows: Sequence[Vector], frozen: Mask) -> Matrix:
    """Return an orthonormal basis (k, n) of what rows (n,) span, without their frozen entries."""
    basis: list[Vector] = []
    for row in rows:
        rest = np.where(frozen, 0.0, row)
        rest = rest / (np.linalg.norm(row) or 1.0)
        for _ in range(2):  # twice is enough: the second time takes away rounding errors
            for known in basis:
                rest = rest - (known @ rest) * known
        if rest @ rest > _SMALL:
            basis.append(rest / np.linalg.norm(rest))
    return np.array(basis).reshape(len(basis), frozen.size)


def _classes(springs: Sequence[Hookean], atoms: int) -> Integers:
    """Return classes of atoms: the two ends of a spring are one, an atom with several springs is one of its own."""
    classes = np.zeros(atoms, dtype=np.int64)
    for number, spring in enumerate(springs, start=1):
        ends = np.atleast_1d(spring.get_indices())
        taken = classes[ends] > 0
        classes[ends] = np.where(taken.any(), len(springs) + 1 + ends, number)
    return classes


def described_constraints(atoms: Atoms, constraints: Constraints) -> dict[str, Any]:
    """Describe what frozen coordinates do not say, as values that JSON has; nothing where they say it all.

    Returns
    -------
    dict
        ``constraints``, the constraints by name and arguments, and ``held``, the coordinates along the forbidden
        directions, rounded: two structures in different planes are different systems.
    """
    if not constraints.restraining:
        return {}
    kept = [constraint for constraint in atoms.constraints if not isinstance(constraint, _COORDINATES)]
    held = np.round(constraints.normals @ atoms.positions.ravel(), 6) + 0.0
    return {"constraints": [_plain(constraint.todict()) for constraint in kept], "held": held.tolist()}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, float):
        return round(value, 12)  # a direction that is made a unit vector again is still the same
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def constraints_from(frozen: Mask, described: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Make the constraints again, from frozen coordinates (n,) and what :func:`described_constraints` gave.

    Raises
    ------
    ValueError
        For a constraint that Thalweg does not store.
    """
    mask = frozen.reshape(-1, 3)
    whole = mask.all(axis=1)
    made: list[Any] = [FixAtoms(indices=np.flatnonzero(whole))] if whole.any() else []
    for pattern in np.unique(mask[mask.any(axis=1) & ~whole], axis=0):
        made.append(FixCartesian(np.flatnonzero((mask == pattern).all(axis=1)), mask=pattern))
    for constraint in described:
        if constraint["name"] not in _STORED:
            raise ValueError(f"the store has a constraint {constraint['name']!r}, which is not supported")
        made.append(dict2constraint(dict(constraint)))
    return made
