"""Drawing a disconnectivity graph on matplotlib axes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from thalweg.analysis.checks import minimum_indices
from thalweg.analysis.colours import colour_map, colour_range, colour_values

if TYPE_CHECKING:
    from thalweg.analysis.disconnectivity import DisconnectivityGraph

__all__ = ["Style", "draw", "round_length"]

# Vector files with more lines than this are slow to open; their lines are stored as a picture.
_RASTERISED_FROM = 20_000


class Style(NamedTuple):
    """How to draw; see :meth:`DisconnectivityGraph.plot`."""

    colour: Any
    colour_label: str | None
    cmap: Any
    vmin: float | None
    vmax: float | None
    colour_bar: bool
    energy_label: str | None
    size_bar: bool | float
    linewidth: float | None
    branch_colour: str


def draw(graph: DisconnectivityGraph, ax: Axes, style: Style, labels: Mapping[int, str] | Any = None) -> Axes:
    """Draw a graph on axes; everything is checked before the axes change."""
    values = None if style.colour is None else colour_values(graph.network, style.colour)[graph.minima]
    named = _named_minima(graph, labels)
    leaves = _collection(graph, graph.lines.leaves, style, style.branch_colour if values is None else None)
    if values is not None:
        leaves.set_cmap(colour_map(style.cmap))
        leaves.set_norm(colour_range(values, style.vmin, style.vmax))
        leaves.set_array(np.ma.masked_invalid(values))
    ax.add_collection(_collection(graph, graph.lines.branches, style, style.branch_colour), autolim=False)
    ax.add_collection(leaves, autolim=False)
    _frame(graph, ax, style)
    _size_bar(graph, ax, style)
    for position, energy, text in named:
        ax.annotate(
            text, (position, energy), (0, -3), textcoords="offset points", ha="center", va="top", fontsize="x-small"
        )
    if values is not None and style.colour_bar:
        _colour_bar(ax, leaves, style)
    return ax


def _collection(graph: DisconnectivityGraph, lines: Any, style: Style, colors: str | None) -> LineCollection:
    n = graph.tree.n_leaves
    width = min(1.0, max(0.1, 300.0 / n)) if style.linewidth is None else style.linewidth
    return LineCollection(
        lines,
        linewidths=width,
        colors=colors,
        capstyle="projecting",
        joinstyle="round",
        rasterized=n > _RASTERISED_FROM,
        in_layout=False,  # inside the axes anyway, and measuring them takes as long as drawing
    )


def _frame(graph: DisconnectivityGraph, ax: Axes, style: Style) -> None:
    """Leave of the axes' box only the energies at the left."""
    n, top, low = graph.tree.n_leaves, graph.lines.top, graph.tree.leaf_energy.min()
    ax.set_xlim((-0.02 if style.size_bar is False else -0.09) * n, 1.02 * n)
    ax.set_ylim(low - 0.04 * (top - low), top)
    ax.set_xticks([])
    for side in ("top", "right", "bottom"):
        ax.spines[side].set_visible(False)
    units = graph.network.units
    label = "energy" if units == "reduced" else f"energy / {units}"
    ax.set_ylabel(label if style.energy_label is None else style.energy_label)
    ax.ticklabel_format(axis="y", useOffset=False)


def _colour_bar(ax: Axes, leaves: LineCollection, style: Style) -> None:
    name = style.colour.replace("_", " ") if isinstance(style.colour, str) else ""
    bar = ax.figure.colorbar(leaves, ax=ax, shrink=0.6, aspect=25, pad=0.03)
    bar.set_label(name if style.colour_label is None else style.colour_label)
    bar.outline.set_visible(False)
    bar.ax.ticklabel_format(axis="y", useOffset=False)


def round_length(span: float) -> float:
    """Return the largest of 1, 2 and 5 times a power of ten that is no more than a fifth of a span."""
    power = 10.0 ** np.floor(np.log10(span / 5))
    return float(power * max(step for step in (1, 2, 5) if step * power <= span / 5 * (1 + 1e-12)))


def _size_bar(graph: DisconnectivityGraph, ax: Axes, style: Style) -> None:
    """Draw a bar of a round amount of energy between the axis and the branches."""
    if style.size_bar is False:
        return
    low, high = ax.get_ylim()
    length = round_length(high - low) if style.size_bar is True else float(style.size_bar)
    base = low + 0.06 * (high - low)
    across = ax.get_yaxis_transform()
    ax.plot(
        [0.025, 0.025], [base, base + length], color="black", linewidth=1.5, transform=across, solid_capstyle="butt"
    )
    text = f"{length:g}" if graph.network.units == "reduced" else f"{length:g} {graph.network.units}"
    middle = base + length / 2
    ax.text(0.035, middle, text, transform=across, va="center", ha="left", rotation="vertical", fontsize="small")


def _named_minima(graph: DisconnectivityGraph, labels: Mapping[int, str] | Any) -> list[tuple[float, float, str]]:
    """Return position, energy and text of the minima to name; those not shown are left out."""
    if labels is None:
        return []
    chosen = minimum_indices("labels", list(labels), graph.network.n_minima)
    texts = [str(labels[int(i)]) if isinstance(labels, Mapping) else str(i) for i in chosen]
    leaf = {int(minimum): k for k, minimum in enumerate(graph.minima)}
    tree, x = graph.tree, graph.lines.x
    found = [(leaf[int(i)], text) for i, text in zip(chosen, texts, strict=True) if int(i) in leaf]
    return [(float(x[k]), float(tree.leaf_energy[k]), text) for k, text in found]
