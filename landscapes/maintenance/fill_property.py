"""Compute properties of minima block by block: in parallel, saved on the way, resumed where they stopped."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from thalweg.landscapes.property_names import check_property_name
from thalweg.potentials.conversion.numeric_options import whole_number
from thalweg.potentials.threads import thread_count

if TYPE_CHECKING:
    from thalweg.landscapes.landscape import Landscape
    from thalweg.landscapes.storage.description import Json

__all__ = ["fill_property"]

_SECONDS_BETWEEN_SAVES = 10.0


def fill_property(
    landscape: Landscape,
    name: str | Sequence[str],
    function: Callable[[np.ndarray], ArrayLike],
    *,
    block: int = 256,
    workers: int | None = None,
    may_be_nan: Collection[str] = (),
    **computed_from: Json,
) -> int:
    """Compute a property, or several at once, of the minima that have none yet.

    Blocks of coordinates are read one after the other and computed on threads. Computed values are committed every
    ten seconds and at the end, also after Ctrl-C or an error: a later call continues from there.

    Parameters
    ----------
    landscape : Landscape
        Landscape open for writing.
    name : str or sequence of str
        Name of the property, or of the properties that the function computes together.
    function : callable
        Function from coordinates (k, n) to values (k,), or (k, properties) for several names. Minima for which it
        gives NaN are computed again by the next call.
    block : int
        Number of minima in one call of the function.
    workers : int, optional
        Threads; all processors where missing. One calls the function in this thread alone.
    may_be_nan : collection of str, optional
        Those of several names whose NaN is a result: it does not make a minimum one to be computed.
    **computed_from
        Source of the values, kept as the attributes of the properties.

    Returns
    -------
    int
        Number of minima for which the function was called.

    Raises
    ------
    ValueError
        If a property is there and was computed from something else, a name is refused, or the function's result has
        the wrong shape.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from thalweg.landscapes import Landscape, fill_property
    >>> from thalweg.potentials import MuellerBrown, Point
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Landscape(Point([0.0, 0.5], MuellerBrown()), f"{folder}/mb.zarr", seed=0) as landscape:
    ...         progress = landscape.find_minima(steps=10, workers=1)
    ...         first = fill_property(landscape, "radius", lambda X: np.linalg.norm(X, axis=1))
    ...         again = fill_property(landscape, "radius", lambda X: np.linalg.norm(X, axis=1))
    ...     first == len(landscape.minima), again, landscape.properties["radius"].shape == (first,)
    (True, 0, True)
    """
    block, workers = whole_number("block", block, 1), thread_count("workers", workers)
    names = [name] if isinstance(name, str) else list(name)
    for one in names:
        if one not in landscape.properties:  # before anything is computed for a name that is refused
            check_property_name(one)
    source = json.loads(json.dumps(computed_from, allow_nan=False))
    table = np.column_stack([_known(landscape, one, source) for one in names])
    needed = [k for k, one in enumerate(names) if one not in may_be_nan]
    unknown = np.flatnonzero(np.isnan(table[:, needed]).any(axis=1))
    computed, saved = 0, time.monotonic()
    try:
        for rows, values in _computed(landscape, unknown, function, block, workers):
            table[rows] = _checked(values, len(rows), len(names))
            computed += len(rows)
            if time.monotonic() - saved > _SECONDS_BETWEEN_SAVES:
                _save(landscape, names, table, needed, source)
                saved = time.monotonic()
    finally:
        if computed:
            _save(landscape, names, table, needed, source)
    return computed


def _known(landscape: Landscape, name: str, source: dict[str, Json]) -> np.ndarray:
    """Return the stored values of a property, NaN for the rest."""
    properties = landscape.properties
    if name not in properties:
        return np.full(len(landscape.minima), np.nan)
    if dict(properties.attributes(name)) != source:
        raise ValueError(
            f"property {name!r} was computed from {dict(properties.attributes(name))}, not {source}: "
            "delete it first, or choose another name"
        )
    return properties[name]


def _save(
    landscape: Landscape, names: list[str], table: np.ndarray, needed: list[int], source: dict[str, Json]
) -> None:
    """Commit the properties; last those that say which minima are to be computed, should this be cut short."""
    for k in sorted(range(len(names)), key=lambda k: k in needed):
        landscape.properties.set(names[k], table[:, k], **source)


def _computed(
    landscape: Landscape, unknown: np.ndarray, function: Callable[[np.ndarray], ArrayLike], block: int, workers: int
) -> Iterator[tuple[np.ndarray, ArrayLike]]:
    """Yield rows and their values, with no more blocks in memory than there is work for."""
    blocks = iter([unknown[low : low + block] for low in range(0, len(unknown), block)])
    with ThreadPoolExecutor(workers) if workers > 1 else nullcontext() as pool:
        while here := list(islice(blocks, 2 * workers)):
            # read in this thread: a store is read by one thread at a time
            coordinates = [landscape.minima.coordinates[rows] for rows in here]
            values = map(function, coordinates) if pool is None else pool.map(function, coordinates)
            yield from zip(here, values, strict=True)


def _checked(values: ArrayLike, count: int, names: int) -> np.ndarray:
    """Return what the function gave as one row a minimum and one column a property."""
    array = np.asarray(values, dtype=np.float64)
    if array.shape != ((count,) if names == 1 else (count, names)):
        each = "one number" if names == 1 else f"{names} numbers"
        raise ValueError(f"the function must give {each} for each of {count} points, not shape {array.shape}")
    return array.reshape(count, names)
