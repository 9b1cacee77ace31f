"""A GPU beside this machine's CPU and JAX: ``python -m tests.benchmarks.gpu``.

First loss, gradient, Hessian-vector products and transition states are compared with the CPU's; then come evaluations
of loss and gradient, minimisations, and searches for transition states, per second. Names of parts (compare,
evaluations, minimisations, searches, jax) choose some of these; on one H200 all take three minutes.
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
from thalweg.potentials.threads import default_threads

REHEARSAL = os.environ.get("NUMBA_ENABLE_CUDASIM", "0") not in ("", "0")
SHAPES = ((2, (10,), 4, 1000), (2, (5, 5), 4, 1000), (64, (10,), 10, 1797), (784, (10,), 10, 1000))
ATOMS = (3, 7, 13)
SADDLES = (*ATOMS, SHAPES[0])  # atoms, or a network's shape
WALKERS = (1, 16, 256, 4096, 65536)
LONGEST = 0.5  # seconds of a row of evaluations after which more walkers would take too long
# one H100 or H200: float64 instructions a second, 34 TFLOP/s with a fused multiply-add counted as two
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


def seconds(work: Callable[[], object]) -> float:
    """Return how long `work` takes: once if that is long, else the best of three. What is compiled must be warm."""
    times = [0.0]
    while len(times) < 4 and sum(times) < LONGEST and not (REHEARSAL and len(times) > 1):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times[1:])


def per_second(work: Callable[[int], object], most: int) -> float:
    """Return how many of up to `most` a second `work(count)` does, with so many as half a second allows."""
    work(1)
    count = min(most, 16)
    took = seconds(lambda: work(count))
    more = min(most, max(count, int(count * LONGEST / took)))
    return count / took if more < 2 * count else more / seconds(lambda: work(more))


def deviation(a: np.ndarray, b: np.ndarray) -> float:
    """Return the largest difference relative to the size."""
    return float(np.abs(a - b).max() / (1.0 + np.abs(b).max()))


def compare(gpu: LJAT | NetworkLoss, cpu: LJAT | NetworkLoss, X: np.ndarray) -> float:
    """Return the worst relative deviation of the GPU's energies, gradients and products from the CPU's."""
    from thalweg.potentials.cuda.device import products_cuda

    V = np.random.default_rng(5).normal(size=X.shape)
    wanted = np.array([cpu.hessian_vector(x, v) for x, v in zip(X, V, strict=True)])
    pairs = zip(gpu.energies_gradients(X), cpu.energies_gradients(X), strict=True)
    return max(deviation(products_cuda(gpu, X, V), wanted), *(deviation(a, b) for a, b in pairs))


def comparisons(shapes: tuple) -> dict[str, float]:
    """Compare all networks and clusters at two points each."""
    found = {}
    for shape in shapes:
        gpu, cpu = network(shape, "cuda"), network(shape, "cpu")
        X = np.array([cpu.random_coordinates(cpu.n_weights, np.random.default_rng(k)) for k in range(2)])
        found[f"{named(shape)}, {shape[3]:,} data"] = compare(gpu, cpu, X)
    for atoms in ATOMS:
        gpu, cpu = (subject(atoms, device) for device in ("cuda", "cpu"))
        X = cpu.positions.ravel() + 0.05 * np.random.default_rng(6).normal(size=(2, 3 * atoms))
        found[named(atoms)] = compare(gpu.calc, cpu.calc, X)
    return found


def kernel_seconds(loss: NetworkLoss, X: np.ndarray) -> float:
    """Return how long the kernel of loss and gradient takes at the rows of X, with nothing copied."""
    from numba import cuda

    from thalweg.potentials.cuda.device import built, device_problem, launch, workspace_of
    from thalweg.potentials.cuda.kernels import gradient_kernel

    problem = device_problem(loss, X.shape[1])
    plan = problem.plan(X.shape[1])
    arrays = cuda.to_device(X), cuda.device_array(X.shape), cuda.device_array(len(X))
    kernel, workspace = built(gradient_kernel, plan.bounds, plan.far, problem.gradient), workspace_of(plan, len(X))
    return seconds(lambda: launch(kernel, plan, len(X), (*arrays, problem.integers, problem.floats), workspace))


def evaluation_rows(shape: tuple) -> None:
    """Print the lines of a network in the table of evaluations."""
    gpu, cpu = network(shape, "cuda"), network(shape, "cpu")
    work = instructions(gpu.layers, len(gpu.labels))
    for walkers in (1, 2) if REHEARSAL else WALKERS:
        X = np.random.default_rng(1).uniform(-1, 1, (walkers, gpu.n_weights))
        gpu.energies_gradients(X[:1])
        took, alone = seconds(lambda X=X: gpu.energies_gradients(X)), kernel_seconds(gpu, X)
        slow = per_second(lambda count, X=X: cpu.energies_gradients(X[:count]), walkers)
        part = walkers / alone * work / RATE
        print(
            f"| {named(shape)}, {shape[3]:,} | {walkers} | {walkers / took:.3g} | {walkers / alone:.3g} | "
            f"{100 * part:.2g} % | {slow:.3g} | {walkers / took / slow:.3g} |",
            flush=True,
        )
        if took > LONGEST:
            break


def minimisation_row(shape: tuple, walkers: int) -> str:
    """Return one line of the table of minimisations to an rms gradient of 1e-9."""
    rates = []
    steps = 3 if REHEARSAL else 10_000
    for device in ("cuda", "cpu"):
        loss = network(shape, device)
        X = np.random.default_rng(2).uniform(-1, 1, (walkers, loss.n_weights))
        work = Weights(loss)
        minimise(work, X[:1], rms=1e-9, steps=3)
        if device == "cuda":
            rates.append(walkers / seconds(lambda work=work, X=X: minimise(work, X, rms=1e-9, steps=steps)))
        else:
            few = lambda count, work=work, X=X: minimise(work, X[:count], rms=1e-9, steps=steps)  # noqa: E731
            rates.append(per_second(few, min(walkers, 256)))
    return f"| {named(shape)}, {shape[3]:,} | {walkers} | {rates[0]:.3g} | {rates[1]:.3g} | {rates[0] / rates[1]:.3g} |"


def subject(what: tuple | int, device: str) -> Weights | Atoms:
    """Return a network of a shape, or so many atoms: three with the Axilrod-Teller term."""
    if isinstance(what, tuple):
        return Weights(network(what, device))
    positions = 1.1 * np.array(list(np.ndindex(3, 3, 3))[:what], dtype=float)
    return Atoms(f"Ar{what}", positions, calculator=LJAT(2.0 if what == 3 else 0.0, device=device))


def named(what: tuple | int) -> str:
    """Return the name of a subject in a table."""
    if isinstance(what, int):
        return f"LJ{what}" if what > 3 else "LJAT3"
    return str([what[0], *what[1], what[2]])


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


def saddle_rows(what: tuple | int) -> None:
    """Print the lines of a subject in the table of searches: how many a second, how many succeed."""
    how = {"steps": 1} if REHEARSAL else {}
    one, other = subject(what, "cuda"), subject(what, "cpu")
    few = saddle_starts(what, 1 if REHEARSAL else 256)
    find_transition_states(one, few[:1], **how)
    last = find_transition_states(other, few, **how)
    slow = per_second(lambda count: find_transition_states(other, few[:count], **how), len(few))
    share = f"{100 * last.converged.mean():.0f} %"
    for walkers in (1,) if REHEARSAL else (256, 4096, 16_384):
        X, found = saddle_starts(what, walkers), []
        took = seconds(lambda X=X, found=found: found.append(find_transition_states(one, X, **how)))
        print(
            f"| {named(what)} | {walkers} | {walkers / took:.3g} | {100 * found[-1].converged.mean():.0f} % | "
            f"{slow:.3g} | {share} | {walkers / took / slow:.3g} |",
            flush=True,
        )


def jax_row(shape: tuple, walkers: int) -> str:
    """Return JAX's evaluations a second on the same GPU, with nothing copied, or why there are none."""
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
    jax.block_until_ready(batched(X))
    rate = walkers / seconds(lambda: jax.block_until_ready(batched(X)))
    return f"| {named(shape)}, {shape[3]:,} | {walkers} | {rate:.3g} |"


def main(parts: list[str] | None = None) -> int:
    """Compare and measure; print the tables. `parts` are the names of some of them."""
    try:
        require_gpu()
    except RuntimeError as error:
        print(f"No GPU: the table stays empty. {error}")
        return 0
    shapes, saddles = (SHAPES[:2], SADDLES[:1]) if REHEARSAL else (SHAPES, SADDLES)
    known = {
        "compare": lambda: compared(shapes, saddles),
        "evaluations": lambda: evaluations(shapes),
        "minimisations": lambda: minimisations(shapes),
        "searches": lambda: searches(saddles),
        "jax": lambda: beside_jax(shapes),
    }
    print(f"{default_threads()} threads on the CPU", flush=True)
    return max(int(known[part]() or 0) for part in parts or known)


def compared(shapes: tuple, saddles: tuple) -> bool:
    """Print how far GPU and CPU differ; return whether that is too far."""
    bad = False
    for name, value in comparisons(shapes).items():
        print(f"{name}: GPU and CPU differ by {value:.1e}", flush=True)
        bad = bad or not value < 1e-10
    for what in saddles:
        alike, tried = compare_saddles(what)
        print(f"transition states of {named(what)}: GPU and CPU agree on {alike} of {tried}", flush=True)
        bad = bad or alike < 0.9 * tried
    return bad


def evaluations(shapes: tuple) -> None:
    """Print the table of evaluations of loss and gradient a second."""
    print(
        "\n| layers, data | walkers | GPU | kernel alone | of the floor | CPU | ratio |\n|---|---|---|---|---|---|---|"
    )
    for shape in shapes:
        evaluation_rows(shape)


def minimisations(shapes: tuple) -> None:
    """Print the table of minimisations a second."""
    print("\n| layers, data | walkers | GPU | CPU | ratio |\n|---|---|---|---|---|")
    for shape in shapes[:1] if REHEARSAL else shapes[:3]:
        for walkers in (2,) if REHEARSAL else (256, 4096):
            print(minimisation_row(shape, walkers), flush=True)


def searches(saddles: tuple) -> None:
    """Print the table of searches for transition states a second."""
    head = "| subject | walkers | GPU | successful | CPU | successful | ratio |"
    print(f"\n{head}\n|---|---|---|---|---|---|---|")
    for what in saddles:
        saddle_rows(what)


def beside_jax(shapes: tuple) -> None:
    """Print the table of JAX's evaluations of loss and gradient a second."""
    print("\n| layers, data | walkers | JAX on the GPU |\n|---|---|---|")
    for shape in () if REHEARSAL else shapes:
        print(jax_row(shape, 4096), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
