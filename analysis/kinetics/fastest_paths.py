"""Fastest paths: those with the largest products of branching probabilities."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import yen

from thalweg.analysis.arguments import frozen_array
from thalweg.analysis.kinetics.boundary_chain import Ends, checked_sets
from thalweg.analysis.kinetics.extended_range import coalesced, is_positive, product, quotient, to_log
from thalweg.analysis.networks.lowest_barrier_paths import Path

if TYPE_CHECKING:
    from thalweg.analysis.kinetics.rate_constants import Kinetics

__all__ = ["fastest_paths"]


def fastest_paths(kinetics: Kinetics, source: ArrayLike, target: ArrayLike, count: int = 1) -> list[Path]:
    """Return the paths that contribute most to the steady-state rate constant, the best first.

    A path's contribution is the equilibrium flux out of its first state times the branching probabilities along it
    (D. J. Wales, Mol. Phys. 100 (2002) 3285; Dijkstra's algorithm, and Yen's for the next-best). It does not
    return to the source nor pass through the target. By detailed balance the best path is the same both ways.

    Parameters
    ----------
    kinetics : Kinetics
    source, target : array_like of int
        States, none in both.
    count : int
        How many paths; fewer come back if there are no more without loops.

    Returns
    -------
    list of Path
        From source to target, each with the lowest of parallel transition states, and the highest energy on it. For
        a chain without a network, ``transition_states`` holds -1 and ``energy`` is NaN.

    Raises
    ------
    ValueError
        If the sets overlap or are not connected, or count is not positive.
    """
    ends = checked_sets(kinetics, source, target)
    if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < 1:
        raise ValueError(f"count is {count!r}; a positive integer is needed")
    n = kinetics.n_states
    costs = _costs(kinetics, ends)
    length, before = yen(costs, n, n + 1, int(count), return_predecessors=True)
    found = [_nodes(row, n) for row, cost in zip(before, length, strict=True) if np.isfinite(cost)]
    return [_path(kinetics, states) for states in found]


def _costs(kinetics: Kinetics, ends: Ends) -> csr_array:
    """Return minus the logarithms of probabilities, with a node before the source and one after the target."""
    source, target = ends
    n, row, column = kinetics.n_states, kinetics.row, kinetics.indices
    escape = coalesced(kinetics.extended_rates, row, n)
    in_source, in_target = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    in_source[source], in_target[target] = True, True
    useful = (is_positive(kinetics.extended_rates)) & ~in_source[column] & ~in_target[row]
    row, column = row[useful], column[useful]
    steps = -to_log(quotient(kinetics.extended_rates[useful], escape[row]))
    start = -to_log(product(kinetics.extended_weights[source], escape[source]))
    values = np.concatenate([steps, start - start.min(), np.zeros(len(target))])
    rows = np.concatenate([row, np.full(len(source), n), target])
    columns = np.concatenate([column, source, np.full(len(target), n + 1)])
    rows, columns = rows.astype(np.int32), columns.astype(np.int32)  # all that scipy's yen takes
    # Zero costs stay entries of the graph; rounding must not make one negative.
    return csr_array((np.maximum(values, 0.0), (rows, columns)), shape=(n + 2, n + 2))


def _nodes(before: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Return the states between the two extra nodes."""
    states = [before[n + 1]]
    while before[states[-1]] != n:
        states.append(before[states[-1]])
    return np.array(states[::-1], dtype=np.int64)


def _path(kinetics: Kinetics, states: NDArray[np.int64]) -> Path:
    network = kinetics.network
    if network is None:
        nothing = np.full(len(states) - 1, -1)
        return Path(frozen_array(states, np.int64), frozen_array(nothing, np.int64), float("nan"))
    steps = pairwise(states)
    chosen = [network.transition_states_between(a, b)[0] for a, b in steps]
    highest = max(network.energies[states].max(), network.ts_energies[chosen].max())
    return Path(frozen_array(states, np.int64), frozen_array(chosen, np.int64), float(highest))
