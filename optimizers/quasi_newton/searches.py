"""Batches of searches without a Hessian, with results as compiled searches write them."""

from __future__ import annotations

import numpy as np

from thalweg.optimizers.kernels.arguments import RUN, STATIONARY_POINT
from thalweg.optimizers.quasi_newton.context import LONGEST, Context
from thalweg.optimizers.quasi_newton.descent import descend
from thalweg.optimizers.quasi_newton.knowledge import KnownPoints, Proved
from thalweg.optimizers.quasi_newton.minimum import Minimum, find_minimum
from thalweg.optimizers.quasi_newton.saddle import find_saddle
from thalweg.optimizers.quasi_newton.surface import Surface
from thalweg.potentials.system import System

__all__ = ["descents", "longest_of", "minima_by_forces", "needs_differences", "transition_states_by_forces"]


def needs_differences(system: System) -> bool:
    """Return whether the Hessian of a system is made of differences of an ASE calculator's forces.

    With constraints along oblique directions compiled searches do it, which keep to them.
    """
    oblique = system.constraints is not None and len(system.constraints.normals) > 0
    return system.atoms is not None and not system.has_hessian and not oblique


def longest_of(max_step: float) -> float:
    """Return the largest displacement of an atom in a step, by the longest step of LBFGS."""
    return min(LONGEST, max_step)


def descents(system: System, X: np.ndarray, rms: float, max_step: float, steps: int) -> np.ndarray:
    """Minimise from every row of X, in place; return records of RUN."""
    found = np.zeros(len(X), RUN)
    for row, x in enumerate(X):
        surface = Surface(system)
        way = descend(surface, x, goal=rms, steps=steps, longest=longest_of(max_step))
        X[row] = way.x
        found[row] = (way.energy, way.rms, way.steps, surface.calls, way.status, way.length)
    return found


def _record(point: Proved, status: int, steps: int, length: float) -> tuple[float | int, ...]:
    """Return the fields of STATIONARY_POINT."""
    return (
        point.energy, point.rms, steps, status, point.lowest_eigenvalue, point.log_eigenvalue_product, point.modes,
        length,
    )  # fmt: skip


def recorded(end: Minimum, out: np.ndarray, x: np.ndarray) -> None:
    """Write a minimum to a record of STATIONARY_POINT, an array of one, and to x (n,)."""
    x[:] = end.point.x
    out[...] = _record(end.point, int(end.status), end.steps, end.length)


def minima_by_forces(
    system: System, X: np.ndarray, rms: float, max_step: float, steps: int, known: KnownPoints | None
) -> np.ndarray:
    """Find a proved minimum from every row of X, in place; return records of STATIONARY_POINT."""
    context = Context(system, rms, known or KnownPoints(system), steps, longest_of(max_step))
    found = np.zeros(len(X), STATIONARY_POINT)
    for row in range(len(X)):
        recorded(find_minimum(context, X[row]), found[row : row + 1], X[row])
    return found


def transition_states_by_forces(
    system: System, X: np.ndarray, directions: np.ndarray, rms: float, *, max_step: float, steps: int, longest: float,
    minimise_steps: int, energies: np.ndarray, within: float, known: KnownPoints | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Find a transition state and its minima from every row of X.

    Parameters
    ----------
    system : System
    X, directions : (walkers, n) ndarrays
        Starts, and directions that lead uphill, zero where there is none.
    rms : float
        Rms gradient to reach.
    max_step : float
        Longest step down.
    steps : int
        Most steps up.
    longest : float
        Longest step up.
    minimise_steps : int
        Most steps down.
    energies : (k,) ndarray
        Ascending energies of transition states whose minima are known.
    within : float
        How far from one of these an energy is known.
    known : KnownPoints or None

    Returns
    -------
    points, records, ends and their records as :func:`transition_state_rows` writes them
    """
    context = Context(system, rms, known or KnownPoints(system), minimise_steps, longest_of(max_step))
    count, n = X.shape
    found, sides = np.zeros(count, STATIONARY_POINT), np.zeros((count, 2), STATIONARY_POINT)
    x, ends = X.copy(), np.full((count, 2, n), np.nan)
    for name in ("energy", "rms", "lowest_eigenvalue", "log_eigenvalue_product", "path_length"):
        sides[name] = np.nan
    for row in range(count):
        guess = directions[row] if directions[row].any() else None
        end = find_saddle(context, X[row], guess, steps=steps, longest=longest, energies=energies, within=within)
        x[row] = end.point.x
        found[row] = _record(end.point, int(end.status), end.steps, np.nan)
        for side, minimum in enumerate(end.sides):
            recorded(minimum, sides[row, side : side + 1], ends[row, side])
    return x, found, ends, sides
