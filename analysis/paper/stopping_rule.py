"""Convergence criterion of the paper's explorations."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from thalweg.landscapes.discoveries.found_points import Discoveries

__all__ = ["FINISHED", "StoppingRule", "grown", "next_stage"]

FINISHED = ("stopped growing", "sampled")
"""Reasons for which a landscape has ended with final counts, not with those of a limit."""


@dataclass(frozen=True)
class StoppingRule:
    """Rule by which a landscape has stopped growing.

    Attributes
    ----------
    remaining : float
        Largest part of the known minima that may remain, with 95 % confidence.
    new : float
        Largest part of the next arrivals at transition states that may be at new ones.
    first : int
        Number of searches after which the rule is applied first.
    factor : float
        Growth of the number of searches until the rule is applied again.
    """

    remaining: float
    new: float
    first: int
    factor: float


def grown(discoveries: Discoveries, rule: StoppingRule) -> bool:
    """Return whether a landscape has stopped growing.

    Parameters
    ----------
    discoveries : Discoveries
        Estimates from the numbers of arrivals at each point. Fewer than one minimum may remain whatever the rule.
    rule : StoppingRule
    """
    minima, states = discoveries.minima, discoveries.transition_states
    few = minima.found > 0 and minima.high < max(1.0, rule.remaining * minima.found)
    return few and states.found > 0 and 1.0 - states.coverage < rule.new


def next_stage(done: int, rule: StoppingRule) -> int:
    """Return the number of searches at which the rule is next applied: first, first * factor, ..., rounded up."""
    stage = rule.first
    while stage <= done:
        stage = math.ceil(stage * rule.factor)
    return stage
