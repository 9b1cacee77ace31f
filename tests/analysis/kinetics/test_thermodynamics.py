"""Harmonic superposition against sums written out, derivatives, numerical integrals and published figures."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import simpson

from thalweg.analysis import KineticTransitionNetwork, Thermodynamics, moments_of_inertia
from thalweg.landscapes import Landscape
from thalweg.potentials import LJAT


def wells(seed: int, n: int = 6) -> KineticTransitionNetwork:
    rng = np.random.default_rng(seed)
    return KineticTransitionNetwork(
        rng.normal(size=n) - 50,
        [],
        [],
        log_eigenvalue_product=800 + 3 * rng.normal(size=n),
        modes=np.full(n, 33),
        symmetry_order=rng.integers(1, 120, n),
    )


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.floats(0.05, 3.0))
def test_sums_and_derivatives(seed, t):
    """Occupation by the plain sum; U, S, Cv are the derivatives of F."""
    network = wells(seed)
    energy, orders = network.energies, network.symmetry_order
    weights = np.exp(-(energy - energy.min()) / t - (network.log_eigenvalue_product - 800) / 2) / orders
    step = 1e-4 * t
    found = network.thermodynamics([t - step, t, t + step])
    np.testing.assert_allclose(found.occupation[1], weights / weights.sum(), rtol=1e-12)
    f = found.free_energy
    expected = -t * (33 * np.log(t) - 400 + np.log(weights.sum()) - energy.min() / t)
    assert f[1] == pytest.approx(expected, rel=1e-12)
    assert found.entropy[1] == pytest.approx(-(f[2] - f[0]) / (2 * step), rel=1e-5, abs=1e-5)
    assert found.energy[1] == pytest.approx(f[1] + t * found.entropy[1], rel=1e-12)
    slope = (found.energy[2] - found.energy[0]) / (2 * step)
    assert found.heat_capacity[1] == pytest.approx(slope, rel=1e-5)
    change = (found.occupation[2] - found.occupation[0]) / (2 * step)
    np.testing.assert_allclose(found.contributions(t), change, rtol=1e-4, atol=1e-7)
    assert found.contributions(t).sum() == pytest.approx(0.0, abs=1e-12)


def test_peak_of_two_levels():
    """Schottky: n wells above one by 1; the maximum of (x / 2)^2 / cosh^2(x / 2 - ln(n) / 2), x = 1 / T."""
    network = KineticTransitionNetwork([0, 1], [], [], log_eigenvalue_product=[0, -2 * np.log(1000)], modes=[0, 0])
    found = network.thermodynamics(np.linspace(0.02, 1, 300))
    x = 1 / np.linspace(0.1, 0.2, 1_000_001)
    curve = (x / 2) ** 2 / np.cosh(x / 2 - np.log(1000) / 2) ** 2
    (peak,) = found.peaks()
    assert peak == pytest.approx(1 / x[curve.argmax()], abs=1e-6)
    assert network.thermodynamics(peak).heat_capacity[0] == pytest.approx(curve.max(), rel=1e-10)


def test_nothing_overflows_at_low_temperature():
    found = wells(1).thermodynamics([1e-6])
    assert found.occupation.max() == 1.0
    assert found.heat_capacity[0] == pytest.approx(33)
    assert np.isfinite([found.energy, found.free_energy, found.entropy]).all()


def test_lj38_solid_solid_transition(shared):
    """fcc to icosahedral: Doye, Wales, Miller (J. Chem. Phys. 109 (1998) 8143) find it near T = 0.12."""
    network = KineticTransitionNetwork.from_pathsample(shared / "data" / "networks" / "lj38_64")
    found = network.thermodynamics(np.linspace(0.02, 0.4, 200))
    peak = found.peaks()[0]
    assert peak == pytest.approx(0.12, abs=0.005)
    change = found.contributions(peak)
    assert change.argmin() == network.global_minimum  # the truncated octahedron empties, icosahedra fill


@pytest.fixture(scope="module")
def ljat3(tmp_path_factory):
    """LJAT3's own landscape: one linear and one equilateral minimum."""
    path = tmp_path_factory.mktemp("landscape") / "ljat3.zarr"
    atoms = Atoms("Ar3", positions=[[0, 0, 0], [1.1, 0, 0], [0.4, 1, 0]], calculator=LJAT(Z=2.0))
    with Landscape(atoms, path, seed=0) as landscape:
        landscape.find_minima(steps=20)
        landscape.connect(searches=20)
    return KineticTransitionNetwork.read(path)


def _energy(a, b, angle):
    """LJAT3, Z = 2, from two distances and the angle between them: the direct sum of science.md."""
    c = np.sqrt(a**2 + b**2 - 2 * a * b * np.cos(angle))
    pair = sum(4 * (r**-12 - r**-6) for r in (a, b, c))
    cosines = ((a**2 + b**2 - c**2) * (a**2 + c**2 - b**2) * (b**2 + c**2 - a**2)) / (8 * a**2 * b**2 * c**2)
    return pair + 2 * (1 + 3 * cosines) / (a * b * c) ** 3


def _integral(t, lowest, distance, angles):
    """Configuration integral of one labelled well: r^2 r'^2 sin(angle) exp(-(E - lowest) / T), Simpson's rule."""
    width = 8 * np.sqrt(t / 60)
    r = distance + np.linspace(-width, width, 121)
    grid = np.meshgrid(r, r, angles, indexing="ij")
    values = grid[0] ** 2 * grid[1] ** 2 * np.sin(grid[2]) * np.exp(-(_energy(*grid) - lowest) / t)
    return simpson(simpson(simpson(values, angles, axis=2), r, axis=1), r, axis=0)


def test_ljat3_against_numerical_integration(ljat3):
    """The ratio of the two minima's partition functions, extrapolated to T = 0 where wells are harmonic.

    Three labelled linear wells, atom 0, 1 or 2 in the middle, and one equilateral: the factor between 4 and 3
    vibrations, rotation and symmetry orders all enter.
    """
    linear, triangle = np.argsort(ljat3.energies)
    deviations = []
    for t in (0.0005, 0.001, 0.002):
        bend = 14 * np.sqrt(t / 2)  # the linear minimum bends easily
        straight = _integral(t, ljat3.energies[linear], 1.10876, np.linspace(np.pi - bend, np.pi, 161))
        bent = _integral(t, ljat3.energies[triangle], 1.16875, np.pi / 3 + np.linspace(-bend, bend, 161) / 4)
        gap = (ljat3.energies[linear] - ljat3.energies[triangle]) / t
        numerical = np.log(3 * straight / bent) - gap
        occupation = np.log(ljat3.thermodynamics([t]).occupation[0])
        deviations.append(numerical - (occupation[linear] - occupation[triangle]))
    assert np.abs(deviations).max() < 0.02
    extrapolated = (8 * deviations[0] - 6 * deviations[1] + deviations[2]) / 3
    assert abs(extrapolated) < 2e-4


def test_ljat3_rates_have_rotational_factors(ljat3):
    """Both rates written out: k = (T / 2 pi) Z_t / Z_i, rigid rotors and harmonic oscillators."""
    t, pi = 0.02, np.pi
    linear, triangle = np.argsort(ljat3.energies)
    moments, ts_moments = ljat3.properties["moments_of_inertia"], ljat3.ts_properties["moments_of_inertia"]
    rotor = np.sqrt(8 * pi * t**3 * ts_moments[0].prod()) / ljat3.ts_symmetry_order[0]
    top = t**3 / (2 * pi) * np.exp(-ljat3.ts_log_eigenvalue_product[0] / 2) * rotor
    bottoms = {
        linear: t**4 * (t * moments[linear][2]) / 2,  # sigma = 2, half of 2 T I: mirror images are the same
        triangle: t**3 * np.sqrt(8 * pi * t**3 * moments[triangle].prod()) / 12,
    }
    kinetics = ljat3.kinetics(temperature=t)
    for i, j in ((linear, triangle), (triangle, linear)):
        vibrations = np.exp(-ljat3.log_eigenvalue_product[i] / 2)
        expected = top / (bottoms[i] * vibrations) * np.exp(-(ljat3.ts_energies[0] - ljat3.energies[i]) / t)
        assert kinetics.rate_constant(source=i, target=j) == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(kinetics.populations, ljat3.thermodynamics([t]).occupation[0], rtol=1e-12)
    u = ljat3.thermodynamics([t - 1e-6, t, t + 1e-6])
    assert u.heat_capacity[1] == pytest.approx((u.energy[2] - u.energy[0]) / 2e-6, rel=1e-4)


def test_moments_of_inertia_of_known_bodies():
    square = np.array([[1, 0, 0], [0, 1, 0], [-1, 0, 0], [0, -1, 0]], dtype=float)
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    both = np.stack([square.ravel(), (square @ turn.T + 5).ravel()])
    np.testing.assert_allclose(moments_of_inertia(both), [[2, 2, 4], [2, 2, 4]], rtol=1e-12)


WRONG = [
    ({}, [0.0], r"temperatures\[0\] is 0"),
    ({}, [1.0, -2.0], r"temperatures\[1\] is -2"),
    ({}, [np.nan], r"temperatures\[0\] is nan"),
    ({"log_eigenvalue_product": None}, [1.0], "no log_eigenvalue_product"),
    ({"log_eigenvalue_product": [np.nan, 0.0]}, [1.0], r"log_eigenvalue_product\[0\] is nan"),
    ({"modes": [3, 4]}, [1.0], "no 'moments_of_inertia'"),
]


@pytest.mark.parametrize(("change", "temperatures", "message"), WRONG)
def test_bad_input_is_named(change, temperatures, message):
    network = KineticTransitionNetwork([0.0, 1.0], [], [], **({"log_eigenvalue_product": [0.0, 0.0]} | change))
    with pytest.raises(ValueError, match=message):
        network.thermodynamics(temperatures)


def test_empty_and_unordered():
    with pytest.raises(ValueError, match="no minima"):
        Thermodynamics(KineticTransitionNetwork([], [], [], log_eigenvalue_product=[]), [1.0])
    with pytest.raises(ValueError, match="must rise"):
        wells(0).thermodynamics([2.0, 1.0, 0.5]).peaks()
    assert repr(wells(0).thermodynamics([1.0])) == "<Thermodynamics: 6 minima, 1 temperatures>"
