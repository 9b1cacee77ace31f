"""A made-up system whose distance is plain, and records for it: cheap, so that tests are about the store alone.

Run as a script it is a writer to be killed: ``made_up.py STORE SEED`` adds tasks and commits for ever, printing what
it has committed.
"""

from __future__ import annotations

import sys

import numpy as np

from thalweg.landscapes import Landscape, Minimum, Search, TransitionState

N = 6


class MadeUp:
    """What a Landscape needs of a System, and nothing else."""

    units = "reduced"

    def __init__(self, n=N, scale=1.0):
        self.n, self.scale = n, scale

    def describe(self):
        return {
            "kind": "made up",
            "n": self.n,
            "calculator": {
                "name": "MadeUp",
                "scale": self.scale,
                "table": np.arange(6.0).reshape(2, 3),
                "nothing": None,
            },
            "frozen": np.zeros(0, dtype=np.int64),
        }

    def distance(self, a, b):
        return min(float(np.linalg.norm(a - b)), float(np.linalg.norm(a + b)))

    def order(self, x):
        return 1 if np.any(x) else 2


class Searched(MadeUp):
    """What a strategy needs besides: points look alike where sorted absolute values do."""

    atoms, has_symmetry = None, True
    may_be_made_symmetric = may_start_symmetric = False

    @property
    def constant_null_modes(self):
        return np.zeros((0, self.n))


def minimum(k, n=N, **changes):
    """Minimum number k: always the same one."""
    rng = np.random.default_rng([1, k])
    values = {
        "energy": float(rng.uniform(-1, 0)),
        "coordinates": rng.normal(size=n),
        "gradient_rms": 1e-10,
        "lowest_eigenvalue": 0.5,
        "log_eigenvalue_product": float(rng.normal()),
        "modes": n,
    }
    return Minimum(**values | changes)


def transition_state(k, a, b, n=N, **changes):
    """Transition state number k, joining minima a and b."""
    rng = np.random.default_rng([2, k])
    values = {
        "energy": float(rng.uniform(0, 1)),
        "coordinates": rng.normal(size=n),
        "gradient_rms": 1e-10,
        "lowest_eigenvalue": -0.5,
        "log_eigenvalue_product": float(rng.normal()),
        "modes": n - 1,
        "symmetry_order": 0,
        "minima": (minimum(a, n), minimum(b, n)),
        "path_lengths": (1.0, 2.0),
    }
    return TransitionState(**values | changes)


def task(number, n=N):
    """Searches of task ``number``: always the same ones, a failure among them, points known from other tasks too."""
    rng = np.random.default_rng([3, number])
    a, b, c = (int(i) for i in rng.integers(0, 3 * number + 3, 3))
    return [
        Search(number, "basin-hopping", minima=(minimum(a, n), minimum(b, n)), energy=minimum(a, n).energy, steps=7),
        Search(number, "connect", "too many steps", start=(-1, -1)),
        Search(number, "connect", transition_states=(transition_state(1000 * a + c, a, c, n),)),
    ]


def write_for_ever(path, seed):
    with Landscape(MadeUp(), path, seed=seed) as landscape:
        while True:
            for _ in range(3):
                number = landscape.tasks_done.get("all", 0)
                landscape.add_task("all", task(number), {"last": number})
            landscape.commit()
            print(landscape.tasks_done["all"], flush=True)


if __name__ == "__main__":
    write_for_ever(sys.argv[1], int(sys.argv[2]))
