"""KineticTransitionNetwork against networkx and against small cases done by hand."""

from __future__ import annotations

import copy
import itertools
import pickle

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.analysis import KineticTransitionNetwork

from ..random_networks import networks


@pytest.fixture
def small() -> KineticTransitionNetwork:
    """0 - 1 twice (5 and 2), 1 - 2 (3), 0 - 2 (4), 2 with itself, 3 alone."""
    ends = [[0, 1], [1, 0], [1, 2], [0, 2], [2, 2]]
    return KineticTransitionNetwork([0.0, 1.0, 0.5, -1.0], [5.0, 2.0, 3.0, 4.0, 9.0], ends)


def test_counts_and_neighbours(small):
    assert (small.n_minima, small.n_transition_states, len(small)) == (4, 5, 4)
    assert small.global_minimum == 3
    assert small.degree.tolist() == [2, 2, 2, 0]
    assert small.neighbours(2).tolist() == [0, 1]
    assert small.transition_states_between(0, 1).tolist() == [1, 0]
    assert small.transition_states_between(2, 2).tolist() == [4]
    assert [c.tolist() for c in small.components] == [[0, 1, 2], [3]]
    assert "4 minima, 5 transition states, 2 components, lowest energy -1" in repr(small)


def test_lowest_barrier_path_takes_the_lower_way(small):
    path = small.lowest_barrier_path(0, 2)
    assert (path.minima.tolist(), path.transition_states.tolist(), path.energy) == ([0, 1, 2], [1, 2], 3.0)
    still = small.lowest_barrier_path(1, 1)
    assert (still.minima.tolist(), len(still), still.energy) == ([1], 0, 1.0)
    with pytest.raises(ValueError, match="minima 0 and 3"):
        small.lowest_barrier_path(0, 3)


def test_arrays_cannot_be_changed(small):
    for array in (small.energies, small.ts_energies, small.ts_minima, small.degree):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_pickled_and_copied():
    network = KineticTransitionNetwork(
        [0.0, 1.0], [2.0], [[0, 1]], properties={"p": [3, 4]}, groups={"A": [1]}, modes=[6, 6], units="eV"
    )
    assert network.n_components == 1
    for other in (pickle.loads(pickle.dumps(network)), copy.deepcopy(network)):
        assert (other.units, other.modes.tolist(), other.groups["A"].tolist()) == ("eV", [6, 6], [1])
        assert other.properties["p"].tolist() == [3, 4]
        assert not other.energies.flags.writeable


def test_the_callers_arrays_are_copied():
    energies = np.array([1.0, 2.0])
    network = KineticTransitionNetwork(energies, [], [])
    energies[0] = 5.0
    assert network.energies[0] == 1.0
    assert network.n_components == 2


@settings(max_examples=60, deadline=None)
@given(networks, st.data())
def test_barriers_and_paths_equal_networkx(network, data):
    graph = nx.Graph()
    graph.add_nodes_from(range(network.n_minima))
    for (a, b), height in zip(network.ts_minima.tolist(), network.ts_energies.tolist(), strict=True):
        if a != b and height < graph.get_edge_data(a, b, {"weight": np.inf})["weight"]:
            graph.add_edge(a, b, weight=height)
    tree = nx.minimum_spanning_tree(graph)
    chosen = data.draw(st.permutations(range(network.n_minima)))[:6]
    barriers = network.barrier_matrix(chosen)
    for (i, a), (j, b) in itertools.product(enumerate(chosen), repeat=2):
        if a == b:
            expected = network.energies[a]
        elif nx.has_path(tree, a, b):
            expected = max(tree.edges[edge]["weight"] for edge in nx.utils.pairwise(nx.shortest_path(tree, a, b)))
        else:
            expected = np.inf
        assert barriers[i, j] == expected
        if np.isfinite(expected):
            _check_path(network, a, b, expected)


def _check_path(network, a, b, highest):
    path = network.lowest_barrier_path(a, b)
    assert (path.minima[0], path.minima[-1], path.energy) == (a, b, highest)
    assert len(set(path.minima.tolist())) == len(path.minima) == len(path) + 1
    for k, state in enumerate(path.transition_states):
        assert sorted(network.ts_minima[state].tolist()) == sorted(path.minima[k : k + 2].tolist())


@settings(max_examples=60, deadline=None)
@given(networks)
def test_components_and_degree_equal_networkx(network):
    graph = network.to_networkx()
    assert graph.number_of_edges() == network.n_transition_states
    expected = {frozenset(c) for c in nx.connected_components(graph)}
    assert {frozenset(c.tolist()) for c in network.components} == expected
    sizes = [len(c) for c in network.components]
    assert sizes == sorted(sizes, reverse=True)
    simple = nx.Graph(graph)
    simple.remove_edges_from(list(nx.selfloop_edges(simple)))
    assert network.degree.tolist() == [simple.degree[i] for i in range(network.n_minima)]


def test_to_networkx_carries_energies_and_properties():
    network = KineticTransitionNetwork(
        [0.0, 1.0], [2.0, 3.0], [[0, 1], [0, 1]], properties={"test_auc": [0.5, 0.6]}, ts_properties={"length": [7, 8]}
    )
    graph = network.to_networkx()
    assert graph.nodes[1] == {"energy": 1.0, "test_auc": 0.6}
    assert graph.edges[0, 1, 1] == {"energy": 3.0, "length": 8}


def test_empty_network():
    network = KineticTransitionNetwork([], [], [])
    assert (network.n_minima, network.components, network.n_components) == (0, [], 0)
    assert repr(network) == "<KineticTransitionNetwork: 0 minima, 0 transition states>"
    with pytest.raises(ValueError, match="no minima"):
        _ = network.global_minimum


WRONG = [
    ({"energies": [0.0, np.nan]}, ValueError, r"energies\[1\] is nan"),
    ({"ts_energies": [np.inf]}, ValueError, r"ts_energies\[0\] is inf"),
    ({"energies": [[0.0, 1.0]]}, ValueError, "energies has shape"),
    ({"ts_minima": [[0, 2]]}, ValueError, r"ts_minima\[0\] is \[0, 2\]; indices of the 2 minima run from 0 to 1"),
    ({"ts_minima": [[-1, 0]]}, ValueError, r"ts_minima\[0\]"),
    ({"ts_minima": [[0, 1], [0, 1]]}, ValueError, "ts_minima has shape"),
    ({"ts_minima": [[0.0, 1.0]]}, TypeError, "integers"),
    ({"properties": {"auc": [1.0]}}, ValueError, r"properties\['auc'\] has shape \(1,\); its first length must be 2"),
    ({"ts_properties": {"l": 3.0}}, ValueError, r"ts_properties\['l'\]"),
    ({"log_eigenvalue_product": [1.0]}, ValueError, "log_eigenvalue_product has shape"),
    ({"groups": {"A": [2]}}, IndexError, r"groups\['A'\] is 2"),
    ({"groups": {"A": [0, 0]}}, ValueError, "twice"),
]


@pytest.mark.parametrize(("change", "error", "message"), WRONG)
def test_bad_input_is_named(change, error, message):
    arguments = {"energies": [0.0, 1.0], "ts_energies": [2.0], "ts_minima": [[0, 1]]} | change
    with pytest.raises(error, match=message):
        KineticTransitionNetwork(**arguments)


def test_bad_indices_are_named(small):
    with pytest.raises(IndexError, match="minimum is 4"):
        small.neighbours(4)
    with pytest.raises(TypeError, match="a is 'x'"):
        small.lowest_barrier_path("x", 0)
    with pytest.raises(IndexError, match="minima is -1"):
        small.barrier_matrix([-1])
