"""Copies are recognised, different structures are not merged, point groups have the orders of the textbooks."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from ase.build import add_adsorbate, bulk, fcc100
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment, minimize
from scipy.spatial.transform import Rotation

from thalweg.potentials import LJAT
from thalweg.potentials.symmetry.assignment import assign
from thalweg.potentials.symmetry.clusters import ClusterSymmetry

GOLDEN = (1 + 5**0.5) / 2


def polygon(n, z=0.0):
    angles = 2 * np.pi * np.arange(n) / n
    return np.c_[np.cos(angles), np.sin(angles), np.full(n, z)]


def icosahedron():
    return np.array([np.roll((0, a, b * GOLDEN), k) for a in (-1, 1) for b in (-1, 1) for k in range(3)], dtype=float)


def truncated_octahedron():
    grid = np.array([p for p in np.ndindex(9, 9, 9) if sum(p) % 2]) - 4.0
    return grid[np.argsort((grid**2).sum(axis=1), kind="stable")][:38]


CENTRE = np.zeros((1, 3))
APEXES = np.array([[0, 0, 0.8], [0, 0, -0.8]])
# name: positions, species, order of the point group
STRUCTURES = {
    "triangle": (polygon(3), [1] * 3, 12),
    "triangle of two species": (polygon(3), [1, 1, 2], 4),
    "isosceles": (np.array([[0, 0, 0], [1, 1, 0], [1, -1, 0.0]]), [1] * 3, 4),
    "hexagon": (polygon(6), [1] * 6, 24),
    "pyramid": (np.vstack([polygon(4), APEXES[:1]]), [1] * 5, 8),
    "twisted hexagon": (
        np.vstack([polygon(3), polygon(3, 1.3) @ Rotation.from_euler("z", 20, True).as_matrix()]),
        [1] * 6,
        6,
    ),
    "pentagonal bipyramid": (np.vstack([polygon(5), APEXES]), [1] * 7, 20),
    "tetrahedron": (np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1.0]]), [1] * 4, 24),
    "octahedron": (np.vstack([np.eye(3), -np.eye(3)]), [1] * 6, 48),
    "icosahedron": (icosahedron(), [1] * 12, 120),
    "icosahedron, centred": (np.vstack([icosahedron(), CENTRE]), [1] * 13, 120),
    "truncated octahedron": (truncated_octahedron(), [1] * 38, 48),
    "two atoms": (np.array([[0, 0, 0], [1, 2, 3.0]]), [1, 1], 2),
    "two species": (np.array([[0, 0, 0], [1, 2, 3.0]]), [1, 2], 1),
    "line": (np.array([[0, 0, 0], [0, 0, 1], [0, 0, 2.0]]), [1] * 3, 2),
    "uneven line": (np.array([[0, 0, 0], [0, 0, 1], [0, 0, 2.1]]), [1] * 3, 1),
    "long line": (np.c_[np.zeros((8, 2)), np.arange(8)], [1] * 8, 2),
}


@pytest.mark.parametrize("name", STRUCTURES)
def test_order_and_copies_of_known_structures(name):
    atoms, numbers, order = STRUCTURES[name]
    symmetry, rng, x = ClusterSymmetry(numbers), np.random.default_rng(0), atoms.ravel()
    for _ in range(20):
        copy = symmetry.random_copy(x, rng)
        assert symmetry.order(copy + 1e-7 * rng.normal(size=x.size)) == order
        assert symmetry.distance(x, copy) < 1e-6
        assert symmetry.distance(copy + 1e-5 * rng.normal(size=x.size), x) < 1e-5 * 3 * np.sqrt(x.size)


def test_nearly_symmetric_structures_have_the_lower_order():
    atoms, rng = polygon(6), np.random.default_rng(1)
    symmetry = ClusterSymmetry([1] * 6)
    assert symmetry.order((atoms * [1, 1.01, 1]).ravel()) == 8
    assert symmetry.order((atoms + [0, 0, 0.02] * np.array([1, -1] * 3)[:, None]).ravel()) == 12
    assert symmetry.order((atoms + 0.02 * rng.normal(size=(6, 3))).ravel()) == 1


@settings(max_examples=100, deadline=None)
@given(
    n=st.integers(2, 38), seed=st.integers(0, 10**6), species=st.integers(1, 3), flat=st.sampled_from([0, 0, 0, 1, 2])
)
def test_copies_are_always_recognised(n, seed, species, flat):
    rng = np.random.default_rng(seed)
    atoms = rng.normal(size=(n, 3)) * n ** (1 / 3)
    atoms[:, 3 - flat :] = 0.0
    symmetry = ClusterSymmetry(rng.integers(1, 1 + species, n))
    x = atoms.ravel() + 5.0
    copy = symmetry.random_copy(x, rng)
    aligned = symmetry.align(x, copy)
    assert np.linalg.norm(aligned - x) < 1e-7
    assert symmetry.distance(x, copy) == pytest.approx(np.linalg.norm(aligned - x))
    assert symmetry.order(x) == symmetry.order(copy)


@settings(max_examples=40, deadline=None)
@given(n=st.integers(3, 20), seed=st.integers(0, 10**6))
def test_an_aligned_structure_is_a_copy_and_no_further(n, seed):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, 3 * n))
    symmetry = ClusterSymmetry([1] * n)
    aligned = symmetry.align(a, b)

    def lengths(x):
        atoms = x.reshape(-1, 3)
        return np.sort(np.linalg.norm(atoms[:, None] - atoms, axis=2).ravel())

    np.testing.assert_allclose(lengths(aligned), lengths(b), atol=1e-10)
    centred = [x.reshape(-1, 3) - x.reshape(-1, 3).mean(axis=0) for x in (a, b)]
    assert np.linalg.norm(aligned - a) <= np.linalg.norm(centred[0] - centred[1]) + 1e-12
    assert np.array_equal(aligned, symmetry.align(a, b))


def brute_distance(a, b):
    """Smallest distance over all permutations, rotations and inversion."""
    a, b = a.reshape(-1, 3), b.reshape(-1, 3)
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    total = (a**2).sum() + (b**2).sum()
    best = max(np.linalg.svd(a.T @ b[list(p)], compute_uv=False).sum() for p in permutations(range(len(a))))
    return np.sqrt(max(total - 2 * best, 0.0))


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6])
def test_nearest_of_all_copies_of_small_clusters(n):
    rng = np.random.default_rng(n)
    symmetry = ClusterSymmetry([1] * n)
    for _ in range(10):
        a, b = rng.normal(size=(2, 3 * n))
        assert symmetry.distance(a, b) == pytest.approx(brute_distance(a, b), abs=1e-9)


@pytest.mark.parametrize(("n", "noise"), [(13, 0.1), (38, 0.2)])
def test_disturbed_copies_are_aligned_as_if_never_moved(n, noise):
    rng, calculator = np.random.default_rng(n), LJAT(Z=0.0)
    symmetry = ClusterSymmetry([18] * n)
    start = calculator.random_coordinates(3 * n, rng)
    x = minimize(calculator.energy_gradient, start, jac=True, method="L-BFGS-B", options={"maxiter": 5000}).x
    for _ in range(5):
        other = x + noise * rng.normal(size=x.size)
        nearest = symmetry.distance(x, other)
        assert nearest <= np.linalg.norm(x - other)
        assert symmetry.distance(x, symmetry.random_copy(other, rng)) == pytest.approx(nearest, abs=1e-6)


def test_different_minima_are_never_merged():
    rng, calculator = np.random.default_rng(3), LJAT(Z=0.0)
    symmetry, found = ClusterSymmetry([18] * 7), []
    for _ in range(40):
        start = calculator.random_coordinates(21, rng)
        options = {"maxiter": 5000, "ftol": 1e-15, "gtol": 1e-7}
        result = minimize(calculator.energy_gradient, start, jac=True, method="L-BFGS-B", options=options)
        if result.fun > -14 or np.linalg.norm(result.jac) > 1e-4:
            continue
        same = [symmetry.distance(x, result.x) < 1e-3 for _, x in found]
        assert same == [abs(energy - result.fun) < 1e-6 for energy, _ in found]
        if not any(same):
            found.append((result.fun, result.x))
    assert len(found) == 4


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 25), seed=st.integers(0, 10**6), whole=st.booleans())
def test_assignment_costs_what_scipy_finds(n, seed, whole):
    rng = np.random.default_rng(seed)
    cost = rng.integers(0, 5, (n, n)).astype(float) if whole else rng.random((n, n))
    column_of = np.empty(n, dtype=np.int64)
    assert assign(cost, n, column_of)
    assert sorted(column_of) == list(range(n))
    rows, columns = linear_sum_assignment(cost)
    assert cost[np.arange(n), column_of].sum() == pytest.approx(cost[rows, columns].sum(), abs=1e-9)


def test_fixed_atoms_stay():
    rng = np.random.default_rng(0)
    x = rng.normal(size=18)
    symmetry = ClusterSymmetry([1, 1, 1, 2, 1, 1], frozen=[0, 1, 2, 5])
    copy = symmetry.random_copy(x, rng)
    assert np.array_equal(copy[:6], x[:6])
    assert np.array_equal(symmetry.align(x, copy), x)
    assert symmetry.order(x) == 1
    turned = (x.reshape(-1, 3) @ Rotation.random(rng=rng).as_matrix()).ravel()
    assert symmetry.distance(x, turned) > 0.1
    mask = np.zeros(18, dtype=bool)
    mask[:3] = mask[5] = True
    assert np.array_equal(ClusterSymmetry([1, 1, 1, 2, 1, 1], frozen=mask).align(x, copy), x)


@pytest.mark.parametrize("skew", [False, True])
def test_periodic_cells(skew):
    rng = np.random.default_rng(2)
    atoms = bulk("Cu", "fcc", a=3.6, cubic=not skew) * ((2, 2, 2) if skew else (2, 1, 1))
    symmetry = ClusterSymmetry(atoms.numbers, atoms.pbc, atoms.cell.array)
    assert symmetry.order(atoms.positions.ravel()) == len(atoms)
    atoms.rattle(0.2, seed=1)
    x = atoms.positions.ravel()
    assert symmetry.order(x) == 1
    for _ in range(10):
        copy = symmetry.random_copy(x, rng).reshape(-1, 3) + rng.integers(-2, 3, (len(atoms), 3)) @ atoms.cell.array
        assert symmetry.distance(x, copy.ravel()) < 1e-9
    other = x + 0.5 * rng.normal(size=x.size)
    aligned = symmetry.align(x, other)
    assert 0.1 < np.linalg.norm(aligned - x) <= np.linalg.norm(x - other)
    assert symmetry.distance(x, symmetry.random_copy(other, rng)) == pytest.approx(np.linalg.norm(aligned - x), rel=0.3)


def test_slab_with_fixed_layers():
    slab = fcc100("Al", (2, 2, 2), vacuum=5.0)
    add_adsorbate(slab, "Au", 1.7, "hollow")
    frozen = np.repeat(slab.get_tags() == 2, 3)
    symmetry = ClusterSymmetry(slab.numbers, slab.pbc, slab.cell.array, frozen)
    x, rng = slab.positions.ravel(), np.random.default_rng(0)
    copy = symmetry.random_copy(x, rng)
    copy[-3:] += slab.cell.array[0]
    np.testing.assert_allclose(symmetry.align(x, copy), x, atol=1e-12)
    moved = x.copy()
    moved[-3:] += slab.cell.array[0] / 2
    assert symmetry.distance(x, moved) == pytest.approx(np.linalg.norm(slab.cell.array[0]) / 2)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (([[1, 2]],), "numbers"),
        (([],), "numbers"),
        (([1, 1], True, np.zeros((3, 3))), "independent"),
        (([1, 1], True, np.zeros(3)), "cell"),
        (([1, 1], None, None, [6]), "frozen"),
        (([1, 1], None, None, [True]), "frozen"),
    ],
)
def test_wrong_descriptions_are_refused(arguments, match):
    with pytest.raises(ValueError, match=match):
        ClusterSymmetry(*arguments)


def test_wrong_coordinates_are_refused():
    symmetry = ClusterSymmetry([1, 1])
    with pytest.raises(ValueError, match="b must have the shape"):
        symmetry.align(np.zeros(6), np.zeros(9))
    with pytest.raises(ValueError, match="a must be finite"):
        symmetry.distance(np.full(6, np.nan), np.zeros(6))


def test_coincident_atoms_do_not_crash():
    symmetry = ClusterSymmetry([1, 1, 1])
    assert symmetry.distance(np.zeros(9), np.zeros(9)) == 0.0
    assert symmetry.order(np.zeros(9)) == 1
    assert symmetry.distance(np.zeros(9), np.arange(9.0)) > 1.0
    assert ClusterSymmetry([1]).distance(np.zeros(3), np.ones(3)) == 0.0
