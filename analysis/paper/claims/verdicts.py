"""Verdicts on claims, from the share of cases in which a claim holds and the interval of that share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from thalweg.analysis.paper.claims.cases import Case
from thalweg.analysis.statistics.intervals import Interval, wilson_interval

__all__ = ["ALMOST_EVERY", "CONFIRMED", "EVERY", "NOT", "ON_AVERAGE", "UNKNOWN", "Demand", "share", "verdict"]

CONFIRMED, NOT, UNKNOWN = "confirmed", "not confirmed", "cannot be told"
_HALF = 0.5


class Demand(NamedTuple):
    """Share of its cases in which a claim must hold.

    Attributes
    ----------
    name : str
        What the claim says: "in every case", say.
    share : float
        The least share that counts as that.
    """

    name: str
    share: float


EVERY = Demand("every case", 0.95)
ALMOST_EVERY = Demand("almost every case", 0.8)
ON_AVERAGE = Demand("on average", _HALF)


def share(cases: Sequence[Case]) -> Interval:
    """Return the share of cases in which a claim holds, with its 95 % interval (Wilson).

    An open case counts as one that fails for the estimate and the lower end, and as one that holds for the upper end.
    """
    holds = sum(case.holds is True for case in cases)
    unsure = sum(case.holds is None for case in cases)
    least, most = (wilson_interval(count, len(cases)) for count in (holds, holds + unsure))
    return Interval(least.estimate, least.low, most.high)


def verdict(cases: Sequence[Case], demand: Demand = EVERY) -> str:
    """Return whether a claim is confirmed.

    It is where it holds in as large a share of the cases as it demands, and in more than half of such cases with 95 %
    confidence. It is not where with 95 % confidence it holds in a smaller share than it demands. Else it cannot be
    told: three cases are too few to confirm anything.
    """
    found = share(cases)
    if found.low > _HALF and found.estimate >= demand.share:
        return CONFIRMED
    return NOT if found.high < demand.share else UNKNOWN
