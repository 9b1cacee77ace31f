"""A chain of quenches with Metropolis acceptance, compiled: no Python between steps."""

from __future__ import annotations

import numba
import numpy as np

from thalweg.optimizers.search_kernel import SYSTEM
from thalweg.potentials.compiled import jit, matrix, vector

__all__ = ["basin_hopping_rows"]

_CONVERGED = 0

# The minimisation comes as a pointer too: called directly it would be compiled again into this function
MINIMISATION = numba.types.FunctionType(numba.void(*SYSTEM, vector, vector, matrix, matrix))


@jit(
    numba.types.UniTuple(numba.float64, 2)(
        MINIMISATION, *SYSTEM, vector, vector,
        numba.float64, numba.float64, numba.float64, matrix, vector, matrix, matrix,
    )
)  # fmt: skip
def basin_hopping_rows(
    minimum_rows, walk, follow, function, hessian, integers, floats, free, frozen, rigid, constant,
    rules, settings, energy, step, temperature, draws, x, X, numbers,
):  # fmt: skip
    """Displace, minimise and accept or refuse, once a row of ``draws``.

    Parameters
    ----------
    minimum_rows : the function of that name, which minimises.
    walk, follow : lbfgs_walk and follow_modes.
    function, hessian, integers, floats, free, frozen, rigid, constant : as a System has them.
    rules, settings : as :func:`minimum_rows` takes them.
    energy : of the chain's minimum; step : largest displacement of a coordinate; temperature : k_B T.
    draws : (rows, free + 1) uniform random numbers in [0, 1), the last one for the acceptance.
    x : (n,) the chain's minimum, overwritten by its last.
    X : (rows, n) takes every minimum; numbers : (rows, 9) what :func:`minimum_rows` writes, and 1 where accepted.

    Returns
    -------
    energy of the chain's last minimum, number of accepted steps
    """
    accepted = 0.0
    quench, result = np.empty((1, x.size)), np.empty((1, 8))
    for row in range(draws.shape[0]):
        for k in range(x.size):
            quench[0, k] = x[k]
        for i in range(free.size):
            quench[0, free[i]] += step * (2.0 * draws[row, i] - 1.0)
        minimum_rows(
            walk,
            follow,
            function,
            hessian,
            integers,
            floats,
            free,
            frozen,
            rigid,
            constant,
            rules,
            settings,
            quench,
            result,
        )
        rise = result[0, 0] - energy
        moves = rise <= 0.0 or (temperature > 0.0 and draws[row, free.size] < np.exp(-rise / temperature))
        moves = moves and result[0, 3] == _CONVERGED
        for k in range(8):
            numbers[row, k] = result[0, k]
        numbers[row, 8] = 1.0 if moves else 0.0
        for k in range(x.size):
            X[row, k] = quench[0, k]
            if moves:
                x[k] = quench[0, k]
        if moves:
            accepted += 1.0
            energy = result[0, 0]
    return energy, accepted
