"""LJAT against direct sums, differences and published energies."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from ase import Atoms
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from thalweg.potentials import LJAT, as_system

PAIR_MINIMUM = 2 ** (1 / 6)


def direct_energy(x, Z):
    """The formula of the paper, term by term."""
    atoms = x.reshape(-1, 3)
    energy = 0.0
    for i, j in combinations(range(len(atoms)), 2):
        r = np.linalg.norm(atoms[i] - atoms[j])
        energy += 4 * (r**-12 - r**-6)
    for triple in combinations(range(len(atoms)), 3):
        cosines, lengths = 1.0, 1.0
        for corner in range(3):
            i, j, k = np.roll(triple, corner)
            u, v = atoms[j] - atoms[i], atoms[k] - atoms[i]
            cosines *= u @ v / np.linalg.norm(u) / np.linalg.norm(v)
            lengths *= np.linalg.norm(u)
        energy += Z * (1 + 3 * cosines) / lengths**3
    return energy


def shaken(n, seed):
    """Atoms on a cubic grid, shaken: nothing overlaps."""
    rng = np.random.default_rng(seed)
    side = int(np.ceil(n ** (1 / 3)))
    grid = np.array([(i, j, k) for i in range(side) for j in range(side) for k in range(side)], dtype=float)
    return (1.1 * grid[:n] + 0.06 * rng.normal(size=(n, 3))).ravel()


def quench(calculator, x):
    options = {"maxiter": 20000, "maxfun": 20000, "ftol": 0, "gtol": 1e-10, "maxcor": 50}
    return minimize(calculator.energy_gradient, x, jac=True, method="L-BFGS-B", options=options)


@settings(max_examples=40, deadline=None)
@given(n=st.integers(2, 14), Z=st.sampled_from([0.0, 2.0, -1.3]), seed=st.integers(0, 10**6))
def test_energy_and_derivatives(n, Z, seed):
    x, calculator = shaken(n, seed), LJAT(Z=Z)
    energy, gradient = calculator.energy_gradient(x)
    assert energy == pytest.approx(direct_energy(x, Z), rel=1e-11, abs=1e-11)
    hessian = calculator.hessian(x)
    assert np.array_equal(hessian, hessian.T)
    v = np.random.default_rng(seed).normal(size=x.size)
    v /= np.linalg.norm(v)
    h = 1e-4
    slope = [direct_energy(x + k * h * v, Z) for k in (-2, -1, 1, 2)] @ np.array([1, -8, 8, -1]) / (12 * h)
    assert gradient @ v == pytest.approx(slope, abs=1e-8 * np.linalg.norm(gradient) + 1e-9)
    bend = np.array([1, -8, 8, -1]) @ [calculator.energy_gradient(x + k * h * v)[1] for k in (-2, -1, 1, 2)] / (12 * h)
    np.testing.assert_allclose(hessian @ v, bend, atol=1e-8 * np.abs(hessian).max())


@pytest.mark.parametrize("n", [2, 3, 7, 8, 9, 11, 12, 13, 38])
def test_every_number_of_atoms_fills_the_lanes(n):
    x = shaken(n, n)
    atoms = x.reshape(-1, 3)
    d = atoms[:, None] - atoms
    r2 = (d**2).sum(axis=2) + np.diag(np.full(n, np.inf))
    energy, gradient = LJAT(Z=0.0).energy_gradient(x)
    assert energy == pytest.approx(2 * (r2**-6.0 - r2**-3.0).sum(), rel=1e-12)
    expected = ((24 * r2**-4.0 - 48 * r2**-7.0)[:, :, None] * d).sum(axis=1)
    np.testing.assert_allclose(gradient.reshape(-1, 3), expected, atol=1e-11 * np.abs(expected).max())


@pytest.mark.parametrize("n", [3, 9])
def test_three_body_energy_is_linear_in_its_strength(n):
    x = shaken(n, 5)
    values = [LJAT(Z=Z).energy_gradient(x) for Z in (0.0, 1.0, 2.0)]
    assert values[2][0] - values[1][0] == pytest.approx(values[1][0] - values[0][0], abs=1e-11)
    np.testing.assert_allclose(values[2][1] - values[1][1], values[1][1] - values[0][1], atol=1e-10)
    hessians = [LJAT(Z=Z).hessian(x) for Z in (0.0, 1.0, 2.0)]
    np.testing.assert_allclose(hessians[2] - hessians[1], hessians[1] - hessians[0], atol=1e-9)


@pytest.mark.parametrize(
    ("sides", "energy", "modes", "negative"),
    [
        ((1.10876, 1.10876, 2.21753), -2.2190981697, 5, 0),
        ((1.16875, 1.16875, 1.16875), -2.1850988403, 6, 0),
        ((1.13096, 1.13096, 1.55308), -1.98506966, 6, 1),
    ],
)
def test_published_stationary_points_of_three_atoms(sides, energy, modes, negative):
    half = min(sides[2] / 2, sides[0])
    height = np.sqrt(max(sides[0] ** 2 - half**2, 0.0))
    x, calculator = np.array([-half, 0, 0, half, 0, 0, 0, height, 0]), LJAT(Z=2.0)
    for _ in range(20):  # Newton's method without the null modes
        values, vectors = np.linalg.eigh(calculator.hessian(x))
        use = np.abs(values) > 1e-2
        x = x - vectors[:, use] @ (vectors[:, use].T @ calculator.energy_gradient(x)[1] / values[use])
    assert calculator.energy(x) == pytest.approx(energy, abs=5e-9)
    found = np.linalg.norm(x.reshape(-1, 3)[[0, 1, 0]] - x.reshape(-1, 3)[[2, 2, 1]], axis=1)
    np.testing.assert_allclose(found, sides, atol=1e-5)
    assert (~use).sum() == modes
    assert (values < -1e-2).sum() == negative
    system = as_system(Atoms("Ar3", positions=x.reshape(-1, 3), calculator=calculator))
    assert len(system.null_modes(x)) == modes


def seven():
    angles = 2 * np.pi * np.arange(5) / 5
    ring = np.c_[np.cos(angles), np.sin(angles), 0 * angles]
    return np.vstack([ring, [[0, 0, 0.6], [0, 0, -0.6]]])


def thirteen():
    golden = (1 + 5**0.5) / 2
    corners = [np.roll((0, a, b * golden), turn) for a in (-1, 1) for b in (-1, 1) for turn in range(3)]
    return np.vstack([[[0, 0, 0]], corners]) / 1.8


def thirty_eight():
    grid = np.array([p for p in np.ndindex(9, 9, 9) if (sum(p) - 12) % 2]) - 4
    return grid[np.argsort((grid**2).sum(axis=1), kind="stable")][:38] / np.sqrt(2)


@pytest.mark.parametrize(
    ("atoms", "energy", "order"),
    [(seven(), -16.505384, 20), (thirteen(), -44.326801, 120), (thirty_eight(), -173.928427, 48)],
)
def test_published_global_minima(atoms, energy, order):
    calculator = LJAT(Z=0.0)
    result = quench(calculator, PAIR_MINIMUM * atoms.ravel())
    assert result.fun == pytest.approx(energy, abs=1e-6)
    assert np.linalg.norm(result.jac) < 1e-5
    values = np.linalg.eigvalsh(calculator.hessian(result.x))
    assert (np.abs(values) < 1e-3).sum() == 6
    assert (values < -1e-3).sum() == 0
    system = as_system(Atoms(f"Ar{len(atoms)}", positions=result.x.reshape(-1, 3), calculator=calculator))
    assert system.order(result.x) == order


@pytest.mark.parametrize("n", [2, 3, 7, 8, 13])
@pytest.mark.parametrize("Z", [0.0, 2.0])
def test_overlapping_atoms_are_not_finite(n, Z):
    x, calculator = shaken(n, 1), LJAT(Z=Z)
    x[3:6] = x[:3]
    assert not np.isfinite(calculator.energy(x))
    calculator.hessian(x)
    x[0] = np.nan
    assert np.isnan(calculator.energy(x))
    assert np.isnan(calculator.energy_gradient(x)[1]).any()


@pytest.mark.parametrize("n", [3, 8, 10])
def test_atoms_far_apart_are_free(n):
    x = 1e7 * shaken(n, 2)
    energy, gradient = LJAT(Z=2.0).energy_gradient(x)
    assert abs(energy) < 1e-20
    assert np.abs(gradient).max() < 1e-20


def test_batches_and_ase():
    X = np.stack([shaken(13, seed) for seed in range(9)])
    calculator = LJAT(Z=2.0)
    energies, gradients = calculator.energies_gradients(X, threads=2)
    for x, energy, gradient in zip(X, energies, gradients, strict=True):
        atoms = Atoms("Ar13", positions=x.reshape(-1, 3), calculator=LJAT(Z=2.0))
        assert atoms.get_potential_energy() == energy
        assert np.array_equal(atoms.get_forces().ravel(), -gradient)
    assert LJAT(**{key: value for key, value in calculator.describe().items() if key != "name"}).parameters["Z"] == 2.0


def test_strength_can_be_set():
    calculator = LJAT()
    assert calculator.parameters["Z"] == 2.0
    x = shaken(4, 0)
    calculator.set(Z=0)
    assert calculator.energy(x) == LJAT(Z=0.0).energy(x)
    assert repr(calculator) == "LJAT(Z=0.0)"


def test_random_coordinates_fill_a_ball():
    rng = np.random.default_rng(0)
    atoms = np.concatenate([LJAT().random_coordinates(39, rng).reshape(-1, 3) for _ in range(500)])
    distances = np.linalg.norm(atoms, axis=1)
    radius = PAIR_MINIMUM * (1 + (3 * 13 / (4 * np.pi * np.sqrt(2))) ** (1 / 3))
    assert 0.99 * radius < distances.max() <= radius
    assert np.mean(distances < radius / 2) == pytest.approx(1 / 8, abs=0.02)
    assert np.abs(atoms.mean(axis=0)).max() < 0.1


@pytest.mark.parametrize("shape", [(3,), (7,), (0,)])
def test_wrong_lengths_are_refused(shape):
    with pytest.raises(ValueError, match="at least 2 atoms"):
        LJAT().energy(np.zeros(shape))


@pytest.mark.parametrize(
    ("parameters", "error", "match"),
    [
        ({"Z": np.inf}, ValueError, "Z must be finite"),
        ({"Z": "two"}, TypeError, "Z must be a number"),
        ({"z": 2.0}, TypeError, "no parameter z"),
    ],
)
def test_wrong_parameters_are_refused(parameters, error, match):
    with pytest.raises(error, match=match):
        LJAT(**parameters)


def test_periodic_cells_are_refused():
    atoms = Atoms("Ar2", positions=[[0, 0, 0], [1.1, 0, 0]], cell=[5, 5, 5], pbc=True, calculator=LJAT())
    with pytest.raises(ValueError, match="no periodic images"):
        atoms.get_potential_energy()
    with pytest.raises(ValueError, match="no periodic images"):
        as_system(atoms)
