"""Gaussian processes predict what scikit-learn's do, and gradients that are those of their energies."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import fcc100, molecule
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from ase.constraints import FixAtoms, FixedLine
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime
from scipy.spatial.transform import Rotation
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern

from thalweg.optimizers.surrogate.descriptors import Descriptor, descriptor_of
from thalweg.optimizers.surrogate.gaussian_process import GaussianProcess, covariance
from thalweg.optimizers.surrogate.matern import INVERSE_DISTANCES, LINEAR
from thalweg.optimizers.surrogate.prediction import predicted_system
from thalweg.potentials import MuellerBrown, Point, as_system

PLANE = Descriptor(LINEAR, np.zeros((0, 2), dtype=np.int64), np.eye(2))


def learned(system, X, length=1.0, wall=None):
    """Return a process that knows energies and gradients at X."""
    process = GaussianProcess(descriptor_of(system), system.free, length, 0.0)
    if wall is not None:
        process.wall, process.steep = wall
    for x in X:
        process.add(x, *system.energy_gradient(x))
    process.fit()
    return process


def ammonia(seed=0, count=6):
    """Return a system and copies of its structure, displaced at random."""
    atoms = molecule("NH3", calculator=EMT())
    system = as_system(atoms)
    rng = np.random.default_rng(seed)
    return system, system.x + 0.1 * rng.normal(size=(count, system.n))


def test_energies_alone_are_predicted_as_by_scikit_learn():
    rng = np.random.default_rng(0)
    X, new = rng.normal(size=(12, 2)), rng.normal(size=(5, 2))
    y = np.sin(X[:, 0]) + X[:, 1] ** 2
    process = GaussianProcess(PLANE, np.zeros(0, dtype=np.int64), 1.0, 0.0)
    for x, energy in zip(X, y, strict=True):
        process.add(x, energy, np.zeros(2))
    process.fit()
    length = process.compiled.floats[1]
    peer = GaussianProcessRegressor(Matern(length, nu=2.5), alpha=1e-10, optimizer=None).fit(X, y - y.max())
    expected, deviations = peer.predict(new, return_std=True)
    targets = y - y.max()
    amplitude = np.sqrt(targets @ peer.alpha_ / len(y))
    system = predicted_system(as_system(Point(X[0], MuellerBrown())), process)
    np.testing.assert_allclose([system.energy(x) for x in new], expected + y.max(), atol=1e-6)
    np.testing.assert_allclose(process.deviation(new), amplitude * deviations, rtol=1e-4)
    # a length four times as long or short is less likely, with the amplitude that suits it
    likely = []
    for k in (0.25, 1.0, 4.0):
        other = GaussianProcessRegressor(Matern(k * length, nu=2.5), alpha=1e-10, optimizer=None).fit(X, targets)
        scale = (targets @ other.alpha_) / len(y)
        kernel = scale * Matern(k * length, nu=2.5)
        best = GaussianProcessRegressor(kernel, alpha=1e-10 * scale, optimizer=None).fit(X, targets)
        likely.append(best.log_marginal_likelihood_value_)
    assert likely[1] > max(likely[0], likely[2])


def test_covariances_of_gradients_are_derivatives_of_those_of_energies():
    system, X = ammonia(count=2)
    descriptor = descriptor_of(system)

    def energies(pair):
        a, b = (descriptor(x)[0][None] for x in pair.reshape(2, -1))
        none = np.zeros((1, a.shape[1], 0))
        return covariance(a, None, b, none, 0.7)[0, 0]

    both = [descriptor(x) for x in X]
    entries, slopes = (np.array(part) for part in zip(*both, strict=True))
    matrix = covariance(entries[:1], slopes[:1], entries[1:], slopes[1:], 0.7)
    n = system.n
    first = approx_fprime(X.ravel(), energies, 1e-6)
    np.testing.assert_allclose(matrix[0, 0], energies(X.ravel()))
    np.testing.assert_allclose(matrix[1:, 0], first[:n], atol=1e-5)
    np.testing.assert_allclose(matrix[0, 1:], first[n:], atol=1e-5)
    step = 1e-4 * np.eye(2 * n)
    i, j = 1, n + 5
    pair = X.ravel()
    mixed = (
        energies(pair + step[i] + step[j]) - energies(pair + step[i] - step[j])
        - energies(pair - step[i] + step[j]) + energies(pair - step[i] - step[j])
    ) / 4e-8  # fmt: skip
    assert matrix[1 + i, 1 + j - n] == pytest.approx(mixed, abs=1e-5)


@pytest.mark.parametrize("wall", [None, (1.0, 30.0)])
def test_gradient_and_hessian_are_derivatives_of_the_energy(wall):
    system, X = ammonia()
    predicted = predicted_system(system, learned(system, X[:4], wall=wall))
    for x in X[4:]:
        energy, gradient = predicted.energy_gradient(x)
        numeric = approx_fprime(x, predicted.energy, 1e-6)
        np.testing.assert_allclose(gradient, numeric, atol=1e-4)
        hessian = predicted.hessian(x)
        differences = approx_fprime(x, lambda y: predicted.energy_gradient(y)[1], 1e-5)
        np.testing.assert_allclose(hessian, differences, atol=2e-2 * np.abs(hessian).max())
        assert np.isfinite(energy)


@pytest.mark.parametrize("wall", [None, (1.0, 30.0)])
def test_data_are_interpolated_and_far_away_nothing_is_known(wall):
    system, X = ammonia()
    process = learned(system, X, wall=wall)
    predicted = predicted_system(system, process)
    for x in X:
        energy, gradient = system.energy_gradient(x)
        there, slope = predicted.energy_gradient(x)
        assert there == pytest.approx(energy, abs=1e-3)
        np.testing.assert_allclose(slope, gradient, atol=1e-2)
    near, far = process.deviation(np.array([X[0], 3.0 * X[0]]))
    assert near < 1e-3 * far


def test_adding_data_one_by_one_gives_what_all_at_once_give():
    system, X = ammonia(count=7)
    process = learned(system, X[:6])
    length = process.compiled.floats[1]
    process.add(X[6], *system.energy_gradient(X[6]))
    process.fit()
    assert process.compiled.floats[1] == length  # too few new data to choose it again
    again = GaussianProcess(descriptor_of(system), system.free, length, 0.0)
    for x in X:
        again.add(x, *system.energy_gradient(x))
    again._fit = again._solved(length, np.zeros((0, 0)))
    again.mean = process.mean
    again._fit = again._solved(length, np.zeros((0, 0)))
    one, other = (predicted_system(system, p).energy_gradient(X[0] + 0.05) for p in (process, again))
    assert one[0] == pytest.approx(other[0], abs=1e-6)
    np.testing.assert_allclose(one[1], other[1], atol=1e-5)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_rigid_motions_change_nothing(seed):
    system, X = ammonia()
    process = learned(system, X[:4])
    predicted = predicted_system(system, process)
    rng = np.random.default_rng(seed)
    turn, shift = Rotation.random(rng=rng).as_matrix(), rng.normal(size=3)
    moved = (X[5].reshape(-1, 3) @ turn.T + shift).ravel()
    (here, slope), (there, turned) = predicted.energy_gradient(X[5]), predicted.energy_gradient(moved)
    assert there == pytest.approx(here, abs=1e-8)
    np.testing.assert_allclose(turned.reshape(-1, 3), slope.reshape(-1, 3) @ turn.T, atol=1e-8)
    np.testing.assert_allclose(slope.reshape(-1, 3).sum(axis=0), 0.0, atol=1e-9)
    np.testing.assert_allclose(process.deviation(moved[None]), process.deviation(X[5:6]), atol=1e-8)


def test_fixed_atoms_and_constraints_are_left_out():
    slab = fcc100("Al", (2, 2, 2), vacuum=6.0)
    slab.calc = EMT()
    slab.set_constraint([FixAtoms(mask=slab.get_tags() == 2), FixedLine(4, [1.0, 1.0, 0.0])])
    descriptor = descriptor_of(as_system(slab))
    assert descriptor.kind == LINEAR
    assert descriptor.weights.shape == (3 * 3 + 1, 24)
    np.testing.assert_allclose(descriptor.weights @ descriptor.weights.T, np.eye(10), atol=1e-12)
    assert not descriptor.weights[:, np.repeat(slab.get_tags() == 2, 3)].any()
    along = np.zeros((8, 3))
    along[4] = [1, -1, 0]
    np.testing.assert_allclose(descriptor.weights @ along.ravel(), 0.0, atol=1e-12)
    # a whole crystal may drift
    slab.set_constraint()
    slab.pbc = True
    drift = np.tile([1.0, 0.0, 0.0], 8)
    np.testing.assert_allclose(descriptor_of(as_system(slab)).weights @ drift, 0.0, atol=1e-12)


def test_pairs_of_fixed_atoms_are_no_descriptors():
    atoms = Atoms("Ar4", [[0, 0, 0], [1.1, 0, 0], [0, 1.1, 0], [0, 0, 1.1]], calculator=LennardJones(rc=30.0))
    assert len(descriptor_of(as_system(atoms)).pairs) == 6
    atoms.set_constraint(FixAtoms([0, 1]))
    descriptor = descriptor_of(as_system(atoms))
    assert descriptor.kind == INVERSE_DISTANCES
    assert [0, 1] not in descriptor.pairs.tolist()
    assert len(descriptor.pairs) == 5


def test_data_that_contradict_each_other_are_taken_as_noisy():
    process = GaussianProcess(PLANE, np.arange(2), 1.0, 0.0)
    for energy in (0.0, 0.1, -0.1):
        process.add(np.zeros(2), energy, np.array([energy, 1.0]))
    process.add(np.ones(2), 1.0, np.zeros(2))
    process.fit()
    predicted = predicted_system(as_system(Point(np.zeros(2), MuellerBrown())), process)
    assert abs(predicted.energy(np.zeros(2))) < 0.11
