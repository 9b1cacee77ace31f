"""Stationary points of networks that learn the exclusive or: counts beside restarts of scipy, which shares no code.

    python -m tests.benchmarks.networks.bench_xor [--hidden 2 3 4 5] [--restarts 400] [--seeds 0] [--results FILE]

D. Mehta, X. Zhao, E. A. Bernal and D. J. Wales, Phys. Rev. E 97 (2018) 052307, explored such networks; their counts are
not at hand, so the comparison is with an independent search: plain numpy writes the loss, scipy's BFGS minimises it
from random weights, and scipy's Powell hybrid method solves gradient = 0, which finds stationary points of any index.
Points that differ by a permutation or by signs of hidden units count once, here by sorted invariants of their units.
Our own searches go on until probably nothing remains, or until there were as many as `--searches` says. Each result is
a line of FILE as soon as it is known, and a later call goes on from there.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from scipy.optimize import minimize, root
from zarr.storage import MemoryStore

from thalweg.landscapes import Landscape
from thalweg.potentials import NetworkLoss, Weights

INPUTS, LABELS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([0, 1, 1, 0])
L2 = (2e-2, 1e-2, 1e-3, 1e-4)


class Counts(NamedTuple):
    """Energies of minima and of transition states, each once."""

    minima: np.ndarray
    states: np.ndarray


def parts(v: np.ndarray, hidden: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the two weight matrices and bias vectors."""
    first, last = v[: 2 * hidden].reshape(hidden, 2), v[2 * hidden : 4 * hidden].reshape(2, hidden)
    return first, last, v[4 * hidden : 5 * hidden], v[5 * hidden :]


def loss_gradient(v: np.ndarray, hidden: int, l2: float) -> tuple[float, np.ndarray]:
    """Return the loss and its gradient, by plain numpy."""
    first, last, low, high = parts(v, hidden)
    a = np.tanh(INPUTS @ first.T + low)
    y = a @ last.T + high
    top = y.max(axis=1, keepdims=True)
    logs = y - top - np.log(np.exp(y - top).sum(axis=1, keepdims=True))
    back = (np.exp(logs) - np.eye(2)[LABELS]) / 4
    down = (back @ last) * (1 - a * a)
    gradient = np.concatenate([(down.T @ INPUTS).ravel(), (back.T @ a).ravel(), down.sum(0), back.sum(0)])
    return float(-logs[np.arange(4), LABELS].mean() + l2 * v @ v), gradient + 2 * l2 * v


def hessian(v: np.ndarray, hidden: int, l2: float) -> np.ndarray:
    """Return the second derivatives by central differences of the gradient."""
    h, rows = 1e-5, []
    for step in np.eye(v.size) * h:
        rows.append((loss_gradient(v + step, hidden, l2)[1] - loss_gradient(v - step, hidden, l2)[1]) / (2 * h))
    return 0.5 * (np.array(rows) + np.array(rows).T)


def invariants(v: np.ndarray, hidden: int) -> np.ndarray:
    """Return numbers that exchanges and sign changes of hidden units leave alone, and that differ otherwise."""
    first, last, low, high = parts(v, hidden)
    units = np.concatenate([first, low[:, None], last.T], axis=1)
    pairs = units[:, :, None] * units[:, None, :]
    keys = np.einsum("uij,ij->u", pairs, np.random.default_rng(0).normal(size=(5, 5)))
    return np.concatenate([np.sort(keys), high])


def distinct(points: list[np.ndarray], hidden: int, l2: float) -> np.ndarray:
    """Return the energies of points that differ."""
    energies: list[float] = []
    known: list[np.ndarray] = []
    for v in points:
        now = invariants(v, hidden)
        if not any(np.abs(now - one).max() < 1e-4 for one in known):
            known.append(now)
            energies.append(loss_gradient(v, hidden, l2)[0])
    return np.sort(energies)


def by_scipy(hidden: int, l2: float, restarts: int) -> Counts:
    """Search from random weights of three sizes."""
    rng, minima, states = np.random.default_rng(1), [], []
    for number in range(restarts):
        x = rng.uniform(-1, 1, 5 * hidden + 2) * (1.0, 5.0, 0.2)[number % 3]
        low = minimize(loss_gradient, x, (hidden, l2), jac=True, method="BFGS", options={"gtol": 1e-9, "maxiter": 5000})
        solved = [root(lambda v: loss_gradient(v, hidden, l2)[1], start, tol=1e-13) for start in (low.x, x)]
        for one in solved:
            if np.abs(one.fun).max() > 1e-10:
                continue
            values = np.linalg.eigvalsh(hessian(one.x, hidden, l2))
            index = int((values < -1e-7).sum())
            if np.abs(values).min() > 1e-7 and index < 2:
                (minima, states)[index].append(one.x)
    return Counts(distinct(minima, hidden, l2), distinct(states, hidden, l2))


def by_thalweg(hidden: int, l2: float, most: int, seed: int = 0) -> tuple[Counts, int, bool]:
    """Return what is found until probably nothing remains, the number of searches, and whether it came to that.

    Every point is compared with all others by its invariants: each is counted once.
    """
    loss = NetworkLoss(INPUTS, LABELS, (hidden,), l2)
    with Landscape(Weights.random(loss, seed=seed), MemoryStore(), seed=seed) as landscape:
        landscape.find_minima(100 * hidden, workers=1, progress=False)
        progress = landscape.connect(most, until_converged=True, workers=1, progress=False)
        found = [
            distinct(list(points.coordinates[:]), hidden, l2)
            for points in (landscape.minima, landscape.transition_states)
        ]
        assert [len(energies) for energies in found] == [len(landscape.minima), len(landscape.transition_states)]
        return Counts(*found), progress.done, landscape.discoveries().complete


def missing(ours: np.ndarray, others: np.ndarray) -> int:
    """Return how many energies of others ours lack, each counted as often as it comes."""
    left = list(ours)
    lacking = 0
    for energy in others:
        near = [k for k, mine in enumerate(left) if abs(mine - energy) < 1e-8]
        if near:
            left.pop(near[0])
        else:
            lacking += 1
    return lacking


def known(path: Path) -> dict[tuple[str, int, float, int], list]:
    """Return the results that the file holds, by program, hidden units, l2, and restarts or seed."""
    lines = path.read_text().splitlines() if path.exists() else []
    return {tuple(row[:4]): row[4:] for row in map(json.loads, lines)}


def run(path: Path, widths: list[int], restarts: int, most: int, seeds: list[int]) -> None:
    """Add to the file what it lacks."""
    by_thalweg(2, 0.5, 16)  # compiles
    for hidden, l2 in itertools.product(widths, L2):
        for program, number in [("scipy", restarts), *(("Thalweg", seed) for seed in seeds)]:
            if (program, hidden, l2, number) in known(path):
                continue
            began, more = time.process_time(), []
            if program == "scipy":
                counts = by_scipy(hidden, l2, restarts)
            else:
                counts, *more = by_thalweg(hidden, l2, most, number)
            seconds = time.process_time() - began
            row = [program, hidden, l2, number, *(energies.tolist() for energies in counts), seconds, *more]
            with path.open("a") as file:
                file.write(json.dumps(row) + "\n")


def print_table(path: Path, widths: list[int], restarts: int, seeds: list[int]) -> None:
    """Print the table of docs/networks.md."""
    ours, theirs = "minima | transition states | searches | complete | seconds", "minima | transition states | seconds"
    print(f"| hidden units, l2 | {ours} | scipy: {theirs} | of these missing here |\n" + "|---" * 10 + "|")
    found = known(path)
    for hidden, l2, seed in itertools.product(widths, L2, seeds):
        minima, states, seconds, searches, complete = found["Thalweg", hidden, l2, seed]
        theirs = found["scipy", hidden, l2, restarts]
        lacking = [missing(np.array(mine), other) for mine, other in zip((minima, states), theirs[:2], strict=True)]
        counts = [len(minima), len(states), searches, "yes" if complete else "no", f"{seconds:.1f}"]
        counts += [*map(len, theirs[:2]), f"{theirs[2]:.1f}", f"{lacking[0]}, {lacking[1]}"]
        print("|", " | ".join([f"{hidden}, {l2:g}", *map(str, counts)]), "|", flush=True)


@pytest.mark.benchmark
def test_counts(tmp_path):
    print()
    run(tmp_path / "xor.jsonl", [2, 3], 100, 4000, [0])
    print_table(tmp_path / "xor.jsonl", [2, 3], 100, [0])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Stationary points of networks that learn the exclusive or")
    parser.add_argument("--hidden", type=int, nargs="+", default=[2, 3, 4, 5], help="hidden units")
    parser.add_argument("--restarts", type=int, default=400, help="restarts of scipy")
    parser.add_argument("--searches", type=int, default=40000, help="most searches")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="seeds of the explorations")
    parser.add_argument("--results", type=Path, default=Path("xor.jsonl"), help="file of the results so far")
    given = parser.parse_args()
    run(given.results, given.hidden, given.restarts, given.searches, given.seeds)
    print_table(given.results, given.hidden, given.restarts, given.seeds)
