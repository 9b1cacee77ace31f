"""Minimisation of large systems: LBFGS, then a check of the lowest Hessian eigenvalue, without a Hessian."""

from __future__ import annotations

import numpy as np

from thalweg.optimizers.kernels.status import Status, reasons
from thalweg.optimizers.krylov.curvature import Curvature
from thalweg.optimizers.krylov.merged_networks import ALIKE, EXACT, SWITCH, may_merge, merged, merged_minimum
from thalweg.optimizers.krylov.proof import SMALLEST_EIGENVALUE, prove
from thalweg.optimizers.krylov.rotated_networks import rotated, rotated_descent, rotated_proof
from thalweg.optimizers.krylov.walk import LargeMinimum, walk
from thalweg.optimizers.results import MinimiseResult
from thalweg.optimizers.rules import Rules
from thalweg.potentials.neural_network.principal_axes.rotated_network import RotatedNetwork
from thalweg.potentials.system import System

__all__ = ["LARGEST_MATRIX", "SMALLEST_EIGENVALUE", "large_minimum", "minimise_large"]

# With more free coordinates no Hessian is made: eigenvalues come from products of it with vectors
LARGEST_MATRIX = 500
_LEAVE = 0.05


def large_minimum(
    system: System, x: np.ndarray, rms: float, rules: Rules, steps: int, *, merge: bool = True
) -> LargeMinimum:
    """Minimise from x by LBFGS, in place, and see that the lowest eigenvalue is positive.

    A saddle is left downhill, twice at most. Hidden units of a wide network that become copies of each other move
    together from then on. A network whose inputs have very uneven second moments, as raw pixels have, is minimised
    along their principal axes.

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
    merge : bool
        Whether hidden units of a wide network that are nearly equal may be merged, and coordinates scaled, so that the
        way down need not stay in the basin where it began; copies are always merged.
    """
    taken = calls = 0
    if may_merge(system) and (loss := merged(system, x, EXACT)) is not None:
        return merged_minimum(system, x, loss, rms=rms, rules=rules, steps=steps)
    network = rotated(system) if merge else None
    if merge and rms < SWITCH and may_merge(system):
        _, _, taken, calls, status = _descend(system, network, x, SWITCH, rules, steps)
        if status == Status.CONVERGED and (loss := merged(system, x, ALIKE)) is not None:
            end = merged_minimum(system, x, loss, rms=rms, rules=rules, steps=steps)
            return end._replace(steps=end.steps + taken, evaluations=end.evaluations + calls)
    for _attempt in range(3):
        energy, norm, more, evaluations, status = _descend(system, network, x, rms, rules, steps)
        taken, calls, lowest = taken + more, calls + evaluations, np.nan
        if status != Status.CONVERGED:
            break
        proof = prove(system, Curvature(system, x), x, 1) if network is None else rotated_proof(network, x)
        lowest, status = float(proof.values[0]), proof.status(0)
        if status != Status.WRONG_INDEX:
            break
        x[system.free] += _LEAVE * proof.vectors[0]
    return LargeMinimum(
        energy=energy, rms=norm, steps=taken, evaluations=calls, status=status, lowest_eigenvalue=lowest
    )


def _descend(
    system: System, network: RotatedNetwork | None, x: np.ndarray, rms: float, rules: Rules, steps: int
) -> tuple[float, float, int, int, Status]:
    """Minimise from x, in place, along the principal axes of a network's inputs first if it is given along these.

    Of what LBFGS does in the coordinates themselves after that, little is left.
    """
    taken, calls = (0, 0) if network is None else rotated_descent(network, x, rms, rules, steps)
    energy, norm, more, evaluations, status = walk(system, x, rms, rules, max(steps - taken, 1))
    return energy, norm, taken + more, calls + evaluations, status


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
