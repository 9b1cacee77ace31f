"""Steps of a molecule along curves on which bonds and angles change as little as on the first part of the way."""

from __future__ import annotations

import numpy as np
from ase.data import covalent_radii
from numpy.typing import NDArray

from thalweg.optimizers.quasi_newton.internal_coordinates.coordinates import InternalCoordinates
from thalweg.optimizers.quasi_newton.molecules.turning import TurningMolecules, longest_of
from thalweg.potentials.symmetry.bonds.graph import bonded_pairs, components_of
from thalweg.potentials.system import System

__all__ = ["CurvedSteps", "Frames", "curved_steps", "displaced", "frames_at"]

# Least stiffness of a direction by the model, in eV/angstrom**2, where the coordinates describe it
_COMPLETE = 2e-3
# Corrections to a step, and the longest atom's way, in angstrom, of the last of them
_CORRECTIONS, _FINE = 12, 1e-9
# Curvature of what the model leaves out, such as contacts of atoms that are not bonded, eV/angstrom**2
_FLOOR = 0.03
# Energy by the model that a random displacement brings at most, eV: that of the displacements of molecules of four
# atoms, whose searches find where bonds break
_ENERGY = 6.0
# How many times as far as asked for it leads along soft directions: a methyl group turns over its barrier
_FARTHEST = 4.0


class CurvedSteps:
    """Where a molecule is, and how steps and gradients go over into those at the next point.

    A step is taken in bond lengths, angles and dihedral angles: a methyl group that turns moves its atoms on circles,
    where straight steps would stretch its bonds. Gradients and Hessians are expressed by the same coordinates when they
    are carried from one point to another, so that what a search has learnt about a bond stays with the bond.
    It has the methods of :class:`TurningMolecules`, which does the same for several molecules, in its way.

    Parameters
    ----------
    system : System
        A free molecule.
    coordinates : InternalCoordinates
    x : (n,) ndarray
        Where it is.

    Attributes
    ----------
    values : (k,) ndarray
        Of the coordinates.
    complete : bool
        Whether every change of shape changes a coordinate; without, only :attr:`model` has a meaning.

    Examples
    --------
    >>> import numpy as np
    >>> from ase.build import molecule
    >>> from ase.calculators.emt import EMT
    >>> from thalweg.optimizers.quasi_newton.internal_coordinates.curved_steps import curved_steps
    >>> from thalweg.potentials import as_system
    >>> ethane = molecule("C2H6", calculator=EMT())
    >>> x = ethane.positions.ravel()
    >>> frames = curved_steps(as_system(ethane), x)
    >>> turn = np.zeros((8, 3))
    >>> turn[2:5] = np.cross([0.0, 0.0, 0.5], ethane.positions[2:5])
    >>> ethane.positions[:] = frames.moved(x, turn.ravel())[0].reshape(8, 3)
    >>> straight = np.linalg.norm((x.reshape(8, 3) + turn)[2] - x[:3])
    >>> f"{ethane.get_distance(0, 2):.2f} and not {straight:.2f}"
    '1.09 and not 1.39'
    """

    def __init__(self, system: System, coordinates: InternalCoordinates, x: NDArray[np.float64]) -> None:
        self.molecules: list[NDArray[np.int64]] = []
        self.may_turn = False
        self.system, self.coordinates, self.x = system, coordinates, x
        positions = x.reshape(-1, 3)
        # atoms at one place, or a bond angle that is straight: not complete
        with np.errstate(all="ignore"):
            self.values, self._rows = coordinates.values(positions), coordinates.derivatives(positions)
            self._weighted = self._rows.T * coordinates.stiffness(positions)
        self._stiff = self._weighted @ self._rows
        self._null = np.linalg.qr(system.null_modes(x).T)[0].T
        self.complete, self._inverse = False, self._stiff
        if len(self._null) == 6 and np.isfinite(self._stiff).all():
            # rigid motions change no coordinate
            values, vectors = np.linalg.eigh(self._stiff + self._null.T @ self._null)
            self.complete = bool(values[0] > _COMPLETE)
            if self.complete:
                self._inverse = (vectors / values) @ vectors.T
        # displacements at the point before as such here, and the other way round
        self._onto: NDArray[np.float64] | None = None
        self._back: NDArray[np.float64] | None = None

    @property
    def model(self) -> NDArray[np.float64]:
        """Positive definite guess of the Hessian (n, n)."""
        hessian = self._stiff.copy()
        hessian[np.diag_indices(len(hessian))] += _FLOOR
        return hessian

    def moved(self, x: NDArray[np.float64], step: NDArray[np.float64]) -> tuple[NDArray[np.float64], Frames]:
        """Return the point a step (n,) away from x (n,), and what there is at it.

        Straight on where the coordinates do not reach, as across a straight bond angle; others are chosen there.
        """
        goal, moved = self._rows @ step, x + step
        previous = np.inf
        for _ in range(_CORRECTIONS):
            here = CurvedSteps(self.system, self.coordinates, moved)
            if not here.complete:
                break
            missing = self.coordinates.change(goal, here.coordinates.change(here.values, self.values))
            correction = here._inverse @ (here._weighted @ missing)
            size = longest_of(correction)
            if not size < previous:
                break
            if size < _FINE:
                here._onto, here._back = here._over(self), self._over(here)
                return moved, here
            moved, previous = moved + correction, size
        return x + step, frames_at(self.system, x + step)

    def _over(self, other: CurvedSteps) -> NDArray[np.float64]:
        """Return the matrix that makes displacements here of those at another point, the changes of shape equal."""
        over: NDArray[np.float64] = self._inverse @ (self._weighted @ other._rows) + self._null.T @ other._null
        return over

    def taken_back(self, gradient: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a gradient here as one at the point before."""
        return gradient if self._onto is None else self._onto.T @ gradient

    def carried_steps(self, steps: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return displacements (n,) or (n, k) at the point before as such here."""
        return steps if self._onto is None else self._onto @ steps

    def carried_slopes(self, slopes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return gradients (n,) or (n, k) at the point before as such here."""
        return slopes if self._back is None else self._back.T @ slopes

    def carried_hessian(self, hessian: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a Hessian (n, n) at the point before as one here."""
        return hessian if self._back is None else self._back.T @ hessian @ self._back

    def limited(self, step: NDArray[np.float64], most: float) -> NDArray[np.float64]:
        """Return a step (n,) in which no atom moves farther than ``most``."""
        return min(1.0, most / longest_of(step)) * step

    def deformed(self, x: NDArray[np.float64], most: float) -> bool:
        """Return whether the model is stale: it is made anew at each point."""
        return False

    def into_frames(self, vector: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a vector as it is."""
        return vector

    def out_of_frames(self, vector: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a vector as it is."""
        return vector

    def matrix(self, free: NDArray[np.int64]) -> None:
        """Return that nothing is in other frames."""

    def shapes(self, x: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        """Return nothing: there is one molecule."""
        return []


Frames = CurvedSteps | TurningMolecules
"""How a system steps, and in what what it learns is expressed."""


def curved_steps(system: System, x: NDArray[np.float64]) -> CurvedSteps | None:
    """Return curved steps from x (n,); None for what is no single, free, bent molecule."""
    atoms = system.atoms
    if atoms is None or len(atoms) < 4 or system.permutations != "bonds" or system.constraints is not None:
        return None
    if atoms.pbc.any() or system.free.size < system.n or not system.isotropic:
        return None
    if components_of(len(atoms), bonded_pairs(atoms.numbers, system.x.reshape(-1, 3))).max() > 0:
        return None
    positions = x.reshape(-1, 3)
    bonds = _connected(atoms.numbers, positions)
    coordinates = InternalCoordinates(atoms.numbers, positions, bonds)
    # without dihedral angles, straight steps do as well
    steps = CurvedSteps(system, coordinates, x) if len(coordinates.dihedrals) else None
    return steps if steps is not None and steps.complete else None


def displaced(system: System, x: NDArray[np.float64], step: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return x (n,) displaced by a random step (n,), of a molecule less along stiff and farther along soft directions.

    Displaced as far along all directions, a molecule of twenty atoms is torn: the energy grows with the number of its
    bonds. Here each direction gains no more than its share of an energy that breaks a bond.
    """
    frames = curved_steps(system, x)
    if frames is None:
        return x + step
    values, vectors = np.linalg.eigh(frames.model)
    usual = float(np.linalg.norm(step)) / np.sqrt(step.size)
    most = np.sqrt(2.0 * _ENERGY / step.size / values)
    return frames.moved(x, vectors @ (np.minimum(_FARTHEST, most / usual) * (vectors.T @ step)))[0]


def _connected(numbers: NDArray[np.int64], positions: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the bonds of a molecule, and where they leave parts the shortest contacts between these."""
    bonds = bonded_pairs(numbers, positions)
    parts = components_of(len(numbers), bonds)
    while parts.max() > 0:
        i, j = np.triu_indices(len(numbers), 1)
        between = parts[i] != parts[j]
        i, j = i[between], j[between]
        ratio = np.linalg.norm(positions[i] - positions[j], axis=1) / covalent_radii[numbers][[i, j]].sum(axis=0)
        nearest = int(ratio.argmin())
        bonds = np.vstack([bonds, [i[nearest], j[nearest]]])
        parts = components_of(len(numbers), bonds)
    return bonds


def frames_at(system: System, x: NDArray[np.float64]) -> Frames:
    """Return in which way a system steps from x (n,)."""
    return curved_steps(system, x) or TurningMolecules(system, x)
