"""Vibrational frequencies: eigenvalues of the mass-weighted Hessian across the null modes."""

from __future__ import annotations

import numpy as np
from ase import units
from scipy.linalg import cholesky, null_space, solve_triangular

from thalweg.potentials.protocols import Matrix, Vector
from thalweg.potentials.system import System

__all__ = ["ENERGY_UNIT", "has_frequencies", "wavenumbers"]

ENERGY_UNIT = float(units._hbar * units.m / np.sqrt(units._e * units._amu))
"""hbar times sqrt(eV / angstrom**2 / atomic mass unit), in eV."""


def has_frequencies(system: System) -> bool:
    """Return whether points of a system have vibrational frequencies: atoms with masses, and energies in eV."""
    atoms = getattr(system, "atoms", None)
    if atoms is None or system.units != "eV":
        return False
    return bool((atoms.get_masses()[system.free // 3] > 0).all())


def wavenumbers(system: System, x: Vector, hessian: Matrix) -> Vector:
    """Return the vibrational frequencies at a stationary point, ascending.

    They are the square roots of the eigenvalues of M^(-1/2) H M^(-1/2) in the directions that are orthogonal to the
    null modes in mass-weighted coordinates, of which there are as many as there are eigenvalues of H besides those of
    its null modes. Directions in which constraints let nothing move are left out.

    Parameters
    ----------
    system : System
        Atoms with a calculator whose energies are in eV.
    x : ndarray, shape (n,)
        The stationary point, in angstrom.
    hessian : ndarray, shape (n, n)
        Second derivatives at x, in eV / angstrom**2, zero at frozen coordinates.

    Returns
    -------
    ndarray, shape (k,)
        In cm^-1; imaginary ones as negative numbers.

    Notes
    -----
    E. B. Wilson, J. C. Decius and P. C. Cross, Molecular Vibrations (1955), chapter 2.
    """
    assert system.atoms is not None
    free = system.free
    masses = np.repeat(system.atoms.get_masses(), 3)[free]
    normals = np.zeros((0, free.size)) if system.constraints is None else system.constraints.normals[:, free]
    null = system.null_modes(x)[:, free]
    # the directions that constraints forbid stand last among the null modes
    null, force = null[: len(null) - len(normals)], hessian[np.ix_(free, free)]
    allowed = null_space(normals) if len(normals) else np.eye(free.size)
    root = cholesky(allowed.T @ (masses[:, None] * allowed), lower=True)
    weighted = solve_triangular(root, allowed.T @ force @ allowed, lower=True)
    weighted = solve_triangular(root, weighted.T, lower=True)
    rows = null @ allowed @ root
    across = null_space(rows) if len(rows) else np.eye(len(weighted))
    values = np.linalg.eigvalsh(across.T @ (0.5 * (weighted + weighted.T)) @ across)
    return np.asarray(np.sign(values) * np.sqrt(np.abs(values)) * ENERGY_UNIT / units.invcm)
