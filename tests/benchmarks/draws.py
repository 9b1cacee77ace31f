"""Gmin of D1 and D2 for several draws of 1,000 training points, beside Tables 1 and 2 of the paper.

    python -m tests.benchmarks.draws [--seeds 0 1 2] [--steps 150] [--searches 200] [--workers 2]

Run from the repository's root. The draw and the exploration share the seed, as in ``thalweg explore D1 --seed 1``.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from thalweg.analysis.prediction.minima_scores import measure
from thalweg.analysis.systems.named import build, default_options
from thalweg.landscapes import Landscape

PAPER = {
    "D1": "| paper, Table 1 | 122 | 592 | 0.850 | 0.749 | 0.746, 0.0035 | 0.891 | 0.732 | 0.733, 0.0025 | |",
    "D2": "| paper, Table 2 | 6 | 20 | 0.519 | 0.810 | 0.810, 0.00033 | 0.552 | 0.797 | 0.796, 0.00031 | |",
}
"""From science.md, 0 % errors."""

HEADINGS = (
    "draw", "min", "ts", "train loss", "train AUC", "mean, sd", "test loss", "test AUC", "mean, sd", "class 0 %, s",
)  # fmt: skip


class Row(NamedTuple):
    """What one draw gave: numbers of points, Gmin's values, mean and standard deviation over the minima."""

    minima: int
    transition_states: int
    train_loss: float
    train_auc: float
    train_mean: float
    train_sd: float
    test_loss: float
    test_auc: float
    test_mean: float
    test_sd: float
    equilateral: float
    seconds: float


def explore_draw(name: str, seed: int, steps: int, searches: int, workers: int | None, folder: Path) -> Row:
    """Explore one draw and return its row; ``equilateral`` is the percentage of class 0 among the training labels."""
    began = time.monotonic()
    explored = build(name, default_options(name) | {"seed": seed})
    with Landscape(explored.subject, folder / f"{name}-{seed}.zarr", seed=seed) as landscape:
        landscape.find_minima(steps, workers=workers)
        landscape.connect(searches, workers=workers)
        measure(landscape, explored.test, explored.reference, threads=workers)
        energy = landscape.minima.energy[:]
        lowest = int(energy.argmin())
        train, test, test_loss = (landscape.properties[key] for key in ("train_auc", "test_auc", "test_loss"))
        return Row(
            len(energy), len(landscape.transition_states), energy[lowest],
            train[lowest], train.mean(), train.std(),
            test_loss[lowest], test[lowest], test.mean(), test.std(),
            100 * np.mean(explored.subject.calc.labels == 0), time.monotonic() - began,
        )  # fmt: skip


def line(seed: int, row: Row) -> str:
    """Return a draw's line of the table."""
    return (
        f"| seed {seed} | {row.minima} | {row.transition_states} | {row.train_loss:.3f} | {row.train_auc:.3f} | "
        f"{row.train_mean:.3f}, {row.train_sd:.4f} | {row.test_loss:.3f} | {row.test_auc:.3f} | "
        f"{row.test_mean:.3f}, {row.test_sd:.4f} | {row.equilateral:.1f}, {row.seconds:.0f} |"
    )


def main() -> None:
    """Print one table for D1 and D2."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--searches", type=int, default=200)
    parser.add_argument("--workers", type=int)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name, paper in PAPER.items():
            print(f"\n{name}, [2,10,4,1000,0.0001], no errors; {given.steps} steps, {given.searches} searches\n")
            print(f"| {' | '.join(HEADINGS)} |\n{'|---' * len(HEADINGS)}|\n{paper}", flush=True)
            for seed in given.seeds:
                row = explore_draw(name, seed, given.steps, given.searches, given.workers, Path(folder))
                print(line(seed, row), flush=True)


if __name__ == "__main__":
    main()
