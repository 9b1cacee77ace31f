"""Free energies, symmetry numbers and moments of inertia, against ASE's."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import molecule
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms
from ase.thermochemistry import HarmonicThermo, IdealGasThermo
from scipy.spatial.transform import Rotation

from thalweg.analysis import Thermochemistry
from thalweg.analysis.networks.molecular_motion import rotor_moments
from thalweg.analysis.vibrations.thermochemistry import symmetry_number
from thalweg.landscapes import Landscape
from thalweg.potentials import System

from ...helpers import finished, thalweg


@pytest.fixture(scope="module")
def tetrahedron(tmp_path_factory):
    """Return the path of a landscape of four copper atoms."""
    path = tmp_path_factory.mktemp("thermochemistry") / "cu4.zarr"
    atoms = Atoms("Cu4", [[0, 0, 0], [2.4, 0, 0], [1.2, 2, 0], [1.2, 0.7, 2]], calculator=EMT())
    with Landscape(atoms, path, seed=0) as landscape:
        landscape.find_minima(steps=2, workers=1)
        landscape.connect(searches=4, workers=1)
        assert len(landscape.transition_states)
    return path


def test_gibbs_energy_is_that_of_ase(tetrahedron):
    landscape = Landscape.open(tetrahedron)
    point = Thermochemistry.of(landscape, "minimum", 0)
    assert (point.geometry, point.symmetry_number, point.spin) == ("nonlinear", 12, 0)
    data = landscape.vibrations("minimum", 0)
    assert point.zero_point_energy == pytest.approx(data.get_zero_point_energy(), rel=1e-5)
    atoms = data.get_atoms() if hasattr(data, "get_atoms") else data._atoms
    gas = IdealGasThermo(data.get_energies(), "nonlinear", point.energy, atoms, 12, 0)
    for kelvin, pressure in ((300.0, 1e5), (900.0, 2e3)):
        expected = gas.get_gibbs_energy(kelvin, pressure, verbose=False)
        assert point.free_energy(kelvin, pressure) == pytest.approx(expected, abs=2e-5)
    np.testing.assert_allclose(point.moments, np.sort(atoms.get_moments_of_inertia()), rtol=1e-6)
    with pytest.raises(ValueError, match="kelvin is -1"):
        point.free_energy(-1)


def test_the_imaginary_frequency_has_no_part(tetrahedron):
    point = Thermochemistry.of(Landscape.open(tetrahedron), "transition state", 0)
    assert point.frequencies[0] < 0
    real = point.frequencies[1:] * units.invcm
    assert point.zero_point_energy == pytest.approx(real.sum() / 2)
    assert np.isfinite(point.free_energy(300))


def test_what_is_fixed_is_an_adsorbate(tmp_path):
    atoms = Atoms("Cu4", [[0, 0, 0], [2.4, 0, 0], [1.2, 2, 0], [1.2, 0.7, 2]], calculator=EMT())
    atoms.set_constraint(FixAtoms([0, 1, 2]))
    with Landscape(atoms, tmp_path / "a.zarr") as landscape:
        landscape.find_minima(steps=1, workers=1)
        point = Thermochemistry.of(landscape, "minimum", 0)
        assert point.geometry is None
        assert point.model == "harmonic vibrations"
        harmonic = HarmonicThermo(landscape.frequencies("minimum", 0) * units.invcm, point.energy)
        assert point.free_energy(500) == pytest.approx(harmonic.get_helmholtz_energy(500, verbose=False))


@pytest.mark.parametrize(
    ("name", "number"),
    [("H2O", 2), ("NH3", 3), ("CH4", 12), ("C2H4", 4), ("CO2", 2), ("HCN", 1), ("C2H6", 6), ("CH3OH", 1), ("C2H2", 2)],
)
def test_symmetry_numbers(name, number):
    """P. Atkins, J. de Paula, Physical Chemistry, table of symmetry numbers."""
    atoms = molecule(name)
    atoms.calc = EMT()
    system = System(atoms)
    turned = Rotation.random(rng=0).apply(atoms.positions).ravel()
    assert symmetry_number(system, turned) == number


def description(atoms, frozen=()):
    """Return what a store holds of atoms."""
    return {
        "numbers": atoms.numbers, "pbc": atoms.pbc, "cell": atoms.cell.array, "masses": atoms.get_masses(),
        "frozen": np.array(frozen, dtype=np.int64),
    }  # fmt: skip


@pytest.mark.parametrize("name", ["H2O", "CO2", "CH3OH", "N2"])
def test_moments_of_inertia_are_those_of_ase(name):
    atoms = molecule(name)
    linear = name in ("CO2", "N2")
    known = np.full(3 * len(atoms), np.nan)
    known[: 3 * len(atoms) - (5 if linear else 6)] = 100.0
    for frequencies in (known, np.full(known.size, np.nan)):
        found = rotor_moments(description(atoms), atoms.positions.reshape(1, -1), frequencies[None])[0]
        assert (found > 0).sum() == (2 if linear else 3)
        np.testing.assert_allclose(found, np.sort(atoms.get_moments_of_inertia()), rtol=1e-9, atol=1e-9)
    single = rotor_moments(description(Atoms("He")), np.zeros((1, 3)), np.full((1, 3), np.nan))
    assert not single.any()


def test_about_a_fixed_atom():
    """A water molecule whose oxygen is fixed turns about it; nothing turns that has three fixed atoms."""
    atoms = molecule("H2O")
    x, none = atoms.positions.reshape(1, -1), np.full((1, 9), np.nan)
    found = rotor_moments(description(atoms, [0, 1, 2]), x, none)[0]
    arms = atoms.positions[1:] - atoms.positions[0]
    mass = atoms.get_masses()[1]
    tensor = mass * sum(np.dot(r, r) * np.eye(3) - np.outer(r, r) for r in arms)
    np.testing.assert_allclose(found, np.linalg.eigvalsh(tensor), rtol=1e-9)
    # two fixed atoms leave one axis
    axis = arms[0] / np.linalg.norm(arms[0])
    found = rotor_moments(description(atoms, range(6)), x, none)[0]
    away = arms[1] - axis * (axis @ arms[1])
    np.testing.assert_allclose(found, [0, 0, mass * away @ away], rtol=1e-9)
    assert not rotor_moments(description(atoms, range(9)), x, none).any()


def test_show_prints_them(tetrahedron, tmp_path):
    said = finished("show", tetrahedron, "state", 0, "--kelvin", 300, "--tunnelling", "wigner")
    landscape = Landscape.open(tetrahedron)
    first = -landscape.frequencies("transition state", 0)[0]
    assert f"{first:.0f}i" in said.split("frequencies in cm^-1")[1].split()[0]
    point = Thermochemistry.of(landscape, "transition state", 0)
    assert f"zero-point energy       {point.zero_point_energy:.6f} eV" in said
    assert f"Gibbs energy at 300 K and 1 bar: {point.free_energy(300):.6f} eV (ideal gas, nonlinear" in said
    assert "rate in 1/s" in said
    assert "degenerate rearrangement" in finished("show", tetrahedron, "minimum", 0, "--kelvin", 300)
    plain = finished("show", tetrahedron, "minimum", 0)
    assert "zero-point energy" in plain
    assert "Gibbs" not in plain
    assert "give their temperature by --kelvin" in thalweg("show", tetrahedron, "minimum", 0, "--quantum").output
