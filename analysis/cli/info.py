"""Command ``thalweg info``: summarise the contents of a store."""

from __future__ import annotations

from pathlib import Path

import click

from thalweg.analysis.cli.errors import errors_in_one_line
from thalweg.analysis.cli.option_types import Energy
from thalweg.analysis.cli.shared_options import store_argument
from thalweg.analysis.cli.terminal import say, text_width

__all__ = ["info"]


@click.command()
@store_argument
@click.option(
    "--below",
    type=Energy(),
    help="Describe the points below this energy, too; +0.01 is 0.01 above the lowest minimum.",
)
def info(path: Path, below: float | str | None) -> None:
    """Summarise the contents of a store.

    PATH is the store. The summary has the system, the lowest energies, the numbers of points found and probably
    missing, the searches that failed with their reasons, the settings and the sizes of the arrays.
    """
    from thalweg.analysis.systems.inspection import inspection_text
    from thalweg.analysis.systems.low_region import low_region
    from thalweg.analysis.systems.report import details_text, region_text
    from thalweg.analysis.systems.summary import summarise
    from thalweg.landscapes.storage.store import Store

    with errors_in_one_line(OSError, ValueError):
        details = details_text(summarise(path), text_width())
        store = Store.open(path)
        inspection = inspection_text(store, text_width())
        region = None if below is None else region_text(low_region(store, below), text_width())
    say(details)
    if region is not None:
        say(f"\n{region}")
    say(f"\n{inspection}")
