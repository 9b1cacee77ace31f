"""Measures of energies, barriers, funnels and frustration that mean the same for molecules and networks.

Every measure is defined, with its source, in docs/compare.md.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq

from thalweg.analysis.kinetics.thermodynamics import Thermodynamics
from thalweg.analysis.networks.basins import escape_energies, monotonic_basins
from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork
from thalweg.analysis.networks.lowest_barrier_paths import lowest_paths_from
from thalweg.analysis.networks.parts.selection import cut

__all__ = [
    "band",
    "barriers",
    "connected_part",
    "energies_from",
    "energy_measures",
    "frustration",
    "frustration_terms",
    "funnel_measures",
    "half_temperature",
    "lowest_connected",
]

_EQUAL = 1e-9  # energies this near to the lowest, in units of the band, are that of the global minimum


def connected_part(network: KineticTransitionNetwork) -> KineticTransitionNetwork:
    """Return the component of the global minimum as a network of its own.

    Transition states that join a minimum with itself are left out.

    Parameters
    ----------
    network : KineticTransitionNetwork
        With at least one minimum.
    """
    label = network.component_labels
    kept = label == label[network.global_minimum]
    return cut(network, kept, kept[network.ts_minima].all(axis=1) & network.joining)


def lowest_connected(network: KineticTransitionNetwork, count: int | None) -> np.ndarray:
    """Return whether each of the lowest minima is connected to the lowest of all, (count,) of bool, rising in energy.

    Parameters
    ----------
    network : KineticTransitionNetwork
        With at least one minimum.
    count : int or None
        Number of the lowest minima; all where None or where there are fewer.
    """
    lowest, labels = np.argsort(network.energies, kind="stable")[:count], network.component_labels
    return np.asarray(labels[lowest] == labels[network.global_minimum])


def band(network: KineticTransitionNetwork) -> float:
    """Return the highest less the lowest energy of the minima: the unit of energy in comparisons."""
    return float(np.ptp(network.energies))


def barriers(network: KineticTransitionNetwork) -> tuple[np.ndarray, np.ndarray]:
    """Return the uphill and downhill barriers of the transition states that join two minima, (k,) each.

    Uphill from the lower of the two minima, downhill from the higher; none is negative.
    """
    joining = network.joining
    energy, sides = network.joining_energies[joining], network.energies[network.ts_minima[joining]]
    return energy - sides.min(axis=1), energy - sides.max(axis=1)


def energies_from(network: KineticTransitionNetwork, source: int) -> np.ndarray:
    """Return the highest energy on the lowest-barrier path from one minimum to each other, (n,).

    Its own energy at the source; infinite where no path leads.
    """
    highest = lowest_paths_from(network, source).barrier
    highest[source] = network.energies[source]
    return highest


def energy_measures(network: KineticTransitionNetwork) -> dict[str, float]:
    """Return lowest energy, band, scaled barriers and roughness of a connected network."""
    width = band(network)
    uphill, downhill = barriers(network)
    steps = uphill - downhill  # by how much the two minima differ
    mean_step = float(steps.mean())
    return {
        "lowest energy": float(network.energies.min()),
        "band": width,
        "uphill barrier / band": _ratio(float(np.median(uphill)), width),
        "downhill barrier / band": _ratio(float(np.median(downhill)), width),
        "roughness": _ratio(float(downhill.mean()), mean_step),
    }


def funnel_measures(network: KineticTransitionNetwork, unit: float | None = None) -> dict[str, float]:
    """Return numbers and depths of the funnels of a connected network, in units of the band or of another energy."""
    width, lowest = band(network) if unit is None else unit, network.global_minimum
    bottom = monotonic_basins(network)
    bottoms = np.unique(bottom)
    others = bottoms[bottoms != lowest]
    depth = (escape_energies(network) - network.energies)[others]
    top = energies_from(network, lowest)[others]
    return {
        "funnels": float(len(bottoms)),
        "minima in the main funnel": float((bottom == lowest).mean()),
        "depth of the main funnel / band": _ratio(float((top - network.energies[lowest]).min(initial=np.inf)), width),
        "depth of the deepest other / band": _ratio(float(depth.max(initial=-np.inf)), width),
    }


def _ratio(value: float, unit: float) -> float:
    return value / unit if unit > 0 and np.isfinite(value) else float("nan")


def half_temperature(network: KineticTransitionNetwork) -> float:
    """Return the lowest temperature at which the global minimum is occupied half of the time.

    By the harmonic superposition approximation; NaN if there is none below ten times the band.

    Raises
    ------
    ValueError
        If log eigenvalue products are missing.
    """
    lowest, width = network.global_minimum, band(network)

    def excess(log_temperature: float) -> float:
        return float(Thermodynamics(network, [np.exp(log_temperature)]).occupation[0, lowest]) - 0.5

    if width <= 0:
        Thermodynamics(network, [1.0])  # so that what is missing is named all the same
        return float("nan")
    before = None
    for log_temperature in np.log(width) + np.linspace(np.log(1e-4), np.log(10), 60):
        if excess(log_temperature) < 0:
            if before is None:  # another minimum has all but the same energy
                return float("nan")
            return float(np.exp(brentq(excess, before, log_temperature, xtol=1e-10)))
        before = log_temperature
    return float("nan")


def frustration(network: KineticTransitionNetwork, temperature: float | None = None) -> float:
    """Return the frustration index of a connected network.

    The mean over all minima but the global one of the barrier towards the global minimum over the difference in
    energy from it, (E_top - E_i) / (E_i - E_gm): with E_top the highest energy on the lowest-barrier path.

    Parameters
    ----------
    network : KineticTransitionNetwork
    temperature : float, optional
        Minima are weighted with their harmonic occupation probabilities at this temperature, the global minimum
        left out; equally by default.

    Notes
    -----
    V. K. de Souza, J. D. Stevenson, S. P. Niblett, J. D. Farrell, D. J. Wales, J. Chem. Phys. 146 (2017) 124103.
    """
    kept, ratios = frustration_terms(network)
    if not len(kept):
        return float("nan")
    weight = np.ones(network.n_minima)
    if temperature is not None:
        weight = Thermodynamics(network, [temperature]).occupation[0]
    return float(np.average(ratios, weights=weight[kept]))


def frustration_terms(network: KineticTransitionNetwork) -> tuple[np.ndarray, np.ndarray]:
    """Return the minima over which the frustration index is a mean, (k,) rows, and the term of each, (k,)."""
    lowest = network.global_minimum
    above = network.energies - network.energies[lowest]
    top = energies_from(network, lowest)
    kept = np.flatnonzero((above > _EQUAL * band(network)) & np.isfinite(top))
    return kept, (top[kept] - network.energies[kept]) / above[kept]
