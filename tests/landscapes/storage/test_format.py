"""What lies on disk is plain zarr v3, as docs/format.md says: read here by zarr and xarray alone."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import numpy as np
import pytest
import xarray
import zarr
from packaging.requirements import Requirement

from thalweg.landscapes import Landscape
from thalweg.landscapes.storage.schema import ArraySpec, landscape_arrays


@pytest.fixture
def store(made_up, tmp_path):
    path = tmp_path / "a.zarr"
    with Landscape(made_up.MadeUp(), path, seed=3) as landscape:
        for number in range(20):
            landscape.add_task("all", made_up.task(number), {"last": number})
        landscape.properties.set("test_auc", np.linspace(0, 1, len(landscape.minima)), data="D1")
    return path


def test_zarr_reads_every_array(store):
    group = zarr.open_group(store, mode="r")
    landscape = Landscape.open(store)
    for name in landscape.minima.names:
        np.testing.assert_array_equal(group[f"minima/{name}"][:], getattr(landscape.minima, name)[:])
    for name in landscape.transition_states.names:
        np.testing.assert_array_equal(
            group[f"transition_states/{name}"][:], getattr(landscape.transition_states, name)[:]
        )
    codes = group["searches/status"]
    words = np.array(codes.attrs["meanings"])[codes[:]]
    np.testing.assert_array_equal(words, landscape.searches.status[:])
    assert set(words) == {"converged", "too many steps"}
    assert group.attrs["seed"] == 3
    assert group.attrs["tasks"] == {"all": 20}
    assert group["properties/test_auc"].attrs["data"] == "D1"


def test_arrays_opened_by_their_own_path_agree(store):
    alone = zarr.open_array(store / "minima" / "energy", mode="r")
    np.testing.assert_array_equal(alone[:], Landscape.open(store).minima.energy[:])


def test_zarr_walks_the_tree_without_the_consolidated_metadata(store):
    group = zarr.open_group(store, mode="r", use_consolidated=False)
    assert {name for name, _ in group.groups()} == {"system", "minima", "transition_states", "searches", "properties"}
    assert group["system/calculator"].attrs["nothing"] is None


def test_xarray_reads_groups_with_their_dimensions(store):
    minima = xarray.open_zarr(store, group="minima")
    assert minima.coordinates.dims == ("minimum", "coordinate")
    states = xarray.open_zarr(store, group="transition_states")
    assert states.minima.dims == ("transition_state", "side")
    tree = xarray.open_datatree(store, engine="zarr")
    assert tree["properties"]["test_auc"].sizes == {"minimum": minima.sizes["minimum"]}
    assert tree["searches"].sizes["search"] == 60


def test_codecs_and_chunks_are_those_of_the_page(store):
    group = zarr.open_group(store, mode="r")
    for path in landscape_arrays(6):
        array = group[path]
        assert array.metadata.zarr_format == 3
        assert [type(codec).__name__ for codec in array.metadata.codecs] == ["BytesCodec", "ZstdCodec", "Crc32cCodec"]
        assert array.metadata.dimension_names is not None
    assert group["minima/coordinates"].chunks == (2**20 // 48, 6)
    assert group["minima/energy"].chunks == (16384,)


def test_every_array_stands_in_the_page():
    page = (Path(__file__).parents[3] / "docs" / "format.md").read_text()
    for path, spec in landscape_arrays(6).items():
        section = page.split(f"### `{path.partition('/')[0]}/`")[1].split("\n## ")[0].split("\n### ")[0]
        row = re.search(rf"\|[^|]*`{spec.name}`[^|]*\|([^|]*)\|", section)
        assert row, f"{path} is not described"
        assert row[1].strip() in ("", spec.dtype)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int32", "int16", "uint8", "bool"])
@pytest.mark.parametrize("row", [(), (3,), (2, 2)])
def test_a_chunk_decodes_to_what_was_encoded(dtype, row):
    rng = np.random.default_rng(0)
    spec = ArraySpec("a/b", dtype, ("x", "y", "z")[: 1 + len(row)], row, 5, 0)
    rows = rng.integers(0, 2, (3, *row)).astype(dtype)
    decoded = spec.decode(spec.encode(rows))
    assert decoded.dtype == dtype
    np.testing.assert_array_equal(decoded[:3], rows)
    assert not decoded[3:].any()


def test_the_declared_xarray_reads_committed_rows_alone():
    """Until 2025.3 xarray.open_zarr read each array's own metadata, half commits included (tried with both)."""
    setup = configparser.ConfigParser()
    setup.read(Path(__file__).parents[3] / "setup.cfg")
    extras = setup["options.extras_require"]
    for extra in ("tables", "test"):
        declared = [Requirement(line) for line in extras[extra].split("\n") if line.startswith("xarray")]
        assert len(declared) == 1
        for old in ("2024.10.0", "2025.1.2", "2025.3.1"):
            assert old not in declared[0].specifier, f"{extra} allows xarray {old}"
