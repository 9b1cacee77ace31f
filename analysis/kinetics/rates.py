"""Harmonic weights of minima, and harmonic transition-state-theory rates between them."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from thalweg.analysis.kinetics.extended_range import SparseExtended, from_log, quotient, summed_entries, to_float
from thalweg.analysis.networks.rotational_factors import log_rotational_factors, rotational_needed
from thalweg.analysis.networks.symmetry_orders import log_orders
from thalweg.analysis.vibrations.partition_functions import (
    PLANCK,
    check_tunnelling,
    log_rotations,
    log_vibrations,
    log_wigner,
    vibrational_energies,
)

if TYPE_CHECKING:
    from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork

__all__ = [
    "HarmonicRates",
    "check_reach",
    "checked_temperature",
    "harmonic_rates",
    "log_partition_functions",
    "log_rate_factors",
    "transition_state_rates",
]

_REACH = 1e15
"""Largest energy over k_B T: a double has 16 digits."""


def checked_temperature(temperature: float | None, kelvin: float | None, units: str) -> float:
    """Return k_B T in the landscape's unit of energy, or raise.

    Parameters
    ----------
    temperature : float or None
        k_B T in the unit of energy.
    kelvin : float or None
        The temperature in kelvin instead, for landscapes in eV.
    units : str
        The landscape's unit of energy.

    Raises
    ------
    TypeError, ValueError
        If not exactly one is given, it is no positive number, or kelvin are given for a landscape not in eV.
    """
    if (temperature is None) == (kelvin is None):
        raise TypeError("one of temperature (k_B T in the landscape's unit of energy) and kelvin must be given")
    name, given = ("temperature", temperature) if kelvin is None else ("kelvin", kelvin)
    if isinstance(given, bool) or not isinstance(given, Real):
        raise TypeError(f"{name} is {given!r}; a positive number is needed")
    value = float(given)
    if not (np.isfinite(value) and value > 0):
        raise ValueError(f"{name} is {value}; it must be positive and finite")
    if kelvin is None:
        return value
    if units != "eV":
        raise ValueError(f"kelvin needs energies in eV; this landscape's are in {units!r} units: give temperature")
    from ase.units import kB

    if not value * kB > 0:
        raise ValueError(f"kelvin is {value}; k_B T is too small for a floating-point number")
    return value * kB


def check_reach(energies: NDArray[np.float64], temperature: float) -> None:
    """Raise ValueError where energies over k_B T are so large that no digit before the point would be right.

    Parameters
    ----------
    energies : (n,) ndarray
        Energies whose Boltzmann factors are needed.
    temperature : float
        k_B T.
    """
    reach = float(np.abs(energies).max(initial=0.0))
    if not reach <= _REACH * temperature:
        raise ValueError(
            f"temperature, k_B T, is {temperature:g}, and energies reach {reach:g}: their ratio must be below "
            f"{_REACH:g}, beyond which rounding leaves no digit of a Boltzmann factor"
        )


def _needed(network: KineticTransitionNetwork, name: str) -> NDArray[np.float64]:
    """Return a column without which there are no harmonic weights, checked."""
    values = getattr(network, name)
    if values is None:
        raise ValueError(f"the network has no {name}: harmonic weights and rates need it")
    if not np.isfinite(values).all():
        k = int(np.flatnonzero(~np.isfinite(values))[0])
        raise ValueError(f"{name}[{k}] is {values[k]}; harmonic weights and rates need a finite number")
    return values


def _log_orders(network: KineticTransitionNetwork, name: str, length: int) -> NDArray[np.float64]:
    orders = getattr(network, name)
    if orders is None:
        return np.zeros(length)
    return log_orders(name, orders, network.ts_properties if name.startswith("ts_") else network.properties)


def _check_motion(network: KineticTransitionNetwork, name: str) -> None:
    if network.motion is None:
        raise ValueError(
            f"{name} needs vibrational frequencies: landscapes of atoms in eV have them, an older one after "
            "fill_frequencies(landscape), or thalweg verify --frequencies"
        )


def _molecular_logarithms(
    network: KineticTransitionNetwork, temperature: float, rotational: bool | None, quantum: bool, ts: str
) -> NDArray[np.float64]:
    """Return ln of the partition functions of atoms with their masses, from the energy of the lowest minimum."""
    motion = network.motion
    assert motion is not None
    if not network.n_minima:
        return np.empty(0)
    energies = getattr(network, f"{ts}energies") - network.energies[network.global_minimum]
    check_reach(energies, temperature)
    values = log_vibrations(vibrational_energies(motion, ts), temperature, quantum) - energies / temperature
    values = values - _log_orders(network, f"{ts}symmetry_order", len(values))
    return values if rotational is False else values + log_rotations(motion, temperature, ts)


def _logarithms(
    network: KineticTransitionNetwork, temperature: float, rotational: bool | None, quantum: bool, ts: str
) -> NDArray[np.float64]:
    """Return the harmonic exponents of minima, or with ``ts="ts_"`` of transition states, which have one mode more."""
    if network.motion is not None:
        return _molecular_logarithms(network, temperature, rotational, quantum, ts)
    if quantum:
        _check_motion(network, "quantum=True")
    base = _needed(network, "log_eigenvalue_product")
    products = _needed(network, f"{ts}log_eigenvalue_product")
    if not network.n_minima:
        return np.empty(0)
    lowest, energies = network.global_minimum, getattr(network, f"{ts}energies")
    check_reach(energies - network.energies[lowest], temperature)
    values = -(energies - network.energies[lowest]) / temperature - (products - base[lowest]) / 2
    values = values - _log_orders(network, f"{ts}symmetry_order", len(values))
    own = getattr(network, f"{ts}modes")
    if network.modes is not None and own is not None:
        values = values + (own + (1 if ts else 0) - network.modes[lowest]) * np.log(temperature)
    included = rotational_needed(network) if rotational is None else rotational
    return values + log_rotational_factors(network, temperature, ts) if included else values


def log_partition_functions(
    network: KineticTransitionNetwork, temperature: float, rotational: bool | None = None, *, quantum: bool = False
) -> NDArray[np.float64]:
    """Return the logarithm of the harmonic partition function of each minimum, (n,).

    Up to a factor that all minima and transition states share, that of minimum i is
    ``z_i = T^(modes_i) exp(-E_i/T - L_i/2) R_i / o_i`` with L the log eigenvalue product, o the symmetry order and R
    the rotational factor, 1 where left out. Of atoms with vibrational frequencies it is that of their vibrations, with
    their masses, and of a rigid rotor.

    Parameters
    ----------
    network : KineticTransitionNetwork
        Without symmetry orders, all count as 1; without numbers of modes, all minima count as having the same.
    temperature : float
        k_B T in the landscape's unit of energy, positive.
    rotational : bool, optional
        Whether rotational factors are included; by default where the numbers of vibrations differ, and for atoms with
        vibrational frequencies.
    quantum : bool
        Whether vibrations are quantised; atoms with vibrational frequencies alone.

    Returns
    -------
    (n,) ndarray
        Relative to energy and log product of the minimum of lowest energy, so that nothing overflows; of atoms with
        vibrational frequencies relative to its energy alone.

    Raises
    ------
    ValueError
        If log eigenvalue products, or the moments of inertia needed, are missing or not finite.
    """
    return _logarithms(network, temperature, rotational, quantum, "")


def log_rate_factors(
    network: KineticTransitionNetwork,
    temperature: float,
    rotational: bool | None = None,
    *,
    quantum: bool = False,
    tunnelling: str | None = None,
) -> NDArray[np.float64]:
    """Return the logarithm of the rate factor of each transition state, (m,).

    That of transition state t is ``c_t = T^(modes_t + 1) exp(-E_t/T - L_t/2) R_t / (2 pi o_t)``, up to the same factor
    as in :func:`log_partition_functions`, which has the parameters and errors too. Rates are c_t / z_i; those of atoms
    with vibrational frequencies are in 1/s, and may be corrected for tunnelling.
    """
    check_tunnelling(tunnelling)
    if tunnelling is not None:
        _check_motion(network, f"tunnelling={tunnelling!r}")
    values = _logarithms(network, temperature, rotational, quantum, "ts_")
    if network.motion is None:
        return values - np.log(2 * np.pi)
    values = values + np.log(temperature / PLANCK)
    return values if tunnelling is None else values + log_wigner(network.motion, temperature)


class HarmonicRates(NamedTuple):
    """Rates between minima, and the minima's weights.

    Attributes
    ----------
    rates : SparseExtended
        From the row's minimum to the column's.
    weights : (n, 2) ndarray
        Extended numbers, not normalised.
    """

    rates: SparseExtended
    weights: NDArray[np.float64]


def harmonic_rates(
    network: KineticTransitionNetwork,
    temperature: float,
    rotational: bool | None = None,
    *,
    quantum: bool = False,
    tunnelling: str | None = None,
) -> HarmonicRates:
    """Return the rates of harmonic transition-state theory between minima.

    Transition states that join a minimum to itself are left out, parallel ones added. The rate both ways is one
    number divided by one weight or the other, so detailed balance holds to the last digit.

    Parameters
    ----------
    network, temperature, rotational, quantum, tunnelling
        See :func:`log_partition_functions` and :func:`log_rate_factors`.

    Raises
    ------
    ValueError
        If no transition state joins two different minima.
    """
    log_z = log_partition_functions(network, temperature, rotational, quantum=quantum)
    log_c = log_rate_factors(network, temperature, rotational, quantum=quantum, tunnelling=tunnelling)
    joins = network.joining
    if not joins.any():
        raise ValueError("the network has no transition states that join two different minima, so no rates")
    a, b = network.ts_minima[joins].T
    weights, flow = from_log(log_z), from_log(log_c[joins])
    flows = summed_entries(np.r_[a, b], np.r_[b, a], np.concatenate([flow, flow]), network.n_minima)
    return HarmonicRates(flows._replace(values=quotient(flows.values, weights[flows.rows])), weights)


def transition_state_rates(
    network: KineticTransitionNetwork,
    temperature: float,
    rotational: bool | None = None,
    *,
    quantum: bool = False,
    tunnelling: str | None = None,
) -> NDArray[np.float64]:
    """Return the rates over each transition state from either of its minima, (m, 2).

    Those of degenerate rearrangements are among them: such a transition state joins two copies of one minimum and leads
    from each of them to the other, so that a copy is left over ``2 o_i / o_t`` of them. Parameters and errors are those
    of :func:`log_rate_factors`.
    """
    log_z = log_partition_functions(network, temperature, rotational, quantum=quantum)
    log_c = log_rate_factors(network, temperature, rotational, quantum=quantum, tunnelling=tunnelling)
    log_c = log_c + np.log(np.where(network.degenerate, 2.0, 1.0))
    return to_float(from_log((log_c[:, None] - log_z[network.ts_minima]).ravel())).reshape(-1, 2)
