"""``thalweg path``: the lowest-barrier path between two minima, as text, table, picture or geometries."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

if TYPE_CHECKING:
    from thalweg.analysis.networks.energy_path import LandscapePath

__all__ = ["run"]

_ENDINGS = (".csv", ".png", ".pdf", ".svg", ".xyz")


def run(path: Path, start: int, end: int, output: tuple[Path, ...], points: int, stationary: bool) -> None:
    """Print the stationary points of the path, and write what was asked for.

    Parameters
    ----------
    path : Path
        The store.
    start, end : int
        Minima.
    output : tuple of Path
        Files: .csv, .png, .pdf, .svg, or .xyz for atoms.
    points : int
        Kept of each piece between two minima.
    stationary : bool
        Whether to leave out what lies between the stationary points, for which the system must be built.

    Raises
    ------
    click.UsageError
        If a file has another ending.
    click.ClickException
        If there is no store, minimum or path.
    """
    for file in output:
        if file.suffix.lower() not in _ENDINGS:
            raise click.UsageError(f"--output {file} must end in {', '.join(_ENDINGS[:-1])} or {_ENDINGS[-1]}")
    from thalweg.analysis.networks.energy_path import landscape_path
    from thalweg.landscapes import Landscape

    try:
        landscape = Landscape.open(path)
        found = landscape_path(landscape, start, end, points=points, follow=not stationary)
        click.echo(_text(found))
        for file in output:
            _write(landscape, found, file)
            click.echo(file)
    except (OSError, ValueError, IndexError) as error:
        raise click.ClickException(str(error)) from error


def _text(path: LandscapePath) -> str:
    """Return a table of the stationary points."""
    unit = "" if path.units == "reduced" else f" / {path.units}"
    lines = [f"{'':16} {'number':>8} {'length':>12} {'energy' + unit:>18} {'above the first':>18}"]
    for row in path.stationary:
        energy, above = path.energy[row], path.energy[row] - path.energy[0]
        lines.append(
            f"{path.kinds[row]:16} {path.numbers[row]:8d} {path.length[row]:12.5g} {energy:18.8f} {above:18.8f}"
        )
    lines.append(f"{len(path.followed)} transition states, the highest at {path.highest:.8f}{unit.replace(' /', '')}")
    if path.followed.any() and not path.followed.all():
        lost = np.count_nonzero(~path.followed)
        lines.append(f"{lost} of them led elsewhere when followed down again: there only stationary points are shown")
    return "\n".join(lines)


def _write(landscape, path: LandscapePath, file: Path) -> None:
    if file.suffix.lower() != ".xyz":
        path.save(file)
        return
    system = landscape.system
    if system.atoms is None:
        raise ValueError(f"--output {file}: only atoms make an .xyz file; write .csv")
    from ase.io import write

    frames = [system.subject(x) for x in path.continuous(system)]
    for atoms, energy, kind, number in zip(frames, path.energy, path.kinds, path.numbers, strict=True):
        atoms.calc = None
        atoms.info = {"energy": float(energy), "kind": str(kind or "between"), "number": int(number)}
    write(file, frames, format="extxyz")
