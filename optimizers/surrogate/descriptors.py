"""Descriptors of coordinates in which the covariance of a Gaussian process is stationary."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from ase.data import covalent_radii

from thalweg.optimizers.surrogate.matern import INVERSE_DISTANCES, LINEAR
from thalweg.potentials.system import System

__all__ = ["Descriptor", "descriptor_of"]


class Descriptor(NamedTuple):
    """A map of coordinates x (n,) to entries (m,).

    Attributes
    ----------
    kind : int
        ``LINEAR`` or ``INVERSE_DISTANCES``.
    pairs : (m, 2) ndarray of int
        Atoms of each inverse distance; (0, 2) of a linear map.
    weights : (m,) or (m, n) ndarray
        Sums of covalent radii, by which inverse distances are multiplied; or orthonormal rows.
    """

    kind: int
    pairs: np.ndarray
    weights: np.ndarray

    @property
    def entries(self) -> int:
        """Number of entries."""
        return len(self.weights)

    def lengths(self, entries: np.ndarray) -> np.ndarray:
        """Return distances of atoms, or the coordinates of a linear map, from entries (..., m): none is bounded."""
        return entries if self.kind == LINEAR else self.weights / entries

    def __call__(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the entries (m,) at x (n,), and their derivatives (m, n)."""
        if self.kind == LINEAR:
            return self.weights @ x, self.weights
        i, j = self.pairs.T
        positions = x.reshape(-1, 3)
        way = positions[i] - positions[j]
        values = self.weights / np.linalg.norm(way, axis=1)
        slopes = np.zeros((len(values), *positions.shape))
        rows = np.arange(len(values))
        slopes[rows, i] = -(values**3 / self.weights**2)[:, None] * way
        slopes[rows, j] = -slopes[rows, i]
        return values, slopes.reshape(len(values), x.size)


def descriptor_of(system: System) -> Descriptor:
    """Return the descriptor that suits a system.

    Of molecules whose energy is the same in every orientation the inverse distances, of pairs that are not fixed both,
    over what radii suggest: no rigid motion changes them, and they tell short bonds from long ones. Of anything else
    the coordinates that may move, without the drift of a whole crystal.

    References
    ----------
    O.-P. Koistinen, V. Asgeirsson, A. Vehtari, H. Jonsson, J. Chem. Theory Comput. 15 (2019) 6738.
    """
    oblique = system.constraints is not None and len(system.constraints.normals) > 0
    atoms = system.atoms
    if atoms is not None and len(atoms) > 1 and not atoms.pbc.any() and system.isotropic and not oblique:
        pairs = np.column_stack(np.triu_indices(len(atoms), 1))
        still = np.ones(system.n, dtype=bool)
        still[system.free] = False
        fixed = np.all(still.reshape(-1, 3), axis=1)
        pairs = pairs[~fixed[pairs].all(axis=1)]
        radii = covalent_radii[atoms.numbers]
        return Descriptor(INVERSE_DISTANCES, pairs, radii[pairs].sum(axis=1))
    return Descriptor(LINEAR, np.zeros((0, 2), dtype=np.int64), _moving(system))


def _moving(system: System) -> np.ndarray:
    """Return orthonormal directions (m, n) in which the coordinates move and the energy may change."""
    turns = len(system.rigid) and system.rigid[:, 3:].any()
    null = system.constant_null_modes if turns else system.null_modes(system.x)
    null = null[np.linalg.norm(null, axis=1) > 0.5][:, system.free]
    rows = np.zeros((system.n_free - len(null), system.n))
    rows[:, system.free] = (
        np.linalg.qr(null.T, mode="complete")[0][:, len(null) :].T if len(null) else np.eye(system.n_free)
    )
    return rows
