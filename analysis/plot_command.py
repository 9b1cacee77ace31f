"""``thalweg plot``, and the picture that ``thalweg explore`` leaves beside its store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

__all__ = ["draw_graph", "picture_beside", "run"]

_ENDINGS = (".png", ".pdf", ".svg")
_NAMED = 12


def picture_beside(store: Path) -> Path:
    """Return where the picture of a store goes: d1.zarr gets d1.png."""
    return store.with_suffix(".png") if store.suffix == ".zarr" else store.with_name(store.name + ".png")


def run(
    path: Path, output: Path | None, colour: str | None, lowest: int | None, levels: int, all_components: bool
) -> None:
    """Draw the graph of a store into a file, and print its name.

    Raises
    ------
    click.UsageError
        If the file would not be a PNG, PDF or SVG.
    click.ClickException
        If there is no store, no minimum, or no such property.
    """
    output = picture_beside(path) if output is None else output
    if output.suffix.lower() not in _ENDINGS:
        raise click.UsageError(f"--output {output} must end in {', '.join(_ENDINGS[:-1])} or {_ENDINGS[-1]}")
    try:
        draw_graph(path, output, colour, lowest=lowest, levels=levels, all_components=all_components)
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(output)


def draw_graph(
    store: Path,
    output: Path,
    colour: str | None = None,
    *,
    lowest: int | None = None,
    levels: int = 50,
    all_components: bool = False,
) -> None:
    """Draw the disconnectivity graph of a store.

    Parameters
    ----------
    store, output : Path
        The landscape, and a PNG, PDF or SVG.
    colour : str, optional
        A property; the testing AUC where there is one, by default; "none" for black.
    lowest : int, optional
        Show only so many minima.
    levels : int
        Of energy.
    all_components : bool
        Whether to show what is not connected to the lowest minimum.

    Raises
    ------
    ValueError, OSError
        If there is nothing to show, or it cannot be read or written.
    """
    from thalweg.analysis.disconnectivity import DisconnectivityGraph
    from thalweg.analysis.network import KineticTransitionNetwork

    network = KineticTransitionNetwork.read(store)
    if not network.n_minima:
        raise ValueError(f"{store} has no minima yet: there is nothing to draw")
    connected = None if all_components else network.global_minimum
    graph = DisconnectivityGraph(network, levels, lowest=lowest, connected_to=connected)
    graph.save(output, energy_label=_energy_label(store), **_style(graph, colour))


def _energy_label(store: Path) -> str | None:
    """Return what the energy of a network is called; None for the usual name."""
    from thalweg.landscapes.store import Store

    held = Store.open(store)
    try:
        return "loss" if held.description()["calculator"]["name"] == "NetworkLoss" else None
    finally:
        held.close()


def _style(graph: Any, colour: str | None) -> dict[str, Any]:
    """Return colours, or without any the energies of the minima where there are few."""
    network = graph.network
    if colour is None:
        colour = "test_auc" if "test_auc" in network.properties else "none"
    if colour != "none":
        return {"colour": colour, "colour_label": colour.replace("_", " ").replace("auc", "AUC")}
    if len(graph.minima) > _NAMED:
        return {}
    return {"labels": {int(i): f"{network.energies[i]:.4f}" for i in graph.minima}}
