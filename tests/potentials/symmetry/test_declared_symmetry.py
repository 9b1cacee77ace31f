"""Symmetry that users declare for their functions: blocks, periods and null modes, against brute force and theory."""

from __future__ import annotations

import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zarr.storage import MemoryStore

from thalweg.landscapes import Landscape, StoreError
from thalweg.optimizers import find_transition_states, minimise
from thalweg.potentials import BlockSymmetry, Function, Point, PotentialError, as_system, check_potential
from thalweg.potentials.symmetry.varying_null_modes import orthonormal_tangents

COLUMNS = np.arange(8).reshape(4, 2).T  # blocks of a 4 x 2 matrix stored row by row
L2, VALUES = 1e-3, np.array([5.0, 3.0, 2.0, 1.0])
Q = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))[0]
M = Q @ np.diag(VALUES) @ Q.T


def factorisation(**declared) -> Function:
    """Return f(U) = |U U' - M|^2 / 4 + l2 |U|^2 for U of 4 x 2, whose stationary points are known."""

    def energy(v):
        u = v.reshape(4, 2)
        return 0.25 * np.sum((u @ u.T - M) ** 2) + L2 * v @ v

    def gradient(v):
        u = v.reshape(4, 2)
        return ((u @ u.T - M) @ u).ravel() + 2 * L2 * v

    return Function(energy, gradient, name="factorisation", **declared)


def rotation(v):
    """Return the tangent of U R(t) at t = 0."""
    return (v.reshape(4, 2) @ np.array([[0.0, 1.0], [-1.0, 0.0]])).ravel()


def known(*chosen):
    others = [m for m in VALUES if m not in chosen]
    return sum(L2**2 + L2 * (m - 2 * L2) for m in chosen) + 0.25 * sum(m**2 for m in others)


def brute_force(groups, signs, a, b):
    """Return the smallest distance over all exchanges and sign changes."""
    copies = [b.copy()]
    for table, sign in zip(groups, signs, strict=True):
        grown = []
        for copy in copies:
            for order in itertools.permutations(range(len(table))):
                for turned in itertools.product((1.0, -1.0) if sign else (1.0,), repeat=len(table)):
                    moved = copy.copy()
                    moved[table] = copy[table[list(order)]] * np.array(turned)[:, None]
                    grown.append(moved)
        copies = grown
    return min(np.linalg.norm(copy - a) for copy in copies)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.tuples(st.booleans(), st.booleans()))
def test_blocks_are_aligned_as_by_brute_force(seed, signs):
    rng = np.random.default_rng(seed)
    places = rng.permutation(13)
    groups = [places[:6].reshape(3, 2), places[6:12].reshape(2, 3)]
    symmetry = BlockSymmetry(groups, signs=signs)
    a, b = rng.normal(size=(2, 13))
    assert symmetry.distance(a, b) == pytest.approx(brute_force(groups, signs, a, b), abs=1e-12)
    copy = symmetry.random_copy(a, rng)
    assert symmetry.distance(a, copy) == pytest.approx(0.0, abs=1e-12)
    assert sorted(np.abs(copy)) == pytest.approx(sorted(np.abs(a)))


def test_order_counts_the_operations_that_leave_a_point_alone():
    symmetry = BlockSymmetry([[0, 1], [2, 3], [4, 5]], signs=True)
    for x, order in (([1, 2, 3, 4, 5, 6], 1), ([1, 2, -1, -2, 5, 6], 2), ([1, 2, 1, 2, -1, -2], 6), ([0] * 6, 48)):
        assert symmetry.order(np.array(x, dtype=float)) == order
    assert BlockSymmetry([[0], [1]]).order(np.array([1.0, -1.0])) == 1


@pytest.mark.parametrize(
    ("groups", "signs", "said"),
    [
        ([[0, 1], [1, 2]], False, "coordinate 1 stands in two blocks"),
        ([], False, "groups is empty"),
        ([[0.5, 1.0]], False, "tables of indices"),
        ([[-1, 1]], False, "tables of indices"),
        ([[0, 1], [2, 3]], [True, False], "one for each of 1 groups"),
        ([[[0, 1], [2]]], False, "tables of indices|inhomogeneous"),
    ],
)
def test_wrong_blocks(groups, signs, said):
    with pytest.raises(ValueError, match=said):
        BlockSymmetry(groups, signs)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_rotated_factors_are_recognised(seed):
    rng = np.random.default_rng(seed)
    system = as_system(Point(rng.normal(size=8), factorisation(null_modes=rotation)))
    angle = rng.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    copy = (system.x.reshape(4, 2) @ turn).ravel()
    assert system.distance(system.x, copy) < 1e-6
    # a copy has the energy of the point: the orbit is followed, not left along its tangent
    moved = system.symmetry.random_copy(system.x, rng)
    assert np.linalg.norm(moved - system.x) > 1e-6  # a random angle, which is small once in a while
    assert system.energy(moved) == pytest.approx(system.energy(system.x), abs=1e-8)
    np.testing.assert_allclose(
        np.abs(system.null_modes(system.x)) * np.linalg.norm(system.x), [np.abs(rotation(system.x))]
    )


def test_every_stationary_point_of_a_factorisation_counts_once():
    function = factorisation(null_modes=rotation, symmetry=BlockSymmetry(COLUMNS, signs=True))
    start = np.random.default_rng(1).normal(size=8)
    with Landscape(Point(start, function), MemoryStore(), seed=0) as landscape:
        landscape.find_minima(12, progress=False)
        landscape.connect(24, progress=False)
        np.testing.assert_allclose(landscape.minima.energy[:], [known(5, 3)], atol=1e-9)
        np.testing.assert_allclose(landscape.transition_states.energy[:], [known(5, 2)], atol=1e-9)
        assert landscape.minima.modes[:].tolist() == [7]  # eight coordinates, one rotation
        assert landscape.transition_states.modes[:].tolist() == [6]


def test_null_modes_that_vanish_are_none():
    system = as_system(Point(np.ones(8), factorisation(null_modes=rotation)))
    assert len(system.null_modes(np.zeros(8))) == 0
    assert len(system.null_modes(np.full(8, 1e-12))) == 0


RING = 6


def rotors(**declared) -> Function:
    """Return the XY model on a ring, -sum cos(x_i - x_i+1): minima are twists by a whole number of turns."""
    forward = np.roll(np.arange(RING), -1)

    def energy(x):
        return -np.cos(x - x[forward]).sum()

    def gradient(x):
        s = np.sin(x - x[forward])
        return s - np.roll(s, 1)

    return Function(energy, gradient, name="rotors", **declared)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_turned_rings_and_whole_turns_are_recognised(seed):
    rng = np.random.default_rng(seed)
    a = rng.uniform(-np.pi, np.pi, RING)
    system = as_system(Point(a, rotors(null_modes=np.ones(RING), periods=2 * np.pi)))
    b = a + rng.uniform(-10, 10) + 2 * np.pi * rng.integers(-3, 4, RING)
    assert system.distance(a, b) < 1e-9
    assert system.distance(a, b + np.eye(RING)[0]) > 0.1


def test_the_minima_of_a_ring_are_its_twists():
    function = rotors(null_modes=np.ones((1, RING)), periods=2 * np.pi)
    with Landscape(Point(np.linspace(0, 3, RING), function), MemoryStore(), seed=0) as landscape:
        landscape.find_minima(120, step=3.0, temperature=5.0, progress=False)
        found = np.sort(landscape.minima.energy[:])
    # twists by q turns are minima while each step is below a quarter turn: q = -1, 0, 1 of six rotors
    twists = sorted(-RING * np.cos(2 * np.pi * q / RING) for q in (0, -1, 1))
    np.testing.assert_allclose(found, twists, atol=1e-9)


def test_constant_null_modes_need_not_be_orthonormal():
    function = rotors(null_modes=[np.ones(RING), 3 * np.ones(RING)])
    modes = as_system(Point(np.zeros(RING), function)).null_modes(np.zeros(RING))
    np.testing.assert_allclose(np.abs(modes), np.full((1, RING), RING**-0.5))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.integers(0, 3))
def test_tangents_leave_fixed_coordinates_alone(seed, fixed):
    rng = np.random.default_rng(seed)
    rows, frozen = rng.normal(size=(3, 7)), np.arange(fixed)
    found = orthonormal_tangents(rows, frozen)
    assert found.shape == (3 - fixed, 7)
    np.testing.assert_allclose(found @ found.T, np.eye(3 - fixed), atol=1e-12)
    np.testing.assert_array_equal(found[:, frozen], 0.0)
    # each is a combination of the rows
    np.testing.assert_allclose(found @ np.linalg.pinv(rows) @ rows, found, atol=1e-9)


def test_fixed_coordinates_end_what_would_move_them():
    frozen = np.arange(RING) == 2
    function = rotors(null_modes=np.ones(RING), periods=2 * np.pi, symmetry=BlockSymmetry([[0], [1]]))
    system = as_system(Point(np.zeros(RING), function, frozen=frozen))
    assert len(system.null_modes(system.x)) == 0
    moved = np.where(frozen, 0.0, 2 * np.pi)
    assert system.distance(system.x, moved) < 1e-9
    assert system.distance(system.x, np.where(frozen, 2 * np.pi, 0.0)) == pytest.approx(2 * np.pi)


def test_searches_run_with_null_modes_on_their_own_and_in_pickles():
    function = factorisation(null_modes=rotation)
    start = np.random.default_rng(3).normal(size=8)
    assert minimise(Point(start, function), second_order=True).reason == ["converged"]
    plain = find_transition_states(Point(start, function))
    assert plain.reason == ["converged"]
    assert plain.energy[0] == pytest.approx(known(5, 2), abs=1e-9)
    # lambdas do not pickle; an array does
    ring = as_system(Point(np.zeros(RING), Function(np.linalg.norm, null_modes=np.ones(RING))))
    assert len(pickle.loads(pickle.dumps(ring)).null_modes(ring.x)) == 1


def test_declared_symmetry_is_checked():
    assert check_potential(factorisation(null_modes=rotation), np.random.default_rng(0).normal(size=8)).passed
    with pytest.raises(PotentialError, match="null modes"):
        check_potential(factorisation(null_modes=lambda v: v), np.random.default_rng(0).normal(size=8))
    wrong = factorisation(symmetry=BlockSymmetry([[0], [1]]))
    with pytest.raises(PotentialError, match="symmetry"):
        check_potential(wrong, np.random.default_rng(0).normal(size=8))
    with pytest.raises(PotentialError, match="symmetry"):
        check_potential(rotors(periods=1.0), np.random.default_rng(0).normal(size=RING))


@pytest.mark.parametrize(
    ("declared", "error", "said"),
    [
        ({"null_modes": np.zeros(8)}, ValueError, "not zero"),
        ({"null_modes": np.ones(7)}, ValueError, "null_modes have 7 coordinates, and x has 8"),
        ({"null_modes": lambda v: v[:3]}, ValueError, r"shape \(k, 8\)"),
        ({"null_modes": lambda v: v * np.nan}, ValueError, "finite"),
        ({"periods": -1.0}, ValueError, "periods must be positive"),
        ({"periods": [1.0, 2.0]}, ValueError, "periods must be one or 8"),
        ({"symmetry": "columns"}, TypeError, "it has no align"),
    ],
)
def test_what_makes_no_sense_is_refused(declared, error, said):
    with pytest.raises(error, match=said):
        as_system(Point(np.ones(8), factorisation(**declared))).null_modes(np.ones(8))


def test_an_error_in_null_modes_is_raised():
    calls = []

    def failing(v):
        calls.append(1)
        if len(calls) > 3:
            raise KeyError("lost")
        return rotation(v)

    with pytest.raises(KeyError, match="lost"):
        find_transition_states(Point(np.random.default_rng(3).normal(size=8), factorisation(null_modes=failing)))


def test_a_store_is_not_continued_with_another_symmetry(tmp_path):
    def point(**declared):
        return Point(np.linspace(0, 3, RING), rotors(**declared))

    with Landscape(point(null_modes=np.ones(RING), periods=2 * np.pi), tmp_path / "x.zarr", seed=0) as landscape:
        landscape.find_minima(5, progress=False)
        found = len(landscape.minima)
    with Landscape(point(null_modes=np.ones(RING), periods=2 * np.pi), tmp_path / "x.zarr") as landscape:
        assert len(landscape.minima) == found
    with pytest.raises(StoreError, match="periods"):
        Landscape(point(null_modes=np.ones(RING)), tmp_path / "x.zarr")
    with pytest.raises(StoreError, match="null_modes"):
        Landscape(point(periods=2 * np.pi), tmp_path / "x.zarr")
