"""Markov chains with absorbing boundary states, built from rates and two sets of states."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, connected_components

from thalweg.analysis.arguments import minimum_indices
from thalweg.analysis.kinetics.extended_range import full, is_positive, summed_entries
from thalweg.analysis.kinetics.solvers import Chain

if TYPE_CHECKING:
    from thalweg.analysis.kinetics.markov_chain import MarkovChain

__all__ = ["Ends", "checked_sets", "closed_classes", "lumped", "reaching"]


class Ends(NamedTuple):
    """Two sets of distinct states, none in both.

    Attributes
    ----------
    source, target : (k,) int64 ndarrays
        States, in the order given.
    """

    source: NDArray[np.int64]
    target: NDArray[np.int64]


def checked_sets(kinetics: MarkovChain, source: ArrayLike, target: ArrayLike, *, connected: bool = True) -> Ends:
    """Return source and target as arrays of distinct states, or raise.

    Parameters
    ----------
    kinetics : MarkovChain
        The chain.
    source, target : array_like of int
        States.
    connected : bool
        Whether a path must lead from each state of the source to the target; without, from some state to both.

    Raises
    ------
    TypeError, IndexError
        If they are no indices of states.
    ValueError
        If one is empty or they overlap, or they are not connected.
    """
    ends = Ends(*(minimum_indices(n, v, kinetics.n_states) for n, v in (("source", source), ("target", target))))
    for name, members in zip(Ends._fields, ends, strict=True):
        if not len(members):
            raise ValueError(f"{name} is empty; at least one minimum is needed")
    both = np.intersect1d(ends.source, ends.target)
    if len(both):
        raise ValueError(f"source and target overlap: minimum {both[0]} is in both")
    arriving = reaching(kinetics, ends.target)
    if not connected and (arriving & reaching(kinetics, ends.source)).any():
        return ends
    cut = ends.source[~arriving[ends.source]]
    if len(cut):
        raise ValueError(f"source and target are not connected: no path leads from minimum {cut[0]} to the target")
    return ends


def _graph(kinetics: MarkovChain, extra_rows: NDArray[np.int64], extra_columns: NDArray[np.int64]) -> coo_array:
    """Return where rates are positive, with one node more and edges added."""
    real = is_positive(kinetics.extended_rates)
    rows, columns = np.r_[kinetics.row[real], extra_rows], np.r_[kinetics.indices[real], extra_columns]
    return coo_array((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(kinetics.n_states + 1,) * 2)


def reaching(kinetics: MarkovChain, states: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say which states have a path to one of the given, (n,) bool; those themselves included."""
    n = kinetics.n_states
    backwards = _graph(kinetics, states, np.full(len(states), n)).T.tocsr()
    found = np.zeros(n + 1, dtype=bool)
    found[breadth_first_order(backwards, n, return_predecessors=False)] = True
    return found[:n]


def closed_classes(kinetics: MarkovChain) -> list[NDArray[np.int64]]:
    """Return the sets of states that reach each other and nothing else."""
    none = np.empty(0, dtype=np.int64)
    count, label = connected_components(_graph(kinetics, none, none).tocsr(), directed=True, connection="strong")
    real = is_positive(kinetics.extended_rates)
    start, end = label[kinetics.row[real]], label[kinetics.indices[real]]
    closed = np.ones(count, dtype=bool)
    closed[start[start != end]] = False
    closed[label[-1]] = False  # the extra node
    return [np.flatnonzero(label[:-1] == k) for k in np.flatnonzero(closed)]


def lumped(kinetics: MarkovChain, interior: NDArray[np.int64], boundary: tuple[NDArray[np.int64], ...]) -> Chain:
    """Return the chain of the interior states, each boundary set a single state, the last one all that is left.

    Parameters
    ----------
    kinetics : MarkovChain
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
    # graph transformation wants each entry between interior states mirrored, as a zero if need be
    mirrored = full(int(inner.sum()), 0.0)
    all_rows, all_columns = np.r_[rows, columns[inner]], np.r_[columns, rows[inner]]
    entries = summed_entries(all_rows, all_columns, np.concatenate([values, mirrored]), n)
    return Chain(entries.indptr, entries.indices, entries.values, k)
