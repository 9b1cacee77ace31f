"""Instances of the paper's claims: comparisons and trends of the lines of measures.csv, and whether they hold."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from thalweg.analysis.paper.claims.equal_searches import COUNTS, count_after, finished, settled, shared_searches

__all__ = [
    "NOT_EXPLORED",
    "Case",
    "Row",
    "Rows",
    "Unexplored",
    "between",
    "compare",
    "each",
    "joined",
    "of_family",
    "trend",
    "within",
]

NOT_EXPLORED = "not explored yet"
_OF_SHAPE = ("frustration", "barrier_to_gmin", "loss_range")  # of pieces that are not joined yet they say nothing
_JOINED = 0.9  # of the minima must be connected where a landscape that still grows is to have a shape

Row = Mapping[str, Any]
Rows = Sequence[Row]


class Case(NamedTuple):
    """One instance of a claim: what it is of, the numbers, and whether it holds (None: the data do not say).

    It is of landscapes by the names of their stores, with a * where one has not stopped growing. Where one has not
    been explored, the numbers say so.
    """

    of: str
    numbers: str
    holds: bool | None


class Unexplored(dict[str, Any]):
    """The row of a landscape of which nothing is known: no number, and not finished."""

    def __missing__(self, column: str) -> Any:
        return "" if column == "stopped" else math.nan


def of_family(rows: Rows, family: str, errors: float | None = None, draw: int | None = None) -> list[Row]:
    """Return rows of a family, by errors and draw."""
    return [
        row
        for row in rows
        if row["family"] == family and errors in (None, row["errors"]) and draw in (None, row["draw"])
    ]


def _draws(rows: Rows, family: str) -> list[int]:
    return sorted({int(row["draw"]) for row in of_family(rows, family)})


def joined(row: Row) -> bool:
    """Return whether a landscape has a shape: it has ended, or nearly all of its minima are connected."""
    return finished(row) or row["connected"] >= _JOINED * row["minima"]


def _name(*rows: Row) -> str:
    """Return the names of landscapes, marked where they still grow."""
    return " and ".join(f"{row['name']}{'' if finished(row) else '*'}" for row in rows)


def _open(*rows: Row) -> Case | None:
    """Return the case of landscapes that are not all explored; None if they are."""
    lacking = any(isinstance(row, Unexplored) for row in rows)
    return Case(" and ".join(str(row["name"]) for row in rows), NOT_EXPLORED, None) if lacking else None


def compare(low: tuple[Row, str], high: tuple[Row, str]) -> Case | None:
    """Return whether one number is below another; of pieces that are not joined the shape is unknown."""
    rows = (low[0],) if low[0] is high[0] else (low[0], high[0])
    if case := _open(*rows):
        return case
    (a, b), known, when = _numbers([low, high])
    if not (math.isfinite(a) and math.isfinite(b)):
        return None
    known = known and (low[1] not in _OF_SHAPE or all(map(joined, rows)))
    return Case(_name(*rows), f"{a:.4g} against {b:.4g}{when}", a < b if known else None)


def _numbers(entries: Sequence[tuple[Row, str]]) -> tuple[list[float], bool, str]:
    """Return numbers by landscape and column, whether they can be compared, and after how many searches if that is why.

    Last counts may be lower bounds: they compare where all but the largest are settled, else counts after the same
    number of searches do. The columns are one where they are counts.
    """
    counts, column = [float(row[name]) for row, name in entries], entries[0][1]
    if column not in COUNTS:
        return counts, True, ""
    rows = [row for row, _ in entries]
    smaller = [row for row, count in zip(rows, counts, strict=True) if count < max(counts)]
    needed = smaller if len(smaller) == len(rows) - 1 else rows
    if all(settled(row, column) for row in needed):
        return counts, True, ""
    searches = shared_searches(rows, [column])
    if searches is None:
        return counts, False, ""
    return [count_after(row, column, searches) for row in rows], True, f" after {searches:,} searches"


def trend(rows: Rows, family: str, column: str, sign: int, until: float = 100) -> list[Case]:
    """Return whether a number rises (sign 1) or falls (-1) with the errors, by rank correlation in each draw."""
    from scipy.stats import spearmanr

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
        values, known, when = _numbers([(row, column) for row in mine])
        rho = float(spearmanr([row["errors"] for row in mine], values).statistic) if len(set(values)) > 1 else 0.0
        numbers = f"{', '.join(f'{v:.4g}' for v in values)}{when}: rank correlation {rho:.2f}"
        cases.append(Case(of if finished(*mine) else f"{of}*", numbers, sign * rho > 0 if known else None))
    return cases


def within(
    rows: Rows, families: Iterable[str], errors: Iterable[float] | None, low: str, high: str
) -> Iterable[Case | None]:
    """Compare two numbers of one landscape."""
    for family in families:
        for row in of_family(rows, family):
            if errors is None or row["errors"] in errors:
                yield compare((row, low), (row, high))


def each(
    rows: Rows, families: Iterable[str], column: str, judged: Callable[[Row], tuple[str, bool | None]],
    errors: float | None = None, draw: int | None = None,
) -> list[Case]:  # fmt: skip
    """Return numbers and whether they are as claimed, for each landscape with a column; of errors, a draw if given."""
    mine = [row for family in families for row in of_family(rows, family, errors, draw)]
    cases = [_open(row) or (Case(_name(row), *judged(row)) if math.isfinite(row[column]) else None) for row in mine]
    return [case for case in cases if case is not None]


def between(rows: Rows, pairs: Iterable[tuple[str, str]], column: str) -> Iterable[Case | None]:
    """Compare one number of two landscapes of the first draw without errors: the first below the second."""
    for low, high in pairs:
        for a in of_family(rows, low, 0.0, 0):
            for b in of_family(rows, high, 0.0, 0):
                yield compare((a, column), (b, column))
