"""Command ``thalweg verify``: recompute the points of a store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from thalweg.analysis.cli.errors import errors_in_one_line
from thalweg.analysis.cli.shared_options import sample_seed_option, store_argument, trust_option, workers_option
from thalweg.analysis.cli.terminal import say
from thalweg.potentials.conversion.printable import printable

if TYPE_CHECKING:
    import numpy as np

    from thalweg.landscapes import Landscape, Problem

__all__ = ["verify"]

_SHOWN = 50


@click.command()
@store_argument
@click.option("--sample", type=click.IntRange(min=1), help="Check a random sample of this size instead of every point.")
@sample_seed_option
@workers_option
@click.option(
    "--mark", is_flag=True, help="Check only the imported points, and mark those that pass as verified in the store."
)
@click.option(
    "--lengths",
    is_flag=True,
    help="Compute the lengths of steepest descent that the store does not have, and keep them in it.",
)
@click.option(
    "--frequencies",
    is_flag=True,
    help="Compute the vibrational frequencies of atoms in eV that the store does not have, and keep them in it.",
)
@trust_option
@click.pass_context
def verify(
    context: click.Context,
    path: Path,
    sample: int | None,
    seed: int,
    workers: int | None,
    mark: bool,
    lengths: bool,
    frequencies: bool,
    trust: bool,
) -> None:
    """Recompute the stored points and report every error.

    PATH is the store. The exit status is 1 if there is an error. --sample N checks at most N minima and
    N transition states; every stored array is read in either case.
    """
    from thalweg.landscapes import Landscape
    from thalweg.landscapes.vibrations.hessians import check_vibrating

    with errors_in_one_line(OSError, ValueError, ArithmeticError):
        if mark and sample is not None:
            raise ValueError("--mark checks all imported points: leave --sample out")
        with Landscape.open(path, "r+" if mark or lengths or frequencies else "r", trust=trust) as landscape:
            if frequencies:
                check_vibrating(landscape)
            checked, problems = _mark(landscape, workers) if mark else _check(landscape, sample, seed, workers)
            wanted = [(lengths, _fill_lengths), (frequencies, _fill_frequencies)]
            filled = [fill(landscape) for asked, fill in wanted if asked and not problems]
    for problem in problems[:_SHOWN]:
        where = problem.group if problem.row < 0 else f"{problem.group} {problem.row}"
        say(printable(f"{where}: {problem.message}"))
    if len(problems) > _SHOWN:
        say(f"... and {len(problems) - _SHOWN} more")
    say(f"{checked}: {f'{len(problems)} problems' if problems else 'nothing wrong'}")
    for line in filled:
        say(line)
    context.exit(1 if problems else 0)


def _check(landscape: Landscape, sample: int | None, seed: int, workers: int | None) -> tuple[str, list[Problem]]:
    """Recompute all points, or a sample; return how many were checked, and the errors."""
    import numpy as np

    from thalweg.landscapes import verify as verify_points
    from thalweg.landscapes.maintenance.integrity import verify_structure

    rng = np.random.default_rng(seed)
    counts = len(landscape.minima), len(landscape.transition_states)
    minima, states = (_rows(count, sample, rng) for count in counts)
    problems = verify_structure(landscape) or verify_points(landscape, minima, states, workers=workers)
    return f"{len(minima)} of {counts[0]} minima, {len(states)} of {counts[1]} transition states", problems


def _fill_lengths(landscape: Landscape) -> str:
    """Compute the lengths of paths; return of how many transition states they are known."""
    import numpy as np

    from thalweg.landscapes import fill_path_lengths

    new = fill_path_lengths(landscape)
    lengths = landscape.transition_states.path_length[:]
    known = int(np.isfinite(lengths).all(axis=1).sum())
    return f"path lengths of {known} of {len(lengths)} transition states known, {new} of them computed now"


def _fill_frequencies(landscape: Landscape) -> str:
    """Compute vibrational frequencies; return of how many points they were computed."""
    from thalweg.landscapes import fill_frequencies

    new, points = fill_frequencies(landscape), len(landscape.minima) + len(landscape.transition_states)
    return f"vibrational frequencies of {points} points known, {new} of them computed now"


def _rows(count: int, sample: int | None, rng: np.random.Generator) -> list[int]:
    if sample is None or sample >= count:
        return list(range(count))
    return sorted(rng.choice(count, sample, replace=False).tolist())


def _mark(landscape: Landscape, workers: int | None) -> tuple[str, list[Problem]]:
    """Mark imported points that pass as verified; return how many were marked, and the errors."""
    from thalweg.landscapes import mark_verified
    from thalweg.landscapes.maintenance.integrity import verify_structure

    groups = (landscape.minima, landscape.transition_states)
    before = [int((~points.verified[:]).sum()) for points in groups]
    problems = verify_structure(landscape) or mark_verified(landscape, workers=workers)
    marked = [count - int((~points.verified[:]).sum()) for count, points in zip(before, groups, strict=True)]
    return f"{marked[0]} of {before[0]} minima, {marked[1]} of {before[1]} transition states marked", problems
