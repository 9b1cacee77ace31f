"""Compiled basin-hopping: displacement, quench and Metropolis criterion."""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np

from thalweg.optimizers.kernels.arguments import MINIMUM_SEARCH, Arguments, MinimumSearch, stationary_points
from thalweg.optimizers.kernels.moves import MOVE, pull_inside, reach
from thalweg.optimizers.kernels.searches import SEARCH_SIGNATURE
from thalweg.optimizers.kernels.status import Status
from thalweg.potentials.compiled.signatures import jit, matrix, vector

__all__ = ["CHAIN", "MOST_MOVES", "OUTCOME", "TALLY", "Hopping", "adapt", "basin_hopping_rows", "metropolis"]

MOST_MOVES = 4

# The minimisations come as pointers: called directly they would be compiled again into this function
_MINIMISATION = numba.types.FunctionType(SEARCH_SIGNATURE)


class Hopping(NamedTuple):
    """Settings of a basin-hopping chain.

    Attributes
    ----------
    search : MinimumSearch
        What the minimisations take.
    minimise, prove : compiled functions such as quench and find_minimum
        The second is given what the first found at a new energy.
    proves : bool
        Whether ``minimise`` proves what it finds.
    move_0, move_1, move_2, move_3 : compiled functions of the type MOVE
    chances : (MOST_MOVES,) float64 array
        Their cumulative probabilities.
    temperature : float
        k_B T in the unit of energy.
    target : float
        The chain ends at this energy or below.
    container : float
        Radius within which atoms stay.
    tolerance : float
        Minima whose energies differ by less are the same.
    keep : int
        How many of the lowest minima are proved.
    ratio : float
        Acceptance ratio that steps are adapted to, 0 for none.
    interval, factor : float
        Steps between changes, and how much the step changes.
    """

    search: MinimumSearch
    minimise: Any
    prove: Any
    proves: bool
    move_0: Any
    move_1: Any
    move_2: Any
    move_3: Any
    chances: np.ndarray
    temperature: float
    target: float
    container: float
    tolerance: float
    keep: int
    ratio: float
    interval: float
    factor: float


_REAL = numba.float64
HOPPING = Arguments(
    Hopping, MINIMUM_SEARCH, _MINIMISATION, _MINIMISATION, numba.boolean, MOVE, MOVE, MOVE, MOVE, vector, _REAL, _REAL,
    _REAL, _REAL, numba.int64, _REAL, _REAL, _REAL,
)  # fmt: skip

TALLY = np.dtype(
    [("step", np.float64), ("adapts", np.bool_), ("tried", np.int64), ("accepted", np.int64)], align=True
)  # fmt: skip
"""Size of a move, whether it may change, and how often the move was tried and accepted since it last did."""
CHAIN = np.dtype([("energy", np.float64), ("known", np.int64)], align=True)
"""Energy of a chain, and how many energies it knows."""
OUTCOME = np.dtype([("accepted", np.bool_), ("proved", np.bool_), ("move", np.int64)], align=True)
"""What became of a quench: whether the chain moved there, whether the minimum is proved, which move led there."""

_tally, _chain = numba.from_dtype(TALLY), numba.from_dtype(CHAIN)
_tallies = numba.types.Array(_tally, 1, "C")
_outcomes = numba.types.Array(numba.from_dtype(OUTCOME), 1, "C")


@jit(numba.boolean(numba.float64, numba.float64, numba.float64))
def metropolis(rise, temperature, number):
    """Return whether a rise in energy is accepted at a temperature by a uniform number in [0, 1)."""
    return rise <= 0.0 or (temperature > 0.0 and number < np.exp(-rise / temperature))


@jit(numba.int64(vector, numba.int64, numba.float64))
def _place(known, count, energy):
    """Return how many of the first entries of a rising list are below an energy."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if known[middle] < energy:
            low = middle + 1
        else:
            high = middle
    return low


@jit(numba.boolean(vector, numba.int64, numba.float64, numba.float64))
def _is_new(known, count, energy, tolerance):
    place = _place(known, count, energy - tolerance)
    return place == count or known[place] > energy + tolerance


@jit(numba.boolean(vector, numba.int64, numba.float64, numba.float64, numba.int64))
def _wanted(known, count, energy, tolerance, keep):
    """Return whether an energy is new and among the ``keep`` lowest."""
    return (count < keep or energy < known[keep - 1]) and _is_new(known, count, energy, tolerance)


@jit(numba.void(vector, numba.int64, numba.float64))
def _insert(known, count, energy):
    place = _place(known, count, energy)
    for k in range(count, place, -1):
        known[k] = known[k - 1]
    known[place] = energy


@jit(numba.void(_tally, numba.boolean, numba.float64, numba.float64, numba.float64))
def adapt(tally, accepted, ratio, interval, factor):
    """Count a step; once an interval make the step longer if more than the ratio were accepted, else shorter.

    ``tally`` is a record of TALLY.
    """
    tally.tried += 1
    tally.accepted += 1 if accepted else 0
    if tally.tried < interval:
        return
    if tally.adapts and ratio > 0.0:
        tally.step *= factor if tally.accepted > ratio * tally.tried else 1.0 / factor
    tally.tried, tally.accepted = 0, 0


@jit(numba.int64(vector, vector))
def _chosen(chances, draws):
    """Return which move a step makes: the last number but one decides where there are several."""
    which = 0
    while which < chances.size - 1 and chances[which] < 1.0 and draws[draws.size - 2] >= chances[which]:
        which += 1
    return which


@jit(numba.int64(HOPPING, _tallies, vector, _chain, matrix, vector, matrix, stationary_points, _outcomes))
def basin_hopping_rows(hopping, tallies, known, chain, draws, x, X, found, outcomes):
    """Displace, minimise, accept or refuse, once a row of ``draws``, until the target energy is reached.

    Parameters
    ----------
    hopping : Hopping
    tallies : (MOST_MOVES,) records of TALLY, which :func:`adapt` keeps up to date.
    known : rising energies of proved minima, with room for as many more as there are rows.
    chain : record of CHAIN, kept up to date.
    draws : (rows, ...) uniform random numbers in [0, 1), the last of a row for the acceptance.
    x : (n,) the chain's minimum, overwritten by its last.
    X : (rows, n) takes every minimum.
    found : (rows,) records of STATIONARY_POINT, for every minimum.
    outcomes : (rows,) records of OUTCOME.

    Returns
    -------
    Number of rows that were done.
    """
    search, tolerance, centre = hopping.search, hopping.tolerance, np.empty(3)
    for row in range(draws.shape[0]):
        which, trial, quenched = _chosen(hopping.chances, draws[row]), X[row], found[row]
        move = hopping.move_0 if which == 0 else hopping.move_1
        move = move if which < 2 else hopping.move_2 if which == 2 else hopping.move_3
        move(x, search.problem.free, tallies[which].step, draws[row], trial)
        pull_inside(trial, hopping.container)
        hopping.minimise(search, trial, quenched)
        inside = reach(trial, -1, centre) <= hopping.container
        proved = hopping.proves
        converged = quenched.status == Status.CONVERGED and inside
        if not proved and converged and _wanted(known, chain.known, quenched.energy, tolerance, hopping.keep):
            steps, length = quenched.steps, quenched.path_length
            hopping.prove(search, trial, quenched)
            quenched.steps += steps
            quenched.path_length += length
            proved = True
        converged = quenched.status == Status.CONVERGED
        proved = proved and converged
        if proved and _is_new(known, chain.known, quenched.energy, tolerance):
            _insert(known, chain.known, quenched.energy)
            chain.known += 1
        accepted = inside and converged
        rise, chance = quenched.energy - chain.energy, draws[row, draws.shape[1] - 1]
        accepted = accepted and metropolis(rise, hopping.temperature, chance)
        adapt(tallies[which], accepted, hopping.ratio, hopping.interval, hopping.factor)
        outcomes[row].accepted, outcomes[row].proved, outcomes[row].move = accepted, proved, which
        if accepted:
            for k in range(x.size):
                x[k] = trial[k]
            chain.energy = quenched.energy
            if chain.energy <= hopping.target:
                return row + 1
    return draws.shape[0]
