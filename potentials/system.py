"""The System that every algorithm works on: free coordinates, flat functions, symmetry, random starts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike

from thalweg.potentials.ase_calculators import FAILURES, evaluate_atoms, free_hessian, nearest_distance
from thalweg.potentials.bounds import BoundsLike, checked_bounds
from thalweg.potentials.calculator import FlatCalculator, evaluate_batch
from thalweg.potentials.compiled.callbacks import Callback
from thalweg.potentials.compiled.signatures import Compiled
from thalweg.potentials.compiled.stopping import Interruptible
from thalweg.potentials.constraints import constraints_of
from thalweg.potentials.conversion import real_results
from thalweg.potentials.cuda.availability import use_gpu
from thalweg.potentials.description import describe_system, subject_from
from thalweg.potentials.lazy import public
from thalweg.potentials.noise import NO_NOISE, Noise, measured_noise
from thalweg.potentials.point import Point, flat_coordinates
from thalweg.potentials.protocols import Matrix, Subject, Vector
from thalweg.potentials.system_symmetry import SystemSymmetry, usual_symmetry

__all__ = ["System", "as_system"]


# Computed again when asked for, where a pickle was read
_COMPUTED = (
    "callback", "symmetry", "lattice", "anchored", "tangents", "memory", "failure", "interrupted", "stopper", "stopped",
)  # fmt: skip


@public("thalweg.potentials")
class System(SystemSymmetry, Interruptible):
    """Atoms or a Point with a calculator, in the form that every algorithm of Thalweg works on.

    :func:`as_system` makes it. Coordinates are whole vectors of shape (n,), frozen entries included.

    Parameters
    ----------
    subject : ase.Atoms or Point
        Object with a calculator. It is copied: later changes to it have no effect.
    bounds : array_like, shape (n, 2) or (2, n) or (2,), or scipy.optimize.Bounds, optional
        Lowest and highest value of each coordinate: random starts are drawn inside and, for a Point, searches that
        end outside have failed (atoms may drift). Four numbers for two coordinates are read as one pair for each
        coordinate, as in scipy. By default the potential's own ``bounds``, if it has any.

    permutations : {"bonds", "all", "none"}, optional
        Which equal atoms may be exchanged when points are compared and laid on each other: those whose exchange keeps
        the bond graph, all, or none. Atoms are equal that agree in species, mass, tag, initial charge and moment.
        "bonds" for molecules and "all" for other atoms where missing.
    inversion : bool, optional
        Whether a mirror image is the same point; it is where missing. Without, the R and the S form of a molecule are
        two minima; and with ``permutations="none"`` too, so are both ends of ammonia's inversion.
    substrate : bool, optional
        Whether sites are the same that the symmetry of fixed atoms, or of the cell, makes equal: an adatom on any
        site of one kind is one minimum then. Where missing, only without a periodic cell.
    rigid : array_like, shape (k, 6), optional
        Rigid motions that leave the energy unchanged, their parts along the translations in x, y, z and the rotations
        about x, y, z; measured by copies of the atoms where missing.

    Attributes
    ----------
    x : ndarray, shape (n,)
        Coordinates of the subject.
    free, frozen : ndarray of int, shapes (n_free,) and (n - n_free,)
        Indices of free and of fixed coordinates.
    constraints : Constraints or None
        Constraints of atoms that are more than fixed coordinates: directions in which nothing moves, such as those of
        FixedLine, and springs (Hookean). Functions of the system are those of the nearest point that keeps them, so
        that they are constant along these directions.
    potential : FlatCalculator or ASE calculator
        The calculator.
    atoms : ase.Atoms or None
        Copy of the atoms without a calculator; None for a Point.
    bounds : ndarray, shape (n, 2), or None
        Lowest and highest value of each coordinate.
    calls : int
        Calls of an ASE calculator by this object so far; 0 for Thalweg's own potentials.
    failure : Failure or None
        Last exception that the potential raised, until :meth:`forget_failure`.
    interrupted : callable or None
        Asked before each call of a potential written in Python whether to end the search by SearchStopped.

    Raises
    ------
    TypeError
        For anything but Atoms or a Point, or for a constraint that is neither a projection of the coordinates
        (FixAtoms, FixCartesian, FixScaled, FixedPlane, FixedLine, FixCom, FixSubsetCom) nor a spring (Hookean).
    ValueError
        If there is no calculator, or the coordinates do not suit it.

    Examples
    --------
    >>> from thalweg.potentials import Himmelblau, Point, System
    >>> system = System(Point([3.0, 2.0], calc=Himmelblau()))
    >>> system
    System(Point, Himmelblau, 2 of 2 coordinates free)
    >>> system.energy(system.x), system.inside(3 * system.x)
    (0.0, False)
    """

    calls = 0

    def __init__(
        self,
        subject: Subject,
        bounds: BoundsLike | None = None,
        *,
        permutations: str | None = None,
        inversion: bool | None = None,
        substrate: bool | None = None,
        rigid: ArrayLike | None = None,
    ):
        if not isinstance(subject, Atoms | Point):
            raise TypeError(f"expected ase.Atoms or a Point, not {type(subject).__name__}")
        if subject.calc is None:
            raise ValueError("there is no calculator: set .calc first")
        if not len(subject):
            raise ValueError("there are no atoms" if isinstance(subject, Atoms) else "the point has no coordinates")
        self.potential = subject.calc
        self.atoms = None if isinstance(subject, Point) else subject.copy()
        self._set_symmetry(permutations, inversion, substrate, rigid)
        x = subject.x if isinstance(subject, Point) else subject.positions.ravel()
        self.x = np.array(x, dtype=np.float64)
        if not np.isfinite(self.x).all():
            raise ValueError("the coordinates must be finite; they have NaN or infinite entries")
        read = None if isinstance(subject, Point) else constraints_of(subject)
        frozen = subject.frozen if read is None else read.frozen
        self.frozen, self.free = np.flatnonzero(frozen), np.flatnonzero(~frozen)
        self.constraints = read if read is not None and read.restraining else None
        if self.free.size == (0 if self.constraints is None else len(self.constraints.normals)):
            raise ValueError("every coordinate is fixed: nothing is left to move")
        own = self._own
        if bounds is None and self.atoms is None and own is not None:
            bounds = own.bounds
        self.bounds = checked_bounds(bounds, self.n)
        if own is not None:
            own.check_coordinates(self.x)
        if own is not None and self.atoms is not None and self.atoms.pbc.any():
            raise ValueError(f"{type(self.potential).__name__} has no periodic images: set atoms.pbc = False")
        if self.constraints is not None:
            self.constraints.check_anchored(lambda: self.motions_left)

    @property
    def n(self) -> int:
        """Length of whole coordinate vectors."""
        return self.x.size

    @property
    def n_free(self) -> int:
        """Number of free degrees of freedom."""
        return self.free.size

    @property
    def units(self) -> str:
        """Unit of energy: "reduced" for Thalweg's own potentials, "eV" for ASE's calculators."""
        return "eV" if self._own is None else self._own.units

    @property
    def device(self) -> str:
        """Device that batches are evaluated on: "cpu", "cuda" or "auto"; "cpu" for ASE's calculators."""
        return "cpu" if self._own is None or self.constraints is not None else self._own.device

    def on_gpu(self, X: Matrix) -> bool:
        """Return whether a batch X (walkers, n) is evaluated on a GPU."""
        return self._own is not None and self.constraints is None and use_gpu(self._own, X)

    @property
    def threadsafe(self) -> bool:
        """Whether several threads may evaluate the potential at once."""
        return self._own is not None and self._own.compiled is not None and self.constraints is None

    @cached_property
    def callback(self) -> Callback | None:
        """C callback through which compiled code calls a potential written in Python; None for a compiled one."""
        if self.threadsafe:
            return None
        return Callback(self._guarded_energy_gradient, self.hessian, FAILURES if self.atoms is not None else ())

    def _guarded_energy_gradient(self, x: Vector) -> tuple[float, Vector]:
        # a search on its way to infinity ends early: evaluations in Python are slow
        return (np.nan, np.full(self.n, np.nan)) if self._far_outside(x) else self.energy_gradient(x)

    def _far_outside(self, x: Vector) -> bool:
        if self.bounds is None or self.atoms is not None:
            return False
        low, high = self.bounds[self.free].T
        margin = 0.5 * (high - low)
        return bool(((x[self.free] < low - margin) | (x[self.free] > high + margin)).any())

    @property
    def compiled(self) -> Compiled:
        """Functions that compiled optimizers call."""
        if self.threadsafe and self._own is not None and self._own.compiled is not None:
            return self.stoppable(self._own.compiled)
        assert self.callback is not None
        return self.callback.compiled

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key not in _COMPUTED}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # pickles of earlier versions have them in another form
        self.__dict__.update({key: value for key, value in state.items() if key not in _COMPUTED})
        self._take_old_state()

    def __repr__(self) -> str:
        what = self.atoms.get_chemical_formula() if self.atoms is not None else "Point"
        return f"System({what}, {type(self.potential).__name__}, {self.n_free} of {self.n} coordinates free)"

    def energy_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return the energy and the gradient (n,), zero at frozen entries, at x (n,)."""
        self.check_stopped()
        try:
            return self._energy_gradient(x)
        except Exception as error:
            self.record_failure(error, x)
            raise

    def _energy_gradient(self, x: Vector) -> tuple[float, Vector]:
        x = self.constrain(x)
        if isinstance(self.potential, FlatCalculator) or self.atoms is None:
            energy, gradient = real_results.energy_gradient(self.potential, np.asarray(x))
        else:
            self.calls += 1
            energy, gradient = evaluate_atoms(self.atoms, self.potential, x)
        if self.constraints is not None and self.atoms is not None:
            self.atoms.set_positions(x.reshape(-1, 3), apply_constraint=False)
            energy, gradient = self.constraints.add_springs(self.atoms, energy, gradient)
        gradient[self.frozen] = 0.0
        return energy, gradient if self.constraints is None else self.constraints.within(gradient)

    def coordinates(self, place: Subject | ArrayLike, name: str = "x") -> Vector:
        """Return a flat copy of the coordinates of Atoms, a Point or an array; errors as :func:`flat_coordinates`."""
        return flat_coordinates(place, self.atoms, name)

    def constrain(self, x: Vector | Matrix) -> Vector | Matrix:
        """Return the points nearest to x (n,) or (walkers, n) that keep the constraints; frozen entries stay."""
        if self.constraints is None:
            return x
        return self.x + self.constraints.within(np.asarray(x, dtype=np.float64) - self.x)

    def energy(self, x: Vector) -> float:
        """Return the energy at x (n,)."""
        return self.energy_gradient(x)[0]

    def energies_gradients(self, X: Matrix, threads: int | None = None) -> tuple[Vector, Matrix]:
        """Return energies (walkers,) and gradients (walkers, n), zero at frozen entries, of a batch X (walkers, n)."""
        energies, gradients = evaluate_batch(self.compiled, X, threads if self.threadsafe else 1)
        self.reraise()
        gradients[:, self.frozen] = 0.0
        return energies, gradients

    @cached_property
    def noise(self) -> Noise:
        """Noise of an ASE calculator's gradients, measured at the own coordinates."""
        return NO_NOISE if self._own is not None else measured_noise(self.energy_gradient, self.x, self.free)

    def hessian(self, x: Vector) -> Matrix:
        """Return the second derivatives (n, n) at x (n,), with zero rows and columns at frozen entries."""
        self.check_stopped()
        if isinstance(self.potential, FlatCalculator) and self.constraints is None:
            try:
                hessian = real_results.hessian(self.potential, np.asarray(x))
            except Exception as error:
                self.record_failure(error, x)
                raise
        else:
            hessian = free_hessian(self.energy_gradient, np.array(x), self.free, self.noise.difference_step)
        hessian[self.frozen, :] = 0.0
        hessian[:, self.frozen] = 0.0
        return hessian

    def hessian_vector(self, x: Vector, v: Vector) -> Vector:
        """Return the product (n,) of the Hessian at x with v (n,); by differences for ASE's calculators."""
        self.check_stopped()
        v = np.where(self._free_mask, v, 0.0)
        if isinstance(self.potential, FlatCalculator) and self.constraints is None:
            try:
                product = real_results.hessian_vector(self.potential, np.asarray(x), v)
            except Exception as error:
                self.record_failure(error, x)
                raise
        else:
            length = np.linalg.norm(v)
            h = self.noise.difference_step / length if length > 0 else 1.0
            product = (self.energy_gradient(x + h * v)[1] - self.energy_gradient(x - h * v)[1]) / (2 * h)
        product[self.frozen] = 0.0
        return product

    def reraise(self) -> None:
        """Raise the exception that a Python potential raised inside compiled code, if there was one."""
        if self.callback is not None:
            self.callback.reraise()
        if self.tangents is not None:
            self.tangents.reraise()

    def inside(self, x: Vector) -> bool:
        """Return whether the free coordinates of x (n,) lie within the bounds; True for atoms and without bounds."""
        if self.bounds is None or self.atoms is not None:
            return True
        low, high = self.bounds[self.free].T
        part = np.asarray(x)[self.free]
        return bool(((low <= part) & (part <= high)).all())

    @property
    def width(self) -> float | None:
        """Mean width of a Point's bounds, with which step sizes scale; None without bounds."""
        return (
            None if self.bounds is None or self.atoms is not None else float(np.mean(np.diff(self.bounds[self.free])))
        )

    def random(self, rng: np.random.Generator) -> Vector:
        """Return a random starting point (n,): within the bounds, drawn by the potential, or around the own x.

        Atoms with an ASE calculator move in each direction by up to a third of the distance of neighbours, or by up to
        a tenth if some are fixed or the cell is periodic: such a structure should not melt.
        """
        x = None
        if self.bounds is not None:
            x = rng.uniform(self.bounds[:, 0], self.bounds[:, 1])
        elif isinstance(self.potential, FlatCalculator) and (self.atoms is None or self.loose):
            x = self.potential.random_coordinates(self.n, rng)
        if x is None:
            x = self.x + self._amplitude * rng.uniform(-1.0, 1.0, self.n)
        return self.constrain(np.where(self._free_mask, x, self.x))

    @cached_property
    def _amplitude(self) -> float:
        if self.atoms is None or isinstance(self.potential, FlatCalculator):
            return 1.0
        whole = self.loose and not self.atoms.pbc.any()
        return nearest_distance(self.atoms) / (3.0 if whole else 10.0)

    def subject(self, x: ArrayLike | None = None) -> Subject:
        """Return Atoms, Weights or a Point at x (n,), by default at the own coordinates, with the calculator."""
        x = self.x if x is None else np.asarray(x, dtype=np.float64)
        if self.atoms is not None:
            atoms = self.atoms.copy()
            atoms.set_positions(x.reshape(-1, 3), apply_constraint=False)
            atoms.calc = self.potential
            return atoms
        return Point(x, self.potential, ~self._free_mask) if self._own is None else self._own.point(x, ~self._free_mask)

    def describe(self) -> dict[str, Any]:
        """Describe the system by scalars, arrays and dictionaries of them, from which it can be built again."""
        return describe_system(self)

    @classmethod
    def from_description(cls, description: Mapping[str, Any], calculator: Any = None, *, trust: bool = False) -> System:
        """Build the system that :meth:`describe` has described; arguments and errors are those of `subject_from`."""
        subject = subject_from(description, calculator, trust=trust)
        usual = usual_symmetry(subject.pbc, subject.cell.array) if isinstance(subject, Atoms) else {}
        options = {name: description.get(name, value) for name, value in usual.items()}
        return cls(subject, bounds=description.get("bounds"), **options)


def as_system(subject: Subject | System, bounds: BoundsLike | None = None, **symmetry: Any) -> System:
    """Make a System of Atoms or a Point with a calculator; a System is returned unchanged.

    Parameters
    ----------
    subject : ase.Atoms, Point or System
        Object with a calculator.
    bounds : array_like or scipy.optimize.Bounds, optional
        Bounds of the coordinates, see :class:`System`.
    **symmetry
        ``permutations``, ``inversion``, ``substrate`` and ``rigid`` of :class:`System`; None counts as missing.

    Returns
    -------
    System

    Raises
    ------
    TypeError, ValueError
        For the same reasons as :class:`System`.

    Examples
    --------
    >>> from ase import Atoms
    >>> from thalweg.potentials import LJAT, as_system
    >>> as_system(Atoms("Ar2", positions=[[0, 0, 0], [1.12, 0, 0]], calculator=LJAT(Z=0.0)))
    System(Ar2, LJAT, 6 of 6 coordinates free)
    """
    given = {name: value for name, value in symmetry.items() if value is not None}
    if not isinstance(subject, System):
        return System(subject, bounds, **given)
    if bounds is None and not given:
        return subject
    return System(subject.subject(), subject.bounds if bounds is None else bounds, **subject.symmetry_options() | given)
