"""Integrity check of a store: readable chunks and valid row references."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from thalweg.landscapes.errors import StoreError
from thalweg.landscapes.maintenance.verify import Problem
from thalweg.landscapes.records import FROM_STATE

if TYPE_CHECKING:
    from thalweg.landscapes.landscape import Landscape

__all__ = ["verify_structure"]


def verify_structure(landscape: Landscape) -> list[Problem]:
    """Read every chunk of a store, and check what points from one array into another.

    Parameters
    ----------
    landscape : Landscape
        Landscape open for reading or writing. Its system is not needed.

    Returns
    -------
    list of Problem
        Problems, none where the store is whole; arrays that cannot be read are named with the chunk and the file.
    """
    problems = list(_unreadable(landscape)) or list(_loose_ends(landscape))
    return problems or [*_below(landscape), *_gaps(landscape)]


def _unreadable(landscape: Landscape) -> Iterator[Problem]:
    for path, column in landscape._store.columns.items():
        for low in range(0, len(column), column.spec.chunk):
            try:
                column.read(low, min(low + column.spec.chunk, len(column)))
            except StoreError as error:
                yield Problem(path.rpartition("/")[0], -1, str(error))


def _loose_ends(landscape: Landscape) -> Iterator[Problem]:
    """Yield row numbers that are those of no row."""
    minima, states, searches = landscape.minima, landscape.transition_states, landscape.searches
    for here, kinds in searches.kind.chunks():
        starts, counts = searches.start[here], np.where(kinds == FROM_STATE, len(states), len(minima))
        for k in np.flatnonzero(((starts < -1) | (starts >= counts[:, None])).any(axis=1)).tolist():
            yield Problem("searches", here.start + k, f"{starts[k]} is not a row: there are {counts[k]}")
    for group, array, least, rows in (
        ("transition_states", states.minima, 0, len(minima)),
        ("searches", searches.minima, 0, len(minima)),
        ("searches", searches.transition_states, 0, len(states)),
    ):
        for here, values in array.chunks():
            wrong = np.flatnonzero(((values < least) | (values >= rows)).reshape(len(values), -1).any(axis=1))
            for k in wrong.tolist():
                yield Problem(group, here.start + k, f"{values[k]} is not a row: there are {rows}")


def _below(landscape: Landscape) -> Iterator[Problem]:
    """Yield transition states below one of their minima."""
    energies, tolerance = landscape.minima.energy[:], landscape.tolerances.energy
    for here, ends in landscape.transition_states.minima.chunks():
        heights = landscape.transition_states.energy[here]
        for k in np.flatnonzero(~(heights + tolerance >= energies[ends].max(axis=1))).tolist():
            yield Problem("transition_states", here.start + k, f"energy {heights[k]} is below that of minima {ends[k]}")


def _gaps(landscape: Landscape) -> Iterator[Problem]:
    """Yield searches whose share of the rows found is none."""
    searches = landscape.searches
    for name in ("minima", "transition_states"):
        last = 0
        for here, ends in getattr(searches, f"{name}_end").chunks():
            steps = np.diff(ends, prepend=last)
            for k in np.flatnonzero(steps < 0).tolist():
                yield Problem("searches", here.start + k, f"{name}_end falls by {-steps[k]}")
            last = int(ends[-1])
        if last != len(getattr(searches, name)):
            yield Problem("searches", -1, f"{name}_end is {last} at the end, {len(getattr(searches, name))} were found")
