"""D1's loss without label errors, explored by the original programs and by ours: how fast both grow, who has what.

    THALWEG_PYLFL=.../pylfl/bin/linux python -m tests.benchmarks.peers.bench_paper --minutes 30 --output results/

Run from the repository's root, on Linux. All have the same 1,000 training points and one core, and CPU time is what
counts: GMIN hops for so many minutes, then PATHSAMPLE with OPTIM grows a database from its minima for as many; ours
hops, then connects. The four are one after the other, each goes on where it was stopped, and with more minutes where
it had ended: the same command again. It writes peers.md and peers.csv into the output folder, where ``thalweg paper``
finds them.

    ... python -m tests.benchmarks.peers.bench_paper --seed 4 --minutes 20 --ours 10

is the comparison on other points: theirs have 20 minutes each, ours 10 in all, and hops as many steps as
``thalweg explore D1`` does by default, or as many as ``--steps`` says.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import shutil
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from thalweg.analysis.systems.named import build, default_options, default_work
from thalweg.landscapes import Landscape
from thalweg.optimizers import minimise

from .growth import TRIES, Stage, keep_stages, known_stages, read_database, run_gmin, run_pathsample
from .programs import binaries

SHARES = (1 / 8, 1 / 4, 1 / 2, 1.0)
ENERGY, DISTANCE = 1e-6, 1e-2  # within which two points are one; the distance is that after alignment
_RMS = 1e-7  # of a point that counts as stationary: theirs are written with some ten digits
_SLICE = 20.0  # seconds
_MOST = 10_000_000  # searches: more than there is time for


class Points(NamedTuple):
    """Stationary points of one kind: coordinates and energies, each once."""

    x: np.ndarray
    energy: np.ndarray


def main() -> None:
    """Explore, match, and write the tables."""
    given = _arguments()
    if binaries() is None:
        raise SystemExit("THALWEG_PYLFL names no folder with GMIN, OPTIM and PATHSAMPLE (tests/benchmarks)")
    seconds, work = 60.0 * given.minutes, given.work.resolve()
    ours = None if given.ours is None else 60.0 * given.ours
    explored = build("D1", default_options("D1") | {"seed": given.seed})
    loss = explored.subject.calc
    growth: dict[str, list[Stage]] = {}
    their_x, growth["GMIN"] = run_gmin(loss, explored.subject.x, work / "gmin", seconds)
    _say("GMIN", growth)
    growth["PATHSAMPLE"] = run_pathsample(loss, their_x, work / "ps", seconds)
    _say("PATHSAMPLE", growth)
    steps = given.steps
    if steps is None:
        steps = _MOST if ours is None else default_work("D1", default_options("D1")).steps
    for what, most in (("find_minima", steps), ("connect", _MOST)):
        hopped = growth["find_minima"][-1][0] if what == "connect" else 0.0
        spend = seconds if ours is None else ours - hopped
        growth[what] = grow_ours(explored.subject, what, work, given.seed, spend, most)
        _say(what, growth)
    with Landscape.open(work / "connect.zarr") as landscape:
        matches = match(landscape, their_x, work / "ps")
    given.output.mkdir(parents=True, exist_ok=True)
    (given.output / "peers.md").write_text(report(growth, matches, given.seed, seconds, ours), encoding="utf-8")
    (given.output / "peers.csv").write_text(growth_csv(growth), encoding="utf-8")
    print(given.output / "peers.md")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0, help="of CPU time for each of the four")
    parser.add_argument("--ours", type=float, help="of CPU time for ours in all; as much as for theirs by default")
    parser.add_argument("--steps", type=int, help="of our basin-hopping, at most")
    parser.add_argument("--seed", type=int, default=0, help="draws the training points")
    parser.add_argument("--work", type=Path, default=Path("/tmp/peers"), help="folder of all files; a short path")
    parser.add_argument("--output", type=Path, default=Path("."), help="folder of peers.md and peers.csv")
    return parser.parse_args()


def _say(name: str, growth: dict[str, list[Stage]]) -> None:
    seconds, minima, states = growth[name][-1]
    print(f"{name}: {minima} minima, {states} transition states after {seconds:.0f} CPU seconds", flush=True)


def grow_ours(subject: Any, what: str, work: Path, seed: int, seconds: float, most: int = _MOST) -> list[Stage]:
    """Search on one core until so many CPU seconds have gone, or ``most`` searches were done; return the growth.

    Connecting starts with what hopped.
    """
    folder, store = work / what, work / f"{what}.zarr"
    folder.mkdir(parents=True, exist_ok=True)
    stages = known_stages(folder)
    if what == "connect" and not store.exists():
        shutil.copytree(work / "find_minima.zarr", store)
    with Landscape(subject, store, seed=seed) as landscape:
        method = getattr(landscape, what)
        if len(stages) == 1:
            method(1, workers=1, progress=False)  # whatever is still to be compiled or loaded
            stages = [(0.0, *_known(landscape))]
        while (left := seconds - stages[-1][0]) > 0 and len(landscape.searches) < most:
            began = time.process_time()
            slice_ = min(_SLICE, left, max(1.0, 0.2 * stages[-1][0]))
            method(most - len(landscape.searches), seconds=slice_, workers=1, progress=False)
            stages.append((stages[-1][0] + time.process_time() - began, *_known(landscape)))
            keep_stages(folder, stages)
    return stages


def _known(landscape: Landscape) -> tuple[int, int]:
    return len(landscape.minima), len(landscape.transition_states)


def match(landscape: Landscape, hopped: np.ndarray, database: Path) -> list[dict[str, Any]]:
    """Hold their points against ours: energies, then distances after alignment over all exchanges of hidden units.

    GMIN's minima are quenched to 1e-9 first, for it quenches to 1e-6 while it hops; PATHSAMPLE's points are taken as
    they are. What has another number of negative Hessian eigenvalues than it should, or a gradient, is left out.
    """
    system = landscape.system
    grown, states = read_database(database, system.n)
    quenched = minimise(system, hopped, rms=1e-9, second_order=True, threads=1)
    kinds = {
        "minima, GMIN": (quenched.x[quenched.converged], len(hopped), 0, landscape.minima),
        "minima, PATHSAMPLE": (grown, len(grown), 0, landscape.minima),
        "transition states, PATHSAMPLE": (states, len(states), 1, landscape.transition_states),
    }
    rows = []
    for name, (x, told, negative, stored) in kinds.items():
        passed = np.array([stationary(system, one, negative) for one in x], dtype=bool)
        theirs = distinct(system, x[passed])
        ours = Points(stored.coordinates[:], stored.energy[:])
        rows.append({
            "points": name, "theirs": told, "stationary": int(passed.sum()), "distinct": len(theirs.x),
            "ours": len(ours.x), "of theirs we have": shared(system, theirs, ours),
            "of ours they have": shared(system, ours, theirs),
        })  # fmt: skip
    return rows


def stationary(system: Any, x: np.ndarray, negative: int) -> bool:
    """Say whether a point is what it should be."""
    gradient = system.energy_gradient(x)[1]
    return bool(np.sqrt(np.mean(gradient**2)) < _RMS and np.sum(np.linalg.eigvalsh(system.hessian(x)) < 0) == negative)


def distinct(system: Any, x: np.ndarray) -> Points:
    """Return points without copies."""
    known = Points(np.empty((0, system.n)), np.empty(0))
    for one, energy in zip(x, (system.energy_gradient(one)[0] for one in x), strict=True):
        if not _has(system, known, one, energy):
            known = Points(np.vstack([known.x, one]), np.append(known.energy, energy))
    return known


def shared(system: Any, some: Points, others: Points) -> int:
    """Return how many of some are among the others."""
    return sum(_has(system, others, x, energy) for x, energy in zip(some.x, some.energy, strict=True))


def _has(system: Any, known: Points, x: np.ndarray, energy: float) -> bool:
    near = np.flatnonzero(np.abs(known.energy - energy) <= ENERGY)
    return any(system.distance(known.x[row], x) <= DISTANCE for row in near)


def at(stages: list[Stage], seconds: float) -> tuple[int, int]:
    """Return the numbers of minima and transition states that were known by then."""
    before = [stage for stage in stages if stage[0] <= seconds] or stages[:1]
    return before[-1][1:]


def report(
    growth: dict[str, list[Stage]], matches: list[dict[str, Any]], seed: int, seconds: float, ours: float | None = None
) -> str:
    """Return the tables as Markdown; ``ours`` are the seconds of ours where they are others."""
    names = {
        "GMIN": "GMIN, basin-hopping", "find_minima": "ours, basin-hopping",
        "PATHSAMPLE": "PATHSAMPLE with OPTIM, from GMIN's minima", "connect": "ours, transition states, from its own",
    }  # fmt: skip
    head = ["minima / transition states after", *(f"{share * seconds / 60:.3g} min" for share in SHARES)]
    spans = dict.fromkeys(names, seconds)
    if ours is not None:
        head = ["minima / transition states after", "minutes", *(f"{share:.3g} of them" for share in SHARES)]
        spans |= {name: growth[name][-1][0] for name in ("find_minima", "connect")}
    rows = [
        [said, *(" / ".join(map(str, at(growth[name], share * spans[name] * 1.01))) for share in SHARES)]
        for name, said in names.items()
    ]
    if ours is not None:
        rows = [[row[0], f"{spans[name] / 60:.1f}", *row[1:]] for name, row in zip(names, rows, strict=True)]
    told = (
        f"D1 without errors, 1,000 training points (seed {seed}), "
        f"{'' if ours is None else f'{ours / 60:g} CPU minutes for ours and '}"
        f"{seconds / 60:g} CPU minutes on one core {'each' if ours is None else 'for each of the others'}; counts are "
        "each program's own. GMIN quenches to an rms gradient of 1e-6 while it hops, the others to 1e-9; ours proves "
        f"every point by its Hessian's eigenvalues. PATHSAMPLE perturbs each minimum {TRIES} times, in order, "
        "sweep after sweep."
    )
    held = (
        f"Which are the same: energies within {ENERGY:g}, and {DISTANCE:g} apart at most after alignment over all "
        "exchanges and sign changes of hidden units. Stationary: a gradient of "
        f"{_RMS:g} rms at most, and no negative eigenvalue, or exactly one. Distinct: without copies, by that measure."
    )
    overlap = [[str(row[key]) for key in row] for row in matches]
    return f"{told}\n\n{_grid(head, rows)}\n\n{held}\n\n{_grid(list(matches[0]), overlap)}\n"


def _grid(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, ["---"] * len(head), *rows])


def growth_csv(growth: dict[str, list[Stage]]) -> str:
    """Return every stage as comma-separated values."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["program", "cpu_seconds", "minima", "transition_states"])
    writer.writerows((name, f"{t:.1f}", m, s) for name, stages in growth.items() for t, m, s in stages)
    return out.getvalue()


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    main()
