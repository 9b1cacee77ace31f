"""Searches with potentials written in Python: whatever these raise is a failed search that names the exception."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from thalweg.landscapes.exploration.task import Task
from thalweg.landscapes.records import CONVERGED, FailedCall, Search
from thalweg.potentials.conversion.real_results import ResultError
from thalweg.potentials.system import System

__all__ = ["Attempts"]


class Attempts:
    """Searches of a task one after the other, with the exceptions that ended them.

    Parameters
    ----------
    system : System
        What is searched.
    task : Task
        The task.

    Attributes
    ----------
    calls : list of FailedCall
        Calls of the potential that ended a search.
    """

    def __init__(self, system: System, task: Task):
        self.system, self.task = system, task
        self.calls: list[FailedCall] = []
        self._done = 0

    def run(
        self, search: Callable[[], tuple[Search, ...]], start: tuple[int, int], size: int = 1
    ) -> tuple[Search, ...]:
        """Do one search, or a chain of ``size`` quenches that stand and fall together.

        Parameters
        ----------
        search : callable
            Does the searches and returns them.
        start : (int, int)
            Rows where it sets out from, for one that failed.
        size : int
            Number of searches that it returns.

        Raises
        ------
        Exception
            What does not come from the potential, as it came.
        ResultError
            The potential returned what is no energy or gradient, which no other search would mend.
        """
        self.system.forget_failure()
        try:
            found = search()
        except Exception as error:
            failure = self.system.failure
            if failure is None or failure.error is not error or isinstance(error, ResultError):
                raise
            found = (Search(self.task.number, self.task.kind, self._reason(error), start),) * size
        failure = self.system.failure
        if failure is not None and isinstance(failure.error, ResultError):
            raise failure.error
        if failure is not None and all(one.status != CONVERGED for one in found):
            reason = self._reason(failure.error)
            found = tuple(replace(one, status=reason) for one in found)
            kind, x = type(failure.error).__name__, np.array(failure.x)
            self.calls += [
                FailedCall(self._done + k, kind, str(failure.error), x, failure.text) for k in range(len(found))
            ]
        self._done += len(found)
        return found

    def _reason(self, error: BaseException) -> str:
        potential = "function" if self.system.atoms is None else "calculator"
        return f"{potential} raised {type(error).__name__}"
