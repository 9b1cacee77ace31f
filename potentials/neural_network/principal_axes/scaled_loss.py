"""Compiled loss of a network by scaled weights.

`floats` are those of the network with the scale of every weight behind them.
"""

from __future__ import annotations

import numpy as np

from thalweg.potentials.compiled.signatures import FUNCTION_SIGNATURE, jit
from thalweg.potentials.neural_network.energy import network_function

__all__ = ["scaled_network_function"]


@jit(FUNCTION_SIGNATURE)
def scaled_network_function(x, gradient, integers, floats):
    """Return the loss at the weights x times their scale, with its L2 term; write its gradient by x."""
    size, w = floats.size - x.size, np.empty(x.size)
    for i in range(x.size):
        w[i] = floats[size + i] * x[i]
    energy = network_function(w, gradient, integers, floats[:size])
    for i in range(x.size):
        gradient[i] *= floats[size + i]
    return energy
