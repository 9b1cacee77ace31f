"""From a network of rates and two sets of states to a chain with boundary states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, connected_components

from thalweg.analysis.arguments import minimum_indices
from thalweg.analysis.kinetics.elimination import Chain
from thalweg.analysis.kinetics.rates import summed_entries

if TYPE_CHECKING:
    from thalweg.analysis.kinetics.kinetics import Kinetics

__all__ = ["checked_sets", "closed_classes", "lumped", "reaching", "symmetric_pattern"]


def checked_sets(kinetics: Kinetics, source: Any, target: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return source and target as arrays of distinct states, or raise.

    Raises
    ------
    TypeError, IndexError
        If they are no indices of states.
    ValueError
        If one is empty or they overlap, or no path leads from a state of the source to the target.
    """
    sets = [minimum_indices(name, v, kinetics.n_states) for name, v in (("source", source), ("target", target))]
    for name, members in zip(("source", "target"), sets, strict=True):
        if not len(members):
            raise ValueError(f"{name} is empty; at least one minimum is needed")
    both = np.intersect1d(sets[0], sets[1])
    if len(both):
        raise ValueError(f"source and target overlap: minimum {both[0]} is in both")
    cut = sets[0][~reaching(kinetics, sets[1])[sets[0]]]
    if len(cut):
        raise ValueError(f"source and target are not connected: no path leads from minimum {cut[0]} to the target")
    return sets[0], sets[1]


def _graph(kinetics: Kinetics, extra_rows: np.ndarray, extra_columns: np.ndarray) -> coo_array:
    """Return where rates are positive, with one node more and edges added."""
    real = kinetics.extended_rates[:, 0] > 0
    rows, columns = np.r_[kinetics.row[real], extra_rows], np.r_[kinetics.indices[real], extra_columns]
    return coo_array((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(kinetics.n_states + 1,) * 2)


def reaching(kinetics: Kinetics, states: np.ndarray) -> np.ndarray:
    """Say which states have a path to one of the given, (n,) bool; those themselves included."""
    n = kinetics.n_states
    backwards = _graph(kinetics, states, np.full(len(states), n)).T.tocsr()
    found = np.zeros(n + 1, dtype=bool)
    found[breadth_first_order(backwards, n, return_predecessors=False)] = True
    return found[:n]


def closed_classes(kinetics: Kinetics) -> list[np.ndarray]:
    """Return the sets of states that reach each other and nothing else."""
    none = np.empty(0, dtype=np.int64)
    count, label = connected_components(_graph(kinetics, none, none).tocsr(), directed=True, connection="strong")
    real = kinetics.extended_rates[:, 0] > 0
    start, end = label[kinetics.row[real]], label[kinetics.indices[real]]
    closed = np.ones(count, dtype=bool)
    closed[start[start != end]] = False
    closed[label[-1]] = False  # the extra node
    return [np.flatnonzero(label[:-1] == k) for k in np.flatnonzero(closed)]


def symmetric_pattern(
    rows: np.ndarray, columns: np.ndarray, values: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the CSR form of a matrix of extended numbers, with zeros where only the mirrored entry exists."""
    zeros = np.tile([0.0, 0.0], (len(rows), 1))
    return summed_entries(np.r_[rows, columns], np.r_[columns, rows], np.concatenate([values, zeros]), n)


def lumped(kinetics: Kinetics, interior: np.ndarray, boundary: tuple[np.ndarray, ...]) -> Chain:
    """Return the chain of the interior states, each boundary set a single state, the last one all that is left.

    Parameters
    ----------
    kinetics : Kinetics
    interior : (k,) int64 array
        They come first, in this order.
    boundary : tuple of int64 arrays
        Sets of states; one state more stands for all those not named.
    """
    k, n = len(interior), len(interior) + len(boundary) + 1
    number = np.full(kinetics.n_states, n - 1)
    number[interior] = np.arange(k)
    for b, members in enumerate(boundary):
        number[members] = k + b
    rows, columns = number[kinetics.row], number[kinetics.indices]
    within = rows < k
    rows, columns, values = rows[within], columns[within], kinetics.extended_rates[within]
    inner = columns < k
    indptr, indices, values = _joined(rows, columns, values, inner, n)
    return Chain(indptr, indices, values, k)


def _joined(rows, columns, values, inner, n):
    """Interior entries with a symmetric pattern, and those that lead to the boundary."""
    zeros = np.zeros((int(inner.sum()), 2))
    all_rows, all_columns = np.r_[rows, columns[inner]], np.r_[columns, rows[inner]]
    return summed_entries(all_rows, all_columns, np.concatenate([values, zeros]), n)
