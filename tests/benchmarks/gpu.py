"""The loss on a GPU beside this machine's CPU: ``python -m tests.benchmarks.gpu``.

First loss, gradient and transition states are compared with the CPU's; then come evaluations of loss and gradient,
minimisations, and searches for transition states, per second.
Without a GPU it says so and leaves the table empty. With NUMBA_ENABLE_CUDASIM=1 it is rehearsed at a tiny size.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from ase import Atoms

from thalweg.optimizers import find_transition_states, minimise
from thalweg.potentials import LJAT, NetworkLoss, Weights
from thalweg.potentials.cuda.availability import require_gpu

REHEARSAL = os.environ.get("NUMBA_ENABLE_CUDASIM", "0") not in ("", "0")
SHAPES = ((2, (10,), 4, 1000), (2, (5, 5), 4, 1000), (64, (10,), 10, 1797), (784, (10,), 10, 1000))
SADDLES = (3, 7, 13, SHAPES[0])  # atoms, or a network's shape
WALKERS = (1, 16, 256, 4096, 16384, 65536)
# one H200: float64 instructions a second, 34 TFLOP/s with a fused multiply-add counted as two
RATE = 17e12
# float64 instructions of a tanh, an exp and a log1p, both sides of their branches: counted in the PTX for 9.0
TANH, EXP, LOG1P = 34, 17, 47


def instructions(layers: tuple[int, ...], data: int) -> int:
    """Return the float64 instructions of one loss and gradient."""
    products = [a * b for a, b in pairwise(layers)]
    hidden = sum(layers[1:-1])
    each = 2 * sum(products) + sum(products[1:]) + sum(layers[1:]) + hidden * (TANH + 4) + layers[-1] * (EXP + 5)
    return data * (each + LOG1P)


def network(shape: tuple, device: str) -> NetworkLoss:
    """Return a loss of the shape on random data."""
    inputs, hidden, classes, data = shape
    data = 6 if REHEARSAL else data
    rng = np.random.default_rng(0)
    return NetworkLoss(
        rng.normal(size=(data, inputs)), rng.integers(0, classes, data), hidden, 1e-2, classes, device=device
    )


def per_second(work: Callable[[], object], count: int) -> float:
    """Return how many of `count` a second `work` does, the best of three after one to compile."""
    times = []
    for _ in range(1 if REHEARSAL else 4):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return count / min(times[1:] or times)


def compare(shape: tuple) -> float:
    """Return the worst relative deviation of the GPU's loss and gradient from the CPU's."""
    gpu, cpu = network(shape, "cuda"), network(shape, "cpu")
    X = np.array([cpu.random_coordinates(cpu.n_weights, np.random.default_rng(k)) for k in range(2)])
    pairs = zip(gpu.energies_gradients(X), cpu.energies_gradients(X), strict=True)
    return max(float(np.abs(a - b).max() / (1.0 + np.abs(b).max())) for a, b in pairs)


def evaluation_row(shape: tuple, walkers: int) -> str:
    """Return one line of the table of evaluations."""
    gpu, cpu = network(shape, "cuda"), network(shape, "cpu")
    X = np.random.default_rng(1).uniform(-1, 1, (walkers, gpu.n_weights))
    fast = per_second(lambda: gpu.energies_gradients(X), walkers)
    slow = per_second(lambda: cpu.energies_gradients(X[:4096]), min(walkers, 4096))
    part = fast * instructions(gpu.layers, len(gpu.labels)) / RATE
    return f"| {list(gpu.layers)} | {walkers} | {fast:.3g} | {100 * part:.2g} % | {slow:.3g} | {fast / slow:.3g} |"


def minimisation_row(shape: tuple, walkers: int) -> str:
    """Return one line of the table of minimisations to an rms gradient of 1e-9."""
    rates = []
    steps = 3 if REHEARSAL else 10_000
    for device in ("cuda", "cpu"):
        loss = network(shape, device)
        X = np.random.default_rng(2).uniform(-1, 1, (walkers if device == "cuda" else min(walkers, 64), loss.n_weights))
        work = Weights(loss)
        rates.append(per_second(lambda work=work, X=X: minimise(work, X, rms=1e-9, steps=steps), len(X)))
    return f"| {list(loss.layers)} | {walkers} | {rates[0]:.3g} | {rates[1]:.3g} | {rates[0] / rates[1]:.3g} |"


def subject(what: tuple | int, device: str) -> Weights | Atoms:
    """Return a network of a shape, or so many atoms: three with the Axilrod-Teller term."""
    if isinstance(what, tuple):
        return Weights(network(what, device))
    positions = 1.1 * np.array(list(np.ndindex(3, 3, 3))[:what], dtype=float)
    return Atoms(f"Ar{what}", positions, calculator=LJAT(2.0 if what == 3 else 0.0, device=device))


def named(what: tuple | int) -> str:
    """Return the name of a subject in a table."""
    return f"LJ{what}" if isinstance(what, int) else str([what[0], *what[1], what[2]])


def saddle_starts(what: tuple | int, walkers: int) -> np.ndarray:
    """Return minima from few random starts, displaced at random."""
    rng, system = np.random.default_rng(3), subject(what, "cpu")
    calculator = system.calc
    n = calculator.n_weights if isinstance(calculator, NetworkLoss) else 3 * len(system)
    few = np.array([calculator.random_coordinates(n, rng) for _ in range(min(walkers, 64))])
    minima = minimise(system, few, rms=1e-6, steps=300).x
    size = 0.5 if isinstance(what, tuple) else 0.15
    return minima[np.arange(walkers) % len(minima)] + size * rng.standard_normal((walkers, n))


def compare_saddles(what: tuple | int) -> tuple[int, int]:
    """Start beside known transition states; return how many GPU and CPU take to one energy, within 1e-7, of how many.

    Where several are near, steps of another method may lead to another one.
    """
    gpu, cpu = subject(what, "cuda"), subject(what, "cpu")
    known = find_transition_states(cpu, saddle_starts(what, 2 if REHEARSAL else 64))
    near = known.x[known.converged][: 1 if REHEARSAL else 64]
    near += 1e-3 * np.random.default_rng(4).standard_normal(near.shape)
    a, b = (find_transition_states(one, near) for one in (gpu, cpu))
    alike = a.converged & b.converged & (np.abs(a.energy - b.energy) < 1e-7)
    return int(alike.sum()), len(near)


def saddle_row(what: tuple | int, walkers: int) -> str:
    """Return one line of the table of searches for transition states: how many a second, how many succeed."""
    rates, found = [], []
    for device in ("cuda", "cpu"):
        X = saddle_starts(what, walkers if device == "cuda" else min(walkers, 256))
        how = {"steps": 1} if REHEARSAL else {}
        one, last = subject(what, device), []

        def work(one=one, X=X, how=how, last=last):
            last[:] = [find_transition_states(one, X, **how)]

        rates.append(per_second(work, len(X)))
        found.append(f"{100 * last[0].converged.mean():.0f} %")
    return (
        f"| {named(what)} | {walkers} | {rates[0]:.3g} | {found[0]} | {rates[1]:.3g} | {found[1]} | "
        f"{rates[0] / rates[1]:.3g} |"
    )


def jax_row(shape: tuple, walkers: int) -> str:
    """Return JAX's evaluations a second on the same GPU, or why there are none."""
    try:
        import jax
    except ImportError:
        return f"JAX is not installed: nothing to compare {shape} with"
    jax.config.update("jax_enable_x64", True)
    if jax.default_backend() != "gpu":
        return f"JAX {jax.__version__} sees no GPU: nothing to compare {shape} with"
    loss = network(shape, "cpu")
    inputs, labels, sizes = jax.numpy.asarray(loss.inputs), jax.numpy.asarray(loss.labels), loss.layers

    def energy(w):
        place, a = 0, inputs
        matrices = []
        for m, n in pairwise(sizes):
            matrices.append(w[place : place + m * n].reshape(n, m))
            place += m * n
        for k, matrix in enumerate(matrices):
            a = a @ matrix.T + w[place : place + sizes[k + 1]]
            place += sizes[k + 1]
            a = jax.numpy.tanh(a) if k < len(matrices) - 1 else a
        chosen = jax.nn.log_softmax(a)[jax.numpy.arange(len(labels)), labels]
        return -chosen.mean() + loss.l2 * (w @ w)

    batched = jax.jit(jax.vmap(jax.value_and_grad(energy)))
    X = jax.numpy.asarray(np.random.default_rng(1).uniform(-1, 1, (walkers, loss.n_weights)))
    rate = per_second(lambda: jax.block_until_ready(batched(X)), walkers)
    return f"JAX {jax.__version__}, {list(sizes)}, {walkers} walkers: {rate:.3g} evaluations a second"


def main() -> int:
    """Compare and measure; print the tables."""
    try:
        require_gpu()
    except RuntimeError as error:
        print(f"No GPU: the table stays empty. {error}")
        return 0
    shapes, counts = (SHAPES[:2], (1, 2)) if REHEARSAL else (SHAPES, WALKERS)
    for shape in shapes:
        deviation = compare(shape)
        print(f"{shape}: GPU and CPU differ by {deviation:.1e}", flush=True)
        if not deviation < 1e-10:
            return 1
    saddles = SADDLES[:1] if REHEARSAL else SADDLES
    for what in saddles:
        alike, tried = compare_saddles(what)
        print(f"transition states of {named(what)}: GPU and CPU agree on {alike} of {tried}", flush=True)
        if alike < 0.9 * tried:
            return 1
    print("\n| layers | walkers | evaluations/s, GPU | of the floor | CPU | ratio |\n|---|---|---|---|---|---|")
    for shape in shapes:
        for walkers in counts:
            print(evaluation_row(shape, walkers), flush=True)
    print("\n| layers | walkers | minimisations/s on the GPU | on the CPU | ratio |\n|---|---|---|---|---|")
    for shape in shapes[:1] if REHEARSAL else shapes[:3]:
        print(minimisation_row(shape, counts[-1] if REHEARSAL else 16_384), flush=True)
    head = "| subject | walkers | searches/s on the GPU | successful | on the CPU | successful | ratio |"
    print(f"\n{head}\n|---|---|---|---|---|---|---|")
    for what in saddles:
        print(saddle_row(what, 1 if REHEARSAL else 16_384), flush=True)
    if not REHEARSAL:
        for shape in shapes:
            print(jax_row(shape, 4096), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
