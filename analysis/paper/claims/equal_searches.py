"""Comparison of unconverged landscapes after equal numbers of searches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from thalweg.analysis.paper.growth import GrowthState
from thalweg.analysis.paper.stopping_rule import COUNTS, FINISHED, Stage, found_by_hopping

__all__ = [
    "CountsAfter",
    "count_after",
    "counts_after",
    "finished",
    "hopped_alike",
    "settled",
    "shared_searches",
    "with_stages",
]

_FEW = 0.05  # part of a count that may remain, with 95 % confidence, where the count is final


def with_stages(row: Mapping[str, Any], state: GrowthState) -> dict[str, Any]:
    """Return a line of measures.csv with the ``stages`` of its landscape's growth."""
    return {**row, "stages": state.get("stages", ())}


def finished(*rows: Mapping[str, Any]) -> bool:
    """Return whether landscapes have ended with final counts."""
    return all(row["stopped"] in FINISHED for row in rows)


def settled(row: Mapping[str, Any], column: str) -> bool:
    """Return whether a count of a landscape is final, not a lower bound."""
    few = max(1.0, _FEW * row[column])
    return finished(row) and row[f"{column}_remaining_high"] < few


def shared_searches(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = COUNTS) -> int | None:
    """Return the largest number of searches after which the counts of all landscapes are known.

    Parameters
    ----------
    rows : sequence of mapping
        Landscapes, lines of measures.csv with ``stages``. One whose counts are settled has them after any number of
        further searches.
    columns : sequence of str
        Columns of the counts that are compared.

    Returns
    -------
    int or None
        None where there is no such number.
    """
    known = [{stage.searches for stage in _stages(row)} - {0} for row in rows]
    lasts = [
        bool(stages) and all(settled(row, column) for column in columns)
        for row, stages in zip(rows, known, strict=True)
    ]
    everywhere = [
        searches
        for searches in set().union(*known)
        if all(
            searches in stages or (last and searches > max(stages)) for stages, last in zip(known, lasts, strict=True)
        )
    ]
    return max(everywhere, default=None)


def hopped_alike(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether all landscapes had the same number of basin-hopping steps."""
    return len({row.get("steps") for row in rows}) == 1


def count_after(row: Mapping[str, Any], column: str, searches: int, *, hopping: bool = True) -> float:
    """Return the number of minima or transition states at the last stage with at most ``searches`` searches.

    Without those that basin-hopping had found before, where ``hopping`` is false: landscapes that hopped longer than
    others have more of these.
    """
    stages = _stages(row)
    until = [getattr(stage, column) for stage in stages if stage.searches <= searches]
    return float(until[-1] - (0 if hopping else found_by_hopping(stages, column)))


class CountsAfter(NamedTuple):
    """Counts of some landscapes after the same number of searches, and the words that say after how many."""

    counts: list[float]
    when: str


def counts_after(rows: Sequence[Mapping[str, Any]], column: str) -> CountsAfter | None:
    """Return counts after the most searches that all have had, None where there is no such number.

    They are without what basin-hopping found where some hopped longer than others.
    """
    searches = shared_searches(rows, [column])
    if searches is None:
        return None
    alike = hopped_alike(rows)
    counts = [count_after(row, column, searches, hopping=alike) for row in rows]
    return CountsAfter(counts, f"after {searches:,} searches{'' if alike else ', by these alone'}")


def _stages(row: Mapping[str, Any]) -> list[Stage]:
    return [Stage(*stage) for stage in row["stages"]]
