"""Calculator of Lennard-Jones clusters with the Axilrod-Teller three-body term."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from ase.calculators.calculator import all_changes

from thalweg.potentials.calculator import FlatCalculator
from thalweg.potentials.compiled.signatures import Compiled
from thalweg.potentials.cuda.availability import checked_device
from thalweg.potentials.cuda.functions import DeviceFunctions
from thalweg.potentials.lazy import public
from thalweg.potentials.ljat.energy import ljat_function
from thalweg.potentials.ljat.hessian import ljat_hessian
from thalweg.potentials.ljat.symmetric_starts import symmetric_positions

if TYPE_CHECKING:
    from ase import Atoms

    from thalweg.potentials.protocols import Vector

__all__ = ["LJAT"]


@public("thalweg.potentials")
class LJAT(FlatCalculator):
    """Lennard-Jones clusters with Axilrod-Teller triples, in reduced units (epsilon = sigma = 1).

    ::

        E = 4 sum_{i<j} (r_ij^-12 - r_ij^-6) + Z sum_{i<j<k} (1 + 3 cos t1 cos t2 cos t3) / (r_ij r_ik r_jk)^3

    Energy, gradient and Hessian are exact and compiled. All atoms interact alike, whatever their element: species only
    decide which atoms may be exchanged. Two atoms at the same place have an energy that is not finite.

    Parameters
    ----------
    Z : float
        Strength of the three-body term; 0 is the Lennard-Jones cluster.
    device : {"auto", "cpu", "cuda"}
        Device that batches of walkers are evaluated on, see :class:`~thalweg.potentials.NetworkLoss`.

    Raises
    ------
    TypeError
        If Z is not a number, or for another keyword.
    ValueError
        If Z is not finite.

    References
    ----------
    B. M. Axilrod and E. Teller, J. Chem. Phys. 11 (1943) 299; S. R. Chitturi et al., Mach. Learn.: Sci. Technol.
    1 (2020) 023002, section 4 (three atoms, Z = 2).

    Examples
    --------
    >>> from ase import Atoms
    >>> from thalweg.potentials import LJAT
    >>> atoms = Atoms("Ar3", positions=[[0, 0, 0], [1.16875, 0, 0], [0.584375, 1.012167, 0]], calculator=LJAT(Z=2.0))
    >>> round(atoms.get_potential_energy(), 6)
    -2.185099
    """

    default_parameters = {"Z": 2.0}  # noqa: RUF012  (ASE's own convention)
    isotropic = True

    def __init__(self, Z: float = 2.0, device: str = "auto", **unknown: object):
        self.device = checked_device(device)
        super().__init__(Z=Z, **unknown)

    def set(self, **parameters: object) -> dict[str, Any]:
        """Set Z; as in ASE, return the parameters that changed."""
        if "Z" in parameters:
            parameters["Z"] = _checked_strength(parameters["Z"])
        changed = super().set(**parameters)
        strength = np.array([self.parameters["Z"]])
        self._functions = Compiled(ljat_function, ljat_hessian, np.zeros(1, dtype=np.int64), strength)
        return changed

    def __repr__(self) -> str:
        return f"LJAT(Z={self.parameters['Z']})"

    @property
    def compiled(self) -> Compiled:
        """Compiled functions, whose floats hold Z alone."""
        return self._functions

    def check_coordinates(self, x: Vector) -> None:
        """Raise ValueError unless x (n,) has three numbers for each of at least two atoms."""
        if x.ndim != 1 or x.size % 3 or x.size < 6:
            raise ValueError(
                f"x must hold x, y, z of each of at least 2 atoms, so 6, 9, 12, ... numbers; its shape is {x.shape}"
            )

    def random_coordinates(self, n: int, rng: np.random.Generator) -> Vector:
        """Draw positions uniformly in a ball of the size of a compact cluster.

        The radius follows GMIN's rule, 1 + (3 N / (4 pi sqrt(2)))^(1/3) equilibrium distances 2^(1/6): the ball that
        N close-packed atoms fill, plus one layer (2.58 for 13 atoms, 3.21 for 38).

        Parameters
        ----------
        n : int
            Number of coordinates, three times the number of atoms N.
        rng : numpy.random.Generator
            Source of random numbers.

        Returns
        -------
        ndarray, shape (n,)
            Positions in sigma, atom by atom.
        """
        self.check_coordinates(np.empty(n))
        atoms, radius = n // 3, _ball_radius(n // 3)
        directions = rng.normal(size=(atoms, 3))
        directions /= np.linalg.norm(directions, axis=1)[:, None]
        return (radius * rng.random(atoms)[:, None] ** (1 / 3) * directions).ravel()

    def symmetric_coordinates(self, n: int, rng: np.random.Generator) -> Vector:
        """Draw positions with a random point group, in the ball of :meth:`random_coordinates`.

        Parameters
        ----------
        n : int
            Number of coordinates, three times the number of atoms.
        rng : numpy.random.Generator
            Source of random numbers.

        Returns
        -------
        ndarray, shape (n,)
            Positions in sigma, atom by atom.
        """
        self.check_coordinates(np.empty(n))
        return symmetric_positions(n // 3, _ball_radius(n // 3), rng).ravel()

    def device_functions(self, n: int) -> DeviceFunctions:
        """Return the GPU functions for n coordinates: one thread an atom, at most 128."""
        from thalweg.potentials.ljat.cuda import ljat_gradient, ljat_pack, ljat_product

        threads = min(128, -(-n // 96) * 32)
        return DeviceFunctions(ljat_gradient, ljat_product, partial(ljat_pack, self), threads, threads)

    def container_radius(self, n: int) -> float | None:
        """Return the radius of the sphere in which basin-hopping holds a cluster of n coordinates together.

        Without the three-body term it is twice the radius of :meth:`random_coordinates`; with it there is none, since
        its chains are long.
        """
        return 2.0 * _ball_radius(n // 3) if self.parameters["Z"] == 0 else None

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        """Compute energy and forces of atoms and store them in ``results``; a periodic cell raises ValueError."""
        subject = atoms if atoms is not None else self.atoms
        if subject is not None and subject.pbc.any():
            raise ValueError("LJAT has no periodic images: set atoms.pbc = False")
        super().calculate(atoms, properties, system_changes)


def _ball_radius(atoms: int) -> float:
    return float(2 ** (1 / 6) * (1 + (3 * atoms / (4 * np.pi * np.sqrt(2))) ** (1 / 3)))


def _checked_strength(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"Z must be a number, not {type(value).__name__}")
    if not np.isfinite(value):
        raise ValueError(f"Z must be finite, not {value}")
    return float(value)
