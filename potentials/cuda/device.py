"""Potentials on a GPU: their data go there once and stay; launches of kernels over walkers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, wraps
from threading import RLock
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numba import config, cuda

from thalweg.potentials.cuda.block_memory import Plan, make_plan
from thalweg.potentials.cuda.functions import DevicePotential
from thalweg.potentials.cuda.kernels import gradient_kernel, hessian_kernel, product_kernel

__all__ = [
    "LAUNCH_BOUNDS",
    "DeviceProblem",
    "built",
    "device_problem",
    "evaluate_cuda",
    "exclusive",
    "hessians_cuda",
    "launch",
    "products_cuda",
    "workspace_of",
]

# Most threads of a block, and blocks that shall fit on a multiprocessor: what keeps registers below 256
LAUNCH_BOUNDS = (128, 2)
_WORKSPACE = 4 * 2**30  # bytes, at most
_MOST_BLOCKS = 65_536


@dataclass(frozen=True)
class DeviceProblem:
    """A potential as kernels see it.

    Attributes
    ----------
    gradient, product : device functions.
    rows, product_rows : int, rows of scratch for each.
    threads : int, wanted in a block.
    integers, floats : device arrays.
    """

    gradient: Any
    product: Any
    rows: int
    product_rows: int
    threads: int
    integers: Any
    floats: Any

    def plan(self, *fixed: int, product: bool = False) -> Plan:
        """Return a block's memory, with further groups of so many float64."""
        return make_plan(self.product_rows if product else self.rows, fixed, self.threads, min(self.threads, 32))


_device = RLock()
_problems: WeakKeyDictionary[Any, DeviceProblem] = WeakKeyDictionary()


def device_problem(potential: Any, n: int) -> DeviceProblem:
    """Return a potential of n coordinates on the device; parameters that never change are sent there once.

    Raises
    ------
    TypeError
        If the potential has no device functions.
    """
    if potential in _problems:
        return _problems[potential]
    functions = potential.device_functions(n) if isinstance(potential, DevicePotential) else None
    if functions is None:
        raise TypeError(f"{type(potential).__name__} has no device functions: it cannot be evaluated on a GPU")
    integers, floats = (cuda.to_device(array) for array in functions.pack())
    problem = DeviceProblem(
        gradient=functions.gradient,
        product=functions.product,
        rows=functions.rows,
        product_rows=functions.product_rows,
        threads=4 if config.ENABLE_CUDASIM else functions.threads,
        integers=integers,
        floats=floats,
    )
    if functions.constant:
        _problems[potential] = problem
    return problem


@cache
def built(factory: Callable, *functions: Any) -> Any:
    """Return the kernel that a factory makes of device functions, compiled at its first launch."""
    kernel = factory(*functions)
    return cuda.jit(kernel) if config.ENABLE_CUDASIM else cuda.jit(kernel, launch_bounds=LAUNCH_BOUNDS)


def _blocks(plan: Plan, count: int) -> int:
    return max(1, min(count, _WORKSPACE // (8 * max(1, plan.workspace)), _MOST_BLOCKS))


def workspace_of(plan: Plan, count: int) -> Any:
    """Return the workspace on the device with which :func:`launch` may run over up to `count` walkers."""
    return cuda.device_array(max(1, _blocks(plan, count) * plan.workspace), dtype=np.float64)


def launch(kernel: Any, plan: Plan, count: int, arguments: Sequence[Any], workspace: Any = None) -> None:
    """Run a kernel over `count` walkers and wait; the plan and the workspace are its last two arguments."""
    workspace = workspace_of(plan, count) if workspace is None else workspace
    blocks = _blocks(plan, count)
    kernel[blocks, plan.threads, 0, plan.shared](*arguments, cuda.to_device(plan.table), workspace)
    cuda.synchronize()


def exclusive(function: Callable) -> Callable:
    """Let one thread at a time run the function: a GPU has no more to give to several, nor to their memory."""

    @wraps(function)
    def alone(*arguments: Any, **keywords: Any) -> Any:
        with _device:
            return function(*arguments, **keywords)

    return alone


@exclusive
def evaluate_cuda(potential: Any, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Energies (walkers,) and gradients (walkers, n) of a batch X (walkers, n) on the GPU."""
    problem = device_problem(potential, X.shape[1])
    gradients, energies = cuda.device_array(X.shape), cuda.device_array(len(X))
    arguments = (cuda.to_device(X), gradients, energies, problem.integers, problem.floats)
    launch(built(gradient_kernel, problem.gradient), problem.plan(X.shape[1]), len(X), arguments)
    return energies.copy_to_host(), gradients.copy_to_host()


@exclusive
def products_cuda(potential: Any, X: np.ndarray, V: np.ndarray) -> np.ndarray:
    """Hessians at the rows of X times the same rows of V, all (walkers, n), on the GPU."""
    problem = device_problem(potential, X.shape[1])
    out = cuda.device_array(X.shape)
    arguments = (cuda.to_device(X), cuda.to_device(V), out, problem.integers, problem.floats)
    launch(built(product_kernel, problem.product), problem.plan(2 * X.shape[1], product=True), len(X), arguments)
    return out.copy_to_host()


@exclusive
def hessians_cuda(potential: Any, X: np.ndarray) -> np.ndarray:
    """Hessians (walkers, n, n) at the rows of X (walkers, n) on the GPU."""
    n = X.shape[1]
    problem = device_problem(potential, n)
    out = cuda.device_array((len(X), n, n))
    arguments = (cuda.to_device(X), out, problem.integers, problem.floats)
    launch(built(hessian_kernel, problem.product), problem.plan(2 * n, n, product=True), len(X) * n, arguments)
    return out.copy_to_host()
