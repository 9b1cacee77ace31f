"""Options of one run of searches: where they run, and when the run stops."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

from thalweg.potentials.conversion.numeric_options import checked_number, whole_number

__all__ = ["FAILURES_IN_A_ROW", "RunOptions", "check_whole", "checked_number"]

FAILURES_IN_A_ROW = 10
"""Number of searches in a row that fail by an exception before a run ends, where nothing else is said."""


@dataclass(frozen=True)
class RunOptions:
    """Options of one call of `Landscape.find_minima` or `Landscape.connect`, whatever it searches for.

    Parameters
    ----------
    workers : int, optional
        Threads of this process where no executor is given; all processors where missing.
    executor : concurrent.futures.Executor or callable, optional
        An executor, which stays the caller's, or a callable that makes one, such as `Processes`.
    seconds : float, optional
        Stop after this time: no further tasks are awaited. With 0 nothing is done.
    minima : int, optional
        Stop once the landscape has this number of minima.
    progress : bool, optional
        Whether to show a line of progress; where missing, if standard error is a terminal.
    enough : callable, optional
        Asked after every task whether to stop.
    failures : int
        Number of searches in a row that fail by an exception of the potential, at which the run ends with an error.
    advance : bool
        Whether one search with a potential written in Python is done in any case, although the time is up.
    before : int
        Searches that earlier runs have done and that the line of progress counts, too.

    Raises
    ------
    TypeError
        If ``workers``, ``seconds``, ``minima`` or ``failures`` is no number.
    ValueError
        If ``workers``, ``minima`` or ``failures`` is no whole number of at least 1, or ``seconds`` is negative.
    """

    workers: int | None = None
    executor: Executor | Callable[[], Executor] | None = None
    seconds: float | None = None
    minima: int | None = None
    progress: bool | None = None
    enough: Callable[[], bool] | None = None
    failures: int = FAILURES_IN_A_ROW
    advance: bool = True
    before: int = 0

    def __post_init__(self) -> None:
        for name, value in (("workers", self.workers), ("minima", self.minima), ("failures", self.failures)):
            if value is not None:
                check_whole(name, value, 1)
        if self.seconds is not None and not checked_number("seconds", self.seconds) >= 0:
            raise ValueError(f"seconds must not be negative; it is {self.seconds}")


def check_whole(name: str, value: object, least: int) -> None:
    """Raise ValueError where an argument is no whole number, or less than the least that makes sense."""
    whole_number(name, value, least)
