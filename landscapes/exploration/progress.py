"""Line of progress on a terminal; nothing in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from thalweg.landscapes.records import Progress

__all__ = ["progress_line"]

_TITLES = {"find_minima": "basin-hopping", "connect": "transition states"}


@contextmanager
def progress_line(title: str, goal: int, show: bool | None = None) -> Iterator[Callable[[Progress], None] | None]:
    """Yield what an exploration calls after every task to keep the line up to date, or None where it is quiet.

    Parameters
    ----------
    title : str
        Name of the sequence.
    goal : int
        Searches to come.
    show : bool, optional
        Whether there is a line; where missing, if standard error is a terminal.
    """
    if not (sys.stderr.isatty() if show is None else show):
        yield None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.completed}/{task.total}  {task.fields[found]}"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=False) as bar:
        line = bar.add_task(_TITLES.get(title, title), total=goal, found="")
        yield lambda progress: bar.update(line, completed=progress.done, found=_found(progress))


def _found(progress: Progress) -> str:
    rate = progress.done / max(progress.seconds, 1e-9)
    success = 100.0 * (1.0 - progress.failed / max(progress.done, 1))
    return (
        f"{progress.minima} minima, {progress.transition_states} transition states, "
        f"{rate:.1f} searches/s, {success:.0f} % succeed"
    )
