"""Compute the lengths of paths that a store does not have, and keep them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from thalweg.landscapes.storage.schema import STEEPEST_DESCENT

if TYPE_CHECKING:
    from collections.abc import Callable

    from thalweg.landscapes.landscape import Landscape

__all__ = ["fill_path_lengths", "path_lengths"]

_SECONDS_BETWEEN_SAVES = 10.0


def fill_path_lengths(landscape: Landscape, *, progress: Callable[[int, int], object] | None = None) -> int:
    """Compute the lengths of steepest descent from transition states to their minima where they are not known.

    Searches compute them for systems of at most 12 free coordinates: elsewhere following a path costs more than the
    search that found it. In a store of a version of Thalweg that kept the length of the minimiser's way, up to a
    quarter too long, every length is computed. They are saved every ten seconds and at the end, also after Ctrl-C.

    Parameters
    ----------
    landscape : Landscape
        Landscape open for writing; points added to it are committed.
    progress : callable, optional
        Called with the number of transition states that are done, and the number of all that are to be done.

    Returns
    -------
    int
        Number of transition states whose lengths are known now and were not before. The rest stays unknown: steepest
        descent leads from there to other minima than the search did.

    Examples
    --------
    >>> import tempfile
    >>> from ase import Atoms
    >>> from thalweg.landscapes import Landscape, fill_path_lengths
    >>> from thalweg.potentials import LJAT
    >>> atoms = Atoms("Ar5", calculator=LJAT(Z=0.0), positions=[[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Landscape(atoms, f"{folder}/lj5.zarr", seed=0) as landscape:
    ...         _ = landscape.find_minima(steps=3, workers=1)
    ...         _ = landscape.connect(searches=10, workers=1)
    ...         fill_path_lengths(landscape) == len(landscape.transition_states)
    True
    """
    landscape.commit()
    store, states = landscape._store, landscape.transition_states
    lengths = states.path_length[:]
    if store.attributes.get("path_lengths") != STEEPEST_DESCENT:
        lengths = np.full_like(lengths, np.nan)
    unknown = np.flatnonzero(np.isnan(lengths).any(axis=1)).tolist()
    saved, done = time.monotonic(), 0
    try:
        for row in unknown:
            lengths[row] = path_lengths(landscape, row)
            done += 1
            if progress is not None:
                progress(done, len(unknown))
            if time.monotonic() - saved > _SECONDS_BETWEEN_SAVES and _marked(landscape):
                store.rewrite("transition_states/path_length", lengths)
                saved = time.monotonic()
    finally:
        if done == len(unknown) or _marked(landscape):
            store.rewrite("transition_states/path_length", lengths)
    store.attributes["path_lengths"] = STEEPEST_DESCENT
    landscape.commit()
    return int(np.isfinite(lengths[unknown]).all(axis=1).sum())


def _marked(landscape: Landscape) -> bool:
    """Return whether lengths of minimisers' ways are none of the store's: half of them may not be of another kind."""
    return landscape._store.attributes.get("path_lengths") == STEEPEST_DESCENT


def path_lengths(landscape: Landscape, row: int) -> tuple[float, float]:
    """Compute the lengths of steepest descent from the transition state of a row to its two minima.

    Parameters
    ----------
    landscape : Landscape
        Landscape whose system can be built.
    row : int

    Returns
    -------
    (float, float)
        In the order of its minima; both NaN where steepest descent leads elsewhere.
    """
    from thalweg.optimizers.descent_paths.lengths import descent_lengths  # loads the compiler

    ends = landscape.transition_states.minima[row]
    minima = np.array([landscape.minima.coordinates[int(end)] for end in ends])
    return descent_lengths(landscape.system, landscape.transition_states.coordinates[row], minima)
