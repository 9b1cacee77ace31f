"""A writer notices that it is no longer alone: it refuses, and nothing that was confirmed or added is lost."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress

import numpy as np
import pytest
from zarr.storage import MemoryStore

from thalweg.landscapes import Landscape, LockedError, StoreError
from thalweg.landscapes.storage.local_files import files_of

from ...helpers import files_of as bytes_of


@pytest.fixture
def store(made_up, tmp_path):
    path = tmp_path / "a.zarr"
    with Landscape(made_up.MadeUp(), path) as landscape:
        for k in range(5):
            landscape.add_minimum(made_up.minimum(k))
    return path


def energies(path):
    return Landscape.open(path).minima.energy[:].tolist()


def expected(made_up, numbers):
    return [made_up.minimum(k).energy for k in numbers]


def test_threads_that_add_and_commit(made_up, tmp_path):
    """Rows are distinct, every point that was added is in the store, and readers among the threads see whole rows."""
    path, rows, wrong, over = tmp_path / "a.zarr", {}, [], threading.Event()
    energy = {k: made_up.minimum(k).energy for k in range(300)}
    with Landscape(made_up.MadeUp(), path) as landscape:

        def add(first):
            for k in range(first, 300, 3):
                rows[k] = landscape.add_minimum(made_up.minimum(k))

        def commit():
            while not over.is_set():
                landscape.commit()

        def read():
            while not over.is_set():
                seen = landscape.minima.energy[:]
                wrong.extend(value for value in seen if value not in energy.values())

        around = [threading.Thread(target=act) for act in (commit, commit, read)]
        adding = [threading.Thread(target=add, args=(first,)) for first in range(3)]
        for thread in (*around, *adding):
            thread.start()
        for thread in adding:
            thread.join()
        over.set()
        for thread in around:
            thread.join()
    stored = energies(path)
    assert wrong == []
    assert sorted(rows.values()) == list(range(300))
    assert {k: stored[row] for k, row in rows.items()} == energy


def test_whole_chunks_leave_memory_while_a_thread_reads(made_up, tmp_path, monkeypatch):
    from thalweg.landscapes.storage import schema

    monkeypatch.setattr(schema, "CHUNK_BYTES", 4 * 8 * made_up.N)  # four rows of coordinates
    points = np.array([made_up.minimum(k).coordinates for k in range(60)])
    over, wrong = threading.Event(), []
    with Landscape(made_up.MadeUp(), tmp_path / "a.zarr") as landscape:

        def read():
            while not over.is_set():
                seen = landscape.minima.coordinates[:]
                if not np.array_equal(seen, points[: len(seen)]):
                    wrong.append(len(seen))

        thread = threading.Thread(target=read)
        thread.start()
        for k in range(60):
            landscape.add_minimum(made_up.minimum(k))
            if k % 5 == 0:
                landscape.commit()
        over.set()
        thread.join()
    assert wrong == []


def test_nothing_is_added_between_the_last_commit_and_the_end(made_up, tmp_path):
    path, added = tmp_path / "a.zarr", []
    landscape = Landscape(made_up.MadeUp(), path)

    def add():
        for k in range(10**6):
            try:
                landscape.add_minimum(made_up.minimum(k))
            except StoreError:
                return
            added.append(k)

    thread = threading.Thread(target=add)
    thread.start()
    while len(added) < 20:
        pass
    landscape.close()
    thread.join()
    assert energies(path) == expected(made_up, added)


def test_properties_are_set_while_another_thread_adds(made_up, store):
    with Landscape(made_up.MadeUp(), store) as landscape:
        thread = threading.Thread(target=lambda: [landscape.add_minimum(made_up.minimum(k)) for k in range(5, 100)])
        thread.start()
        count = 0
        while count == 0 or thread.is_alive():
            with suppress(ValueError):  # where a minimum came after the values were made
                landscape.properties["auc"] = np.arange(float(len(landscape.minima)))
                count += 1
        thread.join()
    assert energies(store) == expected(made_up, range(100))


def forked(action):
    """Run in a forked child; return the error it met, as text, or "" where it met none."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            action()
            said = ""
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        os.write(write, said.encode())
        os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with os.fdopen(read) as stream:
        return stream.read()


CHILD = {
    "add": lambda made_up, landscape: landscape.add_minimum(made_up.minimum(50)),
    "add a task": lambda made_up, landscape: landscape.add_task("all", made_up.task(9)),
    "commit": lambda made_up, landscape: landscape.commit(),
    "close": lambda made_up, landscape: landscape.close(),
    "set a property": lambda made_up, landscape: landscape.properties.set("a", np.zeros(6)),
    "delete a property": lambda made_up, landscape: landscape.properties.__delitem__("known"),
    "leave the block": lambda made_up, landscape: landscape.__exit__(None, None, None),
}


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("what", CHILD)
def test_a_forked_child_is_refused_and_its_parent_goes_on(made_up, store, what):
    with Landscape(made_up.MadeUp(), store) as landscape:
        landscape.properties["known"] = np.zeros(5)
        landscape.add_minimum(made_up.minimum(5))
        before = bytes_of(store.parent)
        said = forked(lambda: CHILD[what](made_up, landscape))
        assert said.startswith("StoreError: ")
        assert f"was opened for writing by process {os.getpid()}, and this is process " in said
        assert bytes_of(store.parent) == before
        landscape.commit()
        with pytest.raises(LockedError):
            Landscape(made_up.MadeUp(), store)
    assert energies(store) == expected(made_up, range(6))


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("change", ["the end", "a lock made anew"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_child_that_is_forked_while_a_lock_is_closed_closes_no_other_file(made_up, store, monkeypatch, change, when):
    """Numbers of closed files are given to others: the child must not take them for those of the lock."""
    landscape = Landscape(made_up.MadeUp(), store)
    closed, statuses, children = [], [], []
    close = os.close

    def closing(descriptor):
        if when == "after":
            other = os.open(os.devnull, os.O_RDONLY)
            os.dup2(other, descriptor)  # closes it; another file has its number from now on
            close(other)
            closed.append(descriptor)
        monkeypatch.setattr(os, "close", close)
        child = os.fork()
        if not child:
            ours = [os.fstat(one).st_rdev == os.stat(os.devnull).st_rdev for one in closed]
            os.write(write, b"whole" if all(ours) and not failed else b"failed")
            signal.pause()
        children.append(child)
        statuses.append(os.read(read, 100))
        monkeypatch.setattr(os, "close", closing)
        if when == "before":
            close(descriptor)

    read, write = os.pipe()
    failed = []
    monkeypatch.setattr(sys, "unraisablehook", failed.append)
    try:
        if change == "a lock made anew":
            store.with_name("a.zarr.lock").unlink()
            landscape.add_minimum(made_up.minimum(5))
            monkeypatch.setattr(os, "close", closing)
            landscape.commit()
            monkeypatch.setattr(os, "close", close)
            landscape.close()
        else:
            monkeypatch.setattr(os, "close", closing)
            landscape.close()
            monkeypatch.setattr(os, "close", close)
        assert set(statuses) == {b"whole"}
        Landscape(made_up.MadeUp(), store).close()  # no child keeps the lock
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        for descriptor in (read, write, *closed):
            close(descriptor)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_that_lives_on_does_not_keep_the_lock(made_up, store):
    """Its parent closes the store, or is killed: another writer may come."""
    landscape = Landscape(made_up.MadeUp(), store)
    child = os.fork()
    if not child:
        signal.pause()
    try:
        landscape.close()
        Landscape(made_up.MadeUp(), store).close()
        read, write = os.pipe()
        parent = os.fork()
        if not parent:
            Landscape(made_up.MadeUp(), store)
            grandchild = os.fork()
            if not grandchild:
                signal.pause()
            os.write(write, str(grandchild).encode())
            signal.pause()
        grandchild = int(os.read(read, 100))
        os.kill(parent, signal.SIGKILL)
        os.waitpid(parent, 0)
        Landscape(made_up.MadeUp(), store).close()
        os.kill(grandchild, signal.SIGKILL)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_a_deleted_lock_lets_no_second_writer_in_and_is_made_anew(made_up, store):
    lock = store.with_name("a.zarr.lock")
    with Landscape(made_up.MadeUp(), store) as landscape:
        landscape.add_minimum(made_up.minimum(5))
        lock.unlink()
        with pytest.raises(LockedError, match=r"another process, whose lock .*a\.zarr\.lock was deleted"):
            Landscape(made_up.MadeUp(), store)
        landscape.commit()
        assert lock.exists()
        with pytest.raises(LockedError, match=f"process {os.getpid()} on"):
            Landscape(made_up.MadeUp(), store)
    assert energies(store) == expected(made_up, range(6))
    assert [path.name for path in store.parent.iterdir()] == ["a.zarr"]


def no_locks_inside(monkeypatch, *, files):
    """Let folders, and with ``files`` the store's files too, not be locked: as on NFS, and on disks worse than that."""
    import thalweg.landscapes.storage.lock as locks

    flock = locks._flock

    def refusing(descriptor):
        name = os.readlink(f"/proc/self/fd/{descriptor}")
        if name.endswith(".zarr") or (files and name.endswith("zarr.json")):
            raise OSError(9, "Bad file descriptor")
        return flock(descriptor)

    monkeypatch.setattr(locks, "_flock", refusing)
    monkeypatch.setattr(locks, "_MOMENT", 0.0)


def test_where_folders_cannot_be_locked_a_file_in_them_is(made_up, store, monkeypatch):
    no_locks_inside(monkeypatch, files=False)
    with Landscape(made_up.MadeUp(), store) as landscape:
        landscape.add_minimum(made_up.minimum(5))
        store.with_name("a.zarr.lock").unlink()
        with pytest.raises(LockedError, match=r"another process, whose lock .*a\.zarr\.lock was deleted"):
            Landscape(made_up.MadeUp(), store)
    assert energies(store) == expected(made_up, range(6))
    Landscape(made_up.MadeUp(), store).close()


def test_where_nothing_in_the_store_can_be_locked_the_deleted_lock_is_noticed(made_up, store, monkeypatch):
    """The second writer comes in, and the first is refused from then on."""
    no_locks_inside(monkeypatch, files=True)
    first = Landscape(made_up.MadeUp(), store)
    first.add_minimum(made_up.minimum(5))
    first.commit()
    store.with_name("a.zarr.lock").unlink()
    with Landscape(made_up.MadeUp(), store) as second:
        second.add_minimum(made_up.minimum(6))
        second.commit()
        first.add_minimum(made_up.minimum(7))
        for _ in range(2):
            with pytest.raises(LockedError, match=r"lock .*a\.zarr\.lock was replaced .*another writer has come"):
                first.commit()
        assert first.minima.energy[:].tolist() == expected(made_up, [0, 1, 2, 3, 4, 5, 7])
        with pytest.raises(LockedError):
            first.close()
        second.add_minimum(made_up.minimum(8))
    assert energies(store) == expected(made_up, [0, 1, 2, 3, 4, 5, 6, 8])


def test_another_one_came_and_went(made_up, store, monkeypatch):
    """No lock is there, but the root is not the one that was written last."""
    import thalweg.landscapes.storage.lock as locks

    monkeypatch.setattr(locks.WriterLock, "hold_folder", lambda lock: None)
    first = Landscape(made_up.MadeUp(), store)
    store.with_name("a.zarr.lock").unlink()
    with Landscape(made_up.MadeUp(), store) as second:
        second.add_minimum(made_up.minimum(6))
    first.add_minimum(made_up.minimum(7))
    with pytest.raises(StoreError, match="not as this writer left it: another program has written to the store"):
        first.commit()
    with pytest.raises(StoreError):
        first.properties["auc"] = np.zeros(6)
    assert energies(store) == expected(made_up, [0, 1, 2, 3, 4, 6])
    with Landscape(made_up.MadeUp(), store.with_name("b.zarr")) as elsewhere:  # where what was added may go
        for row in range(len(first.minima)):
            elsewhere.add_minimum(first.minima[row])
    assert energies(store.with_name("b.zarr")) == expected(made_up, [0, 1, 2, 3, 4, 7])


class TestObjectStores:
    """There the lock is an object in the store."""

    def test_a_lock_that_was_deleted_or_replaced(self, made_up):
        store = MemoryStore()
        first = Landscape(made_up.MadeUp(), store)
        first.add_minimum(made_up.minimum(0))
        first.commit()
        files_of(store).delete("writer.lock")
        with Landscape(made_up.MadeUp(), store) as second:
            second.add_minimum(made_up.minimum(1))
            second.commit()
            first.add_minimum(made_up.minimum(2))
            with pytest.raises(LockedError, match=r"writer\.lock was deleted or replaced"):
                first.commit()
            with pytest.raises(LockedError):
                first.close()
            assert files_of(store).exists("writer.lock")  # which is the second one's
        assert Landscape.open(store).minima.energy[:].tolist() == expected(made_up, [0, 1])

    def test_a_forked_child_is_refused(self, made_up):
        store = MemoryStore()
        with Landscape(made_up.MadeUp(), store) as landscape:
            landscape.add_minimum(made_up.minimum(0))
            assert "was opened for writing by process" in forked(landscape.commit)
        assert Landscape.open(store).minima.energy[:].tolist() == expected(made_up, [0])

    @pytest.mark.parametrize("content", [b"mine", b"[]", b'{"pid": 3}', b""])
    def test_a_lock_that_is_not_ours_is_named_and_left(self, made_up, content):
        store = MemoryStore()
        Landscape(made_up.MadeUp(), store).close()
        files_of(store).put("writer.lock", content)
        with pytest.raises(LockedError, match=r"writer\.lock is no lock of Thalweg's"):
            Landscape(made_up.MadeUp(), store)
        assert files_of(store).get("writer.lock") == content
