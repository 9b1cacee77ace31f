"""Base class of strategies, which choose the searches of an exploration (docs/exploring.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from thalweg.landscapes.errors import StoreError
from thalweg.potentials.lazy import public

if TYPE_CHECKING:
    from thalweg.landscapes.landscape import Landscape
    from thalweg.landscapes.records import AddedSearch, TaskResult

__all__ = ["Choice", "Strategy"]


@public("thalweg.landscapes")
class Choice(NamedTuple):
    """Choice of the searches of one task: their kind, their number and their starts.

    Attributes
    ----------
    kind : str
        SINGLE_ENDED, FROM_STATE, FROM_SYMMETRIC, DOUBLE_ENDED or BASIN_HOPPING.
    size : int
        Number of searches, or of steps of a chain.
    starts : tuple of (int, int)
        Rows of minima, one pair a search: both ends of a double-ended one; ``(row, -1)`` for a single-ended one from
        that minimum, or from near it, made symmetric, ``(-1, -1)`` for one from a random point; ``(row, -1)`` of a
        transition state for one from there.
        One pair, ``(row, -1)``, for a chain.
    part : float or None
        Part of the usual displacement by which single-ended searches leave their starts, and of the usual size of
        random points without bounds; all of it where None.

    Examples
    --------
    >>> from thalweg.landscapes import SINGLE_ENDED, Choice
    >>> Choice(SINGLE_ENDED, size=2, starts=((0, -1), (3, -1)))
    Choice(kind='single-ended', size=2, starts=((0, -1), (3, -1)), part=None)
    """

    kind: str
    size: int
    starts: tuple[tuple[int, int], ...]
    part: float | None = None


@public("thalweg.landscapes")
class Strategy:
    """Base class of strategies, which read a landscape and choose where to search next.

    A subclass has a ``name`` and the method `choose`. A strategy sees results in the order of tasks and nothing else,
    so the same seed gives the same choices on any workers: it must not read clocks or draw random numbers (a task
    draws its own, from the seed, ``name`` and its number). Whatever the strategy cannot read back from the landscape
    it returns as `state`, which every commit saves; a new instance finds it in ``landscape.state[name]``.

    Parameters
    ----------
    landscape : Landscape
        Landscape that the strategy reads.
    chosen : sequence of Choice
        Tasks of this name that were chosen earlier and whose results are not in the landscape yet.
    batch : int
        Largest number of searches in a task.

    Attributes
    ----------
    name : str
        Name of its tasks in the store: tasks of one name are one sequence, numbered from 0.

    Examples
    --------
    Search from the lowest minimum only:

    >>> import tempfile
    >>> from thalweg.landscapes import SINGLE_ENDED, Choice, Landscape, Strategy
    >>> from thalweg.potentials import MuellerBrown, Point
    >>> class FromLowest(Strategy):
    ...     name = "from_lowest"
    ...
    ...     def choose(self, number, size):
    ...         return Choice(SINGLE_ENDED, size, ((self.landscape.minima.lowest(), -1),) * size)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Landscape(Point([0.0, 0.5], MuellerBrown()), f"{folder}/mb.zarr", seed=0) as landscape:
    ...         progress = landscape.find_minima(steps=20, workers=1)
    ...         landscape.connect(searches=8, strategy=FromLowest, workers=1).done
    8
    """

    name: str

    def __init__(self, landscape: Landscape, chosen: Sequence[Choice] = (), batch: int = 16) -> None:
        self.landscape, self.batch = landscape, batch

    def choose(self, number: int, size: int) -> Choice | None:
        """Choose the searches of task ``number``, at most ``size``, from the landscape as it is now.

        Returns
        -------
        Choice or None
            None where there is nothing to do: the sequence ends, unless a task in flight brings something.
        """
        raise NotImplementedError(f"{type(self).__name__} must say what to do: define choose(self, number, size)")

    def remembered(self, name: str) -> list[Any]:
        """Return a list of rows of minima, or of tuples that begin with two, from the stored `state`.

        Raises
        ------
        StoreError
            The store names rows that do not exist.
        """
        values = self.landscape.state.get(self.name, {}).get(name, [])
        rows = [row for value in values for row in (value[:2] if isinstance(value, list) else [value])]
        if any(row >= len(self.landscape.minima) for row in rows):
            where = f"{self.landscape.path / 'zarr.json'}: attribute/state/{self.name}/{name}"
            raise StoreError(f"{where} has row {max(rows)}: there are {len(self.landscape.minima)} minima")
        return values

    def added(self, choice: Choice, result: TaskResult, added: list[AddedSearch]) -> None:
        """Take note of the result of a task, once it is in the landscape."""

    def state(self) -> dict[str, Any]:
        """Return the state that cannot be read back from the landscape, as JSON has it."""
        return {}
