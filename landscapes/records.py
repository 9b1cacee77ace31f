"""Immutable records: stationary points, searches with their kinds, and results of tasks and runs."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np

from thalweg.potentials.lazy import public

__all__ = [
    "BASIN_HOPPING",
    "CONVERGED",
    "DOUBLE_ENDED",
    "FROM_STATE",
    "FROM_SYMMETRIC",
    "SADDLE_SEARCHES",
    "SINGLE_ENDED",
    "AddedMinimum",
    "AddedSearch",
    "Arrival",
    "FailedCall",
    "Minimum",
    "Progress",
    "Search",
    "TaskResult",
    "TransitionState",
]

BASIN_HOPPING, SINGLE_ENDED, DOUBLE_ENDED = "basin-hopping", "single-ended", "double-ended"
FROM_STATE, FROM_SYMMETRIC = "from a transition state", "from a minimum made symmetric"
SADDLE_SEARCHES = (SINGLE_ENDED, DOUBLE_ENDED, FROM_STATE, FROM_SYMMETRIC)
"""Kinds of search that look for transition states."""

CONVERGED = "converged"  # status of a search that arrived; any other status is the reason of a failure


def _frozen_vector(values: np.ndarray) -> np.ndarray:
    vector = np.array(values, dtype=np.float64)
    vector.setflags(write=False)
    return vector


def _take_state(point: Minimum | TransitionState, state: list[Any]) -> None:
    """Fill a point from the values of its fields in a pickle; one of an earlier version ends before frequencies."""
    values = [*state, None] if len(state) == len(fields(point)) - 1 else state
    for field, value in zip(fields(point), values, strict=True):
        object.__setattr__(point, field.name, value)


@public("thalweg.landscapes")
@dataclass(frozen=True, slots=True, eq=False)
class Minimum:
    """Minimum as the search that found it has verified it.

    Parameters
    ----------
    energy : float
        In the landscape's unit.
    coordinates : (n,) array
        The whole vector, frozen entries included; kept as a read-only copy.
    gradient_rms : float
        sqrt(g.g / free degrees of freedom).
    lowest_eigenvalue : float
        Of the Hessian over the free degrees of freedom, null modes excluded.
    log_eigenvalue_product : float
        Sum of the natural logarithms of the positive eigenvalues, null modes excluded.
    modes : int
        How many eigenvalues that sum counts.
    symmetry_order : int
        Number of symmetry operations that leave the point unchanged; 0 when not yet computed.
    frequencies : (k,) array, optional
        Vibrational frequencies of atoms in cm^-1, imaginary ones negative; None when not computed.

    Examples
    --------
    >>> from thalweg.landscapes import Minimum
    >>> minimum = Minimum(-2.0, [0.0, 1.0], 1e-10, lowest_eigenvalue=0.5, log_eigenvalue_product=1.2, modes=2)
    >>> minimum.energy, minimum.coordinates
    (-2.0, array([0., 1.]))
    """

    energy: float
    coordinates: np.ndarray
    gradient_rms: float
    lowest_eigenvalue: float
    log_eigenvalue_product: float
    modes: int
    symmetry_order: int = 0
    frequencies: np.ndarray | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "coordinates", _frozen_vector(self.coordinates))

    def __setstate__(self, state: list[Any]) -> None:
        _take_state(self, state)


@public("thalweg.landscapes")
@dataclass(frozen=True, slots=True, eq=False)
class TransitionState:
    """Transition state with the two minima below it.

    Parameters
    ----------
    energy, coordinates, gradient_rms, lowest_eigenvalue, log_eigenvalue_product, modes, symmetry_order
        As for `Minimum`; ``lowest_eigenvalue`` is the negative one.
    minima : (Minimum, Minimum)
        Where the paths down the two sides end.
    path_lengths : (float, float)
        Lengths of these paths.
    n_negative : int
        Number of negative eigenvalues, null modes excluded; a landscape takes only 1.
    frequencies : (k,) array, optional
        As for `Minimum`; the first is the imaginary one.

    Examples
    --------
    >>> from thalweg.landscapes import Minimum, TransitionState
    >>> a, b = Minimum(-2.0, [0.0], 1e-10, 0.5, -0.7, 1), Minimum(-1.0, [2.0], 1e-10, 0.5, -0.7, 1)
    >>> state = TransitionState(0.0, [1.0], 1e-10, -0.5, 0.0, 0, 1, (a, b), path_lengths=(1.0, 1.0))
    >>> state.energy - state.minima[0].energy
    2.0
    """

    energy: float
    coordinates: np.ndarray
    gradient_rms: float
    lowest_eigenvalue: float
    log_eigenvalue_product: float
    modes: int
    symmetry_order: int
    minima: tuple[Minimum, Minimum]
    path_lengths: tuple[float, float]
    n_negative: int = 1
    frequencies: np.ndarray | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "coordinates", _frozen_vector(self.coordinates))
        object.__setattr__(self, "minima", tuple(self.minima))
        object.__setattr__(self, "path_lengths", tuple(float(length) for length in self.path_lengths))

    def __setstate__(self, state: list[Any]) -> None:
        _take_state(self, state)


@public("thalweg.landscapes")
@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """Transition state that the landscape has already, so that the search has not looked for its minima again.

    Parameters
    ----------
    energy : float
        In the landscape's unit.
    coordinates : (n,) array
        The whole vector.

    Examples
    --------
    >>> from thalweg.landscapes import Arrival
    >>> Arrival(-40.66, [-0.822, 0.624]).energy
    -40.66
    """

    energy: float
    coordinates: np.ndarray


@public("thalweg.landscapes")
@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """Result of one search, which may have found nothing.

    Parameters
    ----------
    task : int
        Number of the task, within its kind, that the search belongs to.
    kind : str
        Kind of search: `BASIN_HOPPING`, `SINGLE_ENDED`, ...
    status : str
        How it ended: ``CONVERGED``, or the reason of the failure in a few words without numbers.
    start : (int, int)
        Rows of the minima it set out from; -1 for none. Of a search from a transition state, the row of that first.
    energy : float
        Energy where it ended; NaN when there is none.
    steps : int
        Steps it took.
    minima : tuple of Minimum
        Minima it arrived at, in the order found; not those of its transition states.
    transition_states : tuple of TransitionState or Arrival
        Transition states it arrived at.

    Examples
    --------
    >>> from thalweg.landscapes import BASIN_HOPPING, CONVERGED, Minimum, Search
    >>> found = Minimum(-2.0, [0.0], 1e-10, 0.5, -0.7, 1)
    >>> search = Search(task=0, kind=BASIN_HOPPING, energy=found.energy, steps=12, minima=(found,))
    >>> search.status == CONVERGED, len(search.minima), len(search.transition_states)
    (True, 1, 0)
    """

    task: int
    kind: str
    status: str = CONVERGED
    start: tuple[int, int] = (-1, -1)
    energy: float = float("nan")
    steps: int = 0
    minima: tuple[Minimum, ...] = ()
    transition_states: tuple[TransitionState | Arrival, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "minima", tuple(self.minima))
        object.__setattr__(self, "transition_states", tuple(self.transition_states))


@public("thalweg.landscapes")
class AddedSearch(NamedTuple):
    """Rows of a landscape that hold a search and its points.

    Attributes
    ----------
    row : int
        Row of the search.
    minima : tuple of int
        Rows of the search's minima, in its order, then of both sides of each of its transition states.
    new_minima : tuple of bool
        Which of these were not known before.
    transition_states : tuple of int
        Rows of its transition states, in its order.
    new_transition_states : tuple of bool
        Which of these were not known before.

    Examples
    --------
    >>> import tempfile
    >>> from thalweg.landscapes import BASIN_HOPPING, Landscape, Search
    >>> from thalweg.potentials import MuellerBrown, Point
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Landscape(Point([0.0, 0.5], MuellerBrown()), f"{folder}/mb.zarr") as landscape:
    ...         landscape.add(Search(0, BASIN_HOPPING, "too many steps"))
    AddedSearch(row=0, minima=(), new_minima=(), transition_states=(), new_transition_states=())
    """

    row: int
    minima: tuple[int, ...]
    new_minima: tuple[bool, ...]
    transition_states: tuple[int, ...]
    new_transition_states: tuple[bool, ...]


@public("thalweg.landscapes")
class AddedMinimum(NamedTuple):
    """Minimum that a point of one's own, such as the weights of a trained model, has led to.

    Attributes
    ----------
    row : int
        Row of the minimum.
    new : bool
        Whether it was not known before.
    energy : float
        Its energy.
    moved : float
        Distance from the point to the minimum.
    energy_before, rms_before : float
        Energy and rms gradient of the point.
    moved_share : float
        ``moved`` relative to the length of the minimum's coordinates, of atoms about their centroid: 0.01 is a small
        correction, and two unrelated points are about 1.4 apart.

    Examples
    --------
    >>> import tempfile
    >>> from thalweg.landscapes import Landscape
    >>> from thalweg.potentials import MuellerBrown, Point
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Landscape(Point([0.0, 0.5], MuellerBrown()), f"{folder}/mb.zarr") as landscape:
    ...         added = landscape.add([-0.5, 1.4])
    ...         added.row, added.new, round(added.energy, 4), round(added.moved, 4)
    (0, True, -146.6995, 0.0716)
    """

    row: int
    new: bool
    energy: float
    moved: float
    energy_before: float
    rms_before: float
    moved_share: float = float("nan")


class FailedCall(NamedTuple):
    """Call of a potential that ended a search by an exception.

    Attributes
    ----------
    search : int
        Index of the search in its task.
    kind : str
        Name of the exception's class.
    message : str
        Its message.
    coordinates : (n,) array
        Where the potential was called.
    traceback : str
        Python's traceback, as text.
    """

    search: int
    kind: str
    message: str
    coordinates: np.ndarray
    traceback: str


class TaskResult(NamedTuple):
    """Searches that a task has done.

    Attributes
    ----------
    searches : tuple of Search
        All searches of the task in its order, failures with their reasons included.
    current : int
        For a basin-hopping chain, index of the search that ended where the chain now is; -1 if the chain has not
        moved.
    calls : int
        Calls of an ASE calculator that it took; 0 for potentials with a Hessian.
    failed_calls : tuple of FailedCall
        Calls of a potential written in Python that ended a search.
    """

    searches: tuple[Search, ...]
    current: int = -1
    calls: int = 0
    failed_calls: tuple[FailedCall, ...] = ()


@dataclass(frozen=True)
class Progress:
    """Progress of one call of `Landscape.find_minima` or `Landscape.connect`.

    Attributes
    ----------
    sequence : str
        Name of the strategy, such as "find_minima" or "connect".
    done, goal : int
        Searches done in this call, and asked for.
    failed : int
        How many of them failed.
    seconds : float
        Time since the call began.
    minima, transition_states : int
        Points in the landscape.
    """

    sequence: str
    done: int
    goal: int
    failed: int
    seconds: float
    minima: int
    transition_states: int
