"""Parts of networks against networkx, and against a plain reading of what their limits say."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.analysis import DisconnectivityGraph, KineticTransitionNetwork, MolecularMotion

from ..random_networks import networks

NETWORK = KineticTransitionNetwork(
    [0.0, 1.0, 0.5, 2.0, 0.2],
    [2.0, 3.0, 2.5, 4.0, 2.6],
    [[0, 1], [1, 2], [2, 0], [2, 3], [1, 1]],
    log_eigenvalue_product=[1, 2, 3, 4, 5],
    ts_log_eigenvalue_product=[1, 2, 3, 4, 5],
    properties={"auc": [0.1, 0.2, 0.3, 0.4, 0.5]},
    groups={"A": [2, 3], "B": [0]},
)


def _kept(part):
    return part.properties["row"].tolist(), part.ts_properties["row"].tolist()


@pytest.mark.parametrize(
    ("limits", "minima", "states"),
    [
        ({}, [0, 1, 2, 3, 4], [0, 1, 2, 3, 4]),
        ({"minima": [2, 0]}, [0, 2], [2]),
        ({"minima": 1}, [1], [4]),
        ({"below": 2.5}, [0, 1, 2, 3, 4], [0, 2]),
        ({"below": 1.5}, [0, 1, 2, 4], []),
        ({"max_ts_energy": 2.6}, [0, 1, 2, 3, 4], [0, 2, 4]),
        ({"max_barrier": 1.9}, [0, 1, 2, 3, 4], [0, 4]),  # 1, 2, 2, 2, 1.6 from the higher side
        ({"max_barrier": -1}, [0, 1, 2, 3, 4], []),
        ({"min_connections": 1}, [0, 1, 2, 3], [0, 1, 2, 3, 4]),
        ({"min_connections": 2}, [0, 1, 2], [0, 1, 2, 4]),
        ({"connected_to": 3}, [0, 1, 2, 3], [0, 1, 2, 3, 4]),
        ({"connected_to": [4]}, [4], []),
        ({"max_ts_energy": 2.2, "connected_to": 0}, [0, 1], [0]),
    ],
)
def test_each_limit(limits, minima, states):
    assert _kept(NETWORK.part(**limits)) == (minima, states)


def test_everything_else_comes_along_and_is_numbered_anew():
    part = NETWORK.part(minima=[3, 2, 0])
    assert part.energies.tolist() == [0.0, 0.5, 2.0]
    assert part.ts_minima.tolist() == [[1, 0], [1, 2]]
    assert part.log_eigenvalue_product.tolist() == [1, 3, 4]
    assert part.ts_log_eigenvalue_product.tolist() == [3, 4]
    assert part.properties["auc"].tolist() == [0.1, 0.3, 0.4]
    assert {name: members.tolist() for name, members in part.groups.items()} == {"A": [1, 2], "B": [0]}
    assert part.kinetics(temperature=0.3).n_states == 3
    again = part.part(minima=[2, 1])
    assert _kept(again) == ([2, 3], [3])


def test_vibrations_come_along():
    still = np.zeros((3, 3)), np.zeros((2, 3))
    motion = MolecularMotion(np.array([[200.0], [250.0], [300.0]]), np.array([[-90.0], [-80.0]]), *still, True)
    network = KineticTransitionNetwork([0, 0.1, 0.2], [0.5, 0.6], [[0, 1], [1, 2]], units="eV", motion=motion)
    part = network.part([1, 2])
    expected = network.kinetics(kelvin=300).rates.toarray()[1:, 1:]
    np.testing.assert_allclose(part.kinetics(kelvin=300).rates.toarray(), expected, rtol=1e-12)


@given(
    networks,
    st.integers(0, 3),
    st.floats(0, 3),
    st.floats(-2, 6),
    st.booleans(),
)
def test_limits_together(network, fewest, barrier, highest, connected):
    graph = nx.MultiGraph()
    graph.add_nodes_from(range(network.n_minima))
    for t, (a, b) in enumerate(network.ts_minima.tolist()):
        energy = network.ts_energies[t]
        if energy <= highest and min(energy - network.energies[[a, b]]) <= barrier:
            graph.add_edge(a, b, t)
    while few := [i for i in graph if len(set(graph[i]) - {i}) < fewest]:
        graph.remove_nodes_from(few)
    limits = {"max_ts_energy": highest, "max_barrier": barrier, "min_connections": fewest}
    if not graph:
        with pytest.raises(ValueError, match="nothing is left"):
            network.part(**limits)
        return
    if connected:
        lowest = min(graph, key=network.energies.__getitem__)
        limits["connected_to"] = lowest
        graph = graph.subgraph(nx.node_connected_component(graph, lowest))
    part = network.part(**limits)
    assert _kept(part) == (sorted(graph), sorted(t for _, _, t in graph.edges(keys=True)))
    assert part.n_components == nx.number_connected_components(graph)


def test_what_is_left_out_joins_nothing_in_a_graph():
    network = KineticTransitionNetwork([0.0, 1.0, 0.0], [2.0, 3.0], [[0, 1], [1, 2]])
    assert len(DisconnectivityGraph(network.part([0, 2])).tree.roots) == 2
    assert len(DisconnectivityGraph(network, lowest=2).tree.roots) == 1


@pytest.mark.parametrize(
    ("limits", "error", "message"),
    [
        ({"minima": [7]}, IndexError, "minima is 7"),
        ({"minima": [1, 1]}, ValueError, "minima names a minimum twice"),
        ({"minima": []}, ValueError, "nothing is left"),
        ({"below": -1}, ValueError, "nothing is left"),
        ({"below": float("nan")}, ValueError, "below is nan"),
        ({"max_barrier": "low"}, TypeError, "max_barrier"),
        ({"min_connections": -1}, ValueError, "min_connections"),
        ({"min_connections": 1.5}, ValueError, "min_connections"),
        ({"minima": [0, 1], "connected_to": 2}, ValueError, "connected_to names minimum 2, which is left out"),
    ],
)
def test_limits_that_make_no_sense(limits, error, message):
    with pytest.raises(error, match=message):
        NETWORK.part(**limits)
