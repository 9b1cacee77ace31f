"""A Markov chain in continuous time: rates between states, equilibrium weights, and solvers for sets of states."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from thalweg.analysis.arguments import frozen_array
from thalweg.analysis.kinetics import extended_range as extended
from thalweg.analysis.kinetics.boundary_chain import closed_classes, lumped, reaching
from thalweg.analysis.kinetics.solvers import Elimination, Solver, solver

__all__ = ["MarkovChain", "Prepared"]


class Prepared(NamedTuple):
    """A solver for a boundary of chosen states, and its interior.

    Attributes
    ----------
    solver : Solver
        Of the chain whose first states are the interior.
    interior : (k,) int64 ndarray
        States, in the order of that chain.
    """

    solver: Solver
    interior: NDArray[np.int64]


class MarkovChain:
    """Rates between states, and the states' equilibrium weights; immutable.

    Parameters
    ----------
    indptr, indices : int64 arrays
        Rates in CSR form, from the row's state to the column's, without a diagonal.
    extended_rates : (nnz, 2) array
        Rates as extended numbers (:mod:`thalweg.analysis.kinetics.extended_range`).
    extended_weights : (n, 2) array
        Equilibrium weights of the states as extended numbers, not normalised.
    """

    def __init__(
        self,
        indptr: NDArray[np.int64],
        indices: NDArray[np.int64],
        extended_rates: NDArray[np.float64],
        extended_weights: NDArray[np.float64],
    ):
        self.indptr, self.indices = frozen_array(indptr, np.int64), frozen_array(indices, np.int64)
        self.extended_rates = frozen_array(extended_rates, np.float64)
        self.extended_weights = frozen_array(extended_weights, np.float64)
        self._solvers: dict[tuple[str, bytes, bytes | None], Prepared] = {}

    @property
    def n_states(self) -> int:
        """Number of states."""
        return len(self.indptr) - 1

    @cached_property
    def row(self) -> NDArray[np.int64]:
        """The state each rate leads from, (nnz,)."""
        return frozen_array(np.repeat(np.arange(self.n_states), np.diff(self.indptr)), np.int64)

    @cached_property
    def rates(self) -> csr_array:
        """Rates from the row's state to the column's, (n, n), nothing on the diagonal."""
        values = extended.to_float(self.extended_rates)
        return csr_array((values, self.indices.copy(), self.indptr.copy()), shape=(self.n_states,) * 2)

    @cached_property
    def log_populations(self) -> NDArray[np.float64]:
        """Natural logarithms of the populations, (n,)."""
        weights = self.extended_weights
        return frozen_array(extended.to_log(weights) - extended.to_log(extended.total(weights)), np.float64)

    @cached_property
    def populations(self) -> NDArray[np.float64]:
        """Equilibrium probabilities, (n,), which add up to 1; components count as in equilibrium with each other."""
        weights = self.extended_weights
        return frozen_array(extended.to_float(extended.quotient(weights, extended.total(weights))), np.float64)

    def stationary_weights(self) -> NDArray[np.float64]:
        """Return the stationary distribution of the rates as extended numbers, (n, 2), not normalised.

        Raises
        ------
        ValueError
            If there are several: parts that nothing leads out of.
        """
        classes = closed_classes(self)
        if len(classes) != 1:
            raise ValueError(f"rates have {len(classes)} stationary distributions, one for each part; give weights")
        (first, *_), n = classes[0], self.n_states
        others = np.delete(np.arange(n), first)
        chain = lumped(self, others, (np.array([first]),))
        flow, mine = extended.full(n, 0.0), slice(self.indptr[first], self.indptr[first + 1])
        flow[self.indices[mine]] = self.extended_rates[mine]
        weights = extended.full(n, 0.0)
        weights[first] = extended.full(1, 1.0)
        weights[others] = Elimination(chain).occupations(flow[others])
        return weights

    def prepared(self, method: str, target: NDArray[np.int64], source: NDArray[np.int64] | None = None) -> Prepared:
        """Return a solver whose boundary states are the target, and then the source.

        With a target alone, the interior is all that surely gets there; with both, all that may get to either.

        Parameters
        ----------
        method : {"auto", "graph transformation", "sparse LU"}
            See :func:`~thalweg.analysis.kinetics.solvers.solver`.
        target, source : (k,) int64 arrays
            Sets of states that do not overlap.
        """
        key = (method, target.tobytes(), None if source is None else source.tobytes())
        if key not in self._solvers:
            ends = target if source is None else np.concatenate([target, source])
            inside = reaching(self, ends)
            if source is None:
                inside &= ~reaching(self, np.flatnonzero(~inside))
            inside[ends] = False
            interior = np.flatnonzero(inside)
            chain = lumped(self, interior, (target,) if source is None else (target, source))
            while len(self._solvers) >= 4:
                self._solvers.pop(next(iter(self._solvers)))
            self._solvers[key] = Prepared(solver(chain, method), interior)
        return self._solvers[key]

    def source_weights(self, source: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the equilibrium populations within a set of states, (k, 2) extended numbers that add up to 1.

        Parameters
        ----------
        source : (k,) int64 array
            States.
        """
        mine = self.extended_weights[source]
        if not extended.is_positive(mine).any():
            raise ValueError("source has no weight: all of its states have weight zero")
        return extended.quotient(mine, extended.total(mine))
