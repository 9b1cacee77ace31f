"""Hybrid eigenvector-following: transition states of systems too large for their Hessian."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg.optimizers.eigenvalues import lowest_eigenvalues
from thalweg.optimizers.kernels.arguments import Problem
from thalweg.optimizers.kernels.hybrid import HybridSettings, hybrid_walk
from thalweg.optimizers.kernels.status import Status, reasons
from thalweg.optimizers.krylov.ascent import ascend
from thalweg.optimizers.krylov.merged_ascent import ascend_from_copies
from thalweg.optimizers.krylov.proof import SMALLEST_EIGENVALUE
from thalweg.optimizers.large_systems import large_minimum
from thalweg.optimizers.results import TransitionStateResult
from thalweg.optimizers.rules import Rules, default_rules
from thalweg.potentials.conversion.numeric_options import positive_number, whole_number
from thalweg.potentials.lazy import public
from thalweg.potentials.system import System, as_system

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from thalweg.potentials.protocols import Subject

__all__ = [
    "HybridResult",
    "hybrid_eigenvector_following",
    "transition_states_large",
]

# An eigenvalue smaller than this part of the curvature of the mode nobody can tell from zero by differences
_ZERO = 1e-5
# First displacement from a transition state
_PUSH = 0.01
# A search that fell back into a minimum starts again this many longest steps along the softest mode
_AWAY = 6.0, 12.0, 24.0

_SIDE = np.dtype([(name, np.float64) for name in ("energy", "rms", "lowest_eigenvalue", "path_length")])


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

    Examples
    --------
    >>> from ase import Atoms
    >>> from thalweg.optimizers import hybrid_eigenvector_following
    >>> from thalweg.potentials import LJAT
    >>> rhombus = [[0, 0, 0], [1.1, 0, 0], [0.55, 0.95, 0.1], [0.55, -0.95, 0]]
    >>> atoms = Atoms("Ar4", rhombus, calculator=LJAT(Z=0.0))
    >>> result = hybrid_eigenvector_following(atoms)
    >>> result.reason
    'converged'
    >>> (result.eigenvalues < 0).tolist()
    [True, False]
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
    system: Subject | System,
    x: ArrayLike | None = None,
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
    mode: ArrayLike | None = None,
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

    Examples
    --------
    >>> from ase import Atoms
    >>> from thalweg.optimizers import hybrid_eigenvector_following
    >>> from thalweg.potentials import LJAT
    >>> rhombus = [[0, 0, 0], [1.1, 0, 0], [0.55, 0.95, 0.1], [0.55, -0.95, 0]]
    >>> atoms = Atoms("Ar4", rhombus, calculator=LJAT(Z=0.0))
    >>> result = hybrid_eigenvector_following(atoms)
    >>> print(f"{result.energy:.6f}")
    -5.073421
    """
    system = as_system(system)
    x = system.coordinates(system.x if x is None else x)
    if x.size != system.n:
        raise ValueError(f"x must have {system.n} coordinates; it has {x.size}")
    x = system.constrain(x)
    settings = HybridSettings(
        rms=positive_number("rms", rms),
        steps=whole_number("steps", steps, 1),
        max_step=positive_number("max_step", max_step),
        across_steps=whole_number("across_steps", across_steps, 1),
        tolerance=positive_number("tolerance", tolerance),
        difference=positive_number("difference", difference),
        products=whole_number("products", products, 1),
    )
    rules = rules or default_rules(system)
    guess = np.random.default_rng(seed).normal(size=system.n) if mode is None else np.asarray(mode, dtype=np.float64)
    if guess.shape != (system.n,) or not guess.any():
        raise ValueError(f"mode must be a vector of {system.n} coordinates, not all zero")
    mode = guess.copy()
    energy, norm, taken, calls, status, _ = hybrid_walk(Problem.of(system), rules.packed(), settings, x, mode)
    system.reraise()
    eigenvalues = np.full(2, np.nan)
    if status == Status.CONVERGED:
        status, eigenvalues, mode = _checked(system, x, mode)
    return HybridResult(
        x=x, energy=energy, rms=norm, steps=taken, evaluations=calls, converged=status == Status.CONVERGED,
        reason=Status(status).reason, eigenvalues=eigenvalues, mode=mode,
    )  # fmt: skip


def _checked(system: System, x: np.ndarray, mode: np.ndarray) -> tuple[Status, np.ndarray, np.ndarray]:
    """Return a status by the signs of the two lowest eigenvalues, the eigenvalues, and the lowest one's vector."""
    count = min(2, system.n_free - len(system.null_modes(x)))
    values, vectors = lowest_eigenvalues(system, x, count, guess=mode)
    eigenvalues = np.append(values, np.full(2 - count, np.inf))
    status = Status.CONVERGED if eigenvalues[0] < 0 < eigenvalues[1] else Status.WRONG_INDEX
    if np.abs(eigenvalues).min() < _ZERO * abs(eigenvalues[0]):
        status = Status.ZERO_MODE
    return status, eigenvalues, vectors[0]


def transition_states_large(
    system: System, X: np.ndarray, directions: np.ndarray, rms: float, rules: Rules, steps: int, max_step: float,
    minimise_steps: int, down: Callable[[np.ndarray], np.ndarray] | None = None, *, known: np.ndarray | None = None,
    within: float = 0.0,
) -> TransitionStateResult:  # fmt: skip
    """Find a transition state from every row of X without a Hessian, and both of its minima.

    Of atoms by hybrid eigenvector-following, of all others by :func:`~thalweg.optimizers.krylov.ascent.ascend`. The
    lowest two eigenvalues prove it; products of all eigenvalues are NaN, path lengths are distances.

    Parameters
    ----------
    system : System
    X, directions : ndarray, shape (walkers, n)
        Starts; a row of directions that is not zero is the first guess of the mode.
    rms, rules, steps, max_step, minimise_steps
        As :func:`~thalweg.optimizers.find_transition_states` takes them.
    down : callable, optional
        Takes points (k, n) beside transition states down, all at once; they are finished and proved here.
    known : ndarray, shape (k,), optional
        Energies of known transition states, in ascending order: no minima are looked for there.
    within : float
        How far from a known energy that is.
    """
    count, n = X.shape
    found = [
        _saddle(system, x, direction, rms=rms, rules=rules, steps=steps, max_step=max_step)
        for x, direction in zip(X, directions, strict=True)
    ]
    status = np.array([Status.of(one.reason) for one in found], dtype=np.int64)
    for row, one in enumerate(found):
        if one.converged and known is not None and (np.abs(known - one.energy) <= within).any():
            status[row] = Status.KNOWN
    ends, sides = np.full((count, 2, n), np.nan), np.full((count, 2), np.nan, dtype=_SIDE)
    rows = np.flatnonzero(status == Status.CONVERGED).tolist()
    starts = np.array([found[row].x + sign * _PUSH * found[row].mode for row in rows for sign in (1.0, -1.0)])
    if down is not None and rows:
        starts = down(starts)
    for k, row in enumerate(rows):
        one, pair = found[row], starts[2 * k : 2 * k + 2]
        status[row] = _sides(system, one, pair, rms, rules, minimise_steps, ends[row], sides[row])
    nulls = [len(system.null_modes(one.x)) if np.isfinite(one.x).all() else 0 for one in found]
    modes = np.array([system.n_free - k for k in nulls], dtype=np.int64)
    return TransitionStateResult(
        x=np.array([one.x for one in found]).reshape(count, n),
        energy=np.array([one.energy for one in found]),
        rms=np.array([one.rms for one in found]),
        steps=np.array([one.steps for one in found], dtype=np.int64),
        converged=status == Status.CONVERGED,
        reason=reasons(status),
        lowest_eigenvalue=np.array([one.eigenvalues[0] for one in found]),
        log_eigenvalue_product=np.full(count, np.nan),
        modes=modes - 1,
        minima=ends,
        minima_energy=sides["energy"],
        minima_rms=sides["rms"],
        minima_lowest_eigenvalue=sides["lowest_eigenvalue"],
        minima_log_eigenvalue_product=np.full((count, 2), np.nan),
        minima_modes=np.where(np.isfinite(sides["energy"]), modes[:, None], 0),
        path_lengths=sides["path_length"],
    )


def _saddle(system: System, x: np.ndarray, direction: np.ndarray, **settings: Any) -> HybridResult:
    """Search from x (n,), and while that ends in a minimum again, from further and further along its softest mode."""
    search = _followed if system.atoms is None else _hybrid
    found, steps, evaluations = search(system, x, direction, **settings), 0, 0
    for away in _AWAY[: 1 if search is _hybrid else None]:
        if not found.eigenvalues[0] > SMALLEST_EIGENVALUE:
            break
        steps, evaluations = steps + found.steps, evaluations + found.evaluations
        start = found.x + away * settings["max_step"] * found.mode
        found = search(system, start, found.mode if search is _hybrid else np.zeros(system.n), **settings)
    return replace(found, steps=steps + found.steps, evaluations=evaluations + found.evaluations)


def _hybrid(system: System, x: np.ndarray, direction: np.ndarray, **settings: Any) -> HybridResult:
    """Search from x (n,) by hybrid eigenvector-following; a direction that is not zero is the first guess."""
    return hybrid_eigenvector_following(system, x, mode=direction if direction.any() else None, **settings)


def _followed(
    system: System, x: np.ndarray, direction: np.ndarray, *, rms: float, rules: Rules, steps: int, max_step: float
) -> HybridResult:
    """Search from x (n,) by eigenvector-following with Hessian-vector products, which needs no rules of LBFGS."""
    end = ascend_from_copies(system, x, rms=rms, steps=steps, max_step=max_step)
    if end is None:
        end = ascend(system, x, direction, rms=rms, steps=steps, max_step=max_step)
    return HybridResult(
        x=end.x, energy=end.energy, rms=end.rms, steps=end.steps, evaluations=end.evaluations + 2 * end.products,
        converged=end.status == Status.CONVERGED, reason=end.status.reason, eigenvalues=end.eigenvalues, mode=end.mode,
    )  # fmt: skip


def _sides(
    system: System, saddle: HybridResult, starts: np.ndarray, rms: float, rules: Rules, steps: int, ends: np.ndarray,
    sides: np.ndarray,
) -> Status:  # fmt: skip
    """Minimise from both sides of a transition state: ``ends`` (2, n) and ``sides`` (2,) take what is found."""
    for side in range(2):
        ends[side] = starts[side]
        # units that are merged on the way might take it to the minimum of another valley
        end = large_minimum(system, ends[side], rms, rules, steps, merge=False)
        # without the points on the way the distance is what is known of the path
        distance = np.linalg.norm(ends[side] - saddle.x)
        sides[side] = end.energy, end.rms, end.lowest_eigenvalue, distance
        if end.status != Status.CONVERGED:
            return Status.SIDE_FAILED
        if not end.energy < saddle.energy:
            return Status.SIDE_NOT_BELOW
    return Status.CONVERGED
