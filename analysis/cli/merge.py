"""Command ``thalweg merge``: two stores of one system in a new one."""

from __future__ import annotations

from pathlib import Path

import click

from thalweg.analysis.cli.errors import errors_in_one_line
from thalweg.analysis.cli.shared_options import FILE, new_store_option, trust_option
from thalweg.analysis.cli.terminal import say

__all__ = ["merge"]


@click.command()
@click.argument("first", type=FILE)
@click.argument("second", type=FILE)
@new_store_option
@trust_option
def merge(first: Path, second: Path, output: Path, trust: bool) -> None:
    """Merge two stores of the same system into a new one.

    FIRST and SECOND are the stores. A point that both hold is stored once.
    """
    from thalweg.landscapes import Landscape
    from thalweg.landscapes import merge as merge_stores

    with errors_in_one_line(OSError, ValueError):
        merge_stores(first, second, output, trust=trust)
        for path in (first, second, output):
            landscape = Landscape.open(path)
            say(f"{path}: {len(landscape.minima)} minima, {len(landscape.transition_states)} transition states")
