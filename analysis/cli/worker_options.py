"""Worker options of the command line: threads, processes or a dask cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from thalweg.analysis.cli.option_groups import from_option
from thalweg.analysis.cli.shared_options import workers_option

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from thalweg.landscapes import Processes

__all__ = ["WorkerOptions"]


@dataclass(frozen=True)
class WorkerOptions:
    """Threads, processes or a dask cluster that run the tasks, and the number of tasks in flight.

    Parameters
    ----------
    workers : int, optional
        Number of threads; all processors where none of the first three is given.
    processes : int, optional
        Number of processes of this machine.
    scheduler : str, optional
        Address of a dask scheduler.
    ahead : int, optional
        Number of tasks in flight at once, whatever runs them.

    Raises
    ------
    ValueError
        If more than one of the first three is given.
    """

    workers: int | None = from_option(workers_option)
    processes: int | None = from_option(
        click.option(
            "--processes",
            type=click.IntRange(min=1, max=4096),
            help="Number of processes to use instead of threads.",
        )
    )
    scheduler: str | None = from_option(
        click.option("--scheduler", help="Address of a dask scheduler whose workers run the searches instead.")
    )
    ahead: int | None = from_option(
        click.option(
            "--ahead",
            type=click.IntRange(min=1, max=65536),
            help="Number of tasks submitted at once; use about four per worker.  [default: 16]",
        )
    )

    def __post_init__(self) -> None:
        if len(self._given().keys() - {"ahead"}) > 1:
            raise ValueError("--workers, --processes and --scheduler exclude each other: give one of them")

    def _given(self) -> dict[str, int | str]:
        return {name: value for name, value in vars(self).items() if value is not None}

    def arguments(self) -> list[str]:
        """Return the options as words of a command."""
        return [text for name, value in self._given().items() for text in (f"--{name}", str(value))]

    @contextmanager
    def executor(self) -> Iterator[Executor | Processes | None]:
        """Yield the executor for `Landscape.find_minima` and `Landscape.connect`; None for threads.

        Raises
        ------
        ImportError, ConnectionError
            If dask is not installed, or no scheduler answers.
        """
        from thalweg.landscapes import Processes, dask_executor

        if self.scheduler is not None:
            with dask_executor(self.scheduler) as executor:
                yield executor
        else:
            yield None if self.processes is None else Processes(self.processes)
