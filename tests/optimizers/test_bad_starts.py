"""Starts that cannot be: wrong ones are named, and those that overflow are failed searches among good ones."""

from __future__ import annotations

import numpy as np
import pytest

from thalweg.optimizers import find_transition_states, minimise
from thalweg.optimizers.kernels.eigenvector_following import diagonalise
from thalweg.potentials import Function, Point, Weights, as_system

from .surfaces import cluster, small_loss

BOTH = pytest.mark.parametrize("search", [minimise, find_transition_states])


@BOTH
@pytest.mark.parametrize(
    ("X", "options", "message"),
    [
        (np.zeros((2, 8)), {}, r"X must have the shape \(walkers, 9\); its shape is \(2, 8\)"),
        (np.zeros((1, 2, 9)), {}, r"X must have the shape \(walkers, 9\)"),
        (np.zeros((1, 9)), {"rms": 0.0}, "rms and steps must be positive; they are 0.0"),
        (np.zeros((1, 9)), {"rms": np.nan}, "rms and steps must be positive; they are nan"),
        (np.zeros((1, 9)), {"steps": 0}, "rms and steps must be positive"),
    ],
)
def test_wrong_batches_are_named(search, X, options, message):
    with pytest.raises(ValueError, match=message):
        search(cluster(3, 1), X, **options)


@BOTH
def test_no_walkers_are_no_error(search):
    for shape in ((0, 9), (0, 3, 3)):
        assert len(search(cluster(3, 1), np.zeros(shape)).converged) == 0


@BOTH
@pytest.mark.parametrize("bad", ["all in one place", "two in one place", "nan", "infinite"])
def test_overlapping_atoms_fail_alone(search, bad):
    system = as_system(cluster(7, 1))
    rng = np.random.default_rng(3)
    good = np.array([system.random(rng) for _ in range(6)])
    wrong = good[0].copy()
    if bad == "two in one place":
        wrong[:3] = wrong[3:6]
    else:
        wrong[:] = {"all in one place": 0.3, "nan": np.nan, "infinite": np.inf}[bad]
    mixed, alone = search(system, np.insert(good, 2, wrong, axis=0)), search(system, good)
    assert not mixed.converged[2]
    assert mixed.reason[2] == "energy or gradient not finite"
    rest = np.arange(7) != 2
    np.testing.assert_array_equal(mixed.x[rest], alone.x)
    np.testing.assert_array_equal(mixed.converged[rest], alone.converged)


@BOTH
@pytest.mark.parametrize("size", [1e155, 1e200, 1.7e308])
def test_overflowing_weights_fail(search, size):
    weights = Weights.random(small_loss(), seed=0)
    X = size * np.random.default_rng(0).uniform(-1, 1, (3, len(weights)))
    X[2] = size
    result = search(weights, X)
    assert not result.converged.any()
    assert set(result.reason) == {"energy or gradient not finite"}


def test_what_lapack_cannot_diagonalise_is_said_not_raised():
    """An exploration of days must not stop where one Hessian of a million makes LAPACK's iterations fail."""
    values, vectors = np.empty(3), np.empty((3, 3))
    assert not diagonalise(np.full((3, 3), np.nan), values, vectors)
    a = np.random.default_rng(0).normal(size=(3, 3))
    assert diagonalise(a + a.T, values, vectors)
    np.testing.assert_allclose(vectors.T * values @ vectors, a + a.T, atol=1e-12)


def test_a_potential_that_ends_somewhere_is_a_failed_search():
    """ln x beside x: no number below zero, its minimum at one."""
    edge = Function(
        lambda x: x[0] - np.log(x[0]) if x[0] > 0 else np.nan,
        lambda x: 1 - 1 / x if x[0] > 0 else np.full(1, np.nan),
    )
    result = minimise(Point([0.5], edge), [[-3.0], [0.4]])
    assert result.reason == ["energy or gradient not finite", "converged"]
    assert result.x[1, 0] == pytest.approx(1.0, abs=1e-8)
