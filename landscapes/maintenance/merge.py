"""Merge two landscapes of one system into a third."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from thalweg.landscapes.errors import StoreError
from thalweg.landscapes.landscape import Landscape
from thalweg.landscapes.maintenance.integrity import wrong_starts
from thalweg.landscapes.records import FROM_STATE, Search
from thalweg.landscapes.reference import check_reference
from thalweg.landscapes.storage.compatibility import system_differences
from thalweg.landscapes.storage.schema import STEEPEST_DESCENT
from thalweg.landscapes.storage.whole_stores import copy_store, new_store
from thalweg.landscapes.system_loading import SystemLike
from thalweg.potentials.conversion.printable import printable

__all__ = ["merge"]

_ROWS_A_COMMIT = 20_000


def merge(
    first: str | os.PathLike[str],
    second: str | os.PathLike[str],
    output: str | os.PathLike[str],
    subject: SystemLike | None = None,
    *,
    trust: bool = False,
) -> None:
    """Merge two stores into a third; points that both have are in it once, with the searches of both.

    Rows of the first keep their numbers, and an exploration resumes where that of the first ended: its seed, tasks,
    state and properties are kept. Searches of the second come after those of the first.

    Parameters
    ----------
    first, second : path
        Stores of the same system, with the same tolerances; they may be growing.
    output : path
        Path of the new store, which appears there whole or not at all.
    subject : ase.Atoms, Point or System, optional
        The explored system where it cannot be built from the stores, such as one of a Python function.
    trust : bool
        Whether to import and call whatever calculator the first store names, as `Landscape.open` takes it.

    Raises
    ------
    StoreError
        If the stores are not of one system, or something is at ``output``; UntrustedError if the calculator needs
        trust.

    Examples
    --------
    >>> import tempfile
    >>> from thalweg.landscapes import Landscape, merge
    >>> from thalweg.potentials import MuellerBrown, Point
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for seed in (0, 1):
    ...         with Landscape(Point([0.0, 0.5], MuellerBrown()), f"{folder}/{seed}.zarr", seed=seed) as landscape:
    ...             progress = landscape.find_minima(steps=20, workers=1)
    ...     merge(f"{folder}/0.zarr", f"{folder}/1.zarr", f"{folder}/both.zarr")
    ...     Landscape.open(f"{folder}/both.zarr")
    <Landscape both.zarr: 3 minima, 0 transition states, 40 searches>
    """
    opened, other = Landscape.open(first, trust=trust), Landscape.open(second)
    _check_mergeable(opened, other)
    with new_store(Path(output)) as place:
        system = opened.system if subject is None else subject
        copy_store(first, place)
        with _opened(place, first, system) as landscape:
            check_reference(other.path, other._store.description(), landscape.system)
            _append(landscape, other)


def _opened(copied: Path, first: str | os.PathLike[str], subject: SystemLike) -> Landscape:
    """Open the copy of the first store; what is damaged there is damaged in that store, which the error names."""
    try:
        return Landscape(subject, copied)
    except StoreError as error:
        raise StoreError(str(error).replace(str(copied), str(first))) from error


def _check_mergeable(first: Landscape, second: Landscape) -> None:
    version = second._store.attributes["format_version"]
    lines, perhaps = system_differences(first._store, second._store.description(), version)
    lines += perhaps
    if first.tolerances != second.tolerances:
        lines.append(f"tolerances: {first.tolerances.to_dict()} and {second.tolerances.to_dict()}")
    if lines:
        what = "\n  ".join(line.replace("stored ", "").replace(", given ", " and ") for line in lines)
        raise StoreError(f"{first.path} and {second.path} cannot be merged; they differ in\n  {what}")


def _append(landscape: Landscape, other: Landscape) -> None:
    minima = np.full(len(other.minima), -1, dtype=np.int64)
    states = np.full(len(other.transition_states), -1, dtype=np.int64)
    both = [one._store.attributes.get("path_lengths") == STEEPEST_DESCENT for one in (landscape, other)]
    flags = other.minima.verified[:], other.transition_states.verified[:]
    for row in range(len(minima)):
        with _naming(other, "minima", row):
            minima[row] = landscape.add_minimum(other.minima[row], verified=bool(flags[0][row]))
        _commit_now_and_then(landscape, row)
    for row in range(len(states)):
        with _naming(other, "transition_states", row):
            state = other.transition_states[row]
            if both == [True, False]:  # lengths of minimisers' ways would pass for those of steepest descent
                state = replace(state, path_lengths=(math.nan, math.nan))
            states[row] = landscape.add_transition_state(state, verified=bool(flags[1][row]))
        _commit_now_and_then(landscape, row)
    _append_searches(landscape, other, minima, states)


@contextmanager
def _naming(other: Landscape, group: str, row: int) -> Iterator[None]:
    """Name the store and the row of a point that may not enter."""
    try:
        yield
    except StoreError:
        raise
    except ValueError as error:
        raise StoreError(f"{other.path}, row {row} of {group}: {printable(error)}") from error


def _commit_now_and_then(landscape: Landscape, row: int) -> None:
    if row % _ROWS_A_COMMIT == _ROWS_A_COMMIT - 1:
        landscape.commit()


def _append_searches(landscape: Landscape, other: Landscape, minima: np.ndarray, states: np.ndarray) -> None:
    searches = other.searches
    known, known_states = np.append(minima, -1), np.append(states, -1)  # -1, "none", stays what it is
    for problem in wrong_starts(other):
        raise StoreError(f"{other.path / 'searches/start'}, row {problem.row}: {problem.message}")
    names = ("task", "kind", "status", "energy", "steps", "minima_end", "transition_states_end")
    found = found_states = 0
    for here, starts in searches.start.chunks():
        columns = [getattr(searches, name)[here] for name in names]
        for start, *values, end, end_states in zip(starts, *columns, strict=True):
            task, kind, status, energy, steps = values
            start = (known_states if kind == FROM_STATE else known)[start].tolist()
            search = Search(int(task), str(kind), str(status), tuple(start), float(energy), int(steps))
            rows = minima[searches.minima[found:end]].tolist()
            rows_states = states[searches.transition_states[found_states:end_states]].tolist()
            with landscape._store.writing():
                landscape._writer.put_search_rows(search, rows, rows_states)
            found, found_states = end, end_states
        landscape.commit()
