"""Measures of the graph of minima: degrees, clustering, distances in steps, assortativity.

Every measure is defined, with its source, in docs/compare.md.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse.csgraph import dijkstra

from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork

__all__ = ["graph_measures"]


def graph_measures(network: KineticTransitionNetwork, sample: int = 1000, seed: int = 0) -> dict[str, float]:
    """Return figures of a connected network as a simple graph: parallel transition states count once.

    Parameters
    ----------
    network : KineticTransitionNetwork
        Connected, at least two minima.
    sample : int
        Largest number of minima for the mean clustering and for mean distances, which are means over all paths from
        these minima. Where there are more minima, this number is drawn at random.
    seed : int
        Of the draw.
    """
    import networkx as nx

    n, degree = network.n_minima, network.degree
    graph = nx.Graph()
    graph.add_nodes_from(range(n))
    graph.add_edges_from(network.ts_minima.tolist())
    chosen = np.arange(n)
    if n > sample:
        chosen = np.sort(np.random.default_rng(seed).choice(n, sample, replace=False))
    clustering = float(nx.average_clustering(graph, nodes=chosen.tolist()))
    distance = _mean_distance(network, chosen)
    mean = float(degree.mean())
    random_clustering = mean / (n - 1)
    random_distance = np.log(n) / np.log(mean) if mean > 1 else np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        small_world = (clustering / random_clustering) / (distance / random_distance)
    return {
        "mean degree": mean,
        "largest degree": float(degree.max()),
        "clustering": clustering,
        "clustering / random": clustering / random_clustering,
        "steps between minima": distance,
        "steps / random": float(distance / random_distance),
        "small-world index": float(small_world),
        "assortativity": _assortativity(graph, degree),
    }


def _mean_distance(network: KineticTransitionNetwork, sources: np.ndarray, block: int = 64) -> float:
    """Return the mean number of steps from some minima to all others."""
    adjacency, total = network.adjacency, 0.0
    for first in range(0, len(sources), block):
        total += float(dijkstra(adjacency, unweighted=True, indices=sources[first : first + block]).sum())
    return total / (len(sources) * (network.n_minima - 1))


def _assortativity(graph: object, degree: np.ndarray) -> float:
    """Return the correlation of the degrees of joined minima; NaN where all degrees are equal."""
    import networkx as nx

    if np.ptp(degree) == 0:
        return float("nan")
    return float(nx.degree_assortativity_coefficient(graph))
