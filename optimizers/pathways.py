"""Steepest-descent pathway of a transition state, down both sides to its minima."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from thalweg.optimizers.eigenvalues import lowest_eigenvalues
from thalweg.optimizers.energy_profile import Curve
from thalweg.optimizers.kernels.lbfgs import lbfgs_walk
from thalweg.optimizers.minimisation import minimise
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
    push: float = 0.01,
    max_step: float | None = None,
    rules: Rules | None = None,
    steps: int = 20_000,
) -> Pathway:
    """Follow both sides of a transition state down to minima.

    Parameters
    ----------
    system : ase.Atoms, Point, Weights or System
        What it is a transition state of.
    transition_state : array_like, shape (n,)
        Its coordinates, converged.
    points : int
        Largest number of points on the whole path, approximately; at least 5.
    rms : float
        Rms gradient of the minima.
    push : float
        First displacement along the downhill mode.
    max_step : float, optional
        Longest step; a twentieth of the rules' where missing (a quarter for a calculator written in Python), so that
        the path is followed, not jumped.
    rules : Rules, optional
        Step rules of LBFGS.
    steps : int
        Most steps on either side.

    Raises
    ------
    ValueError
        If the coordinates do not fit, or points is too small.
    RuntimeError
        If the point has no downhill mode, or a side ends in no minimum below it.

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
    careful = rules.replace(max_step=max_step or (0.05 if system.threadsafe else 0.25) * rules.max_step)
    value, mode = lowest_eigenvalues(system, start, 1)
    if not value[0] < 0:
        raise RuntimeError(f"no transition state: the lowest eigenvalue is {value[0]:g}, not negative")
    energy = system.energy(start)
    first, second = (
        _side(system, start + sign * push * mode[0], careful, rules, rms, steps, max(1, (points - 3) // 2))
        for sign in (1.0, -1.0)
    )
    if not (first[1][-1] < energy and second[1][-1] < energy):
        raise RuntimeError("a side did not fall below the transition state: converge it further, or push it farther")
    coordinates = np.concatenate([first[0][::-1], start[None], second[0]])
    energies = np.concatenate([first[1][::-1], [energy], second[1]])
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(coordinates, axis=0), axis=1))])
    return Pathway(
        points=coordinates, energy=energies, length=length, transition_state=len(first[0]),
        minima=(0, len(coordinates) - 1), units=system.units,
    )  # fmt: skip


def _side(
    system: System, x: np.ndarray, careful: Rules, rules: Rules, rms: float, steps: int, points: int
) -> tuple[np.ndarray, np.ndarray]:
    """Minimise from x; return points on the way and the minimum itself, with their energies."""
    function, _, integers, floats = system.compiled
    trace = np.empty((points, system.n + 1))
    x, gradient = x.copy(), np.empty(system.n)
    lbfgs_walk(function, integers, floats, system.frozen, careful.packed(), max(rms, 1e-4), steps, x, gradient, trace)
    system.reraise()
    end = minimise(system, x, rms=rms, rules=rules, steps=steps, second_order=True, threads=1)
    if not end.converged[0]:
        raise RuntimeError(f"a side did not reach a minimum: {end.reason[0]}")
    kept = trace[np.isfinite(trace[:, 0])]
    return np.concatenate([kept[:, :-1], end.x]), np.concatenate([kept[:, -1], end.energy])
