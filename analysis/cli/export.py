"""Command ``thalweg export``: write a store in the format of another program."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from thalweg.analysis.cli.errors import errors_in_one_line
from thalweg.analysis.cli.output_files import check_output, output_file, overwrite_option
from thalweg.analysis.cli.shared_options import FILE, store_argument
from thalweg.analysis.cli.terminal import say
from thalweg.potentials.conversion.printable import cell, printable

if TYPE_CHECKING:
    import numpy as np
    import pandas

    from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork

__all__ = ["export"]


def _pathsample(path: Path, network: KineticTransitionNetwork, output: Path, overwrite: bool) -> list[Path]:
    from thalweg.analysis.networks.exchange import write_pathsample
    from thalweg.landscapes import Landscape

    landscape = Landscape.open(path)
    # what was committed since the network was read is left out
    points = landscape.minima.coordinates[: network.n_minima]
    states = landscape.transition_states.coordinates[: network.n_transition_states]
    atoms = landscape.geometry.atoms is not None
    write_pathsample(network, output, points, states, overwrite=overwrite, atoms=atoms)
    return [output / name for name in ("min.data", "ts.data", "points.min", "points.ts")]


def _graphml(path: Path, network: KineticTransitionNetwork, output: Path, overwrite: bool) -> list[Path]:
    import networkx as nx

    from thalweg.analysis.networks.exchange import networkx_graph

    check_output(output, overwrite)
    graph = networkx_graph(network)
    for _, values in graph.nodes(data=True):
        _make_plain(values)
    for _, _, values in graph.edges(data=True):
        _make_plain(values)
    with output_file(output, overwrite) as file:
        nx.write_graphml(graph, file)
    return [output]


def _make_plain(values: dict[str, Any]) -> None:
    """Make names and values of a node's or an edge's attributes those that XML can hold."""
    plain = {printable(name): _plain(value) for name, value in values.items()}
    values.clear()
    values.update(plain)


def _plain(value: np.generic | np.ndarray) -> str | int | float | bool:
    """Return a Python number, or an array as text: GraphML has no other types. Text has no control characters."""
    plain = " ".join(repr(item) for item in value.tolist()) if getattr(value, "ndim", 0) else value.item()
    return printable(plain) if isinstance(plain, str) else plain


def _tables(path: Path, network: KineticTransitionNetwork, output: Path, overwrite: bool, ending: str) -> list[Path]:
    from thalweg.analysis.networks.exchange import minima_table, transition_state_table

    tables = {"minima": minima_table(network), "transition_states": transition_state_table(network)}
    files = [output / f"{name}.{ending}" for name in tables]
    output.mkdir(parents=True, exist_ok=True)
    for file in files:
        check_output(file, overwrite)
    for file, table in zip(files, tables.values(), strict=True):
        with output_file(file, overwrite) as place:
            table.to_parquet(place) if ending == "parquet" else _for_spreadsheets(table).to_csv(place)
    return files


def _for_spreadsheets(table: pandas.DataFrame) -> pandas.DataFrame:
    """Return a table in which no text is a formula."""
    text = {name: column.map(cell) for name, column in table.items() if column.dtype.kind not in "biuf"}
    return table.assign(**text).rename(columns=cell)


_FORMATS: dict[str, Callable[[Path, KineticTransitionNetwork, Path, bool], list[Path]]] = {
    "pathsample": _pathsample,
    "graphml": _graphml,
    "parquet": partial(_tables, ending="parquet"),
    "csv": partial(_tables, ending="csv"),
}


@click.command()
@store_argument
@click.option(
    "--format",
    "form",
    required=True,
    type=click.Choice(list(_FORMATS)),
    help="PATHSAMPLE's files, a networkx graph (graphml), or tables of minima and transition states.",
)
@click.option("--output", required=True, type=FILE, help="File to write for graphml, folder for the other formats.")
@overwrite_option
def export(path: Path, form: str, output: Path, overwrite: bool) -> None:
    """Write a store in the format of another program.

    PATH is the store. Existing files are not replaced, unless --overwrite is given.
    """
    from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork

    with errors_in_one_line(OSError, ValueError, ImportError):
        written = _FORMATS[form](path, KineticTransitionNetwork.read(path), output, overwrite)
    for name in written:
        say(name)
