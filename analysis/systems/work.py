"""Default numbers of steps and searches of an exploration."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Work"]


class Work(NamedTuple):
    """Totals of an exploration: basin-hopping steps, and searches for transition states."""

    steps: int
    searches: int
