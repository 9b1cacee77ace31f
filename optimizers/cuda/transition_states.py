"""Batches of searches for transition states on a GPU; the results are those of the CPU's functions.

The device searches, and minimises on both sides; this machine keeps the list of who is still on the way, and proves:
one Hessian each of what was found, and the last of Newton's steps where its rounding asks for one.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numba import cuda

from thalweg.optimizers.cuda.eigenvector_following import (
    SEARCH_VECTORS,
    climb_kernel,
    first_states,
    relax_kernel,
    state_numbers,
)
from thalweg.optimizers.cuda.lbfgs import history_size
from thalweg.optimizers.cuda.lowest_mode import basis_size, small_size
from thalweg.optimizers.cuda.minimise import lbfgs_cuda
from thalweg.optimizers.cuda.null_modes import rigid_kernel
from thalweg.optimizers.kernels.eigenvector_following import follow_modes
from thalweg.optimizers.kernels.searches import minimum_rows
from thalweg.optimizers.large_systems import transition_states_large
from thalweg.optimizers.minimisation import minimum_settings, system_arguments
from thalweg.optimizers.results import TransitionStateResult
from thalweg.optimizers.rules import Rules
from thalweg.potentials.cuda.device import built, device_problem, exclusive, launch, workspace_of
from thalweg.potentials.system import System
from thalweg.potentials.threads import map_threads

__all__ = ["CudaSearch", "search_cuda", "transition_states_cuda", "transition_states_large_cuda"]

_CONVERGED, _SIDE_FAILED, _SIDE_RETURNED, _BOWL, _ENDLESS = 0, 6, 7, 8, 9
# Most steps across the mode after each along it, in every attempt from a start, as on the CPU
_ACROSS = (20, 8, 3)
# Most Hessian-vector products for a mode
_PRODUCTS = 24
# Diagonalisations for the proof, of which the first is nearly always enough
_PROOF = 20
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
        self.rigid, self.free, self.problem = system.rigid, system.n_free, device_problem(system.potential, n)
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
        launch(built(relax_kernel, self.problem.gradient), self.relaxing, len(rows), arguments, self.works[0])
        return self._still(rows)

    def climb(self, rows: np.ndarray) -> np.ndarray:
        """Find the lowest mode of some walkers and step uphill; return which of them go on."""
        chosen = cuda.to_device(rows)
        if self.rigid:
            rigid_motions = built(rigid_kernel)[min(len(rows), 65_536), min(self.problem.threads, 32)]
            rigid_motions(chosen, self.X, self.frozen, self.rigid, self.motions)
        arguments = (
            chosen, self.X, self.G, self.M, self.constant, self.motions, self.S, self.going, self.frozen, self.goals,
            self.problem.integers, self.problem.floats,
        )  # fmt: skip
        launch(built(climb_kernel, self.problem.product), self.climbing, len(rows), arguments, self.works[1])
        return self._still(rows)

    def _still(self, rows: np.ndarray) -> np.ndarray:
        return rows[self.going.copy_to_host()[rows] == 1]

    def run(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Let all walkers go to their ends; return points, modes and numbers as :func:`search_cuda` does."""
        rows = np.arange(len(self.going))
        while rows.size:
            rows = self.relax(rows)
            rows = self.climb(rows) if rows.size else rows
        return self.X.copy_to_host(), self.M.copy_to_host(), state_numbers(self.S.copy_to_host(), self.free)


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
    x, modes : (walkers, n)
    numbers : (walkers, 4), energy, rms, steps and status.
    """
    given = directions.any(axis=1, keepdims=True)
    guesses = np.where(given, directions, np.random.default_rng(0).normal(size=system.n))
    x, modes, numbers = X.copy(), guesses.copy(), np.zeros((len(X), 4))
    rows = np.arange(len(X))
    for across in _ACROSS:
        before = numbers[rows, 2]
        goals = (rms, steps, max_step, across)
        x[rows], modes[rows], numbers[rows] = CudaSearch(system, X[rows], guesses[rows], rules, goals).run()
        numbers[rows, 2] += before
        rows = rows[np.isin(numbers[rows, 3], (_BOWL, _ENDLESS))]
        if rows.size == 0:
            break
    return x, modes, numbers


def _proved(
    system: System, x: np.ndarray, numbers: np.ndarray, rms: float, max_step: float, threads: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Prove by their Hessians that what converged are transition states; return all numbers, and the lowest modes.

    The numbers are those of :func:`~thalweg.optimizers.kernels.searches.transition_state_rows`; x is refined in place.
    """
    found = np.full((len(x), 7), np.nan)
    found[:, :4], found[:, 6] = numbers, 0.0
    modes, rows = np.zeros_like(x), np.flatnonzero(numbers[:, 3] == _CONVERGED)
    arguments = system_arguments(system)[2:]

    def work(start, stop):
        for row in rows[start:stop]:
            energy, norm, steps, *rest = follow_modes(*arguments, 1, rms, _PROOF, max_step, x[row], modes[row])
            found[row] = energy, norm, numbers[row, 2] + steps, *rest

    map_threads(work, len(rows), threads)
    return found, modes


def _down(
    system: System, ends: np.ndarray, rms: float, rules: Rules, steps: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Minimise points beside transition states on the device; return where they end, steps and path lengths."""
    # near the transition state the gradient is as small as near a minimum: first a goal that nothing reaches
    ends, away = lbfgs_cuda(system, ends, 1e-300, rules, _AWAY)
    ends, down = lbfgs_cuda(system, ends, rms, rules, steps)
    return ends, away[:, 2] + down[:, 2], away[:, 5] + down[:, 5]


def _sides(
    system: System, x: np.ndarray, lowest: np.ndarray, modes: np.ndarray, rms: float, rules: Rules, steps: int,
    threads: int | None,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Minimise from both sides of transition states (k, n) with lowest eigenvalues (k,), and prove the ends minima.

    Returns the minima (k, 2, n) and their numbers (k, 2, 8).
    """
    settings = minimum_settings(system, rms, steps, rules.max_step)
    push = np.clip(np.sqrt(1e-8 / np.abs(lowest)), settings[5], 10.0 * settings[5])
    step = push[:, None] * modes
    ends, taken, lengths = _down(system, np.stack([x + step, x - step], 1).reshape(-1, x.shape[1]), rms, rules, steps)
    numbers, arguments, packed = np.empty((len(ends), 8)), system_arguments(system), rules.packed()

    def prove(start, stop):
        minimum_rows(*arguments, packed, settings, ends[start:stop], numbers[start:stop])

    map_threads(prove, len(ends), threads)
    numbers[:, 2] += taken
    numbers[:, 7] += np.repeat(push, 2) + lengths
    return ends.reshape(-1, 2, x.shape[1]), numbers.reshape(-1, 2, 8)


def transition_states_cuda(
    system: System, X: np.ndarray, directions: np.ndarray, rms: float, rules: Rules, steps: int, max_step: float,
    minimise_steps: int, threads: int | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Find a transition state and both of its minima from every row of X (walkers, n).

    Returns
    -------
    x : (walkers, n); numbers : (walkers, 7); ends : (walkers, 2, n); end_numbers : (walkers, 2, 8)
        As :func:`~thalweg.optimizers.kernels.searches.transition_state_rows` writes them.
    """
    x, _, searched = search_cuda(system, X, directions, rms, rules, steps, max_step)
    numbers, modes = _proved(system, x, searched, rms, max_step, threads)
    ends, end_numbers = np.full((len(x), 2, x.shape[1]), np.nan), np.full((len(x), 2, 8), np.nan)
    rows = np.flatnonzero(numbers[:, 3] == _CONVERGED)
    if rows.size == 0:
        return x, numbers, ends, end_numbers
    ends[rows], found = _sides(system, x[rows], numbers[rows, 4], modes[rows], rms, rules, minimise_steps, threads)
    end_numbers[rows] = found
    failed = (found[:, :, 3] != _CONVERGED).any(axis=1)
    returned = ~(found[:, :, 0] < numbers[rows, :1]).all(axis=1)
    numbers[rows, 3] = np.where(failed, _SIDE_FAILED, np.where(returned, _SIDE_RETURNED, _CONVERGED))
    return x, numbers, ends, end_numbers


def transition_states_large_cuda(
    system: System, X: np.ndarray, directions: np.ndarray, rms: float, rules: Rules, steps: int, max_step: float,
    minimise_steps: int,
) -> TransitionStateResult:  # fmt: skip
    """As :func:`~thalweg.optimizers.large_systems.transition_states_large`, which proves what the device finds."""
    x, modes, searched = search_cuda(system, X, directions, rms, rules, steps, max_step)

    def down(ends: np.ndarray) -> np.ndarray:
        return _down(system, ends, rms, rules, minimise_steps)[0]

    result = transition_states_large(system, x, modes, rms, rules, _PROOF, max_step, minimise_steps, down)
    return replace(result, steps=result.steps + searched[:, 2].astype(np.int64))
