"""Relaxation times: eigenvalues of the rate matrix, the slow ones with all their digits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.linalg import eigvals
from scipy.linalg.lapack import dgejsv
from scipy.sparse.csgraph import connected_components

from thalweg.analysis.chains import lumped
from thalweg.analysis.elimination import Elimination
from thalweg.analysis.extended import product, quotient, to_log
from thalweg.analysis.rate_matrices import rate_matrix

if TYPE_CHECKING:
    from thalweg.analysis.kinetics import Kinetics

__all__ = ["balanced", "time_scales"]

_LARGEST = 5000
_BALANCE = 1e-8


def time_scales(kinetics: Kinetics, count: int = 10) -> np.ndarray:
    """Return the slowest relaxation times of a chain, longest first.

    Where detailed balance holds, graph transformation gives the symmetric form of the rate matrix as G G^T without
    subtraction, and the singular values of G come from LAPACK's preconditioned Jacobi method, to high relative
    accuracy however many orders of magnitude lie between them. Without detailed balance they are -1 / Re(lambda)
    of the dense rate matrix, right to double precision relative to the fastest rate only.

    Parameters
    ----------
    kinetics : Kinetics
        At most 5,000 states: the matrices are dense. Regroup larger ones first.
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

    Notes
    -----
    J. Demmel, M. Gu, S. Eisenstat, I. Slapnicar, K. Veselic, Z. Drmac, Linear Algebra Appl. 299 (1999) 21: a product
    of diagonal and well-conditioned factors determines its small singular values, and the triangular factor of a
    rate matrix is well conditioned, its inverse holding probabilities.
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


def _reversible(kinetics: Kinetics, part: np.ndarray) -> np.ndarray:
    """Return all relaxation times of one component."""
    if len(part) < 2:
        return np.empty(0)
    values = dgejsv(_root(kinetics, part), joba=2, jobu=3, jobv=3, jobr=1, jobt=0, jobp=0)
    sigma, work, info = values[0], values[3], values[5]
    if info:
        raise ArithmeticError(f"LAPACK's dgejsv did not converge (info = {info}); regroup first")
    return (work[0] / work[1] * sigma) ** -2.0


def _root(kinetics: Kinetics, part: np.ndarray) -> Any:
    """Return G, (k, k - 1): G G^T is the symmetric form of minus the rate matrix, rows in any order."""
    k = len(part)
    chain = lumped(kinetics, part[1:], (part[:1],))
    order, start, length, cols, up, _, total = Elimination(chain).factor
    weights = np.concatenate([kinetics.extended_weights[part[1:]], kinetics.extended_weights[part[:1]]])
    size = length[order]
    x, column = np.repeat(order, size), np.repeat(np.arange(k - 1), size)
    slots = np.repeat(start[order] - np.cumsum(size) + size, size) + np.arange(size.sum())
    i = cols[slots]
    real = i < k  # beyond is the state that stands for other components
    x, column, slots, i = x[real], column[real], slots[real], i[real]
    entry = to_log(product(up[slots], up[slots])) + to_log(product(total[x], quotient(weights[x], weights[i])))
    root = np.zeros((k, k - 1), order="F")
    root[i, column] = -np.exp(entry / 2)
    root[order, np.arange(k - 1)] = np.exp(to_log(total[order]) / 2)
    return root
