"""Command ``thalweg export``: write a store in the format of another program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from thalweg.analysis.cli.errors import errors_in_one_line
from thalweg.analysis.cli.option_groups import with_options
from thalweg.analysis.cli.output_files import check_output, output_file, overwrite_option
from thalweg.analysis.cli.part_options import PartOptions
from thalweg.analysis.cli.rows import Minima, Row, checked_rows
from thalweg.analysis.cli.shared_options import FILE, store_argument, trust_option
from thalweg.analysis.cli.terminal import say
from thalweg.potentials.conversion.printable import cell, printable

if TYPE_CHECKING:
    import numpy as np
    import pandas

    from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork
    from thalweg.analysis.networks.parts.numbered import NumberedPart

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


def _pathsample(path: Path, part: NumberedPart, output: Path, overwrite: bool) -> list[Path]:
    from thalweg.analysis.networks.exchange import write_pathsample
    from thalweg.analysis.programs.mass_weighting import mass_weighted
    from thalweg.landscapes import Landscape, StoreError

    landscape = Landscape.open(path)
    network = part.network
    # what was committed since the network was read is left out
    points, states = (
        landscape.minima.coordinates[part.minima],
        landscape.transition_states.coordinates[part.transition_states],
    )
    atoms = landscape.geometry.atoms
    # in reduced units masses are one, as everywhere in such a landscape
    masses = None if atoms is None or landscape.units == "reduced" else atoms.get_masses()
    try:
        weighted = None if masses is None else mass_weighted(part.whole, landscape)
        network = network if weighted is None else part.same_of(weighted)
        write_pathsample(network, output, points, states, overwrite=overwrite, atoms=atoms is not None, masses=masses)
    except StoreError:
        raise
    except ValueError as error:  # of the numbers, all of which are the store's
        raise StoreError(f"{path}: {error}") from error
    names = ("min.data", "ts.data", "points.min", "points.ts", *(f"min.{name}" for name in network.groups))
    return [output / name for name in names]


def _structures(
    path: Path, _: NumberedPart, output: Path, overwrite: bool, form: str, *, frequencies: bool = False,
    trust: bool = False,
) -> list[Path]:  # fmt: skip
    from thalweg.analysis.programs.structures import write_structures
    from thalweg.landscapes import Landscape

    landscape = Landscape.open(path, trust=trust)
    with output_file(output, overwrite) as file:
        write_structures(landscape, file, form, frequencies=frequencies)
    return [output]


def _graphml(path: Path, part: NumberedPart, output: Path, overwrite: bool) -> list[Path]:
    import networkx as nx

    from thalweg.analysis.networks.exchange import networkx_graph

    check_output(output, overwrite)
    graph = networkx_graph(part.network)
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


def _tables(path: Path, part: NumberedPart, output: Path, overwrite: bool, ending: str) -> list[Path]:
    from thalweg.analysis.networks.exchange import minima_table, transition_state_table

    tables = {"minima": minima_table(part.network), "transition_states": transition_state_table(part.network)}
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
@click.option(
    "--kelvin",
    type=float,
    help="Add the rates over transition states at this temperature, in 1/s, to graphml, parquet and csv.",
)
@click.option(
    "--connected-to", type=Minima(), help="Leave out minima that nothing connects with these, such as lowest."
)
@with_options("limits", PartOptions)
@overwrite_option
@trust_option
def export(
    path: Path,
    form: str,
    output: Path,
    reactants: str | None,
    products: str | None,
    frequencies: bool,
    kelvin: float | None,
    connected_to: tuple[Row, ...] | None,
    overwrite: bool,
    trust: bool,
    *,
    limits: PartOptions,
) -> None:
    """Write a store in the format of another program.

    PATH is the store. Existing files are not replaced, unless --overwrite is given. Nothing is computed, and no
    calculator is needed, without --frequencies.
    """
    sets = {name: rows for name, rows in (("A", reactants), ("B", products)) if rows is not None}
    structures = form in ("extxyz", "traj", "db")
    cut = [*limits.given, *(["--connected-to"] if connected_to is not None else [])]
    tables = form in ("graphml", "parquet", "csv")
    for wrong, option, formats in (
        (bool(sets) and form != "pathsample", f"--{next(iter(sets), '')}", "pathsample"),
        (frequencies and not structures, "--frequencies", "extxyz, traj or db"),
        (kelvin is not None and not tables, "--kelvin", "graphml, parquet or csv"),
        (bool(cut) and structures, next(iter(cut), ""), "pathsample, graphml, parquet or csv"),
    ):
        if wrong:
            raise click.UsageError(f"{option} is for --format {formats}")
    with errors_in_one_line(OSError, ValueError, ImportError, IndexError):
        groups = {name: _rows(f"--{name}", rows) for name, rows in sets.items()}
        part = _part(path, groups, kelvin, connected_to, limits)
        options = {"frequencies": frequencies, "trust": trust} if structures else {}
        written = _FORMATS[form](path, part, output, overwrite, **options)
    for name in written:
        say(name)


def _part(
    path: Path, groups: dict[str, list[int]], kelvin: float | None, connected_to: Sequence[Row] | None,
    limits: PartOptions,
) -> NumberedPart:  # fmt: skip
    """Return the part of a store's network that is written, with its groups and rates."""
    from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork
    from thalweg.analysis.networks.store_reader import read_store

    network = KineticTransitionNetwork(**read_store(path), groups=groups)
    if kelvin is not None:
        network = _with_rates(path, network, kelvin)
    anchors = None if connected_to is None else checked_rows("--connected-to", connected_to, network.energies)
    part = limits.of(network, anchors)
    for name, rows in groups.items():
        part.inside(f"--{name}", rows)
    return part


def _with_rates(path: Path, network: KineticTransitionNetwork, kelvin: float) -> KineticTransitionNetwork:
    """Return the network with the rates over transition states, from either minimum, as properties of these."""
    from thalweg.analysis.cli.rate_tables import check_frequencies
    from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork

    check_frequencies(path, network)
    if network.motion is None:
        raise ValueError(f"--kelvin is for atoms in eV, which have masses: {path} is in {network.units} units")
    rates = network.transition_state_rates(kelvin=kelvin)
    columns = {f"rate_{side}_in_1_per_s": rates[:, k] for k, side in enumerate("ab")}
    return KineticTransitionNetwork(**network.arguments() | {"ts_properties": {**network.ts_properties, **columns}})
