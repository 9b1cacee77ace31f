"""Compiled Hessian of Lennard-Jones clusters with the Axilrod-Teller three-body term, by the chain rule."""

from __future__ import annotations

import numba
import numpy as np
from numba.extending import register_jitable

from thalweg.potentials.compiled.signatures import HESSIAN_SIGNATURE, integers, jit, matrix, vector
from thalweg.potentials.compiled.simd import square_root
from thalweg.potentials.ljat.energy import FAST, triple

__all__ = ["ljat_hessian"]

tensor = numba.types.Array(numba.float64, 3, "C")


@jit(numba.float64(vector, matrix), fastmath=FAST)
def _pair_blocks(x, hessian):
    """Lennard-Jones energy; adds to the blocks i < j and to the diagonal blocks."""
    energy = 0.0
    d = np.empty(3)
    for i in range(0, x.size, 3):
        for j in range(i + 3, x.size, 3):
            for k in range(3):
                d[k] = x[i + k] - x[j + k]
            w = 1.0 / (d[0] * d[0] + d[1] * d[1] + d[2] * d[2])
            w6 = w * w * w
            energy += w6 * (w6 - 1.0)
            first = 24.0 * w * w6 * (1.0 - 2.0 * w6)
            second = 96.0 * w * w * w6 * (7.0 * w6 - 2.0)
            for k in range(3):
                for m in range(3):
                    value = second * d[k] * d[m] + (first if k == m else 0.0)
                    hessian[i + k, j + m] -= value
                    hessian[i + k, i + m] += value
                    hessian[j + k, j + m] += value
    return 4.0 * energy


@register_jitable
def _triple_second(a, b, c, strength, first, second):
    """Energy of a triple; derivatives with respect to a, b, c to ``first`` (3,) and ``second`` (3, 3)."""
    energy, fa, fb, fc = triple(a, b, c, strength)
    first[0], first[1], first[2] = 0.5 * fa, 0.5 * fb, 0.5 * fc
    t = 1.0 / (a * b * c)
    s = strength * t * square_root(t)
    u = 0.375 * s * t
    p, q, r = a + b - c, b + c - a, c + a - b
    product = p * q * r
    # derivatives of u are -2.5 u / variable; those of the product, first and second, are
    da, db, dc = q * r + p * q - p * r, q * r + p * r - p * q, p * r + p * q - q * r
    second[0, 0] = (3.75 * s + 8.75 * u * product) / (a * a) - 5.0 * u * da / a + 2.0 * u * (b + c - 3.0 * a)
    second[1, 1] = (3.75 * s + 8.75 * u * product) / (b * b) - 5.0 * u * db / b + 2.0 * u * (a + c - 3.0 * b)
    second[2, 2] = (3.75 * s + 8.75 * u * product) / (c * c) - 5.0 * u * dc / c + 2.0 * u * (a + b - 3.0 * c)
    common = 2.25 * s + 6.25 * u * product
    second[0, 1] = common / (a * b) - 2.5 * u * (db / a + da / b) + 2.0 * u * p
    second[0, 2] = common / (a * c) - 2.5 * u * (dc / a + da / c) + 2.0 * u * r
    second[1, 2] = common / (b * c) - 2.5 * u * (dc / b + db / c) + 2.0 * u * q
    second[1, 0], second[2, 0], second[2, 1] = second[0, 1], second[0, 2], second[1, 2]
    return energy


@jit(numba.void(matrix, integers, tensor, vector, matrix, matrix), fastmath=FAST)
def _add_triple(hessian, atoms, slopes, first, second, bent):
    """Add the six blocks of one triple by the chain rule.

    ``slopes[m, u]`` is the gradient of the squared distance u with respect to atom m; between the atoms m and n
    a squared distance is curved by -2 along the diagonal of its block, and by 2 in the blocks of its ends.
    ``bent`` (3, 3) is workspace.
    """
    for n in range(3):
        for u in range(3):
            for h in range(3):
                bent[u, h] = (
                    second[u, 0] * slopes[n, 0, h] + second[u, 1] * slopes[n, 1, h] + second[u, 2] * slopes[n, 2, h]
                )
        for m in range(n + 1):
            curvature = -2.0 * first[2 if n - m == 2 else m] if m != n else 2.0 * (first[m] + first[(m + 2) % 3])
            for k in range(3):
                for h in range(3):
                    value = curvature if k == h else 0.0
                    for u in range(3):
                        value += slopes[m, u, k] * bent[u, h]
                    hessian[atoms[m] + k, atoms[n] + h] += value


@jit(numba.float64(vector, matrix, numba.float64), fastmath=FAST)
def _triple_blocks(x, hessian, strength):
    """Three-body energy; adds to the blocks i < j and to the diagonal blocks."""
    energy = 0.0
    first, second, slopes = np.empty(3), np.empty((3, 3)), np.zeros((3, 3, 3))
    atoms, bent = np.empty(3, dtype=np.int64), np.empty((3, 3))
    for i in range(0, x.size, 3):
        for j in range(i + 3, x.size, 3):
            for k in range(j + 3, x.size, 3):
                a, b, c = 0.0, 0.0, 0.0
                for h in range(3):
                    da, db, dc = x[i + h] - x[j + h], x[j + h] - x[k + h], x[i + h] - x[k + h]
                    a, b, c = a + da * da, b + db * db, c + dc * dc
                    slopes[0, 0, h], slopes[1, 0, h] = 2.0 * da, -2.0 * da
                    slopes[1, 1, h], slopes[2, 1, h] = 2.0 * db, -2.0 * db
                    slopes[0, 2, h], slopes[2, 2, h] = 2.0 * dc, -2.0 * dc
                energy += _triple_second(a, b, c, strength, first, second)
                atoms[0], atoms[1], atoms[2] = i, j, k
                _add_triple(hessian, atoms, slopes, first, second, bent)
    return energy


@jit(HESSIAN_SIGNATURE, fastmath=FAST)
def ljat_hessian(x, hessian_out, integers, floats):
    """Energy, second derivatives written to ``hessian_out``; ``floats[0]`` is Z."""
    hessian_out[:, :] = 0.0
    energy = _pair_blocks(x, hessian_out)
    if floats[0] != 0.0:
        energy += _triple_blocks(x, hessian_out, floats[0])
    for row in range(x.size):
        for column in range(row):
            hessian_out[row, column] = hessian_out[column, row]
    return energy
