"""``thalweg info``."""

from __future__ import annotations

from pathlib import Path

import click

from thalweg.analysis.systems.inspection import inspection_text
from thalweg.analysis.systems.report import details_text
from thalweg.analysis.systems.summary import summarise

__all__ = ["run"]


def run(path: Path) -> None:
    """Print what is in a store.

    Raises
    ------
    click.ClickException
        If there is none, or it is damaged.
    """
    from thalweg.landscapes.storage.store import Store

    try:
        summary = summarise(path)
        inspection = inspection_text(Store.open(path))
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(details_text(summary))
    click.echo(f"\n{inspection}")
