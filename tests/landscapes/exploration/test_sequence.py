"""One seed, one result: the same points and searches in the same order, however the work is cut up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from ase import Atoms
from ase.calculators.emt import EMT

from thalweg.datasets import ljat3_outcomes
from thalweg.landscapes import Landscape
from thalweg.potentials import NetworkLoss, Weights

from ...helpers import random_cluster, stored_arrays

SEED = 7


def network(hidden=10):
    data = ljat3_outcomes("D1", size=200, seed=1, cache=False)
    return Weights.random(NetworkLoss(data.inputs, data.labels, hidden=(hidden,), l2=1e-4, n_classes=4), seed=0)


def copper():
    """ASE's own calculator, in Python, which compiled code calls back."""
    return Atoms("Cu3", positions=[[0, 0, 0], [2.4, 0, 0], [0, 2.6, 0]], calculator=EMT())


SUBJECTS = {
    "network": (network, 18, 11),
    "LJ6": (lambda: random_cluster(6, 0.0), 60, 66),
    "LJAT3": (lambda: random_cluster(3, 2.0), 50, 70),
    "EMT": (copper, 21, 1),
}
"""What is explored, in how many steps and searches: none of them whole tasks."""


def done(landscape):
    counts = {kind: sum(landscape.searches.count(kind).values()) for kind in ("basin-hopping", "single-ended")}
    return counts["basin-hopping"], len(landscape.searches) - counts["basin-hopping"]


def go_on(subject, path, steps, searches, seed=SEED, **how):
    """Search up to these totals, as far as one call each comes; return whether all is done."""
    with Landscape(subject, path, seed=seed) as landscape:
        landscape.find_minima(steps - done(landscape)[0], **how)
        if done(landscape)[0] >= steps:
            landscape.connect(searches - done(landscape)[1], **how)
        return done(landscape)[0] >= steps and done(landscape)[1] >= searches


def contents(path):
    """Return every array of a store, bytes and shape, by name."""
    arrays = stored_arrays(path)
    assert {"minima/coordinates", "transition_states/minima", "searches/steps"} <= set(arrays)
    return arrays


@pytest.fixture(scope="module")
def in_one_go(tmp_path_factory):
    """What one worker finds in one go, by the subject's name."""
    known = {}

    def find(name):
        if name not in known:
            make, steps, searches = SUBJECTS[name]
            path = tmp_path_factory.mktemp(name) / "a.zarr"
            assert go_on(make(), path, steps, searches, workers=1)
            known[name] = contents(path)
        return known[name]

    return find


@pytest.mark.parametrize(("name", "minima", "states"), [("network", 5, 5), ("LJ6", 2, 3), ("LJAT3", 2, 1)])
def test_two_workers_find_what_one_does(in_one_go, tmp_path, name, minima, states):
    make, steps, searches = SUBJECTS[name]
    assert go_on(make(), tmp_path / "a.zarr", steps, searches, workers=2)
    assert contents(tmp_path / "a.zarr") == in_one_go(name)
    landscape = Landscape.open(tmp_path / "a.zarr")
    assert (len(landscape.minima) >= minima, len(landscape.transition_states) >= states) == (True, True)
    if name.startswith("LJ"):
        assert (len(landscape.minima), len(landscape.transition_states)) == (minima, states)
    assert done(landscape) == (steps, searches)


@pytest.mark.parametrize("name", ["network", "LJ6", "LJAT3"])
def test_many_calls_cut_short_by_time_find_the_same(in_one_go, tmp_path, name):
    make, steps, searches = SUBJECTS[name]
    calls, seconds = 1, 0.005
    while not go_on(make(), tmp_path / "a.zarr", steps, searches, workers=1 + calls % 2, seconds=seconds):
        calls, seconds = calls + 1, 2 * seconds
    assert calls >= 3
    assert contents(tmp_path / "a.zarr") == in_one_go(name)


@pytest.mark.parametrize(("name", "workers"), [("network", 2), ("LJ6", 1)])
def test_killed_again_and_again_it_finds_the_same(in_one_go, tmp_path, name, workers):
    """A process kills itself (SIGKILL) once some tasks were added, whether they were committed or not."""
    script = textwrap.dedent(
        """
        import os, signal, sys
        from importlib import import_module
        import thalweg.landscapes.exploration.sequence as exploration
        from thalweg.landscapes import Landscape

        root, path, name, workers, tasks = sys.argv[1:]
        sys.path.append(root)
        tests = import_module("tests.landscapes.exploration.test_sequence")
        exploration._SECONDS_BETWEEN_COMMITS = 0.05
        add_task, left = Landscape.add_task, int(tasks)

        def adding(*arguments):
            global left
            added, left = add_task(*arguments), left - 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return added

        Landscape.add_task = adding
        make, steps, searches = tests.SUBJECTS[name]
        tests.go_on(make(), path, steps, searches, workers=int(workers))
        """
    )
    path = tmp_path / "a.zarr"
    make, steps, searches = SUBJECTS[name]
    for tasks in (2, 5):
        words = [Path(__file__).parents[3], path, name, workers, tasks]
        command = [sys.executable, "-c", script, *map(str, words)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        assert Landscape.open(path).seed == SEED
    assert go_on(make(), path, steps, searches, workers=workers)
    assert contents(path) == in_one_go(name)


@pytest.mark.parametrize(
    ("name", "number", "tasks"), [("LJ6", signal.SIGINT, 5), ("EMT", signal.SIGINT, 1), ("LJAT3", signal.SIGTERM, 2)]
)
def test_interrupted_it_commits_and_goes_on(in_one_go, tmp_path, monkeypatch, name, number, tasks):
    make, steps, searches = SUBJECTS[name]
    path, add_task = tmp_path / "a.zarr", Landscape.add_task
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]

    def adding(landscape, *arguments):
        added = add_task(landscape, *arguments)
        if sum(landscape.tasks_done.values()) == tasks:
            os.kill(os.getpid(), number)
        return added

    with monkeypatch.context() as patch:
        patch.setattr(Landscape, "add_task", adding)
        with pytest.raises(KeyboardInterrupt):
            go_on(make(), path, steps, searches, workers=2)
    assert sum(Landscape.open(path).tasks_done.values()) == tasks
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before
    assert go_on(make(), path, steps, searches, workers=2)
    assert contents(path) == in_one_go(name)


@pytest.mark.parametrize("name", ["network", "LJ6"])
def test_another_seed_gives_another_order(in_one_go, tmp_path, name):
    make, steps, searches = SUBJECTS[name]
    assert go_on(make(), tmp_path / "a.zarr", steps, searches, seed=SEED + 1)
    other = contents(tmp_path / "a.zarr")
    assert other["searches/energy"] != in_one_go(name)["searches/energy"]
    assert other["minima/coordinates"] != in_one_go(name)["minima/coordinates"]


def test_time_and_counts_end_a_call(tmp_path):
    with Landscape(random_cluster(6, 0.0), tmp_path / "a.zarr") as landscape:
        began = time.monotonic()
        assert landscape.find_minima(10**6, seconds=0.3).done < 10**6
        assert time.monotonic() - began < 10
        progress = landscape.find_minima(10**6, minima=2)
        assert (progress.minima, len(landscape.minima)) == (2, 2)
