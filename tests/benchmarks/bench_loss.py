"""The network's loss, gradient and Hessian beside JAX, PyTorch and GMIN, and minimisations beside scipy and others.

    python -m venv jaxvenv && jaxvenv/bin/pip install jax torch scikit-learn
    THALWEG_JAX_PYTHON=jaxvenv/bin/python THALWEG_PYLFL=.../pylfl/bin/linux python -m tests.benchmarks.bench_loss

Every figure is of one core, in CPU seconds, the best of several; peers run in processes of their own, float64, one
thread. JAX is timed in a compiled loop, so that no call from Python counts against it, and called. The floor is the
time of a loss's exponentials (a hyperbolic tangent counted as one), divisions, multiplications and additions alone,
four lanes at a time, in registers. ``--count``, ``--scipy`` and ``--digits`` say how many minimisations to time.
Scipy takes about a second for each: of 10,000 give it a few (``--no-evaluations --count 10000 --scipy 20``).
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np
import pytest
from scipy.optimize import minimize as scipy_minimise

from tests.benchmarks.peer_programs import GMIN_LOSS, binaries, run_binary, write_data
from thalweg.potentials import NetworkLoss
from thalweg.potentials.compiled import FUNCTION, HESSIAN, floats, integers, jit, matrix, vector
from thalweg.potentials.lanes import LANES, load, splat, store, total
from thalweg.potentials.vector_math import exponential

SHAPES = [
    ((2, 10, 4), 100),
    ((2, 10, 4), 1000),
    ((2, 5, 5, 4), 1000),
    ((2, 4, 4, 4, 4), 1000),
    ((784, 10, 10), 1000),
    ((64, 10, 10), 1797),
]

PEER = """
import json, sys, time
import numpy as np
file, what, repeats = sys.argv[1], sys.argv[2], int(sys.argv[3])
data = np.load(file)
inputs, labels, x, layers, l2 = data["inputs"], data["labels"], data["x"], data["layers"].tolist(), float(data["l2"])

def loss(w, log_softmax, tanh, inputs):
    start, values = 0, inputs
    bias = sum(a * b for a, b in zip(layers, layers[1:]))
    for k, (below, above) in enumerate(zip(layers, layers[1:])):
        values = values @ w[start : start + above * below].reshape(above, below).T + w[bias : bias + above]
        start, bias = start + above * below, bias + above
        if k < len(layers) - 2:
            values = tanh(values)
    return -log_softmax(values)[np.arange(len(labels)), labels].mean() + l2 * (w * w).sum()

def best(work, times):
    least = float("inf")
    for _ in range(times):
        start = time.process_time()
        work()
        least = min(least, time.process_time() - start)
    return least

def jax_times():
    import jax, jax.numpy as jnp
    jax.config.update("jax_enable_x64", True)
    given = jnp.array(inputs)
    f = lambda w: loss(w, lambda y: jax.nn.log_softmax(y, axis=1), jnp.tanh, given)
    both = jax.value_and_grad(f)
    def body(i, state):
        value, gradient = both(state)
        return state - 1e-12 * gradient
    loop = jax.jit(lambda w: jax.lax.fori_loop(0, repeats, body, w))
    w = jnp.array(x)
    loop(w).block_until_ready()
    gradient = best(lambda: loop(w).block_until_ready(), 7) / repeats
    single = jax.jit(both)
    single(w)[1].block_until_ready()
    def calls():
        for _ in range(repeats):
            single(w)[1].block_until_ready()
    called = best(calls, 7) / repeats
    hessian = float("nan")
    if len(x) < 200:
        second = jax.jit(jax.hessian(f))
        second(w).block_until_ready()
        hessian = best(lambda: second(w).block_until_ready(), 15)
    return [gradient, hessian, float(f(w)), called]

def torch_times():
    import torch
    torch.set_num_threads(1)
    given, w = torch.tensor(inputs), torch.tensor(x, requires_grad=True)
    def work():
        for _ in range(repeats):
            w.grad = None
            value = loss(w, lambda y: torch.log_softmax(y, 1), torch.tanh, given)
            value.backward()
        return float(value.detach())
    value = work()
    return [best(work, 7) / repeats, float("nan"), value]

def minimisations(minimise):
    rng = np.random.default_rng(1)
    starts = rng.uniform(-1, 1, (repeats, len(x)))
    start = time.process_time()
    found = [minimise(w) for w in starts]
    seconds = (time.process_time() - start) / repeats
    return [seconds, *(float(np.median([f[k] for f in found])) for k in (0, 1))]

def torch_lbfgs(target):
    import torch
    torch.set_num_threads(1)
    given = torch.tensor(inputs)
    def minimise(start):
        w = torch.tensor(start, requires_grad=True)
        rules = dict(max_iter=5000, max_eval=10000, tolerance_grad=10 * target, tolerance_change=0, history_size=20)
        optimizer = torch.optim.LBFGS([w], line_search_fn="strong_wolfe", **rules)
        def closure():
            optimizer.zero_grad()
            value = loss(w, lambda y: torch.log_softmax(y, 1), torch.tanh, given)
            value.backward()
            return value
        value = float(optimizer.step(closure).detach())
        value = float(closure().detach())
        return value, float(w.grad.norm()) / len(x) ** 0.5
    return minimisations(minimise)

try:
    work = {"jax": jax_times, "torch": torch_times}.get(what) or (lambda: torch_lbfgs(float(what)))
    print(json.dumps(work()))
except ImportError as error:
    print(json.dumps(str(error)))
"""


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
        for d in range(0, y.size, 2 * LANES):
            one, other = exponential(load(y, d), load(y, d + LANES))
            store(y, d, splat(-0.5) + 0.0 * one)
            store(y, d + LANES, splat(-0.5) + 0.0 * other)


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

    folder = Path(__file__).resolve().parents[3] / "shared" / "data" / "mnist"
    data = digits() if layers[0] == 64 else mnist(folder)
    return NetworkLoss(data.inputs[:n], data.labels[:n], layers[1:-1], l2=0.1, n_classes=10)


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


def peer(what: str, loss: NetworkLoss, x: np.ndarray, repeats: int) -> list[float] | str:
    """Return what the peer's process printed, or why there is nothing."""
    python = os.environ.get("THALWEG_JAX_PYTHON")
    if not python:
        return "THALWEG_JAX_PYTHON names no interpreter with jax and torch"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "problem.npz"
        np.savez(file, inputs=loss.inputs, labels=loss.labels, x=x, layers=loss.layers, l2=loss.l2)
        flags = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        threads = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "XLA_FLAGS": flags}
        arguments = [python, "-c", PEER, str(file), what, str(repeats)]
        done = subprocess.run(arguments, capture_output=True, text=True, env={**os.environ, **threads})
    return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else done.stderr.splitlines()[-1]


def gmin(loss: NetworkLoss, x: np.ndarray, steps: int) -> float | str:
    """Return GMIN's seconds for one loss with gradient, from the iterations of a short basin-hopping run."""
    if binaries() is None:
        return "THALWEG_PYLFL names no folder with GMIN"
    if len(loss.layers) != 3:
        return "one hidden layer only"
    text = GMIN_LOSS.format(data=len(loss.labels), l2=loss.l2, steps=steps)
    shape = "{} 1 {} {}".format(*loss.layers)
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        write_data(Path(folder), loss.inputs, loss.labels)
        text = text.replace("2 1 10 4", shape).replace("UPDATES 500", "UPDATES 4").replace("5000 5000", "100 100")
        (Path(folder) / "data").write_text(text)
        (Path(folder) / "coords").write_text("\n".join(f"{v:.12f}" for v in x) + "\n")
        try:
            seconds, output = run_binary("GMIN", Path(folder), limit=60)
        except subprocess.TimeoutExpired:
            return "not done in 60 s"
        logs = output + "".join(p.read_text(errors="replace") for p in Path(folder).glob("*output*"))
    counts = [int(count) for count in re.findall(r"steps=\s*(\d+)", logs)]
    return seconds / sum(counts) if counts else "no step counts in its output"


def _ratio(theirs: object, mine: float) -> str:
    seconds = theirs[0] if isinstance(theirs, list) else theirs
    return f"{seconds * 1e6:.0f} ({seconds / mine:.1f})" if isinstance(seconds, float) else f"skipped: {seconds}"


def print_evaluations() -> None:
    """Print the table of losses with gradients, and the Hessian's line."""
    unit = costs()
    print(
        "exponential {:.2f} ns, division {:.2f} ns, multiplication and addition {:.3f} ns".format(*np.array(unit) * 1e9)
    )
    print(
        "us per loss and gradient (times ours): shape | ours | floor | ratio | JAX looped | JAX called | PyTorch | GMIN"
    )
    for layers, n in SHAPES:
        loss = problem(layers, n)
        x = loss.random_coordinates(loss.n_weights, np.random.default_rng(1))
        (mine, second), least = ours(loss, x), floor(loss, unit)
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


def scipys(loss: NetworkLoss, X: np.ndarray) -> tuple[float, float]:
    """Return scipy's L-BFGS-B's CPU seconds a minimisation and its median rms, driving the same compiled function."""
    options = {"maxiter": 20000, "maxfun": 40000, "ftol": 0, "gtol": 1e-9, "maxcor": 74}
    start = time.process_time()
    found = [scipy_minimise(loss.energy_gradient, x, jac=True, method="L-BFGS-B", options=options) for x in X]
    seconds = (time.process_time() - start) / len(X)
    return seconds, float(np.median([np.linalg.norm(f.jac) / len(f.x) ** 0.5 for f in found]))


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
    from sklearn.neural_network import MLPClassifier

    from thalweg.optimizers import minimise
    from thalweg.potentials import Weights

    loss = problem((784, 10, 10), 1000)
    X = np.random.default_rng(1).uniform(-1, 1, (count, loss.n_weights))
    system = Weights(loss, X[0])
    start = time.process_time()
    result = minimise(system, X, rms=rms)
    mine = (time.process_time() - start) / count
    print(
        f"[784, 10, 10, 1000, 0.1] to rms {rms:g}, {count}: {mine:.2f} CPU s each, loss {np.median(result.energy):.6f}"
    )
    torch = peer(str(rms), loss, X[0], count)
    if isinstance(torch, list):
        print(f"  PyTorch's LBFGS: {torch[0]:.2f} s ({torch[0] / mine:.1f}), loss {torch[1]:.6f}, rms {torch[2]:.1e}")
    else:
        print(f"  PyTorch skipped: {torch}")
    start = time.process_time()
    for seed in range(count):
        # its L2 term is alpha / (2 n) times the sum of squares of the weights, without the biases
        network = MLPClassifier(
            (10,), activation="tanh", solver="lbfgs", alpha=2 * 0.1 * 1000, tol=10 * rms, max_iter=5000
        )
        network.set_params(random_state=seed, max_fun=50000).fit(loss.inputs, loss.labels)
    theirs = (time.process_time() - start) / count
    end = f"loss {network.loss_:.6f}, {network.n_iter_} steps"
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
