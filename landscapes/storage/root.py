"""Root metadata (``zarr.json``): renaming this file is what commits a store."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from thalweg.landscapes.errors import StoreError
from thalweg.landscapes.storage.column import Column
from thalweg.landscapes.storage.local_files import StoreFiles
from thalweg.landscapes.storage.schema import (
    FORMAT,
    FORMAT_VERSIONS,
    GROUPS,
    ArraySpec,
    array_of_metadata,
    group_metadata,
    landscape_arrays,
)

__all__ = ["ROOT", "Root", "read_root"]

ROOT = "zarr.json"


@dataclass
class Root:
    """Everything that the root's metadata say.

    Attributes
    ----------
    attributes : dict
        Of the root.
    groups : dict
        Attributes of each group by path.
    arrays : dict
        Each array and its committed length, by path.
    array_attributes : dict
        Attributes of each array by path.
    """

    attributes: dict[str, Any]
    groups: dict[str, dict] = field(default_factory=dict)
    arrays: dict[str, tuple[ArraySpec, int]] = field(default_factory=dict)
    array_attributes: dict[str, dict] = field(default_factory=dict)

    @classmethod
    def new(cls, attributes: Mapping[str, Any]) -> Root:
        """Return the root of a store without groups or arrays."""
        return cls(dict(attributes))

    def updated(self, attributes: Mapping[str, Any], columns: Mapping[str, Column]) -> Root:
        """Return the root as it will be once the columns' rows are written."""
        arrays = {path: held for path, held in self.arrays.items() if path.startswith("system/")}
        held = {path: kept for path, kept in self.array_attributes.items() if path.startswith("system/")}
        arrays |= {path: (column.spec, column.rows) for path, column in columns.items()}
        held |= {path: copy.deepcopy(column.attributes) for path, column in columns.items()}
        return Root(copy.deepcopy(dict(attributes)), self.groups, arrays, held)

    def differs(self, other: Root, path: str) -> bool:
        """Say whether an array's length or attributes are not those of another root."""
        same = self.arrays.get(path) == other.arrays.get(path)
        return not same or self.array_attributes.get(path) != other.array_attributes.get(path)

    def array_metadata(self, path: str) -> dict:
        """Return the zarr v3 metadata of one array."""
        spec, length = self.arrays[path]
        return spec.metadata(length, self.array_attributes[path])

    def encode(self) -> bytes:
        """Return the bytes of the root's ``zarr.json``."""
        inline = {path: group_metadata(held) for path, held in self.groups.items()}
        inline |= {path: self.array_metadata(path) for path in self.arrays}
        root = group_metadata(self.attributes)
        root["consolidated_metadata"] = {
            "kind": "inline",
            "must_understand": False,
            "metadata": dict(sorted(inline.items())),
        }
        return json.dumps(root, allow_nan=False).encode()


def read_root(files: StoreFiles, data: bytes | None = None) -> Root:
    """Return the root of a store, checked against the format.

    Raises
    ------
    FileNotFoundError
        There is no such folder.
    StoreError
        It is no landscape, of another version, or something is missing; the message names it.
    """
    where = files.folder
    if data is None:
        data = _read(files)
    try:
        root = json.loads(data)
        attributes = root["attributes"]
        named = attributes.get("format")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"{where / ROOT} is damaged, or not of zarr version 3: {error!r}") from error
    if named != FORMAT:
        raise StoreError(
            f"{where} is a zarr store, but no Thalweg landscape: the attribute 'format' is {named!r}, not {FORMAT!r}"
        )
    found = attributes.get("format_version")
    if type(found) is not int or found not in FORMAT_VERSIONS:
        readable = " and ".join(map(str, FORMAT_VERSIONS))
        raise StoreError(
            f"{where} has format version {found!r}; this Thalweg reads versions {readable}: "
            "use the release that wrote it, or a newer one"
        )
    try:
        return _checked(_parsed(root), where)
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{where / ROOT}: {error}") from error


def _read(files: StoreFiles) -> bytes:
    try:
        return files.get(ROOT)
    except (FileNotFoundError, NotADirectoryError):
        raise files.why_no_root() from None


def _parsed(metadata: dict) -> Root:
    root = Root(metadata["attributes"])
    for path, held in metadata["consolidated_metadata"]["metadata"].items():
        if held["node_type"] == "group":
            root.groups[path] = held["attributes"]
        else:
            root.arrays[path] = array_of_metadata(path, held)
            root.array_attributes[path] = held["attributes"]
    return root


def _checked(root: Root, where: object) -> Root:
    """Return the root if it has every group and array of the format, of the right kind and equal lengths."""
    missing = [group for group in GROUPS if group not in root.groups]
    if missing:
        raise ValueError(f"group {missing[0]} is missing in {where}")
    if "minima/coordinates" not in root.arrays:
        raise ValueError(f"array minima/coordinates is missing in {where}")
    lengths: dict[str, tuple[int, str]] = {}
    expected = landscape_arrays(root.arrays["minima/coordinates"][0].row[0])
    for path, spec in expected.items():
        if path not in root.arrays:
            raise ValueError(f"array {path} is missing in {where}")
        found, length = root.arrays[path]
        if (found.dtype, found.dimensions, found.row) != (spec.dtype, spec.dimensions, spec.row):
            raise ValueError(
                f"array {path} is {found.dtype} {found.dimensions} {found.row}, "
                f"not {spec.dtype} {spec.dimensions} {spec.row}"
            )
        first, whose = lengths.setdefault(spec.dimensions[0], (length, path))
        if first != length:
            raise ValueError(f"array {path} has {length} rows, {whose} has {first}")
    return root
