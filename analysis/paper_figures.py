"""The paper's figures: graphs in its arrangement of panels, box plots, and counts against time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure

from thalweg.analysis.colours import colour_map, colour_range
from thalweg.analysis.disconnectivity import DisconnectivityGraph
from thalweg.analysis.network import KineticTransitionNetwork

__all__ = ["box_figure", "graph_figure", "growth_figure"]

_PANEL = 4.2  # inches


def _empty_figure(rows: int, columns: int, width: float, height: float) -> tuple[Figure, np.ndarray]:
    figure = Figure(figsize=(1.2 + width * columns, 0.6 + height * rows), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, squeeze=False)


def graph_figure(
    entry: Mapping[str, Any],
    networks: Sequence[KineticTransitionNetwork | None],
    ceiling: float | None = None,
    most: int | None = None,
) -> Figure:
    """Draw disconnectivity graphs in rows and columns, on one scale of colours, each on its own of losses.

    Parameters
    ----------
    entry : mapping
        Of a figure in the definition: colour, shape, panels, and lowest where only so many minima are shown.
    networks : sequence of KineticTransitionNetwork or None
        One a panel; None where there is none yet, which leaves the panel empty.
    ceiling : float, optional
        The highest AUC that can be had, marked at the colour bar.
    most : int, optional
        Show no more minima, those of lowest loss.
    """
    rows, columns = entry["shape"]
    figure, axes = _empty_figure(rows, columns, _PANEL, _PANEL)
    shown = [None if network is None else _graph(network, entry.get("lowest"), most) for network in networks]
    known = [graph.network.properties[entry["colour"]][graph.minima] for graph in shown if graph is not None]
    norm = colour_range(np.concatenate(known) if known else np.zeros(0), None, None)
    style = {"colour": entry["colour"], "vmin": norm.vmin, "vmax": norm.vmax, "colour_bar": False}
    for ax, graph, (_, _, title) in zip(axes.flat, shown, entry["panels"], strict=True):
        if graph is None:
            _leave_empty(ax, title)
            continue
        graph.plot(ax, energy_label="loss", size_bar=False, **style)
        total = graph.network.n_minima
        ax.set_title(f"{title}: {len(graph.minima):,} of {total:,} minima", fontsize="medium")
    _colours(figure, axes, norm, entry["colour"], ceiling)
    return figure


def _graph(network: KineticTransitionNetwork, lowest: int | None, most: int | None) -> DisconnectivityGraph:
    few = [limit for limit in (lowest, most) if limit is not None]
    return DisconnectivityGraph(network, 100, connected_to=network.global_minimum, lowest=min(few) if few else None)


def _leave_empty(ax: Any, title: str) -> None:
    ax.set_axis_off()
    ax.set_title(title, fontsize="medium")
    ax.text(0.5, 0.5, "not explored yet", ha="center", va="center", transform=ax.transAxes, color="grey")


def _colours(figure: Figure, axes: np.ndarray, norm: Any, colour: str, ceiling: float | None) -> None:
    """Draw the one colour bar, and on it the ceiling where it lies within."""
    bar = figure.colorbar(ScalarMappable(norm, colour_map(None)), ax=axes, shrink=0.6, aspect=30, pad=0.02)
    name = colour.replace("test", "testing").replace("train", "training").replace("_auc", " AUC")
    best = "" if ceiling is None else f" (ceiling with r12 and r13, clean labels: {ceiling:.4f})"
    bar.set_label(f"{name}{best}")
    bar.outline.set_visible(False)
    if ceiling is not None and norm.vmin <= ceiling <= norm.vmax:
        bar.ax.axhline(ceiling, color="black", linewidth=1.5)


def box_figure(groups: Mapping[str, Mapping[float, np.ndarray]]) -> Figure:
    """Draw box plots side by side: boxes from the first to the third quartile, a band at the median.

    Parameters
    ----------
    groups : mapping of str to mapping of float to (n,) ndarray
        For each panel, named as its axis: values over minima by percentage of label errors.
    """
    figure, axes = _empty_figure(1, len(groups), 4.5, 3.8)
    for k, (ax, (name, boxes)) in enumerate(zip(axes.flat, groups.items(), strict=True)):
        if not boxes:
            _leave_empty(ax, name)
            continue
        errors = sorted(boxes)
        values = [boxes[error][np.isfinite(boxes[error])] for error in errors]
        ax.boxplot(values, tick_labels=[f"{error:g}" for error in errors], widths=0.6)
        ax.set_xlabel("label errors (%)")
        ax.set_ylabel(name)
        ax.set_title(f"({'abcdefgh'[k]})", loc="left", fontsize="medium")
    return figure


def growth_figure(stages: Mapping[str, Sequence[Sequence[float]]]) -> Figure:
    """Draw numbers of minima (full) and transition states (dashed) against the time of searching.

    Parameters
    ----------
    stages : mapping of str to sequence of (searches, seconds, minima, transition states)
        For each landscape.
    """
    figure, axes = _empty_figure(1, 1, 6.5, 4.2)
    ax = axes[0, 0]
    for k, (name, rows) in enumerate(stages.items()):
        _, seconds, minima, states = np.array(rows, dtype=np.float64).T
        ax.plot(seconds / 60, minima, color=f"C{k % 10}", marker=".", label=name)
        ax.plot(seconds / 60, states, color=f"C{k % 10}", marker=".", linestyle="--")
    ax.set(xlabel="minutes of searching", ylabel="minima (full), transition states (dashed)", yscale="log")
    ax.legend(fontsize="x-small", ncols=2, frameon=False)
    return figure
