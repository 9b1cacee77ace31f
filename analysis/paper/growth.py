"""Growing one landscape until it has stopped growing, by a rule that is the same for all."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg.analysis.paper.plan import Job, Plan
from thalweg.landscapes.records import SADDLE_SEARCHES

if TYPE_CHECKING:
    from thalweg.landscapes import Landscape
    from thalweg.landscapes.estimates import Discoveries

__all__ = ["FINISHED", "grow", "grown", "next_stage", "searches_of", "state_of"]

FINISHED = ("stopped growing", "sampled")
"""Why a landscape has ended whose counts are its own, not a limit's."""

_SLICE = 120.0  # seconds between notes of the time that was spent
_QUENCHES = 5  # of a chain where minima are sampled: a random start and four steps, which is one task
_QUICK = 5_000  # new minima whose AUC are soon computed, and all points verified, when a turn is over
_TOLD = 10  # problems that are kept in words
_KINDS = {"steps": ("basin-hopping",), "searches": SADDLE_SEARCHES}


def grown(discoveries: Discoveries, rule: Mapping[str, float]) -> bool:
    """Say whether a landscape has stopped growing.

    Parameters
    ----------
    discoveries : Discoveries
        What its searches found how often.
    rule : mapping
        With 95 % confidence less than the part ``remaining`` of the known minima, or less than one, remains; and of
        the next arrivals at transition states less than the part ``new`` is at new ones.
    """
    minima, states = discoveries.minima, discoveries.transition_states
    few = minima.found > 0 and minima.high < max(1.0, rule["remaining"] * minima.found)
    return few and states.found > 0 and 1.0 - states.coverage < rule["new"]


def next_stage(done: int, first: int, factor: float) -> int:
    """Return the number of searches at which the rule is asked next: first, first * factor, and so on, rounded up."""
    stage = first
    while stage <= done:
        stage = math.ceil(stage * factor)
    return stage


def state_of(path: Path) -> dict[str, Any]:
    """Return what a store says of its growth; empty where there is none.

    ``done`` says whether nothing remains to be searched, ``why`` for what reason; ``seconds`` how long it took;
    ``stages`` what was known when the rule was asked; ``scale`` at which scale.
    """
    if not path.exists():
        return {}
    from thalweg.landscapes.storage.store import Store

    store = Store.open(path)
    try:
        return dict(store.attributes["state"].get("paper") or {})
    finally:
        store.close()


def grow(
    job: Job, plan: Plan, path: Path, most: int, deadline: float | None, workers: int | None, say: Callable
) -> bool:
    """Search a landscape until it has stopped growing, or a limit ends it, measure its minima and verify all points.

    Parameters
    ----------
    job : Job
    plan : Plan
        Of which the rule and the limits count.
    path : Path
        The store; what is there already is gone on with.
    most : int
        Searches for transition states after which its turn is over; a sample has but one turn.
    deadline : float or None
        Of time.monotonic().
    workers : int or None
        Threads.
    say : callable
        Given a line of text about how far it is.

    Returns
    -------
    bool
        Whether it is done; False where its turn was over, or the deadline came first.

    Raises
    ------
    ValueError, FileNotFoundError, ConnectionError
        If the training data cannot be had; StoreError where the store is of something else.
    """
    from thalweg.analysis.systems.named import build
    from thalweg.landscapes import Landscape, verify

    explored = build(job.system, job.options)
    limits = plan.limits
    ahead = {"tasks_ahead": limits["sample"]} if job.sampled else {}
    with Landscape(explored.subject, path, seed=job.options["seed"], **({} if path.exists() else ahead)) as landscape:
        _describe(landscape, job, explored)
        done = _searched(landscape, job, plan, most, deadline, workers, say)
        if done or _unmeasured(landscape) <= _QUICK:
            _measure(landscape, explored, limits["testing"], workers)
            if "problems" not in landscape.state["paper"]:
                found = verify(landscape, workers=workers)
                told = [f"{problem.group} {problem.row}: {problem.message}" for problem in found[:_TOLD]]
                _note(landscape, problems=len(found), told=told)
    return done


def _unmeasured(landscape: Landscape) -> int:
    properties = landscape.properties
    return int(np.isnan(properties["test_loss"]).sum()) if "test_loss" in properties else len(landscape.minima)


def searches_of(state: dict[str, Any]) -> int:
    """Return how many searches a landscape has had, by its state."""
    return int(state["stages"][-1][0]) if state.get("stages") else 0


def _describe(landscape: Landscape, job: Job, explored: Any) -> None:
    """Leave in the store what ``thalweg explore`` would, so that other commands know its data."""
    plan = {"system": job.system, "steps": 0, "searches": 0, "minima": None, "until_converged": None}
    landscape.state["explore"] = {**plan, "options": job.options, "data": explored.data}
    landscape.state.setdefault("paper", {"seconds": 0.0, "stages": [], "done": False, "why": ""})
    landscape.commit()


def _note(landscape: Landscape, **what: Any) -> None:
    landscape.state["paper"] = {**landscape.state["paper"], **what}
    landscape.commit()


def _searched(
    landscape: Landscape, job: Job, plan: Plan, most: int, deadline: float | None, workers: int | None, say: Callable
) -> bool:
    """Search up to the next reason to stop; say whether that is one of the landscape's own."""
    state = landscape.state["paper"]
    if state["done"] and state["scale"] == plan.scale:
        return True
    _note(landscape, scale=plan.scale, done=False, why="")
    landscape.state["paper"].pop("problems", None)  # of what was known before
    search = _Slices(landscape, job, deadline, workers, say)
    steps = _QUENCHES * plan.limits["sample"] if job.sampled else plan.limits["steps"]
    stop = search.run("steps", steps)
    if stop is None and (job.sampled or not landscape.state["paper"]["stages"]):
        search.stage()
    while stop is None and not job.sampled and len(landscape.minima):
        done = _count(landscape, "searches")
        if done >= plan.rule["first"] and grown(landscape.discoveries(), plan.rule):
            stop = "stopped growing"
        elif done >= plan.limits["searches"]:
            stop = "most searches"
        elif done >= most:
            stop = "turn"
        else:
            stage = min(next_stage(done, plan.rule["first"], plan.rule["factor"]), plan.limits["searches"], most)
            stop = search.run("searches", stage)
            search.stage()
    if stop in ("time", "turn"):
        return False
    _note(landscape, done=True, why=stop or ("sampled" if job.sampled else "no minimum found"))
    return True


def _count(landscape: Landscape, what: str) -> int:
    return landscape.searches.done(*_KINDS[what])


class _Slices:
    """Searches in slices of time, so that what they took is known after a kill, too."""

    def __init__(
        self, landscape: Landscape, job: Job, deadline: float | None, workers: int | None, say: Callable
    ) -> None:
        self.landscape, self.job, self.deadline, self.workers, self.say = landscape, job, deadline, workers, say

    def run(self, what: str, total: int) -> str | None:
        """Search up to a total; return what ended it early, if anything did."""
        method = self.landscape.find_minima if what == "steps" else self.landscape.connect
        while (missing := total - _count(self.landscape, what)) > 0:
            spent = self.landscape.state["paper"]["seconds"]
            left = self.job.seconds - spent
            if left <= 0:
                return "longest time"
            until = math.inf if self.deadline is None else self.deadline - time.monotonic()
            if until <= 0:
                return "time"
            began = time.monotonic()
            method(missing, seconds=min(_SLICE, left, until), workers=self.workers, progress=False)
            _note(self.landscape, seconds=spent + time.monotonic() - began)
            self.say(self.line())
        return None

    def line(self) -> str:
        """Say how far it is."""
        landscape = self.landscape
        found = f"{len(landscape.minima)} minima, {len(landscape.transition_states)} transition states"
        seconds = landscape.state["paper"]["seconds"]
        return f"{self.job.name}: {_count(landscape, 'searches')} searches, {found}, {seconds:.0f} s"

    def stage(self) -> None:
        """Keep what is known now."""
        landscape = self.landscape
        searches, seconds = _count(landscape, "searches"), landscape.state["paper"]["seconds"]
        now = [searches, round(seconds, 1), len(landscape.minima), len(landscape.transition_states)]
        before = [stage for stage in landscape.state["paper"]["stages"] if stage[0] < searches]
        _note(landscape, stages=[*before, now])


def _measure(landscape: Landscape, explored: Any, testing: int, workers: int | None) -> None:
    """Store AUC and losses of all minima; beside a mean over classes, those of class 0."""
    from thalweg.analysis.prediction.minima_scores import measure
    from thalweg.analysis.prediction.roc import auc_table
    from thalweg.landscapes import fill_property

    if not len(landscape.minima):
        return
    test = explored.test[:testing] if testing else explored.test
    if "test_auc" in landscape.properties:  # of another scale
        before = landscape.properties.attributes("test_auc").get("testing_points")
        for name in [name for name in landscape.properties if before != len(test)]:
            del landscape.properties[name]
    measure(landscape, test, explored.reference, threads=workers)
    if explored.reference == "macro":
        names = ("train_auc", "incorrect_auc", "correct_auc", "test_auc")
        loss = landscape.system.potential

        def areas(weights: np.ndarray) -> np.ndarray:
            table = auc_table(weights, None, test, 0, loss=loss, threads=workers)
            return np.column_stack([table[name] for name in names])

        kept = [f"{name}_0" for name in names]
        # the training data have every class, other parts may lack one
        fill_property(landscape, kept, areas, workers=1, may_be_nan=kept[1:], reference=0, testing_points=len(test))
