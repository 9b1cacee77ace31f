"""Optimizers that use the Hessian, called as ASE's are: to a proved minimum, and to a transition state."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from ase.io.jsonio import read_json
from ase.optimize.optimize import RestartError

from thalweg.optimizers.ase_optimizers.base import ASEOptimizer
from thalweg.optimizers.ase_optimizers.lbfgs import LBFGS
from thalweg.optimizers.ase_optimizers.mode_steps import DifferenceHessian, ModeSteps
from thalweg.optimizers.kernels.status import Status
from thalweg.potentials.conversion.numeric_options import positive_number
from thalweg.potentials.lazy import public

if TYPE_CHECKING:
    from os import PathLike
    from typing import Unpack

    from thalweg.optimizers.rules import DynamicsOptions, LBFGSOptions, LogFile, Trajectory
    from thalweg.potentials.protocols import AseOptimizable

__all__ = ["EigenvectorFollowing", "SecondOrder"]


@public("thalweg.optimizers")
class SecondOrder(LBFGS):
    """Minimise by LBFGS down to a loose gradient, then by Newton steps mode by mode, and prove the minimum.

    Where the search stops on a saddle it is pushed off along the downhill mode.

    Parameters
    ----------
    atoms, restart, logfile, trajectory, **kwargs
        As :class:`LBFGS`. The Hessian of anything but Atoms and Points is made of differences of its gradient.
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
        atoms: AseOptimizable,
        restart: str | PathLike[str] | None = None,
        logfile: LogFile = None,
        trajectory: Trajectory = None,
        *,
        switch: float = 1e-4,
        **kwargs: Unpack[LBFGSOptions],
    ):
        switch = positive_number("switch", switch)
        self.switch = switch
        super().__init__(atoms, restart, logfile, trajectory, **kwargs)

    @cached_property
    def modes(self) -> ModeSteps:
        """Steps along the modes of the Hessian, which needs the calculator."""
        longest = self.rules.max_step if self.maxstep is None else self.maxstep
        return ModeSteps(self.system or DifferenceHessian(self.optimizable), self.optimizable, 0, longest)

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
class EigenvectorFollowing(ASEOptimizer):
    """Walk to a transition state: uphill along the lowest Hessian mode, downhill along all others.

    The Hessian is diagonalised at every step; for large systems see
    :func:`~thalweg.optimizers.hybrid_eigenvector_following`.

    Parameters
    ----------
    atoms, restart, logfile, trajectory, **kwargs
        As :class:`LBFGS`. The Hessian of anything but Atoms and Points is made of differences of its gradient.
    max_step : float
        Longest step at first; it shrinks and grows with the quality of the predicted energies.
    maxstep : float, optional
        The same under the name that it has in ASE.

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
        atoms: AseOptimizable,
        restart: str | PathLike[str] | None = None,
        logfile: LogFile = None,
        trajectory: Trajectory = None,
        max_step: float = 0.3,
        maxstep: float | None = None,
        **kwargs: Unpack[DynamicsOptions],
    ):
        max_step = max_step if maxstep is None else maxstep
        max_step = positive_number("max_step", max_step)
        self.max_step = max_step
        super().__init__(atoms, restart, logfile, trajectory, **kwargs)

    def initialize(self) -> None:
        """Begin with the longest step."""
        self._trust = self.max_step
        self.__dict__.pop("modes", None)

    def read(self) -> None:
        """Begin with the step length of the restart file."""
        self.initialize()
        try:
            with open(self.restart) as file:
                saved = read_json(file, always_array=False)
            self._trust = float(saved["trust"])
        except Exception as error:
            raise RestartError(f"Could not decode restart file {self.restart} as JSON: delete it to begin") from error
        self._restore_original_cell(saved)

    @cached_property
    def modes(self) -> ModeSteps:
        """Steps along the modes of the Hessian, which needs the calculator."""
        model = self.system or DifferenceHessian(self.optimizable)
        modes = ModeSteps(model, self.optimizable, 1, self.max_step)
        modes.trust = self._trust
        return modes

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
        self.dump({"trust": self.modes.trust, "orig_cell": self._original_cell()})
        if status != Status.CONVERGED:
            return self._stop(status)
        gradient = self.optimizable.get_gradient()
        # on a stationary point of another index there is nothing more to follow
        if self.modes.length < 1e-6 and super().gradient_converged(gradient):
            index = self.modes.classify()
            return None if index == Status.CONVERGED else self._stop(index)
        return None
