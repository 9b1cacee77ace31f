"""Vibrational frequencies and moments of inertia of a network of atoms, by which its rates are in 1/s."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.potentials.lazy import public

__all__ = ["MolecularMotion", "rotor_moments"]

_LINEAR = 1e-6  # smallest moment of inertia over the largest, where frequencies do not say whether a molecule is linear


@public("thalweg.analysis")
@dataclass(frozen=True, eq=False)
class MolecularMotion:
    """Vibrations and rotations of minima and transition states of atoms, with the atoms' masses.

    Attributes
    ----------
    frequencies, ts_frequencies : (n, k), (m, k) ndarrays
        Vibrational frequencies of minima and transition states in cm^-1, imaginary ones negative; NaN beyond the last.
    moments, ts_moments : (n, 3), (m, 3) ndarrays
        Moments of inertia of free rotations in u angstrom^2, rising, zero for each rotation that is none: three of a
        molecule, two of a linear one, one about an axis, none of what is fixed.
    reflections : bool
        Whether symmetry orders count reflections.

    Examples
    --------
    >>> import numpy as np
    >>> from thalweg.analysis import KineticTransitionNetwork, MolecularMotion
    >>> still = np.zeros((2, 3)), np.zeros((1, 3))
    >>> motion = MolecularMotion(np.array([[200.0], [250.0]]), np.array([[-100.0]]), *still, reflections=True)
    >>> atom = KineticTransitionNetwork([0.0, 0.1], [0.5], [[0, 1]], units="eV", motion=motion)
    >>> print(f"{atom.kinetics(kelvin=300).rate_constant(source=0, target=1):.0f} per second")
    23890 per second
    """

    frequencies: NDArray[np.float64]
    ts_frequencies: NDArray[np.float64]
    moments: NDArray[np.float64]
    ts_moments: NDArray[np.float64]
    reflections: bool

    def part(self, minima: NDArray[Any], states: NDArray[Any]) -> MolecularMotion:
        """Return that of some minima and transition states."""
        return MolecularMotion(
            self.frequencies[minima], self.ts_frequencies[states], self.moments[minima], self.ts_moments[states],
            self.reflections,
        )  # fmt: skip


def rotor_moments(
    description: Mapping[str, Any], coordinates: NDArray[np.float64], frequencies: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the moments of inertia of free rotations.

    Parameters
    ----------
    description : mapping
        Description of the system, of atoms.
    coordinates : (k, n) array
        Points, in angstrom.
    frequencies : (k, n) array
        Their vibrational frequencies, NaN where there are none: their number says whether a molecule is linear.

    Returns
    -------
    (k, 3) ndarray
        See :class:`MolecularMotion`.

    Raises
    ------
    ValueError
        If a mass is zero.
    """
    from thalweg.potentials.symmetry.motions.invariance import allowed_motions  # they load the compiler
    from thalweg.potentials.symmetry.periodic_images import lattice_of, make_whole

    pbc, cell = np.asarray(description["pbc"], dtype=bool), np.asarray(description["cell"], dtype=np.float64)
    rigid = np.asarray(description.get("rigid", allowed_motions(pbc, cell)), dtype=np.float64).reshape(-1, 6)
    result = np.zeros((len(coordinates), 3))
    if not rigid[:, 3:].any() or "constraints" in description:
        return result
    if not (_masses(description) > 0).all():
        raise ValueError("masses must be above 0 where vibrations are known")
    masses, frozen = np.repeat(_masses(description), 3), np.asarray(description["frozen"], dtype=np.int64)
    lattice = lattice_of(cell, pbc) if pbc.any() else np.zeros((0, 3))
    known = np.isfinite(frequencies).sum(axis=1)
    for row, x in enumerate(coordinates):
        whole = np.empty(x.size)
        make_whole(np.ascontiguousarray(x), lattice, whole)
        inertia, translations = _inertia(whole, rigid, masses, frozen)
        values = np.linalg.eigvalsh(inertia)
        count = int((values > _LINEAR * values.max(initial=0.0)).sum())
        if known[row]:
            count = min(x.size - frozen.size - int(known[row]) - translations, len(values))
        result[row, 3 - count :] = values[len(values) - count :]
    return result


def _masses(description: Mapping[str, Any]) -> NDArray[np.float64]:
    """Return the masses of a description; those of version 1 of the format are ASE's."""
    from ase.data import atomic_masses

    return np.asarray(description.get("masses", atomic_masses[np.asarray(description["numbers"])]), dtype=np.float64)


def _inertia(
    x: NDArray[np.float64], rigid: NDArray[np.float64], masses: NDArray[np.float64], frozen: NDArray[np.int64]
) -> tuple[NDArray[np.float64], int]:
    """Return the tensor of inertia over the rotations that move nothing fixed, and the number of translations."""
    atoms = x.reshape(-1, 3)
    turned = np.cross(rigid[:, None, 3:], atoms - atoms.mean(axis=0))
    fields = (rigid[:, None, :3] + turned).reshape(len(rigid), -1)
    motions = np.eye(len(rigid))
    if frozen.size:
        _, sizes, rows = np.linalg.svd(fields[:, frozen].T, full_matrices=True)
        motions = rows[int((sizes > 1e-8 * max(sizes.max(initial=0.0), 1.0)).sum()) :]
    left, sizes, _ = np.linalg.svd(motions @ rigid[:, 3:], full_matrices=True)
    rotating = int((sizes > 1e-8).sum())
    fields = motions @ fields
    turns = (left[:, :rotating] / sizes[:rotating]).T @ fields
    shifts = left[:, rotating:].T @ fields
    inertia = turns * masses @ turns.T
    if len(shifts):
        mixed = turns * masses @ shifts.T
        inertia = inertia - mixed @ np.linalg.solve(shifts * masses @ shifts.T, mixed.T)
    return 0.5 * (inertia + inertia.T), len(shifts)
