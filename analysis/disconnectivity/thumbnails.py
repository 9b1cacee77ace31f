"""Pictures of structures, or decision maps, under chosen leaves of a disconnectivity graph."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes

from thalweg.analysis.arguments import minimum_indices
from thalweg.optimizers.pictures.labels import spread

if TYPE_CHECKING:
    from thalweg.analysis.disconnectivity.graph import DisconnectivityGraph
    from thalweg.analysis.disconnectivity.style import Drawing

__all__ = ["Thumbnail", "add_thumbnails", "thumbnails"]


@dataclass
class Thumbnail:
    """A picture, and the end of the branch it belongs to.

    Attributes
    ----------
    what : callable, ndarray, Atoms or path
        What to draw.
    x, energy : float
        Where the branch ends, in data coordinates.
    size : float
        Width, as a part of the width of the axes.
    """

    what: Drawing
    x: float
    energy: float
    size: float

    def height(self, ax: Axes) -> float:
        """Return the height of a square as a part of the height of the axes."""
        box = ax.get_window_extent()
        return self.size * box.width / box.height


def thumbnails(graph: DisconnectivityGraph, drawings: Mapping[int, Drawing] | None, size: float) -> list[Thumbnail]:
    """Return the pictures of the minima that are shown, from left to right.

    Raises
    ------
    TypeError, ValueError, IndexError
        If something is no picture, there is no such minimum, or the size is not between 0 and 1.
    """
    if not drawings:
        return []
    if not isinstance(drawings, Mapping):
        raise TypeError("drawings must map minima to what is drawn there")
    if not 0 < size <= 1:
        raise ValueError(f"drawing_size is {size}; a part of the width of the axes, between 0 and 1, is needed")
    chosen = minimum_indices("drawings", list(drawings), graph.network.n_minima)
    for minimum, what in drawings.items():
        _check(minimum, what)
    leaves = graph.leaf_of(chosen)
    x, energy = graph.lines.x, graph.tree.leaf_energy
    found = [
        Thumbnail(what, float(x[k]), float(energy[k]), size)
        for k, what in zip(leaves, drawings.values(), strict=True)
        if k >= 0
    ]
    return sorted(found, key=lambda thumbnail: thumbnail.x)


def _check(minimum: int, what: Drawing) -> None:
    shape = np.shape(what)  # type: ignore[arg-type]  # () for what is no array
    image = len(shape) == 2 or (len(shape) == 3 and shape[2] in (3, 4))
    if not (callable(what) or hasattr(what, "get_positions") or isinstance(what, (str, os.PathLike)) or image):
        raise TypeError(
            f"drawings[{minimum}] is a {type(what).__name__}; an Atoms, an image (rows, columns[, 3 or 4]), the path "
            "of one, or a function of matplotlib axes is needed"
        )


def add_thumbnails(ax: Axes, shown: list[Thumbnail]) -> None:
    """Put pictures in a row at the bottom, each as near to its branch as the others allow, with a line to it."""
    if not shown:
        return
    (left, right), width = ax.get_xlim(), max(thumbnail.size for thumbnail in shown)
    wanted = np.array([(thumbnail.x - left) / (right - left) for thumbnail in shown])
    for thumbnail, middle in zip(shown, _apart(wanted, width), strict=True):
        height = thumbnail.height(ax)
        gap = 0.04  # of the slot, on each side
        inset = ax.inset_axes((middle - width * (0.5 - gap), 0.0, width * (1 - 2 * gap), height * (1 - 2 * gap)))
        inset.set_axis_off()
        _picture(inset, thumbnail.what)
        ax.plot(
            [thumbnail.x, left + middle * (right - left)],
            [thumbnail.energy, ax.get_ylim()[0] + height * np.ptp(ax.get_ylim())],
            color="0.6",
            linewidth=0.6,
            linestyle=(0, (2, 2)),
            zorder=0,
            clip_on=False,  # pictures that do not fit side by side stand beside the axes
        )


def _apart(wanted: np.ndarray, width: float) -> np.ndarray:
    """Return the middles of pictures that are a width apart, inside 0 to 1 if they can, nearest to those wanted."""
    return spread(wanted, np.full(len(wanted) - 1, width), width / 2, 1 - width / 2)


def _picture(inset: Axes, what: Drawing) -> None:
    if hasattr(what, "get_positions"):
        from ase.visualize.plot import plot_atoms

        plot_atoms(what, inset, show_unit_cell=0)
        inset.set_axis_off()
    elif callable(what):
        what(inset)
    else:
        from matplotlib.image import imread

        inset.imshow(imread(os.fspath(what)) if isinstance(what, (str, os.PathLike)) else np.asarray(what))
