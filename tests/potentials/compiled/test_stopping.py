"""Stopping searches on compiled potentials: the same numbers until then, and an end at the next gradient."""

from __future__ import annotations

import pickle
import threading

import numpy as np
import pytest
from numba import njit
from zarr.storage import MemoryStore

from tests.helpers import small_network
from thalweg.landscapes import Landscape
from thalweg.optimizers import find_transition_states, minimise
from thalweg.potentials import Compiled, Function, MuellerBrown, NetworkLoss, Point, Weights, as_system
from thalweg.potentials.compiled.callbacks import SearchStopped
from thalweg.potentials.compiled.stopping import Stoppable


@pytest.mark.parametrize("subject", [small_network(), Point([0.1, 0.6], MuellerBrown())])
def test_functions_give_the_same_numbers_until_they_are_stopped(subject):
    own = as_system(subject).compiled
    stoppable = Stoppable(own)
    x, n = subject.x, len(subject.x)
    for compiled in (own, stoppable.compiled):
        gradient, hessian = np.empty(n), np.empty((n, n))
        energy = compiled.function(x, gradient, compiled.integers, compiled.floats)
        compiled.hessian(x, hessian, compiled.integers, compiled.floats)
        if compiled is own:
            right = energy, gradient, hessian
    assert energy == right[0]
    np.testing.assert_array_equal(gradient, right[1])
    np.testing.assert_array_equal(hessian, right[2])
    stoppable.stop()
    assert np.isnan(compiled.function(x, gradient, compiled.integers, compiled.floats))
    compiled.hessian(x, hessian, compiled.integers, compiled.floats)
    assert np.isnan(hessian).all()
    stoppable.go_on()
    assert compiled.function(x, gradient, compiled.integers, compiled.floats) == right[0]


def slow_system():
    """A network whose gradient takes long enough to be worth stopping."""
    rng = np.random.default_rng(0)
    loss = NetworkLoss(rng.normal(size=(20_000, 2)), rng.integers(0, 4, 20_000), hidden=(6,), l2=1e-4)
    return as_system(Weights.random(loss, seed=0))


def test_every_search_ends_when_it_is_stopped():
    system = slow_system()
    system.make_stoppable(system.compiled, system.x)
    X = np.array([system.random(np.random.default_rng(k)) for k in range(2)])
    before = minimise(system, X, steps=3)
    system.stop()
    for search in (minimise, find_transition_states):
        assert not search(system, X).converged.any()
    with pytest.raises(SearchStopped):
        system.hessian_vector(system.x, system.x)
    system.go_on()
    np.testing.assert_array_equal(minimise(system, X, steps=3).x, before.x)
    # what is stopped in another thread ends, however much there is to do
    thread = threading.Thread(target=lambda: minimise(system, np.tile(X, (2000, 1)), threads=1))
    thread.start()
    system.stop()
    thread.join(60)
    assert not thread.is_alive()
    system.go_on()
    assert pickle.loads(pickle.dumps(system)).stopper is None


def test_fast_potentials_and_foreign_functions_stay_as_they_are():
    system = as_system(Point([0.1, 0.6], MuellerBrown()))
    system.make_stoppable(system.compiled, system.x)
    assert system.stopper is None

    @njit
    def bowl(x, gradient, integers, floats):
        gradient[:] = 2 * x
        return np.sum(x * x)

    @njit
    def curvature(x, hessian, integers, floats):
        hessian[:] = 2 * np.eye(x.size)
        return 0.0

    lazy = Compiled(bowl, curvature, np.zeros(1, dtype=np.int64), np.zeros(1))
    with pytest.raises(TypeError, match="was not compiled for"):
        Stoppable(lazy)
    assert as_system(Point([1.0], Function(lazy))).energy(np.array([1.0])) == 1.0


def test_a_run_that_is_out_of_time_keeps_what_was_found_and_resumes():
    """Above 500 weights a task is one quench, so that what is finished is kept."""
    rng = np.random.default_rng(0)
    loss = NetworkLoss(rng.normal(size=(60, 60)), rng.integers(0, 3, 60), hidden=(8,), l2=0.01, n_classes=3)
    with Landscape(Weights.random(loss, seed=0), MemoryStore(), seed=0) as whole:
        whole.find_minima(12, workers=1, progress=False)
        right = whole.minima.energy[:]
    with Landscape(Weights.random(loss, seed=0), MemoryStore(), seed=0) as landscape:
        calls = 0
        while len(landscape.searches) < 12:
            calls += 1
            missing, seconds = 12 - len(landscape.searches), 0.01 * 1.5**calls
            landscape.find_minima(missing, seconds=seconds, workers=1 + calls % 2, progress=False)
        np.testing.assert_array_equal(landscape.minima.energy[:], right)
        assert landscape.tasks_done == {"find_minima": 12}
