"""Base class of the optimizers that are called as ASE's are."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms
from ase.filters import UnitCellFilter
from ase.optimize.optimize import DEFAULT_MAX_STEPS, Dynamics, OptimizableAtoms, Optimizer

from thalweg.optimizers.kernels.lbfgs import dot
from thalweg.optimizers.kernels.status import Status
from thalweg.potentials.constraints import constraints_of
from thalweg.potentials.conversion.numeric_options import checked_number, whole_number
from thalweg.potentials.conversion.real_results import real_array, real_number
from thalweg.potentials.point import OptimizablePoint, Point
from thalweg.potentials.system import System, as_system

if TYPE_CHECKING:
    from os import PathLike
    from typing import Unpack

    from thalweg.optimizers.rules import DynamicsOptions, LogFile, Trajectory
    from thalweg.potentials.protocols import AseOptimizable

__all__ = ["ASEOptimizer"]


class ASEOptimizer(Optimizer):
    """Base class of the ASE-style optimizers: two criteria of convergence, any optimizable, reasons of failures.

    Parameters
    ----------
    atoms : ase.Atoms, Point or any object with ``__ase_optimizable__``
        What is moved in place. Its calculator may come later, before the first step.
    restart, logfile, trajectory, **kwargs
        As ASE's optimizers take them; a trajectory cannot hold Points.
    """

    def __init__(
        self,
        atoms: AseOptimizable,
        restart: str | PathLike[str] | None = None,
        logfile: LogFile = None,
        trajectory: Trajectory = None,
        **kwargs: Unpack[DynamicsOptions],
    ):
        if not hasattr(atoms, "__ase_optimizable__"):
            raise TypeError(
                f"an optimizer moves ase.Atoms, a Point, or another object with __ase_optimizable__ such as "
                f"FrechetCellFilter or NEB, not {type(atoms).__name__}"
            )
        if trajectory is not None and isinstance(atoms, Point | OptimizablePoint):
            raise TypeError(
                "trajectory can only hold Atoms: for a Point leave it out and attach a function that keeps point.x"
            )
        self.reason: str | None = None
        self.rms: float | None = None
        super().__init__(atoms, restart, logfile, trajectory, **kwargs)

    @property
    def subject(self) -> Atoms | Point | None:
        """Atoms or Point that are moved; None for anything else, such as a cell filter or a band."""
        moved = self.atoms
        if isinstance(moved, OptimizableAtoms):
            moved = moved.atoms
        elif isinstance(moved, OptimizablePoint):
            moved = moved.point
        return moved if isinstance(moved, Atoms | Point) else None

    @cached_property
    def system(self) -> System | None:
        """System of the Atoms or the Point, whose constraints Thalweg knows; None for anything else."""
        subject = self.subject
        if subject is None or (isinstance(subject, Atoms) and self._linear_constraints is None):
            return None
        return as_system(subject)

    @cached_property
    def _linear_constraints(self) -> Any:
        """Constraints of the Atoms as projections; None where they are of another kind, which ASE applies itself."""
        try:
            return constraints_of(self.subject) if isinstance(self.subject, Atoms) else None
        except TypeError:
            return None

    @cached_property
    def n_free(self) -> int:
        """Number of free coordinates, by which the rms gradient is divided."""
        subject = self.subject
        if isinstance(subject, Point):
            return max(int((~subject.frozen).sum()), 1)
        if self._linear_constraints is not None:
            return max(int((~self._linear_constraints.frozen).sum()), 1)
        return max(self.optimizable.ndofs(), 1)

    def irun(
        self, fmax: float | None = None, steps: int = DEFAULT_MAX_STEPS, rms: float | None = None
    ) -> Iterator[bool]:
        """Run as a generator that yields, step by step, whether the search has converged.

        Parameters
        ----------
        fmax : float, optional
            Largest force on an atom, or largest component for a Point; 0.05, as in ASE, if neither is given. With 0
            exactly ``steps`` steps are taken.
        steps : int
            Most steps.
        rms : float, optional
            Root mean square of the gradient over the free coordinates; if both are given, both must hold.

        Raises
        ------
        ValueError
            If fmax or rms is negative.
        """
        for name, value in (("fmax", fmax), ("rms", rms)):
            if value is not None and not 0 <= checked_number(name, value) < np.inf:
                raise ValueError(f"{name} must be positive, or 0 for exactly so many steps; it is {value}")
        steps = whole_number("steps", steps)
        self.fmax = 0.05 if fmax is None and rms is None else fmax
        self.rms, self.reason = rms, None
        return Dynamics.irun(self, steps=steps)

    def run(self, fmax: float | None = None, steps: int = DEFAULT_MAX_STEPS, rms: float | None = None) -> bool:
        """Run to the end, with the arguments of :meth:`irun`; return whether the search has converged.

        :attr:`reason` says why the run ended.
        """
        converged = False
        for converged in self.irun(fmax, steps, rms):  # noqa: B007  (the last one is the answer)
            pass
        self.reason = Status.CONVERGED.reason if converged else self.reason or Status.TOO_MANY_STEPS.reason
        return converged

    def gradient_converged(self, gradient: np.ndarray) -> bool:
        """Whether a gradient (n,) meets the criteria of this run."""
        gradient = self._checked(gradient)
        small = self.fmax is None or self._below_fmax(gradient)
        return bool(small and (self.rms is None or self._rms(gradient) < self.rms))

    def _below_fmax(self, gradient: np.ndarray) -> bool:
        # without atoms there is no largest force: nothing is left to do
        return gradient.size == 0 or bool(self.optimizable.converged(gradient, self.fmax))

    def log(self, gradient: np.ndarray) -> None:
        """Write a line of the log as ASE does; where there are no atoms there is nothing to write."""
        if gradient.size:
            super().log(gradient)

    def _rms(self, gradient: np.ndarray) -> float:
        return math.sqrt(dot(gradient, gradient) / self.n_free)

    def _state(self) -> tuple[np.ndarray, float, np.ndarray]:
        parts = self.optimizable
        # forces first: on the way calculators compute the energy, and bands have it from there
        gradient = self._checked(parts.get_gradient())
        energy = real_number(parts.get_value(), f"the energy of {self._calculator_name}")
        return np.ascontiguousarray(parts.get_x(), dtype=np.float64), energy, gradient

    def _checked(self, gradient: np.ndarray) -> np.ndarray:
        """Return a gradient as compiled functions take it; errors as of :func:`real_array`."""
        name = f"the gradient of {self._calculator_name}"
        return np.ascontiguousarray(real_array(gradient, (self.optimizable.ndofs(),), name))

    @property
    def _calculator_name(self) -> str:
        return type(self.atoms if self.subject is None else self.subject.calc).__name__

    def _stop(self, status: Status) -> None:
        """End the run after this step, unless exactly so many steps were asked for."""
        self.reason = status.reason
        if self.fmax != 0 and self.rms != 0:
            self.max_steps = self.nsteps

    def _original_cell(self) -> np.ndarray | None:
        """Return the cell that a cell filter's coordinates refer to, which a restart file must hold."""
        return np.array(self.atoms.orig_cell) if isinstance(self.atoms, UnitCellFilter) else None

    def _restore_original_cell(self, saved: Mapping[str, Any]) -> None:
        if saved.get("orig_cell") is not None and isinstance(self.atoms, UnitCellFilter):
            self.atoms.orig_cell = np.array(saved["orig_cell"])
