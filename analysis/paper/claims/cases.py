"""Tests of the paper's claims: comparisons and trends between rows of measures.csv."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from thalweg.analysis.paper.claims.equal_searches import counts_after, finished, settled
from thalweg.analysis.paper.measures import LOWEST
from thalweg.analysis.paper.stopping_rule import COUNTS
from thalweg.analysis.statistics.rank_correlation import rank_correlation

__all__ = [
    "NOT_EXPLORED",
    "Case",
    "Entry",
    "Row",
    "Rows",
    "Unexplored",
    "between",
    "compare",
    "each",
    "joined",
    "of_family",
    "of_one_draw",
    "trend",
    "within",
]

NOT_EXPLORED = "not explored yet"
# undefined while components are not joined
_OF_SHAPE = ("frustration", "frustration_median", "frustration_trimmed")
_OF_LOW = ("low_barrier", "low_height")
# part of the minima that must be connected before the shape of a growing landscape, or of its low-lying region, counts
_JOINED = 0.9

Row = Mapping[str, Any]
Rows = Sequence[Row]


class Case(NamedTuple):
    """Case of a claim.

    Attributes
    ----------
    of : str
        Names of the landscapes, with a * where one has not stopped growing.
    numbers : str
        Numbers that decide the case, or that a landscape is not explored yet.
    holds : bool or None
        Whether the claim holds; None where the data do not say.
    """

    of: str
    numbers: str
    holds: bool | None


class Unexplored(dict[str, Any]):
    """Row of a landscape that is not explored: no numbers, and not finished."""

    def __missing__(self, column: str) -> Any:
        return "" if column == "stopped" else math.nan


def of_family(rows: Rows, family: str, errors: float | None = None, draw: int | None = None) -> list[Row]:
    """Return the rows of a family, with the given errors and draw."""
    return [
        row
        for row in rows
        if row["family"] == family and errors in (None, row["errors"]) and draw in (None, row["draw"])
    ]


def _draws(rows: Rows, family: str) -> list[int]:
    return sorted({int(row["draw"]) for row in of_family(rows, family)})


def joined(row: Row) -> bool:
    """Return whether the shape of a landscape counts: it has ended, or nearly all of its minima are connected."""
    return finished(row) or row["connected"] >= _JOINED * row["minima"]


def _counts(row: Row, column: str) -> bool:
    """Return whether a number of a landscape counts: of shapes, those of minima that are nearly all connected."""
    if column in _OF_LOW:
        return row["low_connected"] >= _JOINED * min(LOWEST, row["minima"])
    return column not in _OF_SHAPE or joined(row)


def _name(*rows: Row) -> str:
    """Return the names of landscapes, with a * where they still grow."""
    return " and ".join(f"{row['name']}{'' if finished(row) else '*'}" for row in rows)


def _open(*rows: Row) -> Case | None:
    """Return an open case where one of the landscapes is not explored; None otherwise."""
    lacking = any(isinstance(row, Unexplored) for row in rows)
    return Case(" and ".join(str(row["name"]) for row in rows), NOT_EXPLORED, None) if lacking else None


class Entry(NamedTuple):
    """Number of a landscape: its row, and the column."""

    row: Row
    column: str


class _Comparable(NamedTuple):
    """Numbers of some landscapes, whether they can be compared, and after how many searches if that is why."""

    values: list[float]
    known: bool
    when: str = ""


def compare(low: Entry, high: Entry) -> Case | None:
    """Return the case that one number is below another; open for shapes of components that are not joined."""
    rows = (low.row,) if low.row is high.row else (low.row, high.row)
    if case := _open(*rows):
        return case
    (a, b), known, when = _comparable([low, high])
    if not (math.isfinite(a) and math.isfinite(b)):
        return None
    known = known and all(_counts(row, low.column) for row in rows)
    return Case(_name(*rows), f"{a:.4g} against {b:.4g}{when}", a < b if known else None)


def _comparable(entries: Sequence[Entry]) -> _Comparable:
    """Return the numbers of some landscapes, of one column where they are counts.

    Last counts may be lower bounds: they can be compared where all but the largest are settled. Otherwise counts after
    the same number of searches are compared, without what basin-hopping found where some hopped longer than others.
    """
    counts, column = [float(entry.row[entry.column]) for entry in entries], entries[0].column
    if column not in COUNTS:
        return _Comparable(counts, True)
    rows = [entry.row for entry in entries]
    smaller = [row for row, count in zip(rows, counts, strict=True) if count < max(counts)]
    needed = smaller if len(smaller) == len(rows) - 1 else rows
    if all(settled(row, column) for row in needed):
        return _Comparable(counts, True)
    equal = counts_after(rows, column)
    return _Comparable(counts, False) if equal is None else _Comparable(equal.counts, True, f" {equal.when}")


def trend(rows: Rows, family: str, column: str, sign: int, until: float = 100) -> list[Case]:
    """Return cases that a number rises (sign 1) or falls (-1) with the errors, by rank correlation in each draw."""
    cases = []
    for draw in _draws(rows, family):
        mine = sorted(
            (row for row in of_family(rows, family, draw=draw) if row["errors"] <= until), key=lambda r: r["errors"]
        )
        of = f"{family}, draw {draw}"
        if _open(*mine):
            cases.append(Case(of, NOT_EXPLORED, None))
            continue
        mine = [row for row in mine if math.isfinite(row[column])]
        if len(mine) < 3:
            continue
        values, known, when = _comparable([Entry(row, column) for row in mine])
        rho, _, _ = rank_correlation([row["errors"] for row in mine], values)
        rho = 0.0 if math.isnan(rho) else rho
        numbers = f"{', '.join(f'{v:.4g}' for v in values)}{when}: rank correlation {rho:.2f}"
        cases.append(Case(of if finished(*mine) else f"{of}*", numbers, sign * rho > 0 if known else None))
    return cases


def within(
    rows: Rows, families: Iterable[str], errors: Iterable[float] | None, low: str, high: str
) -> Iterable[Case | None]:
    """Yield the cases that one number of a landscape is below another."""
    for family in families:
        for row in of_family(rows, family):
            if errors is None or row["errors"] in errors:
                yield compare(Entry(row, low), Entry(row, high))


def each(
    rows: Rows, families: Iterable[str], column: str, judged: Callable[[Row], tuple[str, bool | None]],
    errors: float | None = None, draw: int | None = None,
) -> list[Case]:  # fmt: skip
    """Return the case of each landscape that has a column, as ``judged`` decides it, with the given errors and draw."""
    mine = [row for family in families for row in of_family(rows, family, errors, draw)]
    cases = [_open(row) or (Case(_name(row), *judged(row)) if math.isfinite(row[column]) else None) for row in mine]
    return [case for case in cases if case is not None]


def between(rows: Rows, pairs: Iterable[tuple[str, str]], column: str) -> Iterable[Case | None]:
    """Yield the cases that a number of one landscape is below that of another of the same draw, without errors."""
    for low, high in of_one_draw(rows, pairs):
        yield compare(Entry(low, column), Entry(high, column))


def of_one_draw(rows: Rows, pairs: Iterable[tuple[str, str]]) -> Iterable[tuple[Row, Row]]:
    """Yield the landscapes without errors of each pair of families, draw by draw."""
    for low, high in pairs:
        for a in of_family(rows, low, 0.0):
            for b in of_family(rows, high, 0.0, int(a["draw"])):
                yield a, b
