"""Basin-hopping chain: its state and how it advances.

One step and the Metropolis criterion are compiled, in ``optimizers/kernels/basin_hopping.py``.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg.optimizers.basin_hopping.chain_by_forces import step_by_forces, written
from thalweg.optimizers.basin_hopping.moves import Pool, checked_moves, is_free_cluster
from thalweg.optimizers.basin_hopping.quenches import BasinHoppingResult, Quenches
from thalweg.optimizers.kernels.basin_hopping import (
    CHAIN,
    MOST_MOVES,
    TALLY,
    Hopping,
    adapt,
    basin_hopping_rows,
)
from thalweg.optimizers.kernels.moves import given_move, move_all
from thalweg.optimizers.kernels.searches import find_minimum, quench
from thalweg.optimizers.kernels.status import Status, reasons
from thalweg.optimizers.kinks import FIRST_STEPS, may_have_kinks, with_kinks
from thalweg.optimizers.large_systems import LARGEST_MATRIX
from thalweg.optimizers.minimisation import minimise, minimum_search
from thalweg.optimizers.missing_minima import with_missing_minima
from thalweg.optimizers.quasi_newton.context import Context
from thalweg.optimizers.quasi_newton.knowledge import KnownPoints
from thalweg.optimizers.quasi_newton.searches import longest_of, needs_differences
from thalweg.optimizers.rules import Rules, default_rules
from thalweg.potentials.conversion.numeric_options import checked_number, positive_number, whole_number
from thalweg.potentials.system import System

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

    from thalweg.optimizers.basin_hopping.moves import Move

__all__ = ["BasinHoppingResult", "Chain", "check_chain"]

# Random numbers and coordinates are made in blocks of about this many, and of so many steps at most
_BLOCK, _ROWS = 2_000_000, 5_000
_ENERGY_TOLERANCE = 1e-8
_TARGET_TOLERANCE = 1e-6
# Steps between changes of an adaptive step, and their factor
_INTERVAL, _FACTOR = 20.0, 1.1


class Chain:
    """A basin-hopping chain that continues from its state, some steps at a time.

    Splitting a run does not change its result: the same generator gives the same chain.

    Parameters
    ----------
    system : System
        Atoms or a Point with a calculator.
    x, energy, step, temperature, rules, rms, minimise_steps, moves, adaptive, target, container, prove, keep, \
known_points, pool
        As :func:`~thalweg.optimizers.basin_hopping_steps` takes them.

    Attributes
    ----------
    x : ndarray, shape (n,)
        Coordinates where the chain stands.
    energy : float or None
        Energy there: None before the start is minimised, infinite while that minimisation has failed.
    pool : Pool
        The lowest minima of the chain, and those that it was given.
    reached : bool
        Whether the chain has reached the target energy.
    """

    def __init__(
        self,
        system: System,
        x: ArrayLike,
        energy: float | None,
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
    ):
        check_chain(step, temperature, rms, adaptive, target, container, prove, keep)
        self.system, self.temperature, self.rms, self.minimise_steps = system, float(temperature), rms, minimise_steps
        self.rules = rules or default_rules(system)
        self.moves = checked_moves(moves, system)
        self.x = system.coordinates(x)
        if self.x.size != system.n:
            raise ValueError(f"x must have {system.n} coordinates; it has {self.x.size}")
        self.x = system.constrain(self.x)
        self.energy = energy
        self.pool = Pool() if pool is None else pool
        self.target = -np.inf if target is None else target + _TARGET_TOLERANCE
        self.container = _radius(system, container)
        self._proves = prove == "all"
        self._adaptive, self._keep = adaptive or 0.0, np.iinfo(np.int32).max if keep is None else int(keep)
        self._known = np.empty(0)
        self._context: Context | None = None
        self._ended: list[float] = []
        if needs_differences(system) and system.n_free <= LARGEST_MATRIX:
            longest = longest_of(self.rules.max_step)
            self._context = Context(system, rms, known_points or KnownPoints(system), minimise_steps, longest)
        count = len(self.moves)
        self._tallies = np.zeros(max(MOST_MOVES, count), TALLY)
        for tally, move in zip(self._tallies, self.moves, strict=False):
            tally["step"], tally["adapts"] = move.step or step, move.adapts
        weights = np.array([move.weight for move in self.moves])
        self._chances = np.ones(max(MOST_MOVES, count))
        self._chances[: count - 1] = np.cumsum(weights / weights.sum())[:-1]
        self._width = max(move.numbers(system) for move in self.moves) + (1 if count == 1 else 2)
        self._compiled = count <= MOST_MOVES and all(move.compiled is not None for move in self.moves)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        # an earlier version had none
        self.__dict__.setdefault("_context", None)
        self.__dict__.setdefault("_ended", [])
        if self._tallies.dtype.names is None:
            # an earlier version kept them as a matrix
            self._tallies = np.array([tuple(row) for row in self._tallies.tolist()], dtype=TALLY)

    @property
    def reached(self) -> bool:
        """Whether the chain has reached the target energy."""
        return self.energy is not None and self.energy <= self.target

    @property
    def steps(self) -> np.ndarray:
        """Present size of each move, shape (moves,)."""
        return self._tallies["step"][: len(self.moves)].copy()

    def move_to(self, x: np.ndarray) -> None:
        """Move the chain to another point, which the next step minimises first."""
        self.x, self.energy = np.array(x, dtype=np.float64).ravel(), None

    def run(self, rng: np.random.Generator, steps: int) -> BasinHoppingResult:
        """Take steps until their number or the target is reached; return every quench."""
        self._ended.clear()
        parts = [self._start()] if self.energy is None else []
        whole = self._compiled and self._context is None and not may_have_kinks(self.system)
        block = min(_ROWS, max(1, _BLOCK // self.system.n)) if whole else 1
        done = 0
        while done < steps and not self.reached:
            before, rows = rng.bit_generator.state, min(block, steps - done)
            part = self._block(rng.random((rows, self._width)))
            parts.append(part)
            taken = len(part.found)
            done += taken
            if taken < rows:
                # leave the generator where a chain cut there would have
                rng.bit_generator.state = before
                rng.random((taken, self._width))
        return self._result(parts)

    def _start(self) -> Quenches:
        """Minimise where the chain stands."""
        if self._context is not None:
            return self._by_forces(self._context, self.x, which=-1, chance=1.0)
        first = minimise(
            self.system, self.x, rms=self.rms, rules=self.rules, steps=self.minimise_steps, second_order=True,
            threads=1,
        )  # fmt: skip
        good = bool(first.converged[0])
        self.energy = float(first.energy[0]) if good else np.inf
        if good:
            self.x = first.x[0].copy()
            self.pool.add(self.energy, self.x)
            self._known = np.append(self._known, self.energy)
        part = Quenches.room(1, self.system.n)
        part.x[:] = first.x
        for name in ("energy", "rms", "steps", "lowest_eigenvalue", "log_eigenvalue_product", "modes"):
            part.found[name] = getattr(first, name)
        part.found["status"], part.found["path_length"] = Status.of(first.reason[0]), np.nan
        part.outcomes["accepted"], part.outcomes["proved"], part.outcomes["move"] = good, good, -1
        return part

    def _block(self, draws: np.ndarray) -> Quenches:
        """Take one step for each row of random numbers; a point proposed in Python enters as a move of its own."""
        if self._context is not None:
            which, trial = self._which(draws[0]), self.x.copy()
            trial[self.system.free] = self._proposed(which, draws[0])
            part = self._by_forces(self._context, trial, which, float(draws[0, -1]))
            adapt(self._tallies[which], bool(part.outcomes["accepted"][0]), float(self._adaptive), _INTERVAL, _FACTOR)
            return part
        pointers, chances, tallies = [move.compiled for move in self.moves], self._chances, self._tallies
        which = 0
        if not self._compiled:
            which = self._which(draws[0])
            proposed = self._proposed(which, draws[0])
            draws = np.concatenate([proposed, draws[0, -1:]])[None]
            pointers, chances, tallies = [given_move], np.ones(MOST_MOVES), self._tallies[which : which + 1]
        pointers += [move_all] * (MOST_MOVES - len(pointers))
        quenched = partial(self._quenched, tuple(pointers), chances, tallies, draws)
        part = self._in_two_goes(quenched, tallies) if may_have_kinks(self.system) else quenched(self.minimise_steps)
        # moves know nothing of forbidden directions, along which the energy is constant
        self.x[:], part.x[:] = self.system.constrain(self.x), self.system.constrain(part.x)
        if not self._compiled:
            part.outcomes["move"] = which
        self._remember(part)
        return part

    def _which(self, draws: np.ndarray) -> int:
        """Return the number of the move that a step makes."""
        return int(np.searchsorted(self._chances, draws[-2], side="right")) if len(self.moves) > 1 else 0

    def _by_forces(self, context: Context, trial: np.ndarray, which: int, chance: float) -> Quenches:
        """Quench a point with as few calls of the calculator as can be, and move there if that is accepted."""
        height = np.inf if self.energy is None else self.energy
        end, accepted = step_by_forces(
            context, self.system.constrain(trial), height, temperature=self.temperature, chance=chance,
            container=self.container if which >= 0 else np.inf,
        )  # fmt: skip
        self.system.reraise()
        new = end.status == Status.CONVERGED and not (np.abs(self._known - end.point.energy) <= _ENERGY_TOLERANCE).any()
        self._known = np.sort(np.append(self._known, end.point.energy)) if new else self._known
        self.x, self.energy = (end.x.copy(), end.energy) if accepted else (self.x, height)
        self._ended.append(end.energy)
        part = written(end, which, accepted=accepted, proved=new or self._proves)
        self._remember(part)
        return part

    def _quenched(
        self, moves: tuple[Any, ...], chances: np.ndarray, tallies: np.ndarray, draws: np.ndarray, steps: int
    ) -> Quenches:
        """Take one step for each row of random numbers, each minimised with at most this number of steps."""
        part = Quenches.room(len(draws), self.system.n)
        known = np.concatenate([self._known, np.empty(len(draws))])
        chain = np.array([(self.energy, len(self._known))], dtype=CHAIN)[0]
        rows = basin_hopping_rows(self._hopping(moves, chances, steps), tallies, known, chain, draws, self.x, *part)
        self.system.reraise()
        self.energy, self._known = float(chain["energy"]), known[: chain["known"]].copy()
        return part.first(rows)

    def _in_two_goes(self, quenched: Callable[[int], Quenches], tallies: np.ndarray) -> Quenches:
        """Take one step with few steps of minimisation, and once more with all if it needs them and met no kink."""
        before = tallies.copy(), self.x.copy(), self.energy, self._known
        part = quenched(min(FIRST_STEPS, self.minimise_steps))
        status = with_kinks(self.system, part.found["status"], part.x)
        if self.minimise_steps > FIRST_STEPS and np.any(status == Status.TOO_MANY_STEPS):
            tallies[:], self.x[:], self.energy, self._known = before
            part = quenched(self.minimise_steps)
            status = with_kinks(self.system, part.found["status"], part.x)
        part.found["status"] = status
        part.outcomes["proved"][status == Status.KINK] = False
        return part

    def _hopping(self, moves: tuple[Any, ...], chances: np.ndarray, steps: int) -> Hopping:
        """Return the settings of the chain as compiled code takes them."""
        return Hopping(
            search=minimum_search(self.system, self.rms, self.rules, steps),
            minimise=find_minimum if self._proves else quench,
            prove=find_minimum,
            proves=self._proves,
            move_0=moves[0],
            move_1=moves[1],
            move_2=moves[2],
            move_3=moves[3],
            chances=chances,
            temperature=self.temperature,
            target=float(self.target),
            container=self.container,
            tolerance=_ENERGY_TOLERANCE,
            keep=self._keep,
            ratio=float(self._adaptive),
            interval=_INTERVAL,
            factor=_FACTOR,
        )

    def _proposed(self, which: int, draws: np.ndarray) -> np.ndarray:
        """Return the free coordinates of the point that a move proposes."""
        move, system = self.moves[which], self.system
        step = float(self._tallies["step"][which])
        proposed = np.asarray(move.displace(system, self.x, step, draws[: move.numbers(system)], self.pool))
        if proposed.shape != (system.n,):
            raise ValueError(
                f"{move!r} must return {system.n} coordinates; the shape of its result is {proposed.shape}"
            )
        return proposed.astype(np.float64)[system.free]

    def _remember(self, part: Quenches) -> None:
        """Put proved minima in the pool, from which moves in Python choose partners."""
        energy, proved = part.found["energy"], np.flatnonzero(part.outcomes["proved"])
        for row in proved[np.argsort(energy[proved], kind="stable")][: self.pool.size]:
            self.pool.add(float(energy[row]), part.x[row])

    def _result(self, parts: list[Quenches]) -> BasinHoppingResult:
        x, found, outcomes = (
            np.concatenate(same) for same in zip(Quenches.room(0, self.system.n), *parts, strict=True)
        )
        energy = np.nan if self.energy is None or not np.isfinite(self.energy) else self.energy
        found["status"] = with_missing_minima(self.system, found["status"], x, found["rms"], found["lowest_eigenvalue"])
        outcomes["proved"] &= found["status"] != Status.NO_MINIMUM
        return BasinHoppingResult(
            x=x, energy=found["energy"], rms=found["rms"], steps=found["steps"],
            converged=found["status"] == Status.CONVERGED, reason=reasons(found["status"]),
            lowest_eigenvalue=found["lowest_eigenvalue"], log_eigenvalue_product=found["log_eigenvalue_product"],
            modes=found["modes"], accepted=outcomes["accepted"], proved=outcomes["proved"], move=outcomes["move"],
            final_x=self.x.copy(), final_energy=energy, final_steps=self.steps,
            ended=None if self._context is None else np.array(self._ended),
        )  # fmt: skip


def _radius(system: System, container: float | None) -> float:
    """Return the radius of the container: the given one, a free cluster's own from its potential, or infinity."""
    if container is None:
        container = system.container_radius if is_free_cluster(system) else None
    elif container < np.inf and not is_free_cluster(system):
        raise ValueError("container holds atoms together that may all move, without periodic cell: leave it out here")
    return np.inf if container is None else float(container)


def check_chain(
    step: float, temperature: float, rms: float, adaptive: float | None = None, target: float | None = None,
    container: float | None = None, prove: str = "new", keep: int | None = None,
) -> None:  # fmt: skip
    """Raise ValueError for parameters of a chain that are out of range."""
    if not checked_number("step", step) > 0 or not checked_number("rms", rms) > 0:
        raise ValueError(f"step and rms must be positive; they are {step} and {rms}")
    positive_number("step", step)
    positive_number("rms", rms)
    # at no temperature only steps downhill are taken, at an infinite one all
    positive_number("temperature", temperature, zero=True, infinite=True)
    if adaptive is not None and not 0 < checked_number("adaptive", adaptive) < 1:
        raise ValueError(f"adaptive must be the acceptance ratio to keep, between 0 and 1; it is {adaptive}")
    if target is not None and np.isnan(checked_number("target", target)):
        raise ValueError("target must be an energy; it is NaN")
    if container is not None and not checked_number("container", container) > 0:
        raise ValueError(f"container must be a positive radius; it is {container}")
    if prove not in ("new", "all"):
        raise ValueError(f'prove must be "new" or "all"; it is {prove!r}')
    if keep is not None:
        whole_number("keep", keep, 1)
