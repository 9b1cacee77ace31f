"""Landscapes that still grow, compared after the same number of searches: their counts there, not their last ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from thalweg.analysis.paper.growth import FINISHED

__all__ = ["COUNTS", "count_after", "finished", "settled", "shared_searches", "with_stages"]

COUNTS = ("minima", "transition_states")
"""Columns that are counts, in the order of a stage behind its searches and seconds."""

_FEW = 0.05  # of a count may remain, with 95 % confidence, where it says how many there are


def with_stages(row: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, Any]:
    """Return a line of measures.csv with the ``stages`` of its landscape's growth."""
    return {**row, "stages": state.get("stages", ())}


def finished(*rows: Mapping[str, Any]) -> bool:
    """Return whether landscapes have ended whose counts are their own."""
    return all(row["stopped"] in FINISHED for row in rows)


def settled(row: Mapping[str, Any], column: str) -> bool:
    """Say whether a count of a landscape is what it will be, not a lower bound."""
    few = max(1.0, _FEW * row[column])
    return finished(row) and row[f"{column}_remaining_high"] < few


def shared_searches(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = COUNTS) -> int | None:
    """Return the largest number of searches after which the counts of all landscapes are known.

    Parameters
    ----------
    rows : sequence of mapping
        Landscapes, lines of measures.csv with ``stages``, of (searches, seconds, minima, transition states) each. One
        whose counts are settled has them after any more searches.
    columns : sequence of str
        The counts that are wanted.

    Returns
    -------
    int or None
        None where there is no such number.
    """
    known = [{int(stage[0]) for stage in row["stages"]} - {0} for row in rows]
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


def count_after(row: Mapping[str, Any], column: str, searches: int) -> float:
    """Return the minima or transition states of a landscape after so many searches: of the last stage up to there."""
    return float([stage for stage in row["stages"] if stage[0] <= searches][-1][2 + COUNTS.index(column)])
