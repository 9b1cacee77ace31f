"""verify() computes again: right for LJAT3, whose points are known, and it says what is wrong where something is."""

from __future__ import annotations

import re

import numpy as np
import pytest
from ase import Atoms
from scipy.optimize import minimize

from thalweg.landscapes import Landscape, Minimum, Tolerances, verify
from thalweg.potentials import LJAT, as_system

from ..calculators_elsewhere import Noisy

FOUR = np.array([[0, 0, 0], [1.1, 0, 0], [0.5, 0.95, 0], [0.5, 0.3, 0.9]])


def triangle():
    return Atoms("Ar3", positions=[[0, 0, 0], [1.17, 0, 0], [0.58, 1.01, 0]], calculator=LJAT(Z=2.0))


def true_minimum(system):
    """The equilateral minimum, by scipy and numpy alone."""
    found = minimize(system.energy_gradient, system.x, jac=True, method="BFGS", options={"gtol": 1e-9})
    x = found.x
    for _ in range(3):  # Newton steps within the space of non-zero eigenvalues
        _, gradient = system.energy_gradient(x)
        x = x - np.linalg.pinv(system.hessian(x), rcond=1e-6) @ gradient
    values = np.linalg.eigvalsh(system.hessian(x))
    values = values[values > 1e-3]
    energy, gradient = system.energy_gradient(x)
    rms = float(np.sqrt(np.mean(gradient**2)))
    return Minimum(energy, x, rms, float(values[0]), float(np.log(values).sum()), len(values))


def test_a_true_minimum_is_found_right(tmp_path):
    system = as_system(triangle())
    minimum = true_minimum(system)
    assert minimum.energy == pytest.approx(-2.1850988403, abs=1e-9)
    assert minimum.modes == 3
    with Landscape(triangle(), tmp_path / "a.zarr") as landscape:
        landscape.add_minimum(minimum)
        assert landscape.minima.symmetry_order[0] > 1
        assert verify(landscape) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"energy": -2.0}, r"energy is -2\.185.*stored -2\.0"),
        ({"lowest_eigenvalue": 1.0}, "lowest_eigenvalue is"),
        ({"log_eigenvalue_product": 1.0}, "log_eigenvalue_product is"),
        ({"modes": 4}, "modes is 3, stored 4"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, changes, message):
    system = as_system(triangle())
    right = true_minimum(system)
    values = {name: getattr(right, name) for name in Minimum.__dataclass_fields__} | changes
    with Landscape(triangle(), tmp_path / "a.zarr") as landscape:
        landscape.add_minimum(Minimum(**values))
        problems = verify(landscape)
    assert [(problem.group, problem.row) for problem in problems] == [("minima", 0)]
    assert re.search(message, problems[0].message)


def test_a_point_that_is_none_is_said_to_be_none(tmp_path):
    right = true_minimum(as_system(triangle()))
    values = {name: getattr(right, name) for name in Minimum.__dataclass_fields__}
    x = right.coordinates + np.linspace(0, 0.2, 9) ** 2
    with Landscape(triangle(), tmp_path / "a.zarr") as landscape:
        landscape.add_minimum(Minimum(**values))
        landscape.add_minimum(Minimum(**values | {"coordinates": x}))
        assert verify(landscape, minima=[0]) == []
        assert any("gradient_rms is" in problem.message for problem in verify(landscape))


def test_noise_of_a_calculator_is_no_error_and_a_wrong_eigenvalue_still_is(tmp_path):
    atoms = Atoms("Ar4", FOUR, calculator=Noisy(3.0))
    tolerances = Tolerances(gradient_rms=1e-2, energy=1e-4)
    with Landscape(atoms, tmp_path / "a.zarr", tolerances=tolerances) as landscape:
        landscape.find_minima(steps=3, progress=False)
        assert landscape.system.noise.gradient > 1e-5
        for _ in range(3):
            assert verify(landscape) == []
        off = landscape.minima.lowest_eigenvalue[:] * 1.1
        landscape._store.rewrite("minima/lowest_eigenvalue", off)
        assert len(verify(landscape)) == len(off)
