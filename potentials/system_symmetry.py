"""Symmetry of a system: null modes, and which points are copies of each other."""

from __future__ import annotations

import traceback
from functools import cached_property
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike

from thalweg.potentials.ase_calculators import FAILURES, evaluate_atoms
from thalweg.potentials.calculator import FlatCalculator
from thalweg.potentials.compiled.callbacks import Failure
from thalweg.potentials.constraints import Constraints
from thalweg.potentials.protocols import ExchangeSymmetry, Integers, Mask, Matrix, Symmetry, Vector
from thalweg.potentials.symmetry.declared_symmetry import DeclaredSymmetry
from thalweg.potentials.symmetry.equality import PERMUTATIONS, kinds_of
from thalweg.potentials.symmetry.motions.invariance import allowed_motions, measured_motions
from thalweg.potentials.symmetry.no_symmetry import NoSymmetry
from thalweg.potentials.symmetry.null_modes import orthonormal_null_modes
from thalweg.potentials.symmetry.periodic_images import lattice_of
from thalweg.potentials.symmetry.varying_null_modes import VaryingNullModes, orthonormal_tangents

__all__ = ["SYMMETRY_OPTIONS", "SystemSymmetry", "usual_symmetry"]

_FEWEST_SYMMETRIC = 5  # atoms

SYMMETRY_OPTIONS = ("permutations", "inversion", "substrate", "rigid")
"""Options of a System that say which of its points are the same."""


def usual_symmetry(pbc: Mask, cell: Matrix) -> dict[str, Any]:
    """Return the options that hold for atoms in a cell where a description says nothing else."""
    values = ("all", True, not pbc.any(), allowed_motions(pbc, cell))
    return dict(zip(SYMMETRY_OPTIONS, values, strict=True))


class SystemSymmetry:
    """Symmetry operations and null modes of a :class:`~thalweg.potentials.System`, of which this is the base class.

    Attributes
    ----------
    x, free, frozen, potential, atoms
        As the System has them.
    """

    x: Vector
    free: Integers
    frozen: Integers
    potential: Any
    atoms: Atoms | None
    bounds: Matrix | None
    constraints: Constraints | None = None
    failure: Failure | None = None
    inversion: bool
    substrate: bool
    _permutations: str | None
    _rigid: Matrix | None

    def _set_symmetry(
        self, permutations: str | None, inversion: bool | None, substrate: bool | None, rigid: ArrayLike | None
    ) -> None:
        """Take note of what counts as the same; None where the system itself is to tell.

        Raises
        ------
        ValueError
            For a value that is not known, or for something else than atoms.
        """
        if permutations is not None and permutations not in PERMUTATIONS:
            raise ValueError(f"permutations must be {', '.join(PERMUTATIONS)}, or None; it is {permutations!r}")
        for name, value in (("permutations", permutations), ("inversion", inversion), ("substrate", substrate)):
            if value is not None and self.atoms is None:
                raise ValueError(f"{name} is for atoms: a Point has the symmetry of its potential, leave it out")
        self._permutations, self.inversion = permutations, True if inversion is None else bool(inversion)
        usual = self.atoms is not None and not self.atoms.pbc.any()
        self.substrate = usual if substrate is None else bool(substrate)
        self._rigid = None if rigid is None else np.asarray(rigid, dtype=np.float64).reshape(-1, 6)

    def _take_old_state(self) -> None:
        """Complete the state of a pickle of an earlier version, which knew rigid motions as bits and no options."""
        if "_permutations" not in self.__dict__:
            self.__dict__.pop("rigid", None)
            usual = {} if self.atoms is None else usual_symmetry(self.atoms.pbc, self.atoms.cell.array)
            self._set_symmetry(*(usual.get(name) for name in SYMMETRY_OPTIONS))

    def symmetry_options(self) -> dict[str, Any]:
        """Return the options that say what counts as the same, as the System takes them; none for a Point."""
        if self.atoms is None:
            return {}
        try:
            rigid = self.rigid
        except Exception:  # of whatever type: searches meet it again, and say so
            rigid = allowed_motions(self.atoms.pbc, self.atoms.cell.array)
        values = (self.permutations, self.inversion, self.substrate, rigid)
        return dict(zip(SYMMETRY_OPTIONS, values, strict=True))

    @property
    def _own(self) -> FlatCalculator | None:
        """The potential if it is one of Thalweg's calculators."""
        return self.potential if isinstance(self.potential, FlatCalculator) else None

    @property
    def has_hessian(self) -> bool:
        """Whether the potential has a Hessian of its own; that of others is made of differences of forces."""
        return self._own is not None and self.constraints is None

    @cached_property
    def memory(self) -> dict[str, Any]:
        """What searches of this process have found, by names of their own; no result may depend on it."""
        return {}

    @cached_property
    def _free_mask(self) -> Mask:
        return np.isin(np.arange(self.x.size), self.free)

    @cached_property
    def permutations(self) -> str:
        """Which equal atoms may be exchanged: "bonds" for molecules, "all" for other atoms, where nobody said."""
        if self._permutations is not None:
            return self._permutations
        if self.atoms is None or (self._own is not None and self._own.units == "reduced"):
            return "all"
        from thalweg.potentials.symmetry.bonds.graph import is_molecular  # clusters of Thalweg's own do without

        atoms = self.atoms
        return "bonds" if is_molecular(atoms.numbers, atoms.positions, atoms.pbc, atoms.cell.array) else "all"

    @cached_property
    def rigid(self) -> Matrix:
        """Rigid motions that leave the energy unchanged, shape (k, 6): see :func:`orthonormal_null_modes`.

        For a potential that does not say so itself, the energies of a turned and shifted copy tell, once.
        """
        if self.atoms is None:
            return np.zeros((0, 6))
        pbc, cell = self.atoms.pbc, self.atoms.cell.array
        if self._rigid is not None:
            return self._rigid
        if self._own is not None and self._own.isotropic:
            return allowed_motions(pbc, cell)
        return measured_motions(self._unconstrained, self.x, pbc, cell)

    @property
    def isotropic(self) -> bool:
        """Whether the energy is invariant under all rotations: not in a field, nor in a cell that the atoms fill."""
        return bool(np.linalg.matrix_rank(self.rigid[:, 3:]) == 3) if len(self.rigid) else False

    @cached_property
    def lattice(self) -> Matrix:
        """Lattice (7, 3) across which a molecule is put together before it is turned, or (0, 3)."""
        if (
            self.atoms is None
            or not self.atoms.pbc.any()
            or len(self.rigid) <= len(allowed_motions(self.atoms.pbc, self.atoms.cell.array))
        ):
            return np.zeros((0, 3))
        return lattice_of(self.atoms.cell.array, self.atoms.pbc)

    def _unconstrained(self, x: Vector) -> tuple[float, Vector]:
        """Return energy and gradient (n,), those of fixed atoms too; NaN where the calculator fails."""
        assert self.atoms is not None
        try:
            if isinstance(self.potential, FlatCalculator):
                return self.potential.energy_gradient(x)
            return evaluate_atoms(self.atoms, self.potential, x)
        except FAILURES:
            return np.nan, np.full(self.x.size, np.nan)
        except Exception as error:
            self.record_failure(error, x)
            raise

    def record_failure(self, error: Exception, x: Vector) -> None:
        """Keep an exception that the potential raised at x (n,) as :attr:`failure`."""
        self.failure = Failure(error, np.array(x, dtype=np.float64), traceback.format_exc())

    def forget_failure(self) -> None:
        """Set :attr:`failure` to None, before a search whose failures are of interest."""
        self.failure = None

    @cached_property
    def tangents(self) -> VaryingNullModes | None:
        """Null modes that differ from point to point, as the potential declares them; None where there are none."""
        declared = None if self._own is None else self._own.null_modes
        return VaryingNullModes(declared, self.x, self.frozen) if callable(declared) else None

    @cached_property
    def constant_null_modes(self) -> Matrix:
        """Null modes that are the same at all points, shape (k, n); directions that constraints forbid among them.

        Rows of zeros stand for those that differ from point to point.
        """
        if self.tangents is not None:
            return np.zeros((self.tangents.most, self.x.size))
        if self.constraints is not None:
            return np.ascontiguousarray(self.constraints.normals, dtype=np.float64)
        modes = None if self._own is None else self._own.null_modes
        if modes is None:
            return np.zeros((0, self.x.size))
        modes = np.ascontiguousarray(modes, dtype=np.float64)
        return orthonormal_tangents(modes, self.frozen) if modes[:, self.frozen].any() else modes

    @property
    def varying_null_modes(self) -> Integers:
        """Address of the null modes that differ from point to point, shape (1,), or (0,) where there are none."""
        return np.zeros(0, dtype=np.int64) if self.tangents is None else self.tangents.address

    def null_modes(self, x: Vector) -> Matrix:
        """Return orthonormal directions (k, n) at x (n,) along which the energy cannot change."""
        x = np.ascontiguousarray(x, dtype=np.float64)
        if self.tangents is not None:
            return self.tangents(x)
        constant, none = self.constant_null_modes, np.zeros(0, dtype=np.int64)
        out = np.zeros((6 + len(constant), self.x.size))
        count = orthonormal_null_modes(x, self.frozen, self.rigid, self.lattice, constant, none, out)
        return out[:count]

    @property
    def motions_left(self) -> int:
        """Number of rigid motions of the structure that neither change its energy nor break a constraint."""
        return len(self.null_modes(self.x)) - len(self.constant_null_modes)

    @cached_property
    def anchored(self) -> bool:
        """Whether constraints of atoms hold more than the place and the orientation of the whole.

        A centre of mass that is fixed, or one atom on a line, only says where a molecule is: any copy of it can be
        moved there.
        """
        if self.frozen.size:
            return True
        if self.constraints is None or not len(self.constraints.normals):
            return False
        nothing, none = np.zeros((0, self.x.size)), np.zeros(0, dtype=np.int64)
        out = np.zeros((6, self.x.size))
        motions = orthonormal_null_modes(self.x, self.frozen, self.rigid, self.lattice, nothing, none, out)
        return motions - self.motions_left < len(self.constraints.normals)

    @cached_property
    def symmetry(self) -> Symmetry:
        """Symmetry operations, with ``align``, ``distance``, ``order`` and ``random_copy``."""
        if self.atoms is not None:
            # networks do without, and need not wait for it to compile
            from thalweg.potentials.symmetry.clusters import ClusterSymmetry

            atoms, kinds, fixed = self.atoms, kinds_of(self.atoms), self.frozen
            place: Vector | None = self.x
            if self.constraints is not None:
                both = np.stack([kinds, self.constraints.classes])
                kinds = np.unique(both, axis=1, return_inverse=True)[1].reshape(-1)
                if self.anchored and self.constraints.held.any():
                    # atoms that keep to a line or a plane: nothing turns about them
                    fixed, place = np.union1d(fixed, np.flatnonzero(np.repeat(self.constraints.held, 3))), None
            return ClusterSymmetry(
                atoms.numbers, atoms.pbc, atoms.cell.array, fixed, positions=place, rigid=self.rigid, kinds=kinds,
                permutations=self.permutations, inversion=self.inversion, substrate=self.substrate,
            )  # fmt: skip
        own = self._own
        if own is not None and own.declares_symmetry:
            return self._declared(own)
        if own is None or own.symmetry is None:
            return NoSymmetry()
        return own.symmetry if own.mask is None or np.array_equal(own.mask, self._free_mask) else NoSymmetry()

    def _declared(self, own: FlatCalculator) -> DeclaredSymmetry:
        """Return what the user of a potential declared, without operations that would move fixed coordinates."""
        blocks, periods = own.symmetry, own.periods
        if blocks is not None and self.frozen.size:
            moved = getattr(blocks, "coordinates", None)
            blocks = None if moved is None or np.isin(moved, self.frozen).any() else blocks
        if periods is not None:
            periods = np.where(self._free_mask, periods, np.inf)
        null = None if own.null_modes is None else self.null_modes
        return DeclaredSymmetry(blocks, periods, null, constant=self.tangents is None)

    @property
    def has_symmetry(self) -> bool:
        """Whether there are symmetry operations besides the identity; always assumed for atoms."""
        return self.atoms is not None or not isinstance(self.symmetry, NoSymmetry)

    def align(self, a: Vector, b: Vector) -> Vector:
        """Return the symmetry copy of b (n,) that is nearest to a (n,)."""
        return self.symmetry.align(a, b)

    def align_all(self, a: Vector, points: Matrix) -> Matrix:
        """Return for each row of points (m, n) a copy near to a (n,); only if :attr:`may_be_made_symmetric`."""
        if not isinstance(self.symmetry, ExchangeSymmetry):
            raise ValueError("no coordinates of this system can be exchanged")
        return self.symmetry.align_all(a, points)

    def in_order(self, a: Vector, b: Vector) -> Vector | None:
        """Return b (n,) moved nearest to a (n,), its coordinates in the order given; None if that would break bonds."""
        if self.atoms is None:
            return np.array(b, dtype=np.float64)
        symmetry: Any = self.symmetry
        moved: Vector | None = symmetry.in_order(a, b)
        return moved

    def distance(self, a: Vector, b: Vector) -> float:
        """Return the Euclidean distance from a (n,) to the nearest symmetry copy of b (n,)."""
        return self.symmetry.distance(a, b)

    def order(self, x: Vector) -> int:
        """Return the number of symmetry operations that leave x (n,) unchanged."""
        return int(self.symmetry.order(x))

    @property
    def may_start_symmetric(self) -> bool:
        """Whether there are symmetric starting points: for free clusters of a potential that draws them.

        With fewer than five atoms most of them would be saddles of a higher order, on which searches stay.
        """
        if self.atoms is None or self._own is None or not self.loose or self.bounds is not None:
            return False
        return len(self.atoms) >= _FEWEST_SYMMETRIC and self._own.draws_symmetric

    def random_symmetric(self, rng: np.random.Generator) -> Vector:
        """Return a random starting point (n,) with a point group; only if :attr:`may_start_symmetric`."""
        start: Vector = self.potential.symmetric_coordinates(self.x.size, rng)
        return start

    @property
    def container_radius(self) -> float | None:
        """Radius of the sphere in which basin-hopping holds a cluster together; None if the potential gives none."""
        return None if self._own is None else self._own.container_radius(self.x.size)

    @property
    def loose(self) -> bool:
        """Whether no constraint holds an atom in place; False for a Point."""
        return self.atoms is not None and not self.anchored

    @property
    def may_be_made_symmetric(self) -> bool:
        """Whether points can be made symmetric, as those of a network with two exchangeable hidden units."""
        if self.atoms is not None:
            return False
        return isinstance(self.symmetry, ExchangeSymmetry) and self.symmetry.exchanges

    def made_symmetric(self, x: Vector, rng: np.random.Generator) -> Vector:
        """Return a symmetric point (n,) near x (n,); only if :attr:`may_be_made_symmetric`."""
        if not isinstance(self.symmetry, ExchangeSymmetry):
            raise ValueError("no coordinates of this system can be exchanged")
        return self.symmetry.made_symmetric(x, rng)
