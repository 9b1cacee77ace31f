"""How often a band joins the two minima between which it is stretched, by their distance.

    python -m tests.benchmarks.networks.bench_bands STORE [STORE ...]

Reads landscapes that were explored; nothing is searched. Joined are two minima by the transition states of one search.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np

from thalweg.landscapes import Landscape
from thalweg.landscapes.lowest_paths import pieces_below
from thalweg.landscapes.records import DOUBLE_ENDED

_EDGES = (0.0, 1.0, 2.0, 4.0, 8.0, np.inf)


def bands(landscape: Landscape) -> np.ndarray:
    """Return a row for each double-ended search: distance of its ends, whether it joined them, and its steps."""
    searches = landscape.searches
    kinds, starts, steps = np.array(searches.kind[:], dtype=object), searches.start[:], searches.steps[:]
    ends, points = np.append(0, searches.transition_states_end[:]), searches.transition_states[:]
    minima, coordinates = landscape.transition_states.minima[:], landscape.minima.coordinates[:]
    rows = []
    for search in np.flatnonzero(kinds == DOUBLE_ENDED).tolist():
        first, second = starts[search].tolist()
        edges = minima[points[ends[search] : ends[search + 1]]]
        nodes, places = np.unique(np.append(edges.ravel(), [first, second]), return_inverse=True)
        pieces = pieces_below(len(nodes), places[:-2].reshape(-1, 2), np.zeros(len(edges)), np.inf)
        distance = landscape.system.distance(coordinates[first], coordinates[second])
        rows.append((distance, pieces[places[-2]] == pieces[places[-1]], steps[search]))
    return np.array(rows, dtype=np.float64)


def table(path: Path) -> None:
    """Print the share of the bands that joined their ends, and their steps, in ranges of the distance."""
    with Landscape.open(path) as landscape:
        rows = bands(landscape)
    print(f"{path.stem}: {len(rows)} double-ended searches")
    for low, high in pairwise(_EDGES):
        some = rows[(rows[:, 0] >= low) & (rows[:, 0] < high)]
        if len(some):
            print(f"  {low:g} to {high:g}: {some[:, 1].sum():.0f} of {len(some)} joined, {some[:, 2].mean():.0f} steps")


if __name__ == "__main__":
    for given in sys.argv[1:]:
        table(Path(given))
