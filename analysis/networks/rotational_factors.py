"""Rotational factors, for landscapes where stationary points differ in their number of vibrations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork

__all__ = ["is_linear", "log_rotational_factor", "log_rotational_factors", "moments_of_inertia", "rotational_needed"]

_LARGEST = 1e100  # the squares of larger coordinates overflow
_LINEAR = 1e-6  # smallest moment of inertia over the largest, below which a molecule counts as linear


def moments_of_inertia(coordinates: ArrayLike, masses: ArrayLike | None = None) -> NDArray[np.float64]:
    """Return the principal moments of inertia of clusters of atoms.

    Parameters
    ----------
    coordinates : (..., 3 atoms) array
        Coordinates in the landscape's unit of length.
    masses : (atoms,) array, optional
        Masses of the atoms; 1 where missing.

    Returns
    -------
    (..., 3) ndarray
        Moments of inertia, rising.

    Raises
    ------
    ValueError
        If masses are not one for each atom, negative or all zero, or coordinates are not finite or too large.

    Examples
    --------
    >>> from thalweg.analysis import moments_of_inertia
    >>> moments_of_inertia([0.0, 0, 0, 2, 0, 0]).round(12).tolist()
    [0.0, 2.0, 2.0]
    >>> moments_of_inertia([0.0, 0, 0, 3, 0, 0], masses=[1.0, 2.0]).round(12).tolist()
    [0.0, 6.0, 6.0]
    """
    atoms = np.asarray(coordinates, dtype=np.float64)
    atoms = atoms.reshape(*atoms.shape[:-1], atoms.shape[-1] // 3, 3)  # -1 would not do for no clusters at all
    weights = np.ones(atoms.shape[-2]) if masses is None else np.asarray(masses, dtype=np.float64)
    if weights.shape != atoms.shape[-2:-1]:
        raise ValueError(f"masses has shape {weights.shape}; one for each of {atoms.shape[-2]} atoms is needed")
    if not (weights >= 0).all() or not 0 < weights.sum() < np.inf:
        raise ValueError("masses must be finite, none negative, and not all zero")
    if not (np.abs(atoms) <= _LARGEST).all():
        raise ValueError(f"coordinates must be finite and below {_LARGEST:g} in magnitude")
    if masses is None:
        atoms = atoms - atoms.mean(axis=-2, keepdims=True)
    else:
        centre = np.einsum("...ai,a->...i", atoms, weights) / weights.sum()
        atoms = (atoms - centre[..., None, :]) * np.sqrt(weights)[:, None]
    gyration = np.einsum("...ai,...aj->...ij", atoms, atoms)
    spread = np.linalg.eigvalsh(gyration)[..., ::-1]
    return np.maximum(np.maximum(spread, 0.0).sum(axis=-1, keepdims=True) - spread, 0.0)


def is_linear(moments: ArrayLike) -> NDArray[np.bool_]:
    """Say which molecules are linear: smallest principal moment of inertia below 1e-6 of the largest, (...)."""
    moments = np.sort(np.asarray(moments, dtype=np.float64), axis=-1)
    return moments[..., 0] <= _LINEAR * moments[..., 2]


def log_rotational_factor(moments: ArrayLike, temperature: float) -> NDArray[np.float64]:
    """Return ln of the classical partition function of a rigid rotor, hbar = 1 and symmetry number left out.

    ``sqrt(8 pi T^3 I_1 I_2 I_3)`` for a non-linear molecule and ``T I`` for a linear one. The symmetry orders
    count reflections, which leave no linear molecule different from its mirror image and its orders half as large
    (2 with a centre of inversion, 1 without, as in PATHSAMPLE): hence ``T I`` and not ``2 T I``.

    Parameters
    ----------
    moments : (..., 3) array
        Principal moments of inertia, rising, for unit masses; a smallest one below 1e-6 of the largest is zero.
    temperature : float
        k_B T in the landscape's unit of energy.

    Returns
    -------
    (...) ndarray

    Notes
    -----
    D. A. McQuarrie, Statistical Mechanics (1976), chapters 6 and 8: rigid rotor, harmonic oscillator. Coupling
    between rotation and vibration is neglected.
    """
    moments = np.sort(np.asarray(moments, dtype=np.float64), axis=-1)
    linear = is_linear(moments)
    positive = np.where(linear[..., None], moments[..., 2:], moments)
    general = 0.5 * np.log(8 * np.pi * temperature**3) + 0.5 * np.log(positive).sum(axis=-1)
    return np.where(linear, np.log(temperature * moments[..., 2]), general)


def rotational_needed(network: KineticTransitionNetwork) -> bool:
    """Say whether stationary points differ in their number of vibrations, a transition state's missing one aside."""
    if network.modes is None:
        return False
    counts = set(np.unique(network.modes).tolist())
    if network.ts_modes is not None:
        counts |= set(np.unique(network.ts_modes + 1).tolist())
    return len(counts) > 1


def log_rotational_factors(network: KineticTransitionNetwork, temperature: float, ts: str = "") -> NDArray[np.float64]:
    """Return ln of the rotational factors of all minima, (n,), or with ``ts="ts_"`` transition states, (m,).

    Raises
    ------
    ValueError
        If moments of inertia are not among the network's properties, or are not positive numbers.
    """
    name = f"{ts}properties"
    moments = getattr(network, name).get("moments_of_inertia")
    if moments is None:
        raise ValueError(
            f"{name} has no 'moments_of_inertia': stationary points with different numbers of vibrations need "
            "them, (n, 3), for their rotational factors"
        )
    wrong = ~(np.isfinite(moments).all(axis=-1) & (moments.max(axis=-1) > 0))
    if wrong.any():
        k = int(np.flatnonzero(wrong)[0])
        raise ValueError(f"{name}['moments_of_inertia'][{k}] is {moments[k]}; positive numbers are needed")
    return log_rotational_factor(moments, temperature)
