"""How a landscape grows: the time to reach given numbers of minima and transition states, and what remains then.

    python -m tests.benchmarks.bench_growth D1 --seeds 0 1 2 --minima 122 --states 592 --seconds 180

By the clock, on all processors, for each seed: a line a slice, with what probably remains by the stopping estimate. The
seed draws the training points too. Run from the repository's root.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from thalweg.analysis.systems.named import build, default_options
from thalweg.landscapes import Landscape
from thalweg.landscapes.discoveries.found_points import Discoveries


def said(landscape: Landscape, found: Discoveries) -> str:
    """Say what is known and what is not."""
    known = [found.forecast(group) for group in ("minima", "transition_states")]
    rest = [f"{one.remaining:.0f} ({one.low:.0f} to {one.high:.0f})" for one in known]
    return (
        f"{len(landscape.searches):6} searches: {len(landscape.minima)} minima, {len(landscape.transition_states)} "
        f"transition states; probably missing {rest[0]} and {rest[1]}; quiet for {found.quiet}"
    )


def grow(name: str, seed: int, wanted: tuple[int, int], args: argparse.Namespace, folder: Path) -> str:
    """Explore one seed, print its growth, and return when it had what was wanted."""
    explored = build(name, default_options(name) | {"seed": seed})
    reached = f"seed {seed}: not reached"
    with Landscape(explored.subject, folder / f"{name}-{seed}.zarr", seed=seed) as landscape:
        landscape.system.hessian(landscape.system.x)  # compiled, or read from the cache, before the clock runs
        began = time.monotonic()
        landscape.find_minima(args.steps, workers=args.workers, progress=False)
        while (left := args.seconds - (time.monotonic() - began)) > 0:
            landscape.connect(10**9, workers=args.workers, seconds=min(args.slice, left), progress=False)
            spent, found = time.monotonic() - began, landscape.discoveries().update()
            have = len(landscape.minima), len(landscape.transition_states)
            print(f"seed {seed}, {spent:5.0f} s, {said(landscape, found)}", flush=True)
            if "not" in reached and have[0] >= wanted[0] and have[1] >= wanted[1]:
                reached = f"seed {seed}: {wanted[0]} minima and {wanted[1]} transition states within {spent:.0f} s"
                if not args.on:
                    break
    return reached


def main() -> None:
    """Grow one landscape a seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("system")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--minima", type=int, default=122)
    parser.add_argument("--states", type=int, default=592)
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--slice", type=float, default=10.0)
    parser.add_argument("--steps", type=int, default=200, help="of basin-hopping, first")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--on", action="store_true", help="go on after the numbers were reached")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lines = [grow(args.system, seed, (args.minima, args.states), args, Path(folder)) for seed in args.seeds]
    print("\n".join(lines))


if __name__ == "__main__":
    main()
