"""``thalweg plot``, and the picture that ``thalweg explore`` leaves beside its store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

__all__ = ["ENDINGS", "draw_graph", "picture_beside", "run", "short_names"]

ENDINGS = (".png", ".pdf", ".svg")
_NAMED = 12


def picture_beside(store: Path) -> Path:
    """Return where the picture of a store goes: d1.zarr gets d1.png."""
    return store.with_suffix(".png") if store.suffix == ".zarr" else store.with_name(store.name + ".png")


def run(paths: tuple[Path, ...], output: Path | None, dpi: float, **given: Any) -> None:
    """Draw the graphs of stores into a file, and print its name.

    Parameters
    ----------
    paths : tuple of Path
        Stores, or folders with PATHSAMPLE's files.
    output : Path or None
        A PNG, PDF or SVG; beside the one store by default.
    dpi : float
        Of a PNG.
    **given
        Options of the command, see :func:`_graph` and :func:`_style`.

    Raises
    ------
    click.UsageError
        If the file would not be a PNG, PDF or SVG, or several stores have none.
    click.ClickException
        If there is no store, no minimum, no such property, or no such minimum.
    """
    if output is None and len(paths) > 1:
        raise click.UsageError("several graphs need --output")
    output = picture_beside(paths[0]) if output is None else output
    if output.suffix.lower() not in ENDINGS:
        raise click.UsageError(f"--output {output} must end in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}")
    try:
        if len(paths) > 1:
            _draw_several(paths, output, dpi, given)
        else:
            _draw_one(paths[0], output, dpi, given)
    except (OSError, ValueError, IndexError, TypeError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(output)


def draw_graph(store: Path, output: Path, colour: str | None = None) -> None:
    """Draw the disconnectivity graph of a store as ``thalweg plot`` does without options.

    Parameters
    ----------
    store, output : Path
        The landscape, and a PNG, PDF or SVG.
    colour : str, optional
        A property; the testing AUC where there is one, by default; "none" for black.

    Raises
    ------
    ValueError, OSError
        If there is nothing to show, or it cannot be read or written.
    """
    _draw_one(store, output, 200, {"colour": colour})


def _graph(path: Path, given: dict[str, Any]) -> Any:
    """Make the graph of a store with options ``levels``, ``emin``, ``lowest``, ``connected_to`` and so on."""
    from thalweg.analysis.disconnectivity.graph import DisconnectivityGraph
    from thalweg.analysis.networks.reading import read_network

    network = read_network(path)
    connected = given.get("connected_to")
    if connected is None and not given.get("all_components"):
        connected = network.global_minimum
    chosen = {name: given[name] for name in ("emin", "emax", "lowest", "monotonic") if given.get(name) is not None}
    return DisconnectivityGraph(network, given.get("levels", 50), connected_to=connected, **chosen)


def _draw_one(path: Path, output: Path, dpi: float, given: dict[str, Any]) -> None:
    from thalweg.analysis.networks.reading import is_network_loss

    graph = _graph(path, given)
    label = "loss" if is_network_loss(path) else None
    drawings = _drawings(path, graph, given.get("draw") or ())
    graph.save(
        output, dpi=dpi, energy_label=label, drawings=drawings, **_style([graph], given), **_labels(graph, given)
    )


def _draw_several(paths: tuple[Path, ...], output: Path, dpi: float, given: dict[str, Any]) -> None:
    from thalweg.analysis.disconnectivity.side_by_side import plot_graphs
    from thalweg.analysis.networks.reading import is_network_loss

    if given.get("labels") or given.get("draw"):
        raise click.UsageError("--labels and --draw name minima of one store")
    graphs = {name: _graph(path, given) for name, path in zip(short_names(paths), paths, strict=True)}
    style = _style(list(graphs.values()), given)
    if all(is_network_loss(path) for path in paths):
        style["energy_label"] = "loss"
    plot_graphs(graphs, same_energies=not given.get("own_scales"), **style).savefig(output, dpi=dpi)


def short_names(paths: tuple[Path, ...]) -> list[str]:
    """Return what to call each store: its name without .zarr, or its path where two have one name."""
    names = [path.name.removesuffix(".zarr") or str(path) for path in paths]
    return names if len(set(names)) == len(names) else [str(path) for path in paths]


def _style(graphs: list[Any], given: dict[str, Any]) -> dict[str, Any]:
    """Return options of the drawing; colours are those of the testing AUC where all have one."""
    keep = ("groups", "descendants", "widths", "linewidth")
    style = {name: given[name] for name in keep if given.get(name) is not None}
    colour = given.get("colour")
    if colour is None and "groups" not in style and all("test_auc" in graph.network.properties for graph in graphs):
        colour = "test_auc"
    if colour not in (None, "none"):
        style |= {"colour": colour, "colour_label": colour.replace("_", " ").replace("auc", "AUC")}
    return style


def _labels(graph: Any, given: dict[str, Any]) -> dict[str, Any]:
    """Return the minima to name; where there are few and nothing else is said, their energies."""
    if given.get("labels"):
        return {"labels": given["labels"]}
    if any(given.get(name) for name in ("groups", "draw")) or given.get("colour") not in (None, "none"):
        return {}
    if len(graph.minima) > _NAMED or ("test_auc" in graph.network.properties and given.get("colour") is None):
        return {}
    return {"labels": {int(i): f"{graph.network.energies[i]:.4f}" for i in graph.minima}}


def _drawings(path: Path, graph: Any, minima: tuple[int, ...]) -> dict[int, Any] | None:
    """Return structures, or decision maps of networks, to draw under chosen minima."""
    if not minima:
        return None
    from thalweg.analysis.arguments import minimum_indices
    from thalweg.analysis.networks.reading import is_network_loss, is_pathsample

    chosen = minimum_indices("--draw", minima, graph.network.n_minima)
    if is_pathsample(path):
        raise ValueError("--draw needs a store: PATHSAMPLE's folder says nothing of what its atoms are")
    from thalweg.landscapes import Landscape

    landscape = Landscape.open(path)
    if is_network_loss(path):
        return {int(i): _decision_map(landscape, int(i)) for i in chosen}
    if landscape.system.atoms is None:
        raise ValueError("--draw knows how to draw atoms and networks, and this is neither")
    return {int(i): landscape.system.subject(landscape.minima.coordinates[int(i)]) for i in chosen}


def _decision_map(landscape: Any, minimum: int) -> Any:
    from thalweg.analysis.prediction.decision_maps import plot_decision_map

    return lambda ax: plot_decision_map(
        landscape, minimum, ax, data=None, resolution=100, title="", legend=False, input_names=None
    )
