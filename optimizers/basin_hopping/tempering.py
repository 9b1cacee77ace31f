"""Basin-hopping at several temperatures that exchange their minima: parallel tempering over minima."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms

from thalweg.optimizers.basin_hopping.chain import Chain
from thalweg.optimizers.rules import Rules
from thalweg.potentials.conversion.numeric_options import checked_number, whole_number
from thalweg.potentials.lazy import public
from thalweg.potentials.point import Point
from thalweg.potentials.system import System, as_system
from thalweg.potentials.threads import thread_count

if TYPE_CHECKING:
    from thalweg.optimizers.basin_hopping.moves import Move

__all__ = ["TemperedBasinHopping", "exchange", "exchange_probability"]


def exchange_probability(energy_a: float, energy_b: float, temperature_a: float, temperature_b: float) -> float:
    """Return the probability that two chains exchange their minima, min(1, exp((1/Ta - 1/Tb)(Ea - Eb))).

    Such exchanges keep the product of both Boltzmann distributions. A chain at zero temperature takes the lower energy.

    Parameters
    ----------
    energy_a, energy_b : float
        Energies of the two minima, in the potential's unit.
    temperature_a, temperature_b : float
        k_B T in the unit of energy.

    Returns
    -------
    float
        Between 0 and 1.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = np.float64(1.0) / temperature_a - np.float64(1.0) / temperature_b
        exponent = inverse * (energy_a - energy_b)
    if energy_a == energy_b or np.isnan(exponent):
        return float(np.isfinite(energy_a))
    return float(np.exp(min(0.0, exponent)))


def exchange(chains: Sequence[Any], first: int, rng: np.random.Generator) -> np.ndarray:
    """Try to exchange the minima of neighbouring chains, pair by pair from the chain ``first`` on.

    Parameters
    ----------
    chains : sequence of Chain
        Chains, each with an ``x``, an ``energy`` and a ``temperature``, in the order of their temperatures.
    first : int
        Index of the first pair's lower chain, 0 or 1.
    rng : numpy.random.Generator
        Source of one number a pair, whatever the energies.

    Returns
    -------
    ndarray of bool, shape (chains - 1,)
        Whether each chain exchanged its minimum with the next one.
    """
    exchanged = np.zeros(len(chains) - 1, dtype=bool)
    for lower in range(first, len(chains) - 1, 2):
        a, b = chains[lower], chains[lower + 1]
        exchanged[lower] = rng.random() < exchange_probability(a.energy, b.energy, a.temperature, b.temperature)
        if exchanged[lower]:
            a.x, a.energy, b.x, b.energy = b.x, b.energy, a.x, a.energy
    return exchanged


@public("thalweg.optimizers")
class TemperedBasinHopping:
    """Basin-hopping chains at several temperatures; neighbours exchange their minima at intervals.

    Every chain has random numbers of its own, so that the result depends on the seed but not on the threads.

    Parameters
    ----------
    atoms : ase.Atoms, Point or Weights
        With its calculator, where every chain starts; moved in place to the lowest minimum found.
    temperatures : sequence of float
        k_B T of each chain, rising.
    step : float
        Size of the moves, in the coordinates' unit.
    seed : int
        Seed of the random numbers.
    exchange_every : int
        Steps between tries to exchange: pairs 0-1, 2-3, ... and 1-2, 3-4, ... in turn.
    threads : int, optional
        Threads over the chains; all processors where missing.
    rules, moves, adaptive, target, container, rms, prove, keep
        As :func:`~thalweg.optimizers.basin_hopping_steps` takes them.

    Attributes
    ----------
    chains : list of Chain
        In the order of the temperatures.
    tried, exchanged : ndarray of int, shape (chains - 1,)
        Numbers of exchanges of each chain with the next that were tried and made.
    energies : list of float
        Energies of the lowest different minima over all chains, rising.
    coordinates : list of ndarray, shape (n,)
        Their coordinates, in the same order.

    Raises
    ------
    ValueError
        If there are less than two temperatures, they do not rise, or exchange_every is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> from ase import Atoms
    >>> from thalweg.optimizers import TemperedBasinHopping
    >>> from thalweg.potentials import LJAT
    >>> calculator = LJAT(Z=0.0)
    >>> positions = calculator.random_coordinates(39, np.random.default_rng(0)).reshape(-1, 3)
    >>> atoms = Atoms("Ar13", positions, calculator=calculator)
    >>> TemperedBasinHopping(atoms, (0.4, 0.8, 1.6), step=0.4, target=-44.326801).run(1000)
    True
    """

    def __init__(
        self, atoms: Atoms | Point, temperatures: Sequence[float], step: float, *, seed: int = 0,
        exchange_every: int = 10, threads: int | None = None, rules: Rules | None = None, rms: float = 1e-9,
        moves: Move | Sequence[Move] | None = None, adaptive: float | None = None, target: float | None = None,
        container: float | None = None, prove: str = "new", keep: int | None = None,
    ):  # fmt: skip
        temperatures = [checked_number("temperatures", temperature) for temperature in temperatures]
        if len(temperatures) < 2 or any(np.diff(temperatures) <= 0):
            raise ValueError(f"temperatures must be at least two, rising; they are {temperatures}")
        exchange_every = whole_number("exchange_every", exchange_every, 1)
        threads = thread_count("threads", threads)
        self.system: System = as_system(atoms)
        self.chains = [
            Chain(
                self.system, self.system.x, None, step, temperature, rules, rms=rms, moves=moves, adaptive=adaptive,
                target=target, container=container, prove=prove, keep=keep,
            )
            for temperature in temperatures
        ]  # fmt: skip
        self.exchange_every = exchange_every
        own, *children = np.random.SeedSequence(seed).spawn(len(temperatures) + 1)
        self._rng, self._rngs = np.random.default_rng(own), [np.random.default_rng(child) for child in children]
        self._threads = threads if self.system.threadsafe else 1
        self._atoms = atoms
        self.tried, self.exchanged = np.zeros((2, len(temperatures) - 1), dtype=np.int64)
        self.steps = 0

    @property
    def reached(self) -> bool:
        """Whether any chain has reached the target energy."""
        return any(chain.reached for chain in self.chains)

    @property
    def _lowest(self) -> list[tuple[float, np.ndarray]]:
        found = [
            pair for chain in self.chains for pair in zip(chain.pool.energies, chain.pool.coordinates, strict=True)
        ]
        found.sort(key=lambda pair: pair[0])
        return [pair for k, pair in enumerate(found) if k == 0 or pair[0] > found[k - 1][0] + 1e-7]

    @property
    def energies(self) -> list[float]:
        """Energies of the lowest different minima over all chains, rising."""
        return [energy for energy, _ in self._lowest]

    @property
    def coordinates(self) -> list[np.ndarray]:
        """Coordinates of the lowest different minima, in the order of their energies."""
        return [x for _, x in self._lowest]

    def run(self, steps: int = 100) -> bool:
        """Take steps in every chain until their number is reached or one reaches the target.

        Parameters
        ----------
        steps : int
            Largest number of steps of each chain.

        Returns
        -------
        bool
            Whether the target was reached.
        """
        end = self.steps + whole_number("steps", steps)
        with ExitStack() as stack:
            # a calculator in Python stays on this thread, which is the one that Ctrl-C reaches
            threaded = self._threads > 1
            each = stack.enter_context(ThreadPoolExecutor(self._threads)).map if threaded else map
            while self.steps < end and not self.reached:
                # up to the next exchange, wherever the last run stopped
                count = min(self.exchange_every - self.steps % self.exchange_every, end - self.steps)
                list(each(Chain.run, self.chains, self._rngs, [count] * len(self.chains)))
                self.steps += count
                if self.steps % self.exchange_every == 0:
                    first = self.steps // self.exchange_every % 2
                    self.exchanged += exchange(self.chains, first, self._rng)
                    self.tried[first::2] += 1
        if self._lowest:
            self._atoms.__ase_optimizable__().set_x(self.coordinates[0])
        return self.reached
