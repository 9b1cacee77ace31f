"""Kinetic Monte Carlo: passage times sampled jump by jump, with error bars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray

from thalweg.analysis.kinetics.boundary_chain import checked_sets
from thalweg.analysis.kinetics.extended_range import to_float
from thalweg.analysis.kinetics.solvers import Chain
from thalweg.potentials.compiled.signatures import integers, jit, vector
from thalweg.potentials.conversion.numeric_options import whole_number
from thalweg.potentials.lazy import public

if TYPE_CHECKING:
    from thalweg.analysis.kinetics.rate_constants import Kinetics

__all__ = ["PassageSample", "simulate"]

_mask = numba.types.Array(numba.boolean, 1, "C")
_generator = numba.types.npy_rng


@jit(numba.void(integers, integers, vector, vector, _mask, integers, numba.int64, _generator, vector, integers))
def _walk(indptr, indices, cumulative, waiting, ends, starts, most, rng, times, jumps):
    """Walk from each start until a target or too many jumps; write the times, NaN where unfinished."""
    for w in range(len(starts)):
        state, time, count = starts[w], 0.0, 0
        while not ends[state] and count < most:
            time += waiting[state] * rng.standard_exponential()
            first, last = indptr[state], indptr[state + 1]
            u = rng.random()
            state = indices[min(first + np.searchsorted(cumulative[first:last], u, side="right"), last - 1)]
            count += 1
        times[w] = time if ends[state] else np.nan
        jumps[w] = count


@public("thalweg.analysis")
@dataclass(frozen=True, eq=False)
class PassageSample:
    """First passage times sampled by kinetic Monte Carlo.

    Attributes
    ----------
    times : (walks,) ndarray
        Times from the source, in equilibrium within, to the first arrival in the target.
    jumps : (walks,) int64 ndarray
        Number of jumps of each walk.
    starts : (walks,) int64 ndarray
        State in which each walk started.
    time_unit : str
        Unit of the times, as that of the kinetics: "s" for atoms in eV.

    Examples
    --------
    >>> from thalweg.analysis import Kinetics
    >>> chain = Kinetics.from_rates([[0, 2, 0], [1, 0, 1], [0, 2, 0]])
    >>> sample = chain.simulate(source=0, target=2, walks=2000, seed=0)
    >>> abs(sample.mean - chain.mean_first_passage_time(source=0, target=2)) < 4 * sample.error
    True
    """

    times: NDArray[np.float64]
    jumps: NDArray[np.int64]
    starts: NDArray[np.int64]
    time_unit: str = ""

    @property
    def mean(self) -> float:
        """Mean first passage time."""
        return float(self.times.mean())

    @property
    def error(self) -> float:
        """Standard error of the mean."""
        return float(self.times.std(ddof=1) / np.sqrt(len(self.times)))

    @property
    def std(self) -> float:
        """Standard deviation of the first passage time."""
        return float(self.times.std(ddof=1))

    @property
    def std_error(self) -> float:
        """Standard error of :attr:`std`, from the fourth moment."""
        centred = self.times - self.times.mean()
        fourth, variance = (centred**4).mean(), (centred**2).mean()
        return float(np.sqrt((fourth - variance**2) / len(centred)) / (2 * np.sqrt(variance)))

    @property
    def rate(self) -> float:
        """One over the mean; the rate constant if the source is one state."""
        return 1.0 / self.mean

    @property
    def rate_error(self) -> float:
        """Standard error of :attr:`rate`."""
        return self.error / self.mean**2


def simulate(
    kinetics: Kinetics,
    source: ArrayLike,
    target: ArrayLike,
    *,
    walks: int = 1000,
    seed: int | np.random.SeedSequence | np.random.Generator = 0,
    max_jumps: int = 10_000_000,
) -> PassageSample:
    """Sample first passage times by kinetic Monte Carlo.

    Every jump is drawn, so this is for chains where the target is not too many jumps away: it checks the other
    methods, and gives whole distributions.

    Parameters
    ----------
    kinetics : Kinetics
    source, target : array_like of int
        States, none in both.
    walks : int
        How many walks, at least 2.
    seed : int, SeedSequence or numpy.random.Generator
    max_jumps : int
        The longest walk.

    Returns
    -------
    PassageSample

    Raises
    ------
    ValueError
        If the sets overlap or are not connected, or walks is too small.
    ArithmeticError
        If a walk has not arrived after ``max_jumps``; leaving it out would falsify the mean.

    Notes
    -----
    A. B. Bortz, M. H. Kalos, J. L. Lebowitz, J. Comput. Phys. 17 (1975) 10; D. T. Gillespie, J. Comput. Phys. 22
    (1976) 403.
    """
    ends = checked_sets(kinetics, source, target)
    walks, max_jumps = whole_number("walks", walks, 0, 100_000_000), whole_number("max_jumps", max_jumps, 1, 2**63 - 1)
    if walks < 2:
        raise ValueError(f"walks is {walks}; at least 2 are needed for an error bar")
    rng = np.random.default_rng(seed)
    chain = Chain(kinetics.indptr, kinetics.indices, kinetics.extended_rates, kinetics.n_states)
    cumulative, waiting = _tables(chain)
    p = to_float(kinetics.source_weights(ends.source))
    starts = rng.choice(ends.source, size=walks, p=p / p.sum())
    times, jumps, arrived = np.empty(walks), np.empty(walks, dtype=np.int64), np.zeros(chain.n, dtype=bool)
    arrived[ends.target] = True
    indptr, indices = chain.indptr.copy(), chain.indices.copy()
    _walk(indptr, indices, cumulative, waiting, arrived, starts, int(max_jumps), rng, times, jumps)
    if np.isnan(times).any():
        raise ArithmeticError(
            f"{int(np.isnan(times).sum())} of {walks} walks had not arrived after {max_jumps} jumps: raise max_jumps, "
            "or use rate_constant, which does not walk"
        )
    return PassageSample(times, jumps, starts, kinetics.time_unit)


def _tables(chain: Chain) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return cumulative probabilities within each row, and mean waiting times."""
    probabilities = chain.probabilities.tocsr().sorted_indices()
    cumulative = np.cumsum(probabilities.data)
    starts = np.repeat(np.concatenate([[0.0], cumulative])[chain.indptr[:-1]], np.diff(chain.indptr))
    with np.errstate(divide="ignore"):
        return cumulative - starts, 1.0 / to_float(chain.escape)
