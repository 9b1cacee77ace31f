"""The arrays of a store (docs/format.md), their metadata as zarr v3 writes it, and their chunks as bytes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import google_crc32c
import numcodecs
import numpy as np

__all__ = [
    "FORMAT",
    "FORMAT_VERSION",
    "FORMAT_VERSIONS",
    "GROUPS",
    "ArraySpec",
    "array_of_metadata",
    "group_metadata",
    "landscape_arrays",
    "property_spec",
]

FORMAT = "thalweg landscape"
FORMAT_VERSION = 1
"""Version that new stores are written in."""

FORMAT_VERSIONS = (1, 2)
"""Versions that can be read."""

GROUPS = ("system", "minima", "transition_states", "searches", "properties")

SCALAR_ROWS = 16384
CHUNK_BYTES = 2**20

_CODECS = [
    {"name": "bytes", "configuration": {"endian": "little"}},
    {"name": "zstd", "configuration": {"level": 1, "checksum": False}},
    {"name": "crc32c"},
]
_ZSTD = numcodecs.Zstd(level=1)


@dataclass(frozen=True)
class ArraySpec:
    """One growing array: everything about it but its length.

    Parameters
    ----------
    path : str
        ``group/name``.
    dtype : str
        numpy's name of its type.
    dimensions : tuple of str
        Names; the first is the one that grows.
    row : tuple of int
        Shape of one row.
    chunk : int
        Rows of a chunk.
    fill : float | int | bool
        What stands past the end of the last chunk.
    sparse : bool
        Whether a chunk of fill values may be missing.
    """

    path: str
    dtype: str
    dimensions: tuple[str, ...]
    row: tuple[int, ...] = ()
    chunk: int = SCALAR_ROWS
    fill: float | int | bool = field(default=float("nan"), compare=False)
    sparse: bool = False

    @property
    def name(self) -> str:
        """The name within its group."""
        return self.path.rpartition("/")[2]

    def chunk_key(self, index: int) -> str:
        """Return the file of chunk ``index`` along the first dimension."""
        return f"{self.path}/c.{'.'.join([str(index)] + ['0'] * len(self.row))}"

    def metadata(self, length: int, attributes: dict | None = None) -> dict:
        """Return the zarr v3 metadata of this array with ``length`` rows."""
        fill = "NaN" if isinstance(self.fill, float) and np.isnan(self.fill) else self.fill
        codecs = [{"name": "bytes"}, *_CODECS[1:]] if np.dtype(self.dtype).itemsize == 1 else _CODECS
        return {
            "zarr_format": 3,
            "node_type": "array",
            "shape": [length, *self.row],
            "data_type": self.dtype,
            "chunk_grid": {
                "name": "regular",
                "configuration": {"chunk_shape": [self.chunk, *(max(size, 1) for size in self.row)]},
            },
            "chunk_key_encoding": {"name": "default", "configuration": {"separator": "."}},
            "fill_value": fill,
            "codecs": codecs,
            "dimension_names": list(self.dimensions),
            "attributes": attributes or {},
        }

    def encode(self, rows: np.ndarray) -> bytes:
        """Return the bytes of a chunk holding ``rows``, at most ``chunk`` of them, padded with the fill value."""
        whole = np.full((self.chunk, *self.row), self.fill, dtype=np.dtype(self.dtype).newbyteorder("<"))
        whole[: len(rows)] = rows
        data = _ZSTD.encode(whole)
        return data + int(google_crc32c.value(data)).to_bytes(4, "little")

    def decode(self, data: bytes) -> np.ndarray:
        """Return the rows of a chunk, read-only, padding included; ValueError where its bytes were altered."""
        if len(data) < 4 or int(google_crc32c.value(data[:-4])).to_bytes(4, "little") != data[-4:]:
            raise ValueError("its checksum does not match: the file was cut short or altered")
        dtype = np.dtype(self.dtype).newbyteorder("<")
        rows = np.frombuffer(_ZSTD.decode(data[:-4]), dtype=dtype)
        if rows.size != self.chunk * int(np.prod(self.row, dtype=np.int64)):
            raise ValueError(f"it holds {rows.size} numbers where {self.chunk} rows of {self.row} were expected")
        return rows.reshape(self.chunk, *self.row).astype(self.dtype, copy=False)


def group_metadata(attributes: dict | None = None) -> dict:
    """Return the zarr v3 metadata of a group."""
    return {"zarr_format": 3, "node_type": "group", "attributes": attributes or {}}


def array_of_metadata(path: str, metadata: dict) -> tuple[ArraySpec, int]:
    """Return the array that zarr v3 metadata written by `ArraySpec.metadata` describe, and its length.

    Raises
    ------
    ValueError
        They describe something that this format does not have.
    """
    try:
        length, *row = (int(size) for size in metadata["shape"])
        chunk = int(metadata["chunk_grid"]["configuration"]["chunk_shape"][0])
        fill = float("nan") if metadata["fill_value"] == "NaN" else metadata["fill_value"]
        sparse = path.startswith("properties/")
        spec = ArraySpec(
            path, metadata["data_type"], tuple(metadata["dimension_names"]), tuple(row), chunk, fill, sparse
        )
        expected = spec.metadata(length, metadata["attributes"])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ValueError(f"metadata of {path} are not those of this format: {error!r}") from error
    for key in ("chunk_grid", "chunk_key_encoding", "codecs"):
        if json.dumps(expected[key], sort_keys=True) != json.dumps(metadata.get(key), sort_keys=True):
            raise ValueError(f"{key} of {path} is {metadata.get(key)}, this format has {expected[key]}")
    return spec, length


def landscape_arrays(n: int) -> dict[str, ArraySpec]:
    """Return the arrays of minima, transition_states and searches by path, for coordinate vectors of length ``n``."""
    specs = []
    for group, dimension in (("minima", "minimum"), ("transition_states", "transition_state")):
        specs += _point_arrays(group, dimension, n)
    side = ("transition_state", "side")
    specs += [
        ArraySpec("transition_states/minima", "int64", side, (2,), fill=-1),
        ArraySpec("transition_states/path_length", "float64", side, (2,)),
        *_search_arrays(),
    ]
    return {spec.path: spec for spec in specs}


def _point_arrays(group: str, dimension: str, n: int) -> list[ArraySpec]:
    rows = max(1, CHUNK_BYTES // (8 * n))
    names = ("energy", "gradient_rms", "lowest_eigenvalue", "log_eigenvalue_product")
    return [
        *(ArraySpec(f"{group}/{name}", "float64", (dimension,)) for name in names),
        ArraySpec(f"{group}/coordinates", "float64", (dimension, "coordinate"), (n,), rows),
        ArraySpec(f"{group}/modes", "int32", (dimension,), fill=0),
        ArraySpec(f"{group}/symmetry_order", "int64", (dimension,), fill=0),
        ArraySpec(f"{group}/verified", "bool", (dimension,), fill=False),
    ]


def _search_arrays() -> list[ArraySpec]:
    search = ("search",)
    return [
        ArraySpec("searches/task", "int64", search, fill=-1),
        ArraySpec("searches/kind", "int16", search, fill=-1),
        ArraySpec("searches/status", "int16", search, fill=-1),
        ArraySpec("searches/start", "int64", ("search", "side"), (2,), fill=-1),
        ArraySpec("searches/energy", "float64", search),
        ArraySpec("searches/steps", "int64", search, fill=0),
        ArraySpec("searches/minima_end", "int64", search, fill=0),
        ArraySpec("searches/transition_states_end", "int64", search, fill=0),
        ArraySpec("searches/minima", "int64", ("found_minimum",), fill=-1),
        ArraySpec("searches/transition_states", "int64", ("found_transition_state",), fill=-1),
    ]


def property_spec(name: str) -> ArraySpec:
    """Return the array of property ``name``."""
    return ArraySpec(f"properties/{name}", "float64", ("minimum",), sparse=True)
