"""Evaluation of potentials on a GPU: data sent there once, and launches of kernels over walkers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, wraps
from threading import RLock
from typing import Any, ParamSpec, Protocol, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from numba import config, cuda
from numpy.typing import NDArray

from thalweg.potentials.cuda.block_memory import SIMULATED_THREADS, Plan, make_plan
from thalweg.potentials.cuda.functions import DeviceFunction, DevicePotential
from thalweg.potentials.cuda.kernels import gradient_kernel, hessian_kernel, product_kernel

__all__ = [
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

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

_WORKSPACE = 4 * 2**30  # bytes, at most
_MOST_BLOCKS = 65_536


class DeviceArray(Protocol):
    """Array in the memory of the GPU."""

    def copy_to_host(self) -> NDArray[Any]:
        """Return a copy in the memory of the CPU."""
        ...


class Kernel(Protocol):
    """Compiled kernel: indexed by the blocks and threads of a launch, then called."""

    def __getitem__(self, launch: tuple[int, int, int, int], /) -> Callable[..., None]:
        """Return the launch of (blocks, threads, stream, bytes of shared memory)."""
        ...


@dataclass(frozen=True)
class DeviceProblem:
    """Potential on the device, as kernels take it.

    Attributes
    ----------
    gradient, product : device function
        Functions for the energy with its gradient, and for Hessian-vector products.
    rows, product_rows : int
        Rows of scratch for each of them.
    threads, product_threads : int
        Threads of a block for each of them.
    integers, floats : device array
        Parameters and data.
    """

    gradient: DeviceFunction
    product: DeviceFunction
    rows: int
    product_rows: int
    threads: int
    product_threads: int
    integers: DeviceArray
    floats: DeviceArray

    def plan(self, *fixed: int, product: bool = False) -> Plan:
        """Plan the memory of a block, with further groups of the sizes ``fixed`` in float64."""
        if product:
            return make_plan(self.product_rows, fixed, self.product_threads)
        return make_plan(self.rows, fixed, self.threads)


_device = RLock()
_problems: WeakKeyDictionary[DevicePotential, DeviceProblem] = WeakKeyDictionary()


def device_problem(potential: object, n: int) -> DeviceProblem:
    """Return a potential of n coordinates on the device; parameters that never change are sent there once.

    Raises
    ------
    TypeError
        If the potential has no device functions.
    """
    known = potential if isinstance(potential, DevicePotential) else None
    if known is not None and known in _problems:
        return _problems[known]
    functions = None if known is None else known.device_functions(n)
    if known is None or functions is None:
        raise TypeError(f"{type(potential).__name__} has no device functions: it cannot be evaluated on a GPU")
    integers, floats = (cuda.to_device(array) for array in functions.pack())
    simulated = SIMULATED_THREADS if config.ENABLE_CUDASIM else 0
    problem = DeviceProblem(
        gradient=functions.gradient,
        product=functions.product,
        rows=functions.rows,
        product_rows=functions.product_rows,
        threads=simulated or functions.threads,
        product_threads=simulated or functions.product_threads,
        integers=integers,
        floats=floats,
    )
    if functions.constant:
        _problems[known] = problem
    return problem


@cache
def built(factory: Callable[..., Callable[..., None]], bounds: tuple[int, int], *constants: Any) -> Any:
    """Return the kernel that a factory makes of device functions and such, to be compiled at its first launch.

    `bounds` are those of :attr:`~thalweg.potentials.cuda.block_memory.Plan.bounds`.
    """
    kernel = factory(*constants)
    return cuda.jit(kernel) if config.ENABLE_CUDASIM else cuda.jit(kernel, launch_bounds=bounds)


def _blocks(plan: Plan, count: int) -> int:
    return max(1, min(count, _WORKSPACE // (8 * max(1, plan.workspace)), _MOST_BLOCKS))


def workspace_of(plan: Plan, count: int) -> DeviceArray:
    """Allocate the workspace on the device with which :func:`launch` can run over up to `count` walkers."""
    return cuda.device_array(max(1, _blocks(plan, count) * plan.workspace), dtype=np.float64)


def launch(
    kernel: Kernel, plan: Plan, count: int, arguments: Sequence[Any], workspace: DeviceArray | None = None
) -> None:
    """Run a kernel over `count` walkers and wait; the plan and the workspace are its last two arguments."""
    workspace = workspace_of(plan, count) if workspace is None else workspace
    blocks = _blocks(plan, count)
    kernel[blocks, plan.threads, 0, plan.shared](*arguments, cuda.to_device(plan.table), workspace)
    cuda.synchronize()


def exclusive(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Make a function run in one thread at a time: several threads gain no time on a GPU, but take more memory."""

    @wraps(function)
    def alone(*arguments: _Arguments.args, **keywords: _Arguments.kwargs) -> _Result:
        with _device:
            return function(*arguments, **keywords)

    return alone


@exclusive
def evaluate_cuda(potential: object, X: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return energies (walkers,) and gradients (walkers, n) of a batch X (walkers, n), computed on the GPU."""
    problem = device_problem(potential, X.shape[1])
    gradients, energies = cuda.device_array(X.shape), cuda.device_array(len(X))
    arguments = (cuda.to_device(X), gradients, energies, problem.integers, problem.floats)
    plan = problem.plan(X.shape[1])
    launch(built(gradient_kernel, plan.bounds, plan.far, problem.gradient), plan, len(X), arguments)
    return energies.copy_to_host(), gradients.copy_to_host()


@exclusive
def products_cuda(potential: object, X: NDArray[np.float64], V: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Hessians at the rows of X times the same rows of V, all (walkers, n), computed on the GPU."""
    problem = device_problem(potential, X.shape[1])
    out = cuda.device_array(X.shape)
    arguments = (cuda.to_device(X), cuda.to_device(V), out, problem.integers, problem.floats)
    plan = problem.plan(2 * X.shape[1], product=True)
    launch(built(product_kernel, plan.bounds, plan.far, problem.product), plan, len(X), arguments)
    return out.copy_to_host()


@exclusive
def hessians_cuda(potential: object, X: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Hessians (walkers, n, n) at the rows of X (walkers, n), computed on the GPU."""
    n = X.shape[1]
    problem = device_problem(potential, n)
    out = cuda.device_array((len(X), n, n))
    arguments = (cuda.to_device(X), out, problem.integers, problem.floats)
    plan = problem.plan(2 * n, n, product=True)
    launch(built(hessian_kernel, plan.bounds, plan.far, problem.product), plan, len(X) * n, arguments)
    return out.copy_to_host()
