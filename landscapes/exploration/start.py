"""The two things that users ask of a landscape: more minima, and the transition states between them."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import TYPE_CHECKING, Any

from thalweg.landscapes.exploration.progress import progress_line
from thalweg.landscapes.exploration.sequence import Progress, pending_choices, run_sequence
from thalweg.landscapes.strategies.base import Strategy
from thalweg.landscapes.strategies.connect import BasinHoppingChains, Connect
from thalweg.landscapes.strategies.connect_pairs import ConnectPairs
from thalweg.landscapes.strategies.untrap import Untrap
from thalweg.optimizers import Rules, default_rules
from thalweg.optimizers.basin_hopping.moves import checked_moves
from thalweg.potentials.system import System

if TYPE_CHECKING:
    from thalweg.landscapes.landscape import Landscape

__all__ = ["STRATEGIES", "connect", "default_settings", "find_minima"]

_FEW = 20  # coordinates of a surface on which every mode is worth a try
_STEPS_A_TASK = {"atoms": 20, "point": 5, "python": 2}
_UNLIMITED = 10**9
_SEARCHES_A_TASK = {"atoms": 16, "point": 4, "python": 4}
_SEARCHES_ON_A_GPU = 256  # a task: fewer leave most of it idle

STRATEGIES: dict[str, Callable[..., Strategy]] = {"connect": Connect, "untrap": Untrap}
"""Ways to look for transition states, by name."""


def default_settings(system: System) -> dict[str, float]:
    """Return step, temperature and displacement that suit a system, in its units.

    Weights take what the original programs' users take for losses (step 1, temperature 2: nearly every step is
    accepted, and the landscape is sampled widely); a Point in bounds half of their mean width, and a tenth for the
    displacement; atoms 0.4 and 0.8 in reduced units, 0.4 angstrom and 0.1 eV.
    The share of searches that leave a minimum along one of its modes is 0 for a loss: it has many soft modes that lead
    nowhere, and 98 of 100 searches in random directions succeed, but only 75 along modes. A loss's minima are left by
    0.1 at most: 0.3 takes as long and finds a third fewer new transition states.
    """
    if system.atoms is None:
        along = 0.6 if system.n_free <= _FEW else 0.0
        if system.width is not None:
            step, displacement = 0.5 * system.width, 0.1 * system.width
            return {"step": step, "temperature": 2.0, "along_modes": along, **_both(displacement)}
        near = 0.1 if along == 0.0 else 0.3
        return {"step": 1.0, "temperature": 2.0, "along_modes": along, **_both(0.3), "displacement": near}
    temperature = 0.8 if system.units == "reduced" else 0.1
    return {"step": 0.4, "temperature": temperature, "along_modes": 0.7, **_both(0.3)}


def _both(displacement: float) -> dict[str, float]:
    """Return how far searches leave minima, and transition states."""
    return {"displacement": displacement, "displacement_from_states": displacement}


def find_minima(
    landscape: Landscape,
    steps: int,
    *,
    step: float | None = None,
    temperature: float | None = None,
    moves: Any = None,
    **how: Any,
) -> Progress:
    """Search for minima by basin-hopping; see :meth:`Landscape.find_minima`."""
    settings = _settings(landscape, step=step, temperature=temperature)
    if moves is not None:
        settings["moves"] = [move.to_dict() for move in checked_moves(moves, landscape.system)]
    strategy = _made(landscape, BasinHoppingChains, _STEPS_A_TASK[_kind(landscape)])
    return _run(landscape, strategy, settings, steps, **how)


def connect(
    landscape: Landscape,
    searches: int | None,
    *,
    strategy: str | Callable[..., Strategy] | None = None,
    pairs: Sequence[tuple[int, int]] | None = None,
    lower: bool = False,
    displacement: float | None = None,
    until_converged: bool = False,
    **how: Any,
) -> Progress:
    """Search for transition states; see :meth:`Landscape.connect`."""
    if searches is None:
        if not until_converged and pairs is None:
            raise TypeError("searches is missing: how many, or until_converged=True, or pairs to be joined")
        if lower:
            raise TypeError("searches is missing: a path can be lowered for ever, so say how many searches are enough")
        searches = _UNLIMITED
    settings = _settings(landscape, displacement=displacement, displacement_from_states=displacement)
    made = _made(landscape, _strategy_of(strategy, pairs, lower), _searches_a_task(landscape))
    if until_converged:
        discoveries = landscape.discoveries()
        how["enough"] = lambda: discoveries.update().complete
    return _run(landscape, made, settings, searches, **how)


def _strategy_of(
    strategy: str | Callable[..., Strategy] | None, pairs: Sequence[tuple[int, int]] | None, lower: bool
) -> Callable[..., Strategy]:
    if pairs is not None:
        if strategy is not None:
            raise ValueError("pairs and strategy each say how to search: give one of them")
        return partial(ConnectPairs, pairs=pairs, lower=lower)
    if lower:
        raise ValueError("lower=True lowers the paths between pairs of minima: say which, pairs=[(0, 5)]")
    if strategy is None or isinstance(strategy, str):
        try:
            return STRATEGIES[strategy or "connect"]
        except KeyError:
            raise ValueError(f"strategy must be one of {sorted(STRATEGIES)}, or a class; it is {strategy!r}") from None
    if not callable(strategy):
        raise TypeError(f"strategy must be a name or a class derived from Strategy; it is {strategy!r}")
    return strategy


def _made(landscape: Landscape, make: Callable[..., Strategy], batch: int) -> Strategy:
    """Make a strategy, with the tasks it chose in an earlier call that are not done."""
    name = getattr(getattr(make, "func", make), "name", "")
    chosen = [pending.choice for pending in pending_choices(landscape, name)]
    strategy = make(landscape, chosen, batch)
    if not isinstance(getattr(strategy, "name", None), str) or strategy.name != name or not name:
        raise TypeError(f"a strategy's class must have a name: name = 'from_the_top', say; {make!r} has none")
    return strategy


def _kind(landscape: Landscape) -> str:
    """Return which size of task suits: one of some seconds at most, so that little is lost when the time is up."""
    if not landscape.system.threadsafe:
        return "python"
    return "point" if landscape.system.atoms is None else "atoms"


def _searches_a_task(landscape: Landscape) -> int:
    on_gpu = getattr(landscape.system.potential, "device", "cpu") == "cuda"
    return _SEARCHES_ON_A_GPU if on_gpu else _SEARCHES_A_TASK[_kind(landscape)]


def _settings(landscape: Landscape, **given: float | None) -> dict[str, Any]:
    settings: dict[str, Any] = dict(default_settings(landscape.system))
    for name, value in given.items():
        if value is None:
            continue
        if not 0 < _number(name, value) < math.inf:
            raise ValueError(f"{name} must be positive and finite; it is {value}")
        settings[name] = float(value)
    rules = landscape.rules or default_rules(landscape.system).to_dict()
    goal = 0.1 * landscape.tolerances.gradient_rms
    # every step of a calculator written in Python costs, and some have noise: it goes no further than asked
    goal = min(1e-9, goal) if landscape.system.threadsafe or landscape.system.atoms is None else goal
    same = landscape.tolerances.energy
    return {**settings, "rms": goal, "same_energy": same, "rules": Rules(**rules).to_dict()}


def _number(name: str, value: Any) -> float:
    if not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number; it is {value!r}")
    return float(value)


def _check_whole(name: str, value: Any, least: int) -> None:
    if not (_number(name, value).is_integer() and value >= least):
        raise ValueError(f"{name} must be a whole number, at least {least}; it is {value}")


def _run(
    landscape: Landscape,
    strategy: Strategy,
    settings: dict[str, Any],
    goal: int,
    *,
    minima: int | None = None,
    workers: int | None = None,
    executor: Executor | Callable[[], Executor] | None = None,
    seconds: float | None = None,
    progress: bool | None = None,
    enough: Callable[[], bool] | None = None,
) -> Progress:
    _check_whole("the number of searches", goal, 0)
    for name, value in (("workers", workers), ("minima", minima)):
        if value is not None:
            _check_whole(name, value, 1)
    if seconds is not None and not _number("seconds", seconds) >= 0:
        raise ValueError(f"seconds must not be negative; it is {seconds}")
    with progress_line(strategy.name, goal, progress) as report:
        return run_sequence(
            landscape, strategy, settings, int(goal),
            minima=minima, workers=workers, executor=executor, seconds=seconds, progress=report, enough=enough,
        )  # fmt: skip
