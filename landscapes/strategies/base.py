"""What a way to grow a landscape is: the class to derive from, and what it may choose (docs/exploring.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from thalweg.potentials.lazy import public

if TYPE_CHECKING:
    from thalweg.landscapes.landscape import Landscape
    from thalweg.landscapes.records import AddedSearch, TaskResult

__all__ = ["Choice", "Strategy"]


@public("thalweg.landscapes")
class Choice(NamedTuple):
    """What a task is to do: its kind, how many searches, and the minima that each (or the chain) starts from.

    Attributes
    ----------
    kind : str
        SINGLE_ENDED, FROM_STATE, FROM_SYMMETRIC, DOUBLE_ENDED or BASIN_HOPPING.
    size : int
        Searches, or steps of a chain.
    starts : tuple of (int, int)
        Rows of minima, one pair a search: both ends of a double-ended one; ``(row, -1)`` for a single-ended one from
        that minimum, or from near it, made symmetric, ``(-1, -1)`` for one from a random point; ``(row, -1)`` of a
        transition state for one from there.
        One pair, ``(row, -1)``, for a chain.
    """

    kind: str
    size: int
    starts: tuple[tuple[int, int], ...]


@public("thalweg.landscapes")
class Strategy:
    """A way to grow a landscape: it looks at what has been found and says where to search next.

    Derive from it and give ``name`` and `choose`. A strategy sees results in the order of tasks and nothing else, so
    the same seed gives the same choices whatever did the work: it must not look at clocks or draw random numbers of
    its own (a task draws its own, from the seed, ``name`` and its number). What it can read back from the landscape
    it need not keep; anything else it returns as `state`, which every commit saves, and finds again in
    ``landscape.state[name]`` when it is made anew.

    Parameters
    ----------
    landscape : Landscape
        To be read.
    chosen : sequence of Choice
        Tasks of this name that were chosen earlier and whose results are not in the landscape yet.
    batch : int
        Most searches of a task.

    Attributes
    ----------
    name : str
        Names its tasks in the store: tasks of one name are one sequence, numbered from 0.
    """

    name: str

    def __init__(self, landscape: Landscape, chosen: Sequence[Choice] = (), batch: int = 16) -> None:
        self.landscape, self.batch = landscape, batch

    def choose(self, number: int, size: int) -> Choice | None:
        """Choose what task ``number`` does, at most ``size`` searches, from what is in the landscape now.

        Returns
        -------
        Choice or None
            None where there is nothing to do: the sequence ends, unless a task in flight brings something.
        """
        raise NotImplementedError(f"{type(self).__name__} must say what to do: define choose(self, number, size)")

    def added(self, choice: Choice, result: TaskResult, added: list[AddedSearch]) -> None:
        """See what a task brought, once it is in the landscape."""

    def state(self) -> dict[str, Any]:
        """Return what cannot be read back from the landscape, as JSON-able values."""
        return {}
