"""Adding, recognising, opening and reading at the size of the largest landscapes, beside pele's sqlite database.

``python -m pytest tests/benchmarks/bench_store.py -m benchmark -s`` prints the figures of docs/scaling.md. The sizes
can be divided: ``THALWEG_BENCH_SHARE=100``. pele is GPL-licensed and runs in a process of its own, with the Python
that ``THALWEG_PELE_PYTHON`` names; without, its half is skipped.
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

SHARE = int(os.environ.get("THALWEG_BENCH_SHARE", "1"))
MINIMA, STATES, N = 200_000 // SHARE, 500_000 // SHARE, 72
WINDOW = 10_000 // SHARE
FREQUENCIES = 1e4 * np.sqrt(np.arange(2, N + 2))


def coordinates(kind, k):
    """Point k of a kind: always the same, and far from all others."""
    return np.sin((2 * k + kind + 1) * FREQUENCIES)


def minimum_energy(k):
    """Distinct energies, but for one in a hundred that has that of its neighbour."""
    return -((k - (k % 100 == 1)) * 0.6180339887498949 % 1.0)


def state_energy(k):
    return 1.0 + k * 0.6180339887498949 % 1.0


def ends_of(k):
    return (k * 7919 + 13) % MINIMA, (k * 104_729 + 101) % MINIMA


def stream():
    """Yield (is a transition state, number): every point once and in order, every fourth one a second time."""
    rng = np.random.default_rng(0)
    minima = states = 0
    while minima < MINIMA or states < STATES:
        if states * MINIMA >= minima * STATES:
            yield False, minima
            minima += 1
        else:
            yield True, states
            states += 1
        if (minima + states) % 4 == 0:
            yield (
                (True, int(rng.integers(states)))
                if states and rng.random() < 0.7
                else (False, int(rng.integers(minima)))
            )


class System:
    """A system whose verification passes whatever the records say."""

    n, units = N, "reduced"
    atoms, constant_null_modes, has_symmetry = None, np.zeros((0, N)), True
    may_be_made_symmetric = may_start_symmetric = False

    def describe(self):
        return {"kind": "made up", "calculator": {"name": "made up"}}

    def distance(self, a, b):
        return float(np.linalg.norm(a - b))

    def order(self, x):
        return 1


def search(number, is_state, k):
    from thalweg.landscapes import Minimum, Search, TransitionState

    def minimum(k):
        return Minimum(minimum_energy(k), coordinates(0, k), 1e-10, 0.5, 1.0 + k % 7, N - 6)

    if not is_state:
        return Search(number, "basin-hopping", minima=(minimum(k),))
    ends = tuple(minimum(end) for end in ends_of(k))
    state = TransitionState(state_energy(k), coordinates(1, k), 1e-10, -0.5, 1.0, N - 7, 0, ends, (1.0, 2.0))
    return Search(number, "single-ended", transition_states=(state,))


def write(path, seconds=2.0):
    """Add the stream as an exploration does, a commit every two seconds; return times of windows of additions."""
    from thalweg.landscapes import Landscape

    marks, cpu, commits = [time.perf_counter()], [time.process_time()], []
    with Landscape(System(), path) as landscape:
        committed = time.monotonic()
        for count, (is_state, k) in enumerate(stream(), 1):
            landscape.add_task("all", [search(count, is_state, k)])
            if time.monotonic() - committed > seconds:
                began = time.perf_counter()
                landscape.commit()
                commits.append(time.perf_counter() - began)
                committed = time.monotonic()
            if count % WINDOW == 0:
                marks.append(time.perf_counter())
                cpu.append(time.process_time())
        landscape.commit()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    windows = {"windows": np.diff(marks).tolist(), "cpu": np.diff(cpu).tolist()}
    return {**windows, "added": count, "peak_MiB": peak, "commits": commits}


def write_pele(path):
    """Add the same stream to pele's database; runs with pele's Python, which has no Thalweg."""
    from pele.storage import Database

    database = Database(
        db=str(path), accuracy=1e-7, compareMinima=lambda a, b: np.linalg.norm(a.coords - b.coords) < 1e-2
    )
    marks, limit = [time.perf_counter()], float(os.environ.get("THALWEG_PELE_SECONDS", "600"))

    def minimum(k, commit):
        return database.addMinimum(minimum_energy(k), coordinates(0, k), commit=commit)

    for count, (is_state, k) in enumerate(stream(), 1):
        commit = count % 4000 == 0  # as often as Thalweg commits; by default it commits every addition
        if is_state:
            ends = [minimum(end, False) for end in ends_of(k)]
            database.session.flush()  # without, pele cannot order the two minima
            if ends[0] is not ends[1]:
                database.addTransitionState(state_energy(k), coordinates(1, k), *ends, commit=commit)
        else:
            minimum(k, commit)
        if count % WINDOW == 0:
            marks.append(time.perf_counter())
            if marks[-1] - marks[0] > limit:
                break
    database.session.commit()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps(
            {"windows": np.diff(marks).tolist(), "added": count, "peak_MiB": peak, "bytes": Path(path).stat().st_size}
        )
    )


def size_of(path):
    return sum(file.stat().st_size for file in Path(path).rglob("*") if file.is_file())


def raw_bytes(path):
    """Bytes of all numbers in the store, uncompressed."""
    from thalweg.landscapes.storage.store import Store

    columns = Store.open(path).columns.values()
    return sum(len(column) * int(np.prod(column.spec.row)) * np.dtype(column.spec.dtype).itemsize for column in columns)


def run(*arguments, python=sys.executable):
    done = subprocess.run([python, __file__, *map(str, arguments)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def timed(action, repeat=1):
    times = []
    for _ in range(repeat):
        began = time.perf_counter()
        action()
        times.append(time.perf_counter() - began)
    return float(np.median(times)), max(times)


def reopen(path):
    """Times of opening and reading, in a process that has done nothing else."""
    from thalweg.landscapes import Landscape
    from thalweg.landscapes.strategies.connect import Connect

    rng = np.random.default_rng(1)
    result = {"open": timed(lambda: Landscape.open(path))[0]}
    landscape = Landscape.open(path)
    result["minimum"] = timed(lambda: landscape.minima[int(rng.integers(len(landscape.minima)))], 300)
    began = time.perf_counter()
    with Landscape(System(), path) as writer:
        writer.add_task("all", [search(0, False, 5)])
        result["open_writing"] = time.perf_counter() - began
        began = time.perf_counter()
        strategy = Connect(writer, [], 4)
        result["connect_ready"] = time.perf_counter() - began
        result["choose"] = timed(lambda: strategy.choose(0, 4), 100)
        result["choose_pair"] = timed(lambda: strategy.choose(3, 4), 100)
    return result


def speed(figures):
    windows = figures["windows"]
    rate = WINDOW * len(windows) / sum(windows)
    return (
        f"{figures['added']} additions, {rate:.0f}/s; first {WINDOW}: {windows[0]:.2f} s, "
        f"last {WINDOW}: {windows[-1]:.2f} s, slowest {max(windows):.2f} s; peak memory {figures['peak_MiB']:.0f} MiB"
    )


@pytest.mark.benchmark
def test_two_hundred_thousand_minima_and_half_a_million_transition_states(tmp_path):
    path = tmp_path / "large.zarr"
    figures = run("write", path)
    ratio = size_of(path) / raw_bytes(path)
    print(f"\nthalweg  {speed(figures)}; {size_of(path) / 2**20:.0f} MiB, {ratio:.3f} of the raw numbers")
    cpu = figures["cpu"]  # what another user of this machine cannot slow
    print(f"         processor time: {sum(cpu):.0f} s; first {WINDOW}: {cpu[0]:.2f} s, last {WINDOW}: {cpu[-1]:.2f} s")
    print(f"         {len(figures['commits'])} commits, longest {max(figures['commits'], default=0):.2f} s")
    later = run("reopen", path)
    for name, value in later.items():
        print(f"         {name}: {value if np.isscalar(value) else f'median {value[0]:.5f}, longest {value[1]:.5f}'} s")
    python = os.environ.get("THALWEG_PELE_PYTHON")
    if python:
        other = run("pele", tmp_path / "large.sqlite", python=python)
        print(f"pele     {speed(other)}; {other['bytes'] / 2**20:.0f} MiB")
    # by the processor's time and the waits for the disk, so that others' work on this machine does not count
    assert (sum(cpu) + sum(figures["commits"])) * 2000 <= figures["added"]
    assert cpu[-1] <= 1.5 * cpu[0]
    assert figures["peak_MiB"] < 1024
    assert ratio <= 1.15
    assert later["open"] <= 0.2
    assert later["open_writing"] <= 5
    assert later["minimum"][0] <= 5e-3


if __name__ == "__main__":
    if sys.argv[1] == "pele":
        write_pele(sys.argv[2])
    else:
        print(json.dumps({"write": write, "reopen": reopen}[sys.argv[1]](sys.argv[2])))
