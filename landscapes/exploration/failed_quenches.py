"""Warning after a run of quenches of which none has found a minimum: why, and what may help."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from thalweg.optimizers import minimise
from thalweg.optimizers.kernels.status import Status
from thalweg.potentials.calculator import FlatCalculator
from thalweg.potentials.function import Function

if TYPE_CHECKING:
    from thalweg.landscapes.landscape import Landscape
    from thalweg.potentials.system import System

__all__ = ["warn_if_all_failed"]

_TRIED = 3  # quenches at whose ends eigenvalues are counted
_LARGEST = 500  # free coordinates up to which all eigenvalues are computed
_ZERO = 1e-5  # an eigenvalue this much smaller than the largest counts as zero


def warn_if_all_failed(landscape: Landscape) -> None:
    """Warn where a landscape has no minimum after some quenches, with their reasons and a hint.

    Warns
    -----
    RuntimeWarning
        With the number of quenches that ended for each reason.
    """
    reasons = dict(landscape.searches.count())
    if len(landscape.minima) or not reasons:
        return
    quenches = sum(reasons.values())
    told = ", ".join(f"{reason}: {number}" for reason, number in sorted(reasons.items(), key=lambda one: -one[1]))
    # the line that called landscape.find_minima
    warnings.warn(
        f"none of {quenches} quenches found a minimum ({told}){_hint(landscape, reasons)}", RuntimeWarning, stacklevel=4
    )


def _hint(landscape: Landscape, reasons: Mapping[str, int]) -> str:
    system = landscape.system
    if max(reasons, key=reasons.__getitem__) == Status.KINK.reason:
        return "; smooth it: softplus or gelu instead of relu, sqrt(x**2 + a**2) with a small a instead of |x|"
    if Status.NO_MINIMUM.reason in reasons:
        return "; an L2 term gives a loss its minima, such as l2=1e-4: it keeps weights from growing for ever"
    if Status.IDLE_UNIT.reason in reasons:
        return "; fewer hidden units, a smaller l2, or l2_biases=True, with which the biases of idle units are zero"
    if max(reasons, key=reasons.__getitem__) != Status.ZERO_MODE.reason or system.n_free > _LARGEST:
        return ""
    zeros = _zero_eigenvalues(system, landscape.seed)
    if not zeros:
        return ""
    often = f"{zeros} zero eigenvalue{'s' if zeros > 1 else ''} at the end of each of {_TRIED} quenches"
    if isinstance(system.potential, Function):
        return f"; {often}: a continuous symmetry? Declare it by Function(..., null_modes=...)"
    if isinstance(system.potential, FlatCalculator):
        return f"; {often}: a continuous symmetry? The potential can declare it by its attribute null_modes"
    return f"; {often}: are there atoms that nothing holds, or a motion that leaves the energy unchanged?"


def _zero_eigenvalues(system: System, seed: int) -> int:
    """Return the smallest number of eigenvalues near zero, null modes left out, at the ends of some quenches."""
    rng = np.random.default_rng(seed)
    ends = minimise(system, np.array([system.random(rng) for _ in range(_TRIED)]), threads=1).x
    counts = []
    for x in ends[np.isfinite(ends).all(axis=1)]:
        hessian = system.hessian(x)[np.ix_(system.free, system.free)]
        values = np.abs(np.linalg.eigvalsh(hessian)) if np.isfinite(hessian).all() else np.ones(1)
        counts.append(int((values < _ZERO * values.max()).sum()) - len(system.null_modes(x)))
    return max(0, min(counts, default=0))
