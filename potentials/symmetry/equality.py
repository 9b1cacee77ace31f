"""Equality of atoms: which of them may be exchanged."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

__all__ = ["PERMUTATIONS", "kinds_of"]

PERMUTATIONS = ("bonds", "all", "none")
"""Which equal atoms may be exchanged: where bonds stay, all, or none."""


def kinds_of(atoms: Atoms) -> NDArray[np.int64]:
    """Return numbers (atoms,), equal for atoms that agree in species, mass, tag, initial charge and moment."""
    moments = np.reshape(atoms.get_initial_magnetic_moments(), (len(atoms), -1))
    properties = (atoms.numbers, atoms.get_masses(), atoms.get_tags(), atoms.get_initial_charges(), moments)
    rows = np.column_stack(properties).astype(np.float64)
    return np.unique(rows.round(9), axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
