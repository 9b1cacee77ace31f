"""Command ``thalweg compare``: landscapes side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from thalweg.analysis.cli.errors import errors_in_one_line
from thalweg.analysis.cli.output_files import check_output, output_file, overwrite_option, picture_metadata
from thalweg.analysis.cli.shared_options import FILE, check_ending, sample_seed_option, short_names
from thalweg.analysis.cli.terminal import say, text_width

if TYPE_CHECKING:
    from thalweg.analysis.comparison.table import Comparison

__all__ = ["compare"]


@click.command()
@click.argument("paths", type=FILE, nargs=-1, required=True)
@click.option("--output", type=FILE, help="PNG, PDF or SVG file for the figure.  [default: no figure]")
@overwrite_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "csv"]),
    default="text",
    show_default=True,
    help="Format of the table.",
)
@click.option(
    "--sample",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="Largest number of pairs of minima whose distances are computed.",
)
@sample_seed_option
def compare(paths: tuple[Path, ...], output: Path | None, overwrite: bool, form: str, sample: int, seed: int) -> None:
    """Compare landscapes in a table and a figure.

    PATHS are stores of molecules, networks or both. A folder with PATHSAMPLE's min.data and ts.data may stand for a
    store. docs/compare.md defines each measure.
    """
    if output is not None:
        check_ending(output)
    from thalweg.analysis.comparison.table import Comparison

    with errors_in_one_line(OSError, ValueError):
        if output is not None:
            check_output(output, overwrite)
        comparison = Comparison(dict(zip(short_names(paths), paths, strict=True)), sample=sample, seed=seed)
        text = comparison.to_text(text_width()) if form == "text" else _for_programs(comparison, form)
        if output is not None:
            with output_file(output, overwrite) as file:
                comparison.save(file, metadata=picture_metadata(file))
    say(text.rstrip("\n"), wrap=form == "text")
    if output is not None:
        say(f"\n{output}", err=form != "text")


def _for_programs(comparison: Comparison, form: str) -> str:
    """Return the table in a format that programs read, whatever the width of the terminal."""
    return comparison.to_markdown() if form == "markdown" else comparison.to_csv()
