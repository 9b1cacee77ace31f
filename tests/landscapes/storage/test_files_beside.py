"""Files beside a store that are not Thalweg's stay as they are: locks, scratch folders, links."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from thalweg.landscapes import Landscape, LockedError, StoreError, merge
from thalweg.landscapes.storage.lock import writer_identity
from thalweg.landscapes.storage.whole_stores import new_store

OF_A_DEAD_PROCESS = json.dumps({"pid": 1, "host": socket.gethostname(), "since": "long ago"})


def tree(folder):
    """Everything in a folder: links by their target, files by their bytes."""
    return {
        str(path.relative_to(folder)): os.readlink(path)
        if path.is_symlink()
        else path.read_bytes()
        if path.is_file()
        else None
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
def store(made_up, tmp_path):
    path = tmp_path / "a.zarr"
    with Landscape(made_up.MadeUp(), path) as landscape:
        landscape.add_minimum(made_up.minimum(0))
    return path


def text(content):
    return lambda path: path.write_bytes(content)


def link_to(content):
    """A link to a file of the user's, or to one that is not there."""

    def put(path):
        mine = path.with_name("mine.txt")
        if content is not None:
            mine.write_bytes(content)
        path.symlink_to(mine)

    return put


def another_name(path):
    path.with_name("mine.txt").write_text("years of work")
    path.hardlink_to(path.with_name("mine.txt"))


def folder(path):
    path.mkdir()
    (path / "mine.txt").write_text("mine")


FOREIGN = {
    "text": text(b"# 3,000 lines\n"),
    "JSON of another program": text(b'{"pid": 7, "host": "here", "since": "now", "port": 80}'),
    "a list": text(b"[]"),
    "a number": text(b"4711\n"),
    "bytes": text(b"\xff\x00" * 5000),
    "a large file with an identity": text(OF_A_DEAD_PROCESS.encode() + b" " * 5000),
    "another name of a file": another_name,
    "a link to a file": link_to(b"years of work"),
    "a link to a lock": link_to(OF_A_DEAD_PROCESS.encode()),
    "a link to nothing": link_to(None),
    "a link to an empty file": link_to(b""),
    "a folder": folder,
    "a pipe": os.mkfifo,
}


@pytest.mark.parametrize("what", FOREIGN)
def test_a_lock_that_is_not_ours_is_named_and_left(made_up, store, what):
    lock = store.with_name("a.zarr.lock")
    FOREIGN[what](lock)
    before = tree(store.parent)
    for act in (lambda: Landscape(made_up.MadeUp(), store), lambda: Landscape.open(store, "r+")):
        with pytest.raises(StoreError, match=r"a\.zarr\.lock is there and is no lock of Thalweg's"):
            act()
    assert tree(store.parent) == before
    assert len(Landscape.open(store).minima) == 1  # readers need no lock


@pytest.mark.parametrize("name", ["poetry", "uv", "Cargo", "a b.zarr"])
def test_a_lock_of_a_package_manager_is_left(made_up, tmp_path, name):
    (tmp_path / f"{name}.lock").write_text("[[package]]\n")
    before = tree(tmp_path)
    with pytest.raises(StoreError, match=f"{name}.lock is there and is no lock"):
        Landscape(made_up.MadeUp(), tmp_path / name)
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    "content",
    [OF_A_DEAD_PROCESS, json.dumps(writer_identity()), "{", '{"pid": 12', OF_A_DEAD_PROCESS[:-3]],
    ids=["dead", "own", "begun", "cut short", "without its end"],  # the process's number differs from worker to worker
)
def test_a_lock_of_a_killed_writer_is_taken_over(made_up, store, content):
    """Those of former versions too, which may have been killed while they wrote it."""
    lock = store.with_name("a.zarr.lock")
    lock.write_text(content)
    with Landscape(made_up.MadeUp(), store):
        assert json.loads(lock.read_text())["pid"] == os.getpid()
        with pytest.raises(LockedError, match=f"process {os.getpid()} on"):
            Landscape(made_up.MadeUp(), store)
    assert [path.name for path in store.parent.iterdir()] == ["a.zarr"]


def test_an_empty_lock_may_be_anybodys_and_is_left_empty(made_up, store):
    lock = store.with_name("a.zarr.lock")
    lock.touch()
    with Landscape(made_up.MadeUp(), store), pytest.raises(LockedError, match=f"process {os.getpid()} on"):
        Landscape(made_up.MadeUp(), store)
    assert lock.read_bytes() == b""


def test_a_lock_that_another_program_holds(made_up, store):
    fcntl = pytest.importorskip("fcntl")
    lock = store.with_name("a.zarr.lock")
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(LockedError, match="is being written by"):
            Landscape(made_up.MadeUp(), store)
    assert lock.read_bytes() == b""


SCRATCH = {
    "a folder": folder,
    "an empty folder": os.mkdir,
    "a file": text(b"mine"),
    "a link to a file": link_to(b"mine"),
    "a link to nothing": link_to(None),
    "a folder with an empty mark": lambda path: (path.mkdir(), (path / ".thalweg-scratch").touch()),
    "a folder whose mark is a link": lambda path: (path.mkdir(), link_to(b"{}")(path / ".thalweg-scratch")),
}


@pytest.mark.parametrize("what", SCRATCH)
@pytest.mark.parametrize("name", ["c.zarr.new", "c.zarr.merging", "c.zarr.new-2"])
def test_what_lies_where_a_store_is_made_stays(made_up, store, name, what):
    folder = store.parent
    SCRATCH[what](folder / name)
    before = tree(folder)
    Landscape(made_up.MadeUp(), folder / "c.zarr").close()
    merge(store, store, folder / "d.zarr", made_up.MadeUp())
    (folder / "c.zarr").rename(folder / "e.zarr")
    merge(store, store, folder / "c.zarr", made_up.MadeUp())
    made = [one for one in tree(folder) if one[0] in "cde" and ".zarr" in one and not one.startswith(name)]
    after = tree(folder)
    assert {one: after[one] for one in after if one not in made} == before
    assert len(Landscape.open(folder / "c.zarr").minima) == 1


def test_scratch_of_a_killed_process_is_cleared(made_up, store, tmp_path):
    script = (
        "import os, sys\nfrom thalweg.landscapes.storage.whole_stores import new_store\n"
        "with new_store(__import__('pathlib').Path(sys.argv[1])) as place:\n"
        "    place.mkdir(); (place / 'half').touch(); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "b.zarr")], check=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zarr", "b.zarr.lock", "b.zarr.new"]
    merge(store, store, tmp_path / "b.zarr", made_up.MadeUp())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zarr", "b.zarr"]


def test_two_that_make_one_store(made_up, store, tmp_path):
    with new_store(tmp_path / "b.zarr") as place:
        place.mkdir()
        (place / "zarr.json").touch()
        message = rf"b\.zarr is being written by process {os.getpid()} on"
        with pytest.raises(LockedError, match=message):
            merge(store, store, tmp_path / "b.zarr", made_up.MadeUp())
        with pytest.raises(LockedError, match=message):
            Landscape(made_up.MadeUp(), tmp_path / "b.zarr")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zarr", "b.zarr"]
    with pytest.raises(StoreError, match=r"b\.zarr exists"), new_store(tmp_path / "b.zarr"):
        pass


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError, ZeroDivisionError])
def test_a_store_that_could_not_be_made_leaves_nothing(store, tmp_path, error):
    before = tree(tmp_path)

    def begin(place):
        place.mkdir()
        (place / "half").write_text("half")
        raise error

    with pytest.raises(error), new_store(tmp_path / "b.zarr") as place:
        begin(place)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("link", [Path.symlink_to, Path.hardlink_to])
def test_a_link_where_a_file_of_the_store_is_written_is_not_followed(made_up, store, tmp_path, link):
    mine = tmp_path / "mine.txt"
    mine.write_text("mine")
    with Landscape(made_up.MadeUp(), store) as landscape:
        for name in ("minima/energy/c.0.partial", "zarr.json.partial", "minima/coordinates/zarr.json.partial"):
            link(store / name, mine)
        landscape.add_minimum(made_up.minimum(1))
        landscape.commit()
        landscape.properties["a"] = np.arange(2.0)
    assert mine.read_text() == "mine"
    assert len(Landscape.open(store).minima) == 2
    assert not list(store.rglob("*.partial"))
