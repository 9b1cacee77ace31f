"""Command ``thalweg path``: the lowest-barrier path between two minima as text, table, picture or geometries."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from thalweg.analysis.cli.errors import errors_in_one_line
from thalweg.analysis.cli.output_files import check_output, output_file, overwrite_option, picture_metadata
from thalweg.analysis.cli.rows import Row, RowNumber, checked_row
from thalweg.analysis.cli.shared_options import FILE, check_ending, store_argument, trust_option
from thalweg.analysis.cli.terminal import say, text_width
from thalweg.potentials.conversion.printable import printable

if TYPE_CHECKING:
    from thalweg.analysis.networks.energy_path import LandscapePath
    from thalweg.landscapes import Landscape
    from thalweg.potentials.system import System

__all__ = ["path"]

_ENDINGS = (".csv", ".png", ".pdf", ".svg", ".xyz")


@click.command()
@store_argument
@click.argument("start", type=RowNumber())
@click.argument("end", type=RowNumber())
@click.option(
    "--output",
    multiple=True,
    type=FILE,
    help="A table (.csv), a picture (.png, .pdf, .svg) or geometries of atoms (.xyz); may be repeated.",
)
@overwrite_option
@click.option(
    "--points",
    type=click.IntRange(min=5),
    default=60,
    show_default=True,
    help="Approximate number of points between one minimum and the next.",
)
@click.option("--stationary", is_flag=True, help="Show only minima and transition states; nothing is recomputed.")
@click.option(
    "--mass-weighted",
    is_flag=True,
    help="Follow intrinsic reaction coordinates: steepest descent in mass-weighted coordinates. For atoms.",
)
@trust_option
def path(
    path: Path,
    start: Row,
    end: Row,
    output: tuple[Path, ...],
    overwrite: bool,
    points: int,
    stationary: bool,
    mass_weighted: bool,
    trust: bool,
) -> None:
    """Show the lowest-barrier path between two minima.

    PATH is a store, START and END are the numbers of two of its minima, or lowest. The path whose highest
    transition state is lowest is shown. For the energies between its stationary points, steepest descent is followed
    from each transition state. Its lengths are shown, with --stationary those that the store has. A picture of a path
    of atoms has the structures of its minima and transition states above the energies.
    """
    for file in output:
        check_ending(file, _ENDINGS)
    from thalweg.analysis.networks.energy_path import landscape_path
    from thalweg.landscapes import Landscape

    with errors_in_one_line(OSError, ValueError, IndexError):
        for file in output:
            check_output(file, overwrite)
        landscape = Landscape.open(path, trust=trust)
        first, last = (checked_row(*given, landscape.minima.energy[:]) for given in (("START", start), ("END", end)))
        found = landscape_path(
            landscape, first, last, points=points, follow=not stationary, mass_weighted=mass_weighted
        )
        say(_text(found))
        for file in output:
            with output_file(file, overwrite) as place:
                _write(landscape, found, place)
            say(file)


def _text(path: LandscapePath) -> str:
    """Return a table of the stationary points."""
    from thalweg.analysis.systems.text_table import TextColumn, text_table

    unit = "" if path.units == "reduced" else f" / {printable(path.units)}"
    rows = path.stationary
    energies = path.energy[rows]
    columns = [
        TextColumn("", [str(kind) for kind in path.kinds[rows]], left=True),
        TextColumn("number", [str(number) for number in path.numbers[rows]]),
        TextColumn("length", [f"{length:.5g}" for length in path.length[rows]]),
        TextColumn(f"energy{unit}", [f"{energy:.8f}" for energy in energies]),
        TextColumn("above the first", [f"{above:.8f}" for above in energies - path.energy[0]], spare=1),
    ]
    lines = text_table(columns, text_width())
    plural = "" if len(path.followed) == 1 else "s"
    lines.append(
        f"{len(path.followed)} transition state{plural}, the highest at {path.highest:.8f}{unit.replace(' /', '')}"
    )
    if path.followed.any() and not path.followed.all():
        lost = (~path.followed).sum()
        lines.append(f"{lost} of them led elsewhere when followed down again: there only stationary points are shown")
    if path.measured is not None and not path.measured.all():
        few = (~path.measured).sum()
        what = "the length of one piece is" if few == 1 else f"the lengths of {few} pieces are"
        lines.append(f"{what} not known: the distance of the stationary points is shown, which is shorter")
    return "\n".join(lines)


def _atoms_of(landscape: Landscape) -> System | None:
    """Return the system whose structures a picture shows; None where it is not atoms."""
    try:
        system = landscape.geometry
    except ValueError:
        return None
    return system if system.atoms is not None else None


def _write(landscape: Landscape, path: LandscapePath, file: Path) -> None:
    from thalweg.optimizers.energy_profile import PICTURES

    if file.suffix.lower() != ".xyz":
        structures = _atoms_of(landscape) if file.suffix.lower() in PICTURES else None
        if structures is None:
            path.save(file, metadata=picture_metadata(file))
        else:
            path.save_with_structures(file, structures, metadata=picture_metadata(file))
        return
    from ase.io import write

    from thalweg.potentials import Point

    system = landscape.geometry
    frames = [system.subject(x) for x in path.continuous(system)]
    for atoms, energy, kind, number in zip(frames, path.energy, path.kinds, path.numbers, strict=True):
        if isinstance(atoms, Point):
            raise ValueError("--output: only atoms make an .xyz file; write .csv")
        atoms.calc = None
        atoms.info = {"energy": float(energy), "kind": str(kind or "between"), "number": int(number)}
    write(file, frames, format="extxyz")
