"""Plan of the isomorphisms of two bond graphs: ring systems joined to a tree, matched branch by branch.

A graph is cut at its bridges, the bonds that are in no ring. The pieces, single atoms and ring systems, form trees. An
isomorphism lays the middle of one tree on the middle of another, ring system on ring system and branch on branch, so
that the best of all isomorphisms is found by an assignment of branches at each atom, however many there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["BondGraph", "Plan", "isomorphism_plan"]

# Isomorphisms of one ring system that are tried; C60 has 120
_MOST_MAPS = 10_000


class Plan(NamedTuple):
    """Isomorphisms of two bond graphs as :func:`assign_branches` reads them.

    Attributes
    ----------
    program : ndarray of int
        One item after the other, each after those that it refers to.

        Atom: 0, atom of a, atom of b, number k of branches, 1 if four neighbours give it a handedness, parity of the
        neighbours' order without permutation, first atoms of the branches of a (k), of b (k), items of the pairs of
        branches (k * k), -1 where they differ.

        Branch: 1, number of ways to lay its ring system, number of atoms of that, items of these atoms way by way.
    offsets : ndarray of int
        Where each item begins.
    groups : ndarray of int
        Number of groups of like components; of each: size, 1 for lone atoms, their numbers in a and in b; or 0 and the
        items of all pairs, -1 where they differ.
    """

    program: NDArray[np.int64]
    offsets: NDArray[np.int64]
    groups: NDArray[np.int64]


class BondGraph:
    """Bond graph of coloured atoms, with its ring systems and the trees that these form.

    Parameters
    ----------
    colours : ndarray of int, shape (atoms,)
        Atoms of different colours are never laid on each other.
    pairs : ndarray of int, shape (bonds, 2)
        Bonded atoms.
    """

    def __init__(self, colours: NDArray[np.int64], pairs: NDArray[np.int64]):
        self.colours = colours.tolist()
        self.neighbours: list[list[int]] = [[] for _ in self.colours]
        for i, j in pairs.tolist():
            self.neighbours[i].append(j)
            self.neighbours[j].append(i)
        for row in self.neighbours:
            row.sort()
        self._cut()
        self.trees = self._trees()

    def _cut(self) -> None:
        """Find bridges by depth-first search (R. E. Tarjan, Inf. Process. Lett. 2 (1974) 160), and the pieces."""
        n = len(self.colours)
        entered, low, count = [-1] * n, [0] * n, 0
        self.bridges: set[tuple[int, int]] = set()
        for first in range(n):
            if entered[first] >= 0:
                continue
            entered[first] = low[first] = count
            count += 1
            stack = [(first, -1, iter(self.neighbours[first]))]
            while stack:
                atom, before, rest = stack[-1]
                for other in rest:
                    if other == before:
                        continue
                    if entered[other] < 0:
                        entered[other] = low[other] = count
                        count += 1
                        stack.append((other, atom, iter(self.neighbours[other])))
                        break
                    low[atom] = min(low[atom], entered[other])
                else:
                    stack.pop()
                    if stack:
                        low[before] = min(low[before], low[atom])
                        if low[atom] > entered[before]:
                            self.bridges |= {(atom, before), (before, atom)}
        self.inside = [[j for j in row if (i, j) not in self.bridges] for i, row in enumerate(self.neighbours)]
        self.piece_of, self.pieces = [-1] * n, list[list[int]]()
        for first in range(n):
            if self.piece_of[first] < 0:
                self.piece_of[first], atoms = len(self.pieces), [first]
                for atom in atoms:
                    for other in self.inside[atom]:
                        if self.piece_of[other] < 0:
                            self.piece_of[other] = len(self.pieces)
                            atoms.append(other)
                self.pieces.append(atoms)

    def _trees(self) -> list[tuple[list[int], list[int]]]:
        """Return the atoms of each component, and the pieces in the middle of its tree, one or two."""
        joined: list[set[int]] = [set() for _ in self.pieces]
        for i, j in self.bridges:
            joined[self.piece_of[i]].add(self.piece_of[j])
        trees, seen = [], [False] * len(self.pieces)
        for first in range(len(self.pieces)):
            if seen[first]:
                continue
            seen[first], members = True, [first]
            for piece in members:
                for other in joined[piece]:
                    if not seen[other]:
                        seen[other] = True
                        members.append(other)
            left, links = set(members), {piece: set(joined[piece]) for piece in members}
            while len(left) > 2:
                for leaf in [piece for piece in left if len(links[piece]) < 2]:
                    left.discard(leaf)
                    for other in links[leaf]:
                        links[other].discard(leaf)
            trees.append((sorted(atom for piece in members for atom in self.pieces[piece]), sorted(left)))
        return trees


def _refined(a: BondGraph, b: BondGraph) -> tuple[list[int], list[int]]:
    """Return colours of both graphs that tell atoms with different surroundings apart (colour refinement)."""
    here, there = a.colours, b.colours
    while True:
        names: dict[tuple[int, tuple[int, ...]], int] = {}

        def name(graph: BondGraph, colours: list[int], names: dict = names) -> list[int]:
            rows = [(colours[i], tuple(sorted(colours[j] for j in row))) for i, row in enumerate(graph.neighbours)]
            return [names.setdefault(row, len(names)) for row in rows]

        finer = name(a, here), name(b, there)
        if len(set(finer[0])) == len(set(here)) and len(set(finer[1])) == len(set(there)):
            return finer
        here, there = finer


def _parity(order: list[int]) -> int:
    """Return 1 for an even permutation of 0, 1, ..., -1 for an odd one."""
    swaps = sum(order[i] > order[j] for i in range(len(order)) for j in range(i + 1, len(order)))
    return -1 if swaps % 2 else 1


class _Planner:
    """Writer of a plan."""

    def __init__(self, a: BondGraph, b: BondGraph):
        self.a, self.b = a, b
        self.colour_a, self.colour_b = _refined(a, b)
        self.program: list[int] = []
        self.offsets: list[int] = []
        self._branches: dict[tuple[int, int, int, int], int] = {}
        self._atoms: dict[tuple[int, int, int, int, tuple[int, ...]], int] = {}

    def _item(self, *numbers: int) -> int:
        self.offsets.append(len(self.program))
        self.program += numbers
        return len(self.offsets) - 1

    def _maps(self, first: int, last: int) -> Iterator[dict[int, int]]:
        """Yield the isomorphisms of the ring systems of two atoms that lay one of these on the other."""
        order = [first]
        for atom in order:
            order += [other for other in self.a.inside[atom] if other not in order]
        if len(order) != len(self.b.pieces[self.b.piece_of[last]]):
            return
        laid: dict[int, int] = {}

        def fits(atom: int, other: int) -> bool:
            if self.colour_a[atom] != self.colour_b[other] or other in laid.values():
                return False
            if len(self.a.inside[atom]) != len(self.b.inside[other]):
                return False
            return all(laid[near] in self.b.inside[other] for near in self.a.inside[atom] if near in laid)

        def grow(rank: int) -> Iterator[dict[int, int]]:
            if rank == len(order):
                yield dict(laid)
                return
            atom = order[rank]
            before = next((near for near in self.a.inside[atom] if near in laid), None)
            for other in [last] if before is None else self.b.inside[laid[before]]:
                if fits(atom, other):
                    laid[atom] = other
                    yield from grow(rank + 1)
                    del laid[atom]

        for count, found in enumerate(grow(0)):
            if count == _MOST_MAPS:
                return
            yield found

    def _atom(self, s: int, before_s: int, t: int, before_t: int, laid: dict[int, int]) -> int:
        """Return the item of an atom laid on another, reached from other atoms (-1 for none); -1 if they differ."""
        fixed = [(near, laid[near]) for near in self.a.inside[s]] + ([(before_s, before_t)] if before_s >= 0 else [])
        key = (s, before_s, t, before_t, tuple(there for _, there in fixed))
        if key not in self._atoms:
            self._atoms[key] = self._new_atom(s, before_s, t, before_t, fixed)
        return self._atoms[key]

    def _new_atom(self, s: int, before_s: int, t: int, before_t: int, fixed: list[tuple[int, int]]) -> int:
        ours = [near for near in self.a.neighbours[s] if (s, near) in self.a.bridges and near != before_s]
        theirs = [near for near in self.b.neighbours[t] if (t, near) in self.b.bridges and near != before_t]
        if len(ours) != len(theirs):
            return -1
        items = [self._branch(near, s, far, t) for near in ours for far in theirs]
        k = len(ours)
        if any(max(items[row * k : row * k + k]) < 0 for row in range(k)):
            return -1
        near, far = self.a.neighbours[s], self.b.neighbours[t]
        handed, parity = len(near) == 4, 1
        if handed:
            there = dict(fixed + list(zip(ours, theirs, strict=True)))
            parity = _parity([far.index(there[atom]) for atom in near])
        return self._item(0, s, t, k, int(handed), parity, *ours, *theirs, *items)

    def _branch(self, w: int, before_w: int, v: int, before_v: int) -> int:
        """Return the item of two branches that begin with some atoms; -1 if they differ."""
        if self.colour_a[w] != self.colour_b[v]:
            return -1
        key = (w, before_w, v, before_v)
        if key not in self._branches:
            self._branches[key] = self._ways([(w, before_w, v, before_v)])
        return self._branches[key]

    def _ways(self, starts: list[tuple[int, int, int, int]]) -> int:
        """Return the item of all ways to lay a ring system on others; -1 if there are none."""
        ways = []
        for w, before_w, v, before_v in starts:
            for laid in self._maps(w, v):
                way = [
                    self._atom(s, before_w if s == w else -1, t, before_v if s == w else -1, laid)
                    for s, t in laid.items()
                ]
                if min(way) >= 0:
                    ways.append(way)
        if not ways:
            return -1
        return self._item(1, len(ways), len(ways[0]), *(item for way in ways for item in way))

    def _component(self, one: tuple[list[int], list[int]], other: tuple[list[int], list[int]]) -> int:
        middle = self.a.pieces[one[1][0]][0]
        ends = [atom for piece in other[1] for atom in self.b.pieces[piece]]
        return self._ways([(middle, -1, end, -1) for end in ends if self.colour_a[middle] == self.colour_b[end]])

    def plan(self) -> Plan | None:
        """Return the plan; None if the graphs are not isomorphic."""
        sides = []
        for graph, colours in ((self.a, self.colour_a), (self.b, self.colour_b)):
            alike: dict[tuple[int, ...], list[tuple[list[int], list[int]]]] = {}
            for tree in graph.trees:
                alike.setdefault(tuple(sorted(colours[atom] for atom in tree[0])), []).append(tree)
            sides.append(alike)
        if {key: len(trees) for key, trees in sides[0].items()} != {key: len(trees) for key, trees in sides[1].items()}:
            return None
        groups = [len(sides[0])]
        for key, ours in sides[0].items():
            theirs = sides[1][key]
            if len(key) == 1:
                groups += [len(ours), 1, *(tree[0][0] for tree in ours), *(tree[0][0] for tree in theirs)]
                continue
            items = [self._component(one, other) for one in ours for other in theirs]
            if any(max(items[row * len(ours) : (row + 1) * len(ours)]) < 0 for row in range(len(ours))):
                return None
            groups += [len(ours), 0, *items]
        return Plan(*(np.array(part, dtype=np.int64) for part in (self.program, self.offsets, groups)))


def isomorphism_plan(a: BondGraph, b: BondGraph) -> Plan | None:
    """Return the plan of all isomorphisms of two graphs; None if there are none.

    Of a ring system with more than 10,000 of them, such as a dense ball of atoms, the first 10,000 are in the plan.
    """
    return _Planner(a, b).plan() if len(a.colours) == len(b.colours) else None
