"""Command ``thalweg import``: a store from PATHSAMPLE's files."""

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

    from thalweg.potentials import Point, System

__all__ = ["import_"]

_SHOWN = 20


@click.command("import")
@click.argument("folder", type=FILE)
@click.option("--system", required=True, help="System of the points: a name, such as LJ38, or a store of that system.")
@new_store_option
@trust_option
def import_(folder: Path, system: str, output: Path, trust: bool) -> None:
    """Make a store from PATHSAMPLE's files.

    FOLDER holds min.data, ts.data, points.min and points.ts. Gradients and Hessians are computed. A point that is not
    stationary is stored too, but as not verified. No store is made where no minimum at all can be imported.
    """
    from thalweg.landscapes import Landscape
    from thalweg.landscapes.maintenance.import_points import import_points
    from thalweg.landscapes.storage.whole_stores import new_store
    from thalweg.potentials import as_system

    with errors_in_one_line(OSError, ValueError):
        points, states, ends = _read(folder)
        explored = as_system(_subject(system, trust))
        if points.shape[1] != explored.n:
            raise ValueError(f"{folder} has points of {points.shape[1]} coordinates, {system} has {explored.n}")
        with new_store(output) as place, Landscape(explored, place) as landscape:
            problems = import_points(landscape, points, states, ends)
            if not len(landscape.minima):
                first = f"; the first: {problems[0]}" if problems else ""
                raise ValueError(f"none of the {len(points)} minima in {folder} could be imported{first}")
            counts = f"{len(landscape.minima)} minima, {len(landscape.transition_states)} transition states"
    for line in problems[:_SHOWN]:
        say(printable(line))
    if len(problems) > _SHOWN:
        say(f"... and {len(problems) - _SHOWN} more")
    say(f"{output}: {counts} of the {len(points)} and {len(states)} in {folder}")


def _read(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the coordinates of minima and of transition states, and the minima that each of the latter joins."""
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
