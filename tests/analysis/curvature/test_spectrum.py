"""Spectra of Hessians against numpy's eigenvalues, and sharpness against its definitions."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

import thalweg.analysis.curvature.sharpness as sharpness
from thalweg.analysis import hessian_spectrum, keep_sharpness, rank_correlations, sharpness_table
from thalweg.analysis.curvature.quadrature import lanczos_quadrature
from thalweg.landscapes import Landscape
from thalweg.potentials import LJAT, NetworkLoss, Weights, as_system


@pytest.fixture(scope="module")
def weights():
    rng = np.random.default_rng(0)
    loss = NetworkLoss(rng.normal(size=(60, 4)), rng.integers(0, 3, 60), hidden=(8, 6), l2=1e-2)
    return Weights.random(loss, seed=1)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 12), st.integers(0, 1000))
def test_quadrature_of_all_steps_has_the_moments_of_the_matrix(n, seed):
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(n, n))
    matrix += matrix.T
    start = rng.normal(size=n)
    found = lanczos_quadrature(lambda v: matrix @ v, start, 2 * n)
    unit = start / np.linalg.norm(start)
    for power in range(4):
        expected = unit @ np.linalg.matrix_power(matrix, power) @ unit
        assert found.weights @ found.nodes**power == pytest.approx(expected, abs=1e-8 * (1 + abs(expected)))


def test_an_invariant_space_ends_the_steps():
    found = lanczos_quadrature(lambda v: 3.0 * v, np.ones(5), 5)
    np.testing.assert_allclose(found.nodes, [3.0])


def test_exact_spectra_are_numpys(weights):
    spectrum = hessian_spectrum(weights)
    values = np.linalg.eigvalsh(weights.calc.hessian(weights.x))
    np.testing.assert_allclose(spectrum.eigenvalues, values)
    assert spectrum.trace == pytest.approx(np.trace(weights.calc.hessian(weights.x)))
    assert spectrum.count_below(values[10] + 1e-9) == pytest.approx(11)
    grid, density = spectrum.density()
    assert np.trapezoid(density, grid) == pytest.approx(1.0, abs=1e-3)


def test_estimates_agree_with_all_eigenvalues(weights):
    exact = hessian_spectrum(weights)
    estimate = hessian_spectrum(weights, exact=False, probes=40, steps=60, extreme=3)
    np.testing.assert_allclose(estimate.lowest, exact.eigenvalues[:3], rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(estimate.highest, exact.eigenvalues[-3:], rtol=1e-5)
    assert abs(estimate.trace - exact.trace) < 5 * estimate.trace_error
    assert 0 < estimate.trace_error < 0.2 * abs(exact.trace)
    middle = float(exact.eigenvalues.mean())
    assert estimate.count_below(middle) == pytest.approx(exact.count_below(middle), abs=0.1 * exact.n)
    at, ours = estimate.density(width=0.05)
    np.testing.assert_allclose(ours, exact.density(at, width=0.05)[1], atol=0.1 * ours.max())
    again = hessian_spectrum(weights, exact=False, probes=40, steps=60, extreme=3)
    np.testing.assert_array_equal(again.lowest, estimate.lowest)
    assert again.trace == estimate.trace


def test_fixed_coordinates_are_left_out():
    rng = np.random.default_rng(0)
    loss = NetworkLoss(rng.normal(size=(20, 3)), rng.integers(0, 2, 20), hidden=(4,), l2=1e-2, neighbours=2)
    weights = Weights.random(loss)
    assert hessian_spectrum(weights).n == int(loss.mask.sum()) < loss.n_weights
    atoms = Atoms("Ar3", [[0, 0, 0], [1.12, 0, 0], [0.56, 0.97, 0]], calculator=LJAT(Z=0.0))
    values = hessian_spectrum(atoms).eigenvalues
    assert (np.abs(values) > 1).sum() == 3  # six of nine are null modes


@pytest.mark.parametrize(
    ("arguments", "said"),
    [({"probes": 0}, "probes must be"), ({"steps": 1.5}, "steps must be"), ({"x": [1.0]}, "x must have")],
)
def test_wrong_arguments(weights, arguments, said):
    with pytest.raises(ValueError, match=said):
        hessian_spectrum(weights, **arguments)
    with pytest.raises(ValueError, match="width must be positive"):
        hessian_spectrum(weights).density(width=0.0)


def test_pictures_have_axes_in_and_out(weights):
    from matplotlib.figure import Figure

    ax = Figure().add_subplot()
    assert hessian_spectrum(weights).plot(ax) is ax
    assert len(hessian_spectrum(weights, exact=False).plot().lines) == 1


@pytest.fixture(scope="module")
def landscape(weights, tmp_path_factory):
    with Landscape(weights, tmp_path_factory.mktemp("sharp") / "x.zarr", seed=0) as made:
        made.find_minima(30, workers=1, progress=False)
        yield made


def test_sharpness_by_its_definitions(landscape):
    table = sharpness_table(landscape, rows=[0, 1])
    for row in (0, 1):
        x = landscape.minima.coordinates[row]
        hessian = landscape.system.hessian(x)
        assert table["largest_eigenvalue"][row] == pytest.approx(np.linalg.eigvalsh(hessian)[-1])
        assert table["hessian_trace"][row] == pytest.approx(np.trace(hessian))
        assert table["scaled_trace"][row] == pytest.approx(np.trace(hessian * np.outer(x, x)))
        assert table["squared_norm"][row] == pytest.approx(x @ x)


def test_large_systems_are_estimated(landscape, monkeypatch):
    exact = sharpness_table(landscape, rows=[0])
    monkeypatch.setattr(sharpness, "LARGEST_EXACT", 10)
    estimate = sharpness_table(landscape, rows=[0], probes=400)
    assert estimate["largest_eigenvalue"] == pytest.approx(exact["largest_eigenvalue"], rel=1e-3)
    for name in ("hessian_trace", "scaled_trace"):
        assert estimate[name] == pytest.approx(exact[name], rel=0.15)


def test_kept_sharpness_and_its_rank_correlations(landscape):
    assert keep_sharpness(landscape, workers=1) == len(landscape.minima)
    assert keep_sharpness(landscape, workers=1) == 0
    found = rank_correlations(landscape, "hessian_trace")
    expected = spearmanr(landscape.properties["hessian_trace"], landscape.minima.energy[:])
    assert found["energy"].rho == pytest.approx(expected.statistic)
    assert found["energy"].pvalue == pytest.approx(expected.pvalue)
    assert found["energy"].minima == len(landscape.minima)
    assert "hessian_trace" not in found
    with pytest.raises(KeyError, match="there is no property 'sharp'; there are energy"):
        rank_correlations(landscape, "sharp")


def test_hessian_of_a_system_without_products():
    atoms = Atoms("Ar4", np.random.default_rng(0).normal(size=(4, 3)) * 2, calculator=LJAT(Z=0.0))
    system = as_system(atoms)
    estimate = hessian_spectrum(system, exact=False, probes=3, steps=12, extreme=2)
    values = np.linalg.eigvalsh(system.hessian(system.x))
    np.testing.assert_allclose(estimate.highest, values[-2:], rtol=1e-4)
