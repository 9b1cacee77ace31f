"""Minimise a batch of walkers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms

from thalweg.optimizers.kernels.arguments import RUN, STATIONARY_POINT, MinimumSearch, Problem
from thalweg.optimizers.kernels.lbfgs import lbfgs_rows, lbfgs_walk
from thalweg.optimizers.kernels.lbfgs_simd import quick_walk
from thalweg.optimizers.kernels.newton import newton_minimum
from thalweg.optimizers.kernels.searches import minimum_rows
from thalweg.optimizers.kernels.status import Status, reasons
from thalweg.optimizers.kinks import FIRST_STEPS, may_have_kinks, with_kinks
from thalweg.optimizers.large_systems import LARGEST_MATRIX, minimise_large
from thalweg.optimizers.missing_minima import may_fall_without_end, with_missing_minima
from thalweg.optimizers.quasi_newton.knowledge import KnownPoints
from thalweg.optimizers.quasi_newton.searches import descents, minima_by_forces, needs_differences
from thalweg.optimizers.results import MinimiseResult
from thalweg.optimizers.rules import ORIGINAL_RULES, Rules, default_rules
from thalweg.potentials.conversion.numeric_options import checked_number, positive_number, whole_number
from thalweg.potentials.point import Point
from thalweg.potentials.protocols import ClassifyingPotential
from thalweg.potentials.system import System, as_system
from thalweg.potentials.threads import map_threads

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from thalweg.potentials.protocols import Subject

__all__ = ["checked_batch", "minimise", "minimum_search"]

# Rms gradients at which second order takes over, by what a Hessian costs
_SWITCH, _LATE_SWITCH = 1e-2, 1e-4
_DEAR = 4.0  # steps of LBFGS that a factor of the Hessian may cost, if second order is to take over that early


def checked_batch(system: System, X: Subject | ArrayLike | None) -> np.ndarray:
    """Return a fresh (walkers, n) float64 array of starts; (n,), (atoms, 3), Atoms or a Point is one walker."""
    if X is None:
        X = system.x
    if isinstance(X, Atoms | Point):
        X = system.coordinates(X, "X")
    X = np.array(X, dtype=np.float64)
    if (X.size == system.n and X.shape[-1] != system.n) or X.ndim == 1:
        X = X.reshape(1, -1)
    elif X.ndim == 3:
        X = X.reshape(len(X), X.shape[1] * X.shape[2])
    if X.ndim != 2 or X.shape[1] != system.n:
        raise ValueError(f"X must have the shape (walkers, {system.n}); its shape is {X.shape}")
    return np.ascontiguousarray(system.constrain(X))


def minimum_search(system: System, rms: float, rules: Rules, steps: int) -> MinimumSearch:
    """Say how compiled searches of a system minimise.

    With a Hessian of our own second order is worth it early; by differences it costs as much as many LBFGS steps, and
    so does its factor where a network has many weights for its data: then it only proves what LBFGS has found.

    Parameters
    ----------
    system : System
    rms : float
        Rms gradient to reach.
    rules : Rules
        Step rules of LBFGS.
    steps : int
        Most LBFGS steps.
    """
    if system.n_free > LARGEST_MATRIX or _factor_in_steps(system) > _DEAR:
        switch = rms
    else:
        switch = _SWITCH if system.threadsafe else (_LATE_SWITCH if system.atoms is None else rms)
    return MinimumSearch(
        problem=Problem.of(system), walk=quick_walk, finish=newton_minimum, rules=rules.packed(),
        switch=float(max(switch, rms)), rms=float(rms), steps=int(steps), hessians=100, max_step=float(rules.max_step),
        push=0.01,
    )  # fmt: skip


def _factor_in_steps(system: System) -> float:
    """Return the cost of a factor of a network's Hessian in steps of LBFGS, by numbers of multiplications.

    It is 0 for other potentials, whose gradients may cost anything.
    """
    if not (system.threadsafe and isinstance(system.potential, ClassifyingPotential)):
        return 0.0
    data, weights = len(getattr(system.potential, "inputs", ())), float(system.n_free)
    gradient, two_loops = 6.0 * data * weights, 4.0 * weights**2
    return weights**3 / 3.0 / (gradient + two_loops) if data else 0.0


def minimise(
    system: Subject | System,
    X: ArrayLike | None = None,
    *,
    rms: float = 1e-9,
    rules: Rules | None = None,
    steps: int = 10_000,
    second_order: bool = False,
    threads: int | None = None,
    known_points: KnownPoints | None = None,
) -> MinimiseResult:
    """Minimise from every row of X.

    Of an ASE calculator every call counts: LBFGS starts from a model of the structure's Hessian there, and one Hessian
    of differences proves each new minimum.

    Parameters
    ----------
    system : ase.Atoms, Point, Weights or System
        What to minimise.
    X : array_like, shape (walkers, n), optional
        Starting points; the system's own coordinates where missing.
    rms : float
        Converged below this rms gradient over the free coordinates, sqrt(g.g / n_free).
    rules : Rules, optional
        Step rules of LBFGS; :func:`default_rules` of the system where missing.
    steps : int
        Most LBFGS steps a walker.
    second_order : bool
        Finish to second order and demand that no Hessian eigenvalue is negative. With more than 500 free
        coordinates no Hessian is made: LBFGS goes all the way and the lowest eigenvalue comes from products.
    threads : int, optional
        Threads over walkers; all processors where missing. Potentials written in Python run on one.
    known_points : KnownPoints, optional
        Minima that are known, in whose basins walkers of ASE calculators end early, to second order; takes in new ones.

    Returns
    -------
    MinimiseResult
        A walker that failed says why and harms no other.

    Raises
    ------
    ValueError
        If X does not fit the system, or rms or steps are not positive.

    Examples
    --------
    >>> from ase import Atoms
    >>> from thalweg.optimizers import minimise
    >>> from thalweg.potentials import LJAT
    >>> atoms = Atoms("Ar3", [[0, 0, 0], [1.2, 0, 0], [0.4, 1.0, 0]], calculator=LJAT(Z=0.0))
    >>> result = minimise(atoms, rms=1e-9)
    >>> print(result.converged[0], f"{result.energy[0]:.6f}")
    True -3.000000
    """
    system = as_system(system)
    X = checked_batch(system, X)
    if not checked_number("rms", rms) > 0 or not checked_number("steps", steps) > 0:
        raise ValueError(f"rms and steps must be positive; they are {rms} and {steps}")
    rms, steps = positive_number("rms", rms), whole_number("steps", steps, 1)
    by_forces = needs_differences(system) and system.n_free <= LARGEST_MATRIX
    if by_forces and (second_order or rules is None):
        max_step = (rules or default_rules(system)).max_step
        result = _by_forces(system, X, rms, max_step, steps, second_order, known_points)
        system.reraise()
        return result
    rules = rules or default_rules(system)
    if second_order and system.n_free > LARGEST_MATRIX:
        result = minimise_large(system, X, rms, rules, steps)
        system.reraise()
        if may_have_kinks(system):
            status = with_kinks(system, np.array([Status.of(reason) for reason in result.reason]), result.x)
            result = replace(result, reason=reasons(status), converged=status == Status.CONVERGED)
        return _without_false_minima(system, result)
    if system.on_gpu(X):
        from thalweg.optimizers.cuda.minimise import minimise_cuda

        result = minimise_cuda(system, X, rms, rules, steps)
        if not second_order:
            return result
        # near its minimum already, each walker is finished and proved on the CPU
        X = result.x
    run = _second_order if second_order else _first_order
    if may_have_kinks(system):
        result = _in_two_goes(run, system, X, rms, rules, steps)
    else:
        result = run(system, X, rms, rules, steps, threads if system.threadsafe else 1)
    system.reraise()
    return _without_false_minima(system, result)


def _without_false_minima(system: System, result: MinimiseResult) -> MinimiseResult:
    """Return the result with walkers as failed that ended where the energy falls without end."""
    if not may_fall_without_end(system):
        return result
    before = np.array([Status.of(reason) for reason in result.reason])
    status = with_missing_minima(system, before, result.x, result.rms, result.lowest_eigenvalue)
    return replace(result, reason=reasons(status), converged=status == Status.CONVERGED)


def _in_two_goes(
    run: Callable[..., MinimiseResult], system: System, X: np.ndarray, rms: float, rules: Rules, steps: int
) -> MinimiseResult:
    """Minimise with few steps first; go on from the start with all where a walker needs them and met no kink."""
    first, starts = min(steps, FIRST_STEPS), X.copy()
    result = run(system, X, rms, rules, first, 1)
    status = with_kinks(system, np.array([Status.of(reason) for reason in result.reason]), result.x)
    if first < steps and (rows := np.flatnonzero(status == Status.TOO_MANY_STEPS)).size:
        again = run(system, starts[rows], rms, rules, steps, 1)
        for name in (field.name for field in fields(again) if isinstance(getattr(again, field.name), np.ndarray)):
            getattr(result, name)[rows] = getattr(again, name)
        codes = np.array([Status.of(reason) for reason in again.reason])
        status[rows] = with_kinks(system, codes, again.x)
    return replace(result, reason=reasons(status), converged=status == Status.CONVERGED)


def _first_order(
    system: System, X: np.ndarray, rms: float, rules: Rules, steps: int, threads: int | None
) -> MinimiseResult:
    """Minimise by LBFGS alone."""
    found, gradients, packed = np.empty(len(X), RUN), np.empty_like(X), rules.packed()
    function, _, integers, floats = system.compiled
    # labels hang on the original programs' order of arithmetic too
    walk = lbfgs_walk if rules == ORIGINAL_RULES else quick_walk

    def work(start: int, stop: int) -> None:
        part = slice(start, stop)
        lbfgs_rows(
            walk, function, integers, floats, system.frozen, packed, rms, steps, X[part], gradients[part], found[part]
        )

    map_threads(work, len(X), threads)
    return MinimiseResult(
        x=X, energy=found["energy"], rms=found["rms"], steps=found["steps"], evaluations=found["evaluations"],
        converged=found["status"] == Status.CONVERGED, reason=reasons(found["status"]),
    )  # fmt: skip


def _by_forces(
    system: System, X: np.ndarray, rms: float, max_step: float, steps: int, second_order: bool,
    known: KnownPoints | None,
) -> MinimiseResult:  # fmt: skip
    """Minimise with as few calls of a calculator as can be."""
    if second_order:
        return _proved(X, minima_by_forces(system, X, rms, max_step, steps, known))
    found = descents(system, X, rms, max_step, steps)
    return MinimiseResult(
        x=X, energy=found["energy"], rms=found["rms"], steps=found["steps"], evaluations=found["evaluations"],
        converged=found["status"] == Status.CONVERGED, reason=reasons(found["status"]),
    )  # fmt: skip


def _second_order(
    system: System, X: np.ndarray, rms: float, rules: Rules, steps: int, threads: int | None
) -> MinimiseResult:
    """Minimise to second order, and prove that every minimum is one."""
    found, search = np.empty(len(X), STATIONARY_POINT), minimum_search(system, rms, rules, steps)

    def work(start: int, stop: int) -> None:
        minimum_rows(search, X[start:stop], found[start:stop])

    map_threads(work, len(X), threads)
    return _proved(X, found)


def _proved(X: np.ndarray, found: np.ndarray) -> MinimiseResult:
    """Return the result of walkers at X from records of STATIONARY_POINT."""
    return MinimiseResult(
        x=X, energy=found["energy"], rms=found["rms"], steps=found["steps"], evaluations=found["steps"],
        converged=found["status"] == Status.CONVERGED, reason=reasons(found["status"]),
        lowest_eigenvalue=found["lowest_eigenvalue"], log_eigenvalue_product=found["log_eigenvalue_product"],
        modes=found["modes"],
    )  # fmt: skip
