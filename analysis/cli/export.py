"""Command ``thalweg export``: write a store in the format of another program."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from thalweg.analysis.cli.errors import errors_in_one_line
from thalweg.analysis.cli.output_files import check_output, output_file, overwrite_option
from thalweg.analysis.cli.shared_options import FILE, store_argument, trust_option
from thalweg.analysis.cli.terminal import say
from thalweg.potentials.conversion.printable import cell, printable

if TYPE_CHECKING:
    import numpy as np
    import pandas

    from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork

__all__ = ["export"]

_MOST_ROWS = 10_000_000


def _rows(option: str, text: str) -> list[int]:
    """Return the rows that a text such as 0,3,7-9 stands for."""
    rows: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not (first.isdecimal() and (not dash or last.isdecimal())) or len(part) > 40:
            raise ValueError(f"{option} {text}: rows such as 0,3,7-9 are needed")
        low, high = int(first), int(last or first)
        if not low <= high < low + _MOST_ROWS:
            raise ValueError(f"{option} {text}: {part.strip()} is no range of rows")
        rows += range(low, high + 1)
    return rows


def _pathsample(path: Path, network: KineticTransitionNetwork, output: Path, overwrite: bool) -> list[Path]:
    from thalweg.analysis.networks.exchange import write_pathsample
    from thalweg.analysis.programs.mass_weighting import mass_weighted
    from thalweg.landscapes import Landscape, StoreError

    landscape = Landscape.open(path)
    # what was committed since the network was read is left out
    points = landscape.minima.coordinates[: network.n_minima]
    states = landscape.transition_states.coordinates[: network.n_transition_states]
    atoms = landscape.geometry.atoms
    # in reduced units masses are one, as everywhere in such a landscape
    masses = None if atoms is None or landscape.units == "reduced" else atoms.get_masses()
    try:
        if masses is not None:
            network = mass_weighted(network, landscape) or network
        write_pathsample(network, output, points, states, overwrite=overwrite, atoms=atoms is not None, masses=masses)
    except StoreError:
        raise
    except ValueError as error:  # of the numbers, all of which are the store's
        raise StoreError(f"{path}: {error}") from error
    names = ("min.data", "ts.data", "points.min", "points.ts", *(f"min.{name}" for name in network.groups))
    return [output / name for name in names]


def _structures(
    path: Path, _: KineticTransitionNetwork, output: Path, overwrite: bool, form: str, *, frequencies: bool = False,
    trust: bool = False,
) -> list[Path]:  # fmt: skip
    from thalweg.analysis.programs.structures import write_structures
    from thalweg.landscapes import Landscape

    landscape = Landscape.open(path, trust=trust)
    with output_file(output, overwrite) as file:
        write_structures(landscape, file, form, frequencies=frequencies)
    return [output]


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


_FORMATS: dict[str, Callable[..., list[Path]]] = {
    "extxyz": partial(_structures, form="extxyz"),
    "traj": partial(_structures, form="traj"),
    "db": partial(_structures, form="db"),
    "pathsample": _pathsample,
    "graphml": _graphml,
    "parquet": partial(_tables, ending="parquet"),
    "csv": partial(_tables, ending="csv"),
}

_GROUP_HELP = "Rows of the minima of PATHSAMPLE's set {0}, such as 0,3,7-9; they are written to min.{0}."


@click.command()
@store_argument
@click.option(
    "--format",
    "form",
    required=True,
    type=click.Choice(list(_FORMATS)),
    help="Structures of all points for ASE and its tools (extxyz, traj, db), PATHSAMPLE's files, a networkx graph "
    "(graphml), or tables of minima and transition states.",
)
@click.option(
    "--output",
    required=True,
    type=FILE,
    help="File to write for extxyz, traj, db and graphml, folder for the other formats.",
)
@click.option("--A", "reactants", metavar="ROWS", help=_GROUP_HELP.format("A"))
@click.option("--B", "products", metavar="ROWS", help=_GROUP_HELP.format("B"))
@click.option(
    "--frequencies", is_flag=True, help="Compute the vibrations of each structure, in cm^-1, for extxyz, traj and db."
)
@overwrite_option
@trust_option
def export(
    path: Path,
    form: str,
    output: Path,
    reactants: str | None,
    products: str | None,
    frequencies: bool,
    overwrite: bool,
    trust: bool,
) -> None:
    """Write a store in the format of another program.

    PATH is the store. Existing files are not replaced, unless --overwrite is given. Nothing is computed, and no
    calculator is needed, without --frequencies.
    """
    from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork
    from thalweg.analysis.networks.store_reader import read_store

    sets = {name: rows for name, rows in (("A", reactants), ("B", products)) if rows is not None}
    if sets and form != "pathsample":
        raise click.UsageError(f"--{next(iter(sets))} is for --format pathsample")
    structures = form in ("extxyz", "traj", "db")
    if frequencies and not structures:
        raise click.UsageError("--frequencies is for --format extxyz, traj or db")
    with errors_in_one_line(OSError, ValueError, ImportError, IndexError):
        groups = {name: _rows(f"--{name}", rows) for name, rows in sets.items()}
        network = KineticTransitionNetwork(**read_store(path), groups=groups)
        options = {"frequencies": frequencies, "trust": trust} if structures else {}
        written = _FORMATS[form](path, network, output, overwrite, **options)
    for name in written:
        say(name)
