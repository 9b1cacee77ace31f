"""Base class of Thalweg's calculators: ASE calculators that also take flat arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
from ase.calculators.calculator import Calculator, all_changes
from numpy.typing import ArrayLike

from thalweg.potentials.compiled.signatures import FUNCTION, Compiled, floats, integers, jit, matrix, vector
from thalweg.potentials.cuda.availability import use_gpu
from thalweg.potentials.lazy import public
from thalweg.potentials.threads import map_threads

if TYPE_CHECKING:
    from ase import Atoms

    from thalweg.potentials.cuda.functions import DeviceFunctions
    from thalweg.potentials.point import Point
    from thalweg.potentials.protocols import Mask, Matrix, Symmetry, Vector

__all__ = ["FlatCalculator", "evaluate_batch", "finite_difference_hessian"]


@jit(numba.void(FUNCTION, integers, floats, matrix, vector, matrix))
def _evaluate_rows(function, integers, floats, X, energies, gradients):
    for row in range(X.shape[0]):
        energies[row] = function(X[row], gradients[row], integers, floats)


def evaluate_batch(compiled: Compiled, X: Matrix, threads: int | None = None) -> tuple[Vector, Matrix]:
    """Evaluate the rows of X (walkers, n) on threads; return energies (walkers,) and gradients (walkers, n)."""
    X = np.ascontiguousarray(X, dtype=np.float64)
    energies, gradients = np.empty(len(X)), np.empty_like(X)

    def work(start: int, stop: int) -> None:
        rows = slice(start, stop)
        _evaluate_rows(compiled.function, compiled.integers, compiled.floats, X[rows], energies[rows], gradients[rows])

    map_threads(work, len(X), threads)
    return energies, gradients


def finite_difference_hessian(
    energy_gradient: Callable[[Vector], tuple[float, Vector]], x: Vector, step: float = 1e-5
) -> Matrix:
    """Return a Hessian (n, n) from central differences of the gradient, symmetrised."""
    hessian = np.empty((x.size, x.size))
    for k in range(x.size):
        h = step * max(1.0, abs(x[k]))
        moved = x.copy()
        moved[k] = x[k] + h
        forward = np.array(energy_gradient(moved)[1])
        moved[k] = x[k] - h
        hessian[k] = (forward - energy_gradient(moved)[1]) / (2 * h)
    return 0.5 * (hessian + hessian.T)


@public("thalweg.potentials")
class FlatCalculator(Calculator):
    """Base class of ASE calculators whose energy is a function of one flat vector.

    A subclass overrides :attr:`compiled`, or :meth:`energy_gradient` and, for exact second derivatives,
    :meth:`hessian`. All other members have defaults, which a subclass overrides where its potential offers more.

    Parameters
    ----------
    **parameters
        Parameters of the potential; their defaults are the class's ``default_parameters``.

    Attributes
    ----------
    units : str
        Unit of energy, "reduced" by default.
    device : str
        Device that batches are evaluated on: "cpu" (the default), "cuda" or "auto".
    bounds : ndarray, shape (n, 2), or None
        Lowest and highest value of each coordinate, between which searches start.
    mask : ndarray of bool, shape (n,), or None
        False where the potential itself freezes a coordinate; None if it freezes none.
    null_modes : ndarray, shape (k, n), or callable, or None
        Orthonormal directions along which the energy is constant at all points, zero at frozen coordinates; or a
        function of x (n,) that returns tangent vectors (k, n) along which it is constant there.
    isotropic : bool or None
        Whether the energy of atoms is known not to change with a rigid motion of all; None (the default) where copies
        of the structure are to tell.
    periods : ndarray, shape (n,), or None
        Period of each coordinate, infinite where it has none; None for none at all.
    symmetry : Symmetry or None
        Operations that leave the energy unchanged, see :class:`~thalweg.potentials.protocols.Symmetry`.

    Raises
    ------
    TypeError
        For a keyword that is no parameter of the calculator.

    Examples
    --------
    >>> from thalweg.potentials import FlatCalculator, Point
    >>> class Bowl(FlatCalculator):
    ...     default_parameters = {"stiffness": 1.0}
    ...
    ...     def energy_gradient(self, x):
    ...         return 0.5 * self.parameters["stiffness"] * float(x @ x), self.parameters["stiffness"] * x
    >>> Point([3.0, 4.0], calc=Bowl(stiffness=2.0)).get_potential_energy()
    25.0
    """

    implemented_properties = ["energy", "free_energy", "forces"]  # noqa: RUF012  (ASE's own convention)
    discard_results_on_any_change = True
    units = "reduced"
    device = "cpu"
    isotropic: bool | None = None
    bounds: Matrix | None = None
    mask: Mask | None = None
    null_modes: Matrix | Callable[[Vector], ArrayLike] | None = None
    periods: Vector | None = None
    symmetry: Symmetry | None = None
    declares_symmetry: bool = False  # whether its user named null modes, operations or periods, to be combined

    def __init__(self, **parameters: object):
        super().__init__()
        self.set(**parameters)

    def set(self, **parameters: object) -> dict[str, Any]:
        """Set parameters as in ASE and return those that changed; unknown ones raise TypeError."""
        unknown = sorted(set(parameters) - set(self.default_parameters))
        if unknown:
            known = ", ".join(sorted(self.default_parameters)) or "none"
            raise TypeError(f"{type(self).__name__} has no parameter {', '.join(unknown)}; it has: {known}")
        return super().set(**parameters)

    @property
    def compiled(self) -> Compiled | None:
        """Functions that compiled optimizers call, or None."""
        return None

    def check_coordinates(self, x: Vector) -> None:
        """Raise ValueError if x (n,) cannot be coordinates of this potential."""

    def falls_without_end(self, x: Vector) -> bool:
        """Return whether the energy is known to fall without end from x (n,): a search there finds no minimum."""
        return False

    def has_idle_coordinates(self, x: Vector) -> bool:
        """Return whether some coordinates at x (n,) are known to have no effect on the energy while the others stay."""
        return False

    def random_coordinates(self, n: int, rng: np.random.Generator) -> Vector | None:
        """Return a random starting point of length n, or None if the potential offers none."""
        return None

    def symmetric_coordinates(self, n: int, rng: np.random.Generator) -> Vector:
        """Return a random starting point of length n with a point group; a subclass may offer it.

        Raises
        ------
        NotImplementedError
            If the subclass does not.
        """
        raise NotImplementedError(f"{type(self).__name__} draws no symmetric coordinates")

    @property
    def draws_symmetric(self) -> bool:
        """Whether the subclass offers :meth:`symmetric_coordinates`."""
        return type(self).symmetric_coordinates is not FlatCalculator.symmetric_coordinates

    def container_radius(self, n: int) -> float | None:
        """Return the radius of the sphere that holds n coordinates of a cluster together, or None for no sphere."""
        return None

    def device_functions(self, n: int) -> DeviceFunctions | None:
        """Return the GPU functions for n coordinates, or None if there are none; only a call may load numba.cuda."""
        return None

    def point(self, x: Vector, frozen: Mask) -> Point:
        """Return a Point at x (n,) with this calculator; ``frozen`` (n,) is True at frozen coordinates."""
        from thalweg.potentials.point import Point

        return Point(x, self, frozen)

    def describe(self) -> dict[str, Any]:
        """Return the name and the parameters from which the calculator can be built again."""
        return {"name": type(self).__name__, **dict(self.parameters)}

    def _flat(self, x: ArrayLike, name: str = "x") -> Vector:
        x = np.ascontiguousarray(x, dtype=np.float64)
        if x.ndim != 1:
            raise ValueError(f"{name} must be a flat vector; its shape is {x.shape}")
        self.check_coordinates(x)
        return x if x.flags.writeable else x.copy()  # compiled functions take no read-only arrays

    def _compiled(self) -> Compiled:
        if self.compiled is None:
            raise NotImplementedError(f"{type(self).__name__} has neither compiled functions nor its own derivatives")
        return self.compiled

    def energy(self, x: Vector) -> float:
        """Return the energy at x (n,)."""
        return self.energy_gradient(x)[0]

    def energy_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return the energy and the gradient (n,) at x (n,)."""
        x = self._flat(x)
        function, _, integers, floats = self._compiled()
        gradient = np.empty_like(x)
        return function(x, gradient, integers, floats), gradient

    def hessian(self, x: Vector) -> Matrix:
        """Return the second derivatives (n, n) at x (n,)."""
        x = self._flat(x)
        if self.compiled is None:
            return finite_difference_hessian(self.energy_gradient, x)
        hessian = np.empty((x.size, x.size))
        self.compiled.hessian(x, hessian, self.compiled.integers, self.compiled.floats)
        return hessian

    def hessian_vector(self, x: Vector, v: Vector) -> Vector:
        """Return the product (n,) of the Hessian at x (n,) with v (n,)."""
        return self.hessian(x) @ self._flat(v, "v")

    def energies_gradients(self, X: Matrix, threads: int | None = None) -> tuple[Vector, Matrix]:
        """Return energies (walkers,) and gradients (walkers, n) of a batch X (walkers, n)."""
        X = np.ascontiguousarray(X, dtype=np.float64)
        if X.ndim != 2:
            raise ValueError(f"X must have the shape (walkers, n); its shape is {X.shape}")
        for x in X[:1]:
            self.check_coordinates(x)
        X = X if X.flags.writeable else X.copy()  # as in _flat
        if use_gpu(self, X):
            from thalweg.potentials.cuda.device import evaluate_cuda

            return evaluate_cuda(self, X)
        if self.compiled is not None:
            return evaluate_batch(self.compiled, X, threads)
        pairs = [self.energy_gradient(x) for x in X]
        return np.array([energy for energy, _ in pairs]), np.array([gradient for _, gradient in pairs]).reshape(X.shape)

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        """Compute energy and forces of atoms and store them in ``results``, as ASE asks."""
        super().calculate(atoms, properties, system_changes)
        energy, gradient = self.energy_gradient(self.atoms.positions.ravel())
        self.results = {"energy": energy, "free_energy": energy, "forces": -gradient.reshape(-1, 3)}
