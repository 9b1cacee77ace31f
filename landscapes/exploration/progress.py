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

_TITLES = {"find_minima": "basin-hopping", "connect": "transition states"}
_SECONDS = 0.2  # between two updates of a notebook


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
        Whether there is a line; where missing, if standard error is a terminal or this is a notebook.
    """
    notebook = _in_notebook()
    if not (sys.stderr.isatty() or notebook if show is None else show):
        yield None
        return
    line = _notebook_line if notebook else _terminal_line
    with line(_TITLES.get(title, title), goal) as report:
        yield report


def _in_notebook() -> bool:
    """Say whether the code runs in a kernel of Jupyter."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None


@contextmanager
def _terminal_line(title: str, goal: int) -> Iterator[Callable[[Progress], None]]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.completed}/{task.total}  {task.fields[found]}"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=False) as bar:
        line = bar.add_task(title, total=goal, found="")
        yield lambda progress: bar.update(line, completed=progress.done, found=_found(progress))


@contextmanager
def _notebook_line(title: str, goal: int) -> Iterator[Callable[[Progress], None]]:
    """Yield what rewrites one line of text below the cell; rich would need ipywidgets for the same."""
    from IPython.display import display

    handle = display({"text/plain": f"{title} 0/{goal}"}, raw=True, display_id=True)
    last, shown = None, 0.0

    def write(progress: Progress) -> None:
        nonlocal shown
        shown = time.monotonic()
        rate = progress.done / max(progress.seconds, 1e-9)
        left = f", {(goal - progress.done) / rate:.0f} s left" if 0 < progress.done < goal else ""
        text = f"{title} {progress.done}/{goal}  {_found(progress)}{left}"
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


def _found(progress: Progress) -> str:
    rate = progress.done / max(progress.seconds, 1e-9)
    success = 100.0 * (1.0 - progress.failed / max(progress.done, 1))
    return (
        f"{progress.minima} minima, {progress.transition_states} transition states, "
        f"{rate:.1f} searches/s, {success:.0f} % succeed"
    )
