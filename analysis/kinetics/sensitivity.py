"""Which transition states a rate depends on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg.analysis.kinetics.boundary_chain import checked_sets
from thalweg.analysis.kinetics.elimination import Elimination
from thalweg.analysis.kinetics.extended_range import from_log, product, quotient, to_float, total
from thalweg.analysis.kinetics.rates import log_partition_functions

if TYPE_CHECKING:
    from thalweg.analysis.kinetics.kinetics import Kinetics

__all__ = ["sensitivity"]


def sensitivity(kinetics: Kinetics, source: Any, target: Any) -> np.ndarray:
    """Return d ln k / d ln c of the rate constant for each transition state's rate factor c.

    A transition state with 0.9 is what 90 % of the rate hangs on: its rates both ways 1 % larger make the rate
    constant 0.9 % larger, and the derivative of ln k by its energy is -0.9 / temperature. They add up to 1: all
    rates twice as large make the rate constant twice as large. A negative one opens a way aside that delays.

    Parameters
    ----------
    kinetics : Kinetics
        Of a network.
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
    transition state between i and j. Both differences are had by graph transformation, not by subtraction of numbers
    that agree.
    """
    network = kinetics.network
    if network is None or kinetics.temperature is None:
        raise ValueError("sensitivity needs kinetics made by a network: these have no transition states")
    source, target = checked_sets(kinetics, source, target)
    found, interior = kinetics._prepared(target, None, "graph transformation")
    assert isinstance(found, Elimination)
    k = len(interior)
    number = np.full(network.n_minima, -1)
    number[interior], number[target] = np.arange(k), k
    pairs = number[network.ts_minima]
    real = (pairs >= 0).all(axis=1) & (pairs[:, 0] != pairs[:, 1])
    one = np.tile([1.0, 0.0], (k, 1))
    times = found.solve(one, np.zeros((2, 2)))[number[source]]
    p = kinetics._source_weights(source)
    reward = np.zeros((k, 2))
    reward[number[source]] = quotient(quotient(p, product(times, times)), kinetics.extended_weights[source])
    factor = from_log(log_partition_functions(network, kinetics.temperature, kinetics.rotational)[1][real])
    change = product(found.edge_differences(one, pairs[real]), found.edge_differences(reward, pairs[real]))
    rate = total(quotient(p, times))
    result = np.zeros(network.n_transition_states)
    result[real] = to_float(quotient(product(factor, change), rate))
    return result
