"""Command ``thalweg predict``: scores of a network's minima and of ensembles of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from thalweg.analysis.cli.errors import errors_in_one_line
from thalweg.analysis.cli.network_stores import check_network_store
from thalweg.analysis.cli.option_groups import from_option, with_options
from thalweg.analysis.cli.output_files import check_output, output_file, overwrite_option
from thalweg.analysis.cli.rows import Row, RowNumber
from thalweg.analysis.cli.shared_options import FILE, scoring_data_option, store_argument
from thalweg.analysis.cli.terminal import say

__all__ = ["ScoringOptions", "predict"]


@dataclass(frozen=True)
class ScoringOptions:
    """Minima to score, and the data to score them on; None where an option was omitted."""

    minimum: Row | None = from_option(
        click.option("--minimum", type=RowNumber(), help="Minimum whose confusion matrix is shown.  [default: lowest]")
    )
    on: str | None = from_option(
        click.option(
            "--on", type=click.Choice(["test", "train"]), help="Data to score on.  [default: test if the store has it]"
        )
    )
    data: Path | None = from_option(scoring_data_option)
    lowest: int | None = from_option(
        click.option("--lowest", type=click.IntRange(min=1), help="Score only this many minima, those of lowest loss.")
    )
    temperatures: tuple[float, ...] = from_option(
        click.option(
            "--temperature",
            "temperatures",
            type=float,
            multiple=True,
            help="Temperature of a thermal ensemble; may be repeated.  [default: 1/N for N training points]",
        ),
        default=(),
    )
    reference: str | None = from_option(
        click.option(
            "--reference",
            help="Class whose AUC is computed, or macro for the mean over all classes.  [default: depends on the data]",
        )
    )


@click.command()
@store_argument
@with_options("options", ScoringOptions)
@click.option("--keep", metavar="PREFIX", help="Keep all minima's scores as properties, such as PREFIX_accuracy.")
@click.option(
    "--output", type=FILE, help="File for the scores of all minima (.csv) or the probabilities of one (.npz)."
)
@overwrite_option
def predict(path: Path, *, options: ScoringOptions, keep: str | None, output: Path | None, overwrite: bool) -> None:
    """Score the predictions of a network's minima.

    PATH is the store of a network. The table has accuracy, log loss and AUC of its minima and of ensembles of them.
    If training points were mislabelled, it says how many of the wrong labels the minima predict.
    """
    from thalweg.analysis.cli.prediction_report import PredictionReport
    from thalweg.landscapes import Landscape

    with errors_in_one_line(OSError, ValueError, TypeError, IndexError, ConnectionError):
        if output is not None and output.suffix not in (".csv", ".npz"):
            raise ValueError(f"--output {output} must end in .csv or .npz")
        if output is not None:
            check_output(output, overwrite)
        if keep is not None:
            _check_prefix(keep)
        with Landscape.open(path, "r" if keep is None else "r+") as landscape:
            check_network_store(landscape, "predictions")
            report = PredictionReport(landscape, options)
            text = report.text()
            if output is not None:
                with output_file(output, overwrite) as file:
                    report.write(file)
                text += f"\n\n{output}"
            if keep is not None:
                text += f"\n\n{report.keep(keep)}"
    say(text)


def _check_prefix(keep: str) -> None:
    """Raise an error that names the option where properties cannot begin like this."""
    from thalweg.landscapes.property_names import check_property_name

    try:
        check_property_name(f"{keep}_accuracy")
    except ValueError:
        wanted = "a letter and then letters, digits and underscores are needed, such as clean"
        raise ValueError(f"--keep is {keep!r}; {wanted}") from None
