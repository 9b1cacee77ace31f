"""``thalweg merge``."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["run"]


def run(first: Path, second: Path, output: Path) -> None:
    """Merge two stores, and print how many points each has.

    Raises
    ------
    click.ClickException
        If there is no such store, they are not of one system, or something is at ``output``.
    """
    from thalweg.landscapes import Landscape, merge

    try:
        merge(first, second, output)
        for path in (first, second, output):
            landscape = Landscape.open(path)
            click.echo(f"{path}: {len(landscape.minima)} minima, {len(landscape.transition_states)} transition states")
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
