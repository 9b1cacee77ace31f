"""Alignment over any group of rigid motions: assignment and motion in turn, from likely starts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from thalweg.potentials.symmetry.motions.rigid_group import RigidGroup
from thalweg.potentials.symmetry.periodic_images import bring_near, nearest_squares
from thalweg.potentials.symmetry.rotation import principal_axes

__all__ = ["Assign", "Placed", "Placement"]

Assign = Callable[[NDArray[np.float64], int], "NDArray[np.int64] | None"]
"""Function of squared distances (atoms, atoms) and of 1, or -1 where b is mirrored, to the atoms of b laid on a's."""

# How many of the starts that fit best are followed, where atoms lie on equal ones after a motion
_FOLLOWED = 16
_ROUNDS = 100


class Placed(NamedTuple):
    """A copy of b: its positions (atoms, 3), which atom of b each of them is, and the squared distance from a."""

    positions: NDArray[np.float64]
    permutation: NDArray[np.int64]
    square: float


class _Motion(NamedTuple):
    """Orthogonal matrix about the centre of b, and where that centre comes to lie."""

    matrix: NDArray[np.float64]
    place: NDArray[np.float64]


class Placement:
    """Search for the motion and the permutation that lay a structure b nearest to a.

    Parameters
    ----------
    group : RigidGroup
        Motions that are allowed.
    lattice : ndarray, shape (7, 3) or (0, 3)
        Periodic images, see :mod:`~thalweg.potentials.symmetry.periodic_images`.
    kinds : ndarray of int, shape (atoms,)
        Equal for atoms that may be exchanged.
    rotations : ndarray, shape (k, 3, 3)
        Further orientations to start from, where all rotations are allowed.
    """

    def __init__(
        self,
        group: RigidGroup,
        lattice: NDArray[np.float64],
        kinds: NDArray[np.int64],
        rotations: NDArray[np.float64],
    ):
        self.group, self.lattice, self.kinds, self.rotations = group, lattice, kinds, rotations

    def squares(self, a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the squared distances (atoms, atoms) of atoms of a from the nearest images of those of b."""
        squares = np.empty((len(a), len(b)))
        nearest_squares(np.ascontiguousarray(a), np.ascontiguousarray(b), self.lattice, squares)
        return squares

    def in_order(self, a: NDArray[np.float64], b: NDArray[np.float64]) -> Placed:
        """Return b, not mirrored, moved nearest to a with its atoms in the order given."""
        order = np.arange(len(a))
        here = _Motion(np.eye(3), self.group.centre(b))
        starts = [_Motion(np.eye(3), self.group.centre(a)), here if len(self.lattice) else self._moved(a, b, np.eye(3))]
        if not (self.group.turns or self.group.shifts.any()):
            # with fixed atoms nothing may be moved, not even to a common centre
            starts = [here]
        return min((self._settled(a, b, start, lambda squares, hand: order) for start in starts), key=_square)

    def nearest(self, a: NDArray[np.float64], b: NDArray[np.float64], assign: Assign, enough: float) -> Placed:
        """Return the nearest copy of b that is found; the search ends at a squared distance below ``enough``."""
        best = Placed(np.array(b), np.arange(len(b)), np.inf)
        for start in self._starts(a, b):
            placed = self._settled(a, b, start, assign)
            if placed.square < best.square:
                best = placed
            if best.square <= enough:
                break
        return best

    def order(self, x: NDArray[np.float64], tolerance: float) -> int:
        """Return the number of motions that lay x on itself, up to the order of equal atoms."""
        count, counted = 0, list[NDArray[np.float64]]()
        for motion in self._on_pairs(x, x):
            moved = (x - self.group.centre(x)) @ motion.matrix.T + motion.place
            squares = np.where(self.kinds[:, None] == self.kinds[None], self.squares(x, moved), np.inf)
            partner = squares.argmin(axis=1)
            if squares.min(axis=1).max() > tolerance**2 or len(set(partner.tolist())) < len(x):
                continue
            if not any(np.allclose(moved, other, atol=10 * tolerance) for other in counted):
                counted.append(moved)
                count += 1
        return max(count, 1)

    def random_copy(self, x: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
        """Return x (atoms, 3) after a random motion."""
        group = self.group
        matrix = group.operations[rng.integers(len(group.operations))]
        if group.turns == 3:
            matrix = Rotation.random(rng=rng).as_matrix() @ matrix
        elif group.turns == 1:
            matrix = Rotation.from_rotvec(rng.uniform(0.0, 2.0 * np.pi) * group.axis).as_matrix() @ matrix
        if matrix is group.operations[0]:
            return x + group.shifts @ rng.normal(size=3)
        centre = group.centre(x)
        moved: NDArray[np.float64] = (x - centre) @ matrix.T + centre + group.shifts @ rng.normal(size=3)
        return moved

    def _settled(self, a: NDArray[np.float64], b: NDArray[np.float64], motion: _Motion, assign: Assign) -> Placed:
        """Assign and move in turn until nothing changes."""
        centre, before, hand = self.group.centre(b), None, int(np.sign(np.linalg.det(motion.matrix)))
        lowest = Placed(np.array(b), np.arange(len(b)), np.inf)
        for _ in range(_ROUNDS):
            moved = (b - centre) @ motion.matrix.T + motion.place
            permutation = assign(self.squares(a, moved), hand)
            if permutation is None:
                return lowest
            matched = np.ascontiguousarray(moved[permutation])
            bring_near(a, matched, self.lattice)
            # back to where b lies, each atom in the image that was taken
            source = (matched - motion.place) @ motion.matrix + centre
            placed = matched
            if self.group.turns or self.group.shifts.any():
                motion = self._moved(a, source, motion.matrix, centre)
                placed = (source - centre) @ motion.matrix.T + motion.place
            square = float(((a - placed) ** 2).sum())
            better = square < lowest.square * (1.0 - 1e-12)
            if better:
                lowest = Placed(placed, permutation, square)
            if not better and before is not None and np.array_equal(permutation, before):
                break
            before = permutation
        return lowest

    def _moved(
        self,
        a: NDArray[np.float64],
        b: NDArray[np.float64],
        matrix: NDArray[np.float64],
        centre: NDArray[np.float64] | None = None,
    ) -> _Motion:
        """Return the best motion for atoms in order, with the operation that ``matrix`` has besides a rotation."""
        group = self.group
        own = group.centre(b) if centre is None else centre
        if group.turns == 0:
            turned = (b - own) @ matrix.T + own
            return _Motion(matrix, own + group.shifts @ (a - turned).mean(axis=0))
        free = group.pivot is None and group.pivot_atom < 0
        goal, mean = (a.mean(axis=0), b.mean(axis=0)) if free else (group.centre(a), own)
        relative, target = (b - mean) @ matrix.T, a - goal
        turn = _about_axis(target, relative, group.axis) if group.turns == 1 else _kabsch(target, relative)
        best = turn @ matrix
        if free and group.turns == 3:
            return _Motion(best, goal + (own - mean) @ best.T)
        place = own + (goal - own if group.pivot_atom >= 0 else 0.0)
        turned = (b - own) @ best.T + place
        return _Motion(best, place + group.shifts @ (a - turned).mean(axis=0))

    def _starts(self, a: NDArray[np.float64], b: NDArray[np.float64]) -> Iterator[_Motion]:
        """Yield motions that lie near good ones, the likeliest first."""
        for operation in self.group.operations:
            yield _Motion(operation, self.group.centre(b))
            if self.group.turns == 3:
                yield self._moved(a, b, operation)
        if self.group.turns == 3:
            yield from self._orientations(a, b)
        else:
            yield from self._laid_on_pairs(a, b)

    def _orientations(self, a: NDArray[np.float64], b: NDArray[np.float64]) -> Iterator[_Motion]:
        group, axes, turned = self.group, np.empty((3, 3)), np.empty((3, 3))
        principal_axes(np.ascontiguousarray(a - group.centre(a)), axes)
        principal_axes(np.ascontiguousarray(b - group.centre(b)), turned)
        signs = [np.diag([1.0 - 2.0 * (k >> axis & 1) for axis in range(3)]) for k in range(8)]
        matrices = [axes.T @ sign @ turned for sign in signs]
        matrices += [rotation @ operation for rotation in self.rotations for operation in group.operations]
        for matrix in matrices:
            if group.improper or np.linalg.det(matrix) > 0:
                yield _Motion(matrix, group.centre(a))

    def _laid_on_pairs(self, a: NDArray[np.float64], b: NDArray[np.float64]) -> Iterator[_Motion]:
        """Yield motions that lay an atom of b on one of a, best fit first."""
        found: list[tuple[float, int, _Motion]] = []
        for motion in self._on_pairs(a, b):
            moved = (b - self.group.centre(b)) @ motion.matrix.T + motion.place
            squares = np.where(self.kinds[:, None] == self.kinds[None], self.squares(a, moved), np.inf)
            found.append((float(squares.min(axis=1).sum()), len(found), motion))
        for _, _, motion in sorted(found)[:_FOLLOWED]:
            yield motion

    def _on_pairs(self, a: NDArray[np.float64], b: NDArray[np.float64]) -> Iterator[_Motion]:
        """Yield the motions that lay atoms of b on one of a, as far as the group can."""
        group = self.group
        first = self._lone_atom(a)
        for operation in group.operations:
            own = group.centre(b)
            turned = (b - own) @ operation.T
            for other in np.flatnonzero(self.kinds == self.kinds[first]):
                yield self._on_pair(a, turned, first, int(other), operation, own)

    def _on_pair(
        self,
        a: NDArray[np.float64],
        turned: NDArray[np.float64],
        first: int,
        other: int,
        operation: NDArray[np.float64],
        own: NDArray[np.float64],
    ) -> _Motion:
        group, centre = self.group, self.group.centre(a)
        place = own + group.shifts @ (centre - own)
        if group.turns == 0:
            return _Motion(operation, own + group.shifts @ (a[first] - turned[other] - own))
        turn = _about_axis((a[first] - centre)[None], turned[other][None], group.axis)
        matrix = turn @ operation
        along = np.outer(group.axis, group.axis) @ group.shifts
        height = along @ (a[first] - (turn @ turned[other] + place))
        return _Motion(matrix, place + height)

    def _lone_atom(self, a: NDArray[np.float64]) -> int:
        """Return an atom of the kind with the fewest atoms that move, far from the axis if there is one."""
        counts = np.bincount(self.kinds)[self.kinds].astype(np.float64)
        if self.group.turns == 0:
            return int(np.argmin(counts))
        across = a - self.group.centre(a)
        across = across - np.outer(across @ self.group.axis, self.group.axis)
        far = np.linalg.norm(across, axis=1)
        counts[far < 0.4 * far.max()] = np.inf
        return int(np.argmin(counts))


def _square(placed: Placed) -> float:
    return placed.square


def _kabsch(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rotation (3, 3) that lays b nearest to a (W. Kabsch, Acta Cryst. A 32 (1976) 922)."""
    u, _, v = np.linalg.svd(a.T @ b)
    rotation: NDArray[np.float64] = u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ v))]) @ v
    return rotation


def _about_axis(a: NDArray[np.float64], b: NDArray[np.float64], axis: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rotation (3, 3) about an axis that lays b nearest to a."""
    one = np.cross(axis, np.eye(3)[int(np.argmin(np.abs(axis)))])
    one /= np.linalg.norm(one)
    two = np.cross(axis, one)
    x, y = b @ one, b @ two
    sine, cosine = (x * (a @ two) - y * (a @ one)).sum(), (x * (a @ one) + y * (a @ two)).sum()
    size = np.hypot(sine, cosine)
    if size == 0.0:
        return np.eye(3)
    sine, cosine = sine / size, cosine / size
    across = np.outer(one, one) + np.outer(two, two)
    along, round_it = np.outer(axis, axis), np.outer(two, one) - np.outer(one, two)
    rotation: NDArray[np.float64] = along + cosine * across + sine * round_it
    return rotation
