"""Transition states without a Hessian, and lowest eigenvalues without a matrix."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import add_adsorbate, fcc100
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms

from thalweg.optimizers import (
    LBFGS,
    find_transition_states,
    hybrid_eigenvector_following,
    lowest_eigenvalues,
    minimise,
)
from thalweg.potentials import Point, as_system
from thalweg.potentials.neural_network.weights import Weights

from .surfaces import (
    LJAT3_SADDLE,
    MUELLER_BROWN_SADDLE_ENERGIES,
    cluster,
    copper,
    difference_hessian,
    mueller_brown_potential,
    small_loss,
)


def plain_eigenvalues(system, x, nulls):
    """All eigenvalues by differences of the gradient, the ``nulls`` nearest zero left out."""
    free = system.free
    matrix = difference_hessian(lambda x: system.energy_gradient(x)[1], x, 1e-4)[np.ix_(free, free)]
    values = np.linalg.eigvalsh(matrix)
    return np.sort(values[np.argsort(np.abs(values))[nulls:]])


def perturbed_minima(n, count, seed):
    system = as_system(cluster(n, seed))
    rng = np.random.default_rng(seed)
    ends = minimise(system, rng.uniform(0, 1.15 * n ** (1 / 3), (3 * count, 3 * n)), second_order=True)
    starts = ends.x[ends.converged][:count]
    assert len(starts) == count
    return system, starts + rng.uniform(-0.2, 0.2, starts.shape)


@pytest.mark.parametrize("n", [5, 13, 25])
def test_lowest_eigenvalues_of_clusters(n):
    system = as_system(cluster(n, 1))
    x = minimise(system, system.x, rms=1e-8).x[0]
    values, vectors = lowest_eigenvalues(system, x, 3)
    assert values == pytest.approx(plain_eigenvalues(system, x, 6)[:3], rel=1e-4)
    hessian = system.hessian(x)
    for value, vector in zip(values, vectors, strict=True):
        assert np.linalg.norm(hessian @ vector - value * vector) < 1e-2 * max(1.0, abs(value))
        assert np.linalg.norm(vector) == pytest.approx(1.0)


def test_lowest_eigenvalues_of_a_loss():
    weights = Weights.random(small_loss(), seed=1)
    system = as_system(weights)
    values, _ = lowest_eigenvalues(system, weights.x, 2)
    assert values == pytest.approx(plain_eigenvalues(system, weights.x, 0)[:2], abs=1e-6)


def test_lj13_succeeds_as_often_as_full_diagonalisation():
    system, starts = perturbed_minima(13, 25, 3)
    results = [hybrid_eigenvector_following(system, x) for x in starts]
    full = find_transition_states(system, starts)
    assert sum(result.converged for result in results) >= max(24, full.converged.sum() - 1)
    for result in results:
        if result.converged:
            assert result.rms < 1e-9
            values = plain_eigenvalues(system, result.x, 6)
            assert np.sum(values < 0) == 1
            assert values[:2] == pytest.approx(result.eigenvalues, rel=1e-3, abs=1e-3)


def test_ljat3_and_mueller_brown():
    atoms = cluster(3, 4, Z=2.0)
    LBFGS(atoms).run(rms=1e-8)
    energies = []
    for seed in range(6):
        start = atoms.positions.ravel() + np.random.default_rng(seed).uniform(-0.25, 0.25, 9)
        result = hybrid_eigenvector_following(atoms, start)
        if result.converged:
            energies.append(result.energy)
    assert np.abs(np.array(energies) - LJAT3_SADDLE).min() < 1e-8
    point = Point([-0.7, 0.7], mueller_brown_potential())
    result = hybrid_eigenvector_following(point, rms=1e-7, max_step=0.1)
    assert result.converged, result.reason
    assert np.abs(result.energy - MUELLER_BROWN_SADDLE_ENERGIES).min() < 1e-6


def test_loss_transition_state():
    weights = Weights.random(small_loss(1e-3), seed=0)
    system = as_system(weights)
    minimum = minimise(system, weights.x, second_order=True).x[0]
    results = [
        hybrid_eigenvector_following(
            system, minimum + np.random.default_rng(seed).normal(0, 0.5, system.n), steps=2000, across_steps=30
        )
        for seed in range(6)
    ]
    converged = [result for result in results if result.converged]
    assert converged, [result.reason for result in results]
    for result in converged:
        values = plain_eigenvalues(system, result.x, 0)
        assert values[0] < 0 < values[1]


def test_a_hop_by_emt_both_ways():
    slab = fcc100("Al", (2, 2, 2), vacuum=6.0)
    add_adsorbate(slab, "Au", 1.7, "hollow")
    slab.set_constraint(FixAtoms(mask=[atom.tag > 0 for atom in slab]))
    slab.calc = EMT()
    assert LBFGS(slab).run(fmax=1e-6)
    start = slab.positions.copy()
    start[-1] += [1.2, 0.1, 0.3]
    full = find_transition_states(slab, start, rms=1e-6)
    result = hybrid_eigenvector_following(slab, start, rms=1e-6)
    assert full.converged[0]
    assert result.converged
    assert result.energy == pytest.approx(full.energy[0], abs=1e-8)
    assert np.array_equal(result.x[:24], slab.positions.ravel()[:24])


def test_copper_cluster_transition_state():
    atoms = copper(5, 1)
    assert LBFGS(atoms).run(rms=1e-6)
    system = as_system(atoms)
    found = []
    for seed in range(3):
        start = atoms.positions.ravel() + np.random.default_rng(seed).uniform(-0.4, 0.4, 15)
        result = hybrid_eigenvector_following(system, start, rms=1e-6, difference=1e-3)
        if result.converged:
            values = plain_eigenvalues(system, result.x, 6)
            assert values[0] < 0 < values[1]
            found.append(result.x)
    assert found
    check = find_transition_states(system, found[0], rms=1e-6)
    assert check.converged[0]
    assert check.steps[0] <= 3


def test_failures_have_reasons():
    atoms = cluster(3, 0)
    atoms.positions[1] = atoms.positions[0]
    assert hybrid_eigenvector_following(atoms).reason == "energy or gradient not finite"
    assert hybrid_eigenvector_following(cluster(13, 2), steps=2).reason == "too many steps"
    minimum = cluster(7, 1)
    assert LBFGS(minimum).run(rms=1e-10)
    result = hybrid_eigenvector_following(minimum)
    assert not result.converged
    assert result.reason == "wrong number of negative eigenvalues"


def test_bad_arguments_are_named():
    atoms = cluster(3, 1)
    with pytest.raises(ValueError, match="x must have 9 coordinates"):
        hybrid_eigenvector_following(atoms, np.zeros(6))
    with pytest.raises(ValueError, match="must be positive"):
        hybrid_eigenvector_following(atoms, rms=0.0)
    with pytest.raises(ValueError, match="k must lie between 1 and 3"):
        lowest_eigenvalues(atoms, k=4)
