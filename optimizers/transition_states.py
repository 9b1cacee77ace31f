"""Find transition states, with the two minima that each of them joins, from a batch of starting points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from thalweg.optimizers.eigenvector_following_hybrid import transition_states_large
from thalweg.optimizers.kernels.arguments import STATIONARY_POINT, SaddleSearch
from thalweg.optimizers.kernels.eigenvector_following import follow_modes, follow_modes_nearby
from thalweg.optimizers.kernels.hybrid import climb_and_follow
from thalweg.optimizers.kernels.searches import transition_state_rows
from thalweg.optimizers.kernels.status import Status, reasons
from thalweg.optimizers.kinks import with_kinks
from thalweg.optimizers.large_systems import LARGEST_MATRIX
from thalweg.optimizers.minimisation import checked_batch, minimum_search
from thalweg.optimizers.missing_minima import with_missing_minima
from thalweg.optimizers.quasi_newton.knowledge import KnownPoints
from thalweg.optimizers.quasi_newton.searches import needs_differences, transition_states_by_forces
from thalweg.optimizers.results import TransitionStateResult
from thalweg.optimizers.rules import Rules, default_rules
from thalweg.potentials.conversion.numeric_options import checked_number, positive_number, whole_number
from thalweg.potentials.system import System, as_system
from thalweg.potentials.threads import map_threads

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from thalweg.potentials.protocols import Subject

__all__ = ["LARGEST_FOLLOWED", "find_transition_states"]

# Free coordinates of atoms up to which each step uphill diagonalises a Hessian. Above, gradients climb: of LJ38 a climb
# takes as long as three diagonalisations, and twenty would be needed
LARGEST_FOLLOWED = 36
# Searches of atoms for each call of compiled code: the call itself takes half as long as a search of LJ13
_TOGETHER = 16
_PIECES = 8  # of the searches of each thread: Ctrl-C ends them between two calls


def find_transition_states(
    system: Subject | System,
    X: ArrayLike | None = None,
    *,
    directions: ArrayLike | None = None,
    rms: float = 1e-9,
    rules: Rules | None = None,
    steps: int = 200,
    max_step: float = 0.3,
    minimise_steps: int = 10_000,
    known: ArrayLike | None = None,
    known_within: float = 1e-7,
    threads: int | None = None,
    known_points: KnownPoints | None = None,
    nearby: bool = False,
) -> TransitionStateResult:
    """Follow a Hessian mode uphill from every row of X, then minimise from both sides.

    With more than 500 free coordinates no Hessian is made: the modes come from products of the Hessian with vectors
    (Davidson's method, and conjugate gradients across the mode), for atoms from :func:`hybrid_eigenvector_following`;
    the lowest two eigenvalues prove what is found, and the products of eigenvalues are NaN. On a GPU that method
    searches whatever the size, and Hessians only prove. So they do for an ASE calculator, each of whose calls counts:
    quasi-Newton steps learn the Hessian from the forces met, and differences correct its lowest mode.

    Atoms with 37 to 500 free coordinates and a compiled potential climb by gradients along the lowest mode, as in
    :func:`hybrid_eigenvector_following`; one Hessian at the end proves the transition state. Along a mode of
    ``directions`` every step has a Hessian.

    Parameters
    ----------
    system : ase.Atoms, Point, Weights or System
        What to search.
    X : array_like, shape (walkers, n), optional
        Starting points, such as displaced minima or the images of a band.
    directions : array_like, shape (walkers, n), optional
        Which mode each follows: the one most like its row, from step to step. A row of zeros, and all where missing:
        the lowest mode wherever that is negative.
    rms : float
        Converged below this rms gradient, transition states and minima alike.
    rules : Rules, optional
        Step rules of the minimisations.
    steps : int
        Most steps, with a diagonalisation each, of eigenvector-following.
    max_step : float
        Its longest step at first.
    minimise_steps : int
        Most LBFGS steps on either side.
    known : array_like, shape (k,), optional
        Energies of transition states whose minima are known. What ends at one of them saves the minimisations of
        both sides: it is not converged, and its reason says so. GPUs do all sides.
    known_within : float
        How far from a known energy that is.
    threads : int, optional
        Threads over walkers; all processors where missing.
    known_points : KnownPoints, optional
        What is known of an ASE calculator: minima, in whose basins both sides end early. It takes in what is found.
    nearby : bool
        Whether a search gives up soon, for a transition state close to its start or none: after seven steps in a row
        with no negative curvature instead of 25. Fewer searches succeed, each in a third of the time, and more of them
        end at a transition state of the minimum that they left. Only searches on a CPU that have a Hessian at each
        step heed it.

    Returns
    -------
    TransitionStateResult
        Converged where a stationary point with exactly one negative eigenvalue, null modes aside, was found and
        both sides ended in minima below it.

    Raises
    ------
    ValueError
        If X does not fit the system, rms or steps are not positive, or a known energy is not finite.

    References
    ----------
    L. J. Munro and D. J. Wales, Phys. Rev. B 59 (1999) 3969; D. J. Wales, J. Chem. Phys. 101 (1994) 3750.

    Examples
    --------
    >>> from ase import Atoms
    >>> from thalweg.optimizers import find_transition_states
    >>> from thalweg.potentials import LJAT
    >>> rhombus = [[0, 0, 0], [1.1, 0, 0], [0.55, 0.95, 0.1], [0.55, -0.95, 0]]
    >>> atoms = Atoms("Ar4", rhombus, calculator=LJAT(Z=0.0))
    >>> result = find_transition_states(atoms)
    >>> print(result.converged[0], f"{result.energy[0]:.6f}", result.lowest_eigenvalue[0] < 0)
    True -5.073421 True
    """
    system = as_system(system)
    X = checked_batch(system, X)
    if not checked_number("rms", rms) > 0 or not checked_number("steps", steps) > 0:
        raise ValueError(f"rms and steps must be positive; they are {rms} and {steps}")
    rms, max_step = positive_number("rms", rms), positive_number("max_step", max_step)
    known_within = positive_number("known_within", known_within, zero=True)
    steps, minimise_steps = whole_number("steps", steps, 1), whole_number("minimise_steps", minimise_steps, 1)
    rules = rules or default_rules(system)
    directions = np.zeros_like(X) if directions is None else checked_batch(system, directions)
    if directions.shape != X.shape:
        raise ValueError(f"directions must have the shape of X, {X.shape}; theirs is {directions.shape}")
    on_gpu, energies = system.on_gpu(X), _ascending(known)
    if system.n_free > LARGEST_MATRIX:
        large = _large_on_gpu if on_gpu else partial(transition_states_large, known=energies, within=known_within)
        result = large(system, X, directions, rms, rules, steps, max_step, minimise_steps)
        result = _with_causes(system, result)
    else:
        search: Callable[..., tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]
        search = partial(_on_cpu, known=energies, within=known_within, nearby=nearby)
        if needs_differences(system):
            search = partial(_by_forces, known=energies, within=known_within, points=known_points)
        if on_gpu:
            from thalweg.optimizers.cuda.transition_states import transition_states_cuda as search
        threads = threads if system.threadsafe else 1
        X, found, ends, minima = search(system, X, directions, rms, rules, steps, max_step, minimise_steps, threads)
        found["status"] = with_kinks(system, found["status"], X, ends)
        found["status"] = with_missing_minima(system, found["status"], X, ends=ends)
        result = _result(X, found, ends, minima)
    system.reraise()
    return result


def _with_causes(system: System, result: TransitionStateResult) -> TransitionStateResult:
    """Return the result of a large system with the failures said that kinks and losses without minima cause."""
    before = np.array([Status.of(reason) for reason in result.reason])
    status = with_kinks(system, before, result.x, result.minima)
    status = with_missing_minima(system, status, result.x, ends=result.minima)
    return replace(result, reason=reasons(status), converged=status == Status.CONVERGED)


def _ascending(known: ArrayLike | None) -> np.ndarray:
    """Return known energies in ascending order."""
    energies = np.sort(np.asarray(() if known is None else known, dtype=np.float64).ravel())
    if not np.isfinite(energies).all():
        raise ValueError("known energies must be finite")
    return energies


def _large_on_gpu(
    system: System, X: np.ndarray, directions: np.ndarray, rms: float, rules: Rules, steps: int, max_step: float,
    minimise_steps: int,
) -> TransitionStateResult:  # fmt: skip
    """Let the device search and minimise, and prove what it found as :func:`transition_states_large` does."""
    from thalweg.optimizers.cuda.transition_states import PROOF, down_cuda, search_cuda

    x, modes, searched = search_cuda(system, X, directions, rms, rules, steps, max_step)

    def down(ends: np.ndarray) -> np.ndarray:
        return down_cuda(system, ends, rms, rules, minimise_steps)[0]

    result = transition_states_large(system, x, modes, rms, rules, PROOF, max_step, minimise_steps, down)
    return replace(result, steps=result.steps + searched["steps"])


def _by_forces(
    system: System, X: np.ndarray, directions: np.ndarray, rms: float, rules: Rules, steps: int, max_step: float,
    minimise_steps: int, threads: int | None, *, known: np.ndarray, within: float, points: KnownPoints | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Return what :func:`_on_cpu` returns, with as few calls of a calculator as can be."""
    return transition_states_by_forces(
        system, X, directions, rms, max_step=rules.max_step, steps=steps, longest=max_step,
        minimise_steps=minimise_steps, energies=known, within=within, known=points,
    )  # fmt: skip


def _on_cpu(
    system: System, X: np.ndarray, directions: np.ndarray, rms: float, rules: Rules, steps: int, max_step: float,
    minimise_steps: int, threads: int | None, *, known: np.ndarray, within: float, nearby: bool,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Return points, records, ends and their records as :func:`transition_state_rows` writes them."""
    count, n = X.shape
    found, ends, minima = (
        np.empty(count, STATIONARY_POINT),
        np.empty((count, 2, n)),
        np.empty((count, 2), STATIONARY_POINT),
    )
    climbs = system.atoms is not None and system.n_free > LARGEST_FOLLOWED
    usual = follow_modes_nearby if nearby else follow_modes
    uphill = SaddleSearch(
        follow=climb_and_follow if climbs else usual, rms=float(rms), steps=int(steps),
        max_step=float(max_step), known=known, within=float(within),
    )  # fmt: skip
    downhill = minimum_search(system, rms, rules, minimise_steps)

    def work(start: int, stop: int) -> None:
        part = slice(start, stop)
        transition_state_rows(uphill, downhill, directions[part], X[part], found[part], ends[part], minima[part])

    few = threads == 1 and system.atoms is not None
    map_threads(work, count, threads, min(_PIECES, max(1, count // _TOGETHER)) if few else _PIECES)
    return X, found, ends, minima


def _result(X: np.ndarray, found: np.ndarray, ends: np.ndarray, minima: np.ndarray) -> TransitionStateResult:
    return TransitionStateResult(
        x=X, energy=found["energy"], rms=found["rms"], steps=found["steps"],
        converged=found["status"] == Status.CONVERGED, reason=reasons(found["status"]),
        lowest_eigenvalue=found["lowest_eigenvalue"], log_eigenvalue_product=found["log_eigenvalue_product"],
        modes=found["modes"], minima=ends, minima_energy=minima["energy"], minima_rms=minima["rms"],
        minima_lowest_eigenvalue=minima["lowest_eigenvalue"],
        minima_log_eigenvalue_product=minima["log_eigenvalue_product"], minima_modes=minima["modes"],
        path_lengths=minima["path_length"],
    )  # fmt: skip
