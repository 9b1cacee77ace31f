"""Steepest-descent pathway of a transition state, down both sides to its minima."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from thalweg.optimizers.descent_paths.coordinates import PathCoordinates
from thalweg.optimizers.descent_paths.hessians import (
    ExactHessians,
    HessianSource,
    LearningHessian,
    lowest_direction,
)
from thalweg.optimizers.descent_paths.integration import DescentPath, integrate
from thalweg.optimizers.descent_paths.lengths import PUSH
from thalweg.optimizers.eigenvalues import lowest_eigenvalues
from thalweg.optimizers.energy_profile import Curve
from thalweg.optimizers.kernels.lbfgs import lbfgs_walk
from thalweg.optimizers.large_systems import LARGEST_MATRIX
from thalweg.optimizers.minimisation import minimise
from thalweg.optimizers.quasi_newton.searches import needs_differences
from thalweg.optimizers.quasi_newton.surface import Surface
from thalweg.optimizers.rules import Rules, default_rules
from thalweg.potentials.conversion.numeric_options import checked_number, positive_number, whole_number
from thalweg.potentials.lazy import public
from thalweg.potentials.system import System, as_system

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from thalweg.potentials.protocols import Subject

__all__ = ["Pathway", "pathway"]


@public("thalweg.optimizers")
@dataclass(frozen=True)
class Pathway(Curve):
    """Points from one minimum over a transition state to another; a table and a picture as every :class:`Curve`.

    Attributes
    ----------
    points : (k, n) coordinates; energy : (k,); length : (k,) distance along the path from the first minimum.
    transition_state : int, row of the transition state.
    minima : (2,) rows of the minima: the first and the last.
    units : str, of energy.
    mass_weighted : bool, whether lengths are mass-weighted, in units of sqrt(u) angstrom.

    Examples
    --------
    >>> from ase import Atoms
    >>> from thalweg.optimizers import find_transition_states, pathway
    >>> from thalweg.potentials import LJAT
    >>> rhombus = [[0, 0, 0], [1.1, 0, 0], [0.55, 0.95, 0.1], [0.55, -0.95, 0]]
    >>> atoms = Atoms("Ar4", rhombus, calculator=LJAT(Z=0.0))
    >>> path = pathway(atoms, find_transition_states(atoms).x[0], points=20)
    >>> path.kinds[path.transition_state], path.minima[0]
    (np.str_('transition state'), 0)
    """

    points: np.ndarray
    energy: np.ndarray
    length: np.ndarray
    transition_state: int
    minima: tuple[int, int]
    units: str = "reduced"
    mass_weighted: bool = False

    @property
    def kinds(self) -> np.ndarray:
        kinds = np.full(len(self.energy), "", dtype="<U16")
        kinds[list(self.minima)], kinds[self.transition_state] = "minimum", "transition state"
        return kinds


def pathway(
    system: Subject | System,
    transition_state: ArrayLike,
    *,
    points: int = 100,
    rms: float = 1e-9,
    push: float = PUSH,
    max_step: float | None = None,
    rules: Rules | None = None,
    steps: int = 20_000,
    mass_weighted: bool = False,
) -> Pathway:
    """Follow steepest descent, or the intrinsic reaction coordinate, from a transition state down to both minima.

    Steps are those of an exponential predictor and corrector, which follow the local quadratic surface exactly. Its
    Hessian is computed at every step where the system has one. For an ASE calculator it is a model of the structure's,
    corrected by differences of forces at the transition state, and updated with the forces met on the way.

    With more than 500 free coordinates, atoms excepted, the path is that of a minimiser with short steps.

    Parameters
    ----------
    system : ase.Atoms, Point, Weights or System
        What it is a transition state of.
    transition_state : array_like, shape (n,)
        Its coordinates, converged.
    points : int
        Largest number of points on the whole path, approximately; at least 5. With an ASE calculator the points are
        those at which it was called, if they are fewer.
    rms : float
        Rms gradient of the minima.
    push : float
        First displacement along the downhill mode.
    max_step : float, optional
        Longest step; that of the rules where missing. The path does not depend on it.
    rules : Rules, optional
        Step rules of the minimisations at both ends.
    steps : int
        Most steps of these.
    mass_weighted : bool
        Whether steepest descent is that in mass-weighted coordinates, the intrinsic reaction coordinate, with lengths
        in sqrt(u) times the unit of length. It needs atoms.

    Raises
    ------
    ValueError
        If the coordinates do not fit, points is too small, or masses are asked for where there are none.
    RuntimeError
        If the point has no downhill mode, or a side ends in no minimum below it.

    References
    ----------
    K. Fukui, Acc. Chem. Res. 14 (1981) 363; H. P. Hratchian and H. B. Schlegel, J. Chem. Phys. 120 (2004) 9918;
    M. Hochbruck, A. Ostermann and J. Schweitzer, SIAM J. Numer. Anal. 47 (2009) 786.

    Examples
    --------
    >>> from ase import Atoms
    >>> from thalweg.optimizers import find_transition_states, pathway
    >>> from thalweg.potentials import LJAT
    >>> rhombus = [[0, 0, 0], [1.1, 0, 0], [0.55, 0.95, 0.1], [0.55, -0.95, 0]]
    >>> atoms = Atoms("Ar4", rhombus, calculator=LJAT(Z=0.0))
    >>> path = pathway(atoms, find_transition_states(atoms).x[0])
    >>> print(f"{path.energy[0]:.4f} {path.energy.max():.4f} {path.energy[-1]:.4f}")
    -6.0000 -5.0734 -6.0000
    """
    system = as_system(system)
    start = np.array(transition_state, dtype=np.float64).ravel()
    if start.size != system.n:
        raise ValueError(f"transition_state must have {system.n} coordinates; it has {start.size}")
    if not checked_number("points", points) >= 5:
        raise ValueError(f"points must be at least 5; it is {points}")
    points, steps = whole_number("points", points, 5, 1_000_000), whole_number("steps", steps, 1)
    push, rms = positive_number("push", push), positive_number("rms", rms)
    if max_step is not None:
        max_step = positive_number("max_step", max_step)
    rules = rules or default_rules(system)
    ends = _Ends(system, rms, rules, steps)
    coordinates = PathCoordinates.of(system, mass_weighted=mass_weighted)
    each = max(1, (points - 3) // 2)
    if system.n_free > LARGEST_MATRIX and system.atoms is None:
        sides = _walked(ends, start, push, max_step, each)
    else:
        sides = _integrated(ends, coordinates, start, push, max_step or rules.max_step, each)
    energy = system.energy(start)
    first, second = sides
    if not (first.energies[-1] < energy and second.energies[-1] < energy):
        raise RuntimeError("a side did not fall below the transition state: converge it further, or push it farther")
    length = np.concatenate(
        [first.length[-1] - first.length[::-1], first.length[-1:], first.length[-1] + second.length]
    )
    return Pathway(
        points=np.concatenate([first.points[::-1], start[None], second.points]),
        energy=np.concatenate([first.energies[::-1], [energy], second.energies]), length=length,
        transition_state=len(first.energies), minima=(0, len(length) - 1), units=system.units,
        mass_weighted=mass_weighted,
    )  # fmt: skip


class _Side(NamedTuple):
    """Points (k, n) from beside the transition state to a minimum, their energies and distances along the path."""

    points: np.ndarray
    energies: np.ndarray
    length: np.ndarray


class _Ends(NamedTuple):
    """How minima are found at the ends of paths."""

    system: System
    rms: float
    rules: Rules
    steps: int

    def minimum(self, x: np.ndarray) -> tuple[np.ndarray, float]:
        """Return the minimum near x (n,), and its energy."""
        end = minimise(
            self.system, x, rms=self.rms, rules=self.rules, steps=self.steps, second_order=True, threads=1
        )  # fmt: skip
        if not end.converged[0]:
            raise RuntimeError(f"a side did not reach a minimum: {end.reason[0]}")
        return end.x[0], float(end.energy[0])


def _downhill(value: float) -> None:
    if not value < 0:
        raise RuntimeError(f"no transition state: the lowest eigenvalue is {value:g}, not negative")


def _integrated(
    ends: _Ends, coordinates: PathCoordinates, start: np.ndarray, push: float, longest: float, points: int
) -> list[_Side]:
    """Integrate both sides, and minimise from where they end."""
    system, surface = ends.system, Surface(ends.system)
    exact = not needs_differences(system)
    try:
        value, mode, hessian = lowest_direction(surface, coordinates, start, exact=exact)
        system.reraise()
        _downhill(value)
        scale, sides = 1.0 / float(np.linalg.norm(coordinates.matrix @ mode)), []
        for sign in (1.0, -1.0):
            source: HessianSource = (
                ExactHessians(coordinates) if exact else LearningHessian(hessian, surface.difference)
            )
            path = integrate(
                surface, coordinates, start, sign * mode, source, push=scale * push, longest=scale * longest,
                goal=ends.rms,
            )  # fmt: skip
            sides.append(_side(ends, coordinates, start, path, points, surface if exact else None))
    except RuntimeError:
        system.reraise()
        raise
    return sides


def _side(
    ends: _Ends, coordinates: PathCoordinates, start: np.ndarray, path: DescentPath, points: int,
    surface: Callable[[np.ndarray], tuple[float, np.ndarray]] | None,
) -> _Side:  # fmt: skip
    """Return about so many points of a path at equal distances, or with no surface some where energies are known."""
    q, length = np.array(path.points), path.length()
    minimum, lowest = ends.minimum(start + coordinates.matrix @ q[-1])
    rest = float(np.linalg.norm(np.linalg.pinv(coordinates.matrix) @ (minimum - start) - q[-1]))
    if surface is None:
        chosen = np.array(path.nodes[1:])
        if len(chosen) > points:
            chosen = chosen[np.unique(np.linspace(0, len(chosen) - 1, points).round().astype(int))]
        known = dict(zip(path.nodes, path.energies, strict=True))
        energies = np.array([known[int(row)] for row in chosen])
    else:
        rows = np.searchsorted(length, np.linspace(0.0, length[-1], points + 1)[1:])
        chosen = np.unique(np.clip(rows, 1, len(q) - 1))
        energies = np.array([surface(start + coordinates.matrix @ q[row])[0] for row in chosen])
    x = np.vstack([start + q[chosen] @ coordinates.matrix.T, minimum])
    return _Side(x, np.append(energies, lowest), np.append(length[chosen], length[-1] + rest))


def _walked(ends: _Ends, start: np.ndarray, push: float, max_step: float | None, points: int) -> list[_Side]:
    """Minimise both sides by short steps of LBFGS: large systems have no Hessian."""
    system, rules = ends.system, ends.rules
    value, mode = lowest_eigenvalues(system, start, 1)
    _downhill(value[0])
    careful = rules.replace(max_step=max_step or (0.05 if system.threadsafe else 0.25) * rules.max_step)
    function, _, integers, floats = system.compiled
    sides = []
    for sign in (1.0, -1.0):
        trace = np.empty((points, system.n + 1))
        x, gradient = start + sign * push * mode[0], np.empty(system.n)
        lbfgs_walk(
            function, integers, floats, system.frozen, careful.packed(), max(ends.rms, 1e-4), ends.steps, x, gradient,
            trace,
        )  # fmt: skip
        system.reraise()
        minimum, energy = ends.minimum(x)
        kept = trace[np.isfinite(trace[:, 0])]
        x = np.vstack([kept[:, :-1], minimum])
        steps = np.linalg.norm(np.diff(np.vstack([start, x]), axis=0), axis=1)
        sides.append(_Side(x, np.append(kept[:, -1], energy), np.cumsum(steps)))
    return sides
