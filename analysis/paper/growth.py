"""Exploration of one of the paper's landscapes until it converges or reaches a limit."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, cast

import numpy as np

from thalweg.analysis.paper.plan import Job, Plan, Sample
from thalweg.analysis.paper.stopping_rule import Stage, grown, next_stage
from thalweg.landscapes.records import SADDLE_SEARCHES

if TYPE_CHECKING:
    from thalweg.analysis.systems.named import Explored
    from thalweg.landscapes import Landscape
    from thalweg.optimizers import Rules

__all__ = ["GrowthState", "Turn", "by_plan", "grow", "searches_of", "stages_of", "state_of"]

Work = Literal["steps", "searches"]
"""Basin-hopping steps, or searches for transition states."""

_SLICE = 120.0  # seconds between notes of the time that was spent
_QUICK = 5_000  # new minima whose AUC are soon computed, and all points verified, when a turn is over
_TOLD = 10  # problems that are kept in words
_KINDS: dict[Work, tuple[str, ...]] = {"steps": ("basin-hopping",), "searches": SADDLE_SEARCHES}


class GrowthState(TypedDict, total=False):
    """Growth of a landscape as its store keeps it; empty where there is no store.

    Attributes
    ----------
    done : bool
        Whether nothing remains to be searched.
    why : str
        Reason for which the landscape has ended.
    seconds : float
        Time of searching.
    stages : list of Stage
        Counts whenever the rule was applied.
    scale : str
        Scale of the plan.
    problems : int
        Number of points in which verification found an error.
    told : list of str
        The first of these errors.
    """

    done: bool
    why: str
    seconds: float
    stages: list[Stage]
    scale: str
    problems: int
    told: list[str]


class _StoreSettings(TypedDict, total=False):
    """Settings of a new store."""

    tasks_ahead: int
    rules: Rules


@dataclass(frozen=True)
class Turn:
    """Turn of a landscape, after which others have theirs.

    Attributes
    ----------
    searches : int
        Number of searches for transition states, all turns together, after which the turn is over; a sample has only
        one turn.
    deadline : float or None
        Value of time.monotonic() at which searching ends.
    workers : int or None
        Threads; all processors where None.
    say : callable
        Function that is given a line of text about the progress.
    """

    searches: int
    deadline: float | None
    workers: int | None
    say: Callable[[str], object]


def state_of(path: Path) -> GrowthState:
    """Return the growth of a landscape, as its store keeps it; empty where there is no store."""
    if not path.exists():
        return {}
    from thalweg.landscapes.storage.store import Store

    store = Store.open(path)
    try:
        return cast("GrowthState", dict(store.attributes["state"].get("paper") or {}))
    finally:
        store.close()


def stages_of(state: GrowthState) -> list[Stage]:
    """Return the stages of a landscape's growth."""
    return [Stage(*stage) for stage in state.get("stages", ())]


def searches_of(state: GrowthState) -> int:
    """Return the number of searches for transition states that a landscape has had."""
    stages = stages_of(state)
    return int(stages[-1].searches) if stages else 0


def by_plan(state: GrowthState, plan: Plan, job: Job) -> GrowthState:
    """Return the growth of a landscape, not ended where this plan has another rule or a higher limit."""
    why, same = state.get("why"), state.get("scale") == plan.scale
    goes_on = (
        (why == "stopped growing" and not grown(stages_of(state), plan.rule))
        or (why == "longest time" and same and state["seconds"] < job.seconds)
        or (why == "most searches" and same and searches_of(state) < plan.limits.searches)
    )
    return {**state, "done": False, "why": ""} if goes_on else state


def grow(job: Job, plan: Plan, path: Path, turn: Turn) -> bool:
    """Search a landscape until its turn is over or it has stopped growing, score its minima and verify all points.

    Parameters
    ----------
    job : Job
        Landscape.
    plan : Plan
        Plan with the stopping rule and the limits.
    path : Path
        Store, which is continued where it exists.
    turn : Turn

    Returns
    -------
    bool
        Whether the landscape has ended; False where the turn was over or the deadline came first.

    Raises
    ------
    ValueError, FileNotFoundError, ConnectionError
        If the training data cannot be read or downloaded; StoreError where the store holds another system.
    """
    from thalweg.analysis.systems.named import build
    from thalweg.landscapes import Landscape, verify

    explored = build(job.system, job.options)
    limits = plan.limits
    with Landscape(explored.subject, path, seed=job.options["seed"], **_settings(job, path, explored)) as landscape:
        _describe(landscape, job, explored)
        done = _searched(landscape, job, plan, turn)
        if done or _unmeasured(landscape) <= _QUICK:
            _measure(landscape, explored, limits.testing, turn.workers)
            if "problems" not in _state(landscape):
                found = verify(landscape, workers=turn.workers)
                told = [f"{problem.group} {problem.row}: {problem.message}" for problem in found[:_TOLD]]
                _note(landscape, problems=len(found), told=told)
    return done


def _settings(job: Job, path: Path, explored: Explored) -> _StoreSettings:
    """Return the settings of a new store whose minima are sampled: a task for each chain, and its rules of LBFGS."""
    from thalweg.optimizers import default_rules
    from thalweg.potentials import as_system

    sample = job.sample
    if sample is None or path.exists():
        return {}
    if sample.memory is None:
        return {"tasks_ahead": sample.chains}
    rules = default_rules(as_system(explored.subject)).replace(memory=sample.memory)
    return {"tasks_ahead": sample.chains, "rules": rules}


def _unmeasured(landscape: Landscape) -> int:
    properties = landscape.properties
    return int(np.isnan(properties["test_loss"]).sum()) if "test_loss" in properties else len(landscape.minima)


def _describe(landscape: Landscape, job: Job, explored: Explored) -> None:
    """Write into the store what ``thalweg explore`` would write, so that other commands know its data."""
    plan = {"system": job.system, "steps": 0, "searches": 0, "minima": None, "until_converged": None}
    landscape.state["explore"] = {**plan, "options": job.options, "data": explored.data}
    landscape.state.setdefault("paper", {"seconds": 0.0, "stages": [], "done": False, "why": ""})
    landscape.commit()


def _state(landscape: Landscape) -> GrowthState:
    return cast("GrowthState", landscape.state["paper"])


def _note(landscape: Landscape, **changes: Any) -> None:
    """Change the state of growth and commit it."""
    landscape.state["paper"] = {**landscape.state["paper"], **changes}
    landscape.commit()


def _searched(landscape: Landscape, job: Job, plan: Plan, turn: Turn) -> bool:
    """Search up to the next reason to stop; return whether the landscape has ended."""
    state = by_plan(_state(landscape), plan, job)
    if state["done"] and state["scale"] == plan.scale:
        return True
    _note(landscape, scale=plan.scale, done=False, why="")
    landscape.state["paper"].pop("problems", None)  # they belong to the points that were known before
    search = _Slices(landscape, job, turn)
    steps = job.steps if job.sample is None else job.sample.chains * job.sample.quenches
    stop = search.run("steps", steps)
    if stop is None and (job.sample or not _state(landscape)["stages"]):
        search.stage()
    while stop is None and not job.sample and len(landscape.minima):
        done = _count(landscape, "searches")
        if done >= plan.rule.first and grown(stages_of(_state(landscape)), plan.rule):
            stop = "stopped growing"
        elif done >= plan.limits.searches:
            stop = "most searches"
        elif done >= turn.searches:
            stop = "turn"
        else:
            stop = search.run("searches", min(next_stage(done, plan.rule), plan.limits.searches, turn.searches))
            search.stage()
    if stop in ("time", "turn"):
        return False
    _note(landscape, done=True, why=stop or ("sampled" if job.sample else "no minimum found"))
    return True


def _count(landscape: Landscape, work: Work) -> int:
    return landscape.searches.done(*_KINDS[work])


class _Slices:
    """Searches in slices of time, so that the time they took is known after a kill, too."""

    def __init__(self, landscape: Landscape, job: Job, turn: Turn) -> None:
        self.landscape, self.job, self.turn = landscape, job, turn

    def run(self, work: Work, total: int) -> str | None:
        """Search up to a total; return the reason for which it ended early, if it did."""
        method: Callable[..., object] = self.landscape.connect
        if work == "steps":
            hops = self.job.sample or Sample(0)
            method = partial(self.landscape.find_minima, step=hops.step, temperature=hops.temperature)
        deadline = self.turn.deadline
        while (missing := total - _count(self.landscape, work)) > 0:
            spent = _state(self.landscape)["seconds"]
            left = self.job.seconds - spent
            if left <= 0:
                return "longest time"
            until = math.inf if deadline is None else deadline - time.monotonic()
            if until <= 0:
                return "time"
            began = time.monotonic()
            method(missing, seconds=min(_SLICE, left, until), workers=self.turn.workers, progress=False)
            _note(self.landscape, seconds=spent + time.monotonic() - began)
            self.turn.say(self.line())
        return None

    def line(self) -> str:
        """Return the progress in one line."""
        landscape = self.landscape
        found = f"{len(landscape.minima)} minima, {len(landscape.transition_states)} transition states"
        seconds = _state(landscape)["seconds"]
        return f"{self.job.name}: {_count(landscape, 'searches')} searches, {found}, {seconds:.0f} s"

    def stage(self) -> None:
        """Add the present counts to the stages of growth."""
        landscape = self.landscape
        searches, seconds = _count(landscape, "searches"), _state(landscape)["seconds"]
        now = Stage(searches, round(seconds, 1), len(landscape.minima), len(landscape.transition_states))
        before = [stage for stage in stages_of(_state(landscape)) if stage.searches < searches]
        _note(landscape, stages=[list(stage) for stage in (*before, now)])


def _measure(landscape: Landscape, explored: Explored, testing: int, workers: int | None) -> None:
    """Store AUC and losses of all minima; with a mean over classes, also the AUC of each class."""
    from thalweg.analysis.prediction.minima_scores import measure, measure_classes

    if explored.test is None or not len(landscape.minima):
        return
    test = explored.test[:testing] if testing else explored.test
    if "test_auc" in landscape.properties:  # of another scale
        before = landscape.properties.attributes("test_auc").get("testing_points")
        for name in [name for name in landscape.properties if before != len(test)]:
            del landscape.properties[name]
    measure(landscape, test, explored.reference, threads=workers)
    if explored.reference == "macro":
        measure_classes(landscape, test, threads=workers)
