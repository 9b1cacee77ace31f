"""Default numbers of steps and searches of an exploration."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Work"]


class Work(NamedTuple):
    """Totals of an exploration.

    Attributes
    ----------
    steps : int
        Number of basin-hopping steps.
    searches : int
        Number of searches for transition states.
    most_searches : int or None
        Number up to which they go on while some transition states are probably missing; None where they do not.
    """

    steps: int
    searches: int
    most_searches: int | None = None
