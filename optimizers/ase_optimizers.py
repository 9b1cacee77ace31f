"""Optimizers called as ASE's are: ``LBFGS(atoms, logfile="-").run(fmax=0.01)``, ``irun``, ``attach``, trajectories.

They take one step at a time through the compiled pieces that the batch functions use, and so take the same steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms
from ase.optimize.optimize import DEFAULT_MAX_STEPS, Dynamics, Optimizer

from thalweg.optimizers.kernels.lbfgs import add_multiple, dot, remember, two_loop
from thalweg.optimizers.kernels.status import Status
from thalweg.optimizers.mode_steps import ModeSteps
from thalweg.optimizers.rules import Rules, default_rules
from thalweg.potentials.lazy import public
from thalweg.potentials.point import Point
from thalweg.potentials.real_results import real_array, real_number
from thalweg.potentials.system import as_system

if TYPE_CHECKING:
    from typing import Unpack

    from thalweg.optimizers.rules import DynamicsOptions, LBFGSOptions, LogFile, Trajectory

__all__ = ["LBFGS", "EigenvectorFollowing", "SecondOrder"]


class _ASEOptimizer(Optimizer):
    """Base class of the ASE-style optimizers: two criteria of convergence, Points and Atoms, reasons of failures."""

    def __init__(
        self,
        atoms: Atoms | Point,
        logfile: LogFile = None,
        trajectory: Trajectory = None,
        **kwargs: Unpack[DynamicsOptions],
    ):
        if trajectory is not None and not isinstance(atoms, Atoms):
            raise TypeError(
                "trajectory can only hold Atoms: for a Point leave it out and attach a function that keeps point.x"
            )
        self.system = as_system(atoms)
        self.reason: str | None = None
        self.rms: float | None = None
        super().__init__(atoms, None, logfile, trajectory, **kwargs)

    def irun(
        self, fmax: float | None = None, steps: int = DEFAULT_MAX_STEPS, rms: float | None = None
    ) -> Iterator[bool]:
        """Run as a generator that yields, step by step, whether the search has converged.

        Parameters
        ----------
        fmax : float, optional
            Largest force on an atom, or largest component for a Point; 0.05, as in ASE, if neither is given.
        steps : int
            Most steps.
        rms : float, optional
            Root mean square of the gradient over the free coordinates; if both are given, both must hold.

        Raises
        ------
        ValueError
            If fmax or rms is not positive.
        """
        for name, value in (("fmax", fmax), ("rms", rms)):
            if value is not None and not value > 0:
                raise ValueError(f"{name} must be positive; it is {value}")
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
        small = self.fmax is None or self.optimizable.converged(gradient, self.fmax)
        return bool(small and (self.rms is None or self._rms(gradient) < self.rms))

    def _rms(self, gradient: np.ndarray) -> float:
        return float(np.sqrt(dot(gradient, gradient)) / np.sqrt(self.system.n_free))

    def _state(self) -> tuple[np.ndarray, float, np.ndarray]:
        parts = self.optimizable
        energy = real_number(parts.get_value(), f"the energy of {type(self.system.potential).__name__}")
        return parts.get_x(), energy, self._checked(parts.get_gradient())

    def _checked(self, gradient: np.ndarray) -> np.ndarray:
        """Return a gradient as compiled functions take it; errors as of :func:`real_array`."""
        name = f"the gradient of {type(self.system.potential).__name__}"
        return np.ascontiguousarray(real_array(gradient, (self.optimizable.ndofs(),), name))

    def _stop(self, status: Status) -> None:
        """End the run after this step."""
        self.reason = status.reason
        self.max_steps = self.nsteps


@public("thalweg.optimizers")
class LBFGS(_ASEOptimizer):
    """Minimise by LBFGS with the step rules of Thalweg: no line search, the energy may not rise.

    Parameters
    ----------
    atoms : ase.Atoms, Point or Weights
        Atoms or Point with its calculator, moved in place.
    logfile, trajectory
        As ASE's optimizers take them; a trajectory can hold Atoms only.
    rules : Rules, optional
        Step rules; :func:`~thalweg.optimizers.default_rules` where missing.
    memory : int, optional
        Number of remembered steps, in place of the rules' number.
    max_step : float, optional
        Longest step, in the coordinates' unit, in place of the rules' length.
    **kwargs
        Passed to :class:`ase.optimize.optimize.Optimizer`: append_trajectory, loginterval, master, comm.

    Attributes
    ----------
    reason : str or None
        Why the last run ended.

    Examples
    --------
    >>> from ase import Atoms
    >>> from thalweg.optimizers import LBFGS
    >>> from thalweg.potentials import LJAT
    >>> atoms = Atoms("Ar3", [[0, 0, 0], [1.2, 0, 0], [0.4, 1.0, 0]], calculator=LJAT(Z=0.0))
    >>> LBFGS(atoms, logfile=None).run(rms=1e-9)
    True
    >>> print(f"{atoms.get_potential_energy():.6f}")
    -3.000000
    """

    def __init__(
        self,
        atoms: Atoms | Point,
        logfile: LogFile = None,
        trajectory: Trajectory = None,
        rules: Rules | None = None,
        memory: int | None = None,
        max_step: float | None = None,
        **kwargs: Unpack[DynamicsOptions],
    ):
        changes = {"memory": memory, "max_step": max_step}
        rules = rules or default_rules(as_system(atoms))
        self.rules = rules.replace(**{name: value for name, value in changes.items() if value is not None})
        super().__init__(atoms, logfile, trajectory, **kwargs)

    def initialize(self) -> None:
        """Make room for the memory and empty it."""
        n, memory = self.system.n, self.rules.memory
        self._s, self._y = np.empty((memory, n)), np.empty((memory, n))
        self._rho, self._alpha, self._direction = np.empty(memory), np.empty(memory), np.empty(n)
        self._failures = 0
        self.reset()

    def reset(self) -> None:
        """Empty the memory, which is necessary after the atoms were moved by other means."""
        self._stored, self._diagonal = 0, self.rules.initial_diagonal

    def todict(self) -> dict[str, Any]:
        """Describe the optimizer, for ASE's trajectory."""
        return {**super().todict(), "rules": self.rules.to_dict()}

    def step(self) -> None:
        """Take one accepted step, or stop the run where no step is accepted."""
        x, energy, gradient = self._state()
        norm = np.sqrt(dot(gradient, gradient))
        if not (np.isfinite(energy) and np.isfinite(norm)):
            return self._stop(Status.NOT_FINITE)
        taken = self._try(x, energy, gradient, norm)
        while taken is None:
            self._failures += 1
            # without a memory the next step would be the one just refused
            if self._failures > self.rules.resets or self._stored == 0:
                return self._stop(Status.ENERGY_NOT_LOWERED)
            self.reset()
            taken = self._try(x, energy, gradient, norm)
        row = self._stored % self.rules.memory
        diagonal = remember(self._s, self._y, self._rho, row, taken[0], self._direction, taken[1], gradient)
        if self.rules.signed_curvature or diagonal > 0.0:
            self._diagonal = diagonal
            self._stored += 1
        return None

    def _try(self, x: np.ndarray, energy: float, gradient: np.ndarray, norm: float) -> tuple[float, np.ndarray] | None:
        """Move downhill and return (scale, new gradient), or stay and return None."""
        direction, rules = self._direction, self.rules
        two_loop(gradient, self._s, self._y, self._rho, self._alpha, self._stored, self._diagonal, direction)
        scale = min(1.0 / norm, norm) if self._stored == 0 else 1.0
        if dot(direction, gradient) > 0.0:
            direction *= -1.0
        length = np.sqrt(dot(direction, direction))
        if scale * length > rules.max_step:
            scale = rules.max_step / length
        for _ in range(rules.trials + 1):
            moved = x.copy()
            add_multiple(scale, direction, moved)
            self.optimizable.set_x(moved)
            _, e_new, g_new = self._state()
            if e_new - energy <= rules.max_rise and np.isfinite(e_new) and np.isfinite(dot(g_new, g_new)):
                return scale, g_new
            scale *= rules.shrink
        self.optimizable.set_x(x)
        return None


@public("thalweg.optimizers")
class SecondOrder(LBFGS):
    """Minimise by LBFGS down to a loose gradient, then by Newton steps mode by mode, and prove the minimum.

    Where the search stops on a saddle it is pushed off along the downhill mode.

    Parameters
    ----------
    atoms, logfile, trajectory, rules, memory, max_step, **kwargs
        As :class:`LBFGS`.
    switch : float
        Rms gradient below which Newton steps begin.

    Attributes
    ----------
    lowest_eigenvalue : float
        Lowest eigenvalue of the Hessian where the run converged, null modes excluded; NaN before.

    Examples
    --------
    >>> from ase import Atoms
    >>> from thalweg.optimizers import SecondOrder
    >>> from thalweg.potentials import LJAT
    >>> atoms = Atoms("Ar3", [[0, 0, 0], [1.2, 0, 0], [0.4, 1.0, 0]], calculator=LJAT(Z=0.0))
    >>> search = SecondOrder(atoms, logfile=None)
    >>> search.run(rms=1e-9)
    True
    >>> search.lowest_eigenvalue > 0
    True
    """

    def __init__(
        self,
        atoms: Atoms | Point,
        logfile: LogFile = None,
        trajectory: Trajectory = None,
        *,
        switch: float = 1e-4,
        **kwargs: Unpack[LBFGSOptions],
    ):
        if not switch > 0:
            raise ValueError(f"switch must be positive; it is {switch}")
        self.switch = switch
        super().__init__(atoms, logfile, trajectory, **kwargs)

    def initialize(self) -> None:
        """Make room for both kinds of step."""
        super().initialize()
        self.modes = ModeSteps(self.system, self.optimizable, 0, self.rules.max_step)

    @property
    def lowest_eigenvalue(self) -> float:
        """Lowest eigenvalue of the last Hessian, null modes excluded."""
        return self.modes.lowest_eigenvalue

    def gradient_converged(self, gradient: np.ndarray) -> bool:
        """Whether a gradient meets the criteria, and no eigenvalue is negative here."""
        return super().gradient_converged(gradient) and self.modes.classify() == Status.CONVERGED

    def step(self) -> None:
        """Take a step of LBFGS, a Newton step, or leave a saddle."""
        _, energy, gradient = self._state()
        if self._rms(gradient) >= self.switch or not np.isfinite(energy):
            return super().step()
        if super().gradient_converged(gradient):
            status = self.modes.classify()
            if status != Status.WRONG_INDEX:
                return self._stop(status)
            self.reset()
            return self.modes.leave(0.05)
        status = self.modes.step()
        return None if status == Status.CONVERGED else self._stop(status)


@public("thalweg.optimizers")
class EigenvectorFollowing(_ASEOptimizer):
    """Walk to a transition state: uphill along the lowest Hessian mode, downhill along all others.

    The Hessian is diagonalised at every step; for large systems see
    :func:`~thalweg.optimizers.hybrid_eigenvector_following`.

    Parameters
    ----------
    atoms, logfile, trajectory, **kwargs
        As :class:`LBFGS`.
    max_step : float
        Longest step at first; it shrinks and grows with the quality of the predicted energies.

    Attributes
    ----------
    reason : str or None
        Why the last run ended. A run converges only where exactly one eigenvalue is negative, null modes aside.
    lowest_eigenvalue : float
        Lowest eigenvalue of the last Hessian, null modes excluded.

    References
    ----------
    D. J. Wales, J. Chem. Phys. 101 (1994) 3750.

    Examples
    --------
    >>> from ase import Atoms
    >>> from thalweg.optimizers import EigenvectorFollowing
    >>> from thalweg.potentials import LJAT
    >>> rhombus = [[0, 0, 0], [1.1, 0, 0], [0.55, 0.95, 0.1], [0.55, -0.95, 0]]
    >>> atoms = Atoms("Ar4", rhombus, calculator=LJAT(Z=0.0))
    >>> EigenvectorFollowing(atoms, logfile=None).run(rms=1e-9)
    True
    >>> print(f"{atoms.get_potential_energy():.6f}")
    -5.073421
    """

    def __init__(
        self,
        atoms: Atoms | Point,
        logfile: LogFile = None,
        trajectory: Trajectory = None,
        max_step: float = 0.3,
        **kwargs: Unpack[DynamicsOptions],
    ):
        if not max_step > 0:
            raise ValueError(f"max_step must be positive; it is {max_step}")
        self.max_step = max_step
        super().__init__(atoms, logfile, trajectory, **kwargs)

    def initialize(self) -> None:
        """Begin with the longest step."""
        self.modes = ModeSteps(self.system, self.optimizable, 1, self.max_step)

    @property
    def lowest_eigenvalue(self) -> float:
        """Lowest eigenvalue of the last Hessian, null modes excluded."""
        return self.modes.lowest_eigenvalue

    def gradient_converged(self, gradient: np.ndarray) -> bool:
        """Whether a gradient meets the criteria, and exactly one eigenvalue is negative here."""
        return super().gradient_converged(gradient) and self.modes.classify() == Status.CONVERGED

    def step(self) -> None:
        """Take one step; stop the run where the energy cannot be trusted or the point has the wrong index."""
        status = self.modes.step()
        if status != Status.CONVERGED:
            return self._stop(status)
        gradient = self.optimizable.get_gradient()
        # on a stationary point of another index there is nothing more to follow
        if self.modes.length < 1e-6 and super().gradient_converged(gradient):
            index = self.modes.classify()
            return None if index == Status.CONVERGED else self._stop(index)
        return None
