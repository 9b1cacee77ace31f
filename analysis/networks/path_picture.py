"""Picture of a path through a landscape: energies, and above them the structures of its stationary points."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from thalweg.optimizers.pictures.files import save_figure
from thalweg.optimizers.pictures.structures import StructureAt, add_structures

if TYPE_CHECKING:
    from thalweg.analysis.networks.energy_path import LandscapePath
    from thalweg.potentials.system import System

__all__ = ["draw_with_structures"]

_MOST = 9  # structures in a row


def draw_with_structures(
    path: LandscapePath,
    system: System,
    file: str | os.PathLike[str],
    metadata: dict[str, str] | None,
    *,
    relative: bool = False,
    named: bool | None = None,
) -> None:
    """Draw energies against length, with structures of minima and transition states above, into a file.

    Each structure is laid on the one before, so that they differ only by how the atoms have moved.
    """
    from ase import Atoms
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = _chosen(path)
    points = path.continuous(system)
    zero = float(path.energy[0]) if relative else 0.0
    shown = []
    for row in rows.tolist():
        atoms = system.subject(points[row])
        assert isinstance(atoms, Atoms)
        high = bool(path.kinds[row] != "minimum")
        shown.append(StructureAt(float(path.length[row]), float(path.energy[row]) - zero, atoms, high))
    figure = Figure(figsize=(max(6.0, 1.3 * len(shown)), 5.6))
    figure.set_layout_engine("constrained", hspace=0.0)
    FigureCanvasAgg(figure)
    strip, curve = figure.subplots(2, height_ratios=[1.0, 2.6])
    curve.margins(x=0.08)
    path.plot(curve, relative=relative, named=named)
    curve.set_xlim(curve.get_xlim())
    curve.set_ylim(curve.get_ylim())
    add_structures(strip, curve, shown)
    save_figure(figure, file, dpi=200, metadata=metadata)


def _chosen(path: LandscapePath) -> NDArray[np.int64]:
    """Return the rows of the stationary points; of many the ends, the highest, and some evenly between."""
    rows = path.stationary
    if len(rows) <= _MOST:
        return rows
    highest = rows[int(np.argmax(path.energy[rows]))]
    some = rows[np.linspace(0, len(rows) - 1, _MOST - 1).round().astype(np.int64)]
    return np.unique(np.append(some, highest))
