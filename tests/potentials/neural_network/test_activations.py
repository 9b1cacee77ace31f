"""Activations and losses: values to a few units in the last place, derivatives against PyTorch's in float64."""

from __future__ import annotations

import itertools

import numba
import numpy as np
import pytest

from thalweg.potentials import NetworkLoss, check_potential
from thalweg.potentials.compiled.simd import WIDE_LANES, load_wide, store
from thalweg.potentials.neural_network.activations.functions import activate
from thalweg.potentials.neural_network.activations.kinds import ACTIVATIONS
from thalweg.potentials.neural_network.vector_math import log_one_plus

# PyTorch's own, when its function transforms are imported
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:FutureWarning")

LOSSES = ("cross_entropy", "logistic", "squared_error")
OTHERS = [name for name in ACTIVATIONS if name != "tanh"]


@numba.njit
def _activate(kind, z, slope, bend):
    activate(kind, z, slope, bend, 0, z.size, True)


@numba.njit
def _logarithms(values):
    for d in range(0, values.size, WIDE_LANES):
        store(values, d, log_one_plus(load_wide(values, d)))


def exact_activation(mp, name):
    """Return an activation and its two derivatives as functions of numbers of many digits."""

    def logistic(z):
        return 1 / (1 + mp.exp(-z))

    def normal(z):
        return mp.erfc(-z / mp.sqrt(2)) / 2

    def slope(z):
        return logistic(z) * logistic(-z)

    return {
        "logistic": (logistic, slope, lambda z: slope(z) * (logistic(-z) - logistic(z))),
        "softplus": (lambda z: mp.log1p(mp.exp(z)), logistic, slope),
        "silu": (
            lambda z: z * logistic(z),
            lambda z: logistic(z) * (1 + z * logistic(-z)),
            lambda z: slope(z) * (2 + z * (logistic(-z) - logistic(z))),
        ),
        "gelu": (
            lambda z: z * normal(z),
            lambda z: normal(z) + z * mp.npdf(z),
            lambda z: mp.npdf(z) * (2 - z * z),
        ),
    }[name]


@pytest.mark.parametrize("name", OTHERS)
def test_values_and_derivatives_are_accurate_to_a_few_ulp(name):
    mpmath = pytest.importorskip("mpmath")
    magnitudes = np.concatenate([np.logspace(-20, 0, 40), np.linspace(0, 40, 200), np.logspace(1, 2.8, 24)])
    points = np.concatenate([magnitudes, -magnitudes])
    z = points[None].copy()
    slope, bend = np.empty_like(z), np.empty_like(z)
    _activate(ACTIVATIONS[name], z, slope, bend)
    with mpmath.mp.workdps(60):
        for got, function in zip((z[0], slope[0], bend[0]), exact_activation(mpmath.mp, name), strict=True):
            for x, value in zip(points, got, strict=True):
                exact = function(mpmath.mpf(float(x)))
                # the derivatives of gelu and silu cross zero: there they are as exact as what is subtracted
                near_zero = 3e-16 if name in ("gelu", "silu") and abs(x) < 3 else 0.0
                assert abs(value - exact) <= 5 * np.finfo(float).eps * abs(exact) + near_zero + 1e-300, x


@pytest.mark.parametrize("size", [1e3, 1e70, 1e300])
@pytest.mark.parametrize("name", OTHERS)
def test_far_away_activations_are_their_limits(name, size):
    z = np.tile([size, -size], (1, 4))
    slope, bend = np.empty_like(z), np.empty_like(z)
    _activate(ACTIVATIONS[name], z, slope, bend)
    high, low = (1.0, 0.0) if name == "logistic" else (size, 0.0)
    np.testing.assert_allclose(z[0], np.tile([high, low], 4), rtol=1e-15, atol=1e-300)
    np.testing.assert_allclose(slope[0], np.tile([0.0 if name == "logistic" else 1.0, 0.0], 4), rtol=1e-15, atol=1e-300)
    np.testing.assert_allclose(bend[0], 0.0, atol=1e-300)


def test_logarithm_keeps_small_digits():
    values = np.concatenate([np.logspace(-300, 6, 4000), np.linspace(0, 3, 4000)])
    exact = np.log1p(values.astype(np.longdouble))
    _logarithms(values)
    assert np.max(np.abs(values - exact) / np.spacing(values)) < 2


def problem(loss, activation, hidden, n=150, n_in=3, seed=0, **settings):
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(n, n_in)) * (rng.random((n, n_in)) < (0.2 if n_in >= 64 else 1.0))
    targets = {"cross_entropy": rng.integers(0, 3, n), "logistic": rng.integers(0, 2, n)}
    targets["squared_error"] = rng.normal(size=(n, 2))
    if loss == "cross_entropy":
        settings["n_classes"] = 3
    return NetworkLoss(inputs, targets[loss], hidden, activation=activation, loss=loss, **settings)


def torch_energy(loss, weights=None):
    """Return the energy of a loss as a function of a tensor, by PyTorch alone."""
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    activations = {
        "tanh": torch.tanh,
        "logistic": torch.sigmoid,
        "softplus": lambda z: functional.softplus(z, threshold=1e9),
        "gelu": functional.gelu,
        "silu": functional.silu,
    }
    targets = torch.tensor(np.array(loss.targets))
    share = torch.ones(len(targets), dtype=torch.float64) if weights is None else torch.tensor(weights)

    def energy(w):
        h, start, matrices = torch.tensor(np.array(loss.inputs)), 0, []
        for below, above in itertools.pairwise(loss.layers):
            matrices.append(w[start : start + above * below].reshape(above, below))
            start += above * below
        counted = w if loss.l2_biases else w[:start]
        for layer, matrix in enumerate(matrices):
            h = h @ matrix.T + w[start : start + len(matrix)]
            start += len(matrix)
            if layer < len(loss.hidden):
                h = activations[loss.activation[layer]](h)
        if loss.loss == "cross_entropy":
            parts = functional.cross_entropy(h, targets, reduction="none")
        elif loss.loss == "logistic":
            two = targets.reshape(len(targets), -1).double()
            parts = functional.binary_cross_entropy_with_logits(h, two, reduction="none").sum(1)
        else:
            parts = ((h - targets.reshape(len(targets), -1)) ** 2).sum(1)
        return (share * parts).sum() / share.sum() + loss.l2 * (counted**2).sum()

    return energy


def against_torch(loss, x, weights=None):
    """Compare energy, gradient, Hessian and its product with a vector with PyTorch's."""
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    energy, w = torch_energy(loss, weights), torch.tensor(x)
    v = np.where(loss.mask, np.random.default_rng(1).normal(size=x.size), 0.0)
    value, gradient = loss.energy_gradient(x)
    assert value == pytest.approx(float(energy(w)), rel=1e-13)
    close = {"rtol": 1e-10, "atol": 1e-13 * max(1.0, np.abs(gradient).max())}
    np.testing.assert_allclose(gradient, np.where(loss.mask, torch.func.grad(energy)(w).numpy(), 0.0), **close)
    hessian = torch.func.hessian(energy)(w).numpy() * np.outer(loss.mask, loss.mask)
    close["atol"] = 1e-13 * max(1.0, np.abs(hessian).max())
    np.testing.assert_allclose(loss.hessian(x), hessian, **close)
    np.testing.assert_allclose(loss.hessian_vector(x, v), hessian @ v, rtol=1e-10, atol=10 * close["atol"])


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_derivatives_are_those_of_torch(name, loss):
    for hidden, settings in (
        ((5,), {"l2": 1e-2, "l2_biases": False}),
        ((4, 3, 5), {"neighbours": 2}),
        ((), {}),
        ((3,), {"n_in": 70, "n": 40}),
    ):
        one = problem(loss, name, hidden, **settings)
        against_torch(one, one.random_coordinates(one.n_weights, np.random.default_rng(2)))


def test_each_layer_has_its_own_activation():
    names = ("gelu", "tanh", "logistic", "softplus")
    loss = problem("squared_error", names, (3, 4, 3, 2), n=20)
    assert loss.activation == names
    against_torch(loss, loss.random_coordinates(loss.n_weights, np.random.default_rng(0)))
    assert loss.symmetry.size == 6 * (24 * 16) * 6 * 2


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", ["tanh", "silu"])
def test_weights_of_the_data(name, loss):
    weights = np.random.default_rng(4).exponential(size=150) * (np.arange(150) % 7 > 0)
    one = problem(loss, name, (4,), sample_weight=weights)
    x = one.random_coordinates(one.n_weights, np.random.default_rng(2))
    against_torch(one, x, weights)
    scaled = problem(loss, name, (4,), sample_weight=1e-200 * weights)
    assert scaled.energy(x) == pytest.approx(one.energy(x), rel=1e-14)
    # a weight of k is the datum given k times, and equal weights are none
    counts = np.arange(150) % 4
    repeated = NetworkLoss(
        np.repeat(one.inputs, counts, axis=0),
        np.repeat(one.targets, counts, axis=0),
        (4,),
        activation=name,
        loss=loss,
        n_classes=3 if loss == "cross_entropy" else None,
    )
    counted = problem(loss, name, (4,), sample_weight=counts)
    assert counted.energy(x) == pytest.approx(repeated.energy(x), rel=1e-13)
    np.testing.assert_allclose(counted.hessian(x), repeated.hessian(x), rtol=1e-11, atol=1e-14)
    equal = problem(loss, name, (4,), sample_weight=np.full(150, 0.3))
    assert np.array_equal(equal.energy_gradient(x)[1], problem(loss, name, (4,)).energy_gradient(x)[1])


def test_weights_of_the_classes_are_those_of_torch_and_scikit_learn():
    torch = pytest.importorskip("torch")
    from sklearn.utils.class_weight import compute_class_weight

    one = problem("cross_entropy", "tanh", (4,), l2=0.0)
    x = one.random_coordinates(one.n_weights, np.random.default_rng(2))
    outputs, labels = torch.tensor(one.outputs(x, one.inputs)), torch.tensor(np.array(one.labels))
    balanced = compute_class_weight("balanced", classes=np.arange(3), y=one.labels)
    for given, resolved in (("balanced", balanced), ({2: 5.0}, [1.0, 1.0, 5.0]), ([0.0, 2.0, 1.0], [0.0, 2.0, 1.0])):
        weighted = problem("cross_entropy", "tanh", (4,), l2=0.0, class_weight=given)
        np.testing.assert_allclose(weighted.class_weight, resolved, rtol=1e-15)
        criterion = torch.nn.CrossEntropyLoss(weight=torch.tensor(np.asarray(resolved)))
        assert weighted.energy(x) == pytest.approx(float(criterion(outputs, labels)), rel=1e-13)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("size", [1e3, 1e30, 1e150, 1.7e308])
def test_extreme_weights_give_no_nan(name, loss, size):
    for hidden in ((4,), (3, 3, 3)):
        one = problem(loss, name, hidden, n=20, sample_weight=1.0 + np.arange(20))
        rng = np.random.default_rng(3)
        for x in (size * rng.uniform(-1, 1, one.n_weights), size * np.sign(rng.normal(size=one.n_weights))):
            energy, gradient = one.energy_gradient(x)
            assert energy >= 0
            assert np.isfinite(energy) or size > 1e149
            assert np.isfinite(gradient).all()
            assert np.isfinite(one.hessian(x)).all()
            assert np.isfinite(one.hessian_vector(x, rng.normal(size=x.size))).all()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_symmetry_follows_the_activation(name):
    rng = np.random.default_rng(0)
    for hidden in ((4,), (3, 3)):
        loss = problem("squared_error", name, hidden)
        x, symmetry = loss.random_coordinates(loss.n_weights, rng), loss.symmetry
        copies = [symmetry.random_copy(x, rng) for _ in range(8)]
        assert [loss.energy(copy) for copy in copies] == pytest.approx([loss.energy(x)] * 8, rel=1e-13)
        assert max(symmetry.distance(x, copy) for copy in copies) < 1e-12
        turned = x.copy()
        turned[:3] *= -1.0  # of one unit the incoming weights, not a symmetry
        assert symmetry.distance(x, turned) > 1e-2
        signs = 2 if name == "tanh" else 1
        assert symmetry.size == (24 * signs**4 if hidden == (4,) else (6 * signs**3) ** 2)
        made = symmetry.made_symmetric(x, rng)
        assert symmetry.order(made) >= 2
        assert symmetry.order(x) == 1
        check_potential(loss, x)


def test_a_unit_of_zeros_is_symmetric_only_where_units_are_odd():
    for name, order in (("tanh", 2), ("gelu", 1), ("logistic", 1)):
        loss = problem("squared_error", name, (3,))
        x = loss.random_coordinates(loss.n_weights, np.random.default_rng(1))
        x[[0, 1, 2, 9, 12, 15]] = 0.0
        assert loss.symmetry.order(x) == order


def test_null_modes_follow_the_loss():
    for settings, count in (({"l2": 0.0}, 5), ({"l2_biases": False}, 1), ({}, None)):
        loss = problem("cross_entropy", "gelu", (4,), **settings)
        assert (None if loss.null_modes is None else len(loss.null_modes)) == count
        if count:
            x = loss.random_coordinates(loss.n_weights, np.random.default_rng(2))
            np.testing.assert_allclose(loss.hessian(x) @ loss.null_modes.T, 0.0, atol=1e-14)
            eigenvalues = np.abs(np.linalg.eigvalsh(loss.hessian(x)))
            assert (eigenvalues < 1e-12).sum() == count
    assert problem("squared_error", "gelu", (4,), l2=0.0).null_modes is None
    assert problem("logistic", "gelu", (4,), l2=0.0).null_modes is None
