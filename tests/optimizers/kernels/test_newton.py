"""Minimisations to second order by Cholesky factors: proofs against numpy's eigenvalues, and the factors themselves."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize as scipy_minimise

from thalweg.optimizers import find_transition_states, large_systems, minimise
from thalweg.optimizers.kernels.arguments import STATIONARY_POINT
from thalweg.optimizers.kernels.cholesky import factor, log_determinant, lowest_of_factor, solve
from thalweg.optimizers.kernels.searches import minimum_rows, quench_rows
from thalweg.optimizers.kernels.status import Status
from thalweg.optimizers.minimisation import minimum_search
from thalweg.optimizers.rules import default_rules
from thalweg.potentials import Function, NetworkLoss, Point, Weights, as_system

from ..surfaces import cluster, difference_hessian, small_loss


def symmetric(values, seed=0):
    """A matrix of given eigenvalues."""
    q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(len(values), len(values))))
    return (q * values) @ q.T


@pytest.mark.parametrize("m", [1, 2, 3, 4, 5, 8, 39, 74])
def test_factor_is_numpys(m):
    matrix = symmetric(np.geomspace(1e-3, 1e3, m))
    u = matrix.copy()
    assert factor(u)
    np.testing.assert_allclose(np.triu(u), np.linalg.cholesky(matrix).T, atol=1e-10)
    values = np.linalg.eigvalsh(matrix)
    assert log_determinant(u) == pytest.approx(np.log(values).sum(), abs=1e-9)
    vector = np.empty(m)
    assert lowest_of_factor(u, 1e-5, vector) == pytest.approx(values[0], rel=1e-8)
    assert abs(vector @ np.linalg.eigh(matrix)[1][:, 0]) > 1 - 1e-8
    b = np.random.default_rng(1).normal(size=m)
    x = b.copy()
    solve(u, x)
    np.testing.assert_allclose(matrix @ x, b, atol=1e-7)


@pytest.mark.parametrize("lowest", [-1e-6, -1.0, np.nan])
def test_no_factor_without_positive_eigenvalues(lowest):
    values = np.linspace(1, 2, 10)
    values[3] = lowest
    assert not factor(symmetric(values))


def test_close_lowest_eigenvalues():
    values = np.concatenate([[1e-4, 1.0001e-4, 1.0001e-4], np.geomspace(2e-4, 10, 30)])
    u = symmetric(values, 4)
    assert factor(u)
    assert lowest_of_factor(u, 1e-5, np.empty(33)) == pytest.approx(1e-4, rel=1e-7)


def independent(system, x):
    """Eigenvalues of a Hessian by differences, rigid motions left out by their number."""
    free = len(system.null_modes(x))
    values = np.linalg.eigvalsh(difference_hessian(lambda y: system.energy_gradient(y)[1], x))
    return np.delete(values, np.argsort(np.abs(values))[:free])


@pytest.mark.parametrize("subject", [Weights.random(small_loss(), seed=0), cluster(7, 1), cluster(5, 2, Z=1.0)])
def test_every_minimum_is_one(subject):
    system, rng = as_system(subject), np.random.default_rng(2)
    result = minimise(system, np.array([system.random(rng) for _ in range(20)]), second_order=True)
    assert result.converged.sum() >= 18
    for row in np.flatnonzero(result.converged)[:8]:
        values = independent(system, result.x[row])
        assert result.modes[row] == len(values)
        assert result.lowest_eigenvalue[row] == pytest.approx(values[0], rel=1e-4, abs=1e-7)
        assert result.log_eigenvalue_product[row] == pytest.approx(np.log(values).sum(), abs=1e-3)
        assert np.sqrt(np.mean(system.energy_gradient(result.x[row])[1] ** 2)) < 1e-9


def test_a_saddle_is_no_minimum():
    """At the very saddle the gradient says converged; a proof leaves it, a quench without one stays."""
    double_well = Function(
        lambda x: (x[0] ** 2 - 1) ** 2 + x[1] ** 2, lambda x: np.array([4 * x[0] * (x[0] ** 2 - 1), 2 * x[1]])
    )
    system = as_system(Point([0.0, 0.0], double_well))
    result = minimise(system, [[0.0, 0.0]], second_order=True)
    assert result.converged[0]
    assert abs(result.x[0, 0]) == pytest.approx(1.0, abs=1e-8)
    x, found = np.zeros((1, 2)), np.empty(1, STATIONARY_POINT)
    quench_rows(minimum_search(system, 1e-9, default_rules(system), 100), x, found)
    assert found["status"][0] == Status.CONVERGED
    assert np.isnan(found["lowest_eigenvalue"][0])
    assert np.isnan(found["log_eigenvalue_product"][0])
    np.testing.assert_array_equal(x, 0.0)


def test_proof_of_a_quench_leaves_it_where_it_is():
    system = as_system(cluster(9, 5))
    X = np.array([system.random(np.random.default_rng(seed)) for seed in range(6)])
    found, proved = np.empty(6, STATIONARY_POINT), np.empty(6, STATIONARY_POINT)
    search = minimum_search(system, 1e-9, default_rules(system), 10_000)
    quench_rows(search, X, found)
    assert (found["status"] == Status.CONVERGED).all()
    before = X.copy()
    minimum_rows(search, X, proved)
    good = proved["steps"] <= 2
    assert good.sum() >= 5
    np.testing.assert_array_equal(X[good], before[good])
    assert (proved["lowest_eigenvalue"][good] > 0).all()


def test_neither_threads_nor_company_change_a_minimum():
    system = as_system(Weights.random(small_loss(), seed=0))
    X = np.array([system.random(np.random.default_rng(seed)) for seed in range(12)])
    one, two = minimise(system, X, second_order=True, threads=1), minimise(system, X, second_order=True, threads=2)
    alone = minimise(system, X[7], second_order=True)
    np.testing.assert_array_equal(one.x, two.x)
    np.testing.assert_array_equal(one.log_eigenvalue_product, two.log_eigenvalue_product)
    np.testing.assert_array_equal(one.x[7], alone.x[0])


def test_large_systems_go_without_matrices(monkeypatch):
    """The way of large systems on a small one: same minimum, same transition state, no Hessian asked for."""
    weights = Weights.random(small_loss(), seed=0)
    system = as_system(weights)
    x = system.random(np.random.default_rng(0))
    whole = minimise(system, x, second_order=True)
    start = whole.x + 0.3 * np.random.default_rng(1).normal(size=whole.x.shape)
    for module in ("minimisation", "transition_states"):
        monkeypatch.setattr(f"thalweg.optimizers.{module}.LARGEST_MATRIX", 10)
    monkeypatch.setattr(type(system), "hessian", lambda *_: pytest.fail("a Hessian was made"))
    without = minimise(system, whole.x + 1e-3, second_order=True)
    assert without.converged[0]
    assert without.energy[0] == pytest.approx(whole.energy[0], abs=1e-10)
    assert without.lowest_eigenvalue[0] == pytest.approx(whole.lowest_eigenvalue[0], rel=1e-3)
    assert np.isnan(without.log_eigenvalue_product[0])
    found = find_transition_states(system, start, rms=1e-8)
    assert found.converged[0], found.reason
    assert (found.minima_energy[0] < found.energy[0]).all()
    assert found.lowest_eigenvalue[0] < 0 < found.minima_lowest_eigenvalue[0].min()
    # from the very minimum too, where there is no slope to follow
    found = find_transition_states(system, whole.x, rms=1e-8)
    assert found.converged[0], found.reason
    assert found.lowest_eigenvalue[0] < 0 < found.minima_lowest_eigenvalue[0].min()
    assert large_systems.LARGEST_MATRIX == 500


@pytest.mark.parametrize(("data", "hidden", "alone"), [(40, 30, True), (40, 3, False), (20_000, 30, False)])
def test_a_dear_factor_only_proves_what_lbfgs_has_found(data, hidden, alone):
    """A factor of k weights takes k^3 / 3 multiplications, a step of LBFGS 6 N k and what its memory takes, 4 k^2."""
    rng = np.random.default_rng(0)
    inputs, labels = rng.normal(size=(data, 4)), rng.integers(0, 3, data)
    system = as_system(Weights.random(NetworkLoss(inputs, labels, (hidden,), l2=1e-2, n_classes=3), seed=0))
    search = minimum_search(system, 1e-9, default_rules(system), 10_000)
    assert (search.switch == 1e-9) == alone
    if data > 40:
        return
    result = minimise(system, [system.random(rng) for _ in range(3)], second_order=True, threads=1)
    assert result.converged.all()
    for x, lowest, product in zip(result.x, result.lowest_eigenvalue, result.log_eigenvalue_product, strict=True):
        values = np.linalg.eigvalsh(difference_hessian(lambda y: system.energy_gradient(y)[1], x))
        assert lowest == pytest.approx(values[0], rel=1e-4)
        assert product == pytest.approx(np.log(values).sum(), rel=1e-6)
        # nothing falls away from it: scipy ends where it starts
        end = scipy_minimise(system.energy_gradient, x + 1e-4 * rng.normal(size=x.size), jac=True, method="BFGS")
        assert end.fun == pytest.approx(system.energy(x), abs=1e-7)
