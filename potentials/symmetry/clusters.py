"""Symmetry of atoms: exchange of equal atoms, and rigid motions of free ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

from thalweg.potentials.symmetry.cluster_alignment import align_free
from thalweg.potentials.symmetry.copy_recognition import point_group_order
from thalweg.potentials.symmetry.periodic_images import reduced_cell

__all__ = ["ClusterSymmetry"]

# The random orientations from which alignment starts: always the same, so that distances are reproducible
_ORIENTATIONS = 6


class ClusterSymmetry:
    """Symmetry operations on the coordinates of atoms: maps that leave the energy unchanged.

    Free atoms: permutations of equal atoms, rotations, inversion and translations. If any coordinate is fixed:
    only permutations of equal atoms that are wholly free. In a periodic cell: permutations, translations unless an
    atom is fixed, and the choice of the periodic image; no rotations.

    Parameters
    ----------
    numbers : array_like of int, shape (atoms,)
        Species; atoms with equal numbers are equal.
    pbc : array_like of bool, shape (3,), optional
        Periodic directions.
    cell : array_like, shape (3, 3), optional
        Cell vectors as rows; used in the periodic directions only.
    frozen : array_like, optional
        Fixed coordinates: their indices in the flat vector, or a mask of shape (3 * atoms,).

    Raises
    ------
    ValueError
        If shapes do not match, or a periodic cell has no volume.

    Notes
    -----
    A copy of the same structure is always recognised, and fast: a frame of two atoms with few equivalents is laid on
    every pair that could be their image. For other structures the nearest copy is sought by assigning atoms (Jonker
    and Volgenant) and rotating (Horn) in turn from fixed starts; the distance found is then an upper bound. Results
    are deterministic.
    """

    def __init__(
        self,
        numbers: ArrayLike,
        pbc: ArrayLike | None = None,
        cell: ArrayLike | None = None,
        frozen: ArrayLike | None = None,
    ):
        numbers = np.asarray(numbers, dtype=np.int64)
        if numbers.ndim != 1 or numbers.size == 0:
            raise ValueError(f"numbers must hold one number an atom; its shape is {numbers.shape}")
        fixed = _fixed_atoms(frozen, numbers.size)
        self.pbc = np.zeros(3, dtype=bool) if pbc is None else np.array(np.broadcast_to(pbc, 3), dtype=bool)
        self.anchored = bool(fixed.any())
        self._cell = reduced_cell(cell, self.pbc)
        self._inverse = np.ascontiguousarray(np.linalg.inv(self._cell))
        kinds = np.unique(numbers, return_inverse=True)[1].astype(np.int64)
        kinds[fixed] = kinds.max() + 1 + np.arange(fixed.sum())
        self._kinds = np.unique(kinds, return_inverse=True)[1].astype(np.int64)
        self._members = np.argsort(self._kinds, kind="stable").astype(np.int64)
        self._starts = np.concatenate([[0], np.cumsum(np.bincount(self._kinds))]).astype(np.int64)
        self._rotations = Rotation.random(_ORIENTATIONS, rng=np.random.default_rng(0)).as_matrix()

    def _atoms(self, x: ArrayLike, name: str) -> NDArray[np.float64]:
        x = np.asarray(x, dtype=np.float64)
        if x.shape != (3 * self._kinds.size,):
            raise ValueError(f"{name} must have the shape ({3 * self._kinds.size},); it has {x.shape}")
        if not np.isfinite(x).all():
            raise ValueError(f"{name} must be finite; it has NaN or infinite entries")
        return x.reshape(-1, 3)

    def align(self, a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the copy of b nearest to a.

        Parameters
        ----------
        a, b : ndarray, shape (3 * atoms,)
            Positions, atom by atom.

        Returns
        -------
        ndarray, shape (3 * atoms,)
            Positions of the copy.

        Raises
        ------
        ValueError
            If a shape is wrong or a number not finite.
        """
        first, second = self._atoms(a, "a"), self._atoms(b, "b")
        if self.pbc.any() or self.anchored:
            return self._align_in_place(first, second)
        out = np.empty_like(first)
        centre = first.mean(axis=0)
        length = align_free(
            first - centre, second - second.mean(axis=0), self._kinds, self._members, self._starts, self._rotations, out
        )
        return (out + centre).ravel() if length == length else second.ravel().copy()

    def _align_in_place(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        # imported where needed: free clusters need not wait for it to compile
        from thalweg.potentials.symmetry.periodic_alignment import align_periodic

        out = np.empty_like(a)
        length = align_periodic(
            np.array(a),
            np.array(b),
            self._kinds,
            self._members,
            self._starts,
            self._cell,
            self._inverse,
            self.pbc.astype(np.int64),
            not self.anchored,
            out,
        )
        return out.ravel() if length == length else b.ravel().copy()

    def distance(self, a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
        """Return the Euclidean distance over all coordinates from a to the nearest copy of b, see :meth:`align`."""
        return float(np.linalg.norm(self.align(a, b) - a))

    def order(self, x: NDArray[np.float64], tolerance: float = 1e-3) -> int:
        """Return the number of operations, proper and improper, that leave x unchanged up to equal atoms.

        It is the order of the point group for free atoms; for linear molecules, as in PATHSAMPLE, 2 with a centre of
        inversion and 1 without one. In a periodic cell it is the number of translations, and 1 if a coordinate is
        fixed.

        Parameters
        ----------
        x : ndarray, shape (3 * atoms,)
            Positions, atom by atom.
        tolerance : float
            Largest distance of an atom from its image, in mean nearest-neighbour distances.
        """
        atoms = self._atoms(x, "x")
        if self.anchored:
            return 1
        if self.pbc.any():
            from thalweg.potentials.symmetry.periodic_alignment import count_translations

            atoms, periodic = np.array(atoms), self.pbc.astype(np.int64)
            return count_translations(atoms, self._kinds, self._cell, self._inverse, periodic, tolerance)
        return point_group_order(atoms - atoms.mean(axis=0), self._kinds, tolerance)

    def random_copy(self, x: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
        """Return x (3 * atoms,) after a random symmetry operation."""
        atoms = self._atoms(x, "x")
        out = np.empty_like(atoms)
        for first, end in zip(self._starts[:-1], self._starts[1:], strict=True):
            members = self._members[first:end]
            out[members] = atoms[rng.permutation(members)]
        if self.anchored:
            return out.ravel()
        if not self.pbc.any():
            centre = out.mean(axis=0)
            turned = Rotation.random(rng=rng).as_matrix() * rng.choice([-1.0, 1.0])
            out = (out - centre) @ turned.T + centre
        return (out + rng.normal(size=3)).ravel()


def _fixed_atoms(frozen: ArrayLike | None, atoms: int) -> NDArray[np.bool_]:
    """Return the mask (atoms,) of the atoms that have a fixed coordinate."""
    mask = np.zeros(3 * atoms, dtype=bool)
    if frozen is not None:
        frozen = np.asarray(frozen).ravel()
        if frozen.dtype == bool and frozen.size != mask.size:
            raise ValueError(f"frozen must have {mask.size} entries as a mask; it has {frozen.size}")
        if frozen.dtype != bool and frozen.size and not (frozen.min() >= 0 and frozen.max() < mask.size):
            raise ValueError(f"frozen must hold indices from 0 to {mask.size - 1}")
        mask[frozen if frozen.dtype == bool else frozen.astype(np.int64)] = True
    return np.any(mask.reshape(-1, 3), axis=1)
