"""Command ``thalweg connect``: search a store for transition states."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from thalweg.analysis.cli.compilation_notice import compiling_notice
from thalweg.analysis.cli.errors import errors_in_one_line, errors_of_usage
from thalweg.analysis.cli.option_groups import from_option, with_options
from thalweg.analysis.cli.rows import Row, RowNumber, checked_row
from thalweg.analysis.cli.shared_options import (
    failures_option,
    store_argument,
    time_option,
    trust_option,
    workers_option,
)
from thalweg.analysis.cli.terminal import say, text_width

if TYPE_CHECKING:
    from thalweg.landscapes import Landscape

__all__ = ["connect"]

_SEARCHES = 1000


@dataclass(frozen=True)
class _Search:
    """Number and kind of the searches, and how long they may take."""

    searches: int | None = from_option(
        click.option(
            "--searches",
            type=click.IntRange(min=1),
            help="Number of searches.  [default: until FIRST and SECOND are joined; else 1000]",
        )
    )
    lower: bool = from_option(
        click.option("--lower", is_flag=True, help="Search for lower paths once FIRST and SECOND are joined."),
        default=False,
    )
    strategy: str | None = from_option(
        click.option(
            "--strategy",
            type=click.Choice(["connect", "untrap"]),
            help="Choice of the minima to search from, without FIRST and SECOND.  [default: connect]",
        )
    )
    seconds: float | None = from_option(time_option)
    workers: int | None = from_option(workers_option)
    trust: bool = from_option(trust_option, default=False)
    failures: int = from_option(failures_option, default=10)


@click.command()
@store_argument
@click.argument("first", type=RowNumber(), required=False)
@click.argument("second", type=RowNumber(), required=False)
@with_options("search", _Search)
def connect(path: Path, first: Row | None, second: Row | None, *, search: _Search) -> None:
    """Find more transition states, or join two minima.

    PATH is a store. With the minima FIRST and SECOND, which are numbers or lowest, searches go on between them until
    they are joined, and the path whose highest transition state is lowest is printed. Without them, searches start
    from all minima.
    """
    pair = _pair(first, second, search)
    from thalweg.landscapes import StoreError

    with errors_of_usage(IndexError, TypeError, ValueError), errors_in_one_line(OSError, RuntimeError, StoreError):
        said = _searched(path, pair, search)
    say(said)


def _pair(first: Row | None, second: Row | None, search: _Search) -> tuple[Row, Row] | None:
    """Return the two minima to join, if any; raise an error of usage where an option does not go with them."""
    if first is None or second is None:
        if first is not None:
            raise click.UsageError("give both minima, FIRST and SECOND, or neither")
        if search.lower:
            raise click.UsageError("--lower lowers the paths between two minima: give FIRST and SECOND")
        return None
    if search.strategy is not None:
        raise click.UsageError("--strategy searches all minima: leave it out, or FIRST and SECOND")
    return first, second


def _searched(path: Path, pair: tuple[Row, Row] | None, search: _Search) -> str:
    """Search, and return what was found."""
    from thalweg.landscapes import Landscape

    searches = _SEARCHES if search.searches is None and (pair is None or search.lower) else search.searches
    with (
        Landscape.open(path, "r+", trust=search.trust) as landscape,
        compiling_notice(lambda text: say(text, err=True)),
    ):
        before = len(landscape.minima), len(landscape.transition_states)
        ends = None if pair is None else _ends(pair, landscape)
        progress = landscape.connect(
            searches,
            strategy=search.strategy,
            pairs=None if ends is None else [ends],
            lower=search.lower,
            workers=search.workers,
            seconds=search.seconds,
            failures=search.failures,
        )
        found = [now - then for now, then in zip((progress.minima, progress.transition_states), before, strict=True)]
        said = f"{progress.done} searches found {found[0]} new minima and {found[1]} new transition states"
        if ends is not None and not progress.done and not search.lower:
            said = "no search was needed: the two minima are joined already"
        return said if ends is None else f"{said}\n{_path(landscape, *ends)}"


def _ends(pair: tuple[Row, Row], landscape: Landscape) -> tuple[int, int]:
    """Return the numbers of the two minima to join."""
    energies = landscape.minima.energy[:]
    first, second = (checked_row(name, row, energies) for name, row in zip(("FIRST", "SECOND"), pair, strict=True))
    if first == second:
        raise ValueError(f"FIRST and SECOND are both minimum {first}: give two different minima")
    return first, second


def _path(landscape: Landscape, first: int, second: int) -> str:
    from thalweg.analysis.systems.report import path_text

    path = landscape.lowest_path(first, second)
    if path is None:
        return f"minima {first} and {second} are not joined yet"
    return path_text(path, landscape.minima.energy[:], landscape.transition_states.energy[:], text_width())
