"""Thermodynamics by the harmonic superposition approximation: every minimum a harmonic well."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from thalweg.analysis.arguments import aligned, frozen_array
from thalweg.analysis.kinetics.rates import check_reach, checked_temperature, log_partition_functions
from thalweg.analysis.networks.rotational_factors import is_linear, rotational_needed
from thalweg.analysis.vibrations.partition_functions import thermal_energies, thermal_heat_capacities
from thalweg.potentials.lazy import public

if TYPE_CHECKING:
    from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork

__all__ = ["Thermodynamics"]

_HOTTEST = 1e300
"""Largest temperature: the thermal energy of all vibrations must be a number."""


class _Occupation(NamedTuple):
    """Partition function relative to the minimum of lowest energy, and probabilities of n minima at one temperature."""

    log_partition_function: float
    probabilities: NDArray[np.float64]


class _Averages(NamedTuple):
    """Canonical averages at one temperature, relative to the minimum of lowest energy."""

    log_partition_function: float
    energy: float
    heat_capacity: float


class _Curves(NamedTuple):
    """Canonical averages at k temperatures, each (k,)."""

    log_partition_function: NDArray[np.float64]
    energy: NDArray[np.float64]
    heat_capacity: NDArray[np.float64]


@public("thalweg.analysis")
class Thermodynamics:
    """Equilibrium properties of a landscape against temperature; immutable.

    The partition function is a sum over minima, ``Z = sum_i T^(modes_i) exp(-E_i/T - L_i/2) R_i / o_i``: classical
    harmonic vibrations of unit masses (hbar = k_B = 1), each minimum's copies counted by its symmetry order o, L the
    sum of the logarithms of its Hessian eigenvalues, and R the rotational factor of a rigid body, left out (as
    PATHSAMPLE does) where all minima have the same number of vibrations. Translation is left out. Atoms in eV whose
    vibrational frequencies are known have vibrations with their masses, classical or quantised, and rigid rotors.

    Parameters
    ----------
    network : KineticTransitionNetwork
        Network with log eigenvalue products; transition states are not needed.
    temperatures : (k,) array_like or float
        k_B T in the landscape's unit of energy, positive. For a network's loss, a fictitious temperature.
    rotational : bool, optional
        Whether rotational factors are included; by default where the numbers of vibrations differ, and for atoms in eV
        that are free to turn.
    kelvin : (k,) array_like or float, optional
        The temperatures in kelvin instead, for landscapes in eV.
    quantum : bool
        Whether the vibrations of atoms in eV are quantised: zero-point energies count.

    Attributes
    ----------
    temperatures : (k,) ndarray
        k_B T in the landscape's unit of energy.
    kelvin : (k,) ndarray or None
        The temperatures in kelvin, where energies are in eV.

    Raises
    ------
    ValueError
        If a temperature is not positive, there are no minima, log eigenvalue products are missing or not finite, or
        moments of inertia are needed and missing.

    Notes
    -----
    F. H. Stillinger, T. A. Weber, Science 225 (1984) 983; D. J. Wales, Energy Landscapes (2003), chapter 7.
    Entropies and free energies have their absolute zero where numbers of vibrations are known; otherwise those of
    the vibrational momentum are missing: heat capacities and energies are then those of the configurations alone.

    Examples
    --------
    >>> from thalweg.analysis import KineticTransitionNetwork, Thermodynamics
    >>> wells = KineticTransitionNetwork([0, 1], [], [], log_eigenvalue_product=[0, 0], modes=[1, 1])
    >>> Thermodynamics(wells, [0.5]).occupation.round(4).tolist()
    [[0.8808, 0.1192]]
    """

    # what pickles of earlier versions do not have
    kelvin: NDArray[np.float64] | None = None
    quantum: bool = False

    def __init__(
        self,
        network: KineticTransitionNetwork,
        temperatures: ArrayLike | None = None,
        rotational: bool | None = None,
        *,
        kelvin: ArrayLike | None = None,
        quantum: bool = False,
    ):
        if network.units == "eV" or kelvin is not None:
            temperatures, kelvin = _both_units(network, temperatures, kelvin)
        elif temperatures is None:
            raise TypeError("temperatures (k_B T in the landscape's unit of energy) must be given")
        values = aligned("temperatures", np.atleast_1d(np.asarray(temperatures, dtype=np.float64)), -1)
        if (values <= 0).any():
            k = int(np.flatnonzero(values <= 0)[0])
            raise ValueError(f"temperatures[{k}] is {values[k]}; temperatures must be positive")
        if (values > _HOTTEST).any():
            k = int(np.flatnonzero(values > _HOTTEST)[0])
            raise ValueError(f"temperatures[{k}] is {values[k]}; temperatures must be below {_HOTTEST:g}")
        if not network.n_minima:
            raise ValueError("the network has no minima, so no thermodynamics")
        self.network, self.temperatures = network, values
        self.kelvin = None if kelvin is None else frozen_array(kelvin, np.float64)
        self.quantum = quantum
        needed = rotational_needed(network) if network.motion is None else True
        self.rotational = needed if rotational is None else bool(rotational)
        # errors are raised here, not at first use
        coldest = float(values.min()) if len(values) else 1.0
        check_reach(network.energies, coldest)
        self._log_weights(coldest)

    def __repr__(self) -> str:
        unit = "" if self.kelvin is None else " in eV, .kelvin in K"
        return f"<Thermodynamics: {self.network.n_minima} minima, {len(self.temperatures)} temperatures{unit}>"

    def _log_weights(self, temperature: float) -> NDArray[np.float64]:
        """Return ln of each minimum's share relative to the minimum of lowest energy, (n,)."""
        return log_partition_functions(self.network, temperature, self.rotational, quantum=self.quantum)

    def _thermal_energies(self, temperature: float) -> NDArray[np.float64]:
        """Return the mean energies of vibrations and rotations, (n,)."""
        motion = self.network.motion
        if motion is None:
            return self._thermal * temperature
        return thermal_energies(motion, temperature, rotational=self.rotational, quantum=self.quantum)

    def _heat_capacities(self, temperature: float) -> NDArray[np.float64]:
        """Return the heat capacities of vibrations and rotations within each minimum, (n,), in k_B."""
        motion = self.network.motion
        if motion is None:
            return self._thermal
        return thermal_heat_capacities(motion, temperature, rotational=self.rotational, quantum=self.quantum)

    @cached_property
    def _thermal(self) -> NDArray[np.float64]:
        """U_i = E_i + thermal_i T: vibrations and rotations, (n,)."""
        network = self.network
        thermal = np.zeros(network.n_minima) if network.modes is None else network.modes.astype(np.float64)
        if self.rotational:
            thermal = thermal + np.where(is_linear(network.properties["moments_of_inertia"]), 1.0, 1.5)
        return thermal

    def _energies(self, temperature: float) -> NDArray[np.float64]:
        """Return the mean energy within each minimum, relative to the lowest minimum, (n,)."""
        energy = self.network.energies - self.network.energies[self.network.global_minimum]
        return energy + self._thermal_energies(temperature)

    def _occupation(self, temperature: float) -> _Occupation:
        """Return the probability of each minimum, and their normalisation."""
        log_weights = self._log_weights(temperature)
        log_z = float(logsumexp(log_weights))
        return _Occupation(log_z, np.exp(log_weights - log_z))

    def _averages(self, temperature: float) -> _Averages:
        """Return canonical averages at one temperature."""
        (log_z, p), energy = self._occupation(temperature), self._energies(temperature)
        mean = float(p @ energy)
        spread = float(p @ ((energy - mean) / temperature) ** 2)
        return _Averages(log_z, mean, float(p @ self._heat_capacities(temperature)) + spread)

    @cached_property
    def _curves(self) -> _Curves:
        """Canonical averages at all temperatures."""
        rows = [self._averages(t) for t in self.temperatures.tolist()]
        return _Curves(*np.array(rows, dtype=np.float64).reshape(-1, 3).T)

    @cached_property
    def log_partition_function(self) -> NDArray[np.float64]:
        """ln Z, (k,), energies counted from zero, numbers of vibrations (where known) from none."""
        network, lowest = self.network, self.network.global_minimum
        if network.motion is not None:
            shift = network.energies[lowest] / self.temperatures
            return frozen_array(self._curves.log_partition_function - shift, np.float64)
        modes = 0 if network.modes is None else network.modes[lowest]
        assert network.log_eigenvalue_product is not None  # checked when it was made
        product = network.log_eigenvalue_product[lowest]
        t = self.temperatures
        return frozen_array(
            self._curves.log_partition_function - network.energies[lowest] / t - product / 2 + modes * np.log(t),
            np.float64,
        )

    @cached_property
    def energy(self) -> NDArray[np.float64]:
        """Internal energy U, (k,), in the landscape's unit."""
        return frozen_array(self._curves.energy + self.network.energies[self.network.global_minimum], np.float64)

    @cached_property
    def free_energy(self) -> NDArray[np.float64]:
        """Free energy F = -T ln Z, (k,)."""
        return frozen_array(-self.temperatures * self.log_partition_function, np.float64)

    @cached_property
    def entropy(self) -> NDArray[np.float64]:
        """Entropy S = (U - F) / T, (k,), in units of k_B."""
        return frozen_array((self.energy - self.free_energy) / self.temperatures, np.float64)

    @cached_property
    def heat_capacity(self) -> NDArray[np.float64]:
        """Heat capacity at constant volume, (k,), in units of k_B."""
        return frozen_array(self._curves.heat_capacity, np.float64)

    @cached_property
    def occupation(self) -> NDArray[np.float64]:
        """Probability of each minimum, all its copies together, (k, n)."""
        rows = [self._occupation(t).probabilities for t in self.temperatures.tolist()]
        return frozen_array(np.reshape(rows, (len(rows), self.network.n_minima)), np.float64)

    def contributions(self, temperature: float | None = None, *, kelvin: float | None = None) -> NDArray[np.float64]:
        """Return how fast each minimum's probability changes, dp_i/dT, (n,), adding up to zero.

        At a peak of the heat capacity, the minima that empty (negative) and fill (positive) are those behind it:
        ``Cv = sum_i p_i thermal_i + sum_i U_i dp_i/dT`` (D. J. Wales, Phys. Rev. E 95 (2017) 030105).

        Parameters
        ----------
        temperature : float
            k_B T in the landscape's unit of energy, positive.
        kelvin : float
            Kelvin instead, for landscapes in eV; the derivative is by k_B T all the same.
        """
        t = checked_temperature(temperature, kelvin, self.network.units)
        p, energy = self._occupation(t).probabilities, self._energies(t)
        return p * ((energy - float(p @ energy)) / t) / t

    def peaks(self) -> NDArray[np.float64]:
        """Return the temperatures, k_B T, where the heat capacity has a maximum, rising; over ase.units.kB in kelvin.

        Looked for between neighbouring ones of ``temperatures`` (rising), then refined.
        """
        t, cv = self.temperatures, self.heat_capacity
        if (np.diff(t) <= 0).any():
            raise ValueError("temperatures must rise for peaks to be found between them")
        tops = 1 + np.flatnonzero((cv[1:-1] > cv[:-2]) & (cv[1:-1] >= cv[2:]))
        options = {"xatol": 1e-9 * float(t[-1])} if len(t) else {}
        found = [
            minimize_scalar(
                lambda x: -self._averages(x).heat_capacity,
                bounds=(t[k - 1], t[k + 1]),
                method="bounded",
                options=options,
            ).x
            for k in tops
        ]
        return np.array(found)


def _both_units(
    network: KineticTransitionNetwork, temperatures: ArrayLike | None, kelvin: ArrayLike | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return temperatures in eV and in kelvin, of which one is given.

    Raises
    ------
    TypeError, ValueError
        If not exactly one is given, or kelvin are for a landscape that is not in eV.
    """
    from ase.units import kB

    if (temperatures is None) == (kelvin is None):
        raise TypeError("one of temperatures (k_B T in the landscape's unit of energy) and kelvin must be given")
    if network.units != "eV":
        raise ValueError(f"kelvin needs energies in eV; this landscape's are in {network.units!r} units")
    given = np.atleast_1d(np.asarray(temperatures if kelvin is None else kelvin, dtype=np.float64))
    return (given, given / kB) if kelvin is None else (given * kB, given)
