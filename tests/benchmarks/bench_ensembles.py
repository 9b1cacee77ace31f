"""Ensemble against best single minimum for D1 at 0, 10 and 50 % mislabelled, over several draws of the data.

    python -m tests.benchmarks.bench_ensembles [--draws 0 1 2 3 4] [--errors 0 10 50] [--steps 100] [--folder FOLDER]

Run from the repository's root. Each draw has its own 1,000 training points and its own exploration, as in
``thalweg explore D1 --errors 10 --seed 1``; scores are those on the 100,000 testing points of D1's second half. The
minimum of best validation log loss is picked on 1,000 points of the first half that were not trained on. With
--folder the stores are kept, and a second call goes on where the first one ended.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from thalweg.analysis import ensemble_table, score_table
from thalweg.analysis.systems.named import build, default_options
from thalweg.landscapes import Landscape

COLUMNS = ("lowest", "validated", "hindsight", "mean", "equal", "boltzmann", "harmonic")
"""Single minima: of lowest loss, of best validation log loss, of best test AUC; their mean; and ensembles."""

TRAINING = 1000


def validation_points(explored, draw):
    """Return 1,000 points, clean, of the first half of D1, drawn otherwise than the training points."""
    from thalweg.datasets import ljat3_outcomes

    pool = ljat3_outcomes("D1", size=200_000, seed=0).halves()[0]
    seen = {row.tobytes() for row in explored.subject.calc.inputs}
    rows = np.random.default_rng([1, draw]).permutation(len(pool))[: 2 * TRAINING]
    fresh = [row for row in rows if pool.inputs[row].tobytes() not in seen][:TRAINING]
    return SimpleNamespace(inputs=pool.inputs[fresh], labels=pool.labels[fresh])


def explore_draw(errors, draw, steps, folder):
    """Explore one draw, or go on with it, and return its AUC and log loss in each column."""
    explored = build("D1", default_options("D1") | {"seed": draw, "errors": errors})
    temperature = 1 / TRAINING
    with Landscape(explored.subject, folder / f"D1-{errors:g}-{draw}.zarr", seed=draw) as landscape:
        done = sum(landscape.searches.count("basin-hopping").values())
        landscape.find_minima(max(0, steps - done), progress=False)
        table = ensemble_table(landscape, explored.test, [temperature])
        validated = score_table(landscape, validation_points(explored, draw))["log_loss"].argmin()
        single = score_table(landscape, explored.test, rows=validated)
        minima = len(landscape.minima)
    table |= {"validated": {name: float(values[0]) for name, values in single.items()}, "hindsight": table["best"]}
    table |= {name: table[f"{name} {temperature:g}"] for name in ("boltzmann", "harmonic")}
    return {score: np.array([table[name][score] for name in COLUMNS]) for score in ("auc", "log_loss")}, minima


def line(name, values, minima, seconds):
    """Return one line of the table."""
    return f"| {name} | {minima} | {' | '.join(f'{value:.4f}' for value in values)} | {seconds:.0f} |"


def summary(errors, rows):
    """Return mean and standard error over the draws, and what the ensembles gain, paired by draw."""
    values = np.array([row["auc"] for row in rows])
    error = values.std(axis=0, ddof=1) / len(values) ** 0.5
    cells = [f"{m:.4f} ± {e:.4f}" for m, e in zip(values.mean(axis=0), error, strict=True)]
    lines = [f"| {errors:g} %, mean | | {' | '.join(cells)} | |"]
    for score, sign in (("auc", 1), ("log_loss", -1)):
        values = sign * np.array([row[score] for row in rows])
        for against in COLUMNS[:3]:
            for name in COLUMNS[4:]:
                gain = values[:, COLUMNS.index(name)] - values[:, COLUMNS.index(against)]
                mean, error = gain.mean(), gain.std(ddof=1) / len(gain) ** 0.5
                better = f"better in {(gain > 0).sum()} of {len(gain)}"
                lines.append(f"  {errors:g} %, {score}: {name} against {against}: {mean:+.4f} ± {error:.4f}, {better}")
    return "\n".join(lines)


def run(draws, errors, steps, folder):
    """Print the table."""
    head = ("draw", "minima", *COLUMNS, "CPU s")
    print(f"test AUC, D1, [2,10,4,1000,0.0001], {steps} steps of basin-hopping a draw, T = 1/{TRAINING}\n")
    print(f"| {' | '.join(head)} |\n{'|---' * len(head)}|", flush=True)
    said = []
    for percentage in errors:
        rows = []
        for draw in draws:
            began = time.process_time()
            row, minima = explore_draw(percentage, draw, steps, folder)
            rows.append(row)
            seconds = time.process_time() - began
            print(line(f"{percentage:g} %, {draw}", row["auc"], minima, seconds), flush=True)
        if len(rows) > 1:
            said.append(summary(percentage, rows))
    print("\nmean ± standard error over the draws; gains are differences draw by draw, positive where better\n")
    print("\n".join(said))


def main():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--errors", type=float, nargs="+", default=[0, 10, 50])
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder) if given.folder is None else given.folder
        folder.mkdir(parents=True, exist_ok=True)
        run(given.draws, given.errors, given.steps, folder)


if __name__ == "__main__":
    main()
