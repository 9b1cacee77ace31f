"""Lengths of steepest descent from a transition state to its two minima."""

from __future__ import annotations

import numpy as np

from thalweg.optimizers.descent_paths.coordinates import PathCoordinates
from thalweg.optimizers.descent_paths.hessians import ExactHessians, LearningHessian, lowest_direction
from thalweg.optimizers.descent_paths.integration import DescentPath, integrate
from thalweg.optimizers.quasi_newton.surface import Surface
from thalweg.potentials.system import System

__all__ = ["PUSH", "descent_lengths", "lengths_at_once"]

PUSH = 0.01
"""First displacement from a transition state along its downhill mode."""

# Largest step where nothing says a better one, and how near its minimum a path ends, as a part of its length
_LONGEST, _NEAR = 0.4, 0.02
# Degrees of freedom up to which lengths cost little beside the search: LJAT3's cluster, surfaces, functions
_SMALL = 12


def lengths_at_once(system: System) -> bool:
    """Return whether searches compute the lengths of their paths: not where a path would cost more than the search."""
    return system.n_free <= _SMALL and (system.threadsafe or system.atoms is None)


def descent_lengths(system: System, x: np.ndarray, ends: np.ndarray) -> tuple[float, float]:
    """Return the lengths of steepest descent from a transition state to its minima.

    Parameters
    ----------
    system : System
    x : (n,) ndarray
        The transition state.
    ends : (2, n) ndarray
        Its minima, or symmetry copies of them.

    Returns
    -------
    (float, float)
        In the order of ``ends``; both NaN where steepest descent leads elsewhere or cannot be followed.

    Raises
    ------
    Exception
        Whatever a potential written in Python raises.
    """
    coordinates, surface = PathCoordinates.of(system), Surface(system)
    exact = system.atoms is None or system.has_hessian
    value, mode, hessian = lowest_direction(surface, coordinates, x, exact=exact)
    if not value < 0:
        return np.nan, np.nan
    push = PUSH if system.width is None else min(PUSH, 1e-3 * system.width)
    longest = _LONGEST if system.width is None else 0.1 * system.width
    sides = []
    for sign in (1.0, -1.0):
        source = ExactHessians(coordinates) if exact else LearningHessian(hessian, surface.difference)
        try:
            path = integrate(surface, coordinates, x, sign * mode, source, push=push, longest=longest, goal=1e-12)
        except RuntimeError:
            system.reraise()
            return np.nan, np.nan
        sides.append((path, x + coordinates.matrix @ path.points[-1]))
    system.reraise()
    found = [[_length(system, path, place, end) for end in ends] for path, place in sides]
    orders = [(found[0][0], found[1][1]), (found[1][0], found[0][1])]
    known = [order for order in orders if np.isfinite(order).all()]
    # where both sides lead to copies of one minimum, the nearer copies are meant
    return min(known, key=lambda order: _apart(sides, ends, order is orders[1])) if known else (np.nan, np.nan)


def _length(system: System, path: DescentPath, place: np.ndarray, end: np.ndarray) -> float:
    """Return the length of a path that ended at ``place`` to the minimum ``end``; NaN where that is not near."""
    length = float(path.length()[-1])
    rest = float(np.linalg.norm(place - end))
    if rest > _NEAR * length:
        rest = float(system.distance(place, end))
    return length + rest if rest <= _NEAR * length else np.nan


def _apart(sides: list[tuple[DescentPath, np.ndarray]], ends: np.ndarray, turned: bool) -> float:
    places = [place for _, place in sides][:: -1 if turned else 1]
    return sum(float(np.linalg.norm(place - end)) for place, end in zip(places, ends, strict=True))
