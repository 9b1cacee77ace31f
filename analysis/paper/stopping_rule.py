"""Convergence criterion of the paper's explorations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from thalweg.landscapes.discoveries.growth_curve import UNKNOWN, Forecast, forecast_growth

__all__ = [
    "COUNTS",
    "FINISHED",
    "Count",
    "Stage",
    "StoppingRule",
    "forecast_stages",
    "found_by_hopping",
    "grown",
    "next_stage",
]

Count = Literal["minima", "transition_states"]

COUNTS: tuple[Count, ...] = ("minima", "transition_states")
"""Counts of a stage; columns of measures.csv have the same names."""

FINISHED = ("stopped growing", "sampled")
"""Reasons for which a landscape has ended with final counts, not with those of a limit."""


class Stage(NamedTuple):
    """Counts of a landscape after a number of searches for transition states, and seconds of searching."""

    searches: int
    seconds: float
    minima: int
    transition_states: int


@dataclass(frozen=True)
class StoppingRule:
    """Rule by which a landscape has stopped growing.

    Attributes
    ----------
    remaining : float
        Largest part of the known minima that may remain, with 95 % confidence.
    new : float
        Largest part of the known transition states by which as many searches again may raise their number.
    first : int
        Number of searches after which the rule is applied first.
    factor : float
        Growth of the number of searches until the rule is applied again.
    """

    remaining: float
    new: float
    first: int
    factor: float


def found_by_hopping(stages: Sequence[Stage], count: str) -> int:
    """Return how many minima or transition states were known before the first search for a transition state."""
    return max((getattr(stage, count) for stage in stages if stage.searches == 0), default=0)


def forecast_stages(stages: Sequence[Stage], count: Count) -> Forecast:
    """Forecast how many minima or transition states remain, from the counts at all stages of a landscape's growth.

    What basin-hopping had found before the first search does not count, unless the searches have found nothing else.
    NaN where there were no searches.
    """
    before = found_by_hopping(stages, count)
    later = [stage for stage in stages if stage.searches > 0]
    if not later:
        return UNKNOWN
    found = [getattr(stage, count) for stage in later]
    own = [number - before for number in found]
    return forecast_growth([stage.searches for stage in later], own if own[-1] > 0 else found)


def grown(stages: Sequence[Stage], rule: StoppingRule) -> bool:
    """Return whether a landscape has stopped growing.

    Parameters
    ----------
    stages : sequence of Stage
        Its growth. Fewer than one minimum may remain whatever the rule.
    rule : StoppingRule
    """
    minima, states = (forecast_stages(stages, count) for count in COUNTS)
    if not minima.high < max(1.0, rule.remaining * stages[-1].minima):
        return False  # NaN is no number below the limit
    return states.next < rule.new * stages[-1].transition_states


def next_stage(done: int, rule: StoppingRule) -> int:
    """Return the number of searches at which the rule is next applied: first, first * factor, ..., rounded up."""
    stage = rule.first
    while stage <= done:
        stage = math.ceil(stage * rule.factor)
    return stage
