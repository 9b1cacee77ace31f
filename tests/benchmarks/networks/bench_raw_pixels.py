"""Quenches of MNIST's network with raw pixels: what they cost, and which basin-hopping step leads to low losses.

``python -m tests.benchmarks.networks.bench_raw_pixels --mnist FOLDER`` minimises [784,10,10,1000,0.1] from random
weights, and from the minimum found last displaced by the smallest step: by the weights themselves, and along the
principal axes of the pixels, each with a proof. Then it hops from that minimum, downhill only, with several steps.
"""

from __future__ import annotations

import argparse
import time
from contextlib import nullcontext
from itertools import product
from pathlib import Path
from unittest.mock import patch

import numpy as np

from thalweg.analysis.prediction.roc import AREAS, auc_table
from thalweg.datasets import Dataset, mislabel, mnist
from thalweg.optimizers import MinimiseResult, Rules, default_rules, large_systems, minimise
from thalweg.potentials import NetworkLoss, System, Weights, as_system


def _timed(system: System, x: np.ndarray, rules: Rules, *, turned: bool = True) -> tuple[MinimiseResult, float]:
    """Minimise and prove, along the principal axes if `turned`."""
    began = time.process_time()
    with nullcontext() if turned else patch.object(large_systems, "rotated", return_value=None):
        return minimise(system, x, rules=rules, threads=1, second_order=True), time.process_time() - began


def _said(result: MinimiseResult) -> str:
    return f"{result.energy[0]:.4f}" if result.converged[0] else "failed"


def _quenches(system: System, memories: list[int], starts: np.ndarray) -> np.ndarray:
    """Print what quenches from starts cost in both ways; return the last minimum."""
    best = starts[0]
    for memory, turned in product(memories, (False, True)):
        rules = default_rules(system).replace(memory=memory)
        found = [_timed(system, x, rules, turned=turned) for x in starts]
        steps = np.mean([result.steps[0] for result, _ in found])
        print(
            f"memory {memory}, {'along the axes' if turned else 'by the weights'}: {steps:.0f} steps, "
            f"{np.mean([cost for _, cost in found]):.2f} CPU s a quench with proof, losses "
            f"{', '.join(_said(result) for result, _ in found)}",
            flush=True,
        )
        best = next((result.x[0] for result, _ in reversed(found) if result.converged[0]), best)
    return best


def _hops(system: System, loss: NetworkLoss, test: Dataset, start: np.ndarray, step: float, count: int, memory: int):
    """Hop downhill from a minimum; print the losses, the cost and the AUC of all minima."""
    rules, rng = default_rules(system).replace(memory=memory), np.random.default_rng(3)
    here, height, spent, found = start, loss.energy_gradient(start)[0], 0.0, []
    for _ in range(count):
        result, cost = _timed(system, here + rng.uniform(-step, step, system.n), rules)
        spent += cost
        if result.converged[0]:
            found.append((float(result.energy[0]), result.x[0]))
            if result.energy[0] < height:
                here, height = result.x[0], float(result.energy[0])
    energies = np.array([energy for energy, _ in found])
    print(
        f"step {step:g}: {len(found)} of {count} quenches converged, loss {energies.mean():.4f} ± {energies.std():.4f} "
        f"(lowest {energies.min():.4f}), {spent / count:.2f} CPU s a quench"
    )
    for reference in ("macro", 0):
        table = auc_table(np.array([x for _, x in found]), loss, test, reference, loss=loss, threads=1)
        areas = ", ".join(f"{name} {table[name].mean():.4f} ± {table[name].std():.4f}" for name in AREAS)
        print(f"    {reference if reference == 'macro' else f'class {reference}'}: {areas}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", type=Path, help="folder with MNIST's files")
    parser.add_argument("--errors", type=float, nargs="+", default=[0.0, 50.0], help="percentages of wrong labels")
    parser.add_argument("--memories", type=int, nargs="+", default=[100, 40], help="memories of LBFGS")
    parser.add_argument("--steps", type=float, nargs="+", default=[1.0, 0.1, 0.03], help="basin-hopping steps")
    parser.add_argument("--starts", type=int, default=2, help="quenches from random and from displaced weights")
    parser.add_argument("--count", type=int, default=6, help="basin-hopping steps of each size")
    options = parser.parse_args()
    pool, test = mnist(options.mnist, pixels="0 to 255").draw(1000, 0)
    for errors in options.errors:
        train = mislabel(pool, errors / 100, seed=0) if errors else pool
        loss = NetworkLoss(train.inputs, train.labels, hidden=10, l2=0.1, n_classes=10, mislabelled=train.mislabelled)
        system = as_system(Weights.random(loss, seed=0))
        print(f"{errors:g} % wrong labels", flush=True)
        random = np.random.default_rng(7).uniform(-1, 1, (options.starts, system.n))
        start = _quenches(system, options.memories, random)
        step = min(options.steps)
        print(f"displaced by {step:g}", flush=True)
        _quenches(system, options.memories, start + step * random)
        for step in options.steps:
            _hops(system, loss, test, start, step, options.count, options.memories[-1])


if __name__ == "__main__":
    main()
