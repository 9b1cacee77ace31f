"""Minima of networks whose inputs have very uneven second moments, along the principal axes of these inputs.

Estimated curvatures along the axes precondition both LBFGS, by the scale of its coordinates, and Davidson's method.
"""

from __future__ import annotations

import numpy as np

from thalweg.optimizers.kernels.lbfgs_simd import quick_walk
from thalweg.optimizers.krylov.curvature import Curvature
from thalweg.optimizers.krylov.hessian_model import DiagonalModel
from thalweg.optimizers.krylov.proof import Proof, prove
from thalweg.optimizers.rules import Rules
from thalweg.potentials.neural_network.loss import NetworkLoss
from thalweg.potentials.neural_network.principal_axes.rotated_network import RotatedNetwork, rotated_network
from thalweg.potentials.point import Point
from thalweg.potentials.system import System, as_system

__all__ = ["rotated", "rotated_descent", "rotated_proof"]

_NONE_FROZEN = np.zeros(0, dtype=np.int64)


def rotated(system: System) -> RotatedNetwork | None:
    """Return a system's network along the principal axes of its inputs, or None where that gains nothing."""
    if not isinstance(system.potential, NetworkLoss) or system.frozen.size or system.constraints is not None:
        return None
    return rotated_network(system.potential)


def rotated_descent(network: RotatedNetwork, x: np.ndarray, rms: float, rules: Rules, steps: int) -> tuple[int, int]:
    """Minimise from x, in place, by LBFGS with scaled coordinates along the axes.

    Parameters
    ----------
    network : RotatedNetwork
    x : ndarray, shape (n,)
        Start, overwritten.
    rms : float
        Rms gradient by the scaled coordinates at which to end. That by the weights may be somewhat larger.
    rules : Rules
    steps : int
        Most steps.

    Returns
    -------
    steps, evaluations : int
    """
    function, _, integers, floats = network.compiled
    y = network.gather(x) / network.scale
    _, _, taken, calls, _, _ = quick_walk(
        function, integers, floats, _NONE_FROZEN, rules.packed(), rms, steps, y, np.empty_like(y),
        np.empty((0, y.size + 1)),
    )  # fmt: skip
    x[:] = network.spread(network.scale * y)
    return taken, calls


def rotated_proof(network: RotatedNetwork, x: np.ndarray, count: int = 1) -> Proof:
    """Find the lowest eigenvalues of the Hessian at a stationary point x (n,), with few products.

    Across the axes of the inputs the eigenvalues are 2 l2. One direction there stands for all.
    """
    y = network.gather(x)
    small = as_system(Point(y, network.small))
    proof = prove(small, Curvature(small, y), y, count, model=DiagonalModel(network.curvatures))
    vectors = np.array([network.spread(v) for v in proof.vectors])
    values, bounds = proof.values, proof.bounds
    if network.across is not None:
        vectors = np.vstack([vectors, network.across])
        values, bounds = np.append(values, 2.0 * network.small.l2), np.append(bounds, 0.0)
        lowest = np.argsort(values, kind="stable")[:count]
        values, bounds, vectors = values[lowest], bounds[lowest], vectors[lowest]
    return Proof(values, bounds, vectors, proof.agree)
