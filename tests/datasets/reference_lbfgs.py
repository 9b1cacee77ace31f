"""The original programs' LBFGS on LJAT3, written straight from the rules: slow, plain, independent."""

from __future__ import annotations

import math

import numba
import numpy as np


@numba.njit(error_model="numpy")
def ljat3(x: np.ndarray, gradient: np.ndarray, z: float) -> float:
    """Energy and gradient of three atoms from the polynomial form of Axilrod-Teller in squared distances."""
    a, b, c = x[0:3], x[3:6], x[6:9]
    u = np.sum((a - b) ** 2)
    v = np.sum((a - c) ** 2)
    w = np.sum((b - c) ** 2)
    squared = (u, v, w)
    energy = 0.0
    slope = np.zeros(3)
    for k in range(3):
        s = squared[k]
        energy += 4.0 * (s**-6 - s**-3)
        slope[k] = 4.0 * (-6.0 * s**-7 + 3.0 * s**-4)
    # cos t_1 cos t_2 cos t_3 = (u+v-w)(u+w-v)(v+w-u) / (8 u v w)
    p, q, r = u + v - w, u + w - v, v + w - u
    product = u * v * w
    triple = z * (product**-1.5 + 0.375 * p * q * r * product**-2.5)
    energy += triple
    first = -1.5 * z * product**-1.5
    second = 0.375 * z * product**-2.5
    slope[0] += first / u + second * (q * r + p * r - p * q) - 2.5 * second * p * q * r / u
    slope[1] += first / v + second * (q * r - p * r + p * q) - 2.5 * second * p * q * r / v
    slope[2] += first / w + second * (-q * r + p * r + p * q) - 2.5 * second * p * q * r / w
    gradient[0:3] = 2.0 * (slope[0] * (a - b) + slope[1] * (a - c))
    gradient[3:6] = 2.0 * (slope[0] * (b - a) + slope[2] * (b - c))
    gradient[6:9] = 2.0 * (slope[1] * (c - a) + slope[2] * (c - b))
    return energy


@numba.njit(error_model="numpy")
def direction(g: np.ndarray, s: np.ndarray, y: np.ndarray, stored: int) -> np.ndarray:
    """Two-loop recursion over the last pairs, oldest first, with a signed initial diagonal."""
    memory = s.shape[0]
    count = min(stored, memory)
    alpha = np.zeros(memory)
    d = -g.copy()
    for k in range(stored - 1, stored - 1 - count, -1):
        j = k % memory
        ys = y[j] @ s[j]
        alpha[j] = (s[j] @ d) / (ys if ys != 0.0 else 1.0)
        d -= alpha[j] * y[j]
    j = (stored - 1) % memory
    ys, yy = y[j] @ s[j], y[j] @ y[j]
    d *= (ys if ys != 0.0 else 1.0) / (yy if yy != 0.0 else 1.0)
    for k in range(stored - count, stored):
        j = k % memory
        ys = y[j] @ s[j]
        d += (alpha[j] - (y[j] @ d) / (ys if ys != 0.0 else 1.0)) * s[j]
    return d


@numba.njit(error_model="numpy")
def quench(
    x: np.ndarray, z: float, rms: float, limit: int, memory: int, cap: float, cuts: int, resets: int
) -> tuple[float, int, int, np.ndarray]:
    """Minimise one start in place; energy, steps taken, status (0 converged, 1 limit, 2 failed) and the end point."""
    n = x.size
    s, y = np.zeros((memory, n)), np.zeros((memory, n))
    g, g_new = np.zeros(n), np.zeros(n)
    energy = ljat3(x, g, z)
    stored = steps = failures = 0
    while True:
        norm = math.sqrt(g @ g)
        if norm / math.sqrt(n) < rms:
            return energy, steps, 0, x
        if steps == limit:
            return energy, steps, 1, x
        if stored == 0:
            d = -0.1 * g
            scale = min(1.0 / norm, norm)
        else:
            d = direction(g, s, y, stored)
            scale = 1.0
        if d @ g > 0.0:
            d = -d
        length = math.sqrt(d @ d)
        if scale * length > cap:
            scale = cap / length
        accepted = False
        for _ in range(cuts + 1):
            x_new = x + scale * d
            e_new = ljat3(x_new, g_new, z)
            if e_new - energy <= 1e-10:
                accepted = True
                break
            scale *= 0.1
        if accepted:
            s[stored % memory] = scale * d
            y[stored % memory] = g_new - g
            stored += 1
            steps += 1
            x, energy = x_new, e_new
            g[:] = g_new
        else:
            stored = 0
            failures += 1
            if failures > resets or not math.isfinite(e_new + energy):
                return energy, steps, 2, x
