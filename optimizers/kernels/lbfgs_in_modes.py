"""LBFGS in the coordinates of Hessian modes, each scaled by its curvature: one diagonalisation serves many steps.

In these coordinates the Hessian of the point where it was diagonalised is the unit matrix, so that the first step is
Newton's and the later ones need gradients alone.
"""

from __future__ import annotations

import numba
import numpy as np

from thalweg.optimizers.kernels.lbfgs import assign, dot, two_loop
from thalweg.potentials.compiled.signatures import FUNCTION, floats, integers, jit, matrix, vector

__all__ = ["converge_modes", "relax_modes"]

_MEMORY = 12
_FAST = {"reassoc", "contract", "nsz", "arcp"}


@jit(numba.void(vector, matrix, integers, vector, numba.int64, numba.int64, vector), fastmath=_FAST)
def _to_modes(gradient, vectors, free, scale, modes, left_out, out):
    """Write the gradient with respect to scaled mode coordinates."""
    for i in range(modes):
        total = 0.0
        for j in range(free.size):
            total += vectors[i, j] * gradient[free[j]]
        out[i] = total * scale[i]
    if left_out >= 0:
        out[left_out] = 0.0


@jit(numba.float64(vector, matrix, integers, vector, numba.int64, vector, vector), fastmath=_FAST)
def _from_modes(step, vectors, free, scale, modes, packed, out):
    """Write a step in scaled mode coordinates as one of the whole vector; return its length."""
    for j in range(free.size):
        packed[j] = 0.0
    for i in range(modes):
        factor = step[i] * scale[i]
        for j in range(free.size):
            packed[j] += factor * vectors[i, j]
    for k in range(out.size):
        out[k] = 0.0
    for j in range(free.size):
        out[free[j]] = packed[j]
    return np.sqrt(dot(packed, packed))


@jit(numba.float64(vector, vector, numba.int64))
def _unscaled_norm(scaled, scale, modes):
    total = 0.0
    for i in range(modes):
        total += (scaled[i] / scale[i]) ** 2
    return np.sqrt(total)


@jit(
    numba.types.Tuple((numba.float64, numba.int64))(
        FUNCTION, integers, floats, integers, matrix, vector, numba.int64, numba.int64,
        numba.float64, numba.int64, numba.float64, vector, vector, numba.float64,
    ),
    fastmath=_FAST,
)  # fmt: skip
def relax_modes(
    function, integers, floats, free, vectors, values, modes, left_out, goal, limit, max_step, x, gradient, energy
):
    """Minimise over all modes but one, in place.

    Parameters
    ----------
    function, integers, floats : the potential; free : indices of free coordinates.
    vectors, values : rows are Hessian modes of a point near x, over the free coordinates; their curvatures.
    modes : how many of them count; left_out : the one along which x may not move, or -1.
    goal : rms gradient over the other modes; limit : most steps; max_step : longest step.
    x, gradient, energy : start and what holds there; x and gradient are overwritten.

    Returns
    -------
    energy, evaluations
    """
    n, root = x.size, np.sqrt(float(free.size))
    s, y = np.empty((_MEMORY, modes)), np.empty((_MEMORY, modes))
    rho, alpha = np.empty(_MEMORY), np.empty(_MEMORY)
    slopes, new_slopes, direction, scale = np.empty(modes), np.empty(modes), np.empty(modes), np.empty(modes)
    packed, step, x_new, g_new = np.empty(free.size), np.empty(n), np.empty(n), np.empty(n)
    softest = 1e-5 * max(abs(values[0]), abs(values[modes - 1]))
    for i in range(modes):
        scale[i] = 1.0 / np.sqrt(max(abs(values[i]), softest, 1e-300))
    _to_modes(gradient, vectors, free, scale, modes, left_out, slopes)
    stored, evaluations = 0, 0
    for _ in range(limit):
        if _unscaled_norm(slopes, scale, modes) / root < goal:
            break
        two_loop(slopes, s, y, rho, alpha, stored, 1.0, direction)
        if dot(direction, slopes) > 0.0:
            stored = 0
            for i in range(modes):
                direction[i] = -slopes[i]
        length = _from_modes(direction, vectors, free, scale, modes, packed, step)
        part = min(1.0, max_step / length)
        accepted = False
        for _trial in range(6):
            for k in range(n):
                x_new[k] = x[k] + part * step[k]
            e_new = function(x_new, g_new, integers, floats)
            evaluations += 1
            if e_new - energy <= 1e-13 * max(1.0, abs(energy)) and np.isfinite(e_new):
                accepted = True
                break
            part *= 0.25
        if not accepted:
            break
        _to_modes(g_new, vectors, free, scale, modes, left_out, new_slopes)
        row, ys = stored % _MEMORY, 0.0
        for i in range(modes):
            s[row, i] = part * direction[i]
            y[row, i] = new_slopes[i] - slopes[i]
            ys += s[row, i] * y[row, i]
            slopes[i] = new_slopes[i]
        if ys > 0.0:
            rho[row] = 1.0 / ys
            stored += 1
        assign(x, x_new)
        assign(gradient, g_new)
        energy = e_new
    return energy, evaluations


@jit(
    numba.types.Tuple((numba.float64, numba.boolean))(
        FUNCTION, integers, floats, integers, integers, matrix, vector, numba.int64,
        numba.float64, numba.float64, vector, vector, numba.float64,
    ),
    fastmath=_FAST,
)  # fmt: skip
def converge_modes(
    function, integers, floats, free, frozen, vectors, values, modes, goal, longest, x, gradient, energy
):
    """Take Newton's steps with the same modes, in place, while each leaves less than a third of the gradient.

    Goes to the stationary point close by, whatever its index; nothing is moved unless the first step does so and is
    no longer than ``longest``.

    Parameters
    ----------
    function, integers, floats, free, vectors, values, modes, x, gradient, energy : as in :func:`relax_modes`; no
        curvature may be zero.
    frozen : indices of coordinates that do not move.
    goal : rms gradient at which it ends; longest : longest step.

    Returns
    -------
    energy, whether anything was moved
    """
    n, root = x.size, np.sqrt(float(free.size))
    slopes, scale, ones, packed = np.empty(modes), np.empty(modes), np.ones(modes), np.empty(free.size)
    step, x_new, g_new = np.empty(n), np.empty(n), np.empty(n)
    for i in range(modes):
        scale[i] = -1.0 / values[i]
    norm, moved = np.sqrt(dot(gradient, gradient)), False
    while norm > goal * root:
        _to_modes(gradient, vectors, free, ones, modes, -1, slopes)
        if not _from_modes(slopes, vectors, free, scale, modes, packed, step) <= longest:
            break
        for k in range(n):
            x_new[k] = x[k] + step[k]
        e_new = function(x_new, g_new, integers, floats)
        for k in frozen:
            g_new[k] = 0.0
        new = np.sqrt(dot(g_new, g_new))
        if not new < norm / 3.0:
            break
        norm, energy, moved = new, e_new, True
        assign(x, x_new)
        assign(gradient, g_new)
    return energy, moved
