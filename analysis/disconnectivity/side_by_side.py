"""Several disconnectivity graphs side by side, on one scale of energy and one of colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from numpy.typing import NDArray

from thalweg.analysis.disconnectivity.colour_maps import colour_map, colour_range, colour_values
from thalweg.analysis.disconnectivity.drawing import round_length
from thalweg.analysis.disconnectivity.graph import DisconnectivityGraph
from thalweg.potentials.conversion.printable import plain_label

if TYPE_CHECKING:
    from typing import Unpack

    from thalweg.analysis.disconnectivity.style import StyleOptions

__all__ = ["plot_graphs"]


def plot_graphs(
    graphs: Mapping[str, DisconnectivityGraph] | Sequence[DisconnectivityGraph],
    *,
    figsize: tuple[float, float] | None = None,
    same_energies: bool = True,
    **style: Unpack[StyleOptions],
) -> Figure:
    """Draw graphs side by side.

    Parameters
    ----------
    graphs : mapping of str to DisconnectivityGraph, or sequence
        With a mapping, its names stand over the graphs.
    figsize : (float, float), optional
        In inches; 4 by 6 for each graph by default.
    same_energies : bool
        Whether all have one scale of energy.
    **style
        As for :meth:`DisconnectivityGraph.plot`. ``colour`` is the name of a property of all the networks, and colours
        mean the same in all of them; ``labels`` and ``drawings`` are for one graph alone.

    Returns
    -------
    matplotlib Figure
        Without pyplot; ``savefig`` writes it.

    Raises
    ------
    ValueError, TypeError
        If there are no graphs, they differ in the unit of energy, or an argument makes no sense for several.

    Examples
    --------
    >>> from thalweg.analysis import DisconnectivityGraph, KineticTransitionNetwork, plot_graphs
    >>> one = DisconnectivityGraph(KineticTransitionNetwork([0.0, 1.0], [2.0], [[0, 1]]))
    >>> two = DisconnectivityGraph(KineticTransitionNetwork([0.0, 1.5], [3.0], [[0, 1]]))
    >>> figure = plot_graphs({"one": one, "two": two}, colour="energy")
    >>> [ax.get_title() for ax in figure.axes[:2]]
    ['one', 'two']
    """
    named = graphs if isinstance(graphs, Mapping) else {f"{k}": graph for k, graph in enumerate(graphs)}
    _check(named, same_energies, style)
    figure = Figure(figsize=figsize or (1.0 + 4.0 * len(named), 6.0), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, len(named), squeeze=False, sharey=same_energies)[0]
    mappable = _common_colours(named, style)
    low, top = _span(named)
    if same_energies and style.get("size_bar", True) is True:
        style["size_bar"] = round_length(top - low)
    for ax, (name, graph) in zip(axes, named.items(), strict=True):
        _plot_one(ax, graph, style, ax is axes[0] or not same_energies)
        if isinstance(graphs, Mapping):
            ax.set_title(name, fontsize="medium")
    if same_energies:
        axes[0].set_ylim(low - 0.04 * (top - low), top)
    if style.get("title") is not None:
        figure.suptitle(str(style["title"]), fontsize="medium")
    if mappable is not None:
        _one_colour_bar(figure, axes, mappable, style)
    return figure


def _plot_one(ax: Axes, graph: DisconnectivityGraph, style: StyleOptions, with_energies: bool) -> None:
    """Draw one of several graphs; the energy axis stands at the first only where all share it."""
    mine = style.copy()
    mine.pop("title", None)
    if not with_energies:
        mine["energy_label"], mine["size_bar"] = "", False
    graph.plot(ax, **mine)
    if not with_energies:
        ax.spines["left"].set_visible(False)
        ax.tick_params(left=False, labelleft=False)


def _one_colour_bar(figure: Figure, axes: NDArray[np.object_], mappable: ScalarMappable, style: StyleOptions) -> None:
    bar = figure.colorbar(mappable, ax=axes, shrink=0.6, aspect=25, pad=0.02)
    bar.set_label(style.get("colour_label") or plain_label(str(style["colour"]).replace("_", " ")))
    bar.outline.set_visible(False)


def _check(named: Mapping[str, DisconnectivityGraph], same_energies: bool, style: StyleOptions) -> None:
    if not named:
        raise ValueError("graphs is empty: there is nothing to draw")
    if len(named) > 1 and (style.get("labels") or style.get("drawings")):
        raise ValueError("labels and drawings name minima of one network; draw that graph alone, or on axes of its own")
    units = {graph.network.units for graph in named.values()}
    if same_energies and len(units) > 1:
        raise ValueError(f"graphs differ in their unit of energy ({', '.join(sorted(units))}); use same_energies=False")
    if style.get("colour") is not None and not isinstance(style["colour"], str):
        raise TypeError("colour must be the name of a property that all networks have")


def _common_colours(named: Mapping[str, DisconnectivityGraph], style: StyleOptions) -> ScalarMappable | None:
    """Put one range of colours into the style, and return what the one colour bar shows; None without colours."""
    colour = style.get("colour")
    if colour is None:
        return None
    values = [colour_values(graph.network, colour)[graph.minima] for graph in named.values()]
    norm = colour_range(np.concatenate(values), style.get("vmin"), style.get("vmax"))
    style["vmin"], style["vmax"] = norm.vmin, norm.vmax
    wanted = style.get("colour_bar", True)
    style["colour_bar"] = False
    return ScalarMappable(norm, colour_map(style.get("cmap"))) if wanted else None


def _span(named: Mapping[str, DisconnectivityGraph]) -> tuple[float, float]:
    """Return the lowest minimum and the highest top of all graphs."""
    low = min(graph.tree.leaf_energy.min() for graph in named.values())
    return float(low), max(graph.lines.top for graph in named.values())
