"""Vibrational frequencies of all points of a landscape, computed and stored where they are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from thalweg.landscapes.recording.writer import padded
from thalweg.landscapes.storage.schema import frequency_arrays
from thalweg.landscapes.vibrations.hessians import check_vibrating, frequencies, points_of_kind

if TYPE_CHECKING:
    from thalweg.landscapes.landscape import Landscape

__all__ = ["fill_frequencies"]


def fill_frequencies(landscape: Landscape) -> int:
    """Compute and store the vibrational frequencies of points that have none, as those of older stores.

    Points that explorations find bring theirs along: those of a calculator without a Hessian come with the proof of the
    point, at no call. Here a point takes two calls for each of its vibrations.

    Parameters
    ----------
    landscape : Landscape
        Landscape of atoms in eV, open for writing.

    Returns
    -------
    int
        Number of points whose frequencies were computed.

    Raises
    ------
    ValueError
        If it is no landscape of atoms in eV.
    UntrustedError
        If the calculator of the store is run only with trust.

    Examples
    --------
    >>> import tempfile
    >>> from ase import Atoms
    >>> from ase.calculators.emt import EMT
    >>> from thalweg.landscapes import Landscape, fill_frequencies
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Landscape(Atoms("Cu2", [[0, 0, 0], [2.3, 0, 0]], calculator=EMT()), f"{folder}/cu2.zarr") as landscape:
    ...         progress = landscape.find_minima(steps=2, workers=1)
    ...         print(fill_frequencies(landscape), landscape.frequencies("minimum", 0).round(0))
    0 [376.]
    """
    check_vibrating(landscape)
    computed = 0
    store = landscape._store
    for kind, group in (("minimum", "minima"), ("state", "transition_states")):
        points, path = points_of_kind(landscape, kind), f"{group}/frequencies"
        table = np.full((len(points), landscape.system.n), np.nan)
        missing = [row for row in range(len(points)) if points.stored_frequencies(row) is None]
        if path in store.columns:
            landscape.commit()
            if not missing:
                continue
            table[:] = store.columns[path].read(0, len(points))
        for row in missing:
            table[row] = padded(frequencies(landscape, kind, row), landscape.system.n)
        if path in store.columns:
            store.rewrite(path, table)
        else:
            store.add_array(frequency_arrays(landscape.system.n)[path], table)
        computed += len(missing)
    return computed
