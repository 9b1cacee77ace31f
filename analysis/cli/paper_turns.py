"""Exploration of the paper's landscapes by turns, in ``thalweg paper``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from thalweg.analysis.cli.paper import PaperOptions
from thalweg.analysis.cli.terminal import say
from thalweg.analysis.paper.archive import best_state
from thalweg.analysis.paper.growth import GrowthState, Turn, grow, searches_of, state_of
from thalweg.analysis.paper.page import page_text
from thalweg.analysis.paper.page_command import Source
from thalweg.analysis.paper.plan import Job, Plan, read_plan
from thalweg.analysis.paper.publish import check_place, publish, recall
from thalweg.analysis.paper.results import write_results

__all__ = ["PaperRun", "estimate", "explore_in_turns", "overview", "write_page"]

_SAY_EVERY, _WRITE_EVERY = 60.0, 3600.0


_NO_MNIST = Path("none")  # of --mnist: the landscapes of MNIST are left out


@dataclass(frozen=True)
class PaperRun:
    """One run of ``thalweg paper``: the landscapes it needs, its options, and when the time is up.

    Attributes
    ----------
    plan : Plan
        The landscapes, tables and figures.
    options : PaperOptions
        Options of the command.
    deadline : float or None
        End of the searches, as `time.monotonic` tells it.
    """

    plan: Plan
    options: PaperOptions
    deadline: float | None

    @classmethod
    def from_options(cls, options: PaperOptions, deadline: float | None) -> PaperRun:
        """Read the definition file.

        Raises
        ------
        ValueError, OSError
            If it cannot be read, or an option makes no sense.
        """
        _check_mnist(options.mnist)
        plan = read_plan(options.scale, options.definition, seed=options.seed, mnist=options.mnist)
        return cls(plan.only(options.names) if options.names else plan, options, deadline)

    def check_places(self) -> None:
        """Raise FileExistsError where files of somebody else are in the way of the page, before anything is done."""
        check_place(self.plan, self.output / self.options.page_name, self.output)
        if self.options.page is not None and self.options.kept is not None:
            check_place(self.plan, self.options.page, self.options.kept)

    @property
    def output(self) -> Path:
        """Folder of the stores and results."""
        return self.options.output

    @property
    def source(self) -> Source:
        """The command of this run, as the page writes it."""
        names = ("scale", "seed", "mnist", "definition")
        return Source(self.output, ",".join(self.options.names), {name: getattr(self.options, name) for name in names})

    def time_is_up(self) -> bool:
        """Return whether the deadline has passed."""
        return self.deadline is not None and time.monotonic() >= self.deadline

    def state(self, job: Job) -> GrowthState:
        """Return how far a landscape is, from its store or from the files beside the page."""
        return best_state(job, self.plan, self.output, self.options.kept)

    def unexplored(self, why: str) -> dict[str, str]:
        """Return the landscapes without a store, each with this reason."""
        return {job.name: why for job in self.plan.jobs if not job.store(self.output).exists()}


def _check_mnist(folder: Path | None) -> None:
    """Raise an error that names the option where a folder that was given does not hold MNIST's files."""
    if folder is None or folder == _NO_MNIST:
        return
    from thalweg.datasets.mnist_files import local_files

    try:
        local_files(folder, train=True)
    except FileNotFoundError as error:
        what = str(error).removeprefix("path ")
        raise FileNotFoundError(f"--mnist {what}; --mnist none leaves MNIST's landscapes out") from None


def _done(plan: Plan, state: GrowthState) -> bool:
    return bool(state.get("done") and state.get("scale") == plan.scale and "problems" in state)


def estimate(job: Job, plan: Plan, states: Mapping[str, GrowthState]) -> float:
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


def overview(run: PaperRun, every: bool) -> str:
    """Return how many landscapes are done and how long the rest will take; with ``every``, a line for each."""
    plan = run.plan
    states = {job.name: run.state(job) for job in plan.jobs}
    left = {job.name: estimate(job, plan, states) for job in plan.jobs if not _done(plan, states[job.name])}
    lines = []
    for job in plan.jobs if every else ():
        spent = f"{states[job.name]['seconds']:.0f} s" if states[job.name] else "nothing yet"
        to_do = f"to do, about {_time(left[job.name])}" if job.name in left else "done"
        lines.append(f"{job.name:24} {to_do}, {spent}")
    done = len(plan.jobs) - len(left)
    rest = _time(sum(left.values()))
    return "\n".join([*lines, f"{done} of {len(plan.jobs)} landscapes done; searching the rest takes about {rest}"])


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def explore_in_turns(run: PaperRun) -> dict[str, str]:
    """Explore the landscapes that are not done, turn by turn.

    The page is written every hour, so that a run of days can be looked at.

    Returns
    -------
    dict of str to str
        The landscapes without a store, by name, and why.
    """
    skipped: dict[str, str] = {}
    written = time.monotonic()
    (run.output / "landscapes").mkdir(parents=True, exist_ok=True)
    for turn in run.plan.turns:
        for job in run.plan.jobs:
            state = run.state(job)
            if _done(run.plan, state) or searches_of(state) >= turn or job.name in skipped:
                continue
            if run.time_is_up():
                return run.unexplored("the time was up") | skipped
            lacking = _grow(job, run, turn)
            if lacking:
                skipped |= {other.name: lacking for other in run.plan.jobs if other.system == job.system}
            if time.monotonic() - written > _WRITE_EVERY:
                write_page(run, run.unexplored("not explored yet") | skipped)
                written = time.monotonic()
    return skipped


def _grow(job: Job, run: PaperRun, turn: int) -> str:
    """Search one landscape for a turn; return why its data are missing, if they are."""
    path = job.store(run.output)
    try:
        done = grow(job, run.plan, path, Turn(turn, run.deadline, run.options.workers, _Progress()))
    except (FileNotFoundError, ConnectionError) as error:
        left_out = run.options.mnist == _NO_MNIST and job.system == "MNIST"
        lacking = "no data: left out by --mnist none" if left_out else f"no data: {str(error).splitlines()[0]}"
        say(f"{job.name}: {lacking}", err=True)
        return lacking
    state = state_of(path)
    ended = f"{state['why']}, done" if done else "still growing"
    say(f"{job.name}: {ended} after {state.get('seconds', 0):.0f} s")
    return ""


class _Progress:
    """Print a line of progress, but not more than one a minute."""

    def __init__(self) -> None:
        self.last = time.monotonic()

    def __call__(self, line: str) -> None:
        if time.monotonic() - self.last > _SAY_EVERY:
            self.last = time.monotonic()
            say(line)


def write_page(run: PaperRun, skipped: Mapping[str, str]) -> None:
    """Write tables, figures and the page into the output folder, and beside ``--page`` where it was given.

    Parameters
    ----------
    run : PaperRun
        The run.
    skipped : mapping of str to str
        The landscapes without a store, by name, and why.
    """
    plan, output, page, kept = run.plan, run.output, run.options.page, run.options.kept
    if kept is not None:
        recall(output, kept)
    workers = run.options.workers
    results = write_results(plan, output, kept, workers, lambda name: say(f"making {name}", err=True))
    (output / run.options.page_name).write_text(page_text(plan, results, run.source, skipped), encoding="utf-8")
    say(output / run.options.page_name)
    if page is not None:
        size = publish(plan, output, page, page_text(plan, results, run.source, skipped, f"{page.stem}/"))
        say(f"{page}, with pictures and data in {kept}: {size / 1e6:.1f} MB")
