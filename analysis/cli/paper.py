"""``thalweg paper``: every table and figure of the paper."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from thalweg.analysis.cli.compilation_notice import compiling_notice
from thalweg.analysis.paper.archive import best_state
from thalweg.analysis.paper.command_line import Source
from thalweg.analysis.paper.growth import grow, searches_of, state_of
from thalweg.analysis.paper.plan import Job, Plan, read_plan
from thalweg.landscapes.errors import StoreError

__all__ = ["estimate", "run"]

INTERRUPTED = 130
_SAY_EVERY, _WRITE_EVERY = 60.0, 3600.0
_STOPPED = "\nstopped; all that was found is kept. The same command goes on; with --time 0 it writes what there is."


def run(
    output: Path,
    *,
    only: Sequence[str],
    seconds: float | None,
    workers: int | None,
    seed: int,
    scale: str,
    mnist: Path | None,
    definition: Path | None,
    list_only: bool,
    page: Path | None = None,
) -> int:
    """Explore what remains, then write tables, figures and the page from what there is.

    Parameters
    ----------
    output : Path
        Folder of the stores and results; what is in it is gone on with.
    only : sequence of str
        Tables, figures or landscapes; all where empty.
    seconds : float or None
        Explore no longer.
    workers : int or None
        Threads.
    seed : int
        Of the first draw.
    scale : str
    mnist : Path or None
        Folder with MNIST's files; downloaded where None.
    definition : Path or None
        Another definition file.
    list_only : bool
        Only say what is done and what remains.
    page : Path or None
        A page, such as docs/paper.md, to be written beside the one in the folder: with its pictures and data in a
        folder of its name, docs/paper, and without the stores. What that folder keeps of landscapes that are done is
        not explored again.

    Returns
    -------
    int
        The exit status: 0, or 130 if interrupted.

    Raises
    ------
    click.ClickException
        If an option makes no sense, or a store is not one to go on with.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    if page is not None and page.suffix != ".md":
        raise click.UsageError(f"--page is {page}; a page is a Markdown file, such as docs/paper.md")
    try:
        plan = read_plan(scale, definition, seed=seed, mnist=mnist)
        plan = plan.only(only) if only else plan
    except (ValueError, OSError) as error:
        raise click.UsageError(str(error)) from error
    beside = _beside(page)
    states = {job.name: best_state(job, plan, output, beside) for job in plan.jobs}
    click.echo(_overview(plan, states, list_only))
    if list_only:
        return 0
    options = {"scale": scale, "seed": seed, "mnist": mnist, "definition": definition}
    write = partial(_write, plan, output, page, Source(output, ",".join(only), options), workers)
    try:
        with compiling_notice(lambda text: click.echo(text, err=True)):
            write(_explore(plan, output, beside, deadline, workers, write))
    except KeyboardInterrupt:
        click.echo(_STOPPED, err=True)
        return INTERRUPTED
    except (OSError, StoreError) as error:
        raise click.ClickException(str(error)) from error
    return 0


def _beside(page: Path | None) -> Path | None:
    """Return the folder that keeps a page's files."""
    return None if page is None else page.with_suffix("")


def _done(plan: Plan, state: dict[str, Any]) -> bool:
    return bool(state.get("done") and state.get("scale") == plan.scale and "problems" in state)


def estimate(job: Job, plan: Plan, states: dict[str, dict[str, Any]]) -> float:
    """Return the seconds that a landscape may still take.

    The mean of those of its family that are done; else the definition's guess at full scale, and the longest time at
    others.
    """
    done = [
        states[other.name]["seconds"]
        for other in plan.jobs
        if other.family == job.family and _done(plan, states[other.name])
    ]
    whole = sum(done) / len(done) if done else min(job.guess, job.seconds) if plan.scale == "full" else job.seconds
    return max(0.0, whole - states[job.name].get("seconds", 0.0))


def _overview(plan: Plan, states: dict[str, dict[str, Any]], every: bool) -> str:
    """Say what is done and what remains, landscape by landscape if asked for."""
    left = {job.name: estimate(job, plan, states) for job in plan.jobs if not _done(plan, states[job.name])}
    lines = []
    for job in plan.jobs if every else ():
        state = states[job.name]
        spent = f"{state['seconds']:.0f} s" if state else "nothing yet"
        lines.append(
            f"{job.name:24} {f'to do, about {_time(left[job.name])}' if job.name in left else 'done'}, {spent}"
        )
    done = len(plan.jobs) - len(left)
    lines.append(
        f"{done} of {len(plan.jobs)} landscapes done; searching the rest takes about {_time(sum(left.values()))}"
    )
    return "\n".join(lines)


def _time(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 120
        else f"{seconds / 60:.0f} min"
        if seconds < 7200
        else f"{seconds / 3600:.1f} h"
    )


def _explore(
    plan: Plan,
    output: Path,
    beside: Path | None,
    deadline: float | None,
    workers: int | None,
    write: Callable[[dict[str, str]], None],
) -> dict[str, str]:
    """Explore what is not done, turn by turn; return the landscapes of which there is nothing, and why.

    What there is is written now and then, so that a run of days can be looked at.
    """
    skipped: dict[str, str] = {}
    written = time.monotonic()
    (output / "landscapes").mkdir(parents=True, exist_ok=True)
    for turn in plan.turns:
        for job in plan.jobs:
            state = best_state(job, plan, output, beside)
            if _done(plan, state) or searches_of(state) >= turn or job.name in skipped:
                continue
            if deadline is not None and time.monotonic() >= deadline:
                return _left(plan, output, "the time was up") | skipped
            lacking = _grow(job, plan, output, turn, deadline, workers)
            if lacking:
                skipped |= {other.name: lacking for other in plan.jobs if other.system == job.system}
            if time.monotonic() - written > _WRITE_EVERY:
                write(_left(plan, output, "not explored yet") | skipped)
                written = time.monotonic()
    return skipped


def _left(plan: Plan, output: Path, why: str) -> dict[str, str]:
    return {job.name: why for job in plan.jobs if not job.store(output).exists()}


def _grow(job: Job, plan: Plan, output: Path, turn: int, deadline: float | None, workers: int | None) -> str:
    """Search one landscape for a turn; return why its data cannot be had, if so."""
    path = job.store(output)
    try:
        done = grow(job, plan, path, turn, deadline, workers, _Spoken())
    except (FileNotFoundError, ConnectionError) as error:
        click.echo(f"{job.name}: no data: {str(error).splitlines()[0]}", err=True)
        return f"no data: {str(error).splitlines()[0]}"
    state = state_of(path)
    ended = f"{state['why']}, done" if done else "still growing"
    click.echo(f"{job.name}: {ended} after {state.get('seconds', 0):.0f} s")
    return ""


class _Spoken:
    """Prints a line now and then."""

    def __init__(self) -> None:
        self.last = time.monotonic()

    def __call__(self, line: str) -> None:
        if time.monotonic() - self.last > _SAY_EVERY:
            self.last = time.monotonic()
            click.echo(line)


def _write(
    plan: Plan, output: Path, page: Path | None, source: Source, workers: int | None, skipped: dict[str, str]
) -> None:
    """Write results and the page into the output folder, and what is to be kept of them where that is wanted."""
    from thalweg.analysis.paper.page import page_text
    from thalweg.analysis.paper.publish import publish, recall
    from thalweg.analysis.paper.results import write_results

    beside = _beside(page)
    if beside is not None:
        recall(output, beside)
    results = write_results(plan, output, beside, workers, lambda name: click.echo(f"making {name}", err=True))
    (output / "paper.md").write_text(page_text(plan, results, source, skipped), encoding="utf-8")
    click.echo(output / "paper.md")
    if page is not None:
        size = publish(plan, output, page, page_text(plan, results, source, skipped, f"{page.stem}/"))
        click.echo(f"{page}, with pictures and data in {beside}: {size / 1e6:.1f} MB")
