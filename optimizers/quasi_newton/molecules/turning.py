"""Displacements of several molecules that turn each as a whole, where a straight step would stretch their bonds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from thalweg.potentials.symmetry.bonds.torsions import joined, molecules_of
from thalweg.potentials.system import System

__all__ = ["TurningMolecules", "longest_of", "pushed", "turned_between"]


class TurningMolecules:
    """Molecules of a system, and how far each has turned since the start.

    Along a straight line, atoms of a molecule that turns leave their circles, and bonds grow with the square of the
    step. Here a step is divided, molecule by molecule, into a shift, a rotation and a change of shape, and the rotation
    is carried out. Vectors are also expressed in frames that turn with the molecules: there, a stiff bond stays in one
    direction, so that what a search has learnt about it remains true. Atoms in no molecule move straight, as does a
    molecule that is alone: turning it changes nothing.

    Parameters
    ----------
    system : System
    x : (n,) ndarray
        The start, at which bonds are found.

    Attributes
    ----------
    molecules : list of ndarray of int
        Atoms of each molecule; none where nothing turns.
    may_turn : bool
        Whether the system may have molecules that turn, at other points if not here.

    Examples
    --------
    >>> import numpy as np
    >>> from ase.build import molecule
    >>> from ase.calculators.emt import EMT
    >>> from thalweg.optimizers.quasi_newton.molecules.turning import TurningMolecules
    >>> from thalweg.potentials import as_system
    >>> two = molecule("H2O")
    >>> two += molecule("H2O", positions=molecule("H2O").positions + 3.0)
    >>> two.calc = EMT()
    >>> frames = TurningMolecules(as_system(two), two.positions.ravel())
    >>> step = np.cross([0.0, 0.0, 1.0], two.positions - two.positions[:3].mean(axis=0))
    >>> step[3:] = 0.0
    >>> x, turned = frames.moved(two.positions.ravel(), step.ravel())
    >>> after = x.reshape(-1, 3)
    >>> bool(np.isclose(np.linalg.norm(after[0] - after[1]), two.get_distance(0, 1)))
    True
    """

    def __init__(self, system: System, x: NDArray[np.float64]) -> None:
        self.molecules: list[NDArray[np.int64]] = []
        self.model: NDArray[np.float64] | None = None
        self.may_turn = system.atoms is not None and system.permutations == "bonds" and system.constraints is None
        self._start = x
        # lattice vectors that put each molecule together, and the rotation of each atom's frame
        self._shifts: NDArray[np.float64] = np.zeros((0, 3))
        self._turns: NDArray[np.float64] | None = None
        # molecules of one size together: a row (atoms,) each
        self._stacks: list[NDArray[np.int64]] = []
        if not self.may_turn:
            return
        atoms = system.atoms
        assert atoms is not None
        whole, pairs = joined(atoms.numbers, x.reshape(-1, 3), atoms.pbc, atoms.cell.array)
        fixed = np.zeros(system.n, dtype=bool)
        fixed[system.frozen] = True
        held: NDArray[np.bool_] = np.any(fixed.reshape(-1, 3), axis=1)
        found = molecules_of(pairs, held)
        if found and len(found[0]) < len(atoms):
            self.molecules, self._shifts = found, whole - x.reshape(-1, 3)
            self._turns = np.broadcast_to(np.eye(3), (len(atoms), 3, 3))
            sizes = sorted({len(molecule) for molecule in found})
            self._stacks = [np.array([one for one in found if len(one) == size]) for size in sizes]

    def in_one_piece(self, x: NDArray[np.float64], molecule: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the positions (atoms, 3) of a molecule, across periodic boundaries."""
        whole: NDArray[np.float64] = x.reshape(-1, 3)[molecule] + self._shifts[molecule]
        return whole

    def put_back(self, x: NDArray[np.float64], molecule: NDArray[np.int64], positions: NDArray[np.float64]) -> None:
        """Write positions (atoms, 3) of a molecule in one piece into x (n,)."""
        x.reshape(-1, 3)[molecule] = positions - self._shifts[molecule]

    def moved(self, x: NDArray[np.float64], step: NDArray[np.float64]) -> tuple[NDArray[np.float64], TurningMolecules]:
        """Return the point a step (n,) away from x (n,), and the molecules as they are turned there."""
        moved = x + step
        if self._turns is None:
            return moved, self
        places, way, turns = moved.reshape(-1, 3), step.reshape(-1, 3), self._turns.copy()
        for stack in self._stacks:
            arms, centres = self._arms(x, stack)
            shifts = way[stack].mean(axis=1, keepdims=True)
            rest = way[stack] - shifts
            angles = _rotations(arms, rest)
            matrices = Rotation.from_rotvec(angles).as_matrix()
            shapes = arms + rest - np.cross(angles[:, None], arms)
            places[stack] = shapes @ matrices.transpose(0, 2, 1) + centres + shifts - self._shifts[stack]
            turns[stack] = matrices[:, None] @ turns[stack]
        return moved, self._turned_by(turns)

    def _arms(self, x: NDArray[np.float64], stack: NDArray[np.int64]) -> tuple[NDArray[np.float64], ...]:
        """Return where atoms (k, atoms, 3) of k molecules are from their centres, and the centres (k, 1, 3)."""
        places: NDArray[np.float64] = x.reshape(-1, 3)[stack] + self._shifts[stack]
        centres: NDArray[np.float64] = places.mean(axis=1, keepdims=True)
        return places - centres, centres

    def taken_back(self, gradient: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a gradient in the frames here as one in those of the point before: they are the same."""
        return gradient

    carried_steps = carried_slopes = carried_hessian = taken_back

    def _turned_by(self, turns: NDArray[np.float64]) -> TurningMolecules:
        other = TurningMolecules.__new__(TurningMolecules)
        other.__dict__.update(self.__dict__)
        other._turns = turns
        return other

    def limited(self, step: NDArray[np.float64], most: float) -> NDArray[np.float64]:
        """Return a step (n,) in which no atom moves farther than ``most``, molecules each shortened as a whole.

        Where one molecule would fly away, the others need not wait for it.
        """
        if not self.molecules:
            return min(1.0, most / longest_of(step)) * step
        lengths: NDArray[np.float64] = np.linalg.norm(step.reshape(-1, 3), axis=1)
        for stack in self._stacks:
            lengths[stack] = lengths[stack].max(axis=1, keepdims=True)
        parts = np.minimum(1.0, most / np.maximum(lengths, 1e-300))
        shortened: NDArray[np.float64] = (step.reshape(-1, 3) * parts[:, None]).ravel()
        return shortened

    def deformed(self, x: NDArray[np.float64], most: float) -> bool:
        """Return whether an atom has moved farther than ``most`` since the start, in the frame of its molecule."""
        way: NDArray[np.float64] = (x - self._start).reshape(-1, 3)
        if self._turns is not None:
            for stack in self._stacks:
                way[stack] = self._arms(x, stack)[0] @ self._turns[stack[:, 0]] - self._arms(self._start, stack)[0]
        return bool(np.abs(way).max() > most)

    def shapes(self, x: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        """Return orthonormal directions (3 atoms, k) of each molecule that neither turn nor shift it."""
        found = []
        for molecule in self.molecules:
            positions = self.in_one_piece(x, molecule)
            arms = positions - positions.mean(axis=0)
            turned = [np.cross(axis, arms).ravel() for axis in np.eye(3)]
            rigid = np.vstack([np.tile(np.eye(3), len(molecule)), turned])
            _, sizes, directions = np.linalg.svd(rigid, full_matrices=True)
            found.append(directions[int((sizes > 1e-6 * sizes[0]).sum()) :].T)
        return found

    def into_frames(self, vector: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a vector (n,) of fixed directions, or columns (n, k), in the frames of the molecules."""
        if self._turns is None:
            return vector
        rows = vector.reshape(len(self._turns), 3, -1)
        turned: NDArray[np.float64] = (self._turns.transpose(0, 2, 1) @ rows).reshape(vector.shape)
        return turned

    def out_of_frames(self, vector: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a vector (n,) in the frames of the molecules in fixed directions."""
        if self._turns is None:
            return vector
        turned: NDArray[np.float64] = (self._turns @ vector.reshape(-1, 3, 1)).ravel()
        return turned

    def matrix(self, free: NDArray[np.int64]) -> NDArray[np.float64] | None:
        """Return the orthogonal matrix over free coordinates that leads out of the frames; None where nothing turns."""
        if self._turns is None:
            return None
        full = np.zeros((3 * len(self._turns), 3 * len(self._turns)))
        for atom, turn in enumerate(self._turns):
            full[3 * atom : 3 * atom + 3, 3 * atom : 3 * atom + 3] = turn
        return full[np.ix_(free, free)]


def pushed(
    system: System, x: NDArray[np.float64], step: NDArray[np.float64], hessian: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the point a step (n,) away from x (n,), and the Hessian (n_free, n_free) at x turned with its molecules.

    Straight steps along a mode that turns molecules would stretch their bonds.
    """
    moved, turned = TurningMolecules(system, x).moved(x, step)
    matrix = turned.matrix(system.free)
    return moved, hessian if matrix is None else matrix @ hessian @ matrix.T


def turned_between(system: System, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a straight band (images, n) with each of several molecules turned from one end to the other.

    Parameters
    ----------
    system : System
    x : (images, n) ndarray
        Points on a line; molecules are those that the first of them has, and that the last has, too.
    """
    first, last = TurningMolecules(system, x[0]), TurningMolecules(system, x[-1])
    band, kept = x.copy(), {molecule.tobytes() for molecule in last.molecules}
    for molecule in first.molecules:
        if molecule.tobytes() not in kept:
            continue
        ends = first.in_one_piece(x[0], molecule), last.in_one_piece(x[-1], molecule)
        begin, end = (positions - positions.mean(axis=0) for positions in ends)
        # the lattice vectors between the molecule's two ends are those of the straight band
        start, finish = (first.in_one_piece(one, molecule).mean(axis=0) for one in (x[0], x[-1]))
        turn, _ = Rotation.align_vectors(end, begin)
        change = turn.inv().apply(end) - begin
        for share, image in zip(np.linspace(0.0, 1.0, len(x))[1:-1], band[1:-1], strict=True):
            arms = Rotation.from_rotvec(share * turn.as_rotvec()).apply(begin + share * change)
            first.put_back(image, molecule, arms + (1.0 - share) * start + share * finish)
    return band


def longest_of(step: NDArray[np.float64]) -> float:
    """Return the largest displacement of an atom, or of a coordinate where these are no atoms' triples."""
    return float(np.linalg.norm(step.reshape(-1, 3), axis=1).max()) if step.size % 3 == 0 else float(np.abs(step).max())


def _rotations(arms: NDArray[np.float64], way: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the angle vectors (k, 3) of rotations that come nearest to small displacements of arms (k, atoms, 3)."""
    squares = (arms**2).sum(axis=(1, 2))
    inertia = squares[:, None, None] * np.eye(3) - arms.transpose(0, 2, 1) @ arms
    torques = np.cross(arms, way).sum(axis=1)
    # a molecule that is a line has no rotation about itself
    angles: NDArray[np.float64] = (np.linalg.pinv(inertia, rcond=1e-8, hermitian=True) @ torques[:, :, None])[:, :, 0]
    return angles
