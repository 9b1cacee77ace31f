"""Arguments and options that several commands share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from thalweg.analysis.cli.option_types import Duration

__all__ = [
    "FILE",
    "PICTURES",
    "check_ending",
    "failures_option",
    "new_store_option",
    "picture_option",
    "sample_seed_option",
    "scoring_data_option",
    "short_names",
    "store_argument",
    "time_option",
    "trust_option",
    "workers_option",
]

FILE = click.Path(path_type=Path)
"""Type of arguments that name a file or a folder."""

PICTURES = (".png", ".pdf", ".svg")
"""Endings of the pictures that commands write."""

store_argument = click.argument("path", type=FILE)

new_store_option = click.option(
    "--output", required=True, type=FILE, help="The store to write: a folder, such as d1.zarr."
)

picture_option = click.option("--output", type=FILE, help="PNG, PDF or SVG file.  [default: a PNG beside the store]")

scoring_data_option = click.option(
    "--data", type=FILE, help="Use the data of this .npz file, which holds the arrays inputs and labels."
)

sample_seed_option = click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the random sample."
)

time_option = click.option("--time", "seconds", type=Duration(), help="Stop after this time, such as 90s, 2m or 8h.")

trust_option = click.option(
    "--trust",
    is_flag=True,
    help="Run whatever calculator the store names, as if you had written it: it may run programs and write files.",
)

failures_option = click.option(
    "--max-failures",
    "failures",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="Number of searches in a row that an error of the calculator may end, before the command does.",
)

workers_option = click.option(
    "--workers", type=click.IntRange(min=1), help="Number of threads.  [default: all processors]"
)


def check_ending(output: Path, endings: Sequence[str] = PICTURES) -> None:
    """Raise an error of usage that names ``--output`` unless the file has one of these endings."""
    if output.suffix.lower() not in endings:
        raise click.UsageError(f"--output {output} must end in {', '.join(endings[:-1])} or {endings[-1]}")


def short_names(paths: Sequence[Path]) -> list[str]:
    """Return a name for each store: its own without .zarr, or its path where two have the same name.

    Where one store is given twice, its names are numbered.
    """
    names = [path.name.removesuffix(".zarr") or str(path) for path in paths]
    if len(set(names)) < len(names):
        names = [str(path) for path in paths]
    if len(set(names)) < len(names):
        names = [f"{name} ({names[: k + 1].count(name)})" for k, name in enumerate(names)]
    return names
