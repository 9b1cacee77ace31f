"""Beside pele 0.1.2, GMIN and OPTIM: one table of rates per CPU second, ours, theirs and the ratio.

    THALWEG_PELE_PYTHON=pelevenv/bin/python THALWEG_PYLFL=.../pylfl/bin/linux \\
        pytest -m benchmark -s tests/benchmarks/peers/bench_peers.py

All from the same starts, on one core each, ours compiled before, in the same run; rounds alternate and the best of each
counts (of eight where a round takes less than a second), which on a shared machine is the fairest. A peer that is not
there is a row that says so. Basin-hopping of clusters beside GMIN: bench_basin_hopping.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from thalweg.analysis.systems.named import build, default_options
from thalweg.optimizers import basin_hopping_steps, find_transition_states, minimise
from thalweg.potentials import LJAT, System, as_system

from .programs import binaries, pele, run_gmin_loss, run_optim, run_pele

pytestmark = pytest.mark.benchmark

ROUNDS, QUICK_ROUNDS = 2, 8
_NO_PELE = "THALWEG_PELE_PYTHON names no interpreter"
_NO_PYLFL = "THALWEG_PYLFL names no folder with GMIN and OPTIM"

Timed = tuple[float, float]  # rate per CPU second, share of successes


@pytest.fixture(scope="module")
def table():
    rows: list[str] = []
    yield rows
    print("\n\n| work | ours, a CPU second (success) | theirs | ratio | asked |\n|---|---|---|---|---|")
    print("\n".join(rows))


@pytest.fixture(scope="module")
def loss_system() -> System:
    return as_system(build("D1", default_options("D1")).subject)


def lennard_jones(atoms: int, walkers: int) -> tuple[System, np.ndarray]:
    """Return the system and random starts."""
    calculator, rng = LJAT(Z=0.0), np.random.default_rng(0)
    X = np.array([calculator.random_coordinates(3 * atoms, rng) for _ in range(walkers)])
    return as_system(Atoms(f"Ar{atoms}", positions=X[0].reshape(-1, 3), calculator=calculator)), X


def displaced_minima(system: System, X: np.ndarray, sizes: float, normal: bool) -> np.ndarray:
    """Minimise X and displace every minimum at random."""
    rng = np.random.default_rng(1)
    minima = minimise(system, X, second_order=True, threads=1)
    shape = minima.x.shape
    return minima.x + (rng.normal(0, sizes, shape) if normal else rng.uniform(-sizes, sizes, shape))


def ours(count: int, work: Callable[[], np.ndarray]) -> Timed:
    began = time.process_time()
    done = work()
    return count / (time.process_time() - began), float(np.mean(done))


def beside(
    table: list[str], what: str, asked: float, missing: str | None, mine: Callable[[], Timed],
    peer: Callable[[], Timed], rounds: int = ROUNDS,
) -> None:  # fmt: skip
    """Time both in alternation, and add a row."""
    mine()  # whatever is still to be compiled or loaded
    mine_best, peer_best = mine(), (0.0, 0.0)
    for _ in range(rounds if missing is None else 0):
        peer_best = max(peer_best, peer())
        mine_best = max(mine_best, mine())
    said = f"{mine_best[0]:.4g} ({100 * mine_best[1]:.0f} %)"
    if missing is not None:
        table.append(f"| {what} | {said} | {missing} | | {asked:g} |")
        pytest.skip(missing)
    ratio = mine_best[0] / peer_best[0]
    table.append(f"| {what} | {said} | {peer_best[0]:.4g} ({100 * peer_best[1]:.0f} %) | {ratio:.1f} | {asked:g} |")


def from_pele(X: np.ndarray, what: str, folder: Path) -> Timed:
    seconds, done = run_pele(X, what, folder)
    return len(done) / seconds, float(np.mean(done))


@pytest.mark.parametrize(("atoms", "walkers"), [(13, 1000), (38, 150)])
def test_quenches(table, tmp_path, atoms, walkers):
    system, X = lennard_jones(atoms, walkers)
    beside(
        table, f"LJ{atoms} quenches to 1e-6, pele", 3, None if pele() else _NO_PELE,
        lambda: ours(walkers, lambda: minimise(system, X, rms=1e-6, threads=1).converged),
        lambda: from_pele(X, "quenches", tmp_path), QUICK_ROUNDS,
    )  # fmt: skip


@pytest.mark.parametrize(("atoms", "walkers"), [(13, 40_000), (38, 10_000)])
def test_energy_and_gradient_calls(table, tmp_path, atoms, walkers):
    system, X = lennard_jones(atoms, walkers)
    beside(
        table, f"LJ{atoms} energy and gradient, pele", 3, None if pele() else _NO_PELE,
        lambda: ours(walkers, lambda: np.isfinite(system.energies_gradients(X, threads=1)[0])),
        lambda: from_pele(X, "calls", tmp_path), QUICK_ROUNDS,
    )  # fmt: skip


def ts_searches(system: System, X: np.ndarray, rms: float = 1e-9) -> Timed:
    return ours(len(X), lambda: find_transition_states(system, X, rms=rms, threads=1).converged)


def test_lj13_transition_states_beside_pele(table, tmp_path):
    system, X = lennard_jones(13, 100)
    X = displaced_minima(system, X, 0.2, normal=False)
    beside(
        table, "LJ13 transition states, both sides, pele to 1e-6", 8, None if pele() else _NO_PELE,
        lambda: ts_searches(system, X), lambda: from_pele(X, "searches", tmp_path),
    )  # fmt: skip


def from_optim(X: np.ndarray, folder: Path, loss=None) -> Timed:
    seconds, done = run_optim(X, folder, loss)
    return len(done) / seconds, float(np.mean(done))


def test_lj13_transition_states_beside_optim(table, tmp_path):
    system, X = lennard_jones(13, 100)
    X = displaced_minima(system, X, 0.2, normal=False)
    beside(
        table, "LJ13 transition states, both sides to 1e-9, OPTIM", 3, None if binaries() else _NO_PYLFL,
        lambda: ts_searches(system, X), lambda: from_optim(X, tmp_path),
    )  # fmt: skip


def test_loss_minima_beside_gmin(table, tmp_path, loss_system):
    steps, loss = 20, loss_system.potential

    def mine() -> Timed:
        rng = np.random.default_rng(0)
        return ours(steps + 1, lambda: basin_hopping_steps(
            loss_system, loss_system.x, None, rng, steps, 1.0, 2.0, rms=1e-9, moves=None).converged)  # fmt: skip

    def theirs() -> Timed:
        seconds, _ = run_gmin_loss(loss, loss_system.x, steps, tmp_path)
        # steps and the first quench; that each converged is not said
        return (steps + 1) / seconds, 1.0

    missing = None if binaries() else _NO_PYLFL
    beside(table, "D1's loss, minima to 1e-9, GMIN", 10, missing, mine, theirs)


def test_loss_transition_states_beside_optim(table, tmp_path, loss_system):
    starts = np.array([loss_system.random(np.random.default_rng(seed)) for seed in range(10)])
    X = displaced_minima(loss_system, starts, 0.3, normal=True)
    beside(
        table, "D1's loss, transition states, both sides to 1e-9, OPTIM", 8, None if binaries() else _NO_PYLFL,
        lambda: ts_searches(loss_system, X), lambda: from_optim(X, tmp_path, loss_system.potential),
    )  # fmt: skip
