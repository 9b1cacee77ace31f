"""Line of progress on a terminal or in a notebook; nothing in a pipe."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from thalweg.landscapes.records import Progress

__all__ = ["progress_line"]

_TITLES = {"find_minima": "basin-hopping", "connect": "transition states", "connect_pairs": "joining minima"}
_SECONDS = 0.2  # between two updates of a notebook
_UNLIMITED = 10**9  # searches: something else than their number ends them


@contextmanager
def progress_line(
    title: str, goal: int, show: bool | None = None, *, before: int = 0
) -> Iterator[Callable[[Progress], None] | None]:
    """Yield what an exploration calls after every task to keep the line up to date, or None where it is quiet.

    Parameters
    ----------
    title : str
        Name of the sequence.
    goal : int
        Searches to come; from a thousand million on, their number is not known, and no end is shown.
    show : bool, optional
        Whether there is a line; where missing, if standard error is a terminal or this is a notebook.
    before : int
        Searches that earlier runs have done: the line counts these, too.
    """
    notebook = _in_notebook()
    if not (sys.stderr.isatty() or notebook if show is None else show):
        yield None
        return
    line = _notebook_line if notebook else _terminal_line
    with line(_TITLES.get(title, title), goal, before) as report:
        yield report


def _in_notebook() -> bool:
    """Say whether the code runs in a kernel of Jupyter."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None


@contextmanager
def _terminal_line(title: str, goal: int, before: int) -> Iterator[Callable[[Progress], None]]:
    """Yield what rewrites a line of title, bar, numbers, time left, and as many of the results as there is room for."""
    limited = before + goal < _UNLIMITED
    numbers = "{task.completed}/{task.total}" if limited else "{task.completed}"
    columns = [
        TextColumn("{task.description}"), BarColumn(bar_width=20), TextColumn(numbers),
        *([TimeRemainingColumn(compact=True)] if limited else []), TextColumn("{task.fields[found]}"),
    ]  # fmt: skip
    console = Console(stderr=True)
    # two numbers of the same length, the bar, the time left as 12:34 or 1:23:45, and a space between all
    taken = len(title) + 20 + (2 * len(str(before + goal)) + 1 + 8 if limited else 10) + 5
    with Bar(*columns, console=console, transient=False) as bar:
        line = bar.add_task(title, total=before + goal if limited else None, completed=before, found="")
        yield lambda progress: bar.update(
            line, completed=before + progress.done, found=_found(progress, console.width - taken)
        )


@contextmanager
def _notebook_line(title: str, goal: int, before: int) -> Iterator[Callable[[Progress], None]]:
    """Yield what rewrites one line of text below the cell; rich would need ipywidgets for the same."""
    from IPython.display import display

    total = f"/{before + goal}" if before + goal < _UNLIMITED else ""
    handle = display({"text/plain": f"{title} {before}{total}"}, raw=True, display_id=True)
    last, shown = None, 0.0

    def write(progress: Progress) -> None:
        nonlocal shown
        shown = time.monotonic()
        rate = progress.done / max(progress.seconds, 1e-9)
        left = f", {(goal - progress.done) / rate:.0f} s left" if total and 0 < progress.done < goal else ""
        text = f"{title} {before + progress.done}{total}  {_found(progress)}{left}"
        handle.update({"text/plain": text}, raw=True)

    def report(progress: Progress) -> None:
        nonlocal last
        last = progress
        if time.monotonic() - shown > _SECONDS:
            write(progress)

    try:
        yield report
    finally:
        if last is not None:
            write(last)


def _found(progress: Progress, room: int | None = None) -> str:
    """Return what was found, how fast and how often searches succeed: as much of it as there is room for."""
    rate = progress.done / max(progress.seconds, 1e-9)
    success = 100.0 * (1.0 - progress.failed / max(progress.done, 1))
    parts = [
        f"{progress.minima} minima",
        f"{progress.transition_states} transition states",
        f"{rate:.1f} searches/s",
        f"{success:.0f} % succeed",
    ]
    while room is not None and parts and len(", ".join(parts)) > room:
        parts.pop()
    return ", ".join(parts)
