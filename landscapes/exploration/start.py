"""Start a run of basin-hopping, or of searches for transition states."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from thalweg.landscapes.energy_limit import EnergyLimit
from thalweg.landscapes.exploration.failed_quenches import warn_if_all_failed
from thalweg.landscapes.exploration.progress import progress_line
from thalweg.landscapes.exploration.sequence import pending_choices, run_sequence
from thalweg.landscapes.exploration.settings import hopping_settings, search_settings, searches_a_task, steps_a_task
from thalweg.landscapes.records import Progress
from thalweg.landscapes.run_options import RunOptions, check_whole
from thalweg.landscapes.strategies.base import Strategy
from thalweg.landscapes.strategies.basin_hopping import BasinHoppingChains
from thalweg.landscapes.strategies.connect import Connect
from thalweg.landscapes.strategies.connect_pairs import ConnectPairs
from thalweg.landscapes.strategies.untrap import Untrap
from thalweg.optimizers import Move

if TYPE_CHECKING:
    from thalweg.landscapes.landscape import Landscape

__all__ = ["STRATEGIES", "StrategyLike", "connect", "find_minima"]

_UNLIMITED = 10**9

StrategyLike: TypeAlias = "str | Callable[..., Strategy]"
"""Name of a strategy, or a class derived from `Strategy`."""

STRATEGIES: dict[str, Callable[..., Strategy]] = {"connect": Connect, "untrap": Untrap}
"""Strategies for transition states, by name."""


def find_minima(
    landscape: Landscape,
    steps: int,
    options: RunOptions,
    *,
    step: float | None = None,
    temperature: float | None = None,
    moves: Sequence[Move] | None = None,
) -> Progress:
    """Search for minima by basin-hopping; see :meth:`Landscape.find_minima`."""
    settings = hopping_settings(landscape, moves, step=step, temperature=temperature)
    strategy = _made(landscape, BasinHoppingChains, steps_a_task(landscape))
    progress = _run(landscape, strategy, settings, steps, options)
    if progress.done:
        warn_if_all_failed(landscape)
    return progress


def connect(
    landscape: Landscape,
    searches: int | None,
    options: RunOptions,
    *,
    strategy: StrategyLike | None = None,
    pairs: Sequence[tuple[int, int]] | None = None,
    lower: bool = False,
    displacement: float | None = None,
    until_converged: bool = False,
    below: float | str | None = None,
) -> Progress:
    """Search for transition states; see :meth:`Landscape.connect`."""
    if searches is None:
        if not until_converged and pairs is None:
            raise TypeError("searches is missing: how many, or until_converged=True, or pairs to be joined")
        if lower:
            raise TypeError("searches is missing: a path can be lowered for ever, so say how many searches are enough")
        searches = _UNLIMITED
    settings = search_settings(landscape, displacement=displacement, displacement_from_states=displacement)
    make = _strategy_of(strategy, pairs, lower)
    if below is not None:
        make = _below(make, EnergyLimit.read(below), until_converged)
    made = _made(landscape, make, searches_a_task(landscape))
    if until_converged:
        discoveries = landscape.discoveries(below)
        options = replace(options, enough=lambda: discoveries.update().complete)
    return _run(landscape, made, settings, searches, options)


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


def _below(make: Callable[..., Strategy], limit: EnergyLimit, until_converged: bool) -> Callable[..., Strategy]:
    """Return a strategy's maker with a limit of energy; of other strategies than the default it can only be the end."""
    if make is Connect:
        return partial(Connect, below=limit)
    if not until_converged:
        raise ValueError("below has no effect here: it goes with the default strategy, or with until_converged=True")
    return make


def _made(landscape: Landscape, make: Callable[..., Strategy], batch: int) -> Strategy:
    """Make a strategy, with the tasks it chose in an earlier call that are not done."""
    name = getattr(getattr(make, "func", make), "name", "")
    chosen = [pending.choice for pending in pending_choices(landscape, name)]
    strategy = make(landscape, chosen, batch)
    if not isinstance(getattr(strategy, "name", None), str) or strategy.name != name or not name:
        raise TypeError(f"a strategy's class must have a name: name = 'from_the_top', say; {make!r} has none")
    return strategy


def _run(
    landscape: Landscape, strategy: Strategy, settings: dict[str, Any], goal: int, options: RunOptions
) -> Progress:
    check_whole("the number of searches", goal, 0)
    with progress_line(strategy.name, int(goal), options.progress, before=options.before) as report:
        return run_sequence(landscape, strategy, settings, int(goal), options, report)
