"""``thalweg verify``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np

__all__ = ["run"]

_SHOWN = 50


def run(path: Path, sample: int | None, seed: int, workers: int | None, mark: bool) -> int:
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
    mark : bool
        Whether imported points that pass are marked as verified in the store; only those are looked at.

    Returns
    -------
    int
        The exit status: 1 if something is wrong.

    Raises
    ------
    click.ClickException
        If there is no store, or its system cannot be built.
    """
    from thalweg.landscapes import Landscape

    try:
        if mark and sample is not None:
            raise ValueError("--mark looks at all that was imported: leave --sample out")
        with Landscape.open(path, "r+" if mark else "r") as landscape:
            looked, problems = _marked(landscape, workers) if mark else _checked(landscape, sample, seed, workers)
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    for problem in problems[:_SHOWN]:
        where = problem.group if problem.row < 0 else f"{problem.group} {problem.row}"
        click.echo(f"{where}: {problem.message}")
    if len(problems) > _SHOWN:
        click.echo(f"... and {len(problems) - _SHOWN} more")
    click.echo(f"{looked}: {f'{len(problems)} problems' if problems else 'nothing wrong'}")
    return 1 if problems else 0


def _checked(landscape: Any, sample: int | None, seed: int, workers: int | None) -> tuple[str, list[Any]]:
    from thalweg.landscapes import verify
    from thalweg.landscapes.maintenance.integrity import verify_structure

    rng = np.random.default_rng(seed)
    groups = (landscape.minima, landscape.transition_states)
    rows = [_rows(len(points), sample, rng) for points in groups]
    problems = verify_structure(landscape) or verify(landscape, *rows, workers=workers)
    looked = [f"{len(here)} of {len(points)}" for here, points in zip(rows, groups, strict=True)]
    return f"{looked[0]} minima, {looked[1]} transition states", problems


def _marked(landscape: Any, workers: int | None) -> tuple[str, list[Any]]:
    from thalweg.landscapes import mark_verified
    from thalweg.landscapes.maintenance.integrity import verify_structure

    groups = (landscape.minima, landscape.transition_states)
    before = [int(np.sum(~points.verified[:])) for points in groups]
    problems = verify_structure(landscape) or mark_verified(landscape, workers=workers)
    marked = [count - int(np.sum(~points.verified[:])) for count, points in zip(before, groups, strict=True)]
    return f"{marked[0]} of {before[0]} minima, {marked[1]} of {before[1]} transition states marked", problems


def _rows(count: int, sample: int | None, rng: np.random.Generator) -> np.ndarray:
    if sample is None or sample >= count:
        return np.arange(count)
    return np.sort(rng.choice(count, sample, replace=False))
