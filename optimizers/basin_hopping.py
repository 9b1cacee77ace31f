"""Basin-hopping: random displacements, each minimised, accepted by Metropolis' rule on the minima."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.optimize.optimize import Dynamics

from thalweg.optimizers.basin_hopping_kernel import basin_hopping_rows
from thalweg.optimizers.minimise_batch import minimise, minimum_settings, system_arguments
from thalweg.optimizers.results import REASONS
from thalweg.optimizers.rules import Rules, default_rules
from thalweg.optimizers.search_kernel import minimum_rows
from thalweg.potentials.point import Point
from thalweg.potentials.system import System, as_system

__all__ = ["BasinHopping", "BasinHoppingResult", "basin_hopping_steps"]

# Random numbers and coordinates are made in blocks of about this many
_BLOCK = 2_000_000


@dataclass(frozen=True)
class BasinHoppingResult:
    """Every quench of a basin-hopping chain, in order.

    Attributes
    ----------
    x : (quenches, n) where each ended; energy, rms : (quenches,); steps : (quenches,) int.
    converged : (quenches,) bool, True for a minimum proved by its Hessian; reason : list of str.
    lowest_eigenvalue, log_eigenvalue_product : (quenches,); modes : (quenches,) int.
    accepted : (quenches,) bool, whether the chain moved there.
    final_x : (n,) the minimum where the chain stands; final_energy : float, NaN if it never reached one.
    """

    x: np.ndarray
    energy: np.ndarray
    rms: np.ndarray
    steps: np.ndarray
    converged: np.ndarray
    reason: list[str]
    lowest_eigenvalue: np.ndarray
    log_eigenvalue_product: np.ndarray
    modes: np.ndarray
    accepted: np.ndarray
    final_x: np.ndarray
    final_energy: float

    def __len__(self) -> int:
        return len(self.energy)


def basin_hopping_steps(
    system: Any,
    x: Any,
    energy: float | None,
    rng: np.random.Generator,
    steps: int,
    step: float,
    temperature: float,
    rules: Rules | None = None,
    *,
    rms: float = 1e-9,
    minimise_steps: int = 10_000,
) -> BasinHoppingResult:
    """Take basin-hopping steps from x and return every quench.

    Parameters
    ----------
    system : ase.Atoms, Point, Weights or System
        What to explore.
    x : array_like, shape (n,)
        Where the chain stands.
    energy : float or None
        Energy of x if it is a minimum; None minimises x first, and that quench is the first of the result.
    rng : numpy.random.Generator
        Gives n_free + 1 numbers a step, whatever comes of it.
    steps : int
        How many displacements.
    step : float
        Every free coordinate is displaced uniformly in (-step, step).
    temperature : float
        k_B T in the unit of energy; 0 accepts downhill only.
    rules : Rules, optional
        Step rules of the minimisations; :func:`default_rules` where missing.
    rms : float
        Rms gradient of a converged minimum.
    minimise_steps : int
        Most LBFGS steps a quench.

    Returns
    -------
    BasinHoppingResult
        Failed quenches are refused and say why. A chain whose very start fails accepts its first minimum.

    Raises
    ------
    ValueError
        If x does not fit, or steps, step, temperature or rms are out of range.

    References
    ----------
    Z. Li and H. A. Scheraga, PNAS 84 (1987) 6611; D. J. Wales and J. P. K. Doye, J. Phys. Chem. A 101 (1997) 5111.
    """
    system = as_system(system)
    _check(steps, step, temperature, rms)
    rules = rules or default_rules(system)
    x = np.array(x, dtype=np.float64).ravel()
    if x.size != system.n:
        raise ValueError(f"x must have {system.n} coordinates; it has {x.size}")
    parts = []
    if energy is None:
        first = minimise(system, x, rms=rms, rules=rules, steps=minimise_steps, second_order=True, threads=1)
        parts.append(_first_quench(first))
        x, energy = (first.x[0].copy(), first.energy[0]) if first.converged[0] else (x, np.inf)
    settings = minimum_settings(system, rms, minimise_steps, rules.max_step)
    block = max(1, _BLOCK // system.n)
    for start in range(0, steps, block):
        rows = min(block, steps - start)
        draws, X, numbers = rng.random((rows, system.n_free + 1)), np.empty((rows, system.n)), np.empty((rows, 9))
        energy, _ = basin_hopping_rows(
            minimum_rows, *system_arguments(system), rules.packed(), settings, energy, step, temperature, draws, x, X,
            numbers,
        )  # fmt: skip
        system.reraise()
        parts.append((X, numbers))
    return _result(parts, system.n, x, energy)


def _check(steps, step, temperature, rms):
    if steps != int(steps) or steps < 0:
        raise ValueError(f"steps must be a whole number, not negative; it is {steps}")
    if not step > 0 or not rms > 0:
        raise ValueError(f"step and rms must be positive; they are {step} and {rms}")
    if not temperature >= 0:
        raise ValueError(f"temperature must not be negative; it is {temperature}")


def _first_quench(first):
    """Put a minimisation into the layout of the kernel's numbers."""
    status = float(REASONS.index(first.reason[0]))
    values = (first.energy, first.rms, first.steps, status, first.lowest_eigenvalue, first.log_eigenvalue_product,
              first.modes, np.nan, first.converged)  # fmt: skip
    return first.x, np.array([[float(np.ravel(value)[0]) for value in values]])


def _result(parts, n, x, energy):
    X = np.concatenate([part[0] for part in parts]) if parts else np.empty((0, n))
    numbers = np.concatenate([part[1] for part in parts]) if parts else np.empty((0, 9))
    status = numbers[:, 3].astype(np.int64)
    return BasinHoppingResult(
        X, numbers[:, 0], numbers[:, 1], numbers[:, 2].astype(np.int64), status == 0,
        [REASONS[code] for code in status], numbers[:, 4], numbers[:, 5], numbers[:, 6].astype(np.int64),
        numbers[:, 8] > 0.5, x, float(energy) if np.isfinite(energy) else np.nan,
    )  # fmt: skip


class BasinHopping(Dynamics):
    """Basin-hopping called as ASE's dynamics are: ``run(steps)``, ``irun``, ``attach``, logfile, trajectory.

    Parameters
    ----------
    atoms : ase.Atoms, Point or Weights
        With its calculator; moved in place to each minimum that the chain accepts.
    temperature : float
        k_B T in the unit of energy.
    step : float
        Every free coordinate is displaced uniformly in (-step, step).
    seed : int or numpy.random.Generator
        Of the random numbers.
    rules : Rules, optional
        Step rules of the minimisations.
    rms : float
        Rms gradient of a converged minimum.
    energy_tolerance, distance_tolerance : float
        Minima closer than both, after alignment by symmetry, are one.
    logfile, trajectory, **kwargs
        As ASE's dynamics take them; a trajectory can hold Atoms only.

    Attributes
    ----------
    energies : list of float; coordinates : list of (n,) arrays
        The distinct minima, in the order found.
    failures : dict
        How many quenches failed, by reason.
    last : BasinHoppingResult or None
        The quenches of the last step.
    """

    def __init__(
        self, atoms: Atoms | Point, temperature: float, step: float, *, seed: int | np.random.Generator = 0,
        rules: Rules | None = None, rms: float = 1e-9, energy_tolerance: float = 1e-7,
        distance_tolerance: float = 1e-2, logfile: Any = None, trajectory: Any = None, **kwargs: Any,
    ):  # fmt: skip
        if trajectory is not None and not isinstance(atoms, Atoms):
            raise TypeError("trajectory can only hold Atoms: for a Point leave it out and attach a function instead")
        _check(0, step, temperature, rms)
        self.system: System = as_system(atoms)
        self.rules = rules or default_rules(self.system)
        self.temperature, self.max_displacement, self.rms = temperature, step, rms
        self.energy_tolerance, self.distance_tolerance = energy_tolerance, distance_tolerance
        self.rng = np.random.default_rng(seed)
        self.energies: list[float] = []
        self.coordinates: list[np.ndarray] = []
        self.failures: dict[str, int] = {}
        self.last: BasinHoppingResult | None = None
        self._energy: float | None = None
        super().__init__(atoms, logfile, trajectory, **kwargs)

    def todict(self) -> dict[str, Any]:
        """Describe the dynamics, for ASE's trajectory."""
        return {
            "type": "optimization", "optimizer": "BasinHopping", "temperature": self.temperature,
            "step": self.max_displacement, "rules": self.rules.to_dict(),
        }  # fmt: skip

    def log(self, gradient: np.ndarray) -> None:
        """Write step, energy of the chain and lowest energy so far."""
        if self.nsteps == 0:
            self.logfile.write(f"{'BasinHopping':>12s}  {'step':>6s} {'energy':>16s} {'lowest':>16s} {'minima':>7s}\n")
        energy = self.optimizable.get_value()
        lowest = min(self.energies, default=np.nan)
        self.logfile.write(f"{'':12s}  {self.nsteps:6d} {energy:16.8f} {lowest:16.8f} {len(self.energies):7d}\n")

    def step(self) -> None:
        """Displace, minimise, accept or refuse; the first step also minimises the start."""
        self.last = basin_hopping_steps(
            self.system, self.optimizable.get_x(), self._energy, self.rng, 1, self.max_displacement,
            self.temperature, self.rules, rms=self.rms,
        )  # fmt: skip
        for row, reason in enumerate(self.last.reason):
            if self.last.converged[row]:
                self._keep(float(self.last.energy[row]), self.last.x[row])
            else:
                self.failures[reason] = self.failures.get(reason, 0) + 1
        if np.isfinite(self.last.final_energy):
            self._energy = self.last.final_energy
            self.optimizable.set_x(self.last.final_x)

    def _keep(self, energy: float, x: np.ndarray) -> None:
        for known, other in zip(self.energies, self.coordinates, strict=True):
            close = abs(known - energy) <= self.energy_tolerance
            if close and self.system.distance(other, x) <= self.distance_tolerance:
                return
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
