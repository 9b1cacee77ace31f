"""Compares every CUDA kernel with the CPU in numba's simulator and prints the deviations as JSON; run as a process.

With an argument "wrong" the loss that the kernels see has a planted sign error: the comparison must not pass then.
"""

from __future__ import annotations

import json
import os
import sys

os.environ["NUMBA_ENABLE_CUDASIM"] = "1"
# the simulator polls its threads; at Python's usual 5 ms a turn every barrier takes 10 ms
sys.setswitchinterval(1e-5)

import numpy as np  # noqa: E402
from ase import Atoms  # noqa: E402

from thalweg.optimizers import Rules, minimise  # noqa: E402
from thalweg.potentials import LJAT, NetworkLoss, Weights, cuda_network  # noqa: E402

SHAPES = {
    "2,10,4": ((10,), 2, 4, None, 9),
    "3,5,3,3": ((5, 3), 3, 3, None, 6),
    "19,3,4,3": ((3, 4), 19, 3, None, 5),
    "2,3": ((), 2, 3, None, 5),
    "4,6,5,2 masked": ((6, 5), 4, 2, 2, 6),
}


def network(shape: str, device: str) -> NetworkLoss:
    """Return a loss of the shape on few data."""
    hidden, inputs, classes, neighbours, data = SHAPES[shape]
    rng = np.random.default_rng(1)
    labels = rng.integers(0, classes, data)
    return NetworkLoss(rng.normal(size=(data, inputs)), labels, hidden, 1e-2, classes, neighbours, device=device)


def plant_wrong_sign() -> None:
    """Turn the sign of the slope of the hidden units round."""
    right = cuda_network.backward.fn

    def wrong(w, integers, scratch, stride):
        right(w, integers, scratch, stride)
        scratch[integers[2] * stride : (2 * integers[2]) * stride] *= -1.0

    cuda_network.backward.fn = wrong


def deviation(a, b) -> float:
    """Return the largest difference relative to the size."""
    return float(np.abs(np.asarray(a) - b).max() / (1.0 + np.abs(b).max()))


def compare(potential, other, X, V) -> dict[str, float]:
    """Return deviations of energy, gradient, products and Hessian of the GPU's potential from the CPU's."""
    from thalweg.potentials.cuda_device import hessians_cuda, products_cuda

    energy, gradient = potential.energies_gradients(X)
    wanted, slope = other.energies_gradients(X)
    products = [other.hessian_vector(x, v) for x, v in zip(X, V, strict=True)]
    found = {"energy": deviation(energy, wanted), "gradient": deviation(gradient, slope)}
    found["products"] = deviation(products_cuda(potential, X, V), np.array(products))
    if X.shape[1] < 15:
        found["hessian"] = deviation(hessians_cuda(potential, X[:1]), np.array([other.hessian(X[0])]))
    return found


def networks() -> dict[str, dict[str, float]]:
    """Compare the networks of all shapes."""
    rng, found = np.random.default_rng(0), {}
    for shape in SHAPES:
        gpu, cpu = network(shape, "cuda"), network(shape, "cpu")
        X = np.array([3.0 * cpu.random_coordinates(cpu.n_weights, rng) for _ in range(2)])
        X[1] *= 30.0  # saturated units and outputs far apart
        found[shape] = compare(gpu, cpu, X, rng.normal(size=X.shape) * cpu.mask)
    return found


def clusters() -> dict[str, dict[str, float]]:
    """Compare clusters with and without the three-body term."""
    rng, found = np.random.default_rng(2), {}
    for atoms, z in ((3, 2.0), (6, 0.7), (5, 0.0)):
        X = 1.5 * np.array([LJAT(z).random_coordinates(3 * atoms, rng) for _ in range(2)])
        found[f"{atoms} atoms, Z = {z}"] = compare(
            LJAT(z, device="cuda"), LJAT(z, device="cpu"), X, rng.normal(size=X.shape)
        )
    return found


def minimisations() -> dict[str, dict[str, float]]:
    """Minimise the same walkers on both; memories shorter and longer than the walk."""
    rng, found = np.random.default_rng(3), {}
    data = rng.normal(size=(8, 2)), rng.integers(0, 2, 8)
    subjects = [Weights.random(NetworkLoss(*data, hidden=(2,), l2=3e-2, device=d), 1) for d in ("cuda", "cpu")]
    X = np.array([subjects[1].calc.random_coordinates(12, rng) for _ in range(2)])
    atoms = [Atoms("Ar3", np.eye(3) * 1.1, calculator=LJAT(2.0, device=d)) for d in ("cuda", "cpu")]
    for name, (gpu, cpu), starts, rules in (
        ("network, memory 3", subjects, X, Rules(memory=3)),
        ("network, memory 12", subjects, X, Rules(memory=12, signed_curvature=False, initial_diagonal=3.0)),
        ("cluster", atoms, None, Rules(shrink=0.5, trials=12)),
    ):
        a, b = (minimise(one, starts, rms=1e-6, rules=rules, steps=60) for one in (gpu, cpu))
        steps = float(np.abs(a.steps - b.steps).max())
        found[name] = {"energy": deviation(a.energy, b.energy), "x": deviation(a.x, b.x), "steps": steps,
                       "unconverged": float((~a.converged).sum())}  # fmt: skip
    return found


if __name__ == "__main__":
    if sys.argv[1:] == ["wrong"]:
        plant_wrong_sign()
        print(json.dumps(networks()))
    else:
        print(json.dumps(networks() | clusters() | minimisations()))
