"""Time to a loss as low as the best of 100 restarts of scikit-learn and of PyTorch, one core.

    python -m tests.benchmarks.networks.bench_restarts [--restarts 100] [--seeds 5] [--steps 800] [--results FILE]

Networks with ten tanh units on scikit-learn's four data sets, with the objective of ``MLPClassifier``: the mean
cross-entropy plus l2 times the sum of squared weights, without biases (alpha = 2 N l2). Both peers minimise by LBFGS in
float64 from their own random initialisation; basin-hopping then runs until it has a minimum at least as low as the best
of both, once for each of some seeds, since its time is a matter of chance. Every restart is checked: our NetworkLoss
has the peer's final objective at its weights. Figures are CPU seconds; each is a line of FILE as soon as it is known,
and a later call goes on from there.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from zarr.storage import MemoryStore

from thalweg.analysis import from_sklearn
from thalweg.landscapes import Landscape
from thalweg.optimizers import HiddenUnits, SpliceNetworks
from thalweg.potentials import NetworkLoss, Weights

DATA = ("iris", "wine", "breast_cancer", "digits")
L2 = (1e-3, 1e-4)
UNITS, MOST = 10, 5000  # hidden units; iterations of LBFGS
SAME = 1e-9  # difference of losses that are the same
PEERS = ("scikit-learn", "PyTorch")

torch.set_num_threads(1)


def data_of(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return scaled inputs and labels."""
    import sklearn.datasets

    inputs, labels = getattr(sklearn.datasets, f"load_{name}")(return_X_y=True)
    return (inputs / 16 if name == "digits" else (inputs - inputs.mean(0)) / inputs.std(0)), labels


def network(name: str, l2: float) -> NetworkLoss:
    """Return our loss with scikit-learn's objective: one logistic output for two classes."""
    inputs, labels = data_of(name)
    kind = "logistic" if labels.max() == 1 else "cross_entropy"
    return NetworkLoss(inputs, labels, (UNITS,), l2, loss=kind, l2_biases=False)


def by_scikit_learn(name: str, l2: float, seed: int) -> tuple[float, float]:
    """Return the loss of one restart and its CPU seconds."""
    inputs, labels = data_of(name)
    model = MLPClassifier(
        (UNITS,), activation="tanh", solver="lbfgs", alpha=2 * len(labels) * l2, max_iter=MOST, max_fun=10 * MOST,
        tol=1e-8, random_state=seed,
    )  # fmt: skip
    began = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(inputs, labels)
    seconds = time.process_time() - began
    ours = from_sklearn(model, inputs, labels, same_loss=True)
    assert abs(ours.get_potential_energy() - model.loss_) < 1e-9
    assert abs(network(name, l2).energy(ours.x) - model.loss_) < 1e-9
    return float(model.loss_), seconds


def by_torch(name: str, l2: float, seed: int) -> tuple[float, float]:
    """Return the loss of one restart and its CPU seconds."""
    inputs, labels = data_of(name)
    ours = network(name, l2)
    torch.manual_seed(seed)
    first = torch.nn.Linear(ours.layers[0], UNITS, dtype=torch.float64)
    last = torch.nn.Linear(UNITS, ours.layers[-1], dtype=torch.float64)
    model = torch.nn.Sequential(first, torch.nn.Tanh(), last)
    binary = ours.loss == "logistic"
    criterion = torch.nn.BCEWithLogitsLoss() if binary else torch.nn.CrossEntropyLoss()
    x, y = torch.tensor(inputs), torch.tensor(labels[:, None]).double() if binary else torch.tensor(labels)
    optimizer = torch.optim.LBFGS(
        model.parameters(), max_iter=MOST, max_eval=10 * MOST, tolerance_grad=1e-7, tolerance_change=1e-12,
        line_search_fn="strong_wolfe",
    )  # fmt: skip

    def objective() -> torch.Tensor:
        return criterion(model(x), y) + l2 * ((first.weight**2).sum() + (last.weight**2).sum())

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        value = objective()
        value.backward()
        return value

    began = time.process_time()
    optimizer.step(closure)
    seconds = time.process_time() - began
    value = float(objective().detach())
    parts = [part.detach().numpy().ravel() for part in (first.weight, last.weight, first.bias, last.bias)]
    assert abs(ours.energy(np.concatenate(parts)) - value) < 1e-9
    return value, seconds


def by_thalweg(name: str, l2: float, most: int, best: float, seed: int = 0) -> tuple[float, float, int, int]:
    """Return the lowest loss when it is at least as low as `best`, CPU seconds until then, steps, and minima.

    Ten steps that sample widely, as by default, and ten that get down, with the settings that docs/basin_hopping.md
    names for either, take turns; the run ends after `most` steps in any case.
    """
    down: dict[str, Any] = {"moves": [HiddenUnits(), SpliceNetworks()], "step": 0.3, "temperature": 0.01}
    weights = Weights.random(network(name, l2), seed=seed)
    began, steps = time.process_time(), 0
    with Landscape(weights, MemoryStore(), seed=seed) as landscape:
        while steps < most:
            landscape.find_minima(10, workers=1, progress=False, **(down if steps // 10 % 2 else {}))
            steps += 10
            lowest = min(landscape.minima.energy[:], default=np.inf)
            if lowest <= best + SAME:
                break
        return float(lowest), time.process_time() - began, steps, len(landscape.minima)


def known(path: Path) -> dict[tuple[str, float, str, int], list[float]]:
    """Return the results that the file holds, by data set, l2, program and restart."""
    lines = path.read_text().splitlines() if path.exists() else []
    return {tuple(row[:4]): row[4:] for row in map(json.loads, lines)}


def run(path: Path, restarts: int, seeds: int, steps: int) -> None:
    """Add to the file what it lacks: the peers by turns, then the runs that are to be at least as low."""
    by_thalweg("iris", 1e-3, 20, -np.inf)  # compiles
    for name, l2 in itertools.product(DATA, L2):
        found = known(path)
        for number, program in itertools.product(range(restarts), PEERS):
            if (name, l2, program, number) not in found:
                how = by_scikit_learn if program == PEERS[0] else by_torch
                add(path, [name, l2, program, number, *how(name, l2, number)])
        found = known(path)
        best = min(found[name, l2, program, number][0] for number in range(restarts) for program in PEERS)
        for seed in range(seeds):
            if (name, l2, "Thalweg", seed) not in found:
                add(path, [name, l2, "Thalweg", seed, *by_thalweg(name, l2, steps, best, seed)])


def add(path: Path, row: list[str | float]) -> None:
    """Add a line to the file."""
    with path.open("a") as file:
        file.write(json.dumps(row) + "\n")


def print_table(path: Path, restarts: int, seeds: int) -> None:
    """Print the table of docs/networks.md: of our runs those as low as the peers, their highest loss, and times."""
    found = known(path)
    ours = "Thalweg: as low | highest loss | seconds, median | longest | steps, median"
    print("| data, l2 | scikit-learn: best | seconds | PyTorch: best | seconds |", ours, "|\n" + "|---" * 10 + "|")
    for name, l2 in itertools.product(DATA, L2):
        if (name, l2, "Thalweg", seeds - 1) not in found:
            continue
        columns, lowest = [f"{name}, {l2:g}"], np.inf
        for program in PEERS:
            best = min(found[name, l2, program, number][0] for number in range(restarts))
            seconds = sum(found[name, l2, program, number][1] for number in range(restarts))
            columns += [f"{best:.8f}", f"{seconds:.1f}"]
            lowest = min(lowest, best)
        runs = np.array([found[name, l2, "Thalweg", seed][:3] for seed in range(seeds)])
        reached, (loss, _, _) = int((runs[:, 0] <= lowest + SAME).sum()), runs.max(axis=0)
        columns += [f"{reached} of {seeds}", f"{loss:.8f}", f"{np.median(runs[:, 1]):.1f}", f"{runs[:, 1].max():.1f}"]
        print("|", " | ".join([*columns, f"{np.median(runs[:, 2]):.0f}"]), "|")


def main() -> None:
    """Run what is missing and print the table."""
    parser = argparse.ArgumentParser(description="Lowest losses beside restarts of scikit-learn and PyTorch")
    parser.add_argument("--restarts", type=int, default=100, help="restarts of each peer")
    parser.add_argument("--seeds", type=int, default=5, help="runs of basin-hopping, with seeds from 0")
    parser.add_argument("--steps", type=int, default=800, help="most steps of basin-hopping")
    parser.add_argument("--results", type=Path, default=Path("restarts.jsonl"), help="file of the results so far")
    given = parser.parse_args()
    run(given.results, given.restarts, given.seeds, given.steps)
    print_table(given.results, given.restarts, given.seeds)


@pytest.mark.benchmark
def test_objectives_are_equal(tmp_path):
    """Run a few restarts, whose objectives are compared."""
    run(tmp_path / "restarts.jsonl", 2, 2, 40)
    print()
    print_table(tmp_path / "restarts.jsonl", 2, 2)


if __name__ == "__main__":
    main()
