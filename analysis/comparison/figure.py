"""The figure of a comparison: graphs side by side; barriers, curvatures, heat capacities and degrees below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from thalweg.analysis.comparison.energies import band, barriers
from thalweg.analysis.comparison.shapes import mean_log_curvature
from thalweg.analysis.disconnectivity.graph import DisconnectivityGraph
from thalweg.analysis.kinetics.thermodynamics import Thermodynamics
from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork
from thalweg.potentials.conversion.printable import plain_label

__all__ = ["comparison_figure"]

_FLAT = 3.0  # times as high: then each graph has its own scale
_TEMPERATURES = np.geomspace(1e-3, 1.0, 80)  # in units of the band


def comparison_figure(
    networks: Mapping[str, KineticTransitionNetwork], known: Mapping[str, int] | None = None
) -> Figure:
    """Draw connected networks side by side, energies and temperatures in units of each one's band.

    Their graphs are on one scale, unless one is more than three times as high as another.

    Parameters
    ----------
    networks : mapping of str to KineticTransitionNetwork
        Each connected, see :func:`~thalweg.analysis.comparison.energies.connected_part`.
    known : mapping of str to int, optional
        Number of minima of each landscape, those not connected included: where it is larger, the figure says so.

    Returns
    -------
    matplotlib Figure
        Without pyplot.
    """
    n = len(networks)
    figure = Figure(figsize=(max(13.0, 3.6 * n), 8.5))  # places are fixed: constrained layout takes a second
    FigureCanvasAgg(figure)
    graphs = [_scaled(network) for network in networks.values()]
    own = _differ(graphs)
    above = figure.add_gridspec(1, n, left=0.05, right=0.99, top=0.96, bottom=0.43, wspace=0.12 if own else 0.06)
    below = figure.add_gridspec(1, 4, left=0.05, right=0.99, top=0.37, bottom=0.07, wspace=0.36)
    colours = [colormaps["tab10"](k % 10) for k in range(n)]
    names = [plain_label(name) for name in networks]
    axes = above.subplots(squeeze=False, sharey=not own)[0]
    _graphs(axes, graphs, names, colours, own)
    for ax, (name, network) in zip(axes, networks.items(), strict=True):
        if known is not None and known[name] > network.n_minima:
            ax.set_xlabel(f"{network.n_minima} of {known[name]} minima", fontsize="small")
    panels = below.subplots(squeeze=False)[0]
    for panel, draw in zip(panels, (_barriers, _curvatures, _heat_capacities, _degrees), strict=True):
        for name, network, colour in zip(names, networks.values(), colours, strict=True):
            draw(panel, name, network, colour)
        panel.spines[["top", "right"]].set_visible(False)
    _finish(panels)
    return figure


def _scaled(network: KineticTransitionNetwork) -> DisconnectivityGraph:
    """Return the graph of energies above the lowest, in bands."""
    width, zero = band(network) or 1.0, network.energies.min()
    return DisconnectivityGraph(
        KineticTransitionNetwork(
            (network.energies - zero) / width, (network.ts_energies - zero) / width, network.ts_minima
        )
    )


def _differ(graphs: Sequence[DisconnectivityGraph]) -> bool:
    """Say whether the heights differ so much that on one scale a graph would be flat."""
    tops = [graph.lines.top for graph in graphs]
    return max(tops) > _FLAT * min(tops)


def _graphs(
    axes: np.ndarray, graphs: Sequence[DisconnectivityGraph], names: Sequence[str], colours: list, own: bool
) -> None:
    top = max(graph.lines.top for graph in graphs)
    for k, (ax, graph, name) in enumerate(zip(axes, graphs, names, strict=True)):
        label = "energy above the lowest / band" if k == 0 else ""
        graph.plot(ax, size_bar=False, energy_label=label, branch_colour=colours[k])
        ax.set_title(name, fontsize="medium", color=colours[k])
        if own:
            ax.set_ylim(-0.04 * graph.lines.top, graph.lines.top)
        elif k:
            ax.spines["left"].set_visible(False)
            ax.tick_params(left=False, labelleft=False)
    if not own:
        axes[0].set_ylim(-0.04 * top, top)


def _barriers(ax: Axes, name: str, network: KineticTransitionNetwork, colour: tuple) -> None:
    width = band(network) or 1.0
    for values, style in zip(barriers(network), ("-", "--"), strict=True):
        ax.ecdf(np.maximum(values / width, 1e-12), color=colour, linestyle=style)


def _curvatures(ax: Axes, name: str, network: KineticTransitionNetwork, colour: tuple) -> None:
    minima = mean_log_curvature(network.log_eigenvalue_product, network.modes)
    states = mean_log_curvature(network.ts_log_eigenvalue_product, network.ts_modes)
    if minima is None:
        return
    for values, style in ((minima, "-"), (states, "--")):
        if values is not None:
            ax.ecdf(values - minima.mean(), color=colour, linestyle=style)


def _heat_capacities(ax: Axes, name: str, network: KineticTransitionNetwork, colour: tuple) -> None:
    """Draw heat capacity a mode, or nothing where there are no log eigenvalue products."""
    width = band(network) or 1.0
    try:
        thermal = Thermodynamics(network, _TEMPERATURES * width)
    except ValueError:
        return
    modes = 1.0 if network.modes is None else float(network.modes[network.global_minimum])
    ax.plot(_TEMPERATURES, thermal.heat_capacity / modes, color=colour)


def _degrees(ax: Axes, name: str, network: KineticTransitionNetwork, colour: tuple) -> None:
    values, counts = np.unique(network.degree, return_counts=True)
    share = counts[::-1].cumsum()[::-1] / network.n_minima
    ax.step(values, share, where="pre", color=colour, label=name, marker=".", markersize=3)


def _finish(panels: np.ndarray) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.ticker import LogLocator, NullFormatter

    def two(solid: str, dashed: str) -> list[Line2D]:
        return [
            Line2D([], [], color="0.3", linestyle="-", label=solid),
            Line2D([], [], color="0.3", linestyle="--", label=dashed),
        ]

    # over the panels, where no line is
    over: dict[str, Any] = {
        "frameon": False, "fontsize": "small", "ncols": 2, "loc": "lower left", "bbox_to_anchor": (0.0, 1.0),
        "borderaxespad": 0.2,
    }  # fmt: skip
    barrier, curvature, heat, degree = panels
    barrier.set(xscale="log", xlabel="barrier / band", ylabel="share at or below")
    low, high = barrier.get_xlim()
    barrier.set_xlim(max(low, high * 1e-6), high)
    barrier.legend(handles=two("uphill", "downhill"), **over)
    curvature.set(xlabel="mean ln eigenvalue (shifted)", ylabel="share at or below")
    curvature.legend(handles=two("minima", "transition states"), **over)
    heat.set(xscale="log", xlabel="temperature / band", ylabel="heat capacity a mode / $k_B$")
    degree.set(xscale="log", yscale="log", xlabel="degree", ylabel="share of that degree or more")
    # few degrees span less than a decade: labels of 2, 3, 4, 6 there would overlap
    degree.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    degree.xaxis.set_major_formatter("{x:g}")
    degree.xaxis.set_minor_formatter(NullFormatter())
    degree.legend(frameon=False, fontsize="small")
