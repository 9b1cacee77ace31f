"""Batches of searches for transition states on a GPU; the results are those of the CPU's functions.

The device searches, and minimises on both sides; this machine keeps the list of who is still on the way, and proves:
one Hessian each of what was found, and the last of Newton's steps where its rounding asks for one.
"""

from __future__ import annotations

import numpy as np
from numba import cuda

from thalweg.optimizers.cuda.eigenvector_following import (
    SEARCH_VECTORS,
    SEARCHED,
    climb_kernel,
    first_states,
    relax_kernel,
    searched_states,
)
from thalweg.optimizers.cuda.lbfgs import history_size
from thalweg.optimizers.cuda.lowest_mode import basis_size, small_size
from thalweg.optimizers.cuda.minimise import lbfgs_cuda
from thalweg.optimizers.cuda.null_modes import rigid_bits, rigid_kernel
from thalweg.optimizers.kernels.arguments import STATIONARY_POINT, Problem, SaddleSearch
from thalweg.optimizers.kernels.eigenvector_following import follow_modes
from thalweg.optimizers.kernels.searches import minimum_rows, saddle_rows
from thalweg.optimizers.kernels.status import Status
from thalweg.optimizers.minimisation import minimum_search
from thalweg.optimizers.rules import Rules
from thalweg.potentials.cuda.device import built, device_problem, exclusive, launch, workspace_of
from thalweg.potentials.system import System
from thalweg.potentials.threads import map_threads

__all__ = ["PROOF", "CudaSearch", "down_cuda", "search_cuda", "transition_states_cuda"]

# Most steps across the mode after each along it, in every attempt from a start, as on the CPU
_ACROSS = (20, 8, 3)
# Most Hessian-vector products for a mode
_PRODUCTS = 24
# Diagonalisations for the proof, of which the first is nearly always enough
PROOF = 20
# LBFGS steps from a transition state before a small gradient means a minimum
_AWAY = 10


class CudaSearch:
    """Walkers on the device, and the two or three kernels that take turns on them.

    Parameters
    ----------
    system : System
    X, modes : (walkers, n) starts, and first guesses of the mode.
    rules : Rules
    goals : (rms gradient, most steps, longest step uphill, most steps across the mode)
    tolerance : residual of a mode, relative to its eigenvalue, at which fewer products will do
    """

    def __init__(
        self, system: System, X: np.ndarray, modes: np.ndarray, rules: Rules, goals: tuple[float, ...],
        tolerance: float = 0.01,
    ):  # fmt: skip
        count, n = X.shape
        self.rigid, self.free, self.problem = (
            rigid_bits(system.rigid),
            system.n_free,
            device_problem(system.potential, n),
        )
        most = min(_PRODUCTS, system.n_free)
        nulls = len(system.constant_null_modes) + (6 if self.rigid else 0)
        # the memory holds all steps across a mode
        own = rules.replace(memory=int(goals[3]), signed_curvature=False)
        self.relaxing = self.problem.plan(n, SEARCH_VECTORS * n, history_size(n, own.memory))
        self.climbing = self.problem.plan(
            2 * n, 2 * n, small_size(nulls, most), basis_size(n, nulls, most), product=True
        )
        self.X, self.M, self.G = cuda.to_device(X), cuda.to_device(modes), cuda.device_array(X.shape)
        self.S, self.going = (
            cuda.to_device(first_states(count, goals[2])),
            cuda.to_device(np.ones(count, dtype=np.int64)),
        )
        self.motions = cuda.device_array((count, 6 if self.rigid else 0, n))
        self.constant, self.frozen = cuda.to_device(system.constant_null_modes), cuda.to_device(system.frozen)
        self.rules, self.goals = cuda.to_device(own.packed()), cuda.to_device(np.array([*goals, tolerance, most]))
        self.works = workspace_of(self.relaxing, count), workspace_of(self.climbing, count)

    def relax(self, rows: np.ndarray) -> np.ndarray:
        """Judge the last step of some walkers and minimise across the mode; return which of them go on."""
        arguments = (
            cuda.to_device(rows), self.X, self.G, self.M, self.S, self.going, self.frozen, self.rules, self.goals,
            self.problem.integers, self.problem.floats,
        )  # fmt: skip
        plan = self.relaxing
        kernel = built(relax_kernel, plan.bounds, plan.far, self.problem.gradient)
        launch(kernel, plan, len(rows), arguments, self.works[0])
        return self._still(rows)

    def climb(self, rows: np.ndarray) -> np.ndarray:
        """Find the lowest mode of some walkers and step uphill; return which of them go on."""
        chosen = cuda.to_device(rows)
        if self.rigid:
            shape = min(len(rows), 65_536), min(self.problem.threads, 32)
            rigid_motions = built(rigid_kernel, self.climbing.bounds)[shape]
            rigid_motions(chosen, self.X, self.frozen, self.rigid, self.motions)
        arguments = (
            chosen, self.X, self.G, self.M, self.constant, self.motions, self.S, self.going, self.frozen, self.goals,
            self.problem.integers, self.problem.floats,
        )  # fmt: skip
        plan = self.climbing
        kernel = built(climb_kernel, plan.bounds, plan.far, self.problem.product)
        launch(kernel, plan, len(rows), arguments, self.works[1])
        return self._still(rows)

    def _still(self, rows: np.ndarray) -> np.ndarray:
        return rows[self.going.copy_to_host()[rows] == 1]

    def run(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Let all walkers go to their ends; return points, modes and records as :func:`search_cuda` does."""
        rows = np.arange(len(self.going))
        while rows.size:
            rows = self.relax(rows)
            rows = self.climb(rows) if rows.size else rows
        return self.X.copy_to_host(), self.M.copy_to_host(), searched_states(self.S.copy_to_host(), self.free)


@exclusive
def search_cuda(
    system: System, X: np.ndarray, directions: np.ndarray, rms: float, rules: Rules, steps: int, max_step: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Take the rows of X (walkers, n) to where the gradient vanishes by hybrid eigenvector-following.

    What went up a bowl, or on along an atom that leaves, starts again and relaxes less on its way. The other arguments
    are those of :func:`find_transition_states`; a row of ``directions`` that is not zero is the first guess of the
    mode, which is followed for as long as it is one.

    Returns
    -------
    x, modes : (walkers, n) ndarray
    found : (walkers,) ndarray
        Records of SEARCHED.
    """
    given = directions.any(axis=1, keepdims=True)
    guesses = np.where(given, directions, np.random.default_rng(0).normal(size=system.n))
    x, modes, found = X.copy(), guesses.copy(), np.zeros(len(X), SEARCHED)
    rows = np.arange(len(X))
    for across in _ACROSS:
        before = found["steps"][rows]
        goals = (rms, steps, max_step, across)
        x[rows], modes[rows], found[rows] = CudaSearch(system, X[rows], guesses[rows], rules, goals).run()
        found["steps"][rows] += before
        rows = rows[np.isin(found["status"][rows], (Status.ONLY_POSITIVE_CURVATURE, Status.DIVERGED))]
        if rows.size == 0:
            break
    return x, modes, found


def _proved(
    system: System, x: np.ndarray, searched: np.ndarray, rms: float, max_step: float, threads: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Prove by their Hessians that what converged are transition states; return records and the lowest modes.

    The records are those of STATIONARY_POINT; x is refined in place.
    """
    found = np.zeros(len(x), STATIONARY_POINT)
    for name in SEARCHED.names or ():
        found[name] = searched[name]
    for name in ("lowest_eigenvalue", "log_eigenvalue_product", "path_length"):
        found[name] = np.nan
    modes, rows = np.zeros_like(x), np.flatnonzero(searched["status"] == Status.CONVERGED)
    uphill = SaddleSearch(
        follow=follow_modes, rms=rms, steps=PROOF, max_step=max_step, known=np.empty(0), within=0.0
    )  # fmt: skip
    problem, ends, lowest, proved = Problem.of(system), x[rows], modes[rows], found[rows]

    def work(start: int, stop: int) -> None:
        saddle_rows(uphill, problem, ends[start:stop], lowest[start:stop], proved[start:stop])

    map_threads(work, len(rows), threads)
    proved["steps"] += searched["steps"][rows]
    x[rows], modes[rows], found[rows] = ends, lowest, proved
    return found, modes


def down_cuda(
    system: System, ends: np.ndarray, rms: float, rules: Rules, steps: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Minimise points beside transition states on the device; return where they end, steps and path lengths."""
    # near the transition state the gradient is as small as near a minimum: first a goal that nothing reaches
    ends, away = lbfgs_cuda(system, ends, 1e-300, rules, _AWAY)
    ends, down = lbfgs_cuda(system, ends, rms, rules, steps)
    return ends, away["steps"] + down["steps"], away["path_length"] + down["path_length"]


def _sides(
    system: System, x: np.ndarray, lowest: np.ndarray, modes: np.ndarray, rms: float, rules: Rules, steps: int,
    threads: int | None,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Minimise from both sides of transition states (k, n) with lowest eigenvalues (k,), and prove the ends minima.

    Returns the minima (k, 2, n) and their records (k, 2) of STATIONARY_POINT.
    """
    search = minimum_search(system, rms, rules, steps)
    push = np.clip(np.sqrt(1e-8 / np.abs(lowest)), search.push, 10.0 * search.push)
    step = push[:, None] * modes
    ends, taken, lengths = down_cuda(
        system, np.stack([x + step, x - step], 1).reshape(-1, x.shape[1]), rms, rules, steps
    )
    found = np.empty(len(ends), STATIONARY_POINT)

    def prove(start: int, stop: int) -> None:
        minimum_rows(search, ends[start:stop], found[start:stop])

    map_threads(prove, len(ends), threads)
    found["steps"] += taken.astype(np.int64)
    found["path_length"] += np.repeat(push, 2) + lengths
    return ends.reshape(-1, 2, x.shape[1]), found.reshape(-1, 2)


def transition_states_cuda(
    system: System, X: np.ndarray, directions: np.ndarray, rms: float, rules: Rules, steps: int, max_step: float,
    minimise_steps: int, threads: int | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Find a transition state and both of its minima from every row of X (walkers, n).

    Returns
    -------
    x : (walkers, n) ndarray
    found : (walkers,) ndarray
    ends : (walkers, 2, n) ndarray
    minima : (walkers, 2) ndarray
        As :func:`~thalweg.optimizers.kernels.searches.transition_state_rows` writes them.
    """
    x, _, searched = search_cuda(system, X, directions, rms, rules, steps, max_step)
    found, modes = _proved(system, x, searched, rms, max_step, threads)
    ends, minima = np.full((len(x), 2, x.shape[1]), np.nan), np.zeros((len(x), 2), STATIONARY_POINT)
    for name in ("energy", "rms", "lowest_eigenvalue", "log_eigenvalue_product", "path_length"):
        minima[name] = np.nan
    rows = np.flatnonzero(found["status"] == Status.CONVERGED)
    if rows.size == 0:
        return x, found, ends, minima
    lowest = found["lowest_eigenvalue"][rows]
    ends[rows], minima[rows] = _sides(system, x[rows], lowest, modes[rows], rms, rules, minimise_steps, threads)
    failed = (minima["status"][rows] != Status.CONVERGED).any(axis=1)
    returned = ~(minima["energy"][rows] < found["energy"][rows, None]).all(axis=1)
    found["status"][rows] = np.where(
        failed, Status.SIDE_FAILED, np.where(returned, Status.SIDE_NOT_BELOW, Status.CONVERGED)
    )
    return x, found, ends, minima
