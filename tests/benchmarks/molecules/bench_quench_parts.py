"""Where the time of a quench of LJ13 and LJ38 goes: pairs of atoms, divisions alone, and LBFGS around them.

``python -m tests.benchmarks.molecules.bench_quench_parts`` prints, in nanoseconds of CPU on one core: a pair of atoms
in energy and gradient; a division of four lanes; a reciprocal by AVX-512's approximation and two Newton steps, where
the processor has it; and an evaluation with the step of LBFGS around it. The last is the difference of quenches to rms
gradients of 1e-9 and of 1e-2, so that calls of compiled code from Python do not count. Each is the best of several
rounds.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numba
import numpy as np
from ase import Atoms
from llvmlite import ir
from numba.core import cgutils
from numba.extending import intrinsic

from thalweg.optimizers import minimise
from thalweg.optimizers.kernels.arguments import Problem
from thalweg.optimizers.kernels.lbfgs_simd import quick_walk
from thalweg.optimizers.rules import default_rules
from thalweg.potentials import LJAT, as_system
from thalweg.potentials.compiled.simd import LANES, WIDE_LANES, WIDEST, load, load_wide, store
from thalweg.potentials.ljat.energy import FAST, ljat_function

_STARTS, _ROUNDS = 600, 9


@intrinsic
def _approximate_reciprocal(typingctx, value):
    """Reciprocals of eight doubles with a relative error of 2^-14, an instruction of AVX-512."""

    def codegen(context, builder, sig, arguments):
        kind, mask = arguments[0].type, ir.IntType(8)
        function = ir.FunctionType(kind, [kind, kind, mask])
        called = cgutils.get_or_insert_function(builder.module, function, "llvm.x86.avx512.rcp14.pd.512")
        return builder.call(called, [arguments[0], ir.Constant(kind, [0.0] * WIDE_LANES), ir.Constant(mask, -1)])

    return value(value), codegen


@numba.njit(error_model="numpy", fastmath=FAST)
def _divided(a, b, rounds):
    for _ in range(rounds):
        for k in range(0, a.size, LANES):
            store(b, k, 1.0 / (load(a, k) + load(b, k)))


@numba.njit(error_model="numpy", fastmath=FAST)
def _approximated(a, b, rounds):
    for _ in range(rounds):
        for k in range(0, a.size, WIDE_LANES):
            x = load_wide(a, k) + load_wide(b, k)
            y = _approximate_reciprocal(x)
            y = y * (2.0 - x * y)
            store(b, k, y * (2.0 - x * y))


@numba.njit
def _evaluated(x, gradient, integers, floats, rounds):
    for _ in range(rounds):
        ljat_function(x, gradient, integers, floats)


def best(work: Callable[[], object], rounds: int = 5) -> float:
    """Return the fewest CPU seconds that some work takes."""
    taken = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return min(taken)


def reciprocals() -> None:
    """Print the time of a division, and of a reciprocal by approximation, of as many numbers as LJ38 has pairs."""
    a, b, rounds = np.random.default_rng(0).uniform(1.0, 2.0, 704), np.full(704, 0.1), 20_000
    for name, function in (("division", _divided), ("approximation, two Newton steps", _approximated)):
        if function is _approximated and WIDEST < WIDE_LANES:
            continue
        function(a, b, 1)
        print(f"{name}: {best(lambda function=function: function(a, b, rounds)) / rounds / a.size * 1e9:.2f} ns")


def parts(n: int) -> None:
    """Print the times of a cluster of n atoms."""
    atoms = Atoms(f"Ar{n}", LJAT(Z=0.0).random_coordinates(3 * n, np.random.default_rng(0)).reshape(-1, 3))
    atoms.calc = LJAT(Z=0.0)
    system = as_system(atoms)
    problem, rules, rounds = Problem.of(system), default_rules(system).packed(), 20_000
    x, gradient = minimise(system, system.x).x[0], np.empty(3 * n)
    _evaluated(x, gradient, problem.integers, problem.floats, 1)
    once = best(lambda: _evaluated(x, gradient, problem.integers, problem.floats, rounds)) / rounds
    starts = np.random.default_rng(1).uniform(0.0, 1.1 * n ** (1 / 3), (_STARTS, 3 * n))

    def walks(goal: float) -> int:
        calls = 0
        for start in starts:
            end, trace = start.copy(), np.empty((0, 3 * n + 1))
            calls += quick_walk(
                problem.function, problem.integers, problem.floats, problem.frozen, rules, goal, 10_000, end, gradient,
                trace,
            )[3]  # fmt: skip
        return calls

    more = walks(1e-9) - walks(1e-2)
    rounds_by_turns = [(best(lambda: walks(1e-9), 1), best(lambda: walks(1e-2), 1)) for _ in range(_ROUNDS)]
    long, short = map(min, zip(*rounds_by_turns, strict=True))
    whole = (long - short) / more
    pairs = n * (n - 1) / 2
    print(
        f"LJ{n}: energy and gradient {once * 1e9:.0f} ns, {once / pairs * 1e9:.2f} a pair; with its step of LBFGS "
        f"{whole * 1e9:.0f} ns, of which pairs {once / whole:.0%}"
    )


if __name__ == "__main__":
    reciprocals()
    for size in (13, 38):
        parts(size)
