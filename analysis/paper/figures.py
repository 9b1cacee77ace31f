"""Figures of the paper: graphs in its arrangement of panels, box plots, and counts against time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any, NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from thalweg.analysis.comparison.energies import lowest_connected
from thalweg.analysis.disconnectivity.colour_maps import RED_TO_BLUE, colour_map, colour_range
from thalweg.analysis.disconnectivity.graph import DisconnectivityGraph
from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork
from thalweg.analysis.paper.stopping_rule import Stage

__all__ = ["Panel", "box_figure", "graph_figure", "growth_figure", "points_figure"]

_PANEL = 4.2  # inches
_TITLE = 48  # letters in a line of its title
_SOON = 0.1  # seconds, the earliest time on a logarithmic axis


def _empty_figure(rows: int, columns: int, width: float, height: float) -> tuple[Figure, np.ndarray]:
    figure = Figure(figsize=(1.2 + width * columns, 0.6 + height * rows), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, squeeze=False)


class Panel(NamedTuple):
    """Graph of a figure: its title, the landscape (None where it is not explored), and whether that still grows."""

    title: str
    network: KineticTransitionNetwork | None = None
    growing: bool = False


def graph_figure(
    entry: Mapping[str, Any], panels: Sequence[Panel], ceiling: float | None = None, most: int | None = None
) -> Figure:
    """Draw disconnectivity graphs in rows and columns, each on its own scale of losses.

    Parameters
    ----------
    entry : mapping
        Figure of the definition: colour, shape; lowest where only that number of minima is shown, own_colours where
        each panel has its own scale of colours, cmap for another colour map than the published one.
    panels : sequence of Panel
        Panels row by row.
    ceiling : float, optional
        Highest possible AUC, marked at the colour bar.
    most : int, optional
        Largest number of minima, those of lowest loss.
    """
    rows, columns = entry["shape"]
    figure, axes = _empty_figure(rows, columns, _PANEL, _PANEL)
    shown = [None if one.network is None else _graph(one.network, entry.get("lowest"), most) for one in panels]
    values = [None if graph is None else _values(graph, entry["colour"]) for graph in shown]
    known = [of[graph.minima] for graph, of in zip(shown, values, strict=True) if graph is not None and of is not None]
    common = colour_range(np.concatenate(known) if known else np.zeros(0), None, None)
    own, cmap = entry.get("own_colours", False), entry.get("cmap", RED_TO_BLUE.name)
    for ax, graph, colour, panel in zip(axes.flat, shown, values, panels, strict=True):
        if graph is None or colour is None:
            _leave_empty(ax, panel.title)
            continue
        norm = colour_range(colour[graph.minima], None, None) if own else common
        graph.plot(
            ax, colour=colour, colour_bar=False, energy_label="loss", size_bar=False, vmin=norm.vmin, vmax=norm.vmax,
            cmap=cmap, show_count=False,
        )  # fmt: skip
        if own:
            _colours(figure, ax, norm, cmap, "", ceiling)
        ax.set_title(_said(panel, graph), fontsize="medium")
    if own:
        figure.suptitle(_meaning(entry["colour"], ceiling), fontsize="medium")
    elif known:
        _colours(figure, axes, common, cmap, _meaning(entry["colour"], ceiling), ceiling)
    return figure


def _values(graph: DisconnectivityGraph, name: str) -> np.ndarray:
    """Return a property of the minima, NaN where it has not been computed."""
    network = graph.network
    return np.asarray(network.properties.get(name, np.full(network.n_minima, np.nan)))


def _said(panel: Panel, graph: DisconnectivityGraph) -> str:
    """Return a panel's title: the number of minima, and whether the landscape still grows."""
    shown, total = len(graph.minima), graph.network.n_minima
    counts = f"{'' if shown == total else f'{shown:,} of '}{total:,} {'minimum' if total == 1 else 'minima'}"
    said = f"{panel.title}: {counts}{', still growing' if panel.growing else ''}"
    return said if len(said) <= _TITLE else said.replace(": ", "\n", 1)


def _meaning(colour: str, ceiling: float | None) -> str:
    name = colour.replace("test", "testing").replace("train", "training").replace("_auc", " AUC")
    return name if ceiling is None else f"{name} (ceiling with r12 and r13, clean labels: {ceiling:.4f})"


def _graph(network: KineticTransitionNetwork, lowest: int | None, most: int | None) -> DisconnectivityGraph:
    few = min((limit for limit in (lowest, most) if limit is not None), default=None)
    anchor = network.global_minimum
    # minima that are not joined yet stand apart; they are left out only where they are the smaller part of the lowest
    connected = lowest_connected(network, few)
    joined = 2 * np.sum(connected) >= len(connected)
    return DisconnectivityGraph(network, 100, connected_to=anchor if joined else None, lowest=few)


def _leave_empty(ax: Axes, title: str) -> None:
    ax.set_axis_off()
    ax.set_title(title, fontsize="medium")
    ax.text(0.5, 0.5, "not explored yet", ha="center", va="center", transform=ax.transAxes, color="grey")


def _colours(
    figure: Figure, axes: Axes | np.ndarray, norm: Normalize, cmap: str, label: str, ceiling: float | None
) -> None:
    """Draw a colour bar, and the ceiling on it where it lies within the scale."""
    bar = figure.colorbar(ScalarMappable(norm, colour_map(cmap)), ax=axes, shrink=0.6, aspect=30, pad=0.02)
    bar.set_label(label)
    bar.outline.set_visible(False)
    low, high = norm.vmin, norm.vmax
    if ceiling is not None and low is not None and high is not None and low <= ceiling <= high:
        bar.ax.axhline(ceiling, color="black", linewidth=1.5)


def box_figure(groups: Mapping[str, Mapping[str, np.ndarray]]) -> Figure:
    """Draw box plots side by side: boxes from the first to the third quartile, a band at the median.

    Parameters
    ----------
    groups : mapping of str to mapping of str to (n,) ndarray
        Values over minima by percentage of label errors, for each panel, which has the name of its axis.
    """
    figure, axes = _empty_figure(1, len(groups), 4.5, 3.8)
    for k, (ax, (name, boxes)) in enumerate(zip(axes.flat, groups.items(), strict=True)):
        known = {label: values[np.isfinite(values)] for label, values in boxes.items()}
        known = {label: values for label, values in known.items() if len(values)}
        if not known:
            _leave_empty(ax, name)
            continue
        ax.boxplot(list(known.values()), tick_labels=list(known), widths=0.6, flierprops={"markersize": 3})
        ax.spines[["top", "right"]].set_visible(False)
        still = ", * sample not finished" if any("*" in label for label in known) else ""
        ax.set(xlabel=f"label errors (%){still}", ylabel=name)
        ax.set_title(f"({'abcdefgh'[k]})", loc="left", fontsize="medium")
    return figure


def points_figure(columns: Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]]) -> Figure:
    """Draw the numbers of every draw, a row of panels for each measure and a column for each table.

    Parameters
    ----------
    columns : mapping
        Of each table, by its name, of each measure, the numbers of the draws by the name of the table's row. All tables
        have the same measures.
    """
    measures = list(next(iter(columns.values())))
    figure, axes = _empty_figure(len(measures), len(columns), 3.0, 2.2)
    for column, (name, numbers) in zip(axes.T, columns.items(), strict=True):
        for ax, (measure, rows) in zip(column, numbers.items(), strict=True):
            for at, values in enumerate(rows.values()):
                ax.plot([at] * len(values), values, "o", color=colormaps["tab10"](at % 10), alpha=0.6, markersize=4)
            ax.set_xticks(range(len(rows)), [])
            ax.set_xlim(-0.5, len(rows) - 0.5)
            ax.spines[["top", "right"]].set_visible(False)
            ax.set_ylabel(measure.replace("_", " ") if ax in axes[:, 0] else "")
        column[0].set_title(name, fontsize="medium")
        column[-1].set_xticks(range(len(rows)), [row.removeprefix(f"{name}-") for row in rows], rotation=90)
    for row in axes:  # one scale for each measure
        low, high = (end(ax.get_ylim()[k] for ax in row) for k, end in enumerate((min, max)))
        for ax in row:
            ax.set_ylim(low, high)
    return figure


def growth_figure(stages: Mapping[str, Sequence[Stage]]) -> Figure:
    """Draw numbers of minima (full) and transition states (dashed) against the time of searching.

    Parameters
    ----------
    stages : mapping of str to sequence of Stage
        Stages of each landscape, by name.
    """
    figure, axes = _empty_figure(1, 1, 8.0, 4.2)
    ax = axes[0, 0]
    colours = colormaps["tab20"](range(20))
    for (name, rows), colour in zip(stages.items(), cycle(colours)):
        minutes = np.maximum([stage.seconds for stage in rows], _SOON) / 60
        states = [stage.transition_states for stage in rows]
        ax.plot(minutes, [stage.minima for stage in rows], color=colour, marker=".", label=name)
        if any(states):  # none where minima are only sampled
            ax.plot(minutes, states, color=colour, marker=".", linestyle="--")
    ax.set(xlabel="minutes of searching", ylabel="minima (full), transition states (dashed)")
    ax.set_xscale("log")
    ax.set_yscale("symlog")
    ax.set_ylim(bottom=0)
    ax.spines[["top", "right"]].set_visible(False)
    if stages:
        ax.legend(fontsize="x-small", frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure
