"""Drawing a disconnectivity graph on matplotlib axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from numpy.typing import ArrayLike, NDArray

from thalweg.analysis.arguments import minimum_indices
from thalweg.analysis.disconnectivity.branch_colours import Paint, painted
from thalweg.analysis.disconnectivity.branch_lines import BranchLines
from thalweg.analysis.disconnectivity.branch_widths import branch_widths
from thalweg.analysis.disconnectivity.line_raster import CrowdedLines
from thalweg.analysis.disconnectivity.thumbnails import Thumbnail, add_thumbnails, thumbnails
from thalweg.optimizers.pictures.labels import PointLabel, add_labels
from thalweg.potentials.conversion.printable import energy_label, plain_label

if TYPE_CHECKING:
    from thalweg.analysis.disconnectivity.graph import DisconnectivityGraph
    from thalweg.analysis.disconnectivity.style import Style

__all__ = ["draw", "round_length"]

# matplotlib takes 25 microseconds a line, and vector files with more lines than this are slow to open.
_CROWDED_FROM = 20_000

_BAR = 60.0  # points that a colour bar takes with its numbers and its name

_COLOURED = 0.6  # points: thinner lines of many minima lose their colour to the white between them


def draw(graph: DisconnectivityGraph, ax: Axes, style: Style) -> Axes:
    """Draw a graph on axes; everything is checked before the axes change."""
    paint = painted(graph, style)
    named = _named_minima(graph, style.labels)
    shown = thumbnails(graph, style.drawings, style.drawing_size)
    thin = min(1.0, max(0.1, 300.0 / graph.tree.n_leaves)) if style.linewidth is None else float(style.linewidth)
    widths = branch_widths(graph, style.widths, thin, style.widest)
    if style.linewidth is None and len(paint.leaves) > 1:
        n = graph.tree.n_leaves
        widths[:n] = np.maximum(widths[:n], _COLOURED)
    _add_lines(graph, ax, paint, widths)
    _frame(graph, ax, style)
    _room_below(ax, shown)
    _size_bar(graph, ax, style)
    add_labels(ax, named)
    add_thumbnails(ax, shown)
    _say_what_is_shown(graph, ax, style)
    if paint.mappable is not None and style.colour_bar is not False:
        _colour_bar(ax, paint.mappable, style)
    if paint.legend and style.legend:
        _legend(ax, paint)
    return ax


def _add_lines(graph: DisconnectivityGraph, ax: Axes, paint: Paint, widths: NDArray[np.float64]) -> None:
    """Add superbasins first, so that the branches of minima lie over them."""
    n = graph.tree.n_leaves
    crowded = n > _CROWDED_FROM
    for lines, colours, width, minima in (
        (graph.lines.branches, paint.branches, widths[n:], None),
        (graph.lines.leaves, paint.leaves, widths[:n], graph.minima),
    ):
        if crowded:
            artist = CrowdedLines(lines, colours, width)
            artist.set_clip_path(ax.patch)
            ax.add_artist(artist)
            continue
        collection = BranchLines(
            list(lines),
            minima,
            linewidths=width,
            colors=colours,
            capstyle="projecting",
            joinstyle="round",
            in_layout=False,  # inside the axes anyway, and measuring them takes as long as drawing
        )
        ax.add_collection(collection, autolim=False)


def _frame(graph: DisconnectivityGraph, ax: Axes, style: Style) -> None:
    """Leave of the axes' box only the energies at the left."""
    n, top, low = graph.tree.n_leaves, graph.lines.top, graph.tree.leaf_energy.min()
    ax.set_xlim((-0.02 if style.size_bar is False else -0.09) * n, 1.02 * n)
    ax.set_ylim(low - 0.04 * (top - low), top)
    ax.set_xticks([])
    for side in ("top", "right", "bottom"):
        ax.spines[side].set_visible(False)
    said = energy_label(graph.network.quantity, graph.network.units)
    ax.set_ylabel(said if style.energy_label is None else style.energy_label)
    ax.ticklabel_format(axis="y", useOffset=False)


def _room_below(ax: Axes, shown: list[Thumbnail]) -> None:
    """Lower the bottom of the axes so that thumbnails stand below the deepest minimum."""
    if shown:
        low, high = ax.get_ylim()
        room = max(thumbnail.height(ax) for thumbnail in shown) + 0.05
        ax.set_ylim((low - room * high) / (1 - room), high)


def _colour_bar(ax: Axes, mappable: ScalarMappable, style: Style) -> None:
    name = plain_label(style.colour.replace("_", " ")) if isinstance(style.colour, str) else ""
    beside = [ax] if isinstance(style.colour_bar, bool) else _axes_of(style.colour_bar)
    # layouts make room by themselves
    part = 0.15 if ax.figure.get_layout_engine() is not None else _bar_fraction(beside)
    bar = ax.figure.colorbar(
        mappable, ax=beside if len(beside) > 1 else beside[0], shrink=0.6, aspect=25, pad=0.03, fraction=part
    )
    bar.set_label(name if style.colour_label is None else style.colour_label)
    bar.outline.set_visible(False)
    bar.ax.ticklabel_format(axis="y", useOffset=False)


def _axes_of(given: Axes | Sequence[Axes]) -> list[Axes]:
    return [given] if isinstance(given, Axes) else list(given)


def _bar_fraction(axes: Sequence[Axes]) -> float:
    """Return the part of the axes' width that a colour bar and its numbers take."""
    boxes = [ax.get_position() for ax in axes]
    width = max(box.x1 for box in boxes) - min(box.x0 for box in boxes)
    points = width * axes[0].get_figure(root=True).get_figwidth() * 72  # type: ignore[union-attr]
    return float(min(0.5, _BAR / points))


def _say_what_is_shown(graph: DisconnectivityGraph, ax: Axes, style: Style) -> None:
    """Write the title, and the number of minima under the graph where it leaves some out."""
    if style.title is not None:
        ax.set_title(style.title, fontsize="medium")
    if style.show_count and graph.tree.n_leaves < graph.network.n_minima:
        ax.set_xlabel(f"{graph.tree.n_leaves} of {graph.network.n_minima} minima", fontsize="small")


def _legend(ax: Axes, paint: Paint) -> None:
    """Name the groups at the right, where no branch is."""
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=colour, linewidth=2, label=name) for name, colour in paint.legend]
    ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize="small")


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
    base = max(low + 0.06 * (high - low), float(graph.tree.leaf_energy.min()) if style.drawings else low)
    across = ax.get_yaxis_transform()
    ax.plot(
        [0.025, 0.025], [base, base + length], color="black", linewidth=1.5, transform=across, solid_capstyle="butt"
    )
    units = "" if graph.network.units == "reduced" else f" {plain_label(graph.network.units)}"
    middle, text = base + length / 2, f"{length:g}{units}"
    ax.text(0.035, middle, text, transform=across, va="center", ha="left", rotation="vertical", fontsize="small")


def _named_minima(graph: DisconnectivityGraph, labels: Mapping[int, str] | ArrayLike | None) -> list[PointLabel]:
    """Return the labels of the minima to name; those not shown are left out."""
    if labels is None:
        return []
    chosen = minimum_indices("labels", list(labels), graph.network.n_minima)  # type: ignore[arg-type]
    texts = [str(labels[int(i)]) if isinstance(labels, Mapping) else str(i) for i in chosen]
    leaf = graph.leaf_of(chosen)
    tree, x = graph.tree, graph.lines.x
    return [
        PointLabel(float(x[k]), float(tree.leaf_energy[k]), text) for k, text in zip(leaf, texts, strict=True) if k >= 0
    ]
