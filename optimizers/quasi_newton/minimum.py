"""Minimum of a calculator without a Hessian: descended to, recognised where it is known, and proved where not."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from thalweg.optimizers.kernels.status import Status
from thalweg.optimizers.quasi_newton.context import Context
from thalweg.optimizers.quasi_newton.descent import Descent, Judge, descend
from thalweg.optimizers.quasi_newton.knowledge import Proved
from thalweg.optimizers.quasi_newton.molecules.turning import TurningMolecules
from thalweg.optimizers.quasi_newton.proof import prove

__all__ = ["Minimum", "find_minimum", "judge_of"]

# Steps between looks at the bonds
_LOOK = 5
_PUSH, _ATTEMPTS = 0.1, 3


@dataclass(frozen=True)
class Minimum:
    """Where a search for a minimum ended.

    Attributes
    ----------
    status : Status
    point : Proved
        The minimum; where the search failed, its end, with NaN for what was not computed.
    x, energy : (n,) ndarray and float
        Where the descent itself ended: they do not depend on what the process happens to know.
    steps : int
    length : float
        Of the way.
    """

    status: Status
    point: Proved
    x: np.ndarray
    energy: float
    steps: int
    length: float


def find_minimum(
    context: Context, x: np.ndarray, *, longest: float | None = None, hessian: np.ndarray | None = None
) -> Minimum:
    """Find a proved minimum from x.

    Parameters
    ----------
    context : Context
    x : (n,) ndarray
        Start; it is not changed.
    longest : float, optional
        Largest displacement of an atom in a step, the context's where missing.
    hessian : (n_free, n_free) ndarray, optional
        Positive definite guess of the Hessian at the start.
    """
    steps, length = 0, 0.0
    for _ in range(_ATTEMPTS):
        way = descend(
            context.surface, x, goal=context.goal, steps=context.steps, longest=longest or context.longest,
            hessian=hessian, judge=judge_of(context, basins=True),
        )  # fmt: skip
        steps, length = steps + way.steps, length + way.length
        end, push = _named(context, way)
        if end.status != Status.WRONG_INDEX:
            break
        # a saddle is left along its mode
        x, hessian = TurningMolecules(context.system, way.x).moved(way.x, push)[0], None
    if end.status == Status.CONVERGED:
        context.known.arrived(end.point)
    # as far as the minimum in whose basin it ended early
    return replace(end, steps=steps, length=length + float(np.linalg.norm(end.x - way.x)))


def judge_of(context: Context, *, basins: bool) -> Judge:
    """Return what ends a search early: a molecule that parts, or for descents the basin of a known minimum."""

    def judge(x: np.ndarray, energy: float, gradient: np.ndarray, step: int) -> Status | None:
        if basins and context.known.minima.basin(x, energy, gradient) is not None:
            return Status.KNOWN
        if step % _LOOK == _LOOK - 1 and context.fragments.parting(x, gradient):
            return Status.FRAGMENTED
        return None

    return judge


def _named(context: Context, way: Descent) -> tuple[Minimum, np.ndarray]:
    """Return the minimum at the end of a descent, and the way out of it if it is none."""
    known, still = context.known, np.zeros(way.x.size)
    nowhere = Proved(way.energy, way.rms, way.x, np.nan, np.nan, 0)
    end = Minimum(way.status, nowhere, way.x, way.energy, way.steps, way.length)
    if way.status not in (Status.CONVERGED, Status.KNOWN):
        return end, still
    seen = known.minima.basin(way.x, way.energy, way.gradient)
    if seen is not None:
        point = replace(seen.point, x=context.system.align(way.x, seen.point.x))
        return replace(end, status=Status.CONVERGED, point=point, x=seen.x, energy=seen.energy), still
    if context.fragments.fallen(way.x):
        return replace(end, status=Status.FRAGMENTED), still
    seen = known.proved_minima.same(way.x, way.energy, way.gradient)
    if seen is not None:
        point = replace(seen.point, x=context.system.align(way.x, seen.point.x))
        known.minima.add(point, way.x, way.energy)
        return replace(end, status=Status.CONVERGED, point=point), still
    proof = prove(context.surface, way.x, way.energy, way.gradient, 0)
    if proof.status == Status.CONVERGED:
        known.minima.add(proof.point, way.x, way.energy)
        known.proved_minima.add(proof.point)
    end = replace(end, status=proof.status, point=proof.point)
    return end, _PUSH * proof.vectors[:, 0] if len(proof.values) else still
