"""Command ``thalweg plot``: disconnectivity graphs of stores."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from thalweg.analysis.cli.completion import ColourMap, PropertyName
from thalweg.analysis.cli.errors import errors_in_one_line
from thalweg.analysis.cli.option_groups import from_option, with_options
from thalweg.analysis.cli.output_files import check_output, overwrite_option, picture_beside
from thalweg.analysis.cli.part_options import PartOptions
from thalweg.analysis.cli.rows import LabelledMinima, Minima, Row
from thalweg.analysis.cli.shared_options import FILE, check_ending, picture_option
from thalweg.analysis.cli.terminal import say

__all__ = ["GraphOptions", "StyleOptions", "plot"]


@dataclass(frozen=True)
class GraphOptions:
    """Minima and energies that a graph shows; None or False where an option was omitted."""

    lowest: int | None = from_option(
        click.option("--lowest", type=click.IntRange(min=1), help="Show only this many minima, those of lowest energy.")
    )
    connected_to: tuple[Row, ...] | None = from_option(
        click.option(
            "--connected-to",
            type=Minima(),
            help="Show only the minima connected to these, such as 0,17.  [default: lowest]",
        )
    )
    all_components: bool = from_option(
        click.option("--all-components", is_flag=True, help="Also show minima not connected to the lowest one."),
        default=False,
    )
    monotonic: bool = from_option(
        click.option(
            "--monotonic",
            is_flag=True,
            help="Show one minimum per monotonic sequence basin: one branch per funnel.",
        ),
        default=False,
    )
    levels: int = from_option(
        click.option(
            "--levels",
            type=click.IntRange(min=2, max=1_000_000),
            default=50,
            show_default=True,
            help="Number of energy levels.",
        ),
        default=50,
    )
    emin: float | None = from_option(
        click.option("--emin", type=float, help="Energy of the first level.  [default: the lowest minimum]")
    )
    emax: float | None = from_option(
        click.option("--emax", type=float, help="Energy of the last level.  [default: where all branches are joined]")
    )


@dataclass(frozen=True)
class StyleOptions:
    """Colours, widths and labels of a graph; None or False where an option was omitted."""

    colour: str | None = from_option(
        click.option(
            "--colour",
            type=PropertyName("none", "energy"),
            help="Property that colours the branches, or none.  [default: test_auc if the store has it]",
        )
    )
    groups: str | None = from_option(
        click.option(
            "--groups",
            type=PropertyName("basins", "groups"),
            help="Colour groups of minima: basins, groups (PATHSAMPLE's A and B), or a property's name.",
        )
    )
    descendants: str | None = from_option(
        click.option(
            "--descendants",
            help="Colour superbasins by their minima: lowest, mean, min or max; same or majority for groups.",
        )
    )
    widths: str | None = from_option(
        click.option("--widths", type=click.Choice(["size"]), help="Widen branches by the number of minima in them.")
    )
    labels: tuple[Row, ...] | None = from_option(
        click.option("--labels", type=LabelledMinima(), help="Minima to label with their numbers: lowest,17 or all.")
    )
    draw: tuple[Row, ...] | None = from_option(
        click.option(
            "--draw", type=Minima(), help="Draw the structure or decision map of these minima under their branches."
        )
    )
    title: str | None = from_option(click.option("--title", help="Text over the graph."))
    cmap: str | None = from_option(
        click.option(
            "--cmap",
            type=ColourMap(),
            help="Colour map of --colour: red_to_blue as in the paper, or one of matplotlib's.  "
            "[default: dark_to_light]",
        )
    )
    vmin: float | None = from_option(
        click.option("--vmin", type=float, help="Value at the dark end of the colours.  [default: the lowest]")
    )
    vmax: float | None = from_option(
        click.option("--vmax", type=float, help="Value at the light end of the colours.  [default: the highest]")
    )
    own_scales: bool = from_option(
        click.option("--own-scales", is_flag=True, help="Give each of several graphs its own energy scale."),
        default=False,
    )
    linewidth: float | None = from_option(
        click.option("--linewidth", type=click.FloatRange(min=0, min_open=True), help="Width of the lines in points.")
    )
    dpi: float = from_option(
        click.option(
            "--dpi",
            type=click.FloatRange(10, 2400),
            default=200,
            show_default=True,
            help="Resolution of a PNG in dots per inch.",
        ),
        default=200,
    )


@click.command()
@click.argument("paths", type=FILE, nargs=-1, required=True)
@picture_option
@overwrite_option
@with_options("graph", GraphOptions)
@with_options("style", StyleOptions)
@with_options("part", PartOptions)
def plot(
    paths: tuple[Path, ...],
    output: Path | None,
    overwrite: bool,
    *,
    graph: GraphOptions,
    style: StyleOptions,
    part: PartOptions,
) -> None:
    """Draw the disconnectivity graph of one or more stores.

    PATHS are stores; several are drawn side by side on one energy scale. A folder with PATHSAMPLE's
    min.data and ts.data may stand for a store. --below, --max-ts-energy, --max-barrier and --min-connections draw a
    part of the network; minima keep their numbers.
    """
    if output is None and len(paths) > 1:
        raise click.UsageError("several graphs need --output")
    if output is not None:
        check_ending(output)
    from thalweg.analysis.cli.graph_pictures import draw_graph, draw_several_graphs

    output = picture_beside(paths[0]) if output is None else output
    with errors_in_one_line(OSError, ValueError, IndexError, TypeError):
        check_output(output, overwrite)
        if len(paths) > 1:
            left_out = draw_several_graphs(paths, output, graph, style, part, overwrite=overwrite)
        else:
            left_out = draw_graph(paths[0], output, graph, style, part, overwrite=overwrite)
    for line in left_out:
        say(line)
    say(output)
