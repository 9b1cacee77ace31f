"""Partition functions of minima and transition states of atoms: harmonic vibrations and rigid rotors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from ase import units
from numpy.typing import NDArray

if TYPE_CHECKING:
    from thalweg.analysis.networks.molecular_motion import MolecularMotion

__all__ = [
    "PLANCK",
    "check_tunnelling",
    "log_rotations",
    "log_vibrations",
    "log_wigner",
    "thermal_energies",
    "thermal_heat_capacities",
    "vibrational_energies",
]

PLANCK = float(2 * np.pi * units._hbar / units._e)
"""Planck's constant in eV s."""

_ROTOR = float(units._e * units._amu * 1e-20 / units._hbar**2)
"""One u angstrom^2 eV over hbar^2."""


def check_tunnelling(tunnelling: str | None) -> None:
    """Raise ValueError for a correction that is not known."""
    if tunnelling not in (None, "wigner"):
        raise ValueError(f"tunnelling is {tunnelling!r}; it must be 'wigner' or None")


def vibrational_energies(motion: MolecularMotion, ts: str = "") -> NDArray[np.float64]:
    """Return hbar omega of the real vibrations in eV, (n, k), NaN beyond the last.

    Parameters
    ----------
    motion : MolecularMotion
    ts : {"", "ts_"}
        Whether of minima or of transition states, whose imaginary frequency is left out.

    Raises
    ------
    ValueError
        If a point has no frequencies, or a number of imaginary ones that it should not have.
    """
    frequencies: NDArray[np.float64] = getattr(motion, f"{ts}frequencies")
    group, negative = ("transition state", 1) if ts else ("minimum", 0)
    unknown = np.isnan(frequencies).all(axis=1)
    if unknown.any():
        raise ValueError(
            f"{group} {int(np.flatnonzero(unknown)[0])} has no vibrational frequencies: fill_frequencies(landscape), "
            "or thalweg verify --frequencies, computes what is missing"
        )
    wrong = (frequencies <= 0).sum(axis=1) != negative
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        count = int((frequencies[row] <= 0).sum())
        raise ValueError(f"{group} {row} has {count} frequencies that are not real and positive, not {negative}")
    return np.where(frequencies > 0, frequencies, np.nan) * units.invcm


def log_vibrations(energies: NDArray[np.float64], temperature: float, quantum: bool) -> NDArray[np.float64]:
    """Return ln of the vibrational partition function from the bottom of the well, (n,).

    ``product of kT / (hbar omega)``, or with ``quantum`` of ``1 / (2 sinh(hbar omega / 2 kT))``, which holds the
    zero-point energy.
    """
    u = energies / temperature
    each = -u / 2 - np.log1p(-np.exp(-u)) if quantum else -np.log(u)
    return np.nansum(each, axis=1)


def log_rotations(motion: MolecularMotion, temperature: float, ts: str = "") -> NDArray[np.float64]:
    """Return ln of the classical partition function of a rigid rotor without its symmetry number, (n,).

    ``sqrt(8 pi) product of sqrt(kT I / hbar^2)`` of a molecule, ``2 kT I / hbar^2`` of a linear one and
    ``sqrt(2 pi kT I / hbar^2)`` of a turn about an axis. Where symmetry orders count reflections, that of a linear
    molecule is half as large: a linear molecule is its own mirror image whatever its order.
    """
    moments: NDArray[np.float64] = getattr(motion, f"{ts}moments")
    count = (moments > 0).sum(axis=1)
    reduced = np.where(moments > 0, moments * temperature * _ROTOR, 1.0)
    linear = 0.0 if motion.reflections else np.log(2.0)
    constant = np.array([0.0, 0.5 * np.log(2 * np.pi), linear, 0.5 * np.log(8 * np.pi)])
    return np.asarray(0.5 * np.log(reduced).sum(axis=1) + constant[count])


def log_wigner(motion: MolecularMotion, temperature: float) -> NDArray[np.float64]:
    """Return ln of Wigner's correction of each transition state, (m,): ``1 + (hbar |omega| / kT)^2 / 24``.

    E. P. Wigner, Z. Phys. Chem. B 19 (1932) 203.
    """
    u = -np.nanmin(motion.ts_frequencies, axis=1, initial=0.0) * units.invcm / temperature
    return np.asarray(np.log1p(u**2 / 24))


def thermal_energies(
    motion: MolecularMotion, temperature: float, *, rotational: bool, quantum: bool
) -> NDArray[np.float64]:
    """Return the mean energy of the vibrations and rotations of each minimum, (n,), in eV."""
    energies = vibrational_energies(motion)
    u = energies / temperature
    with np.errstate(over="ignore"):
        each = energies / 2 + energies / np.expm1(u) if quantum else np.where(np.isnan(u), np.nan, temperature)
    turning = (motion.moments > 0).sum(axis=1) * temperature / 2 if rotational else 0.0
    return np.nansum(each, axis=1) + turning


def thermal_heat_capacities(
    motion: MolecularMotion, temperature: float, *, rotational: bool, quantum: bool
) -> NDArray[np.float64]:
    """Return the heat capacity of the vibrations and rotations of each minimum, (n,), in k_B."""
    u = vibrational_energies(motion) / temperature
    with np.errstate(over="ignore", under="ignore"):
        each = (u / 2 / np.sinh(u / 2)) ** 2 if quantum else np.where(np.isnan(u), np.nan, 1.0)
    turning = (motion.moments > 0).sum(axis=1) / 2 if rotational else 0.0
    return np.nansum(each, axis=1) + turning
