"""Command ``thalweg info``: summarise the contents of a store."""

from __future__ import annotations

from pathlib import Path

import click

from thalweg.analysis.cli.errors import errors_in_one_line
from thalweg.analysis.cli.shared_options import store_argument
from thalweg.analysis.cli.terminal import say, text_width

__all__ = ["info"]


@click.command()
@store_argument
def info(path: Path) -> None:
    """Summarise the contents of a store.

    PATH is the store. The summary has the system, the lowest energies, the numbers of points found and probably
    missing, the searches that failed with their reasons, the settings and the sizes of the arrays.
    """
    from thalweg.analysis.systems.inspection import inspection_text
    from thalweg.analysis.systems.report import details_text
    from thalweg.analysis.systems.summary import summarise
    from thalweg.landscapes.storage.store import Store

    with errors_in_one_line(OSError, ValueError):
        details = details_text(summarise(path), text_width())
        inspection = inspection_text(Store.open(path), text_width())
    say(details)
    say(f"\n{inspection}")
