"""D1's loss: rate of single-ended transition-state searches, and where their time goes.

    OMP_NUM_THREADS=1 pytest -m benchmark -s tests/benchmarks/bench_transition_states.py

Starts are displaced minima of [2,10,4,1000,0.0001]; both sides are minimised to rms 1e-9. Shares are CPU time: clocks
around the potential's compiled functions and around each stage, whose readings travel behind the potential's floats.
"""

from __future__ import annotations

import ctypes
import time
from collections import Counter
from typing import Any

import numba
import numpy as np
import pytest

from thalweg.analysis.systems.named import build, default_options
from thalweg.optimizers import find_transition_states, minimise, transition_states
from thalweg.optimizers.kernels.arguments import FOLLOW_SIGNATURE, WALK_SIGNATURE
from thalweg.optimizers.kernels.eigenvector_following import follow_modes
from thalweg.optimizers.kernels.lbfgs_simd import quick_walk
from thalweg.optimizers.kernels.newton import newton_minimum
from thalweg.optimizers.minimisation import minimum_search
from thalweg.optimizers.rules import default_rules
from thalweg.potentials import System, as_system
from thalweg.potentials.compiled.signatures import FUNCTION_SIGNATURE, HESSIAN_SIGNATURE

pytestmark = pytest.mark.benchmark

WALKERS, SPREAD = 40, 0.3
# readings, from the end of the floats: seconds and calls of each
GRADIENT, HESSIAN, SEARCH, WALK, FINISH = 2, 4, 6, 8, 10
_READINGS = 20

_clock = ctypes.CDLL(None).clock
_clock.restype, _clock.argtypes = ctypes.c_long, []


def _timed(inner: Any, signature: Any, floats: str, reading: int) -> Any:
    """Return a compiled function like ``inner`` that adds its time and calls to the floats among its arguments."""
    names = [f"a{k}" for k in range(len(signature.args))]
    text = (
        f"def timed({', '.join(names)}):\n    began = clock()\n    result = inner({', '.join(names)})\n"
        f"    f = {floats}\n    f[f.size - {reading}] += clock() - began\n"
        f"    f[f.size - {reading - 1}] += 1.0\n    return result\n"
    )
    space = {"inner": inner, "clock": _clock}
    exec(text, space)
    return numba.njit(signature, nogil=True, error_model="numpy")(space["timed"])


def starts(system: System) -> np.ndarray:
    rng = np.random.default_rng(0)
    minima = minimise(system, np.array([system.random(rng) for _ in range(WALKERS)]), second_order=True)
    return minima.x + rng.normal(0, SPREAD, minima.x.shape)


@pytest.fixture(scope="module")
def system() -> System:
    return as_system(build("D1", default_options("D1")).subject)


@pytest.mark.parametrize("threads", [1, 2])
def test_attempts_per_second(system, threads):
    X = starts(system)
    find_transition_states(system, X[:2], threads=threads)
    wall, cpu = [], []
    for _ in range(3):
        began, used = time.perf_counter(), time.process_time()
        found = find_transition_states(system, X, threads=threads)
        wall.append(time.perf_counter() - began)
        cpu.append(time.process_time() - used)
    print(
        f"\n{threads} threads: {WALKERS / min(wall):.1f} attempts a second, {WALKERS / min(cpu):.1f} a CPU second; "
        f"{dict(Counter(found.reason))}, {found.steps.mean():.1f} steps"
    )
    assert found.converged.mean() > 0.8


def _eigenvector_seconds(matrix: np.ndarray) -> float:
    """Return the time of one diagonalisation as the searches do it."""
    diagonalise = numba.njit(lambda a: np.linalg.eigh(a))
    diagonalise(matrix)
    times = []
    for _ in range(5):
        began = time.process_time()
        for _ in range(20):
            diagonalise(matrix)
        times.append((time.process_time() - began) / 20)
    return min(times)


def test_shares(system, monkeypatch):
    X = starts(system)
    search = minimum_search(system, 1e-9, default_rules(system), 10_000)
    floats = np.append(search.problem.floats, np.zeros(_READINGS))
    problem = search.problem._replace(
        function=_timed(search.problem.function, FUNCTION_SIGNATURE, "a3", GRADIENT),
        hessian=_timed(search.problem.hessian, HESSIAN_SIGNATURE, "a3", HESSIAN),
        floats=floats,
    )
    timed = search._replace(
        problem=problem,
        walk=_timed(quick_walk, WALK_SIGNATURE, "a2", WALK),
        finish=_timed(newton_minimum, FOLLOW_SIGNATURE, "a0.floats", FINISH),
    )
    monkeypatch.setattr(transition_states, "minimum_search", lambda *_: timed)
    monkeypatch.setattr(transition_states, "follow_modes", _timed(follow_modes, FOLLOW_SIGNATURE, "a0.floats", SEARCH))
    began = time.process_time()
    found = find_transition_states(system, X, threads=1)
    total = time.process_time() - began
    seconds = {name: floats[-at] / 1e6 for name, at in zip(_NAMES, _PLACES, strict=True)}
    calls = {name: int(floats[1 - at]) for name, at in zip(_NAMES, _PLACES, strict=True)}
    vectors = int(found.steps.sum() + WALKERS) * _eigenvector_seconds(system.hessian(found.x[0]))
    print(f"\n{1e3 * total / WALKERS:.1f} ms an attempt")
    for name in _NAMES:
        print(f"  {name}: {seconds[name] / total:.0%}, {calls[name] / WALKERS:.1f} calls")
    print(f"  eigenvectors of the search: {vectors / total:.0%}")
    print(f"  everything else: {1 - (seconds['gradients'] + seconds['Hessians'] + vectors) / total:.0%}")
    assert 0.9 * total < seconds["to the saddle"] + seconds["downhill, LBFGS"] + seconds["downhill, Newton"] < total


_NAMES = ("gradients", "Hessians", "to the saddle", "downhill, LBFGS", "downhill, Newton")
_PLACES = (GRADIENT, HESSIAN, SEARCH, WALK, FINISH)
