"""Disconnectivity graphs of the largest landscapes, beside pele's; and a comparison of three landscapes.

``python -m pytest tests/benchmarks/bench_graph.py -m benchmark -s`` prints the figures of docs/graphs.md, each run in a
process of its own on one core, imports included. pele is GPL-licensed and runs with the Python that
``THALWEG_PELE_PYTHON`` names; without, its half is skipped.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

SIZES = (200_000, 500_000)
LEVELS = 100


def landscape(n, m):
    """Return energies, energies of transition states and their minima: a rough funnel in one piece."""
    rng = np.random.default_rng(0)
    energies = np.sort(rng.normal(size=n) ** 2 * 3 + rng.random(n))
    later = np.arange(1, n)
    ends = np.vstack([np.c_[later, (later * rng.random(n - 1) ** 2).astype(int)], rng.integers(n, size=(m - n + 1, 2))])
    return energies, energies[ends].max(axis=1) + rng.exponential(0.3, m), ends


def cluster(n_atoms):
    """Return the system of a Lennard-Jones cluster."""
    from ase import Atoms

    from thalweg.potentials import LJAT, as_system

    positions = np.random.default_rng(0).normal(size=(n_atoms, 3)) * 2
    return as_system(Atoms(f"Ar{n_atoms}", positions=positions, calculator=LJAT(Z=0.0)))


def make_store(path, n, m, system, **columns):
    """Write a store without looking at what is in it, a hundred times faster than by adding points."""
    from thalweg.landscapes import Landscape
    from thalweg.landscapes.storage.store import Store

    Landscape(system, path).close()

    energies, heights, ends = landscape(n, m)
    rng = np.random.default_rng(1)
    given = {"minima/energy": energies, "transition_states/energy": heights, "transition_states/minima": ends}
    given |= {"minima/coordinates": rng.normal(size=(n, system.n)), **columns}
    store = Store.open(path, mode="r+")
    for name, column in store.columns.items():
        rows = {"minima": n, "transition_states": m}.get(name.split("/")[0], 0)
        if rows:
            blank = np.ones if name.endswith(("modes", "symmetry_order")) else np.zeros
            column.extend(np.asarray(given.get(name, blank((rows, *column.spec.row))), dtype=column.spec.dtype))
    store.commit()
    store.close()


def draw(path, picture):
    """Read, build and draw; runs in a process of its own."""
    from thalweg.analysis import DisconnectivityGraph, KineticTransitionNetwork

    times = [time.process_time()]
    network = KineticTransitionNetwork.read(path)
    times.append(time.process_time())
    graph = DisconnectivityGraph(network, levels=LEVELS)
    _ = graph.lines
    times.append(time.process_time())
    graph.save(picture, colour="energy")
    times.append(time.process_time())
    return {"import": times[0], **dict(zip(("read", "tree", "draw"), np.diff(times).tolist(), strict=True))}


class Held:
    """A minimum or transition state as pele's graph wants it, without its database."""

    def __init__(self, energy, number=0, ends=(None, None)):
        self.energy, self.number, (self.minimum1, self.minimum2) = energy, number, ends

    def id(self):
        return self.number


def draw_pele(n, m, picture):
    """Build pele's graph from arrays in memory, and draw; runs with pele's Python, which has no Thalweg."""
    import matplotlib
    import networkx

    matplotlib.use("agg")
    from matplotlib import pyplot
    from pele.utils.disconnectivity_graph import DisconnectivityGraph

    energies, heights, ends = landscape(n, m)
    begun = time.process_time()
    minima = [Held(float(energy), k) for k, energy in enumerate(energies)]
    graph = networkx.Graph()
    graph.add_nodes_from(minima)
    for (a, b), height in zip(ends.tolist(), heights.tolist(), strict=True):
        if a != b:
            graph.add_edge(minima[a], minima[b], ts=Held(height, ends=(minima[a], minima[b])))
    tree = DisconnectivityGraph(graph, nlevels=LEVELS, include_gmin=False)
    tree.calculate()
    built = time.process_time()
    tree.plot()
    pyplot.savefig(picture, dpi=200)
    return {"tree": built - begun, "draw": time.process_time() - built}


def run(*arguments, python=sys.executable):
    """Run this file's main on one core; return what it printed, with its processor time and peak memory."""
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    command = [python, __file__, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | one)
    return json.loads(done.stdout.splitlines()[-1])


def text(figures):
    parts = ", ".join(f"{name} {value:.2f}" for name, value in figures.items() if name not in ("cpu", "MiB"))
    return f"{figures['cpu']:.1f} s of processor time ({parts}), peak {figures['MiB']:.0f} MiB"


@pytest.mark.benchmark
@pytest.mark.parametrize("n", SIZES)
def test_read_and_drawn(tmp_path, n):
    modes = {"minima/modes": np.full(n, 66), "transition_states/modes": np.full(5 * n // 2, 65)}
    make_store(tmp_path / "large.zarr", n, 5 * n // 2, cluster(24), **modes)
    run("draw", tmp_path / "large.zarr", tmp_path / "x.png")  # numba compiles once
    figures = min((run("draw", tmp_path / "large.zarr", tmp_path / "x.png") for _ in range(3)), key=lambda f: f["cpu"])
    print(f"\n{n} minima, {5 * n // 2} transition states: {text(figures)}")
    if n <= 200_000:
        assert figures["cpu"] <= 10
        assert figures["MiB"] <= 2048
    python = os.environ.get("THALWEG_PELE_PYTHON")
    size, last = 4000, None
    while python and n == SIZES[0]:
        theirs = run("pele", size, 5 * size // 2, tmp_path / "pele.png", python=python)
        print(f"  pele, {size} minima, {5 * size // 2} transition states, from memory: {text(theirs)}")
        if theirs["cpu"] > figures["cpu"]:
            print(f"  pele in the time of ours: between {last} and {size} minima")
            break
        size, last = int(size * 1.5), size


@pytest.mark.benchmark
def test_three_landscapes_compared(tmp_path):
    """LJ13's size: 1,500 minima, 25,000 transition states, in a store of a real system with made-up energies."""
    modes = {"minima/modes": np.full(1500, 33), "transition_states/modes": np.full(25_000, 32)}
    system = cluster(13)
    make_store(tmp_path / "lj13.zarr", 1500, 25_000, system, **modes)
    for name in ("d1", "d2"):
        small = {"minima/modes": np.full(300, 33), "transition_states/modes": np.full(1000, 32)}
        make_store(tmp_path / f"{name}.zarr", 300, 1000, system, **small)
    stores = [tmp_path / f"{name}.zarr" for name in ("lj13", "d1", "d2")]
    best = np.inf
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "thalweg.analysis", "compare", *stores, "--output", tmp_path / "c.png"]
        subprocess.run([str(word) for word in command], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    print(f"\nthalweg compare, 1500, 300 and 300 minima: {best:.1f} s of processor time, imports included")
    assert best <= 10


def main(what, *arguments):
    if what == "pele":
        figures = draw_pele(int(arguments[0]), int(arguments[1]), arguments[2])
    else:
        figures = draw(Path(arguments[0]), Path(arguments[1]))
    used = resource.getrusage(resource.RUSAGE_SELF)
    # ru_maxrss would count the process that started this one, before exec
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    print(json.dumps({**figures, "cpu": used.ru_utime + used.ru_stime, "MiB": int(peak.split()[1]) / 1024}))


if __name__ == "__main__":
    main(*sys.argv[1:])
