"""Minimisation of a large system by LBFGS, and what it comes to."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from thalweg.optimizers.kernels.lbfgs_simd import quick_walk
from thalweg.optimizers.kernels.status import Status
from thalweg.optimizers.rules import Rules
from thalweg.potentials.system import System

__all__ = ["LargeMinimum", "walk"]


class LargeMinimum(NamedTuple):
    """Where a minimisation ended; ``lowest_eigenvalue`` is NaN where it was not computed."""

    energy: float
    rms: float
    steps: int
    evaluations: int
    status: Status
    lowest_eigenvalue: float


def walk(system: System, x: np.ndarray, rms: float, rules: Rules, steps: int) -> tuple[float, float, int, int, Status]:
    """Minimise from x (n,), in place, by LBFGS; return energy, rms gradient, steps, evaluations and status."""
    function, _, integers, floats = system.compiled
    energy, norm, taken, calls, status, _ = quick_walk(
        function, integers, floats, system.frozen, rules.packed(), rms, steps, x, np.empty_like(x),
        np.empty((0, x.size + 1)),
    )  # fmt: skip
    return energy, norm, taken, calls, Status(status)
