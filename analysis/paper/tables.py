"""Tables of the paper: published and measured numbers in adjacent columns."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from thalweg.analysis.paper.claims.equal_searches import (
    count_after,
    finished,
    hopped_alike,
    settled,
    shared_searches,
)
from thalweg.analysis.paper.plan import group_of
from thalweg.analysis.paper.stopping_rule import COUNTS
from thalweg.analysis.statistics.intervals import pooled_prediction_interval

__all__ = [
    "Cell",
    "Head",
    "MeanSpread",
    "NumberedRow",
    "agreement",
    "behind",
    "cells",
    "equal_counts",
    "table_csv",
    "table_markdown",
]

_AT_ONCE = {True: 6, False: 7}  # columns of a table in Markdown, with published numbers and without: they fit on a page


Head = str | float
"""Key of a table's row: percentage of errors, or a family of landscapes."""


class NumberedRow(NamedTuple):
    """Line of measures.csv, counted from 1, and its entries."""

    line: int
    row: Mapping[str, Any]


class MeanSpread(NamedTuple):
    """Mean and standard deviation over draws; NaN where there are none, or only one."""

    mean: float
    spread: float


class Cell(NamedTuple):
    """Number of a table.

    Attributes
    ----------
    row : str or float
        Key of its row: errors, or a family of landscapes.
    column : str
        Column of measures.csv.
    published : float
        Published number; NaN where there is none.
    mean, spread : float
        Mean and standard deviation over draws; NaN where nothing was measured, the spread also of a single draw.
    values : tuple of float
        Measured number of each draw.
    lines : tuple of int
        Lines of measures.csv, counted from 1, which is the header.
    unfinished : bool
        Whether a landscape behind it has not stopped growing.
    lower_bound : bool
        Whether it is a count of which more than a few may remain to be found.
    """

    row: Head
    column: str
    published: float
    mean: float
    spread: float
    values: tuple[float, ...]
    lines: tuple[int, ...]
    unfinished: bool
    lower_bound: bool


def cells(table: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> list[Cell]:
    """Return the numbers of a table.

    Parameters
    ----------
    table : mapping
        Table of the definition: columns, rows, and landscapes where the rows are errors.
    rows : sequence of mapping
        Lines of measures.csv, in its order.
    """
    _, *columns = table["columns"]
    result = []
    for first, *published in table["rows"]:
        known = [*published, *[math.nan] * (len(columns) - len(published))]
        mine = behind(table, first, rows)
        result += [_cell(first, column, float(value), mine) for column, value in zip(columns, known, strict=True)]
    return result


def behind(table: Mapping[str, Any], head: Head, rows: Sequence[Mapping[str, Any]]) -> list[NumberedRow]:
    """Return the lines of measures.csv over which a row of a table is a mean."""
    wanted = {table["columns"][0]: head} | ({"family": table["landscapes"]} if "landscapes" in table else {})
    return [
        NumberedRow(k + 2, row)
        for k, row in enumerate(rows)
        if all(_key(row, name) == value for name, value in wanted.items())
    ]


def _key(row: Mapping[str, Any], name: str) -> Any:
    """Return a landscape's entry in a key column; "landscape" is its name without the draw."""
    return group_of(row["name"]) if name == "landscape" else row[name]


def _cell(head: Head, column: str, published: float, mine: Sequence[NumberedRow]) -> Cell:
    """Return a number of a table from the lines of measures.csv behind its row."""
    known = [one for one in mine if math.isfinite(one.row[column])]
    values = tuple(float(one.row[column]) for one in known)
    mean, spread = _mean_spread(values)
    return Cell(
        row=head,
        column=column,
        published=published,
        mean=mean,
        spread=spread,
        values=values,
        lines=tuple(one.line for one in known),
        unfinished=not finished(*(one.row for one in known)),
        lower_bound=column in COUNTS and not all(settled(one.row, column) for one in known),
    )


def _number(value: float, digits: int = 4) -> str:
    if not math.isfinite(value):
        return ""
    return f"{value:,.0f}" if value == round(value) and abs(value) >= 2 else f"{value:.{digits}g}"


def _measured(cell: Cell) -> str:
    if not cell.values:
        return ""
    if cell.column in COUNTS:
        return f"{_count(cell.mean, cell.spread)}{' *' if cell.lower_bound else ''}"
    return f"{_number(cell.mean)}{'' if math.isnan(cell.spread) else f' ± {cell.spread:.2g}'}"


def _count(mean: float, spread: float) -> str:
    return f"{mean:,.0f}{'' if math.isnan(spread) else f' ± {spread:,.0f}'}"


def _mean_spread(values: Sequence[float]) -> MeanSpread:
    """Return mean and standard deviation over draws."""
    mean = float(np.mean(values)) if values else math.nan
    return MeanSpread(mean, float(np.std(values, ddof=1)) if len(values) > 1 else math.nan)


def _grid(lines: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def table_markdown(table: Mapping[str, Any], found: Sequence[Cell], published: bool = True) -> str:
    """Return a table as Markdown, in pieces of some columns, with the lines of measures.csv behind each row.

    A row has a * where a landscape behind it has not stopped growing, and states its number of draws. A column of
    which nothing was published has none for published numbers, and without ``published`` no column has.
    """
    key, *columns = table["columns"]
    rows = {
        head: {cell.column: cell for cell in found if cell.row == head}
        for head in (first for first, *_ in table["rows"])
    }
    pieces = []
    beside = {column for column in columns if published and any(map(math.isfinite, _published(rows, column)))}
    for start in range(0, len(columns), _AT_ONCE[bool(beside)]):
        here = columns[start : start + _AT_ONCE[bool(beside)]]
        lines = [[key, "draws", *[text for column in here for text in _heading(column, column in beside)]]]
        lines.append(["---"] * len(lines[0]))
        for head, row in rows.items():
            shown = [text for column in here for text in _texts(row[column], column in beside)]
            lines.append([*_head(head, row[columns[0]]), *shown])
        pieces.append(_grid(lines))
    sources = [f"{head}: {_lines(row[columns[0]].lines)}" for head, row in rows.items() if row[columns[0]].lines]
    return "\n\n".join([*pieces, f"Lines of measures.csv behind each row: {'; '.join(sources) or 'none yet'}."])


def _published(rows: Mapping[Head, Mapping[str, Cell]], column: str) -> list[float]:
    """Return the published numbers of a column."""
    return [row[column].published for row in rows.values()]


def _heading(column: str, published: bool) -> list[str]:
    return [f"{_said(column)}: paper", "ours"] if published else [_said(column)]


def _texts(cell: Cell, published: bool) -> list[str]:
    return [_number(cell.published), _measured(cell)] if published else [_measured(cell)]


def _head(head: Head, first: Cell) -> list[str]:
    """Return the first columns of a row: its key, and the number of draws."""
    return [f"{_named(head)}{' *' if first.unfinished else ''}", str(len(first.values) or "")]


def _named(head: Head) -> str:
    return f"{head:g} %" if isinstance(head, int | float) else str(head)


def _said(column: str) -> str:
    return column.replace("_", " ")


def _lines(lines: Sequence[int]) -> str:
    return ", ".join(map(str, lines))


def equal_counts(table: Mapping[str, Any], groups: Mapping[Head, Sequence[Mapping[str, Any]]]) -> str:
    """Return the counts of a table's rows after the same number of searches, as Markdown.

    Parameters
    ----------
    table : mapping
        Table of the definition.
    groups : mapping
        Landscapes of each row, lines of measures.csv with ``stages``.

    Returns
    -------
    str
        Empty where the table has no counts, fewer than two rows are explored, or all counts are settled.
    """
    columns = [column for column in COUNTS if column in table["columns"]]
    groups = {head: rows for head, rows in groups.items() if rows}
    every = [row for rows in groups.values() for row in rows]
    if len(groups) < 2 or all(settled(row, column) for row in every for column in columns):
        return ""
    searches = shared_searches(every, columns)
    if searches is None:
        return ""
    key, alike = table["columns"][0], hopped_alike(every)
    lines = [[key, *map(_said, columns)], ["---"] * (1 + len(columns))]
    for head, rows in groups.items():
        counts = [
            _mean_spread([count_after(row, column, searches, hopping=alike) for row in rows]) for column in columns
        ]
        lines.append([_named(head), *(_count(mean, spread) for mean, spread in counts)])
    told = (
        f"Counts after the same number of searches in every landscape. The number is {searches:,}, the largest that "
        "all of them have had (growth.csv has the lines)"
        + (":" if alike else ". Minima that basin-hopping found before do not count, because some hopped longer:")
    )
    return f"{told}\n\n{_grid(lines)}"


def table_csv(found: Sequence[Cell]) -> str:
    """Return a table as comma-separated values, with published number, mean, spread and draws of each column."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    columns = list(dict.fromkeys(cell.column for cell in found))
    ends = ("published", "measured", "spread", "draws")
    writer.writerow(["row", *[f"{column}_{end}" for column in columns for end in ends], "measures_csv_lines"])
    for row in dict.fromkeys(cell.row for cell in found):
        mine = [cell for cell in found if cell.row == row]
        numbers = [_plain(x) for cell in mine for x in (cell.published, cell.mean, cell.spread, len(cell.values))]
        lines = " ".join(map(str, sorted({line for cell in mine for line in cell.lines})))
        writer.writerow([row, *numbers, lines])
    return out.getvalue()


def _plain(value: float) -> str:
    return "" if isinstance(value, float) and math.isnan(value) else repr(value)


def agreement(found: Sequence[Cell]) -> str:
    """Return sentences on the published numbers that lie outside the interval of one more draw.

    The published number is a single draw, so it is held against the 95 % prediction interval of one more draw like
    ours: from the draws of its own row, and with the spread pooled over the rows of its column. Numbers of a single
    draw and counts that are lower bounds are left out.
    """
    known = [cell for cell in found if math.isfinite(cell.published) and math.isfinite(cell.spread)]
    judged = [cell for cell in known if not cell.lower_bound]
    if not judged:
        published = any(math.isfinite(cell.published) for cell in found)
        why = "there are fewer than two draws" if published else "no numbers of this table are published"
        return f"Nothing can be compared: {'our counts are lower bounds' if known else why}."
    alone = [cell for cell in judged if _outside(cell, [cell])]
    pooled = [cell for cell in judged if _outside(cell, [other for other in judged if other.column == cell.column])]
    either = [cell for cell in judged if cell in alone or cell in pooled]
    said = ", ".join(f"{_said(cell.column)} at {cell.row}" for cell in either) or "none"
    return (
        f"A published number is compared with the 95 % prediction interval of one more draw like ours. "
        f"{len(judged) - len(alone)} of {len(judged)} lie within the interval that follows from the draws of their own "
        f"row, and {len(judged) - len(pooled)} of {len(judged)} within the one whose spread is pooled over the rows of "
        f"their column (for counts and standard deviations, the spread of logarithms). Outside of at least one of the "
        f"two: {said}."
    )


def _outside(cell: Cell, column: Sequence[Cell]) -> bool:
    """Say whether a published number lies outside the interval of one more draw, with the spread of some cells."""
    scale = _scale(cell.column, column)
    groups = [np.array([scale(value) for value in each.values]) for each in column]
    _, low, high = pooled_prediction_interval(groups[column.index(cell)], groups)
    return not low <= scale(cell.published) <= high


def _scale(name: str, column: Sequence[Cell]) -> Callable[[float], float]:
    """Return the scale on which a column's draws scatter alike: logarithms for counts and deviations above 0."""
    logarithmic = name in COUNTS or name.endswith("_sd")
    positive = all(value > 0 for cell in column for value in (cell.published, *cell.values))
    return math.log if logarithmic and positive else float
