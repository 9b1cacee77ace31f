"""The lowest Hessian mode of a walker on a GPU: Lanczos' method on products, a block's threads together.

The basis is kept transposed, entry k of vector i at k width + i, null modes first: to take them out of a vector and to
orthogonalise it again is one thing. The small tridiagonal problem is solved by one thread, by bisection and inverse
iteration.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from numba import cuda
from numpy import uint64 as at

from thalweg.potentials.cuda.block import block_sums, device

__all__ = ["basis_size", "lowest_pair", "make_lowest_mode", "small_size"]

_EVERY = 4  # products between looks at the tridiagonal matrix
_BISECTIONS = 52
_ANSWER = 3  # whether it is good enough, the eigenvalue, the bound of the largest


def basis_size(n: int, nulls: int, most: int) -> int:
    """Return the number of float64 that the null modes and Lanczos vectors take."""
    return n * ((nulls + most) | 1)


def small_size(nulls: int, most: int) -> int:
    """Return how many float64 the tridiagonal problem, and the coefficients take."""
    return 5 * most + nulls + _ANSWER


@device
def _project(basis, width, count, v, coefficients):
    """Take the first `count` columns out of v; the scalar products remain in `coefficients`. Barriers on both sides."""
    thread, threads, n = cuda.threadIdx.x, cuda.blockDim.x, v.size
    cuda.syncthreads()
    for i in range(thread, count, threads):
        part = 0.0
        for k in range(n):
            part += basis[at(k * width + i)] * v[at(k)]
        coefficients[at(i)] = part
    cuda.syncthreads()
    for k in range(thread, n, threads):
        part = v[at(k)]
        for i in range(count):
            part -= coefficients[at(i)] * basis[at(k * width + i)]
        v[at(k)] = part
    cuda.syncthreads()


@device
def _length(v, room):
    """Return the length of v to every thread. Barriers on both sides."""
    square = 0.0
    for k in range(cuda.threadIdx.x, v.size, cuda.blockDim.x):
        square += v[at(k)] * v[at(k)]
    square, _, _ = block_sums(square, 0.0, 0.0, room)
    return math.sqrt(square)


@device
def _pivots(small, used, most, shift):
    """Factor the tridiagonal matrix less a shift; say whether it is positive definite."""
    pivot = small[0] - shift
    small[at(3 * most)] = pivot
    for i in range(1, used):
        if not pivot > 0.0:
            return False
        beside = small[at(most + i - 1)]
        pivot = small[at(i)] - shift - beside * beside / pivot
        small[at(3 * most + i)] = pivot
    return pivot > 0.0


@device
def _invert(small, used, most):
    """Multiply the vector by the factored matrix' inverse and normalise it."""
    vector, beside, pivots = 2 * most, most, 3 * most
    for i in range(1, used):
        factor = small[at(beside + i - 1)] / small[at(pivots + i - 1)]
        small[at(vector + i)] -= factor * small[at(vector + i - 1)]
    above, square = 0.0, 0.0
    for k in range(used):
        i = used - 1 - k
        above = small[at(vector + i)] - (small[at(beside + i)] * above if k > 0 else 0.0)
        above /= small[at(pivots + i)]
        small[at(vector + i)] = above
        square += above * above
    for i in range(used):
        small[at(vector + i)] /= math.sqrt(square)


@device
def lowest_pair(small, used, most):
    """Find the lowest eigenvalue of a tridiagonal matrix and its unit vector; one thread.

    `small` has the diagonal, what is beside it, the vector and the pivots, `most` numbers each. Returns the eigenvalue
    and a bound of the largest.
    """
    low, high, highest = small[0], small[0], small[0]
    for i in range(used):
        radius = (small[at(most + i - 1)] if i > 0 else 0.0) + (small[at(most + i)] if i < used - 1 else 0.0)
        low, high = min(low, small[at(i)] - radius), min(high, small[at(i)])
        highest = max(highest, small[at(i)] + radius)
        small[at(2 * most + i)] = 1.0
    span = max(abs(low), abs(highest)) + 1e-300
    low -= 1e-14 * span
    for step in range(_BISECTIONS + 1):
        # at last a little below the eigenvalue, where the factor exists however it is rounded
        middle = 0.5 * (low + high) if step < _BISECTIONS else low - 1e-14 * span
        positive = _pivots(small, used, most, middle)
        if step < _BISECTIONS:
            low, high = (middle, high) if positive else (low, middle)
    for _ in range(3):
        _invert(small, used, most)
    return high, highest


@device
def _look(small, used, most, tolerance):
    """Write to the answer whether the lowest Ritz vector will do, its value, a bound of the largest; one thread."""
    answer, beside, span = small.size - _ANSWER, small[at(most + used - 1)], 0.0
    for i in range(used):
        span = max(span, abs(small[at(i)]) + abs(small[at(most + i)]))
    small[at(answer)] = 0.0
    if not math.isfinite(beside):
        small[at(answer)], small[at(answer + 1)] = 1.0, beside - beside
    elif used == 1 or used % _EVERY == 0 or used == most or beside < 1e-9 * span:
        value, highest = lowest_pair(small, used, most)
        residual = beside * abs(small[at(2 * most + used - 1)])
        if residual < tolerance * abs(value) or beside < 1e-9 * span or used == most:
            small[at(answer)] = 1.0
        small[at(answer + 1)], small[at(answer + 2)] = value, highest


def make_lowest_mode(product: Callable[..., Any]) -> Any:
    """Return the device function that finds the lowest mode with the potential's Hessian-vector `product`.

    Its arguments: x (n,); mode (n,) first guess, overwritten by the unit vector; vectors (2 n,) workspace; nulls :
    null modes in the basis; small, basis : of :func:`small_size` and :func:`basis_size`; most : most products;
    tolerance : residual, relative to the eigenvalue, at which fewer will do; the others as
    :func:`~thalweg.optimizers.cuda.lbfgs.lbfgs_kernel` takes them. It returns the eigenvalue (NaN if the Hessian is
    not finite), the products taken and a bound of the largest eigenvalue.
    """

    @device
    def lowest_mode(x, mode, vectors, nulls, small, basis, most, tolerance, frozen, integers, floats, scratch, w, room):
        thread, threads, n = cuda.threadIdx.x, cuda.blockDim.x, x.size
        v, out, width = vectors[:n], vectors[n : 2 * n], basis.size // n
        coefficients, answer, used = small[4 * most :], small.size - _ANSWER, 0
        for k in range(thread, n, threads):
            out[at(k)] = mode[at(k)]
        while True:
            cuda.syncthreads()
            for i in range(thread, frozen.size, threads):
                out[frozen[i]] = 0.0
            for again in range(2):
                _project(basis, width, nulls + used, out, coefficients)
                if thread == 0 and again == 0 and used > 0:
                    small[at(used - 1)] = coefficients[at(nulls + used - 1)]
            beside = _length(out, room)
            if thread == 0 and used > 0:
                small[at(most + used - 1)] = beside
                _look(small, used, most, tolerance)
            cuda.syncthreads()
            if used > 0 and small[at(answer)] != 0.0:
                break
            for k in range(thread, n, threads):
                v[at(k)] = out[at(k)] / beside
                basis[at(k * width + nulls + used)] = v[at(k)]
            used += 1
            cuda.syncthreads()
            product(x, v, out, integers, floats, scratch, w)
        for k in range(thread, n, threads):
            part = 0.0
            for i in range(used):
                part += small[at(2 * most + i)] * basis[at(k * width + nulls + i)]
            mode[at(k)] = part
        cuda.syncthreads()
        return small[at(answer + 1)], used, small[at(answer + 2)]

    return lowest_mode
