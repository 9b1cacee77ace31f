"""Iterative searches of large losses against full Hessians, and potentials that are not what they seem."""

from __future__ import annotations

import numpy as np
import pytest
from zarr.storage import MemoryStore

from thalweg.landscapes import CalculationsFailedError, Landscape, verify
from thalweg.optimizers import find_transition_states, minimise
from thalweg.optimizers.kernels.status import Status
from thalweg.optimizers.krylov.ascent import ascend
from thalweg.potentials import FlatCalculator, Function, NetworkLoss, Point, Weights, as_system


def network(**more):
    """A network of 600 weights on 80 random points."""
    rng = np.random.default_rng(0)
    inputs, labels = rng.normal(size=(80, 57)), rng.integers(0, 3, 80)
    return NetworkLoss(inputs, labels, hidden=(9,), l2=5e-3, n_classes=3, neighbours=None, **more)


@pytest.fixture(scope="module")
def found():
    """A system of 552 weights, starts beside one of its minima, and what the search finds from them."""
    system = as_system(Weights.random(network(), seed=0))
    assert system.n_free > 500
    x = minimise(system, system.random(np.random.default_rng(1)), rms=1e-8, second_order=True).x[0]
    starts = x + 0.08 * np.random.default_rng(2).normal(size=(4, system.n))
    return system, x, starts, find_transition_states(system, starts, rms=1e-8, threads=1)


def test_a_minimum_is_proved_as_by_its_whole_hessian(found):
    system, x, _, _ = found
    result = minimise(system, x, rms=1e-8, second_order=True)
    values = np.linalg.eigvalsh(system.hessian(x))
    assert result.converged[0]
    assert result.lowest_eigenvalue[0] == pytest.approx(values[0], rel=0.02)


def test_transition_states_are_those_of_full_hessians(found):
    system, _, _, result = found
    assert result.converged.sum() >= 3, result.reason
    for row in np.flatnonzero(result.converged):
        values = np.linalg.eigvalsh(system.hessian(result.x[row]))
        assert (values < -1e-9).sum() == 1
        assert result.lowest_eigenvalue[row] == pytest.approx(values[0], rel=0.02)
        energy, gradient = system.energy_gradient(result.x[row])
        assert np.sqrt(np.mean(gradient**2)) < 1e-8
        assert (result.minima_energy[row] < energy).all()
        for end in result.minima[row]:
            assert np.linalg.eigvalsh(system.hessian(end))[0] > 0


def test_the_dense_search_stays_where_the_iterative_one_ended(found, monkeypatch):
    system, _, _, result = found
    for module in ("minimisation", "transition_states"):
        monkeypatch.setattr(f"thalweg.optimizers.{module}.LARGEST_MATRIX", 10_000)
    row = int(np.flatnonzero(result.converged)[0])
    again = find_transition_states(system, result.x[row], rms=1e-8, threads=1)
    assert again.converged[0]
    assert again.energy[0] == pytest.approx(result.energy[row], abs=1e-12)
    assert again.lowest_eigenvalue[0] == pytest.approx(result.lowest_eigenvalue[row], rel=0.02)
    np.testing.assert_allclose(np.sort(again.minima_energy[0]), np.sort(result.minima_energy[row]), atol=1e-9)


def test_a_search_hangs_on_its_start_alone(found):
    system, _, starts, result = found
    alone = find_transition_states(system, starts[1], rms=1e-8, threads=2)
    np.testing.assert_array_equal(alone.x[0], result.x[1])
    # known energies save both sides
    row = int(np.flatnonzero(result.converged)[0])
    arrived = find_transition_states(system, starts[row], rms=1e-8, known=result.energy[row], known_within=1e-7)
    assert arrived.reason == [Status.KNOWN.reason]
    assert np.isnan(arrived.minima_energy).all()


def test_from_the_very_minimum(found):
    system, x, _, _ = found
    result = find_transition_states(system, x, rms=1e-8)
    assert result.converged[0], result.reason


def test_null_modes_of_a_loss_stay_untouched():
    loss = network(l2_biases=False)
    system = as_system(Weights.random(loss, seed=0))
    assert len(system.null_modes(system.x)) == 1
    result = minimise(system, system.random(np.random.default_rng(1)), rms=1e-8, second_order=True)
    assert result.converged[0], result.reason
    values = np.linalg.eigvalsh(system.hessian(result.x[0]))
    values = np.delete(values, np.argmin(np.abs(values)))
    assert result.lowest_eigenvalue[0] == pytest.approx(values[0], rel=0.02)


def test_workers_do_not_change_a_landscape():
    def explored(workers):
        with Landscape(Weights.random(network(), seed=0), MemoryStore(), seed=0) as landscape:
            landscape.find_minima(3, workers=workers, progress=False)
            landscape.connect(3, workers=workers, progress=False)
            assert len(landscape.transition_states)
            if workers == 1:
                assert verify(landscape, workers=1) == []
            return landscape.minima.coordinates[:], landscape.transition_states.coordinates[:]

    one, two = explored(1), explored(2)
    np.testing.assert_array_equal(one[0], two[0])
    np.testing.assert_array_equal(one[1], two[1])


class Wells(FlatCalculator):
    """Sum of 600 double wells coupled to their neighbours, written in Python, with a fault if asked for."""

    def __init__(self, fault=None):
        super().__init__()
        self.fault, self.calls = fault, 0

    def energy_gradient(self, x):
        if self.fault == "nan" and np.abs(x).max() < 0.9:
            return np.nan, np.full_like(x, np.nan)
        turned = np.roll(x, 1)
        energy = np.sum(0.25 * (x**2 - 1) ** 2 + 0.05 * (x - turned) ** 2)
        gradient = x * (x**2 - 1) + 0.1 * (x - turned) - 0.1 * (np.roll(x, -1) - x)
        if self.fault == "kink":
            return energy + 0.5 * np.abs(x[0]), gradient + 0.5 * np.sign(x[0]) * (np.arange(x.size) == 0)
        return float(energy), gradient

    def hessian_vector(self, x, v):
        if self.fault == "raises":
            raise ZeroDivisionError("no product today")
        product = (3 * x**2 - 1) * v + 0.1 * (2 * v - np.roll(v, 1) - np.roll(v, -1))
        return 3.0 * product if self.fault == "wrong" else product


def wells(fault=None):
    return as_system(Point(np.ones(600), Wells(fault)))


def one_flipped(size=-0.1):
    x = np.ones(600)
    x[7] = size
    return x


def test_a_potential_of_python_with_products():
    result = find_transition_states(wells(), one_flipped(), rms=1e-8)
    assert result.converged[0], result.reason
    # next to the other wells at +1, the one between them stands near zero
    assert abs(result.x[0, 7]) < 0.3
    assert np.sort(result.minima[0, :, 7]) == pytest.approx([-0.8, 1.0], abs=0.2)


def test_gradients_alone_will_do():
    own = Wells()
    plain = Function(lambda x: own.energy_gradient(x)[0], lambda x: own.energy_gradient(x)[1])
    result = find_transition_states(as_system(Point(np.ones(600), plain)), one_flipped(), rms=1e-8)
    with_products = find_transition_states(wells(), one_flipped(), rms=1e-8)
    assert result.converged[0], result.reason
    assert result.energy[0] == pytest.approx(with_products.energy[0], abs=1e-9)


def test_wrong_products_prove_nothing():
    result = minimise(wells("wrong"), 0.9 * np.ones(600), rms=1e-8, second_order=True)
    assert result.reason == [Status.WRONG_PRODUCTS.reason]


def test_a_product_that_raises_is_raised(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ZeroDivisionError, match="no product today"):
        find_transition_states(wells("raises"), one_flipped(), rms=1e-8)
    with Landscape(Point(np.ones(600), Wells("raises")), MemoryStore()) as landscape:
        with pytest.raises(CalculationsFailedError, match="ZeroDivisionError"):
            landscape.find_minima(2, progress=False, failures=2)
        assert landscape.searches.count() == {"function raised ZeroDivisionError": 2}
    assert {path.name for path in tmp_path.iterdir()} == {"landscape.failed.txt"}


def test_nan_on_the_way_is_a_failure_with_its_reason():
    result = find_transition_states(wells("nan"), np.zeros(600), rms=1e-8)
    assert result.reason == ["energy or gradient not finite"]


def test_no_slope_at_all():
    """A start where the gradient vanishes: every well on its top, 600 negative eigenvalues."""
    found = ascend(wells(), np.zeros(600), np.zeros(600), rms=1e-8)
    assert found.status == Status.WRONG_INDEX
    flat = as_system(Point(np.ones(600), Function(lambda x: 0.0, lambda x: np.zeros_like(x))))
    assert minimise(flat, np.ones(600), second_order=True).reason == [Status.ZERO_MODE.reason]


def test_kinks_are_named():
    x = one_flipped()
    x[0] = 0.05
    result = minimise(wells("kink"), 0.0 * x, rms=1e-10, second_order=True, steps=500)
    assert not result.converged[0]
    assert result.reason == [Status.KINK.reason]
