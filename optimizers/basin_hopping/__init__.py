"""Basin-hopping chains, moves and parallel tempering; the Metropolis criterion is in ``kernels/basin_hopping``."""

from thalweg.potentials.lazy import lazy_names

# Pickles written while this package was a module find its names here
__getattr__, __dir__ = lazy_names(__name__, {"BasinHopping": "dynamics"})
