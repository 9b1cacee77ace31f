"""Shares of paths against an enumeration of all of them, and against simulated walks."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.analysis import Kinetics, KineticTransitionNetwork


def _random_chain(seed: int, n: int, balanced: bool) -> Kinetics:
    rng = np.random.default_rng(seed)
    joined = np.triu(rng.random((n, n)) < 0.5, 1)
    joined |= np.eye(n, k=1, dtype=bool)
    flux = np.where(joined, rng.lognormal(sigma=2.0, size=(n, n)), 0.0)
    if balanced:
        weights = rng.lognormal(sigma=2.0, size=n)
        return Kinetics.from_rates((flux + flux.T) / weights[:, None], weights)
    return Kinetics.from_rates(flux + rng.lognormal(sigma=2.0, size=(n, n)) * joined.T)


def _all_paths(kinetics: Kinetics, source: list[int], target: list[int]) -> int:
    """Return how many paths without loops leave the source once and end where they first meet the target."""
    graph = nx.DiGraph(kinetics.rates.toarray())
    graph.remove_edges_from([(a, b) for a, b in graph.edges if b in source or a in target])
    return sum(len(list(nx.all_simple_paths(graph, a, b))) for a in source for b in target)


@settings(max_examples=30, deadline=None)  # the first call may compile
@given(st.integers(0, 2**32), st.integers(4, 7), st.booleans())
def test_shares_of_all_paths_add_up_to_one(seed, n, balanced):
    kinetics = _random_chain(seed, n, balanced)
    source, target = [0, 1], [n - 1]
    count = _all_paths(kinetics, source, target)
    found = kinetics.path_shares(source, target, count + 5)
    assert len(found) == count
    assert sum(part.share for part in found) == pytest.approx(1.0, rel=1e-10)
    rates = np.array([part.rate_constant for part in found])
    assert (np.diff(rates) <= 1e-12 * rates[:-1]).all()
    whole = kinetics.steady_state_rate_constant(source, target)
    assert all(part.rate_constant <= part.share * whole * (1 + 1e-10) for part in found)
    for part in found:
        steps = kinetics.rates.toarray()[part.path.minima[:-1], part.path.minima[1:]]
        escape = np.asarray(kinetics.rates.sum(axis=1)).ravel()[part.path.minima[:-1]]
        assert part.probability == pytest.approx(float(np.prod(steps / escape)), rel=1e-10)


def _without_loops(walk: list[int]) -> tuple[int, ...]:
    path: list[int] = []
    for state in walk:
        if state in path:
            del path[path.index(state) + 1 :]
        else:
            path.append(state)
    return tuple(path)


def test_shares_are_those_of_simulated_walks():
    kinetics = _random_chain(3, 6, balanced=True)
    source, target, rng = 0, 5, np.random.default_rng(0)
    rates = kinetics.rates.toarray()
    chance = rates / rates.sum(axis=1, keepdims=True)
    seen: dict[tuple[int, ...], int] = {}
    total = 4000
    for _ in range(total):
        walk = [source]
        while walk[-1] != target:
            walk.append(int(rng.choice(6, p=chance[walk[-1]])))
        last = len(walk) - 1 - walk[::-1].index(source)
        path = _without_loops(walk[last:])
        seen[path] = seen.get(path, 0) + 1
    for part in kinetics.path_shares(source, target, 6):
        expected = part.share * total
        observed = seen.get(tuple(part.path.minima.tolist()), 0)
        assert abs(observed - expected) < 5 * np.sqrt(expected + 1)


def test_shares_far_below_the_range_of_a_double():
    network = KineticTransitionNetwork(
        [0, 0, 0, 0],
        [300, 300, 301, 301],
        [[0, 1], [1, 3], [0, 2], [2, 3]],
        log_eigenvalue_product=np.zeros(4),
        ts_log_eigenvalue_product=np.zeros(4),
    )
    first, second = network.kinetics(temperature=0.1).path_shares(0, 3, 5)
    assert first.path.transition_states.tolist() == [0, 1]
    assert first.share == pytest.approx(1 / (1 + np.exp(-10)), rel=1e-9)
    assert second.share == pytest.approx(np.exp(-10) / (1 + np.exp(-10)), rel=1e-9)
    assert first.rate_constant == 0.0  # exp(-3000)
