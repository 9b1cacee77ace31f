"""check_potential passes for what is sound and names what is broken."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms

from thalweg.potentials import LJAT, Function, Point
from thalweg.potentials.calculator import FlatCalculator
from thalweg.potentials.check import PotentialError, check_potential
from thalweg.potentials.neural_network.loss import NetworkLoss
from thalweg.potentials.neural_network.weights import Weights


class Wells(FlatCalculator):
    """A sound potential in Python, to be broken below."""

    def energy_gradient(self, x):
        x = self._flat(x)
        return float(np.sum((x**2 - 1) ** 2) + x[0] * x[1]), 4 * x * (x**2 - 1) + np.array([x[1], x[0], 0.0])

    def hessian(self, x):
        hessian = np.diag(12 * x**2 - 4)
        hessian[0, 1] = hessian[1, 0] = 1.0
        return hessian


class WrongSign(Wells):
    def energy_gradient(self, x):
        energy, gradient = super().energy_gradient(x)
        return energy, -gradient


class Mutated(Wells):
    def energy_gradient(self, x):
        result = super().energy_gradient(x)
        x *= 1.5
        return result


class Asymmetric(Wells):
    def hessian(self, x):
        hessian = super().hessian(x)
        hessian[0, 1] += 0.01
        return hessian


class BatchUnequal(Wells):
    def energies_gradients(self, X, threads=None):
        energies, gradients = super().energies_gradients(X, threads)
        return energies, gradients + 1e-3


X = np.array([0.3, -0.7, 1.2])


def cluster(n: int, seed: int = 0) -> Atoms:
    """Atoms on a cubic grid, shaken."""
    rng = np.random.default_rng(seed)
    grid = np.array([(i, j, k) for i in range(3) for j in range(3) for k in range(3)], dtype=float)
    return Atoms(f"Ar{n}", positions=1.12 * grid[:n] + 0.05 * rng.normal(size=(n, 3)))


@pytest.mark.parametrize("Z", [0.0, 2.0, -0.5])
@pytest.mark.parametrize("n", [2, 3, 7, 9, 13])
def test_ljat_passes(n, Z):
    report = check_potential(LJAT(Z=Z), cluster(n))
    assert report.passed
    assert len(report.checks) == 12
    assert "passed  gradient" in str(report)


def test_every_way_in_gives_the_same_report():
    atoms = cluster(4)
    atoms.calc = LJAT(Z=2.0)
    assert str(check_potential(atoms)) == str(check_potential(LJAT(Z=2.0), cluster(4)))
    assert check_potential(Wells(), X).passed
    assert check_potential(Point(X, Wells(), frozen=[False, True, False])).passed


def test_callables_pass():
    def energy(x):
        return np.sum(np.cos(x)) + x[0] * x[1] ** 2

    def gradient(x):
        return -np.sin(x) + np.array([x[1] ** 2, 2 * x[0] * x[1], 0.0])

    assert check_potential(Function(energy, gradient), X).passed
    # second differences of an energy are good to 1e-6 or so
    assert check_potential(Function(energy), X, tolerance=1e-4).passed


@pytest.mark.parametrize("l2", [0.0, 1e-2])
@pytest.mark.parametrize("neighbours", [None, 2])
def test_network_loss_passes(l2, neighbours):
    rng = np.random.default_rng(0)
    inputs, labels = rng.normal(size=(60, 2)), rng.integers(0, 4, 60)
    loss = NetworkLoss(inputs, labels, hidden=(5,), l2=l2, n_classes=4, neighbours=neighbours)
    weights = Weights.random(loss, seed=0)
    assert check_potential(weights).passed
    assert check_potential(loss, weights.x).passed


def test_ase_calculator_passes():
    copper = bulk("Cu", cubic=True)
    copper.rattle(0.05, seed=1)
    assert check_potential(EMT(), copper, tolerance=1e-5).passed
    molecule = Atoms("Cu3Ni", positions=[[0, 0, 0], [2.4, 0, 0], [1.2, 2.1, 0.2], [1.2, 0.7, 2.0]])
    assert check_potential(EMT(), molecule, tolerance=1e-5).passed
    molecule.set_constraint(FixAtoms([0]))
    assert check_potential(EMT(), molecule, tolerance=1e-5).passed


@pytest.mark.parametrize(
    ("broken", "name"),
    [
        (WrongSign, "gradient"),
        (Mutated, "input not mutated"),
        (Asymmetric, "Hessian symmetric"),
        (BatchUnequal, "batch equals single"),
    ],
)
def test_broken_potentials_are_named(broken, name):
    with pytest.raises(PotentialError, match=rf"(?s){broken.__name__} breaks.*FAILED  {name}: ") as caught:
        check_potential(broken(), X)
    report = check_potential(broken(), X, raise_error=False)
    assert not report[name].passed
    assert f"{report[name].deviation:.1e}" in str(caught.value)
    assert isinstance(caught.value, AssertionError)


def test_broken_symmetry_is_named():
    class Field(LJAT):
        """A cluster that is not alone: an atom feels where it is."""

        @property
        def compiled(self):
            return None

        def energy_gradient(self, x):
            own = LJAT.compiled.fget(self)
            gradient = np.empty_like(x)
            energy = own.function(x, gradient, own.integers, own.floats)
            gradient[0] += 1.0
            return energy + x[0], gradient

    report = check_potential(Field(Z=0.0), cluster(4), raise_error=False)
    names = {check.name for check in report.failures}
    assert {"energy under symmetry", "no slope along null modes"} <= names
    assert report["gradient"].passed
