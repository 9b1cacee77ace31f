"""Stationary points of networks that learn the exclusive or: counts beside restarts of scipy, which shares no code.

    python -m tests.benchmarks.networks.bench_xor [--hidden 2 3 4 5] [--restarts 400]

D. Mehta, X. Zhao, E. A. Bernal and D. J. Wales, Phys. Rev. E 97 (2018) 052307, explored such networks; their counts are
not at hand, so the comparison is with an independent search: plain numpy writes the loss, scipy's BFGS minimises it
from random weights, and scipy's Powell hybrid method solves gradient = 0, which finds stationary points of any index.
Points that differ by a permutation or by signs of hidden units count once, here by sorted invariants of their units.
"""

from __future__ import annotations

import argparse
import time
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
    """Search from random weights: half of them as wide as 5, half as wide as 1."""
    rng, minima, states = np.random.default_rng(1), [], []
    for number in range(restarts):
        x = rng.uniform(-1, 1, 5 * hidden + 2) * (5.0 if number % 2 else 1.0)
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


def by_thalweg(hidden: int, l2: float, steps: int, searches: int) -> Counts:
    """Return what basin-hopping and searches for transition states find."""
    loss = NetworkLoss(INPUTS, LABELS, (hidden,), l2)
    with Landscape(Weights.random(loss, seed=0), MemoryStore(), seed=0) as landscape:
        landscape.find_minima(steps, workers=1, progress=False)
        landscape.connect(searches, workers=1, progress=False)
        return Counts(np.sort(landscape.minima.energy[:]), np.sort(landscape.transition_states.energy[:]))


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


def print_table(widths: list[int], restarts: int) -> None:
    """Print the table of docs/networks.md."""
    names = "minima | transition states | seconds | scipy: minima | index 1 | seconds | of these missing here"
    print(f"| hidden units, l2 | {names} |\n|---|---|---|---|---|---|---|---|")
    for hidden in widths:
        for l2 in L2:
            began = time.process_time()
            ours = by_thalweg(hidden, l2, 100 * hidden, 400 * hidden)
            middle = time.process_time()
            theirs = by_scipy(hidden, l2, restarts)
            seconds = middle - began, time.process_time() - middle
            lacking = [missing(mine, other) for mine, other in zip(ours, theirs, strict=True)]
            counts = [len(ours.minima), len(ours.states), f"{seconds[0]:.1f}"]
            counts += [len(theirs.minima), len(theirs.states), f"{seconds[1]:.1f}", f"{lacking[0]} and {lacking[1]}"]
            print("|", " | ".join([f"{hidden}, {l2:g}", *map(str, counts)]), "|", flush=True)


@pytest.mark.benchmark
def test_counts():
    print()
    print_table([2, 3], 100)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Stationary points of networks that learn the exclusive or")
    parser.add_argument("--hidden", type=int, nargs="+", default=[2, 3, 4, 5], help="hidden units")
    parser.add_argument("--restarts", type=int, default=400, help="restarts of scipy")
    given = parser.parse_args()
    print_table(given.hidden, given.restarts)
