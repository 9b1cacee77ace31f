"""Vibrations of stored points, against ase.vibrations and elimination by hand."""

from __future__ import annotations

import numpy as np
import pytest
import zarr
from ase import Atoms, units
from ase.build import add_adsorbate, fcc100
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms, FixCartesian, FixedLine
from ase.optimize import BFGS
from ase.vibrations import Vibrations

from thalweg.landscapes import Landscape, fill_frequencies, merge
from thalweg.landscapes.storage import store as storage
from thalweg.optimizers import minimise
from thalweg.potentials import LJAT, MuellerBrown, Point, System
from thalweg.potentials.vibrations.normal_modes import wavenumbers

SHAPE = [[0, 0, 0], [2.4, 0, 0], [1.2, 2, 0], [1.2, 0.7, 2]]


def cluster(masses=None):
    """Return four metal atoms, nickel one of them."""
    atoms = Atoms("Cu3Ni", SHAPE, calculator=EMT())
    if masses is not None:
        atoms.set_masses(masses)
    return atoms


def signed(frequencies):
    """Return ASE's complex frequencies as real numbers, imaginary ones negative, ascending."""
    return np.sort(np.where(frequencies.imag > 0, -frequencies.imag, frequencies.real))


def by_ase(atoms, folder, indices=None):
    """Return the frequencies of ase.vibrations."""
    atoms.calc = EMT()
    run = Vibrations(atoms, indices, name=str(folder), delta=1e-3)
    run.run()
    return signed(run.get_frequencies())


@pytest.fixture(scope="module")
def explored(tmp_path_factory):
    """Return the path of a landscape of a cluster with heavy copper."""
    path = tmp_path_factory.mktemp("vibrations") / "cluster.zarr"
    with Landscape(cluster([200.0, 63.5, 63.5, 58.7]), path, seed=0) as landscape:
        landscape.find_minima(steps=3, workers=1)
        landscape.connect(searches=4, workers=1)
        assert len(landscape.transition_states)
    return path


def test_frequencies_are_those_of_ase(explored, tmp_path):
    landscape = Landscape.open(explored)
    for kind, points in (("minimum", landscape.minima), ("transition state", landscape.transition_states)):
        atoms = cluster([200.0, 63.5, 63.5, 58.7])
        atoms.positions = points.coordinates[0].reshape(-1, 3)
        right = by_ase(atoms, tmp_path / kind)
        stored = points.stored_frequencies(0)
        np.testing.assert_array_equal(landscape.frequencies(kind, 0), stored)
        real = right[np.abs(right) > 1.0]
        np.testing.assert_allclose(stored, real, atol=0.05)
        assert (stored < 0).sum() == (kind != "minimum")
        data = landscape.vibrations(kind, 0)
        np.testing.assert_allclose(signed(data.get_frequencies())[-len(real) :][1:], real[1:], atol=0.05)
        assert data.get_zero_point_energy() == pytest.approx(0.5 * units.invcm * real[real > 0].sum(), rel=1e-4)


def test_another_isotope_by_ase(explored):
    """The Hessian knows no masses: with_new_masses gives those of another isotope."""
    landscape = Landscape.open(explored)
    data = landscape.vibrations("minimum", 0)
    light = data.with_new_masses(cluster().get_masses())
    x = landscape.minima.coordinates[0]
    system = System(cluster())
    expected = wavenumbers(system, x, data.get_hessian_2d())
    np.testing.assert_allclose(signed(light.get_frequencies())[-6:], expected, atol=1e-3)


def test_atoms_that_are_fixed_have_no_part(tmp_path):
    slab = fcc100("Al", (2, 2, 2), vacuum=8.0)
    add_adsorbate(slab, "Au", 1.7, "hollow")
    slab.set_constraint(FixAtoms(indices=range(8)))
    slab.calc = EMT()
    BFGS(slab, logfile=None).run(fmax=1e-6)
    with Landscape(slab, tmp_path / "slab.zarr") as landscape:
        landscape.find_minima(steps=1, workers=1)
        data = landscape.vibrations("minimum", 0)
        assert data.get_hessian().shape == (1, 3, 1, 3)
        right = by_ase(slab.copy(), tmp_path / "ase", [8])
        np.testing.assert_allclose(signed(data.get_frequencies()), right, atol=0.05)
        np.testing.assert_allclose(landscape.frequencies("minimum", 0), right, atol=0.05)


@pytest.mark.parametrize("oblique", [False, True])
def test_constraints_are_projected(oblique):
    """An atom on a line moves with its mass along it alone: FixCartesian says the same along an axis."""
    atoms = cluster()
    direction = np.array([1.0, 2.0, -0.5]) if oblique else np.array([0.0, 0.0, 1.0])
    direction /= np.linalg.norm(direction)
    atoms.set_constraint([FixAtoms([0, 1, 2]), FixedLine(3, direction)])
    system = System(atoms)
    hessian = system.hessian(system.x)
    stiffness = direction @ hessian[9:, 9:] @ direction
    rate = np.sqrt(abs(stiffness) / atoms.get_masses()[3] * units._e / units._amu) * 1e10
    expected = np.sign(stiffness) * rate * units._hbar / units._e / units.invcm
    np.testing.assert_allclose(wavenumbers(system, system.x, hessian), [expected], rtol=1e-6)
    if not oblique:
        atoms.set_constraint([FixAtoms([0, 1, 2]), FixCartesian(3, (True, True, False))])
        other = System(atoms)
        np.testing.assert_allclose(wavenumbers(other, system.x, other.hessian(system.x)), [expected], rtol=1e-6)


def test_product_of_frequencies_is_that_of_the_masses():
    """Teller-Redlich: squared frequencies multiply to det(H') det(N M N) / det(M), null modes N left out."""
    atoms = cluster([200.0, 63.5, 20.0, 58.7])
    x = minimise(atoms, rms=1e-5).x[0]
    system = System(atoms)
    hessian, null = system.hessian(x), system.null_modes(x)
    masses = np.repeat(atoms.get_masses(), 3)
    values = np.linalg.eigvalsh(hessian + 1e3 * null.T @ null)[: 12 - len(null)]
    product = np.log(values).sum() + np.linalg.slogdet(null * masses @ null.T)[1] - np.log(masses).sum()
    energies = wavenumbers(system, x, hessian) * units.invcm
    unit = units._hbar * 1e10 / np.sqrt(units._e * units._amu)
    assert 2 * np.log(energies / unit).sum() == pytest.approx(product, abs=1e-4)


def test_a_store_without_frequencies_gets_them_and_goes_on(tmp_path, monkeypatch):
    path = tmp_path / "old.zarr"
    with monkeypatch.context() as patch:
        patch.setattr(storage, "frequency_arrays", lambda n: {})
        with Landscape(cluster(), path, seed=0) as landscape:
            landscape.find_minima(steps=3, workers=1)
    assert "frequencies" not in zarr.open_group(path, mode="r")["minima"]
    old = Landscape.open(path)
    assert old.minima.stored_frequencies(0) is None
    computed = old.frequencies("minimum", 0)
    with Landscape.open(path, "r+") as landscape:
        assert fill_frequencies(landscape) == len(landscape.minima)
        np.testing.assert_allclose(landscape.minima.stored_frequencies(0), computed, atol=1e-3)
        landscape.connect(searches=4, workers=1)
        states = len(landscape.transition_states)
        assert states
        assert all(landscape.transition_states.stored_frequencies(row) is not None for row in range(states))
    group = zarr.open_group(path, mode="r")
    assert group["minima/frequencies"].shape == (len(landscape.minima), 12)
    with Landscape.open(path, "r+") as landscape:
        assert fill_frequencies(landscape) == 0


def test_merging_keeps_them(explored, tmp_path):
    merge(explored, explored, tmp_path / "both.zarr")
    one, both = Landscape.open(explored), Landscape.open(tmp_path / "both.zarr")
    np.testing.assert_array_equal(both.minima.frequencies[:], one.minima.frequencies[:])


def test_what_has_no_vibrations_says_so(explored, tmp_path):
    landscape = Landscape.open(explored)
    with pytest.raises(ValueError, match="kind is 'saddle'; it must be"):
        landscape.vibrations("saddle", 0)
    with pytest.raises(IndexError):
        landscape.frequencies("minimum", 1000)
    reduced = Landscape(Atoms("Ar3", SHAPE[:3], calculator=LJAT(Z=0.0)), tmp_path / "lj.zarr")
    reduced.find_minima(steps=1, workers=1)
    with pytest.raises(ValueError, match=r"in reduced units"):
        reduced.vibrations("minimum", 0)
    assert "frequencies" not in reduced.minima.names
    point = Landscape(Point([0.0, 0.5], MuellerBrown()), tmp_path / "mb.zarr")
    point.find_minima(steps=1, workers=1)
    with pytest.raises(ValueError, match="vibrations are those of atoms"):
        point.frequencies("minimum", 0)
