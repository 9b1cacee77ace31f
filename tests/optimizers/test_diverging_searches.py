"""Transition-state searches that would follow a leaving atom, or climb a regulariser's bowl, and how they end."""

from __future__ import annotations

import numpy as np
import pytest

from thalweg.optimizers import find_transition_states, minimise
from thalweg.potentials import Function, NetworkLoss, Point, Weights, as_system

from .surfaces import cluster


def displaced(system, walkers, size, seed):
    rng = np.random.default_rng(seed)
    minima = minimise(system, np.array([system.random(rng) for _ in range(walkers)]), second_order=True).x
    return minima + rng.uniform(-size, size, minima.shape)


def test_no_atom_leaves_lj13():
    """About one start in 40 sends an atom off along the lowest mode: every one of these ends in a saddle."""
    system = as_system(cluster(13, 0))
    found = find_transition_states(system, displaced(system, 150, 0.2, 0))
    assert found.converged.sum() >= 149, found.reason
    for row in np.flatnonzero(found.converged)[::30]:
        values = np.linalg.eigvalsh(system.hessian(found.x[row]))
        assert (values < -1e-4).sum() == 1
        assert (np.abs(values) < 1e-4).sum() == 6
    gaps = np.linalg.norm(found.x.reshape(150, 13, 1, 3) - found.x.reshape(150, 1, 13, 3), axis=3) + 9 * np.eye(13)
    assert gaps[found.converged].min(axis=2).max() < 2.0


def test_few_searches_are_lost_in_the_bowl():
    """A small network with dead units: the lowest mode is often the regulariser's, which has no way over."""
    rng = np.random.default_rng(0)
    inputs = rng.uniform(1, 3, (200, 2))
    labels = (inputs[:, 0] > 2).astype(int) + 2 * (inputs.sum(axis=1) > 4)
    system = as_system(Weights.random(NetworkLoss(inputs, labels, hidden=(5,), l2=1e-4, n_classes=4), seed=0))
    found = find_transition_states(system, displaced(system, 40, 0.5, 1))
    assert found.converged.mean() >= 0.9, found.reason
    assert (found.steps[found.converged] <= 200).all()


@pytest.mark.parametrize(
    ("surface", "gradient", "reason"),
    [
        (lambda x: x @ x, lambda x: 2 * x, "curvature stayed positive all the way up"),
        (
            lambda x: -((1 + x[0] ** 2) ** -3) + x[1] ** 2,
            lambda x: np.array([6 * x[0] * (1 + x[0] ** 2) ** -4, 2 * x[1]]),
            "uphill search diverged",
        ),
    ],
    ids=["bowl", "leaving"],
)
def test_ways_without_end_end_early(surface, gradient, reason):
    system = as_system(Point([0.8, 0.1], Function(surface, gradient)))
    found = find_transition_states(system, [[0.8, 0.1]], rms=1e-12)
    assert not found.converged[0]
    assert found.reason[0] == reason
    assert found.steps[0] < 150


def test_a_search_that_begins_again_counts_every_step():
    system = as_system(Point([0.8, 0.1], Function(lambda x: x @ x, lambda x: 2 * x)))
    most = [find_transition_states(system, [[0.8, 0.1]], steps=limit).steps[0] for limit in (10, 30, 200)]
    assert most[0] == 10
    assert most[1] <= 30
    assert most[2] > 30


def test_close_to_a_saddle_one_hessian_leads_there_and_one_proves_it():
    """Of twelve atoms: larger clusters climb by gradients."""
    system = as_system(cluster(12, 0))
    there = find_transition_states(system, displaced(system, 12, 0.2, 2))
    good = np.flatnonzero(there.converged)
    rng = np.random.default_rng(3)
    near = find_transition_states(system, there.x[good] + rng.uniform(-1e-4, 1e-4, there.x[good].shape))
    np.testing.assert_allclose(near.energy, there.energy[good], atol=1e-9)
    assert np.median(near.steps) <= 1
    assert near.steps.max() <= 3
