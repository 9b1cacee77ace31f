"""Every activation and loss of a network beside JAX and PyTorch: loss with gradient, float64, one core.

    python -m tests.benchmarks.networks.bench_activations [--products]

Each figure is the least CPU time of several, all called from Python as a script calls them; the last column is the
loss in compiled code's own loop, as optimizers call it, beside that of tanh. The values are compared, too. JAX's
function is compiled with its data inside, PyTorch's runs as it is written.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial

import numba
import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits, load_wine

from thalweg.potentials import NetworkLoss
from thalweg.potentials.compiled.signatures import FUNCTION, floats, integers, jit, vector
from thalweg.potentials.compiled.simd import WIDEST, splat_widest, store
from thalweg.potentials.neural_network.activations.kinds import ACTIVATIONS

TORCH = {
    "tanh": torch.tanh,
    "logistic": torch.sigmoid,
    "softplus": torch.nn.functional.softplus,
    "gelu": torch.nn.functional.gelu,
    "silu": torch.nn.functional.silu,
}


torch.set_num_threads(1)


@jit(numba.void(FUNCTION, vector, vector, integers, floats, numba.int64), cache=False)
def _many(function, x, gradient, integers, floats, count):
    for _ in range(count):
        function(x, gradient, integers, floats)


@jit(numba.void(vector, numba.int64), cache=False, fastmath={"contract"})
def _multiplications(out, count):
    """Do count * 10 * WIDEST multiplications with additions in registers."""
    a, b, c, d, e = splat_widest(1.0), splat_widest(1.1), splat_widest(1.2), splat_widest(1.3), splat_widest(1.4)
    f, g, h, i, j = splat_widest(1.5), splat_widest(1.6), splat_widest(1.7), splat_widest(1.8), splat_widest(1.9)
    p = splat_widest(0.999)
    for _ in range(count):
        a, b, c, d, e = a * p + p, b * p + p, c * p + p, d * p + p, e * p + p
        f, g, h, i, j = f * p + p, g * p + p, h * p + p, i * p + p, j * p + p
    store(out, 0, (a + b + c + d + e) + (f + g + h + i + j))


def least(work: Callable[[], object], budget: float = 0.4) -> float:
    """Return the least CPU seconds of work(), tried for so many seconds and at least seven times."""
    work()
    best, began, number = np.inf, time.process_time(), 0
    while number < 7 or time.process_time() - began < budget:
        start = time.process_time()
        for _ in range(5):
            work()
        best, number = min(best, (time.process_time() - start) / 5), number + 1
    return best


def problems() -> Iterator[tuple[str, NetworkLoss]]:
    """Yield the shapes with every activation and loss."""
    rng = np.random.default_rng(0)
    digits, digit = load_digits(return_X_y=True)
    wines, wine = load_wine(return_X_y=True)
    wines = (wines - wines.mean(0)) / wines.std(0)
    two, four = rng.normal(size=(1000, 2)), rng.integers(0, 4, 1000)
    data = {
        "[2,10,4,1000]": (two, four, 4),
        "[64,10,10,1797]": (digits / 16, digit, 10),
        "[13,10,1,178]": (wines, wine, 1),
    }
    for shape, (inputs, labels, outputs) in data.items():
        one_hot = (labels[:, None] == np.arange(outputs)).astype(int)
        one_hot = one_hot[:, 0] if outputs == 1 else one_hot
        numbers = np.sin(inputs[:, :1] + np.arange(outputs))
        targets = {"cross_entropy": labels, "logistic": one_hot, "squared_error": numbers}
        main = "squared_error" if outputs == 1 else "cross_entropy"
        kinds = [(name, main) for name in ACTIVATIONS] + [("tanh", name) for name in targets if name != main]
        for activation, loss in kinds:
            if not (loss == "cross_entropy" and outputs == 1):
                yield shape, NetworkLoss(inputs, targets[loss], (10,), 1e-3, activation=activation, loss=loss)


def unpacked(w, layers):
    """Return the weight matrices and biases of a flat vector."""
    matrices, biases, start = [], [], 0
    for below, above in itertools.pairwise(layers):
        matrices.append(w[start : start + above * below].reshape(above, below))
        start += above * below
    for above in layers[1:]:
        biases.append(w[start : start + above])
        start += above
    return matrices, biases


def by_jax(loss: NetworkLoss) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    """Return the loss with its gradient, compiled by JAX."""
    os.environ["JAX_PLATFORMS"] = "cpu"
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    import jax  # reads these when it is imported
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    activations = {
        "tanh": jnp.tanh,
        "logistic": jax.nn.sigmoid,
        "softplus": jax.nn.softplus,
        "gelu": partial(jax.nn.gelu, approximate=False),
        "silu": jax.nn.silu,
    }
    inputs, targets = jnp.asarray(loss.inputs), jnp.asarray(loss.targets)
    activation, rows = activations[loss.activation[0]], jnp.arange(len(loss.inputs))

    def energy(w):
        (first, last), (bias, end) = unpacked(w, loss.layers)
        y = activation(inputs @ first.T + bias) @ last.T + end
        t = targets.reshape(len(targets), -1)
        if loss.loss == "cross_entropy":
            parts = jax.nn.logsumexp(y, axis=1) - y[rows, targets]
        elif loss.loss == "logistic":
            parts = (jax.nn.softplus(y) - t * y).sum(1)
        else:
            parts = ((y - t) ** 2).sum(1)
        return parts.mean() + loss.l2 * (w @ w)

    compiled = jax.jit(jax.value_and_grad(energy))

    def call(x):
        value, gradient = compiled(x)
        return float(value), np.asarray(gradient)

    return call


def by_torch(loss: NetworkLoss) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    """Return the loss with its gradient by PyTorch's autograd."""
    functional, activation = torch.nn.functional, TORCH[loss.activation[0]]
    inputs, targets = torch.tensor(np.array(loss.inputs)), torch.tensor(np.array(loss.targets))
    wide = targets.reshape(len(targets), -1).double()

    def call(x):
        w = torch.tensor(x, requires_grad=True)
        (first, last), (bias, end) = unpacked(w, loss.layers)
        y = functional.linear(activation(functional.linear(inputs, first, bias)), last, end)
        if loss.loss == "cross_entropy":
            value = functional.cross_entropy(y, targets)
        elif loss.loss == "logistic":
            value = functional.binary_cross_entropy_with_logits(y, wide, reduction="sum") / len(wide)
        else:
            value = functional.mse_loss(y, wide, reduction="sum") / len(wide)
        value = value + loss.l2 * (w @ w)
        value.backward()
        return float(value.detach()), w.grad.numpy()

    return call


def looped(loss: NetworkLoss, x: np.ndarray) -> float:
    """Return the seconds of a loss with gradient in compiled code's own loop."""
    function, _, some_integers, some_floats = loss.compiled
    gradient = np.empty_like(x)
    return least(lambda: _many(function, x, gradient, some_integers, some_floats, 20)) / 20


def print_table() -> None:
    """Print the table of docs/loss.md."""
    print("| shape | activation, loss | ours | JAX | PyTorch | in a loop | of tanh |")
    print("|---|---|---|---|---|---|---|")
    tanh: dict[str, float] = {}
    for shape, loss in problems():
        x = loss.random_coordinates(loss.n_weights, np.random.default_rng(1))
        jaxs, torchs = by_jax(loss), by_torch(loss)
        value, gradient = loss.energy_gradient(x)
        for other in (jaxs(x), torchs(x)):
            assert abs(other[0] - value) < 1e-8 * abs(value)  # PyTorch's softplus is linear from 20 on
            assert np.abs(other[1] - gradient).max() < 1e-7
        ours, theirs, others = (least(partial(function, x)) for function in (loss.energy_gradient, jaxs, torchs))
        inside = looped(loss, x)
        tanh.setdefault(shape, inside)  # the first of each shape is tanh
        name = f"{loss.activation[0]}, {loss.loss.replace('_', ' ')}"
        columns = [f"{ours * 1e6:.0f}", *(f"{t * 1e6:.0f} ({t / ours:.1f})" for t in (theirs, others))]
        print(
            "|",
            " | ".join([shape, name, *columns, f"{inside * 1e6:.1f}", f"{inside / tanh[shape]:.2f}"]),
            "|",
            flush=True,
        )


def print_products() -> None:
    """Print what parts of a loss of [64,10,10,1797] take alone.

    The products, tanh and exp by numpy with its BLAS; and as many multiplications with additions as a loss with its
    gradient has, in registers, without any access to memory: no dense products take less on this processor.
    """
    rng = np.random.default_rng(0)
    inputs, first, last = rng.normal(size=(1797, 64)), rng.normal(size=(10, 64)), rng.normal(size=(10, 10))
    turned, rows, out, gradient = inputs.T.copy(), rng.normal(size=(10, 1797)), np.empty((10, 1797)), np.empty((10, 64))
    count = 1797 * (2 * first.size + 3 * last.size) // (10 * WIDEST)
    works: dict[str, Callable[[], object]] = {
        "first layer": lambda: np.dot(first, turned, out=out),
        "its gradient": lambda: np.dot(rows, inputs, out=gradient),
        "last layer": lambda: np.dot(last, rows, out=out),
        "tanh": lambda: np.tanh(rows, out=out),
        "exp": lambda: np.exp(rows, out=out),
        "multiplications in registers": partial(_multiplications, np.empty(WIDEST), count),
    }
    print(", ".join(f"{name} {least(work) * 1e6:.0f}" for name, work in works.items()), "microseconds")


@pytest.mark.benchmark
def test_beside_peers():
    print()
    print_table()


if __name__ == "__main__":
    (print_products if sys.argv[1:] == ["--products"] else print_table)()
