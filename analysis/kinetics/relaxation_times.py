"""Relaxation times: eigenvalues of the rate matrix, accurate for slow modes too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigvals
from scipy.linalg.lapack import dgejsv
from scipy.sparse.csgraph import connected_components

from thalweg.analysis.kinetics.extended_range import product, to_log
from thalweg.analysis.kinetics.rate_matrices import rate_matrix

if TYPE_CHECKING:
    from thalweg.analysis.kinetics.rate_constants import Kinetics

__all__ = ["balanced", "symmetric_root", "time_scales"]

_LARGEST = 3000
_BALANCE = 1e-8
_SPAN = "relaxation times differ by more than the square of what a double spans: regroup first"


def time_scales(kinetics: Kinetics, count: int = 10) -> NDArray[np.float64]:
    """Return the slowest relaxation times of a chain, longest first.

    Where detailed balance holds, graph transformation gives the symmetric form of the rate matrix as G G^T without
    subtraction, and the singular values of G come from LAPACK's preconditioned Jacobi method (dgejsv), to high
    relative accuracy however many orders of magnitude lie between them. Without detailed balance they are
    -1 / Re(lambda) of the dense rate matrix, right to double precision relative to the fastest rate only.

    Parameters
    ----------
    kinetics : Kinetics
        At most 3,000 states: the matrices are dense. Regroup larger ones first.
    count : int
        How many; fewer if there are no more.

    Returns
    -------
    (count,) ndarray
        Times; components that nothing joins each have their own.

    Raises
    ------
    ValueError
        If there are too many states, or count is not positive.
    ArithmeticError
        If rates span more than about 300 orders of magnitude.

    Notes
    -----
    J. Demmel, M. Gu, S. Eisenstat, I. Slapnicar, K. Veselic, Z. Drmac, Linear Algebra Appl. 299 (1999) 21: a
    well-conditioned matrix times a diagonal one determines its small singular values. Z. Drmac, K. Veselic, SIAM J.
    Matrix Anal. Appl. 29 (2008) 1322 and 1343.
    """
    if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < 1:
        raise ValueError(f"count is {count!r}; a positive integer is needed")
    if kinetics.n_states > _LARGEST:
        raise ValueError(f"there are {kinetics.n_states} states; time_scales takes up to {_LARGEST}: regroup first")
    if not balanced(kinetics):
        values = np.sort(-eigvals(rate_matrix(kinetics).toarray()).real)
        zero = values <= len(values) * np.finfo(float).eps * values[-1]
        return 1.0 / values[~zero][:count]
    _, label = connected_components(kinetics.rates, directed=False)
    parts = [np.flatnonzero(label == k) for k in range(label.max() + 1)]
    times = np.concatenate([_reversible(kinetics, part) for part in parts])
    return np.sort(times)[::-1][:count]


def balanced(kinetics: Kinetics) -> bool:
    """Say whether detailed balance holds for the chain's weights."""
    n = kinetics.n_states
    flux = to_log(product(kinetics.extended_weights[kinetics.row], kinetics.extended_rates))
    there, back = kinetics.row * n + kinetics.indices, kinetics.indices * n + kinetics.row
    order = np.argsort(back)
    if not np.array_equal(back[order], there):  # entries are in order of rows and columns
        return False
    both = np.stack([flux, flux[order]])
    return bool((np.isneginf(both).all(axis=0) | (np.abs(np.nan_to_num(both[0] - both[1])) < _BALANCE)).all())


def _reversible(kinetics: Kinetics, part: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return all relaxation times of one component."""
    if len(part) < 2:
        return np.empty(0)
    values = dgejsv(_root(kinetics, part), joba=0, jobu=3, jobv=3, jobr=0, jobt=0, jobp=0)
    sigma, work, info = values[0], values[3], values[5]
    sigma = work[0] / work[1] * sigma
    if info or not (sigma > 0).all():
        raise ArithmeticError(_SPAN)
    with np.errstate(over="ignore"):
        return np.exp(-2 * np.log(sigma) - _fastest(kinetics))


def _root(kinetics: Kinetics, part: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return G, (k, k - 1): G G^T is the symmetric form of minus the rate matrix, in units of the fastest rate."""
    number = np.full(kinetics.n_states, -1)
    number[part] = np.arange(len(part))
    mine = number[kinetics.row] >= 0
    rates = np.zeros((len(part),) * 2)
    logarithms = to_log(kinetics.extended_rates[mine]) - _fastest(kinetics)
    rates[number[kinetics.row[mine]], number[kinetics.indices[mine]]] = np.exp(logarithms)
    return symmetric_root(rates)


def symmetric_root(rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return G, (k, k - 1): G G^T is the symmetric form of minus a rate matrix.

    States leave in the order of their rates of escape from what is left, the fastest first: G is then a
    well-conditioned matrix times a diagonal one, which determines all of its singular values.

    Parameters
    ----------
    rates : (k, k) array
        Rates from the row's state to the column's, without a diagonal; overwritten. One state may have no rates out
        of it: G G^T is then that of the others alone.

    Raises
    ------
    ArithmeticError
        If rates span more than about 300 orders of magnitude.
    """
    k = len(rates)
    states = np.arange(k)
    root = np.zeros((k, k - 1), order="F")
    for column in range(k - 1):
        last = k - 1 - column
        left = rates[: last + 1, : last + 1]
        escape = left.sum(axis=1)
        x = int(np.argmax(escape))
        if not escape[x] > 0:  # all that are left are below the smallest number
            raise ArithmeticError(_SPAN)
        probability = left[x] / escape[x]
        root[states[: last + 1], column] = -np.sqrt(left[:, x]) * np.sqrt(probability)
        root[states[x], column] = np.sqrt(escape[x])
        left += np.outer(left[:, x], probability)
        np.fill_diagonal(left, 0.0)
        left[x], left[:, x], states[x] = left[last], left[:, last], states[last]
        left[x, x] = 0.0
    return root


def _fastest(kinetics: Kinetics) -> float:
    """Return the logarithm of the largest rate."""
    return float(to_log(kinetics.extended_rates).max())
