"""Bonds about which parts of a molecule turn, and molecules put together along their bonds."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from ase.geometry import find_mic
from numpy.typing import NDArray

from thalweg.potentials.symmetry.bonds.branches import BondGraph
from thalweg.potentials.symmetry.bonds.graph import bonded_pairs, components_of

__all__ = ["Torsion", "joined", "molecules_of", "torsions_of"]

# Lengths in angstrom below which a bond between two elements is a double bond, which does not turn
_DOUBLE = {(6, 6): 1.42, (6, 7): 1.32, (7, 7): 1.32, (6, 16): 1.68, (7, 8): 1.30}


class Torsion(NamedTuple):
    """A bond that is in no ring, and the atoms that turn about it.

    Attributes
    ----------
    axis : tuple of int
        Its two atoms; the second is on the side that turns.
    turning : ndarray of int
        Atoms that turn about it, the second one left out.
    """

    axis: tuple[int, int]
    turning: NDArray[np.int64]


def joined(
    numbers: NDArray[np.int64],
    positions: NDArray[np.float64],
    pbc: NDArray[np.bool_],
    cell: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return positions (atoms, 3) with bonded atoms beside each other, across periodic boundaries, and the bonds."""
    pairs = bonded_pairs(numbers, positions, pbc, cell)
    if not pbc.any() or not len(pairs):
        return np.array(positions), pairs
    whole, seen = np.array(positions), np.zeros(len(numbers), dtype=bool)
    neighbours = BondGraph(numbers, pairs).neighbours
    for first in range(len(numbers)):
        if seen[first]:
            continue
        seen[first], atoms = True, [first]
        for atom in atoms:
            near = [other for other in neighbours[atom] if not seen[other]]
            if near:
                whole[near] = whole[atom] + find_mic(positions[near] - positions[atom], cell, pbc)[0]
                seen[near] = True
                atoms += near
    return whole, pairs


def molecules_of(pairs: NDArray[np.int64], fixed: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """Return the molecules, atoms with bonds that are wholly free, by the numbers of their atoms.

    Parameters
    ----------
    pairs : ndarray of int, shape (bonds, 2)
        Bonded atoms.
    fixed : ndarray of bool, shape (atoms,)
        Atoms with a coordinate that does not move.
    """
    component = components_of(len(fixed), pairs)
    bonded = np.isin(np.arange(len(fixed)), pairs)
    found = [np.flatnonzero(component == number) for number in range(component.max() + 1)]
    return [atoms for atoms in found if bonded[atoms].all() and not fixed[atoms].any()]


def torsions_of(
    numbers: NDArray[np.int64],
    positions: NDArray[np.float64],
    pairs: NDArray[np.int64],
    fixed: NDArray[np.bool_],
) -> list[Torsion]:
    """Return the bonds whose turning makes another conformer, by the side that turns, the smaller where both may.

    Left out are bonds in rings, double bonds, ends such as O-H's hydrogen, and groups such as methyl, whose turning
    only exchanges equal atoms, unless there is nothing else.

    Parameters
    ----------
    numbers, positions
        Atomic numbers (atoms,), and positions (atoms, 3) of molecules in one piece.
    pairs, fixed
        As :func:`molecules_of` takes them.
    """
    graph = BondGraph(numbers, pairs)
    found: list[Torsion] = []
    groups: list[Torsion] = []
    for i, j in pairs.tolist():
        if (i, j) not in graph.bridges or min(len(graph.neighbours[i]), len(graph.neighbours[j])) < 2:
            continue
        length = float(np.linalg.norm(positions[i] - positions[j]))
        if length < _DOUBLE.get((min(numbers[i], numbers[j]), max(numbers[i], numbers[j])), 0.0):
            continue
        sides = [(_side(graph, i, j), (i, j)), (_side(graph, j, i), (j, i))]
        free = [(atoms, axis) for atoms, axis in sides if not fixed[atoms].any()]
        if not free:
            continue
        atoms, axis = min(free, key=lambda side: len(side[0]))
        torsion = Torsion(axis, np.array([atom for atom in atoms if atom != axis[1]], dtype=np.int64))
        same = any(_is_group(graph, numbers, end, other) for end, other in ((i, j), (j, i)))
        (groups if same else found).append(torsion)
    return found or groups


def _side(graph: BondGraph, i: int, j: int) -> list[int]:
    """Return the atoms on j's side of a bond that is in no ring."""
    atoms, seen = [j], {i, j}
    for atom in atoms:
        near = [other for other in graph.neighbours[atom] if other not in seen]
        seen.update(near)
        atoms += near
    return atoms


def _is_group(graph: BondGraph, numbers: NDArray[np.int64], end: int, other: int) -> bool:
    """Return whether an atom has, besides another, three equal atoms without further bonds, as methyl has."""
    rest = [atom for atom in graph.neighbours[end] if atom != other]
    lone = all(len(graph.neighbours[atom]) == 1 for atom in rest)
    return lone and len(rest) == 3 and len({int(numbers[atom]) for atom in rest}) == 1
