"""Loss, gradient, Hessian and its product with a vector, against a network written plainly here."""

from __future__ import annotations

import itertools
import pickle

import numba
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from thalweg.potentials.compiled.simd import WIDE_LANES, load_wide, store
from thalweg.potentials.neural_network.loss import NetworkLoss
from thalweg.potentials.neural_network.vector_math import exponential, tanh
from thalweg.potentials.neural_network.weights import Weights

FEW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@numba.njit
def _tanh(values, slopes):
    tanh(values, slopes, 0, values.size)


@numba.njit
def _exponential(values):
    for d in range(0, values.size, WIDE_LANES):
        store(values, d, exponential(load_wide(values, d)))


def unpacked(x, layers):
    matrices, biases, start = [], [], 0
    for below, above in itertools.pairwise(layers):
        matrices.append(x[start : start + above * below].reshape(above, below))
        start += above * below
    for above in layers[1:]:
        biases.append(x[start : start + above])
        start += above
    assert start == x.size
    return matrices, biases


def plain_probabilities(x, layers, inputs):
    (matrices, biases), values = unpacked(x, layers), [inputs]
    for weights, bias in zip(matrices[:-1], biases[:-1], strict=True):
        values.append(np.tanh(values[-1] @ weights.T + bias))
    outputs = values[-1] @ matrices[-1].T + biases[-1]
    outputs = outputs - outputs.max(axis=1, keepdims=True)
    return np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True), values


def plain_loss(x, loss, l2=None):
    probabilities, values = plain_probabilities(x, loss.layers, loss.inputs)
    rows = np.arange(len(loss.labels))
    energy = -np.log(probabilities[rows, loss.labels]).mean() + (loss.l2 if l2 is None else l2) * (x @ x)
    matrices, _ = unpacked(x, loss.layers)
    delta = probabilities.copy()
    delta[rows, loss.labels] -= 1.0
    weights, biases = [], []
    for layer in reversed(range(len(matrices))):
        weights.insert(0, (delta.T @ values[layer]).ravel())
        biases.insert(0, delta.sum(axis=0))
        delta = (delta @ matrices[layer]) * (1.0 - values[layer] ** 2)
    gradient = np.concatenate(weights + biases) / len(rows) + 2 * loss.l2 * x
    return energy, np.where(loss.mask, gradient, 0.0)


def plain_product(x, v, loss, step=3e-5):
    """By differences of fourth order: those of second are off by more than is allowed where the curvature changes."""
    v = np.where(loss.mask, v, 0.0)
    near, far = ((plain_loss(x + h * v, loss)[1] - plain_loss(x - h * v, loss)[1]) / (2 * h) for h in (step, 2 * step))
    return (4 * near - far) / 3


def problem(layers, n, seed=0, **keywords):
    rng = np.random.default_rng(seed)
    inputs, labels = rng.normal(size=(n, layers[0])), rng.integers(0, layers[-1], n)
    return NetworkLoss(inputs, labels, layers[1:-1], n_classes=layers[-1], **keywords)


@st.composite
def problems(draw):
    hidden = draw(st.lists(st.integers(1, 7), min_size=0, max_size=4))
    layers = [draw(st.integers(1, 6)), *hidden, draw(st.integers(2, 6))]
    neighbours = draw(st.none() | st.integers(1, 4)) if hidden else None
    l2 = draw(st.sampled_from([0.0, 1e-4, 0.1]))
    n = draw(st.sampled_from([1, 2, 3, 15, 127, 128, 129, 300]))
    return problem(layers, n, draw(st.integers(0, 1000)), l2=l2, neighbours=neighbours)


@settings(FEW, max_examples=200)
@given(problems(), st.integers(0, 1000))
def test_energy_gradient_and_second_derivatives_match_plain_numpy(loss, seed):
    rng = np.random.default_rng(seed)
    x = loss.random_coordinates(loss.n_weights, rng)
    v = rng.normal(size=x.size)
    energy, gradient = loss.energy_gradient(x)
    plain_energy, plain_gradient = plain_loss(x, loss)
    assert energy == pytest.approx(plain_energy, rel=1e-13)
    np.testing.assert_allclose(gradient, plain_gradient, rtol=1e-12, atol=1e-15)
    along, step = np.where(loss.mask, v, 0.0), 1e-5
    slope = (plain_loss(x + step * along, loss)[0] - plain_loss(x - step * along, loss)[0]) / (2 * step)
    assert gradient @ along == pytest.approx(slope, rel=1e-6, abs=2e-8)
    product, hessian = loss.hessian_vector(x, v), loss.hessian(x)
    np.testing.assert_allclose(product, plain_product(x, v, loss), rtol=1e-6, atol=2e-8)
    np.testing.assert_allclose(hessian @ np.where(loss.mask, v, 0.0), product, rtol=1e-11, atol=1e-13)
    assert np.array_equal(hessian, hessian.T)
    assert not gradient[~loss.mask].any()
    assert not hessian[~loss.mask].any()
    assert not product[~loss.mask].any()


@pytest.mark.parametrize(
    ("layers", "count"),
    [
        ((2, 10, 4), 74),
        ((2, 5, 4), 39),
        ((784, 10, 10), 7960),
        ((2, 5, 5, 4), 69),
        ((2, 4, 4, 4, 4), 72),
    ],
)
def test_parameter_counts(layers, count):
    assert problem(layers, 10).n_weights == count


@pytest.mark.parametrize("zeros", [0.0, 0.8])
@pytest.mark.parametrize("layers", [(784, 10, 10), (64, 10, 10), (3, 40, 5), (80, 5), (90, 3, 14, 4), (20, 17, 8, 4)])
def test_wide_networks(layers, zeros):
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(201, layers[0])) * (rng.random((201, layers[0])) >= zeros)
    loss = NetworkLoss(inputs, rng.integers(0, layers[-1], 201), layers[1:-1], l2=0.1, n_classes=layers[-1])
    x, v = loss.random_coordinates(loss.n_weights, rng), rng.normal(size=loss.n_weights)
    energy, gradient = loss.energy_gradient(x)
    plain_energy, plain_gradient = plain_loss(x, loss)
    assert energy == pytest.approx(plain_energy, rel=1e-13)
    np.testing.assert_allclose(gradient, plain_gradient, rtol=1e-11, atol=1e-15)
    product = loss.hessian_vector(x, v)
    np.testing.assert_allclose(product, plain_product(x, v, loss), rtol=1e-5, atol=1e-7)
    if loss.n_weights < 1000:
        np.testing.assert_allclose(loss.hessian(x) @ v, product, rtol=1e-10, atol=1e-12)


def test_compiled_hessian_returns_the_energy():
    loss = problem((2, 10, 4), 1000)
    x = loss.random_coordinates(74, np.random.default_rng(0))
    _, hessian, integers, floats = loss.compiled
    assert hessian(x, np.empty((74, 74)), integers, floats) == pytest.approx(loss.energy(x), rel=1e-14)


def test_large_hessian_is_refused():
    loss = problem((784, 10, 10), 5)
    with pytest.raises(ValueError, match="hessian_vector"):
        loss.hessian(np.zeros(7960))


def test_more_data_than_one_block_of_logarithms():
    loss = problem((2, 3, 4), 128 * 17 + 5)
    x = 5 * loss.random_coordinates(loss.n_weights, np.random.default_rng(1))
    assert loss.energy(x) == pytest.approx(plain_loss(x, loss)[0], rel=1e-13)


def test_many_classes():
    loss = problem((2, 3, 500), 1100)
    x = 5 * loss.random_coordinates(loss.n_weights, np.random.default_rng(1))
    assert loss.energy(x) == pytest.approx(plain_loss(x, loss)[0], rel=1e-13)


def test_a_class_without_data_still_has_an_output():
    loss = NetworkLoss([[0.0], [1.0]], [0, 2], hidden=(2,))
    assert loss.n_classes == 3
    x = loss.random_coordinates(loss.n_weights, np.random.default_rng(0))
    np.testing.assert_allclose(loss.energy_gradient(x)[1], plain_loss(x, loss)[1], atol=1e-15)
    assert NetworkLoss([[0.0], [1.0]], [0, 0], hidden=(2,), n_classes=4).layers == (1, 2, 4)


@pytest.mark.parametrize("l2", [0.0, 1e-4])
@pytest.mark.parametrize("layers", [(2, 10, 4), (2, 4, 4, 4, 4), (3, 5)])
@pytest.mark.parametrize("size", [1e-300, 1e-8, 1e3, 1e10, 1e100, 1e200, 1.7e308])
def test_extreme_weights_give_no_nan(layers, l2, size):
    loss = problem(layers, 150, seed=5, l2=l2)
    rng = np.random.default_rng(int(np.log10(size)) % 7)
    for x in (size * rng.uniform(-1, 1, loss.n_weights), size * np.sign(rng.normal(size=loss.n_weights))):
        energy, gradient = loss.energy_gradient(x)
        assert energy >= 0
        assert np.isfinite(energy) or (l2 > 0 and size > 1e150)
        assert np.isfinite(gradient).all()
        assert np.isfinite(loss.hessian(x)).all()
        assert np.isfinite(loss.hessian_vector(x, rng.normal(size=x.size))).all()
        assert np.isfinite(loss.probabilities(x, loss.inputs)).all()


def test_saturated_network_keeps_its_small_loss():
    # outputs differ by 2 * 20 everywhere, so that the loss is ln(1 + exp(-40)), far below one rounding error of 1
    loss = NetworkLoss(np.ones((300, 1)), np.zeros(300, dtype=int), hidden=(1,), l2=0.0, n_classes=2)
    x = np.array([500.0, 20.0, -20.0, 0.0, 0.0, 0.0])
    energy, gradient = loss.energy_gradient(x)
    assert energy == pytest.approx(np.exp(-40.0), rel=1e-13)
    assert gradient[1] == pytest.approx(-np.exp(-40.0), rel=1e-13)


def test_nan_weights_give_nan():
    loss = problem((2, 3, 4), 10)
    x = np.full(loss.n_weights, np.nan)
    assert np.isnan(loss.energy(x))


def test_exponential_and_tanh_are_accurate_to_a_few_ulp():
    magnitudes = np.concatenate([np.logspace(-300, 2.5, 4000), np.linspace(0, 40, 8192)])
    z = np.concatenate([magnitudes, -magnitudes])
    exact, value, slope = np.tanh(z.astype(np.longdouble)), z.copy(), np.empty_like(z)
    _tanh(value, slope)
    assert np.max(np.abs(value - exact) / np.spacing(np.abs(value))) < 5
    near = np.abs(z) < 300
    exact = 1 / np.cosh(z[near].astype(np.longdouble)) ** 2
    assert np.max(np.abs(slope[near] - exact) / np.spacing(slope[near])) < 6
    z = -np.linspace(0, 690, 10000)
    exact, value = np.exp(z.astype(np.longdouble)), z.copy()
    _exponential(value)
    assert np.max(np.abs(value - exact) / np.spacing(value)) < 2


def test_probabilities_and_cross_entropy_on_other_data():
    loss = problem((2, 5, 5, 4), 50, l2=0.3)
    rng = np.random.default_rng(4)
    inputs, labels = rng.normal(size=(1000, 2)), rng.integers(0, 4, 1000)
    X = rng.normal(size=(3, loss.n_weights))
    expected = [plain_probabilities(x, loss.layers, inputs)[0] for x in X]
    for x, probabilities in zip(X, expected, strict=True):
        np.testing.assert_allclose(loss.probabilities(x, inputs), probabilities, rtol=1e-12, atol=1e-15)
    losses = [-np.log(p[np.arange(1000), labels]).mean() for p in expected]
    np.testing.assert_allclose(loss.cross_entropy(X, inputs, labels), losses, rtol=1e-13)
    assert loss.cross_entropy(X[0], inputs, labels) == pytest.approx(losses[0], rel=1e-13)
    assert loss.energy(X[0]) == pytest.approx(
        loss.cross_entropy(X[0], loss.inputs, loss.labels) + 0.3 * X[0] @ X[0], rel=1e-13
    )


def test_batch_equals_single():
    loss = problem((2, 10, 4), 333)
    X = np.random.default_rng(0).uniform(-1, 1, (7, 74))
    energies, gradients = loss.energies_gradients(X)
    for x, energy, gradient in zip(X, energies, gradients, strict=True):
        single = loss.energy_gradient(x)
        assert energy == single[0]
        assert np.array_equal(gradient, single[1])


@pytest.mark.parametrize("neighbours", [None, 1, 2])
def test_null_modes_are_the_shifts_of_all_outputs(neighbours):
    loss = problem((2, 10, 4), 200, l2=0.0, neighbours=neighbours)
    modes = loss.null_modes
    assert len(modes) == (11 if neighbours is None else 1)
    np.testing.assert_allclose(modes @ modes.T, np.eye(len(modes)), atol=1e-14)
    assert not modes[:, ~loss.mask].any()
    x = loss.random_coordinates(74, np.random.default_rng(2))
    np.testing.assert_allclose(loss.hessian(x) @ modes.T, 0.0, atol=1e-15)
    assert loss.energy(x + 3.0 * modes.sum(axis=0)) == pytest.approx(loss.energy(x), rel=1e-13)
    eigenvalues = np.abs(np.linalg.eigvalsh(loss.hessian(x)[np.ix_(loss.mask, loss.mask)]))
    assert (eigenvalues < 1e-13).sum() == len(modes)
    assert problem((2, 10, 4), 5).null_modes is None


def test_a_loss_is_rebuilt_from_its_description():
    loss = problem((2, 5, 4, 4), 40, neighbours=2)
    loss = NetworkLoss(loss.inputs, loss.labels, loss.hidden, neighbours=2, mislabelled=loss.labels == 1)
    description = loss.describe()
    assert description.pop("name") == "NetworkLoss"
    again = NetworkLoss(**description)
    x = loss.random_coordinates(loss.n_weights, np.random.default_rng(0))
    for other in (again, pickle.loads(pickle.dumps(loss))):
        assert other.energy(x) == loss.energy(x)
        assert np.array_equal(other.mislabelled, loss.mislabelled)
        assert np.array_equal(other.mask, loss.mask)


def test_weights():
    loss = problem((2, 10, 4), 20, neighbours=1)
    weights = Weights.random(loss, seed=3)
    x = weights.get_x()
    assert weights.calc is loss
    assert len(weights) == 74
    assert np.array_equal(weights.frozen, ~loss.mask)
    assert not x[~loss.mask].any()
    assert np.abs(x[loss.mask]).max() < 1
    assert np.array_equal(x, Weights.random(loss, seed=3).get_x())
    assert not np.array_equal(x, Weights.random(loss, seed=4).get_x())
    assert weights.get_potential_energy() == loss.energy(x)
    with pytest.raises(ValueError, match="frozen"):
        Weights(loss, np.ones(74))
    with pytest.raises(ValueError, match="74 weights"):
        Weights(loss, np.ones(73))
    with pytest.raises(TypeError, match="NetworkLoss"):
        Weights(lambda x: 0.0, np.ones(3))
