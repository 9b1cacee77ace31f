"""Permutations and sign changes of hidden units."""

from __future__ import annotations

import itertools
from math import factorial

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from thalweg.optimizers import minimise
from thalweg.potentials import Weights, as_system
from thalweg.potentials.neural_network.loss import NetworkLoss
from thalweg.potentials.neural_network.symmetry import NetworkSymmetry

SHAPES = [(2, 10, 4), (2, 5, 5, 4), (2, 4, 4, 4, 4), (3, 1, 2), (2, 3, 1, 2)]
MANY = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))


def loss_of(layers, n=60, **keywords):
    rng = np.random.default_rng(0)
    inputs, labels = rng.normal(size=(n, layers[0])), rng.integers(0, layers[-1], n)
    return NetworkLoss(inputs, labels, layers[1:-1], n_classes=layers[-1], **keywords)


def unit_slices(layers, layer, unit):
    """Indices into the weight vector of a hidden unit's incoming weights and bias, and outgoing weights."""
    index = np.arange(sum(b * (a + 1) for a, b in itertools.pairwise(layers)))
    pairs, start, matrices = list(itertools.pairwise(layers)), 0, []
    for below, above in pairs:
        matrices.append(index[start : start + below * above].reshape(above, below))
        start += below * above
    bias = start + sum(layers[1 : layer + 1]) + unit
    return np.append(matrices[layer][unit], bias), matrices[layer + 1][:, unit]


def with_special_units(layers, seed):
    """Random weights in which some units are zero, or equal to one another, or to minus one another."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, sum(b * (a + 1) for a, b in itertools.pairwise(layers)))
    for layer, width in enumerate(layers[1:-1]):
        for unit in range(width):
            kind = rng.integers(0, 4)
            ways = unit_slices(layers, layer, unit)
            if kind == 0:
                for way in ways:
                    x[way] = 0.0
            elif kind == 1:
                sign = rng.choice([-1.0, 1.0])
                for way, other in zip(ways, unit_slices(layers, layer, int(rng.integers(width))), strict=True):
                    x[way] = sign * x[other]
    return x


@pytest.mark.parametrize("layers", SHAPES)
@MANY
@given(seed=st.integers(0, 10**9))
def test_copies_are_recognised(layers, seed):
    rng = np.random.default_rng(seed)
    symmetry = NetworkSymmetry(layers)
    for x in rng.normal(size=(60, symmetry.n)):
        assert symmetry.distance(x, symmetry.random_copy(x, rng)) < 1e-12


@pytest.mark.parametrize("layers", SHAPES)
@settings(MANY, max_examples=300)
@given(seed=st.integers(0, 10**9))
def test_copies_with_equal_and_zero_units_are_recognised(layers, seed):
    symmetry = NetworkSymmetry(layers)
    x = with_special_units(layers, seed)
    assert symmetry.distance(x, symmetry.random_copy(x, np.random.default_rng(seed))) < 1e-12


@pytest.mark.parametrize("neighbours", [None, 1, 2, 3])
@pytest.mark.parametrize("layers", SHAPES)
def test_the_energy_is_the_same_at_every_copy(layers, neighbours):
    loss = loss_of(layers, neighbours=neighbours)
    rng = np.random.default_rng(1)
    for _ in range(20):
        x = loss.random_coordinates(loss.n_weights, rng)
        copy = loss.symmetry.random_copy(x, rng)
        assert loss.energy(copy) == pytest.approx(loss.energy(x), rel=1e-13)
        assert not copy[~loss.mask].any()
        aligned = loss.symmetry.align(x, copy)
        np.testing.assert_allclose(aligned, x, atol=1e-13)


def all_copies(layers, x):
    (width,) = layers[1:-1]
    ways = [unit_slices(layers, 0, unit) for unit in range(width)]
    for order in itertools.permutations(range(width)):
        for signs in itertools.product([-1.0, 1.0], repeat=width):
            copy = x.copy()
            for unit, (source, sign) in enumerate(zip(order, signs, strict=True)):
                for here, there in zip(ways[unit], ways[source], strict=True):
                    copy[here] = sign * x[there]
            yield copy


@pytest.mark.parametrize("seed", range(20))
def test_one_hidden_layer_finds_the_nearest_of_all_copies(seed):
    layers, rng = (2, 4, 3), np.random.default_rng(seed)
    symmetry = NetworkSymmetry(layers)
    a, b = rng.normal(size=(2, symmetry.n))
    smallest = min(np.linalg.norm(copy - a) for copy in all_copies(layers, b))
    assert symmetry.distance(a, b) == pytest.approx(smallest, rel=1e-12)
    assert symmetry.distance(b, a) == pytest.approx(smallest, rel=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_order_counts_the_copies_that_stay(seed):
    layers = (2, 4, 3)
    symmetry = NetworkSymmetry(layers)
    x = with_special_units(layers, seed)
    expected = sum(np.linalg.norm(copy - x) < 1e-9 for copy in all_copies(layers, x))
    assert symmetry.order(x) == expected


def test_orders_by_hand():
    assert NetworkSymmetry((2, 10, 4)).order(np.zeros(74)) == factorial(10) * 2**10
    assert NetworkSymmetry((2, 10, 4)).size == factorial(10) * 2**10
    assert NetworkSymmetry((2, 5, 5, 4)).order(np.zeros(69)) == (factorial(5) * 2**5) ** 2
    assert NetworkSymmetry((2, 5, 5, 4)).order(np.random.default_rng(0).normal(size=69)) == 1


@MANY
@given(layers=st.sampled_from(SHAPES), neighbours=st.sampled_from([None, 2]), seed=st.integers(0, 10**6))
def test_points_made_symmetric_are_symmetric_and_stay_so_downhill(layers, neighbours, seed):
    """The gradient has every symmetry of the weights: the premise of searching from there."""
    loss, rng = loss_of(layers, neighbours=neighbours, l2=1e-3), np.random.default_rng(seed)
    symmetry = as_system(Weights.random(loss, seed=seed)).symmetry
    x = np.where(loss.mask, rng.normal(size=symmetry.n), 0.0)
    if not symmetry.exchanges:
        with pytest.raises(ValueError, match="no two units"):
            symmetry.made_symmetric(x, rng)
        return
    made = symmetry.made_symmetric(x, rng)
    np.testing.assert_array_equal(made[~loss.mask], 0.0)
    assert symmetry.order(x) == 1
    assert symmetry.order(made) > 1
    changed = [
        np.flatnonzero((made != x)[np.concatenate(unit_slices(layers, layer, unit))]).size > 0
        for layer in range(len(layers) - 2)
        for unit in range(layers[layer + 1])
    ]
    assert 1 <= sum(changed) <= (2 if len(layers) == 3 else len(changed))
    _, gradient = loss.energy_gradient(made)
    assert symmetry.order(made - 0.1 * gradient) == symmetry.order(made)


def test_every_pair_of_units_and_every_way_is_drawn():
    layers = (2, 3, 4)
    symmetry, rng = NetworkSymmetry(layers), np.random.default_rng(0)
    x = rng.normal(size=symmetry.n)
    units = [np.concatenate(unit_slices(layers, 0, unit)) for unit in range(3)]
    seen = set()
    for _ in range(200):
        made = symmetry.made_symmetric(x, rng)
        moved = [k for k, unit in enumerate(units) if (made[unit] != x[unit]).any()]
        if not made[units[moved[0]]].any():
            assert len(moved) == 1
            seen.add(("zero", *moved))
            continue
        # a unit whose incoming weights stayed shares its outgoing ones
        shared = [k for k in moved if (made[units[k][:3]] == x[units[k][:3]]).all()]
        for k in shared:
            np.testing.assert_allclose(made[units[k][3:]], 0.5 * x[units[k][3:]])
        seen.add(("shared" if shared else "mean", *moved))
    pairs = [(0, 1), (0, 2), (1, 2)]
    assert seen == {("zero", k) for k in range(3)} | {(way, *pair) for way in ("shared", "mean") for pair in pairs}


def test_only_units_with_the_same_connections_are_exchanged():
    loss = loss_of((2, 10, 4), neighbours=1)
    kinds = {loss.mask[np.concatenate(unit_slices(loss.layers, 0, unit))].tobytes() for unit in range(10)}
    x = np.zeros(74)
    assert len(kinds) > 1
    assert loss.symmetry.order(x) == loss.symmetry.size < factorial(10) * 2**10


def test_distance_does_not_see_null_modes():
    loss = loss_of((2, 5, 4), l2=0.0)
    rng = np.random.default_rng(2)
    for _ in range(50):
        x = loss.random_coordinates(loss.n_weights, rng)
        moved = loss.symmetry.random_copy(x + rng.normal(size=len(loss.null_modes)) @ loss.null_modes, rng)
        assert loss.energy(moved) == pytest.approx(loss.energy(x), rel=1e-12)
        assert loss.symmetry.distance(x, moved) < 1e-12


@pytest.mark.parametrize("layers", [(2, 4), (2, 10, 4), (2, 5, 5, 4), (2, 4, 4, 4, 4)])
@pytest.mark.parametrize("l2", [0.0, 1e-3])
def test_many_networks_are_aligned_at_once_as_one_by_one(layers, l2):
    """Disturbed copies of a point come back, and other points become copies that are mostly as near as by `align`."""
    loss, rng = loss_of(layers, l2=l2), np.random.default_rng(0)
    symmetry, a = loss.symmetry, rng.normal(size=loss.n_weights)
    null = np.zeros((0, a.size)) if loss.null_modes is None else loss.null_modes

    def without_null(x):
        return x - (x @ null.T) @ null

    disturbed = a + 0.02 * rng.normal(size=(20, a.size))
    back = symmetry.align_all(a, np.array([symmetry.random_copy(x, rng) for x in disturbed]))
    np.testing.assert_allclose(back, without_null(disturbed), rtol=0.0, atol=1e-12)
    points = rng.normal(size=(40, a.size))
    kept = points.copy()
    copies = symmetry.align_all(a, points)
    assert np.array_equal(points, kept)
    np.testing.assert_allclose([loss.energy(x) for x in copies], [loss.energy(x) for x in points], rtol=1e-12)
    apart = [symmetry.align_all(a, points[k : k + 1])[0] for k in range(len(points))]
    assert np.array_equal(apart, copies)  # whatever else is aligned at the same time: explorations may be interrupted
    ratio = np.linalg.norm(copies - without_null(a), axis=1) / [symmetry.distance(a, x) for x in points]
    if len(layers) == 3:
        np.testing.assert_allclose(ratio, 1.0, rtol=1e-12)
    assert np.median(ratio) < 1.05


def test_many_networks_with_frozen_and_mirrored_units_are_aligned_at_once():
    rng = np.random.default_rng(1)
    masked = loss_of((2, 10, 4), neighbours=1)
    mirrored = loss_of((2, 4, 3, 4), activation="logistic", l2=1e-3, l2_biases=False)
    for loss in (masked, mirrored):
        points = np.array([loss.random_coordinates(loss.n_weights, rng) for _ in range(20)])
        copies = loss.symmetry.align_all(points[0], points)
        np.testing.assert_allclose([loss.energy(x) for x in copies], [loss.energy(x) for x in points], rtol=1e-12)
        again = loss.symmetry.align_all(points[0], np.array([loss.symmetry.random_copy(points[0], rng)] * 2))
        null = np.zeros((0, loss.n_weights)) if loss.null_modes is None else loss.null_modes
        difference = again - points[0]
        np.testing.assert_allclose(difference - (difference @ null.T) @ null, 0.0, atol=1e-12)


def test_alignment_leaves_its_arguments_alone_and_ends_for_any_size():
    symmetry, rng = NetworkSymmetry((2, 4, 4, 3)), np.random.default_rng(0)
    for size in (0.0, 1e-300, 1e-160, 1.0, 1e150, 1e300):
        a, b = size * rng.normal(size=(2, symmetry.n))
        kept = a.copy(), b.copy()
        assert symmetry.align(a, b).shape == a.shape
        assert np.array_equal(kept, (a, b))


@pytest.mark.parametrize("bad", [np.zeros(73), np.full(74, np.nan), np.zeros((2, 37))])
def test_bad_vectors(bad):
    symmetry = NetworkSymmetry((2, 10, 4))
    for call in (
        symmetry.order,
        lambda x: symmetry.align(np.zeros(74), x),
        lambda x: symmetry.distance(x, np.zeros(74)),
    ):
        with pytest.raises(ValueError, match="must"):
            call(bad)


def test_bad_masks():
    with pytest.raises(ValueError, match="mask must have the shape"):
        NetworkSymmetry((2, 10, 4), mask=np.ones(73, dtype=bool))
    with pytest.raises(ValueError, match="null_modes must have the shape"):
        NetworkSymmetry((2, 10, 4), null_modes=np.ones((2, 73)))


def trained(layers, seeds):
    """Minima of a loss on 60 points from so many random starts."""
    system = as_system(Weights.random(loss_of(layers, l2=1e-3), seed=0))
    starts = np.array([system.random(np.random.default_rng(seed)) for seed in range(seeds)])
    found = minimise(system, starts, rms=1e-9, second_order=True)
    return system, found.x[found.converged], found.energy[found.converged]


def check_recognised(layers, trials, seeds):
    """Copies of minima and of random points are recognised, and minima of different energies are never merged."""
    system, minima, energies = trained(layers, seeds)
    assert len(minima) >= 3
    rng = np.random.default_rng(1)
    for trial in range(trials):
        k, j = rng.integers(len(minima), size=2)
        x = minima[k] if trial % 2 else rng.normal(size=system.n)
        copy = system.symmetry.random_copy(x, rng)
        # as far off as two searches that end at the same minimum
        assert system.distance(x, copy + 1e-8 * rng.normal(size=system.n)) < 1e-6
        if abs(energies[k] - energies[j]) > 1e-7:
            assert system.distance(minima[k], system.symmetry.random_copy(minima[j], rng)) > 1e-2


@pytest.mark.parametrize("layers", [(2, 10, 4), (2, 5, 5, 4)])
def test_copies_are_recognised_and_different_minima_not_merged(layers):
    check_recognised(layers, 300, 8)


@pytest.mark.slow
@pytest.mark.parametrize("layers", [(2, 10, 4), (2, 5, 5, 4)])
def test_ten_thousand_copies_are_recognised_and_different_minima_not_merged(layers):
    check_recognised(layers, 10_000, 30)


LOGISTIC = [
    ((2, 4, 3), "logistic", None, {"l2": 1e-3, "l2_biases": False}),
    ((2, 4, 4, 3), ("logistic", "tanh"), None, {"l2": 1e-3, "l2_biases": False}),
    ((2, 3, 3, 3), ("silu", "logistic"), None, {"l2": 0.0}),
    ((3, 4, 4, 3), "logistic", 2, {"l2": 1e-3, "l2_biases": False}),
]


@pytest.mark.parametrize(("layers", "activation", "neighbours", "settings"), LOGISTIC)
def test_logistic_units_are_mirrored_where_biases_are_not_penalised(layers, activation, neighbours, settings):
    loss = loss_of(layers, activation=activation, neighbours=neighbours, **settings)
    rng, symmetry = np.random.default_rng(4), loss.symmetry
    for _ in range(20):
        x = loss.random_coordinates(loss.n_weights, rng) * 3.0
        copy = symmetry.random_copy(x, rng)
        assert loss.energy(copy) == pytest.approx(loss.energy(x), abs=1e-12)
        assert symmetry.distance(x, copy) < 1e-12 * np.linalg.norm(x)
        other = loss.random_coordinates(loss.n_weights, rng)
        assert loss.energy(symmetry.align(x, other)) == pytest.approx(loss.energy(other), abs=1e-12)
        assert symmetry.order(x) == 1
        assert not symmetry.exchanges or symmetry.order(symmetry.made_symmetric(x, rng)) > 1
    # the first logistic unit's mirror image: its own signs, and its outgoing weights in the biases above
    layer = [name == "logistic" for name in loss.activation].index(True)
    incoming, outgoing = unit_slices(layers, layer, 0)
    above = loss.n_weights - sum(layers[layer + 2 :])
    mirrored = x.copy()
    mirrored[above : above + layers[layer + 2]] += x[outgoing]
    mirrored[np.concatenate([incoming, outgoing])] *= -1.0
    assert np.linalg.norm(mirrored - x) > 0.1
    assert loss.energy(mirrored) == pytest.approx(loss.energy(x), abs=1e-12)
    assert symmetry.distance(x, mirrored) < 1e-12 * np.linalg.norm(x)


def test_logistic_units_have_no_mirror_images_where_biases_are_penalised():
    loss = loss_of((2, 4, 3), activation="logistic", l2=1e-3)
    assert type(loss.symmetry) is NetworkSymmetry
    assert loss.symmetry.size == factorial(4)
    free = loss_of((2, 4, 3), activation="logistic", l2=1e-3, l2_biases=False)
    assert free.symmetry.size == factorial(4) * 2**4


def test_null_modes_do_not_separate_mirror_images():
    loss = loss_of((2, 3, 3), activation="logistic", l2=0.0)
    rng = np.random.default_rng(2)
    x = loss.random_coordinates(loss.n_weights, rng)
    moved = loss.symmetry.random_copy(x, rng) + loss.null_modes.T @ rng.normal(size=len(loss.null_modes))
    assert loss.energy(moved) == pytest.approx(loss.energy(x), abs=1e-12)
    assert loss.symmetry.distance(x, moved) < 1e-12
