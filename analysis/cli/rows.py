"""Numbers of minima and transition states as arguments of the command line: a row, or ``lowest``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = [
    "ALL", "LOWEST", "LabelledMinima", "Members", "Minima", "Row", "RowNumber", "checked_members", "checked_row",
    "checked_rows",
]  # fmt: skip

LOWEST = "lowest"
"""Word that stands for the row of the lowest energy."""

ALL = "all"
"""Word that stands for the rows of all minima."""

Row: TypeAlias = int | str
"""Row of a point, counted from 0, or :data:`LOWEST`."""


_MOST_ROWS = 10_000_000  # of a range


def _completions(incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(LOWEST, help="the row of the lowest energy")] if LOWEST.startswith(incomplete) else []


class RowNumber(click.ParamType):
    """Row of a minimum or a transition state: a number counted from 0, or ``lowest``."""

    name = "row"

    def convert(self, value: Row, param: click.Parameter | None, ctx: click.Context | None) -> Row:
        """Return the row or the word, or fail with the name of the argument."""
        if isinstance(value, int) or value == LOWEST:
            return value
        if not re.fullmatch(r"\d{1,18}", value):
            self.fail(f"{value!r} is not a row: write its number, counted from 0, or lowest", param, ctx)
        return int(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return ``lowest`` where the word begins like that."""
        return _completions(incomplete)


class Minima(click.ParamType):
    """Rows of minima, such as 17 or lowest,4,17; converted to a tuple."""

    name = "minima"

    def convert(
        self, value: str | tuple[Row, ...], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[Row, ...]:
        """Return the rows, or fail with the name of the option."""
        if isinstance(value, tuple):
            return value
        one = rf"(\d{{1,9}}|{LOWEST})"
        if not re.fullmatch(f"{one}(,{one})*", value):
            self.fail(f"{value!r} is not a list of minima: write 17, or lowest,4,17, counted from 0", param, ctx)
        return tuple(word if word == LOWEST else int(word) for word in value.split(","))

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return ``lowest`` where the word begins like that."""
        return _completions(incomplete)


class LabelledMinima(Minima):
    """Rows of minima as :class:`Minima` has them, or ``all``."""

    def convert(
        self, value: str | tuple[Row, ...], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[Row, ...]:
        """Return the rows, or the word alone, or fail with the name of the option."""
        return (ALL,) if value == ALL else super().convert(value, param, ctx)


class Members(click.ParamType):
    """A set of minima: rows and ranges of rows, such as lowest,4,7-9, or the name of a group, such as A.

    Converted to a tuple of rows, or to the name.
    """

    name = "minima"

    def convert(
        self, value: str | tuple[Row, ...], param: click.Parameter | None, ctx: click.Context | None
    ) -> str | tuple[Row, ...]:
        """Return the rows or the name, or fail with the name of the option."""
        if isinstance(value, tuple):
            return value
        one = rf"(\d{{1,9}}(-\d{{1,9}})?|{LOWEST})"
        if re.fullmatch(f"{one}(,{one})*", value):
            return tuple(row for word in value.split(",") for row in self._rows(word, param, ctx))
        if not re.fullmatch(r"[^\W\d]\w*", value):
            self.fail(f"{value!r} is no set of minima: write lowest,4,7-9, counted from 0, or a group", param, ctx)
        return value

    def _rows(self, word: str, param: click.Parameter | None, ctx: click.Context | None) -> Sequence[Row]:
        """Return the rows of one word of a list."""
        if word == LOWEST:
            return (LOWEST,)
        first, _, last = word.partition("-")
        low, high = int(first), int(last or first)
        if not low <= high < low + _MOST_ROWS:
            self.fail(f"{word} is no range of rows", param, ctx)
        return range(low, high + 1)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return ``lowest`` where the word begins like that."""
        return _completions(incomplete)


def _number(name: str, row: Row, energies: ArrayLike) -> int:
    """Return the number of a row, which may be none of the rows that there are."""
    if not isinstance(row, str):
        return row
    import numpy as np

    values = np.asarray(energies, dtype=np.float64)
    if not len(values):
        raise IndexError(f"{name} is {row}; there are no minima yet")
    return int(np.argmin(values))


def checked_row(name: str, row: Row, energies: ArrayLike) -> int:
    """Return the number of a minimum, or raise an error that names the argument.

    Parameters
    ----------
    name : str
        Name of the argument or option.
    row : int or str
        As :class:`RowNumber` converts it.
    energies : (n_minima,) array_like
        Energies of all minima.

    Raises
    ------
    IndexError
        If there is no such minimum.

    Examples
    --------
    >>> from thalweg.analysis.cli.rows import checked_row
    >>> checked_row("START", "lowest", [0.4, 0.1, 0.3])
    1
    """
    import numpy as np

    from thalweg.analysis.arguments import minimum_index

    return minimum_index(name, _number(name, row, energies), len(np.asarray(energies)))


def checked_rows(name: str, rows: Sequence[Row], energies: ArrayLike) -> list[int]:
    """Return the numbers of several minima, or raise as :func:`checked_row`; none may be named twice."""
    import numpy as np

    from thalweg.analysis.arguments import minimum_indices

    numbers = [_number(name, row, energies) for row in rows]
    return [int(row) for row in minimum_indices(name, numbers, len(np.asarray(energies)))] if numbers else []


def checked_members(
    name: str, members: str | Sequence[Row], energies: ArrayLike, groups: Mapping[str, ArrayLike]
) -> list[int]:
    """Return the numbers of a set of minima.

    Parameters
    ----------
    name : str
        Name of the option.
    members : str or sequence of Row
        As :class:`Members` converts it.
    energies : (n_minima,) array_like
        Energies of all minima.
    groups : mapping of str to array_like of int
        Groups by name, such as PATHSAMPLE's A and B.

    Raises
    ------
    ValueError, IndexError
        If there is no such group or minimum, or one is named twice.
    """
    import numpy as np

    if not isinstance(members, str):
        return checked_rows(name, members, energies)
    if members not in groups:
        known = f"the groups {', '.join(sorted(groups))}" if groups else "no groups"
        raise ValueError(f"{name} {members}: there are {known} here; name minima by rows, such as lowest,4,7-9")
    return [int(row) for row in np.asarray(groups[members])]
