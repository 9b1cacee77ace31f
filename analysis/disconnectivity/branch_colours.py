"""The colour of every branch of a disconnectivity graph."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import to_rgba, to_rgba_array

from thalweg.analysis.disconnectivity.colour_maps import (
    GREY,
    colour_map,
    colour_range,
    colour_values,
    group_codes,
    group_palette,
)
from thalweg.analysis.disconnectivity.superbasin_values import common_group, over_descendants

if TYPE_CHECKING:
    from thalweg.analysis.disconnectivity.drawing import Style
    from thalweg.analysis.disconnectivity.graph import DisconnectivityGraph

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
    """

    leaves: np.ndarray
    branches: np.ndarray
    mappable: ScalarMappable | None = None
    legend: list[tuple[str, Any]] = field(default_factory=list)


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
        return _by_value(graph, style, plain)
    if style.groups is not None:
        return _by_group(graph, style, plain)
    if style.descendants is not None:
        raise ValueError("descendants needs colour or groups, of which it is a function")
    return Paint(plain, plain)


def _by_value(graph: DisconnectivityGraph, style: Style, plain: np.ndarray) -> Paint:
    values = colour_values(graph.network, style.colour)[graph.minima]
    mappable = ScalarMappable(colour_range(values, style.vmin, style.vmax), colour_map(style.cmap))
    if style.descendants is None:
        branches = plain
    else:
        common = over_descendants(graph.tree, values, style.descendants)
        branches = mappable.to_rgba(np.ma.masked_invalid(common))
    return Paint(mappable.to_rgba(np.ma.masked_invalid(values)), branches, mappable)


def _by_group(graph: DisconnectivityGraph, style: Style, plain: np.ndarray) -> Paint:
    names, codes = group_codes(graph.network, style.groups)
    codes = codes[graph.minima]
    palette = to_rgba_array([*group_palette(names, style.group_colours), GREY])  # -1 is the last
    if style.descendants is None:
        branches = plain
    else:
        common = common_group(graph.tree, codes, style.descendants)
        branches = np.where((common >= 0)[:, None], palette[common], plain)
    present = np.unique(codes[codes >= 0])
    return Paint(palette[codes], branches, legend=[(names[code], palette[code]) for code in present])
