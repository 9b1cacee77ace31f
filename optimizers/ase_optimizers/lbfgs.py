"""LBFGS called as ASE's optimizers are, one step of the compiled pieces at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from ase.io.jsonio import read_json
from ase.optimize.optimize import RestartError

from thalweg.optimizers.ase_optimizers.base import ASEOptimizer
from thalweg.optimizers.kernels.lbfgs import add_multiple, dot, remember, two_loop
from thalweg.optimizers.kernels.status import Status
from thalweg.optimizers.rules import ATOMS_RULES, Rules, default_rules
from thalweg.potentials.conversion.numeric_options import positive_number
from thalweg.potentials.lazy import public
from thalweg.potentials.point import Point
from thalweg.potentials.system import as_system

if TYPE_CHECKING:
    from os import PathLike
    from typing import Unpack

    from ase import Atoms

    from thalweg.optimizers.rules import DynamicsOptions, LogFile, Trajectory
    from thalweg.potentials.protocols import AseOptimizable

__all__ = ["LBFGS"]

_PROBE = 1e-2  # longest displacement, in the coordinates' unit, that shows whether energy and forces belong together


@public("thalweg.optimizers")
class LBFGS(ASEOptimizer):
    """Minimise by LBFGS with the step rules of Thalweg: no line search, the energy may not rise.

    Where forces are not those of the energy, as in a nudged elastic band, steps are taken by forces alone.

    Parameters
    ----------
    atoms : ase.Atoms, Point, Weights or any object with ``__ase_optimizable__``
        What is moved in place: Atoms or a Point with its calculator, or a cell filter, a band of images and the like.
    restart : path, optional
        JSON file in which every step leaves the memory, and from which a new optimizer takes it up.
    logfile, trajectory
        As ASE's optimizers take them; a trajectory cannot hold Points.
    maxstep : float, optional
        Longest step of an atom, as in ASE, or largest component of a Point's step; it replaces ``max_step``.
    memory : int, optional
        Number of remembered steps, in place of the rules' number.
    damping : float
        Factor of every step.
    alpha : float, optional
        Curvature assumed for the first step, in the unit of energy over coordinate squared.
    rules : Rules, optional
        Step rules; :func:`~thalweg.optimizers.default_rules` where missing.
    max_step : float, optional
        Longest step of all coordinates together, in their unit, in place of the rules' length.
    **kwargs
        Passed to :class:`ase.optimize.optimize.Optimizer`: append_trajectory, loginterval, master, comm.

    Attributes
    ----------
    reason : str or None
        Why the last run ended.

    Raises
    ------
    TypeError
        If ``atoms`` has no ``__ase_optimizable__``, or a trajectory is asked for that cannot hold it.
    ValueError
        If a number is out of range; ``ase.optimize.optimize.RestartError`` if the restart file cannot be used.

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

    A cell and the atoms in it, relaxed together:

    >>> from ase.build import bulk
    >>> from ase.calculators.emt import EMT
    >>> from ase.filters import FrechetCellFilter
    >>> copper = bulk("Cu", a=3.7)
    >>> copper.calc = EMT()
    >>> LBFGS(FrechetCellFilter(copper)).run(fmax=1e-3)
    True
    >>> print(f"{4 ** (1 / 3) * copper.get_volume() ** (1 / 3):.2f}")
    3.59
    """

    # of pickles of earlier versions, which moved Atoms and Points alone
    maxstep: float | None = None
    alpha: float | None = None
    damping = 1.0
    _conservative: bool | None = True

    def __init__(
        self,
        atoms: AseOptimizable,
        restart: str | PathLike[str] | None = None,
        logfile: LogFile = None,
        trajectory: Trajectory = None,
        maxstep: float | None = None,
        memory: int | None = None,
        damping: float = 1.0,
        alpha: float | None = None,
        rules: Rules | None = None,
        max_step: float | None = None,
        **kwargs: Unpack[DynamicsOptions],
    ):
        for name, value in (("maxstep", maxstep), ("damping", damping), ("alpha", alpha)):
            if value is not None:
                positive_number(name, value)
        changes = {"memory": memory, "max_step": max_step, "initial_diagonal": None if alpha is None else 1.0 / alpha}
        if rules is None:
            rules = default_rules(as_system(atoms)) if isinstance(atoms, Point) else ATOMS_RULES
        self.rules = rules.replace(**{name: value for name, value in changes.items() if value is not None})
        self.maxstep, self.damping, self.alpha = maxstep, damping, alpha
        super().__init__(atoms, restart, logfile, trajectory, **kwargs)

    def initialize(self) -> None:
        """Make room for the memory and empty it."""
        n, memory = self.optimizable.ndofs(), self.rules.memory
        self._s, self._y = np.empty((memory, n)), np.empty((memory, n))
        self._rho, self._alpha, self._direction = np.empty(memory), np.empty(memory), np.empty(n)
        self._failures = 0
        # whether forces are known to be those of the energy; None where that shows only on the way
        self._conservative = True if self._is_plain else None
        self.reset()

    @property
    def _is_plain(self) -> bool:
        return isinstance(self.subject, Point) or self._linear_constraints is not None

    def reset(self) -> None:
        """Empty the memory, which is necessary after the atoms were moved by other means."""
        self._stored, self._diagonal = 0, self.rules.initial_diagonal

    def todict(self) -> dict[str, Any]:
        """Describe the optimizer, for ASE's trajectory."""
        return {**super().todict(), "rules": self.rules.to_dict()}

    def read(self) -> None:
        """Take up the memory of the restart file."""
        self.initialize()
        try:
            with open(self.restart) as file:
                saved = read_json(file, always_array=False)
        except Exception as error:
            raise RestartError(f"Could not decode restart file {self.restart} as JSON: delete it to begin") from error
        names, (memory, n) = ("s", "y", "rho"), self._s.shape
        held = [np.array(saved[name]) for name in names] if isinstance(saved, dict) and {*names} <= saved.keys() else []
        rows = len(held[0]) if held else -1
        if [part.shape for part in held] != [(rows, n), (rows, n), (rows,)] or rows > memory:
            raise RestartError(
                f"the restart file {self.restart} holds no memory of LBFGS of {n} coordinates and at most {memory} "
                "steps: delete it to begin"
            )
        for name, part in zip(names, held, strict=True):
            getattr(self, f"_{name}")[:rows] = part
        self._stored, self._failures, self._diagonal = saved["stored"], saved["failures"], saved["diagonal"]
        self._restore_original_cell(saved)

    def _save(self) -> None:
        """Leave the memory in the restart file, if there is to be one."""
        if self.restart is None:
            return
        rows = min(self._stored, self.rules.memory)
        state = {"s": self._s[:rows], "y": self._y[:rows], "rho": self._rho[:rows], "stored": self._stored}
        state |= {"failures": self._failures, "diagonal": self._diagonal, "orig_cell": self._original_cell()}
        self.dump(state)

    def _replay_trajectory(self, traj: Sequence[Atoms]) -> None:
        """Fill the memory with the steps of a trajectory, whose last image is where the atoms are."""
        x = [image.get_positions().ravel() for image in traj]
        gradients = [-image.get_forces().ravel() for image in traj]
        for k in range(1, len(x)):
            if x[k].shape != self._direction.shape:
                raise ValueError(
                    f"the trajectory has {x[k].size} coordinates, and what is moved has {self._direction.size}"
                )
            self._learn(1.0, x[k] - x[k - 1], gradients[k], gradients[k - 1])

    def step(self) -> None:
        """Take one accepted step, or stop the run where no step is accepted."""
        x, energy, gradient = self._state()
        norm = np.sqrt(dot(gradient, gradient))
        if not (np.isfinite(energy) and np.isfinite(norm)):
            return self._stop(Status.NOT_FINITE)
        if norm == 0.0:
            return None  # no step leads away from here
        taken = self._try(x, energy, gradient, norm)
        while taken is None:
            self._failures += 1
            # without a memory the next step would be the one just refused
            if self._failures > self.rules.resets or self._stored == 0:
                return self._stop(Status.ENERGY_NOT_LOWERED)
            self.reset()
            taken = self._try(x, energy, gradient, norm)
        if not self._conservative:
            # constraints that ASE applies itself may have moved the atoms otherwise
            self._learn(1.0, np.ascontiguousarray(self.optimizable.get_x()) - x, taken[1], gradient)
        else:
            self._learn(taken[0], self._direction, taken[1], gradient)
        return self._save()

    def _learn(self, scale: float, direction: np.ndarray, new: np.ndarray, old: np.ndarray) -> None:
        """Remember a step and its change of gradient."""
        row = self._stored % self.rules.memory
        diagonal = remember(self._s, self._y, self._rho, row, scale, direction, new, old)
        if self.rules.signed_curvature or diagonal > 0.0:
            self._diagonal = diagonal
            self._stored += 1

    def _try(self, x: np.ndarray, energy: float, gradient: np.ndarray, norm: float) -> tuple[float, np.ndarray] | None:
        """Move downhill and return (scale, new gradient), or stay and return None."""
        direction, rules = self._direction, self.rules
        two_loop(gradient, self._s, self._y, self._rho, self._alpha, self._stored, self._diagonal, direction)
        if dot(direction, gradient) > 0.0:
            direction *= -1.0
        scale = self._length(norm)
        for _ in range(rules.trials + 1):
            moved = x.copy()
            add_multiple(scale, direction, moved)
            self.optimizable.set_x(moved)
            _, e_new, g_new = self._state()
            if np.isfinite(e_new) and np.isfinite(dot(g_new, g_new)):
                if e_new - energy <= rules.max_rise or self._conservative is False:
                    return scale, g_new
                if self._conservative is None and not self._is_consistent(x, gradient, scale):
                    self._conservative = False
                    self.optimizable.set_x(moved)
                    return scale, g_new
            scale *= rules.shrink
        self.optimizable.set_x(x)
        return None

    def _length(self, norm: float) -> float:
        """Return the multiple of the direction that the first trial takes, for this norm of the gradient."""
        direction = self._direction
        scale = min(1.0 / norm, norm) if self._stored == 0 and self.alpha is None else 1.0
        if self.maxstep is None:
            length, longest = float(np.sqrt(dot(direction, direction))), self.rules.max_step
        else:
            length, longest = float(self.optimizable.gradient_norm(direction)), self.maxstep
        if scale * length > longest:
            scale = longest / length
        return scale if self.damping == 1.0 else scale * self.damping

    def _is_consistent(self, x: np.ndarray, gradient: np.ndarray, scale: float) -> bool:
        """Return whether the energy changes along the direction as the gradient says, within a half."""
        step = min(scale, _PROBE / float(np.sqrt(dot(self._direction, self._direction)))) * self._direction
        energies = []
        for sign in (1.0, -1.0):
            self.optimizable.set_x(x + sign * step)
            energies.append(self._state()[1])
        predicted = 2.0 * dot(gradient, step)
        return bool(abs(energies[0] - energies[1] - predicted) <= 0.5 * abs(predicted))
