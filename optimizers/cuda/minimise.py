"""Batches of walkers minimised on a GPU; the results are those of the CPU's functions."""

from __future__ import annotations

import numpy as np
from numba import cuda

from thalweg.optimizers.cuda.lbfgs import RUN_NUMBERS, VECTORS, history_size, lbfgs_kernel
from thalweg.optimizers.kernels.status import Status, reasons
from thalweg.optimizers.results import MinimiseResult
from thalweg.optimizers.rules import Rules
from thalweg.potentials.cuda.device import built, device_problem, exclusive, launch
from thalweg.potentials.system import System

__all__ = ["lbfgs_cuda", "minimise_cuda"]


@exclusive
def lbfgs_cuda(system: System, X: np.ndarray, rms: float, rules: Rules, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Minimise the rows of X (walkers, n) by LBFGS in one launch.

    Returns
    -------
    x : (walkers, n) ndarray
    found : (walkers,) ndarray
        Records of RUN_NUMBERS.
    """
    n = X.shape[1]
    problem = device_problem(system.potential, n)
    plan = problem.plan(n, VECTORS * n, history_size(n, rules.memory))
    points, numbers = cuda.to_device(X), cuda.device_array((len(X), len(RUN_NUMBERS.names or ())))
    goals = np.array([rms, steps], dtype=np.float64)
    frozen = system.frozen.astype(np.int64)
    arguments = (points, cuda.device_array(X.shape), numbers, *map(cuda.to_device, (frozen, rules.packed(), goals)))
    kernel = built(lbfgs_kernel, plan.bounds, plan.far, problem.gradient)
    launch(kernel, plan, len(X), (*arguments, problem.integers, problem.floats))
    return points.copy_to_host(), numbers.copy_to_host().view(RUN_NUMBERS)[:, 0]


def minimise_cuda(system: System, X: np.ndarray, rms: float, rules: Rules, steps: int) -> MinimiseResult:
    """Minimise the rows of X on the GPU; arguments as :func:`~thalweg.optimizers.minimise`."""
    x, found = lbfgs_cuda(system, X, rms, rules, steps)
    return MinimiseResult(
        x=x, energy=found["energy"], rms=found["rms"], steps=found["steps"].astype(np.int64),
        evaluations=found["evaluations"].astype(np.int64), converged=found["status"] == Status.CONVERGED,
        reason=reasons(found["status"]),
    )  # fmt: skip
