"""The isomorphism of two bond graphs at the lowest sum of squared distances, compiled."""

from __future__ import annotations

from itertools import permutations

import numba
import numpy as np

from thalweg.potentials.compiled.signatures import integers, jit, matrix, vector
from thalweg.potentials.symmetry.assignment import assign

__all__ = ["assign_branches"]

_ORDERS = [order for k in range(5) for order in permutations(range(k))]
_TABLE = np.array([[*order, *[0] * (4 - len(order))] for order in _ORDERS], dtype=np.int64)
_SWAPS = [sum(p > q for k, p in enumerate(order) for q in order[k + 1 :]) for order in _ORDERS]
_PARITIES = np.array([(-1) ** swaps for swaps in _SWAPS], dtype=np.int64)
# Where the permutations of k things begin, and the end
_FIRST = np.array([0, 1, 2, 4, 10, 34], dtype=np.int64)


@jit(numba.float64(integers, numba.int64, matrix, integers, integers, numba.int64, vector, matrix, integers))
def _lay_atom(program, at, squares, signs_a, signs_b, hand, values, cost, columns):
    """Return the lowest sum over an atom and its branches, and note which branch of b lies on each of a."""
    s, t, k = program[at + 1], program[at + 2], program[at + 3]
    items = at + 6 + 2 * k
    sign = signs_a[s] * signs_b[t] * hand if program[at + 4] != 0 else 0
    if k > 4:
        for i in range(k):
            for j in range(k):
                item = program[items + i * k + j]
                # a wall that is finite: the assignment takes no infinite costs
                cost[i, j] = min(values[item], 1e100) if item >= 0 else 1e100
        chosen = np.empty(k, np.int64)
        if not assign(cost, k, chosen):
            return np.inf
        total = squares[s, t]
        for i in range(k):
            total += cost[i, chosen[i]]
            columns[at + 6 + i] = chosen[i]
        return total if total < 1e99 else np.inf
    best, lowest = -1, np.inf
    for order in range(_FIRST[k], _FIRST[k + 1]):
        if sign != 0 and sign != program[at + 5] * _PARITIES[order]:
            continue
        total = squares[s, t]
        for i in range(k):
            item = program[items + i * k + _TABLE[order, i]]
            total += values[item] if item >= 0 else np.inf
        if total < lowest:
            best, lowest = order, total
    for i in range(k):
        columns[at + 6 + i] = _TABLE[best, i] if best >= 0 else -1
    return lowest


@jit(numba.float64(integers, numba.int64, vector, integers))
def _lay_branch(program, at, values, columns):
    """Return the lowest sum over the ways to lay a ring system, and note which."""
    lowest, ways, size = np.inf, program[at + 1], program[at + 2]
    columns[at] = -1
    for way in range(ways):
        total = 0.0
        for k in range(size):
            total += values[program[at + 3 + way * size + k]]
        if total < lowest:
            lowest, columns[at] = total, way
    return lowest


@jit(numba.void(integers, integers, integers, numba.int64, integers, integers))
def _read(program, offsets, columns, item, stack, permutation):
    """Write the permutation within a branch from what was noted."""
    stack[0], height = item, 1
    while height > 0:
        height -= 1
        at = offsets[stack[height]]
        if program[at] == 1:
            size = program[at + 2]
            for k in range(size):
                stack[height] = program[at + 3 + columns[at] * size + k]
                height += 1
            continue
        k = program[at + 3]
        permutation[program[at + 1]] = program[at + 2]
        for i in range(k):
            stack[height] = program[at + 6 + 2 * k + i * k + columns[at + 6 + i]]
            height += 1


@jit(numba.float64(integers, integers, integers, matrix, integers, integers, numba.int64, integers))
def assign_branches(program, offsets, groups, squares, signs_a, signs_b, hand, permutation):
    """Write the isomorphism with the lowest sum of squared distances and return that; infinite if there is none.

    Parameters
    ----------
    program, offsets, groups : the fields of a :class:`~thalweg.potentials.symmetry.bonds.branches.Plan`.
    squares : (atoms, atoms) squared distance of each atom of a from each of b.
    signs_a, signs_b : (atoms,) handedness of the atoms with four neighbours, 1 or -1; 0 where any will do.
    hand : 1 if b has been turned, -1 if it has been mirrored too.
    permutation : (atoms,) takes the result: atom i of a lies on atom permutation[i] of b.
    """
    n = squares.shape[0]
    values, columns, cost = np.empty(offsets.size), np.empty(program.size, np.int64), np.empty((n, n))
    stack, chosen = np.empty(n + offsets.size + 1, np.int64), np.empty(n, np.int64)
    for item in range(offsets.size):
        at = offsets[item]
        if program[at] == 0:
            values[item] = _lay_atom(program, at, squares, signs_a, signs_b, hand, values, cost, columns)
        else:
            values[item] = _lay_branch(program, at, values, columns)
    total, at = 0.0, 1
    for _ in range(groups[0]):
        size, lone = groups[at], groups[at + 1] == 1
        at += 2
        for i in range(size):
            for j in range(size):
                if lone:
                    cost[i, j] = squares[groups[at + i], groups[at + size + j]]
                else:
                    item = groups[at + i * size + j]
                    cost[i, j] = min(values[item], 1e100) if item >= 0 else 1e100
        if not assign(cost, size, chosen):
            return np.inf
        for i in range(size):
            total += cost[i, chosen[i]]
            if not total < 1e99:
                return np.inf
            if lone:
                permutation[groups[at + i]] = groups[at + size + chosen[i]]
            else:
                _read(program, offsets, columns, groups[at + i * size + chosen[i]], stack, permutation)
        at += 2 * size if lone else size * size
    return total
