"""Tables of plain text that keep to a width: columns that matter less are left out where there is no room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["TextColumn", "text_table"]

_SPACE = 2  # between two columns, if there is room


class TextColumn(NamedTuple):
    """Column of a table.

    Attributes
    ----------
    head : str
        Text over the column.
    cells : sequence of str
        One text a row.
    left : bool
        Whether the texts are aligned at the left.
    spare : int
        0 where the column is always shown; else it is left out in a narrow table, the columns of the largest number
        first.
    """

    head: str
    cells: Sequence[str]
    left: bool = False
    spare: int = 0

    @property
    def width(self) -> int:
        """Largest number of characters of a text."""
        return max(map(len, [self.head, *self.cells]))


def text_table(columns: Sequence[TextColumn], width: int = 120) -> list[str]:
    """Return the lines of a table, the heads first.

    Parameters
    ----------
    columns : sequence of TextColumn
        All of the same length.
    width : int
        Number of characters in a line. A table of columns that are all needed may be wider.

    Examples
    --------
    >>> from thalweg.analysis.systems.text_table import TextColumn, text_table
    >>> columns = [TextColumn("row", ["0", "12"]), TextColumn("energy", ["-1.5", "-1.25"], spare=1)]
    >>> text_table(columns)
    ['row  energy', '  0    -1.5', ' 12   -1.25']
    >>> text_table(columns, width=8)
    ['row', '  0', ' 12']
    """
    shown = list(columns)
    while _width(shown, 1) > width and any(column.spare for column in shown):
        shown.remove(max(shown, key=lambda column: column.spare))
    space = " " * (_SPACE if _width(shown, _SPACE) <= width else 1)
    aligned = []
    for column in shown:
        texts = [column.head, *column.cells]
        aligned.append([t.ljust(column.width) if column.left else t.rjust(column.width) for t in texts])
    return [space.join(cells).rstrip() for cells in zip(*aligned, strict=True)]


def _width(columns: Sequence[TextColumn], space: int) -> int:
    return sum(column.width for column in columns) + space * (len(columns) - 1)
