"""Hybrid eigenvector-following: lowest mode by Lanczos on gradient differences, LBFGS across it.

It needs no Hessian. Where a Hessian can be diagonalised, but takes as long as hundreds of gradients, it does the climb,
and one diagonalisation at its end proves the transition state (:func:`climb_and_follow`).
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from thalweg.optimizers.kernels.arguments import FOLLOW_SIGNATURE, PROBLEM, Arguments
from thalweg.optimizers.kernels.eigenvector_following import follow_modes
from thalweg.optimizers.kernels.lbfgs import add_multiple, assign, dot, remember, two_loop
from thalweg.optimizers.kernels.status import Rule, Status
from thalweg.potentials.compiled.signatures import FUNCTION, floats, integers, jit, matrix, vector
from thalweg.potentials.symmetry.null_modes import orthonormal_null_modes

__all__ = ["PACKED_RULES", "HybridSettings", "climb_and_follow", "difference_product", "hybrid_walk", "lowest_mode"]

# Of a climb that one diagonalisation ends: steps across the mode, residual of the mode, difference, products a step.
# For LJ38, 20 steps and 12 products end at lower transition states than 10 and 8, in the same time.
_ACROSS, _TOLERANCE, _DIFFERENCE, _PRODUCTS = 20, 0.1, 1e-4, 12
PACKED_RULES = (4.0, 0.1, 0.4, 1e-10, 0.5, 12.0, 20.0, 1.0)  # across the mode: those of atoms, packed
_GOLDEN = 0.6180339887498949


class HybridSettings(NamedTuple):
    """Settings of hybrid eigenvector-following; see :func:`~thalweg.optimizers.hybrid_eigenvector_following`.

    Attributes
    ----------
    rms : float
        Rms gradient to reach.
    steps : int
        Most uphill steps.
    max_step : float
        Longest uphill step at first.
    across_steps : int
        Most steps across the mode after each.
    tolerance : float
        Residual of the mode, relative to its eigenvalue.
    difference : float
        Displacement for gradient differences.
    products : int
        Most Hessian-vector products after each step.
    """

    rms: float
    steps: int
    max_step: float
    across_steps: int
    tolerance: float
    difference: float
    products: int


_REAL, _WHOLE = numba.float64, numba.int64
SETTINGS = Arguments(HybridSettings, _REAL, _WHOLE, _REAL, _WHOLE, _REAL, _REAL, _WHOLE)


@jit(numba.void(FUNCTION, integers, floats, integers, vector, vector, numba.float64, vector))
def difference_product(function, integers, floats, frozen, x, v, h, out):
    """Write the Hessian at x times v to ``out`` by central differences of the gradient over h v."""
    n = x.size
    moved, forward = np.empty(n), np.empty(n)
    for k in range(n):
        moved[k] = x[k] + h * v[k]
    function(moved, forward, integers, floats)
    for k in range(n):
        moved[k] = x[k] - h * v[k]
    function(moved, out, integers, floats)
    for k in range(n):
        out[k] = (forward[k] - out[k]) / (2.0 * h)
    for k in frozen:
        out[k] = 0.0


@jit(numba.void(vector, vector))
def _copy(a, out):
    # written out: slices compile numba's error messages into every caller
    for k in range(a.size):
        out[k] = a[k]


@jit(numba.void(vector, vector))
def _normalise(a, out):
    norm = np.sqrt(dot(a, a))
    for k in range(a.size):
        out[k] = a[k] / norm


@jit(numba.void(matrix, numba.int64, vector))
def _project(rows, count, v):
    """Take the first ``count`` orthonormal rows out of v."""
    for i in range(count):
        add_multiple(-dot(rows[i], v), rows[i], v)


@jit(
    numba.types.Tuple((numba.float64, numba.int64))(
        FUNCTION, integers, floats, integers, vector, matrix, numba.int64, numba.float64, numba.float64, matrix, vector
    )
)
def lowest_mode(function, integers, floats, frozen, x, null, nulls, h, tolerance, basis, mode):
    """Find the lowest Hessian mode by Lanczos' method with full reorthogonalisation.

    Parameters
    ----------
    function, integers, floats, frozen : the potential and its fixed coordinates; x : (n,) where.
    null : its first ``nulls`` rows are orthonormal null modes, which are left out.
    h : half the difference taken along a unit vector; tolerance : residual to reach, relative to the eigenvalue.
    basis : (most, n) workspace; its length limits the number of products.
    mode : (n,) first guess, overwritten by the unit vector found.

    Returns
    -------
    eigenvalue (NaN if the gradient is not finite), Hessian-vector products used
    """
    most = basis.shape[0]
    diagonal, beside = np.zeros(most), np.zeros(most)
    product, vectors = np.empty(x.size), np.ones((1, 1))
    _project(null, nulls, mode)
    for k in frozen:
        mode[k] = 0.0
    _normalise(mode, basis[0])
    value, used = np.nan, 0
    for j in range(most):
        difference_product(function, integers, floats, frozen, x, basis[j], h, product)
        used = j + 1
        _project(null, nulls, product)
        diagonal[j] = dot(basis[j], product)
        if not np.isfinite(diagonal[j]):
            return np.nan, used
        for _again in range(2):
            _project(basis, used, product)
        beside[j] = np.sqrt(dot(product, product))
        if not np.isfinite(beside[j]):
            return np.nan, used
        small = np.zeros((used, used))
        for i in range(used):
            small[i, i] = diagonal[i]
            if i > 0:
                small[i - 1, i] = beside[i - 1]
                small[i, i - 1] = beside[i - 1]
        values, vectors = np.linalg.eigh(small)
        value = values[0]
        if beside[j] * abs(vectors[j, 0]) < tolerance * abs(value) or beside[j] < 1e-9 * abs(values[j]):
            break
        if used < most:
            _normalise(product, basis[used])
    for k in range(mode.size):
        mode[k] = 0.0
    for i in range(used):
        add_multiple(vectors[i, 0], basis[i], mode)
    _normalise(mode, mode)
    return value, used


@jit(numba.float64(integers, vector, vector, vector))
def _across(frozen, mode, gradient, out):
    """Write the gradient without its part along the mode, zero where fixed, to ``out``; return its norm."""
    for k in frozen:
        gradient[k] = 0.0
    _copy(gradient, out)
    add_multiple(-dot(gradient, mode), mode, out)
    return np.sqrt(dot(out, out))


@jit(
    numba.types.Tuple((numba.float64, numba.int64, numba.int64))(
        FUNCTION, integers, floats, integers, vector, numba.float64, numba.int64, vector, vector, numba.float64, vector
    )
)
def _tangent_walk(function, integers, floats, frozen, rules, goal, limit, mode, x, energy, gradient):
    """Minimise by LBFGS in the space orthogonal to the mode, in place.

    ``goal`` is a norm of the gradient in that space, ``limit`` the most steps; the energy may not rise.

    Returns
    -------
    energy, steps, gradient calls
    """
    n, memory, max_step = x.size, int(rules[Rule.MEMORY]), rules[Rule.MAX_STEP]
    max_rise, shrink, trials = rules[Rule.MAX_RISE], rules[Rule.SHRINK], int(rules[Rule.TRIALS])
    s, y, rho, alpha = np.empty((memory, n)), np.empty((memory, n)), np.empty(memory), np.empty(memory)
    across, new_across, direction, moved, new_gradient = np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    stored, diagonal, calls = 0, rules[Rule.INITIAL_DIAGONAL], 0
    norm = _across(frozen, mode, gradient, across)
    for step in range(limit):
        if not norm > goal:
            return energy, step, calls
        two_loop(across, s, y, rho, alpha, stored, diagonal, direction)
        if dot(direction, across) > 0.0:
            for k in range(n):
                direction[k] = -direction[k]
        scale = min(1.0 / norm, norm) if stored == 0 else 1.0
        length = np.sqrt(dot(direction, direction))
        scale = min(scale, max_step / length)
        accepted = False
        for _trial in range(trials + 1):
            for k in range(n):
                moved[k] = x[k] + scale * direction[k]
            new_energy = function(moved, new_gradient, integers, floats)
            calls += 1
            new_norm = _across(frozen, mode, new_gradient, new_across)
            if new_energy - energy <= max_rise and np.isfinite(new_norm):
                accepted = True
                break
            scale *= shrink
        if not accepted:
            return energy, step, calls
        new_diagonal = remember(s, y, rho, stored % memory, scale, direction, new_across, across)
        if new_diagonal > 0.0:
            diagonal = new_diagonal
            stored += 1
        _copy(moved, x)
        _copy(new_gradient, gradient)
        _copy(new_across, across)
        energy, norm = new_energy, new_norm
    return energy, limit, calls


@jit()
def _climb(problem, rules, settings, x, mode):
    """Do what :func:`hybrid_walk` does, with settings of any type that has their names."""
    function = problem.function  # on its own: numba warns of tuples of functions
    integers, floats = problem.integers, problem.floats
    frozen, rigid, lattice, constant = problem.frozen, problem.rigid, problem.lattice, problem.constant
    goal, limit, max_step, most_across = settings.rms, settings.steps, settings.max_step, settings.across_steps
    tolerance, h, most = settings.tolerance, settings.difference, settings.products
    n = x.size
    root = np.sqrt(n - frozen.size)
    null, basis = np.empty((6 + constant.shape[0], n)), np.empty((min(most, n - frozen.size), n))
    gradient, across = np.empty(n), np.empty(n)
    trust, value, calls = max_step, np.nan, 1
    energy = function(x, gradient, integers, floats)
    norm = 0.0
    for step in range(limit + 1):
        part = _across(frozen, mode, gradient, across)
        norm = np.sqrt(dot(gradient, gradient))
        if not (np.isfinite(norm) and np.isfinite(energy) and np.isfinite(part)):
            return energy, norm / root, step, calls, Status.NOT_FINITE, value
        if norm / root < goal:
            return energy, norm / root, step, calls, Status.CONVERGED, value
        nulls = orthonormal_null_modes(x, frozen, rigid, lattice, constant, problem.varying, null)
        value, used = lowest_mode(function, integers, floats, frozen, x, null, nulls, h, tolerance, basis, mode)
        calls += 2 * used
        if not np.isfinite(value):
            return energy, norm / root, step, calls, Status.NOT_FINITE, value
        slope = dot(gradient, mode)
        size = 2.0 * slope / (abs(value) + np.sqrt(value**2 + 4.0 * slope**2) + 1e-300)
        size = min(max(size, -trust), trust)
        add_multiple(size, mode, x)
        energy = function(x, gradient, integers, floats)
        calls += 1
        _across(frozen, mode, gradient, across)
        # the slope that the eigenvalue promised, against the one found
        found = (dot(gradient, mode) - slope) / size if size != 0.0 else value
        wrong = abs(found - value) > 1.5 * abs(value)
        trust = max(0.5 * trust, 0.02 * max_step) if wrong else min(1.2 * trust, 2.0 * max_step)
        across_goal = max(0.3 * goal * root, 0.03 * min(norm, abs(dot(gradient, mode))))
        energy, _, extra = _tangent_walk(
            function, integers, floats, frozen, rules, across_goal, most_across, mode, x, energy, gradient
        )
        calls += extra
    return energy, norm / root, limit, calls, Status.TOO_MANY_STEPS, value


@jit(
    numba.types.Tuple((numba.float64, numba.float64, numba.int64, numba.int64, numba.int64, numba.float64))(
        PROBLEM, vector, SETTINGS, vector, vector
    )
)
def hybrid_walk(problem, rules, settings, x, mode):
    """Walk uphill along the lowest mode and downhill across it, in place, until the gradient vanishes.

    Parameters
    ----------
    problem : Problem
    rules : packed Rules of the minimisation across the mode.
    settings : HybridSettings
    x : (n,) start, overwritten; mode : (n,) a first guess of the mode, overwritten.

    Returns
    -------
    energy, rms, steps, gradient calls, status, eigenvalue of the mode when last looked at
    """
    return _climb(problem, rules, settings, x, mode)


@jit(numba.boolean(vector))
def _guessed(mode):
    """Write a first guess of the lowest mode where none is given: a vector without any symmetry; was none given?"""
    for k in range(mode.size):
        if mode[k] != 0.0:
            return False
    for k in range(mode.size):
        mode[k] = ((k + 1) * _GOLDEN) % 1.0 - 0.5
    return True


@jit(FOLLOW_SIGNATURE)
def climb_and_follow(problem, index, goal, limit, max_step, x, mode):
    """Do what ``follow_modes`` does, but climb to a transition state by gradients alone.

    A diagonalisation proves what the climb has reached. A climb that does not arrive is done again by ``follow_modes``
    from the start; so is one along a chosen mode, which the lowest would not follow.
    """
    start, guess, taken = np.empty(x.size), np.empty(x.size), 0
    assign(start, x)
    assign(guess, mode)
    if index == 1 and _guessed(guess):
        rules = np.array(PACKED_RULES)
        settings = HybridSettings(goal, limit, max_step, _ACROSS, _TOLERANCE, _DIFFERENCE, _PRODUCTS)
        _, _, taken, _, status, _ = _climb(problem, rules, settings, x, guess)
        if status != Status.CONVERGED:
            assign(x, start)
    energy, rms, steps, status, lowest, product, positive = follow_modes(problem, index, goal, limit, max_step, x, mode)
    return energy, rms, taken + steps, status, lowest, product, positive
