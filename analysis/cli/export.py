"""``thalweg export``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork

__all__ = ["run"]


def run(path: Path, form: str, output: Path) -> None:
    """Write a store for other programs.

    Parameters
    ----------
    path : Path
        The store.
    form : str
        "pathsample", "graphml", "parquet" or "csv".
    output : Path
        A file for "graphml", a folder otherwise.

    Raises
    ------
    click.ClickException
        If there is no store, a file is there already, or pandas is needed and missing.
    """
    from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork

    try:
        written = _WAYS[form](path, KineticTransitionNetwork.read(path), output)
    except (OSError, ValueError, ImportError) as error:
        raise click.ClickException(str(error)) from error
    for name in written:
        click.echo(name)


def _pathsample(path: Path, network: KineticTransitionNetwork, output: Path) -> list[Path]:
    from thalweg.analysis.networks.exchange import write_pathsample
    from thalweg.landscapes import Landscape

    landscape = Landscape.open(path)
    # what was committed since the network was read is left out
    points = landscape.minima.coordinates[: network.n_minima]
    states = landscape.transition_states.coordinates[: network.n_transition_states]
    write_pathsample(network, output, points, states)
    return [output / name for name in ("min.data", "ts.data", "points.min", "points.ts")]


def _graphml(path: Path, network: KineticTransitionNetwork, output: Path) -> list[Path]:
    import networkx as nx

    from thalweg.analysis.networks.exchange import networkx_graph

    _check_absent(output)
    graph = networkx_graph(network)
    for _, values in graph.nodes(data=True):
        values.update({name: _plain(value) for name, value in values.items()})
    for _, _, values in graph.edges(data=True):
        values.update({name: _plain(value) for name, value in values.items()})
    nx.write_graphml(graph, output)
    return [output]


def _plain(value: Any) -> Any:
    """Return a number as Python has it, and an array as text: GraphML knows no others."""
    return " ".join(repr(item) for item in value.tolist()) if getattr(value, "ndim", 0) else value.item()


def _tables(path: Path, network: KineticTransitionNetwork, output: Path, ending: str) -> list[Path]:
    from thalweg.analysis.networks.exchange import minima_table, transition_state_table

    tables = {"minima": minima_table(network), "transition_states": transition_state_table(network)}
    files = [output / f"{name}.{ending}" for name in tables]
    for file in files:
        _check_absent(file)
    output.mkdir(parents=True, exist_ok=True)
    for file, table in zip(files, tables.values(), strict=True):
        table.to_parquet(file) if ending == "parquet" else table.to_csv(file)
    return files


def _check_absent(file: Path) -> None:
    if file.exists():
        raise FileExistsError(f"{file} exists; it is not overwritten")


_WAYS: dict[str, Callable[[Path, Any, Path], list[Path]]] = {
    "pathsample": _pathsample,
    "graphml": _graphml,
    "parquet": lambda path, network, output: _tables(path, network, output, "parquet"),
    "csv": lambda path, network, output: _tables(path, network, output, "csv"),
}
