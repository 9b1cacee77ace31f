"""Bad stores and bad disks: a clear error that names the place, and what was committed stays."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import zarr

import thalweg.landscapes.storage.local_files as files
from thalweg.landscapes import Landscape, LockedError, StoreError, Tolerances

from ...helpers import files_of


@pytest.fixture
def store(made_up, tmp_path):
    path = tmp_path / "a.zarr"
    with Landscape(made_up.MadeUp(), path) as landscape:
        for k in range(5):
            landscape.add_minimum(made_up.minimum(k))
    return path


@pytest.fixture
def untouched(tmp_path):
    """Everything below tmp_path is the same after the test's ``check``."""

    class Check:
        def __enter__(self):
            self.before = files_of(tmp_path)

        def __exit__(self, kind, error, trace):
            assert files_of(tmp_path) == self.before

    return Check()


def every_way(made_up, path):
    return [
        lambda: Landscape.open(path),
        lambda: Landscape.open(path, "r+"),
        lambda: Landscape(made_up.MadeUp(), path),
    ]


def refused(made_up, path, pattern, ways=(0, 1, 2)):
    for way in ways:
        with pytest.raises(StoreError, match=pattern) as caught:
            every_way(made_up, path)[way]()
        assert path.name in str(caught.value)


def test_nothing_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no landscape at .*a\.zarr"):
        Landscape.open(tmp_path / "a.zarr")


def test_empty_folder(made_up, tmp_path, untouched):
    (tmp_path / "a.zarr").mkdir()
    with untouched:
        refused(made_up, tmp_path / "a.zarr", "empty folder", ways=(0, 1))
    with Landscape(made_up.MadeUp(), tmp_path / "a.zarr") as landscape:
        landscape.add_minimum(made_up.minimum(0))
    assert len(Landscape.open(tmp_path / "a.zarr").minima) == 1


def test_folder_of_other_things(made_up, tmp_path, untouched):
    (tmp_path / "a.zarr").mkdir()
    (tmp_path / "a.zarr" / "notes.txt").write_text("mine")
    with untouched:
        refused(made_up, tmp_path / "a.zarr", "zarr")


def test_file(made_up, tmp_path, untouched):
    (tmp_path / "a.zarr").write_text("mine")
    with untouched:
        refused(made_up, tmp_path / "a.zarr", "is a file")


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_other_zarr(made_up, tmp_path, untouched, zarr_format):
    zarr.create_group(tmp_path / "a.zarr", zarr_format=zarr_format).create_array("x", shape=3, dtype="f8")
    with untouched:
        refused(made_up, tmp_path / "a.zarr", "no Thalweg landscape|no zarr version 3")


def edit_root(path, change):
    root = json.loads((path / "zarr.json").read_text())
    change(root)
    (path / "zarr.json").write_text(json.dumps(root))


def test_newer_format_version(made_up, store, untouched):
    edit_root(store, lambda root: root["attributes"].update(format_version=3))
    with untouched:
        refused(made_up, store, "format version 3; this Thalweg reads versions 1 and 2")


@pytest.mark.parametrize("version", [True, 1.0, "1", None, [1]])
def test_format_version_of_another_type(made_up, store, untouched, version):
    edit_root(store, lambda root: root["attributes"].update(format_version=version))
    with untouched:
        refused(made_up, store, "this Thalweg reads versions 1 and 2")


def test_a_store_of_version_2_opens(made_up, store):
    edit_root(store, lambda root: root["attributes"].update(format_version=2))
    assert len(Landscape.open(store).minima) == 5
    with Landscape(made_up.MadeUp(), store) as landscape:
        landscape.add_minimum(made_up.minimum(9))
    assert json.loads((store / "zarr.json").read_text())["attributes"]["format_version"] == 2


def test_damaged_root(made_up, store, untouched):
    (store / "zarr.json").write_bytes((store / "zarr.json").read_bytes()[:100])
    with untouched:
        refused(made_up, store, "zarr.json is damaged")


@pytest.mark.parametrize("missing", ["minima/energy", "transition_states/minima", "searches"])
def test_array_missing_from_the_metadata(made_up, store, untouched, missing):
    edit_root(store, lambda root: root["consolidated_metadata"]["metadata"].pop(missing))
    with untouched:
        refused(made_up, store, f"{missing} is missing")


def test_array_of_another_kind(made_up, store, untouched):
    def change(root):
        root["consolidated_metadata"]["metadata"]["minima/modes"]["data_type"] = "float32"

    edit_root(store, change)
    with untouched:
        refused(made_up, store, "minima/modes is float32")


def test_unequal_lengths(made_up, store, untouched):
    def change(root):
        root["consolidated_metadata"]["metadata"]["minima/modes"]["shape"] = [4]

    edit_root(store, change)
    with untouched:
        refused(made_up, store, "rows")


def test_missing_chunk(made_up, store, untouched):
    (store / "minima" / "coordinates" / "c.0.0").unlink()
    with untouched:
        refused(made_up, store, r"minima/coordinates, chunk 0 is missing.*c\.0\.0")


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty"])
def test_damaged_chunk_is_named_and_not_read_as_numbers(made_up, store, untouched, damage):
    chunk = store / "minima" / "coordinates" / "c.0.0"
    data = bytearray(chunk.read_bytes())
    data[20] ^= 1
    chunk.write_bytes({"truncated": data[:-7], "flipped": data, "empty": b""}[damage])
    with untouched:
        landscape = Landscape.open(store)
        assert len(landscape.minima.energy[:]) == 5
        with pytest.raises(StoreError, match=r"minima/coordinates, chunk 0 .*c\.0\.0.* is damaged: .*checksum"):
            landscape.minima.coordinates[2]
        refused(made_up, store, "chunk 0 .* is damaged", ways=(1, 2))


def test_other_potential_names_what_differs(made_up, store, untouched):
    with untouched:
        with pytest.raises(StoreError, match=r"system/calculator/scale: stored 1\.0, given 2\.0") as caught:
            Landscape(made_up.MadeUp(scale=2.0), store)
        assert "system/n" not in str(caught.value)
        with pytest.raises(StoreError, match="system/n: stored 6, given 7"):
            Landscape(made_up.MadeUp(n=7), store)


def test_other_seed_tolerances_or_rules(made_up, store, untouched):
    with untouched:
        with pytest.raises(StoreError, match="seed: stored 0, given 4"):
            Landscape(made_up.MadeUp(), store, seed=4)
        with pytest.raises(StoreError, match=r"tolerances: stored .*given .*0\.5"):
            Landscape(made_up.MadeUp(), store, tolerances=Tolerances(distance=0.5))
        with pytest.raises(StoreError, match="rules: stored None, given"):
            Landscape(made_up.MadeUp(), store, rules={"memory": 4})


@pytest.mark.parametrize(("argument", "value"), [("seed", -1), ("seed", 1.5)])
def test_bad_arguments_make_no_store(made_up, tmp_path, argument, value):
    with pytest.raises(ValueError, match=argument):
        Landscape(made_up.MadeUp(), tmp_path / "a.zarr", **{argument: value})
    assert not list(tmp_path.iterdir())


def test_bad_tolerances():
    with pytest.raises(ValueError, match="tolerance distance must be finite"):
        Tolerances(distance=float("nan"))


def test_no_folder_to_make_it_in(made_up, tmp_path):
    with pytest.raises(FileNotFoundError, match="no such folder"):
        Landscape(made_up.MadeUp(), tmp_path / "b" / "a.zarr")


def test_description_that_cannot_be_stored(made_up, tmp_path):
    system = made_up.MadeUp(scale=float("inf"))
    with pytest.raises(ValueError, match="system/calculator/scale = inf cannot be stored"):
        Landscape(system, tmp_path / "a.zarr")
    assert not list(tmp_path.iterdir())


def test_spaces_and_unicode_in_the_path(made_up, tmp_path):
    path = tmp_path / "der Weg ins Tal – 谷" / "a b.zarr"
    path.parent.mkdir()
    with Landscape(made_up.MadeUp(), path) as landscape:
        landscape.add_minimum(made_up.minimum(0))
    with Landscape(made_up.MadeUp(), str(path)) as landscape:
        assert len(landscape.minima) == 1
    assert [p.name for p in path.parent.iterdir()] == ["a b.zarr"]


def fail_at(monkeypatch, count, number=errno.ENOSPC):
    """Let the write number ``count`` from now on fail half-way, and all after it."""
    write, calls = files.write, []

    def failing(path, data, durable):
        calls.append(path)
        if len(calls) > count:
            write(path, data[: len(data) // 2], False)
            raise OSError(number, os.strerror(number))
        write(path, data, durable)

    monkeypatch.setattr(files, "write", failing)
    return calls


def test_full_disk_at_every_write_of_a_commit(made_up, store, monkeypatch):
    """Whichever write fails, the last commit is there, what was added stays in memory, and a later commit has it."""
    failures = 0
    for count in range(100):
        with Landscape(made_up.MadeUp(), store) as landscape:
            rows = len(landscape.minima)
            landscape.add_task("all", made_up.task(7 * count), {"count": count})
            with monkeypatch.context() as patch:
                calls, error = fail_at(patch, count), None
                try:
                    landscape.commit()
                except OSError as caught:
                    error = caught
                if error:
                    failures += 1
                    assert (error.errno, store.name in error.filename) == (errno.ENOSPC, True)
                    assert "committed before is intact" in error.strerror
                    assert len(Landscape.open(store).minima) == rows
                    assert zarr.open_group(store, mode="r")["minima/energy"].shape == (rows,)
            expected = landscape.minima.coordinates[:]
        reread = Landscape.open(store)
        np.testing.assert_array_equal(reread.minima.coordinates[:], expected)
        assert reread.state == {"count": count}
        if not error:
            break
    assert len(calls) == failures > 20
    assert not list(store.rglob("*.partial"))


def test_full_disk_while_making_a_store(made_up, tmp_path, monkeypatch):
    for count in (0, 5, 30):
        with monkeypatch.context() as patch:
            fail_at(patch, count)
            with pytest.raises(OSError, match="No space left"):
                Landscape(made_up.MadeUp(), tmp_path / "a.zarr")
        assert not list(tmp_path.iterdir())


def test_store_turned_read_only(made_up, store, monkeypatch):
    landscape = Landscape(made_up.MadeUp(), store)
    landscape.add_minimum(made_up.minimum(77))
    with monkeypatch.context() as patch:
        fail_at(patch, 0, errno.EROFS)
        with pytest.raises(OSError, match="Read-only"):
            landscape.close()
    assert len(Landscape.open(store).minima) == 5
    with Landscape(made_up.MadeUp(), store) as again:  # the lock was let go all the same
        assert len(again.minima) == 5


def test_read_only_folder(made_up, store, monkeypatch, untouched):
    with untouched:
        monkeypatch.setattr(os, "access", lambda path, mode: False)  # root, as in a container, may write anywhere
        with pytest.raises(PermissionError, match=r"read-only.*Landscape\.open"):
            Landscape(made_up.MadeUp(), store)
        assert len(Landscape.open(store).minima) == 5


def test_a_landscape_opened_for_reading_refuses_changes(made_up, store, untouched):
    with untouched, Landscape.open(store) as landscape:
        with pytest.raises(StoreError, match="open for reading"):
            landscape.add_minimum(made_up.minimum(9))
        with pytest.raises(StoreError, match="open for reading"):
            landscape.properties["auc"] = np.zeros(5)
        with pytest.raises(StoreError, match="open for reading"):
            landscape.commit()


def test_second_writer_is_told_who_the_first_is(made_up, store):
    with Landscape(made_up.MadeUp(), store):
        with pytest.raises(LockedError, match=f"a.zarr is being written by process {os.getpid()} on "):
            Landscape(made_up.MadeUp(), store)
        script = "import sys; from thalweg.landscapes import Landscape; Landscape.open(sys.argv[1], 'r+')"
        other = subprocess.run([sys.executable, "-c", script, str(store)], capture_output=True, text=True, check=False)
        assert f"being written by process {os.getpid()} on" in other.stderr
        assert len(Landscape.open(store).minima) == 5
    Landscape(made_up.MadeUp(), store).close()


def test_lock_of_a_dead_process_is_taken_over_and_that_of_another_host_is_not(made_up, store):
    import socket

    lock = store.with_name("a.zarr.lock")
    lock.write_text(json.dumps({"pid": 1, "host": socket.gethostname(), "since": "long ago"}))
    Landscape(made_up.MadeUp(), store).close()
    assert not lock.exists()
    lock.write_text(json.dumps({"pid": 1, "host": "elsewhere", "since": "long ago"}))
    with pytest.raises(LockedError, match=r"process 1 on elsewhere since long ago.*delete .*a\.zarr\.lock"):
        Landscape(made_up.MadeUp(), store)
    assert lock.exists()
    lock.write_text("{")  # killed while writing it
    Landscape(made_up.MadeUp(), store).close()


def test_what_a_killed_writer_left_is_cut_away(made_up, store):
    (store / "minima" / "energy" / "c.7").write_bytes(b"junk")
    (store / "minima" / "energy" / "c.0.partial").write_bytes(b"junk")
    (store / "properties" / "half").mkdir()
    (store / "minima" / "energy" / "zarr.json").write_text("{}")
    Landscape(made_up.MadeUp(), store).close()
    assert sorted(p.name for p in (store / "minima" / "energy").iterdir()) == ["c.0", "zarr.json"]
    assert zarr.open_array(store / "minima" / "energy", mode="r").shape == (5,)
    assert not (store / "properties" / "half").exists()
