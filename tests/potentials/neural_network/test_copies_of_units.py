"""Blocks of single hidden units, and networks of distinct units, against whole Hessians and textbook formulas."""

from __future__ import annotations

import numpy as np
import pytest

from thalweg.potentials import NetworkLoss
from thalweg.potentials.neural_network.one_hidden_layer.merged_units import MergedLoss, alike
from thalweg.potentials.neural_network.one_hidden_layer.unit_blocks import has_unit_blocks, unit_blocks, unit_places

ACTIVATIONS = ("tanh", "logistic", "softplus", "gelu", "silu")
LOSSES = ("cross_entropy", "logistic", "squared_error")


def network(activation="tanh", loss="cross_entropy", hidden=5, **more):
    """A network with three inputs and outputs on twelve weighted points, and some weights."""
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(12, 3))
    targets = {
        "cross_entropy": rng.integers(0, 3, 12),
        "logistic": rng.integers(0, 2, (12, 3)),
        "squared_error": rng.normal(size=(12, 3)),
    }[loss]
    settings = {"l2": 0.01, "sample_weight": rng.uniform(0.5, 2.0, 12)} | more
    made = NetworkLoss(inputs, targets, (hidden,), activation=activation, loss=loss, **settings)
    return made, rng.normal(size=made.n_weights)


def second_derivatives(loss, outputs):
    """The loss's second derivatives by the outputs of one datum, by the textbook."""
    if loss.loss == "squared_error":
        return 2.0 * np.eye(3)
    if loss.loss == "logistic":
        p = 1.0 / (1.0 + np.exp(-outputs))
        return np.diag(p * (1.0 - p))
    p = np.exp(outputs) / np.exp(outputs).sum()
    return np.diag(p) - np.outer(p, p)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_blocks_and_outer_products_make_the_hessian(activation, loss):
    """H = D + J^T B J, J by differences of the outputs."""
    network_loss, x = network(activation, loss, l2_biases=activation != "gelu")
    steps = 1e-5 * np.eye(x.size)
    ahead, behind = (
        np.array([network_loss.outputs(x + sign * step, network_loss.inputs) for step in steps]) for sign in (1, -1)
    )
    jacobian = (ahead - behind) / 2e-5
    weights = network_loss.sample_weight / network_loss.sample_weight.sum()
    rest = network_loss.hessian(x)
    for n, outputs in enumerate(network_loss.outputs(x, network_loss.inputs)):
        rest -= weights[n] * jacobian[:, n] @ second_derivatives(network_loss, outputs) @ jacobian[:, n].T
    places = unit_places(network_loss)
    for unit, block in enumerate(unit_blocks(network_loss, x)):
        np.testing.assert_allclose(rest[np.ix_(places[unit], places[unit])], block, atol=1e-8)
        np.testing.assert_allclose(unit_blocks(network_loss, x, np.array([unit]))[0], block, atol=1e-14)
        rest[np.ix_(places[unit], places[unit])] = 0.0
    rest[-3:, -3:] = 0.0  # the biases of the outputs belong to no unit
    np.testing.assert_allclose(rest, 0.0, atol=1e-8)


def test_which_networks_have_blocks():
    assert has_unit_blocks(network()[0])
    assert not has_unit_blocks(network(neighbours=1)[0])
    inputs = np.random.default_rng(0).normal(size=(5, 3))
    assert not has_unit_blocks(NetworkLoss(inputs, [0, 1, 0, 1, 1], (4, 3)))
    assert not has_unit_blocks(NetworkLoss(np.zeros((5, 200)), [0, 1, 0, 1, 1], (4,)))
    assert not has_unit_blocks(object())


@pytest.mark.parametrize("l2_biases", [True, False])
@pytest.mark.parametrize(
    ("activation", "loss"), [("tanh", "cross_entropy"), ("gelu", "logistic"), ("silu", "squared_error")]
)
def test_a_network_of_distinct_units_is_the_whole_one(activation, loss, l2_biases):
    whole, _ = network(activation, loss, hidden=7, l2_biases=l2_biases)
    owners = np.array([0, 1, 0, 2, 1, 0, 2])
    signs = np.array([1, 1, -1, 1, -1, 1, 1.0]) if activation == "tanh" else np.ones(7)
    merged, rng = MergedLoss(whole, owners, signs), np.random.default_rng(1)
    y, v = rng.normal(size=(2, 3 * 7 + 3))
    x = merged.spread(y)
    energy, gradient = merged.energy_gradient(y)
    assert energy == pytest.approx(whole.energy(x), rel=1e-14)
    np.testing.assert_allclose(merged.spread(gradient), whole.energy_gradient(x)[1], atol=1e-15)
    np.testing.assert_allclose(
        merged.spread(merged.hessian_vector(y, v)), whole.hessian_vector(x, merged.spread(v)), atol=1e-14
    )
    np.testing.assert_allclose(merged.gather(x), y, rtol=1e-14)
    assert np.linalg.norm(merged.spread(v)) == pytest.approx(np.linalg.norm(v), rel=1e-14)
    found = alike(whole, x, 1e-9)
    np.testing.assert_array_equal(found[0], owners)
    np.testing.assert_array_equal(found[1], signs)


def test_eigenvalues_of_distinct_units_and_of_their_copies_are_all_of_the_whole():
    whole, _ = network(hidden=7)
    merged = MergedLoss(whole, np.array([0, 1, 0, 2, 1, 0, 3]), np.array([1, 1, -1, 1, -1, 1, 1.0]))
    y = np.random.default_rng(1).normal(size=4 * 7 + 3)
    x = merged.spread(y)
    blocks = np.linalg.eigvalsh(unit_blocks(whole, x, np.array([0, 0, 1])))  # three copies, two copies
    small = np.linalg.eigvalsh([merged.hessian_vector(y, v) for v in np.eye(y.size)])
    both = np.sort(np.concatenate([small, blocks.ravel()]))
    np.testing.assert_allclose(both, np.linalg.eigvalsh(whole.hessian(x)), atol=1e-13)
    np.testing.assert_allclose(merged.split_eigenvalues(y), np.sort(blocks.ravel()), atol=1e-14)
    lowest, vectors = merged.lowest_splits(y)
    np.testing.assert_allclose(lowest, [blocks[0, 0], blocks[2, 0], np.inf, np.inf], atol=1e-14)
    # one copy goes, two stay: the outputs change in second order only
    step = 1e-4 * vectors[0]
    parted, z = merged.parted(y, 0, 1, step)
    np.testing.assert_array_equal(parted.counts, [2, 2, 1, 1, 1])
    way = parted.spread(z) - x
    assert way.sum() != 0.0
    curvature = 2.0 * (whole.energy(x + way) - whole.energy(x)) / (way @ way)
    assert curvature == pytest.approx(lowest[0], rel=1e-3)


def test_units_without_copies_stay_alone():
    whole, x = network(hidden=6)
    owners, signs = alike(whole, x, 0.3)
    np.testing.assert_array_equal(owners, np.arange(6))
    np.testing.assert_array_equal(signs, 1.0)
    merged = MergedLoss(whole, owners, signs)
    assert merged.energy_gradient(merged.gather(x))[0] == pytest.approx(whole.energy(x), rel=1e-14)
    # a logistic unit is no copy of one with the other sign
    opposite, places = x.copy(), unit_places(whole)
    opposite[places[1]] = -opposite[places[0]]
    assert alike(whole, opposite, 1e-9)[0][1] == 0
    assert alike(network("logistic", hidden=6)[0], opposite, 1e-9)[0][1] == 1
