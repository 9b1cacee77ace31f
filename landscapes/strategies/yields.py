"""What kinds of search have brought for their steps, and choices among them in proportion to it."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["Yields", "spread"]

_GOLDEN = 0.6180339887498949  # its multiples, modulo 1, leave no gap between them that is long
_DOUBT = 200  # steps of optimizers that a kind is given before it counts as poor
_MEMORY = 400  # searches of a kind after which its numbers are halved: what it brings changes
_LEAST = 0.25  # of all tasks: shared equally among the kinds


def spread(number: int, of: float = _GOLDEN) -> float:
    """Return a place in [0, 1) for a number, its multiple of an irrational; those of a run are spread evenly.

    Examples
    --------
    >>> from thalweg.landscapes.strategies.yields import spread
    >>> [round(spread(number), 2) for number in range(5)]
    [0.0, 0.62, 0.24, 0.85, 0.47]
    """
    return number * of % 1.0


class Yields:
    """Record of what kinds of search have brought, in steps of the optimizers.

    Parameters
    ----------
    kinds : int
        Number of kinds.
    counts : sequence of (int, int, int)
        Searches, what they brought, and steps of each kind, as `counts` says; all zero where their number is another.

    Attributes
    ----------
    counts : list of [int, int, int]
        Searches, what they brought, and steps of each kind; they are halved after 400 searches of a kind, so that what
        was long ago counts less.
    """

    def __init__(self, kinds: int, counts: Sequence[Sequence[int]] = ()) -> None:
        known = len(counts) == kinds
        self.counts = [list(map(int, of)) for of in counts] if known else [[0, 0, 0] for _ in range(kinds)]

    def learn(self, kind: int, brought: int, steps: int) -> None:
        """Take note of a search of a kind."""
        count = self.counts[kind]
        count[0], count[1], count[2] = count[0] + 1, count[1] + brought, count[2] + steps
        if count[0] >= _MEMORY:
            count[:] = [value // 2 for value in count]

    def gains(self) -> list[float]:
        """Return what each kind brings a step; of a kind without a search, that of one success in few steps."""
        return [(brought + 1) / (steps + _DOUBT) for _, brought, steps in self.counts]

    def best(self) -> int:
        """Return the kind that brings most a step, the first of equals."""
        gains = self.gains()
        return gains.index(max(gains))

    def pick(self, place: float) -> int:
        """Return the kind at a place in [0, 1), where kinds have lengths in proportion to what they bring.

        A quarter of the length is shared equally, so that no kind is forgotten.
        """
        gains = self.gains()
        total, least = sum(gains), _LEAST / len(gains)
        for kind, gain in enumerate(gains):
            share = least + (1.0 - _LEAST) * gain / total
            if place < share:
                return kind
            place -= share
        return len(gains) - 1  # sums of shares end a rounding error below 1
