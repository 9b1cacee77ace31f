"""Bounds: how they may be given, what they change, and that they are kept."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from scipy.optimize import Bounds

from thalweg.optimizers import default_rules
from thalweg.potentials import LJAT, MuellerBrown, Point, as_system
from thalweg.potentials.bounds import checked_bounds
from thalweg.potentials.system import System


def bowl(x):
    return float(x @ x)


@pytest.mark.parametrize(
    ("given", "n", "wanted"),
    [
        ((-1, 2), 3, [[-1, 2]] * 3),
        ([(-1, 1), (-2, 2)], 2, [[-1, 1], [-2, 2]]),
        (([-1, -2, -3], [1, 2, 3]), 3, [[-1, 1], [-2, 2], [-3, 3]]),
        ([(-1, 1), (-2, 2), (-3, 3)], 3, [[-1, 1], [-2, 2], [-3, 3]]),
        (Bounds([-1, -2], [1, 2]), 2, [[-1, 1], [-2, 2]]),
        (Bounds(0, 1), 2, [[0, 1], [0, 1]]),
        (([0], [1]), 1, [[0, 1]]),
    ],
)
def test_ways_to_give_bounds(given, n, wanted):
    bounds = checked_bounds(given, n)
    assert bounds.tolist() == wanted
    # what a store keeps is read back as it was
    assert checked_bounds(bounds, n).tolist() == wanted


@pytest.mark.parametrize("given", [(1, 0), (0, np.nan), (0, np.inf), np.zeros(3), [(0, 1)] * 3, [(1, 1), (0, 1)]])
def test_wrong_bounds_are_refused(given):
    with pytest.raises(ValueError, match="bounds must be a finite"):
        checked_bounds(given, 2)


def test_starts_are_inside_and_frozen_coordinates_stay():
    system = as_system(Point([9.0, 0.0], bowl, frozen=[True, False]), bounds=[(0, 1), (-3, -2)])
    rng = np.random.default_rng(0)
    X = np.array([system.random(rng) for _ in range(100)])
    assert (X[:, 0] == 9.0).all()
    assert -3 <= X[:, 1].min() < -2.9
    assert -2.1 < X[:, 1].max() <= -2
    assert all(map(system.inside, X))
    assert not system.inside(np.array([9.0, 0.0]))
    assert system.width == 1.0


def test_steps_scale_with_the_bounds():
    free, small = as_system(Point([0.0, 0.0], bowl)), as_system(Point([0.0, 0.0], bowl), bounds=(-0.05, 0.05))
    assert free.width is None
    assert default_rules(small).max_step == pytest.approx(0.01)
    assert default_rules(free).max_step == 0.4


def test_a_surface_brings_its_bounds_and_a_system_keeps_or_changes_them():
    system = as_system(Point([0.0, 0.0], MuellerBrown()))
    np.testing.assert_array_equal(system.bounds, MuellerBrown().bounds)
    assert as_system(system) is system
    assert as_system(system, bounds=(-1, 1)).bounds.tolist() == [[-1, 1], [-1, 1]]
    again = System.from_description(as_system(system, bounds=(-1, 1)).describe())
    assert again.bounds.tolist() == [[-1, 1], [-1, 1]]


def test_atoms_are_only_started_inside():
    atoms = Atoms("Ar2", positions=[[0, 0, 0], [1.1, 0, 0]], calculator=LJAT(Z=0.0))
    system = as_system(atoms, bounds=(0, 2))
    assert (system.random(np.random.default_rng(0)) >= 0).all()
    assert system.inside(np.full(6, 50.0))
    assert System.from_description(system.describe()).bounds.tolist() == [[0, 2]] * 6


def test_a_python_function_is_not_followed_to_infinity():
    calls = []

    def slope(x):
        calls.append(x.copy())
        return float(x.sum())

    system = as_system(Point([0.0, 0.0], slope), bounds=(-1, 1))
    assert np.isnan(system.energies_gradients(np.array([[5.0, 0.0]]))[0][0])
    assert not calls
    assert system.energies_gradients(np.array([[1.5, 0.0]]))[0][0] == 1.5
