"""Basin-hopping as a function and as a class like ASE's dynamics."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms
from ase.optimize.optimize import Dynamics

from thalweg.optimizers.basin_hopping.chain import BasinHoppingResult, Chain
from thalweg.optimizers.rules import Rules
from thalweg.potentials.conversion.numeric_options import positive_number, whole_number
from thalweg.potentials.lazy import public
from thalweg.potentials.point import Point
from thalweg.potentials.system import System, as_system

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from numpy.typing import ArrayLike

    from thalweg.optimizers.basin_hopping.moves import Move, Pool
    from thalweg.optimizers.quasi_newton.knowledge import KnownPoints
    from thalweg.optimizers.rules import DynamicsOptions, LogFile, Trajectory
    from thalweg.potentials.protocols import Subject

__all__ = ["BasinHopping", "BasinHoppingResult", "basin_hopping_steps"]

# Steps between looks at what has been found, where nobody asked to see every one
_BLOCK = 1000


def basin_hopping_steps(
    system: Subject | System,
    x: ArrayLike,
    energy: float | None,
    rng: np.random.Generator,
    steps: int,
    step: float,
    temperature: float,
    rules: Rules | None = None,
    *,
    rms: float = 1e-9,
    minimise_steps: int = 10_000,
    moves: Move | Sequence[Move] | None = None,
    adaptive: float | None = None,
    target: float | None = None,
    container: float | None = None,
    prove: str = "new",
    keep: int | None = None,
    known_points: KnownPoints | None = None,
    pool: Pool | None = None,
) -> BasinHoppingResult:
    """Take basin-hopping steps from x and return every quench.

    Parameters
    ----------
    system : ase.Atoms, Point, Weights or System
        System to explore, with its calculator.
    x : array_like, shape (n,)
        Coordinates where the chain starts.
    energy : float or None
        Energy of x if it is a minimum; None minimises x first, and that quench is the first of the result.
    rng : numpy.random.Generator
        Source of random numbers; every step takes the same number of them, n_free + 1 where all coordinates move.
    steps : int
        Number of displacements.
    step : float
        Size of the moves that have none of their own: coordinates are displaced uniformly in (-step, step).
    temperature : float
        k_B T in the unit of energy; 0 accepts downhill only.
    rules : Rules, optional
        Step rules of the minimisations; :func:`default_rules` where missing.
    rms : float
        Rms gradient of a converged minimum.
    minimise_steps : int
        Most LBFGS steps a quench.
    moves : sequence of Move, optional
        Kinds of move, chosen at random by their weights; :class:`AllCoordinates` where missing.
    adaptive : float, optional
        Acceptance ratio that the size of moves is adapted to: every 20 of a kind it changes by a tenth.
    target : float, optional
        Energy at which the chain ends, within 1e-6.
    container : float, optional
        Atoms further than this from their centre are pulled back before a quench, and a quench that ends with one is
        refused. Where missing, the potential's own radius (Lennard-Jones clusters have one, so that no atom
        evaporates); infinite for no container.
    prove : str
        "new" checks by the Hessian each minimum whose energy is new in this chain, within 1e-8; "all" checks every
        quench.
    keep : int, optional
        Number of the lowest minima among which a minimum of new energy is proved; every one where missing.
    known_points : KnownPoints, optional
        Minima that are known, in whose basins quenches with an ASE calculator end early; it takes in new ones.
    pool : Pool, optional
        Low minima that moves may combine with from the first step on; it takes in new ones. Empty where missing.

    Returns
    -------
    BasinHoppingResult
        Failed quenches are refused and say why. A chain whose very start fails accepts its first minimum.

    Raises
    ------
    ValueError
        If x does not fit, a move does not suit the system, or a number is out of range.

    References
    ----------
    Z. Li and H. A. Scheraga, PNAS 84 (1987) 6611; D. J. Wales and J. P. K. Doye, J. Phys. Chem. A 101 (1997) 5111.

    Examples
    --------
    >>> import numpy as np
    >>> from ase import Atoms
    >>> from thalweg.optimizers import basin_hopping_steps
    >>> from thalweg.potentials import LJAT
    >>> atoms = Atoms("Ar3", [[0, 0, 0], [1.2, 0, 0], [0.4, 1.0, 0]], calculator=LJAT(Z=0.0))
    >>> result = basin_hopping_steps(atoms, atoms.positions, None, np.random.default_rng(0), 20, 0.4, 0.8)
    >>> print(f"{result.energy.min():.6f}")
    -3.000000
    """
    steps = whole_number("steps", steps)
    chain = Chain(
        as_system(system), x, energy, step, temperature, rules, rms=rms, minimise_steps=minimise_steps, moves=moves,
        adaptive=adaptive, target=target, container=container, prove=prove, keep=keep, known_points=known_points,
        pool=pool,
    )  # fmt: skip
    return chain.run(rng, steps)


@public("thalweg.optimizers")
class BasinHopping(Dynamics):
    """Basin-hopping called as ASE's dynamics are: ``run(steps)``, ``irun``, ``attach``, logfile, trajectory.

    Without logfile, trajectory or attached functions ``run`` stays in compiled code for a thousand steps at a time.

    Parameters
    ----------
    atoms : ase.Atoms, Point or Weights
        Atoms or Point with its calculator, moved in place to each minimum that the chain accepts.
    temperature : float
        k_B T in the unit of energy.
    step : float
        Size of the moves: every free coordinate is displaced uniformly in (-step, step).
    seed : int or numpy.random.Generator
        Seed or source of the random numbers.
    rules : Rules, optional
        Step rules of the minimisations.
    rms : float
        Rms gradient of a converged minimum.
    energy_tolerance, distance_tolerance : float
        Minima closer than both, after alignment by symmetry, are one.
    moves, adaptive, target, container, prove, keep
        As :func:`basin_hopping_steps` takes them; ``run`` returns whether the target was reached.
    logfile, trajectory, **kwargs
        As ASE's dynamics take them; a trajectory can hold Atoms only.

    Attributes
    ----------
    energies : list of float
        Energies of the distinct minima, each proved by its Hessian, in the order found.
    coordinates : list of ndarray, shape (n,)
        Their coordinates, in the same order.
    failures : dict
        Number of failed quenches by reason.
    last : BasinHoppingResult or None
        The quenches of the last step, or block of steps.

    Examples
    --------
    >>> import numpy as np
    >>> from ase import Atoms
    >>> from thalweg.optimizers import BasinHopping
    >>> from thalweg.potentials import LJAT
    >>> calculator = LJAT(Z=0.0)
    >>> positions = calculator.random_coordinates(39, np.random.default_rng(0)).reshape(-1, 3)
    >>> search = BasinHopping(Atoms("Ar13", positions, calculator=calculator), 0.8, 0.4, target=-44.326801)
    >>> search.run(1000)
    True
    """

    def __init__(
        self,
        atoms: Atoms | Point,
        temperature: float,
        step: float,
        *,
        seed: int | np.random.Generator = 0,
        rules: Rules | None = None,
        rms: float = 1e-9,
        energy_tolerance: float = 1e-7,
        distance_tolerance: float = 1e-2,
        moves: Move | Sequence[Move] | None = None,
        adaptive: float | None = None,
        target: float | None = None,
        container: float | None = None,
        prove: str = "new",
        keep: int | None = None,
        logfile: LogFile = None,
        trajectory: Trajectory = None,
        **kwargs: Unpack[DynamicsOptions],
    ):
        if trajectory is not None and not isinstance(atoms, Atoms):
            raise TypeError("trajectory can only hold Atoms: for a Point leave it out and attach a function instead")
        self.system: System = as_system(atoms)
        self.chain = Chain(
            self.system, self.system.x, None, step, temperature, rules, rms=rms, moves=moves, adaptive=adaptive,
            target=target, container=container, prove=prove, keep=keep,
        )  # fmt: skip
        self.energy_tolerance = positive_number("energy_tolerance", energy_tolerance, zero=True)
        self.distance_tolerance = positive_number("distance_tolerance", distance_tolerance, zero=True)
        self.rng = np.random.default_rng(seed)
        self.energies: list[float] = []
        self.coordinates: list[np.ndarray] = []
        self.failures: dict[str, int] = {}
        self.last: BasinHoppingResult | None = None
        self._sorted: list[tuple[float, int]] = []
        self._logs = logfile is not None
        super().__init__(atoms, logfile, trajectory, **kwargs)

    def todict(self) -> dict[str, Any]:
        """Describe the dynamics, for ASE's trajectory."""
        return {
            "type": "optimization", "optimizer": "BasinHopping", "temperature": self.chain.temperature,
            "step": float(self.chain.steps[0]), "rules": self.chain.rules.to_dict(),
        }  # fmt: skip

    def log(self, gradient: np.ndarray) -> None:
        """Write step, energy of the chain and lowest energy so far."""
        if self.nsteps == 0:
            self.logfile.write(f"{'BasinHopping':>12s}  {'step':>6s} {'energy':>16s} {'lowest':>16s} {'minima':>7s}\n")
        energy = self.optimizable.get_value()
        lowest = min(self.energies, default=np.nan)
        self.logfile.write(f"{'':12s}  {self.nsteps:6d} {energy:16.8f} {lowest:16.8f} {len(self.energies):7d}\n")

    def gradient_converged(self, gradient: np.ndarray) -> bool:
        """Return whether the target is reached, which ends a run early."""
        return self.chain.reached

    def run(self, steps: int = 100) -> bool:
        """Take steps until their number or the target is reached.

        Parameters
        ----------
        steps : int
            Largest number of steps.

        Returns
        -------
        bool
            Whether the target was reached.
        """
        steps = whole_number("steps", steps)
        if self.observers or self._logs:
            return bool(super().run(steps))
        end = self.nsteps + steps
        while self.nsteps < end and not self.chain.reached:
            self.nsteps += self._advance(min(_BLOCK, end - self.nsteps))
        return self.chain.reached

    def step(self) -> None:
        """Displace, minimise, accept or refuse; the first step also minimises the start."""
        self._advance(1)

    def _advance(self, steps: int) -> int:
        """Advance the chain; return the number of steps that it took."""
        x = self.optimizable.get_x()
        if not np.array_equal(x, self.chain.x):
            self.chain.move_to(x)
        self.last = last = self.chain.run(self.rng, steps)
        for row in np.flatnonzero(last.proved):
            self._keep(float(last.energy[row]), last.x[row])
        for row in np.flatnonzero(~last.converged):
            self.failures[last.reason[row]] = self.failures.get(last.reason[row], 0) + 1
        if np.isfinite(last.final_energy):
            self.optimizable.set_x(last.final_x)
        return int((last.move >= 0).sum())

    def _keep(self, energy: float, x: np.ndarray) -> None:
        place = bisect_left(self._sorted, (energy - self.energy_tolerance, -1))
        for known, number in self._sorted[place:]:
            if known > energy + self.energy_tolerance:
                break
            if self.system.distance(self.coordinates[number], x) <= self.distance_tolerance:
                return
        self._sorted.insert(bisect_left(self._sorted, (energy, -1)), (energy, len(self.energies)))
        self.energies.append(energy)
        self.coordinates.append(x.copy())

    def get_minimum(self) -> tuple[float, Atoms | Point]:
        """Return the lowest energy and a copy of Atoms or Point there, with the calculator.

        Raises
        ------
        RuntimeError
            If no minimum has been found yet.
        """
        if not self.energies:
            raise RuntimeError("no minimum has been found yet: run some steps first")
        lowest = int(np.argmin(self.energies))
        return self.energies[lowest], self.system.subject(self.coordinates[lowest])
