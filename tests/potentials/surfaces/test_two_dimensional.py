"""Analytic surfaces: their formulas, and that the lists they carry are complete, by two independent proofs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from thalweg.potentials import (
    CoupledDoubleWells,
    Himmelblau,
    MuellerBrown,
    Point,
    SixHumpCamel,
    ThreeHumpCamel,
    WolfeQuapp,
    as_system,
    check_potential,
)
from thalweg.potentials.surfaces.two_dimensional import polynomial
from thalweg.potentials.system import System

from . import plain_surfaces
from .intervals import all_stationary_points, winding_number

# class, plain formula, minima, transition states, maxima
SURFACES = [
    (MuellerBrown, "mueller_brown", 3, 2, 0),
    (SixHumpCamel, "camel", 6, 7, 2),
    (ThreeHumpCamel, "three_hump", 3, 2, 0),
    (Himmelblau, "himmelblau", 4, 4, 1),
    (WolfeQuapp, "wolfe_quapp", 3, 3, 1),
    (CoupledDoubleWells, "wells", 4, 4, 1),
]
EVERY = pytest.mark.parametrize(("kind", "name", "minima", "states", "maxima"), SURFACES, ids=[s[1] for s in SURFACES])


def plain(name):
    return [getattr(plain_surfaces, name + ending) for ending in ("", "_gradient", "_hessian")]


@EVERY
def test_formulas_and_contract(kind, name, minima, states, maxima):
    surface, (energy, gradient, hessian) = kind(), plain(name)
    rng = np.random.default_rng(0)
    for _ in range(20):
        x = surface.random_coordinates(2, rng)
        xx, xy, yy = hessian(*x)
        assert surface.energy(x) == pytest.approx(energy(*x), rel=1e-12, abs=1e-12)
        np.testing.assert_allclose(surface.energy_gradient(x)[1], gradient(*x), rtol=1e-11, atol=1e-11)
        np.testing.assert_allclose(surface.hessian(x), [[xx, xy], [xy, yy]], rtol=1e-11, atol=1e-11)
    assert check_potential(surface, surface.bounds.mean(axis=1) + 0.1).passed


@EVERY
def test_lists_are_complete(kind, name, minima, states, maxima):
    surface, (energy, gradient, hessian) = kind(), plain(name)
    points = all_stationary_points(gradient, hessian, surface.bounds)
    xx, xy, yy = hessian(*points.T)
    eigenvalues = np.linalg.eigvalsh(np.stack([np.stack([xx, xy], -1), np.stack([xy, yy], -1)], -2))
    index = np.sum(eigenvalues < 0, axis=1)
    assert [np.sum(index == k) for k in range(3)] == [minima, states, maxima]
    assert winding_number(gradient, surface.bounds) == minima + maxima - states
    for listed, k in ((surface.minima, 0), (surface.transition_states, 1)):
        found = points[index == k]
        assert len(listed) == len(found)
        distances = np.linalg.norm(listed[:, None] - found, axis=2)
        assert distances.min(axis=1).max() < 1e-12
        assert np.all(np.diff(energy(*listed.T)) > -1e-10)


def test_published_values():
    energies = [MuellerBrown().energy(x) for x in MuellerBrown().minima]
    assert np.round(energies, 2).tolist() == [-146.70, -108.17, -80.77]
    assert SixHumpCamel().energy(SixHumpCamel().minima[0]) == pytest.approx(-1.0316284535, abs=1e-10)
    assert np.abs([Himmelblau().energy(x) for x in Himmelblau().minima]).max() < 1e-12


@pytest.mark.parametrize("coupling", [-0.5, 0.0, 0.2, 0.5])
@pytest.mark.parametrize("n", [1, 2, 3, 6])
def test_double_wells_have_as_many_points_as_independent_ones(n, coupling):
    surface = CoupledDoubleWells(n, coupling)
    assert surface.minima.shape == (2**n, n) == (surface.n_minima, n)
    assert surface.transition_states.shape == (n * 2 ** (n - 1), n) == (surface.n_transition_states, n)
    for points, negative in ((surface.minima, 0), (surface.transition_states, 1)):
        gradients = surface.energies_gradients(points)[1]
        assert np.abs(gradients).max() < 1e-12
        assert all(np.sum(np.linalg.eigvalsh(surface.hessian(x)) < 0) == negative for x in points)
        assert len(np.unique(np.round(points, 6), axis=0)) == len(points)


def test_double_wells_have_no_other_points():
    # three wells, written again: Newton's method from a grid of starts ends at 27 points
    c, chain = 0.5, np.diag([1.0, 1.0], 1) + np.diag([1.0, 1.0], -1)
    X = np.array(list(itertools.product(np.linspace(-1.4, 1.4, 15), repeat=3)))
    for _ in range(60):
        slope = 4 * X**3 - 4 * X + c * X @ chain
        curvature = np.einsum("bi,ij->bij", 12 * X**2 - 4, np.eye(3)) + c * chain
        step = np.linalg.solve(curvature, slope[..., None])[..., 0]
        length = np.linalg.norm(step, axis=1, keepdims=True)
        X = X - step * np.minimum(1.0, 0.3 / np.maximum(length, 1e-300))
    done = np.abs(4 * X**3 - 4 * X + c * X @ chain).max(axis=1) < 1e-10
    found = np.unique(np.round(X[done], 6) + 0.0, axis=0)
    listed = np.concatenate([CoupledDoubleWells(3, c).minima, CoupledDoubleWells(3, c).transition_states])
    assert len(found) == 27
    assert np.linalg.norm(listed[:, None] - found, axis=2).min(axis=1).max() < 1e-5


def test_surfaces_are_rebuilt_from_their_description():
    for kind, *_ in SURFACES:
        system = as_system(Point(np.full(2, 0.1), kind()))
        again = System.from_description(system.describe())
        assert again.energy(again.x) == system.energy(system.x)
        np.testing.assert_array_equal(again.bounds, system.bounds)
    wells = System.from_description(as_system(Point(np.zeros(5), CoupledDoubleWells(5, 0.1))).describe())
    assert wells.potential.parameters == {"n": 5, "coupling": 0.1}


def test_parameters_change_the_surface():
    surface = CoupledDoubleWells(2)
    before = surface.minima
    surface.set(coupling=0.0)
    assert np.abs(surface.minima).tolist() == np.ones((4, 2)).tolist()
    assert not np.array_equal(before, surface.minima)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: CoupledDoubleWells(0), ValueError, "n must be at least 1"),
        (lambda: CoupledDoubleWells(2.5), TypeError, "n must be a whole number"),
        (lambda: CoupledDoubleWells(2, 0.6), ValueError, "coupling must lie between"),
        (lambda: CoupledDoubleWells(2, "much"), TypeError, "coupling must be a number"),
        (lambda: CoupledDoubleWells(17).minima, ValueError, "too many to list"),
        (lambda: MuellerBrown(depth=2), TypeError, "no parameter depth"),
        (lambda: MuellerBrown().energy(np.zeros(3)), ValueError, "the 2 coordinates of MuellerBrown"),
        (lambda: polynomial([(1.0, {0: -1})]), ValueError, "positive whole powers"),
        (lambda: polynomial([(np.nan, {0: 1})]), ValueError, "coefficients must be finite"),
    ],
)
def test_mistakes_are_named(make, error, message):
    with pytest.raises(error, match=message):
        make()
