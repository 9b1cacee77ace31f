"""The paper's tables: what was published and what was measured, in adjacent columns."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from thalweg.analysis.paper.claims.equal_searches import COUNTS, count_after, finished, settled, shared_searches

__all__ = ["Cell", "agreement", "behind", "cells", "equal_counts", "table_csv", "table_markdown"]

_AT_ONCE = 6  # columns of a table in Markdown, so that it fits on a page
_DISTANCE = 2.0  # standard deviations between draws within which the published value counts as one of them


class Cell(NamedTuple):
    """A number of a table.

    Attributes
    ----------
    row : str or float
        The key of its row: errors, or a family of landscapes.
    column : str
        Of measures.csv.
    published : float
        NaN where nothing was.
    mean, spread : float
        Over draws; NaN where nothing was measured, or of one draw there is no spread.
    values : tuple of float
        One a draw.
    lines : tuple of int
        Lines of measures.csv, the first being the header's, 1.
    unfinished : bool
        Whether a landscape behind it has not stopped growing.
    lower_bound : bool
        Whether it is a count of which more than a few may remain to be found.
    """

    row: Any
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
        As the definition has it: columns, rows, and landscapes where the rows are errors.
    rows : sequence of mapping
        Those of measures.csv, in its order.
    """
    _, *columns = table["columns"]
    result = []
    for first, *published in table["rows"]:
        known = [*published, *[math.nan] * (len(columns) - len(published))]
        mine = behind(table, first, rows)
        result += [_cell(first, column, float(value), mine) for column, value in zip(columns, known, strict=True)]
    return result


def behind(
    table: Mapping[str, Any], head: Any, rows: Sequence[Mapping[str, Any]]
) -> list[tuple[int, Mapping[str, Any]]]:
    """Return the landscapes behind a row of a table, with their lines of measures.csv."""
    wanted = {table["columns"][0]: head} | ({"family": table["landscapes"]} if "landscapes" in table else {})
    return [(k + 2, row) for k, row in enumerate(rows) if all(row[name] == value for name, value in wanted.items())]


def _cell(first: Any, column: str, published: float, mine: list[tuple[int, Mapping[str, Any]]]) -> Cell:
    known = [(line, row) for line, row in mine if math.isfinite(row[column])]
    values = tuple(float(row[column]) for _, row in known)
    mean, spread = _mean_spread(values)
    unfinished = not finished(*(row for _, row in known))
    bound = column in COUNTS and not all(settled(row, column) for _, row in known)
    return Cell(first, column, published, mean, spread, values, tuple(line for line, _ in known), unfinished, bound)


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


def _mean_spread(values: Sequence[float]) -> tuple[float, float]:
    """Return mean and standard deviation over draws; NaN where there are none, or but one."""
    mean = float(np.mean(values)) if values else math.nan
    return mean, float(np.std(values, ddof=1)) if len(values) > 1 else math.nan


def _grid(lines: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def table_markdown(table: Mapping[str, Any], found: Sequence[Cell]) -> str:
    """Return a table as Markdown, in pieces of some columns, with the lines of measures.csv behind each row.

    A row has a * where a landscape behind it has not stopped growing, and says of how many draws it is.
    """
    key, *columns = table["columns"]
    heads = [first for first, *_ in table["rows"]]
    rows = {head: {cell.column: cell for cell in found if cell.row == head} for head in heads}
    pieces = []
    for start in range(0, len(columns), _AT_ONCE):
        here = columns[start : start + _AT_ONCE]
        lines = [[key, "draws", *[text for column in here for text in (f"{_said(column)}: paper", "ours")]]]
        lines.append(["---"] * len(lines[0]))
        for head, row in rows.items():
            shown = [text for column in here for text in (_number(row[column].published), _measured(row[column]))]
            lines.append([*_head(head, row[columns[0]]), *shown])
        pieces.append(_grid(lines))
    sources = [f"{head}: {_lines(row[columns[0]].lines)}" for head, row in rows.items() if row[columns[0]].lines]
    return "\n\n".join([*pieces, f"Lines of measures.csv: {'; '.join(sources) or 'none yet'}."])


def _head(head: Any, first: Cell) -> list[str]:
    """Return what a row begins with: what it is of, and how many draws."""
    return [f"{_named(head)}{' *' if first.unfinished else ''}", str(len(first.values) or "")]


def _named(head: Any) -> str:
    return f"{head:g} %" if isinstance(head, int | float) else str(head)


def _said(column: str) -> str:
    return column.replace("_", " ")


def _lines(lines: Sequence[int]) -> str:
    return ", ".join(map(str, lines))


def equal_counts(table: Mapping[str, Any], groups: Mapping[Any, Sequence[Mapping[str, Any]]]) -> str:
    """Return the counts of a table's rows after the same number of searches, as Markdown.

    Parameters
    ----------
    table : mapping
        As the definition has it.
    groups : mapping
        The landscapes of each row, with ``stages``.

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
    key = table["columns"][0]
    lines = [[key, *map(_said, columns)], ["---"] * (1 + len(columns))]
    for head, rows in groups.items():
        counts = [_mean_spread([count_after(row, column, searches) for row in rows]) for column in columns]
        lines.append([_named(head), *(_count(mean, spread) for mean, spread in counts)])
    told = (
        f"After the same number of searches for each landscape, {searches:,}, the most that all of them have had "
        "(growth.csv has the lines):"
    )
    return f"{told}\n\n{_grid(lines)}"


def table_csv(found: Sequence[Cell]) -> str:
    """Return a table as comma-separated values: one line a row, published, mean, spread and draws of each column."""
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
    """Say which published numbers lie within two standard deviations of our draws, and which do not.

    Single measurements cannot say so and are left out, and so are counts that are lower bounds.
    """
    known = [cell for cell in found if math.isfinite(cell.published) and math.isfinite(cell.spread)]
    judged = [cell for cell in known if not cell.lower_bound]
    if not judged:
        return "Fewer than two draws, or nothing published: the published numbers cannot be judged against a spread."
    far = [cell for cell in judged if abs(cell.published - cell.mean) > _DISTANCE * cell.spread]
    said = ", ".join(f"{_said(cell.column)} at {cell.row}" for cell in far) or "none"
    within = len(judged) - len(far)
    return (
        f"{within} of {len(judged)} published numbers lie within {_DISTANCE:g} standard deviations of our draws "
        f"(single draws, few as they are: a rough guide). Outside: {said}."
    )
