"""Rate constants, mean first passage times and committors of a network of states, exact at any temperature."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import sparray, spmatrix

from thalweg.analysis.arguments import minimum_indices
from thalweg.analysis.kinetics import extended_range as extended
from thalweg.analysis.kinetics.boundary_chain import checked_sets
from thalweg.analysis.kinetics.markov_chain import MarkovChain
from thalweg.analysis.kinetics.passages.steady_state import non_steady_state_rate, steady_state_rate
from thalweg.analysis.kinetics.rates import checked_temperature, harmonic_rates
from thalweg.analysis.kinetics.solvers import Elimination
from thalweg.potentials.lazy import public

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from thalweg.analysis.kinetics.kinetic_monte_carlo import PassageSample
    from thalweg.analysis.kinetics.lumping import Regrouping
    from thalweg.analysis.kinetics.passages.distribution import FirstPassageDistribution
    from thalweg.analysis.kinetics.passages.path_shares import PathShare
    from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork
    from thalweg.analysis.networks.lowest_barrier_paths import Path

__all__ = ["Kinetics"]


@public("thalweg.analysis")
class Kinetics(MarkovChain):
    """Rate constants, passage times and committors of a Markov chain in continuous time; immutable.

    Made by :meth:`KineticTransitionNetwork.kinetics <thalweg.analysis.KineticTransitionNetwork.kinetics>` or
    :meth:`from_rates`. Equations are solved by graph transformation, which keeps every number's relative accuracy at
    any temperature; ``method="sparse LU"`` solves them in plain doubles, and raises ArithmeticError where fewer than
    11.5 digits would be left. Rates below 1e-308 are beyond the range of a double: :meth:`log_rate_constant` and
    ``log_populations`` give logarithms instead.

    Parameters
    ----------
    indptr, indices, extended_rates, extended_weights : ndarrays
        See :class:`~thalweg.analysis.kinetics.markov_chain.MarkovChain`.
    temperature : float, optional
        k_B T in the landscape's unit of energy.
    network : KineticTransitionNetwork, optional
        Network from which the rates come.
    rotational, quantum, tunnelling : optional
        How the rates were made, see
        :meth:`KineticTransitionNetwork.kinetics <thalweg.analysis.KineticTransitionNetwork.kinetics>`.
    time_unit : str
        Unit of times: "s" for atoms in eV with their masses, "reduced" for other networks, "" where rates were given.

    Examples
    --------
    >>> from thalweg.analysis import Kinetics
    >>> chain = Kinetics.from_rates([[0, 2, 0], [1, 0, 1], [0, 2, 0]])
    >>> chain.populations.tolist()
    [0.25, 0.5, 0.25]
    >>> chain.mean_first_passage_time(source=0, target=2), chain.rate_constant(source=0, target=2)
    (2.0, 0.5)
    >>> chain.committor(source=0, target=2).tolist()
    [0.0, 0.5, 1.0]
    """

    def __init__(
        self,
        indptr: NDArray[np.int64],
        indices: NDArray[np.int64],
        extended_rates: NDArray[np.float64],
        extended_weights: NDArray[np.float64],
        *,
        temperature: float | None = None,
        network: KineticTransitionNetwork | None = None,
        rotational: bool | None = None,
        quantum: bool = False,
        tunnelling: str | None = None,
        time_unit: str = "",
    ):
        super().__init__(indptr, indices, extended_rates, extended_weights)
        self.temperature, self.network, self.rotational = temperature, network, rotational
        self.quantum, self.tunnelling, self.time_unit = quantum, tunnelling, time_unit

    @classmethod
    def from_rates(cls, rates: ArrayLike | sparray | spmatrix, weights: ArrayLike | None = None) -> Kinetics:
        """Make the kinetics of a rate matrix.

        Parameters
        ----------
        rates : (n, n) array_like or scipy.sparse array
            ``rates[i, j]`` is the rate from i to j; the diagonal is ignored. (PyGT keeps the transpose.)
        weights : (n,) array_like, optional
            Positive weights by which sets of states are averaged. The default is the stationary distribution, of
            which there must be only one.

        Raises
        ------
        ValueError
            If the matrix is not square, an entry is negative or not finite, or there are several stationary
            distributions and no weights.

        Examples
        --------
        >>> import numpy as np
        >>> from thalweg.analysis import Kinetics
        >>> three = Kinetics.from_rates(np.ones((3, 3)))
        >>> round(three.rate_constant(source=0, target=1), 12), round(three.steady_state_rate_constant(0, 1), 12)
        (1.0, 1.5)
        """
        from thalweg.analysis.kinetics.rate_matrices import checked_rates, checked_weights

        matrix = checked_rates(rates)
        given = cls(*matrix, checked_weights(weights, len(matrix.indptr) - 1))
        return given if weights is not None else cls(*matrix, given.stationary_weights())

    @classmethod
    def from_network(
        cls,
        network: KineticTransitionNetwork,
        temperature: float | None = None,
        *,
        kelvin: float | None = None,
        rotational: bool | None = None,
        quantum: bool = False,
        tunnelling: str | None = None,
    ) -> Kinetics:
        """Make the kinetics of a network by harmonic transition-state theory.

        Parameters, units and errors are those of
        :meth:`KineticTransitionNetwork.kinetics <thalweg.analysis.KineticTransitionNetwork.kinetics>`.
        """
        t = checked_temperature(temperature, kelvin, network.units)
        rates, weights = harmonic_rates(network, t, rotational, quantum=quantum, tunnelling=tunnelling)
        return cls(
            *rates, weights, temperature=t, network=network, rotational=rotational, quantum=quantum,
            tunnelling=tunnelling, time_unit="reduced" if network.motion is None else "s",
        )  # fmt: skip

    # what pickles of earlier versions do not have
    quantum: bool = False
    tunnelling: str | None = None
    time_unit: str = ""

    @property
    def kelvin(self) -> float | None:
        """Temperature in kelvin of a network of atoms in eV; None for others."""
        if self.temperature is None or self.network is None or self.network.units != "eV":
            return None
        from ase.units import kB

        return self.temperature / kB

    def __repr__(self) -> str:
        at = "" if self.temperature is None else f", temperature {self.temperature:.6g}"
        if self.kelvin is not None:
            at = f", {self.kelvin:.6g} K"
        unit = ", rates in 1/s" if self.time_unit == "s" else ""
        if self.kelvin is not None and not unit:
            unit = ", time in reduced units: no vibrational frequencies"
        return f"<Kinetics: {self.n_states} states, {len(self.indices)} rates{at}{unit}>"

    def extended_times(self, target: NDArray[np.int64], method: str) -> NDArray[np.float64]:
        """Return the mean time to the target from each state, (n, 2) extended numbers; infinite where none leads."""
        found, interior = self.prepared(method, target)
        one_visit = extended.full(len(interior), 1.0)
        return self._with_ends(found.solve(one_visit, extended.full(2, 0.0)), interior, target)

    def _squared_times(self, target: NDArray[np.int64], method: str) -> NDArray[np.float64]:
        """Return the mean square of the time to the target from each state, like :meth:`extended_times`."""
        found, interior = self.prepared(method, target)
        reward = extended.product(self.extended_times(target, method)[interior], np.array([2.0, 0.0]))
        return self._with_ends(found.solve(reward, extended.full(2, 0.0)), interior, target)

    def _with_ends(
        self, solved: NDArray[np.float64], interior: NDArray[np.int64], target: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return values of the interior in the order of all states: zero in the target, infinite elsewhere."""
        values = extended.full(self.n_states, np.inf)
        values[interior], values[target] = solved[: len(interior)], 0.0
        return values

    def mean_first_passage_times(self, target: ArrayLike, method: str = "auto") -> NDArray[np.float64]:
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
        return extended.to_float(self.extended_times(states, method))

    def mean_first_passage_time(self, source: ArrayLike, target: ArrayLike, method: str = "auto") -> float:
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
        times = self.extended_times(target, method)[source]
        return float(extended.to_float(extended.total(extended.product(times, self.source_weights(source)))))

    def first_passage_time_std(self, source: ArrayLike, target: ArrayLike, method: str = "auto") -> float:
        """Return the standard deviation of the time from the source, in equilibrium within, to the target.

        Parameters and errors as for :meth:`mean_first_passage_time`.

        Notes
        -----
        The square root of the mean square less the squared mean. For one source state of n the mean is at most
        sqrt(n) standard deviations (D. Aldous, L. Shepp, Commun. Statist. Stochastic Models 3 (1987) 467), so that at
        most log10(n) digits are lost.
        """
        source, target = checked_sets(self, source, target)
        p = self.source_weights(source)
        mean = extended.total(extended.product(self.extended_times(target, method)[source], p))
        square = extended.total(extended.product(self._squared_times(target, method)[source], p))
        ratio = float(extended.to_float(extended.quotient(square, extended.product(mean, mean))))
        return float(extended.to_float(mean)) * np.sqrt(ratio - 1.0)

    def _extended_rate_constant(self, source: ArrayLike, target: ArrayLike, method: str) -> NDArray[np.float64]:
        source, target = checked_sets(self, source, target)
        times = self.extended_times(target, method)[source]
        if np.isinf(times[:, 0]).any():
            return np.zeros(2)
        return extended.total(extended.quotient(self.source_weights(source), times))

    def rate_constant(self, source: ArrayLike, target: ArrayLike, method: str = "auto") -> float:
        """Return the rate constant from source to target: the mean over the source of 1 / mean first passage time.

        The mean has the equilibrium weights within the source, as in PATHSAMPLE. Parameters and errors as for
        :meth:`mean_first_passage_time`.
        """
        return float(extended.to_float(self._extended_rate_constant(source, target, method)))

    def log_rate_constant(self, source: ArrayLike, target: ArrayLike, method: str = "auto") -> float:
        """Return the natural logarithm of :meth:`rate_constant`, for those too small for a double."""
        return float(extended.to_log(self._extended_rate_constant(source, target, method)))

    def extended_committor(
        self, source: NDArray[np.int64], target: NDArray[np.int64], method: str
    ) -> NDArray[np.float64]:
        """Return :meth:`committor` as extended numbers, (n, 2)."""
        found, interior = self.prepared(method, target, source)
        k = len(interior)
        values, one = extended.full(self.n_states, np.nan), extended.full(1, 1.0)
        at_ends = np.concatenate([one, extended.full(2, 0.0)])  # target, source, all else
        values[interior] = found.solve(extended.full(k, 0.0), at_ends)[:k]
        values[target], values[source] = one, 0.0
        return values

    def committor(self, source: ArrayLike, target: ArrayLike, method: str = "auto") -> NDArray[np.float64]:
        """Return every state's probability of reaching the target before the source, (n,).

        Small probabilities keep their digits; for those near 1 exchange source and target.
        Parameters and errors as for :meth:`mean_first_passage_time`, but that the source may be absorbing, as in the
        gambler's ruin: then some state must have paths to both. NaN where neither can be reached.
        """
        source, target = checked_sets(self, source, target, connected=False)
        return extended.to_float(self.extended_committor(source, target, method))

    def steady_state_rate_constant(self, source: ArrayLike, target: ArrayLike, method: str = "auto") -> float:
        """Return the steady-state rate constant: flux from the source, in equilibrium, that goes on to the target.

        Returns to the source are left out of the count but the source stays in equilibrium, as in PATHSAMPLE's
        k^SS. Parameters and errors as for :meth:`mean_first_passage_time`.
        """
        return float(extended.to_float(steady_state_rate(self, source, target, method)))

    def non_steady_state_rate_constant(self, source: ArrayLike, target: ArrayLike, method: str = "auto") -> float:
        """Return the non-steady-state rate constant, PATHSAMPLE's k^NSS.

        Time spent outside the source counts, unlike in :meth:`steady_state_rate_constant`; that each state of the
        source has its equilibrium population is assumed, unlike in :meth:`rate_constant`, with which it agrees for a
        source of one state. Parameters and errors as for :meth:`mean_first_passage_time`.
        """
        return float(extended.to_float(non_steady_state_rate(self, source, target, method)))

    def steady_state_populations(self, source: ArrayLike, target: ArrayLike) -> NDArray[np.float64]:
        """Return populations, (n,), adding up to 1, of the steady state with source in equilibrium and target empty.

        Parameters and errors as for :meth:`mean_first_passage_time`. What the source cannot feed has none.
        """
        source, target = checked_sets(self, source, target)
        found, interior = self.prepared("graph transformation", target, source)
        values, mine = extended.full(self.n_states, 0.0), np.isin(self.row, source)
        values[source] = self.extended_weights[source]
        flux = extended.product(values[self.row[mine]], self.extended_rates[mine])
        inflow = extended.coalesced(flux, self.indices[mine], self.n_states)
        assert isinstance(found, Elimination)
        values[interior] = found.occupations(inflow[interior])
        return extended.to_float(extended.quotient(values, extended.total(values)))

    def time_scales(self, count: int = 10) -> NDArray[np.float64]:
        """Return the slowest relaxation times, longest first.

        See :func:`~thalweg.analysis.kinetics.relaxation_times.time_scales`.
        """
        from thalweg.analysis.kinetics.relaxation_times import time_scales

        return time_scales(self, count)

    def fastest_path(self, source: ArrayLike, target: ArrayLike) -> Path:
        """Return the path from source to target with the largest product of branching probabilities.

        See :func:`~thalweg.analysis.kinetics.fastest_paths.fastest_paths`.
        """
        return self.fastest_paths(source, target, 1)[0]

    def fastest_paths(self, source: ArrayLike, target: ArrayLike, count: int) -> list[Path]:
        """Return the next-best paths too; see :func:`~thalweg.analysis.kinetics.fastest_paths.fastest_paths`."""
        from thalweg.analysis.kinetics.fastest_paths import fastest_paths

        return fastest_paths(self, source, target, count)

    def sensitivity(self, source: ArrayLike, target: ArrayLike) -> NDArray[np.float64]:
        """Return how much a rate constant depends on each transition state, (n_transition_states,).

        See :func:`~thalweg.analysis.kinetics.sensitivity.sensitivity`.
        """
        from thalweg.analysis.kinetics.sensitivity import sensitivity

        return sensitivity(self, source, target)

    def path_shares(self, source: ArrayLike, target: ArrayLike, count: int) -> list[PathShare]:
        """Return the fastest paths with the probability and share of the rate that each of them carries.

        See :func:`~thalweg.analysis.kinetics.passages.path_shares.path_shares`.
        """
        from thalweg.analysis.kinetics.passages.path_shares import path_shares

        return path_shares(self, source, target, count)

    def first_passage_distribution(self, source: ArrayLike, target: ArrayLike) -> FirstPassageDistribution:
        """Return the distribution of first passage times.

        See :func:`~thalweg.analysis.kinetics.passages.distribution.first_passage_distribution`.
        """
        from thalweg.analysis.kinetics.passages.distribution import first_passage_distribution

        return first_passage_distribution(self, source, target)

    def simulate(
        self,
        source: ArrayLike,
        target: ArrayLike,
        *,
        walks: int = 1000,
        seed: int | np.random.SeedSequence | np.random.Generator = 0,
        max_jumps: int = 10_000_000,
    ) -> PassageSample:
        """Sample passage times; see :func:`~thalweg.analysis.kinetics.kinetic_monte_carlo.simulate`."""
        from thalweg.analysis.kinetics.kinetic_monte_carlo import simulate

        return simulate(self, source, target, walks=walks, seed=seed, max_jumps=max_jumps)

    def regroup(self, barrier: float, keep: Sequence[ArrayLike] | Mapping[str, ArrayLike] = ()) -> Regrouping:
        """Lump states that exchange fast; see :func:`~thalweg.analysis.kinetics.lumping.regroup`."""
        from thalweg.analysis.kinetics.lumping import regroup

        return regroup(self, barrier, keep)
