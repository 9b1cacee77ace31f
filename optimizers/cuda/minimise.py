"""Batches of walkers minimised on a GPU; the results are those of the CPU's functions."""

from __future__ import annotations

import numpy as np
from numba import cuda

from thalweg.optimizers.cuda.lbfgs import VECTORS, history_size, lbfgs_kernel
from thalweg.optimizers.results import REASONS, MinimiseResult
from thalweg.optimizers.rules import Rules
from thalweg.potentials.cuda.device import built, device_problem, exclusive, launch
from thalweg.potentials.system import System

__all__ = ["lbfgs_cuda", "minimise_cuda"]


@exclusive
def lbfgs_cuda(system: System, X: np.ndarray, rms: float, rules: Rules, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Minimise the rows of X (walkers, n) by LBFGS in one launch.

    Returns
    -------
    x : (walkers, n)
    numbers : (walkers, 6), energy, rms, steps, evaluations, status and path length.
    """
    n = X.shape[1]
    problem = device_problem(system.potential, n)
    plan = problem.plan(n, VECTORS * n, history_size(n, rules.memory))
    points, numbers = cuda.to_device(X), cuda.device_array((len(X), 6))
    goals = np.array([rms, steps], dtype=np.float64)
    frozen = system.frozen.astype(np.int64)
    arguments = (points, cuda.device_array(X.shape), numbers, *map(cuda.to_device, (frozen, rules.packed(), goals)))
    launch(built(lbfgs_kernel, problem.gradient), plan, len(X), (*arguments, problem.integers, problem.floats))
    return points.copy_to_host(), numbers.copy_to_host()


def minimise_cuda(system: System, X: np.ndarray, rms: float, rules: Rules, steps: int) -> MinimiseResult:
    """Minimise the rows of X on the GPU; arguments as :func:`~thalweg.optimizers.minimise`."""
    x, numbers = lbfgs_cuda(system, X, rms, rules, steps)
    status = numbers[:, 4].astype(np.int64)
    taken, evaluations = numbers[:, 2].astype(np.int64), numbers[:, 3].astype(np.int64)
    reasons = [REASONS[code] for code in status]
    return MinimiseResult(x, numbers[:, 0], numbers[:, 1], taken, evaluations, status == 0, reasons)
