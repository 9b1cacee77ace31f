"""Lowest paths and missing connections, against networkx and against everything tried."""

from __future__ import annotations

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from ase import Atoms
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.landscapes.lowest_paths import LowestPaths, pieces_below
from thalweg.landscapes.strategies.distance_graph import DistanceGraph
from thalweg.landscapes.strategies.fingerprints import LENGTH, LONGEST, fingerprint, likeness
from thalweg.potentials import LJAT, Point, as_system

from ..helpers import small_network

EDGES = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(0, 6)), max_size=30)


def graph_of(edges, energies, threshold=np.inf):
    graph = nx.Graph()
    graph.add_nodes_from(range(9))
    graph.add_edges_from((a, b) for (a, b), e in zip(edges.tolist(), energies, strict=True) if e < threshold)
    return graph


@given(EDGES, st.integers(0, 8))
@settings(deadline=None, max_examples=40)
def test_lowest_paths_are_those_of_brute_force(edges, start):
    energies = np.array([e for _, _, e in edges], dtype=float)
    ends = np.array([(a, b) for a, b, _ in edges], dtype=np.int64).reshape(-1, 2)
    paths = LowestPaths(9, ends, energies, start)
    for end in range(9):
        path = paths.to(end)
        joined = [e for e in sorted(set(energies)) if nx.has_path(graph_of(ends, energies, e + 0.5), start, end)]
        if start == end:
            assert (path.minima, path.transition_states) == ((start,), ())
        elif not joined:
            assert path is None
            assert paths.barrier[end] == np.inf
        else:
            assert path.energy == paths.barrier[end] == joined[0] == energies[list(path.transition_states)].max()
            assert (path.minima[0], path.minima[-1]) == (start, end)
            for pair, state in zip(pairwise(path.minima), path.transition_states, strict=True):
                assert set(pair) == set(ends[state].tolist())


@given(EDGES, st.integers(0, 7))
@settings(deadline=None, max_examples=40)
def test_pieces_below_a_threshold_are_those_of_networkx(edges, threshold):
    energies = np.array([e for _, _, e in edges], dtype=float)
    ends = np.array([(a, b) for a, b, _ in edges], dtype=np.int64).reshape(-1, 2)
    pieces = pieces_below(9, ends, energies, threshold)
    graph = graph_of(ends, energies, threshold)
    for a in range(9):
        for b in range(9):
            assert (pieces[a] == pieces[b]) == nx.has_path(graph, a, b)


def random_graph(points, power=1.0):
    graph = DistanceGraph(lambda i, j: float(np.linalg.norm(points[i] - points[j])), {}, power, neighbours=50)
    graph.extend(points)
    return graph


def weight_of(points, power, tries, path):
    return sum((np.sum((points[i] - points[j]) ** 2) * (1 + tries.get((i, j), 0))) ** power for i, j in path)


@pytest.mark.parametrize("power", [1.0, 3.0])
@pytest.mark.parametrize("seed", range(5))
def test_missing_connections_are_the_lightest_of_the_complete_graph(seed, power):
    """With exact fingerprints and an edge between all, the path is networkx's on the complete graph."""
    rng = np.random.default_rng(seed)
    points, pieces = rng.normal(size=(30, 3)), rng.integers(0, 12, 30).astype(np.int32)
    pieces[0], pieces[1] = 0, 1
    tries = {(int(i), int(j)): int(rng.integers(1, 9)) for i, j in np.sort(rng.integers(0, 30, (60, 2)), axis=1)}
    path = random_graph(points, power).missing(0, 1, pieces, tries)
    graph = nx.Graph()
    for i in range(30):
        for j in range(i + 1, 30):
            if pieces[i] == pieces[j]:
                graph.add_edge(i, j, weight=0.0)
            else:
                graph.add_edge(i, j, weight=weight_of(points, power, tries, [(i, j)]))
    assert weight_of(points, power, tries, path) == pytest.approx(nx.dijkstra_path_length(graph, 0, 1), rel=1e-5)
    at = pieces[0]
    for i, j in path:
        assert i < j
        assert at in (pieces[i], pieces[j])
        at = pieces[i] + pieces[j] - at
    assert at == pieces[1]


def test_minima_that_no_path_may_pass_are_left_out():
    points = np.array([[0.0], [10.0], [5.0], [2.5]])
    graph = random_graph(points)
    assert graph.missing(0, 1, np.array([0, 1, 2, 3]), {}) == [(0, 3), (2, 3), (1, 2)]
    assert graph.missing(0, 1, np.array([0, 1, 2, -1]), {}) == [(0, 2), (1, 2)]
    assert graph.missing(0, 1, np.array([0, 1, -1, -1]), {}) == [(0, 1)]


def test_few_distances_are_aligned_among_thousands():
    """A path is chosen among 1,500 minima with a handful of alignments, and the same with what is known already."""
    rng = np.random.default_rng(0)
    points, asked = rng.normal(size=(1500, 6)), []

    def distance(i, j):
        asked.append((i, j))
        return 2.0 * float(np.linalg.norm(points[i] - points[j]))

    graph = DistanceGraph(distance, {})
    graph.extend(points)
    first = graph.missing(0, 1, np.arange(1500), {})
    assert 2 <= len(first) <= len(asked) < 100
    again = DistanceGraph(distance, graph.known)
    again.extend(points)
    assert again.missing(0, 1, np.arange(1500), {}) == graph.missing(0, 1, np.arange(1500), {})


@given(
    seed=st.integers(0, 10**6),
    rows=st.integers(1, 700),
    size=st.sampled_from([1, 6, 64]),
    scale=st.sampled_from([1e-6, 1.0, 1e6]),
    offset=st.sampled_from([0.0, 30.0]),
    cuts=st.lists(st.integers(0, 700), max_size=3),
)
@settings(deadline=None, max_examples=30)
def test_edges_go_to_the_nearest_before_however_many_are_taken_in_at_once(seed, rows, size, scale, offset, cuts):
    """As a scan of all in single precision finds them: of equal ones the first, copies and near copies included."""
    rng = np.random.default_rng(seed)
    points = scale * (offset + rng.normal(size=(rows, size)))
    points[rng.random(rows) < 0.2] = points[0]
    points[rng.random(rows) < 0.2] += 1e-6 * scale
    graph = DistanceGraph(lambda i, j: 0.0, {})
    for part in np.split(points, sorted(min(cut, rows) for cut in cuts)):
        graph.extend(part)
    assert len(graph) == rows
    single = points.astype(np.float32)
    expected, lengths = [], []
    for row in range(rows):
        apart = np.linalg.norm(single[:row] - single[row], axis=1)
        nearest = np.argsort(apart, kind="stable")[:12]
        expected += [(int(other), row) for other in nearest]
        lengths += apart[nearest].tolist()
    assert graph.edges.tolist() == [list(pair) for pair in expected]
    assert graph.lengths.tolist() == lengths


def cluster(n):
    return as_system(Atoms(f"Ar{n}", np.random.default_rng(n).uniform(-1.5, 1.5, (n, 3)), calculator=LJAT(Z=0.0)))


SYSTEMS = {
    "LJ4": cluster(4),
    "LJ13": cluster(13),
    "network": as_system(small_network(hidden=(5, 4))),
    "point": as_system(Point(np.ones(4), calc=np.sum)),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_fingerprints_are_never_further_apart_than_points(name):
    system, rng = SYSTEMS[name], np.random.default_rng(1)
    for size in (0.01, 0.3, 2.0):
        for _ in range(5):
            x = rng.normal(size=system.n)
            y = x + size * rng.normal(size=system.n)
            a, b = fingerprint(system, x), fingerprint(system, y)
            assert len(a) == len(b) <= LENGTH
            assert np.linalg.norm(a - b) <= system.distance(x, y) + 1e-7


def test_copies_of_deep_networks_look_alike():
    """Disturbed copies of a few points are each nearest to their own, and shortening brings none further apart."""
    system, rng = as_system(small_network(hidden=(5, 4))), np.random.default_rng(0)
    points = rng.normal(size=(12, system.n))
    copies = np.array([system.symmetry.random_copy(x + 0.05 * rng.normal(size=x.size), rng) for x in points])
    vectors = likeness(system, points[0], np.concatenate([points, copies]))
    apart = np.linalg.norm(vectors[:12, None] - vectors[None, 12:], axis=2)
    assert np.argmin(apart, axis=1).tolist() == list(range(12))
    wide = as_system(small_network(hidden=(40, 30)))
    points = rng.normal(size=(4, wide.n))
    vectors = likeness(wide, points[0], points)
    assert vectors.shape == (4, LONGEST)
    aligned = wide.align_all(points[0], points)
    for i in range(4):
        for j in range(4):
            assert np.linalg.norm(vectors[i] - vectors[j]) <= np.linalg.norm(aligned[i] - aligned[j]) + 1e-9
