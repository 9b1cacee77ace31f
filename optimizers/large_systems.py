"""Minimisation of large systems: LBFGS, then a check of the lowest Hessian eigenvalue, without a Hessian."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from thalweg.optimizers.kernels.lbfgs_simd import quick_walk
from thalweg.optimizers.kernels.status import Status, reasons
from thalweg.optimizers.krylov.curvature import Curvature
from thalweg.optimizers.krylov.proof import SMALLEST_EIGENVALUE, prove
from thalweg.optimizers.results import MinimiseResult
from thalweg.optimizers.rules import Rules
from thalweg.potentials.system import System

__all__ = ["LARGEST_MATRIX", "SMALLEST_EIGENVALUE", "LargeMinimum", "large_minimum", "minimise_large"]

# With more free coordinates no Hessian is made: eigenvalues come from products of it with vectors
LARGEST_MATRIX = 500
_LEAVE = 0.05


class LargeMinimum(NamedTuple):
    """Result of :func:`large_minimum`; ``lowest_eigenvalue`` is NaN where it was not computed."""

    energy: float
    rms: float
    steps: int
    evaluations: int
    status: Status
    lowest_eigenvalue: float


def large_minimum(system: System, x: np.ndarray, rms: float, rules: Rules, steps: int) -> LargeMinimum:
    """Minimise from x by LBFGS, in place, and see that the lowest eigenvalue is positive.

    A saddle is left downhill, twice at most.

    Parameters
    ----------
    system : System
    x : ndarray, shape (n,)
        Start, overwritten.
    rms : float
        Rms gradient to reach.
    rules : Rules
        Step rules of LBFGS.
    steps : int
        Most LBFGS steps of each attempt.
    """
    function, _, integers, floats = system.compiled
    packed, gradient, no_trace = rules.packed(), np.empty_like(x), np.empty((0, x.size + 1))
    taken, calls = 0, 0
    for _attempt in range(3):
        energy, norm, more, evaluations, status, _ = quick_walk(
            function, integers, floats, system.frozen, packed, rms, steps, x, gradient, no_trace
        )
        taken, calls, lowest = taken + more, calls + evaluations, np.nan
        if status != Status.CONVERGED:
            break
        proof = prove(system, Curvature(system, x), x, 1)
        lowest, status = float(proof.values[0]), proof.status(0)
        if status != Status.WRONG_INDEX:
            break
        x[system.free] += _LEAVE * proof.vectors[0]
    return LargeMinimum(
        energy=energy, rms=norm, steps=taken, evaluations=calls, status=Status(status), lowest_eigenvalue=lowest
    )


def minimise_large(system: System, X: np.ndarray, rms: float, rules: Rules, steps: int) -> MinimiseResult:
    """Minimise every row of X in place, one after another, and prove each by its lowest eigenvalue.

    The product of the eigenvalues, which needs all of them, is NaN.

    Parameters
    ----------
    system, rms, rules, steps
        As :func:`large_minimum` takes them.
    X : ndarray, shape (walkers, n)
        Starts, overwritten.
    """
    found = [large_minimum(system, x, rms, rules, steps) for x in X]
    status = np.array([one.status for one in found], dtype=np.int64)
    modes = np.array([system.n_free - len(system.null_modes(x)) if np.isfinite(x).all() else 0 for x in X], dtype=int)
    good = status == Status.CONVERGED
    return MinimiseResult(
        x=X,
        energy=np.array([one.energy for one in found], dtype=np.float64),
        rms=np.array([one.rms for one in found], dtype=np.float64),
        steps=np.array([one.steps for one in found], dtype=np.int64),
        evaluations=np.array([one.evaluations for one in found], dtype=np.int64),
        converged=good,
        reason=reasons(status),
        lowest_eigenvalue=np.array([one.lowest_eigenvalue for one in found], dtype=np.float64),
        log_eigenvalue_product=np.full(len(X), np.nan),
        modes=np.where(good, modes, 0),
    )
