"""How often forecasts of what remains hold: looked at early, beside what later searches found.

    python -m tests.benchmarks.discoveries.bench_forecast STORE [STORE ...]

Stores are of landscapes that were explored far by one strategy. After 600, 1,000, 1,600 ... searches each is asked how
many new points as many searches again will find; and how many remain, where the literature has all points of a cluster
(LJ7 to LJ11) or four times as many searches followed: these are then a lower bound of what remained. Beside the
forecast's 95 % intervals stand those of Chao's estimate.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np

from thalweg.landscapes import Landscape, estimate
from thalweg.landscapes.discoveries.found_points import Discoveries

TIMES = (600, 1000, 1600, 2500, 4000, 6400, 10000, 16000, 25000)
KNOWN = {"lj7": (4, 12), "lj8": (8, 42), "lj9": (21, 165), "lj10": (64, 635), "lj11": (170, 2424)}
"""Minima and transition states of LJ7 to LJ11: J. P. K. Doye and D. J. Wales, J. Chem. Phys. 116 (2002) 3777."""


def counts_after(found: Discoveries, group: str, searches: int) -> np.ndarray:
    """Return how often each point had been found after so many searches, as Chao's estimate takes it."""
    columns = found._store.columns
    kinds = np.array(columns["searches/kind"].attributes["meanings"])[columns["searches/kind"].read(0, searches)]
    start = columns["searches/start"].read(0, searches)
    ends = columns[f"searches/{group}_end"].read(0, searches)
    points = columns[f"searches/{group}"].read(0, int(ends[-1]))
    mine = (kinds == "from a transition state") == (group == "transition_states")
    start = np.where(mine[:, None], start, -1)
    search = np.repeat(np.arange(searches), np.diff(np.append(0, ends)))
    return np.bincount(points[(points[:, None] != start[search]).all(axis=1)])


class Look(NamedTuple):
    """What was forecast after some searches, and what came: a line of text, and which intervals hold."""

    line: str
    held: dict[str, bool]


def look(found: Discoveries, group: str, searches: int, hops: int, known: int | None) -> Look:
    """Compare the forecast after some searches with what came later."""
    said, chao = found.forecast(group, searches), estimate(counts_after(found, group, searches))
    first = found._first[group]
    now = int(np.count_nonzero((first > 0) & (first <= searches)))
    again = int(np.count_nonzero((first > searches) & (first <= 2 * searches - hops)))
    line = f"{group} after {searches}: {now}, then {again} new, "
    line += f"forecast {said.next:.0f} ({said.next_low:.0f} to {said.next_high:.0f})"
    held = {"next": said.next_low <= again <= said.next_high}
    if known is not None or found._read >= 4 * searches:
        rest = (int(np.count_nonzero(first)) if known is None else known) - now
        line += f"; {rest} remained{'' if known else ' at least'}, "
        line += f"forecast {said.remaining:.0f} ({said.low:.0f} to {said.high:.0f}), "
        line += f"Chao {chao.remaining:.0f} ({chao.low:.0f} to {chao.high:.0f})"
        held |= {"remaining": said.low <= rest <= said.high, "Chao's": chao.low <= rest <= chao.high}
    return Look(line, held)


def main(paths: list[str]) -> None:
    """Print a line for each look, and how many intervals held."""
    held: dict[str, list[bool]] = defaultdict(list)
    for path in map(Path, paths):
        found = Landscape.open(path).discoveries()
        hops = int(np.count_nonzero(found._hops))
        both = KNOWN.get(path.stem.split("-")[0], (None, None))
        for group, known in zip(("minima", "transition_states"), both, strict=True):
            for searches in (time for time in TIMES if hops < time and 2 * time - hops <= found._read):
                seen = look(found, group, searches, hops, known)
                print(path.stem, seen.line, flush=True)
                for name, holds in seen.held.items():
                    held[name].append(holds)
    print(", ".join(f"{name}: {sum(each)} of {len(each)} intervals hold" for name, each in held.items()))


if __name__ == "__main__":
    main(sys.argv[1:])
