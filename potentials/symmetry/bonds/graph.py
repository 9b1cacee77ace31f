"""Bond graph of a structure, by covalent radii."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.data import covalent_radii
from ase.neighborlist import neighbor_list
from numpy.typing import NDArray

__all__ = ["bonded_pairs", "components_of", "is_molecular"]

# Longest bond, in sums of covalent radii
_LONGEST = 1.2

# Most bonds of an atom in a molecule; elements that are not named, metals and noble gases, have none: their structures
# are close packed or ionic, and what is next to what tells nothing about which atoms may change places
_VALENCES = {
    1: 2, 5: 4, 6: 4, 7: 4, 8: 3, 9: 2, 14: 6, 15: 6, 16: 6, 17: 4, 32: 6, 33: 6, 34: 6, 35: 4, 51: 6, 52: 6, 53: 7,
    85: 7,
}  # fmt: skip
_NOBLE_GASES = (2, 10, 18, 36, 54, 86)
# Metal atoms that an atom on a surface touches: four around a hollow, and one below
_MOST_ON_A_SURFACE = 5
_MOST_BONDS = np.zeros(len(covalent_radii), dtype=np.int64)
_MOST_BONDS[list(_VALENCES)] = list(_VALENCES.values())


def bonded_pairs(
    numbers: NDArray[np.int64],
    positions: NDArray[np.float64],
    pbc: NDArray[np.bool_] | None = None,
    cell: NDArray[np.float64] | None = None,
) -> NDArray[np.int64]:
    """Return the pairs i < j of bonded atoms, sorted, shape (bonds, 2).

    Two nonmetal atoms are bonded where they are nearer to each other than 1.2 times the sum of their covalent radii
    (B. Cordero et al., Dalton Trans. (2008) 2832, as ASE has them), periodic images included.

    Parameters
    ----------
    numbers : ndarray of int, shape (atoms,)
        Atomic numbers.
    positions : ndarray, shape (atoms, 3)
        Positions, in angstrom.
    pbc, cell : optional
        Periodic directions (3,), and cell vectors (3, 3).
    """
    if pbc is not None and np.any(pbc):
        i, j, _ = _periodic_bonds(numbers, positions, pbc, cell)
        pairs = np.column_stack([i, j])[i < j]
        return np.unique(pairs, axis=0).astype(np.int64).reshape(-1, 2)
    binds = _MOST_BONDS[numbers] > 0
    reach = np.where(binds, _LONGEST * covalent_radii[numbers], -np.inf)
    i, j = np.triu_indices(len(numbers), 1)
    apart = positions[i] - positions[j]
    near = np.einsum("ij,ij->i", apart, apart) < np.maximum(reach[i] + reach[j], 0.0) ** 2
    return np.column_stack([i[near], j[near]]).astype(np.int64)


def _periodic_bonds(
    numbers: NDArray[np.int64],
    positions: NDArray[np.float64],
    pbc: NDArray[np.bool_],
    cell: NDArray[np.float64] | None,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return both atoms of each bond, in both directions, and the cell that the second lies in."""
    return _contacts(numbers, positions, pbc, cell, np.flatnonzero(_MOST_BONDS[numbers] > 0))


def _contacts(
    numbers: NDArray[np.int64],
    positions: NDArray[np.float64],
    pbc: NDArray[np.bool_],
    cell: NDArray[np.float64] | None,
    some: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return near pairs of some atoms, in both directions, and the cell that the second lies in."""
    atoms = Atoms(numbers[some], positions[some], cell=cell, pbc=pbc)
    i, j, shifts = neighbor_list("ijS", atoms, (_LONGEST * covalent_radii[numbers[some]]).tolist())
    return some[i], some[j], shifts


def components_of(atoms: int, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number of the connected component of each atom, shape (atoms,), in the order of first atoms."""
    component = np.full(atoms, -1, dtype=np.int64)
    neighbours: list[list[int]] = [[] for _ in range(atoms)]
    for i, j in pairs.tolist():
        neighbours[i].append(j)
        neighbours[j].append(i)
    count = 0
    for first in range(atoms):
        if component[first] >= 0:
            continue
        component[first], stack = count, [first]
        while stack:
            for j in neighbours[stack.pop()]:
                if component[j] < 0:
                    component[j] = count
                    stack.append(j)
        count += 1
    return component


def is_molecular(
    numbers: NDArray[np.int64],
    positions: NDArray[np.float64],
    pbc: NDArray[np.bool_],
    cell: NDArray[np.float64],
) -> bool:
    """Return whether a structure consists of molecules, beside atoms without bonds such as those of a metal slab.

    So it is where there are bonds, no atom has more of them than its element forms, and none of the molecules goes on
    without end in two directions, as a crystal's network does. In alloys and ionic crystals, bonded atoms such as
    phosphorus in nickel lie among metal atoms, more than an adsorbate touches, or metal and molecules together go on
    without end in all three directions.
    """
    pairs = bonded_pairs(numbers, positions, pbc, cell)
    degrees = np.bincount(pairs.ravel(), minlength=len(numbers))
    if not len(pairs) or (degrees > _MOST_BONDS[numbers]).any():
        return False
    bonded = np.flatnonzero(degrees)
    if pbc.any() and _endless_directions(_periodic_bonds(numbers, positions, pbc, cell), bonded) > 1:
        return False
    metals = (_MOST_BONDS[numbers] == 0) & ~np.isin(numbers, _NOBLE_GASES)
    if not metals.any():
        return True
    contacts = _contacts(numbers, positions, pbc, cell, np.arange(len(numbers)))
    touched = np.bincount(contacts[0][metals[contacts[1]]], minlength=len(numbers))
    inside = (touched[bonded] > _MOST_ON_A_SURFACE).any()
    return not inside and (not pbc.all() or _endless_directions(contacts, bonded) < 3)


def _endless_directions(
    contacts: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]], starts: NDArray[np.int64]
) -> int:
    """Return in how many directions what hangs together with some atoms has no end, at most."""
    i, j, shifts = contacts
    place: dict[int, NDArray[np.int64]] = {}
    most = 0
    for first in starts.tolist():
        if first in place:
            continue
        place[first], stack, loops = np.zeros(3, dtype=np.int64), [first], []
        while stack:
            atom = stack.pop()
            for bond in np.flatnonzero(i == atom).tolist():
                end, there = int(j[bond]), place[atom] + shifts[bond]
                if end not in place:
                    place[end] = there
                    stack.append(end)
                elif (there != place[end]).any():
                    loops.append(there - place[end])
        most = max(most, int(np.linalg.matrix_rank(loops)) if loops else 0)
    return most
