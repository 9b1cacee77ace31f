"""Compares every CUDA kernel with the CPU in numba's simulator and prints the deviations as JSON; run as a process.

With an argument "wrong" the loss that the kernels see has a planted sign error, and the searches know no rotations:
the comparison must not pass then.
"""

from __future__ import annotations

import json
import os
import sys
import warnings

os.environ["NUMBA_ENABLE_CUDASIM"] = "1"
# the simulator polls its threads; at Python's usual 5 ms a turn every barrier takes 10 ms
sys.setswitchinterval(1e-5)

from shared_memory_simulator import share_memory  # noqa: E402

share_memory()

import numpy as np  # noqa: E402
from ase import Atoms  # noqa: E402
from ase.constraints import FixAtoms  # noqa: E402

from thalweg.optimizers import Rules, find_transition_states, minimise  # noqa: E402
from thalweg.potentials import LJAT, NetworkLoss, Weights  # noqa: E402
from thalweg.potentials.cuda import availability as cuda_support  # noqa: E402
from thalweg.potentials.neural_network.activations import device as activations  # noqa: E402
from thalweg.potentials.system import as_system  # noqa: E402

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


KINDS = {
    "gelu, cross-entropy": ("gelu", (3,), {"sample_weight": [1.0, 0.0, 2.0, 3.0, 0.5, 1.0]}),
    "silu and tanh, squared error": (("silu", "tanh"), (3, 2), {"loss": "squared_error", "l2_biases": False}),
    "logistic, logistic": ("logistic", (2, 3), {"loss": "logistic", "sample_weight": [1, 2, 3, 4, 5, 6]}),
    "softplus, one label": ("softplus", (3,), {"loss": "logistic", "class_weight": "balanced"}),
    "without hidden layers, squared error": ("tanh", (), {"loss": "squared_error"}),
}


def other_network(kind: str, device: str) -> NetworkLoss:
    """Return a loss with other activations or another loss."""
    activation, hidden, settings = KINDS[kind]
    rng = np.random.default_rng(2)
    inputs = rng.normal(size=(6, 2))
    targets = {
        "cross": rng.integers(0, 3, 6),
        "squared": rng.normal(size=(6, 2)),
        "several": rng.integers(0, 2, (6, 2)),
    }
    one = "squared" if "squared" in kind else "several" if kind == "logistic, logistic" else "cross"
    labels = targets[one] if kind != "softplus, one label" else np.arange(6) % 4 // 3
    classes = 3 if kind.endswith("cross-entropy") else None
    return NetworkLoss(inputs, labels, hidden, 1e-2, classes, activation=activation, device=device, **settings)


def other_networks() -> dict[str, dict[str, float]]:
    """Compare the networks of all kinds."""
    rng, found = np.random.default_rng(0), {}
    for kind in KINDS:
        gpu, cpu = other_network(kind, "cuda"), other_network(kind, "cpu")
        X = np.array([3.0 * cpu.random_coordinates(cpu.n_weights, rng) for _ in range(3)])
        # sums of weights of one size cancel to zero or to rounding errors, which deeper layers would magnify
        X *= [[1.0], [10.0], [1e60 if len(cpu.hidden) == 1 else 1e15]]
        found[kind] = compare(gpu, cpu, X, rng.normal(size=X.shape))
    return found


def plant_wrong_sign() -> None:
    """Turn the sign of the slope of the hidden units round."""
    right = activations._slope_tanh.fn
    activations._slope_tanh.fn = lambda scratch, place, slopes: -right(scratch, place, slopes)


def plant_no_rotations() -> None:
    """Let rotations pass for modes with a curvature."""
    from thalweg.optimizers.cuda import null_modes as cuda_null_modes

    right = cuda_null_modes._rigid_motion.fn

    def wrong(x, i, row):
        if i < 3:
            right(x, i, row)

    cuda_null_modes._rigid_motion.fn = wrong


def deviation(a, b) -> float:
    """Return the largest difference relative to the size."""
    return float(np.abs(np.asarray(a) - b).max() / (1.0 + np.abs(b).max()))


def compare(potential, other, X, V) -> dict[str, float]:
    """Return deviations of energy, gradient, products and Hessian of the GPU's potential from the CPU's."""
    from thalweg.potentials.cuda.device import hessians_cuda, products_cuda

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


def lowest_modes() -> dict[str, dict[str, float]]:
    """Compare the lowest mode of free and partly fixed clusters off their minima with all of the CPU's."""
    from thalweg.optimizers.cuda.transition_states import CudaSearch

    found, rng = {}, np.random.default_rng(4)
    for name, fixed in (("free", []), ("one atom fixed", [0]), ("two atoms fixed", [0, 2])):
        positions = np.array([[0, 0, 0], [1.1, 0, 0], [0.5, 1.0, 0], [0.5, 0.4, 0.9]]) + 0.1 * rng.normal(size=(4, 3))
        atoms = Atoms("Ar4", positions, calculator=LJAT(0.5, device="cuda"), constraint=FixAtoms(fixed))
        system = as_system(atoms)
        X, guess, rules = system.x[None], rng.normal(size=(1, 12)), Rules()
        search = CudaSearch(system, X, guess, rules, (1e-9, 5, 0.3, 10), tolerance=1e-12)
        search.climb(search.relax(np.arange(1)))
        mode, hessian, null = search.M.copy_to_host()[0], system.hessian(system.x), system.null_modes(system.x)
        hessian = (hessian + 1e6 * null.T @ null)[np.ix_(system.free, system.free)]
        values, vectors = np.linalg.eigh(hessian)
        quotient = mode[system.free] @ hessian @ mode[system.free]
        found[f"lowest mode, {name}"] = {
            "mode": 1.0 - abs(float(vectors[:, 0] @ mode[system.free])),
            "quotient": deviation(quotient, values[0]),
            "frozen": float(np.abs(mode[system.frozen]).sum()),
        }
    return found


def transition_states() -> dict[str, dict[str, float]]:
    """Search from the same starts on both; the ends on either side may come in either order."""
    rng, found = np.random.default_rng(1), {}
    data = rng.normal(size=(6, 1)), rng.integers(0, 2, 6)
    losses = [Weights.random(NetworkLoss(*data, hidden=(2,), l2=1e-2, device=d), 1) for d in ("cuda", "cpu")]
    atoms = [Atoms("Ar3", np.eye(3) * 1.1, calculator=LJAT(2.0, device=d)) for d in ("cuda", "cpu")]
    line = np.array([[0.0, 0.0, 0.0, 1.1, 0.1, 0.0, 2.2, 0.1, 0.1]])
    network_start = np.random.default_rng(3).normal(size=(8, 10))[1:2]
    for name, (gpu, cpu), X, largest in (
        ("saddle of a network", losses, network_start, 500),
        ("saddle of a cluster", atoms, line, 500),
        ("saddle of a cluster, as if large", atoms, line, 5),
    ):
        # by its name: the package has a function
        sys.modules["thalweg.optimizers.transition_states"].LARGEST_MATRIX = largest
        a, b = (find_transition_states(one, X, rms=1e-7) for one in (gpu, cpu))
        minima = [np.sort(result.minima_energy, axis=1) for result in (a, b)]
        products = [np.nan_to_num(result.log_eigenvalue_product) for result in (a, b)]
        found[name] = {"energy": deviation(a.energy, b.energy), "minima": deviation(*minima),
                       "lowest": deviation(a.lowest_eigenvalue, b.lowest_eigenvalue), "product": deviation(*products),
                       "reasons": float(a.reason != b.reason), "unconverged": float((~a.converged).sum()),
                       "steps": float((a.steps > 60).sum())}  # fmt: skip
    return found


def automatic() -> dict[str, float | list[str]]:
    """Let "auto" choose where a batch goes; return how often the GPU was asked, warnings, and how far off it is."""
    from thalweg.potentials.cuda import device as cuda_device

    cuda_support.gpu_visible, cuda_support.FEWEST = lambda: True, 2
    asked, right = [], cuda_device.evaluate_cuda
    cuda_device.evaluate_cuda = lambda potential, X: asked.append(len(X)) or right(potential, X)
    loss, other = network("2,10,4", "auto"), network("2,10,4", "cpu")
    X = np.random.default_rng(5).normal(size=(2, loss.n_weights))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _, gradient = loss.energies_gradients(X)
        loss.energies_gradients(X)
    said = [f"{warning.category.__name__}: {warning.message}" for warning in caught]
    return {"asked": asked, "warnings": said, "gradient": deviation(gradient, other.energies_gradients(X)[1])}


if __name__ == "__main__":
    if sys.argv[1:] == ["wrong"]:
        plant_wrong_sign()
        plant_no_rotations()
        print(json.dumps([networks() | lowest_modes(), automatic()]))
    else:
        found = networks() | other_networks() | clusters() | minimisations() | lowest_modes() | transition_states()
        print(json.dumps([found, automatic()]))
