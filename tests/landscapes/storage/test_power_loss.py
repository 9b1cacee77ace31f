"""The power fails right after a commit: the disk keeps only what it was made to wait for, and that is enough.

A model of the worst disk that POSIX allows stands for a real one: of a file that was not synced, nothing is kept; of a
folder that was not synced after a file in it was renamed, made or deleted, the names of before are kept.
"""

from __future__ import annotations

import os
import shutil
import threading

import numpy as np
import pytest

from thalweg.landscapes import Landscape, merge


class WorstDisk:
    """What a disk holds of the files below a folder, when it keeps nothing that nobody waited for."""

    def __init__(self, root, monkeypatch):
        self.root, self.guard = str(root), threading.Lock()
        self.contents = {}  # by inode: the bytes that were synced
        self.names = {}  # by folder: its names when it was synced last, each with its inode
        self.kept_open = []  # so that no inode is used twice
        real = os.fsync

        def fsync(descriptor):
            real(descriptor)
            with self.guard:
                self.keep(descriptor)

        monkeypatch.setattr(os, "fsync", fsync)

    def keep(self, descriptor):
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        if not path.startswith(self.root):
            return
        inode = os.fstat(descriptor).st_ino
        self.kept_open.append(os.dup(descriptor))
        if os.path.isdir(path):
            self.names[inode] = {entry.name: entry.inode() for entry in os.scandir(path)}
        else:
            with open(path, "rb") as file:
                self.contents[inode] = file.read()

    def after_the_power_failed(self, target):
        """Write what is left to a folder."""

        def restore(inode, place):
            if inode in self.names:
                place.mkdir()
                for name, child in self.names[inode].items():
                    restore(child, place / name)
            elif inode in self.contents:
                place.write_bytes(self.contents[inode])

        restore(os.stat(self.root).st_ino, target)

    def close(self):
        for descriptor in self.kept_open:
            os.close(descriptor)


@pytest.fixture
def disk(tmp_path, monkeypatch):
    (tmp_path / "disk").mkdir()
    disk = WorstDisk(tmp_path / "disk", monkeypatch)
    yield disk
    disk.close()


def left(disk, tmp_path, name="a.zarr"):
    shutil.rmtree(tmp_path / "left", ignore_errors=True)
    disk.after_the_power_failed(tmp_path / "left")
    return Landscape.open(tmp_path / "left" / name)


def same(landscape, other):
    for group in ("minima", "transition_states", "searches"):
        for name in getattr(landscape, group).names:
            found, expected = (getattr(getattr(one, group), name)[:] for one in (landscape, other))
            np.testing.assert_array_equal(found, expected)
    assert landscape.state == other.state
    assert set(landscape.properties) == set(other.properties)
    for name in other.properties:
        np.testing.assert_array_equal(landscape.properties[name], other.properties[name])


def test_a_commit_that_returned_is_on_the_disk(made_up, tmp_path, disk, monkeypatch):
    from thalweg.landscapes.storage import schema

    monkeypatch.setattr(schema, "CHUNK_BYTES", 8 * 8 * made_up.N)  # few rows a chunk: old ones change, new ones come
    with Landscape(made_up.MadeUp(), tmp_path / "disk" / "a.zarr") as landscape:
        same(left(disk, tmp_path), landscape)
        for number in range(5):
            landscape.add_task("all", made_up.task(number), {"last": number})
            landscape.commit()
            same(left(disk, tmp_path), landscape)


def test_so_are_properties_and_marks(made_up, tmp_path, disk):
    with Landscape(made_up.MadeUp(), tmp_path / "disk" / "a.zarr") as landscape:
        for k in range(5):
            landscape.add_minimum(made_up.minimum(k), verified=False)
        for values in (np.arange(5.0), np.ones(5), np.zeros(5)):
            landscape.properties["auc"] = values
            same(left(disk, tmp_path), landscape)
        landscape._store.rewrite("minima/verified", np.array([True, False, True, True, False]))
        same(left(disk, tmp_path), landscape)
        del landscape.properties["auc"]
        same(left(disk, tmp_path), landscape)


def test_so_is_a_merged_store(made_up, tmp_path, disk):
    for name in ("a", "b"):
        with Landscape(made_up.MadeUp(), tmp_path / "disk" / f"{name}.zarr") as landscape:
            landscape.add_task("all", made_up.task(ord(name)), {"last": 0})
            landscape.properties["auc"] = np.arange(float(len(landscape.minima)))
    paths = [tmp_path / "disk" / f"{name}.zarr" for name in "abc"]
    merge(*paths, made_up.MadeUp())
    same(left(disk, tmp_path, "c.zarr"), Landscape.open(paths[2]))
