"""What goes wrong while exploring: bad arguments leave the store alone, failed searches are counted, disks fill up."""

from __future__ import annotations

import errno
import os

import numpy as np
import pytest

import thalweg.landscapes.exploration.sequence as exploration
import thalweg.landscapes.storage.local_files as files
from thalweg.landscapes import Landscape, StoreError
from thalweg.potentials import as_system

from ...helpers import files_of, random_cluster, small_network


@pytest.mark.parametrize(
    ("method", "arguments", "error", "message"),
    [
        ("find_minima", {"steps": -1}, ValueError, "number of searches must be a whole number, at least 0; it is -1"),
        ("find_minima", {"steps": 1.5}, ValueError, "whole number, at least 0; it is 1.5"),
        ("find_minima", {"steps": np.nan}, ValueError, "whole number, at least 0; it is nan"),
        ("find_minima", {"steps": "many"}, TypeError, "number of searches must be a number; it is 'many'"),
        ("find_minima", {"steps": 5, "step": 0.0}, ValueError, "step must be positive and finite; it is 0"),
        ("find_minima", {"steps": 5, "step": np.inf}, ValueError, "step must be positive and finite; it is inf"),
        ("find_minima", {"steps": 5, "step": "far"}, TypeError, "step must be a number; it is 'far'"),
        ("find_minima", {"steps": 5, "temperature": np.nan}, ValueError, "temperature must be positive and finite"),
        ("find_minima", {"steps": 5, "temperature": np.inf}, ValueError, "temperature must be positive and finite"),
        ("find_minima", {"steps": 5, "minima": 0}, ValueError, "minima must be a whole number, at least 1; it is 0"),
        ("find_minima", {"steps": 5, "workers": 0}, ValueError, "workers must be a whole number, at least 1; it is 0"),
        ("find_minima", {"steps": 5, "seconds": -1}, ValueError, "seconds must not be negative; it is -1"),
        ("find_minima", {"steps": 5, "seconds": np.nan}, ValueError, "seconds must not be negative; it is nan"),
        ("connect", {"searches": 5, "displacement": -0.1}, ValueError, "displacement must be positive and finite"),
        ("connect", {"searches": 5, "displacement": np.inf}, ValueError, "displacement must be positive and finite"),
        ("connect", {"searches": 5}, ValueError, r"no minima to connect: find some first, find_minima\(steps"),
    ],
)
def test_bad_arguments_leave_the_store_alone(tmp_path, method, arguments, error, message):
    with Landscape(random_cluster(6), tmp_path / "a.zarr") as landscape:
        before = files_of(tmp_path)
        with pytest.raises(error, match=message):
            getattr(landscape, method)(**arguments)
        assert files_of(tmp_path) == before
    assert {k: v for k, v in files_of(tmp_path).items() if "zarr.json" not in k} == {
        k: v for k, v in before.items() if "zarr.json" not in k and ".lock" not in k
    }


def test_reading_does_not_explore(tmp_path):
    Landscape(random_cluster(6), tmp_path / "a.zarr").close()
    before = files_of(tmp_path)
    for method in ("find_minima", "connect"):
        with pytest.raises(StoreError, match=r"open for reading: open it with mode='r\+'"):
            getattr(Landscape.open(tmp_path / "a.zarr"), method)(5)
    assert files_of(tmp_path) == before


@pytest.mark.parametrize("subject", [lambda: random_cluster(6), small_network], ids=["cluster", "network"])
def test_overflow_is_a_failed_search(tmp_path, subject):
    """Steps so long that weights and positions overflow: failures with their reason, and the rest goes on."""
    with Landscape(subject(), tmp_path / "a.zarr") as landscape:
        landscape.find_minima(64, step=1e300)
        landscape.find_minima(16)
        landscape.connect(6, displacement=1e300)
        counts = landscape.searches.count()
        assert counts["energy or gradient not finite"] >= 6
        assert sum(counts.values()) == 86
        assert counts["converged"] >= 1
        assert np.isfinite(landscape.minima.coordinates[:]).all()
        assert np.isfinite(landscape.minima.energy[:]).all()
    assert Landscape.open(tmp_path / "a.zarr").searches.count() == counts


def test_overlapping_atoms_are_a_failed_search(tmp_path):
    """Random starts in a box so small that its atoms are in one place."""
    with Landscape(as_system(random_cluster(6), bounds=(0, 1e-40)), tmp_path / "a.zarr") as landscape:
        landscape.find_minima(16 * 20, minima=1)
        counts = landscape.searches.count()
        assert counts["energy or gradient not finite"] >= 1
        assert set(landscape.searches.status[:]) == set(counts)


def explore(path):
    with Landscape(random_cluster(6), path, seed=5) as landscape:
        missing = 60 - sum(landscape.searches.count("basin-hopping").values())
        landscape.find_minima(missing, workers=1)
        landscape.connect(40 - (len(landscape.searches) - 60), workers=1)


@pytest.mark.parametrize("writes", [0, 8, 30])
def test_a_disk_that_fills_up_while_exploring(tmp_path, monkeypatch, writes):
    """It says so; what was committed is intact, and with room again the same is found as if nothing had been."""
    explore(tmp_path / "whole.zarr")
    path, write, calls = tmp_path / "a.zarr", files.write, []
    Landscape(random_cluster(6), path, seed=5).close()

    def filling(place, data, durable):
        calls.append(place)
        if len(calls) > writes:
            write(place, data[: len(data) // 2], False)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(place, data, durable)

    with monkeypatch.context() as patch:
        patch.setattr(files, "write", filling)
        patch.setattr(exploration, "_SECONDS_BETWEEN_COMMITS", 0.0)
        with pytest.raises(OSError, match="No space left on device") as caught:
            explore(path)
    assert caught.value.errno == errno.ENOSPC
    assert "a.zarr" in str(caught.value)
    read = Landscape.open(path)
    assert len(read.minima.coordinates[:]) == len(read.minima) <= 2
    explore(path)
    with Landscape.open(path) as a, Landscape.open(tmp_path / "whole.zarr") as b:
        np.testing.assert_array_equal(a.minima.coordinates[:], b.minima.coordinates[:])
        np.testing.assert_array_equal(a.transition_states.coordinates[:], b.transition_states.coordinates[:])
        np.testing.assert_array_equal(a.searches.energy[:], b.searches.energy[:])
