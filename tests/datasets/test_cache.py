"""What is kept on disk is what was made, or is made again."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from thalweg.datasets.cache import cache_folder, load_cached, store_cached

IDENTITY = {"name": "toy", "seed": 0, "side": 1.25}
ARRAYS = {"a": np.arange(12.0).reshape(3, 4), "b": np.array(["x", "yy"]), "c": np.zeros(0, dtype=np.int8)}


def only_file(folder: Path) -> Path:
    (file,) = folder.iterdir()
    return file


def test_round_trip(tmp_path):
    assert load_cached(tmp_path, IDENTITY) is None
    store_cached(tmp_path / "new", IDENTITY, ARRAYS)
    found = load_cached(tmp_path / "new", IDENTITY)
    assert set(found) == set(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype
    assert load_cached(tmp_path / "new", {**IDENTITY, "seed": 1}) is None
    assert only_file(tmp_path / "new").suffix == ".cache"


@pytest.mark.parametrize("damage", ["cut", "bit", "empty", "other", "folder"])
def test_damaged_files_count_as_missing(tmp_path, damage, caplog):
    store_cached(tmp_path, IDENTITY, ARRAYS)
    file = only_file(tmp_path)
    content = bytearray(file.read_bytes())
    if damage == "cut":
        file.write_bytes(content[:-7])
    elif damage == "bit":
        content[-60] ^= 1
        file.write_bytes(content)
    elif damage == "empty":
        file.write_bytes(b"")
    elif damage == "other":
        store_cached(tmp_path / "other", {**IDENTITY, "seed": 1}, ARRAYS)
        file.write_bytes(only_file(tmp_path / "other").read_bytes())
    else:
        file.unlink()
        file.mkdir()
    with caplog.at_level(logging.WARNING):
        assert load_cached(tmp_path, IDENTITY) is None
    assert str(file) in caplog.text


def forged(payload: bytes) -> bytes:
    """A cache file with a right checksum, as only somebody who means it makes one."""
    return b"thalweg cache 1\n" + hashlib.sha256(payload).digest() + payload


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def npy(array: np.ndarray, pickled: bool = False) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=pickled)
    return file.getvalue()


RIGHT = {"identity.npy": npy(np.array(json.dumps(IDENTITY, sort_keys=True)))}
FORGED = {
    "no zip": b"no zip at all",
    "cut short": zipped(RIGHT)[:-30],
    "nothing in it": zipped({}),
    "a member that is no array": zipped(RIGHT | {"a.npy": b"no array"}),
    "an array of a terabyte": zipped(RIGHT | {"a.npy": npy(np.zeros(3)).replace(b"(3,), }     ", b"(99999999999,)}")}),
    "packed": zipped(RIGHT | {"a.npy": npy(np.zeros(2**24))}, zipfile.ZIP_DEFLATED),
    "pickled": zipped(RIGHT | {"a.npy": npy(np.array([{}]), pickled=True)}),
    "damaged inside": zipped(RIGHT | {"a.npy": npy(np.zeros(9))}).replace(bytes(40), b"x" * 40, 1),
}


@pytest.mark.parametrize("name", FORGED)
def test_forged_files_count_as_missing(tmp_path, name, caplog):
    store_cached(tmp_path, IDENTITY, ARRAYS)
    file = only_file(tmp_path)
    file.write_bytes(forged(FORGED[name]))
    tracemalloc.start()
    try:
        with caplog.at_level(logging.WARNING):
            assert load_cached(tmp_path, IDENTITY) is None
        assert tracemalloc.get_traced_memory()[1] < 2**23
    finally:
        tracemalloc.stop()
    assert str(file) in caplog.text


def test_a_forged_file_that_is_right_is_read(tmp_path):
    store_cached(tmp_path, IDENTITY, ARRAYS)
    only_file(tmp_path).write_bytes(forged(zipped(RIGHT | {"a.npy": npy(np.arange(3))})))
    np.testing.assert_array_equal(load_cached(tmp_path, IDENTITY)["a"], np.arange(3))


def test_a_folder_that_cannot_be_written_costs_only_time(tmp_path, caplog):
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    with caplog.at_level(logging.WARNING):
        store_cached(blocked / "cache", IDENTITY, ARRAYS)
    assert "cannot be written" in caplog.text


def test_a_failed_write_leaves_nothing(tmp_path, monkeypatch):
    def fail(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", fail)
    store_cached(tmp_path, IDENTITY, ARRAYS)
    assert not list(tmp_path.iterdir())


def test_which_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("THALWEG_CACHE", str(tmp_path / "by-variable"))
    assert cache_folder() == cache_folder(True) == tmp_path / "by-variable"
    assert cache_folder(tmp_path) == tmp_path
    assert cache_folder(False) is None
    monkeypatch.delenv("THALWEG_CACHE")
    assert cache_folder().name == "thalweg"
    assert load_cached(None, IDENTITY) is None
    store_cached(None, IDENTITY, ARRAYS)
