"""The colour of every branch of a disconnectivity graph."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import to_rgba, to_rgba_array
from numpy.typing import NDArray

from thalweg.analysis.disconnectivity.colour_maps import (
    GREY,
    Groups,
    colour_map,
    colour_range,
    colour_values,
    group_codes,
    group_palette,
)
from thalweg.analysis.disconnectivity.superbasin_values import common_group, over_descendants

if TYPE_CHECKING:
    from matplotlib.typing import ColorType

    from thalweg.analysis.disconnectivity.graph import DisconnectivityGraph
    from thalweg.analysis.disconnectivity.style import Style

__all__ = ["Paint", "painted"]


@dataclass
class Paint:
    """Colours of lines, and what explains them.

    Attributes
    ----------
    leaves, branches : (n, 4) ndarray
        RGBA of the branches of minima and of superbasins; (1, 4) where all are the same.
    mappable : ScalarMappable or None
        For the colour bar.
    legend : list of (str, colour)
        Name and colour of each group that is shown.
    """

    leaves: NDArray[np.float64]
    branches: NDArray[np.float64]
    mappable: ScalarMappable | None = None
    legend: list[tuple[str, ColorType]] = field(default_factory=list)


def painted(graph: DisconnectivityGraph, style: Style) -> Paint:
    """Choose the colours of a graph's lines.

    Raises
    ------
    ValueError
        If values and groups are both given, or ``descendants`` without either.
    """
    if style.colour is not None and style.groups is not None:
        raise ValueError("colour and groups both say what colours mean: give one of them")
    plain = np.array([to_rgba(style.branch_colour)])
    if style.colour is not None:
        return _by_value(graph, colour_values(graph.network, style.colour)[graph.minima], style, plain)
    if style.groups is not None:
        return _by_group(graph, group_codes(graph.network, style.groups), style, plain)
    if style.descendants is not None:
        raise ValueError("descendants needs colour or groups, of which it is a function")
    return Paint(plain, plain)


def _by_value(
    graph: DisconnectivityGraph, values: NDArray[np.float64], style: Style, plain: NDArray[np.float64]
) -> Paint:
    """Colour branches by the values of the minima that are shown."""
    mappable = ScalarMappable(colour_range(values, style.vmin, style.vmax), colour_map(style.cmap))
    if style.descendants is None:
        branches = plain
    else:
        common = over_descendants(graph.tree, values, style.descendants)
        branches = mappable.to_rgba(np.ma.masked_invalid(common))
    return Paint(mappable.to_rgba(np.ma.masked_invalid(values)), branches, mappable)


def _by_group(graph: DisconnectivityGraph, groups: Groups, style: Style, plain: NDArray[np.float64]) -> Paint:
    """Colour branches by the groups of their minima."""
    codes = groups.codes[graph.minima]
    palette = to_rgba_array([*group_palette(groups.names, style.group_colours), GREY])  # -1 is the last
    if style.descendants is None:
        branches = plain
    else:
        common = common_group(graph.tree, codes, style.descendants)
        branches = np.where((common >= 0)[:, None], palette[common], plain)
    present = np.unique(codes[codes >= 0])
    return Paint(palette[codes], branches, legend=[(groups.names[code], palette[code]) for code in present])
