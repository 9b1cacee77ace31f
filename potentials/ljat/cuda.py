"""Lennard-Jones and Axilrod-Teller clusters on a GPU: one block a walker, one thread an atom.

Each thread sums all pairs and triples of its own atoms, so that no two threads add to one number: a triple is computed
by each of its three atoms. `integers` is not used; `floats` is [Z].
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import cuda

from thalweg.potentials.cuda.block import block_sums, device

if TYPE_CHECKING:
    from thalweg.potentials.ljat.calculator import LJAT

__all__ = ["ljat_gradient", "ljat_pack", "ljat_product"]


def ljat_pack(potential: LJAT) -> tuple[np.ndarray, np.ndarray]:
    """Return the integers and floats that the device functions take."""
    return np.zeros(1, dtype=np.int64), np.array([potential.parameters["Z"]])


@device
def _square(x, i, j):
    dx, dy, dz = x[i] - x[j], x[i + 1] - x[j + 1], x[i + 2] - x[j + 2]
    return dx * dx + dy * dy + dz * dz


@device
def _triple(a, b, c, strength):
    """Return the energy of a triple i, j, k and twice its derivatives by a = r_ij^2 and c = r_ik^2; b = r_jk^2."""
    t = 1.0 / (a * b * c)
    s = strength * t * math.sqrt(t)
    u = 0.375 * s * t
    p, q, r = a + b - c, b + c - a, c + a - b
    pq, qr, pr = p * q, q * r, p * r
    product = u * pq * r
    common = t * (-3.0 * s - 5.0 * product)
    u = 2.0 * u
    return s + product, common * (b * c) + u * (qr + pq - pr), common * (a * b) + u * (pr + pq - qr)


@device
def _triple_change(a, b, c, da, db, dc, strength):
    """Return what :func:`_triple` returns for a and c, and how these two change with a, b and c."""
    t = 1.0 / (a * b * c)
    dt = -t * t * (da * b * c + a * db * c + a * b * dc)
    s = strength * t * math.sqrt(t)
    ds = 1.5 * s * dt / t
    u, du = 0.375 * s * t, 0.375 * (ds * t + s * dt)
    p, q, r = a + b - c, b + c - a, c + a - b
    dp, dq, dr = da + db - dc, db + dc - da, dc + da - db
    pq, qr, pr = p * q, q * r, p * r
    dpq, dqr, dpr = dp * q + p * dq, dq * r + q * dr, dp * r + p * dr
    product, dproduct = u * pq * r, du * pq * r + u * (dpq * r + pq * dr)
    common = t * (-3.0 * s - 5.0 * product)
    dcommon = dt * (-3.0 * s - 5.0 * product) + t * (-3.0 * ds - 5.0 * dproduct)
    fa = common * (b * c) + 2.0 * u * (qr + pq - pr)
    fc = common * (a * b) + 2.0 * u * (pr + pq - qr)
    dfa = dcommon * (b * c) + common * (db * c + b * dc) + 2.0 * (du * (qr + pq - pr) + u * (dqr + dpq - dpr))
    dfc = dcommon * (a * b) + common * (da * b + a * db) + 2.0 * (du * (pr + pq - qr) + u * (dpr + dpq - dqr))
    return fa, fc, dfa, dfc


@device
def _pull_atom(x, i, j, factor, gradient):
    """Add factor times the vector from j to i to the gradient of i."""
    gradient[i] += factor * (x[i] - x[j])
    gradient[i + 1] += factor * (x[i + 1] - x[j + 1])
    gradient[i + 2] += factor * (x[i + 2] - x[j + 2])


@device
def _add_triples(x, i, j, a, strength, gradient):
    """Add all triples of atoms i and j with later k to the gradient of i; return a third of their energy."""
    energy = 0.0
    for k in range(j + 3, x.size, 3):
        if k != i:
            e, fa, fc = _triple(a, _square(x, j, k), _square(x, i, k), strength)
            energy += e
            _pull_atom(x, i, j, fa, gradient)
            _pull_atom(x, i, k, fc, gradient)
    return energy / 3.0


@device
def ljat_gradient(x, gradient, integers, floats, scratch, w, room):
    """Return the energy to every thread and write the gradient; integers, scratch and w are not used."""
    energy = 0.0
    for atom in range(cuda.threadIdx.x, x.size // 3, cuda.blockDim.x):
        i = 3 * atom
        gradient[i], gradient[i + 1], gradient[i + 2] = 0.0, 0.0, 0.0
        for j in range(0, x.size, 3):
            if j != i:
                a = _square(x, i, j)
                v = 1.0 / a
                v6 = v * v * v
                energy += 2.0 * v6 * (v6 - 1.0)
                _pull_atom(x, i, j, 24.0 * v * v6 * (1.0 - 2.0 * v6), gradient)
                if floats[0] != 0.0:
                    energy += _add_triples(x, i, j, a, floats[0], gradient)
    energy, _, _ = block_sums(energy, 0.0, 0.0, room)
    return energy


@device
def _change(x, v, i, j):
    """Return how r_ij^2 changes along v."""
    return 2.0 * (
        (x[i] - x[j]) * (v[i] - v[j])
        + (x[i + 1] - x[j + 1]) * (v[i + 1] - v[j + 1])
        + (x[i + 2] - x[j + 2]) * (v[i + 2] - v[j + 2])
    )


@device
def _add_triple_products(x, v, i, j, a, strength, out):
    """Add the part of all triples of atoms i and j with later k to the product's entries of i."""
    for k in range(j + 3, x.size, 3):
        if k != i:
            fa, fc, dfa, dfc = _triple_change(
                a, _square(x, j, k), _square(x, i, k), _change(x, v, i, j), _change(x, v, j, k), _change(x, v, i, k),
                strength,
            )  # fmt: skip
            _pull_atom(x, i, j, dfa, out)
            _pull_atom(x, i, k, dfc, out)
            _pull_atom(v, i, j, fa, out)
            _pull_atom(v, i, k, fc, out)


@device
def ljat_product(x, v, out, integers, floats, scratch, w):
    """Write the Hessian at x times v to out; a barrier on both sides."""
    cuda.syncthreads()
    for atom in range(cuda.threadIdx.x, x.size // 3, cuda.blockDim.x):
        i = 3 * atom
        out[i], out[i + 1], out[i + 2] = 0.0, 0.0, 0.0
        for j in range(0, x.size, 3):
            if j != i:
                a = _square(x, i, j)
                u = 1.0 / a
                u6 = u * u * u
                _pull_atom(v, i, j, 24.0 * u * u6 * (1.0 - 2.0 * u6), out)
                _pull_atom(x, i, j, 24.0 * u * u * u6 * (14.0 * u6 - 4.0) * _change(x, v, i, j), out)
                if floats[0] != 0.0:
                    _add_triple_products(x, v, i, j, a, floats[0], out)
    cuda.syncthreads()
