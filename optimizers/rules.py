"""Step rules of LBFGS, and options of searches."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import IO, TYPE_CHECKING, Any, TypeAlias, TypedDict

import numpy as np

from thalweg.optimizers.kernels.status import Rule
from thalweg.potentials.conversion.numeric_options import positive_number, whole_number
from thalweg.potentials.lazy import public

if TYPE_CHECKING:
    from ase.io.trajectory import TrajectoryWriter
    from numpy.typing import ArrayLike

    from thalweg.optimizers.quasi_newton.knowledge import KnownPoints
    from thalweg.potentials.system import System

__all__ = [
    "ATOMS_RULES",
    "ORIGINAL_RULES",
    "BandOptions",
    "DynamicsOptions",
    "LBFGSOptions",
    "LogFile",
    "Rules",
    "SearchOptions",
    "Trajectory",
    "default_rules",
]

_MOST = {"memory": 10_000, "trials": 1000, "resets": 1000}
"""Largest whole numbers, those that readers of stores take; the memory is so many vectors."""

_MEMORIES, _LEAST_MEMORY = ((1000, 500), (10_000, 100)), 30
"""Largest memory for a loss of up to so many weights, and of more."""


@public("thalweg.optimizers")
@dataclass(frozen=True)
class Rules:
    """Step rules of LBFGS: memory, longest step, and treatment of refused steps.

    Attributes
    ----------
    memory : int
        Pairs of steps and gradient changes remembered.
    initial_diagonal : float
        Inverse curvature assumed for the first step and after a reset; that step is scaled by ``min(1/|g|, |g|)``.
    max_step : float
        Longest step, in the coordinates' unit; longer ones are cut.
    max_rise : float
        Largest rise in energy that a step may bring, in the potential's unit.
    shrink : float
        Factor by which a refused step is shortened.
    trials : int
        Number of times that a step is shortened before the memory is emptied.
    resets : int
        Number of times that the memory may be emptied before the search has failed.
    signed_curvature : bool
        Whether the initial inverse Hessian s.y / y.y keeps its sign and pairs of negative curvature are kept (as
        the original programs do), or its absolute value is taken and such pairs are left out.

    References
    ----------
    J. Nocedal, Math. Comput. 35 (1980) 773; D. C. Liu and J. Nocedal, Math. Prog. 45 (1989) 503. The defaults are
    the rules of GMIN and OPTIM.

    Examples
    --------
    >>> from thalweg.optimizers import Rules
    >>> Rules(memory=10).replace(max_step=0.2).max_step
    0.2
    """

    memory: int = 4
    initial_diagonal: float = 0.1
    max_step: float = 0.4
    max_rise: float = 1e-10
    shrink: float = 0.1
    trials: int = 6
    resets: int = 20
    signed_curvature: bool = True

    def __post_init__(self) -> None:
        for name in ("memory", "trials", "resets"):
            whole_number(name, getattr(self, name), int(name == "memory"), _MOST[name])
        for name in ("initial_diagonal", "max_step", "shrink"):
            positive_number(name, getattr(self, name))
        positive_number("max_rise", self.max_rise, zero=True)
        if not self.shrink < 1:
            raise ValueError(f"shrink must be below 1; it is {self.shrink}")

    def to_dict(self) -> dict[str, float | bool]:
        """Return the rules as plain numbers."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Rules:
        """Return the rules that :meth:`to_dict` gave; unknown names are a TypeError."""
        return cls(**values)

    def replace(self, **changes: float | bool) -> Rules:
        """Return these rules with some of them changed."""
        return Rules.from_dict({**self.to_dict(), **changes})

    def packed(self) -> np.ndarray:
        """Return the rules as the float64 vector that compiled code reads."""
        return np.array([float(getattr(self, rule.name.lower())) for rule in Rule])


ORIGINAL_RULES = Rules()

ATOMS_RULES = ORIGINAL_RULES.replace(shrink=0.5, trials=12)
"""Rules of the original programs, but a refused step is shortened by less, which saves gradients."""


def default_rules(system: System) -> Rules:
    """Return the LBFGS step rules that suit a system.

    Atoms take the original programs' rules, but shorten a refused step by less, which saves gradients. A loss is
    badly conditioned, and a memory of the order of the number of weights takes a seventh of the gradients. It stops at
    500, at 100 above 1,000 weights and at 30 above 10,000, where the two loops would cost more than they save. Bounds
    tell the scale of steps.

    Parameters
    ----------
    system : System
        Atoms or a Point with a calculator, as `as_system` makes it.

    Returns
    -------
    Rules

    Examples
    --------
    >>> from ase import Atoms
    >>> from thalweg.optimizers import default_rules
    >>> from thalweg.potentials import LJAT, as_system
    >>> atoms = Atoms("Ar3", [[0, 0, 0], [1.2, 0, 0], [0.4, 1.0, 0]], calculator=LJAT(Z=0.0))
    >>> default_rules(as_system(atoms)).shrink
    0.5
    """
    if system.atoms is not None:
        return ATOMS_RULES
    max_step = Rules.max_step if system.width is None else 0.1 * system.width
    most = next((memory for weights, memory in _MEMORIES if system.n_free <= weights), _LEAST_MEMORY)
    memory = min(max(system.n_free, 4), most)
    return Rules(memory=memory, max_step=max_step, signed_curvature=False)


LogFile: TypeAlias = "str | os.PathLike[str] | IO[str] | None"
"""Log of an optimizer, as ASE takes it: a path, "-" for the screen, an open file, or none."""
Trajectory: TypeAlias = "str | os.PathLike[str] | TrajectoryWriter | None"
"""Trajectory that an optimizer writes, as ASE takes it."""


class DynamicsOptions(TypedDict, total=False):
    """Further arguments of ASE's dynamics and optimizers."""

    append_trajectory: bool
    loginterval: int
    master: bool | None
    comm: object


class LBFGSOptions(DynamicsOptions, total=False):
    """Further arguments of :class:`~thalweg.optimizers.LBFGS`."""

    rules: Rules | None
    memory: int | None
    max_step: float | None
    maxstep: float | None
    damping: float
    alpha: float | None


class SearchOptions(TypedDict, total=False):
    """Further arguments of :func:`~thalweg.optimizers.find_transition_states`."""

    directions: ArrayLike | None
    rms: float
    rules: Rules | None
    steps: int
    max_step: float
    minimise_steps: int
    known: ArrayLike | None
    known_within: float
    threads: int | None
    known_points: KnownPoints | None
    nearby: bool


class BandOptions(TypedDict, total=False):
    """Further arguments of :func:`~thalweg.optimizers.dneb`."""

    images: int | None
    k: float | None
    steps: int
    max_step: float
    evenness: float
    interpolation: str
    climb: bool
    top_springs: float
    refine: int
    align: bool
    density: float
    surrogate: bool | None
