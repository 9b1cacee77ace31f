"""Stores that somebody else has made: whatever their names, links, metadata and rows say, an error names it."""

from __future__ import annotations

import copy
import json
import os
import shutil

import numpy as np
import pytest
import zarr

from thalweg.landscapes import Landscape, StoreError, merge
from thalweg.landscapes.maintenance.integrity import verify_structure

from ....helpers import files_of as all_files
from ....helpers import thalweg
from .changes import all_of, at, edit, without


@pytest.fixture
def store(made_up, tmp_path):
    path = tmp_path / "a.zarr"
    with Landscape(made_up.MadeUp(), path) as landscape:
        for number in range(10):
            landscape.add_task("all", made_up.task(number), {"last": number})
        landscape.properties["auc"] = np.zeros(len(landscape.minima))
    return path


@pytest.fixture
def documents(tmp_path):
    """A folder outside the store, with files of all the names that a store's files have."""
    folder = tmp_path / "documents"
    (folder / "half").mkdir(parents=True)
    for name in ("thesis.tex", "c.0", "c.7", "zarr.json", "c.0.partial", "half/c.0"):
        (folder / name).write_text("years of work")
    return folder


def refused(made_up, path, pattern=None, ways=(0, 1, 2, 3, 4)):
    """Everything that opens a store is refused, with an error that names it, and changes nothing around it."""
    before = all_files(path.parent)
    other = path.with_name("other.zarr")
    acts = (
        lambda: Landscape.open(path),
        lambda: Landscape.open(path, "r+"),
        lambda: Landscape(made_up.MadeUp(), path),
        lambda: merge(path, path, other, made_up.MadeUp()),
        lambda: verify_structure(Landscape.open(path)) or pytest.fail("verify finds nothing wrong"),
    )
    for way in ways:
        with pytest.raises(StoreError, match=pattern) as caught:
            acts[way]()
        assert path.name in str(caught.value)
    assert all_files(path.parent) == before


# ---- names


@pytest.mark.parametrize(
    "name",
    [
        *("properties/../../documents", "../documents", "documents", "properties/.", "properties/a/b", "minima/more"),
        *("properties/", "", "/", "properties/x\n", "properties/9", "properties/" + "x" * 101, "searches/\u202e"),
        *("system/../documents", "system/.hidden", "system/_x", "system/zarr.json", "system/x.partial", "system/a\x1b"),
        *("system/calculator/" + "a/" * 40 + "b", "system/nowhere/x", "system\\x", "Minima/energy"),
    ],
)
def test_an_array_of_another_name_is_refused(made_up, store, documents, name):
    def change(attributes, members, root):
        members[name] = copy.deepcopy(members["properties/auc"])

    edit(store, change)
    refused(made_up, store)


def test_an_array_named_by_an_absolute_path_is_refused(made_up, store, documents):
    def change(attributes, members, root):
        members[str(documents)] = copy.deepcopy(members["properties/auc"])

    edit(store, change)
    refused(made_up, store, "is none of this format")


@pytest.mark.parametrize(
    "name", ["documents", "minima/energy/more", "properties/group", "system/..", "system/a\tb", "pathways"]
)
def test_a_group_of_another_name_is_refused(made_up, store, name):
    edit(store, lambda attributes, members, root: members.update({name: members["minima"]}))
    refused(made_up, store)


@pytest.mark.parametrize("name", ["a/b", "..", "_x", ".x", "zarr.json", "x.partial", "a\\b", "a\nb", "x" * 201])
def test_names_that_reading_refuses_are_not_written(made_up, tmp_path, name):
    system = made_up.MadeUp()
    system.describe = lambda: {"n": 6, "calculator": {"name": "MadeUp", name: np.zeros(3)}}
    with pytest.raises(ValueError, match="is no name that a store can hold"):
        Landscape(system, tmp_path / "a.zarr")
    assert not list(tmp_path.iterdir())


# ---- links


@pytest.mark.parametrize("key", ["searches/steps", "minima", "properties", "properties/auc", "system/calculator"])
@pytest.mark.parametrize("moved", [True, False])
def test_a_folder_that_is_a_link_is_refused(made_up, store, documents, key, moved):
    target = store.with_name("elsewhere")
    if moved:
        (store / key).rename(target)
    else:
        shutil.rmtree(store / key)
        target = documents
    (store / key).symlink_to(target)
    refused(made_up, store, f"{key} is a link")


@pytest.mark.parametrize("key", ["minima/energy/c.0", "transition_states/minima/c.0.0", "zarr.json"])
def test_a_file_that_is_a_link_is_refused(made_up, store, key):
    target = store.with_name("elsewhere")
    (store / key).rename(target)
    (store / key).symlink_to(target)
    refused(made_up, store, "is a link|is missing")


def test_a_link_to_the_store_s_folder_is_the_user_s_own_and_followed(made_up, store, tmp_path):
    (tmp_path / "link").symlink_to(store)
    with Landscape(made_up.MadeUp(), tmp_path / "link") as landscape:
        landscape.add_minimum(made_up.minimum(1234))
    assert (tmp_path / "link").is_symlink()
    assert len(Landscape.open(store).minima) == len(landscape.minima)


@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_a_chunk_that_is_no_file_is_refused_at_once(made_up, store, kind):
    chunk = store / "minima" / "gradient_rms" / "c.0"
    chunk.unlink()
    os.mkfifo(chunk) if kind == "pipe" else chunk.mkdir()
    refused(made_up, store, "gradient_rms")


def test_a_cut_deletes_chunks_of_real_folders_and_nothing_else(made_up, store, documents):
    folder = store / "minima" / "energy"
    for name in ("c.7", "c.12.partial", "zarr.json.partial"):
        (folder / name).write_text("junk")
    stay = {folder / name for name in ("notes.txt", "c.-1", "c.7.0", "c.07", "c.x", "mine.partial")}
    stay |= {store / "properties" / "half" / "holiday.png", store / "mine.txt", store / "zarr.json.mine.partial"}
    (store / "properties" / "half").mkdir()
    for file in stay:
        file.write_text("mine")
    (store / "properties" / "half" / "c.0").write_text("junk")
    (store / "properties" / "away").symlink_to(documents)
    (folder / "c.8").symlink_to(documents / "thesis.tex")
    before = all_files(documents)
    Landscape(made_up.MadeUp(), store).close()
    assert all_files(documents) == before
    assert all(file.read_text() == "mine" for file in stay)
    names = {path.name for path in folder.iterdir()}
    assert names == {"c.0", "c.8", "zarr.json", *(file.name for file in stay if file.parent == folder)}
    assert not (store / "properties" / "half" / "c.0").exists()


def test_a_property_is_not_written_through_a_link(made_up, store, documents):
    (store / "properties" / "away").symlink_to(documents)
    (store / "minima" / "energy" / "c.0.partial").symlink_to(documents / "thesis.tex")
    before = all_files(documents)
    with Landscape(made_up.MadeUp(), store) as landscape:
        with pytest.raises(StoreError, match="away is a link"):
            landscape.properties["away"] = np.zeros(len(landscape.minima))
        landscape.add_minimum(made_up.minimum(4321))
    assert all_files(documents) == before


@pytest.mark.parametrize("way", ["file", "LocalStore"])
def test_a_folder_is_checked_however_it_is_named(made_up, store, documents, way):
    (store / "searches" / "steps").rename(store.with_name("elsewhere"))
    (store / "searches" / "steps").symlink_to(documents)
    where = f"file://{store}" if way == "file" else zarr.storage.LocalStore(store)
    with pytest.raises(StoreError, match="is a link"):
        Landscape.open(where)


# ---- metadata


METADATA = {
    "length negative": at("minima/energy", "shape", to=[-1]),
    "length not whole": at("minima/energy", "shape", to=[3.0]),
    "length a truth value": at("minima/energy", "shape", to=[True]),
    "length a million million, of all": all_of("minimum", 10**12),
    "length 10**30, of all": all_of("search", 10**30),
    "length of found minima": all_of("found_minimum", 10**9),
    "no length": at("properties/auc", "shape", to=[]),
    "shape a text": at("properties/auc", "shape", to="3"),
    "chunk 0": at("minima/energy", "chunk_grid", "configuration", "chunk_shape", to=[0]),
    "chunk negative": at("searches/start", "chunk_grid", "configuration", "chunk_shape", to=[-1, 2]),
    "chunk of another size": at("searches/kind", "chunk_grid", "configuration", "chunk_shape", to=[16383]),
    "chunk of coordinates": at("minima/coordinates", "chunk_grid", "configuration", "chunk_shape", to=[1, 6]),
    "grid of another kind": at("minima/energy", "chunk_grid", "name", to="rectangular"),
    "no coordinates": at("minima/coordinates", "shape", to=[3, 0]),
    "10**12 coordinates": at("minima/coordinates", "shape", to=[3, 10**12]),
    "fill value": at("minima/modes", "fill_value", to=1),
    "fill value a text": at("minima/energy", "fill_value", to="Infinity"),
    "type": at("transition_states/minima", "data_type", to="uint64"),
    "type of a property": at("properties/auc", "data_type", to="complex128"),
    "codecs": at("minima/energy", "codecs", to=[{"name": "bytes"}]),
    "codec of another name": at("minima/energy", "codecs", 1, "name", to="gzip"),
    "key encoding": at("minima/energy", "chunk_key_encoding", "configuration", "separator", to="/"),
    "dimensions": at("minima/energy", "dimension_names", to=["search"]),
    "no attributes": without("minima/energy", "attributes"),
    "attributes of an array": at("minima/energy", "attributes", to={"scale": 2}),
    "attributes null": at("properties/auc", "attributes", to=None),
    "meanings a text": at("searches/kind", "attributes", to={"meanings": "converged"}),
    "meanings numbers": at("searches/status", "attributes", to={"meanings": [1, 2]}),
    "meanings missing": at("searches/status", "attributes", to={}),
    "an entry more": at("minima/energy", "storage_transformers", to=[{"name": "x"}]),
    "node type": at("minima/energy", "node_type", to="file"),
    "group with a shape": at("minima", "shape", to=[3]),
    "attributes of a group": at("searches", "attributes", to=[1]),
    "static array": at("system/calculator/table", "shape", to=[2, -3]),
    "static array too large": at("system/calculator/table", "shape", to=[2**20, 2**20]),
    "static array of objects": at("system/calculator/table", "data_type", to="object"),
    "frozen beyond": at("system/frozen", "shape", to=[10**9]),
    "no seed": without("", "seed"),
    "seed negative": at("", "seed", to=-1),
    "seed a text": at("", "seed", to="0"),
    "seed of 2000 bits": at("", "seed", to=2**2000),
    "units": at("", "units", to="furlongs"),
    "no units": without("", "units"),
    "tolerance missing": without("", "tolerances", "energy"),
    "tolerance negative": at("", "tolerances", "distance", to=-1.0),
    "tolerance null": at("", "tolerances", "gradient_rms", to=None),
    "tolerance of no name": at("", "tolerances", "patience", to=1.0),
    "tolerances a number": at("", "tolerances", to=1e-7),
    "rules a list": at("", "rules", to=[]),
    "rules: memory": at("", "rules", to={"memory": 10**12}),
    "rules: shrink": at("", "rules", to={"shrink": 1.0}),
    "rules of no name": at("", "rules", to={"command": "true"}),
    "tasks ahead": at("", "tasks_ahead", to=10**12),
    "tasks a list": at("", "tasks", to=[3]),
    "tasks negative": at("", "tasks", to={"all": -3}),
    "state null": at("", "state", to=None),
    "chains": at("", "state", to={"find_minima": {"chains": [1.5]}}),
    "pending": at("", "state", to={"connect": {"pending": [[0, "single-ended", 10**6, [[0, -1]]]]}}),
    "distances": at("", "state", to={"untrap": {"distances": [[0, 1]]}}),
    "nested deeply": at("", "state", to=json.loads("[" * 50 + "]" * 50)),
    "created by a list": at("", "created_by", to=[]),
    "half a character": at("", "created_by", to="\ud800"),
}  # fmt: skip


@pytest.mark.parametrize("name", METADATA)
def test_metadata_that_the_format_does_not_have_are_refused(made_up, store, name):
    edit(store, METADATA[name])
    ways = (1, 2, 3) if name in ("meanings missing",) else (0, 1, 2, 3, 4)
    refused(made_up, store, ways=ways)
    for command in ("info", "verify"):
        said = thalweg(command, store)
        assert said.exit_code == 1
        assert "Traceback" not in said.output


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"null", b"[]", b"3", b'"x"', b"{}", b'{"attributes": 3}', b"[" * 10**6, b"\xff\xfe{}", b"{" * 100),
        *(b'{"attributes": {"format": "thalweg landscape", "format_version": 1}}', b" " * 2**24 + b"{}"),
        *(b'{"attributes": {"format": NaN}}', b'{"attributes": {"format": ' + b"9" * 5000 + b"}}"),
    ],
)
def test_a_root_that_is_none_is_refused(made_up, store, content):
    (store / "zarr.json").write_bytes(content)
    refused(made_up, store, "zarr.json|no Thalweg landscape")


@pytest.mark.parametrize("members", [[], None, 3, {"minima": []}, {"minima": None}, {}])
def test_members_that_are_none_are_refused(made_up, store, members):
    edit(store, lambda attributes, held, root: root["consolidated_metadata"].update(metadata=members))
    refused(made_up, store)


def test_too_many_arrays_are_refused(made_up, store):
    def change(attributes, members, root):
        members.update({f"properties/p{k}": members["properties/auc"] for k in range(5000)})

    edit(store, change)
    refused(made_up, store, "groups and arrays")


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"deep": json.loads("[" * 40 + "]" * 40)}, "levels of nesting"),
        ({"large": 2**1001}, "a whole number has 1002 bits"),
        ({"much": [0] * 2**19}, "values in the root"),
        ({"half": "\ud800"}, "no Unicode"),
    ],
)
def test_a_state_that_no_reader_would_accept_is_not_written(made_up, store, state, said):
    with Landscape(made_up.MadeUp(), store) as landscape:
        landscape.state.update(state)
        with pytest.raises(ValueError, match=said):
            landscape.commit()
        for name in state:
            del landscape.state[name]
    assert Landscape.open(store).state == {"last": 9}


@pytest.mark.parametrize("arguments", [{"tasks_ahead": 10**12}, {"seed": 2**600}, {"rules": {"memory": 0}}])
def test_settings_that_no_reader_would_accept_make_no_store(made_up, tmp_path, arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        Landscape(made_up.MadeUp(), tmp_path / "b.zarr", **arguments)
    assert not list(tmp_path.iterdir())


def test_a_root_that_zarr_has_written_again_is_read(made_up, store):
    before = len(Landscape.open(store).minima)
    with pytest.warns(zarr.errors.ZarrUserWarning, match="Consolidated metadata"):
        zarr.consolidate_metadata(store)
    assert len(Landscape.open(store).minima) == before
