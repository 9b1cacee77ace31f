"""Superbasins against networkx, and the shape of the tree."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.analysis import DisconnectivityGraph, KineticTransitionNetwork

from ..random_networks import networks, reference_superbasins


def as_sets(superbasins):
    return {frozenset(members.tolist()) for members in superbasins}


@settings(max_examples=100, deadline=None)
@given(networks, st.integers(1, 40))
def test_superbasins_at_every_level_are_networkx_components(network, levels):
    graph = DisconnectivityGraph(network, levels=levels)
    for number, energy in enumerate(graph.levels):
        expected = reference_superbasins(network, energy)
        assert as_sets(graph.superbasins(energy)) == expected
        assert as_sets(graph.tree.superbasins(number)) == expected


@settings(max_examples=60, deadline=None)
@given(networks, st.floats(0, 1))
def test_superbasins_at_any_energy(network, fraction):
    """Also where energies tie, at and just below a transition state."""
    graph = DisconnectivityGraph(network)
    heights = np.sort(np.concatenate([network.energies, network.ts_energies]))
    energy = heights[int(fraction * (len(heights) - 1))]
    for height in (energy, np.nextafter(energy, -np.inf), energy + 0.1):
        found = graph.superbasins(height)
        assert as_sets(found) == reference_superbasins(network, height)
        depths = [network.energies[members].min() for members in found]
        assert depths == sorted(depths)


@settings(max_examples=60, deadline=None)
@given(networks, st.integers(1, 40), st.integers(1, 20))
def test_shape_of_the_tree(network, levels, lowest):
    tree = DisconnectivityGraph(network, levels=levels, lowest=lowest).tree
    inner = np.arange(tree.n_leaves, tree.n_nodes)
    assert tree.n_leaves == min(lowest, network.n_minima)
    assert (tree.level[: tree.n_leaves] == -1).all()
    assert all(len(tree.children(node)) >= 2 for node in inner)
    assert all(len(tree.children(leaf)) == 0 for leaf in range(tree.n_leaves))
    below = np.flatnonzero(tree.parent >= 0)
    assert (tree.parent[below] > below).all()
    assert (tree.level[tree.parent[below]] > tree.level[below]).all()
    for node in inner:
        children = tree.children(node)
        assert tree.size[node] == tree.size[children].sum()
        assert tree.lowest[node] == tree.lowest[children[0]]
        assert tree.leaf_energy[tree.lowest[node]] == tree.leaf_energy[tree.lowest[children]].min()


@settings(max_examples=60, deadline=None)
@given(networks, st.integers(1, 20))
def test_minima_not_shown_still_connect(network, lowest):
    graph = DisconnectivityGraph(network, lowest=lowest)
    shown = set(graph.minima.tolist())
    assert shown == set(np.argsort(network.energies, kind="stable")[:lowest].tolist())
    for number, energy in enumerate(graph.levels):
        expected = {members & shown for members in reference_superbasins(network, energy)} - {frozenset()}
        assert as_sets(graph.tree.superbasins(number)) == expected


@settings(max_examples=40, deadline=None)
@given(networks)
def test_connected_to_shows_one_component(network):
    graph = DisconnectivityGraph(network, connected_to=0)
    assert set(graph.minima.tolist()) == nx.node_connected_component(network.to_networkx(), 0)
    assert len(graph.tree.roots) == 1


def test_all_that_is_joined_is_joined_at_the_top():
    network = KineticTransitionNetwork([0.0, 1.0, 0.5, 0.2], [2.0, 3.0, 8.0], [[0, 1], [1, 2], [2, 2]])
    graph = DisconnectivityGraph(network, levels=6)
    assert graph.levels.tolist() == [0.5, 1.0, 1.5, 2.0, 2.5, 3.0]
    assert len(graph.tree.roots) == network.n_components == 2
    assert "4 leaves, 2 superbasins" in repr(graph.tree)
    cut = DisconnectivityGraph(network, levels=5, emin=0.0, emax=2.5)
    assert [s.tolist() for s in cut.tree.superbasins(4)] == [[0, 1], [3], [2]]
    hidden = DisconnectivityGraph(network, emax=0.75)
    assert hidden.minima.tolist() == [0, 2, 3]


def test_transition_state_below_its_minimum_joins_where_the_minimum_is():
    network = KineticTransitionNetwork([0.0, 1.0], [0.9], [[0, 1]])
    graph = DisconnectivityGraph(network)
    assert [s.tolist() for s in graph.superbasins(0.95)] == [[0]]
    assert [s.tolist() for s in graph.superbasins(1.0)] == [[0, 1]]


def test_levels_of_ones_own():
    network = KineticTransitionNetwork([0.0, 1.0], [1.7], [[0, 1]])
    assert DisconnectivityGraph(network, levels=[1.0, 2.0, 4.0]).tree.level.tolist() == [-1, -1, 1]


WRONG = [
    ({"levels": 0}, ValueError, "levels is 0"),
    ({"levels": 2.5}, ValueError, "levels is 2.5"),
    ({"levels": [2.0, 1.0]}, ValueError, "levels must"),
    ({"levels": [1.0, 2.0], "emax": 3.0}, ValueError, "emin and emax"),
    ({"emin": 5.0, "emax": 1.0}, ValueError, "emax is 1; it must be above emin, which is 5"),
    ({"emax": np.nan}, ValueError, "emax is nan"),
    ({"levels": [-3.0, -2.0]}, ValueError, "below every minimum"),
    ({"lowest": 0}, ValueError, "lowest is 0"),
    ({"connected_to": 2}, IndexError, "connected_to is 2"),
]


@pytest.mark.parametrize(("arguments", "error", "message"), WRONG)
def test_bad_input_is_named(arguments, error, message):
    network = KineticTransitionNetwork([0.0, 1.0], [1.7], [[0, 1]])
    with pytest.raises(error, match=message):
        DisconnectivityGraph(network, **arguments)


def test_empty_network_and_wrong_types():
    with pytest.raises(ValueError, match="no minima"):
        DisconnectivityGraph(KineticTransitionNetwork([], [], []))
    with pytest.raises(TypeError, match="network is a list"):
        DisconnectivityGraph([1.0])
    with pytest.raises(ValueError, match="energy is nan"):
        DisconnectivityGraph(KineticTransitionNetwork([0.0], [], [])).superbasins(np.nan)
