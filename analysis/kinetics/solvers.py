"""Solvers for passage times and committors: graph transformation (elimination of states) or sparse LU."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, eye_array
from scipy.sparse.linalg import SuperLU, splu

from thalweg.analysis.kinetics.extended_range import (
    Factor,
    coalesced,
    from_float,
    full,
    product,
    quotient,
    to_float,
    to_log,
)

__all__ = ["Chain", "Elimination", "Solver", "SparseLU", "solver"]

_DIGITS = 11.5


@dataclass(frozen=True, eq=False)
class Chain:
    """A Markov chain in continuous time, part of whose states are the boundary.

    Attributes
    ----------
    indptr, indices : int64 ndarrays
        Rows of interior states in CSR form, without a diagonal; those of boundary states are empty.
    rates : (nnz, 2) ndarray
        Rates from the row's state to the column's, extended numbers.
    n_interior : int
        Number of interior states, which come first.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int64]
    rates: NDArray[np.float64]
    n_interior: int

    @property
    def n(self) -> int:
        """Number of states, boundary included."""
        return len(self.indptr) - 1

    @cached_property
    def escape(self) -> NDArray[np.float64]:
        """Rate out of each state, (n, 2); one for boundary states."""
        row = np.repeat(np.arange(self.n), np.diff(self.indptr))
        out = coalesced(self.rates, row, self.n)
        out[self.n_interior :] = [1.0, 0.0]
        return out

    @cached_property
    def probabilities(self) -> csc_array:
        """Probabilities of the next state, (n, n) doubles."""
        row = np.repeat(np.arange(self.n), np.diff(self.indptr))
        return csc_array((to_float(quotient(self.rates, self.escape[row])), (row, self.indices)), shape=(self.n,) * 2)


class Solver(Protocol):
    """Solver of the linear equations of a chain's interior: graph transformation or sparse LU."""

    def solve(self, reward: NDArray[np.float64], boundary: NDArray[np.float64]) -> NDArray[np.float64]:
        """Solve ``K_i v_i = reward_i + sum_j k_ij v_j`` over the interior.

        Parameters
        ----------
        reward : (n_interior, 2) array
            Extended numbers, none negative.
        boundary : (n - n_interior, 2) array
            Values of the boundary states, none negative.

        Returns
        -------
        (n, 2) ndarray
        """
        ...


class Elimination:
    """Graph transformation of a chain: the interior eliminated once, any number of equations solved with it."""

    def __init__(self, chain: Chain):
        from thalweg.analysis.kinetics.graph_transformation import eliminate

        self.chain = chain
        interior = np.arange(chain.n) < chain.n_interior
        self.factor = eliminate(chain.indptr, chain.indices, chain.rates.copy(), interior)

    def __setstate__(self, state: dict[str, Any]) -> None:
        # pickles written before graph transformation's results had names hold a plain tuple
        self.__dict__.update(state, factor=Factor(*state["factor"]))

    def solve(self, reward: NDArray[np.float64], boundary: NDArray[np.float64]) -> NDArray[np.float64]:
        """See :class:`Solver`."""
        from thalweg.analysis.kinetics.graph_transformation import backward

        values = self._visits(reward)
        values[self.chain.n_interior :] = boundary
        backward(self.factor, values)
        return values

    def _visits(self, reward: NDArray[np.float64]) -> NDArray[np.float64]:
        from thalweg.analysis.kinetics.graph_transformation import forward

        left, values = full(self.chain.n, 0.0), full(self.chain.n, 0.0)
        left[: self.chain.n_interior] = reward
        forward(self.factor, left, values)
        return values

    def occupations(self, inflow: NDArray[np.float64]) -> NDArray[np.float64]:
        """Solve ``n_i K_i = inflow_i + sum_j n_j k_ji`` over the interior, (n_interior, 2)."""
        from thalweg.analysis.kinetics.graph_transformation import occupations

        values = full(self.chain.n, 0.0)
        values[: self.chain.n_interior] = inflow
        occupations(self.factor, values)
        return values[: self.chain.n_interior]

    def edge_differences(self, reward: NDArray[np.float64], pairs: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return v_a - v_b of joined pairs of states (a, b), for :meth:`solve` with a single boundary state of zero.

        Right even where v_a and v_b agree in all their digits.
        """
        from thalweg.analysis.kinetics.graph_transformation import differences, edge_differences

        found = differences(self.factor, self._visits(reward))
        return edge_differences(self.factor, found, np.ascontiguousarray(pairs))


class SparseLU:
    """Sparse LU in double precision, with an estimate of how many digits are left.

    I - P is an M-matrix: the largest row sum of its inverse, its norm, is the largest expected number of jumps
    before the boundary, one solve with ones. Times the norm of I - P, at most 2, it is the condition number.
    """

    def __init__(self, chain: Chain):
        self.chain = chain
        k = chain.n_interior
        inside = chain.probabilities[:k, :k]
        self._lu: SuperLU | None = None
        self.digits = 0.0
        try:
            self._lu = splu(csc_array(eye_array(k, format="csc") - inside))
        except RuntimeError:  # singular to working precision
            return
        jumps = self._lu.solve(np.ones(k))
        if np.isfinite(jumps).all() and jumps.min() >= 0.999:
            self.digits = float(-np.log10(2.0 * jumps.max() * np.finfo(float).eps))

    @property
    def accurate(self) -> bool:
        """Whether at least 11.5 digits are left."""
        return self.digits >= _DIGITS

    def solve(self, reward: NDArray[np.float64], boundary: NDArray[np.float64]) -> NDArray[np.float64]:
        """See :class:`Solver`."""
        if self._lu is None:
            raise ArithmeticError("sparse LU found the equations singular to double precision")
        k = self.chain.n_interior
        visit = quotient(reward, self.chain.escape[:k])
        largest = max(to_log(visit).max(initial=-np.inf), to_log(boundary).max(initial=-np.inf))
        if largest == -np.inf:
            return full(self.chain.n, 0.0)
        unit = np.array([1.0, np.round(largest / np.log(2.0) / 256)])
        edge = to_float(quotient(boundary, unit))
        right = to_float(quotient(visit, unit)) + self.chain.probabilities[:k, k:] @ edge
        values = from_float(np.concatenate([self._lu.solve(right), edge]))
        return product(values, unit)


def solver(chain: Chain, method: str) -> Solver:
    """Return a solver for a chain.

    Parameters
    ----------
    chain : Chain
    method : {"auto", "graph transformation", "sparse LU"}
        "auto" is graph transformation: right at any temperature, and slower in only one network tried (2,000 states).

    Raises
    ------
    ArithmeticError
        If sparse LU is asked for and would have fewer than 11.5 digits left.
    """
    if method not in ("auto", "graph transformation", "sparse LU"):
        raise ValueError(f"method is {method!r}; it must be 'auto', 'graph transformation' or 'sparse LU'")
    if method != "sparse LU":
        return Elimination(chain)
    lu = SparseLU(chain)
    if not lu.accurate:
        raise ArithmeticError(f"sparse LU has {lu.digits:.1f} digits left here; use method='graph transformation'")
    return lu
