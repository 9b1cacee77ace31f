"""Coordinates in which a path of steepest descent is followed: free motions, mass-weighted on request."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import null_space

from thalweg.potentials.system import System

__all__ = ["PathCoordinates"]


@dataclass(frozen=True)
class PathCoordinates:
    """Linear coordinates q with x = x_0 + matrix q, in which lengths of paths are measured.

    Attributes
    ----------
    system : System
    matrix : (n, k) ndarray
        Displacement of all coordinates by a unit of each q. Orthonormal columns without masses; with them columns that
        are orthonormal in the metric of the masses, so that q has the unit of a length times the root of a mass.
    """

    system: System
    matrix: np.ndarray

    @classmethod
    def of(cls, system: System, *, mass_weighted: bool = False) -> PathCoordinates:
        """Return the coordinates of a system.

        Parameters
        ----------
        system : System
        mass_weighted : bool
            Whether lengths are mass-weighted, in units of the root of the atomic mass unit.

        Raises
        ------
        ValueError
            If the system has no masses, because it is not made of atoms.
        """
        matrix = np.eye(system.n)[:, system.free]
        if system.constraints is not None and len(system.constraints.normals):
            matrix = matrix @ null_space(system.constraints.normals[:, system.free])
        if not mass_weighted:
            return cls(system, matrix)
        if system.atoms is None:
            raise ValueError("mass_weighted=True needs atoms: a point and a network's weights have no masses")
        masses = np.repeat(system.atoms.get_masses(), 3)
        if not (masses > 0).all():
            raise ValueError(f"mass_weighted=True needs masses above zero; one is {masses.min():g}")
        values, vectors = np.linalg.eigh(matrix.T @ (masses[:, None] * matrix))
        return cls(system, matrix @ (vectors / np.sqrt(values)) @ vectors.T)

    def null_modes(self, x: np.ndarray) -> np.ndarray:
        """Return an orthonormal basis (k, modes) of the directions that leave the energy unchanged at x (n,)."""
        null = self.system.null_modes(x)
        return (
            np.linalg.qr(np.linalg.pinv(self.matrix) @ null.T)[0] if len(null) else np.zeros((self.matrix.shape[1], 0))
        )
