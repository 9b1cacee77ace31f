"""Sensitivity: derivatives of a rate constant by the rate factor of each transition state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thalweg.analysis.kinetics.boundary_chain import checked_sets
from thalweg.analysis.kinetics.extended_range import from_log, full, product, quotient, to_float, total
from thalweg.analysis.kinetics.rates import log_rate_factors
from thalweg.analysis.kinetics.solvers import Elimination

if TYPE_CHECKING:
    from thalweg.analysis.kinetics.rate_constants import Kinetics

__all__ = ["sensitivity"]


def sensitivity(kinetics: Kinetics, source: ArrayLike, target: ArrayLike) -> NDArray[np.float64]:
    """Return d ln k / d ln c of the rate constant k for the rate factor c of each transition state.

    Where it is 0.9, rates over the transition state that are 1 % larger both ways make the rate constant 0.9 % larger,
    and the derivative of ln k by its energy is -0.9 / temperature. The values add up to 1: if all rates double, so
    does the rate constant. A transition state with a negative value opens a way aside, which delays.

    Parameters
    ----------
    kinetics : Kinetics
        Kinetics made by a network.
    source, target : array_like of int
        States, none in both.

    Returns
    -------
    (n_transition_states,) ndarray
        Zero for those that join a minimum to itself or cannot take part.

    Raises
    ------
    ValueError
        If the sets overlap or are not connected, or the kinetics were not made from a network.

    Notes
    -----
    With T the times to the target and H the weights' response, ``dk / d ln c = c (H_i - H_j) (T_i - T_j)`` for a
    transition state between i and j. Graph transformation gives both differences without subtracting numbers that
    agree.
    """
    network = kinetics.network
    if network is None or kinetics.temperature is None:
        raise ValueError("sensitivity needs kinetics made by a network: these have no transition states")
    source, target = checked_sets(kinetics, source, target)
    found, interior = kinetics.prepared("graph transformation", target)
    assert isinstance(found, Elimination)
    k = len(interior)
    number = np.full(network.n_minima, -1)
    number[interior], number[target] = np.arange(k), k
    pairs = number[network.ts_minima]
    real = (pairs >= 0).all(axis=1) & (pairs[:, 0] != pairs[:, 1])
    one = full(k, 1.0)
    times = found.solve(one, full(2, 0.0))[number[source]]
    p = kinetics.source_weights(source)
    reward = full(k, 0.0)
    reward[number[source]] = quotient(quotient(p, product(times, times)), kinetics.extended_weights[source])
    factors = log_rate_factors(
        network, kinetics.temperature, kinetics.rotational, quantum=kinetics.quantum, tunnelling=kinetics.tunnelling
    )
    factor = from_log(factors[real])
    change = product(found.edge_differences(one, pairs[real]), found.edge_differences(reward, pairs[real]))
    rate = total(quotient(p, times))
    result = np.zeros(network.n_transition_states)
    result[real] = to_float(quotient(product(factor, change), rate))
    return result
