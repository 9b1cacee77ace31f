"""Run of an exploration: do the searches that remain, print a summary and draw the graph."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from thalweg.analysis.cli.errors import errors_in_one_line, errors_of_usage
from thalweg.analysis.cli.exploration_plan import ExplorationPlan
from thalweg.analysis.cli.output_files import check_output, picture_beside
from thalweg.analysis.cli.terminal import say, text_width
from thalweg.analysis.cli.worker_options import WorkerOptions
from thalweg.analysis.systems.named import Explored, build
from thalweg.analysis.systems.report import region_text, summary_text
from thalweg.analysis.systems.structure_files import StructureOptions, check_stored_structure
from thalweg.analysis.systems.summary import summarise
from thalweg.landscapes import Landscape
from thalweg.landscapes.records import BASIN_HOPPING, SADDLE_SEARCHES
from thalweg.landscapes.run_options import FAILURES_IN_A_ROW, RunOptions

__all__ = ["ExplorationRun", "run_exploration"]

_LEAST = 1e-9
"""Seconds that are left at least where something must be done: enough for one task."""

_Pool = Executor | Callable[[], Executor] | None


@dataclass(frozen=True)
class ExplorationRun:
    """One run of an exploration: its plan, its store, and how it is worked on."""

    plan: ExplorationPlan
    output: Path
    workers: WorkerOptions
    device: str | None
    deadline: float | None  # of time.monotonic()
    overwrite: bool = False  # a picture beside the store that Thalweg did not draw
    trust: bool = False  # whether a calculator that the store names may be run
    failures: int = FAILURES_IN_A_ROW

    def seconds_left(self, least: float = 0.0) -> float | None:
        """Return the seconds before the time is up, at least ``least``; None where there is no limit."""
        return None if self.deadline is None else max(least, self.deadline - time.monotonic())

    def command(self) -> str:
        """Return the command that resumes the exploration."""
        device = [] if self.device is None else ["--device", self.device]
        words = [self.plan.system, *self._calculator(), "--output", str(self.output), *self.workers.arguments()]
        words += [*device, "--resume", *(["--overwrite"] if self.overwrite else [])]
        return shlex.join(["thalweg", "explore", *words])

    def _calculator(self) -> list[str]:
        """Return the options that name a calculator again which does not run because a store names it."""
        options = StructureOptions.read(self.plan.options)
        if options.calculator is None or options.foreign() is None:
            return []
        parameters = ["--parameters", json.dumps(options.parameters)] if options.parameters else []
        return ["--calculator", options.calculator, *parameters]

    def farewell(self) -> str:
        """Return the words after an interruption: how to go on."""
        if not self.output.exists():
            return "\nstopped before anything was found"
        return f"\nstopped; all that was found is kept. To go on:\n  {self.command()}"


def run_exploration(run: ExplorationRun) -> None:
    """Explore, print a summary and draw the graph."""
    if run.output.parent.is_dir():  # without, the error is that of the store
        check_output(picture_beside(run.output), run.overwrite)
    verb = "going on with" if run.output.exists() else "exploring"
    say(f"{verb} {run.plan.system}, seed {run.plan.options['seed']}, {run.output}")
    if run.output.exists() and "calculator" in run.plan.options:
        options = StructureOptions.read(run.plan.options)
        with errors_of_usage(FileNotFoundError), errors_in_one_line(ValueError, TypeError):
            check_stored_structure(run.plan.system, options, run.output, run.trust)
    with errors_of_usage(ValueError, FileNotFoundError, ConnectionError):
        explored = build(run.plan.system, run.plan.options, run.device or "auto")
    say(f"{explored.title}; in total {run.plan}")
    remaining = _search(explored, run)
    summary = summarise(run.output)
    say(summary_text(summary, text_width()))
    if run.plan.below is not None and summary.minima:
        say(f"\n{_region(run.output, run.plan.below)}")
    if summary.minima:
        _draw(run.output, run.overwrite)
    if remaining:
        say(f"time is up, {remaining}: go on with --resume")


def _region(path: Path, below: float | str) -> str:
    """Return how complete the points of a store below a limit are."""
    from thalweg.analysis.systems.low_region import low_region
    from thalweg.landscapes.storage.store import Store

    store = Store.open(path, mode="r")
    try:
        return region_text(low_region(store, below), text_width())
    finally:
        store.close()


def _search(explored: Explored, run: ExplorationRun) -> str | None:
    """Do the searches that remain, and say how many are left where the time is up."""
    new: dict[str, Any] = {"tasks_ahead": run.workers.ahead, **explored.symmetry}
    if not run.output.exists():
        new |= {"tasks_ahead": run.workers.ahead or explored.ahead, "tolerances": explored.tolerances}
    with Landscape(explored.subject, run.output, seed=run.plan.options["seed"], **new) as landscape:
        landscape.state["explore"] = {**asdict(run.plan), "data": explored.data}
        landscape.commit()
        with run.workers.executor() as executor:
            # loading and compiling may have taken all the time: what is done first advances by a task in any case
            hops = run.plan.steps > landscape.searches.done(BASIN_HOPPING)
            left = _hop(landscape, run, executor, explored.moves) or _connect(landscape, run, executor, not hops)
        if explored.test is not None:
            from thalweg.analysis.prediction.minima_scores import measure

            measure(landscape, explored.test, explored.reference)
    return left


def _hop(landscape: Landscape, run: ExplorationRun, executor: _Pool, names: Sequence[str] | None) -> str | None:
    """Do the steps of basin-hopping that remain, and say how many are left."""
    plan, done = run.plan, landscape.searches.done(BASIN_HOPPING)
    missing = plan.steps - done
    if missing <= 0:
        return None
    from thalweg.landscapes.exploration import start  # loads the compiler

    moves = None
    if names is not None:
        from thalweg.optimizers.basin_hopping.default_moves import moves_by_name

        moves = moves_by_name(names)
    options = RunOptions(
        run.workers.workers, executor, run.seconds_left(_LEAST), plan.minima, failures=run.failures, before=done
    )
    missing -= start.find_minima(landscape, missing, options, moves=moves).done
    if missing <= 0 or (plan.minima is not None and len(landscape.minima) >= plan.minima):
        return None
    return f"{missing} of {plan.steps} steps to do" if plan.steps_limited else "steps to do"


def _connect(landscape: Landscape, run: ExplorationRun, executor: _Pool, first: bool) -> str | None:
    """Do the searches for transition states that remain, and say how many are left.

    Where they are the ``first`` of this run, one is done in any case.
    """
    plan, done = run.plan, landscape.searches.done(*SADDLE_SEARCHES)
    missing = (plan.most_searches or plan.searches) - done
    if missing <= 0 or not len(landscape.minima):
        return None
    from thalweg.landscapes.discoveries.probably_complete import ProbablyComplete
    from thalweg.landscapes.exploration import start  # loads the compiler

    converge = bool(plan.until_converged)
    enough = None if plan.most_searches is None else ProbablyComplete(landscape, plan.searches, plan.below)
    options = RunOptions(
        run.workers.workers, executor, run.seconds_left(_LEAST if first else 0.0), failures=run.failures,
        advance=first, before=done, enough=enough,
    )  # fmt: skip
    missing -= start.connect(landscape, missing, options, until_converged=converge, below=plan.below).done
    if missing <= 0 or (enough is not None and enough()):
        return None
    if converge and landscape.discoveries(plan.below).complete:
        return None
    least = plan.searches - landscape.searches.done(*SADDLE_SEARCHES)
    exact = plan.searches_limited and least > 0
    return f"{least} of {plan.searches} searches to do" if exact else "searches to do"


def _draw(output: Path, overwrite: bool) -> None:
    """Draw the graph, and say what it leaves out and where it is."""
    from thalweg.analysis.cli.graph_pictures import draw_graph

    picture = picture_beside(output)
    for line in ("", *draw_graph(output, picture, overwrite=overwrite), picture):
        say(line)
