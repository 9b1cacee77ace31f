"""Log eigenvalue products of mass-weighted Hessians, from stored vibrational frequencies."""

from __future__ import annotations

import numpy as np
from ase import units
from numpy.typing import NDArray

from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork
from thalweg.landscapes import Landscape
from thalweg.landscapes.views import Minima, TransitionStates
from thalweg.potentials.vibrations.normal_modes import ENERGY_UNIT

__all__ = ["mass_weighted"]


def mass_weighted(network: KineticTransitionNetwork, landscape: Landscape) -> KineticTransitionNetwork | None:
    """Return the network with log eigenvalue products of mass-weighted Hessians, in eV / (angstrom^2 u).

    Parameters
    ----------
    network : KineticTransitionNetwork
        Read from the landscape.
    landscape : Landscape
        Landscape of atoms in eV.

    Returns
    -------
    KineticTransitionNetwork or None
        None where the frequencies of a point are not stored.
    """
    minima = _products(landscape.minima, network.n_minima)
    states = _products(landscape.transition_states, network.n_transition_states)
    if minima is None or states is None:
        return None
    weighted = {"log_eigenvalue_product": minima, "ts_log_eigenvalue_product": states, "motion": None}
    return KineticTransitionNetwork(**network.arguments() | weighted)


def _products(points: Minima | TransitionStates, count: int) -> NDArray[np.float64] | None:
    """Return the sum of the logarithms of the positive eigenvalues of each point, (count,)."""
    products = np.empty(count)
    for row in range(count):
        wavenumbers = points.stored_frequencies(row)
        if wavenumbers is None:
            return None
        products[row] = 2.0 * np.log(wavenumbers[wavenumbers > 0] * units.invcm / ENERGY_UNIT).sum()
    return products
