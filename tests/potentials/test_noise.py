"""Noise of calculators: measured as it was put in, and steps of differences that suit it."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.calculators.calculator import CalculationFailed, Calculator, all_changes
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.landscapes import Landscape, StoreError, Tolerances
from thalweg.potentials import LJAT, as_system
from thalweg.potentials.noise import Noise, measured_noise

RHOMBUS = [[0, 0, 0], [1.1, 0, 0], [0.55, 0.95, 0.1], [0.55, -0.95, 0]]


class Springs(Calculator):
    """Stiff and soft springs between all atoms, with noise on the forces as an unconverged SCF makes it."""

    implemented_properties = ("energy", "forces")

    def __init__(self, sigma: float = 0.0):
        super().__init__()
        self.sigma, self.draws = sigma, np.random.default_rng(1)

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        x = self.atoms.positions
        energy, forces = 0.0, self.sigma * self.draws.standard_normal(x.shape)
        for i in range(len(x)):
            for j in range(i):
                apart = x[i] - x[j]
                r, k = np.linalg.norm(apart), 40.0 / (1 + i)
                # a Morse bond of about 1 angstrom, as chemical bonds are
                decay = np.exp(-1.9 * (r - 1.0))
                energy += k / (2 * 1.9**2) * (1 - decay) ** 2
                pull = k / 1.9 * (1 - decay) * decay * apart / r
                forces[i] -= pull
                forces[j] += pull
        self.results = {"energy": energy, "forces": forces}


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.floats(-7, -3))
def test_noise_is_measured_as_it_was_put_in(seed, power):
    rng, sigma = np.random.default_rng(seed), 10.0**power

    def energy_gradient(x):
        return 0.0, 30.0 * np.sin(x) + sigma * rng.standard_normal(x.size)

    noise = measured_noise(energy_gradient, np.zeros(30), np.arange(30))
    assert noise.gradient == pytest.approx(sigma, rel=0.6)
    assert noise.curvature == pytest.approx(30.0, rel=0.05 + 1e4 * sigma / 30)


@pytest.mark.parametrize("sigma", [1e-7, 1e-6, 1e-5, 1e-4])
def test_the_step_is_near_the_best_one(sigma):
    atoms = Atoms("Ar4", RHOMBUS, calculator=Springs(sigma))
    exact = as_system(Atoms("Ar4", RHOMBUS, calculator=Springs())).hessian(np.ravel(RHOMBUS))

    def error(step):
        system = as_system(atoms)
        system.noise = type("Fixed", (), {"difference_step": step})()
        return np.mean([np.abs(system.hessian(system.x) - exact).mean() for _ in range(4)])

    chosen = as_system(atoms).noise.difference_step
    assert error(chosen) < 3 * min(error(step) for step in (1e-4, 3e-4, 1e-3, 3e-3, 1e-2))


@pytest.mark.parametrize(
    "atoms",
    [
        Atoms("Ar4", RHOMBUS, calculator=LennardJones()),
        Atoms("Ar4", 3.8 * np.array(RHOMBUS), calculator=LennardJones(sigma=3.4, epsilon=0.0104)),
        molecule("H2O", calculator=EMT()),
    ],
)
def test_potentials_without_noise_keep_the_short_step(atoms):
    noise = as_system(atoms).noise
    assert noise.difference_step == 1e-4
    assert noise.gradient_rms == 1e-6


def test_own_potentials_are_not_measured():
    assert as_system(Atoms("Ar4", RHOMBUS, calculator=LJAT(Z=0.0))).noise == Noise(0.0, 0.0)


def test_a_calculator_that_fails_has_no_noise():
    class Failing(EMT):
        def calculate(self, *args, **kwargs):
            raise CalculationFailed("not converged")

    assert as_system(molecule("H2O", calculator=Failing())).noise == Noise(0.0, 0.0)


@pytest.mark.parametrize(("sigma", "rms"), [(0.0, 1e-6), (1e-8, 1e-6), (1.3e-5, 2e-4), (1e-5, 1e-4), (6e-5, 1e-3)])
def test_searches_converge_to_ten_times_the_noise(sigma, rms):
    assert Noise(sigma, 50.0).gradient_rms == pytest.approx(rms)


@pytest.mark.parametrize(
    ("sigma", "distance"), [(0.0, 0.01), (1e-5, 0.01), (4e-5, 0.02), (1e-4, 0.05), (1e-3, 0.1), (1.0, 0.1)]
)
def test_points_are_the_same_as_far_as_noise_separates_them(sigma, distance):
    assert Noise(sigma, 50.0).distance == pytest.approx(distance)


def test_a_landscape_keeps_the_noise_of_its_calculator(tmp_path):
    atoms = Atoms("Ar4", RHOMBUS, calculator=Springs(1e-5))
    with Landscape(atoms, tmp_path / "x.zarr", seed=0) as landscape:
        noise = landscape.system.noise
        assert landscape.tolerances == Tolerances.converged_to(noise.gradient_rms, noise.distance)
        assert landscape.tolerances.gradient_rms in (1e-4, 2e-4)
    with Landscape(atoms, tmp_path / "x.zarr") as landscape:
        assert landscape.system.noise == noise  # the measurement of now would be another
    with Landscape(atoms, tmp_path / "y.zarr", tolerances=Tolerances(gradient_rms=0.01)) as landscape:
        assert landscape.tolerances.gradient_rms == 0.01


@pytest.mark.parametrize("given", [
    Tolerances(gradient_rms=0.01), Tolerances.converged_to(0.01), Tolerances(energy=1e-3), Tolerances(1e-3, 0.02),
    Tolerances(eigenvalue=1e-4),
], ids=repr)  # fmt: skip
def test_what_is_not_given_is_chosen_from_noise(tmp_path, given):
    """A landscape of which one tolerance was given has the others by its noise, and opens again with the same."""
    atoms = Atoms("C4", RHOMBUS, calculator=Springs(1e-4))
    with Landscape(atoms, tmp_path / "x.zarr", tolerances=given) as landscape:
        held, noise = landscape.tolerances, landscape.system.noise
    chosen = Tolerances.converged_to(given.given.get("gradient_rms", noise.gradient_rms), noise.distance)
    assert noise.distance > 0.01
    assert held.to_dict() == chosen.to_dict() | given.given
    with Landscape(atoms, tmp_path / "x.zarr", tolerances=given) as again:
        assert again.tolerances == held
    with pytest.raises(StoreError, match=r"tolerances: stored .*given .*0\.25"):
        Landscape(atoms, tmp_path / "x.zarr", tolerances=Tolerances(distance=0.25))


def test_tolerances_remember_what_was_given():
    given = Tolerances(1e-5, gradient_rms=1e-3)
    for copied in (given, pickle.loads(pickle.dumps(given)), copy.deepcopy(given)):
        assert copied.given == {"energy": 1e-5, "gradient_rms": 1e-3}
    assert Tolerances().given == Tolerances().to_dict()
    assert replace(given, distance=0.02).given == {**given.to_dict(), "distance": 0.02}
    assert given == Tolerances(energy=1e-5, distance=0.01, gradient_rms=1e-3)
