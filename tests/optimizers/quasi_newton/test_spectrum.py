"""Eigenvalues of soft modes below the noise of a Hessian's entries, and null modes that remain null."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.calculators.calculator import CalculationFailed, Calculator, all_changes
from ase.calculators.ff import ForceField
from ase.calculators.lj import LennardJones
from ase.utils.ff import Angle, Bond, Dihedral
from numpy.testing import assert_allclose

from thalweg.optimizers import minimise
from thalweg.optimizers.kernels.status import Status
from thalweg.optimizers.quasi_newton.descent import descend
from thalweg.optimizers.quasi_newton.proof import prove
from thalweg.optimizers.quasi_newton.spectrum import spectrum_at
from thalweg.optimizers.quasi_newton.surface import Surface
from thalweg.potentials import as_system
from thalweg.potentials.noise import Noise

NOISE = 3e-5
ALANINE_DIPEPTIDE = [
    [-3.66, 0.35, 0.13], [-2.43, -0.52, 0.06], [-2.49, -1.74, 0.14], [-1.26, 0.18, -0.09],
    [0.04, -0.49, -0.12], [0.33, -1.06, -1.51], [1.11, 0.54, 0.28], [0.85, 1.74, 0.40],
    [2.37, 0.02, 0.49], [3.45, 0.85, 0.96], [-4.40, -0.02, -0.58], [-4.07, 0.31, 1.15],
    [-3.44, 1.39, -0.12], [-1.25, 1.19, -0.03], [0.03, -1.29, 0.62], [0.37, -0.26, -2.26],
    [-0.44, -1.77, -1.81], [1.29, -1.58, -1.53], [2.46, -0.99, 0.58], [3.44, 1.81, 0.44],
    [4.39, 0.33, 0.77], [3.32, 1.01, 2.03],
]  # fmt: skip


class Noisy(ForceField):
    """ASE's force field, with noise on the forces as an unconverged SCF makes it."""

    sigma, draws, limit = 0.0, np.random.default_rng(0), np.inf

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        if self.results["energy"] > self.limit:
            raise CalculationFailed("too high")
        forces = self.results["forces"]
        self.results["forces"] = forces + self.sigma * self.draws.standard_normal(forces.shape)


def peroxide(torsion, sigma=0.0, limit=np.inf):
    """Return relaxed hydrogen peroxide whose torsion has this force constant, in eV/rad**2, and forces this noise."""
    atoms = Atoms("HO2H", [[0.3, 0.9, 0.0], [0, 0, 0], [1.45, 0, 0], [1.15, -0.2, 0.9]], cell=[40, 40, 40])
    bonds = [Bond(0, 1, k=30.0, b0=0.97), Bond(1, 2, k=25.0, b0=1.45), Bond(2, 3, k=30.0, b0=0.97)]
    angles = [Angle(0, 1, 2, k=4.0, a0=100.0, alpha=None), Angle(1, 2, 3, k=4.0, a0=100.0, alpha=None)]
    dihedrals = [Dihedral(0, 1, 2, 3, k=torsion, d0=np.radians(110))] if torsion else []
    atoms.calc = Noisy(bonds=bonds, angles=angles, dihedrals=dihedrals)
    x = minimise(atoms, rms=1e-7).x[0]
    calculator = Noisy(bonds=bonds, angles=angles, dihedrals=dihedrals)
    calculator.sigma, calculator.limit, calculator.draws = sigma, limit, np.random.default_rng(3)
    atoms.calc = calculator
    atoms.positions[:] = x.reshape(-1, 3)
    return as_system(atoms)


def spectrum_of(system):
    surface = Surface(system)
    return spectrum_at(surface, system.x, surface(system.x)[1]), surface


def exact(torsion):
    return spectrum_of(peroxide(torsion))[0].values


@pytest.mark.parametrize("torsion", [2e-4, 4e-4, 1e-3])
def test_a_mode_below_the_noise_is_resolved(torsion):
    right = exact(torsion)
    found, surface = spectrum_of(peroxide(torsion, NOISE))
    assert surface.difference == 5e-3
    assert_allclose(found.values, right, rtol=2e-3, atol=0.02)
    assert abs(found.values[0] - right[0]) < found.errors[0] < right[0]
    proof = prove(surface, surface.system.x, *surface(surface.system.x), 0)
    assert proof.status == Status.CONVERGED
    assert proof.point.modes == 6
    assert proof.point.log_eigenvalue_product == pytest.approx(np.log(right).sum(), abs=0.3)


def test_differences_along_curves_give_the_hessian_of_straight_ones():
    found, surface = spectrum_of(peroxide(0.02))
    assert found.frames is not None
    straight = surface.differences(surface.system.x, surface.basis(surface.system.x))
    assert_allclose(found.values, np.linalg.eigvalsh(0.5 * (straight + straight.T)), rtol=1e-5)


@pytest.mark.parametrize("sigma", [0.0, 1e-6, NOISE])
def test_a_free_rotor_remains_a_null_mode(sigma):
    system = peroxide(0.0, sigma)
    proof = prove(Surface(system), system.x, *system.energy_gradient(system.x), 0)
    assert proof.status == Status.ZERO_MODE
    assert abs(proof.values[0]) < 5e-4


@pytest.mark.parametrize("torsion", [-4e-4, -2e-3])
def test_a_soft_saddle_is_one(torsion):
    system = peroxide(-torsion)
    # the force constant of the other sign makes the same structure the top of its torsion
    for term in system.potential.dihedrals:
        term.k = torsion
    system.potential.sigma = NOISE
    proof = prove(Surface(system), system.x, *system.energy_gradient(system.x), 1)
    assert proof.status == Status.CONVERGED
    assert proof.values[0] == pytest.approx(-exact(-torsion)[0], rel=0.3)


def test_a_point_converged_loosely_is_refined_along_the_curve_of_its_soft_mode():
    system = peroxide(1e-3, NOISE)
    surface, best = Surface(system), system.x
    found = spectrum_of(system)[0]

    def torsion(x):
        return Atoms("HO2H", x.reshape(-1, 3)).get_dihedral(0, 1, 2, 3)

    # the sign of an eigenvector is arbitrary
    away = max((best + found.bent(side * 0.04 * found.vectors[:, 0]) for side in (1, -1)), key=torsion)
    assert system.distance(away, best) > 0.035
    proof = prove(surface, away, *surface(away), 0)
    assert proof.status == Status.CONVERGED
    assert system.distance(proof.point.x, best) < 0.01


@pytest.mark.parametrize("sigma", [NOISE, 1e-4])
def test_searches_that_know_nothing_of_each_other_end_no_farther_apart_than_the_tolerance(sigma):
    system = peroxide(6e-4, sigma)
    rng, ends = np.random.default_rng(1), []
    for _ in range(5):
        start = system.x + 0.05 * rng.standard_normal(system.n)
        way = descend(Surface(system), start, goal=3 * sigma, steps=500, longest=0.2)
        proof = prove(Surface(system), way.x, way.energy, way.gradient, 0)
        assert proof.status == Status.CONVERGED
        ends.append(proof.point.x)
    apart = max(system.distance(one, other) for one in ends for other in ends)
    assert apart <= Noise(sigma, 50.0).distance


def test_without_noise_nothing_is_computed_again():
    atoms = Atoms("Ar4", [[0, 0, 0], [1.1, 0, 0], [0.55, 0.95, 0.1], [0.55, -0.95, 0]], calculator=LennardJones(rc=9))
    system = as_system(atoms)
    surface = Surface(system)
    spectrum_at(surface, system.x, surface(system.x)[1])
    assert surface.calls == 1 + 2 * 6


def test_a_calculator_that_fails_on_the_curves_leaves_the_plain_spectrum():
    system = peroxide(2e-4, NOISE)
    system.potential.limit = system.energy(system.x) + 1.2e-3  # the differences stay below
    found, _ = spectrum_of(system)
    assert np.isfinite(found.values).all()
    assert (found.errors > 2e-3).all()
    system.potential.limit = -1.0
    assert np.isnan(spectrum_at(Surface(system), system.x, np.zeros(system.n)).values).all()


def test_alanine_dipeptide_with_the_default_accuracy_of_xtb():
    tblite = pytest.importorskip("tblite.ase", reason="GFN2-xTB needs tblite")
    atoms = Atoms("CCONCCCONCHHHHHHHHHHHH", ALANINE_DIPEPTIDE)
    atoms.calc = tblite.TBLite(verbosity=0)
    found = minimise(atoms, rms=3e-4, second_order=True)
    assert found.converged[0]
    atoms.positions[:] = found.x.reshape(-1, 3)
    atoms.calc = tblite.TBLite(verbosity=0, accuracy=1e-3)
    right = spectrum_of(as_system(atoms))[0].values
    assert found.lowest_eigenvalue[0] == pytest.approx(right[0], abs=2e-3)
    assert found.log_eigenvalue_product[0] == pytest.approx(np.log(right).sum(), abs=0.5)


def test_molecules_without_soft_modes_cost_no_call_more():
    tblite = pytest.importorskip("tblite.ase", reason="GFN2-xTB needs tblite")
    atoms = molecule("NH3")
    atoms.calc = tblite.TBLite(verbosity=0)
    system = as_system(atoms)
    x = minimise(system, rms=1e-4).x[0]
    surface = Surface(system)
    spectrum_at(surface, x, surface(x)[1])
    assert surface.calls == 1 + 2 * 6


class Bent(Calculator):
    """Two springs to the atom in the middle, and an energy that is highest where the three are in a line."""

    implemented_properties = ("energy", "forces")

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        (a, b), middle = self.atoms.positions[1:], self.atoms.positions[0]
        u, v = a - middle, b - middle
        long, short = np.linalg.norm(u), np.linalg.norm(v)
        cosine = u @ v / (long * short)
        along_u = 20.0 * (long - 1.0) * u / long - 3.0 * (v / (long * short) - cosine * u / long**2)
        along_v = 20.0 * (short - 1.0) * v / short - 3.0 * (u / (long * short) - cosine * v / short**2)
        energy = 10.0 * ((long - 1.0) ** 2 + (short - 1.0) ** 2) - 3.0 * cosine
        self.results = {"energy": energy, "forces": -np.array([-along_u - along_v, along_u, along_v])}


@pytest.mark.parametrize("bend", [0.0, 1e-3])
def test_a_line_of_atoms_that_both_bends_lower_is_no_transition_state(bend):
    """Nearly in a line, one of its two bends looks like a rotation about the line."""
    atoms = Atoms("CHN", [[0, 0, 0], [1.0, bend, 0], [-1.0, bend, 0]], calculator=Bent())
    surface = Surface(as_system(atoms))
    x = atoms.positions.ravel()
    assert prove(surface, x, *surface(x), 1).status == Status.WRONG_INDEX
    straight = np.array([0, 0, 0, 1.0, 0, 0, -1.0, 0, 0])
    assert prove(surface, straight, *surface(straight), 2).status == Status.CONVERGED
