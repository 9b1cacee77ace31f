"""Searches with calculators without a Hessian find the points of searches with exact Hessians, in few calls."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from ase.optimize import BFGS

from thalweg.landscapes import Landscape, Tolerances
from thalweg.optimizers import find_transition_states, minimise
from thalweg.optimizers.quasi_newton.knowledge import KnownPoints
from thalweg.potentials import LJAT, as_system


class CountedEMT(EMT):
    """EMT that counts its calls."""

    calls = 0

    def calculate(self, *args, **kwargs):
        CountedEMT.calls += 1
        super().calculate(*args, **kwargs)


def clusters(count, seed=0):
    """Return starts of six atoms, with ASE's Lennard-Jones potential and with the compiled one."""
    rng, exact = np.random.default_rng(seed), LJAT(Z=0.0)
    X = np.array([exact.random_coordinates(18, rng) for _ in range(count)])
    positions = X[0].reshape(-1, 3)
    calculators = LennardJones(rc=60.0), exact
    return X, *(as_system(Atoms("Ar6", positions, calculator=one)) for one in calculators)


def test_minima_are_those_of_the_exact_hessian():
    X, system, exact = clusters(6)
    found = minimise(system, X, rms=1e-6, second_order=True)
    again = minimise(exact, found.x, rms=1e-9, second_order=True)
    assert found.converged.all()
    np.testing.assert_allclose(found.energy, again.energy, atol=1e-5)
    np.testing.assert_allclose(found.lowest_eigenvalue, again.lowest_eigenvalue, rtol=1e-3)
    np.testing.assert_allclose(found.log_eigenvalue_product, again.log_eigenvalue_product, atol=1e-3)


def test_transition_states_are_those_of_the_exact_hessian():
    X, system, exact = clusters(4, seed=1)
    minima = minimise(exact, X).x + 0.1 * np.random.default_rng(0).normal(size=X.shape)
    found = find_transition_states(system, minima, rms=1e-6)
    good = found.converged
    assert good.sum() >= 2
    again = find_transition_states(exact, found.x[good])
    assert again.converged.all()
    np.testing.assert_allclose(found.energy[good], again.energy, atol=1e-5)
    np.testing.assert_allclose(found.lowest_eigenvalue[good], again.lowest_eigenvalue, rtol=1e-3)
    np.testing.assert_allclose(found.log_eigenvalue_product[good], again.log_eigenvalue_product, atol=1e-3)
    np.testing.assert_allclose(
        np.sort(found.minima_energy[good], axis=1), np.sort(again.minima_energy, axis=1), atol=1e-5
    )


def test_a_known_minimum_takes_no_hessian_and_no_last_steps():
    atoms = Atoms("Cu4", 1.6 * np.array([[0, 0, 0], [1, 1, 0], [1, 0, 1], [0, 1, 1]]), calculator=CountedEMT())
    system = as_system(atoms)
    known = KnownPoints(system)
    assert system.noise
    assert len(system.rigid) == 6
    CountedEMT.calls = 0
    first = minimise(system, rms=1e-5, second_order=True, known_points=known)
    proved, CountedEMT.calls = CountedEMT.calls, 0
    second = minimise(system, 1.02 * system.x, rms=1e-5, second_order=True, known_points=known)
    assert first.converged[0]
    assert second.converged[0]
    assert CountedEMT.calls <= proved - 2 * 6
    assert second.energy[0] == first.energy[0]
    assert system.distance(first.x[0], second.x[0]) < 1e-6


def test_atoms_that_overlap_at_the_start_take_a_usual_number_of_steps():
    """Their first steps meet a surface far stiffer than the later ones; ASE's BFGS has the same starts."""
    rng, calls, steps = np.random.default_rng(3), 0, 0
    for _ in range(2):
        atoms = Atoms("Cu5Au3", rng.uniform(-2.0, 2.0, (8, 3)), calculator=CountedEMT())
        system = as_system(atoms)
        assert system.noise
        assert len(system.rigid) == 6
        CountedEMT.calls = 0
        found = minimise(system, rms=1e-4)
        calls += CountedEMT.calls
        assert found.converged[0]
        by_ase = BFGS(atoms, logfile=None, maxstep=0.2)
        assert by_ase.run(fmax=2e-4, steps=400)
        steps += by_ase.nsteps
    assert calls < 0.7 * steps


@pytest.mark.parametrize("rms", [1e-2, 1e-4])
def test_calls_are_counted_across_a_resumption_and_loose_points_are_no_duplicates(tmp_path, rms):
    def atoms():
        return Atoms("Cu4", 1.7 * np.array([[0, 0, 0], [1, 1, 0], [1, 0, 1], [0, 1, 1]]), calculator=CountedEMT())

    path, tolerances = tmp_path / "cu.zarr", Tolerances.converged_to(rms)
    counted = 0
    for _ in range(2):
        with Landscape(atoms(), path, seed=0, tolerances=tolerances) as landscape:
            CountedEMT.calls = 0
            landscape.find_minima(steps=6, progress=False)
            landscape.connect(searches=4, progress=False)
            counted += CountedEMT.calls
    landscape = Landscape.open(path)
    assert sum(landscape.state[name]["calls"] for name in ("find_minima", "connect")) == counted
    # the tetrahedron, and the rhombus if it is one: no two minima of one energy
    energies = np.sort(landscape.minima.energy[:])
    assert (np.diff(energies) > 1e-2).all()


@pytest.fixture
def xtb():
    tblite = pytest.importorskip("tblite.ase", reason="GFN2-xTB needs tblite")

    class Counted(tblite.TBLite):
        calls = 0

        def calculate(self, *args, **kwargs):
            Counted.calls += 1
            super().calculate(*args, **kwargs)

    return Counted


def test_inversion_of_ammonia_takes_few_calls(xtb):
    atoms = molecule("NH3")
    atoms.calc = xtb(verbosity=0)
    atoms.positions[:] = minimise(atoms, rms=1e-4).x.reshape(-1, 3)
    low = atoms.get_potential_energy()
    atoms.positions[0, 2] -= 0.9 * (atoms.positions[0, 2] - atoms.positions[1:, 2].mean())
    xtb.calls = 0
    found = find_transition_states(atoms, rms=1e-4)
    # the planar molecule lies 0.2650 eV higher, by ase.optimize.BFGS in the plane
    assert found.converged[0]
    assert xtb.calls <= 80
    assert found.energy[0] - low == pytest.approx(0.2650, abs=1e-3)
    np.testing.assert_allclose(found.minima_energy[0], low, atol=1e-3)
