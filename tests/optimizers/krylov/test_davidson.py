"""Eigenpairs by Davidson's method and Newton's steps by conjugate gradients, against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import solve
from scipy.sparse.linalg import LinearOperator, eigsh, lobpcg

from thalweg.optimizers.krylov.curvature import Curvature, hessian_products
from thalweg.optimizers.krylov.davidson import lowest_pairs
from thalweg.optimizers.krylov.hessian_model import HessianModel
from thalweg.optimizers.krylov.proof import TOLERANCE, prove
from thalweg.optimizers.krylov.tangent_newton import tangent_newton
from thalweg.potentials import FlatCalculator, Function, NetworkLoss, Point, Weights, as_system


class Quadratic(FlatCalculator):
    """Energy 1/2 x H x, with products of H if wanted and null modes."""

    def __init__(self, matrix, null=None):
        super().__init__()
        self.matrix, self.null_modes = matrix, null

    def energy_gradient(self, x):
        return float(0.5 * x @ self.matrix @ x), self.matrix @ x

    def hessian_vector(self, x, v):
        return self.matrix @ v


def spectrum(kind, n=300):
    if kind == "loss":  # a few large ones, the rest near the L2 term
        return np.concatenate([np.geomspace(2.0, 5e-3, 40), 2e-3 + 1e-4 * np.linspace(0, 1, n - 40)])
    if kind == "saddle":
        return np.concatenate([[-3e-4, 2e-4], np.geomspace(1e-3, 2.0, n - 2)])
    return np.linspace(1.0, 2.0, n)


def curvature_of(values, seed=0, null=None):
    q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(len(values), len(values))))
    matrix = (q * values) @ q.T
    system = as_system(Point(np.zeros(len(values)), Quadratic(0.5 * (matrix + matrix.T), null)))
    return system, Curvature(system, system.x), q


@pytest.mark.parametrize("kind", ["loss", "saddle", "even"])
def test_lowest_pairs_are_those_of_eigsh_and_lobpcg(kind):
    values = spectrum(kind)
    system, curvature, _ = curvature_of(values)
    start = np.random.default_rng(1).normal(size=(2, len(values)))
    pairs = lowest_pairs(curvature, start, count=2, tolerance=1e-4, most=1000)
    operator = LinearOperator((len(values),) * 2, matvec=curvature, dtype=float)
    right = np.sort(eigsh(operator, k=2, which="SA", v0=start[0], tol=1e-10, ncv=80)[0])
    np.testing.assert_allclose(pairs.values, right, rtol=1e-4)
    if kind != "loss":  # whose lowest eigenvalues lobpcg does not tell apart
        blocks = np.sort(lobpcg(system.potential.matrix, start.T.copy(), largest=False, maxiter=3000, tol=1e-5)[0])
        np.testing.assert_allclose(pairs.values, blocks, rtol=1e-3)
    for value, vector, residual in zip(pairs.values, pairs.vectors, pairs.residuals, strict=True):
        assert np.linalg.norm(vector) == pytest.approx(1.0)
        assert np.linalg.norm(curvature(vector) - value * vector) == pytest.approx(residual, rel=1e-3, abs=1e-12)
        # the bound that the residual promises
        assert np.abs(values - value).min() <= residual + 1e-13


def test_a_model_saves_products():
    values = spectrum("loss", 1000)
    _, curvature, _ = curvature_of(values)
    start = np.random.default_rng(1).normal(size=(1, 1000))
    first = lowest_pairs(curvature, start, tolerance=1e-12, most=80, room=80)
    model = HessianModel.of(first.space, np.random.default_rng(2))
    other = np.random.default_rng(3).normal(size=(1, 1000))
    plain = lowest_pairs(curvature, other, tolerance=1e-2, most=400, room=400)
    helped = lowest_pairs(curvature, other, tolerance=1e-2, most=400, room=400, model=model)
    assert helped.residuals[0] <= 1e-2 * helped.values[0]
    assert helped.space.products < 0.7 * plain.space.products
    v = np.random.default_rng(4).normal(size=1000)
    whole = (model.vectors.T * (model.values - model.rest)) @ model.vectors + model.rest * np.eye(1000)
    np.testing.assert_allclose(model.solve(v, floor=0.0), np.linalg.solve(whole, v), rtol=1e-8)


def test_null_modes_are_left_out():
    values = np.concatenate([np.zeros(2), [1e-3, 2e-3], np.linspace(0.1, 1.0, 98)])
    q, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(102, 102)))
    system, curvature, _ = curvature_of(values, null=q[:, :2].T)
    proof = prove(system, curvature, system.x, 2)
    np.testing.assert_allclose(proof.values, [1e-3, 2e-3], rtol=TOLERANCE)
    assert np.abs(proof.vectors @ q[:, :2]).max() < 1e-8


@pytest.mark.parametrize("preconditioned", [False, True])
def test_steps_across_a_mode_are_newtons(preconditioned):
    values = spectrum("saddle", 120)
    system, curvature, q = curvature_of(values)
    mode, gradient = q[:, 0], np.random.default_rng(5).normal(size=120)
    model = None
    if preconditioned:
        space = lowest_pairs(curvature, gradient[None], tolerance=1e-12, most=60, room=60).space
        model = HessianModel.of(space, np.random.default_rng(0))
    how = {"tolerance": 1e-10, "most": 2000, "model": model}
    step = tangent_newton(curvature, gradient, mode, radius=1e9, **how)
    across = np.eye(120) - np.outer(mode, mode)
    right = -solve(across @ system.potential.matrix @ across + np.outer(mode, mode), across @ gradient)
    np.testing.assert_allclose(step.step, right, rtol=1e-5, atol=1e-5 * np.abs(right).max())
    assert not step.negative
    short = tangent_newton(curvature, gradient, mode, radius=1.0, **how)
    assert np.linalg.norm(short.step) == pytest.approx(1.0)
    # along the negative mode itself the step goes to the radius
    assert tangent_newton(curvature, gradient, q[:, 5], radius=1e6, **how).negative


def test_products_come_from_the_cheapest_source():
    """Own products, a Hessian made once, or differences of gradients; all are those of a numerical Hessian."""
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(12, 12))
    matrix = matrix + matrix.T
    energy, calls = (lambda x: float(0.5 * x @ matrix @ x + np.sum(x**4))), []
    given = Function(energy, lambda x: matrix @ x + 4 * x**3, lambda x: calls.append(0) or matrix + np.diag(12 * x**2))
    functions = [given, Function(energy, lambda x: matrix @ x + 4 * x**3), Function(energy)]
    x, v = rng.normal(size=12), rng.normal(size=12)
    for function, error in zip(functions, (1e-12, 1e-6, 1e-2), strict=True):
        product = hessian_products(as_system(Point(x, function)), x)
        for _ in range(3):
            np.testing.assert_allclose(product(v), matrix @ v + 12 * x**2 * v, atol=error)
    assert len(calls) == 1
    loss = NetworkLoss(rng.normal(size=(30, 4)), rng.integers(0, 3, 30), hidden=(4,))
    system = as_system(Weights.random(loss, seed=0))
    w = rng.normal(size=loss.n_weights)
    np.testing.assert_allclose(hessian_products(system, system.x)(w), loss.hessian(system.x) @ w, atol=1e-10)


class Quartic(Quadratic):
    """Energy 1/2 x H x plus a term of fourth order along the first coordinate, whose products may be wrong."""

    def __init__(self, matrix, fourth, factor=1.0):
        super().__init__(matrix)
        self.fourth, self.factor = fourth, factor

    def energy_gradient(self, x):
        energy, gradient = super().energy_gradient(x)
        gradient[0] += 4.0 * self.fourth * x[0] ** 3
        return energy + self.fourth * x[0] ** 4, gradient

    def hessian_vector(self, x, v):
        product = super().hessian_vector(x, v)
        product[0] += 12.0 * self.fourth * x[0] ** 2 * v[0]
        return self.factor * product


@pytest.mark.parametrize("factor", [1.0, 1.3])
def test_products_are_compared_with_gradients_where_curvature_changes_fast(factor):
    # at 0.001 along the lowest mode the slope of the gradient is 0.18 instead of 0.1, at 0.0001 it is 0.1008
    potential = Quartic(np.diag(np.linspace(0.1, 1.0, 40)), 2e4, factor)
    system = as_system(Point(np.zeros(40), potential))
    proof = prove(system, Curvature(system, system.x), system.x, 1)
    assert proof.values[0] == pytest.approx(0.1 * factor, rel=1e-6)
    assert proof.agree == (factor == 1.0)
