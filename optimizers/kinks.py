"""Searches that end on a kink, where a potential written in Python is not differentiable.

Minimisers of non-smooth functions zigzag across kinks until their steps are used up. So a search on such a potential
takes few steps at first, and all only if it has not come to a kink by then; a search that fails on a kink says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from thalweg.optimizers.kernels.status import Status
from thalweg.potentials.calculator import FlatCalculator
from thalweg.potentials.function import Function
from thalweg.potentials.smoothness.kinks import Slope, slope_of_energy, slope_of_gradient

if TYPE_CHECKING:
    from thalweg.potentials.system import System

__all__ = ["FIRST_STEPS", "ends_on_kink", "may_have_kinks", "with_kinks"]

FIRST_STEPS = 1000
"""Steps after which a search on a potential written in Python is looked at."""

_DIRECTIONS = 4  # random ones, beside that of the gradient
# Ends at which a gradient may jump; others are of other causes
_SUSPICIOUS = [
    Status.TOO_MANY_STEPS, Status.ENERGY_NOT_LOWERED, Status.WRONG_INDEX, Status.SIDE_FAILED,
    Status.ONLY_POSITIVE_CURVATURE, Status.DIVERGED, Status.WRONG_PRODUCTS,
]  # fmt: skip


def may_have_kinks(system: System) -> bool:
    """Return whether nothing is known of the smoothness of a potential: one of a flat vector, written in Python."""
    potential = system.potential
    return system.atoms is None and isinstance(potential, FlatCalculator) and potential.compiled is None


def ends_on_kink(system: System, x: np.ndarray) -> bool:
    """Return whether the gradient jumps next to x (n,), along itself or along random directions."""
    if not np.isfinite(x).all():
        return False
    with np.errstate(all="ignore"):
        gradient = system.energy_gradient(x)[1]
        directions = np.zeros((1 + _DIRECTIONS, system.n))
        directions[0, system.free] = gradient[system.free]
        directions[1:, system.free] = np.random.default_rng(0).normal(size=(_DIRECTIONS, system.n_free))
        return slope_of(system).jump_near(x, directions) is not None


def slope_of(system: System) -> Slope:
    """Return the slope of a system's potential: by differences of the energy where no gradient was given."""
    potential = system.potential
    if isinstance(potential, Function) and not potential.has_gradient:
        return slope_of_energy(potential.energy)
    return slope_of_gradient(lambda x: system.energy_gradient(x)[1], system.free)


def with_kinks(system: System, status: np.ndarray, X: np.ndarray, ends: np.ndarray | None = None) -> np.ndarray:
    """Return status codes with :attr:`Status.KINK` for searches that end on one.

    Parameters
    ----------
    system : System
    status : (walkers,) ndarray of int
    X : (walkers, n) ndarray
        Where the searches ended.
    ends : (walkers, 2, n) ndarray, optional
        Where the minimisations from a transition state to both sides ended.
    """
    if not may_have_kinks(system):
        return status
    said, potential = status.copy(), system.potential
    # long differences of the energy smooth a kink away, so that a search may seem to converge there
    smoothed = isinstance(potential, Function) and not potential.has_gradient
    for row in np.flatnonzero(np.isin(status, [*_SUSPICIOUS, Status.CONVERGED] if smoothed else _SUSPICIOUS)):
        sides = ends is not None and status[row] == Status.SIDE_FAILED
        where = ends[row] if ends is not None and sides else X[row][None]
        if any(ends_on_kink(system, x) for x in where):
            said[row] = Status.KINK
    return said
