"""A writer is killed at random moments, and read while it writes: nothing committed is ever missing."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import xarray
import zarr

from thalweg.landscapes import Landscape

WRITER = [sys.executable, "-W", "error", str(Path(__file__).parents[1] / "made_up.py")]


class Writing:
    """A process that adds and commits for ever, until it is killed."""

    def __init__(self, path, log):
        self.log = log
        with open(log, "w") as out:
            self.process = subprocess.Popen([*WRITER, str(path), "0"], stdout=out)

    def committed(self):
        """Return how many tasks it says it has committed."""
        lines = self.log.read_text().split("\n")[:-1]
        return int(lines[-1]) if lines else 0

    def wait_for(self, tasks):
        deadline = time.monotonic() + 60
        while self.committed() < tasks:
            assert self.process.poll() is None, "the writer died by itself"
            assert time.monotonic() < deadline, "the writer does not get on"
            time.sleep(0.005)

    def kill(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def writing(tmp_path):
    started = []

    def start(path):
        started.append(Writing(path, tmp_path / f"log {len(started)}"))
        return started[-1]

    yield start
    for one in started:
        one.kill()


def check_whole(made_up, path, at_least, reference):
    """The store holds whole tasks, at least those reported as committed, and just what a store without kills would."""
    landscape = Landscape.open(path)
    done = landscape.tasks_done.get("all", 0)
    assert done >= at_least
    assert landscape.state.get("last", -1) == done - 1
    assert len(landscape.searches) == 3 * done
    while reference.tasks_done.get("all", 0) < done:
        number = reference.tasks_done.get("all", 0)
        reference.add_task("all", made_up.task(number), {"last": number})
    for group in ("minima", "transition_states", "searches"):
        for name in getattr(landscape, group).names:
            found = getattr(getattr(landscape, group), name)[:]
            np.testing.assert_array_equal(found, getattr(getattr(reference, group), name)[: len(found)])
    return done


def kills(made_up, tmp_path, writing, count, rng):
    path = tmp_path / "a.zarr"
    with Landscape(made_up.MadeUp(), tmp_path / "reference.zarr") as reference:
        done = 0
        for _ in range(count):
            writer = writing(path)
            writer.wait_for(done + 3)
            time.sleep(rng.uniform(0, 0.05))
            writer.kill()
            done = check_whole(made_up, path, writer.committed(), reference)
        with Landscape(made_up.MadeUp(), path) as resumed:
            resumed.add_task("all", made_up.task(done), {"last": done})
        check_whole(made_up, path, done + 1, reference)


def test_ten_kills(made_up, tmp_path, writing):
    kills(made_up, tmp_path, writing, 10, np.random.default_rng(0))


@pytest.mark.slow
def test_hundred_kills(made_up, tmp_path, writing):
    kills(made_up, tmp_path, writing, 100, np.random.default_rng(1))


def test_readers_see_only_commits_while_the_store_grows(made_up, tmp_path, writing):
    path = tmp_path / "a.zarr"
    writer = writing(path)
    writer.wait_for(3)
    follower, seen = Landscape.open(path), set()
    for _ in range(25):
        before = writer.committed()
        group = zarr.open_group(path, mode="r")
        tasks = group.attrs["tasks"]["all"]
        seen.add(tasks)
        assert tasks >= before
        assert tasks % 3 == 0
        assert group["searches/task"].shape == (3 * tasks,)
        energies, coordinates = group["minima/energy"][:], group["minima/coordinates"][:]
        assert len(energies) == len(coordinates)
        assert np.isfinite(energies).all()
        assert np.isfinite(coordinates).all()
        minima = xarray.open_zarr(path, group="minima")
        assert np.isfinite(minima.energy.values).all()
        assert minima.sizes["minimum"] >= len(energies)
        follower.refresh()
        assert len(follower.minima) >= minima.sizes["minimum"]
        assert np.isfinite(follower.minima.coordinates[:]).all()
    writer.kill()
    assert len(seen) > 3
