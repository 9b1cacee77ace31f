"""Integrity check of a store: readable chunks, permitted values, and valid row references."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from thalweg.landscapes.errors import StoreError
from thalweg.landscapes.maintenance.verify import Problem
from thalweg.landscapes.records import FROM_STATE
from thalweg.landscapes.storage.array_spec import Values, fault, wrong_rows
from thalweg.landscapes.storage.column import Column
from thalweg.landscapes.tolerances import believed

if TYPE_CHECKING:
    from thalweg.landscapes.landscape import Landscape

__all__ = ["verify_structure", "wrong_starts"]


def verify_structure(landscape: Landscape) -> list[Problem]:
    """Read every chunk of a store, and check all values, and what points from one array into another.

    Parameters
    ----------
    landscape : Landscape
        Landscape open for reading or writing. Its system is not needed.

    Returns
    -------
    list of Problem
        Problems, none where the store is whole; arrays that cannot be read are named with the chunk and the file.
    """
    columns = landscape._store.columns
    problems = [problem for path, column in columns.items() for problem in _of_array(path, column)]
    return problems or [*wrong_starts(landscape), *_below(landscape)]


def _of_array(path: str, column: Column) -> Iterator[Problem]:
    """Yield chunks that cannot be read and rows whose value the format does not have."""
    group, _, name = path.rpartition("/")
    stored, last = column.unchecked(), 0
    for low in range(0, len(stored), stored.spec.chunk):
        try:
            rows = stored.read(low, min(low + stored.spec.chunk, len(stored)))
        except StoreError as error:
            yield Problem(group, -1, str(error))
            continue
        if column.spec.values is Values.END:
            for k in np.flatnonzero(rows < np.concatenate([[last], rows[:-1]])).tolist():
                yield Problem(group, low + k, f"{name} falls by {(int(rows[k - 1]) if k else last) - int(rows[k])}")
            last = int(rows[-1])
            continue
        for k in wrong_rows(column.spec.values, rows, column.limit()).tolist():
            yield Problem(group, low + k, f"{name} {fault(column.spec.values, rows[k], column.limit())}")
    if column.spec.values is Values.END and last != column.limit():
        yield Problem(group, -1, f"{name} is {last} at the end, {column.limit()} were found")


def wrong_starts(landscape: Landscape) -> Iterator[Problem]:
    """Yield searches that set out from a row that is that of no point of their kind."""
    minima, states, searches = len(landscape.minima), len(landscape.transition_states), landscape.searches
    for here, kinds in searches.kind.chunks():
        starts, counts = searches.start[here], np.where(kinds == FROM_STATE, states, minima)
        for k in np.flatnonzero((starts >= counts[:, None]).any(axis=1)).tolist():
            yield Problem("searches", here.start + k, f"start {starts[k]} is not a row: there are {counts[k]}")


def _below(landscape: Landscape) -> Iterator[Problem]:
    """Yield transition states below one of their minima."""
    energies, tolerance = landscape.minima.energy[:], believed(landscape.tolerances, landscape.units).energy
    for here, ends in landscape.transition_states.minima.chunks():
        heights = landscape.transition_states.energy[here]
        for k in np.flatnonzero(~(heights + tolerance >= energies[ends].max(axis=1))).tolist():
            yield Problem("transition_states", here.start + k, f"energy {heights[k]} is below that of minima {ends[k]}")
