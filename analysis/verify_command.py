"""``thalweg verify``."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

__all__ = ["run"]

_SHOWN = 50


def run(path: Path, sample: int | None, seed: int, workers: int | None) -> int:
    """Check a store and compute its points again; print what is wrong.

    Parameters
    ----------
    path : Path
        The store.
    sample : int or None
        How many minima and transition states, drawn at random; all where None. The arrays are always read whole.
    seed : int
        Of the sample.
    workers : int or None
        Threads.

    Returns
    -------
    int
        The exit status: 1 if something is wrong.

    Raises
    ------
    click.ClickException
        If there is no store, or its system cannot be built.
    """
    from thalweg.landscapes import Landscape, verify
    from thalweg.landscapes.structure import verify_structure

    rng = np.random.default_rng(seed)
    try:
        landscape = Landscape.open(path)
        problems = verify_structure(landscape)
        rows = [_rows(len(points), sample, rng) for points in (landscape.minima, landscape.transition_states)]
        if not problems:
            problems = verify(landscape, *rows, workers=workers)
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    for problem in problems[:_SHOWN]:
        where = problem.group if problem.row < 0 else f"{problem.group} {problem.row}"
        click.echo(f"{where}: {problem.message}")
    if len(problems) > _SHOWN:
        click.echo(f"... and {len(problems) - _SHOWN} more")
    looked = f"{len(rows[0])} of {len(landscape.minima)} minima, {len(rows[1])} of "
    looked += f"{len(landscape.transition_states)} transition states"
    click.echo(f"{looked}: {f'{len(problems)} problems' if problems else 'nothing wrong'}")
    return 1 if problems else 0


def _rows(count: int, sample: int | None, rng: np.random.Generator) -> np.ndarray:
    if sample is None or sample >= count:
        return np.arange(count)
    return np.sort(rng.choice(count, sample, replace=False))
