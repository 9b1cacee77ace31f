"""Points and what makes none: every mistake is named before anything is computed."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.constraints import FixAtoms

from thalweg.potentials import LJAT, Function, NetworkLoss, Point, Weights, as_system


def loss(**more):
    return NetworkLoss([[0.0, 1.0], [1.0, 0.5]], [0, 1], hidden=(3,), n_classes=2, **more)


def bowl(x):
    return float(x @ x)


def atoms(positions, calculator=None):
    return Atoms(f"Ar{len(positions)}", positions, calculator=calculator or LJAT(Z=0.0))


def fixed():
    every = atoms([[0, 0, 0], [1.1, 0, 0]])
    every.set_constraint(FixAtoms([0, 1]))
    return every


def periodic():
    crystal = atoms([[0, 0, 0], [1.1, 0, 0]])
    crystal.cell, crystal.pbc = 5 * np.eye(3), True
    return crystal


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Point([[1.0, 2.0]]), ValueError, r"x must be a flat vector; its shape is \(1, 2\)"),
        (lambda: Point([np.nan, 0.0]), ValueError, "x must be finite"),
        (lambda: Point([np.inf]), ValueError, "x must be finite"),
        (lambda: Point([1.0, 2.0], frozen=[True]), ValueError, "frozen must have one entry a coordinate"),
        (lambda: Point([1.0], 3), TypeError, "calc must be a flat calculator or a callable"),
        (lambda: Function(3), TypeError, "energy must be callable, not int"),
        (lambda: Weights(3), TypeError, "loss must be a NetworkLoss, not int"),
        (lambda: Weights(loss(), np.zeros(3)), ValueError, r"x must hold the 17 weights of the network \[2, 3, 2\]"),
        (lambda: Weights(loss(), np.full(17, np.nan)), ValueError, "x must be finite"),
        (lambda: Weights(loss(neighbours=1), np.ones(17)), ValueError, "x must be zero where the loss has frozen"),
        (lambda: as_system(3), TypeError, r"expected ase\.Atoms or a Point, not int"),
        (lambda: as_system(Point([1.0])), ValueError, "there is no calculator: set .calc first"),
        (lambda: as_system(Point([1.0], bowl, frozen=[True])), ValueError, "nothing is left to move"),
        (lambda: as_system(fixed()), ValueError, "nothing is left to move"),
        (lambda: as_system(periodic()), ValueError, "LJAT has no periodic images: set atoms.pbc = False"),
        (lambda: as_system(atoms([[0, 0, 0], [np.nan, 0, 0]])), ValueError, "the coordinates must be finite"),
        (lambda: as_system(atoms([[0, 0, 0]], loss())), ValueError, "x must hold the 17 weights"),
        (lambda: as_system(Point([1.0], bowl), bounds=(1, 0)), ValueError, "lowest below highest"),
        (lambda: as_system(Point([1.0], bowl), bounds=(0, np.nan)), ValueError, "lowest below highest"),
        (lambda: as_system(Point([1.0], bowl), bounds=np.zeros(3)), ValueError, "bounds must be"),
    ],
)
def test_mistakes_are_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_point_keeps_what_it_had_when_the_new_is_wrong():
    point = Point([1.0, 2.0], bowl)
    for wrong in ([1.0, np.nan], [1.0], [[1.0, 2.0]]):
        with pytest.raises(ValueError, match="x must"):
            point.set_x(wrong)
    assert point.get_x().tolist() == [1.0, 2.0]
    assert point.get_potential_energy() == 5.0


def test_coordinates_are_copies():
    given = np.array([1.0, 2.0])
    point = Point(given, bowl)
    given[:] = point.get_x()[:] = point.x[:] = 9.0
    assert point.get_x().tolist() == [1.0, 2.0]
    other = point.copy()
    assert other.calc is None  # as with ASE's Atoms
    other.calc = point.calc
    other.set_x([3.0, 4.0])
    assert point.get_potential_energy() == 5.0
    assert other.get_potential_energy() == 25.0


def test_forces_are_minus_the_gradient_and_zero_where_frozen():
    point = Point([1.0, 2.0], Function(bowl, lambda x: 2 * x), frozen=[False, True])
    np.testing.assert_array_equal(point.get_forces(), -point.get_gradient())
    np.testing.assert_array_equal(as_system(point).energy_gradient(point.x)[1], [2.0, 0.0])


@pytest.mark.parametrize("neighbours", [None, 1])
def test_a_system_of_weights_gives_weights_back(neighbours):
    weights = Weights.random(loss(neighbours=neighbours), seed=1)
    system = as_system(weights)
    for again in (system.subject(), type(system).from_description(system.describe()).subject(2 * weights.x)):
        assert type(again) is Weights
        np.testing.assert_array_equal(again.frozen, weights.frozen)


def test_more_frozen_weights_stay_frozen():
    point = Point(np.zeros(17), loss(), frozen=np.arange(17) < 3)
    again = as_system(point).subject(np.ones(17))
    assert type(again) is Weights
    assert np.flatnonzero(again.frozen).tolist() == [0, 1, 2]
