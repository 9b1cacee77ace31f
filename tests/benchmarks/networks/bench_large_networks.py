"""Minima and transition states of networks by size: with Hessians, and without.

    python -m tests.benchmarks.networks.bench_large_networks limit      # both ways from 235 to 985 weights
    python -m tests.benchmarks.networks.bench_large_networks 100 320 1334    # hidden units: 7,510 to 100,060 weights

Above 10,000 weights, where hidden units become copies of each other, LBFGS alone is not run, and the search for a
transition state begins at the minimum instead of beside it. The data are 1,000 of scikit-learn's digits, l2 = 1e-3.
Times are seconds of CPU of one thread; peak is that of the process so far.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from sklearn.datasets import load_digits
from threadpoolctl import threadpool_limits

from thalweg.optimizers import find_transition_states, large_systems, minimisation, minimise, transition_states
from thalweg.optimizers.krylov.merged_networks import may_merge
from thalweg.potentials import NetworkLoss, Weights, as_system
from thalweg.potentials.system import System

LIMIT = large_systems.LARGEST_MATRIX
T = TypeVar("T")


def network(hidden: int) -> System:
    """The loss of a network with one hidden layer on digits."""
    inputs, labels = load_digits(return_X_y=True)
    return as_system(Weights.random(NetworkLoss(inputs[:1000] / 16, labels[:1000], hidden=(hidden,), l2=1e-3), seed=0))


def timed(call: Callable[[], T]) -> tuple[float, T]:
    """Return the CPU seconds of a call, and its result."""
    began = time.process_time()
    result = call()
    return time.process_time() - began, result


def with_limit(weights: int) -> None:
    """Let Hessians be made up to this number of weights."""
    for module in (minimisation, transition_states):
        module.LARGEST_MATRIX = weights


def starts_beside(system: System, x: np.ndarray, searches: int) -> np.ndarray:
    """Points beside a minimum, as connect() displaces them."""
    rng = np.random.default_rng(1)
    return np.array([x + 0.1 * rng.uniform(0.3, 1.0) * rng.standard_normal(system.n) for _ in range(searches)])


def line(system: System, steps: int = 200) -> str:
    """One minimum with its proof, and searches from beside it, each with both of its minima."""
    wide = may_merge(system)
    searches = 1 if wide else 4
    start = system.random(np.random.default_rng(0))
    first = float("nan") if wide else timed(lambda: minimise(system, start, rms=1e-9, threads=1))[0]
    both, proved = timed(lambda: minimise(system, start, rms=1e-9, second_order=True, threads=1))
    if not proved.converged[0] or proved.lowest_eigenvalue is None:
        return f"{system.n:>7} | {first:8.2f} | {both:8.2f} | {proved.reason[0]}"
    starts = proved.x if wide else starts_beside(system, proved.x[0], searches)
    seconds, found = timed(lambda: find_transition_states(system, starts, threads=1, steps=steps))
    minimum = f"{first:8.2f} | {both:8.2f} | {proved.lowest_eigenvalue[0]:9.2e}"
    reasons = ", ".join(sorted(set(found.reason)))
    return f"{system.n:>7} | {minimum} | {seconds / searches:8.2f} | {found.converged.sum()} of {searches} | {reasons}"


def main(words: list[str]) -> None:
    print("weights | LBFGS s  | proved s | lowest    | search s | found")
    line(network(2))  # what is compiled or loaded the first time
    if words == ["limit"]:
        for hidden in (3, 4, 5, 6, 7, 8, 10, 13):
            for limit, name in ((10_000, "Hessians"), (0, "products")):
                with_limit(limit)
                print(f"{line(network(hidden), steps=1000)}, {name}", flush=True)
        with_limit(LIMIT)
        return
    for word in words:
        peak = f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB"
        print(f"{line(network(int(word)))}, {peak} before", flush=True)
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    with threadpool_limits(1):
        main(sys.argv[1:])
