"""The network's loss, gradient and Hessian beside JAX, PyTorch and GMIN, and minimisations beside scipy and others.

    python -m venv jaxvenv && jaxvenv/bin/pip install jax torch scikit-learn
    THALWEG_JAX_PYTHON=jaxvenv/bin/python THALWEG_PYLFL=.../pylfl/bin/linux python -m tests.benchmarks.peers.bench_loss

Every figure is of one core, in CPU seconds, the best of several; peers run in processes of their own, float64, one
thread. JAX is timed in a compiled loop, so that no call from Python counts against it, and called. The floor is the
time of a loss's exponentials (a hyperbolic tangent counted as one), divisions, multiplications and additions alone,
four lanes at a time, in registers. ``--count``, ``--scipy`` and ``--digits`` say how many minimisations to time.
Scipy takes about a second for each: of 10,000 give it a few (``--no-evaluations --count 10000 --scipy 20``).
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np
import pytest

from tests.benchmarks.peers.loss import gmin, peer, scikit_learn, scipys
from thalweg.potentials import NetworkLoss
from thalweg.potentials.compiled.signatures import FUNCTION, HESSIAN, floats, integers, jit, matrix, vector
from thalweg.potentials.compiled.simd import WIDE_LANES, load_wide, splat, splat_wide, store, total
from thalweg.potentials.neural_network.vector_math import exponential

SHAPES = [
    ((2, 10, 4), 100),
    ((2, 10, 4), 1000),
    ((2, 5, 5, 4), 1000),
    ((2, 4, 4, 4, 4), 1000),
    ((784, 10, 10), 1000),
    ((64, 10, 10), 1797),
]


@jit(numba.void(FUNCTION, vector, vector, integers, floats, numba.int64), cache=False)
def _many(function, x, gradient, integers, floats, count):
    for _ in range(count):
        function(x, gradient, integers, floats)


@jit(numba.void(HESSIAN, vector, matrix, integers, floats, numba.int64), cache=False)
def _many_hessians(function, x, hessian, integers, floats, count):
    for _ in range(count):
        function(x, hessian, integers, floats)


@numba.njit(nogil=True, fastmath={"contract"})
def _exponentials(y, count):
    for _ in range(count):
        for d in range(0, y.size, WIDE_LANES):
            store(y, d, splat_wide(-0.5) + 0.0 * exponential(load_wide(y, d)))


@numba.njit(nogil=True, fastmath={"contract"})
def _multiplications(count):
    a, b, c, d = splat(1.0), splat(1.1), splat(1.2), splat(1.3)
    e, f, g, h = splat(1.4), splat(1.5), splat(1.6), splat(1.7)
    p = splat(0.999)
    for _ in range(count):
        a, b, c, d = a * p + p, b * p + p, c * p + p, d * p + p
        e, f, g, h = e * p + p, f * p + p, g * p + p, h * p + p
    return total(a + b + c + d + e + f + g + h)


@numba.njit(nogil=True)
def _divisions(count):
    a, b, c, d = splat(1.0), splat(1.1), splat(1.2), splat(1.3)
    e, f, g, h = splat(1.4), splat(1.5), splat(1.6), splat(1.7)
    p = splat(0.999)
    for _ in range(count):
        a, b, c, d, e, f, g, h = p / a, p / b, p / c, p / d, p / e, p / f, p / g, p / h
    return total(a + b + c + d + e + f + g + h)


def best(work: Callable[[], object], times: int = 60) -> float:
    """Return the least CPU seconds of this thread for work()."""
    work()
    least = np.inf
    for _ in range(times):
        start = time.thread_time()
        work()
        least = min(least, time.thread_time() - start)
    return least


def costs() -> tuple[float, float, float]:
    """Return the seconds of an exponential, a division and a multiplication with addition of one number."""
    y = np.full(256, -0.5)
    exponentials = best(lambda: _exponentials(y, 500)) / (500 * y.size)
    return (
        exponentials,
        best(lambda: _divisions(20000)) / 20000 / 32,
        best(lambda: _multiplications(20000)) / 20000 / 32,
    )


def floor(loss: NetworkLoss, unit: tuple[float, float, float]) -> float:
    """Return the seconds that the arithmetic of one loss and gradient takes, zero inputs left out."""
    hidden, classes, n = sum(loss.hidden), loss.n_classes, len(loss.labels)
    first = loss.layers[1] * np.count_nonzero(loss.inputs) / n
    rest = sum(a * b for a, b in itertools.pairwise(loss.layers[1:]))
    multiplications = 2 * first + 3 * rest + 2 * (hidden + classes) + 2 * hidden + 6 * classes + hidden
    return n * ((hidden + classes) * unit[0] + (hidden + 1) * unit[1] + multiplications * unit[2])


def problem(layers: tuple[int, ...], n: int) -> NetworkLoss:
    """Return a loss of the shape: random data, or the digits that the wide ones are made for."""
    rng = np.random.default_rng(0)
    if layers[0] == 2:
        return NetworkLoss(rng.normal(size=(n, 2)), rng.integers(0, 4, n), layers[1:-1], n_classes=4)
    from thalweg.datasets import digits, mnist

    folder = Path(__file__).resolve().parents[4] / "shared" / "data" / "mnist"
    data = digits() if layers[0] == 64 else mnist(folder)
    return NetworkLoss(data.inputs[:n], data.labels[:n], layers[1:-1], l2=0.1, n_classes=10)


def beside_floor(loss: NetworkLoss, x: np.ndarray, rounds: int = 3) -> tuple[float, float, float]:
    """Return the least seconds of a loss with gradient, of a Hessian and of the floor, timed by turns."""
    least = [np.inf, np.inf, np.inf]
    for _ in range(rounds):
        unit = costs()
        least = [min(pair) for pair in zip(least, (*ours(loss, x), floor(loss, unit)), strict=True)]
    return least[0], least[1], least[2]


def ours(loss: NetworkLoss, x: np.ndarray) -> tuple[float, float]:
    """Return the seconds of one loss with gradient, and of a Hessian."""
    compiled, n = loss.compiled, x.size
    gradient, count = np.empty(n), max(1, int(2e7 / (len(loss.labels) * n)) // 20)
    data = (compiled.integers, compiled.floats)
    seconds = best(lambda: _many(compiled.function, x, gradient, *data, count), 200) / count
    if n > 200:
        return seconds, np.nan
    hessian = np.empty((n, n))
    return seconds, best(lambda: _many_hessians(compiled.hessian, x, hessian, *data, 4), 100) / 4


def _ratio(theirs: object, mine: float) -> str:
    seconds = theirs[0] if isinstance(theirs, list) else theirs
    return f"{seconds * 1e6:.0f} ({seconds / mine:.1f})" if isinstance(seconds, float) else f"skipped: {seconds}"


def print_evaluations() -> None:
    """Print the table of losses with gradients, and the Hessian's line."""
    names = "exponential {:.2f} ns, division {:.2f} ns, multiplication and addition {:.3f} ns"
    print(names.format(*np.array(costs()) * 1e9))
    print(
        "us per loss and gradient (times ours): shape | ours | floor | ratio | JAX looped | JAX called | PyTorch | GMIN"
    )
    for layers, n in SHAPES:
        loss = problem(layers, n)
        x = loss.random_coordinates(loss.n_weights, np.random.default_rng(1))
        mine, second, least = beside_floor(loss, x)
        repeats = 20 if layers[0] > 2 else 200
        jax, torch = peer("jax", loss, x, repeats), peer("torch", loss, x, repeats)
        row = [f"{mine * 1e6:.1f}", f"{least * 1e6:.1f}", f"{mine / least:.2f}"]
        called = jax[3] if isinstance(jax, list) else jax
        row += [
            _ratio(jax, mine),
            _ratio(called, mine),
            _ratio(torch, mine),
            _ratio(gmin(loss, x, 3 if layers[0] > 2 else 60), mine),
        ]
        print([*layers, n], "|", " | ".join(row), flush=True)
        if isinstance(jax, list):
            assert abs(jax[2] - loss.energy(x)) < 1e-11
        if layers == (2, 10, 4) and n == 1000:
            theirs = _ratio(jax[1], second) if isinstance(jax, list) else jax
            print(f"  Hessian: {second * 1e6:.0f} us, jax.hessian {theirs}")


def print_minimisations(count: int, few: int = 3) -> None:
    """Print `count` minimisations per second to rms 1e-9 beside `few` by scipy, and beforehand how long they take."""
    from thalweg.optimizers import minimise
    from thalweg.potentials import Weights

    loss = problem((2, 10, 4), 1000)
    X = np.random.default_rng(2).uniform(-1, 1, (count, loss.n_weights))
    system = Weights(loss, X[0])
    minimise(system, X[:1], rms=1e-9)  # compiles
    begun, start = time.perf_counter(), time.process_time()
    minimise(system, X[: max(2, count // 200)], rms=1e-9)
    share = count / max(2, count // 200)
    guess, wall = (time.process_time() - start) * share, (time.perf_counter() - begun) * share
    print(f"{count} minimisations: about {guess:.0f} CPU s, {wall:.0f} s at this load", flush=True)
    begun, start = time.perf_counter(), time.process_time()
    result = minimise(system, X, rms=1e-9)
    mine, wall = (time.process_time() - start) / count, (time.perf_counter() - begun) / count
    rates, done = f"{1 / mine:.1f} a CPU second, {1 / wall:.1f} a second", result.converged.sum()
    print(f"[2, 10, 4, 1000, 0.0001] to rms 1e-9, {count}: {rates}, {done} converged", flush=True)
    if few:
        theirs, rms = scipys(loss, X[:few])
        rates = f"{1 / theirs:.2f} a CPU second ({theirs / mine:.1f} times ours)"
        print(f"  scipy's L-BFGS-B, same function, {few}: {rates}, median rms {rms:.1e}")


def print_digits(count: int, rms: float = 1e-6) -> None:
    """Print minimisations of [784, 10, 10, 1000, 0.1] beside PyTorch's and scikit-learn's, to one gradient's norm.

    Theirs stop by the largest component, which is about 16 times the rms here: they are given 10 times the rms.
    """
    from thalweg.optimizers import minimise
    from thalweg.potentials import Weights

    loss = problem((784, 10, 10), 1000)
    X = np.random.default_rng(1).uniform(-1, 1, (count, loss.n_weights))
    system = Weights(loss, X[0])
    start, began = time.process_time(), time.perf_counter()
    result = minimise(system, X, rms=rms)
    mine, rate = (time.process_time() - start) / count, count / (time.perf_counter() - began)
    print(
        f"[784, 10, 10, 1000, 0.1] to rms {rms:g}, {count}: {mine:.2f} CPU s each, {rate:.2f} a second on all "
        f"processors, loss {np.median(result.energy):.6f}"
    )
    torch = peer(str(rms), loss, X[0], count)
    if isinstance(torch, list):
        print(f"  PyTorch's LBFGS: {torch[0]:.2f} s ({torch[0] / mine:.1f}), loss {torch[1]:.6f}, rms {torch[2]:.1e}")
    else:
        print(f"  PyTorch skipped: {torch}")
    theirs, end = scikit_learn(loss, count, rms)
    print(f"  scikit-learn's MLPClassifier: {theirs:.2f} s ({theirs / mine:.1f}), {end}")


@pytest.mark.benchmark
def test_beside_peers():
    print()
    print_evaluations()
    print_minimisations(100)


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100, help="minimisations of [2, 10, 4, 1000, 0.0001]")
    parser.add_argument("--scipy", type=int, default=3, help="of these, how many scipy does, too")
    parser.add_argument("--no-evaluations", action="store_true", help="without the table of losses and gradients")
    parser.add_argument("--digits", type=int, default=0, help="minimisations of [784, 10, 10, 1000, 0.1]")
    arguments = parser.parse_args()
    if not arguments.no_evaluations:
        print_evaluations()
    if arguments.count:
        print_minimisations(arguments.count, min(arguments.scipy, arguments.count))
    if arguments.digits:
        print_digits(arguments.digits)


if __name__ == "__main__":
    main()
