"""Slices, barriers of straight paths and merge trees, against what is known by hand, scipy and symmetry."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.emt import EMT
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import label, minimum_filter

from thalweg.analysis import (
    KineticTransitionNetwork,
    linear_barrier,
    loss_slice,
    loss_surface,
    merge_tree,
    saddle_minimum_distance,
)
from thalweg.analysis.slices.directions import filters
from thalweg.landscapes import Landscape
from thalweg.potentials import Himmelblau, NetworkLoss, Point, Weights


def network(hidden=(5, 4), seed=0):
    rng = np.random.default_rng(seed)
    loss = NetworkLoss(rng.normal(size=(40, 3)), rng.integers(0, 3, 40), hidden=hidden, l2=1e-3)
    return Weights.random(loss, seed=seed)


def test_a_line_between_two_points_has_the_losses_of_its_points():
    weights, other = network(), network(seed=1)
    line = loss_slice(weights, weights.x, other.x, points=7)
    for t, energy in zip(line.t, line.energy, strict=True):
        assert energy == pytest.approx(weights.calc.energy((1 - t) * weights.x + t * other.x), abs=1e-14)
    np.testing.assert_array_equal(line.t[[0, -1]], [0, 1])


def test_filters_are_the_units_of_scikit_learns_layers():
    weights = network()
    together = np.concatenate(filters(weights.calc.layers))
    np.testing.assert_array_equal(np.sort(together), np.arange(len(weights)))
    first = filters(weights.calc.layers)[0]
    np.testing.assert_array_equal(first[:-1], [0, 1, 2])  # the weights of three inputs into the first unit
    # a change of these weights and bias alone moves no other unit's activation: the loss of a network whose first
    # unit has no weight upwards does not change
    x = weights.x.copy()
    x[15 + np.arange(4) * 5] = 0.0
    moved = x.copy()
    moved[first] += 1.0
    l2 = weights.calc.l2 * (moved @ moved - x @ x)
    assert weights.calc.energy(moved) == pytest.approx(weights.calc.energy(x) + l2, abs=1e-14)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.floats(0.1, 10.0))
def test_random_directions_are_filter_normalised(seed, scale):
    weights = network()
    x = scale * weights.x
    line = loss_slice(weights, x, points=2, seed=seed)
    for unit in filters(weights.calc.layers):
        assert np.linalg.norm(line.direction[unit]) == pytest.approx(np.linalg.norm(x[unit]), rel=1e-12)


def test_directions_of_atoms_leave_rigid_motions_and_fixed_atoms_out():
    atoms = Atoms("Cu4", [[0, 0, 0], [2.5, 0, 0], [1.2, 2.1, 0], [1.2, 0.7, 2.0]], calculator=EMT())
    direction = loss_slice(atoms, points=2).direction.reshape(-1, 3)
    np.testing.assert_allclose(direction.sum(axis=0), 0.0, atol=1e-12)
    centred = atoms.positions - atoms.positions.mean(axis=0)
    np.testing.assert_allclose(np.cross(centred, direction).sum(axis=0), 0.0, atol=1e-12)
    assert np.linalg.norm(direction) == pytest.approx(1.0)


def test_a_surface_has_the_energies_of_its_grid_and_marks_its_points():
    himmelblau = Point([0.0, 0.0], Himmelblau())
    corners = [[3.0, 2.0], [-2.805118, 3.131312], [3.584428, -1.848127]]
    surface = loss_surface(himmelblau, *corners, points=21)
    i, j = 4, 17
    x = surface.origin + surface.s[j] * surface.first + surface.t[i] * surface.second
    assert surface.energy[i, j] == pytest.approx(himmelblau.calc.energy(x))
    back = surface.origin + surface.marked @ np.array([surface.first, surface.second])
    np.testing.assert_allclose(back, corners, atol=1e-12)
    assert surface.first @ surface.second == pytest.approx(0.0, abs=1e-12)
    assert np.linalg.norm(surface.first) == pytest.approx(np.linalg.norm(surface.second))
    for s, t in surface.marked:
        assert surface.s[0] < s < surface.s[-1]
        assert surface.t[0] < t < surface.t[-1]


@pytest.mark.parametrize(
    ("through", "options", "said"),
    [
        (([0.0, 0.0], [1.0, 1.0]), {}, "around one point or through three; 2 are given"),
        (([0, 0], [1, 1], [2, 2]), {}, "lie on a line"),
        (([0, 0], [0, 0], [2, 2]), {}, "are the same"),
        (([0.0],), {}, "point 0 must have 2 coordinates"),
        (([0.0, np.nan],), {}, "point 0 must be finite"),
        ((), {"points": 1}, "points must be"),
        ((), {"span": (1, 0)}, "span must be"),
        ((), {"directions": ([1, 0], [0, 0])}, "not zero"),
    ],
)
def test_wrong_surfaces(through, options, said):
    with pytest.raises(ValueError, match=said):
        loss_surface(Point([0.0, 0.0], Himmelblau()), *through, **options)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_copies_of_a_network_have_no_barrier_once_aligned(seed):
    weights = network()
    copy = weights.calc.symmetry.random_copy(weights.x, np.random.default_rng(seed))
    barrier = linear_barrier(weights, weights.x, copy)
    assert barrier.after == pytest.approx(0.0, abs=1e-12)
    assert barrier.before >= -1e-12


def test_the_lowest_path_is_no_higher_than_the_straight_one(tmp_path):
    with Landscape(Point([3.0, 2.0], Himmelblau()), tmp_path / "h.zarr", seed=0) as landscape:
        landscape.find_minima(30, workers=1, progress=False)
        landscape.connect(60, workers=1, progress=False)
        assert len(landscape.minima) == 4
        for a in range(4):
            for b in range(a):
                barrier = linear_barrier(landscape, a, b, points=401)
                assert barrier.path is not None
                assert 0 < barrier.path <= barrier.straight.energy.max() + 1e-9
        assert barrier.plot().get_legend() is not None
        with pytest.raises(IndexError, match="a is 4: there are 4 minima"):
            linear_barrier(landscape, 4, 0)
    with pytest.raises(TypeError, match="rows of minima need a landscape"):
        linear_barrier(Point([3.0, 2.0], Himmelblau()), 0, 1)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3), st.integers(0, 100_000))
def test_basins_are_scipys_local_minima_and_sublevel_sets(dimensions, seed):
    rng = np.random.default_rng(seed)
    grid = rng.permutation(3 ** (2 * dimensions) if dimensions < 3 else 125).astype(float)
    grid = grid.reshape({1: (9,), 2: (9, 9), 3: (5, 5, 5)}[dimensions])
    tree = merge_tree(grid)
    lowest = grid[minimum_filter(grid, size=3, mode="constant", cval=np.inf) == grid]
    np.testing.assert_array_equal(tree.energies, np.sort(lowest))
    # the number of components of a sublevel set is what scipy counts
    for level in rng.choice(grid.ravel(), 4):
        components = label(grid <= level, structure=np.ones((3,) * dimensions))[1]
        assert components == (tree.energies <= level).sum() - (tree.ts_energies <= level).sum()


def test_plateaus_have_one_basin():
    tree = merge_tree([[1.0, 1.0, 2.0, 0.0], [1.0, 1.0, 2.0, 0.0]])
    np.testing.assert_array_equal(tree.energies, [0.0, 1.0])
    np.testing.assert_array_equal(tree.ts_energies, [2.0])


@pytest.mark.parametrize("grid", [[], np.zeros((2,) * 5), [0.0, np.inf], 3.0])
def test_grids_that_are_none(grid):
    with pytest.raises(ValueError, match=r"energies of a grid|must be finite"):
        merge_tree(grid)


def test_the_plane_of_himmelblau_has_the_basins_and_passes_of_the_surface():
    himmelblau = Point([0.0, 0.0], Himmelblau())
    surface = loss_surface(himmelblau, directions=([1, 0], [0, 1]), span=(-5, 5), points=401)
    tree = surface.merge_tree()
    assert tree.n_minima == len(himmelblau.calc.minima)
    lowest = np.sort([himmelblau.calc.energy(x) for x in himmelblau.calc.minima])
    np.testing.assert_allclose(tree.energies, lowest, atol=0.02)
    states = np.array([himmelblau.calc.energy(x) for x in himmelblau.calc.transition_states])
    for height in tree.ts_energies:
        assert np.abs(states - height).min() < 0.05


def test_saddle_minimum_distance_by_hand():
    # three basins at 0, 1 and 2; the highest ends at 3, the next at 5: (3 - 2 + 5 - 1) / 2
    graph = KineticTransitionNetwork([0.0, 1.0, 2.0], [3.0, 5.0, 9.0], [[1, 2], [0, 1], [0, 2]])
    found = saddle_minimum_distance(graph)
    assert (found.mean, found.normalised, found.basins) == (2.5, 0.5, 2)
    assert saddle_minimum_distance(KineticTransitionNetwork([1.0], [], np.zeros((0, 2), int))).basins == 0
