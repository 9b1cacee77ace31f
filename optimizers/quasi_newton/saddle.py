"""Transition state of a calculator without a Hessian, with the minima on both of its sides."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from thalweg.optimizers.kernels.status import Status
from thalweg.optimizers.quasi_newton.ascent import Ascent, ascend
from thalweg.optimizers.quasi_newton.context import Context
from thalweg.optimizers.quasi_newton.knowledge import Proved
from thalweg.optimizers.quasi_newton.minimum import Minimum, find_minimum, judge_of
from thalweg.optimizers.quasi_newton.molecules.turning import pushed
from thalweg.optimizers.quasi_newton.proof import Proof, prove

__all__ = ["Saddle", "find_saddle"]

_ATTEMPTS = 3
# How far a stationary point of another kind is left, angstrom
_LEAVE, _CLIMB = 0.15, 0.3
# Fall in energy that the first step down shall bring, eV, and the lengths between which it lies
_FALL, _SHORTEST, _LONGEST = 4e-3, 0.03, 0.15
# Largest displacement of an atom in a step down: the way should lead where steepest descent leads
_CAREFUL = 0.15


@dataclass(frozen=True)
class Saddle:
    """Where a search for a transition state ended.

    Attributes
    ----------
    status : Status
    point : Proved
        The transition state; where the search failed, its end, with NaN for what was not computed.
    steps : int
    sides : tuple of Minimum
        Both minima; none, or the first alone, where the search failed.
    """

    status: Status
    point: Proved
    steps: int
    sides: tuple[Minimum, ...] = ()


def find_saddle(
    context: Context, x: np.ndarray, guess: np.ndarray | None, *, steps: int, longest: float, energies: np.ndarray,
    within: float,
) -> Saddle:  # fmt: skip
    """Find a transition state from x, and both of its minima.

    Parameters
    ----------
    context : Context
    x : (n,) ndarray
        Start.
    guess : (n,) ndarray or None
        Direction that leads uphill.
    steps : int
        Most steps uphill.
    longest : float
        Longest step uphill.
    energies : (k,) ndarray
        Ascending energies of transition states whose minima are known.
    within : float
        How far from one of these an energy is known.
    """
    surface, free, taken = context.surface, context.system.free, 0
    judge, hessian = judge_of(context, basins=False), None
    for _ in range(_ATTEMPTS):
        way = ascend(
            surface, x, goal=context.goal, steps=steps - taken, longest=longest, guess=guess, hessian=hessian,
            judge=judge,
        )  # fmt: skip
        taken += way.steps
        nowhere = Proved(way.energy, way.rms, way.x, np.nan, np.nan, 0)
        if way.status != Status.CONVERGED:
            return Saddle(way.status, nowhere, taken)
        if _near(energies, way.energy, within):
            return Saddle(Status.KNOWN, nowhere, taken)
        seen = context.known.states.same(way.x, way.energy, way.gradient)
        if seen is not None:
            return replace(seen.more, steps=taken)
        proof = prove(surface, way.x, way.energy, way.gradient, 1)
        if proof.status == Status.CONVERGED:
            return _with_sides(context, way, proof, taken)
        if proof.status != Status.WRONG_INDEX or taken >= steps:
            break
        guess = proof.vectors[:, 0]
        x, hessian = pushed(context.system, way.x, _elsewhere(proof), proof.hessian(free))
    return Saddle(proof.status, proof.point, taken)


def _near(energies: np.ndarray, energy: float, within: float) -> bool:
    place = int(np.searchsorted(energies, energy - within))
    return place < energies.size and bool(energies[place] <= energy + within)


def _elsewhere(proof: Proof) -> np.ndarray:
    """Return the way out of a stationary point of another kind: up from a minimum, off a saddle of higher order."""
    if proof.values[0] > 0.0:
        return _CLIMB * proof.vectors[:, 0]
    others: np.ndarray = proof.vectors[:, 1:][:, proof.values[1:] < 0.0].sum(axis=1)
    return _LEAVE * others / np.sqrt(max(1, int((proof.values[1:] < 0.0).sum())))


def _with_sides(context: Context, way: Ascent, proof: Proof, taken: int) -> Saddle:
    """Go down on both sides of a transition state."""
    point, mode, stiffness = proof.point, proof.vectors[:, 0], proof.stiffness(context.system.free)
    push = float(np.clip(np.sqrt(2.0 * _FALL / abs(point.lowest_eigenvalue)), _SHORTEST, _LONGEST))
    sides: list[Minimum] = []
    status = Status.CONVERGED
    for sign in (1.0, -1.0):
        start, turned = pushed(context.system, point.x, sign * push * mode, stiffness)
        side = find_minimum(context, start, longest=_CAREFUL, hessian=turned)
        side = replace(side, length=side.length + push)
        sides.append(side)
        if side.status != Status.CONVERGED:
            status = Status.FRAGMENTED if side.status == Status.FRAGMENTED else Status.SIDE_FAILED
            break
        if not side.point.energy < point.energy:
            status = Status.SIDE_NOT_BELOW
            break
    found = Saddle(status, point, taken, tuple(sides))
    if status == Status.CONVERGED:
        context.known.arrived(point)
        context.known.states.add(point, way.x, way.energy, found)
    return found
