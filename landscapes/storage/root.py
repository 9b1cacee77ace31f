"""Root metadata (``zarr.json``): renaming this file is what commits a store."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from thalweg.landscapes.errors import StoreError
from thalweg.landscapes.storage.attribute_rules import shown
from thalweg.landscapes.storage.column import Column
from thalweg.landscapes.storage.local_files import StoreFiles
from thalweg.landscapes.storage.root_checks import check_attributes, check_members, check_size, parsed_json
from thalweg.landscapes.storage.schema import (
    FORMAT,
    FORMAT_VERSIONS,
    LIMITS,
    ArraySpec,
    group_metadata,
)
from thalweg.potentials.conversion.printable import printable

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
        """Return the root as it will be once the columns' rows are written.

        Raises
        ------
        ValueError
            The attributes hold something that no reader would accept, such as a state of a hundred nested lists.
        """
        check_attributes(attributes)
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
        """Return the bytes of the root's ``zarr.json``; ValueError where they are more than any reader accepts."""
        inline = {path: group_metadata(held) for path, held in self.groups.items()}
        inline |= {path: self.array_metadata(path) for path in self.arrays}
        root = group_metadata(self.attributes)
        root["consolidated_metadata"] = {
            "kind": "inline",
            "must_understand": False,
            "metadata": dict(sorted(inline.items())),
        }
        data = json.dumps(root, allow_nan=False).encode()
        check_size(data, len(inline))
        return data


def read_root(files: StoreFiles) -> tuple[Root, bytes]:
    """Return the root of a store, and its bytes: the one place where metadata are read and compared with the format.

    Raises
    ------
    FileNotFoundError
        There is no such folder.
    StoreError
        It is no landscape, of another version, or its metadata are not those of the format; the message names them.
    """
    where, data = files.folder, _read(files)
    try:
        root = parsed_json(data)
        attributes = root["attributes"]
        named = attributes.get("format")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"{where / ROOT} is damaged, or not of zarr version 3: {error!r}") from error
    if named != FORMAT:
        raise StoreError(
            f"{where} is a zarr store, but no Thalweg landscape: "
            f"the attribute 'format' is {shown(named)}, not {FORMAT!r}"
        )
    found = attributes.get("format_version")
    if type(found) is not int or found not in FORMAT_VERSIONS:
        readable = " and ".join(map(str, FORMAT_VERSIONS))
        raise StoreError(
            f"{where} has format version {shown(found)}; this Thalweg reads versions {readable}: "
            "use the release that wrote it, or a newer one"
        )
    try:
        check_attributes(attributes)
        groups, arrays, held = check_members(_members(root))
    except ValueError as error:
        raise StoreError(f"{where / ROOT}: {printable(error)}") from error
    files.check_folders((*groups, *arrays))
    return Root(attributes, groups, arrays, held), data


def _read(files: StoreFiles) -> bytes:
    try:
        return files.get(ROOT, LIMITS["bytes of the root"])
    except (FileNotFoundError, NotADirectoryError):
        raise files.why_no_root() from None


def _members(root: dict) -> object:
    """Return the metadata of groups and arrays, which stand inline in the root."""
    inline = root.get("consolidated_metadata")
    if not isinstance(inline, dict) or "metadata" not in inline:
        raise ValueError("consolidated_metadata is missing, or has no metadata of groups and arrays")
    return inline["metadata"]
