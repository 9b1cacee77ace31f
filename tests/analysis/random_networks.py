"""Random networks for the tests of analysis."""

from __future__ import annotations

import networkx as nx
import numpy as np
from hypothesis import strategies as st

from thalweg.analysis import KineticTransitionNetwork


def random_network(seed: int, n: int, m: int) -> KineticTransitionNetwork:
    """Funnels of all shapes: transition states above their minima, self-joining and parallel ones among them."""
    rng = np.random.default_rng(seed)
    energies = rng.normal(size=n) * rng.choice([0.1, 1.0, 5.0])
    ends = rng.integers(n, size=(m, 2))
    if rng.random() < 0.5:  # mostly one component
        ends[: n - 1, 0] = np.arange(1, n)[: len(ends[: n - 1])]
        ends[: n - 1, 1] = (np.arange(1, n) * rng.random(n - 1) ** rng.choice([1, 3])).astype(int)[: len(ends[: n - 1])]
    above = rng.exponential(rng.choice([0.05, 1.0]), size=m)
    return KineticTransitionNetwork(energies, energies[ends].max(axis=1) + above, ends)


networks = st.builds(random_network, st.integers(0, 2**32), st.integers(1, 60), st.integers(0, 120))


def reference_superbasins(network: KineticTransitionNetwork, energy: float) -> set[frozenset[int]]:
    """Connected components by networkx of all that lies at or below an energy."""
    graph = nx.Graph()
    graph.add_nodes_from(np.flatnonzero(network.energies <= energy).tolist())
    for (a, b), height in zip(network.ts_minima.tolist(), network.ts_energies.tolist(), strict=True):
        if height <= energy and a in graph and b in graph:
            graph.add_edge(a, b)
    return {frozenset(component) for component in nx.connected_components(graph)}
