"""Where the command line has its work done: threads, processes, or a dask cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

__all__ = ["Place"]


@dataclass(frozen=True)
class Place:
    """At most one of three, and how many tasks it is given at once.

    Parameters
    ----------
    workers : int, optional
        Threads; all processors where nothing is given.
    processes : int, optional
        Processes of this machine.
    scheduler : str, optional
        Address of a dask scheduler.
    ahead : int, optional
        Tasks in flight at once, whoever does them.

    Raises
    ------
    ValueError
        If more than one is given.
    """

    workers: int | None = None
    processes: int | None = None
    scheduler: str | None = None
    ahead: int | None = None

    def __post_init__(self) -> None:
        if len(self._given().keys() - {"ahead"}) > 1:
            raise ValueError("--workers, --processes and --scheduler each say where to work: give one of them")

    def _given(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if value is not None}

    def arguments(self) -> list[str]:
        """Return the options that say the same on the command line."""
        return [text for name, value in self._given().items() for text in (f"--{name}", str(value))]

    @contextmanager
    def executor(self) -> Iterator[dict[str, Any]]:
        """Yield keyword arguments for `Landscape.find_minima` and `Landscape.connect`.

        Raises
        ------
        ImportError, ConnectionError
            If there is no dask, or no scheduler where it should be.
        """
        from thalweg.landscapes import Processes, dask_executor

        if self.scheduler is not None:
            with dask_executor(self.scheduler) as executor:
                yield {"executor": executor}
        elif self.processes is not None:
            yield {"executor": Processes(self.processes)}
        else:
            yield {"workers": self.workers}
