"""Paths, sensitivities, relaxation times and regrouping."""

from __future__ import annotations

from itertools import pairwise

import mpmath
import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.analysis import Kinetics, KineticTransitionNetwork


def random_kinetic_network(seed: int, n: int, spread: float) -> KineticTransitionNetwork:
    """One component, parallel transition states, random curvatures and orders."""
    rng = np.random.default_rng(seed)
    tree = np.stack([np.arange(1, n), (np.arange(1, n) * rng.random(n - 1)).astype(int)], axis=1)
    ends = np.concatenate([tree, rng.integers(n, size=(n, 2))])
    energies = spread * rng.random(n)
    return KineticTransitionNetwork(
        energies,
        energies[ends].max(axis=1) + spread * rng.random(len(ends)),
        ends,
        log_eigenvalue_product=rng.normal(size=n),
        ts_log_eigenvalue_product=rng.normal(size=len(ends)),
        symmetry_order=rng.integers(1, 5, n),
        ts_symmetry_order=rng.integers(1, 5, len(ends)),
    )


networks = st.builds(random_kinetic_network, st.integers(0, 2**32), st.integers(4, 14), st.sampled_from([1.0, 5.0]))


@pytest.fixture(scope="module")
def lj38(shared):
    return KineticTransitionNetwork.from_pathsample(shared / "data" / "networks" / "lj38_12")


def test_fastest_path_of_lj38(lj38):
    kinetics, (a, b) = lj38.kinetics(temperature=0.1), (lj38.groups["A"], lj38.groups["B"])
    path = kinetics.fastest_path(source=a, target=b)
    assert (path.minima + 1).tolist() == [2, 1, 4, 3, 12, 6, 10, 9, 8]
    assert path.energy == lj38.ts_energies[path.transition_states].max()
    back = kinetics.fastest_path(source=b, target=a)
    assert back.minima.tolist() == path.minima[::-1].tolist()


@settings(max_examples=30, deadline=None)
@given(networks)
def test_next_best_paths_equal_networkx(network):
    kinetics, n = network.kinetics(temperature=1.0), network.n_minima
    source, target = [0, 1], [n - 2, n - 1]
    rates, p = kinetics.rates.toarray(), kinetics.populations
    with np.errstate(divide="ignore"):
        cost = -np.log(rates / rates.sum(axis=1, keepdims=True))
    graph = nx.DiGraph((i, j, {"cost": cost[i, j]}) for i, j in np.argwhere(rates > 0) if i not in target and j > 1)
    graph.add_edges_from(("start", s, {"cost": 100 - np.log(p[s] * rates[s].sum())}) for s in source)
    graph.add_edges_from((t, "end", {"cost": 0.0}) for t in target)
    expected = []
    for nodes in nx.shortest_simple_paths(graph, "start", "end", weight="cost"):
        expected.append(sum(graph.edges[edge]["cost"] for edge in pairwise(nodes)))
        if len(expected) == 6:
            break
    found = kinetics.fastest_paths(source, target, 6)
    assert len(found) == len(expected)
    for path, value in zip(found, expected, strict=True):
        steps = [graph.edges[edge]["cost"] for edge in pairwise(["start", *path.minima.tolist(), "end"])]
        assert sum(steps) == pytest.approx(value, abs=1e-9)
        for k, state in enumerate(path.transition_states):
            assert set(network.ts_minima[state]) == set(path.minima[k : k + 2])


def test_path_of_a_chain_without_a_network():
    path = Kinetics.from_rates([[0, 1, 0.1], [1, 0, 1], [0.1, 1, 0]]).fastest_path(0, 2)
    assert path.minima.tolist() == [0, 1, 2]
    assert path.transition_states.tolist() == [-1, -1]
    assert np.isnan(path.energy)


@settings(max_examples=25, deadline=None)
@given(networks)
def test_sensitivity_is_the_derivative(network):
    """Against central differences in the energy of each transition state; the sum is 1."""
    source, target, t, step = [0, 1], [2], 1.0, 1e-4
    found = network.kinetics(temperature=t).sensitivity(source, target)
    assert found.sum() == pytest.approx(1.0, abs=1e-12)
    columns = ("log_eigenvalue_product", "ts_log_eigenvalue_product", "symmetry_order", "ts_symmetry_order")
    known = {name: getattr(network, name) for name in columns}
    for k in range(network.n_transition_states):
        rates = []
        for sign in (1, -1):
            energies = network.ts_energies.copy()
            energies[k] += sign * step
            moved = KineticTransitionNetwork(network.energies, energies, network.ts_minima, **known)
            rates.append(moved.kinetics(temperature=t).log_rate_constant(source, target))
        assert found[k] == pytest.approx(-(rates[0] - rates[1]) / (2 * step) * t, abs=1e-6)


def test_sensitivity_where_fast_exchange_hides_it():
    """Two states that exchange 1e60 times faster than the bottleneck matters: its part is the ratio, not noise."""
    network = KineticTransitionNetwork(
        [0.0, 0.0, 0.0],
        [1.0, 139.0, 139.0],
        [[0, 1], [1, 2], [0, 2]],
        log_eigenvalue_product=np.zeros(3),
        ts_log_eigenvalue_product=[0.0, 0.0, 2.0],
    )
    found = network.kinetics(temperature=1.0).sensitivity(0, 2)
    assert found[1:] == pytest.approx(np.array([1, np.exp(-1)]) / (1 + np.exp(-1)), rel=1e-12)
    with mpmath.workdps(200):  # the time from 0 with rates g between 0 and 1, b and c = b / e to the target

        def log_rate(log_g):
            g, b, c = mpmath.exp(log_g), mpmath.exp(-139), mpmath.exp(-140)
            return -mpmath.log((2 * g + b) / (g * (b + c) + b * c))

        exact = mpmath.diff(log_rate, -1)
    assert abs(exact) < 1e-59
    assert found[0] == pytest.approx(float(exact), rel=1e-12)


def _exact_time_scales(kinetics):
    """Eigenvalues by mpmath in 250 digits of the symmetric form, from the rates one way and the populations."""
    with mpmath.workdps(250):
        n, rates = kinetics.n_states, kinetics.rates.toarray()
        weights = [mpmath.mpf(float(v)) for v in kinetics.populations]
        matrix = mpmath.matrix(n, n)
        for i, j in np.argwhere(rates > 0):
            low, high = min(i, j), max(i, j)
            flux = mpmath.mpf(rates[low, high]) * weights[low]
            matrix[i, j] = -flux / mpmath.sqrt(weights[i] * weights[j])
            matrix[i, i] += flux / weights[i]
        values = sorted(mpmath.eigsy(matrix, eigvals_only=True))
        return np.array([float(1 / v) for v in values[1:]])


def test_time_scales_with_all_their_digits(lj38):
    """The slowest is 1e90 times the fastest."""
    kinetics = lj38.kinetics(temperature=0.02)
    times, expected = kinetics.time_scales(20), _exact_time_scales(kinetics)
    assert expected[0] / expected[-1] > 1e90
    np.testing.assert_allclose(times, expected, rtol=1e-12)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32), st.integers(4, 16), st.sampled_from([5.0, 50.0, 120.0]))
def test_time_scales_of_any_network(seed, n, spread):
    kinetics = random_kinetic_network(seed, n, spread).kinetics(temperature=1.0)
    np.testing.assert_allclose(kinetics.time_scales(n), _exact_time_scales(kinetics), rtol=1e-11)


def test_time_scales_of_the_nine_communities(shared):
    """The same in whatever order the minima come: rounding does not decide, over 36 orders of magnitude."""
    network = KineticTransitionNetwork.from_pathsample(shared / "data" / "networks" / "ninecomm_994")
    order = np.random.default_rng(0).permutation(network.n_minima)
    number = np.argsort(order)
    columns = {"log_eigenvalue_product": network.log_eigenvalue_product[order]}
    columns |= {"ts_log_eigenvalue_product": network.ts_log_eigenvalue_product}
    shuffled = KineticTransitionNetwork(
        network.energies[order], network.ts_energies, number[network.ts_minima], **columns
    )
    times = network.kinetics(temperature=0.3).time_scales(20)
    np.testing.assert_allclose(shuffled.kinetics(temperature=0.3).time_scales(20), times, rtol=1e-11)


def test_time_scales_of_two_states_and_without_detailed_balance():
    assert Kinetics.from_rates([[0, 3], [2, 0]]).time_scales().tolist() == pytest.approx([0.2])
    ring = np.roll(np.eye(4), 1, axis=1)  # one way round: eigenvalues 1 - i^k
    np.testing.assert_allclose(Kinetics.from_rates(ring).time_scales(), [1, 1, 0.5], rtol=1e-12)


def test_regrouping_keeps_the_slow_rates(lj38):
    kinetics = lj38.kinetics(temperature=0.1)
    a, b = lj38.groups["A"], lj38.groups["B"]
    exact, last = kinetics.rate_constant(source=b, target=a), np.inf
    assert kinetics.regroup(-100.0).kinetics.n_states == lj38.n_minima
    for barrier in (0.5, 1.0, 2.0):
        groups = kinetics.regroup(barrier, keep=lj38.groups)
        assert groups.kinetics.n_states <= last
        last = groups.kinetics.n_states
        sets = {"source": groups.groups(b), "target": groups.groups(a)}
        assert groups.kinetics.rate_constant(**sets) == pytest.approx(exact, rel=0.5)
        assert groups.kinetics.populations.sum() == pytest.approx(1.0)
        for k in range(groups.kinetics.n_states):
            total = kinetics.populations[groups.members(k)].sum()
            assert groups.kinetics.populations[k] == pytest.approx(total, rel=1e-12)
    one = kinetics.regroup(100.0)
    assert one.kinetics.n_states == 1
    kept = kinetics.regroup(100.0, keep=[a, b])
    assert kept.groups(a).tolist() != kept.groups(b).tolist()
    assert kept.kinetics.n_states == 2


@settings(max_examples=30, deadline=None)
@given(networks, st.floats(-1.0, 8.0))
def test_no_barrier_below_the_threshold_is_left(network, barrier):
    groups = network.kinetics(temperature=0.7).regroup(barrier)
    rates = groups.kinetics.rates.toarray()
    with np.errstate(divide="ignore"):
        barriers = -0.7 * np.log(2 * np.pi * rates / 0.7)
    assert not (np.maximum(barriers, barriers.T) < barrier - 1e-9).any()
    assert np.array_equal(np.unique(groups.labels), np.arange(groups.kinetics.n_states))


def test_bad_regrouping_is_named(lj38):
    kinetics = lj38.kinetics(temperature=0.1)
    with pytest.raises(ValueError, match="barrier is nan"):
        kinetics.regroup(np.nan)
    with pytest.raises(ValueError, match=r"keep\['B'\] overlaps another set: minimum 1"):
        kinetics.regroup(1.0, keep={"A": [1], "B": [1, 2]})
