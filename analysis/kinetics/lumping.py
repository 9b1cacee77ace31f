"""Lumping of states that exchange fast, to groups whose members are in equilibrium."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thalweg.analysis.arguments import frozen_array, minimum_indices
from thalweg.analysis.kinetics.extended_range import coalesced, product, quotient, summed_entries, to_log
from thalweg.analysis.kinetics.relaxation_times import balanced
from thalweg.analysis.networks.union_find import joined_groups
from thalweg.analysis.vibrations.partition_functions import PLANCK
from thalweg.potentials.conversion.numeric_options import checked_number
from thalweg.potentials.lazy import public

if TYPE_CHECKING:
    from thalweg.analysis.kinetics.rate_constants import Kinetics

__all__ = ["Regrouping", "regroup"]


@public("thalweg.analysis")
@dataclass(frozen=True, eq=False)
class Regrouping:
    """States lumped into groups.

    Attributes
    ----------
    kinetics : Kinetics
        Of the groups: weights are sums over members, rates those of members in equilibrium within their group.
    labels : (n,) int64 ndarray
        The group of each state; groups are numbered by their first members.

    Examples
    --------
    >>> from thalweg.analysis import KineticTransitionNetwork
    >>> network = KineticTransitionNetwork(
    ...     [0.0, 0.1, 0.0], [0.2, 5.0], [[0, 1], [1, 2]],
    ...     log_eigenvalue_product=[0, 0, 0], ts_log_eigenvalue_product=[0, 0],
    ... )
    >>> lumped = network.kinetics(temperature=0.2).regroup(barrier=1.0)
    >>> lumped.labels.tolist(), lumped.members(0).tolist(), lumped.kinetics.n_states
    ([0, 0, 1], [0, 1], 2)
    """

    kinetics: Kinetics
    labels: NDArray[np.int64]

    def members(self, group: int) -> NDArray[np.int64]:
        """Return the states of a group, rising."""
        return np.flatnonzero(self.labels == group)

    def groups(self, states: ArrayLike) -> NDArray[np.int64]:
        """Return the groups that hold the given states, rising."""
        return np.unique(self.labels[minimum_indices("states", states, len(self.labels))])


def regroup(kinetics: Kinetics, barrier: float, keep: Sequence[ArrayLike] | Mapping[str, ArrayLike] = ()) -> Regrouping:
    """Lump states until every free-energy barrier between groups is at least as high, one way or the other, as asked.

    Two groups J and L are joined while the barriers both ways are below ``barrier``, where the barrier from J to L is
    ``-T ln(2 pi k_JL / T)`` (hbar = 1 in the landscape's units), with k_JL the sum of rates between members in
    equilibrium within J; fastest pairs first, and again with the groups' own rates until nothing changes.

    Parameters
    ----------
    kinetics : Kinetics
        A chain with detailed balance and a temperature.
    barrier : float
        Free energy, in the landscape's unit.
    keep : sequence or mapping of array_like of int
        Disjoint sets of states (such as ``network.groups``) no two of which may come into one group.

    Returns
    -------
    Regrouping

    Raises
    ------
    ValueError
        If there is no temperature or detailed balance, barrier is not finite, or the sets overlap.

    Notes
    -----
    J. M. Carr, D. J. Wales, J. Phys. Chem. B 112 (2008) 8760.
    """
    if kinetics.temperature is None:
        raise ValueError("regroup needs kinetics with a temperature, such as a network makes")
    if not np.isfinite(checked_number("barrier", barrier)):
        raise ValueError(f"barrier is {barrier}; a finite free energy is needed")
    if not balanced(kinetics):
        raise ValueError("regroup needs rates that obey detailed balance with the weights")
    tags = _tags(keep, kinetics.n_states)
    planck = PLANCK if kinetics.time_unit == "s" else 2 * np.pi
    slowest = np.log(kinetics.temperature / planck) - barrier / kinetics.temperature
    labels, lumped = np.arange(kinetics.n_states), kinetics
    while True:
        step = _joined(lumped, slowest, tags)
        if step.max() + 1 == lumped.n_states:
            return Regrouping(lumped, frozen_array(labels, np.int64))
        labels, lumped = step[labels], _lumped(lumped, step)
        merged = np.full(step.max() + 1, -1)
        np.maximum.at(merged, step, tags)
        tags = merged


def _tags(keep: Sequence[ArrayLike] | Mapping[str, ArrayLike], n: int) -> NDArray[np.int64]:
    """Return the number of the kept set of each state, -1 for none."""
    named = keep.items() if isinstance(keep, Mapping) else enumerate(keep)
    tags = np.full(n, -1)
    for k, (name, members) in enumerate(named):
        states = minimum_indices(f"keep[{name!r}]", members, n)
        if (tags[states] >= 0).any():
            raise ValueError(f"keep[{name!r}] overlaps another set: minimum {states[tags[states] >= 0][0]} is in both")
        tags[states] = k
    return tags


def _joined(kinetics: Kinetics, slowest: float, tags: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the new group of each state, numbered by first members."""
    log_rate = to_log(kinetics.extended_rates)
    n = kinetics.n_states
    back = np.argsort(kinetics.indices * n + kinetics.row)  # the entries of the other direction
    least = np.minimum(log_rate, log_rate[back])
    fast = np.flatnonzero((least > slowest) & (kinetics.row < kinetics.indices))
    fast = fast[np.argsort(-least[fast], kind="stable")]
    return joined_groups(np.stack([kinetics.row[fast], kinetics.indices[fast]], axis=1), tags)


def _lumped(kinetics: Kinetics, label: NDArray[np.int64]) -> Kinetics:
    """Return the kinetics of groups of states."""
    n = int(label.max()) + 1
    weights = coalesced(kinetics.extended_weights, label, n)
    flow = product(kinetics.extended_weights[kinetics.row], kinetics.extended_rates)
    rows, columns = label[kinetics.row], label[kinetics.indices]
    between = rows != columns
    flows = summed_entries(rows[between], columns[between], flow[between], n)
    rates = quotient(flows.values, weights[flows.rows])
    return type(kinetics)(
        flows.indptr, flows.indices, rates, weights, temperature=kinetics.temperature, time_unit=kinetics.time_unit
    )
