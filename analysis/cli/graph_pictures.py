"""Pictures of disconnectivity graphs that ``thalweg plot`` and ``thalweg explore`` write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import click
from ase import Atoms
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from thalweg.analysis.cli.output_files import output_file, picture_metadata
from thalweg.analysis.cli.part_options import PartOptions
from thalweg.analysis.cli.plot import GraphOptions, StyleOptions
from thalweg.analysis.cli.rows import ALL, Row, checked_rows
from thalweg.analysis.cli.shared_options import short_names
from thalweg.analysis.disconnectivity.graph import DisconnectivityGraph
from thalweg.analysis.disconnectivity.side_by_side import plot_graphs
from thalweg.analysis.networks.network_reader import is_pathsample, read_network
from thalweg.landscapes import Landscape
from thalweg.optimizers.pictures.files import save_figure
from thalweg.potentials.conversion.printable import plain_label

__all__ = ["draw_graph", "draw_several_graphs"]

_WIDEST = 5.0  # points: the line with everything under it
_NAMED = 12  # minima whose energies are written under their branches, at most

_Drawing: TypeAlias = Atoms | Callable[[Axes], object]


def draw_graph(
    store: Path,
    output: Path,
    graph: GraphOptions | None = None,
    style: StyleOptions | None = None,
    part: PartOptions | None = None,
    *,
    overwrite: bool = False,
) -> list[str]:
    """Draw the disconnectivity graph of a store, and say what it leaves out.

    Parameters
    ----------
    store : Path
        The landscape, or a folder with PATHSAMPLE's files.
    output : Path
        PNG, PDF or SVG file.
    graph : GraphOptions, optional
        Minima and energies to show; the defaults of ``thalweg plot`` where missing.
    style : StyleOptions, optional
        Colours and labels; the defaults of ``thalweg plot`` where missing.
    part : PartOptions, optional
        Limits of the part of the network that is drawn; the whole where missing.
    overwrite : bool
        Whether to replace a file that Thalweg did not draw.

    Returns
    -------
    list of str
        Lines that say how many minima are shown and why the others are not; empty where all are.

    Raises
    ------
    ValueError, TypeError, IndexError, OSError
        If there is nothing to show, an option makes no sense, or a file cannot be read or written.
    """
    style = StyleOptions() if style is None else style
    graph = GraphOptions() if graph is None else graph
    part = PartOptions() if part is None else part
    tree = _graph(store, graph, part)
    with output_file(output, overwrite) as file:
        tree.save(
            file,
            dpi=style.dpi,
            metadata=picture_metadata(file),
            drawings=_drawings(store, tree, style.draw or ()),
            **_style([tree], style),
            **_labels(tree, style),
        )
    return _left_out("", tree, graph, part)


def _left_out(name: str, tree: DisconnectivityGraph, options: GraphOptions, part: PartOptions) -> list[str]:
    """Return a line about the minima that a graph does not show; none where it shows all."""
    shown, known = len(tree.minima), tree.network.n_minima
    if shown == known:
        return []
    reasons = list(part.given)
    if options.connected_to is not None:
        reasons.append("--connected-to")
    elif not options.all_components and tree.network.n_components > 1:
        reasons.append("minima not connected to the lowest, which --all-components shows")
    reasons += [f"--{name}" for name in ("lowest", "monotonic", "emax") if getattr(options, name) not in (None, False)]
    return [f"{name}{shown} of {known} minima are shown; left out by: {', '.join(reasons)}"]


def draw_several_graphs(
    paths: Sequence[Path],
    output: Path,
    graph: GraphOptions,
    style: StyleOptions,
    part: PartOptions,
    *,
    overwrite: bool,
) -> list[str]:
    """Draw the graphs of several stores side by side; parameters, result and errors as in :func:`draw_graph`."""
    if style.labels or style.draw:
        raise click.UsageError("--labels and --draw name minima of one store")
    graphs = {
        plain_label(name): _graph(path, graph, part) for name, path in zip(short_names(paths), paths, strict=True)
    }
    chosen = _style(list(graphs.values()), style)
    units = sorted({tree.network.units for tree in graphs.values()})
    if len(units) > 1 and not style.own_scales:
        raise ValueError(f"energies are in {' and '.join(units)}: give --own-scales")
    figure = plot_graphs(graphs, same_energies=not style.own_scales, **chosen)
    with output_file(output, overwrite) as file:
        save_figure(figure, file, dpi=style.dpi, metadata=picture_metadata(file))
    return [line for name, tree in graphs.items() for line in _left_out(f"{name}: ", tree, graph, part)]


def _graph(path: Path, options: GraphOptions, part: PartOptions) -> DisconnectivityGraph:
    kept = part.of(read_network(path))
    network = kept.within_whole
    connected: ArrayLike | None = None
    if options.connected_to is not None:
        connected = checked_rows("--connected-to", options.connected_to, network.energies)
        kept.inside("--connected-to", connected)
    elif not options.all_components:
        connected = kept.minima[kept.network.global_minimum]
    elif part.given:
        connected = kept.minima
    return DisconnectivityGraph(
        network,
        options.levels,
        emin=options.emin,
        emax=options.emax,
        lowest=options.lowest,
        connected_to=connected,
        monotonic=options.monotonic,
    )


def _style(graphs: Sequence[DisconnectivityGraph], options: StyleOptions) -> dict[str, Any]:
    """Return arguments of `DisconnectivityGraph.plot`; the testing AUC gives the colours where all graphs have it."""
    if options.colour not in (None, "none") and options.groups is not None:
        raise ValueError("--colour and --groups both say how to colour the branches: give one of them")
    names = ("groups", "descendants", "widths", "linewidth", "title", "cmap", "vmin", "vmax")
    style = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    if options.title is not None:
        style["title"] = plain_label(options.title)
    if options.widths is not None and options.linewidth is not None:
        style["widest"] = max(_WIDEST, options.linewidth)
    colour = options.colour
    if colour is None and options.groups is None and all("test_auc" in graph.network.properties for graph in graphs):
        colour = "test_auc"
    if colour not in (None, "none"):
        style |= {"colour": colour, "colour_label": plain_label(colour.replace("_", " ").replace("auc", "AUC"))}
    for name in ("descendants", "cmap", "vmin", "vmax"):
        wanted = "--colour or --groups" if name == "descendants" else "--colour"
        if name in style and "colour" not in style and not (name == "descendants" and "groups" in style):
            raise ValueError(f"--{name} needs {wanted}: without, the branches have no colours")
    return style


def _labels(graph: DisconnectivityGraph, options: StyleOptions) -> dict[str, Any]:
    """Return the minima to label: those asked for, else all with number and energy if they are few and uncoloured."""
    if options.labels == (ALL,):
        return {"labels": [int(i) for i in graph.minima]}
    if options.labels:
        return {"labels": checked_rows("--labels", options.labels, graph.network.energies)}
    if options.groups or options.draw or options.colour not in (None, "none"):
        return {}
    if len(graph.minima) > _NAMED or ("test_auc" in graph.network.properties and options.colour is None):
        return {}
    return {"labels": {int(i): f"{i}: {graph.network.energies[i]:.4f}" for i in graph.minima}}


def _drawings(path: Path, graph: DisconnectivityGraph, minima: Sequence[Row]) -> dict[int, _Drawing] | None:
    """Return structures, or decision maps of networks, to draw under chosen minima."""
    if not minima:
        return None
    chosen = checked_rows("--draw", minima, graph.network.energies)
    if is_pathsample(path):
        raise ValueError("--draw needs a store: PATHSAMPLE's files do not name the atoms")
    landscape = Landscape.open(path)
    if graph.network.quantity == "loss":
        return {i: _decision_map(landscape, i) for i in chosen}
    if landscape.geometry.atoms is None:
        raise ValueError("--draw draws atoms and networks; this store holds neither")
    return {i: landscape.geometry.subject(landscape.minima.coordinates[i]) for i in chosen}


def _decision_map(landscape: Landscape, minimum: int) -> Callable[[Axes], Axes]:
    from thalweg.analysis.prediction.decision_maps import plot_decision_map  # only where networks are drawn

    return lambda ax: plot_decision_map(
        landscape, minimum, ax, data=None, resolution=100, title="", legend=False, input_names=None
    )
