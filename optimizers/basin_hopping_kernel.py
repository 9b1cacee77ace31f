"""A chain of quenches with Metropolis acceptance, compiled: no Python between steps."""

from __future__ import annotations

import numba
import numpy as np

from thalweg.optimizers.search_kernel import proved_minimum
from thalweg.potentials.compiled import FUNCTION, HESSIAN, floats, integers, jit, matrix, vector

__all__ = ["basin_hopping_rows"]

_CONVERGED = 0


@jit(
    numba.types.UniTuple(numba.float64, 2)(
        FUNCTION, HESSIAN, integers, floats, integers, integers, numba.int64, matrix,
        vector, vector, numba.float64, numba.float64, numba.float64, matrix, vector, matrix, matrix,
    )
)  # fmt: skip
def basin_hopping_rows(
    function, hessian, integers, floats, free, frozen, rigid, constant,
    rules, settings, energy, step, temperature, draws, x, X, numbers,
):  # fmt: skip
    """Displace, minimise and accept or refuse, once a row of ``draws``.

    Parameters
    ----------
    function, hessian, integers, floats, free, frozen, rigid, constant : as a System has them.
    rules, settings : as :func:`proved_minimum` takes them.
    energy : of the chain's minimum; step : largest displacement of a coordinate; temperature : k_B T.
    draws : (rows, free + 1) uniform random numbers in [0, 1), the last one for the acceptance.
    x : (n,) the chain's minimum, overwritten by its last.
    X : (rows, n) takes every minimum; numbers : (rows, 9) what :func:`proved_minimum` returns, and 1 where accepted.

    Returns
    -------
    energy of the chain's last minimum, number of accepted steps
    """
    accepted = 0.0
    for row in range(draws.shape[0]):
        X[row] = x
        for i in range(free.size):
            X[row, free[i]] += step * (2.0 * draws[row, i] - 1.0)
        result = proved_minimum(
            function, hessian, integers, floats, free, frozen, rigid, constant, rules, settings, X[row]
        )
        numbers[row, 0], numbers[row, 1], numbers[row, 2], numbers[row, 3] = result[0], result[1], result[2], result[3]
        numbers[row, 4], numbers[row, 5], numbers[row, 6], numbers[row, 7] = result[4], result[5], result[6], result[7]
        numbers[row, 8] = 0.0
        if result[3] != _CONVERGED:
            continue
        rise = result[0] - energy
        if rise <= 0.0 or (temperature > 0.0 and draws[row, free.size] < np.exp(-rise / temperature)):
            numbers[row, 8] = 1.0
            accepted += 1.0
            energy = result[0]
            x[:] = X[row]
    return energy, accepted
