"""Properties computed block by block: in parallel, saved on the way, gone on with where they stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg.landscapes.exploration.executors import default_threads

if TYPE_CHECKING:
    from thalweg.landscapes.landscape import Landscape

__all__ = ["fill_property"]

_SECONDS_BETWEEN_SAVES = 10.0


def fill_property(
    landscape: Landscape,
    name: str,
    function: Callable[[np.ndarray], Any],
    *,
    block: int = 256,
    workers: int | None = None,
    **computed_from: Any,
) -> int:
    """Compute a property of the minima that have none yet.

    Blocks of coordinates are read one after the other and computed on threads. What has been computed is committed
    every ten seconds and at the end, also when that is Ctrl-C or an error: a later call goes on from there.

    Parameters
    ----------
    landscape : Landscape
        Open for writing.
    name : str
        The property.
    function : callable
        From coordinates (k, n) to k numbers. Where it gives NaN it will be asked again by the next call.
    block : int
        Rows at once.
    workers : int, optional
        Threads; all processors where missing. One for a function that must not run twice at a time.
    **computed_from
        Kept as attributes.

    Returns
    -------
    int
        How many were computed.

    Raises
    ------
    ValueError
        If the property is there and was computed from something else, or the function's result has the wrong shape.
    """
    properties, known = landscape.properties, _known(landscape, name, computed_from)
    unknown = np.flatnonzero(np.isnan(known))
    computed, saved = 0, time.monotonic()
    try:
        for rows, values in _computed(landscape, unknown, function, block, workers or default_threads()):
            known[rows] = _checked(values, len(rows))
            computed += len(rows)
            if time.monotonic() - saved > _SECONDS_BETWEEN_SAVES:
                properties.set(name, known, **computed_from)
                saved = time.monotonic()
    finally:
        if computed:
            properties.set(name, known, **computed_from)
    return computed


def _known(landscape: Landscape, name: str, computed_from: dict[str, Any]) -> np.ndarray:
    """Return what is there of a property, NaN for the rest."""
    properties = landscape.properties
    if name not in properties:
        return np.full(len(landscape.minima), np.nan)
    if dict(properties.attributes(name)) != computed_from:
        raise ValueError(
            f"property {name!r} was computed from {dict(properties.attributes(name))}, not {computed_from}: "
            "delete it first, or choose another name"
        )
    return properties[name]


def _computed(
    landscape: Landscape, unknown: np.ndarray, function: Callable[[np.ndarray], Any], block: int, workers: int
) -> Iterator[tuple[np.ndarray, Any]]:
    """Yield rows and their values, with no more blocks in memory than there is work for."""
    blocks = iter([unknown[low : low + block] for low in range(0, len(unknown), block)])
    with ThreadPoolExecutor(workers) as pool:
        while here := list(islice(blocks, 2 * workers)):
            # read in this thread: a store is read by one thread at a time
            coordinates = [landscape.minima.coordinates[rows] for rows in here]
            yield from zip(here, pool.map(function, coordinates), strict=True)


def _checked(values: Any, count: int) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64)
    if array.shape != (count,):
        raise ValueError(f"the function must give one number for each of {count} points, not shape {array.shape}")
    return array
