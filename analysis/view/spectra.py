"""Eigenvalues of the Hessian at a stored point, or vibrational frequencies where it has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from thalweg.landscapes.landscape import Landscape

__all__ = ["LARGEST", "Spectrum", "spectrum"]

LARGEST = 500
"""Number of free degrees of freedom up to which the page computes a spectrum: more would take seconds."""


class Spectrum(NamedTuple):
    """Eigenvalues without null modes, rising.

    Attributes
    ----------
    values : (k,) ndarray
        Eigenvalues of the Hessian; or for atoms in eV frequencies in cm^-1, imaginary ones as negative numbers.
    label : str
        What they are, with the unit.
    """

    values: NDArray[np.float64]
    label: str


def spectrum(landscape: Landscape, kind: str, row: int) -> Spectrum:
    """Return the spectrum of a stored point; frequencies that are stored need no calculator.

    Parameters
    ----------
    landscape : Landscape
        Its system is built where that is needed and it has not been.
    kind : {"minima", "states"}
    row : int

    Raises
    ------
    ValueError
        If the system cannot be built (UntrustedError among them), or has too many degrees of freedom.
    """
    from thalweg.landscapes.maintenance.verify import eigenvalues
    from thalweg.potentials.vibrations.normal_modes import has_frequencies

    points = landscape.minima if kind == "minima" else landscape.transition_states
    stored = points.stored_frequencies(row)
    if stored is None and landscape.geometry.n_free > LARGEST:
        raise ValueError(f"there are more than {LARGEST} degrees of freedom")
    if stored is not None or has_frequencies(landscape.geometry):
        name = "minimum" if kind == "minima" else "transition state"
        return Spectrum(landscape.frequencies(name, row), "frequency / cm⁻¹")
    return Spectrum(eigenvalues(landscape.system, points.coordinates[row]), "eigenvalue of the Hessian")
