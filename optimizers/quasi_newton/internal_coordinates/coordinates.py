"""Bond lengths, angles and dihedral angles of a molecule, their derivatives, and a model of how stiff they are."""

from __future__ import annotations

import numpy as np
from ase.data import covalent_radii
from numpy.typing import NDArray

__all__ = ["InternalCoordinates"]

# Lindh's force constants of stretches, bends and torsions, 0.45 hartree/bohr**2, 0.15 and 0.005 hartree, in eV and
# angstrom
_STRETCH, _BEND, _TORSION = 43.7, 4.08, 0.136
# Decay of these with the square of a bond's length over the sum of radii
_DECAY = 2.0
# Sine of the angles that count as straight: a dihedral angle over one is not defined
_STRAIGHT = 0.25


class InternalCoordinates:
    """Lengths of all bonds of a molecule, the angles between neighbouring bonds, and the dihedral angles about them.

    Parameters
    ----------
    numbers : (atoms,) ndarray of int
        Atomic numbers.
    positions : (atoms, 3) ndarray
        Positions; angles that are straight here are left out.
    bonds : (bonds, 2) ndarray of int
        Bonded atoms.

    Attributes
    ----------
    bonds, angles, dihedrals : ndarrays of int, shapes (b, 2), (a, 3) and (d, 4)
        Atoms of each coordinate, in a row along the bonds.
    """

    def __init__(self, numbers: NDArray[np.int64], positions: NDArray[np.float64], bonds: NDArray[np.int64]) -> None:
        self.bonds = bonds
        neighbours: list[list[int]] = [[] for _ in numbers]
        for i, j in bonds.tolist():
            neighbours[i].append(j)
            neighbours[j].append(i)
        angles = [(i, j, k) for j, near in enumerate(neighbours) for i in near for k in near if i < k]
        dihedrals = [
            (i, j, k, m)
            for j, k in bonds.tolist()
            for i in neighbours[j] for m in neighbours[k] if len({i, j, k, m}) == 4
        ]  # fmt: skip
        self.angles = np.array([one for one in angles if _bent(positions, *one)], dtype=np.int64).reshape(-1, 3)
        rows = [one for one in dihedrals if _bent(positions, *one[:3]) and _bent(positions, *one[1:])]
        self.dihedrals = np.array(rows, dtype=np.int64).reshape(-1, 4)
        self._radii = covalent_radii[numbers]

    def values(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return lengths in angstrom, then angles and dihedral angles in radians."""
        i, j = self.bonds.T
        lengths = np.linalg.norm(positions[i] - positions[j], axis=1)
        i, j, k = self.angles.T
        a, b = positions[i] - positions[j], positions[k] - positions[j]
        angles = np.arctan2(np.linalg.norm(np.cross(a, b), axis=1), np.einsum("ij,ij->i", a, b))
        i, j, k, m = self.dihedrals.T
        first, axis, last = positions[j] - positions[i], positions[k] - positions[j], positions[m] - positions[k]
        one, other = np.cross(first, axis), np.cross(axis, last)
        across = np.einsum("ij,ij->i", first, other) * np.linalg.norm(axis, axis=1)
        return np.concatenate([lengths, angles, np.arctan2(across, np.einsum("ij,ij->i", one, other))])

    def change(self, new: NDArray[np.float64], old: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return new values less old ones, dihedral angles the short way round."""
        change = new - old
        turns = change[-len(self.dihedrals) :] if len(self.dihedrals) else change[:0]
        turns -= 2.0 * np.pi * np.round(turns / (2.0 * np.pi))
        return change

    def derivatives(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the derivatives of the values (k, 3 atoms) by the positions."""
        count = len(self.bonds) + len(self.angles) + len(self.dihedrals)
        rows = np.zeros((count, *positions.shape))
        place = np.arange(len(self.bonds))
        i, j = self.bonds.T
        way = positions[i] - positions[j]
        unit = way / np.linalg.norm(way, axis=1)[:, None]
        rows[place, i], rows[place, j] = unit, -unit
        place = len(self.bonds) + np.arange(len(self.angles))
        i, j, k = self.angles.T
        first, last = _of_angles(positions[i] - positions[j], positions[k] - positions[j])
        rows[place, i], rows[place, k], rows[place, j] = first, last, -first - last
        place = count - len(self.dihedrals) + np.arange(len(self.dihedrals))
        i, j, k, m = self.dihedrals.T
        parts = _of_dihedrals(positions[j] - positions[i], positions[k] - positions[j], positions[m] - positions[k])
        for atom, part in zip((i, j, k, m), parts, strict=True):
            rows[place, atom] = part
        flat: NDArray[np.float64] = rows.reshape(count, -1)
        return flat

    def stiffness(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the model's force constant of each coordinate, in eV over angstrom**2 or radian**2.

        References
        ----------
        R. Lindh, A. Bernhardsson, G. Karlstrom, P.-A. Malmqvist, Chem. Phys. Lett. 241 (1995) 423.
        """

        def strength(i: NDArray[np.int64], j: NDArray[np.int64]) -> NDArray[np.float64]:
            ratio = np.linalg.norm(positions[i] - positions[j], axis=1) / (self._radii[i] + self._radii[j])
            # a torn bond keeps some stiffness, so that its length remains a coordinate
            strong: NDArray[np.float64] = np.exp(_DECAY * (1.0 - np.clip(ratio, 0.67, 1.5) ** 2))
            return strong

        i, j, k = self.angles.T
        p, q, r, s = self.dihedrals.T
        stretches, bends = _STRETCH * strength(*self.bonds.T), _BEND * strength(i, j) * strength(j, k)
        return np.concatenate([stretches, bends, _TORSION * strength(p, q) * strength(q, r) * strength(r, s)])


def _bent(positions: NDArray[np.float64], i: int, j: int, k: int) -> bool:
    a, b = positions[i] - positions[j], positions[k] - positions[j]
    return bool(np.linalg.norm(np.cross(a, b)) > _STRAIGHT * np.linalg.norm(a) * np.linalg.norm(b))


def _of_angles(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the derivatives of angles by the ends of both bonds (k, 3), which lead from the middle atom."""
    lengths = [np.linalg.norm(bond, axis=1)[:, None] for bond in (a, b)]
    u, v = a / lengths[0], b / lengths[1]
    cosine = np.sum(u * v, axis=1)[:, None]
    sine = np.sqrt(np.maximum(1.0 - cosine**2, 1e-12))
    return (cosine * u - v) / (sine * lengths[0]), (cosine * v - u) / (sine * lengths[1])


def _of_dihedrals(
    first: NDArray[np.float64], axis: NDArray[np.float64], last: NDArray[np.float64]
) -> tuple[NDArray[np.float64], ...]:
    """Return the derivatives of dihedral angles by their four atoms, from the three bonds (k, 3) between these."""
    one, other = np.cross(first, axis), np.cross(axis, last)
    length = np.linalg.norm(axis, axis=1)[:, None]
    begin = -length / np.sum(one**2, axis=1)[:, None] * one
    end = length / np.sum(other**2, axis=1)[:, None] * other
    left, right = (np.sum(bond * axis, axis=1)[:, None] / length**2 for bond in (first, last))
    return begin, -(1.0 + left) * begin + right * end, left * begin - (1.0 + right) * end, end
