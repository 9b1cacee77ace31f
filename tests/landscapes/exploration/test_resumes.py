"""Stopped by the clock and gone on with, again and again: nothing grows but the landscape."""

from __future__ import annotations

import gc
import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from thalweg.landscapes import Landscape
from thalweg.potentials import LJAT


def resident():
    """MiB of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def resumes(path, count, seconds):
    """Explore LJ13 in many short calls; return what each left: memory, open files, threads, time to open."""
    positions = np.random.default_rng(0).uniform(-1.5, 1.5, (13, 3))
    figures = []
    for _ in range(count):
        began = time.perf_counter()
        with Landscape(Atoms("Ar13", positions=positions, calculator=LJAT(Z=0.0)), path) as landscape:
            opened = time.perf_counter() - began
            landscape.find_minima(10**6, seconds=seconds, workers=2)
            landscape.connect(10**6, seconds=seconds, workers=2)
        del landscape
        gc.collect()
        figures.append((resident(), len(os.listdir("/proc/self/fd")), threading.active_count(), opened))
    return np.array(figures)


def check(figures, path):
    memory, files, threads, opened = figures.T
    half = len(figures) // 2
    assert files[-1] <= files[1]
    assert threads[-1] <= threads[1]
    assert memory[half:].max() <= memory[half] + 30
    assert np.median(opened[half:]) <= 2 * np.median(opened[:half]) + 0.1
    landscape = Landscape.open(path)
    assert landscape.tasks_done["find_minima"] > 0
    assert len(landscape.searches) > 0


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
def test_six_resumes(tmp_path):
    check(resumes(tmp_path / "a.zarr", 6, 0.3), tmp_path / "a.zarr")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
def test_forty_resumes(tmp_path):
    figures = resumes(tmp_path / "a.zarr", 40, 2.0)
    print("\nMiB, open files, threads, seconds to open; every fifth resume")
    print(figures[::5].round(3), Landscape.open(tmp_path / "a.zarr"))
    check(figures, tmp_path / "a.zarr")
