"""Command ``thalweg import``: a store from the files of another program."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from thalweg.analysis.cli.errors import errors_in_one_line
from thalweg.analysis.cli.shared_options import FILE, new_store_option, trust_option
from thalweg.analysis.cli.terminal import say
from thalweg.potentials.conversion.printable import printable

if TYPE_CHECKING:
    import numpy as np
    from ase import Atoms

    from thalweg.analysis.programs.foreign_points import ForeignPoints
    from thalweg.potentials import Point, System

__all__ = ["import_"]

_SHOWN = 20


@click.command("import")
@click.argument("source", metavar="SOURCE", type=FILE)
@click.option("--system", required=True, help="System of the points: a name, such as LJ38, or a store of that system.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["pathsample", "topsearch", "pele", "optim"]),
    help="Program that wrote the files.  [default: by the files]",
)
@new_store_option
@trust_option
def import_(source: Path, system: str, form: str | None, output: Path, trust: bool) -> None:
    """Make a store from the files of another program.

    SOURCE is a folder with PATHSAMPLE's min.data, ts.data, points.min and points.ts, or TopSearch's min.data,
    min.coords, ts.data and ts.coords; a database of pele; or OPTIM's path.info. Gradients and Hessians are computed. A
    point that is not stationary is stored too, but as not verified. No store is made where no minimum at all can be
    imported.
    """
    from thalweg.landscapes import Landscape
    from thalweg.landscapes.maintenance.import_points import import_points
    from thalweg.landscapes.storage.whole_stores import new_store
    from thalweg.potentials import as_system

    with errors_in_one_line(OSError, ValueError):
        form = form or program_of(source)
        explored = as_system(_subject(system, trust))
        found = read_points_of(form, source, system, explored.n)
        with new_store(output) as place, Landscape(explored, place) as landscape:
            problems = import_points(landscape, found.minima, found.states, found.ends)
            if not len(landscape.minima):
                first = f"; the first: {problems[0]}" if problems else ""
                raise ValueError(f"none of the {len(found.minima)} minima in {source} could be imported{first}")
            counts = f"{len(landscape.minima)} minima, {len(landscape.transition_states)} transition states"
    for line in problems[:_SHOWN]:
        say(printable(line))
    if len(problems) > _SHOWN:
        say(f"... and {len(problems) - _SHOWN} more")
    say(f"{output}: {counts} of the {len(found.minima)} and {len(found.states)} in {source}")


def program_of(source: Path) -> str:
    """Return which program wrote the files.

    Raises
    ------
    ValueError
        If it cannot be told; FileNotFoundError where nothing is there.
    """
    from thalweg.analysis.programs.pele_database import is_database
    from thalweg.analysis.programs.topsearch_files import is_topsearch

    if not source.exists():
        raise FileNotFoundError(f"there is no {source}")
    if source.is_file():
        return "pele" if is_database(source) else "optim"
    if is_topsearch(source):
        return "topsearch"
    return "optim" if (source / "path.info").is_file() and not (source / "min.data").is_file() else "pathsample"


def read_points_of(form: str, source: Path, system: str, n: int) -> ForeignPoints:
    """Return the points in the files of a program, for a system of n coordinates."""
    if form == "pathsample":
        from thalweg.analysis.programs.foreign_points import ForeignPoints

        points, states, ends = _read(source)
        if points.shape[1] != n:
            raise ValueError(f"{source} has points of {points.shape[1]} coordinates, {system} has {n}")
        return ForeignPoints(points, states, ends)
    if form == "topsearch":
        from thalweg.analysis.programs.topsearch_files import read_topsearch

        return read_topsearch(source, n)
    if form == "pele":
        from thalweg.analysis.programs.pele_database import read_pele

        return read_pele(source, n)
    from thalweg.analysis.programs.optim_path import read_path_info

    return read_path_info(source, n)


def _read(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the coordinates of PATHSAMPLE's minima and transition states, and the minima that each of these joins."""
    from thalweg.analysis.networks.exchange import read_points
    from thalweg.analysis.networks.pathsample import read_pathsample

    data = read_pathsample(folder)
    points = read_points(folder / "points.min", len(data["energies"]))
    ends = data["ts_minima"]
    states = read_points(folder / "points.ts", len(ends)) if len(ends) else points[:0]
    return points, states, ends


def _subject(system: str, trust: bool) -> Atoms | Point | System:
    """Return the system of this name, or of this store."""
    from thalweg.analysis.systems.named import build, default_options, resolve_name
    from thalweg.landscapes import Landscape

    if Path(system).is_dir():
        return Landscape.open(system, trust=trust).system
    name = resolve_name(system)
    return build(name, default_options(name)).subject
