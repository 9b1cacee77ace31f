"""Symmetry of atoms: exchange of equal atoms, and rigid motions."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

from thalweg.potentials.symmetry.assignment import assign_squares
from thalweg.potentials.symmetry.cluster_alignment import align_free
from thalweg.potentials.symmetry.copy_recognition import LOOSE, point_group_order
from thalweg.potentials.symmetry.equality import PERMUTATIONS
from thalweg.potentials.symmetry.motions.invariance import allowed_motions
from thalweg.potentials.symmetry.motions.rigid_group import RigidGroup, rigid_group
from thalweg.potentials.symmetry.periodic_images import lattice_of, make_whole, reduced_cell

if TYPE_CHECKING:
    from thalweg.potentials.symmetry.bonds.matching import BondMatching
    from thalweg.potentials.symmetry.motions.placement import Placement
    from thalweg.potentials.symmetry.motions.substrate import Operation

__all__ = ["ClusterSymmetry"]

# The random orientations from which alignment starts: always the same, so that distances are reproducible
_ORIENTATIONS = 6


class ClusterSymmetry:
    """Symmetry operations on the coordinates of atoms: maps that leave the energy unchanged.

    They are permutations of equal atoms, rigid motions that move no fixed coordinate, and, unless they are ruled out,
    inversion or a mirror; in a periodic cell also the choice of the image.

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
    positions : array_like, shape (atoms, 3), optional
        Positions, of which those of fixed coordinates count: without them nothing turns about fixed atoms.
    rigid : array_like, shape (k, 6), optional
        Rigid motions that leave the energy unchanged, see
        :func:`~thalweg.potentials.symmetry.null_modes.orthonormal_null_modes`; where missing, those that the cell
        allows.
    kinds : array_like of int, shape (atoms,), optional
        Equal for atoms that are equal, where this takes more than the species.
    permutations : {"all", "bonds", "none"}
        Which equal atoms may be exchanged: all, only where this keeps the bond graph, or none. Copies of one structure
        have the same bonds, so "bonds" only matters for how different structures are laid on each other.
    inversion : bool
        Whether a mirror image counts as the same.
    substrate : bool, optional
        Whether operations count that lay fixed atoms on equal ones and a cell on itself: all sites of a crystal's
        surface that its symmetry makes equal are one then. Where missing, they count without a periodic cell.

    Raises
    ------
    ValueError
        If shapes do not match, permutations has no such value, or a periodic cell has no volume.

    Notes
    -----
    A copy of the same structure is always recognised, and fast: a frame of two atoms with few equivalents is laid on
    every pair that could be their image. For other structures the nearest copy is sought by assigning atoms (Jonker
    and Volgenant; branch by branch where bonds are kept) and moving in turn from fixed starts; the distance found is
    then an upper bound. Results are deterministic.
    """

    def __init__(
        self,
        numbers: ArrayLike,
        pbc: ArrayLike | None = None,
        cell: ArrayLike | None = None,
        frozen: ArrayLike | None = None,
        *,
        positions: ArrayLike | None = None,
        rigid: ArrayLike | None = None,
        kinds: ArrayLike | None = None,
        permutations: str = "all",
        inversion: bool = True,
        substrate: bool | None = None,
    ):
        self.numbers = np.asarray(numbers, dtype=np.int64)
        if self.numbers.ndim != 1 or self.numbers.size == 0:
            raise ValueError(f"numbers must hold one number an atom; its shape is {self.numbers.shape}")
        if permutations not in PERMUTATIONS:
            raise ValueError(f"permutations must be one of {', '.join(PERMUTATIONS)}; it is {permutations!r}")
        self.permutations, self.inversion = permutations, bool(inversion)
        fixed = _fixed_coordinates(frozen, self.numbers.size)
        self.pbc = np.zeros(3, dtype=bool) if pbc is None else np.array(np.broadcast_to(pbc, 3), dtype=bool)
        self._full_cell = np.zeros((3, 3)) if cell is None else np.array(cell, dtype=np.float64)
        self._cell = reduced_cell(cell, self.pbc)
        self._inverse = np.ascontiguousarray(np.linalg.inv(self._cell))
        self.substrate = not self.pbc.any() if substrate is None else bool(substrate)
        motions = allowed_motions(self.pbc, self._full_cell) if rigid is None else np.asarray(rigid, dtype=np.float64)
        place = None if positions is None else np.asarray(positions, dtype=np.float64).reshape(-1, 3)
        self.group = _group(motions, fixed, place, self.inversion, bool(self.pbc.any()))
        self._place, self._fixed = place, fixed
        self._whole: NDArray[np.bool_] = np.all(fixed, axis=1)
        self._equal = np.unique(self.numbers if kinds is None else kinds, return_inverse=True)[1].astype(np.int64)
        self._kinds = _kinds(self.numbers if kinds is None else np.asarray(kinds), fixed, place, permutations)
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
        one, other = self._in_one_piece(first), self._in_one_piece(second)
        best = self._aligned(one, other)
        lowest, enough = np.linalg.norm(best - one), 1e-5 * self._spacing(one) if self._operations else 0.0
        for operation in self._operations:
            if lowest <= enough:
                break
            out = self._aligned(one, operation.apply(other, self._whole))
            length = np.linalg.norm(out - one)
            if length < lowest:
                best, lowest = out, length
        return self._put_back(first, best)

    def in_order(self, a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """Return b moved nearest to a with its atoms in the order given, and not mirrored.

        Parameters
        ----------
        a, b : ndarray, shape (3 * atoms,)
            Positions, atom by atom.

        Returns
        -------
        ndarray, shape (3 * atoms,), or None
            None where the bonds of both are the same but for the order, so that this order would break them.
        """
        first, second = self._atoms(a, "a"), self._atoms(b, "b")
        one, other = self._in_one_piece(first), self._in_one_piece(second)
        order = np.arange(len(first))
        breaks = self.permutations == "bonds" and not self._matching.keeps(one, other, order, 1)
        if breaks and self._matching.isomorphic(one, other):
            return None
        return self._put_back(first, self._placement.in_order(one, other).positions)

    def _in_one_piece(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return positions of a molecule that turns in a periodic box, put together; any others as they are."""
        whole = np.array(x)
        if len(self._cut):
            make_whole(np.array(x).ravel(), self._cut, whole.reshape(-1))
        return whole

    def _put_back(self, a: NDArray[np.float64], out: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return positions that lie near a put together, in the images in which the atoms of a lie."""
        return (out - self._in_one_piece(a) + a).ravel() if len(self._cut) else out.ravel()

    def _aligned(self, a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the nearest copy of b (atoms, 3): over all permutations of equal atoms, or those that keep bonds."""
        out, permutation = self._over_kinds(a, b)
        if self.permutations != "bonds" or permutation is None:
            return out
        near = LOOSE * self._spacing(a)
        if np.linalg.norm(out - a, axis=1).max() <= near or not (self._matching.bonded(a) or self._matching.bonded(b)):
            return out
        for degree in self._matching.assigners(a, b):
            found = [self._placement.nearest(a, b, assign, 0.0) for assign in degree]
            best = min(found, key=lambda placed: placed.square)
            if best.square < np.inf:
                return best.positions
        return self._placement.in_order(a, b).positions

    def _over_kinds(
        self, a: NDArray[np.float64], b: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64] | None]:
        """Return the copy nearest over all permutations of equal atoms, and its permutation where it is known."""
        permutation = np.arange(len(a))
        if self.group.turns == 3:
            out, centre = np.empty_like(a), self.group.centre(a)
            length = align_free(
                a - centre, b - self.group.centre(b), self._kinds, self._members, self._starts, self._rotations,
                self.group.improper, out, permutation,
            )  # fmt: skip
            return (out + centre, permutation) if length == length else (np.array(b), None)
        if self.group.turns == 0:
            return self._over_images(a, b)

        def assign(squares: NDArray[np.float64], hand: int) -> NDArray[np.int64] | None:
            found = np.empty(len(squares), dtype=np.int64)
            return found if assign_squares(squares, self._members, self._starts, found) else None

        enough = len(a) * (1e-7 * self._spacing(a)) ** 2
        placed = self._placement.nearest(a, b, assign, enough)
        return placed.positions, placed.permutation

    def _over_images(
        self, a: NDArray[np.float64], b: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64] | None]:
        # imported where needed: free clusters need not wait for it to compile
        from thalweg.potentials.symmetry.periodic_alignment import align_periodic

        best, lowest = np.array(b), np.inf
        for operation in self.group.operations:
            out, centre = np.empty_like(a), self.group.centre(b)
            moved = np.array(b) if operation is self.group.operations[0] else (b - centre) @ operation.T + centre
            length = align_periodic(
                np.array(a), moved, self._kinds, self._members, self._starts, self._cell, self._inverse,
                self.pbc.astype(np.int64), self.group.shifts, out,
            )  # fmt: skip
            if length < lowest:
                best, lowest = out, length
        return best, np.arange(len(a)) if lowest < np.inf else None

    def _spacing(self, a: NDArray[np.float64]) -> float:
        """Return the mean distance of atoms to their nearest neighbours."""
        squares = self._placement.squares(a, a)
        np.fill_diagonal(squares, np.inf)
        return float(np.sqrt(squares.min(axis=1)).mean()) if len(a) > 1 else 1.0

    @cached_property
    def _cut(self) -> NDArray[np.float64]:
        """Lattice across whose boundaries a molecule may lie that turns as if there were none; (0, 3) otherwise."""
        allowed = allowed_motions(self.pbc, self._full_cell)[:, 3:].any(axis=1).sum()
        crosses = self.pbc.any() and self.group.turns > allowed
        return lattice_of(self._full_cell, self.pbc) if crosses else np.zeros((0, 3))

    @cached_property
    def _operations(self) -> list[Operation]:
        """Operations that lay fixed atoms on equal ones and the cell on itself."""
        whole = self._whole
        partly = (self._fixed.any(axis=1) & ~whole).any()
        if not self.substrate or self._place is None or partly or not (whole.any() or self.pbc.any()):
            return []
        if len(self._cut):
            return []
        from thalweg.potentials.symmetry.motions.substrate import substrate_operations

        lattice = lattice_of(self._full_cell, self.pbc)
        exchange = self.permutations != "none"
        return substrate_operations(self._place, whole, self._equal, lattice, self.inversion, exchange)

    @cached_property
    def _placement(self) -> Placement:
        from thalweg.potentials.symmetry.motions.placement import Placement

        images = np.zeros((0, 3)) if self.group.turns == 3 else lattice_of(self._full_cell, self.pbc)
        return Placement(self.group, images, self._kinds, self._rotations)

    @cached_property
    def _matching(self) -> BondMatching:
        from thalweg.potentials.symmetry.bonds.matching import BondMatching

        images = np.zeros((0, 3)) if self.group.turns == 3 else lattice_of(self._full_cell, self.pbc)
        pbc = self.pbc & bool(len(images))
        return BondMatching(self.numbers, self._kinds, pbc, self._full_cell, images)

    def distance(self, a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
        """Return the Euclidean distance over all coordinates from a to the nearest copy of b, see :meth:`align`."""
        return float(np.linalg.norm(self.align(a, b) - a))

    def order(self, x: NDArray[np.float64], tolerance: float = 1e-3) -> int:
        """Return the number of operations, proper and improper, that leave x unchanged up to equal atoms.

        It is the order of the point group for free atoms, and of the one about a fixed atom; for linear molecules, as
        in PATHSAMPLE, 2 with a centre of inversion and 1 without one. Without inversion proper rotations count alone.
        In a periodic cell it is the number of translations, and 1 if an atom is fixed.

        Parameters
        ----------
        x : ndarray, shape (3 * atoms,)
            Positions, atom by atom.
        tolerance : float
            Largest distance of an atom from its image, in mean nearest-neighbour distances.
        """
        atoms = self._in_one_piece(self._atoms(x, "x"))
        count, near = self._own_order(atoms, tolerance), tolerance * self._spacing(atoms) if self._operations else 0.0
        for operation in self._operations:
            copy = self._aligned(atoms, operation.apply(atoms, self._whole))
            count += bool(np.linalg.norm(copy - atoms, axis=1).max() <= near)
        return count

    def _own_order(self, atoms: NDArray[np.float64], tolerance: float) -> int:
        """Return the order without operations that exchange fixed atoms."""
        group = self.group
        if group.turns == 3:
            return point_group_order(atoms - group.centre(atoms), self._kinds, tolerance, group.improper)
        if self.pbc.any() and group.turns == 0:
            from thalweg.potentials.symmetry.periodic_alignment import count_translations

            if not group.shifts.any():
                return 1
            atoms, periodic = np.array(atoms), self.pbc.astype(np.int64)
            return count_translations(atoms, self._kinds, self._cell, self._inverse, periodic, tolerance)
        return self._placement.order(atoms, tolerance * self._spacing(atoms))

    def random_copy(self, x: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
        """Return x (3 * atoms,) after a random symmetry operation."""
        atoms = self._in_one_piece(self._atoms(x, "x"))
        if self._operations:
            operation = self._operations[rng.integers(len(self._operations))]
            atoms = operation.apply(atoms, self._whole)
        out = np.empty_like(atoms)
        for first, end in zip(self._starts[:-1], self._starts[1:], strict=True):
            members = self._members[first:end]
            out[members] = atoms[rng.permutation(members)]
        if self.permutations == "bonds":
            # any order of the atoms with the same bonds
            for degree in self._matching.assigners(atoms, atoms)[-1:]:
                found = degree[0](rng.random((len(atoms), len(atoms))), 1)
                out = atoms[found] if found is not None else atoms
        return self._placement.random_copy(out, rng).ravel()


def _group(
    rigid: NDArray[np.float64],
    fixed: NDArray[np.bool_],
    positions: NDArray[np.float64] | None,
    inversion: bool,
    endless: bool,
) -> RigidGroup:
    """Return the rigid motions; of fixed atoms whose places are not known, none."""
    if fixed.any() and positions is None:
        still = (np.eye(3),)
        return RigidGroup(0, np.array([0.0, 0.0, 1.0]), None, -1, np.zeros((3, 3)), still)
    return rigid_group(rigid, fixed, np.zeros(fixed.shape) if positions is None else positions, inversion, endless)


def _kinds(
    kinds: NDArray[np.int64], fixed: NDArray[np.bool_], positions: NDArray[np.float64] | None, permutations: str
) -> NDArray[np.int64]:
    """Return numbers from 0, equal for atoms that may be exchanged: fixed ones are only where no place changes."""
    if kinds.shape != (len(fixed),):
        raise ValueError(f"kinds must hold one number an atom, {len(fixed)}; its shape is {kinds.shape}")
    kinds = np.unique(kinds, return_inverse=True)[1].astype(np.int64)
    some, whole = np.any(fixed, axis=1), np.all(fixed, axis=1)
    if permutations == "none":
        return np.arange(len(kinds))
    if positions is None or np.array_equal(some, whole):
        kinds[some] = kinds.max() + 1 + np.arange(some.sum())
    else:
        own = np.where(whole, 1 + np.arange(len(kinds)), 0)
        rows = np.column_stack([kinds, own, fixed, np.where(fixed, np.round(positions, 9), 0.0)])
        kinds = np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1)
    return np.unique(kinds, return_inverse=True)[1].astype(np.int64)


def _fixed_coordinates(frozen: ArrayLike | None, atoms: int) -> NDArray[np.bool_]:
    """Return the mask (atoms, 3) of the fixed coordinates."""
    mask = np.zeros(3 * atoms, dtype=bool)
    if frozen is not None:
        frozen = np.asarray(frozen).ravel()
        if frozen.dtype == bool and frozen.size != mask.size:
            raise ValueError(f"frozen must have {mask.size} entries as a mask; it has {frozen.size}")
        if frozen.dtype != bool and frozen.size and not (frozen.min() >= 0 and frozen.max() < mask.size):
            raise ValueError(f"frozen must hold indices from 0 to {mask.size - 1}")
        mask[frozen if frozen.dtype == bool else frozen.astype(np.int64)] = True
    return mask.reshape(-1, 3)
