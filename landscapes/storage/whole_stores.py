"""Files of whole stores: those of a new one, copies of those of another, and the way to its place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from thalweg.landscapes.storage.description import static_spec
from thalweg.landscapes.storage.local_files import LocalFiles, StoreFiles, StoreLocation, files_of
from thalweg.landscapes.storage.root import ROOT, Root, read_root
from thalweg.landscapes.storage.schema import GROUPS, ArraySpec, group_metadata
from thalweg.landscapes.storage.scratch import scratch_folder

__all__ = ["build_store", "copy_store", "created_by", "encoded", "new_store"]


def encoded(metadata: dict) -> bytes:
    """Return the bytes of the metadata of one array or group."""
    return json.dumps(metadata, indent=1).encode()


def created_by() -> str:
    """Return program and version, as a new store keeps them."""
    try:
        return f"thalweg {version('thalweg')}"
    except PackageNotFoundError:
        return "thalweg"


def build_store(files: StoreFiles, root: Root, arrays: dict[str, np.ndarray], growing: dict[str, ArraySpec]) -> None:
    """Write all files of a new store, its root last."""
    for path, values in arrays.items():
        spec = static_spec(path, values)
        root.arrays[path], root.array_attributes[path] = (spec, len(values)), {}
        if values.size:
            files.put(spec.chunk_key(0), spec.encode(values))
    for path, spec in growing.items():
        root.arrays[path], root.array_attributes[path] = (spec, 0), {}
    for path in root.arrays:
        files.put(f"{path}/{ROOT}", encoded(root.array_metadata(path)))
    for path in (*root.groups, *(group for group in GROUPS if group not in root.groups)):
        files.put(f"{path}/{ROOT}", encoded(group_metadata(root.groups.setdefault(path, {}))))
    files.put(ROOT, root.encode())


def copy_store(source: StoreLocation, target: Path) -> None:
    """Copy the last commit of a store, which may be growing, to a folder that does not exist.

    Parameters
    ----------
    source : path
        The store.
    target : Path
        Where the copy goes.
    """
    files, copied = files_of(source), LocalFiles(target)
    target.mkdir()
    root, data = read_root(files)  # first: its rows stay on disk, whatever is written from now on
    for path in root.arrays:
        copied.put(f"{path}/{ROOT}", encoded(root.array_metadata(path)), durable=False)
        spec = root.arrays[path][0]
        for name in files.names(path):
            if spec.chunk_index(name) is not None:
                copied.put(f"{path}/{name}", files.get(f"{path}/{name}", spec.largest_file), durable=False)
    for path, attributes in root.groups.items():
        copied.put(f"{path}/{ROOT}", encoded(group_metadata(attributes)), durable=False)
    copied.put(ROOT, data)


@contextmanager
def new_store(final: Path) -> Iterator[Path]:
    """Make a store beside its place; it appears there at the end, and nowhere after an error.

    Parameters
    ----------
    final : Path
        Path of the new store, where nothing or an empty folder is.

    Yields
    ------
    Path
        Path at which to make it.

    Raises
    ------
    StoreError, LockedError, OSError
        Something is there, someone else is making it, or it cannot be written.
    """
    files = LocalFiles(final.expanduser().resolve())
    files.check_free()
    lock = files.lock()
    try:
        files.check_free()  # still, now that nobody else makes it
        with scratch_folder(files.folder) as scratch:
            yield scratch / files.folder.name
            files.receive(scratch / files.folder.name)
    finally:
        lock.release()
