"""Which minimum of a molecule is meant by each class of a network that predicts where its atoms relax to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from thalweg.analysis.view.encoding import Json
from thalweg.analysis.view.shapes import kind_of

if TYPE_CHECKING:
    from thalweg.landscapes.landscape import Landscape

__all__ = ["class_link"]

_SAME = 1e-5  # of the energies of the two minima of LJAT3


def class_link(landscapes: Sequence[Landscape | None]) -> dict[str, Json] | None:
    """Return the link between LJAT3's landscape and that of a network with its four outcomes, if both are there.

    Class 0 is the triangle; classes 1, 2 and 3 are the line with that atom in the centre, one minimum of the molecule.

    Returns
    -------
    dict or None
        ``network`` and ``molecule``, places among the landscapes; ``rows``, the minimum of each class.
    """
    from thalweg.datasets.ljat3 import LINE, TRIANGLE

    found: dict[str, Json] = {}
    for place, landscape in enumerate(landscapes):
        if landscape is None:
            continue
        kind, description = kind_of(landscape), landscape._store.description()
        calculator = description.get("calculator") or {}
        if kind == "network" and calculator.get("n_classes") == 4:
            found.setdefault("network", place)
        elif kind == "atoms" and calculator.get("name") == "LJAT" and len(description["numbers"]) == 3:
            energy = landscape.minima.energy[:]
            rows = [int(np.argmin(np.abs(energy - wanted[0]))) for wanted in (TRIANGLE, LINE)]
            if all(abs(energy[row] - wanted[0]) < _SAME for row, wanted in zip(rows, (TRIANGLE, LINE), strict=True)):
                found.setdefault("molecule", place)
                found.setdefault("rows", [rows[0], rows[1], rows[1], rows[1]])
    return found if {"network", "molecule"} <= found.keys() else None
