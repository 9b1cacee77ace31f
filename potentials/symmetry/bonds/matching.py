"""Permutations that keep the bonds of two structures, as the alignment asks for them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from thalweg.potentials.symmetry.bonds.assignment import assign_branches
from thalweg.potentials.symmetry.bonds.branches import BondGraph, Plan, isomorphism_plan
from thalweg.potentials.symmetry.bonds.graph import bonded_pairs
from thalweg.potentials.symmetry.periodic_images import bring_near

__all__ = ["BondMatching"]

Assign = Callable[[NDArray[np.float64], int], "NDArray[np.int64] | None"]

_REMEMBERED = 200  # graphs, and plans of pairs of them
# Four neighbours nearly in a plane have no handedness: of their distances' product, the volume is no more than this
_FLAT = 0.1


class BondMatching:
    """Bond graphs of structures of the same atoms, and the permutations that lay one on another.

    Parameters
    ----------
    numbers, kinds : ndarray of int, shape (atoms,)
        Atomic numbers; and numbers that are equal for atoms that may be exchanged.
    pbc, cell : ndarray, shapes (3,) and (3, 3)
        Periodic directions, and cell vectors as rows.
    lattice : ndarray, shape (7, 3) or (0, 3)
        The same lattice reduced.
    """

    def __init__(
        self,
        numbers: NDArray[np.int64],
        kinds: NDArray[np.int64],
        pbc: NDArray[np.bool_],
        cell: NDArray[np.float64],
        lattice: NDArray[np.float64],
    ):
        self.numbers, self.kinds, self.pbc, self.cell, self.lattice = numbers, kinds, pbc, cell, lattice
        self._graphs: OrderedDict[bytes, BondGraph] = OrderedDict()
        self._plans: OrderedDict[tuple[bytes, bytes], Plan | None] = OrderedDict()

    def pairs(self, x: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the bonded pairs (bonds, 2) of a structure (atoms, 3)."""
        return bonded_pairs(self.numbers, x, self.pbc, self.cell)

    def _graph(self, pairs: NDArray[np.int64]) -> BondGraph:
        key = pairs.tobytes()
        if key not in self._graphs:
            _remember(self._graphs, key, BondGraph(self.kinds, pairs))
        return self._graphs[key]

    def _plan(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> Plan | None:
        key = first.tobytes(), second.tobytes()
        if key not in self._plans:
            _remember(self._plans, key, isomorphism_plan(self._graph(first), self._graph(second)))
        return self._plans[key]

    def signs(self, x: NDArray[np.float64], pairs: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the handedness (atoms,) of atoms with four neighbours: 1, -1, or 0 for all others.

        It is that of the tetrahedron of the neighbours in the order of their numbers.
        """
        signs = np.zeros(len(x), dtype=np.int64)
        for atom, near in enumerate(self._graph(pairs).neighbours):
            if len(near) != 4:
                continue
            corners = np.ascontiguousarray(x[near])
            bring_near(np.ascontiguousarray(np.repeat(x[atom : atom + 1], 4, axis=0)), corners, self.lattice)
            corners = corners - x[atom]
            corners = corners / np.linalg.norm(corners, axis=1, keepdims=True)
            volume = float(np.linalg.det(corners[1:] - corners[0]))
            signs[atom] = np.sign(volume) if abs(volume) > _FLAT else 0
        return signs

    def assigners(self, a: NDArray[np.float64], b: NDArray[np.float64]) -> list[list[Assign]]:
        """Return assignments that keep bonds, the strictest first: a list of alternatives for each degree.

        Of molecules with the same bonds: those that keep the handedness of every atom with four neighbours, then any.
        Of others: the permutations of the order given that keep the bonds of a, or those of b.
        """
        first, second = self.pairs(a), self.pairs(b)
        signs_a, signs_b = self.signs(a, first), self.signs(b, second)
        plan = self._plan(first, second)
        if plan is not None:
            none = np.zeros_like(signs_a)
            return [[_assigner(plan, signs_a, signs_b, True)], [_assigner(plan, none, none, True)]]
        own = [(self._plan(first, first), signs_a), (self._plan(second, second), signs_b)]
        return [[_assigner(plan, signs, signs, False) for plan, signs in own if plan is not None]]

    def bonded(self, x: NDArray[np.float64]) -> bool:
        """Return whether a structure has any bonds."""
        return len(self.pairs(x)) > 0

    def isomorphic(self, a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
        """Return whether some order of the atoms of b has the bonds of a."""
        return self._plan(self.pairs(a), self.pairs(b)) is not None

    def keeps(self, a: NDArray[np.float64], b: NDArray[np.float64], permutation: NDArray[np.int64], hand: int) -> bool:
        """Return whether b, permuted, has the bonds of a, and its handedness but for a mirror (``hand`` -1)."""
        permuted = b[permutation]
        first, second = self.pairs(a), self.pairs(permuted)
        if not np.array_equal(first, second):
            return False
        signs = self.signs(a, first) * self.signs(permuted, second) * hand
        return bool((signs >= 0).all())


def _assigner(plan: Plan, signs_a: NDArray[np.int64], signs_b: NDArray[np.int64], mirrored: bool) -> Assign:
    def assign(squares: NDArray[np.float64], hand: int) -> NDArray[np.int64] | None:
        permutation = np.empty(len(squares), dtype=np.int64)
        total = assign_branches(*plan, squares, signs_a, signs_b, hand if mirrored else 1, permutation)
        return permutation if total < np.inf else None

    return assign


def _remember(table: OrderedDict, key: object, value: object) -> None:
    table[key] = value
    while len(table) > _REMEMBERED:
        table.popitem(last=False)
