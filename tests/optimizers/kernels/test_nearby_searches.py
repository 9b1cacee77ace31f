"""Searches for transition states close by: what they find is proved, and where nothing is near they end soon."""

from __future__ import annotations

import numpy as np
import pytest

from thalweg.optimizers import find_transition_states, minimise
from thalweg.potentials import Function, NetworkLoss, Point, Weights, as_system

STEP = 1e-5


@pytest.fixture(scope="module")
def system():
    """A network of two hidden layers on made-up points."""
    rng = np.random.default_rng(0)
    inputs = rng.uniform(1, 3, (60, 2))
    labels = (inputs[:, 0] > 2).astype(int) + 2 * (inputs.sum(axis=1) > 4)
    return as_system(Weights.random(NetworkLoss(inputs, labels, hidden=(3, 3), l2=1e-3, n_classes=4), seed=0))


@pytest.fixture(scope="module")
def starts(system):
    rng = np.random.default_rng(1)
    minima = minimise(system, np.array([system.random(rng) for _ in range(30)]), second_order=True).x
    return minima + rng.normal(0, 0.1, minima.shape)


@pytest.fixture(scope="module")
def nearby(system, starts):
    return find_transition_states(system, starts, nearby=True)


def gradient(system, x):
    return system.energy_gradient(x)[1]


def differences(system, x):
    """Return the Hessian by central differences of the gradient."""
    return np.array(
        [(gradient(system, x + STEP * e) - gradient(system, x - STEP * e)) / (2 * STEP) for e in np.eye(x.size)]
    )


def test_what_is_found_has_one_negative_eigenvalue_and_two_minima_below(system, nearby):
    rows = np.flatnonzero(nearby.converged)
    assert len(rows) >= 5, nearby.reason
    for row in rows[:5]:
        x = nearby.x[row]
        assert np.abs(gradient(system, x)).max() < 1e-7
        values = np.linalg.eigvalsh(differences(system, x))
        assert (values < 0).sum() == 1
        assert values[0] == pytest.approx(nearby.lowest_eigenvalue[row], rel=1e-3)
        for end in nearby.minima[row]:
            assert system.energy(end) < nearby.energy[row]
            assert np.linalg.eigvalsh(differences(system, end))[0] > 0


def test_beside_a_transition_state_both_searches_find_it(system, nearby):
    found = nearby.x[nearby.converged]
    starts = found + np.random.default_rng(2).normal(0, 1e-4, found.shape)
    near, far = find_transition_states(system, starts, nearby=True), find_transition_states(system, starts)
    assert near.converged.all()
    np.testing.assert_allclose(near.energy, nearby.energy[nearby.converged], rtol=0, atol=1e-10)
    np.testing.assert_allclose(far.energy, near.energy, rtol=0, atol=1e-10)


def test_a_search_depends_on_its_start_alone(system, starts, nearby):
    alone = find_transition_states(system, starts[7:8], nearby=True, threads=1)
    assert alone.x[0].tobytes() == nearby.x[7].tobytes()
    assert alone.steps[0] == nearby.steps[7]


def test_searches_nearby_take_fewer_steps_for_each_success(system, starts, nearby):
    usual = find_transition_states(system, starts)
    assert nearby.steps.sum() / nearby.converged.sum() < usual.steps.sum() / usual.converged.sum()
    assert nearby.steps.max() < usual.steps.max()


def test_a_bowl_is_left_after_seven_steps():
    bowl = as_system(Point([0.8, 0.1], Function(lambda x: x @ x, lambda x: 2 * x)))
    found = find_transition_states(bowl, [[0.8, 0.1]], nearby=True)
    assert found.reason[0] == "curvature stayed positive all the way up"
    assert found.steps[0] == 7


def test_the_longest_step_is_twice_the_first():
    """A valley along x without end: 7 steps up of 0.3, 0.39, 0.507 and then 0.6."""
    valley = as_system(Point([0.1, 0.0], Function(lambda x: x[0] ** 2 + 5 * x[1] ** 2, lambda x: x * [2, 10])))
    found = find_transition_states(valley, [[0.1, 0.0]], nearby=True, max_step=0.3)
    assert found.x[0, 0] == pytest.approx(0.1 + 0.3 + 0.39 + 0.507 + 4 * 0.6)
