"""Pieces kept up to date one edge at a time, against networkx from scratch; and what Connect chooses from them."""

from __future__ import annotations

import time

import networkx as nx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.landscapes import DOUBLE_ENDED, FROM_STATE, SINGLE_ENDED, Landscape, Search
from thalweg.landscapes.records import TaskResult
from thalweg.landscapes.strategies.components import Components
from thalweg.landscapes.strategies.connect import Connect


def largest(energies, edges):
    graph = nx.Graph(edges)
    graph.add_nodes_from(range(len(energies)))
    return max(nx.connected_components(graph), key=lambda piece: (len(piece), -min(piece)))


def check(pieces, energies, edges):
    main = largest(energies, edges)
    assert {node for node in range(len(energies)) if pieces.root(node) == pieces.main} == main
    assert set(pieces.outside()) == set(range(len(energies))) - main
    assert pieces.inside() == sorted(main, key=lambda node: (energies[node], node))[:3]
    assert sorted(pieces.members(pieces.main)) == sorted(main)


@given(
    known=st.integers(0, 6),
    energies=st.lists(st.integers(0, 5), min_size=1, max_size=14),
    pairs=st.lists(st.tuples(st.integers(0, 13), st.integers(0, 13)), max_size=25),
    before=st.integers(0, 10),
)
@settings(deadline=None)
def test_pieces_are_those_of_networkx_after_every_edge(known, energies, pairs, before):
    known = min(known, len(energies))
    start = [pair for pair in pairs[:before] if max(pair) < known]
    pieces = Components(np.array(energies[:known], float), np.array(start, dtype=int).reshape(-1, 2), 3)
    for energy in energies[known:]:
        pieces.add(float(energy))
    edges = list(start)
    check(pieces, energies, edges)
    for a, b in pairs[before:]:
        if max(a, b) < len(energies):
            main = largest(energies, edges)
            edges.append((a, b))
            left = pieces.join(a, b)
            check(pieces, energies, edges)
            assert set(left) == main - largest(energies, edges)


def scanned_pair(landscape, pairs):
    """What a look at everything would choose."""
    energies, edges = landscape.minima.energy[:].tolist(), landscape.transition_states.minima[:].tolist()
    main = largest(energies, edges)
    outside = set(range(len(energies))) - main
    if not outside:
        return None
    row = min(outside, key=lambda k: (pairs.get(k, 0), energies[k], k))
    x = landscape.minima.coordinates[:]
    inside = sorted(main, key=lambda k: (energies[k], k))[: Connect._partners]
    # by fives that look alike, and among these by distance; MadeUp's points look alike where sorted |x| does
    alike = sorted(inside, key=lambda k: np.linalg.norm(np.sort(np.abs(x[row])) - np.sort(np.abs(x[k]))))
    fives = [alike[first : first + 5] for first in range(0, len(alike), 5)]
    nearest = [k for five in fives for k in sorted(five, key=lambda k: landscape.system.distance(x[row], x[k]))]
    return row, nearest[pairs.get(row, 0) % len(nearest)]


def test_connect_chooses_what_a_scan_would(made_up, tmp_path):
    rng = np.random.default_rng(0)
    with Landscape(made_up.Searched(), tmp_path / "a.zarr") as landscape:
        for k in range(30):
            landscape.add_minimum(made_up.minimum(k))
        strategy, pairs = Connect(landscape, [], 2), {}
        tries = {SINGLE_ENDED: {}, FROM_STATE: {}}
        for number in range(120):
            expected = scanned_pair(landscape, pairs) if number % 4 == 3 else None
            choice = strategy.choose(number, 2)
            if expected:
                assert (choice.kind, choice.starts) == (DOUBLE_ENDED, (expected,))
                pairs[expected[0]] = pairs.get(expected[0], 0) + 1
            else:
                states = len(landscape.transition_states)
                assert choice.kind == (FROM_STATE if states and number % 2 == 0 else SINGLE_ENDED)
                mine, rows = tries[choice.kind], states if choice.kind == FROM_STATE else len(landscape.minima)
                for row, other in choice.starts:
                    assert other == -1
                    if row < 0:  # from anywhere
                        continue
                    least = min(mine.get(k, 0) for k in range(rows))
                    assert mine.get(row, 0) == least
                    mine[row] = least + 1
            a, b = (int(k) for k in rng.integers(0, 40, 2))
            found = (made_up.transition_state(number, a, b),) if number % 2 else ()
            searches = [Search(number, choice.kind, start=start, transition_states=found) for start in choice.starts]
            strategy.added(choice, TaskResult(tuple(searches)), landscape.add_task("connect", searches))
            if number == 60:  # opened again, it goes on in the same way
                strategy = Connect(landscape, [], 2)
        assert scanned_pair(landscape, pairs) is None or pairs


def test_pieces_of_half_a_million_edges_are_ready_in_seconds():
    rng = np.random.default_rng(0)
    energies, edges = rng.normal(size=200_000), rng.integers(0, 200_000, (500_000, 2))
    began = time.perf_counter()
    pieces = Components(energies, edges, 50)
    list(pieces.outside())
    built = time.perf_counter() - began
    began = time.perf_counter()
    for energy in energies[:20_000].tolist():
        pieces.join(pieces.add(energy), int(rng.integers(0, 200_000)))
    assert built < 10
    assert time.perf_counter() - began < 5
