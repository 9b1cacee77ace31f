"""Validator of potentials: consistency of derivatives, batches, symmetry and the ASE interface."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike

from thalweg.potentials.ase_calculators import AtomsCalculator
from thalweg.potentials.calculator import FlatCalculator
from thalweg.potentials.compiled.signatures import Compiled
from thalweg.potentials.conversion import real_results
from thalweg.potentials.conversion.numeric_options import positive_number
from thalweg.potentials.function import Function
from thalweg.potentials.lazy import public
from thalweg.potentials.point import Point
from thalweg.potentials.protocols import Subject, Vector
from thalweg.potentials.smoothness.kinks import slope_of_energy, slope_of_gradient
from thalweg.potentials.system import System, as_system

__all__ = ["Check", "CheckReport", "PotentialError", "check_potential"]

# Two ways to the same number may differ by rounding only
_ROUNDING = 1e-10

# Above this many coordinates the full Hessian is left alone and Hessian-vector products stand for it
_LARGEST_HESSIAN = 500

# Lines on which kinks are looked for, and their half-length relative to the larger of 1 and the largest coordinate
_LINES, _LINE = 3, 2.0


@public("thalweg.potentials")
class PotentialError(AssertionError):
    """Error of a potential that breaks the contract; the message names each failed check and its deviation.

    Examples
    --------
    >>> from thalweg.potentials import Function, PotentialError, check_potential
    >>> try:
    ...     check_potential(Function(lambda x: float(x @ x), lambda x: 3.0 * x), [0.3, 0.4])
    ... except PotentialError as error:
    ...     print(str(error).splitlines()[0])
    Function breaks the contract of potentials:
    """


@dataclass(frozen=True)
class Check:
    """Result of checking one property of a potential.

    Attributes
    ----------
    name : str
        Name of the property.
    deviation : float
        Largest relative deviation found.
    tolerance : float
        Largest relative deviation allowed.
    """

    name: str
    deviation: float
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether the deviation is a number within the tolerance."""
        return self.deviation <= self.tolerance

    def __str__(self) -> str:
        verdict = "passed" if self.passed else "FAILED"
        return f"{verdict}  {self.name}: {self.deviation:.1e} (at most {self.tolerance:.1e})"


@public("thalweg.potentials")
@dataclass(frozen=True)
class CheckReport:
    """Report of all checks of a potential, in the order made; printing it gives one line for each.

    Attributes
    ----------
    checks : tuple of Check
        Results of the checks.

    Examples
    --------
    >>> from thalweg.potentials import Himmelblau, check_potential
    >>> report = check_potential(Himmelblau(), [0.5, 1.0])
    >>> report.passed, report["gradient"].passed
    (True, True)
    """

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return not self.failures

    @property
    def failures(self) -> tuple[Check, ...]:
        """Checks that failed."""
        return tuple(check for check in self.checks if not check.passed)

    def __getitem__(self, name: str) -> Check:
        return next(check for check in self.checks if check.name == name)

    def __str__(self) -> str:
        return "\n".join(map(str, self.checks))


def check_potential(
    potential: FlatCalculator | AtomsCalculator | Callable[[Vector], Any] | Subject | System,
    x: Atoms | ArrayLike | None = None,
    *,
    tolerance: float = 1e-6,
    step: float = 3e-4,
    displacement: float = 0.01,
    seed: int = 0,
    raise_error: bool = True,
) -> CheckReport:
    """Check that a potential keeps the contract of potentials.

    The checks are made at x with a small random displacement, so that no gradient vanishes by chance: numbers are
    finite; the input is not written to; two evaluations agree; the gradient agrees with fourth-order differences of
    the energy, and the Hessian with those of the gradient; the Hessian is symmetric; its products with vectors, batches
    and compiled functions agree with single evaluations; random symmetry operations leave the energy unchanged; there
    is no slope along null modes; and ASE's view agrees.

    Parameters
    ----------
    potential : FlatCalculator, ASE calculator or callable energy(x); or Atoms, a Point or a System
        The potential, or an object that holds one, for which x may be omitted.
    x : Atoms or array_like, shape (n,), optional
        Point of the checks: Atoms for a potential of atoms (their symmetry is checked too), else a flat vector.
    tolerance : float
        Largest deviation of derivatives from differences, relative to the size of the gradient or the Hessian.
    step : float
        Step of the differences, in units of x.
    displacement : float
        Standard deviation of the displacement of x, in units of x.
    seed : int
        Seed of the displacement, the directions and the symmetry operations.
    raise_error : bool
        Whether to raise an error if a check fails.

    Returns
    -------
    CheckReport

    Raises
    ------
    PotentialError
        Naming each failed check with its deviation and tolerance, unless ``raise_error`` is False.

    Examples
    --------
    >>> from thalweg.potentials import Function, check_potential
    >>> print(check_potential(Function(lambda x: float(x @ x), lambda x: 2 * x), [0.3, 0.4])["gradient"].passed)
    True
    """
    for name, value in (("tolerance", tolerance), ("step", step)):
        positive_number(name, value)
    positive_number("displacement", displacement, zero=True)
    system = _system(potential, x)
    rng = np.random.default_rng(seed)
    moved = system.x.copy()
    moved[system.free] += displacement * rng.normal(size=system.n_free)
    subject = _Subject(system, moved, step, rng)
    report = CheckReport(tuple(Check(*line) for line in subject.lines(tolerance)))
    if raise_error and not report.passed:
        failures = "\n".join(f"  {check}" for check in report.failures)
        raise PotentialError(f"{type(system.potential).__name__} breaks the contract of potentials:\n{failures}")
    return report


def _system(potential: Any, x: Atoms | ArrayLike | None) -> System:
    if x is None:
        return as_system(potential)
    if isinstance(x, Atoms):
        atoms = x.copy()
        atoms.calc = potential
        return as_system(atoms)
    mask = potential.mask if isinstance(potential, FlatCalculator) else None
    return as_system(Point(x, potential, None if mask is None else ~np.asarray(mask, dtype=bool)))


def _relative(a: ArrayLike, b: ArrayLike, scale: float | None = None) -> float:
    """Return the largest difference, relative to the larger of 1e-3 and the size of b (or the given scale)."""
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if a.shape != b.shape:
        return float("inf")
    if not a.size:
        return 0.0
    size = np.abs(b).max() if scale is None else scale
    return float(np.abs(a - b).max() / max(size, 1e-3))


class _Subject:
    """Potential at a point, with the directions along which it is checked."""

    def __init__(self, system: System, x: np.ndarray, step: float, rng: np.random.Generator):
        self.system, self.x, self.step, self.rng = system, x, step, rng
        self.flat: Any = system.potential if isinstance(system.potential, FlatCalculator) else system
        self.energy, self.gradient = self._energy_gradient(x)
        directions = np.zeros((min(system.n_free, 20), system.n))
        directions[:, system.free] = rng.normal(size=(len(directions), system.n_free))
        self.directions = directions / np.linalg.norm(directions, axis=1)[:, None]

    def _energy_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        energy, gradient = real_results.energy_gradient(self.flat, x.copy())
        gradient[self.system.frozen] = 0.0
        return energy, gradient

    def lines(self, tolerance: float) -> Iterator[tuple[str, float, float]]:
        """Yield name, deviation and tolerance of every check."""
        yield "finite numbers", self._not_finite(), 0.0
        yield "input not mutated", self._mutation(), 0.0
        yield "same answer twice", self._repetition(), _ROUNDING
        yield "gradient", self._gradient_error(), tolerance
        if self.system.atoms is None and getattr(self.flat, "compiled", None) is None:
            yield "differentiable, without kinks", self._kink(), 0.0
        if self.system.n <= _LARGEST_HESSIAN:
            hessian = real_results.hessian(self.flat, self.x.copy())
            size = float(np.abs(hessian).max())
            yield "Hessian", self._hessian_error(lambda v: hessian @ v), tolerance
            yield "Hessian symmetric", _relative(hessian, hessian.T, size), _ROUNDING
            products = [hessian @ v for v in self.directions]
            yield "Hessian times vector", self._product_error(products, size), max(_ROUNDING, 0.1 * tolerance)
        else:
            yield "Hessian times vector", self._hessian_error(self._product), tolerance
        yield "batch equals single", self._batch_error(), _ROUNDING
        potential = self.system.potential
        own = potential.compiled if isinstance(potential, FlatCalculator) else None
        if own is not None:
            yield "compiled equals Python view", self._compiled_error(own), _ROUNDING
        yield "energy under symmetry", self._symmetry_error(), _ROUNDING * 10
        yield "no slope along null modes", self._slope(), _ROUNDING * 10
        yield "ASE's view equals flat view", self._ase_error(), _ROUNDING

    def _not_finite(self) -> float:
        return 0.0 if np.isfinite(self.energy) and np.isfinite(self.gradient).all() else float("inf")

    def _mutation(self) -> float:
        calls: list[tuple[Callable, tuple[np.ndarray, ...]]] = [
            (self.flat.energy, (self.x,)),
            (self.flat.energy_gradient, (self.x,)),
            (self.flat.hessian_vector, (self.x, self.directions[0])),
            (self.flat.energies_gradients, (np.stack([self.x, self.x]),)),
        ]
        if self.system.n <= _LARGEST_HESSIAN:
            calls.append((self.flat.hessian, (self.x,)))
        worst = 0.0
        for function, arguments in calls:
            copies = [argument.copy() for argument in arguments]
            function(*copies)
            worst = max(worst, *(_relative(copy, given) for copy, given in zip(copies, arguments, strict=True)))
        return worst

    def _repetition(self) -> float:
        energy, gradient = self._energy_gradient(self.x)
        return max(_relative(energy, self.energy), _relative(gradient, self.gradient))

    def _difference(self, function: Callable, v: np.ndarray) -> Any:
        """Return the fourth-order central difference of a function along v."""
        h = self.step
        near = function(self.x + h * v) - function(self.x - h * v)
        far = function(self.x + 2 * h * v) - function(self.x - 2 * h * v)
        return (8 * near - far) / (12 * h)

    def _gradient_error(self) -> float:
        slopes = [self._difference(lambda x: self._energy_gradient(x)[0], v) for v in self.directions]
        # rounding of the energy limits the accuracy of a slope
        scale = max(float(np.linalg.norm(self.gradient)), 1e-3 * abs(self.energy))
        return _relative(slopes, self.directions @ self.gradient, scale)

    def _kink(self) -> float:
        """Return the relative jump of the gradient at a kink on some lines through the point, 0 where there is none."""
        system, known = self.system, self.flat
        differences = isinstance(known, Function) and not known.has_gradient
        slope = (
            slope_of_energy(known.energy)
            if differences
            else slope_of_gradient(lambda x: self._energy_gradient(x)[1], system.free)
        )
        reach = _LINE * max(1.0, float(np.abs(self.x[system.free]).max(initial=0.0)))
        for v in self.directions[:_LINES]:
            ends = [self.x - reach * v, self.x + reach * v]
            if system.bounds is not None:
                ends = [np.clip(end, *system.bounds.T) for end in ends]
            jump = slope.jump_between(*ends)
            if jump is not None:
                return jump
        return 0.0

    def _hessian_error(self, product: Callable[[np.ndarray], np.ndarray]) -> float:
        worst = 0.0
        for v in self.directions:
            difference = self._difference(lambda x: self._energy_gradient(x)[1], v)
            given = np.array(product(v))
            given[self.system.frozen] = 0.0
            scale = max(float(np.abs(difference).max()), 1e-3 * float(np.abs(self.gradient).max()))
            worst = max(worst, _relative(given, difference, scale))
        return worst

    def _product(self, v: np.ndarray) -> np.ndarray:
        return np.asarray(self.flat.hessian_vector(self.x.copy(), v.copy()))

    def _product_error(self, products: list[np.ndarray], size: float) -> float:
        free = self.system.free
        pairs = zip(self.directions, products, strict=True)
        return max(_relative(self._product(v)[free], product[free], size) for v, product in pairs)

    def _batch_error(self) -> float:
        X = self.x + 0.1 * self.step * np.stack([0 * self.directions[0], self.directions[0], -self.directions[-1]])
        energies, gradients = self.flat.energies_gradients(X.copy())
        gradients = np.array(gradients)
        gradients[:, self.system.frozen] = 0.0
        singles = [self._energy_gradient(x) for x in X]
        return max(
            _relative(energies, [energy for energy, _ in singles]),
            _relative(gradients, [gradient for _, gradient in singles]),
        )

    def _compiled_error(self, compiled: Compiled) -> float:
        gradient = np.full_like(self.x, np.nan)
        energy = compiled.function(self.x.copy(), gradient, compiled.integers, compiled.floats)
        free = self.system.free
        worst = max(_relative(energy, self.energy), _relative(gradient[free], self.gradient[free]))
        if self.system.n > _LARGEST_HESSIAN:
            return worst
        hessian = np.full((self.x.size, self.x.size), np.nan)
        energy = compiled.hessian(self.x.copy(), hessian, compiled.integers, compiled.floats)
        return max(worst, _relative(energy, self.energy), _relative(hessian, self.flat.hessian(self.x.copy())))

    def _symmetry_error(self) -> float:
        images = [self.system.symmetry.random_copy(self.x.copy(), self.rng) for _ in range(5)]
        return max(_relative(self._energy_gradient(image)[0], self.energy) for image in images)

    def _slope(self) -> float:
        modes = self.system.null_modes(self.x)
        slope = modes @ self.gradient
        return _relative(slope, np.zeros(len(modes)), float(np.linalg.norm(self.gradient)))

    def _ase_error(self) -> float:
        subject = self.system.subject(self.x)
        energy, forces = subject.get_potential_energy(), subject.get_forces().ravel()
        return max(_relative(energy, self.energy), _relative(-forces, self.gradient))
