"""Hybrid eigenvector-following: transition states of systems too large for their Hessian."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from thalweg.optimizers.eigenvalues import lowest_eigenvalues
from thalweg.optimizers.kernels.hybrid import hybrid_walk
from thalweg.optimizers.results import REASONS
from thalweg.optimizers.rules import Rules, default_rules
from thalweg.potentials.lazy import public
from thalweg.potentials.system import System, as_system

__all__ = ["HybridResult", "approached", "hybrid_eigenvector_following"]

_CONVERGED, _WRONG_INDEX, _ZERO_MODE = 0, 4, 5
# An eigenvalue smaller than this part of the curvature of the mode nobody can tell from zero by differences
_ZERO = 1e-5


@public("thalweg.optimizers")
@dataclass(frozen=True)
class HybridResult:
    """A search by hybrid eigenvector-following.

    Attributes
    ----------
    x : (n,) where it ended; energy, rms : float; steps : int, uphill steps; evaluations : int, gradient calls.
    converged : bool, True if the gradient vanishes and exactly one of the two lowest eigenvalues is negative.
    reason : str.
    eigenvalues : (2,) the two lowest, null modes left out; NaN if the gradient never vanished.
    mode : (n,) unit vector of the lowest.
    """

    x: np.ndarray
    energy: float
    rms: float
    steps: int
    evaluations: int
    converged: bool
    reason: str
    eigenvalues: np.ndarray
    mode: np.ndarray


def hybrid_eigenvector_following(
    system: Any,
    x: Any = None,
    *,
    rms: float = 1e-9,
    rules: Rules | None = None,
    steps: int = 500,
    max_step: float = 0.3,
    across_steps: int = 10,
    products: int = 8,
    tolerance: float = 0.1,
    difference: float = 1e-4,
    seed: int | np.random.Generator = 0,
    mode: np.ndarray | None = None,
) -> HybridResult:
    """Find a transition state from x with gradients alone.

    Each step goes uphill along the lowest Hessian mode, found by Lanczos' method on gradient differences, then
    minimises across it by LBFGS. The end is checked by its two lowest eigenvalues (:func:`lowest_eigenvalues`).

    Parameters
    ----------
    system : ase.Atoms, Point, Weights or System
        What to search.
    x : array_like, shape (n,), optional
        Where to start; the system's own coordinates where missing.
    rms : float
        Converged below this rms gradient.
    rules : Rules, optional
        Step rules of LBFGS across the mode.
    steps : int
        Most uphill steps.
    max_step : float
        Longest uphill step at first; between 1/50 of it and twice it later.
    across_steps : int
        Most LBFGS steps after each.
    products : int
        Most Hessian-vector products, of two gradients each, after each step; the last mode is where they start.
    tolerance : float
        Residual of the mode, relative to its eigenvalue, at which fewer will do.
    difference : float
        Displacement for gradient differences.
    seed : int or numpy.random.Generator
        Of the first guess of the mode.
    mode : array_like, shape (n,), optional
        That guess, where there is a better one.

    Raises
    ------
    ValueError
        If x does not fit or an argument is not positive.

    References
    ----------
    L. J. Munro and D. J. Wales, Phys. Rev. B 59 (1999) 3969.
    """
    system = as_system(system)
    x = np.array(system.x if x is None else x, dtype=np.float64).ravel()
    if x.size != system.n:
        raise ValueError(f"x must have {system.n} coordinates; it has {x.size}")
    settings = np.array([rms, steps, max_step, across_steps, tolerance, difference, products], dtype=np.float64)
    if not (settings > 0).all():
        raise ValueError("rms, steps, max_step, across_steps, tolerance, difference and products must be positive")
    rules = rules or default_rules(system)
    guess = np.random.default_rng(seed).normal(size=system.n) if mode is None else np.asarray(mode, dtype=np.float64)
    if guess.shape != (system.n,) or not guess.any():
        raise ValueError(f"mode must be a vector of {system.n} coordinates, not all zero")
    mode = guess.copy()
    function, _, integers, floats = system.compiled
    energy, norm, taken, calls, status, _ = hybrid_walk(
        function, integers, floats, system.frozen, system.rigid, system.constant_null_modes,
        rules.packed(), settings, x, mode,
    )  # fmt: skip
    system.reraise()
    eigenvalues = np.full(2, np.nan)
    if status == _CONVERGED:
        status, eigenvalues, mode = _checked(system, x, mode)
    return HybridResult(x, energy, norm, taken, calls, status == _CONVERGED, REASONS[status], eigenvalues, mode)


def _checked(system, x, mode):
    """Return a status by the signs of the two lowest eigenvalues, the eigenvalues, and the lowest one's vector."""
    count = min(2, system.n_free - len(system.null_modes(x)))
    values, vectors = lowest_eigenvalues(system, x, count, guess=mode)
    eigenvalues = np.append(values, np.full(2 - count, np.inf))
    status = _CONVERGED if eigenvalues[0] < 0 < eigenvalues[1] else _WRONG_INDEX
    if np.abs(eigenvalues).min() < _ZERO * abs(eigenvalues[0]):
        status = _ZERO_MODE
    return status, eigenvalues, vectors[0]


# Where a search by differences hands over to one by Hessians, in rms gradient
_NEAR = 1e-3


def approached(system: System, X: np.ndarray, directions: np.ndarray, rms: float, rules: Rules) -> np.ndarray:
    """Take starts near to transition states with gradients alone, for calculators whose Hessians are differences.

    Every step of eigenvector-following takes 2 n gradients there, this about 20: Cu13 by EMT takes a quarter of the
    calls. What starts along a mode, or ends nowhere, stays as it was.

    Parameters
    ----------
    system : System
    X, directions : (walkers, n) starts, and modes to follow, zero for the lowest.
    rms : float
        Of the search that follows: this one goes no further.
    rules : Rules

    Returns
    -------
    (walkers, n) ndarray
    """
    near = X.copy()
    for row in np.flatnonzero(~directions.any(axis=1)):
        x, mode = X[row].copy(), np.random.default_rng(0).normal(size=system.n)
        settings = np.array([max(rms, _NEAR), 100, 0.3, 10, 0.1, 1e-3, 8], dtype=np.float64)
        function, _, integers, floats = system.compiled
        status = hybrid_walk(
            function, integers, floats, system.frozen, system.rigid, system.constant_null_modes,
            rules.packed(), settings, x, mode,
        )[4]  # fmt: skip
        system.reraise()
        if status == _CONVERGED:
            near[row] = x
    return near
