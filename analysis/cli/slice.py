"""Command ``thalweg slice``: losses or energies along a line or on a plane through minima."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import click

from thalweg.analysis.cli.errors import errors_in_one_line
from thalweg.analysis.cli.output_files import check_output, output_file, overwrite_option, picture_metadata
from thalweg.analysis.cli.rows import Row, RowNumber, checked_rows
from thalweg.analysis.cli.shared_options import FILE, check_ending, store_argument, trust_option
from thalweg.analysis.cli.terminal import say

if TYPE_CHECKING:
    from thalweg.analysis.slices.linear_barrier import LinearBarrier
    from thalweg.analysis.slices.loss_slice import LossSlice
    from thalweg.analysis.slices.loss_surface import LossSurface
    from thalweg.landscapes import Landscape

__all__ = ["slice_command"]

_ENDINGS = (".csv", ".png", ".pdf", ".svg")


@click.command("slice")
@store_argument
@click.argument("minima", type=RowNumber(), nargs=-1, required=True)
@click.option("--output", type=FILE, help="Picture (.png, .pdf, .svg) or table (.csv).  [default: PATH-slice.png]")
@overwrite_option
@click.option("--surface", is_flag=True, help="Around one minimum, draw a plane instead of a line.")
@click.option(
    "--span",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="Distance from one minimum to either side; 1 is as long as the weights of a network.",
)
@click.option(
    "--points", type=click.IntRange(min=2), help="Points along each direction.  [default: 101 on a line, 51 on a plane]"
)
@click.option("--log", is_flag=True, help="Colour a plane by the logarithm of the energy above the lowest.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of random directions.")
@trust_option
def slice_command(
    path: Path,
    minima: tuple[Row, ...],
    *,
    output: Path | None,
    overwrite: bool,
    surface: bool,
    span: float,
    points: int | None,
    log: bool,
    seed: int,
    trust: bool,
) -> None:
    """Draw losses or energies on a line or a plane through minima.

    PATH is a store, MINIMA are the numbers of one, two or three of its minima, or lowest. Through one minimum the
    line or plane has random directions, which for networks are filter-normalised. Between two minima the straight path
    is drawn before and after alignment, with the height of the lowest path. The barrier of a straight line is its
    largest height above the line between the two energies, that of a path its height above the higher minimum.
    Through three minima, aligned with the first, a plane is drawn.
    """
    if len(minima) > 3:
        raise click.UsageError(f"MINIMA are one, two or three numbers; {len(minima)} are given")
    if surface and len(minima) != 1:
        raise click.UsageError("--surface draws a plane around one minimum; three minima have a plane of their own")
    output = path.with_name(f"{path.stem}-slice.png") if output is None else output
    check_ending(output, _ENDINGS)
    from thalweg.landscapes import Landscape

    with errors_in_one_line(OSError, ValueError, IndexError, MemoryError):
        check_output(output, overwrite)
        landscape = Landscape.open(path, trust=trust)
        rows = checked_rows("MINIMA", minima, landscape.minima.energy[:])
        found: LossSlice | LinearBarrier | LossSurface
        if len(rows) == 2:
            found = _between(landscape, rows, points or 101)
        elif surface or len(rows) == 3:
            found = _plane(landscape, rows, span, points or 51, seed)
        else:
            found = _line(landscape, rows[0], span, points or 101, seed)
        with output_file(output, overwrite) as place:
            _write(place, found, log)
    say(output)


def _line(landscape: Landscape, minimum: int, span: float, points: int, seed: int) -> LossSlice:
    from thalweg.analysis.slices.loss_slice import loss_slice

    x = landscape.minima.coordinates[minimum]
    found = loss_slice(landscape.system, x, span=(-span, span), points=points, seed=seed)
    say(f"minimum {minimum}: energies from {found.energy.min():.8g} to {found.energy.max():.8g}")
    return found


def _between(landscape: Landscape, minima: list[int], points: int) -> LinearBarrier:
    from thalweg.analysis.slices.linear_barrier import linear_barrier

    found = linear_barrier(landscape, *minima, points=points)
    path = "not known: they are not connected" if found.path is None else f"{found.path:.8g}"
    say(f"barriers between minimum {minima[0]} and minimum {minima[1]}")
    say(f"  straight line           {found.before:.8g}")
    say(f"  straight line, aligned  {found.after:.8g}")
    say(f"  lowest path             {path}")
    return found


def _plane(landscape: Landscape, minima: list[int], span: float, points: int, seed: int) -> LossSurface:
    from thalweg.analysis.slices.loss_surface import loss_surface
    from thalweg.analysis.slices.merge_tree import saddle_minimum_distance

    system = landscape.system
    through = [landscape.minima.coordinates[minimum] for minimum in minima]
    through = [through[0], *(system.align(through[0], x) for x in through[1:])]
    around = (-span, span) if len(minima) == 1 else None
    found = loss_surface(system, *through, span=around, points=points, seed=seed)
    tree = found.merge_tree()
    distance = saddle_minimum_distance(tree)
    say(f"energies from {found.energy.min():.8g} to {found.energy.max():.8g}, {tree.n_minima} basins on the plane")
    say(f"saddle-minimum average distance: {distance.mean:.6g}")
    return found


def _write(output: Path, found: LossSlice | LinearBarrier | LossSurface, log: bool = False) -> None:
    from thalweg.analysis.slices.loss_surface import LossSurface
    from thalweg.optimizers.pictures.files import save_figure

    if output.suffix.lower() == ".csv":
        columns = found.columns()
        with output.open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(columns)
            table.writerows(zip(*(column.tolist() for column in columns.values()), strict=True))
        return
    axes = found.plot(log=log) if isinstance(found, LossSurface) else found.plot()
    figure = axes.get_figure(root=True)
    assert figure is not None
    save_figure(figure, output, dpi=150, metadata=picture_metadata(output))
