"""Options of the picture of a disconnectivity graph."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from ase import Atoms
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.typing import ColorType

    Drawing: TypeAlias = Atoms | ArrayLike | os.PathLike[str] | Callable[[Axes], object]
    """A structure, an image, the path of one, or a function that draws on axes."""

__all__ = ["Style", "StyleOptions"]


class StyleOptions(TypedDict, total=False):
    """Keyword arguments of :meth:`DisconnectivityGraph.plot <thalweg.analysis.DisconnectivityGraph.plot>`."""

    colour: str | ArrayLike | None
    colour_label: str | None
    cmap: str | Colormap | None
    vmin: float | None
    vmax: float | None
    colour_bar: bool | Axes | Sequence[Axes]
    groups: str | Mapping[str, ArrayLike] | ArrayLike | None
    group_colours: Mapping[str, ColorType] | Sequence[ColorType] | None
    legend: bool
    descendants: str | Callable[[NDArray[np.float64]], float] | None
    energy_label: str | None
    size_bar: bool | float
    labels: Mapping[int, str] | ArrayLike | None
    drawings: Mapping[int, Drawing] | None
    drawing_size: float
    widths: str | ArrayLike | None
    widest: float
    linewidth: float | None
    branch_colour: ColorType
    title: str | None
    show_count: bool


class Style(NamedTuple):
    """All options of a picture, :class:`StyleOptions` with their defaults.

    :meth:`DisconnectivityGraph.plot <thalweg.analysis.DisconnectivityGraph.plot>` says what each of them means.
    """

    colour: str | ArrayLike | None = None
    colour_label: str | None = None
    cmap: str | Colormap | None = None
    vmin: float | None = None
    vmax: float | None = None
    colour_bar: bool | Axes | Sequence[Axes] = True
    groups: str | Mapping[str, ArrayLike] | ArrayLike | None = None
    group_colours: Mapping[str, ColorType] | Sequence[ColorType] | None = None
    legend: bool = True
    descendants: str | Callable[[NDArray[np.float64]], float] | None = None
    energy_label: str | None = None
    size_bar: bool | float = True
    labels: Mapping[int, str] | ArrayLike | None = None
    drawings: Mapping[int, Drawing] | None = None
    drawing_size: float = 0.16
    widths: str | ArrayLike | None = None
    widest: float = 5.0
    linewidth: float | None = None
    branch_colour: ColorType = "black"
    title: str | None = None
    show_count: bool = True
