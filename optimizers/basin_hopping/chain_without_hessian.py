"""Basin-hopping without a dense Hessian."""

from __future__ import annotations

import math

import numpy as np

from thalweg.optimizers.basin_hopping.chain import BasinHoppingResult
from thalweg.optimizers.kernels.basin_hopping import metropolis
from thalweg.optimizers.minimisation import minimise
from thalweg.optimizers.results import MinimiseResult
from thalweg.optimizers.rules import Rules
from thalweg.potentials.system import System

__all__ = ["large_chain"]


def large_chain(
    system: System,
    x: np.ndarray,
    energy: float | None,
    rng: np.random.Generator,
    *,
    steps: int,
    step: float,
    temperature: float,
    rms: float,
    rules: Rules,
) -> BasinHoppingResult:
    """Displace every free coordinate, minimise, accept or refuse, each quench proved by its lowest eigenvalue.

    Parameters
    ----------
    system : System
    x : (n,) ndarray
        Coordinates where the chain starts.
    energy : float or None
        Energy of x if it is a minimum; None minimises x first, which adds one quench to ``steps``.
    rng : numpy.random.Generator
    steps : int
    step, temperature : float
        Longest displacement of a coordinate, and k_B T of the Metropolis rule.
    rms : float
        Rms gradient of a converged minimum.
    rules : Rules
        Step rules of the minimisations.

    Returns
    -------
    BasinHoppingResult
        Every quench; the products of eigenvalues are NaN.
    """
    here, height = x, math.inf if energy is None else energy
    found: list[MinimiseResult] = []
    accepted = []
    for number in range(steps + (energy is None)):
        noise, chance = np.zeros(system.n), 1.0
        if energy is not None or number:
            noise[system.free], chance = rng.uniform(-step, step, system.n_free), rng.random()
        quench = minimise(system, (here + noise)[None], rms=rms, rules=rules, second_order=True)
        taken = bool(quench.converged[0]) and metropolis(quench.energy[0] - height, temperature, chance)
        if taken:
            here, height = quench.x[0], float(quench.energy[0])
        found.append(quench)
        accepted.append(taken)
    return _result(found, np.array(accepted, dtype=bool), energy is None, here, height, step)


def _result(
    found: list[MinimiseResult], accepted: np.ndarray, fresh: bool, here: np.ndarray, height: float, step: float
) -> BasinHoppingResult:
    """Return the quenches in the form that every chain returns."""

    def all_of(name: str) -> np.ndarray:
        return np.concatenate([getattr(quench, name) for quench in found]) if found else np.zeros(0)

    converged = all_of("converged").astype(bool)
    return BasinHoppingResult(
        x=all_of("x").reshape(len(found), len(here)), energy=all_of("energy"), rms=all_of("rms"),
        steps=all_of("steps").astype(np.int64), converged=converged,
        reason=[reason for quench in found for reason in quench.reason], lowest_eigenvalue=all_of("lowest_eigenvalue"),
        log_eigenvalue_product=all_of("log_eigenvalue_product"), modes=all_of("modes").astype(np.int64),
        proved=converged, accepted=accepted, move=np.where(np.arange(len(found)) < fresh, -1, 0), final_x=here,
        final_energy=height if math.isfinite(height) else math.nan, final_steps=np.array([step]),
    )  # fmt: skip
