"""Errors of stores, and of points that a landscape rejects."""

from __future__ import annotations

from thalweg.potentials.conversion.printable import printable_lines
from thalweg.potentials.lazy import public

__all__ = [
    "CalculationsFailedError",
    "LockedError",
    "RejectedError",
    "StoreError",
    "UnknownArrivalError",
    "UntrustedError",
]


@public("thalweg.landscapes")
class StoreError(ValueError):
    """Error of a store that is no landscape, is damaged, or does not fit the request; the message names the file.

    Examples
    --------
    >>> import tempfile
    >>> from thalweg.landscapes import Landscape, StoreError
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     try:
    ...         Landscape.open(folder)
    ...     except StoreError as error:
    ...         print(str(error).partition(" is ")[2])
    an empty folder: a landscape has a file zarr.json there
    """

    def __str__(self) -> str:
        """Return the message without control characters, which text of a store may hold."""
        return printable_lines(super().__str__())


@public("thalweg.landscapes")
class LockedError(StoreError):
    """Error of opening a store for writing that another process is writing to; the message names that process.

    Examples
    --------
    >>> import tempfile
    >>> from thalweg.landscapes import Landscape, LockedError
    >>> from thalweg.potentials import MuellerBrown, Point
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Landscape(Point([0.0, 0.5], MuellerBrown()), f"{folder}/mb.zarr"):
    ...         try:
    ...             Landscape.open(f"{folder}/mb.zarr", "r+")
    ...         except LockedError as error:
    ...             print(str(error).rpartition(": ")[2])
    a store has one writer at a time
    """


@public("thalweg.landscapes")
class RejectedError(ValueError):
    """Error of adding a point that is not stationary, or not of the right kind.

    Parameters
    ----------
    reason : str
        A few words, the same for every point rejected for this reason.
    message : str
        Sentence with the numbers of this point.

    Attributes
    ----------
    reason : str
        As given.

    Examples
    --------
    >>> import tempfile
    >>> from thalweg.landscapes import Landscape, Minimum, RejectedError
    >>> from thalweg.potentials import MuellerBrown, Point
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Landscape(Point([0.0, 0.5], MuellerBrown()), f"{folder}/mb.zarr") as landscape:
    ...         try:
    ...             landscape.add_minimum(Minimum(-100.0, [0.0, 0.5], 3.0, 1.0, 1.0, 2))
    ...         except RejectedError as error:
    ...             error.reason
    'gradient too large'
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason

    def __reduce__(self) -> tuple[type[RejectedError], tuple[str, str], dict[str, object]]:
        return type(self), (self.reason, str(self)), vars(self)


@public("thalweg.landscapes")
class UnknownArrivalError(ValueError):
    """Error of adding a search that ended at a known transition state, while the landscape has none there.

    Examples
    --------
    >>> import tempfile
    >>> from thalweg.landscapes import SINGLE_ENDED, Arrival, Landscape, Search, UnknownArrivalError
    >>> from thalweg.potentials import MuellerBrown, Point
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Landscape(Point([0.0, 0.5], MuellerBrown()), f"{folder}/mb.zarr") as landscape:
    ...         try:
    ...             landscape.add(Search(0, SINGLE_ENDED, transition_states=(Arrival(-40.0, [0.0, 0.5]),)))
    ...         except UnknownArrivalError as error:
    ...             print(error)
    no transition state of the landscape is where a search arrived, energy -40.0
    """


@public("thalweg.landscapes")
class UntrustedError(StoreError):
    """Error of computing with a store whose calculator is run only with trust; the message says what would be run.

    Examples
    --------
    >>> import tempfile
    >>> from ase import Atoms
    >>> from ase.calculators.emt import EMT
    >>> from thalweg.landscapes import Landscape, UntrustedError
    >>> class Mine(EMT):
    ...     pass
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Landscape(Atoms("Cu2", [[0, 0, 0], [2.3, 0, 0]], calculator=Mine()), f"{folder}/cu.zarr").close()
    ...     landscape = Landscape.open(f"{folder}/cu.zarr")
    ...     try:
    ...         landscape.system
    ...     except UntrustedError as error:
    ...         print(str(error).partition(": ")[2].partition(" with")[0].rpartition(":")[2])
    Mine
    """


@public("thalweg.landscapes")
class CalculationsFailedError(RuntimeError):
    """Error of a run whose searches fail one after the other, because the potential raises exceptions.

    Parameters
    ----------
    message : str
        Type and message of the last exception, the task, and the file with the geometry.
    traceback : str
        Python's traceback of it, in the process that computed.

    Attributes
    ----------
    traceback : str
        As given.

    Examples
    --------
    >>> import tempfile
    >>> from thalweg.landscapes import CalculationsFailedError, Landscape
    >>> from thalweg.potentials import Point
    >>> def broken(x):
    ...     raise KeyError("charge")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     try:
    ...         with Landscape(Point([0.0, 0.5], broken), f"{folder}/a.zarr") as landscape:
    ...             landscape.find_minima(steps=100, failures=3)
    ...     except CalculationsFailedError as error:
    ...         print(str(error).partition(";")[0])
    3 searches in a row failed, the last one by KeyError: 'charge'
    """

    def __init__(self, message: str, traceback: str = "") -> None:
        super().__init__(message, traceback)
        self.traceback = traceback

    def __str__(self) -> str:
        return str(self.args[0])
