"""Cholesky factorisation, linear solves and the lowest eigenvalue, compiled.

A factor proves that no eigenvalue is negative at a small part of the cost of all eigenvalues. Matrices are row by
row, the factor U of A = U^T U in their upper triangle; nothing below the diagonal is read or written.
"""

from __future__ import annotations

import numba
import numpy as np

from thalweg.potentials.compiled.signatures import jit, matrix, vector

__all__ = ["factor", "log_determinant", "lowest_of_factor", "solve", "solve_lower"]

_FAST = {"reassoc", "contract", "nsz", "arcp"}


@jit(numba.boolean(matrix, numba.int64, numba.int64, numba.int64), fastmath=_FAST)
def _factor_rows(u, first, last, m):
    """Finish rows ``first`` to ``last`` - 1, from which all earlier ones have been taken; False if one fails."""
    for k in range(first, last):
        for p in range(first, k):
            f = u[p, k]
            for j in range(k, m):
                u[k, j] -= f * u[p, j]
        pivot = u[k, k]
        if not pivot > 0.0:
            return False
        scale = 1.0 / np.sqrt(pivot)
        for j in range(k, m):
            u[k, j] *= scale
    return True


@jit(numba.boolean(matrix), fastmath=_FAST)
def factor(u):
    """Replace the upper triangle of u (m, m) by its Cholesky factor; False where it is not positive definite."""
    m = u.shape[0]
    for first in range(0, m, 4):
        last = min(first + 4, m)
        if not _factor_rows(u, first, last, m):
            return False
        if last < m:
            for i in range(last, m):
                a, b, c, d = u[first, i], u[first + 1, i], u[first + 2, i], u[first + 3, i]
                for j in range(i, m):
                    u[i, j] -= a * u[first, j] + b * u[first + 1, j] + c * u[first + 2, j] + d * u[first + 3, j]
    return np.isfinite(u[m - 1, m - 1])


@jit(numba.void(matrix, vector), fastmath=_FAST)
def solve_lower(u, b):
    """Solve U^T z = b in place."""
    m = u.shape[0]
    for i in range(m):
        z = b[i] / u[i, i]
        b[i] = z
        for j in range(i + 1, m):
            b[j] -= z * u[i, j]


@jit(numba.void(matrix, vector), fastmath=_FAST)
def solve(u, b):
    """Solve U^T U z = b in place."""
    m = u.shape[0]
    solve_lower(u, b)
    for i in range(m - 1, -1, -1):
        total = b[i]
        for j in range(i + 1, m):
            total -= u[i, j] * b[j]
        b[i] = total / u[i, i]


@jit(numba.float64(matrix))
def log_determinant(u):
    """Return ln det(U^T U)."""
    total = 0.0
    for i in range(u.shape[0]):
        total += np.log(u[i, i])
    return 2.0 * total


@jit(numba.float64(vector, vector, numba.int64))
def _highest_of_tridiagonal(diagonal, beside, m):
    """Return the highest eigenvalue of a tridiagonal matrix of positive eigenvalues.

    Newton's method from above on the determinant of (value - T), which is convex there.
    """
    value = 0.0
    for i in range(m):
        value = max(value, diagonal[i] + (beside[i - 1] if i > 0 else 0.0) + (beside[i] if i < m - 1 else 0.0))
    for _ in range(60):
        # the last pivot, its derivative, and the logarithmic derivative of the product of all pivots
        pivot, slope = value - diagonal[0], 1.0
        total = 1.0 / pivot
        for i in range(1, m):
            square = beside[i - 1] ** 2
            slope = 1.0 + square / pivot**2 * slope
            pivot = value - diagonal[i] - square / pivot
            total += slope / pivot
            if not pivot > 0.0:
                return value
        if not total > 0.0 or 1.0 / total <= 1e-15 * value:
            return value
        value -= 1.0 / total
    return value


@jit(numba.void(vector, vector, numba.int64, numba.float64, vector))
def _tridiagonal_vector(diagonal, beside, m, value, v):
    """Write the unit eigenvector of a tridiagonal matrix to an eigenvalue."""
    v[0], square = 1.0, 1.0
    for i in range(1, m):
        v[i] = (value - diagonal[i - 1]) * v[i - 1] - (beside[i - 2] * v[i - 2] if i > 1 else 0.0)
        v[i] /= beside[i - 1]
        square += v[i] ** 2
    for i in range(m):
        v[i] /= np.sqrt(square)


@jit(numba.float64(matrix, numba.int64, vector), fastmath=_FAST)
def _take_out(basis, i, product):
    """Take rows i to 0 out of a vector, twice; return its part along row i."""
    m, along = product.size, 0.0
    for _again in range(2):
        for p in range(i, -1, -1):
            total = 0.0
            for k in range(m):
                total += basis[p, k] * product[k]
            for k in range(m):
                product[k] -= total * basis[p, k]
            along += total if p == i else 0.0
    return along


@jit(numba.void(vector, vector), fastmath=_FAST)
def _unit(source, target):
    """Write the unit vector along ``source`` to ``target``."""
    total = 0.0
    for k in range(source.size):
        total += source[k] ** 2
    for k in range(source.size):
        target[k] = source[k] / np.sqrt(total)


@jit(numba.float64(matrix, numba.float64, vector), fastmath=_FAST)
def lowest_of_factor(u, accuracy, out):
    """Return the lowest eigenvalue of U^T U, by Lanczos' method on its inverse.

    Parameters
    ----------
    u : (m, m) factor.
    accuracy : bound on the residual relative to the eigenvalue, whose own error is of the order of its square.
    out : (m,) takes the unit vector.
    """
    m = u.shape[0]
    basis, diagonal, beside, v = np.empty((m, m)), np.empty(m), np.empty(m), np.empty(m)
    for k in range(m):
        # any fixed vector without symmetry
        out[k] = np.cos(1.7 * k * k + 0.3)
    value, used = 0.0, 0
    for i in range(m):
        _unit(out, basis[i])
        used = i + 1
        for k in range(m):
            out[k] = basis[i, k]
        solve(u, out)
        diagonal[i] = _take_out(basis, i, out)
        total = 0.0
        for k in range(m):
            total += out[k] ** 2
        beside[i] = np.sqrt(total)
        value = _highest_of_tridiagonal(diagonal, beside, used)
        _tridiagonal_vector(diagonal, beside, used, value, v)
        if not beside[i] * abs(v[i]) > accuracy * value:
            break
    for k in range(m):
        total = 0.0
        for p in range(used):
            total += v[p] * basis[p, k]
        out[k] = total
    return 1.0 / value
