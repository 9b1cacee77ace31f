"""Command ``thalweg map``: decision maps of a network's minima."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from thalweg.analysis.cli.errors import errors_in_one_line
from thalweg.analysis.cli.network_stores import check_network_store
from thalweg.analysis.cli.option_groups import from_option, with_options
from thalweg.analysis.cli.output_files import check_output, output_file, overwrite_option, picture_metadata
from thalweg.analysis.cli.rows import LOWEST, Row, RowNumber, checked_rows
from thalweg.analysis.cli.shared_options import check_ending, picture_option, scoring_data_option, store_argument
from thalweg.analysis.cli.terminal import say

__all__ = ["map_"]


@dataclass(frozen=True)
class _MapOptions:
    """Data and plane of decision maps; None where an option was omitted."""

    on: str | None = from_option(
        click.option(
            "--on", type=click.Choice(["train", "test", "none"]), help="Data to draw on top.  [default: train]"
        )
    )
    data: Path | None = from_option(scoring_data_option)
    probability_of: int | None = from_option(
        click.option("--probability-of", type=click.IntRange(min=0), help="Draw the probability of this class instead.")
    )
    plane: tuple[int, int] = from_option(
        click.option(
            "--plane", type=(int, int), default=(0, 1), show_default=True, help="Numbers of the two inputs that vary."
        ),
        default=(0, 1),
    )
    ensemble: bool = from_option(
        click.option("--ensemble", is_flag=True, help="Add a map of the ensemble of all minima."), default=False
    )
    resolution: int = from_option(
        click.option(
            "--resolution",
            type=click.IntRange(min=2),
            default=200,
            show_default=True,
            help="Number of pixels along each side.",
        ),
        default=200,
    )
    points: int = from_option(
        click.option(
            "--points",
            type=click.IntRange(min=0),
            default=1000,
            show_default=True,
            help="Largest number of data points to draw.",
        ),
        default=1000,
    )


@click.command("map")
@store_argument
@click.argument("minima", type=RowNumber(), nargs=-1)
@picture_option
@overwrite_option
@with_options("options", _MapOptions)
def map_(path: Path, minima: tuple[Row, ...], output: Path | None, overwrite: bool, *, options: _MapOptions) -> None:
    """Draw decision maps of a network's minima.

    PATH is the store of a network, MINIMA are the numbers of one or more of its minima, or lowest, which is
    also drawn without them. A map shows the class that the network predicts over a plane of its inputs; all
    other inputs are held at their means.
    """
    output = path.with_name(path.stem + "-map.png") if output is None else output
    check_ending(output)
    with errors_in_one_line(OSError, ValueError, TypeError, IndexError, ConnectionError):
        check_output(output, overwrite)
        _draw(path, minima, output, overwrite, options)
    say(output)


def _draw(path: Path, minima: tuple[Row, ...], output: Path, overwrite: bool, options: _MapOptions) -> None:
    from thalweg.analysis.prediction.decision_maps import plot_decision_maps
    from thalweg.analysis.prediction.ensembles import Ensemble
    from thalweg.analysis.prediction.minima_arguments import loss_of
    from thalweg.analysis.systems.scoring_data import chosen_data, class_names, input_names, input_scaling
    from thalweg.landscapes import Landscape
    from thalweg.optimizers.pictures.files import save_figure

    landscape = Landscape.open(path)
    check_network_store(landscape, "decision map")
    loss_of(landscape, what="decision map")
    panels: list[int | Ensemble] = [*checked_rows("MINIMA", minima or (LOWEST,), landscape.minima.energy[:])]
    if options.ensemble:
        panels.append(Ensemble(landscape))
    on = "train" if options.on is None and options.data is None else options.on
    figure = plot_decision_maps(
        landscape,
        panels,
        data=None if on == "none" and options.data is None else chosen_data(landscape, on, options.data).data,
        probability_of=options.probability_of,
        plane=options.plane,
        resolution=options.resolution,
        points=options.points,
        input_names=input_names(landscape),
        class_names=class_names(landscape),
        scaling=input_scaling(landscape),
    )
    with output_file(output, overwrite) as file:
        save_figure(figure, file, metadata=picture_metadata(file))
