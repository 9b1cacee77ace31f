"""``thalweg connect``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from thalweg.analysis.cli.compilation_notice import compiling_notice
from thalweg.analysis.systems.report import path_text

__all__ = ["run"]

_SEARCHES = 1000


def run(
    path: Path,
    first: int | None = None,
    second: int | None = None,
    *,
    searches: int | None = None,
    lower: bool = False,
    strategy: str | None = None,
    seconds: float | None = None,
    workers: int | None = None,
) -> None:
    """Search a store for transition states, and print what came of it.

    Parameters
    ----------
    path : Path
        The store; it is built again from what it says of its system.
    first, second : int or None
        Minima to be joined.
    searches : int or None
        How many; until they are joined, or 1,000, where None.
    lower : bool
        Whether to go on looking for lower paths.
    strategy : str or None
        Where to search, without a pair.
    seconds : float or None
        When to stop early.
    workers : int or None
        Threads.

    Raises
    ------
    click.ClickException
        If an argument makes no sense, or the store cannot be gone on with.
    """
    if (first is None) != (second is None):
        raise click.UsageError("give both minima, FIRST and SECOND, or neither")
    pairs = None if first is None else [(first, second)]
    if searches is None and (pairs is None or lower):
        searches = _SEARCHES
    how: dict[str, Any] = {"pairs": pairs, "lower": lower, "strategy": strategy, "seconds": seconds, "workers": workers}
    try:
        said = _searched(path, searches, how)
    except (TypeError, ValueError) as error:
        raise click.UsageError(str(error)) from error
    except (OSError, RuntimeError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(said)


def _searched(path: Path, searches: int | None, how: dict[str, Any]) -> str:
    from thalweg.landscapes import Landscape

    with Landscape.open(path, "r+") as landscape, compiling_notice(lambda text: click.echo(text, err=True)):
        before = len(landscape.minima), len(landscape.transition_states)
        progress = landscape.connect(searches, **how)
        found = [now - then for now, then in zip((progress.minima, progress.transition_states), before, strict=True)]
        said = f"{progress.done} searches found {found[0]} new minima and {found[1]} new transition states"
        return said if how["pairs"] is None else f"{said}\n{_path(landscape, *how['pairs'][0])}"


def _path(landscape: Any, first: int, second: int) -> str:
    path = landscape.lowest_path(first, second)
    if path is None:
        return f"minima {first} and {second} are not joined yet"
    minima, states = landscape.minima.energy[:], landscape.transition_states.energy[:]
    return path_text(path, minima, states)
