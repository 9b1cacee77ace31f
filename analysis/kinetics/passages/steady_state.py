"""Steady-state and non-steady-state rate constants, for sources that stay in equilibrium."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thalweg.analysis.kinetics import extended_range as extended
from thalweg.analysis.kinetics.boundary_chain import checked_sets

if TYPE_CHECKING:
    from thalweg.analysis.kinetics.rate_constants import Kinetics

__all__ = ["non_steady_state_rate", "steady_state_rate"]


def steady_state_rate(kinetics: Kinetics, source: ArrayLike, target: ArrayLike, method: str) -> NDArray[np.float64]:
    """Return the steady-state rate constant as an extended number, (2,).

    Parameters
    ----------
    kinetics : Kinetics
    source, target : array_like of int
        States, none in both.
    method : str
        See :func:`~thalweg.analysis.kinetics.solvers.solver`.
    """
    source, target = checked_sets(kinetics, source, target)
    committor = kinetics.extended_committor(source, target, method)
    return extended.total(_outward(kinetics, source, committor))


def non_steady_state_rate(kinetics: Kinetics, source: ArrayLike, target: ArrayLike, method: str) -> NDArray[np.float64]:
    """Return the non-steady-state rate constant as an extended number, (2,).

    Parameters as for :func:`steady_state_rate`.

    Notes
    -----
    The mean over the source's states b, in equilibrium, of C_b / t_b: t_b is the mean time until a walk that leaves b
    is next at a state of source or target, its waiting time at b included, and C_b the chance that this is one of the
    target (D. J. Wales, J. Chem. Phys. 130 (2009) 204111).
    """
    source, target = checked_sets(kinetics, source, target)
    committor = kinetics.extended_committor(source, target, method)
    times = kinetics.extended_times(np.concatenate([source, target]), method)
    weights = kinetics.source_weights(source)
    arriving = _outward(kinetics, source, committor)
    outside = _outward(kinetics, source, times)
    real = extended.is_positive(weights)
    both = np.concatenate([weights[real], outside[real]])
    k = int(real.sum())
    time = extended.coalesced(both, np.tile(np.arange(k), 2), k)
    return extended.total(extended.quotient(extended.product(arriving[real], weights[real]), time))


def _outward(kinetics: Kinetics, source: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return p_b times the sum over x of k_bx v_x for each state b of the source, (k, 2) extended numbers."""
    number = np.full(kinetics.n_states, -1)
    number[source] = np.arange(len(source))
    out = (number[kinetics.row] >= 0) & extended.is_positive(kinetics.extended_rates)
    row = number[kinetics.row[out]]
    reached = values[kinetics.indices[out]]
    reached[np.isnan(reached[:, 0])] = 0.0
    flux = extended.product(kinetics.source_weights(source)[row], kinetics.extended_rates[out])
    return extended.coalesced(extended.product(flux, reached), row, len(source))
