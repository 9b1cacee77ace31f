"""Free energies of stored minima and transition states by ASE's thermochemistry."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from ase import units
from numpy.typing import NDArray

from thalweg.analysis.networks.molecular_motion import rotor_moments
from thalweg.potentials.lazy import public

if TYPE_CHECKING:
    from ase import Atoms

    from thalweg.landscapes import Landscape
    from thalweg.potentials.system import System

__all__ = ["Thermochemistry", "symmetry_number"]


@public("thalweg.analysis")
@dataclass(frozen=True, eq=False)
class Thermochemistry:
    """Free energies of a minimum or transition state of atoms: harmonic vibrations, and of a molecule an ideal gas.

    :meth:`of` makes it of a stored point, from what the store holds: no calculator is needed where frequencies are
    stored. Imaginary frequencies are left out.

    Attributes
    ----------
    energy : float
        Energy of the point, in eV.
    frequencies : (k,) ndarray
        Vibrational frequencies in cm^-1, imaginary ones negative.
    geometry : {"nonlinear", "linear", "monatomic"} or None
        Of a molecule that is free to move and to turn; None for other atoms, such as an adsorbate or a crystal.
    symmetry_number : int
        Number of rotations that only exchange equal atoms; 1 for other atoms than a free molecule.
    moments : (3,) ndarray
        Moments of inertia of free rotations in u angstrom^2, rising, zero for each rotation that is none.
    spin : float
        Half of the sum of the initial magnetic moments.
    atoms : ase.Atoms
        Atoms at the point.

    Examples
    --------
    >>> import tempfile
    >>> from ase import Atoms
    >>> from ase.calculators.emt import EMT
    >>> from thalweg.analysis import Thermochemistry
    >>> from thalweg.landscapes import Landscape
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Landscape(Atoms("Cu2", [[0, 0, 0], [2.3, 0, 0]], calculator=EMT()), f"{folder}/cu2.zarr") as landscape:
    ...         progress = landscape.find_minima(steps=2, workers=1)
    ...         point = Thermochemistry.of(landscape, "minimum", 0)
    >>> point.geometry, point.symmetry_number, round(point.zero_point_energy, 4)
    ('linear', 2, 0.0233)
    >>> print(f"{point.free_energy(kelvin=300) - point.energy:.3f}")
    -0.620
    """

    energy: float
    frequencies: NDArray[np.float64]
    geometry: str | None
    symmetry_number: int
    moments: NDArray[np.float64]
    spin: float
    atoms: Atoms

    @classmethod
    def of(cls, landscape: Landscape, kind: str, row: int) -> Thermochemistry:
        """Read a stored point.

        Parameters
        ----------
        landscape : Landscape
            Landscape of atoms in eV.
        kind : {"minimum", "transition state"}
            Kind of the point.
        row : int
            Row of the point.

        Raises
        ------
        ValueError, IndexError, UntrustedError
            As `Landscape.frequencies`.
        """
        from thalweg.landscapes.vibrations.hessians import points_of_kind

        frequencies = landscape.frequencies(kind, row)
        points = points_of_kind(landscape, kind)
        x, description = points.coordinates[row], landscape._store.description()
        moments = rotor_moments(description, x[None], np.asarray(frequencies)[None])[0]
        atoms: Atoms = landscape.geometry.subject(x)
        atoms.calc = None
        free = not len(description["frozen"]) and "constraints" not in description and landscape.geometry.isotropic
        geometry = {3: "nonlinear", 2: "linear", 0: "monatomic"}[int((moments > 0).sum())] if free else None
        number = symmetry_number(landscape.geometry, x) if geometry in ("linear", "nonlinear") else 1
        spin = 0.5 * abs(float(np.sum(atoms.get_initial_magnetic_moments())))
        return cls(float(points.energy[row]), frequencies, geometry, number, moments, spin, atoms)

    @property
    def zero_point_energy(self) -> float:
        """Half of the sum of hbar omega over real frequencies, in eV."""
        return float(0.5 * units.invcm * self.frequencies[self.frequencies > 0].sum())

    @property
    def model(self) -> str:
        """Approximation by which free energies are computed, in words."""
        if self.geometry is None:
            return "harmonic vibrations"
        number = "" if self.geometry == "monatomic" else f", symmetry number {self.symmetry_number}"
        return f"ideal gas, {self.geometry}{number}, spin {self.spin:g}"

    def free_energy(self, kelvin: float, pressure: float = 1e5) -> float:
        """Return the Gibbs energy of a free molecule, or the Helmholtz energy of other atoms, in eV.

        Parameters
        ----------
        kelvin : float
            Temperature.
        pressure : float
            Of the ideal gas, in pascal; of no effect for other atoms.

        Raises
        ------
        ValueError
            If temperature or pressure are not positive.
        """
        from ase.thermochemistry import HarmonicThermo, IdealGasThermo

        for name, value in (("kelvin", kelvin), ("pressure", pressure)):
            if not (np.isfinite(value) and value > 0):
                raise ValueError(f"{name} is {value}; it must be positive and finite")
        levels = [complex(0, -f) if f < 0 else complex(f) for f in (self.frequencies * units.invcm).tolist()]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that imaginary modes are left out
            if self.geometry is None:
                harmonic = HarmonicThermo(levels, self.energy, ignore_imag_modes=True)
                return float(harmonic.get_helmholtz_energy(kelvin, verbose=False))
            gas = IdealGasThermo(
                levels, self.geometry, self.energy, self.atoms, self.symmetry_number, self.spin, ignore_imag_modes=True
            )
            return float(gas.get_gibbs_energy(kelvin, pressure, verbose=False))


def symmetry_number(system: System, x: NDArray[np.float64]) -> int:
    """Return the number of rotations of a molecule at x (n,) that only exchange equal atoms."""
    from thalweg.potentials.system import as_system

    return as_system(system, permutations="all", inversion=False).order(x)
