"""Assignment of atoms between two structures (linear assignment problem), compiled.

A permutation p means that atom i of a is laid on atom p[i] of b. Atoms of one kind may be exchanged: ``members`` lists
the atoms kind by kind, ``starts`` where each kind begins, and the end.
"""

from __future__ import annotations

import numba
import numpy as np

from thalweg.potentials.compiled.signatures import integers, jit, matrix

__all__ = ["assign", "assign_kinds", "assign_squares"]


@jit(numba.boolean(matrix, numba.int64, integers))
def assign(cost, n, column_of):
    """Assign rows to columns of the leading (n, n) block of ``cost`` at the lowest sum.

    Shortest augmenting paths (R. Jonker and A. Volgenant, Computing 38 (1987) 325) from the rows' minima; False
    if the costs are not finite.
    """
    u, v, length = np.empty(n), np.zeros(n), np.empty(n)
    row_of, before, done = np.full(n, -1, np.int64), np.empty(n, np.int64), np.empty(n, np.bool_)
    for i in range(n):
        best = 0
        for j in range(1, n):
            if cost[i, j] < cost[i, best]:
                best = j
        u[i], column_of[i] = cost[i, best], -1
        if row_of[best] < 0:
            row_of[best], column_of[i] = i, best
    for free in range(n):
        if column_of[free] >= 0:
            continue
        for j in range(n):
            length[j], before[j], done[j] = cost[free, j] - u[free] - v[j], free, False
        end, reached = -1, 0.0
        while end < 0:
            nearest = -1
            for j in range(n):
                if not done[j] and (nearest < 0 or length[j] < length[nearest]):
                    nearest = j
            if nearest < 0 or not length[nearest] < np.inf:
                return False
            reached = length[nearest]
            if row_of[nearest] < 0:
                end = nearest
                break
            done[nearest] = True
            row = row_of[nearest]
            for j in range(n):
                longer = reached + cost[row, j] - u[row] - v[j]
                if not done[j] and longer < length[j]:
                    length[j], before[j] = longer, row
        for j in range(n):
            if done[j]:
                v[j] += length[j] - reached
                u[row_of[j]] += reached - length[j]
        u[free] += reached
        while end >= 0:
            row = before[end]
            row_of[end] = row
            end, column_of[row] = column_of[row], end
            if row == free:
                break
    return True


@jit(numba.boolean(matrix, matrix, integers, integers, matrix, integers, integers))
def assign_kinds(a, b, members, starts, cost, column_of, permutation):
    """Write the permutation that lays b nearest to a as they lie; False if positions are not finite."""
    for kind in range(starts.size - 1):
        first, n = starts[kind], starts[kind + 1] - starts[kind]
        for i in range(n):
            p = members[first + i]
            for j in range(n):
                q = members[first + j]
                cost[i, j] = (a[p, 0] - b[q, 0]) ** 2 + (a[p, 1] - b[q, 1]) ** 2 + (a[p, 2] - b[q, 2]) ** 2
        if not assign(cost, n, column_of):
            return False
        for i in range(n):
            permutation[members[first + i]] = members[first + column_of[i]]
    return True


@jit(numba.boolean(matrix, integers, integers, integers))
def assign_squares(squares, members, starts, permutation):
    """Write the permutation with the lowest sum of squared distances; False if they are not finite."""
    n = squares.shape[0]
    cost, column_of = np.empty((n, n)), np.empty(n, np.int64)
    for kind in range(starts.size - 1):
        first, size = starts[kind], starts[kind + 1] - starts[kind]
        for i in range(size):
            for j in range(size):
                cost[i, j] = squares[members[first + i], members[first + j]]
        if not assign(cost, size, column_of):
            return False
        for i in range(size):
            permutation[members[first + i]] = members[first + column_of[i]]
    return True
