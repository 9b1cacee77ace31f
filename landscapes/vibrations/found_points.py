"""Vibrational frequencies of the points that a task has found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thalweg.optimizers.large_systems import LARGEST_MATRIX
from thalweg.potentials.vibrations.normal_modes import has_frequencies, wavenumbers

if TYPE_CHECKING:
    import numpy as np

    from thalweg.optimizers.quasi_newton.knowledge import KnownPoints
    from thalweg.potentials.system import System

__all__ = ["frequencies_at"]


def frequencies_at(system: System, x: np.ndarray, points: KnownPoints | None) -> np.ndarray | None:
    """Return the vibrational frequencies of a point that was found, in cm^-1; None where it has none, or is known.

    Parameters
    ----------
    system : System
        The explored system.
    x : (n,) array
        Where the search ended.
    points : KnownPoints or None
        What the searches of a calculator without a Hessian have proved: frequencies came with the proof, and nothing is
        computed again. For others the Hessian is computed here.
    """
    if points is not None:
        return points.frequencies_at(x)
    if not has_frequencies(system) or system.n_free > LARGEST_MATRIX:
        return None
    return wavenumbers(system, x, system.hessian(x))
