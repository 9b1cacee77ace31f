"""Store of a landscape: create, open, commit; a commit replaces the root's ``zarr.json`` (see ``root``)."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg.landscapes.errors import StoreError
from thalweg.landscapes.storage.column import ChunkCache, Column
from thalweg.landscapes.storage.description import build_description, flatten_description, static_spec
from thalweg.landscapes.storage.local_files import PARTIAL, LocalFiles, StoreFiles, StoreLocation, files_of
from thalweg.landscapes.storage.root import ROOT, Root, read_root
from thalweg.landscapes.storage.schema import (
    FORMAT,
    FORMAT_VERSION,
    GROUPS,
    ArraySpec,
    group_metadata,
    landscape_arrays,
)

if TYPE_CHECKING:
    from thalweg.landscapes.storage.lock import WriterLock
    from thalweg.landscapes.storage.zarr_files import ObjectLock

__all__ = ["Store", "copy_store"]

_WRITER_CACHE = 512 * 2**20  # bytes: recognising a duplicate reads coordinates from all over the landscape
_WRITERS = 8  # files written at once: a disk that is made to wait for one file takes others meanwhile


class Store:
    """An open landscape store; made by `create` and `open`.

    Attributes
    ----------
    path : Path or Address
        The folder, or what stands for it in messages where it is none.
    columns : dict of Column
        Every growing array by path.
    attributes : dict
        The root's attributes; a writer's changes are written by the next commit.
    """

    def __init__(self, files: StoreFiles, lock: WriterLock | ObjectLock | None) -> None:
        self.path, self.files, self._lock = files.folder, files, lock
        self._cache = ChunkCache(_WRITER_CACHE) if lock is not None else ChunkCache()
        try:
            self._load()
        except BaseException:
            self.close()
            raise

    def _load(self) -> None:
        root = read_root(self.files)
        self.attributes, self._root = copy.deepcopy(root.attributes), root
        self.columns: dict[str, Column] = {}
        for path, (spec, length) in root.arrays.items():
            if not path.startswith("system/"):
                self.columns[path] = Column(spec, self.files, self._cache, length, self.writable)
                self.columns[path].attributes = copy.deepcopy(root.array_attributes[path])
        for column in self.columns.values():
            column.check_present()

    @classmethod
    def create(
        cls, path: StoreLocation, description: Mapping[str, Any], n: int, attributes: Mapping[str, Any]
    ) -> Store:
        """Make a store and open it for writing.

        Parameters
        ----------
        path : path
            Place of the new store, where nothing or an empty folder is.
        description : mapping
            Description of the system.
        n : int
            Length of coordinate vectors.
        attributes : mapping
            Further attributes of the root.

        Raises
        ------
        StoreError, LockedError, OSError
            Something else is there, someone else is making it, or it cannot be written.
        """
        files = files_of(path)
        if not files.empty():
            raise StoreError(f"{files.folder} is not empty and no landscape: choose another path")
        root = Root.new({"format": FORMAT, "format_version": FORMAT_VERSION, "created_by": _created_by(), **attributes})
        groups, arrays = flatten_description(description, "system")
        root.groups |= groups
        lock = files.lock()
        try:
            files.create(lambda place: _build(place, root, arrays, landscape_arrays(n)))
            return cls(files, lock)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def open(cls, path: StoreLocation, mode: str = "r") -> Store:
        """Open a store: ``"r"`` to read, ``"r+"`` to write too.

        Raises
        ------
        FileNotFoundError
            Nothing is there.
        StoreError
            It is no landscape, of a newer format, or damaged; LockedError where another process writes to it.
        """
        if mode not in ("r", "r+"):
            raise ValueError(f"mode must be 'r' or 'r+', not {mode!r}")
        files = files_of(path)
        if mode == "r":
            return cls(files, None)
        cls(files, None)  # whatever is wrong is found before anything is written
        store = cls(files, files.lock())
        try:
            store._cut_back()
        except BaseException:
            store.close()
            raise
        return store

    @property
    def writable(self) -> bool:
        """Whether rows may be added."""
        return self._lock is not None

    def rows(self, group: str) -> int:
        """Return the number of rows of minima, transition_states or searches, uncommitted ones included."""
        return self.columns[f"{group}/energy"].rows

    @property
    def dirty(self) -> bool:
        """Whether there is something to commit."""
        grown = any(column.rows != column.committed for column in self.columns.values())
        return (
            grown
            or self.attributes != self._root.attributes
            or self._column_attributes() != self._root.array_attributes
        )

    def _column_attributes(self) -> dict[str, dict]:
        kept = {path: held for path, held in self._root.array_attributes.items() if path.startswith("system/")}
        return kept | {path: column.attributes for path, column in self.columns.items()}

    def description(self) -> dict[str, Any]:
        """Return the system's description as it was stored."""
        arrays = {}
        for path, (spec, length) in self._root.arrays.items():
            if path.startswith("system/"):
                arrays[path] = Column(spec, self.files, ChunkCache(), length, False).read(0, length)
        groups = {path: held for path, held in self._root.groups.items() if (path + "/").startswith("system/")}
        return build_description(groups, arrays, "system")

    def write_property(self, spec: ArraySpec, values: np.ndarray, attributes: dict) -> None:
        """Commit what was added, then a property of all minima, replacing one of the same name.

        Parameters
        ----------
        spec : ArraySpec
            The array.
        values : (minima,) array
            Its rows.
        attributes : dict
            Source of the values.
        """
        self.delete_property(spec.path)
        for index, low in enumerate(range(0, len(values), spec.chunk)):
            self.files.put(spec.chunk_key(index), spec.encode(values[low : low + spec.chunk]))
        self.columns[spec.path] = Column(spec, self.files, self._cache, len(values), writable=False)
        self.columns[spec.path].attributes = attributes
        self.commit()

    def delete_property(self, path: str) -> None:
        """Commit what was added, and take a property out, if it is there."""
        self.columns.pop(path, None)
        self.commit()  # no root names it any more before its files change
        self._cache.clear()
        self.files.delete_folder(path)

    def rewrite(self, path: str, values: np.ndarray) -> None:
        """Change committed rows of an array, chunk by chunk, each of them whole or not at all.

        Parameters
        ----------
        path : str
            The array. Nothing has been added since the last commit.
        values : (rows, ...) array
            All of its rows.
        """
        spec, committed = self.columns[path].spec, self.columns[path].committed
        if self.dirty or len(values) != committed:
            raise ValueError(f"{path} has {committed} committed rows, not {len(values)}, or there is more to commit")
        values, stored = np.asarray(values, dtype=spec.dtype), self.columns[path].read(0, committed)
        for index, low in enumerate(range(0, committed, spec.chunk)):
            part = slice(low, low + spec.chunk)
            if values[part].tobytes() != stored[part].tobytes():
                self.files.put(spec.chunk_key(index), spec.encode(values[part]))
        attributes = self.columns[path].attributes
        self._cache.clear()
        self.columns[path] = Column(spec, self.files, self._cache, committed, self.writable)
        self.columns[path].attributes = attributes

    def refresh(self) -> None:
        """See what has been committed since: for readers."""
        self._cache.clear()
        self._load()

    def commit(self) -> None:
        """Commit all added rows, or none.

        Their chunks are written first; renaming the root's ``zarr.json``, last, makes them count.

        Raises
        ------
        OSError
            The disk is full, say. The store holds the last commit; what was added is kept in memory, and the commit may
            be tried again.
        """
        if not self.writable:
            raise StoreError(f"{self.path} is open for reading: open it with mode='r+' to write")
        for column in self.columns.values():
            if column.spec.sparse:
                column.grow(self.rows("minima"))
        if not self.dirty:
            return
        root = self._root.updated(self.attributes, self.columns)
        grown = [column for column in self.columns.values() if self._root.differs(root, column.spec.path)]
        with ThreadPoolExecutor(_WRITERS) as pool:
            for _ in pool.map(lambda column: self._write(column, root), grown):
                pass
        self.files.put(ROOT, root.encode())
        self.files.sync_folder()
        self._root = root
        for column in self.columns.values():
            column.settle()

    def _write(self, column: Column, root: Root) -> None:
        for key, data in column.pending():
            self.files.put(key, data)
        # For whoever opens an array by its own path: the root's copy is what counts, so the disk may take its time.
        self.files.put(f"{column.spec.path}/{ROOT}", _json(root.array_metadata(column.spec.path)), durable=False)

    def _cut_back(self) -> None:
        for name in self.files.folders("properties"):
            if f"properties/{name}" not in self.columns:  # killed while it was being written
                self.files.delete_folder(f"properties/{name}")
        for path, column in self.columns.items():
            column.cut()
            whole = _json(self._root.array_metadata(path))
            key = f"{path}/{ROOT}"
            if not self.files.exists(key) or self.files.get(key) != whole:
                self.files.put(key, whole, durable=False)
        self.files.delete(ROOT + PARTIAL)

    def close(self) -> None:
        """Let the lock go, uncommitted rows with it."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None


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
    data = files.get(ROOT)  # first: its rows stay on disk, whatever is written from now on
    root = read_root(files, data)
    for path in root.arrays:
        copied.put(f"{path}/{ROOT}", _json(root.array_metadata(path)), durable=False)
        for name in files.names(path):
            if name.startswith("c.") and not name.endswith(PARTIAL):
                copied.put(f"{path}/{name}", files.get(f"{path}/{name}"), durable=False)
    for path, attributes in root.groups.items():
        copied.put(f"{path}/{ROOT}", _json(group_metadata(attributes)), durable=False)
    copied.put(ROOT, data)


def _json(metadata: dict) -> bytes:
    return json.dumps(metadata, indent=1).encode()


def _created_by() -> str:
    try:
        return f"thalweg {version('thalweg')}"
    except PackageNotFoundError:
        return "thalweg"


def _build(files: StoreFiles, root: Root, arrays: dict[str, np.ndarray], growing: dict[str, ArraySpec]) -> None:
    """Write all files of a new store, its root last."""
    for path, values in arrays.items():
        spec = static_spec(path, values)
        root.arrays[path], root.array_attributes[path] = (spec, len(values)), {}
        if values.size:
            files.put(spec.chunk_key(0), spec.encode(values))
    for path, spec in growing.items():
        root.arrays[path], root.array_attributes[path] = (spec, 0), {}
    for path in root.arrays:
        files.put(f"{path}/{ROOT}", _json(root.array_metadata(path)))
    for path in (*root.groups, *(group for group in GROUPS if group not in root.groups)):
        files.put(f"{path}/{ROOT}", _json(group_metadata(root.groups.setdefault(path, {}))))
    files.put(ROOT, root.encode())
