"""Which kinds of search arrive at the rarest transition states, and which found the last ones first.

    python -m tests.benchmarks.discoveries.bench_kinds STORE [STORE ...]

Stores are of landscapes that were explored far. Rare is the tenth of the transition states that was found least often.
A search that comes back to the point it started from counts as none.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from thalweg.landscapes import Landscape
from thalweg.landscapes.records import BASIN_HOPPING, FROM_STATE, SINGLE_ENDED


def kinds_of(landscape: Landscape) -> np.ndarray:
    """Return the kind of each search; single-ended ones from random points have a kind of their own."""
    kinds, start = np.array(landscape.searches.kind[:], dtype=object), landscape.searches.start[:][:, 0]
    kinds[(kinds == SINGLE_ENDED) & (start < 0)] = "single-ended from a random point"
    return kinds


def arrivals(landscape: Landscape, kinds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return for each arrival at a transition state the search, and the row of the state."""
    searches = landscape.searches
    ends, points = searches.transition_states_end[:], searches.transition_states[:]
    search = np.repeat(np.arange(len(ends)), np.diff(np.append(0, ends)))
    start = np.where(kinds == FROM_STATE, searches.start[:][:, 0], -1)
    elsewhere = points != start[search]
    return search[elsewhere], points[elsewhere]


def table(path: Path) -> None:
    """Print for each kind the share of its searches that arrive at rare points, and how many late ones it found."""
    with Landscape.open(path) as landscape:
        kinds = kinds_of(landscape)
        search, points = arrivals(landscape, kinds)
        states, energy = len(landscape.transition_states), landscape.transition_states.energy[:]
    times = np.bincount(points, minlength=states)
    rows, place = np.unique(points, return_index=True)
    first = search[place]
    order = np.argsort(times, kind="stable")
    rare, late = order[: max(states // 10, 1)], rows[np.argsort(first)][-max(states // 10, 1) :]
    print(f"{path.stem}: {states} transition states after {(kinds != BASIN_HOPPING).sum()} searches")
    for kind in sorted(set(kinds[search].tolist())):
        mine = kinds[search] == kind
        number = int((kinds == kind).sum())
        share = np.isin(points[mine], rare).sum() / number
        brought = int((kinds[first[np.isin(rows, late)]] == kind).sum())
        print(f"  {kind}: {number} searches, {1000 * share:.1f} of 1,000 at a rare one, {brought} late ones first")
    for row in order[:3]:
        by = [f"{(kinds[search[points == row]] == kind).sum()} {kind}" for kind in sorted(set(kinds[search].tolist()))]
        print(f"  rarest: {energy[row]:.6f}, {times[row]} times: {', '.join(by)}")


if __name__ == "__main__":
    for given in sys.argv[1:]:
        table(Path(given))
