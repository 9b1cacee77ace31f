"""Molecules that fall apart, recognised by their bonds."""

from __future__ import annotations

import numpy as np
from ase.data import covalent_radii

from thalweg.potentials.symmetry.bonds.graph import bonded_pairs, components_of, is_molecular
from thalweg.potentials.system import System

__all__ = ["Fragments"]

# Distance of parts that will not bind again, in sums of covalent radii, and the pull that may still bring them together
_APART, _PULL = 2.0, 0.1


class Fragments:
    """Whether a molecule has fallen into more parts than it had; of structures with metals nothing is said.

    Parameters
    ----------
    system : System
        Its own coordinates say how many parts belong to it.
    asked : bool
        Without, nothing is said of any structure.
    """

    def __init__(self, system: System, asked: bool) -> None:
        self.atoms, self.most = system.atoms, 0
        if self.atoms is None or not asked or system.anchored:
            return
        numbers, pbc, cell = self.atoms.numbers, self.atoms.pbc, self.atoms.cell.array
        positions = system.x.reshape(-1, 3)
        if is_molecular(numbers, positions, pbc, cell):
            bound = np.unique(bonded_pairs(numbers, positions, pbc, cell))
            if len(bound) == len(numbers):
                self.most = self._parts(system.x).max() + 1

    def _parts(self, x: np.ndarray) -> np.ndarray:
        assert self.atoms is not None
        pairs = bonded_pairs(self.atoms.numbers, x.reshape(-1, 3), self.atoms.pbc, self.atoms.cell.array)
        return components_of(len(self.atoms), pairs)

    def fallen(self, x: np.ndarray) -> bool:
        """Return whether the structure at x (n,) has more parts."""
        return bool(self.most and self._parts(x).max() + 1 > self.most)

    def parting(self, x: np.ndarray, gradient: np.ndarray) -> bool:
        """Return whether parts are too far from each other to bind again, and nothing pulls them together."""
        if not self.most or self.atoms is None or self.atoms.pbc.any():
            return False
        parts = self._parts(x)
        if parts.max() + 1 <= self.most:
            return False
        positions, slopes, radii = x.reshape(-1, 3), gradient.reshape(-1, 3), covalent_radii[self.atoms.numbers]
        apart = 0
        for part in range(parts.max() + 1):
            one, other = parts == part, parts != part
            way = positions[one][:, None] - positions[other][None]
            ratio = np.linalg.norm(way, axis=2) / (radii[one][:, None] + radii[other][None])
            i, j = np.unravel_index(int(ratio.argmin()), ratio.shape)
            unit = way[i, j] / np.linalg.norm(way[i, j])
            # the gradient points away from the others where the forces pull the part to them
            if ratio[i, j] > _APART and float(slopes[one].sum(axis=0) @ unit) < _PULL:
                apart += 1
        return apart > self.most - 1 and apart > 0
