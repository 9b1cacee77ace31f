"""Kernels that evaluate a batch of walkers on a GPU, built from a potential's device functions.

Their factories also take of each group of a :class:`~thalweg.potentials.cuda.block_memory.Plan` whether it is far.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from numba import cuda
from numba.core import types

from thalweg.potentials.cuda.block import carvers
from thalweg.potentials.cuda.functions import DeviceFunction

__all__ = ["GRADIENTS", "HESSIANS", "PRODUCTS", "gradient_kernel", "hessian_kernel", "product_kernel"]

_vector, _matrix, _integers = types.float64[::1], types.float64[:, ::1], types.int64[::1]
_plan = types.int64[:, ::1]
GRADIENTS = (_matrix, _matrix, _vector, _integers, _vector, _plan, _vector)
PRODUCTS = (_matrix, _matrix, _matrix, _integers, _vector, _plan, _vector)
HESSIANS = (_matrix, types.float64[:, :, ::1], _integers, _vector, _plan, _vector)


def gradient_kernel(far: Sequence[bool], evaluate: DeviceFunction) -> Callable[..., None]:
    """Make the kernel that writes energy and gradient at every row of X."""
    room_of, scratch_of, weights_of = carvers(far)

    def gradients(X, G, energy, integers, floats, plan, workspace):
        near = cuda.shared.array(0, types.float64)
        room, scratch = room_of(near, workspace, plan, 0), scratch_of(near, workspace, plan, 1)
        w = weights_of(near, workspace, plan, 2)
        for row in range(cuda.blockIdx.x, X.shape[0], cuda.gridDim.x):
            value = evaluate(X[row], G[row], integers, floats, scratch, w, room)
            if cuda.threadIdx.x == 0:
                energy[row] = value

    return gradients


def product_kernel(far: Sequence[bool], product: DeviceFunction) -> Callable[..., None]:
    """Make the kernel that writes the Hessian at every row of X times the same row of V."""
    _, scratch_of, weights_of = carvers(far)

    def products(X, V, out, integers, floats, plan, workspace):
        near = cuda.shared.array(0, types.float64)
        scratch, w = scratch_of(near, workspace, plan, 1), weights_of(near, workspace, plan, 2)
        for row in range(cuda.blockIdx.x, X.shape[0], cuda.gridDim.x):
            product(X[row], V[row], out[row], integers, floats, scratch, w)

    return products


def hessian_kernel(far: Sequence[bool], product: DeviceFunction) -> Callable[..., None]:
    """Make the kernel that writes the Hessian at every row of X from products, one block for each column."""
    _, scratch_of, weights_of, vector_of = carvers(far)

    def hessians(X, out, integers, floats, plan, workspace):
        near = cuda.shared.array(0, types.float64)
        scratch, w = scratch_of(near, workspace, plan, 1), weights_of(near, workspace, plan, 2)
        v, n = vector_of(near, workspace, plan, 3), X.shape[1]
        for item in range(cuda.blockIdx.x, X.shape[0] * n, cuda.gridDim.x):
            for i in range(cuda.threadIdx.x, n, cuda.blockDim.x):
                v[i] = 1.0 if i == item % n else 0.0
            product(X[item // n], v, out[item // n, item % n], integers, floats, scratch, w)

    return hessians
