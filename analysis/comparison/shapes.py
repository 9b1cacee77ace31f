"""Measures of curvatures, path lengths and distances.

Every measure is defined, with its source, in docs/compare.md.
"""

from __future__ import annotations

import os

import numpy as np

from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork

__all__ = ["curvature_measures", "distance_measures", "followed_lengths", "length_measures", "mean_log_curvature"]

_LARGEST_HESSIAN = 500


def mean_log_curvature(products: np.ndarray | None, modes: np.ndarray | None) -> np.ndarray | None:
    """Return the mean logarithm of the positive Hessian eigenvalues of each point; None where it is not known."""
    if products is None or modes is None or not len(products) or not (modes > 0).all():
        return None
    values = products / modes
    return values if np.isfinite(values).all() else None


def curvature_measures(network: KineticTransitionNetwork) -> dict[str, float]:
    """Return figures of the Hessian spectra of minima and transition states; NaN where they are not known."""
    minima = mean_log_curvature(network.log_eigenvalue_product, network.modes)
    states = mean_log_curvature(network.ts_log_eigenvalue_product, network.ts_modes)
    return {
        "mean log curvature": _mean(minima),
        "spread of log curvatures": float("nan") if minima is None else float(minima.std()),
        "log curvature, transition states - minima": _mean(states) - _mean(minima),
        "softest / mean curvature": _relative(network.properties.get("lowest_eigenvalue"), minima),
        "negative / mean curvature": _relative(network.ts_properties.get("lowest_eigenvalue"), states),
    }


def _mean(values: np.ndarray | None) -> float:
    return float("nan") if values is None else float(values.mean())


def _relative(eigenvalue: np.ndarray | None, mean_log: np.ndarray | None) -> float:
    """Return the median of an eigenvalue's size over the geometric mean of the point's positive ones."""
    if eigenvalue is None or mean_log is None:
        return float("nan")
    known = np.isfinite(eigenvalue)
    return float(np.median(np.abs(eigenvalue[known]) / np.exp(mean_log[known]))) if known.any() else float("nan")


def length_measures(network: KineticTransitionNetwork) -> dict[str, float]:
    """Return the median length of pathways, both sides together; NaN where they are not known."""
    length = network.ts_properties.get("path_length")
    known = np.empty(0) if length is None else np.asarray(length, dtype=np.float64).sum(axis=1)
    known = known[np.isfinite(known)]
    return {"path length": float(np.median(known)) if len(known) else float("nan")}


def followed_lengths(
    path: str | os.PathLike[str], network: KineticTransitionNetwork, sample: int = 20, seed: int = 0
) -> float:
    """Return the median length of pathways of a store that does not have them, by following some of them.

    Parameters
    ----------
    path : path
        Of the store.
    network : KineticTransitionNetwork
        Read from it.
    sample : int
        Number of transition states, drawn at random, where there are more.
    seed : int
        Of the draw.

    Returns
    -------
    float
        NaN where the potential has no Hessian of its own, as calculators of ASE have none, or too large a one.
    """
    from thalweg.landscapes import Landscape
    from thalweg.landscapes.maintenance.fill_path_lengths import path_lengths

    label = network.component_labels
    rows = np.flatnonzero((label[network.ts_minima] == label[network.global_minimum]).all(axis=1) & network.joining)
    if len(rows) > sample:
        rows = np.random.default_rng(seed).choice(rows, sample, replace=False)
    with Landscape.open(path) as landscape:
        try:
            system = landscape.system
        except ValueError:  # a calculator that needs trust
            return float("nan")
        if not system.has_hessian or system.n_free > _LARGEST_HESSIAN:
            return float("nan")
        lengths = np.array([path_lengths(landscape, int(row)) for row in rows]).sum(axis=1)
    known = lengths[np.isfinite(lengths)]
    return float(np.median(known)) if len(known) else float("nan")


def distance_measures(
    path: str | os.PathLike[str], network: KineticTransitionNetwork, sample: int = 100, seed: int = 0
) -> dict[str, float]:
    """Return median distances between minima of a store, after alignment: of joined pairs, and of random pairs.

    Parameters
    ----------
    path : path
        Of the store.
    network : KineticTransitionNetwork
        Read from it.
    sample : int
        Largest number of pairs of each kind; where there are more, this number is drawn at random.
    seed : int
        Of the draw.
    """
    from thalweg.landscapes import Landscape

    with Landscape.open(path) as landscape:
        try:
            system = landscape.geometry
        except ValueError:  # a potential that this program does not know: there is no alignment
            return {"distance of joined minima": float("nan"), "distance of random minima": float("nan")}
        pairs = _pairs(network, sample, seed)
        rows = np.unique(np.concatenate(list(pairs.values())))
        x = {int(row): landscape.minima.coordinates[int(row)] for row in rows}
    result = {}
    for name, chosen in pairs.items():
        found = [system.distance(x[a], x[b]) for a, b in chosen.tolist()]
        result[f"distance of {name} minima"] = float(np.median(found)) if found else float("nan")
    return result


def _pairs(network: KineticTransitionNetwork, sample: int, seed: int) -> dict[str, np.ndarray]:
    """Return pairs of minima that a transition state joins, and random pairs of different minima."""
    rng = np.random.default_rng(seed)
    joined = np.unique(np.sort(network.ts_minima[network.ts_minima[:, 0] != network.ts_minima[:, 1]], axis=1), axis=0)
    if len(joined) > sample:
        joined = joined[rng.choice(len(joined), sample, replace=False)]
    first = rng.integers(network.n_minima, size=sample)
    second = (first + rng.integers(1, network.n_minima, size=sample)) % network.n_minima
    return {"joined": joined, "random": np.stack([first, second], axis=1)}
