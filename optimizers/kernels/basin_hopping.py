"""A chain of quenches with Metropolis acceptance, compiled: no Python between steps."""

from __future__ import annotations

import numba
import numpy as np

from thalweg.optimizers.kernels.moves import MOVE, pull_inside, reach
from thalweg.optimizers.kernels.searches import SYSTEM
from thalweg.potentials.compiled.signatures import jit, matrix, vector

__all__ = ["ACCEPTED", "COLUMNS", "MOST_MOVES", "PROVED", "WHICH", "adapt", "basin_hopping_rows", "metropolis"]

_CONVERGED = 0
MOST_MOVES = 4
ACCEPTED, PROVED, WHICH, COLUMNS = 8, 9, 10, 11

# The minimisations come as pointers too: called directly they would be compiled again into this function
MINIMISATION = numba.types.FunctionType(numba.void(*SYSTEM, vector, vector, matrix, matrix))


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
    """Return whether an energy is new and among the lowest so many."""
    return (count < keep or energy < known[keep - 1]) and _is_new(known, count, energy, tolerance)


@jit(numba.void(vector, numba.int64, numba.float64))
def _insert(known, count, energy):
    place = _place(known, count, energy)
    for k in range(count, place, -1):
        known[k] = known[k - 1]
    known[place] = energy


@jit(numba.void(vector, numba.boolean, numba.float64, numba.float64, numba.float64))
def adapt(tally, accepted, ratio, interval, factor):
    """Count a step; once an interval make the step longer if more than the ratio were accepted, else shorter.

    ``tally`` (4,): step, 1 where it may change, tried and accepted since it last did.
    """
    tally[2] += 1.0
    tally[3] += 1.0 if accepted else 0.0
    if tally[2] < interval:
        return
    if tally[1] > 0.0 and ratio > 0.0:
        tally[0] *= factor if tally[3] > ratio * tally[2] else 1.0 / factor
    tally[2], tally[3] = 0.0, 0.0


@jit(numba.int64(vector, vector))
def _chosen(chances, draws):
    """Return which move a step makes: the last number but one decides where there are several."""
    which = 0
    while which < chances.size - 1 and chances[which] < 1.0 and draws[draws.size - 2] >= chances[which]:
        which += 1
    return which


@jit(
    numba.int64(
        MINIMISATION, MINIMISATION, *SYSTEM, vector, vector, MOVE, MOVE, MOVE, MOVE,
        vector, matrix, vector, vector, vector, matrix, vector, matrix, matrix,
    )
)  # fmt: skip
def basin_hopping_rows(
    minimise, prove, walk, follow, function, hessian, integers, floats, free, frozen, rigid, constant,
    rules, settings, move_0, move_1, move_2, move_3, chances, tallies, options, known, state, draws, x, X, numbers,
):  # fmt: skip
    """Displace, minimise, accept or refuse, once a row of ``draws``, until the target energy is reached.

    Parameters
    ----------
    minimise, prove : functions as :func:`minimum_rows`; the second sees what the first found at a new energy.
    walk, follow : as they take them.
    function, hessian, integers, floats, free, frozen, rigid, constant : as a System has them.
    rules, settings : as :func:`minimum_rows` takes them.
    move_0, ..., chances, tallies : the moves, their cumulative probabilities (4,), and what :func:`adapt` keeps (4, 4).
    options : k_B T, target energy, radius of the container, 1 if ``minimise`` proves, tolerance of energies, acceptance
        ratio to keep (0 for none), steps between changes, their factor, how many of the lowest minima to prove.
    known : rising energies of proved minima, with room for as many more as there are rows.
    state : energy of the chain, how many energies are known; both are kept up to date.
    draws : (rows, ...) uniform random numbers in [0, 1), the last of a row for the acceptance.
    x : (n,) the chain's minimum, overwritten by its last.
    X : (rows, n) takes every minimum.
    numbers : (rows, 11) what :func:`minimum_rows` writes; 1 where accepted; 1 where proved; which move.

    Returns
    -------
    how many rows were done
    """
    trial, result = np.empty((1, x.size)), np.empty((1, 8))
    for row in range(draws.shape[0]):
        which = _chosen(chances, draws[row])
        move = move_0 if which == 0 else move_1 if which == 1 else move_2 if which == 2 else move_3
        move(x, free, tallies[which, 0], draws[row], trial[0])
        pull_inside(trial[0], options[2])
        minimise(
            walk, follow, function, hessian, integers, floats, free, frozen, rigid, constant,
            rules, settings, trial, result,
        )  # fmt: skip
        inside = reach(trial[0], -1, numbers[row]) <= options[2]
        proved = options[3] > 0.0
        converged = result[0, 3] == _CONVERGED and inside
        if not proved and converged and _wanted(known, int(state[1]), result[0, 0], options[4], int(options[8])):
            steps, length = result[0, 2], result[0, 7]
            prove(
                walk, follow, function, hessian, integers, floats, free, frozen, rigid, constant,
                rules, settings, trial, result,
            )  # fmt: skip
            result[0, 2] += steps
            result[0, 7] += length
            proved = True
        proved = proved and result[0, 3] == _CONVERGED
        if proved and _is_new(known, int(state[1]), result[0, 0], options[4]):
            _insert(known, int(state[1]), result[0, 0])
            state[1] += 1.0
        accepted = inside and result[0, 3] == _CONVERGED
        accepted = accepted and metropolis(result[0, 0] - state[0], options[0], draws[row, draws.shape[1] - 1])
        adapt(tallies[which], accepted, options[5], options[6], options[7])
        for k in range(8):
            numbers[row, k] = result[0, k]
        numbers[row, ACCEPTED] = 1.0 if accepted else 0.0
        numbers[row, PROVED] = 1.0 if proved else 0.0
        numbers[row, WHICH] = which
        for k in range(x.size):
            X[row, k] = trial[0, k]
            if accepted:
                x[k] = trial[0, k]
        if accepted:
            state[0] = result[0, 0]
            if state[0] <= options[1]:
                return row + 1
    return draws.shape[0]
