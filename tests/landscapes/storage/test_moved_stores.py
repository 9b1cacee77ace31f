"""A store that was moved away or replaced under its writer, and a property replaced on a full disk: nothing is lost."""

from __future__ import annotations

import resource
import shutil
import signal

import numpy as np
import pytest

from thalweg.landscapes import Landscape, StoreError, merge

from ...helpers import files_of as bytes_of


@pytest.fixture
def store(made_up, tmp_path):
    path = tmp_path / "folder" / "a.zarr"  # what is above it is compared whole
    path.parent.mkdir()
    with Landscape(made_up.MadeUp(), path) as landscape:
        for k in range(5):
            landscape.add_minimum(made_up.minimum(k))
    return path


def moved(store):
    store.rename(store.with_name("elsewhere.zarr"))


def parent_moved(store):
    store.parent.rename(store.parent.with_name(store.parent.name + "-moved"))


def replaced_by_a_copy(store):
    shutil.copytree(store, store.with_name("copy.zarr"))
    moved(store)
    store.with_name("copy.zarr").rename(store)


def replaced_by_a_link_to_a_copy(store):
    shutil.copytree(store, store.with_name("copy.zarr"))
    moved(store)
    store.symlink_to(store.with_name("copy.zarr"))


def replaced_by_an_empty_folder(store):
    moved(store)
    store.mkdir()


def replaced_by_a_file(store):
    moved(store)
    store.write_text("mine")


@pytest.mark.parametrize(
    "change",
    [
        *(moved, parent_moved, shutil.rmtree, replaced_by_a_copy, replaced_by_a_link_to_a_copy),
        *(replaced_by_an_empty_folder, replaced_by_a_file),
    ],
)
def test_a_store_that_is_no_longer_there_is_noticed(made_up, store, change):
    landscape = Landscape(made_up.MadeUp(), store)
    landscape.add_minimum(made_up.minimum(5))
    top = store.parents[1]
    change(store)
    before = bytes_of(top)
    for act in (
        landscape.commit,
        lambda: landscape.properties.set("a", np.zeros(6)),
        landscape.close,
    ):
        with pytest.raises(StoreError, match=r"a\.zarr is no longer the folder that was opened for writing"):
            act()
    after = {name: content for name, content in bytes_of(top).items() if not name.endswith(".lock")}
    assert after == {name: content for name, content in before.items() if not name.endswith(".lock")}


def test_a_relative_path_means_the_same_folder_wherever_the_process_goes(made_up, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with Landscape(made_up.MadeUp(), "a.zarr") as landscape:
        landscape.add_minimum(made_up.minimum(0))
        monkeypatch.chdir(tmp_path / "elsewhere")
        landscape.add_minimum(made_up.minimum(1))
        landscape.commit()
        landscape.properties["a"] = np.zeros(2)
        merge("../a.zarr", tmp_path / "a.zarr", "b.zarr", made_up.MadeUp())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zarr", "elsewhere"]
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["b.zarr"]
    assert len(Landscape.open(tmp_path / "a.zarr").minima) == 2


def test_a_store_that_comes_back_takes_what_was_added(made_up, store):
    with Landscape(made_up.MadeUp(), store) as landscape:
        landscape.add_minimum(made_up.minimum(5))
        moved(store)
        with pytest.raises(StoreError, match="can be committed once it is back"):
            landscape.commit()
        store.with_name("elsewhere.zarr").rename(store)
        landscape.commit()
        moved(store)
        store.symlink_to(store.with_name("elsewhere.zarr"))  # the same folder by another way
        landscape.add_minimum(made_up.minimum(6))
    assert Landscape.open(store).minima.energy[:].tolist() == [made_up.minimum(k).energy for k in range(7)]


@pytest.mark.parametrize("size", [700, 2000, 16000, 40000])
@pytest.mark.parametrize("known", [False, True])
def test_a_full_disk_leaves_the_property_that_is_to_be_replaced(made_up, tmp_path, size, known):
    store = tmp_path / "a.zarr"
    noise = np.random.default_rng(0).normal(size=40_000)
    with Landscape(made_up.MadeUp(), store) as landscape:
        column = landscape._store.columns
        for path in list(column):
            if path.startswith("minima/"):
                column[path].extend(np.ones((len(noise), *column[path].spec.row), column[path].spec.dtype))
        landscape.commit()
        if known:
            landscape.properties.set("auc", np.arange(40_000.0), of="old")
        before = {name: data for name, data in bytes_of(store).items() if not name.endswith(".lock")}
        limit = resource.getrlimit(resource.RLIMIT_FSIZE)
        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, limit[1]))
            with pytest.raises(OSError, match="File too large"):
                landscape.properties.set("auc", noise, of="new")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limit)
            signal.signal(signal.SIGXFSZ, handler)
        assert bytes_of(store) == before
        for found in (landscape.properties, Landscape.open(store).properties):
            assert ("auc" in found) == known
            if known:
                np.testing.assert_array_equal(found["auc"], np.arange(40_000.0))
                assert found.attributes("auc") == {"of": "old"}
        landscape.properties.set("auc", noise, of="new")
    found = Landscape.open(store).properties
    np.testing.assert_array_equal(found["auc"], noise)
    assert found.attributes("auc") == {"of": "new"}
    assert not list(store.rglob("*.partial"))
