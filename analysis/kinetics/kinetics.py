"""Kinetics on a network of states: rate constants, passage times, committors, exact at any temperature."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from thalweg.analysis.arguments import frozen_array, minimum_indices
from thalweg.analysis.kinetics import extended_range as extended
from thalweg.analysis.kinetics.boundary_chain import checked_sets, closed_classes, lumped, reaching
from thalweg.analysis.kinetics.elimination import Elimination, Solver, solver
from thalweg.potentials.lazy import public

if TYPE_CHECKING:
    from thalweg.analysis.kinetics.kinetic_monte_carlo import PassageSample
    from thalweg.analysis.kinetics.lumping import Regrouping
    from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork
    from thalweg.analysis.networks.lowest_barrier_paths import Path

__all__ = ["Kinetics"]

_ONE = np.array([[1.0, 0.0]])


@public("thalweg.analysis")
class Kinetics:
    """Rates between states, and the states' equilibrium weights; immutable.

    Made by :meth:`KineticTransitionNetwork.kinetics <thalweg.analysis.KineticTransitionNetwork.kinetics>` or
    :meth:`from_rates`. Equations are solved by graph transformation, which keeps every number's relative accuracy at
    any temperature; ``method="sparse LU"`` solves them in plain doubles, and raises ArithmeticError where fewer than
    11.5 digits would be left. Where a result is beyond the range of a double
    (rates below 1e-308), its logarithm is to be had: :meth:`log_rate_constant`, ``log_populations``.

    Parameters
    ----------
    indptr, indices : int64 arrays
        Rates in CSR form, from the row's state to the column's, without a diagonal.
    extended_rates : (nnz, 2) array
        Extended numbers (:mod:`thalweg.analysis.kinetics.extended_range`).
    extended_weights : (n, 2) array
        Likewise, not normalised.
    temperature : float, optional
    network : KineticTransitionNetwork, optional
        Where the rates come from.
    rotational : bool, optional
        As given to :meth:`KineticTransitionNetwork.kinetics`.
    """

    def __init__(
        self,
        indptr: np.ndarray,
        indices: np.ndarray,
        extended_rates: np.ndarray,
        extended_weights: np.ndarray,
        *,
        temperature: float | None = None,
        network: KineticTransitionNetwork | None = None,
        rotational: bool | None = None,
    ):
        self.indptr, self.indices = frozen_array(indptr, np.int64), frozen_array(indices, np.int64)
        self.extended_rates = frozen_array(extended_rates, np.float64)
        self.extended_weights = frozen_array(extended_weights, np.float64)
        self.temperature, self.network, self.rotational = temperature, network, rotational
        self._solvers: dict[tuple, tuple[Solver, np.ndarray]] = {}

    @classmethod
    def from_rates(cls, rates: Any, weights: Any = None) -> Kinetics:
        """Take a rate matrix of one's own.

        Parameters
        ----------
        rates : (n, n) array_like or scipy.sparse array
            ``rates[i, j]`` is the rate from i to j; the diagonal is not looked at. (PyGT keeps the transpose.)
        weights : (n,) array_like, optional
            Positive weights by which sets of states are averaged, taken as given. By default the stationary
            distribution, for which there must be one only.

        Raises
        ------
        ValueError
            If the matrix is not square, an entry is negative or not finite, or there are several stationary
            distributions and no weights.

        Examples
        --------
        >>> three = Kinetics.from_rates(np.ones((3, 3)))
        >>> round(three.rate_constant(source=0, target=1), 12), round(three.steady_state_rate_constant(0, 1), 12)
        (1.0, 1.5)
        """
        from thalweg.analysis.kinetics.rate_matrices import checked_rates, checked_weights

        indptr, indices, values = checked_rates(rates)
        n = len(indptr) - 1
        given = cls(indptr, indices, values, checked_weights(weights, n))
        return given if weights is not None else cls(indptr, indices, values, given.stationary_weights())

    def __repr__(self) -> str:
        at = "" if self.temperature is None else f", temperature {self.temperature:.6g}"
        return f"<Kinetics: {self.n_states} states, {len(self.indices)} rates{at}>"

    @property
    def n_states(self) -> int:
        """Number of states."""
        return len(self.indptr) - 1

    @cached_property
    def row(self) -> np.ndarray:
        """The state each rate leads from, (nnz,)."""
        return frozen_array(np.repeat(np.arange(self.n_states), np.diff(self.indptr)), np.int64)

    @cached_property
    def rates(self) -> csr_array:
        """Rates from the row's state to the column's, (n, n), nothing on the diagonal."""
        values = extended.to_float(self.extended_rates)
        return csr_array((values, self.indices.copy(), self.indptr.copy()), shape=(self.n_states,) * 2)

    @cached_property
    def log_populations(self) -> np.ndarray:
        """Natural logarithms of the populations, (n,)."""
        weights = self.extended_weights
        return frozen_array(extended.to_log(weights) - extended.to_log(extended.total(weights)), np.float64)

    @cached_property
    def populations(self) -> np.ndarray:
        """Equilibrium probabilities of all states, (n,), adding up to 1; components count as in equilibrium too."""
        weights = self.extended_weights
        return frozen_array(extended.to_float(extended.quotient(weights, extended.total(weights))), np.float64)

    def stationary_weights(self) -> np.ndarray:
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
        flow, mine = np.zeros((n, 2)), slice(self.indptr[first], self.indptr[first + 1])
        flow[self.indices[mine]] = self.extended_rates[mine]
        weights = np.zeros((n, 2))
        weights[first] = _ONE
        weights[others] = Elimination(chain).occupations(flow[others])
        return weights

    def _prepared(self, target: np.ndarray, source: np.ndarray | None, method: str) -> tuple[Solver, np.ndarray]:
        """Return a solver and its interior states: target (and source) are boundary states, in this order.

        With a target alone, the interior is what surely gets there; with both, all that may get to either.
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
            self._solvers[key] = solver(chain, method), interior
        return self._solvers[key]

    def _moments(self, target: np.ndarray, method: str, second: bool = False) -> np.ndarray:
        """Return the mean time (or mean square of the time) to the target from each state, extended; inf where none."""
        found, interior = self._prepared(target, None, method)
        k = len(interior)
        values = found.solve(np.tile(_ONE, (k, 1)), np.zeros((2, 2)))[:k]
        if second:
            values = found.solve(extended.product(values, np.array([2.0, 0.0])), np.zeros((2, 2)))[:k]
        times = np.tile([np.inf, 0.0], (self.n_states, 1))
        times[interior], times[target] = values, 0.0
        return times

    def _source_weights(self, source: np.ndarray) -> np.ndarray:
        """Return the populations within the source, extended."""
        mine = self.extended_weights[source]
        if not (mine[:, 0] > 0).any():
            raise ValueError("source has no weight: all of its states have weight zero")
        return extended.quotient(mine, extended.total(mine))

    def mean_first_passage_times(self, target: Any, method: str = "auto") -> np.ndarray:
        """Return the mean time from every state to the first arrival in the target, (n,).

        Parameters
        ----------
        target : array_like of int
            States; their own time is zero.
        method : {"auto", "graph transformation", "sparse LU"}

        Returns
        -------
        (n,) ndarray
            Infinite where the target may never be reached.
        """
        states = minimum_indices("target", target, self.n_states)
        if not len(states):
            raise ValueError("target is empty; at least one minimum is needed")
        return extended.to_float(self._moments(states, method))

    def mean_first_passage_time(self, source: Any, target: Any, method: str = "auto") -> float:
        """Return the mean time from the source, in equilibrium within, to the first arrival in the target.

        Parameters
        ----------
        source, target : array_like of int
            States, none in both.
        method : {"auto", "graph transformation", "sparse LU"}

        Raises
        ------
        ValueError
            If the sets overlap, are empty or not connected.
        ArithmeticError
            If sparse LU is asked for and would lose too many digits.
        """
        source, target = checked_sets(self, source, target)
        times = self._moments(target, method)[source]
        return float(extended.to_float(extended.total(extended.product(times, self._source_weights(source)))))

    def first_passage_time_std(self, source: Any, target: Any, method: str = "auto") -> float:
        """Return the standard deviation of the time from the source, in equilibrium within, to the target.

        Parameters and errors as for :meth:`mean_first_passage_time`.

        Notes
        -----
        The square root of the mean square less the squared mean. For one source state of n the mean is at most
        sqrt(n) standard deviations (D. Aldous, L. Shepp, Commun. Statist. Stochastic Models 3 (1987) 467), so that at
        most log10(n) digits are lost.
        """
        source, target = checked_sets(self, source, target)
        p = self._source_weights(source)
        mean = extended.total(extended.product(self._moments(target, method)[source], p))
        square = extended.total(extended.product(self._moments(target, method, second=True)[source], p))
        ratio = float(extended.to_float(extended.quotient(square, extended.product(mean, mean))))
        return float(extended.to_float(mean)) * np.sqrt(ratio - 1.0)

    def _extended_rate_constant(self, source: Any, target: Any, method: str) -> np.ndarray:
        source, target = checked_sets(self, source, target)
        times = self._moments(target, method)[source]
        if np.isinf(times[:, 0]).any():
            return np.zeros(2)
        return extended.total(extended.quotient(self._source_weights(source), times))

    def rate_constant(self, source: Any, target: Any, method: str = "auto") -> float:
        """Return the rate constant from source to target: the mean over the source of 1 / mean first passage time.

        The mean has the equilibrium weights within the source, as in PATHSAMPLE. Parameters and errors as for
        :meth:`mean_first_passage_time`.
        """
        return float(extended.to_float(self._extended_rate_constant(source, target, method)))

    def log_rate_constant(self, source: Any, target: Any, method: str = "auto") -> float:
        """Return the natural logarithm of :meth:`rate_constant`, for those too small for a double."""
        return float(extended.to_log(self._extended_rate_constant(source, target, method)))

    def _committor(self, source: np.ndarray, target: np.ndarray, method: str) -> np.ndarray:
        found, interior = self._prepared(target, source, method)
        k = len(interior)
        values = np.tile([np.nan, 0.0], (self.n_states, 1))
        values[interior] = found.solve(np.zeros((k, 2)), np.array([[1.0, 0], [0, 0], [0, 0]]))[:k]
        values[target], values[source] = _ONE, 0.0
        return values

    def committor(self, source: Any, target: Any, method: str = "auto") -> np.ndarray:
        """Return every state's probability of reaching the target before the source, (n,).

        Small probabilities keep their digits; for those near 1 exchange source and target.
        Parameters and errors as for :meth:`mean_first_passage_time`; NaN where neither can be reached.
        """
        source, target = checked_sets(self, source, target)
        return extended.to_float(self._committor(source, target, method))

    def steady_state_rate_constant(self, source: Any, target: Any, method: str = "auto") -> float:
        """Return the steady-state rate constant: flux from the source, in equilibrium, that goes on to the target.

        Returns to the source are left out of the count but the source stays in equilibrium, as in PATHSAMPLE's
        k^SS. Parameters and errors as for :meth:`mean_first_passage_time`.
        """
        source, target = checked_sets(self, source, target)
        committor = self._committor(source, target, method)
        p = np.zeros((self.n_states, 2))
        p[source] = self._source_weights(source)
        out = np.isin(self.row, source) & (self.extended_rates[:, 0] > 0)
        arriving = np.nan_to_num(committor[self.indices[out]])
        flux = extended.product(extended.product(p[self.row[out]], self.extended_rates[out]), arriving)
        return float(extended.to_float(extended.total(flux)))

    def steady_state_populations(self, source: Any, target: Any) -> np.ndarray:
        """Return populations, (n,), adding up to 1, of the steady state with source in equilibrium and target empty.

        Parameters and errors as for :meth:`mean_first_passage_time`. What the source cannot feed has none.
        """
        source, target = checked_sets(self, source, target)
        found, interior = self._prepared(target, source, "graph transformation")
        values, mine = np.zeros((self.n_states, 2)), np.isin(self.row, source)
        values[source] = self.extended_weights[source]
        flux = extended.product(values[self.row[mine]], self.extended_rates[mine])
        inflow = extended.coalesced(flux, self.indices[mine], self.n_states)
        assert isinstance(found, Elimination)
        values[interior] = found.occupations(inflow[interior])
        return extended.to_float(extended.quotient(values, extended.total(values)))

    def time_scales(self, count: int = 10) -> np.ndarray:
        """Return the slowest relaxation times, longest first."""
        from thalweg.analysis.kinetics.relaxation_times import time_scales

        return time_scales(self, count)

    def fastest_path(self, source: Any, target: Any) -> Path:
        """Return the path from source to target with the largest product of branching probabilities.

        See :func:`~thalweg.analysis.kinetics.fastest_paths.fastest_paths`.
        """
        return self.fastest_paths(source, target, 1)[0]

    def fastest_paths(self, source: Any, target: Any, count: int) -> list[Path]:
        """Return the next-best paths too; see :func:`~thalweg.analysis.kinetics.fastest_paths.fastest_paths`."""
        from thalweg.analysis.kinetics.fastest_paths import fastest_paths

        return fastest_paths(self, source, target, count)

    def sensitivity(self, source: Any, target: Any) -> np.ndarray:
        """Return each transition state's part in a rate."""
        from thalweg.analysis.kinetics.sensitivity import sensitivity

        return sensitivity(self, source, target)

    def simulate(self, source: Any, target: Any, **options: Any) -> PassageSample:
        """Sample passage times; see :func:`~thalweg.analysis.kinetics.kinetic_monte_carlo.simulate`."""
        from thalweg.analysis.kinetics.kinetic_monte_carlo import simulate

        return simulate(self, source, target, **options)

    def regroup(self, barrier: float, keep: Any = ()) -> Regrouping:
        """Lump states that exchange fast; see :func:`~thalweg.analysis.kinetics.lumping.regroup`."""
        from thalweg.analysis.kinetics.lumping import regroup

        return regroup(self, barrier, keep)
