"""Compiled energy, gradient and Hessian of Lennard-Jones clusters with the Axilrod-Teller three-body term.

The three-body term is a function of the squared distances a = r_ij^2, b = r_jk^2, c = r_ik^2 of a triple alone,

    Z [ t^(3/2) + (3/8) p q r t^(5/2) ],   t = 1/(abc),  p = a+b-c,  q = b+c-a,  r = c+a-b,

so its derivatives are polynomials times powers of t, and the chain rule does the rest.
"""

from __future__ import annotations

import numba
import numpy as np
from numba.extending import register_jitable

from thalweg.potentials.compiled import FUNCTION_SIGNATURE, HESSIAN_SIGNATURE, integers, jit, matrix, vector
from thalweg.potentials.lanes import LANES, load, splat, square_root, store, total

__all__ = ["ljat_function", "ljat_hessian"]

tensor = numba.types.Array(numba.float64, 3, "C")

# NaN and infinity keep their meaning: overlapping atoms must show in the energy
_FAST = {"contract", "reassoc", "nsz", "arcp"}

# Below this many atoms plain loops win over lanes (measured)
_FEW = 8

# Padding atoms sit here: far enough to add nothing (1e-120), near enough that nothing underflows, which is slow
_FAR = 1e20


@register_jitable(inline="always")
def _triple(a, b, c, strength):
    """Energy of a triple and twice its derivatives with respect to a, b, c; floats or lanes."""
    t = 1.0 / (a * b * c)
    s = strength * t * square_root(t)
    u = 0.375 * s * t
    p, q, r = a + b - c, b + c - a, c + a - b
    pq, qr, pr = p * q, q * r, p * r
    product = u * pq * r
    common = t * (-3.0 * s - 5.0 * product)
    u = 2.0 * u
    fa = common * (b * c) + u * (qr + pq - pr)
    fb = common * (a * c) + u * (qr + pr - pq)
    fc = common * (a * b) + u * (pr + pq - qr)
    return s + product, fa, fb, fc


@jit(numba.float64(vector, vector), fastmath=_FAST)
def _few_pairs(x, gradient):
    """Lennard-Jones energy; adds to the gradient."""
    energy = 0.0
    for i in range(0, x.size, 3):
        for j in range(0, i, 3):
            dx, dy, dz = x[i] - x[j], x[i + 1] - x[j + 1], x[i + 2] - x[j + 2]
            w = 1.0 / (dx * dx + dy * dy + dz * dz)
            w6 = w * w * w
            energy += w6 * (w6 - 1.0)
            f = 24.0 * w * w6 * (1.0 - 2.0 * w6)
            gradient[i] += f * dx
            gradient[i + 1] += f * dy
            gradient[i + 2] += f * dz
            gradient[j] -= f * dx
            gradient[j + 1] -= f * dy
            gradient[j + 2] -= f * dz
    return 4.0 * energy


@jit(numba.float64(vector, vector, numba.float64), fastmath=_FAST)
def _few_triples(x, gradient, strength):
    """Three-body energy; adds to the gradient."""
    energy = 0.0
    for i in range(0, x.size, 3):
        for j in range(i + 3, x.size, 3):
            ax, ay, az = x[i] - x[j], x[i + 1] - x[j + 1], x[i + 2] - x[j + 2]
            a = ax * ax + ay * ay + az * az
            for k in range(j + 3, x.size, 3):
                bx, by, bz = x[j] - x[k], x[j + 1] - x[k + 1], x[j + 2] - x[k + 2]
                cx, cy, cz = x[i] - x[k], x[i + 1] - x[k + 1], x[i + 2] - x[k + 2]
                e, fa, fb, fc = _triple(a, bx * bx + by * by + bz * bz, cx * cx + cy * cy + cz * cz, strength)
                energy += e
                gradient[i] += fa * ax + fc * cx
                gradient[i + 1] += fa * ay + fc * cy
                gradient[i + 2] += fa * az + fc * cz
                gradient[j] += fb * bx - fa * ax
                gradient[j + 1] += fb * by - fa * ay
                gradient[j + 2] += fb * bz - fa * az
                gradient[k] -= fb * bx + fc * cx
                gradient[k + 1] -= fb * by + fc * cy
                gradient[k + 2] -= fb * bz + fc * cz
    return energy


# The scratch of the kernels below: x, y, z, then the gradient's x, y, z, each m = n rounded up to whole lanes, then a
# mask of 2 LANES - 1 entries, which read from entry LANES - 1 - (i % LANES) on is _FAR or infinite up to lane i
# and zero after it: only pairs j > i count.


@jit(numba.float64(vector, numba.int64, numba.int64), fastmath=_FAST)
def _pairs(s, n, m):
    """A quarter of the Lennard-Jones energy; adds a 24th of the gradient to the scratch."""
    energy = splat(0.0)
    for i in range(n):
        x, y, z = splat(s[i]), splat(s[m + i]), splat(s[2 * m + i])
        gx, gy, gz = splat(0.0), splat(0.0), splat(0.0)
        mask = load(s, 6 * m + LANES - 1 - i % LANES)
        for j in range(i - i % LANES, m, LANES):
            dx, dy, dz = x - load(s, j), y - load(s, m + j), z - load(s, 2 * m + j)
            w = 1.0 / (dx * dx + dy * dy + dz * dz + mask)
            mask = splat(0.0)
            w6 = w * w * w
            energy = energy + w6 * (w6 - 1.0)
            f = w * w6 * (1.0 - w6 - w6)
            gx, gy, gz = gx + f * dx, gy + f * dy, gz + f * dz
            store(s, 3 * m + j, load(s, 3 * m + j) - f * dx)
            store(s, 4 * m + j, load(s, 4 * m + j) - f * dy)
            store(s, 5 * m + j, load(s, 5 * m + j) - f * dz)
        s[3 * m + i] += total(gx)
        s[4 * m + i] += total(gy)
        s[5 * m + i] += total(gz)
    return total(energy)


@jit(numba.float64(vector, numba.int64, numba.int64, numba.float64), fastmath=_FAST)
def _triples(s, n, m, strength):
    """Three-body energy; adds the gradient to the scratch."""
    energy = splat(0.0)
    for i in range(n):
        xi, yi, zi = s[i], s[m + i], s[2 * m + i]
        ix, iy, iz = splat(0.0), splat(0.0), splat(0.0)
        for j in range(i + 1, n):
            xj, yj, zj = s[j], s[m + j], s[2 * m + j]
            ax, ay, az = splat(xi - xj), splat(yi - yj), splat(zi - zj)
            a = ax * ax + ay * ay + az * az
            jx, jy, jz = splat(0.0), splat(0.0), splat(0.0)
            mask = load(s, 6 * m + LANES - 1 - j % LANES)
            for k in range(j - j % LANES, m, LANES):
                x, y, z = load(s, k), load(s, m + k), load(s, 2 * m + k)
                bx, by, bz = xj - x, yj - y, zj - z
                cx, cy, cz = xi - x, yi - y, zi - z
                b, c = bx * bx + by * by + bz * bz + mask, cx * cx + cy * cy + cz * cz + mask
                mask = splat(0.0)
                e, fa, fb, fc = _triple(a, b, c, strength)
                energy = energy + e
                ix, iy, iz = ix + fa * ax + fc * cx, iy + fa * ay + fc * cy, iz + fa * az + fc * cz
                jx, jy, jz = jx + fb * bx - fa * ax, jy + fb * by - fa * ay, jz + fb * bz - fa * az
                store(s, 3 * m + k, load(s, 3 * m + k) - fb * bx - fc * cx)
                store(s, 4 * m + k, load(s, 4 * m + k) - fb * by - fc * cy)
                store(s, 5 * m + k, load(s, 5 * m + k) - fb * bz - fc * cz)
            s[3 * m + j] += total(jx)
            s[4 * m + j] += total(jy)
            s[5 * m + j] += total(jz)
        s[3 * m + i] += total(ix)
        s[4 * m + i] += total(iy)
        s[5 * m + i] += total(iz)
    return total(energy)


@jit(numba.float64(vector, vector, numba.float64), fastmath=_FAST)
def _many(x, gradient, strength):
    """Energy and gradient by lanes."""
    n = x.size // 3
    m = (n + LANES - 1) // LANES * LANES
    s = np.empty(6 * m + 2 * LANES)
    for i in range(n):
        s[i], s[m + i], s[2 * m + i] = x[3 * i], x[3 * i + 1], x[3 * i + 2]
    for i in range(n, m):
        s[i], s[m + i], s[2 * m + i] = _FAR, 0.0, 0.0
    for k in range(3 * m, 6 * m + 2 * LANES):
        s[k] = 0.0
    for lane in range(LANES):
        s[6 * m + lane] = np.inf
    energy = 4.0 * _pairs(s, n, m)
    for i in range(n):
        gradient[3 * i] = 24.0 * s[3 * m + i]
        gradient[3 * i + 1] = 24.0 * s[4 * m + i]
        gradient[3 * i + 2] = 24.0 * s[5 * m + i]
    if strength != 0.0:
        for k in range(3 * m, 6 * m):
            s[k] = 0.0
        for lane in range(LANES):
            s[6 * m + lane] = _FAR * _FAR
        energy += _triples(s, n, m, strength)
        for i in range(n):
            gradient[3 * i] += s[3 * m + i]
            gradient[3 * i + 1] += s[4 * m + i]
            gradient[3 * i + 2] += s[5 * m + i]
    return energy


@jit(FUNCTION_SIGNATURE, fastmath=_FAST)
def ljat_function(x, gradient_out, integers, floats):
    """Energy, gradient written to ``gradient_out``; ``floats[0]`` is Z."""
    if x.size >= 3 * _FEW:
        return _many(x, gradient_out, floats[0])
    for k in range(x.size):
        gradient_out[k] = 0.0
    energy = _few_pairs(x, gradient_out)
    if floats[0] != 0.0:
        energy += _few_triples(x, gradient_out, floats[0])
    return energy


@jit(numba.float64(vector, matrix), fastmath=_FAST)
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
    energy, fa, fb, fc = _triple(a, b, c, strength)
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


@jit(numba.void(matrix, integers, tensor, vector, matrix, matrix), fastmath=_FAST)
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


@jit(numba.float64(vector, matrix, numba.float64), fastmath=_FAST)
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


@jit(HESSIAN_SIGNATURE, fastmath=_FAST)
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
