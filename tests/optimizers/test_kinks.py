"""Potentials with kinks: searches that end on one say so, early; smooth ones are never taken for one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from zarr.storage import MemoryStore

from thalweg.landscapes import Landscape
from thalweg.optimizers import BasinHopping, find_transition_states, minimise
from thalweg.optimizers.kernels.status import Status
from thalweg.potentials import Function, Point, PotentialError, check_potential

KINK = Status.KINK.reason
RNG = np.random.default_rng(0)
INPUTS = RNG.normal(size=(40, 2))
TARGETS = (INPUTS[:, 0] * INPUTS[:, 1] > 0).astype(float)


def network(activation, slope, calls=None):
    """Return the squared error of three hidden units, by numpy."""

    def both(w):
        if calls is not None:
            calls.append(0)
        first, bias, second = w[:6].reshape(3, 2), w[6:9], w[9:12]
        before = INPUTS @ first.T + bias
        h = activation(before)
        residual = h @ second + w[12] - TARGETS
        g = 2 * residual / len(TARGETS)
        back = (g[:, None] * second) * slope(before)
        parts = [(back.T @ INPUTS).ravel(), back.sum(0), h.T @ g, [g.sum()]]
        return np.mean(residual**2) + 1e-3 * w @ w, np.concatenate(parts) + 2e-3 * w

    return Function(lambda w: both(w)[0], lambda w: both(w)[1], name="network")


def relu(calls=None):
    return network(lambda z: np.maximum(z, 0), lambda z: z > 0, calls)


def softplus(steepness):
    return network(lambda z: np.logaddexp(0, steepness * z) / steepness, lambda z: expit(steepness * z))


def absolute():
    return Function(lambda x: np.abs(x).sum() + 0.1 * x @ x, lambda x: np.sign(x) + 0.2 * x)


NONSMOOTH = {
    "absolute values": absolute(),
    "without a gradient": Function(lambda x: float(np.abs(x).sum() + 0.1 * x @ x)),
    "largest of two": Function(lambda x: float(max(x @ x, (x - 1) @ (x - 1)))),
    "hinges": Function(
        lambda x: float(np.maximum(1 - x, 0).sum() + 0.1 * x @ x), lambda x: 0.2 * x - (x < 1).astype(float)
    ),
}
SMOOTH = {
    "bowl": Function(lambda x: float(x @ x), lambda x: 2 * x),
    "bowl of differences": Function(lambda x: float(x @ x)),
    "rough": Function(lambda x: float(np.cos(9 * x).sum() + x @ x), lambda x: 2 * x - 9 * np.sin(9 * x)),
    "steep softplus": Function(
        lambda x: float(np.logaddexp(0, 300 * x).sum() / 300 + x @ x), lambda x: expit(300 * x) + 2 * x
    ),
    "narrow valley": Function(lambda x: float(1e6 * x[0] ** 2 + 1e-6 * x @ x), lambda x: 2e-6 * x + [2e6 * x[0], 0, 0]),
    "fourth powers": Function(lambda x: float((x**4).sum()), lambda x: 4 * x**3),
    "flat": Function(lambda x: 0.0 * x[0], lambda x: 0 * x),
}


@pytest.mark.parametrize("name", NONSMOOTH)
def test_minimisations_on_a_kink_say_so(name):
    result = minimise(Point(np.random.default_rng(1).normal(size=3), NONSMOOTH[name]))
    assert result.reason == [KINK]
    with pytest.raises(PotentialError, match="differentiable, without kinks"):
        check_potential(NONSMOOTH[name], np.random.default_rng(1).normal(size=3))


@pytest.mark.parametrize("name", SMOOTH)
def test_smooth_functions_are_no_kinks(name):
    x = np.random.default_rng(1).normal(size=3)
    # too few steps to end anywhere in particular
    assert minimise(Point(x, SMOOTH[name]), steps=1).reason[0] in ("too many steps", "converged")
    report = check_potential(SMOOTH[name], x, raise_error=False)
    assert report["differentiable, without kinks"].passed


def test_a_relu_network_fails_early_and_a_softplus_one_does_not():
    calls: list[int] = []
    starts = np.random.default_rng(2).normal(size=(3, 13))
    result = minimise(Point(starts[0], relu(calls)), starts.copy())
    assert result.reason == [KINK] * 3
    assert len(calls) < 3 * 6000  # energies and gradients; 45,000 each before
    smooth = minimise(Point(starts[0], softplus(8.0)), starts.copy())
    assert KINK not in smooth.reason
    assert smooth.converged.any()


def test_more_steps_give_what_they_gave():
    """A smooth potential that needs more steps than are taken at first ends where it would have in one go."""
    rosenbrock = Function(
        lambda x: float((100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()),
        lambda x: (
            np.append(-400 * x[:-1] * (x[1:] - x[:-1] ** 2) - 2 * (1 - x[:-1]), 0.0)
            + np.append(0.0, 200 * (x[1:] - x[:-1] ** 2))
        ),
    )
    from thalweg.optimizers import minimisation

    starts = np.random.default_rng(3).normal(size=(2, 40))
    results = []
    for first in (10, 1000):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(minimisation, "FIRST_STEPS", first)
            results.append(minimise(Point(starts[0], rosenbrock), starts.copy()))
    assert results[0].converged.all()
    assert results[0].steps.min() > 10
    assert np.array_equal(results[0].x, results[1].x)
    assert np.array_equal(results[0].steps, results[1].steps)


def test_a_chain_in_two_goes_is_the_chain_in_one():
    from thalweg.optimizers.basin_hopping import chain

    rough = SMOOTH["rough"]
    energies = []
    for first in (3, 10_000):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(chain, "FIRST_STEPS", first)
            hopping = BasinHopping(Point(np.ones(3), rough), temperature=0.5, step=0.5)
            hopping.run(steps=12)
            energies.append(hopping.energies)
    np.testing.assert_allclose(*energies, rtol=1e-12)


def test_searches_from_a_kink_and_warnings_say_so():
    result = find_transition_states(Point(np.full(3, 0.4), absolute()))
    assert result.reason == [KINK]
    with Landscape(Point(np.full(3, 0.4), absolute()), MemoryStore(), seed=0) as landscape:
        with pytest.warns(RuntimeWarning, match=r"not differentiable there.*softplus or gelu instead of relu"):
            landscape.find_minima(3, progress=False)
        assert set(landscape.searches.count()) == {KINK}
