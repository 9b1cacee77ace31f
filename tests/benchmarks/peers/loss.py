"""What the network's loss is timed beside: JAX and PyTorch in a process of their own, GMIN, scipy and scikit-learn."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy.optimize import minimize as scipy_minimise

from tests.benchmarks.peers.programs import GMIN_LOSS, binaries, run_binary, write_data
from thalweg.potentials import NetworkLoss

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


def scipys(loss: NetworkLoss, X: np.ndarray) -> tuple[float, float]:
    """Return scipy's L-BFGS-B's CPU seconds a minimisation and its median rms, driving the same compiled function."""
    options = {"maxiter": 20000, "maxfun": 40000, "ftol": 0, "gtol": 1e-9, "maxcor": 74}
    start = time.process_time()
    found = [scipy_minimise(loss.energy_gradient, x, jac=True, method="L-BFGS-B", options=options) for x in X]
    seconds = (time.process_time() - start) / len(X)
    return seconds, float(np.median([np.linalg.norm(f.jac) / len(f.x) ** 0.5 for f in found]))


def scikit_learn(loss: NetworkLoss, count: int, rms: float) -> tuple[float, str]:
    """Return the CPU seconds a minimisation by MLPClassifier, from its own starts, and how the last one ended."""
    from sklearn.neural_network import MLPClassifier

    start = time.process_time()
    for seed in range(count):
        # its L2 term is alpha / (2 n) times the sum of squares of the weights, without the biases
        network = MLPClassifier(
            loss.hidden, activation="tanh", solver="lbfgs", alpha=2 * loss.l2 * len(loss.labels), tol=10 * rms
        )
        network.set_params(random_state=seed, max_iter=5000, max_fun=50000).fit(loss.inputs, loss.labels)
    seconds = (time.process_time() - start) / count
    return seconds, f"loss {network.loss_:.6f}, {network.n_iter_} steps"
