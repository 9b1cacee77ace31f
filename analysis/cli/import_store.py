"""``thalweg import``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

__all__ = ["run"]

_SHOWN = 20


def run(folder: Path, system: str, output: Path) -> None:
    """Make a store from PATHSAMPLE's files.

    Parameters
    ----------
    folder : Path
        Holds min.data, ts.data, points.min and points.ts.
    system : str
        A name as `thalweg explore` has it, or a store of the same system.
    output : Path
        The new store.

    Raises
    ------
    click.ClickException
        If a file is missing or cannot be understood, the system is unknown, or something is at ``output``.
    """
    from thalweg.landscapes import Landscape
    from thalweg.landscapes.maintenance.import_points import import_points
    from thalweg.potentials import as_system

    try:
        points, states, ends = _read(folder)
        subject = as_system(_subject(system))
        if points.shape[1] != subject.n:
            raise ValueError(f"{folder} has points of {points.shape[1]} coordinates, {system} has {subject.n}")
        if output.exists():
            raise FileExistsError(f"{output} exists: choose another --output")
        with Landscape(subject, output) as landscape:
            problems = import_points(landscape, points, states, ends)
            counts = f"{len(landscape.minima)} minima, {len(landscape.transition_states)} transition states"
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    for line in problems[:_SHOWN]:
        click.echo(line)
    if len(problems) > _SHOWN:
        click.echo(f"... and {len(problems) - _SHOWN} more")
    click.echo(f"{output}: {counts} from {len(points)} and {len(states)}")


def _read(folder: Path) -> tuple[Any, Any, Any]:
    from thalweg.analysis.networks.exchange import read_points
    from thalweg.analysis.networks.pathsample import read_pathsample

    data = read_pathsample(folder)
    points = read_points(folder / "points.min", len(data["energies"]))
    ends = data["ts_minima"]
    states = read_points(folder / "points.ts", len(ends)) if len(ends) else points[:0]
    return points, states, ends


def _subject(system: str) -> Any:
    from thalweg.analysis.systems.named import build, default_options, resolve_name
    from thalweg.landscapes import Landscape

    if Path(system).is_dir():
        return Landscape.open(system).system
    name = resolve_name(system)
    return build(name, default_options(name)).subject
