"""``thalweg paper``: every table and figure of the paper."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from thalweg.analysis.compiling import compiling_notice
from thalweg.analysis.paper_growth import grow, state_of
from thalweg.analysis.paper_plan import Job, Plan, read_plan
from thalweg.landscapes.errors import StoreError

__all__ = ["estimate", "run"]

INTERRUPTED = 130
_SAY_EVERY = 60.0


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
    try:
        plan = read_plan(scale, definition, seed=seed, mnist=mnist)
        plan = plan.only(only) if only else plan
    except (ValueError, OSError) as error:
        raise click.UsageError(str(error)) from error
    states = {job.name: state_of(_path(output, job)) for job in plan.jobs}
    click.echo(_overview(plan, states, list_only))
    if list_only:
        return 0
    options = {"only": ",".join(only) or None, "scale": scale, "seed": seed, "mnist": mnist, "definition": definition}
    words = [f"--{name}={value}" for name, value in options.items() if value is not None]
    command = shlex.join(["thalweg", "paper", "--output", str(output), *words])
    try:
        with compiling_notice(lambda text: click.echo(text, err=True)):
            skipped = _explore(plan, output, deadline, workers)
            _write(plan, output, command, skipped, workers)
    except KeyboardInterrupt:
        click.echo("\nstopped; all that was found is kept. To go on, the same command again.", err=True)
        return INTERRUPTED
    except (OSError, StoreError) as error:
        raise click.ClickException(str(error)) from error
    return 0


def _path(output: Path, job: Job) -> Path:
    return output / "landscapes" / f"{job.name}.zarr"


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


def _explore(plan: Plan, output: Path, deadline: float | None, workers: int | None) -> dict[str, str]:
    """Explore what is not done; return the landscapes whose data cannot be had, and why."""
    skipped: dict[str, str] = {}
    families: dict[str, str] = {}
    (output / "landscapes").mkdir(parents=True, exist_ok=True)
    for job in plan.jobs:
        path = _path(output, job)
        if _done(plan, state_of(path)):
            continue
        if job.system in families:
            skipped[job.name] = families[job.system]
            continue
        if deadline is not None and time.monotonic() >= deadline:
            skipped[job.name] = "the time was up"
            continue
        try:
            grow(job, plan, path, deadline, workers, _Spoken())
        except (FileNotFoundError, ConnectionError) as error:
            families[job.system] = skipped[job.name] = f"no data: {str(error).splitlines()[0]}"
            click.echo(f"{job.name}: {skipped[job.name]}", err=True)
            continue
        state = state_of(path)
        click.echo(f"{job.name}: {state.get('why') or 'the time was up'} after {state.get('seconds', 0):.0f} s")
    return skipped


class _Spoken:
    """Prints a line now and then."""

    def __init__(self) -> None:
        self.last = time.monotonic()

    def __call__(self, line: str) -> None:
        if time.monotonic() - self.last > _SAY_EVERY:
            self.last = time.monotonic()
            click.echo(line)


def _write(plan: Plan, output: Path, command: str, skipped: dict[str, str], workers: int | None) -> None:
    from thalweg.analysis.paper_page import page
    from thalweg.analysis.paper_results import write_results

    results = write_results(plan, output, workers, lambda name: click.echo(f"making {name}", err=True))
    (output / "paper.md").write_text(page(plan, results, command, skipped), encoding="utf-8")
    click.echo(output / "paper.md")
