"""Stores that are no folder: memory, fsspec, a zip file, and an S3 server of the test's own."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest
import zarr
from zarr.storage import FsspecStore, MemoryStore

from thalweg.landscapes import Landscape, LockedError, StoreError
from thalweg.landscapes.storage.local_files import files_of


def fill(made_up, where, tasks=12):
    with Landscape(made_up.MadeUp(), where, seed=3) as landscape:
        for number in range(tasks):
            landscape.add_task("all", made_up.task(number), {"last": number})
            if number % 5 == 4:
                landscape.commit()
        landscape.properties["auc"] = np.linspace(0, 1, len(landscape.minima))
    return where


def arrays(where):
    landscape = Landscape.open(where)
    return {
        (group, name): getattr(getattr(landscape, group), name)[:]
        for group in ("minima", "transition_states", "searches")
        for name in getattr(landscape, group).names
    }


def compare(first, second):
    left, right = arrays(first), arrays(second)
    assert left.keys() == right.keys()
    for name, values in left.items():
        np.testing.assert_array_equal(values, right[name])


@pytest.fixture
def local(made_up, tmp_path):
    return fill(made_up, tmp_path / "local.zarr")


@pytest.fixture
def memory():
    fsspec = pytest.importorskip("fsspec")
    yield "memory://test/a.zarr"
    fsspec.filesystem("memory").store.clear()


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def s3():
    """An S3 server, and a bucket."""
    s3fs = pytest.importorskip("s3fs")
    python = sys.executable if importlib.util.find_spec("moto") else os.environ.get("THALWEG_MOTO_PYTHON")
    if not python:
        pytest.skip("moto is not installed, and THALWEG_MOTO_PYTHON names no Python that has it")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [python, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    options = {"endpoint_url": f"http://127.0.0.1:{port}", "key": "k", "secret": "s", "asynchronous": True}
    try:
        deadline = time.monotonic() + 60
        while not answers(port):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        s3fs.S3FileSystem(**(options | {"asynchronous": False})).mkdir("bucket")
        yield lambda name: FsspecStore(s3fs.S3FileSystem(**options), path=f"bucket/{name}")
    finally:
        server.kill()
        server.wait()


def check_everything(made_up, where, local):
    """What a folder can do: be filled, opened again, read by zarr, gone on with, refused to others."""
    fill(made_up, where)
    compare(where, local)
    group = zarr.open_group(where, mode="r")
    assert group["minima/energy"].shape == (len(Landscape.open(local).minima),)
    np.testing.assert_array_equal(group["properties/auc"][:], Landscape.open(local).properties["auc"])
    follower = Landscape.open(where)
    with Landscape(made_up.MadeUp(), where) as landscape:
        before = len(landscape.minima)
        landscape.add_task("all", made_up.task(77), {"last": 77})
        with pytest.raises(LockedError, match=f"is being written by process {os.getpid()} on .*writer.lock"):
            Landscape(made_up.MadeUp(), where)
        landscape.commit()
        follower.refresh()
        assert len(follower.minima) == len(landscape.minima) > before
        del landscape.properties["auc"]
    assert list(Landscape.open(where).properties) == []
    with pytest.raises(StoreError, match=r"scale: stored 1\.0, given 2\.0"):
        Landscape(made_up.MadeUp(scale=2.0), where)
    Landscape(made_up.MadeUp(), where).close()


def test_fsspec_memory(made_up, local, memory):
    check_everything(made_up, memory, local)


def test_zarr_memory_store(made_up, local):
    check_everything(made_up, MemoryStore(), local)


@pytest.mark.slow  # half a minute: the server is a simulation
@pytest.mark.filterwarnings("default")  # of botocore and aiohttp, which are none of ours
def test_s3(made_up, local, s3):
    check_everything(made_up, s3("a.zarr"), local)


def test_zip_is_for_reading(made_up, local, tmp_path):
    packed = shutil.make_archive(tmp_path / "packed", "zip", local)
    compare(packed, local)
    assert zipfile.is_zipfile(packed)
    with pytest.raises(PermissionError, match="read-only"):
        Landscape(made_up.MadeUp(), packed)


def test_nothing_there(memory):
    with pytest.raises(FileNotFoundError, match=r"no landscape at memory://test/a\.zarr"):
        Landscape.open(memory)
    with pytest.raises(StoreError, match="nosuch://x cannot be reached"):
        Landscape.open("nosuch://x")


def test_something_else_there(made_up, memory):
    zarr.create_group(memory).create_array("x", shape=3, dtype="f8")
    for act in (lambda: Landscape.open(memory), lambda: Landscape(made_up.MadeUp(), memory)):
        with pytest.raises(StoreError, match="no Thalweg landscape"):
            act()


def test_a_damaged_object_is_named(made_up, memory):
    fill(made_up, memory)
    files = files_of(memory)
    files.put("minima/coordinates/c.0.0", files.get("minima/coordinates/c.0.0")[:-3])
    with pytest.raises(StoreError, match=re.escape(f"({memory}/minima/coordinates/c.0.0) is damaged")):
        Landscape.open(memory).minima.coordinates[0]


class Failing(MemoryStore):
    """Fails at the write number ``left``, and at all after it."""

    left = 10**9

    async def set(self, key, value, byte_range=None):
        self.left -= 1
        if self.left < 0:
            raise ConnectionResetError("the network is down")
        await super().set(key, value)


def test_a_network_that_fails_at_any_write_of_a_commit_loses_nothing(made_up):
    store = Failing()
    fill(made_up, store, tasks=3)
    before = len(Landscape.open(store).minima)
    for count in range(60):
        with Landscape(made_up.MadeUp(), store) as landscape:
            landscape.add_task("all", made_up.task(1000 + count), {"last": count})
            store.left = count
            failed = None
            try:
                landscape.commit()
            except OSError as error:
                failed = str(error)
            store.left = 10**9
            if failed is None:
                break
            assert "committed before is intact" in failed
            assert len(Landscape.open(store).minima) == before
        before = len(Landscape.open(store).minima)
    assert count > 20


def test_a_writer_that_was_killed_leaves_its_lock_which_the_error_names(made_up, memory):
    fill(made_up, memory)
    files_of(memory).put("writer.lock", b'{"pid": 1, "host": "elsewhere", "since": "long ago"}')
    message = r"process 1 on elsewhere since long ago.*delete memory://test/a\.zarr/writer\.lock"
    with pytest.raises(LockedError, match=message):
        Landscape(made_up.MadeUp(), memory)
    files_of(memory).delete("writer.lock")
    Landscape(made_up.MadeUp(), memory).close()
