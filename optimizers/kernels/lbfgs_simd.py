"""LBFGS with SIMD loops and a short memory, without allocations, before a second-order finish.

For minimisations that second order finishes. The plain walk of ``lbfgs`` keeps the original programs' order of
arithmetic instead.
"""

from __future__ import annotations

import numba
import numpy as np
from numba.extending import register_jitable

from thalweg.optimizers.kernels.arguments import WALK_SIGNATURE
from thalweg.optimizers.kernels.lbfgs import assign
from thalweg.optimizers.kernels.status import Rule, Status
from thalweg.potentials.compiled.signatures import FUNCTION, floats, integers, jit, matrix, vector
from thalweg.potentials.compiled.simd import LANES, load, splat, store, total

__all__ = ["quick_walk"]

_FAST = {"reassoc", "contract", "nsz", "arcp"}

# The walk's vectors have zeros behind their n entries, up to a multiple of two lanes: loops over 39 coordinates spend
# half of their time on what whole lanes leave over
_PASS = 2 * LANES

_REAL, _WHOLE = numba.float64, numba.int64

# Without reference counts of arrays, which take a tenth of the time of LJ13: these functions allocate none
_INLINED = {"fastmath": _FAST, "forceinline": True, "_nrt": False}


@jit(_REAL(vector), **_INLINED)
def _norm(a):
    one, two = splat(0.0), splat(0.0)
    for k in range(0, a.size, _PASS):
        p, q = load(a, k), load(a, k + LANES)
        one, two = one + p * p, two + q * q
    return np.sqrt(total(one + two))


@register_jitable
def _combine(direction, factor, a, here, scale, b, there):
    """Turn direction into scale (direction + factor a), where a begins at an entry; return its product with b.

    LBFGS's two loops are a chain of these passes.
    """
    one, two = splat(0.0), splat(0.0)
    for k in range(0, direction.size, _PASS):
        p = scale * (load(direction, k) + factor * load(a, here + k))
        q = scale * (load(direction, k + LANES) + factor * load(a, here + k + LANES))
        store(direction, k, p)
        store(direction, k + LANES, q)
        one, two = one + load(b, there + k) * p, two + load(b, there + k + LANES) * q
    return total(one + two)


@jit(_REAL(vector, matrix, matrix, vector, vector, _WHOLE, _WHOLE, _REAL, vector), **_INLINED)
def _direction(gradient, s, y, rho, alpha, row, stored, diagonal, direction):
    """Write minus the inverse Hessian's estimate times the gradient, from the pair in ``row`` on; return its slope."""
    memory, m = s.shape[0], direction.size
    for k in range(m):
        direction[k] = 0.0
    if stored == 0:
        return _combine(direction, -diagonal, gradient, 0, 1.0, gradient, 0)
    product = _combine(direction, -1.0, gradient, 0, 1.0, s, row * m)
    for _ in range(stored - 1):
        here, alpha[row] = row * m, rho[row] * product
        factor = -alpha[row]
        row = row - 1 if row > 0 else memory - 1
        product = _combine(direction, factor, y, here, 1.0, s, row * m)
    alpha[row] = rho[row] * product
    product = _combine(direction, -alpha[row], y, row * m, diagonal, y, row * m)
    for _ in range(stored - 1):
        here, factor = row * m, alpha[row] - rho[row] * product
        row = row + 1 if row < memory - 1 else 0
        product = _combine(direction, factor, s, here, 1.0, y, row * m)
    return _combine(direction, alpha[row] - rho[row] * product, s, row * m, 1.0, gradient, 0)


@jit(
    numba.types.UniTuple(_REAL, 2)(vector, vector, vector, vector, matrix, matrix, _WHOLE),
    **_INLINED,
)
def _remember(x_new, x, g_new, gradient, s, y, row):
    """Store a step and its gradient change in a row, and move on; return s.y and y.y."""
    ys, yy, here = splat(0.0), splat(0.0), row * x.size
    for k in range(0, x.size, LANES):
        p, q = load(x_new, k), load(g_new, k)
        a, b = p - load(x, k), q - load(gradient, k)
        store(s, here + k, a)
        store(y, here + k, b)
        store(x, k, p)
        store(gradient, k, q)
        ys, yy = ys + a * b, yy + b * b
    return total(ys), total(yy)


@jit(
    numba.types.Tuple((_REAL, _REAL, _REAL, _WHOLE))(
        FUNCTION, integers, floats, integers, vector, _REAL, vector, vector, _REAL, vector, vector, vector, vector
    ),
    **_INLINED,
)
def _shortened_step(
    function, integers, floats, frozen, rules, energy, x, direction, scale, x_new, g_new, x_view, g_view
):
    """Do what ``shortened_step`` of the plain walk does; the views are what the potential knows of x_new and g_new."""
    max_rise, shrink, trials = rules[Rule.MAX_RISE], rules[Rule.SHRINK], int(rules[Rule.TRIALS])
    for trial in range(trials + 1):
        for k in range(0, x.size, LANES):
            store(x_new, k, load(x, k) + scale * load(direction, k))
        e_new = function(x_view, g_view, integers, floats)
        if e_new - energy <= max_rise and np.isfinite(e_new):
            for k in frozen:
                g_new[k] = 0.0
            norm = _norm(g_new)
            if np.isfinite(norm):
                return e_new, norm, scale, trial + 1
        scale *= shrink
    return energy, -1.0, scale, trials + 1


@jit(
    numba.types.Tuple((_REAL, _REAL, _WHOLE, _WHOLE, _WHOLE, _REAL))(
        FUNCTION,
        integers,
        floats,
        integers,
        vector,
        _REAL,
        _WHOLE,
        _WHOLE,
        vector,
        vector,
        vector,
        vector,
        vector,
        matrix,
        matrix,
        vector,
        vector,
    ),
    **_INLINED,
)
def _walk(
    function, integers, floats, frozen, rules, goal, limit, n, x, gradient, x_new, g_new, direction, s, y, rho, alpha
):
    """Minimise from x, in place, as :func:`quick_walk` does; the vectors have zeros behind their n entries."""
    memory, diagonal_0, max_step = int(rules[Rule.MEMORY]), rules[Rule.INITIAL_DIAGONAL], rules[Rule.MAX_STEP]
    resets, root = int(rules[Rule.RESETS]), np.sqrt(n - frozen.size)
    x_view, g_view = x_new[:n], g_new[:n]
    stored, newest, steps, failures, evaluations, diagonal, travelled = 0, -1, 0, 0, 1, diagonal_0, 0.0
    careful = True
    energy = function(x[:n], gradient[:n], integers, floats)
    for k in frozen:
        gradient[k] = 0.0
    norm = _norm(gradient)
    if not (np.isfinite(energy) and np.isfinite(norm)):
        return energy, norm / root, steps, evaluations, Status.NOT_FINITE, travelled
    while norm >= goal * root:
        if steps >= limit:
            return energy, norm / root, steps, evaluations, Status.TOO_MANY_STEPS, travelled
        slope = _direction(gradient, s, y, rho, alpha, max(newest, 0), stored, diagonal, direction)
        length = _norm(direction)
        # uphill only where rounding has spoilt the memory
        scale = (min(1.0 / norm, norm) if careful else 1.0) * (-1.0 if slope > 0.0 else 1.0)
        if abs(scale) * length > max_step:
            scale *= max_step / (abs(scale) * length)
        e_new, norm_new, scale, tried = _shortened_step(
            function, integers, floats, frozen, rules, energy, x, direction, scale, x_new, g_new, x_view, g_view
        )
        evaluations += tried
        if norm_new < 0.0:
            failures += 1
            if failures > resets or careful:
                return energy, norm / root, steps, evaluations, Status.ENERGY_NOT_LOWERED, travelled
            stored, newest, diagonal, careful = 0, -1, diagonal_0, True
            continue
        row = newest + 1 if newest < memory - 1 else 0
        ys, yy = _remember(x_new, x, g_new, gradient, s, y, row)
        if ys > 0.0:
            rho[row], diagonal, newest = 1.0 / ys, ys / yy, row
            stored = min(stored + 1, memory)
        else:
            # uphill curvature: as long a step as took it there; the pair may have been written over the oldest
            diagonal = -ys / yy if yy > 0.0 else diagonal
            stored = min(stored, memory - 1)
        careful = False
        steps += 1
        energy, norm = e_new, norm_new
        travelled += abs(scale) * length
    return energy, norm / root, steps, evaluations, Status.CONVERGED, travelled


@jit(WALK_SIGNATURE)
def quick_walk(function, integers, floats, frozen, rules, goal, limit, x, gradient, trace):
    """Minimise from x, in place: arguments and results as those of :func:`lbfgs_walk`.

    Pairs of negative curvature are left out whatever the rules say, and ``trace`` is left as it is.
    """
    n = x.size
    rows, memory = np.zeros((5, (n + _PASS - 1) // _PASS * _PASS)), int(rules[Rule.MEMORY])
    s, y = np.empty((memory, rows.shape[1])), np.empty((memory, rows.shape[1]))
    rho, alpha = np.empty(memory), np.empty(memory)
    assign(rows[0][:n], x)
    result = _walk(
        function, integers, floats, frozen, rules, goal, limit, n, rows[0], rows[1], rows[2], rows[3], rows[4], s, y,
        rho, alpha,
    )  # fmt: skip
    assign(x, rows[0][:n])
    assign(gradient, rows[1][:n])
    return result
