"""Harmonic weights of minima, and harmonic transition-state-theory rates between them."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg.analysis.kinetics.extended_range import coalesced, from_log, quotient
from thalweg.analysis.networks.rotational_factors import log_rotational_factors, rotational_needed

if TYPE_CHECKING:
    from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork

__all__ = ["checked_temperature", "harmonic_rates", "log_partition_functions", "summed_entries"]


def checked_temperature(temperature: Any, kelvin: Any, units: str) -> float:
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

    return value * kB


def _needed(network: KineticTransitionNetwork, name: str) -> np.ndarray:
    """Return a column without which there are no harmonic weights, checked."""
    values = getattr(network, name)
    if values is None:
        raise ValueError(f"the network has no {name}: harmonic weights and rates need it")
    if not np.isfinite(values).all():
        k = int(np.flatnonzero(~np.isfinite(values))[0])
        raise ValueError(f"{name}[{k}] is {values[k]}; harmonic weights and rates need a finite number")
    return values


def _log_orders(network: KineticTransitionNetwork, name: str, length: int) -> np.ndarray:
    orders = getattr(network, name)
    if orders is None:
        return np.zeros(length)
    if (orders < 1).any():
        k = int(np.flatnonzero(orders < 1)[0])
        raise ValueError(f"{name}[{k}] is {orders[k]}; orders are 1 or more")
    return np.log(orders)


def log_partition_functions(
    network: KineticTransitionNetwork, temperature: float, rotational: bool | None = None, states: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Return ln of every minimum's partition function and of every transition state's rate factor.

    Up to one common factor, minimum i has ``z_i = T^(modes_i) exp(-E_i/T - L_i/2) R_i / o_i`` and transition state t
    ``c_t = T^(modes_t + 1) exp(-E_t/T - L_t/2) R_t / (2 pi o_t)``, with L the log eigenvalue product, o the symmetry
    order and R the rotational factor, 1 where left out. Rates are c_t / z_i.

    Parameters
    ----------
    network : KineticTransitionNetwork
        Without symmetry orders, all count as 1; without numbers of modes, all minima count as having the same.
    temperature : float
        k_B T, positive.
    rotational : bool, optional
        Whether rotational factors are included; by default where the numbers of vibrations differ.
    states : bool
        Whether transition states are wanted; otherwise nothing is asked of them and the second array is empty.

    Returns
    -------
    (n,) ndarray, (m,) ndarray
        Relative to energies and log products of the minimum of lowest energy, so that nothing overflows.

    Raises
    ------
    ValueError
        If log eigenvalue products, or the moments of inertia needed, are missing or not finite.
    """
    products = _needed(network, "log_eigenvalue_product")
    if not network.n_minima:
        return np.empty(0), np.empty(0)
    lowest = network.global_minimum
    rotational = rotational_needed(network) if rotational is None else rotational
    modes = None if network.modes is None else network.modes[lowest]
    assert network.log_eigenvalue_product is not None  # checked above
    product_0 = network.log_eigenvalue_product[lowest]

    def logarithms(ts: str, energies: np.ndarray, products: np.ndarray, extra: int) -> np.ndarray:
        values = -(energies - network.energies[lowest]) / temperature - (products - product_0) / 2
        values = values - _log_orders(network, f"{ts}symmetry_order", len(values))
        own = getattr(network, f"{ts}modes")
        if modes is not None and own is not None:
            values = values + (own + extra - modes) * np.log(temperature)
        return values + log_rotational_factors(network, temperature, ts) if rotational else values

    log_z = logarithms("", network.energies, products, 0)
    if not states:
        return log_z, np.empty(0)
    ts_products = _needed(network, "ts_log_eigenvalue_product")
    return log_z, logarithms("ts_", network.ts_energies, ts_products, 1) - np.log(2 * np.pi)


def summed_entries(
    rows: np.ndarray, columns: np.ndarray, values: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the CSR form of an (n, n) matrix of extended numbers, entries of one place added.

    Parameters
    ----------
    rows, columns : (k,) int64 arrays
    values : (k, 2) array
    n : int

    Returns
    -------
    indptr, indices : int64 arrays
        Columns rise within a row.
    values : (nnz, 2) array
    """
    places, label = np.unique(rows * n + columns, return_inverse=True)
    indptr = np.searchsorted(places // n, np.arange(n + 1)).astype(np.int64)
    return indptr, (places % n).astype(np.int64), coalesced(values, label.ravel(), len(places))


def harmonic_rates(
    network: KineticTransitionNetwork, temperature: float, rotational: bool | None = None
) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], np.ndarray]:
    """Return the rates between minima and the minima's weights, as extended numbers.

    Transition states that join a minimum to itself are left out, parallel ones added. The rate both ways is one
    number divided by one weight or the other, so detailed balance holds to the last digit.

    Parameters
    ----------
    network, temperature, rotational
        See :func:`log_partition_functions`.

    Returns
    -------
    (indptr, indices, rates), weights
        Rates in CSR form, (nnz, 2), from the row's minimum to the column's; weights (n, 2), not normalised.

    Raises
    ------
    ValueError
        If no transition state joins two different minima.
    """
    log_z, log_c = log_partition_functions(network, temperature, rotational)
    a, b = network.ts_minima.T
    joins = a != b
    if not joins.any():
        raise ValueError("the network has no transition states that join two different minima, so no rates")
    weights, flow = from_log(log_z), from_log(log_c[joins])
    rows, columns = np.concatenate([a[joins], b[joins]]), np.concatenate([b[joins], a[joins]])
    indptr, indices, flow = summed_entries(rows, columns, np.concatenate([flow, flow]), network.n_minima)
    row = np.repeat(np.arange(network.n_minima), np.diff(indptr))
    return (indptr, indices, quotient(flow, weights[row])), weights
